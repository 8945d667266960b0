//! What the exchange has to say about one instrument.

use domain::{
    Amount, Asset, ClientOrderId, Ending, Filled, Price, Quantity, Side, Timestamp, VenueOrderId,
    VenueTradeId,
};
use events::{Fee, Rejection};

#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    Accepted(Acceptance),
    Rejected {
        order: ClientOrderId,
        refusal: Refusal,
        at: Timestamp,
    },
    Filled(Execution),
    Ended(End),
    CancelRejected {
        order: ClientOrderId,
        refusal: Refusal,
        at: Timestamp,
    },
    /// What the account has of an asset now.
    Balance {
        asset: Asset,
        free: Amount,
        locked: Amount,
        as_of: Timestamp,
    },
    /// Orders wait for the next price.
    QuoteWanted,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Acceptance {
    pub order: ClientOrderId,
    pub venue_order: VenueOrderId,
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Execution {
    pub order: ClientOrderId,
    pub venue_order: VenueOrderId,
    pub venue_trade: VenueTradeId,
    pub side: Side,
    pub price: Price,
    pub quantity: Quantity,
    /// Price × quantity, exactly.
    pub quote: Amount,
    pub fee: Option<Fee>,
    pub maker: bool,
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct End {
    pub order: ClientOrderId,
    pub venue_order: VenueOrderId,
    pub ending: Ending,
    pub filled: Filled,
    pub at: Timestamp,
}

/// A no, with Binance's number and text (its `errors.md`) where it has one for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub reason: Rejection,
    pub code: Option<i64>,
    pub text: String,
}

impl Refusal {
    pub fn new(reason: Rejection, code: i64, text: impl Into<String>) -> Self {
        Self { reason, code: Some(code), text: text.into() }
    }
    /// A no for which Binance's interface has no number, because it cannot be asked there.
    pub fn unnumbered(text: impl Into<String>) -> Self {
        Self { reason: Rejection::Other, code: None, text: text.into() }
    }
    pub fn duplicate() -> Self {
        Self::new(Rejection::DuplicateId, -2010, "Duplicate order sent.")
    }
    pub fn unknown_order() -> Self {
        Self::new(Rejection::Other, -2011, "Unknown order sent.")
    }
    pub fn unknown_instrument() -> Self {
        Self::new(Rejection::UnknownInstrument, -1121, "Invalid symbol.")
    }
}
