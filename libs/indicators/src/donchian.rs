//! One bound of a Donchian channel: the highest or the lowest of the last `length` values.

use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, num::NonZeroU32};

/// Which bound of the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The highest of the highs.
    Upper,
    /// The lowest of the lows.
    Lower,
}

/// The extreme of the last `length` values, in constant time per value (amortised).
///
/// Only candidates are kept: a value that a later one equals or beats can never be the extreme
/// again. So they lie in falling (upper) or rising (lower) order, and the first one is the extreme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Donchian<T> {
    bound: Bound,
    length: NonZeroU32,
    /// How many of the latest values the window spans; at most `length`.
    held: u32,
    /// How many values have been pushed so far: the number of the next one.
    next: u64,
    candidates: VecDeque<(u64, T)>,
}

impl<T: Copy + Ord> Donchian<T> {
    pub fn new(bound: Bound, length: NonZeroU32) -> Self {
        Self { bound, length, held: 0, next: 0, candidates: VecDeque::new() }
    }

    /// Takes in the newest value and lets the oldest go.
    pub fn push(&mut self, value: T) {
        while self.candidates.back().is_some_and(|(_, last)| self.beats(&value, last)) {
            self.candidates.pop_back();
        }
        self.candidates.push_back((self.next, value));
        self.next += 1;
        self.held = self.held.saturating_add(1).min(self.length.get());
        self.forget_old();
    }

    /// The extreme of the last `length` values; `None` until there have been as many.
    pub fn extreme(&self) -> Option<T> {
        if !self.is_full() {
            return None;
        }
        self.candidates.front().map(|(_, value)| *value)
    }

    pub fn is_full(&self) -> bool {
        self.held == self.length.get()
    }

    pub fn length(&self) -> NonZeroU32 {
        self.length
    }

    /// Spans another number of values from now on.
    /// A longer window is not full until the missing values have come: older ones are forgotten.
    pub fn resize(&mut self, length: NonZeroU32) {
        self.length = length;
        self.held = self.held.min(length.get());
        self.forget_old();
    }

    fn beats(&self, newer: &T, older: &T) -> bool {
        match self.bound {
            Bound::Upper => newer >= older,
            Bound::Lower => newer <= older,
        }
    }

    fn forget_old(&mut self) {
        let oldest = self.next - u64::from(self.held);
        while self.candidates.front().is_some_and(|(number, _)| *number < oldest) {
            self.candidates.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Price;

    fn length(n: u32) -> NonZeroU32 {
        NonZeroU32::new(n).unwrap()
    }

    fn extremes(bound: Bound, n: u32, values: &[i64]) -> Vec<Option<i64>> {
        let mut window = Donchian::new(bound, length(n));
        values
            .iter()
            .map(|&value| {
                window.push(value);
                window.extreme()
            })
            .collect()
    }

    #[test]
    fn the_extreme_is_that_of_the_last_values_only() {
        let values = [5, 3, 4, 1, 2, 9, 0];
        let highest = [None, None, Some(5), Some(4), Some(4), Some(9), Some(9)];
        let lowest = [None, None, Some(3), Some(1), Some(1), Some(1), Some(0)];
        assert_eq!(extremes(Bound::Upper, 3, &values), highest);
        assert_eq!(extremes(Bound::Lower, 3, &values), lowest);
    }

    #[test]
    fn a_window_of_one_is_the_last_value() {
        assert_eq!(extremes(Bound::Upper, 1, &[5, 3, 4]), [Some(5), Some(3), Some(4)]);
    }

    #[test]
    fn equal_values_stay_as_long_as_the_latest_of_them() {
        assert_eq!(extremes(Bound::Upper, 2, &[7, 7, 1, 1])[2..], [Some(7), Some(1)]);
    }

    #[test]
    fn it_agrees_with_looking_at_all_values_again() {
        let seed = 20_240_115_u64;
        let mut random = seed;
        for n in 1..=40 {
            let values: Vec<i64> = std::iter::repeat_with(|| {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (random >> 33) as i64 % 50
            })
            .take(300)
            .collect();
            let whole = |end: usize| (end >= n as usize).then(|| &values[end - n as usize..end]);
            let highest: Vec<_> =
                (1..=300).map(|end| whole(end).and_then(|w| w.iter().max().copied())).collect();
            let lowest: Vec<_> =
                (1..=300).map(|end| whole(end).and_then(|w| w.iter().min().copied())).collect();
            assert_eq!(extremes(Bound::Upper, n, &values), highest, "seed {seed}, length {n}");
            assert_eq!(extremes(Bound::Lower, n, &values), lowest, "seed {seed}, length {n}");
        }
    }

    #[test]
    fn a_shorter_window_forgets_and_a_longer_one_waits() {
        let mut window = Donchian::new(Bound::Upper, length(4));
        for value in [9, 1, 3, 2] {
            window.push(value);
        }
        window.resize(length(3));
        assert_eq!(window.extreme(), Some(3));
        window.resize(length(5));
        assert_eq!(window.extreme(), None);
        window.push(1);
        assert_eq!(window.extreme(), None, "the forgotten 9 is not counted");
        window.push(0);
        assert_eq!(window.extreme(), Some(3));
    }

    #[test]
    fn it_survives_being_written_and_read_back() {
        let mut window = Donchian::new(Bound::Lower, length(2));
        for price in ["0.00000002", "0.00000003", "0.00000003"] {
            window.push(price.parse::<Price>().unwrap());
            let json = serde_json::to_string(&window).unwrap();
            let read: Donchian<Price> = serde_json::from_str(&json).unwrap();
            assert_eq!(read, window);
            window = read;
        }
        assert_eq!(window.extreme().unwrap().to_string(), "0.00000003");
    }
}
