//! Units as they would run apart: replicas with leases, a bus that loses, repeats and reorders,
//! crashes at every step, and a replica that sleeps and wakes under an old fence.
//!
//! The tape is real (in memory), and so are the hosts; only time and the schedule are made up.

use crate::rng::Rng;
use domain::{Timestamp, UnitName};
use events::{Draft, Event, Position, Recorded, UnitEvent, UnitStarted, Uuid, ids};
use service::{Arrival, Bounds, Follower, Host, Own, Walk, Walked};
use std::{collections::BTreeSet, time::Duration};
use tape::{AppendError, Commit, CursorMove, Entry, Memory, OnConflict, Outcome, Snapshot};

/// How often, in per cent of the steps at which it could happen.
#[derive(Debug, Clone, Copy)]
pub struct Faults {
    /// A replica dies before its commit, or right after it.
    pub crash: u64,
    /// A replica falls asleep; another takes over; it wakes later.
    pub sleep: u64,
    /// The bus gives a message again, or a later one first.
    pub disorder: u64,
}

impl Faults {
    pub const NONE: Self = Self { crash: 0, sleep: 0, disorder: 0 };
}

pub struct Cluster {
    pub tape: Memory,
    make: Box<dyn Fn() -> Vec<Host>>,
    units: Vec<Unit>,
    build: String,
    /// What each live replica has heard of its unit since it was last asked: for sinks' hands.
    news: Vec<News>,
    pub counts: Counts,
}

/// What happened, so that a run can be shown to have met its faults.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub crashes: u64,
    pub recoveries: u64,
    pub fenced: u64,
    pub duplicates: u64,
    pub gaps: u64,
    pub snapshots: u64,
}

struct Unit {
    name: UnitName,
    replicas: [Replica; 2],
}

struct Replica {
    owner: String,
    life: Life,
}

enum Life {
    Down,
    Up(Box<Running>),
    /// Still thinks that it speaks for the unit.
    Asleep(Box<Running>),
}

struct Running {
    host: Host,
    fence: u64,
    /// What this incarnation of a sink has committed and not yet heard.
    mine: BTreeSet<Uuid>,
}

/// Something that a sink's hands must know.
#[derive(Debug, Clone)]
pub enum News {
    /// A live replica heard this where it stands on the tape; `mine` says that it was committed by
    /// that very incarnation.
    Heard { unit: UnitName, incarnation: u64, event: Box<Recorded>, mine: bool },
    /// A replica has recovered: what it owes is in its state.
    Recovered { unit: UnitName, incarnation: u64 },
}

/// Longer than any simulated run: leases change hands by force here, as after an expiry.
const LEASE: Duration = Duration::from_secs(3_600);
const BATCH: usize = 256;

impl Cluster {
    /// `make` gives every unit anew, at the beginning of the tape.
    pub fn new(make: impl Fn() -> Vec<Host> + 'static, build: &str) -> Self {
        let units = make()
            .iter()
            .map(|host| Unit { name: host.unit(), replicas: ["a", "b"].map(Replica::new) })
            .collect();
        Self {
            tape: Memory::default(),
            make: Box::new(make),
            units,
            build: build.to_owned(),
            news: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Puts facts of the world on the tape, as its recorder does; returns those that are new.
    ///
    /// # Panics
    /// A fact contradicts a recorded one: in a simulation, a mistake of the world.
    pub fn record(&mut self, source: UnitName, now: Timestamp, facts: Vec<(Uuid, Event)>) -> Vec<Recorded> {
        let entries = facts
            .iter()
            .map(|(id, event)| {
                let at = event.at().unwrap_or(now);
                Entry::market(Draft::new(*id, source, None, at, event), now)
            })
            .collect();
        let commit = Commit { entries, cursors: Vec::new(), on_conflict: OnConflict::Report };
        let committed = self.tape.append_now(commit).expect("no cursor is moved");
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
        let unit = rng.index(self.units.len());
        let replica = rng.index(2);
        match &self.units[unit].replicas[replica].life {
            Life::Down => {
                // Takes over from a dead peer at once, from a living one seldom.
                let peer_is_up = matches!(self.units[unit].replicas[1 - replica].life, Life::Up(_));
                if !peer_is_up || (faults.sleep > 0 && rng.chance(1)) {
                    self.recover(unit, replica, rng, now);
                }
            }
            Life::Asleep(_) => self.wake(unit, replica, rng, faults),
            Life::Up(_) => self.work(unit, replica, rng, faults, now),
        }
    }

    fn work(&mut self, unit: usize, replica: usize, rng: &mut Rng, faults: &Faults, now: Timestamp) {
        if rng.chance(faults.sleep) {
            let life = std::mem::replace(&mut self.units[unit].replicas[replica].life, Life::Down);
            if let Life::Up(running) = life {
                self.units[unit].replicas[replica].life = Life::Asleep(running);
                self.recover(unit, 1 - replica, rng, now);
            }
            return;
        }
        if rng.chance(3) {
            self.snapshot(unit, replica);
        }
        let Some(offered) = self.offer(unit, replica, rng, faults) else { return };
        self.hear(unit, replica, offered, rng, faults);
    }

    /// A position from the bus: the next one, or one that the broker repeats or gives early.
    fn offer(&self, unit: usize, replica: usize, rng: &mut Rng, faults: &Faults) -> Option<Position> {
        let Life::Up(running) = &self.units[unit].replicas[replica].life else { return None };
        let cursor = running.host.cursor();
        let head = self.tape.head_now().position;
        if cursor >= head {
            return None;
        }
        Some(if rng.chance(faults.disorder) { 1 + rng.below(head) } else { cursor + 1 })
    }

    fn hear(&mut self, unit: usize, replica: usize, offered: Position, rng: &mut Rng, faults: &Faults) {
        let Life::Up(running) = &self.units[unit].replicas[replica].life else { return };
        let from = match running.host.arrival(offered) {
            Arrival::Duplicate => {
                self.counts.duplicates += 1;
                return;
            }
            Arrival::Next => offered,
            Arrival::Gap { after } => {
                self.counts.gaps += 1;
                after + 1
            }
        };
        for position in from..=offered {
            let row = self.tape.read_now(position - 1, 1).remove(0);
            let event = row.decode().expect("written by this build");
            if !self.handle(unit, replica, event, rng, faults) {
                return;
            }
        }
    }

    /// `false` if the replica did not survive it.
    fn handle(
        &mut self,
        unit: usize,
        replica: usize,
        event: Recorded,
        rng: &mut Rng,
        faults: &Faults,
    ) -> bool {
        let name = self.units[unit].name;
        let slot = &mut self.units[unit].replicas[replica];
        let Life::Up(running) = &mut slot.life else { return false };
        let mut said = Vec::new();
        let takes = running.host.takes(&event);
        running.host.handle(&event, &mut said);
        if rng.chance(faults.crash) {
            slot.life = Life::Down;
            self.counts.crashes += 1;
            return false;
        }
        // With nothing to say, the cursor is saved now and then.
        if !said.is_empty() || rng.chance(30) {
            let commit = commit_of(running, name, &event, said, &self.tape);
            if !self.try_commit(unit, replica, commit) {
                return false;
            }
        }
        let slot = &mut self.units[unit].replicas[replica];
        if rng.chance(faults.crash) {
            slot.life = Life::Down;
            self.counts.crashes += 1;
            return false;
        }
        if let (true, Life::Up(running)) = (takes, &mut slot.life)
            && running.host.own() == Own::InPlace
        {
            let mine = running.mine.remove(&event.id);
            let (incarnation, event) = (running.fence, Box::new(event));
            self.news.push(News::Heard { unit: name, incarnation, event, mine });
        }
        true
    }

    fn try_commit(&mut self, unit: usize, replica: usize, commit: Commit) -> bool {
        let said: Vec<Uuid> = commit.entries.iter().map(|e| e.draft.id).collect();
        match self.tape.append_now(commit) {
            Ok(committed) => {
                if let Life::Up(running) = &mut self.units[unit].replicas[replica].life {
                    if running.host.own() == Own::InPlace {
                        let new = said.iter().zip(&committed.outcomes);
                        let new = new.filter(|(_, outcome)| matches!(outcome, Outcome::Appended(_)));
                        running.mine.extend(new.map(|(id, _)| *id));
                    }
                    if !said.is_empty() {
                        running.host.committed(committed.head.position);
                    }
                }
                true
            }
            Err(AppendError::Fenced { .. } | AppendError::Conflict { .. }) => {
                // Somebody else speaks for the unit: the state is worth nothing now.
                self.units[unit].replicas[replica].life = Life::Down;
                self.counts.fenced += 1;
                false
            }
            Err(error) => panic!("{}: {error}", self.units[unit].name),
        }
    }

    /// A replica that slept goes on where it was, under its old fence.
    fn wake(&mut self, unit: usize, replica: usize, rng: &mut Rng, faults: &Faults) {
        if !rng.chance(10) && faults.sleep > 0 {
            return;
        }
        let slot = &mut self.units[unit].replicas[replica];
        let life = std::mem::replace(&mut slot.life, Life::Down);
        let Life::Asleep(running) = life else { return };
        slot.life = Life::Up(running);
        if let Some(offered) = self.offer(unit, replica, rng, faults) {
            self.hear(unit, replica, offered, rng, faults);
        }
    }

    fn snapshot(&mut self, unit: usize, replica: usize) {
        let name = self.units[unit].name;
        let Life::Up(running) = &self.units[unit].replicas[replica].life else { return };
        let stored = self.tape.marks_now().1.into_iter().find(|c| c.unit == name);
        // A state beyond the saved cursor may hold what was never committed.
        if stored.is_none_or(|c| c.position != running.host.cursor() || c.fence != running.fence) {
            return;
        }
        let saved = self.tape.save_snapshot_now(Snapshot {
            unit: name,
            position: running.host.cursor(),
            tag: self.build.clone(),
            state: running.host.snapshot(),
        });
        saved.expect("a saved cursor is on the tape");
        self.counts.snapshots += 1;
    }

    fn recover(&mut self, unit: usize, replica: usize, rng: &mut Rng, now: Timestamp) {
        let name = self.units[unit].name;
        let owner = self.units[unit].replicas[replica].owner.clone();
        let taken = self.tape.acquire_all_now(&[name], &owner, LEASE, true).expect("by force");
        let cursor = taken.into_iter().next().expect("one unit was asked for");
        let mut host = (self.make)().into_iter().find(|h| h.unit() == name).expect("a unit of this cluster");
        let starts = self.starts(&name);
        let mut bounds = Bounds { cursor: cursor.position, reach: cursor.reach, build: None, starts };
        if rng.chance(60)
            && let Some(stored) =
                self.tape.snapshots_now(cursor.position).into_iter().find(|s| s.unit == name)
        {
            host.restore(&stored.state).expect("its own snapshot");
            bounds.build = Some(self.build.clone());
        }
        let walked = self.walk(vec![(host, bounds)], Walk::Follow);
        let Some(resumed) = walked.units.into_iter().next() else { return };
        let host = resumed.host;
        // The fence counts the incarnations.
        let incarnation = cursor.fence;
        self.counts.recoveries += 1;
        if resumed.must_start {
            let (config, after) = (host.config(), host.cursor());
            let started = UnitStarted { unit: name, build: self.build.clone(), config, judged: after, after };
            let id = ids::fact(Uuid::nil(), "unit.started", &format!("{name}/{}", cursor.fence));
            let draft = Draft::new(id, name, None, now, &started.into());
            let entry = Entry::market(draft, now);
            let reach = self.tape.head_now().position + 1 - after;
            let step = CursorMove { unit: name, fence: cursor.fence, to: after, reach };
            let commit = Commit { entries: vec![entry], cursors: vec![step], on_conflict: OnConflict::Fail };
            self.tape.append_now(commit).expect("the fence was just taken");
        }
        let running = Box::new(Running { host, fence: cursor.fence, mine: BTreeSet::new() });
        self.units[unit].replicas[replica].life = Life::Up(running);
        self.news.push(News::Recovered { unit: name, incarnation });
    }

    /// Every start of a unit that is on the tape.
    fn starts(&self, unit: &UnitName) -> Vec<UnitStarted> {
        self.tape.look(|rows| {
            let starts = rows.iter().filter(|r| r.draft.source == *unit && r.draft.kind == "unit.started");
            let decoded = starts.map(|row| row.decode().expect("written by this build").event);
            decoded
                .filter_map(|event| match event {
                    Event::Unit(UnitEvent::Started(started)) => Some(started),
                    _ => None,
                })
                .collect()
        })
    }

    /// Follows hosts over the whole tape.
    fn walk(&self, hosts: Vec<(Host, Bounds)>, walk: Walk) -> Walked {
        let mut follower = Follower::new(hosts, walk);
        let mut after = follower.starts_after();
        loop {
            let rows = self.tape.read_now(after, BATCH);
            let Some(last) = rows.last() else { break };
            after = last.position;
            for row in rows {
                follower.push(row.decode().expect("written by this build"));
            }
        }
        follower.finish(&self.build)
    }

    /// Every core over its inputs again.
    pub fn verify(&self) -> Walked {
        let cursors = self.tape.marks_now().1;
        let hosts = (self.make)()
            .into_iter()
            .map(|host| {
                let cursor = cursors.iter().find(|c| c.unit == host.unit());
                let bounds = Bounds {
                    cursor: cursor.map_or(0, |c| c.position),
                    reach: cursor.map_or(0, |c| c.reach),
                    build: None,
                    starts: self.starts(&host.unit()),
                };
                (host, bounds)
            })
            .collect();
        self.walk(hosts, Walk::Verify)
    }

    /// Lets every unit catch up, without faults; `true` if anything was done.
    pub fn catch_up(&mut self, rng: &mut Rng, now: Timestamp) -> bool {
        let mut worked = false;
        for unit in 0..self.units.len() {
            for replica in 0..2 {
                if matches!(self.units[unit].replicas[replica].life, Life::Asleep(_)) {
                    self.wake(unit, replica, rng, &Faults::NONE);
                }
            }
            if !self.units[unit].replicas.iter().any(|r| matches!(r.life, Life::Up(_))) {
                self.recover(unit, 0, rng, now);
                worked = true;
            }
            for replica in 0..2 {
                while let Some(next) = self.offer(unit, replica, rng, &Faults::NONE) {
                    worked = true;
                    self.hear(unit, replica, next, rng, &Faults::NONE);
                }
            }
            worked |= self.save_cursor(unit);
        }
        worked
    }

    fn save_cursor(&mut self, unit: usize) -> bool {
        let name = self.units[unit].name;
        let stored = self.tape.marks_now().1.into_iter().find(|c| c.unit == name);
        for replica in 0..2 {
            let Life::Up(running) = &self.units[unit].replicas[replica].life else { continue };
            let to = running.host.cursor();
            if stored.as_ref().is_some_and(|c| c.position == to && c.fence == running.fence) {
                continue;
            }
            let step = CursorMove { unit: name, fence: running.fence, to, reach: running.host.reach() };
            let commit = Commit { entries: Vec::new(), cursors: vec![step], on_conflict: OnConflict::Fail };
            self.try_commit(unit, replica, commit);
        }
        self.units[unit].replicas.iter().all(|r| !matches!(r.life, Life::Up(_)))
    }

    /// The live replica's host.
    pub fn host(&self, unit: &UnitName) -> Option<(&Host, u64)> {
        let unit = self.units.iter().find(|u| u.name == *unit)?;
        let fence = self.tape.marks_now().1.into_iter().find(|c| c.unit == unit.name)?.fence;
        unit.replicas.iter().find_map(|r| match &r.life {
            Life::Up(running) if running.fence == fence => Some((&running.host, running.fence)),
            Life::Up(_) | Life::Asleep(_) | Life::Down => None,
        })
    }

    /// The host of an incarnation that still runs, whether or not it may still speak.
    pub fn host_of(&self, unit: &UnitName, incarnation: u64) -> Option<&Host> {
        let unit = self.units.iter().find(|u| u.name == *unit)?;
        unit.replicas.iter().find_map(|r| match &r.life {
            Life::Up(running) | Life::Asleep(running) if running.fence == incarnation => Some(&running.host),
            Life::Up(_) | Life::Asleep(_) | Life::Down => None,
        })
    }

    /// A sink's hands report: said under the fence of the replica that sent them.
    /// Nothing is said if that replica is gone; `false` if it has not yet heard all that its unit
    /// said, so that the report must wait.
    pub fn say(
        &mut self,
        unit: &UnitName,
        incarnation: u64,
        now: Timestamp,
        said: impl FnOnce(&Host) -> Vec<(Uuid, Event)>,
    ) -> bool {
        let Some(index) = self.units.iter().position(|u| u.name == *unit) else { return true };
        for replica in 0..2 {
            let Life::Up(running) = &self.units[index].replicas[replica].life else { continue };
            if running.fence != incarnation {
                continue;
            }
            if !running.host.has_heard_itself() {
                return false;
            }
            let entries: Vec<Entry> = said(&running.host)
                .into_iter()
                .map(|(id, event)| {
                    let at = event.at().unwrap_or(now);
                    Entry::market(Draft::new(id, *unit, None, at, &event), now)
                })
                .collect();
            if entries.is_empty() {
                return true;
            }
            let to = self.tape.marks_now().1.iter().find(|c| c.unit == *unit).map_or(0, |c| c.position);
            let step = CursorMove { unit: *unit, fence: running.fence, to, reach: 0 };
            let commit = Commit { entries, cursors: vec![step], on_conflict: OnConflict::Fail };
            self.try_commit(index, replica, commit);
            return true;
        }
        true
    }

    /// What has happened to sinks since the last call.
    pub fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }
}

impl Replica {
    fn new(owner: &str) -> Self {
        Self { owner: owner.to_owned(), life: Life::Down }
    }
}

fn commit_of(
    running: &mut Running,
    unit: UnitName,
    heard: &Recorded,
    said: Vec<Event>,
    tape: &Memory,
) -> Commit {
    let count = said.len() as u64;
    let now = heard.recorded_at;
    let entries = said
        .into_iter()
        .enumerate()
        .map(|(n, event)| {
            let id = ids::said(heard.id, &unit, n);
            let at = event.at().unwrap_or(now);
            Entry::market(Draft::new(id, unit, Some(heard.id), at, &event), now)
        })
        .collect();
    let reach = if count == 0 { 0 } else { tape.head_now().position + count - heard.position };
    running.host.reached(reach);
    let step = CursorMove { unit, fence: running.fence, to: heard.position, reach: running.host.reach() };
    Commit { entries, cursors: vec![step], on_conflict: OnConflict::Fail }
}
