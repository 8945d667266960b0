//! How much there is to be had.

use domain::Amount;
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
}

impl Liquidity {
    /// A candle of that volume has closed; what quotes gave in its time is gone of it.
    pub fn see_candle(&mut self, volume: Amount) {
        *self = Self { volume, quoted: Amount::ZERO, taken: self.quoted, quote_in_hand: false };
    }

    /// A quote offers as much as the last candle did, less what quotes have given since.
    pub fn see_quote(&mut self) {
        self.taken = self.quoted;
        self.quote_in_hand = true;
    }

    pub fn take(&mut self, quantity: Amount) {
        self.taken += quantity;
        if self.quote_in_hand {
            self.quoted += quantity;
        }
    }

    /// What is left where `participation` of the volume may be taken; base asset.
    pub fn left(&self, participation: Amount) -> Amount {
        let offer = participation.checked_mul(self.volume).unwrap_or(self.volume);
        (offer - self.taken).max(Amount::ZERO)
    }
}
