//! What a difference of amounts looks like.

use crate::books::Assets;
use domain::{Asset, Decimal, Side};
use events::{Difference, LikelyCause};
use std::collections::{BTreeMap, BTreeSet};

/// An asset of which the venue has another amount than our books.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Differs {
    pub asset: Asset,
    pub ours: Decimal,
    pub venue: Decimal,
}

impl Differs {
    /// How much more the venue has.
    fn more(&self) -> Decimal {
        self.venue.saturating_sub(self.ours)
    }

    fn is_more(&self) -> bool {
        self.venue > self.ours
    }
}

/// A fee is at most this part of what is held of its asset; what is more looks like a withdrawal.
const FEE: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// `fees`: the assets in which fees were paid.
pub fn explain(all: &[Differs], fees: &BTreeSet<Asset>, assets: &Assets) -> Vec<Difference> {
    let mut causes: BTreeMap<Asset, LikelyCause> = BTreeMap::new();
    for base in all {
        for quote in all.iter().filter(|quote| quote.is_more() != base.is_more()) {
            let is_taken = causes.contains_key(&base.asset) || causes.contains_key(&quote.asset);
            let Some(instrument) = assets.between(base.asset, quote.asset).filter(|_| !is_taken) else {
                continue;
            };
            let side = if base.is_more() { Side::Buy } else { Side::Sell };
            let cause = LikelyCause::MissingFill { instrument, side, quantity: base.more().abs() };
            causes.extend([(base.asset, cause), (quote.asset, cause)]);
        }
    }
    let alone: Vec<&Differs> = all.iter().filter(|of| !causes.contains_key(&of.asset)).collect();
    let (more, less): (Vec<&Differs>, Vec<&Differs>) = alone.into_iter().partition(|of| of.is_more());
    let is_conversion = more.len() == 1 && !less.is_empty() && less.iter().all(|of| of.venue.is_zero());
    for of in more.iter().chain(&less) {
        let is_small = of.more().abs() <= of.ours.saturating_mul(FEE);
        let cause = match of.is_more() {
            _ if is_conversion => LikelyCause::DustConversion,
            true => LikelyCause::Deposit,
            false if fees.contains(&of.asset) && is_small => LikelyCause::Fee,
            false => LikelyCause::Withdrawal,
        };
        causes.insert(of.asset, cause);
    }
    let difference = |of: &Differs| {
        let Differs { asset, ours, venue } = *of;
        causes.get(&asset).map(|&cause| Difference::Balance { asset, ours, venue, cause })
    };
    all.iter().filter_map(difference).collect()
}
