//! A market played on its own clock for distributed units: the feed as a process of its own.
//!
//! Invariants:
//! - The next step is said once one read of the tape shows every listed unit's cursor at its end, so
//!   each unit answers a step before the next is known, as in one process.
//! - A step is one commit under the feed's fence. Its ids depend on the tape, the time and its place
//!   in the step alone, so they are those of a run in one process.
//! - A feed that takes over has applied everything on the tape, and so says exactly the next step.

use crate::distributed::{
    Fault, UnitError,
    leadership::{Leadership, Work},
    lease::Lease,
    status::{Count, UnitPhase},
    stop::Stop,
};
use crate::market::{HAS_ENDED, Metronome, Pace};
use domain::{Timestamp, UnitName};
use events::{Clock, Draft, Event, Position, TapeOpened, Uuid, ids};
use service::{Steps, said_at};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tape::{Commit, Committed, Entry, Head, OnConflict, Snapshot, chain};
use tokio::{sync::watch, time::Instant};

/// Rows of one read.
const BATCH: usize = 2_000;
/// Pauses between two looks at the cursors: others' commits tell of themselves, cursors do not.
const LOOK: Duration = Duration::from_millis(2);
const SLOWEST_LOOK: Duration = Duration::from_millis(50);
/// After this long without a step it is said who keeps the market waiting.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is to be played, on what, by whom.
pub struct PacedFeed<F> {
    pub leadership: Leadership,
    /// Gives the market anew, from its beginning.
    pub make: Arc<dyn Fn() -> Result<F, String> + Send + Sync>,
    /// Everybody who must have dealt with a step before the next.
    pub units: Vec<UnitName>,
    /// What the market is; a tape carries one market only.
    pub describe: String,
    /// The id that a new tape is given.
    pub tape_id: Uuid,
    pub build: String,
    pub pace: Pace,
    /// Turns true when the market has ended and every unit has dealt with all of it.
    pub over: watch::Sender<bool>,
}

struct Playing<'a, F> {
    of: &'a PacedFeed<F>,
    lease: &'a Lease,
    tape_id: Uuid,
    feed: F,
    /// The last row that the feed has applied.
    place: Head,
    snapshot: Position,
    /// Whether a step was taken from the feed that has not been said: its state is then that of no
    /// position, and must not be kept.
    taken: bool,
}

impl<F: Steps> PacedFeed<F> {
    /// Until `stop` turns true; a market that is over leaves the feed where it is.
    ///
    /// # Errors
    /// As [`Leadership::hold`].
    pub async fn run(self, stop: watch::Receiver<bool>) -> Result<(), UnitError> {
        self.leadership.clone().hold(stop, self).await
    }

    async fn play(&self, lease: &Lease, mut stop: Stop) -> Result<(), Fault> {
        let status = &self.leadership.status;
        status.enter(UnitPhase::Recovering);
        let mut feed = (self.make)().map_err(Fault::Stuck)?;
        let (tape_id, place) = match &lease.opened {
            Some(opened) => (self.check(opened)?, Head::EMPTY),
            None => self.open(lease, &mut feed).await?,
        };
        let mut playing = Playing { of: self, lease, tape_id, feed, place, snapshot: 0, taken: false };
        if lease.opened.is_some() {
            playing.restore().await?;
        }
        let ended = playing.on(&mut stop).await;
        if ended.is_ok() {
            status.enter(UnitPhase::Stopping);
            playing.save_snapshot().await;
        }
        ended
    }

    fn check(&self, opened: &TapeOpened) -> Result<Uuid, Fault> {
        if opened.clock != Clock::Market {
            let why = "this tape was recorded on a wall clock: no market can be played on it";
            return Err(Fault::Stuck(why.to_owned()));
        }
        if opened.market != self.describe {
            return Err(Fault::Stuck(format!(
                "this tape plays '{}', not '{}': choose another STORE_URL, or that market",
                opened.market, self.describe
            )));
        }
        Ok(opened.tape)
    }

    /// A new tape begins at the time of the market's first step.
    async fn open(&self, lease: &Lease, feed: &mut F) -> Result<(Uuid, Head), Fault> {
        let first = feed.next_into(&mut Vec::new()).map_err(|e| Fault::Stuck(e.to_string()))?;
        let now = first.unwrap_or(Timestamp::ZERO);
        *feed = (self.make)().map_err(Fault::Stuck)?;
        let tape = self.tape_id;
        let opened = TapeOpened { tape, clock: Clock::Market, market: self.describe.clone() };
        let id = ids::fact(tape, &service::tape_unit(), "1");
        let draft = Draft::new(id, service::tape_unit(), None, now, &opened.into());
        self.append(lease, 0, vec![Entry::market(draft, now)]).await?;
        Ok((tape, Head::EMPTY))
    }

    /// Says something under the fence; `heard` is what the feed has applied before.
    async fn append(&self, lease: &Lease, heard: Position, entries: Vec<Entry>) -> Result<Committed, Fault> {
        let cursors = vec![lease.step(heard)];
        let commit = Commit { entries, cursors, on_conflict: OnConflict::Fail };
        self.leadership.insist(|| self.leadership.tape.append(commit.clone())).await
    }
}

impl<F: Steps> Work for PacedFeed<F> {
    async fn work(&mut self, lease: &Lease, stop: Stop) -> Result<(), Fault> {
        self.play(lease, stop).await
    }
}

impl<F: Steps> Playing<'_, F> {
    async fn on(&mut self, stop: &mut Stop) -> Result<(), Fault> {
        let mut metronome = Metronome::new(self.of.pace);
        let mut events = Vec::new();
        let mut ended = 0;
        self.of.leadership.status.enter(UnitPhase::Running);
        while self.all_have_dealt_with_it(stop).await? {
            // The snapshot tells whoever has the tape alone which series have ended.
            let now_ended = self.feed.ended();
            if now_ended > std::mem::replace(&mut ended, now_ended)
                || self.place.position >= self.snapshot + self.of.leadership.limits.snapshot_every
            {
                self.save_snapshot().await;
            }
            self.taken = true;
            let next = self.feed.next_into(&mut events).map_err(|e| Fault::Stuck(e.to_string()))?;
            let Some(now) = next else {
                self.taken = false;
                self.save_snapshot().await;
                tracing::info!("the market is over at position {}", self.place.position);
                self.of.leadership.status.note(Some(HAS_ENDED.to_owned()));
                self.of.over.send_replace(true);
                stop.asked().await;
                return Ok(());
            };
            if let Some(wait) = metronome.wait(now) {
                stop.or_after(wait).await;
                if stop.is_asked() {
                    return Ok(());
                }
            }
            self.say(now, std::mem::take(&mut events)).await?;
            self.taken = false;
        }
        Ok(())
    }

    async fn say(&mut self, now: Timestamp, events: Vec<Event>) -> Result<(), Fault> {
        let before = said_at(&self.feed, now);
        let unit = self.lease.unit();
        let entry = |(n, event): (u64, &Event)| {
            let id = ids::of_step(self.tape_id, &unit, now, n);
            Entry::market(Draft::new(id, unit, None, event.at().unwrap_or(now), event), now)
        };
        let entries: Vec<Entry> = (before..).zip(&events).map(entry).collect();
        let count = entries.len() as u64;
        self.of.append(self.lease, self.place.position, entries).await?;
        self.of.leadership.status.add(Count::Said, count);
        Ok(())
    }

    /// Waits until the feed and every unit have heard everything; false if asked to stop.
    async fn all_have_dealt_with_it(&mut self, stop: &mut Stop) -> Result<bool, Fault> {
        let of = self.of;
        let Leadership { tape, status, .. } = &of.leadership;
        let mut commits = tape.watch();
        let (since, mut pause, mut told) = (Instant::now(), LOOK, false);
        loop {
            if stop.is_asked() {
                return Ok(false);
            }
            commits.borrow_and_update();
            let (head, cursors) = of.leadership.insist(|| tape.marks()).await?;
            status.head(&head);
            if head.position < self.place.position {
                return Err(Fault::rewritten(self.place.position));
            }
            self.read_to(&head).await?;
            let there: BTreeSet<UnitName> =
                cursors.iter().filter(|c| c.position == head.position).map(|c| c.unit).collect();
            let late: Vec<&str> =
                of.units.iter().filter(|u| !there.contains(*u)).map(UnitName::as_str).collect();
            if late.is_empty() {
                status.note(None);
                return Ok(true);
            }
            if !told && since.elapsed() > PATIENCE {
                told = true;
                let why = format!("the market waits at position {} for {}", head.position, late.join(", "));
                tracing::warn!("{why}: is each of them running?");
                status.note(Some(why));
            }
            tokio::select! {
                () = stop.or_after(pause) => {}
                _ = commits.changed() => {}
            }
            pause = (pause + pause / 4).min(SLOWEST_LOOK);
        }
    }

    /// The feed learns what others have said, and counts what it said itself.
    async fn read_to(&mut self, head: &Head) -> Result<(), Fault> {
        let Leadership { tape, status, .. } = &self.of.leadership;
        while self.place.position < head.position {
            let after = self.place.position;
            let rows = self.of.leadership.insist(|| tape.read(after, BATCH)).await?;
            for row in &rows {
                if !chain::holds(&self.place.hash, row) {
                    return Err(Fault::rewritten(self.place.position));
                }
                // What is nothing to the feed may be a newer build's.
                if row.kind().is_some_and(F::hears) {
                    let event = row.decode().map_err(|why| Fault::undecodable(row.position, &why))?;
                    self.feed.apply(event.recorded_at, &event.event);
                }
                self.place = Head { position: row.position, hash: row.hash, recorded_at: row.recorded_at };
            }
            status.heard(&self.place);
        }
        Ok(())
    }

    /// Starts at the newest snapshot that this build has written.
    async fn restore(&mut self) -> Result<(), Fault> {
        let Leadership { tape, unit, .. } = &self.of.leadership;
        let stored = self.of.leadership.insist(|| tape.snapshots(Position::MAX)).await?;
        let Some(stored) = stored.iter().find(|s| s.unit == *unit && s.tag == self.of.build) else {
            return Ok(());
        };
        let there = self.of.leadership.insist(|| tape.read(stored.position - 1, 1)).await?.pop();
        let Some(row) = there else { return Err(Fault::rewritten(stored.position)) };
        if self.feed.restore(&stored.state).is_ok() {
            self.place = Head { position: row.position, hash: row.hash, recorded_at: row.recorded_at };
            self.snapshot = stored.position;
        } else {
            self.feed = (self.of.make)().map_err(Fault::Stuck)?;
        }
        Ok(())
    }

    /// One that cannot be written costs time at the next start, no more. Only between two steps.
    async fn save_snapshot(&mut self) {
        let Leadership { tape, unit, .. } = &self.of.leadership;
        let position = self.place.position;
        if self.taken || position == 0 || position == self.snapshot {
            return;
        }
        self.snapshot = position;
        let (tag, state) = (self.of.build.clone(), self.feed.snapshot());
        if let Err(e) = tape.save_snapshot(Snapshot { unit: *unit, position, tag, state }).await {
            tracing::warn!(%unit, "no snapshot at position {position}: {e}");
        }
    }
}
