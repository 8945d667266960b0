//! Random scripts, done to a tape and to a model of it that is too simple to be wrong: they always
//! answer the same and end the same.

use crate::support::*;
use domain::Timestamp;
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tape::{
    AppendError, Commit, CursorMove, Draft, Entry, LeaseError, OnConflict, Outcome, Snapshot, Tape, archive,
    verify,
};

#[derive(Debug, Clone)]
enum Act {
    Append { entries: Vec<Fact>, steps: Vec<Step>, report: bool },
    Acquire { unit: u8, owner: u8, long: bool, force: bool },
    Renew { unit: u8, old_fence: bool },
    Release { unit: u8, old_fence: bool },
    Snapshot { unit: u8, position: u8 },
    Reopen,
}

/// An id out of few, one of two contents, at a time.
#[derive(Debug, Clone, Copy)]
struct Fact {
    id: u8,
    other: bool,
    time: u8,
}

/// `to` counts from the cursor (in a script that goes well) or is anything.
#[derive(Debug, Clone, Copy)]
struct Step {
    unit: u8,
    old_fence: bool,
    by: i8,
    reach: u8,
}

fn act() -> impl Strategy<Value = Act> {
    let fact = (0..60_u8, prop::bool::weighted(0.03), 0..100_u8).prop_map(|(id, other, time)| Fact {
        id,
        other,
        time,
    });
    let step = (0..3_u8, prop::bool::weighted(0.05), -1..9_i8, 0..9_u8)
        .prop_map(|(unit, old_fence, by, reach)| Step { unit, old_fence, by, reach });
    let rare = || prop::bool::weighted(0.2);
    prop_oneof![
        8 => (prop::collection::vec(fact, 0..14), prop::collection::vec(step, 0..3), any::<bool>())
            .prop_map(|(entries, steps, report)| Act::Append { entries, steps, report }),
        3 => (0..3_u8, 0..2_u8, rare(), rare())
            .prop_map(|(unit, owner, long, force)| Act::Acquire { unit, owner, long, force }),
        1 => (0..3_u8, rare()).prop_map(|(unit, old_fence)| Act::Renew { unit, old_fence }),
        1 => (0..3_u8, rare()).prop_map(|(unit, old_fence)| Act::Release { unit, old_fence }),
        1 => (0..3_u8, 0..30_u8).prop_map(|(unit, position)| Act::Snapshot { unit, position }),
        1 => Just(Act::Reopen),
    ]
}

#[derive(Default)]
struct Model {
    rows: Vec<(Fact, Timestamp)>,
    cursors: BTreeMap<u8, Cursor>,
    snapshots: BTreeMap<u8, Vec<u8>>,
}

#[derive(Clone, Default)]
struct Cursor {
    position: u64,
    fence: u64,
    reach: u64,
    /// The owner, and whether its lease still runs.
    lease: Option<(u8, bool)>,
}

impl Model {
    fn append(
        &mut self,
        entries: &[Fact],
        steps: &[CursorMove],
        report: bool,
    ) -> Result<Vec<Outcome>, AppendError> {
        let number = |name: &str| name.trim_start_matches("unit-").parse::<u8>().unwrap();
        for step in steps {
            let stored = self.cursors.get(&number(&step.unit)).map(|c| c.fence);
            if stored != Some(step.fence) {
                return Err(AppendError::Fenced { unit: step.unit, given: step.fence, stored });
            }
        }
        let mut rows = self.rows.clone();
        let mut outcomes = Vec::new();
        for fact in entries {
            let known = rows.iter().position(|(known, _)| known.id == fact.id);
            outcomes.push(match known.map(|at| (at as u64 + 1, rows[at].0.other == fact.other)) {
                Some((at, true)) => Outcome::Duplicate(at),
                Some((at, false)) if report => Outcome::Conflict(at),
                Some((at, false)) => {
                    return Err(AppendError::Conflict { id: content(fact).id, position: at });
                }
                None => {
                    let last = rows.last().map_or(Timestamp::ZERO, |(_, at)| *at);
                    rows.push((*fact, time(i64::from(fact.time)).max(last)));
                    Outcome::Appended(rows.len() as u64)
                }
            });
        }
        let (head, mut cursors) = (rows.len() as u64, self.cursors.clone());
        for step in steps {
            let cursor = cursors.entry(number(&step.unit)).or_default();
            if step.to < cursor.position {
                return Err(AppendError::Backwards {
                    unit: step.unit,
                    given: step.to,
                    stored: cursor.position,
                });
            }
            if step.to > head {
                return Err(AppendError::Beyond { unit: step.unit, given: step.to, head });
            }
            cursor.position = step.to;
            cursor.reach = cursor.reach.max(step.reach);
        }
        (self.rows, self.cursors) = (rows, cursors);
        Ok(outcomes)
    }

    /// The new fence, unless somebody else holds it.
    fn acquire(&mut self, unit: u8, owner: u8, long: bool, force: bool) -> Option<u64> {
        let cursor = self.cursors.entry(unit).or_default();
        if cursor.lease.is_some_and(|(other, runs)| runs && other != owner) && !force {
            return None;
        }
        cursor.fence += 1;
        cursor.lease = Some((owner, long));
        Some(cursor.fence)
    }

    fn owns(&self, unit: u8, fence: u64) -> bool {
        self.cursors.get(&unit).is_some_and(|c| c.lease.is_some() && c.fence == fence)
    }

    fn fence(&self, unit: u8, old: bool) -> u64 {
        self.cursors.get(&unit).map_or(0, |c| c.fence).saturating_sub(u64::from(old))
    }

    fn moves(&self, steps: &[Step]) -> Vec<CursorMove> {
        let moves = steps.iter().map(|step| {
            let from = self.cursors.get(&step.unit).map_or(0, |c| c.position);
            CursorMove {
                unit: name(step.unit),
                fence: self.fence(step.unit, step.old_fence),
                to: from.saturating_add_signed(i64::from(step.by)),
                reach: u64::from(step.reach),
            }
        });
        moves.collect()
    }

    fn snapshot(&mut self, unit: u8, position: u8) {
        let kept = self.snapshots.entry(unit).or_default();
        kept.retain(|p| *p != position);
        kept.push(position);
        kept.sort();
        kept.drain(..kept.len().saturating_sub(2));
    }
}

fn name(unit: u8) -> domain::UnitName {
    crate::support::unit(&format!("unit-{unit}"))
}

fn content(fact: &Fact) -> Draft {
    let n = u128::from(fact.id) + 1;
    if fact.other { other(n) } else { draft(n) }
}

fn state(unit: u8, position: u8) -> Snapshot {
    Snapshot { unit: name(unit), position: position.into(), tag: "t".into(), state: vec![unit, position] }
}

/// Any tape, and how to open it anew.
enum Subject {
    Memory(Tape),
    Disk(Box<OnDisk>),
    Database { url: String, tape: Tape },
}

impl Subject {
    fn tape(&self) -> &Tape {
        match self {
            Self::Memory(tape) => tape,
            Self::Disk(disk) => &disk.tape,
            Self::Database { tape, .. } => tape,
        }
    }

    async fn play(&mut self, model: &mut Model, act: &Act) -> Result<(), TestCaseError> {
        match act {
            Act::Append { entries, steps, report } => {
                let cursors = model.moves(steps);
                let expected = model.append(entries, &cursors, *report);
                let entries = entries.iter().map(|f| Entry::market(content(f), time(i64::from(f.time))));
                let on_conflict = if *report { OnConflict::Report } else { OnConflict::Fail };
                let commit = Commit { entries: entries.collect(), cursors, on_conflict };
                let done = self.tape().append(commit).await;
                if let Ok(done) = &done {
                    prop_assert_eq!(done.head.position, model.rows.len() as u64);
                }
                prop_assert_eq!(done.map(|c| c.outcomes), expected);
            }
            Act::Acquire { unit, owner, long, force } => {
                let ttl = if *long { Duration::from_secs(3_600) } else { Duration::ZERO };
                let taken = self.tape().acquire(name(*unit), &format!("owner-{owner}"), ttl, *force).await;
                let held = matches!(taken, Err(LeaseError::Held { .. }));
                let expected = model.acquire(*unit, *owner, *long, *force);
                prop_assert_eq!(taken.ok().map(|c| c.fence), expected);
                prop_assert_eq!(held, expected.is_none());
            }
            Act::Renew { unit, old_fence } => {
                let fence = model.fence(*unit, *old_fence);
                let done = self.tape().renew(name(*unit), fence, Duration::ZERO).await;
                prop_assert_eq!(done.is_ok(), model.owns(*unit, fence));
                if let (true, Some(cursor)) = (done.is_ok(), model.cursors.get_mut(unit)) {
                    cursor.lease = cursor.lease.map(|(owner, _)| (owner, false));
                }
            }
            Act::Release { unit, old_fence } => {
                let fence = model.fence(*unit, *old_fence);
                let done = self.tape().release(name(*unit), fence).await;
                prop_assert_eq!(done.is_ok(), model.owns(*unit, fence));
                if let (true, Some(cursor)) = (done.is_ok(), model.cursors.get_mut(unit)) {
                    cursor.lease = None;
                }
            }
            Act::Snapshot { unit, position } => {
                let saved = self.tape().save_snapshot(state(*unit, *position)).await;
                prop_assert_eq!(saved.is_ok(), usize::from(*position) <= model.rows.len());
                if saved.is_ok() {
                    model.snapshot(*unit, *position);
                }
            }
            Act::Reopen => match self {
                Self::Memory(_) => {}
                Self::Disk(disk) => disk.reopen().await,
                Self::Database { url, tape } => {
                    tape.close().await.unwrap();
                    *tape = open(url).await;
                }
            },
        }
        Ok(())
    }

    async fn compare(&self, model: &Model) -> Result<(), TestCaseError> {
        let tape = self.tape();
        let rows = all(tape).await;
        prop_assert_eq!(rows.len(), model.rows.len());
        for (row, (fact, at)) in rows.iter().zip(&model.rows) {
            prop_assert_eq!((&row.draft, row.recorded_at), (&content(fact), *at));
        }
        let cursors = tape.cursors().await.unwrap();
        let found: Vec<_> =
            cursors.iter().map(|c| (c.unit, c.position, c.fence, c.reach, c.owner.clone())).collect();
        let expected: Vec<_> = model
            .cursors
            .iter()
            .map(|(unit, c)| {
                (
                    name(*unit),
                    c.position,
                    c.fence,
                    c.reach,
                    c.lease.map(|(owner, _)| format!("owner-{owner}")),
                )
            })
            .collect();
        prop_assert_eq!(found, expected);
        for at_most in [0, 10, 20, 255] {
            let newest = model
                .snapshots
                .iter()
                .filter_map(|(unit, kept)| Some(state(*unit, *kept.iter().rfind(|p| **p <= at_most)?)));
            prop_assert_eq!(tape.snapshots(at_most.into()).await.unwrap(), newest.collect::<Vec<_>>());
        }
        let head = verify::verify_chain(tape, |_, _| ()).await.unwrap();
        prop_assert_eq!(head, tape.head().await.unwrap());

        let mut file = Vec::new();
        archive::export(tape, &mut file, |_, _| ()).await.unwrap();
        let copy = Tape::memory();
        prop_assert_eq!(archive::import(&file[..], &copy, |_, _| ()).await.unwrap(), head);
        Ok(())
    }
}

fn random_scripts(cases: u32, subject: impl AsyncFn() -> Subject) {
    let drawn = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = std::env::var("TAPEDECK_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(drawn);
    println!("seed {seed} (set TAPEDECK_SEED to it to play the same scripts)");
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[&seed.to_be_bytes()[..], &[0; 24]].concat());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new_with_rng(config, rng);
    let played = runner.run(&prop::collection::vec(act(), 1..40), |script| {
        runtime.block_on(async {
            let (mut subject, mut model) = (subject().await, Model::default());
            for act in &script {
                subject.play(&mut model, act).await?;
            }
            subject.compare(&model).await
        })
    });
    if let Err(e) = played {
        panic!("seed {seed}: {e}");
    }
}

#[test]
fn a_tape_in_memory_does_as_the_model() {
    random_scripts(300, async || Subject::Memory(Tape::memory()));
}

#[test]
fn a_tape_on_disk_does_as_the_model() {
    random_scripts(60, async || Subject::Disk(Box::new(OnDisk::new().await)));
}

#[test]
fn a_tape_in_a_database_does_as_the_model() {
    random_scripts(60, async || {
        let url = testkit::postgres();
        Subject::Database { tape: open(&url).await, url }
    });
}
