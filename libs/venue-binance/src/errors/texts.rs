//! The texts of -1010, -1013, -2010, -2011 and -2038, which tell what their numbers do not (Binance's
//! `errors.md`, "Messages for …" and "Filter failures").

use events::Rejection;

/// Why, by the text's beginning; [`Rejection::Other`] where it tells nothing that we act upon.
pub fn reason(text: &str) -> Rejection {
    let known = REASONS.iter().find(|(beginning, _)| text.starts_with(beginning));
    known.map_or(Rejection::Other, |(_, reason)| *reason)
}

const REASONS: &[(&str, Rejection)] = &[
    ("Account has insufficient balance", Rejection::InsufficientBalance),
    ("Order would trigger immediately", Rejection::WouldTrigger),
    // What the servers have said for it, whatever is documented.
    ("Stop price would trigger immediately", Rejection::WouldTrigger),
    // Of an OCO whose prices were right when it was made: the market has passed a leg.
    ("The relationship of the prices for the orders is not correct", Rejection::WouldTrigger),
    ("Order would immediately match and take", Rejection::WouldTrigger),
    ("Duplicate order sent", Rejection::DuplicateId),
    ("Market is closed", Rejection::MarketClosed),
    ("Filter failure", Rejection::Filter),
    ("Price * QTY is zero or less", Rejection::Filter),
    ("IcebergQty exceeds QTY", Rejection::Filter),
    ("Order book liquidity is less than", Rejection::Filter),
    ("Invalid price", Rejection::Filter),
    ("Invalid quantity", Rejection::Filter),
    ("Invalid symbol", Rejection::UnknownInstrument),
];
