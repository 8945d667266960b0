//! Events of the user data stream (Binance's `user-data-stream.md`), in the order of its fields.

use super::{
    archive::{Entry, List, Prevented, Trade},
    figure::{client_id, figure},
};
use crate::params::TimeUnit;
use domain::{Amount, Asset, ClientOrderId, Decimal, Side, TimeInForce, Timestamp};
use serde::Serialize;

/// What became of an order, and why it is told.
#[derive(Debug, Clone, Copy)]
pub struct News<'a> {
    pub order: &'a Entry,
    pub what: What<'a>,
    /// Of a cancel or an amendment: the name that the request gave itself.
    pub request: Option<ClientOrderId>,
    pub execution: i64,
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy)]
pub enum What<'a> {
    New,
    Traded(&'a Trade),
    Canceled,
    /// The order has a new name and quantity; this is its old name.
    Replaced(ClientOrderId),
    Expired,
    Prevented(&'a Prevented),
    /// Never accepted: `r`.
    Rejected(&'static str),
}

#[derive(Serialize)]
struct ExecutionReport<'a> {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: i64,
    #[serde(rename = "s")]
    symbol: &'a str,
    #[serde(rename = "c")]
    client_order: String,
    #[serde(rename = "S")]
    side: &'static str,
    #[serde(rename = "o")]
    order_type: &'static str,
    #[serde(rename = "f")]
    time_in_force: &'static str,
    #[serde(rename = "q")]
    quantity: String,
    #[serde(rename = "p")]
    price: String,
    #[serde(rename = "P")]
    stop_price: String,
    #[serde(rename = "d", skip_serializing_if = "Option::is_none")]
    trailing_delta: Option<u32>,
    #[serde(rename = "F")]
    iceberg: String,
    #[serde(rename = "g")]
    list: i64,
    #[serde(rename = "C")]
    original_client_order: String,
    x: &'static str,
    #[serde(rename = "X")]
    status: &'static str,
    r: &'static str,
    #[serde(rename = "i")]
    order: i64,
    #[serde(rename = "l")]
    last_quantity: String,
    #[serde(rename = "z")]
    filled_quantity: String,
    #[serde(rename = "L")]
    last_price: String,
    #[serde(rename = "n")]
    fee: String,
    #[serde(rename = "N")]
    fee_asset: Option<Asset>,
    #[serde(rename = "T")]
    transaction_time: i64,
    #[serde(rename = "t")]
    trade: i64,
    #[serde(rename = "v", skip_serializing_if = "Option::is_none")]
    prevented_match: Option<i64>,
    #[serde(rename = "I")]
    execution: i64,
    #[serde(rename = "w")]
    is_working: bool,
    #[serde(rename = "m")]
    is_maker: bool,
    #[serde(rename = "M")]
    ignored: bool,
    #[serde(rename = "O")]
    created: i64,
    #[serde(rename = "Z")]
    filled_quote: String,
    #[serde(rename = "Y")]
    last_quote: String,
    #[serde(rename = "Q")]
    quote_quantity: String,
    #[serde(rename = "D", skip_serializing_if = "Option::is_none")]
    trailing_time: Option<i64>,
    #[serde(rename = "j", skip_serializing_if = "Option::is_none")]
    strategy: Option<i64>,
    #[serde(rename = "J", skip_serializing_if = "Option::is_none")]
    strategy_type: Option<i64>,
    #[serde(rename = "W", skip_serializing_if = "Option::is_none")]
    working_time: Option<i64>,
    #[serde(rename = "V")]
    self_trade: &'static str,
    #[serde(rename = "A", skip_serializing_if = "Option::is_none")]
    prevented: Option<String>,
    #[serde(rename = "B", skip_serializing_if = "Option::is_none")]
    last_prevented: Option<String>,
    /// The group of accounts within which trades are prevented; −1 for none.
    #[serde(rename = "u", skip_serializing_if = "Option::is_none")]
    trade_group: Option<i64>,
    #[serde(rename = "U", skip_serializing_if = "Option::is_none")]
    counter_order: Option<i64>,
    #[serde(rename = "Cs", skip_serializing_if = "Option::is_none")]
    counter_symbol: Option<&'a str>,
    #[serde(rename = "pl", skip_serializing_if = "Option::is_none")]
    prevented_quantity: Option<String>,
    #[serde(rename = "pL", skip_serializing_if = "Option::is_none")]
    prevented_price: Option<String>,
    #[serde(rename = "pY", skip_serializing_if = "Option::is_none")]
    prevented_quote: Option<String>,
    #[serde(rename = "b", skip_serializing_if = "Option::is_none")]
    match_type: Option<&'static str>,
    #[serde(rename = "a", skip_serializing_if = "Option::is_none")]
    allocation: Option<i64>,
    #[serde(rename = "k", skip_serializing_if = "Option::is_none")]
    working_floor: Option<&'static str>,
    #[serde(rename = "uS", skip_serializing_if = "Option::is_none")]
    used_sor: Option<bool>,
    #[serde(rename = "gP", skip_serializing_if = "Option::is_none")]
    peg_type: Option<&'static str>,
    #[serde(rename = "gOT", skip_serializing_if = "Option::is_none")]
    peg_offset_type: Option<&'static str>,
    #[serde(rename = "gOV", skip_serializing_if = "Option::is_none")]
    peg_offset: Option<u32>,
    #[serde(rename = "gp", skip_serializing_if = "Option::is_none")]
    pegged_price: Option<String>,
    #[serde(rename = "eR", skip_serializing_if = "Option::is_none")]
    expiry: Option<&'static str>,
}

/// As Binance writes it.
pub fn trade_group(group: Option<u32>) -> i64 {
    group.map_or(-1, i64::from)
}

/// `matchType` of what was allocated.
pub const ONE_PARTY: &str = "ONE_PARTY_TRADE_REPORT";
/// The only `pegOffsetType`.
pub const PRICE_LEVEL: &str = "PRICE_LEVEL";

impl News<'_> {
    /// The event's JSON with its times in that unit; it is told at `now`.
    pub fn json(&self, now: Timestamp, unit: TimeUnit) -> String {
        let Self { order, what, .. } = self;
        let symbol = order.instrument.symbol;
        let trade = what.trade();
        let prevented = what.prevented();
        let time = |at: Timestamp| unit.of(at);
        let fee = trade.and_then(|trade| trade.fee);
        let (client_order, original) = self.names();
        let is_open = order.status.is_open() && !matches!(what, What::Rejected(_));
        let lost =
            prevented.and_then(|p| if p.taker == order.number { p.taker_quantity } else { p.maker_quantity });
        json(&ExecutionReport {
            e: "executionReport",
            event_time: time(now.max(self.at)),
            symbol: &symbol,
            client_order,
            side: side(order.side),
            order_type: order.kind.name(),
            time_in_force: time_in_force(order.time_in_force()),
            quantity: figure(if order.unsized_yet { Decimal::ZERO } else { order.quantity() }),
            price: figure(order.price()),
            stop_price: figure(order.stop()),
            trailing_delta: order.marks.trailing_delta,
            iceberg: figure(order.marks.iceberg.map_or(Decimal::ZERO, domain::Quantity::get)),
            list: order.list.unwrap_or(-1),
            original_client_order: original,
            x: what.execution_type(),
            status: if let What::Rejected(_) = what { "REJECTED" } else { order.status.as_str() },
            r: if let What::Rejected(reason) = what { reason } else { "NONE" },
            order: order.number,
            last_quantity: figure(trade.map_or(Decimal::ZERO, |trade| trade.quantity.get())),
            filled_quantity: figure(order.filled.quantity),
            last_price: figure(trade.map_or(Decimal::ZERO, |trade| trade.price.get())),
            fee: fee.map_or_else(|| "0".to_owned(), |fee| figure(fee.amount)),
            fee_asset: fee.map(|fee| fee.asset),
            transaction_time: time(self.at),
            trade: trade.map_or(-1, |trade| trade.id),
            prevented_match: prevented.map(|p| p.id),
            execution: self.execution,
            is_working: order.working.is_some() && is_open,
            is_maker: trade.is_some_and(|trade| trade.maker),
            ignored: trade.is_some(),
            created: time(order.created),
            filled_quote: figure(order.filled.quote),
            last_quote: figure(trade.map_or(Decimal::ZERO, |trade| trade.quote)),
            quote_quantity: figure(order.quote_quantity()),
            trailing_time: order.trailing_since.map(time),
            strategy: order.marks.strategy,
            strategy_type: order.marks.strategy_type,
            working_time: order.working.map(time),
            self_trade: order.marks.self_trade,
            prevented: prevented.map(|_| figure(order.prevented)),
            last_prevented: lost.map(figure),
            trade_group: prevented.map(|p| trade_group(p.group)),
            counter_order: prevented.map(|p| if p.taker == order.number { p.maker } else { p.taker }),
            counter_symbol: prevented.map(|_| symbol.as_str()),
            prevented_quantity: lost.map(figure),
            prevented_price: prevented.map(|p| figure(p.price.get())),
            prevented_quote: prevented.and_then(|p| lost?.checked_mul(p.price.get())).map(figure),
            match_type: trade.and_then(|trade| trade.allocation).map(|_| ONE_PARTY),
            allocation: trade.and_then(|trade| trade.allocation),
            working_floor: order.floor,
            used_sor: order.marks.sor.then_some(true),
            peg_type: order.marks.peg.map(|peg| peg.price_type),
            peg_offset_type: order.marks.peg.and_then(|peg| peg.offset).map(|_| PRICE_LEVEL),
            peg_offset: order.marks.peg.and_then(|peg| peg.offset),
            pegged_price: order.pegged.map(|price| figure(price.get())),
            expiry: order.expiry,
        })
    }

    /// `c` and `C`: a request about an order goes by its own name, and names the order besides.
    fn names(&self) -> (String, String) {
        let own = client_id(self.order.id);
        match (self.what, self.request) {
            (What::Replaced(old), _) => (own, client_id(old)),
            (_, Some(request)) => (client_id(request), own),
            (_, None) => (own, String::new()),
        }
    }
}

impl<'a> What<'a> {
    fn execution_type(&self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Traded(_) => "TRADE",
            Self::Canceled => "CANCELED",
            Self::Replaced(_) => "REPLACED",
            Self::Expired => "EXPIRED",
            Self::Prevented(_) => "TRADE_PREVENTION",
            Self::Rejected(_) => "REJECTED",
        }
    }

    fn trade(&self) -> Option<&'a Trade> {
        if let Self::Traded(trade) = *self { Some(trade) } else { None }
    }

    fn prevented(&self) -> Option<&'a Prevented> {
        if let Self::Prevented(prevented) = *self { Some(prevented) } else { None }
    }
}

#[derive(Serialize)]
struct ListStatus<'a> {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: i64,
    s: &'a str,
    g: i64,
    c: &'static str,
    l: &'static str,
    #[serde(rename = "L")]
    order_status: &'static str,
    r: &'static str,
    #[serde(rename = "C")]
    client_order: String,
    #[serde(rename = "T")]
    transaction_time: i64,
    #[serde(rename = "O")]
    orders: Vec<ListOrder<'a>>,
}

#[derive(Serialize)]
struct ListOrder<'a> {
    s: &'a str,
    i: i64,
    c: String,
}

/// `listStatus`; `status_type` is `l`, and `orders` are the list's with their names.
pub fn list_status(
    list: &List,
    status_type: &'static str,
    orders: &[(i64, ClientOrderId)],
    now: Timestamp,
    unit: TimeUnit,
) -> String {
    let s = list.instrument.symbol.as_str();
    json(&ListStatus {
        e: "listStatus",
        event_time: unit.of(now.max(list.at)),
        s,
        g: list.number,
        c: list.contingency,
        l: status_type,
        order_status: if list.done { "ALL_DONE" } else { "EXECUTING" },
        r: "NONE",
        client_order: client_id(list.id),
        transaction_time: unit.of(list.at),
        orders: orders.iter().map(|&(i, id)| ListOrder { s, i, c: client_id(id) }).collect(),
    })
}

#[derive(Serialize)]
struct AccountPosition {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: i64,
    u: i64,
    #[serde(rename = "B")]
    balances: Vec<BalanceRow>,
}

#[derive(Serialize)]
struct BalanceRow {
    a: Asset,
    f: String,
    l: String,
}

/// `outboundAccountPosition`: asset, free, locked.
pub fn account_position(
    balances: &[(Asset, Amount, Amount)],
    as_of: Timestamp,
    now: Timestamp,
    unit: TimeUnit,
) -> String {
    let row =
        |&(a, free, locked): &(Asset, Amount, Amount)| BalanceRow { a, f: figure(free), l: figure(locked) };
    json(&AccountPosition {
        e: "outboundAccountPosition",
        event_time: unit.of(now.max(as_of)),
        u: unit.of(as_of),
        balances: balances.iter().map(row).collect(),
    })
}

#[derive(Serialize)]
struct BalanceUpdate {
    e: &'static str,
    #[serde(rename = "E")]
    event_time: i64,
    a: Asset,
    d: String,
    #[serde(rename = "T")]
    cleared: i64,
}

/// `balanceUpdate`
pub fn balance_update(asset: Asset, delta: Amount, now: Timestamp, unit: TimeUnit) -> String {
    let at = unit.of(now);
    json(&BalanceUpdate { e: "balanceUpdate", event_time: at, a: asset, d: figure(delta), cleared: at })
}

pub fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

pub fn time_in_force(time_in_force: TimeInForce) -> &'static str {
    match time_in_force {
        TimeInForce::Gtc => "GTC",
        TimeInForce::Ioc => "IOC",
        TimeInForce::Fok => "FOK",
    }
}

fn json(event: &impl Serialize) -> String {
    serde_json::to_string(event).unwrap_or_else(|e| unreachable!("texts and numbers: {e}"))
}
