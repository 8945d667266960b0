//! Queries: the account, its orders and fills, the market, the venue itself. Weights are those of 2026.

use super::{Call, Method, orders::by_symbol};
use crate::{frame::venue_client_order, params::Params};
use domain::{ClientOrderId, Interval, Symbol, Timestamp};

/// One order by our id, whatever became of it. What became of an order is always found out first.
pub fn order(symbol: Symbol, order: ClientOrderId) -> Call {
    let params = by_symbol(symbol).with("origClientOrderId", venue_client_order(order));
    Call::signed(Method::Get, "/api/v3/order", "order.status", 4).params(params).protective()
}

/// One order by the venue's number.
pub fn order_by_number(symbol: Symbol, order: i64) -> Call {
    let params = by_symbol(symbol).with("orderId", order);
    Call::signed(Method::Get, "/api/v3/order", "order.status", 4).params(params).protective()
}

/// How an order was amended, the oldest change first, 500 at most.
pub fn amendments(symbol: Symbol, order: i64) -> Call {
    let params = by_symbol(symbol).with("orderId", order);
    Call::signed(Method::Get, "/api/v3/order/amendments", "order.amendments", 4).params(params).protective()
}

/// The last 500 orders, in ascending order.
pub fn last_orders(symbol: Symbol) -> Call {
    Call::signed(Method::Get, "/api/v3/allOrders", "allOrders", 20).params(by_symbol(symbol)).protective()
}

/// All orders that work, on one symbol or (dearer) on all.
pub fn open_orders(symbol: Option<Symbol>) -> Call {
    let weight = if symbol.is_some() { 6 } else { 80 };
    let params = Params::default().maybe("symbol", symbol.map(|s| s.to_string()));
    Call::signed(Method::Get, "/api/v3/openOrders", "openOrders.status", weight).params(params)
}

/// Orders from that number on, in ascending order, 1,000 at most.
pub fn all_orders(symbol: Symbol, from: i64) -> Call {
    let params = by_symbol(symbol).with("orderId", from).with("limit", 1_000_u32);
    Call::signed(Method::Get, "/api/v3/allOrders", "allOrders", 20).params(params)
}

/// The fills of one order.
pub fn fills_of(symbol: Symbol, order: i64) -> Call {
    let params = by_symbol(symbol).with("orderId", order).with("limit", 1_000_u32);
    Call::signed(Method::Get, "/api/v3/myTrades", "myTrades", 5).params(params).protective()
}

/// The fills of one order from that trade number on.
pub fn fills_of_from(symbol: Symbol, order: i64, from: i64) -> Call {
    let params = by_symbol(symbol).with("orderId", order).with("fromId", from).with("limit", 1_000_u32);
    Call::signed(Method::Get, "/api/v3/myTrades", "myTrades", 5).params(params).protective()
}

/// Fills from that trade number on, in ascending order, 1,000 at most.
pub fn fills_from(symbol: Symbol, from: i64) -> Call {
    let params = by_symbol(symbol).with("fromId", from).with("limit", 1_000_u32);
    Call::signed(Method::Get, "/api/v3/myTrades", "myTrades", 20).params(params)
}

/// Fills since a time, of at most 24 hours, 1,000 at most.
pub fn fills_since(symbol: Symbol, since: Timestamp) -> Call {
    let params = by_symbol(symbol).with("startTime", since.millis()).with("limit", 1_000_u32);
    Call::signed(Method::Get, "/api/v3/myTrades", "myTrades", 20).params(params)
}

/// Executions of one order by smart order routing, which `myTrades` does not have.
pub fn allocations_of(symbol: Symbol, order: i64) -> Call {
    let params = by_symbol(symbol).with("orderId", order).with("limit", 1_000_u32);
    Call::signed(Method::Get, "/api/v3/myAllocations", "myAllocations", 20).params(params)
}

/// Balances, those of nothing too: what was sold while nobody listened must be told. And what the account may do.
pub fn account() -> Call {
    let params = Params::default().with("omitZeroBalances", false);
    Call::signed(Method::Get, "/api/v3/account", "account.status", 20).params(params)
}

/// What the key may do. One of the wallet's endpoints, which the test network does not have.
pub fn restrictions() -> Call {
    let call = Call::signed(Method::Get, "/sapi/v1/account/apiRestrictions", "", 1);
    Call { ws_method: None, ..call }
}

/// The venue's clock.
pub fn time() -> Call {
    Call::open(Method::Get, "/api/v3/time", Some("time"), 1)
}

/// The rules of these symbols; of all where none is named.
pub fn exchange_info(symbols: &[Symbol]) -> Call {
    let params = match symbols {
        [] => Params::default(),
        [one] => by_symbol(*one),
        more => {
            let names: Vec<String> = more.iter().map(|symbol| format!("\"{symbol}\"")).collect();
            Params::default().with("symbols", format!("[{}]", names.join(",")))
        }
    };
    Call::open(Method::Get, "/api/v3/exchangeInfo", Some("exchangeInfo"), 20).params(params)
}

/// A snapshot of the book, 5,000 levels a side at most.
pub fn depth(symbol: Symbol, limit: u32) -> Call {
    let weight = match limit {
        0..=100 => 5,
        101..=500 => 25,
        501..=1_000 => 50,
        1_001.. => 250,
    };
    let params = by_symbol(symbol).with("limit", limit);
    Call::open(Method::Get, "/api/v3/depth", Some("depth"), weight).params(params)
}

/// Candles that open from `from` to `to`, both included, 1,000 at most, the oldest first.
pub fn klines(symbol: Symbol, interval: Interval, from: Timestamp, to: Timestamp) -> Call {
    let params = by_symbol(symbol)
        .with("interval", interval.as_str())
        .with("startTime", from.millis())
        .with("endTime", to.millis())
        .with("limit", 1_000_u32);
    Call::open(Method::Get, "/api/v3/klines", Some("klines"), 2).params(params)
}
