//! Draining the queues of account frames: record, then acknowledge.
//!
//! Invariants:
//! - A delivery is acknowledged only once the frame and all that it says are on the tape.
//! - While the tape is away the deliveries are held, not given back: giving back counts towards the
//!   broker's delivery limit. Before the first one is taken the tape has been reached, since the lease was.
//! - Every commit moves the unit's cursor to where it stands, so that a recorder that has lost its
//!   fence records nothing.

use crate::{
    counters::Counters,
    loops::in_time,
    parse::Parsers,
    record::{self, Reading},
    unit,
};
use bus::{Bus, IngestFrame, IngestQueue, Malformed, topology};
use replica::{Fact, Recorder};
use runtime::distributed::{
    Backoff, Count, Fault, Side, UnitPhase, leadership::Leadership, lease::Lease, machine_clock,
    record_facts, stop::Stop,
};
use std::time::Duration;
use tape::{Frame, Outcome, chain};
use tokio::time::timeout;

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
    leadership: &Leadership,
    lease: &Lease,
    parsers: Parsers,
    counters: &Counters,
    stop: Stop,
) -> Result<(), Fault> {
    let recorder = Recorder::new(unit(), lease.opened()?);
    let drain = Drain { leadership, lease, recorder, parsers, counters };
    leadership.status.enter(UnitPhase::Running);
    let flow = |pace| drain.flow(&leadership.bus, pace, stop.clone());
    in_time(&stop, async { tokio::try_join!(flow(&LIVE), flow(&DEAD), flow(&ASTRAY)).map(|_| ()) }).await
}

/// Takes frames from queues and puts them on the tape.
struct Drain<'a> {
    leadership: &'a Leadership,
    lease: &'a Lease,
    recorder: Recorder,
    parsers: Parsers,
    counters: &'a Counters,
}

impl Drain<'_> {
    async fn flow(&self, bus: &Bus, pace: &Pace, mut stop: Stop) -> Result<(), Fault> {
        let mut consumer = bus.ingest_consumer(pace.queue, pace.prefetch);
        let mut backoff = Backoff::new(&self.leadership.limits);
        while !stop.is_asked() {
            let taken = tokio::select! {
                biased;
                () = stop.asked() => break,
                taken = consumer.next_batch(pace.batch, pace.linger) => taken,
            };
            let away = match taken {
                Err(fault) => Some(fault.to_string()),
                Ok(batch) => {
                    self.bus_is(pace, None);
                    self.record(&batch.frames).await?;
                    self.count(pace, batch.frames.len());
                    match timeout(ACKNOWLEDGE, batch.acknowledge()).await {
                        Ok(Ok(())) => None,
                        Ok(Err(fault)) => Some(self.unacknowledged(fault.to_string())),
                        Err(_) => {
                            let why = "the queue did not take an acknowledgement";
                            Some(self.unacknowledged(why.to_owned()))
                        }
                    }
                }
            };
            match away {
                None => backoff.reset(),
                Some(why) => {
                    self.counters.bus_retries.add(1);
                    self.bus_is(pace, Some(why));
                    stop.or_after(backoff.pause()).await;
                }
            }
            stop.or_after(pace.pause).await;
        }
        Ok(())
    }

    fn count(&self, pace: &Pace, frames: usize) {
        self.counters.frames.add(frames);
        match pace.queue {
            IngestQueue::Ingest => self.leadership.status.add(Count::Handled, frames as u64),
            IngestQueue::Dead => self.counters.dead_frames.add(frames),
            IngestQueue::Unroutable => self.counters.astray.add(frames),
        }
    }

    fn unacknowledged(&self, why: String) -> String {
        self.counters.returned.add(1);
        why
    }

    /// Only the living queue speaks for the broker: the others are mostly empty, and an empty queue is
    /// no sign that frames flow.
    fn bus_is(&self, pace: &Pace, away: Option<String>) {
        match (pace.queue, away) {
            (IngestQueue::Ingest, Some(why)) => self.leadership.status.misses(Side::Bus, why),
            (IngestQueue::Ingest, None) => self.leadership.status.has(Side::Bus),
            (IngestQueue::Dead | IngestQueue::Unroutable, Some(why)) => {
                tracing::debug!(queue = ?pace.queue, "waiting: {why}");
            }
            (IngestQueue::Dead | IngestQueue::Unroutable, None) => {}
        }
    }

    /// All of it is on the tape when this returns.
    async fn record(&self, frames: &[Result<IngestFrame, Malformed>]) -> Result<(), Fault> {
        let mut kept = Vec::new();
        let mut facts = Vec::new();
        for frame in frames {
            match frame {
                Ok(frame) => {
                    let Reading { kept: raw, facts: said } =
                        record::read(&self.recorder, self.parsers, frame);
                    kept.extend(raw);
                    facts.extend(said);
                }
                // A row of the tape, which has it already.
                Err(row) if row.exchange == topology::TAPE => {}
                Err(malformed) => kept.push(self.set_aside(malformed)),
            }
        }
        let (leadership, recorder) = (self.leadership, &self.recorder);
        leadership.insist(|| leadership.tape.keep_frames(kept.clone())).await?;
        // The cursor stays where it is: it moves only so that the fence is asked for.
        let step = [self.lease.step(self.lease.cursor.position)];
        let told = leadership.insist(|| record_facts(&leadership.tape, recorder, &facts, &step)).await?;
        self.counters.conflicts.add(told.conflicts);
        for (fact, outcome) in facts.iter().zip(&told.outcomes) {
            self.note(fact, outcome);
        }
        Ok(())
    }

    fn note(&self, fact: &Fact, outcome: &Outcome) {
        match outcome {
            Outcome::Appended(position) => {
                self.counters.recorded.add(1);
                self.leadership.status.add(Count::Said, 1);
                if let Some((account, frame, why)) = record::alarm(&fact.event) {
                    self.counters.quarantined.add(1);
                    tracing::error!(%account, %frame, position, "a frame cannot be read: {why}");
                }
            }
            Outcome::Duplicate(_) => self.counters.duplicates.add(1),
            Outcome::Conflict(_) => {}
        }
    }

    /// A message that is no frame names no account, so only its bytes can be kept.
    fn set_aside(&self, malformed: &Malformed) -> Frame {
        let frame = Frame::new(machine_clock(), malformed.bytes.clone());
        self.counters.malformed.add(1);
        tracing::error!(frame = chain::hex(&frame.hash), "kept aside unread: {malformed}");
        frame
    }
}
