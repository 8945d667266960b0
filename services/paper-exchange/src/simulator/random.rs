//! SplitMix64 (Steele, Lea, Flood 2014): small, fast, the same everywhere.

#[derive(Debug, Clone, Copy)]
pub struct Random(u64);

pub const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// One of many independent sequences of a seed: of this stream (a symbol, say) and this instant.
    pub fn new(seed: u64, stream: u64, at: u64) -> Self {
        Self(mix(mix(seed ^ GOLDEN).wrapping_add(stream)) ^ mix(at.wrapping_mul(GOLDEN).wrapping_add(1)))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// From 0 up to but not including `n`; 0 if `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    /// From `least` to `most`, both included.
    pub fn within(&mut self, least: i64, most: i64) -> i64 {
        least.wrapping_add(self.below(most.abs_diff(least).saturating_add(1)) as i64)
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// A number that looks drawn, and is the same for the same `z`.
pub fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number for a name.
pub fn of_name(name: &str) -> u64 {
    name.bytes().fold(GOLDEN, |sum, byte| mix(sum ^ u64::from(byte)))
}
