//! Chance that can be repeated.

/// SplitMix64: enough for choosing moments and bytes.
pub struct Seed(u64);

impl Seed {
    /// `TAPEDECK_SEED`, else the clock's; printed, so that a failure can be had again.
    pub fn new(what: &str) -> Self {
        let given = std::env::var("TAPEDECK_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| {
            let now = std::time::UNIX_EPOCH.elapsed().unwrap();
            now.as_micros() as u64 & 0xffff_ffff
        });
        println!("{what}: TAPEDECK_SEED={seed}");
        Self(seed)
    }

    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `end`, which is left out.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
