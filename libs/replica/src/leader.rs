//! Speaking for a unit: hearing what is on the tape, in order, and answering it.

use crate::{
    Counts, Effect, Fault, Input, Joining, Limits, Reply,
    machine::Incarnation,
    recovery::{place, tag},
    speech::{Speech, Spoken},
};
use domain::Timestamp;
use events::{Clock, Event, Hash, Position, Row, Uuid, ids};
use service::{Arrival, Back, Host, Late, Own};
use tape::{Head, Snapshot, chain};

/// Speaks for a unit.
pub struct Leader {
    host: Host,
    speech: Speech,
    build: String,
    limits: Limits,
    /// The last row heard.
    place: Head,
    /// The same, or what an earlier incarnation heard.
    known: Head,
    /// Where the newest snapshot stands that is known.
    snapshot: Position,
    caught_up: bool,
    /// Whether the unit has run on this tape before.
    ran: bool,
    /// Another build or configuration than before, to be committed before anything is judged under it.
    must_start: bool,
    counts: Counts,
    awaiting: Option<Awaiting>,
    /// While it takes up what lies unheard before it; nothing is said, told or saved until it knows where it speaks.
    joins: Option<Joins>,
    wants: Wants,
    /// What ends the incarnation, once everything before it is committed.
    failed: Option<Fault>,
    stopping: bool,
}

/// What is to be done once nothing is under way.
#[derive(Default)]
struct Wants {
    /// To find out how what lies unheard is taken up, and to say the start before anything is judged.
    start: bool,
    /// The cursor is to be saved, though nothing was said.
    save: bool,
    /// Brought by hands, to be judged at the tape's time.
    judge: Option<Back>,
    /// What the bus holds, to be compared.
    latest: Option<(Position, Hash)>,
    read: bool,
    look: bool,
}

struct Joins {
    how: Joining,
    /// Up to where the unit had judged.
    judged: Position,
    now: Timestamp,
}

/// What is under way.
enum Awaiting {
    Start,
    Judge(Back),
    Latest(Position, Hash),
    Rows,
    Look,
    Committed(Spoken),
    Saved,
}

impl Leader {
    pub(crate) fn new(
        of: &Incarnation,
        host: Host,
        ran: bool,
        must_start: bool,
        place: Head,
        snapshot: Position,
    ) -> Self {
        let hands = of.hands && host.own() == Own::InPlace;
        let mut speech = Speech::new(of, hands);
        let start = must_start || !ran || host.late() == Late::Learns;
        if !start {
            speech.recovered();
        }
        Self {
            host,
            speech,
            build: of.build.clone(),
            limits: of.limits,
            place,
            known: of.known,
            snapshot,
            caught_up: false,
            counts: Counts::default(),
            awaiting: None,
            joins: None,
            ran,
            must_start,
            wants: Wants { start, ..Wants::default() },
            failed: None,
            stopping: false,
        }
    }

    /// Commits what was said before it does anything else.
    pub(crate) fn ask(&mut self) -> Result<Option<Effect>, Fault> {
        if self.awaiting.is_some() {
            return Ok(None);
        }
        if std::mem::take(&mut self.wants.start) {
            return Ok(self.wait(Awaiting::Start, Effect::Head));
        }
        if self.joins.is_some() {
            return self.ask_joining();
        }
        let every = if self.stopping { 1 } else { self.limits.snapshot_every };
        let snapshot = self.failed.is_none() && self.place.position >= self.snapshot + every;
        // A snapshot is of what is committed only.
        let save = self.wants.save || snapshot || self.failed.is_some() || self.stopping;
        if let Some((commit, spoken)) = self.speech.commit(&mut self.host, save) {
            self.wants.save = false;
            return Ok(self.wait(Awaiting::Committed(spoken), Effect::Append(commit)));
        }
        let news = self.speech.take_news();
        if !news.is_empty() {
            return Ok(Some(Effect::Tell(news)));
        }
        if let Some(fault) = self.failed.take() {
            return Err(fault);
        }
        if snapshot {
            self.snapshot = self.place.position;
            let (unit, position) = (self.host.unit(), self.host.cursor());
            let (tag, state) = (tag(&self.build, &self.host), self.host.snapshot());
            return Ok(self.wait(Awaiting::Saved, Effect::Save(Snapshot { unit, position, tag, state })));
        }
        if self.stopping {
            return Ok(None);
        }
        Ok(if let Some(back) = self.wants.judge.take() {
            self.wait(Awaiting::Judge(back), Effect::Head)
        } else if let Some((position, hash)) = self.wants.latest.take() {
            self.wait(Awaiting::Latest(position, hash), Effect::row_at(position))
        } else if std::mem::take(&mut self.wants.read) {
            let (after, limit) = (self.place.position, self.limits.group);
            self.wait(Awaiting::Rows, Effect::Read { after, limit })
        } else if std::mem::take(&mut self.wants.look) {
            self.wait(Awaiting::Look, Effect::Head)
        } else {
            None
        })
    }

    /// What was learned counts only together with the start that says so.
    fn ask_joining(&mut self) -> Result<Option<Effect>, Fault> {
        if let Some(fault) = self.failed.take() {
            return Err(fault);
        }
        if self.stopping || !std::mem::take(&mut self.wants.read) {
            return Ok(None);
        }
        let (after, limit) = (self.place.position, self.limits.group);
        Ok(self.wait(Awaiting::Rows, Effect::Read { after, limit }))
    }

    fn wait(&mut self, awaiting: Awaiting, effect: Effect) -> Option<Effect> {
        self.awaiting = Some(awaiting);
        Some(effect)
    }

    pub(crate) fn reply(&mut self, reply: Reply, now: Timestamp) -> Result<(), Fault> {
        match (self.awaiting.take(), reply) {
            (Some(Awaiting::Start), Reply::Head(head)) => self.start(&head, now),
            (Some(Awaiting::Judge(back)), Reply::Head(head)) => self.judge(back, head.recorded_at),
            (Some(Awaiting::Latest(position, hash)), Reply::Rows(rows)) => match rows.first() {
                Some(row) if row.hash == hash => self.wants.read |= position > self.place.position,
                _ => self.failed = Some(Fault::put_back(position)),
            },
            (Some(Awaiting::Rows), Reply::Rows(rows)) => self.hear(&rows)?,
            (Some(Awaiting::Look), Reply::Head(head)) => self.compare(&head)?,
            (Some(Awaiting::Committed(spoken)), Reply::Committed(committed)) => {
                self.speech.committed(&mut self.host, spoken, &committed);
            }
            (Some(Awaiting::Saved), Reply::Saved) => {}
            (_, reply) => return Err(Fault::unasked(&reply)),
        }
        Ok(())
    }

    fn start(&mut self, head: &Head, now: Timestamp) {
        let (late, clock) = (self.host.late(), self.speech.clock());
        let now = match clock {
            Clock::Market => head.recorded_at,
            Clock::Wall => now,
        };
        self.speech.reaches(head.position);
        let judged = self.host.cursor();
        match Joining::new(late, self.ran, clock, *head) {
            Some(how) if judged < head.position => {
                self.joins = Some(Joins { how, judged, now });
                self.wants.read = true;
            }
            Some(_) | None => self.speak(judged, now),
        }
    }

    /// From here on it answers what it hears.
    fn speak(&mut self, judged: Position, now: Timestamp) {
        let after = self.host.cursor();
        if self.must_start || judged < after {
            let (unit, started) = (self.host.unit(), self.host.started(&self.build, judged, after));
            let id =
                ids::fact(self.speech.tape(), "unit.started", &format!("{unit}/{}", self.speech.fence()));
            self.speech.say(id, None, after, now, &started.into());
        }
        self.speech.recovered();
    }

    /// Reads what comes next on the tape.
    fn hear(&mut self, rows: &[Row]) -> Result<(), Fault> {
        if rows.first().is_some_and(|first| !chain::holds(&self.place.hash, first)) {
            return Err(Fault::rewritten(self.place.position));
        }
        for row in rows {
            self.take(row);
        }
        let full = rows.len() == self.limits.group;
        self.wants.read |= full;
        self.caught_up |= !full;
        Ok(())
    }

    /// How far the tape goes on behind what was heard.
    fn compare(&mut self, head: &Head) -> Result<(), Fault> {
        self.speech.reaches(head.position);
        let Some(lag) = head.position.checked_sub(self.place.position) else {
            return Err(Fault::rewritten(self.place.position));
        };
        self.caught_up &= lag <= self.limits.behind;
        if lag > 0 {
            self.missed();
        }
        Ok(())
    }

    /// Hears the next row. Behind one that cannot be read nothing is heard.
    fn take(&mut self, row: &Row) {
        if self.failed.is_some() {
            return;
        }
        let learns = self.joins.as_mut().is_some_and(|joins| joins.how.learns(row.position, row.recorded_at));
        if !learns && let Some(Joins { judged, now, .. }) = self.joins.take() {
            self.speak(judged, now);
        }
        if takes(&self.host, row) {
            let event = match row.decode() {
                Ok(event) => event,
                Err(why) => return self.failed = Some(Fault::undecodable(row.position, &why)),
            };
            self.counts.handled += 1;
            if learns {
                self.host.learn(&event);
            } else {
                let mut said = Vec::new();
                self.host.handle(&event, &mut said);
                self.speech.answer(event, said);
            }
        } else {
            self.host.settle(row.position, self.host.said_through());
        }
        self.place = place(row);
        self.known = self.place;
        self.speech.reaches(row.position);
        if let Some(Joins { judged, now, .. }) =
            self.joins.take_if(|joins| row.position >= joins.how.head.position)
        {
            self.speak(judged, now);
        }
    }

    pub(crate) fn give(&mut self, input: Input<'_>) {
        match input {
            Input::Hint(row) => self.hint(row),
            Input::Missed => self.missed(),
            Input::Latest { position: 0, .. } => {}
            Input::Latest { position, hash } => self.wants.latest = Some((position, hash)),
            Input::Read => self.wants.read = true,
            Input::Look => self.wants.look = true,
            Input::Tick => self.wants.save = true,
            Input::Bring(back, now) => self.bring(back, now),
            Input::Stop => self.stopping = true,
        }
    }

    /// The tape decides order, the bus only hints.
    fn hint(&mut self, row: &Row) {
        match self.host.arrival(row.position) {
            Arrival::Duplicate => self.counts.duplicates += 1,
            // While a read is under way, whatever it brings comes first.
            Arrival::Next if self.awaiting.is_none() && chain::holds(&self.place.hash, row) => self.take(row),
            Arrival::Next | Arrival::Gap { .. } => self.missed(),
        }
    }

    fn missed(&mut self) {
        self.counts.gaps += 1;
        self.wants.read = true;
    }

    /// Judged by the state as it is, and recorded at once.
    fn bring(&mut self, back: Back, now: Timestamp) {
        if back.fence != self.speech.fence() || !self.may_judge() {
            return;
        }
        match self.speech.clock() {
            Clock::Wall => self.judge(back, now),
            Clock::Market => self.wants.judge = Some(back),
        }
    }

    fn judge(&mut self, back: Back, now: Timestamp) {
        let said: Vec<(Uuid, Event)> = (back.judge)(&self.host, self.speech.tape(), now);
        self.speech.bring(said, now);
        // A sink hears its own sayings where they stand.
        self.wants.read = true;
    }

    /// Whether the state has heard all that its unit has said, and nothing is under way.
    pub fn may_judge(&self) -> bool {
        let Wants { start, judge, .. } = &self.wants;
        let free = !start
            && self.joins.is_none()
            && judge.is_none()
            && self.awaiting.is_none()
            && self.failed.is_none();
        free && !self.stopping && self.speech.is_committed() && self.host.has_heard_itself()
    }

    /// Whether there is something to read on the tape, so that hints are of no use.
    pub fn is_behind(&self) -> bool {
        self.wants.read
    }
    /// Whether it hears events as they come, rather than being far behind.
    pub fn is_caught_up(&self) -> bool {
        self.caught_up
    }
    /// The last row that is in the state, if everything that was said on it is committed.
    pub fn settled_at(&self) -> Option<Head> {
        let under_way = matches!(self.awaiting, Some(Awaiting::Committed(_)));
        (!under_way && self.speech.is_committed()).then_some(self.place)
    }
    pub(crate) fn known(&self) -> Head {
        self.known
    }
    pub fn host(&self) -> &Host {
        &self.host
    }
    pub(crate) fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }
}

/// Whether the event of this row is anything to the unit's core.
fn takes(host: &Host, row: &Row) -> bool {
    let own = row.draft.source == host.unit();
    let heard = || row.kind().is_some_and(|kind| host.hears(kind));
    match host.own() {
        Own::AtCause => !own && heard(),
        Own::InPlace => own || heard(),
    }
}
