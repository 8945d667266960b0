//! Rows of answers (Binance's `rest-api.md`, "Trading endpoints" and "Account endpoints").

use super::{
    archive::{Amendment, Entry, List, Prevented, Trade},
    events::{ONE_PARTY, PRICE_LEVEL, side, time_in_force, trade_group},
    figure::{client_id, figure},
    order_params::Detail,
};
use crate::params::TimeUnit;
use domain::{ClientOrderId, Decimal, Quantity, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

/// An order in an answer; which fields are there depends on what was asked.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct OrderRow {
    symbol: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    orig_client_order_id: Option<String>,
    order_id: i64,
    order_list_id: i64,
    client_order_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    transact_time: Option<i64>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_working: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fills: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prevented_matches: Option<Vec<Value>>,
}

/// How an order stands. Conditional fields are those of "Conditional fields in Order Responses".
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct State {
    price: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    peg_price_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peg_offset_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peg_offset_value: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pegged_price: Option<String>,
    /// Not there as long as it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    orig_qty: Option<String>,
    executed_qty: String,
    orig_quote_order_qty: String,
    cummulative_quote_qty: String,
    status: &'static str,
    time_in_force: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    side: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_price: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iceberg_qty: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trailing_delta: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trailing_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strategy_type: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_floor: Option<&'static str>,
    self_trade_prevention_mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_sor: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prevented_match_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prevented_quantity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trade_group_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_reason: Option<&'static str>,
}

/// Who asks for an order's state.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asker {
    Placing,
    Canceling,
    Looking,
}

/// The answer to a placed order.
pub fn placed<'a>(
    order: &Entry,
    trades: impl Iterator<Item = &'a Trade>,
    prevented: &[Prevented],
    detail: Detail,
    unit: TimeUnit,
) -> Value {
    let mut row = OrderRow { transact_time: Some(unit.of(order.created)), ..of(order) };
    if detail != Detail::Ack {
        row.state = Some(state(order, Asker::Placing, unit));
    }
    if detail == Detail::Full {
        row.fills = Some(trades.filter(|trade| trade.order == order.number).map(fill).collect());
        let own = prevented.iter().filter(|p| p.taker == order.number).map(prevented_match);
        row.prevented_matches = Some(own.collect::<Vec<_>>()).filter(|matches| !matches.is_empty());
    }
    value(&row)
}

/// A canceled order: its own name becomes `origClientOrderId`, the request's is `request`.
pub fn canceled(order: &Entry, request: ClientOrderId, unit: TimeUnit) -> Value {
    value(&OrderRow {
        orig_client_order_id: Some(client_id(order.id)),
        client_order_id: client_id(request),
        transact_time: Some(unit.of(order.updated)),
        state: Some(state(order, Asker::Canceling, unit)),
        ..of(order)
    })
}

/// An order that was looked up.
pub fn found(order: &Entry, unit: TimeUnit) -> Value {
    value(&OrderRow {
        state: Some(state(order, Asker::Looking, unit)),
        time: Some(unit.of(order.created)),
        update_time: Some(unit.of(order.updated)),
        is_working: Some(order.working.is_some()),
        ..of(order)
    })
}

fn of(order: &Entry) -> OrderRow {
    OrderRow {
        symbol: order.instrument.symbol.to_string(),
        order_id: order.number,
        order_list_id: order.list.unwrap_or(-1),
        client_order_id: client_id(order.id),
        ..OrderRow::default()
    }
}

fn state(order: &Entry, asker: Asker, unit: TimeUnit) -> State {
    let marks = &order.marks;
    let whatever = asker == Asker::Looking;
    let iceberg = marks.iceberg.map(Quantity::get).or(whatever.then_some(Decimal::ZERO));
    let prevented = order.prevented_match.is_some();
    State {
        price: figure(order.price()),
        peg_price_type: marks.peg.map(|peg| peg.price_type),
        peg_offset_type: marks.peg.and_then(|peg| peg.offset).map(|_| PRICE_LEVEL),
        peg_offset_value: marks.peg.and_then(|peg| peg.offset),
        pegged_price: order.pegged.map(|price| figure(price.get())),
        orig_qty: (!order.unsized_yet).then(|| figure(order.quantity())),
        executed_qty: figure(order.filled.quantity),
        orig_quote_order_qty: figure(order.quote_quantity()),
        cummulative_quote_qty: figure(order.filled.quote),
        status: order.status.as_str(),
        time_in_force: time_in_force(order.time_in_force()),
        kind: order.kind.name(),
        side: side(order.side),
        stop_price: (whatever || order.kind.stop().is_some()).then(|| figure(order.stop())),
        iceberg_qty: iceberg.map(figure),
        trailing_delta: marks.trailing_delta,
        trailing_time: marks.trailing_delta.map(|_| order.trailing_since.map_or(-1, |at| unit.of(at))),
        strategy_id: marks.strategy,
        strategy_type: marks.strategy_type,
        working_time: (asker != Asker::Canceling).then(|| order.working.map_or(-1, |at| unit.of(at))),
        working_floor: order.floor,
        self_trade_prevention_mode: marks.self_trade,
        used_sor: marks.sor.then_some(true),
        prevented_match_id: order.prevented_match.filter(|_| whatever),
        prevented_quantity: prevented.then(|| figure(order.prevented)),
        trade_group_id: order
            .prevented_match
            .map(|_| trade_group(order.group))
            .filter(|_| asker == Asker::Placing),
        expiry_reason: order.expiry,
    }
}

fn fill(trade: &Trade) -> Value {
    let (commission, asset) = commission(trade);
    let mut row = json!({
        "price": figure(trade.price.get()),
        "qty": figure(trade.quantity.get()),
        "commission": commission,
        "commissionAsset": asset,
        "tradeId": trade.id,
    });
    if let Some(allocation) = trade.allocation {
        row["matchType"] = ONE_PARTY.into();
        row["allocId"] = allocation.into();
    }
    row
}

/// A row of `myAllocations`.
pub fn allocation(symbol: &str, allocation: &Trade, unit: TimeUnit) -> Value {
    let (commission, asset) = commission(allocation);
    json!({
        "symbol": symbol,
        "allocationId": allocation.allocation,
        "allocationType": "SOR",
        "orderId": allocation.order,
        "orderListId": allocation.list.unwrap_or(-1),
        "price": figure(allocation.price.get()),
        "qty": figure(allocation.quantity.get()),
        "quoteQty": figure(allocation.quote),
        "commission": commission,
        "commissionAsset": asset,
        "time": unit.of(allocation.at),
        "isBuyer": allocation.side == domain::Side::Buy,
        "isMaker": allocation.maker,
        "isAllocator": false,
    })
}

/// A row of `myTrades`.
pub fn trade(symbol: &str, trade: &Trade, unit: TimeUnit) -> Value {
    let (commission, asset) = commission(trade);
    json!({
        "symbol": symbol,
        "id": trade.id,
        "orderId": trade.order,
        "orderListId": trade.list.unwrap_or(-1),
        "price": figure(trade.price.get()),
        "qty": figure(trade.quantity.get()),
        "quoteQty": figure(trade.quote),
        "commission": commission,
        "commissionAsset": asset,
        "time": unit.of(trade.at),
        "isBuyer": trade.side == domain::Side::Buy,
        "isMaker": trade.maker,
        "isBestMatch": true,
    })
}

/// A fee of nothing is one in the asset that was received.
fn commission(trade: &Trade) -> (String, String) {
    match trade.fee {
        Some(fee) => (figure(fee.amount), fee.asset.to_string()),
        None => (figure(Decimal::ZERO), trade.received.to_string()),
    }
}

fn prevented_match(p: &Prevented) -> Value {
    let mut row = json!({
        "preventedMatchId": p.id,
        "makerOrderId": p.maker,
        "price": figure(p.price.get()),
    });
    quantities(&mut row, p);
    row
}

/// A row of `myPreventedMatches`.
pub fn prevented(symbol: &str, p: &Prevented, unit: TimeUnit) -> Value {
    let mut row = json!({
        "symbol": symbol,
        "preventedMatchId": p.id,
        "takerOrderId": p.taker,
        "makerSymbol": symbol,
        "makerOrderId": p.maker,
        "tradeGroupId": trade_group(p.group),
        "selfTradePreventionMode": p.mode,
        "price": figure(p.price.get()),
        "transactTime": unit.of(p.at),
    });
    quantities(&mut row, p);
    row
}

fn quantities(row: &mut Value, p: &Prevented) {
    if let Some(quantity) = p.taker_quantity {
        row["takerPreventedQuantity"] = figure(quantity).into();
    }
    if let Some(quantity) = p.maker_quantity {
        row["makerPreventedQuantity"] = figure(quantity).into();
    }
}

/// A row of `order/amendments`.
pub fn amendment(order: &Entry, a: &Amendment, unit: TimeUnit) -> Value {
    json!({
        "symbol": order.instrument.symbol.as_str(),
        "orderId": order.number,
        "executionId": a.execution,
        "origClientOrderId": client_id(a.old_id),
        "newClientOrderId": client_id(a.new_id),
        "origQty": figure(a.old_quantity),
        "newQty": figure(a.new_quantity),
        "time": unit.of(a.at),
    })
}

/// The answer to an amendment, with the list's state if the order is in one.
pub fn amended(order: &Entry, a: &Amendment, list: Option<Value>, unit: TimeUnit) -> Value {
    let mut answer = json!({
        "transactTime": unit.of(a.at),
        "executionId": a.execution,
        "amendedOrder": {
            "symbol": order.instrument.symbol.as_str(),
            "orderId": order.number,
            "orderListId": order.list.unwrap_or(-1),
            "origClientOrderId": client_id(a.old_id),
            "clientOrderId": client_id(a.new_id),
            "price": figure(order.price()),
            "qty": figure(order.quantity()),
            "executedQty": figure(order.filled.quantity),
            "preventedQty": figure(order.prevented),
            "quoteOrderQty": figure(order.quote_quantity()),
            "cumulativeQuoteQty": figure(order.filled.quote),
            "status": order.status.as_str(),
            "timeInForce": time_in_force(order.time_in_force()),
            "type": order.kind.name(),
            "side": side(order.side),
            "selfTradePreventionMode": order.marks.self_trade,
        },
    });
    let row = &mut answer["amendedOrder"];
    if let Some(at) = order.working {
        row["workingTime"] = unit.of(at).into();
    }
    if order.kind.stop().is_some() {
        row["stopPrice"] = figure(order.stop()).into();
    }
    if let Some(shown) = order.marks.iceberg {
        row["icebergQty"] = figure(shown.get()).into();
    }
    if let Some(peg) = order.marks.peg {
        row["pegPriceType"] = peg.price_type.into();
        if let Some(offset) = peg.offset {
            (row["pegOffsetType"], row["pegOffsetValue"]) = (PRICE_LEVEL.into(), offset.into());
        }
    }
    if let Some(price) = order.pegged {
        row["peggedPrice"] = figure(price.get()).into();
    }
    if let Some(list) = list {
        answer["listStatus"] = list;
    }
    answer
}

/// An order list; `orders` are its with their names.
pub fn list(list: &List, orders: &[(i64, ClientOrderId)], at: Timestamp, unit: TimeUnit) -> Value {
    let symbol = list.instrument.symbol.as_str();
    let row = |&(number, id): &(i64, ClientOrderId)| json!({ "symbol": symbol, "orderId": number, "clientOrderId": client_id(id) });
    json!({
        "orderListId": list.number,
        "contingencyType": list.contingency,
        "listStatusType": if list.done { "ALL_DONE" } else { "EXEC_STARTED" },
        "listOrderStatus": if list.done { "ALL_DONE" } else { "EXECUTING" },
        "listClientOrderId": client_id(list.id),
        "transactionTime": unit.of(at),
        "symbol": symbol,
        "orders": orders.iter().map(row).collect::<Vec<_>>(),
    })
}

fn value(row: &OrderRow) -> Value {
    serde_json::to_value(row).unwrap_or_else(|e| unreachable!("texts and numbers: {e}"))
}
