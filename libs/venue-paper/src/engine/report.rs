//! What the exchange has to say about one instrument.

use super::{Owner, SelfTrade};
use domain::{
    Amount, Asset, ClientOrderId, Ending, Filled, Instrument, Price, Quantity, Side, Timestamp, VenueOrderId,
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
        owner: Owner,
        asset: Asset,
        free: Amount,
        locked: Amount,
        as_of: Timestamp,
    },
    /// Orders wait for the next price.
    QuoteWanted,
    /// A stop was reached, and the order works from now on. Only [`super::Spot`] says so.
    Triggered {
        order: ClientOrderId,
        venue_order: VenueOrderId,
        at: Timestamp,
    },
    /// The order's limit follows from the book and is that price now. Said before the order is
    /// accepted, placed or triggered.
    Pegged {
        order: ClientOrderId,
        venue_order: VenueOrderId,
        price: Price,
        at: Timestamp,
    },
    /// An order that waited for the working order of its list is placed. `quantity` is what one that was
    /// paid for by the other has come to.
    Released {
        order: ClientOrderId,
        venue_order: VenueOrderId,
        quantity: Option<Quantity>,
        at: Timestamp,
    },
    Amended(Amendment),
    AmendRejected {
        order: ClientOrderId,
        refusal: Refusal,
        at: Timestamp,
    },
    /// Two orders of the account did not trade with each other.
    Prevented(Prevention),
}

impl Report {
    /// The order that it is about, if it is about one.
    pub fn order(&self) -> Option<ClientOrderId> {
        match self {
            Self::Accepted(Acceptance { order, .. })
            | Self::Rejected { order, .. }
            | Self::Filled(Execution { order, .. })
            | Self::Ended(End { order, .. })
            | Self::CancelRejected { order, .. }
            | Self::Triggered { order, .. }
            | Self::Pegged { order, .. }
            | Self::Released { order, .. }
            | Self::Amended(Amendment { order, .. })
            | Self::AmendRejected { order, .. } => Some(*order),
            Self::Balance { .. } | Self::QuoteWanted | Self::Prevented(_) => None,
        }
    }
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
    /// What was taken by smart order routing is no trade of the order's instrument; `venue_trade` is then this
    /// number.
    pub allocation: Option<Allocation>,
}

/// What a router has taken for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocation {
    /// 0, 1, 2 … by instrument: Binance's `allocationId`.
    pub number: u64,
    /// Where it was taken.
    pub from: Instrument,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct End {
    pub order: ClientOrderId,
    pub venue_order: VenueOrderId,
    pub ending: Ending,
    pub filled: Filled,
    /// Why it expired, if it did.
    pub expiry: Option<Expiry>,
    /// Lost to self-trade prevention over its life; base asset.
    pub prevented: Amount,
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// The other leg of its OCO came to life.
    OcoTrigger,
    UnfilledIoc,
    UnfilledFok,
    /// Nothing was left to be had, or the account could not pay for more.
    InsufficientLiquidity,
    /// Self-trade prevention: Binance's status is then `EXPIRED_IN_MATCH`.
    SelfTrade,
    /// The working order of its list expired.
    WorkingExpired,
    /// It could not be placed when its time came: no funds, a filter, a price that has been passed.
    Rejected,
}

/// An order has become smaller. Its number and its place in the queue stay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Amendment {
    pub order: ClientOrderId,
    /// Its id until now; may be the same.
    pub was: ClientOrderId,
    pub venue_order: VenueOrderId,
    pub quantity: Quantity,
    pub was_quantity: Quantity,
    pub filled: Filled,
    pub at: Timestamp,
}

/// A match that did not happen. An order that it ends is reported as ended right behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prevention {
    /// 0, 1, 2 … by instrument: Binance's `preventedMatchId`.
    pub number: u64,
    /// The taker's mode.
    pub mode: SelfTrade,
    pub taker: ClientOrderId,
    pub taker_order: VenueOrderId,
    pub maker: ClientOrderId,
    pub maker_order: VenueOrderId,
    /// The maker's price, at which they would have traded.
    pub price: Price,
    /// What would have been traded; base asset.
    pub quantity: Amount,
    /// What each of them lost, if anything; base asset.
    pub taker_prevented: Option<Amount>,
    pub maker_prevented: Option<Amount>,
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
