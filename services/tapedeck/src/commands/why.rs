//! `tapedeck why`: the causal chain of a trade, order, fill or event, with the numbers and times.

use crate::{
    WrongUse,
    cli::{Global, Why},
    commands::print_json,
    explain::explain,
    locate, scan,
};
use events::{Event, Kind, OrderEvent, Position, Row, Uuid};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    process::ExitCode,
};
use tape::Tape;

/// # Errors
/// An id that the tape does not know; a tape that cannot be read.
pub async fn run(global: &Global, args: Why) -> anyhow::Result<ExitCode> {
    let tape = locate::reading(global, &args.tape).await?;
    let mut chain =
        Chain { tape: &tape, rows: BTreeMap::new(), by_id: BTreeMap::new(), asked: BTreeSet::new() };
    chain.start(&args.id).await?;
    if chain.rows.is_empty() {
        let message = format!(
            "nothing on this tape is called '{}': give a trade's id (see `tapedeck trades`), an order's (see `tapedeck orders`), a fill's (fill:ID), an event's, or a position",
            args.id
        );
        return Err(WrongUse(message).into());
    }
    chain.add_what_led_to_it().await?;
    if global.json {
        let rows: Vec<_> = chain
            .rows
            .values()
            .map(|row| {
                let mut value = super::tape::row_json(row);
                value["words"] = json!(words(row));
                value["cause_position"] = json!(chain.cause_of(row));
                value["asked"] = json!(chain.asked.contains(&row.position));
                value
            })
            .collect();
        print_json(&rows)?;
    } else {
        chain.print()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// How an order came to be at the venue.
const SENDING: &[Kind] = &[Kind::OrderSubmitted, Kind::OrderAttempted, Kind::OrderAccepted];
/// How a trade came to be.
const ASKING: &[Kind] = &[Kind::TradeRequested, Kind::TradeSized];

struct Chain<'a> {
    tape: &'a Tape,
    rows: BTreeMap<Position, Row>,
    by_id: BTreeMap<Uuid, Position>,
    /// What was asked about, as against what led to it.
    asked: BTreeSet<Position>,
}

impl Chain<'_> {
    /// Everything that goes by that id. A bare number is a position: venues number their fills, too.
    async fn start(&mut self, id: &str) -> anyhow::Result<()> {
        if let Some(fill) = id.strip_prefix("fill:") {
            let fills = self.fills(fill).await?;
            self.take(fills, true);
            return Ok(());
        }
        if let Ok(position) = id.parse::<Position>() {
            let row = self.tape.read(position.saturating_sub(1), 1).await?;
            if row.first().is_some_and(|r| r.position == position) {
                self.take(row, true);
                return Ok(());
            }
        }
        if let Ok(uuid) = id.parse::<Uuid>() {
            let row = self.tape.by_id(uuid).await?;
            self.take(row.into_iter().collect(), true);
            return Ok(());
        }
        let trade = self.tape.of_trade(id).await?;
        if !trade.is_empty() {
            return self.take_trade(trade).await;
        }
        let order = self.tape.of_subject(&format!("order:{id}")).await?;
        if !order.is_empty() {
            return self.take_order(id).await;
        }
        let fills = self.fills(id).await?;
        self.take(fills, true);
        Ok(())
    }

    /// A trade and what the venue said of its orders.
    async fn take_trade(&mut self, rows: Vec<Row>) -> anyhow::Result<()> {
        let orders = orders_of(&rows);
        self.take(rows, true);
        for order in orders {
            self.take_order(&order.to_string()).await?;
        }
        Ok(())
    }

    /// An order, under all the names that it had.
    async fn take_order(&mut self, order: &str) -> anyhow::Result<()> {
        let (mut next, mut taken) = (vec![order.to_owned()], BTreeSet::new());
        while let Some(name) = next.pop() {
            let rows = self.tape.of_subject(&format!("order:{name}")).await?;
            taken.insert(name);
            for row in &rows {
                if row.kind() == Some(Kind::OrderAmended)
                    && let Event::Order(OrderEvent::Amended(e)) = row.decode()?.event
                    && !taken.contains(e.renamed.as_str())
                {
                    next.push(e.renamed.to_string());
                }
            }
            self.take(rows, true);
        }
        Ok(())
    }

    /// Fills have no index of their own; those by kind are few.
    async fn fills(&self, venue_trade: &str) -> anyhow::Result<Vec<Row>> {
        let mut found = Vec::new();
        scan::kinds(self.tape, &[Kind::OrderFilled], Position::MAX, |event| {
            if let Event::Order(OrderEvent::Filled(fill)) = &event.event
                && fill.venue_trade.as_str() == venue_trade
            {
                found.push(event.position);
            }
        })
        .await?;
        let mut rows = Vec::new();
        for position in found {
            rows.extend(self.tape.read(position - 1, 1).await?);
        }
        Ok(rows)
    }

    fn take(&mut self, rows: Vec<Row>, asked: bool) {
        for row in rows {
            if asked {
                self.asked.insert(row.position);
            }
            self.by_id.insert(row.draft.id, row.position);
            self.rows.entry(row.position).or_insert(row);
        }
    }

    /// Follows every cause back to where it began. What the venue says of an order begins there, so the
    /// order's own sending, and the request and the size of its trade, belong to it as well.
    async fn add_what_led_to_it(&mut self) -> anyhow::Result<()> {
        let last = self.asked.last().copied().unwrap_or_default();
        let (mut orders, mut trades) = (BTreeSet::new(), BTreeSet::new());
        loop {
            self.add_causes().await?;
            let drafts = || self.rows.values().map(|row| &row.draft);
            let order =
                drafts().map(|d| &d.subject).find(|s| s.starts_with("order:") && !orders.contains(*s));
            let trade = drafts().filter_map(|d| d.trade.as_ref()).find(|trade| !trades.contains(*trade));
            let (rows, kinds) = match (order.cloned(), trade.cloned()) {
                (Some(order), _) => {
                    let rows = self.tape.of_subject(&order).await?;
                    orders.insert(order);
                    (rows, SENDING)
                }
                (None, Some(trade)) => {
                    let rows = self.tape.of_trade(&trade).await?;
                    trades.insert(trade);
                    (rows, ASKING)
                }
                (None, None) => return Ok(()),
            };
            let earlier = |row: &Row| row.position <= last && row.kind().is_some_and(|k| kinds.contains(&k));
            self.take(rows.into_iter().filter(earlier).collect(), false);
        }
    }

    /// Follows every cause back to where it began.
    async fn add_causes(&mut self) -> anyhow::Result<()> {
        let mut wanted: Vec<Uuid> = self.rows.values().filter_map(|r| r.draft.cause).collect();
        while let Some(id) = wanted.pop() {
            if self.by_id.contains_key(&id) {
                continue;
            }
            let Some(row) = self.tape.by_id(id).await? else { continue };
            wanted.extend(row.draft.cause);
            self.take(vec![row], false);
        }
        Ok(())
    }

    fn cause_of(&self, row: &Row) -> Option<Position> {
        row.draft.cause.and_then(|cause| self.by_id.get(&cause).copied())
    }

    fn print(&self) -> io::Result<()> {
        for row in self.rows.values() {
            let because = self.cause_of(row).map_or_else(|| "the world".to_owned(), |p| p.to_string());
            out!("{:>8}  {}  {}", row.position, row.recorded_at, words(row))?;
            out!("          {} by {}, because of {because}", row.draft.kind, row.draft.source)?;
        }
        Ok(())
    }
}

fn orders_of(rows: &[Row]) -> BTreeSet<String> {
    let mut orders = BTreeSet::new();
    for row in rows {
        if let Ok(recorded) = row.decode()
            && let Event::Order(OrderEvent::Submitted(submitted)) = &recorded.event
        {
            orders.insert(submitted.request.id().to_string());
            orders.extend(submitted.request.orders().map(|o| o.id.to_string()));
        }
    }
    orders
}

fn words(row: &Row) -> String {
    match row.decode() {
        Ok(recorded) => explain(&recorded.event),
        Err(error) => error.to_string(),
    }
}
