//! What a unit says: gathered, committed with its cursor, made known.

use super::{
    Replica,
    hands::{Back, Heard, News},
    lease::Lease,
    status::Count,
    trouble::{Trouble, insist},
};
use bus::Bus;
use domain::Timestamp;
use events::{Clock, Draft, Event, Position, Recorded, TapeOpened, UnitStarted, Uuid, conflict, ids};
use service::{Host, Own};
use std::{
    collections::BTreeSet,
    time::{Instant, SystemTime, UNIX_EPOCH},
};
use tape::{Commit, Committed, CursorMove, Entry, Head, OnConflict, Outcome};

/// How many events of others may come between what we know of the tape's end and our own commit,
/// without the cursor's reach having to be corrected by another commit.
const SLACK: u64 = 256;

pub(super) struct Speaker<'a> {
    replica: &'a Replica,
    lease: &'a Lease,
    opened: &'a TapeOpened,
    entries: Vec<Entry>,
    /// Of each entry, the position of what it answers; never falling.
    causes: Vec<Position>,
    /// As far as is known.
    head: Position,
    saved: Position,
    saved_at: Instant,
    hands: Told,
}

/// What a sink's hands are told.
#[derive(Default)]
struct Told {
    /// What this incarnation has committed and not heard yet.
    mine: BTreeSet<Uuid>,
    /// Heard, and not told yet.
    news: Vec<Heard>,
}

impl<'a> Speaker<'a> {
    pub(super) fn new(replica: &'a Replica, lease: &'a Lease, opened: &'a TapeOpened) -> Self {
        Self {
            replica,
            lease,
            opened,
            entries: Vec::new(),
            causes: Vec::new(),
            head: lease.cursor.position,
            saved: lease.cursor.position,
            saved_at: Instant::now(),
            hands: Told::default(),
        }
    }

    pub(super) fn on_market_clock(&self) -> bool {
        self.opened.clock == Clock::Market
    }

    /// The tape reaches this far at least.
    pub(super) fn reaches(&mut self, head: Position) {
        self.head = self.head.max(head);
    }

    /// Another build or configuration than before, to be committed before anything is heard under it.
    pub(super) fn started(&mut self, host: &Host, head: &Head) {
        let unit = host.unit();
        let after = host.cursor();
        let build = self.replica.build.clone();
        // What came while nobody ran is judged late, not never.
        let started = UnitStarted { unit, build, config: host.config(), judged: after, after };
        let key = format!("{unit}/{}", self.lease.fence());
        let id = ids::fact(self.opened.tape, "unit.started", &key);
        let now = if self.on_market_clock() { head.recorded_at } else { machine_clock() };
        self.reaches(head.position);
        self.entry(id, None, now, &started.into(), host);
        self.causes.push(after);
    }

    /// What the unit says on hearing `heard`.
    pub(super) fn answer(&mut self, heard: Recorded, said: impl IntoIterator<Item = Event>, host: &Host) {
        for (n, event) in said.into_iter().enumerate() {
            let id = ids::said(heard.id, &host.unit(), n);
            self.entry(id, Some(heard.id), heard.recorded_at, &event, host);
            self.causes.push(heard.position);
        }
        if self.has_hands(host) {
            let mine = self.hands.mine.remove(&heard.id);
            self.hands.news.push(Heard { event: heard, mine, fence: self.lease.fence() });
        }
    }

    fn has_hands(&self, host: &Host) -> bool {
        host.own() == Own::InPlace && self.replica.hands.is_some()
    }

    fn entry(&mut self, id: Uuid, cause: Option<Uuid>, now: Timestamp, event: &Event, host: &Host) {
        let draft = Draft::new(id, host.unit(), cause, event.at().unwrap_or(now), event);
        self.entries.push(match self.opened.clock {
            Clock::Market => Entry::market(draft, now),
            Clock::Wall => Entry::wall(draft),
        });
    }

    /// Commits what there is to say. A cursor that moved without a word is saved at once on a market
    /// clock or if `save` says so, now and then otherwise.
    pub(super) async fn flush(&mut self, host: &mut Host, save: bool) -> Result<(), Trouble> {
        let silent = host.cursor() > self.saved
            && (save || self.on_market_clock() || self.saved_at.elapsed() >= self.replica.limits.save);
        if !self.entries.is_empty() || silent {
            self.commit(host).await?;
        }
        self.tell_hands(host);
        Ok(())
    }

    /// A sink's hands have brought something: said at once, for it is judged by the state as it is.
    /// Facts may stand on the tape already, brought by somebody else, or under their id something
    /// else, which is recorded and halts the account.
    pub(super) async fn bring(&mut self, host: &mut Host, back: Back) -> Result<(), Trouble> {
        if back.fence != self.lease.fence() {
            return Ok(());
        }
        let Replica { tape, status, limits, .. } = self.replica;
        let now = match self.opened.clock {
            Clock::Wall => machine_clock(),
            Clock::Market => insist(status, limits, || tape.head()).await?.recorded_at,
        };
        let said = (back.judge)(host, self.opened.tape, now);
        let conflicts = self.record(host, now, said).await?;
        self.record(host, now, conflicts).await?;
        Ok(())
    }

    /// Commits these; what is to be said of those that the tape refused.
    async fn record(
        &mut self,
        host: &mut Host,
        now: Timestamp,
        said: Vec<(Uuid, Event)>,
    ) -> Result<Vec<(Uuid, Event)>, Trouble> {
        if said.is_empty() {
            return Ok(Vec::new());
        }
        for (id, event) in &said {
            self.entry(*id, None, now, event, host);
        }
        let entries = std::mem::take(&mut self.entries);
        let drafts: Vec<Draft> = entries.iter().map(|e| e.draft.clone()).collect();
        let committed = self.append(host, entries, OnConflict::Report).await?;
        self.publish(&committed).await;
        let mut conflicts = Vec::new();
        for ((draft, (_, event)), outcome) in drafts.iter().zip(&said).zip(&committed.outcomes) {
            match outcome {
                Outcome::Appended(_) => _ = self.hands.mine.insert(draft.id),
                Outcome::Duplicate(_) => {}
                Outcome::Conflict(position) => {
                    tracing::error!(position, "two copies of one fact differ: {}", draft.body);
                    let said = conflict::conflict(host.unit(), draft, event, *position).into_iter();
                    let id = |n| conflict::conflict_id(self.opened.tape, draft, n);
                    conflicts.extend(said.enumerate().map(|(n, event)| (id(n), event)));
                }
            }
        }
        Ok(conflicts)
    }

    async fn commit(&mut self, host: &mut Host) -> Result<(), Trouble> {
        let entries = std::mem::take(&mut self.entries);
        let causes = std::mem::take(&mut self.causes);
        if let Some(oldest) = causes.first() {
            host.reached((self.head + SLACK + entries.len() as u64).saturating_sub(*oldest));
        }
        let promised = host.reach();
        let new =
            if self.has_hands(host) { entries.iter().map(|e| e.draft.id).collect() } else { Vec::new() };
        let committed = self.append(host, entries, OnConflict::Fail).await?;
        for (outcome, cause) in committed.outcomes.iter().zip(&causes) {
            host.reached(outcome.position().saturating_sub(*cause));
        }
        if host.reach() > promised {
            // Until this is recorded, only `resume` finds out by itself how far to look ahead.
            self.append(host, Vec::new(), OnConflict::Fail).await?;
        }
        self.publish(&committed).await;
        // What stood there already is not counted as its own: it may have been tried.
        let new = new.iter().zip(&committed.outcomes);
        let new = new.filter(|(_, outcome)| matches!(outcome, Outcome::Appended(_)));
        self.hands.mine.extend(new.map(|(id, _)| *id));
        Ok(())
    }

    /// Tries until the tape takes it: ids are derived, so saying it again is safe.
    async fn append(
        &mut self,
        host: &mut Host,
        entries: Vec<Entry>,
        on_conflict: OnConflict,
    ) -> Result<Committed, Trouble> {
        let Replica { tape, status, limits, .. } = self.replica;
        let step = CursorMove {
            unit: host.unit(),
            fence: self.lease.fence(),
            to: host.cursor(),
            reach: host.reach(),
        };
        let commit = Commit { entries, cursors: vec![step], on_conflict };
        let committed = insist(status, limits, || tape.append(commit.clone())).await?;
        if !committed.outcomes.is_empty() {
            host.committed(committed.head.position);
        }
        status.head(&committed.head);
        self.reaches(committed.head.position);
        self.saved = step.to;
        self.saved_at = Instant::now();
        Ok(committed)
    }

    /// Rows of one commit stand side by side. A hint that cannot be given is found on the tape.
    async fn publish(&self, committed: &Committed) {
        let new = committed.outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Appended(position) => Some(*position),
            Outcome::Duplicate(_) | Outcome::Conflict(_) => None,
        });
        let (first, count) = (new.clone().min(), new.count());
        self.replica.status.add(Count::Said, count as u64);
        // Between processes the recorder publishes.
        if let (Some(first), Bus::InProcess(_)) = (first, &self.replica.bus)
            && let Ok(rows) = self.replica.tape.read(first - 1, count).await
        {
            self.replica.bus.publish(rows);
        }
    }

    fn tell_hands(&mut self, host: &Host) {
        let Some(hands) = &self.replica.hands else { return };
        for heard in self.hands.news.drain(..) {
            (hands.told)(host, News::Heard(Box::new(heard)));
        }
    }

    /// This incarnation has come back from the tape.
    pub(super) fn recovered(&self, host: &Host) {
        if let Some(hands) = self.replica.hands.as_ref().filter(|_| self.has_hands(host)) {
            (hands.told)(host, News::Recovered { fence: self.lease.fence() });
        }
    }
}

fn machine_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
