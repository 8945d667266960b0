//! `tapedeck positions|trades|orders|portfolio|signals`: what the tape says is so.

use crate::{
    cli::{Global, OnTape},
    commands::{print_json, table},
    explain::{percent, show, when},
    locate,
};
use domain::{ClientOrderId, Decimal, NewOrder, Timestamp, TradeId};
use events::{
    Event, Kind, OrderEvent, PortfolioEvent, PositionEvent, PositionKey, Recorded, SignalEvent, TradeEvent,
};
use runtime::recover::RecoverError;
use serde::Serialize;
use std::{collections::BTreeMap, process::ExitCode};
use tape::Tape;

const BATCH: usize = 5_000;

/// Every event of the tape, in order.
///
/// # Errors
/// The tape cannot be read, or holds what this build does not know.
pub async fn scan(tape: &Tape, see: impl FnMut(&Recorded)) -> Result<(), RecoverError> {
    scan_until(tape, u64::MAX, see).await
}

/// [`scan`], up to a position.
///
/// # Errors
/// As [`scan`].
pub async fn scan_until(tape: &Tape, until: u64, see: impl FnMut(&Recorded)) -> Result<(), RecoverError> {
    scan_kinds(tape, until, |_| true, see).await
}

/// [`scan_until`], decoding only the kinds that are wanted.
async fn scan_kinds(
    tape: &Tape,
    until: u64,
    wanted: impl Fn(Kind) -> bool,
    mut see: impl FnMut(&Recorded),
) -> Result<(), RecoverError> {
    let mut after = 0;
    loop {
        let rows = tape.read(after, BATCH).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.position;
        for row in rows {
            if row.position > until {
                return Ok(());
            }
            if row.kind().is_some_and(|kind| !wanted(kind)) {
                continue;
            }
            let event =
                row.decode().map_err(|source| RecoverError::Decode { position: row.position, source })?;
            see(&event);
        }
    }
}

async fn scan_family(
    global: &Global,
    args: &OnTape,
    families: &[&str],
    see: impl FnMut(&Recorded),
) -> anyhow::Result<()> {
    let tape = locate::reading(global, &args.tape).await?;
    let wanted = |kind: Kind| kind.name().split('.').next().is_some_and(|f| families.contains(&f));
    Ok(scan_kinds(&tape, u64::MAX, wanted, see).await?)
}

#[derive(Serialize)]
struct PositionRow {
    #[serde(flatten)]
    key: PositionKey,
    quantity: Decimal,
    average: Decimal,
    cost: Decimal,
    since: Timestamp,
}

/// # Errors
/// A tape that cannot be read.
pub async fn positions(global: &Global, args: OnTape) -> anyhow::Result<ExitCode> {
    let mut held: BTreeMap<PositionKey, PositionRow> = BTreeMap::new();
    scan_family(global, &args, &["position"], |event| {
        let Event::Position(position) = &event.event else { return };
        let (key, quantity, average) = match position {
            PositionEvent::Opened(e) => (e.position, e.quantity, Some(e.average)),
            PositionEvent::Increased(e) => (e.position, e.quantity, Some(e.average)),
            PositionEvent::Reduced(e) => (e.position, e.quantity, Some(e.average)),
            PositionEvent::Adjusted(e) => (e.position, e.quantity, None),
            PositionEvent::Closed(e) => {
                held.remove(&e.position);
                return;
            }
        };
        let row = held.entry(key).or_insert(PositionRow {
            key,
            quantity,
            average: Decimal::ZERO,
            cost: Decimal::ZERO,
            since: event.recorded_at,
        });
        row.quantity = quantity;
        row.average = average.unwrap_or(row.average);
        row.cost = row.average * quantity;
    })
    .await?;
    let rows: Vec<_> = held.into_values().collect();
    if global.json {
        print_json(&rows)?;
    } else if rows.is_empty() {
        out!("no positions")?;
    } else {
        let lines: Vec<_> = rows
            .iter()
            .map(|r| {
                vec![
                    r.key.account.to_string(),
                    r.key.instrument.symbol.to_string(),
                    r.key.owner.to_string(),
                    show(r.quantity),
                    show(r.average.round_dp(8)),
                    show(r.cost.round_dp(2)),
                    when(r.since),
                ]
            })
            .collect();
        let headings = ["account", "instrument", "owner", "quantity", "average", "cost", "since"];
        out!("{}", table(&headings, &[3, 4, 5], &lines))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize, Default)]
struct TradeRow {
    trade: Option<TradeId>,
    state: String,
    quantity: Option<Decimal>,
    entry_price: Option<Decimal>,
    exit_price: Option<Decimal>,
    stop: Option<Decimal>,
    profit: Option<Decimal>,
    at: Timestamp,
    opened_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
    /// Why it was refused, aborted, left, or is unprotected.
    note: String,
}

/// # Errors
/// A tape that cannot be read.
pub async fn trades(global: &Global, args: OnTape) -> anyhow::Result<ExitCode> {
    let mut order: Vec<TradeId> = Vec::new();
    let mut rows: BTreeMap<TradeId, TradeRow> = BTreeMap::new();
    scan_family(global, &args, &["trade"], |event| {
        let Event::Trade(trade) = &event.event else { return };
        let Some(id) = event.event.trade() else { return };
        let row = rows.entry(id).or_insert_with(|| {
            order.push(id);
            TradeRow { trade: Some(id), at: event.recorded_at, ..TradeRow::default() }
        });
        row.see(trade, event.recorded_at);
    })
    .await?;
    let rows: Vec<_> = order.iter().filter_map(|id| rows.remove(id)).collect();
    if global.json {
        print_json(&rows)?;
    } else if rows.is_empty() {
        out!("no trades")?;
    } else {
        let optional = |d: Option<Decimal>, dp| d.map_or_else(|| "–".to_owned(), |d| show(d.round_dp(dp)));
        let lines: Vec<_> = rows
            .iter()
            .map(|r| {
                vec![
                    r.trade.map(|t| t.to_string()).unwrap_or_default(),
                    r.state.clone(),
                    optional(r.quantity, 8),
                    optional(r.entry_price, 8),
                    optional(r.stop, 8),
                    optional(r.exit_price, 8),
                    optional(r.profit, 2),
                    r.note.clone(),
                ]
            })
            .collect();
        let headings = ["trade", "state", "quantity", "entry", "stop", "exit", "profit", ""];
        out!("{}", table(&headings, &[2, 3, 4, 5, 6], &lines))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl TradeRow {
    fn see(&mut self, event: &TradeEvent, at: Timestamp) {
        match event {
            TradeEvent::Requested(_) => self.state = "requested".to_owned(),
            TradeEvent::Sized(e) => {
                self.state = "sized".to_owned();
                self.quantity = Some(e.quantity.get());
            }
            TradeEvent::Refused(e) => {
                self.state = "refused".to_owned();
                self.note = e.text.clone();
            }
            TradeEvent::Aborted(e) => {
                self.state = "aborted".to_owned();
                self.note = e.text.clone();
            }
            TradeEvent::Opened(e) => {
                self.state = "open".to_owned();
                self.quantity = Some(e.quantity);
                self.entry_price = Some(e.price);
                self.opened_at = Some(at);
            }
            TradeEvent::Protected(e) => {
                self.state = "open, protected".to_owned();
                self.stop = Some(e.stop.get());
                self.note.clear();
            }
            TradeEvent::Unprotected(e) => {
                self.state = "open, UNPROTECTED".to_owned();
                self.note = format!("no stop since {} ({:?})", e.since, e.because);
            }
            TradeEvent::Exiting(e) => self.state = format!("exiting ({:?})", e.reason),
            TradeEvent::Closed(e) => {
                self.state = "closed".to_owned();
                self.quantity = Some(e.quantity);
                self.exit_price = Some(e.exit_price);
                self.profit = Some(e.profit);
                self.closed_at = Some(e.closed_at);
                self.note = format!("{:?}", e.reason);
            }
            TradeEvent::CloseRequested(_)
            | TradeEvent::StopMoveRequested(_)
            | TradeEvent::StopMoveRefused(_) => {}
        }
    }
}

#[derive(Serialize)]
struct OrderRow {
    order: ClientOrderId,
    trade: Option<TradeId>,
    instrument: domain::Instrument,
    what: Option<NewOrder>,
    state: String,
    filled: Decimal,
    quote: Decimal,
    at: Timestamp,
}

/// # Errors
/// A tape that cannot be read.
pub async fn orders(global: &Global, args: OnTape) -> anyhow::Result<ExitCode> {
    let mut sequence: Vec<ClientOrderId> = Vec::new();
    let mut rows: BTreeMap<ClientOrderId, OrderRow> = BTreeMap::new();
    scan_family(global, &args, &["order"], |event| {
        let Event::Order(order) = &event.event else { return };
        see_order(&mut sequence, &mut rows, order, event.recorded_at);
    })
    .await?;
    let rows: Vec<_> = sequence.iter().filter_map(|id| rows.remove(id)).collect();
    if global.json {
        print_json(&rows)?;
    } else if rows.is_empty() {
        out!("no orders")?;
    } else {
        let lines: Vec<_> = rows
            .iter()
            .map(|r| {
                let what = r.what.as_ref();
                vec![
                    when(r.at),
                    r.order.to_string(),
                    r.instrument.symbol.to_string(),
                    what.map(|o| format!("{} {}", o.side, o.kind.name())).unwrap_or_default(),
                    what.and_then(|o| o.kind.stop()).map(|p| p.to_string()).unwrap_or_default(),
                    what.and_then(|o| o.kind.limit()).map(|p| p.to_string()).unwrap_or_default(),
                    show(r.filled),
                    r.state.clone(),
                ]
            })
            .collect();
        let headings = ["at", "order", "instrument", "what", "stop", "limit", "filled", "state"];
        out!("{}", table(&headings, &[4, 5, 6], &lines))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn see_order(
    sequence: &mut Vec<ClientOrderId>,
    rows: &mut BTreeMap<ClientOrderId, OrderRow>,
    event: &OrderEvent,
    at: Timestamp,
) {
    if let OrderEvent::Submitted(e) = event {
        for order in e.request.orders() {
            sequence.push(order.id);
            let row = OrderRow {
                order: order.id,
                trade: e.request.trade(),
                instrument: e.instrument,
                what: Some(*order),
                state: "submitted".to_owned(),
                filled: Decimal::ZERO,
                quote: Decimal::ZERO,
                at,
            };
            rows.insert(order.id, row);
        }
        return;
    }
    let (order, instrument, state) = match event {
        OrderEvent::Accepted(e) => (e.order, e.instrument, "working".to_owned()),
        OrderEvent::Rejected(e) => (e.order, e.instrument, format!("rejected: {}", e.text)),
        OrderEvent::Refused(e) => (e.order, e.instrument, format!("refused: {}", e.text)),
        OrderEvent::Absent(e) => (e.order, e.instrument, "absent".to_owned()),
        OrderEvent::Ended(e) => (e.order, e.instrument, e.ending.as_str().to_owned()),
        OrderEvent::Stuck(e) => (e.order, e.instrument, format!("STUCK waiting for {:?}", e.waiting_for)),
        OrderEvent::Filled(e) => (e.order, e.instrument, "working".to_owned()),
        OrderEvent::Submitted(_)
        | OrderEvent::Attempted(_)
        | OrderEvent::Unknown(_)
        | OrderEvent::CancelRequested(_)
        | OrderEvent::CancelAttempted(_)
        | OrderEvent::CancelRejected(_)
        | OrderEvent::Done(_) => return,
    };
    let row = rows.entry(order).or_insert_with(|| {
        sequence.push(order);
        let zero = Decimal::ZERO;
        OrderRow {
            order,
            trade: None,
            instrument,
            what: None,
            state: String::new(),
            filled: zero,
            quote: zero,
            at,
        }
    });
    row.state = state;
    if let OrderEvent::Filled(fill) = event {
        row.filled += fill.quantity.get();
        row.quote += fill.quote;
    }
}

/// # Errors
/// A tape that cannot be read.
pub async fn portfolio(global: &Global, args: OnTape) -> anyhow::Result<ExitCode> {
    let mut latest = BTreeMap::new();
    scan_family(global, &args, &["portfolio"], |event| {
        if let Event::Portfolio(PortfolioEvent::Valued(valued)) = &event.event {
            latest.insert(valued.account, (event.recorded_at, valued.clone()));
        }
    })
    .await?;
    if global.json {
        let rows: Vec<_> = latest
            .values()
            .map(|(at, valued)| {
                let mut value = serde_json::to_value(valued).unwrap_or_default();
                value["at"] = serde_json::json!(at);
                value
            })
            .collect();
        print_json(&rows)?;
    } else if latest.is_empty() {
        out!("no valuation yet")?;
    } else {
        for (at, valued) in latest.values() {
            out!(
                "{} on {}: {} {} (cash {}, exposure {}, drawdown {} from {})",
                valued.account,
                when(*at),
                show(valued.equity.round_dp(2)),
                valued.quote,
                show(valued.cash.round_dp(2)),
                show(valued.exposure.round_dp(2)),
                percent(valued.drawdown),
                show(valued.peak.round_dp(2)),
            )?;
            let lines: Vec<_> = valued
                .holdings
                .iter()
                .filter(|h| !h.quantity.is_zero())
                .map(|h| {
                    let price = h.price.map_or_else(|| "unknown".to_owned(), |p| show(p.round_dp(8)));
                    vec![h.asset.to_string(), show(h.quantity), price, show(h.value.round_dp(2))]
                })
                .collect();
            out!("{}", table(&["asset", "quantity", "price", "value"], &[1, 2, 3], &lines))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// A tape that cannot be read.
pub async fn signals(global: &Global, args: OnTape) -> anyhow::Result<ExitCode> {
    let mut given = Vec::new();
    scan_family(global, &args, &["signal"], |event| {
        if let Event::Signal(SignalEvent::Given(signal)) = &event.event {
            given.push(*signal);
        }
    })
    .await?;
    if global.json {
        print_json(&given)?;
    } else if given.is_empty() {
        out!("no signals")?;
    } else {
        let lines: Vec<_> = given
            .iter()
            .map(|s| {
                let direction = format!("{}{}", s.direction, if s.test { " (test)" } else { "" });
                vec![
                    when(s.at),
                    s.edge.to_string(),
                    s.instrument.symbol.to_string(),
                    direction,
                    s.price.to_string(),
                    s.breakout.channel.to_string(),
                ]
            })
            .collect();
        let headings = ["at", "edge", "instrument", "direction", "price", "channel"];
        out!("{}", table(&headings, &[4, 5], &lines))?;
    }
    Ok(ExitCode::SUCCESS)
}
