//! The life of an order, from intent to its end.

use super::{Fee, payload};
use domain::{
    Account, ClientOrderId, Decimal, Ending, Filled, Instrument, OrderRequest, Origin, Price, Quantity, Side,
    Timestamp, VenueOrderId, VenueTradeId,
};
use serde::{Deserialize, Serialize};

/// We want this at the venue. Committed before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderSubmitted {
    pub account: Account,
    pub instrument: Instrument,
    pub request: Box<OrderRequest>,
}
payload!(
    OrderSubmitted,
    |e| format!("order:{}", e.request.id()),
    trade = e.request.trade(),
    account = Some(e.account),
    instrument = e.instrument,
);

/// The request is about to be sent, signed with exactly this timestamp and window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderAttempted {
    pub account: Account,
    pub instrument: Instrument,
    /// The order's id, or the OCO list's.
    pub request: ClientOrderId,
    /// From 1.
    pub attempt: u32,
    pub timestamp: Timestamp,
    pub recv_window_ms: u32,
}
payload!(
    OrderAttempted,
    |e| format!("order:{}", e.request),
    account = Some(e.account),
    instrument = e.instrument,
);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderAccepted {
    pub account: Account,
    pub instrument: Instrument,
    pub order: ClientOrderId,
    pub venue_order: VenueOrderId,
    pub at: Timestamp,
}
payload!(
    OrderAccepted,
    |e| format!("order:{}", e.order),
    at = e.at,
    account = Some(e.account),
    instrument = e.instrument,
);

/// Why a venue did not take an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    InsufficientBalance,
    /// A stop that would trigger at once, a maker order that would take.
    WouldTrigger,
    Filter,
    /// An open order already has this client id.
    DuplicateId,
    UnknownInstrument,
    MarketClosed,
    /// The request reached the venue outside its window, and had no effect.
    OutsideWindow,
    RateLimited,
    Other,
}

/// The venue said no; nothing works there under this id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRejected {
    pub account: Account,
    pub instrument: Instrument,
    pub order: ClientOrderId,
    pub reason: Rejection,
    /// The venue's own number and text.
    pub code: Option<i64>,
    pub text: String,
    pub at: Timestamp,
}
payload!(
    OrderRejected,
    |e| format!("order:{}", e.order),
    at = e.at,
    account = Some(e.account),
    instrument = e.instrument,
);

/// We refused to send it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRefused {
    pub account: Account,
    pub instrument: Instrument,
    pub order: ClientOrderId,
    pub text: String,
}
payload!(
    OrderRefused,
    |e| format!("order:{}", e.order),
    account = Some(e.account),
    instrument = e.instrument,
);

/// An open order was changed in its place at the venue, by somebody else: it keeps its number and has another
/// client id and a smaller quantity (Binance's `faqs/order_amend_keep_priority.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderAmended {
    pub account: Account,
    pub instrument: Instrument,
    /// The client id that it had until now.
    pub order: ClientOrderId,
    /// The client id that it goes by at the venue from now on; the same, if the owner kept it.
    pub renamed: ClientOrderId,
    pub venue_order: VenueOrderId,
    /// The venue's number of this change: an order may be changed several times.
    pub execution: u64,
    /// All of it from now on, what has been filled already included.
    pub quantity: Quantity,
    pub at: Timestamp,
}
payload!(
    OrderAmended,
    |e| format!("order:{}", e.order),
    at = e.at,
    account = Some(e.account),
    instrument = e.instrument,
);

/// One execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderFilled {
    pub account: Account,
    pub instrument: Instrument,
    pub order: ClientOrderId,
    pub venue_order: VenueOrderId,
    pub venue_trade: VenueTradeId,
    pub side: Side,
    pub price: Price,
    pub quantity: Quantity,
    /// Quote asset exchanged.
    pub quote: Decimal,
    /// In the base, the quote or a third asset.
    pub fee: Option<Fee>,
    pub maker: bool,
    pub at: Timestamp,
}
payload!(
    OrderFilled,
    |e| format!("order:{}", e.order),
    at = e.at,
    account = Some(e.account),
    instrument = e.instrument,
);

/// The venue is done with it; `filled` is all that was traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEnded {
    pub account: Account,
    pub instrument: Instrument,
    pub order: ClientOrderId,
    pub venue_order: VenueOrderId,
    /// `Filled`, `Canceled` or `Expired`.
    pub ending: Ending,
    pub filled: Filled,
    pub at: Timestamp,
}
payload!(
    OrderEnded,
    |e| format!("order:{}", e.order),
    at = e.at,
    account = Some(e.account),
    instrument = e.instrument,
);

/// No answer, or one that says nothing: the order may work or not. It is looked up, never sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderUnknown {
    pub account: Account,
    pub instrument: Instrument,
    pub request: ClientOrderId,
    pub attempt: u32,
    pub text: String,
}
payload!(
    OrderUnknown,
    |e| format!("order:{}", e.request),
    account = Some(e.account),
    instrument = e.instrument,
);

/// Looked up after its window had passed, and not there: it never arrived and never will.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderAbsent {
    pub account: Account,
    pub instrument: Instrument,
    pub order: ClientOrderId,
}
payload!(OrderAbsent, |e| format!("order:{}", e.order), account = Some(e.account), instrument = e.instrument,);

/// We want it gone. Canceling a leg of an OCO cancels both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRequested {
    pub account: Account,
    pub instrument: Instrument,
    pub order: ClientOrderId,
    /// From 1; each is its own request.
    pub request: u32,
}
payload!(
    CancelRequested,
    |e| format!("order:{}", e.order),
    account = Some(e.account),
    instrument = e.instrument,
);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelAttempted {
    pub account: Account,
    pub instrument: Instrument,
    pub order: ClientOrderId,
    pub attempt: u32,
    pub timestamp: Timestamp,
    pub recv_window_ms: u32,
}
payload!(
    CancelAttempted,
    |e| format!("order:{}", e.order),
    account = Some(e.account),
    instrument = e.instrument,
);

/// The venue would not cancel it: as a rule because it does not work any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRejected {
    pub account: Account,
    pub instrument: Instrument,
    pub order: ClientOrderId,
    pub code: Option<i64>,
    pub text: String,
    pub at: Timestamp,
}
payload!(
    CancelRejected,
    |e| format!("order:{}", e.order),
    at = e.at,
    account = Some(e.account),
    instrument = e.instrument,
);

/// Its end and all its fills are on the tape; said once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDone {
    pub account: Account,
    pub instrument: Instrument,
    pub order: ClientOrderId,
    /// `None` for an order that is not ours.
    pub origin: Option<Origin>,
    pub ending: Ending,
    pub filled: Filled,
    pub fees: Vec<Fee>,
    /// Why it was rejected, where it was.
    pub rejection: Option<Rejection>,
    pub text: String,
}
payload!(
    OrderDone,
    |e| format!("order:{}", e.order),
    trade = match e.origin {
        Some(Origin::Trade { trade, .. }) => Some(trade),
        Some(Origin::Manual { .. }) | None => None,
    },
    account = Some(e.account),
    instrument = e.instrument,
);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingFor {
    /// Submitted, and neither accepted nor rejected.
    Acceptance,
    /// A cancel was asked for, and it still works.
    Cancel,
    /// It has ended, but fills that the venue counts have not been heard.
    Fills,
}

/// An alarm: an order has waited too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderStuck {
    pub account: Account,
    pub instrument: Instrument,
    pub order: ClientOrderId,
    pub waiting_for: WaitingFor,
    pub since: Timestamp,
}
payload!(OrderStuck, |e| format!("order:{}", e.order), account = Some(e.account), instrument = e.instrument,);
