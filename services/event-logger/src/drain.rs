//! Draining the queues of account frames: record, then acknowledge.
//!
//! Invariants:
//! - A delivery is acknowledged only once the frame and all that it says are on the tape.
//! - While the tape is away the deliveries are held, not given back: giving back counts towards the
//!   broker's delivery limit. Before the first one is taken the tape has been reached.
//! - Every commit moves the unit's cursor to where it stands, so that a recorder that has lost its
//!   fence records nothing.

use crate::{
    counters::{Counters, Side},
    fault::{Fault, Fence},
    parse::Parsers,
    patience::{Backoff, Patience, Stop, machine_clock},
    record::{self, Fact, Reading, Target},
};
use bus::{Bus, IngestConsumer, IngestFrame, IngestQueue, Malformed, topology};
use domain::Timestamp;
use std::time::Duration;
use tape::{Commit, Committed, CursorMove, Frame, OnConflict, Outcome, Tape, chain};
use tokio::{sync::watch, time::timeout};

/// How a queue is drained.
struct Pace {
    queue: IngestQueue,
    /// Deliveries that may be unacknowledged; room for the next batch while one is recorded.
    prefetch: u16,
    /// Frames in one commit, at most.
    batch: usize,
    /// How long a batch that is not full waits for more.
    linger: Duration,
    /// Between two batches.
    pause: Duration,
}

const LIVE: Pace = Pace {
    queue: IngestQueue::Ingest,
    prefetch: 512,
    batch: 256,
    linger: Duration::from_millis(2),
    pause: Duration::ZERO,
};
/// What was given up, or went astray, before must not hold up what comes now.
const DEAD: Pace = Pace { queue: IngestQueue::Dead, ..ASIDE };
const ASTRAY: Pace = Pace { queue: IngestQueue::Unroutable, ..ASIDE };
const ASIDE: Pace = Pace {
    queue: IngestQueue::Dead,
    prefetch: 32,
    batch: 16,
    linger: Duration::from_millis(20),
    pause: Duration::from_millis(100),
};
const _: () = assert!(LIVE.prefetch as usize >= 2 * LIVE.batch && ASIDE.prefetch as usize >= 2 * ASIDE.batch);
const ACKNOWLEDGE: Duration = Duration::from_secs(10);

/// Records what comes in `ingest`, and at lower priority in the queues of dead letters and of what no
/// queue took, while this process holds the lease. Ends well when asked to stop.
///
/// May be dropped at any moment: what was not acknowledged comes again and records nothing twice.
///
/// # Errors
/// A lost fence, or what only a person can mend. A tape or a broker that is away is waited for.
pub async fn drain(
    tape: &Tape,
    bus: &Bus,
    lease: Fence,
    parsers: Parsers,
    counters: &Counters,
    stop: watch::Receiver<bool>,
) -> Result<(), Fault> {
    let mut patience = Patience { counters, standing: &counters.drain, stop: Stop::new(stop) };
    let Some(target) = patience.target(tape).await? else { return Ok(()) };
    let recorder = Recorder { tape, target, lease, parsers, patience };
    let flow = |pace| flow(recorder.clone(), bus, pace);
    tokio::try_join!(flow(&LIVE), flow(&DEAD), flow(&ASTRAY))?;
    Ok(())
}

async fn flow(mut recorder: Recorder<'_>, bus: &Bus, pace: &Pace) -> Result<(), Fault> {
    let mut consumer = bus.ingest_consumer(pace.queue, pace.prefetch);
    let mut backoff = Backoff::new();
    while !recorder.patience.stop.is_asked() {
        match one_batch(&mut recorder, &mut consumer, pace).await? {
            Turn::Done => backoff = Backoff::new(),
            Turn::Stopped => break,
            Turn::BusAway(why) => {
                recorder.patience.counters.bus_retries.add(1);
                recorder.bus_is(pace, Some(why));
                recorder.patience.stop.or_after(backoff.pause()).await;
            }
        }
        recorder.patience.stop.or_after(pace.pause).await;
    }
    Ok(())
}

enum Turn {
    Done,
    Stopped,
    BusAway(String),
}

async fn one_batch(
    recorder: &mut Recorder<'_>,
    consumer: &mut IngestConsumer,
    pace: &Pace,
) -> Result<Turn, Fault> {
    let batch = tokio::select! {
        biased;
        () = recorder.patience.stop.asked() => return Ok(Turn::Stopped),
        batch = consumer.next_batch(pace.batch, pace.linger) => batch,
    };
    let batch = match batch {
        Ok(batch) => batch,
        Err(fault) => return Ok(Turn::BusAway(fault.to_string())),
    };
    recorder.bus_is(pace, None);
    if !recorder.record(&batch.frames).await? {
        return Ok(Turn::Stopped);
    }
    let counters = recorder.patience.counters;
    counters.frames.add(batch.frames.len());
    match pace.queue {
        IngestQueue::Ingest => {}
        IngestQueue::Dead => counters.dead_frames.add(batch.frames.len()),
        IngestQueue::Unroutable => counters.astray.add(batch.frames.len()),
    }
    let acknowledged = tokio::select! {
        biased;
        acknowledged = timeout(ACKNOWLEDGE, batch.acknowledge()) => acknowledged,
        () = recorder.patience.stop.overdue() => return Ok(Turn::Stopped),
    };
    match acknowledged {
        Ok(Ok(())) => Ok(Turn::Done),
        Ok(Err(fault)) => Ok(recorder.unacknowledged(fault.to_string())),
        Err(_) => Ok(recorder.unacknowledged("the queue did not take an acknowledgement".to_owned())),
    }
}

/// Puts frames on the tape.
#[derive(Clone)]
struct Recorder<'a> {
    tape: &'a Tape,
    target: Target,
    lease: Fence,
    parsers: Parsers,
    patience: Patience<'a>,
}

impl Recorder<'_> {
    /// Only the living queue speaks for the broker: the others are mostly empty, and an empty queue is
    /// no sign that frames flow.
    fn bus_is(&self, pace: &Pace, away: Option<String>) {
        match (pace.queue, away) {
            (IngestQueue::Ingest, Some(why)) => self.patience.worse(Side::Bus, why),
            (IngestQueue::Ingest, None) => self.patience.better(Side::Bus),
            (IngestQueue::Dead | IngestQueue::Unroutable, Some(why)) => {
                tracing::debug!(queue = ?pace.queue, "waiting: {why}");
            }
            (IngestQueue::Dead | IngestQueue::Unroutable, None) => {}
        }
    }

    /// All of it is on the tape when this says true. False once asked to stop: then part of it may be.
    async fn record(&mut self, frames: &[Result<IngestFrame, Malformed>]) -> Result<bool, Fault> {
        let mut kept = Vec::new();
        let mut facts = Vec::new();
        for frame in frames {
            match frame {
                Ok(frame) => {
                    let reading = record::read(self.target, self.parsers, frame);
                    let Reading { kept: raw, facts: said } = reading;
                    kept.extend(raw);
                    facts.extend(said);
                }
                // A row of the tape, which has it already.
                Err(row) if row.exchange == topology::TAPE => {}
                Err(malformed) => kept.push(self.set_aside(malformed)),
            }
        }
        let tape = self.tape;
        if self.patience.insist(|| tape.keep_frames(kept.clone())).await?.is_none() {
            return Ok(false);
        }
        let Some(committed) = self.append(&facts).await? else { return Ok(false) };
        self.count(&facts, &committed);
        let conflicts = record::conflicts(self.target, &facts, &committed.outcomes);
        self.halted(&conflicts).await
    }

    /// The second commit: what contradicts the tape, and the halt of the account concerned.
    async fn halted(&mut self, conflicts: &[Fact]) -> Result<bool, Fault> {
        let Some(committed) = self.append(conflicts).await? else { return Ok(false) };
        for (fact, outcome) in conflicts.iter().zip(&committed.outcomes) {
            if let (events::Event::Tape(_), Outcome::Appended(position)) = (&fact.event, outcome) {
                self.patience.counters.conflicts.add(1);
                tracing::error!(position, "two copies of one fact differ: {}", fact.draft.body);
            }
        }
        Ok(true)
    }

    async fn append(&mut self, facts: &[Fact]) -> Result<Option<Committed>, Fault> {
        let (tape, target, lease) = (self.tape, self.target, self.lease);
        if facts.is_empty() {
            let head = self.patience.insist(|| tape.head()).await?;
            return Ok(head.map(|head| Committed { head, outcomes: Vec::new() }));
        }
        let step = CursorMove { unit: lease.unit, fence: lease.fence, to: lease.position, reach: 0 };
        self.patience
            .insist(|| async {
                // On a market clock the last row's time is the market's; on a wall clock it is not used.
                let now = match target.clock {
                    events::Clock::Market => tape.head().await?.recorded_at,
                    events::Clock::Wall => Timestamp::ZERO,
                };
                let entries = facts.iter().map(|fact| record::entry(target, fact.draft.clone(), now));
                let entries = entries.collect();
                let commit = Commit { entries, cursors: vec![step], on_conflict: OnConflict::Report };
                Ok::<_, Fault>(tape.append(commit).await?)
            })
            .await
    }

    fn count(&self, facts: &[Fact], committed: &Committed) {
        let counters = self.patience.counters;
        for (fact, outcome) in facts.iter().zip(&committed.outcomes) {
            match outcome {
                Outcome::Appended(position) => {
                    counters.recorded.add(1);
                    if let Some((account, frame, why)) = record::alarm(&fact.event) {
                        counters.quarantined.add(1);
                        tracing::error!(%account, %frame, position, "a frame cannot be read: {why}");
                    }
                }
                Outcome::Duplicate(_) => counters.duplicates.add(1),
                Outcome::Conflict(_) => {}
            }
        }
    }

    /// A message that is no frame names no account, so only its bytes can be kept.
    fn set_aside(&self, malformed: &Malformed) -> Frame {
        let frame = Frame::new(machine_clock(), malformed.bytes.clone());
        self.patience.counters.malformed.add(1);
        tracing::error!(frame = chain::hex(&frame.hash), "kept aside unread: {malformed}");
        frame
    }

    fn unacknowledged(&self, why: String) -> Turn {
        self.patience.counters.returned.add(1);
        Turn::BusAway(why)
    }
}
