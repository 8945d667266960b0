//! How much there is to be had.

use domain::{Amount, Side};
use events::BestPrices;
use serde::{Deserialize, Serialize};

/// The volume that the price in hand offers to all orders of an instrument together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Liquidity {
    /// Of the last candle that filled; base asset.
    volume: Amount,
    /// Taken at quotes since that candle.
    quoted: Amount,
    /// What is already gone of the offer in hand.
    taken: Amount,
    /// Whether the price in hand is a quote.
    quote_in_hand: bool,
    /// Of the last quote, if it was of a live market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shown: Option<Shown>,
}

/// What best prices show, and what is already gone of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Shown {
    best: BestPrices,
    taken_of_bid: Amount,
    taken_of_ask: Amount,
}

impl Liquidity {
    /// A candle of that volume has closed; what quotes gave in its time is gone of it.
    pub fn see_candle(&mut self, volume: Amount) {
        *self = Self {
            volume,
            quoted: Amount::ZERO,
            taken: self.quoted,
            quote_in_hand: false,
            shown: self.shown,
        };
    }

    /// A quote offers as much as the last candle did, less what quotes have given since; one of a live market at
    /// least what it shows.
    pub fn see_quote(&mut self, best: Option<BestPrices>) {
        self.taken = self.quoted;
        self.quote_in_hand = true;
        self.shown = best.map(|best| Shown::next(self.shown, best));
    }

    /// An order of that side has taken `quantity`; base asset.
    pub fn take(&mut self, side: Side, quantity: Amount) {
        self.taken += quantity;
        if self.quote_in_hand {
            self.quoted += quantity;
            if let Some(shown) = &mut self.shown {
                *shown.taken_by(side) += quantity;
            }
        }
    }

    /// What is left to an order of that side where `participation` of the volume may be taken; base asset.
    pub fn left(&self, side: Side, participation: Amount) -> Amount {
        let offer = participation.checked_mul(self.volume).unwrap_or(self.volume);
        let left = (offer - self.taken).max(Amount::ZERO);
        self.shown_left(side).map_or(left, |shown| left.max(shown))
    }

    /// What is left to an order of that side of what the price in hand shows, if that is a quote of a live market;
    /// base asset.
    pub fn shown_left(&self, side: Side) -> Option<Amount> {
        self.shown.filter(|_| self.quote_in_hand).map(|shown| shown.left_to(side))
    }
}

impl Shown {
    /// The same price and quantity again are the same offer; what was taken of it stays taken.
    fn next(last: Option<Self>, best: BestPrices) -> Self {
        let taken = |side, taken: fn(&Self) -> Amount| {
            let same = |last: &Self| last.best.taken_by(side) == best.taken_by(side);
            last.filter(same).map_or(Amount::ZERO, |last| taken(&last))
        };
        Self {
            best,
            taken_of_bid: taken(Side::Sell, |last| last.taken_of_bid),
            taken_of_ask: taken(Side::Buy, |last| last.taken_of_ask),
        }
    }

    const fn taken_by(&mut self, side: Side) -> &mut Amount {
        match side {
            Side::Buy => &mut self.taken_of_ask,
            Side::Sell => &mut self.taken_of_bid,
        }
    }

    fn left_to(mut self, side: Side) -> Amount {
        let (_, shown) = self.best.taken_by(side);
        (shown.get() - *self.taken_by(side)).max(Amount::ZERO)
    }
}
