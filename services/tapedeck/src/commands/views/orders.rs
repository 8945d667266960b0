//! `tapedeck orders`.

use super::{Shown, Then, check_states};
use crate::{
    cli::{Global, OfRows},
    explain::{show, when},
    figures::{as_tidy, tidy},
};
use domain::{ClientOrderId, Decimal, EdgeName, Ending, Instrument, NewOrder, Timestamp, TradeId};
use events::{Event, Kind, OrderEvent, OurOrders, TradeEvent};
use serde::Serialize;
use std::{collections::BTreeMap, process::ExitCode};

#[derive(Serialize)]
struct Order {
    order: ClientOrderId,
    trade: Option<TradeId>,
    edge: Option<EdgeName>,
    instrument: Instrument,
    what: Option<NewOrder>,
    state: &'static str,
    /// Why it was rejected or refused, or what it waits for.
    note: String,
    #[serde(serialize_with = "as_tidy")]
    filled: Decimal,
    #[serde(serialize_with = "as_tidy")]
    quote: Decimal,
    at: Timestamp,
}

const KINDS: &[Kind] = &[
    Kind::TradeRequested,
    Kind::OrderSubmitted,
    Kind::OrderAccepted,
    Kind::OrderAmended,
    Kind::OrderRejected,
    Kind::OrderRefused,
    Kind::OrderFilled,
    Kind::OrderEnded,
    Kind::OrderAbsent,
    Kind::OrderStuck,
];

const SUBMITTED: &str = "submitted";
const WORKING: &str = "working";
const STUCK: &str = "stuck";

/// # Errors
/// A state that there is none of, an instrument or edge that is not on the tape; a tape that cannot be read.
pub async fn orders(global: &Global, args: OfRows) -> anyhow::Result<ExitCode> {
    let ends = [
        Ending::Filled,
        Ending::Canceled,
        Ending::Expired,
        Ending::Rejected,
        Ending::Absent,
        Ending::Refused,
    ];
    let states: Vec<&str> = [SUBMITTED, WORKING, STUCK].into_iter().chain(ends.map(Ending::as_str)).collect();
    check_states(&args.state, &states)?;
    let then = Then::open(global, &args.look).await?;
    then.check_names(&args.narrow).await?;
    let mut orders = Orders::default();
    then.scan(KINDS, |event| match &event.event {
        Event::Order(order) => orders.see(order, event.recorded_at),
        Event::Trade(TradeEvent::Requested(e)) => {
            orders.edges.entry(e.trade).or_insert(e.edge);
        }
        _ => {}
    })
    .await?;
    let of = orders.sequence.len();
    let mut rows: Vec<Order> = orders.sequence.iter().filter_map(|id| orders.rows.remove(id)).collect();
    rows.retain(|o| {
        args.narrow.takes(&o.instrument, o.edge.as_deref())
            && (args.state.is_empty() || args.state.iter().any(|state| state == o.state))
            && args.span.takes(o.at)
    });
    args.span.cut(&mut rows);
    let shown = Shown {
        what: "orders",
        rows: &rows,
        of,
        headings: &["at", "order", "instrument", "what", "stop", "limit", "filled", "state", ""],
        right: &[4, 5, 6],
        columns: &[
            "at",
            "order",
            "trade",
            "edge",
            "venue",
            "instrument",
            "side",
            "type",
            "stop",
            "limit",
            "filled",
            "quote",
            "state",
            "note",
        ],
    };
    shown.print(global, &args.look, line, cells)?;
    Ok(ExitCode::SUCCESS)
}

fn line(r: &Order) -> Vec<String> {
    let what = r.what.as_ref();
    let state = if r.state == STUCK { "STUCK" } else { r.state };
    vec![
        when(r.at),
        r.order.to_string(),
        r.instrument.symbol.to_string(),
        what.map(|o| format!("{} {}", o.side, o.kind.name())).unwrap_or_default(),
        what.and_then(|o| o.kind.stop()).map(|p| p.to_string()).unwrap_or_default(),
        what.and_then(|o| o.kind.limit()).map(|p| p.to_string()).unwrap_or_default(),
        show(r.filled),
        state.to_owned(),
        r.note.clone(),
    ]
}

fn cells(r: &Order) -> Vec<String> {
    let what = r.what.as_ref();
    vec![
        r.at.to_string(),
        r.order.to_string(),
        r.trade.map(|t| t.to_string()).unwrap_or_default(),
        r.edge.map(|e| e.to_string()).unwrap_or_default(),
        r.instrument.venue.to_string(),
        r.instrument.symbol.to_string(),
        what.map(|o| o.side.to_string()).unwrap_or_default(),
        what.map(|o| o.kind.name().to_lowercase()).unwrap_or_default(),
        what.and_then(|o| o.kind.stop()).map(|p| tidy(p.get()).to_string()).unwrap_or_default(),
        what.and_then(|o| o.kind.limit()).map(|p| tidy(p.get()).to_string()).unwrap_or_default(),
        tidy(r.filled).to_string(),
        tidy(r.quote).to_string(),
        r.state.to_owned(),
        r.note.clone(),
    ]
}

#[derive(Default)]
struct Orders {
    sequence: Vec<ClientOrderId>,
    rows: BTreeMap<ClientOrderId, Order>,
    edges: BTreeMap<TradeId, EdgeName>,
    ours: OurOrders,
}

impl Orders {
    fn see(&mut self, event: &OrderEvent, at: Timestamp) {
        if let OrderEvent::Submitted(e) = event {
            let trade = e.request.trade();
            for order in e.request.orders() {
                self.ours.submit(order.id);
                let row = self.row(order.id, e.instrument, at);
                (row.what, row.trade, row.state) = (Some(*order), trade, SUBMITTED);
                let edge = trade.and_then(|trade| self.edges.get(&trade).copied());
                self.row(order.id, e.instrument, at).edge = edge;
            }
            return;
        }
        let (order, instrument, state, note) = match event {
            OrderEvent::Accepted(e) => (e.order, e.instrument, WORKING, String::new()),
            OrderEvent::Amended(e) => {
                let note = format!("changed at the venue to {} in all", e.quantity);
                (e.order, e.instrument, WORKING, note)
            }
            OrderEvent::Filled(e) => (e.order, e.instrument, WORKING, String::new()),
            OrderEvent::Rejected(e) => {
                (e.order, e.instrument, Ending::Rejected.as_str(), format!("{}: {}", e.reason, e.text))
            }
            OrderEvent::Refused(e) => (e.order, e.instrument, Ending::Refused.as_str(), e.text.clone()),
            OrderEvent::Absent(e) => (e.order, e.instrument, Ending::Absent.as_str(), String::new()),
            OrderEvent::Ended(e) => (e.order, e.instrument, e.ending.as_str(), String::new()),
            OrderEvent::Stuck(e) => {
                let note = format!("waits for {} since {}", e.waiting_for, when(e.since));
                (e.order, e.instrument, STUCK, note)
            }
            OrderEvent::Submitted(_)
            | OrderEvent::Attempted(_)
            | OrderEvent::Unknown(_)
            | OrderEvent::CancelRequested(_)
            | OrderEvent::CancelAttempted(_)
            | OrderEvent::CancelRejected(_)
            | OrderEvent::Done(_) => return,
        };
        let order = self.name_of(event, order);
        let row = self.row(order, instrument, at);
        (row.state, row.note) = (state, note);
        if let OrderEvent::Filled(fill) = event {
            row.filled += fill.quantity.get();
            row.quote += fill.quote;
        }
    }

    /// Ours whatever the venue calls it; another one under the id of one of ours by its number.
    fn name_of(&mut self, event: &OrderEvent, told: ClientOrderId) -> ClientOrderId {
        let (account, instrument, number) = match event {
            OrderEvent::Accepted(e) => (e.account, e.instrument, e.venue_order),
            OrderEvent::Amended(e) => (e.account, e.instrument, e.venue_order),
            OrderEvent::Filled(e) => (e.account, e.instrument, e.venue_order),
            OrderEvent::Ended(e) => (e.account, e.instrument, e.venue_order),
            _ => return told,
        };
        match self.ours.see(account, instrument, told, number) {
            Some(order) => order,
            None if self.ours.contains(&told) => ClientOrderId::new(&format!("#{number}")).unwrap_or(told),
            None => told,
        }
    }

    /// An order that was not submitted on this tape is the owner's own.
    fn row(&mut self, order: ClientOrderId, instrument: Instrument, at: Timestamp) -> &mut Order {
        self.rows.entry(order).or_insert_with(|| {
            self.sequence.push(order);
            let zero = Decimal::ZERO;
            Order {
                order,
                trade: None,
                edge: None,
                instrument,
                what: None,
                state: WORKING,
                note: String::new(),
                filled: zero,
                quote: zero,
                at,
            }
        })
    }
}
