//! A tape in memory, and a machine that is driven effect by effect.

use domain::{Timestamp, UnitName};
use events::{
    CandleEvent, Clock, Draft, Event, Kind, Row, TapeOpened, TimeEvent, UnitEvent, Uuid, WakeAsked, ids,
};
use replica::{Effect, Fault, Incarnation, Input, Leader, Limits, Machine, Reply};
use serde::{Deserialize, Serialize};
use service::{Host, Late, News, Own, Service};
use std::{sync::Arc, time::Duration};
use tape::{Commit, Entry, Head, Memory, OnConflict};

pub const NOW: Timestamp = Timestamp::from_millis(60_000);
const TAPE: Uuid = Uuid::from_u128(7);

/// Numbers what it hears. A sink or a service.
struct Toy<const SINK: bool, const LEARNS: bool>;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Heard(i64);

impl<const SINK: bool, const LEARNS: bool> Service for Toy<SINK, LEARNS> {
    type Config = ();
    type State = Heard;
    const CORE: &'static str = "toy";
    const HEARS: &'static [Kind] = &[Kind::CandleMissing];
    const OWN: Own = if SINK { Own::InPlace } else { Own::AtCause };
    const LATE: Late = if LEARNS { Late::Learns } else { Late::Answers };

    fn new((): ()) -> Self {
        Self
    }
    fn apply(&self, state: &mut Heard, _: Timestamp, event: &Event) {
        if let Event::Candle(CandleEvent::Missing(_)) = event {
            state.0 += 1;
        }
    }
    fn decide(&self, state: &Heard, _: Timestamp, heard: &Event) -> Vec<Event> {
        match heard {
            Event::Candle(_) => vec![WakeAsked { at: Timestamp::from_millis(state.0) }.into()],
            Event::Time(TimeEvent::WakeAsked(_)) | Event::Unit(_) => Vec::new(),
            _ => Vec::new(),
        }
    }
}

pub fn unit(name: &str) -> UnitName {
    UnitName::new(name).unwrap()
}

pub fn fact(key: &str) -> Uuid {
    ids::fact(TAPE, "fact", key)
}

pub struct Stage {
    pub tape: Memory,
    pub machine: Machine,
    /// Of the next incarnation.
    pub build: &'static str,
    /// Of the next incarnation.
    pub limits: Limits,
    make: Arc<dyn Fn() -> Host + Send + Sync>,
    opened: TapeOpened,
    log: Vec<String>,
}

impl Stage {
    pub fn new<const SINK: bool>(clock: Clock) -> Self {
        Self::of::<SINK, false>(clock)
    }

    /// One that learns from what it hears late, if it is such a toy.
    pub fn of<const SINK: bool, const LEARNS: bool>(clock: Clock) -> Self {
        let opened = TapeOpened { tape: TAPE, clock, market: "toys".to_owned() };
        let make: Arc<dyn Fn() -> Host + Send + Sync> =
            Arc::new(|| Host::new::<Toy<SINK, LEARNS>>(unit("toy"), ()));
        let tape = Memory::default();
        tape.set_clock(NOW);
        let (build, limits) = ("1", Limits { group: 16, snapshot_every: 1_000, behind: 1_000 });
        let machine = incarnation(&tape, &make, &opened, Head::EMPTY, build, limits);
        let mut stage = Self { tape, machine, build, limits, make, opened: opened.clone(), log: Vec::new() };
        stage.append(vec![Draft::new(TAPE, service::tape_unit(), None, NOW, &opened.into())]);
        stage
    }

    /// One that has come back and heard its own start, at position 2.
    pub fn led<const SINK: bool>(clock: Clock) -> Self {
        let mut stage = Self::new::<SINK>(clock);
        stage.come_back();
        stage.machine.give(Input::Read);
        stage.drain();
        stage.machine.give(Input::Tick);
        stage.drain();
        assert_eq!(stage.leader().settled_at().map(|place| place.position), Some(2));
        stage.log.clear();
        stage.machine.take_counts();
        stage
    }

    /// Another incarnation of the same replica.
    pub fn incarnation(&self) -> Machine {
        incarnation(&self.tape, &self.make, &self.opened, self.machine.known(), self.build, self.limits)
    }
    pub fn take_over(&mut self) {
        self.machine = self.incarnation();
    }

    /// The tape is put back to its first two rows.
    pub fn cut(&mut self) {
        self.copy(2);
    }

    /// Only these first rows are left, without cursors and snapshots.
    pub fn copy(&mut self, rows: usize) {
        let rows = self.tape.read_now(0, rows);
        self.tape = Memory::default();
        self.tape.set_clock(NOW);
        for row in rows {
            self.append_at(row.recorded_at, vec![row.draft]);
        }
    }

    pub fn record(&mut self, events: &[Event]) -> Vec<Row> {
        let head = self.tape.head_now().position;
        let draft = |(n, event): (usize, &Event)| {
            Draft::new(fact(&format!("{head}/{n}")), unit("feed"), None, NOW, event)
        };
        self.append(events.iter().enumerate().map(draft).collect());
        self.tape.read_now(head, events.len())
    }

    pub fn append(&mut self, drafts: Vec<Draft>) {
        self.append_at(NOW, drafts);
    }
    fn append_at(&mut self, now: Timestamp, drafts: Vec<Draft>) {
        let entries = drafts.into_iter().map(|draft| Entry::market(draft, now)).collect();
        self.tape.append_now(Commit::new(entries)).unwrap();
    }

    /// So many seconds after [`NOW`].
    pub fn record_after(&mut self, seconds: i64, event: &Event) {
        let now = Timestamp::from_millis(NOW.millis() + seconds * 1_000);
        self.tape.set_clock(now);
        let id = fact(&format!("after {seconds}/{}", event.body()));
        self.append_at(now, vec![Draft::new(id, unit("feed"), None, now, event)]);
    }

    /// Another incarnation takes over and deals with everything there is.
    pub fn catches_up(&mut self) {
        self.take_over();
        self.come_back();
        self.machine.give(Input::Read);
        self.drain();
        self.machine.give(Input::Tick);
        self.drain();
    }

    /// How many times it has answered, and what each of its starts says it has judged, and from where on it judges.
    pub fn spoke(&self) -> (usize, Vec<(u64, u64)>) {
        let rows = self.tape.read_now(0, usize::MAX);
        let own = rows.iter().filter(|row| row.draft.source == unit("toy"));
        let events: Vec<Event> = own.map(|row| row.decode().unwrap().event).collect();
        let starts = events.iter().filter_map(|event| match event {
            Event::Unit(UnitEvent::Started(started)) => Some((started.judged, started.after)),
            _ => None,
        });
        let starts: Vec<_> = starts.collect();
        (events.len() - starts.len(), starts)
    }

    pub fn leader(&self) -> &Leader {
        self.machine.leader().expect("it has come back")
    }

    pub fn come_back(&mut self) {
        self.drain();
        assert!(self.machine.leader().is_some());
    }

    pub fn drain(&mut self) {
        self.try_drain().unwrap();
    }

    pub fn try_drain(&mut self) -> Result<(), Fault> {
        for _ in 0..200 {
            let Some(effect) = self.machine.ask()? else { return Ok(()) };
            if let Some(reply) = self.done(effect)? {
                self.machine.reply(reply, NOW)?;
            }
        }
        panic!("it does not come to rest: {:?}", self.log)
    }

    pub fn perform(&mut self, effect: Effect) {
        if let Some(reply) = self.done(effect).unwrap() {
            self.machine.reply(reply, NOW).unwrap();
        }
    }

    fn done(&mut self, effect: Effect) -> Result<Option<Reply>, Fault> {
        let what = describe(&effect);
        self.log.extend(what);
        Ok(Some(match effect {
            Effect::Read { after, limit } => Reply::Rows(self.tape.read_now(after, limit)),
            Effect::OfKind(kind) => Reply::Rows(self.tape.of_kind_after_now(kind, 0, usize::MAX)),
            Effect::ById(id) => Reply::Rows(self.tape.by_id_now(id).into_iter().collect()),
            Effect::Snapshots(at_most) => Reply::Snapshots(self.tape.snapshots_now(at_most)),
            Effect::Head => Reply::Head(self.tape.head_now()),
            Effect::Append(commit) => Reply::Committed(self.tape.append_now(commit)?),
            Effect::Save(snapshot) => {
                self.tape.save_snapshot_now(snapshot)?;
                Reply::Saved
            }
            Effect::Tell(_) => return Ok(None),
        }))
    }

    /// What was asked for since the last check.
    pub fn check(&mut self, expected: &[&str]) {
        assert_eq!(std::mem::take(&mut self.log), expected);
    }
}

fn incarnation(
    tape: &Memory,
    make: &Arc<dyn Fn() -> Host + Send + Sync>,
    opened: &TapeOpened,
    known: Head,
    build: &str,
    limits: Limits,
) -> Machine {
    let taken = tape.acquire_all_now(&[unit("toy")], "a", Duration::from_secs(60), true);
    Machine::new(Incarnation {
        make: make.clone(),
        build: build.to_owned(),
        cursor: taken.unwrap().remove(0),
        opened: opened.clone(),
        known,
        hands: make().own() == Own::InPlace,
        limits,
    })
}

fn describe(effect: &Effect) -> Vec<String> {
    match effect {
        Effect::Read { after, .. } => vec![format!("read after {after}")],
        Effect::OfKind(_) => vec!["starts".to_owned()],
        Effect::ById(_) => vec!["by id".to_owned()],
        Effect::Snapshots(at_most) => vec![format!("snapshots {at_most}")],
        Effect::Head => vec!["head".to_owned()],
        Effect::Append(commit) => {
            let facts = if commit.on_conflict == OnConflict::Report { "facts " } else { "" };
            let kinds: String = commit.entries.iter().map(|e| format!("{} ", e.draft.kind)).collect();
            vec![format!("append {facts}{kinds}cursor {}", commit.cursors[0].to)]
        }
        Effect::Save(snapshot) => vec![format!("save {}", snapshot.position)],
        Effect::Tell(news) => news
            .iter()
            .map(|news| match news {
                News::Recovered { .. } => "tell recovered".to_owned(),
                News::Heard(heard) => {
                    let mine = if heard.mine { ", mine" } else { "" };
                    format!("tell {}{mine}", heard.event.event.kind().name())
                }
            })
            .collect(),
    }
}
