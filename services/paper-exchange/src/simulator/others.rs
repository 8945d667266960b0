//! What others have on the book of one symbol, less what we have taken of it.
//!
//! There is one book. Whatever changes of it is told to the matching engine and published, both from here; asking
//! changes nothing.
//!
//! What our account takes is missing from then on: from the best price on, wherever that moves, for whoever makes
//! the market has so much less to offer. Half of what is missing comes back in [`HALF_LIFE`], in steps of a tenth of
//! that, the farthest first; so the spread that a large order opens closes from the outside, and a sliced order pays
//! for the slices before it. What comes back where an order of ours has meanwhile come to rest trades with it; that
//! is the matching engine's part, which hears of each step while an order rests, so that the book is never crossed.

use super::{
    crowd::{Crowd, Look},
    depth::Levels,
    path::STEP,
    recorded::Recorded,
    tape::Said,
    units,
};
use domain::{Price, Side};
use std::collections::{BTreeMap, BTreeSet};
use venue_paper::engine;

/// Three seconds, in steps of the market.
const HALF_LIFE: i64 = 30;
/// Something comes back every so many steps.
const PERIOD: i64 = HALF_LIFE / 10;
/// What is left after each period of a half-life, in thousandths: powers of the tenth root of a half.
const LEFT: [u64; 10] = [1_000, 933, 871, 812, 758, 707, 660, 616, 574, 536];
/// After so many half-lives nothing is missing.
const OVER: i64 = 20;

#[derive(Debug)]
pub struct Others {
    seed: u64,
    tick: u64,
    lot: u64,
    /// About the price: it says how far the book reaches.
    pub about: u64,
    base: Base,
    /// From what the book was brought up to date last, its time in steps.
    looked: Option<Look>,
    bids: Missing,
    asks: Missing,
    /// Changes that the matching engine has not been told.
    unseen: BTreeMap<(bool, u64), u64>,
    /// Changes that have not been published.
    unpublished: BTreeMap<(bool, u64), u64>,
}

/// Others' book as if we had taken nothing.
#[derive(Debug)]
enum Base {
    /// Nobody has looked yet.
    Unknown,
    Made(Crowd),
    Told(Recorded),
}

impl Base {
    fn at(&self, side: Side, price: u64) -> u64 {
        match self {
            Self::Unknown => 0,
            Self::Made(crowd) => crowd.at(side, price),
            Self::Told(recorded) => recorded.at(side, price),
        }
    }

    /// A side as it was last brought up to date, the best price first.
    fn now(&self, side: Side) -> Box<dyn Iterator<Item = (u64, u64)> + '_> {
        match self {
            Self::Unknown => Box::new(std::iter::empty()),
            Self::Made(crowd) => Box::new(crowd.now(side)),
            Self::Told(recorded) => recorded.now(side),
        }
    }

    /// A side as of that moment, the best price first.
    fn levels(&self, look: &Look, side: Side) -> Box<dyn Iterator<Item = (u64, u64)> + '_> {
        match self {
            Self::Unknown => Box::new(std::iter::empty()),
            Self::Made(crowd) => Box::new(crowd.levels(look, side)),
            Self::Told(recorded) => recorded.now(side),
        }
    }
}

/// What is missing of a side. Quantities in 10⁻⁸.
#[derive(Debug, Default)]
struct Missing {
    /// In all, at the step.
    quantity: u64,
    step: i64,
    /// Prices and what is missing there, the best price first, in the book as it was told last.
    told: Vec<(u64, u64)>,
}

impl Missing {
    fn at(&self, at: i64, lot: u64) -> u64 {
        let periods = (at.div_euclid(STEP) - self.step).max(0) / PERIOD;
        if self.quantity == 0 || periods >= OVER * 10 {
            return 0;
        }
        let part = u128::from(LEFT[(periods % 10) as usize]);
        let left = ((u128::from(self.quantity) * part / 1_000) as u64) >> (periods / 10);
        left - left % lot
    }

    /// What is in the book now, and what was told: what is missing at each price whose level it changes.
    fn tell(&mut self, side: Side, mut missing: u64, levels: impl Iterator<Item = (u64, u64)>) -> Vec<u64> {
        let before = std::mem::take(&mut self.told);
        for (price, quantity) in levels {
            if missing == 0 {
                break;
            }
            let part = missing.min(quantity);
            self.told.push((price, part));
            missing -= part;
        }
        differences(side, &before, &self.told)
    }

    fn told_at(&self, side: Side, price: u64) -> u64 {
        let place = self.told.binary_search_by_key(&rank(side, price), |(other, _)| rank(side, *other));
        place.map_or(0, |place| self.told[place].1)
    }
}

/// The better a price, the lower.
fn rank(side: Side, price: u64) -> u64 {
    match side {
        Side::Buy => !price,
        Side::Sell => price,
    }
}

/// The prices at which two sequences differ, both with the best price first.
fn differences(side: Side, before: &[(u64, u64)], now: &[(u64, u64)]) -> Vec<u64> {
    let (mut before, mut now, mut changed) = (before.iter().peekable(), now.iter().peekable(), Vec::new());
    loop {
        let gone = match (before.peek(), now.peek()) {
            (None, None) => return changed,
            (Some(a), Some(b)) if a == b => {
                before.next();
                now.next();
                continue;
            }
            (Some(a), Some(b)) if a.0 == b.0 => {
                before.next();
                false
            }
            (Some(a), Some(b)) => rank(side, a.0) < rank(side, b.0),
            (Some(_), None) => true,
            (None, Some(_)) => false,
        };
        let other = if gone { before.next() } else { now.next() };
        changed.extend(other.map(|(price, _)| *price));
    }
}

impl Others {
    pub fn new(seed: u64, tick: u64, lot: u64) -> Self {
        Self {
            seed,
            tick,
            lot,
            about: 0,
            base: Base::Unknown,
            looked: None,
            bids: Missing::default(),
            asks: Missing::default(),
            unseen: BTreeMap::new(),
            unpublished: BTreeMap::new(),
        }
    }

    /// From now on the book is what is recorded.
    pub fn follow_recording(&mut self) {
        self.base = Base::Told(Recorded::default());
    }

    /// A recorded message.
    pub fn hear(&mut self, said: Said, at: i64) {
        let mut base = std::mem::replace(&mut self.base, Base::Unknown);
        if let Base::Told(recorded) = &mut base {
            let changed = recorded.hear(said);
            self.settle(&base, changed, at);
        }
        self.base = base;
    }

    /// Time has passed, and the price may have moved.
    pub fn look(&mut self, look: &Look) {
        let from = Look { at: look.at.div_euclid(STEP), ..*look };
        if self.looked.replace(from) == Some(from) {
            return;
        }
        let mut base = std::mem::replace(&mut self.base, Base::Unknown);
        if matches!(base, Base::Unknown) {
            base = Base::Made(self.fresh());
        }
        let mut changed = BTreeSet::new();
        if let Base::Made(crowd) = &mut base {
            crowd.look(look, |side, price, _| _ = changed.insert((side == Side::Buy, price)));
        }
        self.settle(&base, changed, look.at);
        self.base = base;
    }

    /// Some levels have changed; what is missing of them changes with that, and with time.
    fn settle(&mut self, base: &Base, mut changed: BTreeSet<(bool, u64)>, at: i64) {
        for side in [Side::Buy, Side::Sell] {
            let lot = self.lot;
            let missing = self.missing_mut(side);
            let left = missing.at(at, lot);
            if left == 0 && missing.told.is_empty() {
                continue;
            }
            let other = missing.tell(side, left, base.now(side));
            changed.extend(other.into_iter().map(|price| (side == Side::Buy, price)));
        }
        for key in changed {
            let quantity = self.left(base, key);
            self.unseen.insert(key, quantity);
            self.unpublished.insert(key, quantity);
        }
    }

    /// We have taken that much from the best price on; the engine knows.
    pub fn take(&mut self, side: Side, quantity: u64, at: i64) {
        let base = std::mem::replace(&mut self.base, Base::Unknown);
        let missing = self.missing_mut(side);
        let told: u64 = missing.told.iter().map(|(_, part)| part).sum();
        missing.quantity = told.saturating_add(quantity);
        missing.step = at.div_euclid(STEP);
        let total = missing.quantity;
        for price in missing.tell(side, total, base.now(side)) {
            let key = (side == Side::Buy, price);
            let quantity = self.left(&base, key);
            self.unpublished.insert(key, quantity);
        }
        self.base = base;
    }

    /// What is there at a price.
    fn left(&self, base: &Base, (bid, price): (bool, u64)) -> u64 {
        let side = if bid { Side::Buy } else { Side::Sell };
        let missing = self.missing(side).told_at(side, price);
        base.at(side, price).saturating_sub(missing)
    }

    /// What the matching engine has to be told.
    pub fn take_unseen(&mut self) -> engine::Change {
        let mut change = engine::Change::default();
        for ((bid, price), quantity) in std::mem::take(&mut self.unseen) {
            let Some(price) = units::price(price) else { continue };
            let levels = if bid { &mut change.bids } else { &mut change.asks };
            levels.push((price, units::decimal(quantity)));
        }
        change
    }

    /// What has to be published: side, price and quantity.
    pub fn take_unpublished(&mut self) -> impl Iterator<Item = (Side, u64, u64)> + use<> {
        let changes = std::mem::take(&mut self.unpublished).into_iter();
        changes.map(|((bid, price), quantity)| (if bid { Side::Buy } else { Side::Sell }, price, quantity))
    }

    /// A side as of that moment, the best price first. Nothing is changed by that.
    pub fn levels(&self, look: &Look, side: Side) -> Levels {
        self.with_base(|base| self.less_missing(base, look, side).collect())
    }

    /// The best price of a side as of that moment, with what is there.
    pub fn best(&self, look: &Look, side: Side) -> Option<(u64, u64)> {
        self.with_base(|base| self.less_missing(base, look, side).next())
    }

    fn with_base<T>(&self, ask: impl FnOnce(&Base) -> T) -> T {
        match &self.base {
            Base::Unknown => ask(&Base::Made(self.fresh())),
            known @ (Base::Made(_) | Base::Told(_)) => ask(known),
        }
    }

    fn fresh(&self) -> Crowd {
        Crowd::new(self.seed, self.tick, self.lot, self.about)
    }

    fn less_missing<'a>(
        &self,
        base: &'a Base,
        look: &Look,
        side: Side,
    ) -> impl Iterator<Item = (u64, u64)> + use<'a> {
        let mut missing = self.missing(side).at(look.at, self.lot);
        base.levels(look, side).filter_map(move |(price, quantity)| {
            let part = missing.min(quantity);
            missing -= part;
            (part < quantity).then_some((price, quantity - part))
        })
    }

    fn missing(&self, side: Side) -> &Missing {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    fn missing_mut(&mut self, side: Side) -> &mut Missing {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }
}

/// As a book of the matching engine; levels beyond what prices can be are left out.
pub fn book([bids, asks]: [Levels; 2]) -> engine::Book {
    let level = |(price, quantity): (u64, u64)| -> Option<(Price, domain::Quantity)> {
        Some((units::price(price)?, units::quantity(quantity)?))
    };
    let side = |levels: Levels| levels.into_iter().filter_map(level).collect();
    engine::Book { bids: side(bids), asks: side(asks) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_taken_comes_back_over_seconds() {
        let missing = Missing { quantity: 1_000_000, step: 0, told: Vec::new() };
        let at = |step: i64| missing.at(step * STEP, 10);
        assert_eq!((at(0), at(2)), (1_000_000, 1_000_000), "nothing comes back at once");
        assert_eq!((at(3), at(30), at(60)), (933_000, 500_000, 250_000));
        assert!((0..700).map(at).is_sorted_by(|a, b| a >= b));
        assert_eq!(at(600), 0);
        assert!((0..700).all(|step| at(step) % 10 == 0), "whole lots");
    }

    #[test]
    fn the_farthest_comes_back_first() {
        let mut missing = Missing::default();
        let levels = || [(100, 5), (101, 5), (102, 5)].into_iter();
        assert_eq!(missing.tell(Side::Sell, 12, levels()), [100, 101, 102]);
        assert_eq!(missing.told, [(100, 5), (101, 5), (102, 2)]);
        assert_eq!(missing.tell(Side::Sell, 8, levels()), [101, 102]);
        assert_eq!(missing.told, [(100, 5), (101, 3)]);
        // The price has moved.
        assert_eq!(missing.tell(Side::Sell, 8, [(99, 6), (100, 5)].into_iter()), [99, 100, 101]);
        assert_eq!(missing.told, [(99, 6), (100, 2)]);
        assert_eq!([99, 100, 101].map(|price| missing.told_at(Side::Sell, price)), [6, 2, 0]);
        assert_eq!(missing.tell(Side::Sell, 0, levels()), [99, 100]);
    }

    #[test]
    fn bids_come_back_from_below() {
        let mut missing = Missing::default();
        let levels = || [(100, 5), (98, 5), (97, 5)].into_iter();
        assert_eq!(missing.tell(Side::Buy, 12, levels()), [100, 98, 97]);
        assert_eq!(missing.tell(Side::Buy, 7, levels()), [98, 97]);
        assert_eq!(missing.tell(Side::Buy, 7, [(101, 1), (99, 9)].into_iter()), [101, 100, 99, 98]);
        assert_eq!([101, 100, 99, 98].map(|price| missing.told_at(Side::Buy, price)), [1, 0, 6, 0]);
    }
}
