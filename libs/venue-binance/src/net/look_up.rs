//! What the venue knows of an order: its row, and its executions.

use super::rest::{CallError, Rest};
use crate::{
    ParseError,
    errors::Verdict,
    frame::venue_client_order,
    request, rows,
    wire::{Number, Raw, Text, wire},
};
use domain::{Account, ClientOrderId, Decimal, Instrument, Symbol, Timestamp, VenueOrderId};
use events::{Event, OrderEvent};
use std::time::Duration;
use venue::Outcome;

/// A lookup does not wait longer than that for the venue's clock; whoever asks asks again.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// Executions may reach the archive after the order's row: so often, and with such pauses, they are read again.
const READINGS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(150);
/// Of the orders that may have had another name: so many of the last are looked at.
const MOST_CANDIDATES: usize = 50;

impl Rest {
    pub(super) async fn look_up_order(
        &self,
        account: Account,
        instrument: Instrument,
        order: ClientOrderId,
        not_before: Timestamp,
    ) -> Outcome {
        if let Err(e) = self.freshen_clock().await {
            return self.lookup_failed(e).await;
        }
        // One that is there is known at once; only absence has to wait.
        match self.find(account, instrument.symbol, order, None).await {
            Ok(facts) => return Outcome::Facts(facts),
            Err(CallError::Told(failure)) if failure.verdict == Verdict::NotFound => {}
            Err(e) => return self.lookup_failed(e).await,
        }
        let wait = not_before.since(self.clock().now());
        if wait > LONGEST_WAIT {
            let text = format!("the lookup has to wait until {not_before}");
            return Outcome::TryAgain { after: wait - LONGEST_WAIT, text };
        }
        tokio::time::sleep(wait).await;
        self.prove_absence(account, instrument.symbol, order, not_before).await
    }

    /// The venue's own clock has to show `not_before` in an answer of its own, and only an order that is
    /// looked for after that, and not there, is absent.
    async fn prove_absence(
        &self,
        account: Account,
        symbol: Symbol,
        order: ClientOrderId,
        not_before: Timestamp,
    ) -> Outcome {
        for _ in 0..READINGS {
            let venue_time = match self.read_clock().await {
                Ok(time) => time,
                Err(e) => return self.lookup_failed(e).await,
            };
            if venue_time < not_before {
                tokio::time::sleep(not_before.since(venue_time).min(LONGEST_WAIT)).await;
                continue;
            }
            return match self.find_by_any_name(account, symbol, order, None).await {
                Ok(facts) => Outcome::Facts(facts),
                Err(CallError::Told(failure)) if failure.verdict == Verdict::NotFound => {
                    Outcome::NotFound { venue_time }
                }
                Err(e) => self.lookup_failed(e).await,
            };
        }
        let text = format!("the venue's clock does not reach {not_before}");
        Outcome::TryAgain { after: Duration::from_secs(1), text }
    }

    /// All that is known of it: accepted, how it was amended, every fill, how it ended. By the venue's number
    /// where that is known; it is told under the client id that it was placed with.
    pub(super) async fn find(
        &self,
        account: Account,
        symbol: Symbol,
        order: ClientOrderId,
        number: Option<VenueOrderId>,
    ) -> Result<Vec<Event>, CallError> {
        let call = match number.and_then(|number| number.parse().ok()) {
            Some(number) => request::order_by_number(symbol, number),
            None => request::order(symbol, order),
        };
        let row = self.ask_where_orders_go(&call).await?;
        let known: Row = serde_json::from_slice(&row).map_err(ParseError::from)?;
        // One that has kept its name may still have been made smaller.
        let is_renamed = known.client_order.as_deref() != Some(&*venue_client_order(order));
        let may_be_amended = is_renamed || (number.is_some() && known.is_open());
        let amendments =
            if may_be_amended { self.amendments_of(symbol, known.number).await? } else { Vec::new() };
        let found = self.with_executions(symbol, row, &amendments).await?;
        Ok(renamed(rows::parse_order(account, &found)?, order))
    }

    /// As [`Self::find`]; whoever does not find it by its name looks whether one of the last orders had that name
    /// before it was amended.
    pub(super) async fn find_by_any_name(
        &self,
        account: Account,
        symbol: Symbol,
        order: ClientOrderId,
        number: Option<VenueOrderId>,
    ) -> Result<Vec<Event>, CallError> {
        let not_found = match self.find(account, symbol, order, number).await {
            Err(CallError::Told(failure)) if failure.verdict == Verdict::NotFound => failure,
            other => return other,
        };
        match self.renamed_order(symbol, order).await? {
            Some(number) => self.find(account, symbol, order, Some(number)).await,
            None => Err(CallError::Told(not_found)),
        }
    }

    async fn renamed_order(
        &self,
        symbol: Symbol,
        order: ClientOrderId,
    ) -> Result<Option<VenueOrderId>, CallError> {
        let rows = match self.ask_where_orders_go(&request::last_orders(symbol)).await {
            Ok(rows) => elements(&rows)?,
            Err(CallError::Told(failure)) if failure.verdict == Verdict::NotFound => Vec::new(),
            Err(e) => return Err(e),
        };
        let order = venue_client_order(order);
        for row in rows.iter().rev().take(MOST_CANDIDATES) {
            let row: Row = serde_json::from_slice(row).map_err(ParseError::from)?;
            let amendments = self.amendments_of(symbol, row.number).await?;
            for amendment in &amendments {
                let amended: Amended = serde_json::from_slice(amendment).map_err(ParseError::from)?;
                if *amended.original == *order {
                    return Ok(VenueOrderId::new(&row.number.to_string()).ok());
                }
            }
        }
        Ok(None)
    }

    pub(super) async fn amendments_of(&self, symbol: Symbol, order: i64) -> Result<Vec<Vec<u8>>, CallError> {
        match self.ask_where_orders_go(&request::amendments(symbol, order)).await {
            Ok(rows) => Ok(elements(&rows)?),
            Err(CallError::Told(failure)) if failure.verdict == Verdict::NotFound => Ok(Vec::new()),
            Err(e) => Err(e),
        }
    }

    /// `{"order": …, "trades": […], "allocations": […], "amendments": […]}`, what [`rows::parse_order`] reads, of
    /// an order's row. Never with executions missing: an order that seems to have traded less than it has is no
    /// answer.
    pub(super) async fn with_executions(
        &self,
        symbol: Symbol,
        row: Vec<u8>,
        amendments: &[Vec<u8>],
    ) -> Result<Vec<u8>, CallError> {
        let known: Row = serde_json::from_slice(&row).map_err(ParseError::from)?;
        let executed = known.executed.map_or(Decimal::ZERO, |n| n.0);
        let (mut trades, mut allocations) = (Vec::new(), Vec::new());
        if !executed.is_zero() {
            for reading in 1.. {
                trades = self.trades_of(symbol, known.number).await?;
                if known.is_routed() {
                    let call = request::allocations_of(symbol, known.number);
                    allocations = elements(&self.ask_where_orders_go(&call).await?)?;
                }
                let told = sum(&trades)?.saturating_add(sum(&allocations)?);
                if told >= executed {
                    break;
                }
                if reading == READINGS {
                    return Err(CallError::Incomplete { executed, told });
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(together(&row, &trades, &allocations, amendments))
    }

    /// Each as it came.
    async fn trades_of(&self, symbol: Symbol, order: i64) -> Result<Vec<Vec<u8>>, CallError> {
        let mut call = request::fills_of(symbol, order);
        let mut trades = Vec::new();
        loop {
            let page = elements(&self.ask_where_orders_go(&call).await?)?;
            let full = page.len() >= PAGE;
            let last = page.last().map(|trade| number(trade)).transpose()?;
            trades.extend(page);
            match last {
                Some(last) if full => call = request::fills_of_from(symbol, order, last + 1),
                _ => return Ok(trades),
            }
        }
    }

    /// A lookup that failed tells nothing about the order.
    pub(super) async fn lookup_failed(&self, error: CallError) -> Outcome {
        match error {
            CallError::Told(failure) => self.outcome(failure).await,
            other => super::orders::unsent(other),
        }
    }
}

pub const PAGE: usize = 1_000;

wire! {
    pub struct Row<'a> {
        number "orderId": must i64,
        client_order "clientOrderId": may Text<'a>,
        executed "executedQty": may Number,
        status "status": may Text<'a>,
        floor "workingFloor": may Text<'a>,
        routed "usedSor": may bool,
    }
}

impl Row<'_> {
    fn is_open(&self) -> bool {
        matches!(self.status.as_deref(), Some("NEW" | "PARTIALLY_FILLED" | "PENDING_NEW"))
    }

    /// By smart order routing, whose executions are allocations.
    fn is_routed(&self) -> bool {
        self.routed == Some(true) || self.floor.as_deref() == Some("SOR")
    }
}

wire! {
    pub struct Amended<'a> {
        original "origClientOrderId": must Text<'a>,
    }
}

wire! {
    pub struct Execution {
        trade "id": may i64,
        quantity "qty": may Number,
    }
}

pub fn elements(list: &[u8]) -> Result<Vec<Vec<u8>>, ParseError> {
    let list: Vec<Raw> = serde_json::from_slice(list)?;
    Ok(list.into_iter().map(|element| element.bytes().to_vec()).collect())
}

pub fn number(trade: &[u8]) -> Result<i64, ParseError> {
    let read: Execution = serde_json::from_slice(trade)?;
    read.trade.ok_or_else(|| ParseError::missing("id"))
}

fn sum(executions: &[Vec<u8>]) -> Result<Decimal, ParseError> {
    executions.iter().try_fold(Decimal::ZERO, |sum, execution| {
        let read: Execution = serde_json::from_slice(execution)?;
        let quantity = read.quantity.ok_or_else(|| ParseError::missing("qty"))?;
        Ok(sum.saturating_add(quantity.0))
    })
}

pub fn together(
    order: &[u8],
    trades: &[Vec<u8>],
    allocations: &[Vec<u8>],
    amendments: &[Vec<u8>],
) -> Vec<u8> {
    let list = |rows: &[Vec<u8>]| [&b"["[..], &rows.join(&b","[..]), b"]"].concat();
    let (trades, allocations) = (list(trades), list(allocations));
    let mut all =
        [&b"{\"order\":"[..], order, b",\"trades\":", &trades, b",\"allocations\":", &allocations].concat();
    if !amendments.is_empty() {
        all.extend([&b",\"amendments\":"[..], &list(amendments)].concat());
    }
    all.push(b'}');
    all
}

/// The facts of one order, under the client id that we know it by.
pub fn renamed(told: Vec<Event>, order: ClientOrderId) -> Vec<Event> {
    told.into_iter()
        .map(|event| match event {
            Event::Order(OrderEvent::Accepted(e)) => events::OrderAccepted { order, ..e }.into(),
            Event::Order(OrderEvent::Rejected(e)) => events::OrderRejected { order, ..e }.into(),
            Event::Order(OrderEvent::Filled(e)) => events::OrderFilled { order, ..e }.into(),
            Event::Order(OrderEvent::Ended(e)) => events::OrderEnded { order, ..e }.into(),
            other => other,
        })
        .collect()
}
