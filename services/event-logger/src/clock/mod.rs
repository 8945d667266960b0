//! The clock: says what time it is, at every instant that somebody asked for and once a minute.
//!
//! Instants are judged by the tape's time: on a wall clock that is the database's. It is learned when
//! the lease is given and from what the clock itself records, and goes on with time that is only
//! measured: so this machine's own clock, which may be wrong or be set, is not asked.

mod due;

pub use due::Due;

use crate::{
    counters::{Counters, Side},
    fault::{Fault, Fence},
    patience::{GRACE, Patience, Stop, machine_clock},
    record::Target,
};
use domain::Timestamp;
use events::{Clock, Draft, Kind, Position, Row, TimePassed, ids};
use std::time::{Duration, Instant};
use tape::{Commit, CursorMove, Entry, OnConflict, Outcome, Snapshot, Tape};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

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
    tape: &Tape,
    lease: Fence,
    build: &str,
    counters: &Counters,
    stop: watch::Receiver<bool>,
) -> Result<(), Fault> {
    let mut patience = Patience { counters, standing: &counters.clock, stop: Stop::new(stop) };
    let Some(target) = patience.target(tape).await? else { return Ok(()) };
    if target.clock == Clock::Market {
        patience.stop.asked().await;
        return Ok(());
    }
    let mut teller = Teller {
        tape,
        target,
        lease,
        build,
        patience,
        due: Due::default(),
        place: 0,
        known: (Instant::now(), lease.given_at.unwrap_or_else(machine_clock)),
        saved: lease.position,
        saved_at: Instant::now(),
        snapshot: 0,
    };
    if !teller.recover().await? {
        return Ok(());
    }
    teller.tell().await?;
    teller.save().await?;
    teller.save_snapshot().await;
    Ok(())
}

struct Teller<'a> {
    tape: &'a Tape,
    target: Target,
    lease: Fence,
    build: &'a str,
    patience: Patience<'a>,
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
    /// From a snapshot that this very build wrote, if there is one. False once asked to stop.
    async fn recover(&mut self) -> Result<bool, Fault> {
        let tape = self.tape;
        let Some(snapshots) = self.patience.insist(|| tape.snapshots(Position::MAX)).await? else {
            return Ok(false);
        };
        let own = snapshots.into_iter().find(|s| s.unit == self.lease.unit && s.tag == self.build);
        if let Some(own) = own
            && let Ok(due) = serde_json::from_slice(&own.state)
        {
            (self.due, self.place, self.snapshot) = (due, own.position, own.position);
        }
        Ok(true)
    }

    async fn tell(&mut self) -> Result<(), Fault> {
        let mut commits = self.tape.watch();
        while !self.patience.stop.is_asked() {
            commits.mark_unchanged();
            let (tape, place) = (self.tape, self.place);
            let Some(rows) = self.patience.insist(|| tape.read(place, BATCH)).await? else { break };
            rows.iter().try_for_each(|row| self.hear(row))?;
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
                () = self.patience.stop.asked() => {}
            }
        }
        Ok(())
    }

    fn hear(&mut self, row: &Row) -> Result<(), Fault> {
        if matches!(row.kind(), Some(Kind::WakeAsked | Kind::TimePassed)) {
            let heard =
                row.decode().map_err(|why| Fault::Stuck(format!("position {}: {why}", row.position)))?;
            self.due.hear(heard.recorded_at, &heard.event);
        }
        self.place = row.position;
        Ok(())
    }

    async fn say(&mut self, instants: &[Timestamp]) -> Result<(), Fault> {
        let entries = instants.iter().map(|now| Entry::wall(self.draft(*now))).collect();
        let commit = Commit { entries, cursors: vec![self.step()], on_conflict: OnConflict::Fail };
        let tape = self.tape;
        let committed = self.patience.insist(|| tape.append(commit.clone())).await?;
        let Some(committed) = committed else { return Ok(()) };
        (self.saved, self.saved_at) = (self.place, Instant::now());
        let new = committed.outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Appended(_)));
        self.patience.counters.time_said.add(new.count());
        if matches!(committed.outcomes.last(), Some(Outcome::Appended(_))) {
            self.known = (Instant::now(), committed.head.recorded_at);
        }
        Ok(())
    }

    fn draft(&self, now: Timestamp) -> Draft {
        let event = TimePassed { now }.into();
        let id = ids::of_fact(self.target.tape, &event);
        let id = id.unwrap_or_else(|| unreachable!("the time is a fact"));
        Draft::new(id, self.lease.unit, None, now, &event)
    }

    /// The tape's time, as far as is known.
    fn now(&self) -> Timestamp {
        let (then, time) = self.known;
        time + then.elapsed()
    }

    fn step(&self) -> CursorMove {
        CursorMove {
            unit: self.lease.unit,
            fence: self.lease.fence,
            to: self.place.max(self.saved),
            reach: 0,
        }
    }

    /// A cursor that cannot be saved in time is saved later.
    async fn save(&mut self) -> Result<(), Fault> {
        self.saved_at = Instant::now();
        let step = self.step();
        if step.to == self.saved {
            return Ok(());
        }
        let commit = Commit { entries: Vec::new(), cursors: vec![step], on_conflict: OnConflict::Fail };
        match timeout(GRACE, self.tape.append(commit)).await {
            Ok(Ok(_)) => self.saved = step.to,
            Ok(Err(e)) => match Fault::from(e) {
                Fault::Away(why) => self.patience.worse(Side::Tape, why),
                other => return Err(other),
            },
            Err(_) => self.patience.worse(Side::Tape, "the cursor could not be saved in time".to_owned()),
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
        let (unit, tag) = (self.lease.unit, self.build.to_owned());
        let saving = self.tape.save_snapshot(Snapshot { unit, position: self.place, tag, state });
        match timeout(GRACE, saving).await {
            Ok(Ok(())) => {}
            Ok(Err(e)) => tracing::warn!("no snapshot of the clock: {e}"),
            Err(_) => tracing::warn!("no snapshot of the clock: it took too long"),
        }
    }
}
