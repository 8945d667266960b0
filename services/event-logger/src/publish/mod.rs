//! Publishing what is on the tape, in order.
//!
//! Invariants:
//! - Only committed rows go out, each after the one before it is confirmed or was when this began.
//! - The saved cursor never passes what is pending (see [`cursor`]).
//! - Nothing goes out on a stream that knows this tape further, or otherwise, than it is.

mod cursor;

use crate::{counters::Counters, loops::in_time};
use bus::{Bus, BusFault, Rabbit, TapePublisher};
use cursor::PublishCursor;
use events::{Event, Hash, Kind, Position, Row, TapeEvent, Uuid};
use runtime::distributed::{
    Backoff, Count, Fault, Side, UnitPhase, leadership::Leadership, lease::Lease, stop::Stop,
};
use std::time::{Duration, Instant};
use tape::{Commit, OnConflict, chain};
use tokio::time::{sleep, timeout};

/// Rows read and published at once.
const BATCH: usize = 256;
/// How often the tape is looked at, whatever its watch says.
const POLL: Duration = Duration::from_millis(250);
/// How often the cursor is saved.
const SAVE: Duration = Duration::from_millis(700);
/// A silent unit's cursor is saved at least every second.
const _: () = assert!(POLL.as_millis() + SAVE.as_millis() < 1_000);
/// For one batch; the bus has shorter limits of its own.
const CONFIRMED: Duration = Duration::from_secs(60);

/// Publishes every committed row while this process holds the lease. Ends well when asked to stop.
///
/// May be dropped at any moment: whoever comes next goes on from the saved cursor and what the stream
/// holds.
///
/// # Errors
/// A lost fence, or what only a person can mend: above all a tape that was put back to an older copy.
/// A tape or a broker that is away is waited for.
pub async fn publish(
    leadership: &Leadership,
    lease: &Lease,
    counters: &Counters,
    stop: Stop,
) -> Result<(), Fault> {
    let Bus::Rabbit(bus) = &leadership.bus else {
        return Err(Fault::Stuck("there is no broker to publish on: set BUS_URL".to_owned()));
    };
    let from = lease.cursor.position;
    let mut publisher = Publisher {
        leadership,
        lease,
        tape_id: lease.opened()?.tape,
        counters,
        stop: stop.clone(),
        stream: bus.tape_publisher(),
        cursor: PublishCursor::new(from),
        hash: chain::GENESIS,
        saved: from,
        saved_at: Instant::now(),
    };
    leadership.status.enter(UnitPhase::Running);
    in_time(&stop, async {
        publisher.on(bus).await?;
        publisher.save().await
    })
    .await
}

enum Ended {
    Stopped,
    BusAway(BusFault),
}

struct Publisher<'a> {
    leadership: &'a Leadership,
    lease: &'a Lease,
    tape_id: Uuid,
    counters: &'a Counters,
    stop: Stop,
    stream: TapePublisher,
    cursor: PublishCursor,
    /// Of the row at `cursor.place()`.
    hash: Hash,
    saved: Position,
    saved_at: Instant,
}

impl Publisher<'_> {
    async fn on(&mut self, bus: &Rabbit) -> Result<(), Fault> {
        let mut backoff = Backoff::new(&self.leadership.limits);
        loop {
            let before = self.cursor.place();
            match self.attend().await? {
                Ended::Stopped => return Ok(()),
                Ended::BusAway(fault) => {
                    if self.cursor.place() != before {
                        backoff.reset();
                    }
                    self.counters.bus_retries.add(1);
                    self.leadership.status.misses(Side::Bus, fault.to_string());
                    self.stream = bus.tape_publisher();
                    self.stop.or_after(backoff.pause()).await;
                }
            }
        }
    }

    /// From a connection to its end.
    async fn attend(&mut self) -> Result<Ended, Fault> {
        if self.stop.is_asked() {
            return Ok(Ended::Stopped);
        }
        let last = timeout(CONFIRMED, self.stream.last(self.tape_id)).await;
        match last.unwrap_or(Err(BusFault::TimedOut { what: "reading the end of the stream" })) {
            Err(fault @ BusFault::Unfit { .. }) => return Err(Fault::Stuck(fault.to_string())),
            Err(fault) => return Ok(Ended::BusAway(fault)),
            Ok(last) => self.compare(last).await?,
        }
        self.follow().await
    }

    /// Finds its place by what the stream holds.
    async fn compare(&mut self, last: Option<(Position, Hash)>) -> Result<(), Fault> {
        if let Some((position, hash)) = last {
            let head = self.leadership.insist(|| self.leadership.tape.head()).await?;
            if position > head.position {
                return Err(older(&format!("ends at position {}", head.position), position));
            }
            if self.hash_at(position).await? != hash {
                return Err(older("has another event there", position));
            }
        }
        if self.cursor.attach(last.map(|(position, _)| position)) {
            self.counters.republished.add(1);
            tracing::warn!(to = self.cursor.place(), "the stream has lost its end, which is published again");
        }
        self.find_place().await
    }

    /// Learns the hash of the row where it stands.
    async fn find_place(&mut self) -> Result<(), Fault> {
        self.hash = self.hash_at(self.cursor.place()).await?;
        self.is_out();
        Ok(())
    }

    async fn hash_at(&self, position: Position) -> Result<Hash, Fault> {
        let Some(before) = position.checked_sub(1) else { return Ok(chain::GENESIS) };
        let rows = self.leadership.insist(|| self.leadership.tape.read(before, 1)).await?;
        rows.first().map(|row| row.hash).ok_or_else(|| older("ends before it", position))
    }

    async fn follow(&mut self) -> Result<Ended, Fault> {
        let leadership = self.leadership;
        let mut commits = leadership.tape.watch();
        loop {
            if self.stop.is_asked() {
                return Ok(Ended::Stopped);
            }
            let place = self.cursor.place();
            let head = *commits.borrow_and_update();
            let rows = leadership.insist(|| leadership.tape.read(place, BATCH)).await?;
            leadership.status.stands_at(self.cursor.saved(), head);
            let quiet = rows.is_empty();
            if !quiet && let Some(ended) = self.pass_on(&rows).await? {
                return Ok(ended);
            }
            leadership.status.has(Side::Bus);
            self.save_if_due().await?;
            if quiet {
                tokio::select! {
                    () = sleep(POLL) => {}
                    Ok(()) = commits.changed() => {}
                    () = self.stop.asked() => {}
                }
            }
        }
    }

    /// Everything up to its cursor is published.
    fn is_out(&self) {
        self.counters.published_to.set(self.cursor.saved());
    }

    /// Publishes the next rows, or goes back if the first of them says so.
    async fn pass_on(&mut self, rows: &[Row]) -> Result<Option<Ended>, Fault> {
        if rows.first().is_some_and(|first| !chain::holds(&self.hash, first)) {
            let place = self.cursor.place();
            return Err(Fault::Stuck(format!(
                "what follows position {place} on the tape does not link to what was published there: the tape was changed or put back; run `tapedeck verify` and see docs/OPERATIONS.md"
            )));
        }
        let demands = rows.iter().filter(|row| row.kind() == Some(Kind::RepublishAsked));
        let count = self.cursor.go(rows.len(), demands.map(|row| row.position));
        let Some(last) = count.checked_sub(1).and_then(|last| rows.get(last)) else {
            self.go_back(rows).await?;
            return Ok(None);
        };
        let went = timeout(CONFIRMED, self.stream.publish(self.tape_id, self.hash, &rows[..count])).await;
        match went.unwrap_or(Err(BusFault::TimedOut { what: "confirming rows of the tape" })) {
            Ok(()) => {
                self.cursor.went(last.position);
                self.hash = last.hash;
                self.counters.published.add(count);
                self.leadership.status.add(Count::Handled, count as u64);
                self.is_out();
                Ok(None)
            }
            Err(fault @ BusFault::Unfit { .. }) => Err(Fault::Stuck(fault.to_string())),
            Err(fault) => Ok(Some(Ended::BusAway(fault))),
        }
    }

    /// The first of `rows` is a demand to publish again.
    async fn go_back(&mut self, rows: &[Row]) -> Result<(), Fault> {
        let Some(demand) = rows.first() else { return Ok(()) };
        let from = match demand.decode().map(|recorded| recorded.event) {
            Ok(Event::Tape(TapeEvent::RepublishAsked(asked))) => asked.from,
            // A newer build's: what it means is not known here.
            Ok(_) | Err(_) => demand.position,
        };
        tracing::info!(from, until = demand.position, "publishing again, as asked");
        self.counters.republished.add(1);
        self.cursor.heed(demand.position, from);
        self.find_place().await
    }

    async fn save_if_due(&mut self) -> Result<(), Fault> {
        if self.saved_at.elapsed() < SAVE {
            return Ok(());
        }
        self.save().await
    }

    /// A cursor that cannot be saved in time is saved later, or costs the next one some repetition.
    async fn save(&mut self) -> Result<(), Fault> {
        let to = self.cursor.saved();
        self.saved_at = Instant::now();
        if to <= self.saved {
            return Ok(());
        }
        let cursors = vec![self.lease.step(to)];
        let commit = Commit { entries: Vec::new(), cursors, on_conflict: OnConflict::Fail };
        if self.leadership.once(self.leadership.tape.append(commit)).await?.is_some() {
            self.saved = to;
        }
        Ok(())
    }
}

fn older(how: &str, position: Position) -> Fault {
    Fault::Stuck(format!(
        "the stream `tape` of RabbitMQ holds position {position} of this tape, but the tape {how}: it was put back to an older copy, or another one runs under its id; nothing is published. Put the right tape in its place, or begin a new one: docs/OPERATIONS.md"
    ))
}
