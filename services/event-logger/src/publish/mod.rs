//! Publishing what is on the tape, in order.
//!
//! Invariants:
//! - Only committed rows go out, each after the one before it is confirmed or was when this began.
//! - The saved cursor never passes what is owed (see [`way`]).
//! - Nothing goes out on a stream that knows this tape further, or otherwise, than it is.

mod way;

use crate::{
    counters::{Counters, Side},
    fault::{Fault, Fence},
    patience::{Backoff, GRACE, Patience, Stop},
    record::Target,
};
use bus::{BusFault, Rabbit, TapePublisher};
use events::{Event, Hash, Kind, Position, Row, TapeEvent};
use std::time::{Duration, Instant};
use tape::{Commit, CursorMove, OnConflict, Tape, chain};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use way::Way;

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
    tape: &Tape,
    bus: &Rabbit,
    lease: Fence,
    counters: &Counters,
    stop: watch::Receiver<bool>,
) -> Result<(), Fault> {
    let mut patience = Patience { counters, standing: &counters.publish, stop: Stop::new(stop) };
    let Some(target) = patience.target(tape).await? else { return Ok(()) };
    let mut publisher = Publisher {
        tape,
        target,
        lease,
        patience,
        stream: bus.tape_publisher(),
        way: Way::new(lease.position),
        hash: chain::GENESIS,
        saved: lease.position,
        saved_at: Instant::now(),
    };
    let mut backoff = Backoff::new();
    loop {
        let before = publisher.way.place();
        match publisher.attend().await? {
            Ended::Stopped => return publisher.save().await,
            Ended::BusAway(fault) => {
                if publisher.way.place() != before {
                    backoff = Backoff::new();
                }
                publisher.patience.counters.bus_retries.add(1);
                publisher.patience.worse(Side::Bus, fault.to_string());
                publisher.stream = bus.tape_publisher();
                publisher.patience.stop.or_after(backoff.pause()).await;
            }
        }
    }
}

enum Ended {
    Stopped,
    BusAway(BusFault),
}

struct Publisher<'a> {
    tape: &'a Tape,
    target: Target,
    lease: Fence,
    patience: Patience<'a>,
    stream: TapePublisher,
    way: Way,
    /// Of the row at `way.place()`.
    hash: Hash,
    saved: Position,
    saved_at: Instant,
}

impl Publisher<'_> {
    /// From a connection to its end.
    async fn attend(&mut self) -> Result<Ended, Fault> {
        if self.patience.stop.is_asked() {
            return Ok(Ended::Stopped);
        }
        let last = tokio::select! {
            biased;
            last = timeout(CONFIRMED, self.stream.last(self.target.tape)) => last,
            () = self.patience.stop.overdue() => return Ok(Ended::Stopped),
        };
        match last.unwrap_or(Err(BusFault::TimedOut { what: "reading the end of the stream" })) {
            Err(fault @ BusFault::Unfit { .. }) => return Err(fault.into()),
            Err(fault) => return Ok(Ended::BusAway(fault)),
            Ok(last) => {
                if !self.compare(last).await? {
                    return Ok(Ended::Stopped);
                }
            }
        }
        self.follow().await
    }

    /// Finds its place by what the stream holds. False once asked to stop.
    async fn compare(&mut self, last: Option<(Position, Hash)>) -> Result<bool, Fault> {
        if let Some((position, hash)) = last {
            let tape = self.tape;
            let Some(head) = self.patience.insist(|| tape.head()).await? else { return Ok(false) };
            if position > head.position {
                return Err(older(&format!("ends at position {}", head.position), position));
            }
            match self.hash_at(position).await? {
                None => return Ok(false),
                Some(own) if own != hash => return Err(older("has another event there", position)),
                Some(_) => {}
            }
        }
        if self.way.attach(last.map(|(position, _)| position)) {
            self.patience.counters.republished.add(1);
            tracing::warn!(to = self.way.place(), "the stream has lost its end, which is published again");
        }
        self.find_place().await
    }

    /// Learns the hash of the row where it stands. False once asked to stop.
    async fn find_place(&mut self) -> Result<bool, Fault> {
        let Some(hash) = self.hash_at(self.way.place()).await? else { return Ok(false) };
        self.hash = hash;
        self.patience.counters.published_to.set(self.way.cursor());
        Ok(true)
    }

    async fn hash_at(&mut self, position: Position) -> Result<Option<Hash>, Fault> {
        let Some(before) = position.checked_sub(1) else { return Ok(Some(chain::GENESIS)) };
        let tape = self.tape;
        let Some(rows) = self.patience.insist(|| tape.read(before, 1)).await? else { return Ok(None) };
        let gone = || older("ends before it", position);
        rows.first().map(|row| Some(row.hash)).ok_or_else(gone)
    }

    async fn follow(&mut self) -> Result<Ended, Fault> {
        let mut commits = self.tape.watch();
        loop {
            if self.patience.stop.is_asked() {
                return Ok(Ended::Stopped);
            }
            let (tape, place) = (self.tape, self.way.place());
            commits.mark_unchanged();
            let Some(rows) = self.patience.insist(|| tape.read(place, BATCH)).await? else {
                return Ok(Ended::Stopped);
            };
            if rows.is_empty() {
                self.patience.better(Side::Bus);
                self.save_if_due().await?;
                tokio::select! {
                    () = sleep(POLL) => {}
                    Ok(()) = commits.changed() => {}
                    () = self.patience.stop.asked() => {}
                }
                continue;
            }
            if let Some(ended) = self.pass_on(&rows).await? {
                return Ok(ended);
            }
            self.patience.better(Side::Bus);
            self.save_if_due().await?;
        }
    }

    /// Publishes the next rows, or goes back if the first of them says so.
    async fn pass_on(&mut self, rows: &[Row]) -> Result<Option<Ended>, Fault> {
        if rows.first().is_some_and(|first| !chain::holds(&self.hash, first)) {
            let place = self.way.place();
            return Err(Fault::Stuck(format!(
                "what follows position {place} on the tape does not link to what was published there: the tape was changed or put back; run `tapedeck verify` and see docs/OPERATIONS.md"
            )));
        }
        let demands = rows.iter().filter(|row| row.kind() == Some(Kind::RepublishAsked));
        let count = self.way.go(rows.len(), demands.map(|row| row.position));
        let Some(last) = count.checked_sub(1).and_then(|last| rows.get(last)) else {
            return self.go_back(rows).await;
        };
        let going = timeout(CONFIRMED, self.stream.publish(self.target.tape, self.hash, &rows[..count]));
        let went = tokio::select! {
            biased;
            went = going => went,
            () = self.patience.stop.overdue() => return Ok(Some(Ended::Stopped)),
        };
        match went.unwrap_or(Err(BusFault::TimedOut { what: "confirming rows of the tape" })) {
            Ok(()) => {
                self.way.went(last.position);
                self.hash = last.hash;
                self.patience.counters.published.add(count);
                self.patience.counters.published_to.set(self.way.cursor());
                Ok(None)
            }
            Err(fault @ BusFault::Unfit { .. }) => Err(fault.into()),
            Err(fault) => Ok(Some(Ended::BusAway(fault))),
        }
    }

    /// The first of `rows` is a demand to publish again.
    async fn go_back(&mut self, rows: &[Row]) -> Result<Option<Ended>, Fault> {
        let Some(demand) = rows.first() else { return Ok(None) };
        let from = match demand.decode().map(|recorded| recorded.event) {
            Ok(Event::Tape(TapeEvent::RepublishAsked(asked))) => asked.from,
            // A newer build's: what it means is not known here.
            Ok(_) | Err(_) => demand.position,
        };
        tracing::info!(from, until = demand.position, "publishing again, as asked");
        self.patience.counters.republished.add(1);
        self.way.heed(demand.position, from);
        Ok(if self.find_place().await? { None } else { Some(Ended::Stopped) })
    }

    async fn save_if_due(&mut self) -> Result<(), Fault> {
        if self.saved_at.elapsed() < SAVE {
            return Ok(());
        }
        self.save().await
    }

    /// A cursor that cannot be saved in time is saved later, or costs the next one some repetition.
    async fn save(&mut self) -> Result<(), Fault> {
        let to = self.way.cursor();
        self.saved_at = Instant::now();
        if to <= self.saved {
            return Ok(());
        }
        let step = CursorMove { unit: self.lease.unit, fence: self.lease.fence, to, reach: 0 };
        let commit = Commit { entries: Vec::new(), cursors: vec![step], on_conflict: OnConflict::Fail };
        match timeout(GRACE, self.tape.append(commit)).await {
            Ok(Ok(_)) => self.saved = to,
            Ok(Err(e)) => match Fault::from(e) {
                Fault::Away(why) => self.patience.worse(Side::Tape, why),
                other => return Err(other),
            },
            Err(_) => {
                self.patience.worse(Side::Tape, format!("the cursor at {to} could not be saved in time"))
            }
        }
        Ok(())
    }
}

fn older(how: &str, position: Position) -> Fault {
    Fault::Stuck(format!(
        "the stream `tape` of RabbitMQ holds position {position} of this tape, but the tape {how}: it was put back to an older copy, or another one runs under its id; nothing is published. Put the right tape in its place, or begin a new one: docs/OPERATIONS.md"
    ))
}
