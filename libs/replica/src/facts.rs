//! Recording facts of the world: each once under its derived id, and whatever contradicts the tape beside it.
//!
//! A fact that the tape holds otherwise is never recorded over the recorded one. What came is kept
//! (`EventConflicted`), and trading on the account concerned halts until a person resumes it.

use domain::{Timestamp, UnitName};
use events::{Clock, Draft, Event, TapeOpened, Uuid, conflict, ids};
use tape::{Entry, Outcome};

/// Who records facts, on which tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorder {
    pub unit: UnitName,
    /// The tape's own id.
    pub tape: Uuid,
    pub clock: Clock,
}

/// An event with the row that it becomes.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    pub draft: Draft,
    pub event: Event,
}

impl Recorder {
    pub fn new(unit: UnitName, opened: &TapeOpened) -> Self {
        Self { unit, tape: opened.tape, clock: opened.clock }
    }

    /// `at` stands in for a time that the event does not tell itself; `meta` is kept beside the row.
    pub fn fact(&self, event: Event, at: Timestamp, meta: Option<String>) -> Fact {
        // An event that is no fact of the world is told apart by its content alone.
        let id = ids::of_fact(self.tape, &event)
            .unwrap_or_else(|| ids::fact(self.tape, event.kind().name(), &event.body()));
        self.fact_under(id, event, at, meta)
    }

    /// As [`Self::fact`], under an id that the caller derives.
    pub fn fact_under(&self, id: Uuid, event: Event, at: Timestamp, meta: Option<String>) -> Fact {
        let draft = Draft { meta, ..self.draft(id, None, at, &event) };
        Fact { draft, event }
    }

    /// The row of an event that says `now` where it tells no time itself.
    pub fn draft(&self, id: Uuid, cause: Option<Uuid>, now: Timestamp, event: &Event) -> Draft {
        Draft::new(id, self.unit, cause, event.at().unwrap_or(now), event)
    }

    /// As [`entry`], by the clock of this tape.
    pub fn entry(&self, draft: Draft, now: Timestamp) -> Entry {
        entry(self.clock, draft, now)
    }

    /// What to record of the facts that were refused, because something else stands under their ids.
    /// `outcomes` are those of `facts`, in order.
    pub fn conflicts(&self, facts: &[Fact], outcomes: &[Outcome]) -> Vec<Fact> {
        let mut said = Vec::new();
        for (fact, outcome) in facts.iter().zip(outcomes) {
            let position = match outcome {
                Outcome::Conflict(position) => *position,
                Outcome::Appended(_) | Outcome::Duplicate(_) => continue,
            };
            let events = conflict::conflict(self.unit, &fact.draft, &fact.event, position);
            for (n, event) in events.into_iter().enumerate() {
                let id = conflict::conflict_id(self.tape, &fact.draft, n);
                let draft = self.draft(id, Some(fact.draft.id), fact.draft.at, &event);
                said.push(Fact { draft: Draft { meta: fact.draft.meta.clone(), ..draft }, event });
            }
        }
        said
    }
}

/// The entry of a row by the tape's clock; `now` counts on a market clock only: the time of the tape's last row.
pub fn entry(clock: Clock, draft: Draft, now: Timestamp) -> Entry {
    match clock {
        Clock::Market => Entry::market(draft, now),
        Clock::Wall => Entry::wall(draft),
    }
}
