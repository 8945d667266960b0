//! Many units on one market clock, in one order: (position, unit as listed).
//!
//! Everything said is the next event of one sequence, so a run that is cut anywhere and resumed
//! continues that very sequence.

use crate::{Host, Own};
use domain::{Timestamp, UnitName};
use events::{Event, Kind, Position, Recorded, Uuid, ids};
use std::collections::VecDeque;

/// Whoever sees each event as it is appended, in order.
pub trait Journal {
    fn record(&mut self, event: &Recorded);
}

/// Nobody looks.
impl Journal for () {
    fn record(&mut self, _: &Recorded) {}
}

pub struct Lockstep {
    hosts: Vec<Host>,
    /// By kind: the hosts that hear it, as listed.
    routes: Vec<Vec<usize>>,
    /// The hosts that take their own events in place.
    in_place: Vec<usize>,
    queue: VecDeque<Recorded>,
    head: Position,
    done: Position,
    /// The latest time said: it never runs backwards, whatever a unit that lags may answer.
    time: Timestamp,
    /// The tape's id; `None` in a simulation without a tape, where no id is made.
    tape: Option<Uuid>,
    said: Vec<Event>,
}

impl Lockstep {
    pub fn new(hosts: Vec<Host>, tape: Option<Uuid>) -> Self {
        let routes = Kind::ALL
            .iter()
            .map(|kind| (0..hosts.len()).filter(|&i| hosts[i].hears(*kind)).collect())
            .collect();
        let in_place = (0..hosts.len()).filter(|&i| hosts[i].own() == Own::InPlace).collect();
        Self {
            hosts,
            routes,
            in_place,
            queue: VecDeque::new(),
            head: 0,
            done: 0,
            time: Timestamp::ZERO,
            tape,
            said: Vec::new(),
        }
    }

    /// Continues where the hosts stand: `pending` is everything on the tape that not all of them
    /// have dealt with, up to `head`.
    pub fn resume(hosts: Vec<Host>, tape: Option<Uuid>, pending: VecDeque<Recorded>, head: Position) -> Self {
        let mut engine = Self::new(hosts, tape);
        engine.done = head - pending.len() as Position;
        engine.head = head;
        engine.queue = pending;
        engine
    }

    pub fn head(&self) -> Position {
        self.head
    }
    /// Up to here every unit has dealt with everything.
    pub fn done(&self) -> Position {
        self.done
    }
    /// The time of what was said last since this engine was made.
    pub fn time(&self) -> Timestamp {
        self.time
    }
    pub fn is_quiet(&self) -> bool {
        self.queue.is_empty()
    }

    /// What the units deal with next.
    pub fn next(&self) -> Option<&Recorded> {
        self.queue.front()
    }

    /// The units, each with its cursor at [`Self::done`] (or beyond, if it was resumed there).
    pub fn hosts(&mut self) -> &[Host] {
        for host in &mut self.hosts {
            if host.cursor() <= self.done {
                host.settle(self.done, self.head);
            }
        }
        &self.hosts
    }

    /// Something that is said once at its place: a tape's opening, a unit's start.
    pub fn feed(
        &mut self,
        source: UnitName,
        now: Timestamp,
        events: impl IntoIterator<Item = Event>,
        journal: &mut impl Journal,
    ) {
        for event in events {
            let id = match self.tape {
                Some(tape) => ids::fact(tape, &source, &(self.head + 1).to_string()),
                None => Uuid::nil(),
            };
            self.append(id, source, None, now, event, journal);
        }
    }

    /// One step of a market, of which `before` events at this very time have been said already.
    pub fn step(
        &mut self,
        source: UnitName,
        now: Timestamp,
        before: u64,
        events: impl IntoIterator<Item = Event>,
        journal: &mut impl Journal,
    ) {
        for (n, event) in (before..).zip(events) {
            let id = self.tape.map_or(Uuid::nil(), |tape| ids::of_step(tape, &source, now, n));
            self.append(id, source, None, now, event, journal);
        }
    }

    /// A fact that came from outside, under an id of its own.
    pub fn tell(
        &mut self,
        id: Uuid,
        source: UnitName,
        now: Timestamp,
        event: Event,
        journal: &mut impl Journal,
    ) {
        self.append(id, source, None, now, event, journal);
    }

    fn append(
        &mut self,
        id: Uuid,
        source: UnitName,
        cause: Option<Uuid>,
        now: Timestamp,
        event: Event,
        journal: &mut impl Journal,
    ) {
        self.head += 1;
        let now = now.max(self.time);
        self.time = now;
        let at = event.at().unwrap_or(now);
        let recorded = Recorded { position: self.head, id, source, cause, at, recorded_at: now, event };
        journal.record(&recorded);
        self.queue.push_back(recorded);
    }

    /// Lets every unit deal with the next event; `false` if there is none.
    pub fn turn(&mut self, journal: &mut impl Journal) -> bool {
        let Some(heard) = self.queue.pop_front() else { return false };
        let kind = heard.event.kind() as usize;
        for r in 0..self.routes[kind].len() {
            let index = self.routes[kind][r];
            self.tell_unit(index, &heard, journal);
        }
        self.tell_the_speaker(&heard, kind, journal);
        self.done = heard.position;
        true
    }

    /// A unit that takes its own events in place hears them even where it did not ask for the kind.
    fn tell_the_speaker(&mut self, heard: &Recorded, kind: usize, journal: &mut impl Journal) {
        let speaker = self.in_place.iter().copied().find(|&i| self.hosts[i].unit() == heard.source);
        if let Some(index) = speaker.filter(|i| !self.routes[kind].contains(i)) {
            self.tell_unit(index, heard, journal);
        }
    }

    fn tell_unit(&mut self, index: usize, heard: &Recorded, journal: &mut impl Journal) {
        let host = &mut self.hosts[index];
        let unit = host.unit();
        let own = heard.source == unit && host.own() == Own::AtCause;
        if own || host.cursor() >= heard.position {
            return;
        }
        let mut said = std::mem::take(&mut self.said);
        host.hear(heard.recorded_at, &heard.event, &mut said);
        for (n, event) in said.drain(..).enumerate() {
            let (id, cause) = match self.tape {
                Some(_) => (ids::said(heard.id, &unit, n), Some(heard.id)),
                None => (Uuid::nil(), None),
            };
            self.append(id, unit, cause, heard.recorded_at, event, journal);
            let distance = self.head - heard.position;
            self.hosts[index].reached(distance);
        }
        self.said = said;
    }

    /// Until nothing is left to deal with.
    pub fn settle(&mut self, journal: &mut impl Journal) {
        while self.turn(journal) {}
    }
}
