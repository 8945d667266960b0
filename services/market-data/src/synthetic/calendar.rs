//! What happens to the whole market, hour by hour: crashes, and outages of the recorder.

use super::random::Random;

const STREAM: u64 = 0;
/// About two crashes a year.
const HOURS_PER_CRASH: u64 = 4_400;
/// About seven outages a year.
const HOURS_PER_OUTAGE: u64 = 1_250;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hour {
    /// Prices fall before it opens.
    pub crash: bool,
    /// There are candles of it.
    pub recorded: bool,
}

/// An iterator over all hours, the same for every instrument.
#[derive(Debug, Clone)]
pub struct Calendar {
    random: Random,
    hours_left: u64,
    outage_left: i64,
}

impl Calendar {
    pub fn new(seed: u64, days: u32) -> Self {
        Self { random: Random::new(seed, STREAM), hours_left: u64::from(days) * 24, outage_left: 0 }
    }

    /// How many hours, and how many days with any of them, have candles.
    pub fn recorded(self) -> (u64, u64) {
        let (mut hours, mut days, mut last) = (0, 0, None);
        for (at, hour) in self.enumerate() {
            if hour.recorded {
                hours += 1;
                days += u64::from(last != Some(at / 24));
                last = Some(at / 24);
            }
        }
        (hours, days)
    }
}

impl Iterator for Calendar {
    type Item = Hour;

    fn next(&mut self) -> Option<Hour> {
        self.hours_left = self.hours_left.checked_sub(1)?;
        let crash = self.random.one_in(HOURS_PER_CRASH);
        if self.outage_left > 0 {
            self.outage_left -= 1;
        } else if self.random.one_in(HOURS_PER_OUTAGE) {
            // Most are short; one in five takes a whole day out.
            let long = self.random.one_in(5);
            self.outage_left = if long { self.random.within(47, 70) } else { self.random.within(1, 8) };
        }
        Some(Hour { crash, recorded: self.outage_left == 0 })
    }
}
