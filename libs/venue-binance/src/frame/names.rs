//! Binance's names as ours.

use crate::ParseError;
use domain::{Account, Asset, ClientOrderId, Instrument, Side, Symbol, VenueOrderId, VenueTradeId};
use std::borrow::Cow;

/// Binance allows `/` in a client order id, we do not: it is written `~`, which Binance does not allow, so
/// that orders of other programs keep names of their own. Ours have neither.
///
/// # Errors
/// Empty, longer than 36 bytes, or with blanks in it.
pub fn client_order(field: &'static str, given: &str) -> Result<ClientOrderId, ParseError> {
    let spelt = if given.contains('/') { Cow::Owned(given.replace('/', "~")) } else { Cow::Borrowed(given) };
    ClientOrderId::new(&spelt).map_err(ParseError::of(field))
}

/// The id as Binance knows it.
pub fn venue_client_order(id: ClientOrderId) -> String {
    id.replace('~', "/")
}

pub(super) fn instrument(account: Account, symbol: &str) -> Result<Instrument, ParseError> {
    let symbol = Symbol::new(symbol).map_err(ParseError::of("symbol"))?;
    Ok(Instrument::spot(account.venue, symbol))
}

pub fn asset(field: &'static str, given: &str) -> Result<Asset, ParseError> {
    Asset::new(given).map_err(ParseError::of(field))
}

pub fn side(given: &str) -> Result<Side, ParseError> {
    match given {
        "BUY" => Ok(Side::Buy),
        "SELL" => Ok(Side::Sell),
        other => Err(ParseError::field("side", format!("is '{other}', neither BUY nor SELL"))),
    }
}

/// An order's number; a negative one stands for none.
pub(super) fn venue_order(number: i64) -> Result<VenueOrderId, ParseError> {
    if number < 0 {
        return Err(ParseError::field("orderId", format!("is {number}, which names no order")));
    }
    VenueOrderId::new(digits(number, &mut [0; 20])).map_err(ParseError::of("orderId"))
}

/// A trade's number or, where an order was matched by an allocation, `allocation-` and that number.
pub(super) fn venue_trade(trade: Option<i64>, allocation: Option<i64>) -> Result<VenueTradeId, ParseError> {
    let named = match (trade.filter(|n| *n >= 0), allocation.filter(|n| *n >= 0)) {
        (Some(trade), _) => VenueTradeId::new(digits(trade, &mut [0; 20])),
        (None, Some(allocation)) => VenueTradeId::new(&format!("allocation-{allocation}")),
        (None, None) => return Err(ParseError::missing("tradeId")),
    };
    named.map_err(ParseError::of("tradeId"))
}

/// A number that is not negative, without an allocation.
fn digits(number: i64, buffer: &mut [u8; 20]) -> &str {
    let mut rest = number.unsigned_abs();
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    std::str::from_utf8(&buffer[at..]).unwrap_or_default()
}
