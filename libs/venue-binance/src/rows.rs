//! REST's and the WebSocket API's copies of what the user data stream tells: rows of orders, trades,
//! allocations and balances, and the answers to requests. One fact reads the same from each of them.
//!
//! A row of a trade does not name our order, so rows come with the order that they belong to:
//! [`parse_order`] reads `{"order": {…}, "trades": […], "allocations": […], "amendments": […]}`, which whoever
//! looks an order up puts together from the venue's answers as they came.
//! An order goes by the client id that it was placed with, where its amendments tell: the row has its last one.

use crate::{
    ParseError,
    frame::{Amendment, Execution, Order, asset, fee, side},
    wire::{Number, Stamp, Text, wire},
};
use domain::{Account, Decimal, Ending, Filled, Timestamp};
use events::{
    BalanceChanged, BooksReported, Event, HeldAsset, OrderRejected, Rejection, StreamComplete, WorkingOrder,
};

/// An order that was looked up, and its executions: how it was accepted, what was filled, how it ended.
///
/// # Errors
/// A row that cannot be read, or one of another order: nothing is said, then.
pub fn parse_order(account: Account, bytes: &[u8]) -> Result<Vec<Event>, ParseError> {
    let found: FoundOrder = serde_json::from_slice(bytes)?;
    let row = &found.order;
    let amendments = found.amendments.as_deref().unwrap_or_default();
    let order = match amendments.first() {
        Some(first) => Order::new(account, &row.symbol, &first.original, row.number)?,
        None => row.order(account)?,
    };
    let created = row.created.ok_or_else(|| ParseError::missing("time"))?;
    let updated = row.updated.ok_or_else(|| ParseError::missing("updateTime"))?;
    let status = row.status.as_deref().ok_or_else(|| ParseError::missing("status"))?;
    if status == "REJECTED" {
        return Ok(vec![refused(&order, created)]);
    }
    let mut told = vec![order.accepted(created)];
    for amendment in amendments {
        told.push(amendment.event(account, row)?);
    }
    for trade in found.trades.iter().flatten() {
        told.push(trade.event(&order, row)?);
    }
    for allocation in found.allocations.iter().flatten() {
        told.push(allocation.event(&order, row)?);
    }
    told.extend(row.end(&order, status, updated.to_the_millisecond())?);
    Ok(told)
}

/// The answer to a placed order (`ACK`, `RESULT` or `FULL`): that it was accepted, the fills that it
/// carries, how it ended.
///
/// Fills of an answer carry no quote amount. It is price times quantity; where that has more digits than
/// Binance keeps, or the sum is not the order's, the fills are left to the stream.
///
/// # Errors
/// An answer that cannot be read: the order works nevertheless, and the stream or a lookup tells.
pub fn parse_placed(account: Account, bytes: &[u8]) -> Result<Vec<Event>, ParseError> {
    placed(account, &serde_json::from_slice(bytes)?)
}

/// The answer to a placed order list: each of its orders as in [`parse_placed`].
///
/// # Errors
/// As [`parse_placed`].
pub fn parse_placed_list(account: Account, bytes: &[u8]) -> Result<Vec<Event>, ParseError> {
    let list: PlacedList = serde_json::from_slice(bytes)?;
    let mut told = Vec::new();
    for report in &list.reports {
        told.extend(placed(account, report)?);
    }
    Ok(told)
}

/// The answer to a cancel: how the order ended, by its own status; of a list, each of its orders.
///
/// # Errors
/// An answer that cannot be read, or tells no end; the stream or a lookup tells.
pub fn parse_canceled(account: Account, bytes: &[u8]) -> Result<Vec<Event>, ParseError> {
    let answer: Canceled = serde_json::from_slice(bytes)?;
    if let Some(reports) = &answer.reports {
        return reports.iter().map(|row| canceled(account, row)).collect();
    }
    Ok(vec![canceled(account, &serde_json::from_slice(bytes)?)?])
}

/// `GET /api/v3/account`: balances as of `updateTime`.
///
/// # Errors
/// An answer that cannot be read.
pub fn parse_account(account: Account, bytes: &[u8]) -> Result<Vec<Event>, ParseError> {
    let answer: AccountRow = serde_json::from_slice(bytes)?;
    let as_of = answer.updated.to_the_millisecond();
    let one = |row: &BalanceRow| {
        let (free, locked) = (row.free.0, row.locked.0);
        Ok(BalanceChanged { account, asset: asset("asset", &row.asset)?, free, locked, as_of }.into())
    };
    answer.balances.iter().map(one).collect()
}

/// What the account holds and which of its orders work, as the venue told when it was asked ([`content::BOOKS`]).
///
/// # Errors
/// An answer that cannot be read.
///
/// [`content::BOOKS`]: crate::content::BOOKS
pub fn parse_books(account: Account, bytes: &[u8]) -> Result<Vec<Event>, ParseError> {
    let told: BooksRow = serde_json::from_slice(bytes)?;
    let is_something = |row: &&BalanceRow| !(row.free.0.is_zero() && row.locked.0.is_zero());
    let held = |row: &BalanceRow| {
        Ok(HeldAsset { asset: asset("asset", &row.asset)?, free: row.free.0, locked: row.locked.0 })
    };
    let mut balances: Vec<HeldAsset> =
        told.account.balances.iter().filter(is_something).map(held).collect::<Result<_, ParseError>>()?;
    balances.sort_unstable_by_key(|held| held.asset);
    let working = |row: &OrderRow| {
        let Order { instrument, order, venue_order, .. } = row.order(account)?;
        Ok((row.number, WorkingOrder { venue_order, order, instrument }))
    };
    let mut orders: Vec<(i64, WorkingOrder)> =
        told.orders.iter().map(working).collect::<Result<_, ParseError>>()?;
    orders.sort_unstable_by_key(|(number, order)| (*number, order.instrument));
    let orders = orders.into_iter().map(|(_, order)| order).collect();
    let reported = BooksReported { account, as_of: told.as_of.to_the_millisecond(), balances, orders };
    let complete = told.complete.map(|until| StreamComplete { account, until: until.to_the_millisecond() });
    Ok(complete.map(Event::from).into_iter().chain([reported.into()]).collect())
}

fn placed(account: Account, row: &OrderRow) -> Result<Vec<Event>, ParseError> {
    let order = row.order(account)?;
    let at = row.transacted.ok_or_else(|| ParseError::missing("transactTime"))?;
    let mut told = vec![order.accepted(at)];
    // An ACK tells no more.
    let Some(status) = row.status.as_deref() else { return Ok(told) };
    for fill in row.told_fills()? {
        told.push(order.filled(fill)?);
    }
    told.extend(row.end(&order, status, at.to_the_millisecond())?);
    Ok(told)
}

fn canceled(account: Account, row: &OrderRow) -> Result<Event, ParseError> {
    let at = row.transacted.ok_or_else(|| ParseError::missing("transactTime"))?;
    let status = row.status.as_deref().ok_or_else(|| ParseError::missing("status"))?;
    let ended = row.end(&row.order(account)?, status, at.to_the_millisecond())?;
    ended.ok_or_else(|| ParseError::field("status", format!("is {status} in the answer to a cancel: no end")))
}

fn refused(order: &Order, at: Stamp) -> Event {
    let &Order { account, instrument, order, .. } = order;
    let (reason, at) = (Rejection::Other, at.to_the_millisecond());
    OrderRejected { account, instrument, order, reason, code: None, text: "REJECTED".to_owned(), at }.into()
}

wire! {
    /// An order as it was looked up, placed or canceled; which of its times are there tells which.
    pub struct OrderRow<'a> {
        symbol "symbol": must Text<'a>,
        number "orderId": must i64,
        /// The order's own, but in the answer to a cancel that request's.
        client_order "clientOrderId": must Text<'a>,
        original_client_order "origClientOrderId": may Text<'a>,
        side "side": may Text<'a>,
        status "status": may Text<'a>,
        executed "executedQty": may Number,
        /// Below zero where Binance no longer knows it.
        executed_quote "cummulativeQuoteQty": may Number,
        created "time": may Stamp,
        updated "updateTime": may Stamp,
        transacted "transactTime": may Stamp,
        fills "fills": may Vec<FillRow<'a>>,
    }
}

wire! {
    /// A fill in the answer to a placed order.
    pub struct FillRow<'a> {
        price "price": must Number,
        quantity "qty": must Number,
        commission "commission": may Number,
        commission_asset "commissionAsset": may Text<'a>,
        trade "tradeId": may i64,
        allocation "allocId": may i64,
    }
}

wire! {
    /// A row of `myTrades` or of `myAllocations`.
    pub struct TradeRow<'a> {
        symbol "symbol": must Text<'a>,
        trade "id": may i64,
        allocation "allocationId": may i64,
        order "orderId": must i64,
        price "price": must Number,
        quantity "qty": must Number,
        quote "quoteQty": must Number,
        commission "commission": may Number,
        commission_asset "commissionAsset": may Text<'a>,
        time "time": must Stamp,
        is_buyer "isBuyer": must bool,
        is_maker "isMaker": must bool,
    }
}

wire! {
    pub struct FoundOrder<'a> {
        order "order": must OrderRow<'a>,
        trades "trades": may Vec<TradeRow<'a>>,
        allocations "allocations": may Vec<TradeRow<'a>>,
        amendments "amendments": may Vec<AmendmentRow<'a>>,
    }
}

wire! {
    /// A row of `order/amendments`, the oldest first.
    pub struct AmendmentRow<'a> {
        order "orderId": must i64,
        execution "executionId": must i64,
        original "origClientOrderId": must Text<'a>,
        renamed "newClientOrderId": must Text<'a>,
        quantity "newQty": must Number,
        time "time": must Stamp,
    }
}

wire! {
    pub struct PlacedList<'a> {
        reports "orderReports": must Vec<OrderRow<'a>>,
    }
}

wire! {
    pub struct Canceled<'a> {
        reports "orderReports": may Vec<OrderRow<'a>>,
    }
}

wire! {
    pub struct AccountRow<'a> {
        updated "updateTime": must Stamp,
        balances "balances": must Vec<BalanceRow<'a>>,
    }
}

wire! {
    pub struct BooksRow<'a> {
        as_of "asOf": must Stamp,
        complete "completeUntil": may Stamp,
        account "account": must AccountRow<'a>,
        orders "orders": must Vec<OrderRow<'a>>,
    }
}

wire! {
    pub struct BalanceRow<'a> {
        asset "asset": must Text<'a>,
        free "free": must Number,
        locked "locked": must Number,
    }
}

impl OrderRow<'_> {
    fn order(&self, account: Account) -> Result<Order, ParseError> {
        let client = self.original_client_order.as_ref().unwrap_or(&self.client_order);
        Order::new(account, &self.symbol, client, self.number)
    }

    fn filled(&self) -> Result<Filled, ParseError> {
        let quantity = self.executed.ok_or_else(|| ParseError::missing("executedQty"))?.0;
        let quote = self.executed_quote.ok_or_else(|| ParseError::missing("cummulativeQuoteQty"))?.0;
        if quote < Decimal::ZERO {
            return Err(ParseError::field(
                "cummulativeQuoteQty",
                "is below zero: Binance no longer knows it",
            ));
        }
        Ok(Filled { quantity, quote })
    }

    /// How it ended, if it has.
    fn end(&self, order: &Order, status: &str, at: Timestamp) -> Result<Option<Event>, ParseError> {
        let ending = match status {
            "NEW" | "PARTIALLY_FILLED" | "PENDING_NEW" | "PENDING_CANCEL" => return Ok(None),
            "FILLED" => Ending::Filled,
            "CANCELED" => Ending::Canceled,
            "EXPIRED" | "EXPIRED_IN_MATCH" => Ending::Expired,
            status => {
                let (execution, status) = ("(a row)".to_owned(), status.to_owned());
                return Err(ParseError::UnknownExecution { order: self.number, execution, status });
            }
        };
        Ok(Some(order.ended(ending, self.filled()?, at)))
    }

    /// The fills of an answer, if they can be told exactly as the stream tells them.
    fn told_fills(&self) -> Result<Vec<Execution>, ParseError> {
        let (Some(rows), Some(at)) = (&self.fills, self.transacted) else { return Ok(Vec::new()) };
        let mut told = Vec::with_capacity(rows.len());
        let mut sum = Decimal::ZERO;
        for row in rows {
            let Some(quote) = row.quote() else { return Ok(Vec::new()) };
            let Some(more) = sum.checked_add(quote) else { return Ok(Vec::new()) };
            sum = more;
            told.push(Execution {
                trade: row.trade,
                allocation: row.allocation,
                side: side(self.side.as_deref().ok_or_else(|| ParseError::missing("side"))?)?,
                price: row.price,
                quantity: row.quantity,
                quote,
                fee: fee(row.commission, row.commission_asset.as_ref())?,
                // Only a taker is filled within the answer.
                maker: false,
                at,
            });
        }
        let exact = self.executed_quote.is_some_and(|executed| executed.0 == sum);
        Ok(if exact { told } else { Vec::new() })
    }
}

/// Decimals that Binance keeps of an amount.
const MOST_DECIMALS: u32 = 8;

impl FillRow<'_> {
    /// `None` if it has more decimals than Binance keeps: how it rounds is not documented.
    fn quote(&self) -> Option<Decimal> {
        let quote = self.price.0.checked_mul(self.quantity.0)?.normalize();
        (quote.scale() <= MOST_DECIMALS).then_some(quote)
    }
}

impl AmendmentRow<'_> {
    fn event(&self, account: Account, row: &OrderRow) -> Result<Event, ParseError> {
        if self.order != row.number {
            let (own, other) = (row.number, self.order);
            return Err(ParseError::field(
                "orderId",
                format!("is {other} in an amendment of the order {own}"),
            ));
        }
        Order::new(account, &row.symbol, &self.original, self.order)?.amended(Amendment {
            renamed: &self.renamed,
            execution: self.execution,
            quantity: self.quantity,
            at: self.time,
        })
    }
}

impl TradeRow<'_> {
    fn event(&self, order: &Order, row: &OrderRow) -> Result<Event, ParseError> {
        if self.order != row.number || *self.symbol != *row.symbol {
            let (own, other) = (row.number, self.order);
            return Err(ParseError::field("orderId", format!("is {other} in a trade of the order {own}")));
        }
        order.filled(Execution {
            trade: self.trade,
            allocation: self.allocation,
            side: if self.is_buyer { domain::Side::Buy } else { domain::Side::Sell },
            price: self.price,
            quantity: self.quantity,
            quote: self.quote.0,
            fee: fee(self.commission, self.commission_asset.as_ref())?,
            maker: self.is_maker,
            at: self.time,
        })
    }
}
