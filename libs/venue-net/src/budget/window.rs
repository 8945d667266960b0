//! One limit and what is used of it in the present interval.

use super::{Cost, Full, Limit, LimitKind, Usage, Wait};
use domain::Timestamp;

#[derive(Debug, Clone)]
pub struct Window {
    pub limit: Limit,
    /// Which interval since 1970 `used` is about: a venue's begin at whole minutes, days and so on.
    number: i64,
    used: u32,
    /// Of requests that are on their way: they count where they arrive.
    on_the_way: u32,
}

impl Window {
    pub fn new(limit: Limit) -> Self {
        Self { limit, number: 0, used: 0, on_the_way: 0 }
    }

    /// With what an earlier window of the same limit has counted.
    pub fn renewed(limit: Limit, known: &[Self]) -> Self {
        let same = |w: &&Self| w.limit.kind == limit.kind && w.limit.interval == limit.interval;
        let known = known.iter().find(same).cloned();
        known.map_or_else(|| Self::new(limit), |window| Self { limit, ..window })
    }

    /// Whether that cost is too much for a lane that may use so many per cent.
    pub fn full(&mut self, now: Timestamp, cost: &Cost, percent: u32) -> Option<Wait> {
        self.roll(now);
        let need = self.need(cost);
        if need == 0 {
            return None;
        }
        let most = u64::from(self.limit.limit) * u64::from(percent) / 100;
        let taken = u64::from(self.used) + u64::from(self.on_the_way) + u64::from(need);
        (taken > most).then(|| Wait { until: self.end(now), why: Full::Used(self.limit.kind) })
    }

    pub fn send(&mut self, cost: &Cost) {
        self.on_the_way = self.on_the_way.saturating_add(self.need(cost));
    }

    pub fn unsent(&mut self, cost: &Cost) {
        self.on_the_way = self.on_the_way.saturating_sub(self.need(cost));
    }

    pub fn answered(&mut self, now: Timestamp, cost: &Cost, usage: &Usage) {
        self.roll(now);
        self.unsent(cost);
        self.used = match usage.of(&self.limit) {
            None => self.used.saturating_add(self.need(cost)),
            // Filled orders are counted back; an answer that was overtaken by another tells less as well.
            Some(told) if self.limit.kind == LimitKind::Orders && self.on_the_way == 0 => told,
            Some(told) => self.used.max(told),
        };
    }

    /// When the present interval ends.
    pub fn end(&self, now: Timestamp) -> Timestamp {
        let length = self.micros();
        Timestamp::from_micros((now.micros().div_euclid(length) + 1).saturating_mul(length))
    }

    /// Back by more than an interval, what is used would stay used for as long as the leap was; it counts in the
    /// present interval.
    pub fn clock_leapt(&mut self, now: Timestamp) {
        let number = now.micros().div_euclid(self.micros());
        if number < self.number - 1 {
            self.number = number;
        }
    }

    fn roll(&mut self, now: Timestamp) {
        let number = now.micros().div_euclid(self.micros());
        // A clock that was set back does not give anything back.
        if number > self.number {
            self.number = number;
            self.used = 0;
        }
    }

    fn need(&self, cost: &Cost) -> u32 {
        match self.limit.kind {
            LimitKind::Weight => cost.weight,
            LimitKind::Requests => 1,
            LimitKind::Orders => cost.orders,
        }
    }

    fn micros(&self) -> i64 {
        i64::try_from(self.limit.interval.as_micros()).unwrap_or(i64::MAX).max(1)
    }
}
