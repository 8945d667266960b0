//! Units as they run distributed: replicas with leases, a bus that loses, repeats and reorders, deaths at every
//! step, and a replica that sleeps and wakes under an old fence.
//!
//! The replicas are the production machines ([`replica::Machine`]), the hosts and the tape (in memory) are
//! real too; only time and the schedule are made up. One effect of one machine is one step, and whatever
//! may befall a replica does so between two of them.

use crate::rng::Rng;
use domain::{Timestamp, UnitName};
use events::{Draft, Event, Kind, Recorded, Row, TapeOpened, Uuid};
use replica::{Effect, Fault, Incarnation, Input, Leader, Limits, Machine, Reply, bounded, starts};
use service::{Back, Follower, Host, News, Own, Walk, Walked};
use std::{sync::Arc, time::Duration};
use tape::{Commit, Head, Memory, OnConflict, Outcome};

/// How often, in per mille of the steps at which it could happen.
#[derive(Debug, Clone, Copy)]
pub struct Faults {
    /// A replica dies before an effect, or right after it.
    pub crash: u64,
    /// A replica falls asleep, with an effect under way perhaps; another takes over; it wakes later.
    pub sleep: u64,
    /// Another acts between two effects of a replica.
    pub yielded: u64,
    /// The bus gives a row again, or a later one first.
    pub disorder: u64,
    /// The bus gives nothing, so that only a look at the tape's end finds what was said.
    pub silence: u64,
    /// A snapshot is not there when it is wanted.
    pub forgotten: u64,
    /// A replica is stopped in good order.
    pub stop: u64,
}

impl Faults {
    pub const NONE: Self =
        Self { crash: 0, sleep: 0, yielded: 0, disorder: 0, silence: 0, forgotten: 0, stop: 0 };
}

/// What happened, so that a run can be shown to have met its faults.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Deaths before an effect that records nothing.
    pub crashes: u64,
    /// Deaths with a commit under way, before it was recorded …
    pub before_commit: u64,
    /// … and after.
    pub after_commit: u64,
    /// Deaths on the way back from the tape.
    pub in_recovery: u64,
    pub recoveries: u64,
    pub slept: u64,
    /// Replicas that were stopped in good order, with a last snapshot.
    pub stopped: u64,
    /// Replicas that woke under an old fence, or were overtaken, and were refused.
    pub fenced: u64,
    pub duplicates: u64,
    pub gaps: u64,
    pub snapshots: u64,
}

/// `T` is what a sink's hands have to do.
pub struct Cluster<T> {
    pub tape: Memory,
    opened: TapeOpened,
    units: Vec<Unit>,
    build: String,
    limits: Limits,
    desk: Box<Desk<T>>,
    due: Vec<(u64, T)>,
    pub counts: Counts,
}

/// Gives a unit anew, at the beginning of the tape.
pub type Make = Arc<dyn Fn() -> Host + Send + Sync>;

/// What comes of the news that hands are told, with the state of that moment.
pub type Desk<T> = dyn Fn(&Host, &News) -> Vec<T>;

/// How it stands with an incarnation, for what its hands bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Gone,
    /// It cannot judge now, but will.
    Busy,
    Ready,
}

struct Unit {
    name: UnitName,
    make: Make,
    sink: bool,
    replicas: [Replica; 2],
}

struct Replica {
    owner: &'static str,
    life: Life,
    /// What it has heard in any of its incarnations.
    known: Head,
}

enum Life {
    Down,
    Up(Box<Running>),
    /// Still thinks that it speaks for the unit.
    Asleep(Box<Running>),
}

struct Running {
    machine: Machine,
    fence: u64,
    /// Asked for, and not done yet.
    under_way: Option<Effect>,
    stopping: bool,
}

/// Longer than any simulated run: leases change hands by force here, as after an expiry.
const LEASE: Duration = Duration::from_secs(3_600);
const BATCH: usize = 1_024;

impl<T> Cluster<T> {
    /// On a new tape, which begins at `now`. Each of `units` is given anew, at the beginning of the tape.
    pub fn new(
        units: Vec<Make>,
        build: &str,
        opened: TapeOpened,
        now: Timestamp,
        limits: Limits,
        desk: impl Fn(&Host, &News) -> Vec<T> + 'static,
    ) -> Self {
        let units = units.into_iter().map(|make| Unit {
            name: make().unit(),
            sink: make().own() == Own::InPlace,
            make,
            replicas: ["a", "b"].map(|owner| Replica { owner, life: Life::Down, known: Head::EMPTY }),
        });
        let mut cluster = Self {
            tape: Memory::default(),
            opened: opened.clone(),
            units: units.collect(),
            build: build.to_owned(),
            limits,
            desk: Box::new(desk),
            due: Vec::new(),
            counts: Counts::default(),
        };
        cluster.record(service::tape_unit(), now, vec![(opened.tape, opened.into())]);
        cluster
    }

    /// Puts facts of the world on the tape, as its recorder does; returns those that are new.
    ///
    /// # Panics
    /// A fact contradicts a recorded one: in a simulation, a mistake of the world.
    pub fn record(&mut self, source: UnitName, now: Timestamp, facts: Vec<(Uuid, Event)>) -> Vec<Recorded> {
        self.tape.set_clock(now);
        let drafts: Vec<Draft> = facts
            .iter()
            .map(|(id, event)| Draft::new(*id, source, None, event.at().unwrap_or(now), event))
            .collect();
        let entries = drafts.into_iter().map(|draft| replica::entry(self.opened.clock, draft, now)).collect();
        let commit = Commit { entries, cursors: Vec::new(), on_conflict: OnConflict::Report };
        let committed = self.tape.append_now(commit).unwrap_or_else(|e| panic!("no cursor is moved: {e}"));
        let mut new = Vec::new();
        for ((id, event), outcome) in facts.into_iter().zip(committed.outcomes) {
            match outcome {
                Outcome::Appended(position) => {
                    let at = event.at().unwrap_or(now);
                    new.push(Recorded { position, id, source, cause: None, at, recorded_at: now, event });
                }
                Outcome::Duplicate(_) => {}
                Outcome::Conflict(at) => panic!("{event:?} contradicts position {at}"),
            }
        }
        new
    }

    /// One step of one replica, drawn at random.
    pub fn act(&mut self, rng: &mut Rng, faults: &Faults, now: Timestamp) {
        self.tape.set_clock(now);
        let unit = rng.index(self.units.len());
        let mut replica = rng.index(2);
        // Takes over from a dead peer at once, from a living one seldom.
        let is = |replica: usize, up: bool| match self.units[unit].replicas[replica].life {
            Life::Up(_) => up,
            Life::Down => !up,
            Life::Asleep(_) => false,
        };
        if is(replica, false) && is(1 - replica, true) && !rng.often(faults.sleep / 2) {
            replica = 1 - replica;
        }
        match &self.units[unit].replicas[replica].life {
            Life::Down => {
                self.take_over(unit, replica);
                self.work(unit, replica, rng, faults, now);
            }
            Life::Asleep(_) => {
                if rng.chance(10) {
                    self.wake(unit, replica);
                    self.work(unit, replica, rng, faults, now);
                }
            }
            Life::Up(_) => {
                self.hint(unit, replica, rng, faults);
                self.work(unit, replica, rng, faults, now);
            }
        }
    }

    /// What the bus, or the clock, gives to a replica.
    fn hint(&mut self, unit: usize, replica: usize, rng: &mut Rng, faults: &Faults) {
        let head = self.tape.head_now().position;
        let Life::Up(running) = &mut self.units[unit].replicas[replica].life else { return };
        if running.under_way.is_some() {
            return;
        }
        let machine = &mut running.machine;
        if rng.often(faults.stop) {
            running.stopping = true;
            return machine.give(Input::Stop);
        }
        if rng.chance(20) {
            machine.give(Input::Tick);
        }
        if rng.often(faults.silence) || rng.chance(5) {
            return machine.give(Input::Look);
        }
        // Some at once are answered in one commit.
        for _ in 0..=rng.below(4) {
            let next = machine.known().position + 1;
            let offered = if rng.often(faults.disorder) { 1 + rng.below(head) } else { next };
            match self.tape.read_now(offered - 1, 1).first() {
                Some(row) => machine.give(Input::Hint(row)),
                None => break,
            }
        }
    }

    /// Does what a replica asks for, until there is nothing to do, something befalls it, or another acts.
    fn work(&mut self, unit: usize, replica: usize, rng: &mut Rng, faults: &Faults, now: Timestamp) {
        loop {
            let slot = &mut self.units[unit].replicas[replica];
            let Life::Up(running) = &mut slot.life else { return };
            let asked = match running.under_way.take() {
                Some(effect) => Ok(Some(effect)),
                None => running.machine.ask(),
            };
            let counts = running.machine.take_counts();
            self.counts.duplicates += counts.duplicates;
            self.counts.gaps += counts.gaps;
            slot.known = running.machine.known();
            let effect = match asked {
                Ok(Some(effect)) => effect,
                Ok(None) => {
                    if running.stopping {
                        slot.life = Life::Down;
                        self.counts.stopped += 1;
                    }
                    return;
                }
                Err(fault) => return self.discard(unit, replica, &fault),
            };
            let leads = running.machine.leader().is_some();
            let commits = matches!(effect, Effect::Append(_));
            if rng.often(faults.crash) {
                slot.life = Life::Down;
                let count = if commits { &mut self.counts.before_commit } else { &mut self.counts.crashes };
                *count += 1;
                self.counts.in_recovery += u64::from(!leads);
                return;
            }
            if rng.often(faults.sleep) {
                running.under_way = Some(effect);
                let life = std::mem::replace(&mut slot.life, Life::Down);
                if let Life::Up(running) = life {
                    slot.life = Life::Asleep(running);
                    self.counts.slept += 1;
                }
                return self.take_over(unit, 1 - replica);
            }
            if rng.often(faults.yielded) {
                running.under_way = Some(effect);
                return;
            }
            if let Err(fault) = self.perform(unit, replica, effect, rng, faults, now) {
                return self.discard(unit, replica, &fault);
            }
            if commits && rng.often(faults.crash) {
                self.units[unit].replicas[replica].life = Life::Down;
                self.counts.after_commit += 1;
                return;
            }
        }
    }

    fn perform(
        &mut self,
        unit: usize,
        replica: usize,
        effect: Effect,
        rng: &mut Rng,
        faults: &Faults,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let slot = &mut self.units[unit].replicas[replica];
        let Life::Up(running) = &mut slot.life else { return Ok(()) };
        let reply = match effect {
            Effect::Read { after, limit } => Reply::Rows(self.tape.read_now(after, limit)),
            Effect::OfKind(kind) => Reply::Rows(self.tape.of_kind_after_now(kind, 0, usize::MAX)),
            Effect::ById(id) => Reply::Rows(self.tape.by_id_now(id).into_iter().collect()),
            Effect::Snapshots(_) if rng.often(faults.forgotten) => Reply::Snapshots(Vec::new()),
            Effect::Snapshots(at_most) => Reply::Snapshots(self.tape.snapshots_now(at_most)),
            Effect::Head => Reply::Head(self.tape.head_now()),
            Effect::Append(commit) => Reply::Committed(self.tape.append_now(commit)?),
            Effect::Save(snapshot) => {
                self.tape.save_snapshot_now(snapshot)?;
                self.counts.snapshots += 1;
                Reply::Saved
            }
            Effect::Tell(news) => {
                if let Some(leader) = running.machine.leader() {
                    let fence = running.fence;
                    let due = news.iter().flat_map(|news| (self.desk)(leader.host(), news));
                    self.due.extend(due.map(|due| (fence, due)));
                }
                return Ok(());
            }
        };
        let led = running.machine.leader().is_some();
        running.machine.reply(reply, now)?;
        if !led && running.machine.leader().is_some() {
            self.counts.recoveries += 1;
            running.machine.give(Input::Read);
        }
        Ok(())
    }

    /// # Panics
    /// Anything but somebody else who speaks for the unit: nothing else can befall this tape.
    fn discard(&mut self, unit: usize, replica: usize, fault: &Fault) {
        match fault {
            Fault::Lost(_) | Fault::Doubt(_) => self.counts.fenced += 1,
            other => panic!("{}: {other}", self.units[unit].name),
        }
        self.units[unit].replicas[replica].life = Life::Down;
    }

    /// A replica that slept goes on where it was, under its old fence.
    fn wake(&mut self, unit: usize, replica: usize) {
        let slot = &mut self.units[unit].replicas[replica];
        slot.life = match std::mem::replace(&mut slot.life, Life::Down) {
            Life::Asleep(running) => Life::Up(running),
            life => life,
        };
    }

    fn take_over(&mut self, unit: usize, replica: usize) {
        let Unit { name, make, sink, replicas } = &mut self.units[unit];
        let slot = &mut replicas[replica];
        let taken = self.tape.acquire_all_now(&[*name], slot.owner, LEASE, true);
        let Some(cursor) = taken.ok().and_then(|mut taken| taken.pop()) else {
            unreachable!("taken by force")
        };
        let fence = cursor.fence;
        let machine = Machine::new(Incarnation {
            make: make.clone(),
            build: self.build.clone(),
            cursor,
            opened: self.opened.clone(),
            known: slot.known,
            hands: *sink,
            limits: self.limits,
        });
        slot.life = Life::Up(Box::new(Running { machine, fence, under_way: None, stopping: false }));
    }

    /// Lets every unit catch up, without faults.
    pub fn catch_up(&mut self, rng: &mut Rng, now: Timestamp) {
        self.tape.set_clock(now);
        for unit in 0..self.units.len() {
            for replica in 0..2 {
                self.wake(unit, replica);
                self.drive(unit, replica, rng, now);
            }
            if self.speaker(unit).is_none() {
                self.take_over(unit, 0);
                self.drive(unit, 0, rng, now);
            }
        }
    }

    fn drive(&mut self, unit: usize, replica: usize, rng: &mut Rng, now: Timestamp) {
        if let Life::Up(running) = &mut self.units[unit].replicas[replica].life {
            running.machine.give(Input::Look);
            running.machine.give(Input::Tick);
        }
        self.work(unit, replica, rng, &Faults::NONE, now);
    }

    /// Every core over its inputs again.
    pub fn verify(&self) -> Walked {
        let cursors = self.tape.marks_now().1;
        let started = self.tape.of_kind_after_now(Kind::UnitStarted, 0, usize::MAX);
        let starts = starts(&started).unwrap_or_else(|(at, e)| panic!("position {at}: {e}"));
        let hosts = self.units.iter().map(|unit| {
            let cursor = cursors.iter().find(|c| c.unit == unit.name);
            let (at, reach) = cursor.map_or((0, 0), |c| (c.position, c.reach));
            bounded((unit.make)(), at, reach, &starts, &[], &self.build)
        });
        let mut follower = Follower::new(hosts.collect(), Walk::Verify);
        let mut after = 0;
        while let Some(rows) = Some(self.tape.read_now(after, BATCH)).filter(|rows| !rows.is_empty()) {
            after += rows.len() as u64;
            let decode = |row: &Row| row.decode().unwrap_or_else(|e| panic!("written by this build: {e}"));
            rows.iter().map(decode).for_each(|event| follower.push(event));
        }
        follower.finish(&self.build)
    }

    /// The core and the state of whoever may speak for the first unit of that core, while it is up.
    pub fn held<S: service::Service>(&self) -> Option<(&S, &S::State)> {
        let host = |unit| self.speaker(unit)?.machine.leader().map(Leader::host);
        (0..self.units.len()).find_map(|unit| host(unit)?.held::<S>())
    }

    fn speaker(&self, unit: usize) -> Option<&Running> {
        let unit = &self.units[unit];
        let fence = self.tape.marks_now().1.into_iter().find(|c| c.unit == unit.name)?.fence;
        unit.replicas.iter().find_map(|replica| match &replica.life {
            Life::Up(running) if running.fence == fence => Some(&**running),
            Life::Up(_) | Life::Asleep(_) | Life::Down => None,
        })
    }

    /// Whether an incarnation can judge what its hands bring. It need not know that it may not speak any more.
    pub fn standing(&self, unit: &UnitName, fence: u64) -> Standing {
        let of_unit = self.units.iter().filter(|u| u.name == *unit).flat_map(|u| &u.replicas);
        let mut standing = of_unit.filter_map(|replica| match &replica.life {
            Life::Up(running) if running.fence == fence => {
                Some(match running.machine.leader().is_some_and(Leader::may_judge) {
                    true => Standing::Ready,
                    false => Standing::Busy,
                })
            }
            Life::Asleep(running) if running.fence == fence => Some(Standing::Busy),
            Life::Up(_) | Life::Asleep(_) | Life::Down => None,
        });
        standing.next().unwrap_or(Standing::Gone)
    }

    /// A sink's hands bring something to an incarnation that is ready.
    pub fn bring(&mut self, unit: &UnitName, back: Back, now: Timestamp) {
        for replica in self.units.iter_mut().filter(|u| u.name == *unit).flat_map(|u| &mut u.replicas) {
            match &mut replica.life {
                Life::Up(running) if running.fence == back.fence => {
                    return running.machine.give(Input::Bring(back, now));
                }
                Life::Up(_) | Life::Asleep(_) | Life::Down => {}
            }
        }
    }

    /// What sinks' hands have to do since the last call, each for the incarnation of that fence.
    pub fn take_due(&mut self) -> Vec<(u64, T)> {
        std::mem::take(&mut self.due)
    }
}
