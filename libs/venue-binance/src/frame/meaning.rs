//! What frames say, as events. REST's rows of the same facts go through the same functions.

use super::{
    AccountPosition, BalanceUpdate, ExecutionReport, Message,
    names::{asset, client_order, instrument, side, venue_order, venue_trade},
};
use crate::{
    ParseError,
    wire::{Number, Stamp, Text},
};
use domain::{
    Account, ClientOrderId, Decimal, Ending, Filled, Instrument, Price, Quantity, Side, Timestamp,
    VenueOrderId, VenueTradeId,
};
use events::{
    BalanceChanged, Event, Fee, LedgerEntry, LedgerReason, OrderAccepted, OrderAmended, OrderEnded,
    OrderFilled, OrderRejected, Rejection,
};

pub fn events(account: Account, message: &Message) -> Result<Vec<Event>, ParseError> {
    match message {
        Message::ExecutionReport(report) => execution(account, report),
        Message::AccountPosition(position) => balances(account, position),
        Message::BalanceUpdate(update) => Ok(vec![ledger_entry(account, update)?]),
        Message::ListStatus(_)
        | Message::ExternalLockUpdate(_)
        | Message::EventStreamTerminated(_)
        | Message::ServerShutdown(_)
        | Message::ListenKeyExpired(_) => Ok(Vec::new()),
    }
}

fn execution(account: Account, report: &ExecutionReport) -> Result<Vec<Event>, ParseError> {
    let at = report.transaction_time.to_the_millisecond();
    let own = || Order::new(account, &report.symbol, &report.client_order, report.order);
    Ok(match (&*report.execution, &*report.status) {
        ("NEW", "NEW" | "PENDING_NEW") => {
            let created = report.created.ok_or_else(|| ParseError::missing("O"))?;
            vec![own()?.accepted(created)]
        }
        ("TRADE", status) => {
            let order = own()?;
            let mut told = Vec::with_capacity(2);
            told.push(order.filled(traded(report)?)?);
            if status == "FILLED" {
                told.push(order.ended(Ending::Filled, filled(report)?, at));
            }
            told
        }
        ("REPLACED", "NEW" | "PARTIALLY_FILLED" | "PENDING_NEW") => vec![amended(account, report)?],
        ("CANCELED", "CANCELED") => {
            vec![of_request(account, report)?.ended(Ending::Canceled, filled(report)?, at)]
        }
        ("EXPIRED", "EXPIRED" | "EXPIRED_IN_MATCH")
        | ("TRADE_PREVENTION", "EXPIRED_IN_MATCH" | "EXPIRED") => {
            vec![of_request(account, report)?.ended(Ending::Expired, filled(report)?, at)]
        }
        ("TRADE_PREVENTION", "NEW" | "PARTIALLY_FILLED") => Vec::new(),
        ("REJECTED", "REJECTED") => vec![rejected(account, report)?],
        (execution, status) => {
            return Err(ParseError::UnknownExecution {
                order: report.order,
                execution: execution.to_owned(),
                status: status.to_owned(),
            });
        }
    })
}

/// The order was made smaller in its place: `C` is what it was called, `c` what it is called now.
fn amended(account: Account, report: &ExecutionReport) -> Result<Event, ParseError> {
    let quantity = report.quantity.as_deref().ok_or_else(|| ParseError::missing("q"))?;
    let quantity =
        Number::read(quantity).ok_or_else(|| ParseError::field("q", format!("is {quantity}, no number")))?;
    of_request(account, report)?.amended(Amendment {
        renamed: &report.client_order,
        execution: report.execution_id.ok_or_else(|| ParseError::missing("I"))?,
        quantity,
        at: report.transaction_time,
    })
}

/// The order that a request was about, which then carries `C` beside the request's own `c`.
fn of_request(account: Account, report: &ExecutionReport) -> Result<Order, ParseError> {
    let original = report.original_client_order.as_deref().filter(|id| !matches!(*id, "" | "null"));
    Order::new(account, &report.symbol, original.unwrap_or(&report.client_order), report.order)
}

fn traded(report: &ExecutionReport) -> Result<Execution, ParseError> {
    Ok(Execution {
        trade: report.trade,
        allocation: report.allocation,
        side: side(&report.side)?,
        price: report.last_price.ok_or_else(|| ParseError::missing("L"))?,
        quantity: report.last_quantity.ok_or_else(|| ParseError::missing("l"))?,
        quote: report.last_quote.ok_or_else(|| ParseError::missing("Y"))?.0,
        fee: fee(report.fee, report.fee_asset.as_ref())?,
        maker: report.is_maker.ok_or_else(|| ParseError::missing("m"))?,
        at: report.transaction_time,
    })
}

fn filled(report: &ExecutionReport) -> Result<Filled, ParseError> {
    Ok(Filled {
        quantity: report.filled_quantity.ok_or_else(|| ParseError::missing("z"))?.0,
        quote: report.filled_quote.ok_or_else(|| ParseError::missing("Z"))?.0,
    })
}

fn rejected(account: Account, report: &ExecutionReport) -> Result<Event, ParseError> {
    let text = report.reject_reason.as_deref().unwrap_or_default();
    let reason = match text {
        "INSUFFICIENT_BALANCES" => Rejection::InsufficientBalance,
        "STOP_PRICE_WOULD_TRIGGER_IMMEDIATELY" | "WOULD_MATCH_IMMEDIATELY" => Rejection::WouldTrigger,
        _ => Rejection::Other,
    };
    let instrument = instrument(account, &report.symbol)?;
    let order = client_order("c", &report.client_order)?;
    let at = report.transaction_time.to_the_millisecond();
    Ok(OrderRejected { account, instrument, order, reason, code: None, text: text.to_owned(), at }.into())
}

fn balances(account: Account, position: &AccountPosition) -> Result<Vec<Event>, ParseError> {
    let as_of = position.updated.to_the_millisecond();
    let one = |balance: &super::Balance| {
        let (free, locked) = (balance.free.0, balance.locked.0);
        Ok(BalanceChanged { account, asset: asset("a", &balance.asset)?, free, locked, as_of }.into())
    };
    position.balances.iter().map(one).collect()
}

fn ledger_entry(account: Account, update: &BalanceUpdate) -> Result<Event, ParseError> {
    Ok(LedgerEntry {
        account,
        asset: asset("a", &update.asset)?,
        delta: update.delta.0,
        reason: LedgerReason::Other,
        instrument: None,
        venue_ref: String::new(),
        at: update.cleared.to_the_millisecond(),
    }
    .into())
}

/// `None` for a fee of nothing, whose asset some sources name and others do not.
///
/// # Errors
/// A fee without its asset.
pub fn fee(amount: Option<Number>, of: Option<&Text>) -> Result<Option<Fee>, ParseError> {
    let Some(amount) = amount.map(|n| n.0).filter(|n| !n.is_zero()) else { return Ok(None) };
    let of = of.ok_or_else(|| ParseError::missing("commissionAsset"))?;
    Ok(Some(Fee { asset: asset("commissionAsset", of)?, amount }))
}

/// Which order something is about.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    pub account: Account,
    pub instrument: Instrument,
    pub order: ClientOrderId,
    pub venue_order: VenueOrderId,
}

/// One amendment as a source tells it.
#[derive(Debug)]
pub struct Amendment<'a> {
    pub renamed: &'a str,
    pub execution: i64,
    pub quantity: Number,
    pub at: Stamp,
}

/// One execution as a source tells it.
#[derive(Debug)]
pub struct Execution {
    pub trade: Option<i64>,
    pub allocation: Option<i64>,
    pub side: Side,
    pub price: Number,
    pub quantity: Number,
    pub quote: Decimal,
    pub fee: Option<Fee>,
    pub maker: bool,
    pub at: Stamp,
}

impl Order {
    pub fn new(account: Account, symbol: &str, client: &str, number: i64) -> Result<Self, ParseError> {
        Ok(Self {
            account,
            instrument: instrument(account, symbol)?,
            order: client_order("clientOrderId", client)?,
            venue_order: venue_order(number)?,
        })
    }

    pub fn accepted(self, created: Stamp) -> Event {
        let Self { account, instrument, order, venue_order } = self;
        OrderAccepted { account, instrument, order, venue_order, at: created.to_the_millisecond() }.into()
    }

    pub fn ended(self, ending: Ending, filled: Filled, at: Timestamp) -> Event {
        let Self { account, instrument, order, venue_order } = self;
        OrderEnded { account, instrument, order, venue_order, ending, filled, at }.into()
    }

    pub fn amended(self, to: Amendment) -> Result<Event, ParseError> {
        let Self { account, instrument, order, venue_order } = self;
        let none = || ParseError::field("executionId", format!("is {}, which names no change", to.execution));
        Ok(OrderAmended {
            account,
            instrument,
            order,
            renamed: client_order("clientOrderId", to.renamed)?,
            venue_order,
            execution: u64::try_from(to.execution).map_err(|_| none())?,
            quantity: Quantity::new(to.quantity.0).map_err(ParseError::of("quantity"))?,
            at: to.at.to_the_millisecond(),
        }
        .into())
    }

    pub fn filled(self, fill: Execution) -> Result<Event, ParseError> {
        let Self { account, instrument, order, venue_order } = self;
        let venue_trade: VenueTradeId = venue_trade(fill.trade, fill.allocation)?;
        Ok(OrderFilled {
            account,
            instrument,
            order,
            venue_order,
            venue_trade,
            side: fill.side,
            price: Price::new(fill.price.0).map_err(ParseError::of("price"))?,
            quantity: Quantity::new(fill.quantity.0).map_err(ParseError::of("quantity"))?,
            quote: fill.quote,
            fee: fill.fee,
            maker: fill.maker,
            at: fill.at.to_the_millisecond(),
        }
        .into())
    }
}
