//! What a running process tells of itself.

use crate::http::Report;
use domain::Timestamp;
use events::Position;
use prometheus::{Encoder, IntCounter, IntGauge, Registry, TextEncoder};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering},
};
use tape::Head;

/// Shared between the engine and whoever watches it.
#[derive(Clone)]
pub struct Status(Arc<Inner>);

struct Inner {
    phase: AtomicU8,
    head: AtomicU64,
    market_time: AtomicI64,
    candles: AtomicU64,
    metrics: Metrics,
}

/// Where a process is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Reading its state back from the tape: alive, not ready.
    Recovering,
    Running,
    /// Asked to stop; finishing what it has begun.
    Stopping,
    /// The market has ended.
    Ended,
    /// It cannot go on.
    Failed,
}

impl Phase {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recovering => "recovering",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Ended => "ended",
            Self::Failed => "failed",
        }
    }
}

struct Metrics {
    registry: Registry,
    events: IntCounter,
    commits: IntCounter,
    head: IntGauge,
    market_time: IntGauge,
}

impl Default for Status {
    fn default() -> Self {
        Self::new()
    }
}

impl Status {
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            phase: AtomicU8::new(Phase::Recovering as u8),
            head: AtomicU64::new(0),
            market_time: AtomicI64::new(0),
            candles: AtomicU64::new(0),
            metrics: Metrics::new(),
        }))
    }

    pub fn phase(&self) -> Phase {
        match self.0.phase.load(Ordering::Relaxed) {
            0 => Phase::Recovering,
            1 => Phase::Running,
            2 => Phase::Stopping,
            3 => Phase::Ended,
            _ => Phase::Failed,
        }
    }
    pub fn enter(&self, phase: Phase) {
        self.0.phase.store(phase as u8, Ordering::Relaxed);
    }
    /// The last committed position.
    pub fn head(&self) -> Position {
        self.0.head.load(Ordering::Relaxed)
    }
    /// The time of the last committed event.
    pub fn market_time(&self) -> Timestamp {
        Timestamp::from_micros(self.0.market_time.load(Ordering::Relaxed))
    }
    /// Candles heard so far in this run.
    pub fn candles(&self) -> u64 {
        self.0.candles.load(Ordering::Relaxed)
    }

    /// Time and position go on together, so that none is told that is not on the tape.
    pub fn committed(&self, head: &Head, events: u64) {
        self.0.market_time.store(head.recorded_at.micros(), Ordering::Relaxed);
        self.0.metrics.market_time.set(head.recorded_at.millis() / 1_000);
        self.0.head.store(head.position, Ordering::Relaxed);
        self.0.metrics.head.set(i64::try_from(head.position).unwrap_or(i64::MAX));
        self.0.metrics.events.inc_by(events);
        self.0.metrics.commits.inc();
    }
    pub fn heard_candle(&self) {
        self.0.candles.fetch_add(1, Ordering::Relaxed);
    }

    fn report(&self) -> Value {
        json!({
            "status": self.phase().as_str(),
            "position": self.head(),
            "market_time": self.market_time(),
        })
    }
}

impl Report for Status {
    fn health(&self) -> (bool, Value) {
        (self.phase() != Phase::Failed, self.report())
    }
    fn ready(&self) -> (bool, Value) {
        (matches!(self.phase(), Phase::Running | Phase::Ended), self.report())
    }
    fn metrics(&self) -> String {
        let mut text = Vec::new();
        // Encoding into memory fails only on an empty metric family, of which there is none.
        let _ = TextEncoder::new().encode(&self.0.metrics.registry.gather(), &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl Metrics {
    fn new() -> Self {
        let registry = Registry::new();
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help).unwrap_or_else(|e| unreachable!("a valid name: {e}"));
            registry.register(Box::new(counter.clone())).unwrap_or_else(|e| unreachable!("once: {e}"));
            counter
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help).unwrap_or_else(|e| unreachable!("a valid name: {e}"));
            registry.register(Box::new(gauge.clone())).unwrap_or_else(|e| unreachable!("once: {e}"));
            gauge
        };
        Self {
            events: counter("tapedeck_events_committed_total", "Events that this process put on the tape."),
            commits: counter("tapedeck_commits_total", "Transactions that put events on the tape."),
            head: gauge("tapedeck_tape_head_position", "Position of the last event on the tape."),
            market_time: gauge("tapedeck_market_time_seconds", "The market's clock, seconds since 1970."),
            registry,
        }
    }
}
