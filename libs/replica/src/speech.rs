//! What a unit says: gathered, committed with its cursor, told to its hands.

use crate::{Fact, Recorder, machine::Incarnation};
use domain::Timestamp;
use events::{Clock, Event, Position, Recorded, Uuid, ids};
use service::{Heard, Host, News};
use std::collections::BTreeSet;
use tape::{Commit, Committed, CursorMove, Entry, OnConflict, Outcome};

/// How many events of others may come between what we know of the tape's end and our own commit,
/// without the cursor's reach having to be corrected by another commit.
const SLACK: u64 = 256;

pub(crate) struct Speech {
    recorder: Recorder,
    fence: u64,
    hands: bool,
    entries: Vec<Entry>,
    /// Of each entry, the position of what it answers; never falling.
    causes: Vec<Position>,
    /// What hands have brought, and when it was judged.
    facts: Vec<Fact>,
    judged_at: Timestamp,
    /// Whether these facts tell of conflicts, of which there is nothing more to tell.
    of_conflicts: bool,
    /// How far the tape goes, as far as is known.
    head: Position,
    /// The cursor as it is saved.
    saved: Position,
    /// The reach is greater than the one saved with the cursor. Until that is corrected, only a recovery
    /// finds out by itself how far to look ahead.
    farther: bool,
    /// What this incarnation has committed and not heard yet.
    mine: BTreeSet<Uuid>,
    news: Vec<News>,
}

/// A commit under way.
pub(crate) struct Spoken {
    to: Position,
    promised: u64,
    ids: Vec<Uuid>,
    what: What,
}

enum What {
    /// Answers to what stands at these positions.
    Answers(Vec<Position>),
    /// What hands have brought. It may stand on the tape already, recorded by somebody else, or under its
    /// id something else.
    Facts(Vec<Fact>),
}

impl Speech {
    pub(crate) fn new(of: &Incarnation, hands: bool) -> Self {
        Self {
            recorder: Recorder::new(of.cursor.unit, &of.opened),
            fence: of.cursor.fence,
            hands,
            entries: Vec::new(),
            causes: Vec::new(),
            facts: Vec::new(),
            judged_at: Timestamp::ZERO,
            of_conflicts: false,
            head: of.cursor.position,
            saved: of.cursor.position,
            farther: false,
            mine: BTreeSet::new(),
            news: Vec::new(),
        }
    }

    /// Whatever was said on hearing `heard`.
    pub(crate) fn answer(&mut self, heard: Recorded, said: Vec<Event>) {
        for (n, event) in said.iter().enumerate() {
            let id = ids::said(heard.id, &self.recorder.unit, n);
            self.say(id, Some(heard.id), heard.position, heard.recorded_at, event);
        }
        if self.hands {
            let mine = self.mine.remove(&heard.id);
            self.news.push(News::Heard(Box::new(Heard { event: heard, mine, fence: self.fence })));
        }
    }

    /// Something that answers what stands at `heard`.
    pub(crate) fn say(
        &mut self,
        id: Uuid,
        cause: Option<Uuid>,
        heard: Position,
        now: Timestamp,
        event: &Event,
    ) {
        self.entries.push(self.recorder.entry(self.recorder.draft(id, cause, now, event), now));
        self.causes.push(heard);
    }

    /// Facts, to be recorded in a commit of their own.
    pub(crate) fn bring(&mut self, facts: Vec<(Uuid, Event)>, now: Timestamp) {
        let fact = |(id, event)| self.recorder.fact_under(id, event, now, None);
        self.facts = facts.into_iter().map(fact).collect();
        (self.judged_at, self.of_conflicts) = (now, false);
    }

    /// Tells hands that what they owe is in the state now.
    pub(crate) fn recovered(&mut self) {
        if self.hands {
            self.news.push(News::Recovered { fence: self.fence });
        }
    }

    /// What hands have not been told yet. Only once everything is committed.
    pub(crate) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// The tape reaches this far at least.
    pub(crate) fn reaches(&mut self, head: Position) {
        self.head = self.head.max(head);
    }

    /// The next commit, if there is one. A cursor that moved without a word is saved on a market clock, for
    /// the market waits for it, or if `save` says so.
    pub(crate) fn commit(&mut self, host: &mut Host, save: bool) -> Option<(Commit, Spoken)> {
        let silent =
            self.farther || (host.cursor() > self.saved && (save || self.recorder.clock == Clock::Market));
        let (entries, what, on_conflict) = if !self.entries.is_empty() || (silent && self.facts.is_empty()) {
            let (entries, causes) = (std::mem::take(&mut self.entries), std::mem::take(&mut self.causes));
            if let Some(oldest) = causes.first() {
                host.reached((self.head + SLACK + entries.len() as u64).saturating_sub(*oldest));
            }
            (entries, What::Answers(causes), OnConflict::Fail)
        } else if !self.facts.is_empty() {
            let facts = std::mem::take(&mut self.facts);
            let entry = |fact: &Fact| self.recorder.entry(fact.draft.clone(), self.judged_at);
            let entries: Vec<Entry> = facts.iter().map(entry).collect();
            (entries, What::Facts(facts), OnConflict::Report)
        } else {
            return None;
        };
        self.farther = false;
        let (to, reach) = (host.cursor(), host.reach());
        let ids = entries.iter().map(|entry| entry.draft.id).collect();
        let step = CursorMove { unit: self.recorder.unit, fence: self.fence, to, reach };
        let commit = Commit { entries, cursors: vec![step], on_conflict };
        Some((commit, Spoken { to, promised: reach, ids, what }))
    }

    pub(crate) fn committed(&mut self, host: &mut Host, spoken: Spoken, committed: &Committed) {
        let Spoken { to, promised, ids, what } = spoken;
        self.saved = to;
        self.reaches(committed.head.position);
        if !committed.outcomes.is_empty() {
            host.committed(committed.head.position);
        }
        if self.hands {
            // An event that stood there already is not its own: it may have been tried.
            let new = ids.iter().zip(&committed.outcomes);
            let new = new.filter(|(_, outcome)| matches!(outcome, Outcome::Appended(_)));
            self.mine.extend(new.map(|(id, _)| *id));
        }
        match what {
            What::Answers(causes) => {
                for (outcome, cause) in committed.outcomes.iter().zip(&causes) {
                    host.reached(outcome.position().saturating_sub(*cause));
                }
                self.farther = host.reach() > promised;
            }
            What::Facts(facts) if !self.of_conflicts => {
                self.facts = self.recorder.conflicts(&facts, &committed.outcomes);
                self.of_conflicts = true;
            }
            What::Facts(_) => {}
        }
    }

    /// Whether nothing waits to be committed but a silent cursor.
    pub(crate) fn is_committed(&self) -> bool {
        self.entries.is_empty() && self.facts.is_empty()
    }

    pub(crate) fn fence(&self) -> u64 {
        self.fence
    }
    pub(crate) fn tape(&self) -> Uuid {
        self.recorder.tape
    }
    pub(crate) fn clock(&self) -> Clock {
        self.recorder.clock
    }
}
