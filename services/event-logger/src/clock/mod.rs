//! The clock: says what time it is, at every instant that somebody asked for and once a minute.
//!
//! Instants are judged by the tape's time: on a wall clock that is the database's. It is learned when
//! the lease is given and from what the clock itself records, and goes on with time that is only
//! measured: so this machine's own clock, which may be wrong or be set, is not asked.

mod due;

pub use due::Due;

use crate::{counters::Counters, loops::in_time};
use domain::Timestamp;
use events::{Clock, Draft, Kind, Position, Row, TimePassed, Uuid, ids};
use runtime::distributed::{
    Count, Fault, UnitPhase, leadership::Leadership, lease::Lease, machine_clock, stop::Stop,
};
use std::time::{Duration, Instant};
use tape::{Commit, Entry, OnConflict, Outcome, Snapshot};
use tokio::time::sleep;

/// Rows read at once; instants said in one commit.
const BATCH: usize = 1_024;
/// How often the tape is looked at, whatever its watch says.
const POLL: Duration = Duration::from_millis(250);
/// How often the cursor is saved.
const SAVE: Duration = Duration::from_millis(700);
/// A silent unit's cursor is saved at least every second.
const _: () = assert!(POLL.as_millis() + SAVE.as_millis() < 1_000);
/// Positions heard between snapshots.
const SNAPSHOT_EVERY: Position = 10_000;

/// Says the time while this process holds the lease. Ends well when asked to stop.
/// On a market clock the feed says the time, and this does nothing.
///
/// May be dropped at any moment: an instant that is said again is recorded once.
///
/// # Errors
/// A lost fence, or what only a person can mend. A tape that is away is waited for.
pub async fn tell(
    leadership: &Leadership,
    lease: &Lease,
    build: &str,
    counters: &Counters,
    mut stop: Stop,
) -> Result<(), Fault> {
    let opened = lease.opened()?;
    if opened.clock == Clock::Market {
        leadership.status.enter(UnitPhase::Running);
        stop.asked().await;
        return Ok(());
    }
    let from = lease.cursor.position;
    let mut teller = Teller {
        leadership,
        lease,
        tape_id: opened.tape,
        build,
        counters,
        stop: stop.clone(),
        due: Due::default(),
        place: 0,
        known: (Instant::now(), lease.given_at().unwrap_or_else(machine_clock)),
        saved: from,
        saved_at: Instant::now(),
        snapshot: 0,
    };
    in_time(&stop, async {
        teller.recover().await?;
        leadership.status.enter(UnitPhase::Running);
        teller.tell().await?;
        teller.save().await?;
        teller.save_snapshot().await;
        Ok(())
    })
    .await
}

struct Teller<'a> {
    leadership: &'a Leadership,
    lease: &'a Lease,
    tape_id: Uuid,
    build: &'a str,
    counters: &'a Counters,
    stop: Stop,
    due: Due,
    /// The last row heard.
    place: Position,
    /// When it was which time on the tape.
    known: (Instant, Timestamp),
    saved: Position,
    saved_at: Instant,
    snapshot: Position,
}

impl Teller<'_> {
    /// From a snapshot that this very build wrote, if there is one.
    async fn recover(&mut self) -> Result<(), Fault> {
        let snapshots = self.leadership.insist(|| self.leadership.tape.snapshots(Position::MAX)).await?;
        let own = snapshots.into_iter().find(|s| s.unit == self.lease.unit() && s.tag == self.build);
        if let Some(own) = own
            && let Ok(due) = serde_json::from_slice(&own.state)
        {
            (self.due, self.place, self.snapshot) = (due, own.position, own.position);
        }
        Ok(())
    }

    async fn tell(&mut self) -> Result<(), Fault> {
        let leadership = self.leadership;
        let mut commits = leadership.tape.watch();
        while !self.stop.is_asked() {
            let (place, head) = (self.place, *commits.borrow_and_update());
            let rows = leadership.insist(|| leadership.tape.read(place, BATCH)).await?;
            rows.iter().try_for_each(|row| self.hear(row))?;
            leadership.status.stands_at(self.place, head);
            if self.place >= self.snapshot + SNAPSHOT_EVERY {
                self.save_snapshot().await;
            }
            if rows.len() == BATCH {
                continue;
            }
            let now = self.now();
            let due = self.due.at(now, BATCH);
            if !due.is_empty() {
                // What it says it hears like anybody else, before it says more.
                self.say(&due).await?;
                continue;
            }
            if self.saved_at.elapsed() >= SAVE {
                self.save().await?;
            }
            tokio::select! {
                () = sleep(self.due.next(now).since(self.now()).min(POLL)) => {}
                Ok(()) = commits.changed() => {}
                () = self.stop.asked() => {}
            }
        }
        Ok(())
    }

    fn hear(&mut self, row: &Row) -> Result<(), Fault> {
        if matches!(row.kind(), Some(Kind::WakeAsked | Kind::TimePassed)) {
            let heard = row.decode().map_err(|why| Fault::undecodable(row.position, &why))?;
            self.due.hear(heard.recorded_at, &heard.event);
        }
        self.place = row.position;
        Ok(())
    }

    async fn say(&mut self, instants: &[Timestamp]) -> Result<(), Fault> {
        let entries = instants.iter().map(|now| Entry::wall(self.draft(*now))).collect();
        let cursors = vec![self.lease.step(self.cursor())];
        let commit = Commit { entries, cursors, on_conflict: OnConflict::Fail };
        let committed = self.leadership.insist(|| self.leadership.tape.append(commit.clone())).await?;
        (self.saved, self.saved_at) = (self.place, Instant::now());
        let new = committed.outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Appended(_))).count();
        self.counters.time_said.add(new);
        self.leadership.status.add(Count::Said, new as u64);
        if matches!(committed.outcomes.last(), Some(Outcome::Appended(_))) {
            self.known = (Instant::now(), committed.head.recorded_at);
        }
        Ok(())
    }

    fn draft(&self, now: Timestamp) -> Draft {
        let event = TimePassed { now }.into();
        let id = ids::of_fact(self.tape_id, &event);
        let id = id.unwrap_or_else(|| unreachable!("the time is a fact"));
        Draft::new(id, self.lease.unit(), None, now, &event)
    }

    /// The tape's time, as far as is known.
    fn now(&self) -> Timestamp {
        let (then, time) = self.known;
        time + then.elapsed()
    }

    fn cursor(&self) -> Position {
        self.place.max(self.saved)
    }

    /// A cursor that cannot be saved in time is saved later.
    async fn save(&mut self) -> Result<(), Fault> {
        self.saved_at = Instant::now();
        let to = self.cursor();
        if to == self.saved {
            return Ok(());
        }
        let cursors = vec![self.lease.step(to)];
        let commit = Commit { entries: Vec::new(), cursors, on_conflict: OnConflict::Fail };
        if self.leadership.once(self.leadership.tape.append(commit)).await?.is_some() {
            self.saved = to;
        }
        Ok(())
    }

    /// One that cannot be written costs time at the next start, no more.
    async fn save_snapshot(&mut self) {
        if self.place == self.snapshot {
            return;
        }
        self.snapshot = self.place;
        let state = serde_json::to_vec(&self.due).unwrap_or_else(|e| unreachable!("plain data: {e}"));
        let (unit, tag) = (self.lease.unit(), self.build.to_owned());
        let snapshot = Snapshot { unit, position: self.place, tag, state };
        if let Err(e) = self.leadership.tape.save_snapshot(snapshot).await {
            tracing::warn!("no snapshot of the clock: {e}");
        }
    }
}
