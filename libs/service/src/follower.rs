//! Following units along a recorded tape: recovery, replay and verification are one walk.
//!
//! Each input is applied, and the unit's own recorded events whose cause is that input right after
//! it; what was recorded wins over what today's code would say.
//! An own event lies some way behind its cause, at most the unit's recorded *reach*; the walk looks
//! that far ahead.

use crate::{
    Host, Own,
    checkpoint::{Checkpoint, Departure},
};
use domain::UnitName;
use events::{Event, Position, Recorded, UnitStarted, Uuid};
use serde_json::Value;
use std::collections::VecDeque;
use thiserror::Error;

/// What the walk does besides applying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// Apply what was recorded.
    Follow,
    /// Also decide again, and compare.
    Verify,
}

/// Where a core says something else than what it said then.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{unit}, on hearing position {heard}: the tape has {recorded}; this build says {said}")]
pub struct Difference {
    pub unit: UnitName,
    /// The event that it heard.
    pub heard: Position,
    /// Where the recorded answer stands, if there is one.
    pub position: Option<Position>,
    pub recorded: String,
    pub said: String,
    /// The build that said it then.
    pub build: Option<String>,
}

/// How far, and from where, a unit is to be followed.
#[derive(Debug, Clone, Default)]
pub struct Bounds {
    /// Its saved cursor: nothing after it has been heard.
    pub cursor: Position,
    /// Its recorded reach.
    pub reach: u64,
    /// The build whose snapshot the host stands at, if it does.
    pub build: Option<String>,
    /// Every `UnitStarted` of it on the tape, in order.
    pub starts: Vec<UnitStarted>,
}

/// A unit at the end of a walk.
pub struct Resumed {
    pub host: Host,
    /// The build and configuration that it last ran under differ from today's: it must say
    /// `UnitStarted` before anything else.
    pub must_start: bool,
    /// The first saying of a unit that takes its own at their cause whose cause the walk did not
    /// meet: the recorded reach was too small, or that event is none of this walk.
    pub unmatched: Option<Position>,
}

/// What a walk ends with.
pub struct Walked {
    pub units: Vec<Resumed>,
    /// Events that not every unit has dealt with, in order.
    pub pending: VecDeque<Recorded>,
    pub differences: Vec<Difference>,
    /// Checkpoints whose state is not what the walk made of the tape.
    pub departures: Vec<Departure>,
}

/// Walks units along the tape.
pub struct Follower {
    units: Vec<Followed>,
    ring: VecDeque<Recorded>,
    reach: u64,
    head: Position,
    walk: Walk,
    /// Nothing up to here is left to any unit.
    least: Position,
    pending: VecDeque<Recorded>,
    differences: Vec<Difference>,
    departures: Vec<Departure>,
}

struct Followed {
    host: Host,
    bounds: Bounds,
    /// Today's configuration.
    today: Value,
    under_today: bool,
    starts: VecDeque<UnitStarted>,
    /// Its own events ahead of the walk, in order: their causes, and where they stand.
    own: VecDeque<(Uuid, Position)>,
    /// Where the last of its own events stands that is in the state.
    answered: Position,
    /// States to compare with on the way, by position.
    checkpoints: VecDeque<Checkpoint>,
}

impl Follower {
    /// Hosts may stand at a snapshot; read the tape from [`Self::starts_after`] on.
    pub fn new(hosts: Vec<(Host, Bounds)>, walk: Walk) -> Self {
        let reach = hosts.iter().map(|(_, b)| b.reach).max().unwrap_or(0);
        let units: Vec<Followed> = hosts
            .into_iter()
            .map(|(mut host, mut bounds)| {
                host.reached(bounds.reach);
                let under_today = bounds.build.is_some();
                let starts = std::mem::take(&mut bounds.starts).into();
                Followed {
                    today: host.config(),
                    host,
                    bounds,
                    under_today,
                    starts,
                    own: VecDeque::new(),
                    answered: 0,
                    checkpoints: VecDeque::new(),
                }
            })
            .collect();
        let head = units.iter().map(|u| u.host.cursor()).min().unwrap_or(0);
        let least = units.iter().map(|u| u.bounds.cursor).min().unwrap_or(0);
        let (ring, pending) = (VecDeque::new(), VecDeque::new());
        let (differences, departures) = (Vec::new(), Vec::new());
        Self { units, ring, reach, head, walk, least, pending, differences, departures }
    }

    /// Compares a unit's state with `checkpoints`, each where it stands. Of a unit that is not walked
    /// nothing is compared. Before the first event only.
    pub fn compare_with(&mut self, mut checkpoints: Vec<Checkpoint>) {
        checkpoints.sort_by_key(|checkpoint| checkpoint.position);
        for checkpoint in checkpoints {
            if let Some(unit) = self.units.iter_mut().find(|u| u.host.unit() == checkpoint.unit) {
                unit.checkpoints.push_back(checkpoint);
            }
        }
    }

    /// The position after which the tape must be read.
    pub fn starts_after(&self) -> Position {
        self.units.iter().map(|u| u.host.cursor()).min().unwrap_or(0)
    }

    /// The next event of the tape.
    pub fn push(&mut self, event: Recorded) {
        self.head = event.position;
        if let Some(unit) = self.units.iter_mut().find(|u| u.host.unit() == event.source) {
            unit.note_own(&event);
        }
        self.ring.push_back(event);
        self.catch_up();
    }

    /// A position whose event no unit takes, so that it need not be read; a newer build's, perhaps.
    /// It is not among the pending ones.
    pub fn pass(&mut self, position: Position) {
        self.head = position;
        self.catch_up();
    }

    /// Whatever lies more than the reach behind has all its answers in the ring.
    fn catch_up(&mut self) {
        while self.ring.front().is_some_and(|front| self.head - front.position > self.reach) {
            self.step();
        }
    }

    /// Takes the front of the ring into every unit.
    fn step(&mut self) {
        for unit in &mut self.units {
            unit.take(&self.ring, self.walk, &mut self.differences);
            if let Some(front) = self.ring.front() {
                unit.compare_checkpoints(front.position, &mut self.departures);
            }
        }
        if let Some(front) = self.ring.pop_front()
            && front.position > self.least
        {
            self.pending.push_back(front);
        }
    }

    /// The differences found so far.
    pub fn differences(&self) -> &[Difference] {
        &self.differences
    }

    /// The tape has ended; `build` is today's.
    pub fn finish(mut self, build: &str) -> Walked {
        while !self.ring.is_empty() {
            self.step();
        }
        let head = self.head;
        for unit in &mut self.units {
            let left = std::mem::take(&mut unit.checkpoints);
            self.departures.extend(left.into_iter().map(Checkpoint::beyond));
        }
        let units = self.units.into_iter().map(|unit| unit.resume(build, head)).collect();
        Walked { units, pending: self.pending, differences: self.differences, departures: self.departures }
    }
}

impl Followed {
    fn note_own(&mut self, event: &Recorded) {
        if event.position <= self.host.said_through() {
            return;
        }
        if let Some(cause) = event.cause {
            self.own.push_back((cause, event.position));
        }
    }

    fn take(&mut self, ring: &VecDeque<Recorded>, walk: Walk, differences: &mut Vec<Difference>) {
        let Some(front) = ring.front() else { return };
        self.start(front.position, differences);
        if front.position <= self.host.cursor() || front.position > self.bounds.cursor {
            return;
        }
        let heard = self.host.takes(front);
        if heard {
            self.host.core().apply(front.recorded_at, &front.event);
        }
        let judged = self.starts.front().is_none_or(|next| front.position <= next.judged);
        let predicted = match walk {
            Walk::Verify if heard && judged => self.host.core().decide(front.recorded_at, &front.event),
            Walk::Verify | Walk::Follow => Vec::new(),
        };
        let recorded = self.answers(ring, front);
        if self.host.own() == Own::AtCause {
            for answer in &recorded {
                self.host.core().apply(front.recorded_at, &answer.event);
                self.answered = self.answered.max(answer.position);
            }
        }
        if walk == Walk::Verify {
            self.compare(front, &predicted, &recorded, differences);
        }
        self.host.settle(front.position, self.host.said_through());
    }

    /// Everything up to `position` has been taken.
    fn compare_checkpoints(&mut self, position: Position, departures: &mut Vec<Departure>) {
        while let Some(checkpoint) = self.checkpoints.pop_front_if(|c| c.position <= position) {
            let said = match self.host.own() {
                Own::AtCause => Some((self.answered, self.own.front().map(|&(_, at)| at))),
                Own::InPlace => None,
            };
            let stands = checkpoint.position <= self.bounds.cursor;
            departures.extend(match stands {
                true => checkpoint.compare(&self.host, said),
                false => Some(checkpoint.beyond()),
            });
        }
    }

    /// Takes up a configuration that was in force for what comes now.
    fn start(&mut self, position: Position, differences: &mut Vec<Difference>) {
        while let Some(started) = self.starts.pop_front_if(|started| started.after < position) {
            self.under_today = started.config == self.today;
            if let Err(error) = self.host.core().configure(&started.config) {
                differences.push(Difference {
                    unit: self.host.unit(),
                    heard: position,
                    position: None,
                    recorded: "a configuration of its own".to_owned(),
                    said: format!("that it cannot run under it ({error})"),
                    build: Some(started.build.clone()),
                });
            }
            self.bounds.build = Some(started.build);
        }
    }

    /// The unit's recorded answers to `heard`.
    fn answers<'r>(&mut self, ring: &'r VecDeque<Recorded>, heard: &Recorded) -> Vec<&'r Recorded> {
        let mut answers = Vec::new();
        match self.host.own() {
            Own::AtCause => {
                while let Some((_, at)) = self.own.pop_front_if(|(cause, _)| *cause == heard.id) {
                    answers.extend(at_position(ring, at));
                }
            }
            // A sink's hands answer in any order.
            Own::InPlace => self.own.retain(|&(key, at)| {
                let mine = key == heard.id;
                if mine {
                    answers.extend(at_position(ring, at));
                }
                !mine
            }),
        }
        answers
    }

    fn compare(
        &self,
        heard: &Recorded,
        predicted: &[Event],
        recorded: &[&Recorded],
        differences: &mut Vec<Difference>,
    ) {
        let first = match self.host.own() {
            Own::AtCause => {
                let same = predicted.iter().zip(recorded).take_while(|(p, r)| **p == r.event).count();
                (same < predicted.len().max(recorded.len())).then_some(same)
            }
            // Its hands may have said more than its core.
            Own::InPlace => predicted.iter().position(|p| !recorded.iter().any(|r| r.event == *p)),
        };
        let Some(n) = first else { return };
        let nothing = || "nothing".to_owned();
        differences.push(Difference {
            unit: self.host.unit(),
            heard: heard.position,
            position: recorded.get(n).map(|r| r.position),
            recorded: recorded.get(n).map_or_else(nothing, |r| describe(&r.event)),
            said: predicted.get(n).map_or_else(nothing, describe),
            build: self.bounds.build.clone(),
        });
    }

    fn resume(mut self, build: &str, head: Position) -> Resumed {
        // A start behind everything that was heard is in force for what comes next.
        self.start(Position::MAX, &mut Vec::new());
        let must_start = !self.under_today || self.bounds.build.as_deref() != Some(build);
        if let Err(error) = self.host.core().configure(&self.today) {
            unreachable!("today's configuration was read before: {error}");
        }
        let unmatched = match self.host.own() {
            Own::AtCause => self.own.front().map(|&(_, at)| at),
            Own::InPlace => None,
        };
        let cursor = self.host.cursor().max(self.bounds.cursor);
        self.host.settle(cursor, head);
        Resumed { host: self.host, must_start, unmatched }
    }
}

/// Where nothing was passed over, the place in the ring is the distance.
fn at_position(ring: &VecDeque<Recorded>, position: Position) -> Option<&Recorded> {
    let distance = usize::try_from(position.checked_sub(ring.front()?.position)?).ok()?;
    let there = ring.get(distance).filter(|r| r.position == position);
    there.or_else(|| ring.binary_search_by_key(&position, |r| r.position).ok().and_then(|i| ring.get(i)))
}

fn describe(event: &Event) -> String {
    format!("{} {}", event.kind().name(), event.body())
}
