//! What a seed's world is like: how often what fails, how the market moves, what the owner does.
//!
//! Each figure is drawn by itself, and a third of them is nothing at all: so some seeds are calm, some meet one
//! kind of fault only, and some meet all of them at once.

use sim::{cluster::Faults, rng::Rng};

/// Per cent, unless it is said otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    pub faults: Faults,
    /// Messages that take seconds.
    pub slow: u64,
    /// Requests that never reach the venue.
    pub lost_requests: u64,
    /// Requests that are executed and whose answer never comes.
    pub lost_answers: u64,
    /// Account frames that one of the two ingestors loses.
    pub lost_frames: u64,
    /// Lookups that fail and are made again.
    pub failed_look_ups: u64,
    /// Steps of time that go past a request's window.
    pub jumps: u64,
    /// Candles that go through every stop.
    pub crashes: u64,
    /// How far a candle moves, in thousandths of its price.
    pub swing: u64,
    /// What the owner does, per mille of the steps.
    pub owner: u64,
}

impl Weather {
    pub fn draw(rng: &mut Rng) -> Self {
        let faults = Faults {
            crash: rate(rng, 20),
            sleep: rate(rng, 12),
            yielded: rate(rng, 200),
            disorder: rate(rng, 250),
            silence: rate(rng, 300),
            forgotten: rate(rng, 600),
            stop: rate(rng, 8),
        };
        Self {
            faults,
            slow: rate(rng, 30),
            lost_requests: rate(rng, 20),
            lost_answers: rate(rng, 30),
            lost_frames: rate(rng, 40),
            failed_look_ups: rate(rng, 40),
            jumps: rate(rng, 20),
            crashes: rate(rng, 8),
            swing: 10 + rng.below(30),
            owner: rate(rng, 12),
        }
    }

    /// Nothing fails, and nothing new begins.
    pub fn still() -> Self {
        Self {
            faults: Faults::NONE,
            slow: 0,
            lost_requests: 0,
            lost_answers: 0,
            lost_frames: 0,
            failed_look_ups: 0,
            jumps: 0,
            crashes: 0,
            swing: 0,
            owner: 0,
        }
    }
}

/// None, little, or anything up to `most`.
fn rate(rng: &mut Rng, most: u64) -> u64 {
    match rng.below(3) {
        0 => 0,
        1 => 1 + rng.below(most.div_ceil(5)),
        _ => 1 + rng.below(most),
    }
}
