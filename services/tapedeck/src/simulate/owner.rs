//! What the owner does meanwhile: at the venue, and on the tape.

use super::{
    facts::fact,
    units as simulated,
    venue::assets,
    world::{World, price},
};
use crate::units;
use domain::{
    Account, ClientOrderId, Decimal, Direction, EdgeName, Instrument, NewOrder, OrderKind, OrderRequest,
    Origin, PositionSide, Quantity, Side, Size, TimeInForce, TradeId,
};
use events::{
    CancelAttempted, CancelRequested, CloseRequested, Event, OrderEvent, OrderSubmitted, RequestedBy, Row,
    StopMoveRequested, TradeEvent, TradeRequested, TradingState, TradingStateChanged,
};
use sim::rng::Rng;
use std::time::Duration;

/// What the ids of orders by hand begin with.
const BY_HAND: &str = "hand-";

impl World {
    pub fn meddle(&mut self, rng: &mut Rng) {
        let by = RequestedBy::Owner { who: "owner".to_owned() };
        let instruments: Vec<Instrument> = self.prices.keys().copied().collect();
        let instrument = instruments[rng.index(instruments.len())];
        let (name, account) = EDGES[rng.index(EDGES.len())];
        let account = simulated::accounts()[account];
        let edge = EdgeName::new(name).unwrap_or_else(|e| unreachable!("{e}"));
        let asked: Option<Event> = match rng.below(8) {
            0 | 1 => return self.cancel_at_the_venue(account, rng),
            2 => Some(
                CloseRequested { account, instrument, edge, direction: None, by, why: None, signal_at: None }
                    .into(),
            ),
            3 => self.some_trade(rng).map(|trade| {
                let cents = self.prices[&instrument];
                let more = i64::try_from(rng.below(u64::try_from(cents).unwrap_or(1))).unwrap_or(0);
                StopMoveRequested { trade, stop: price(cents / 2 + more), by }.into()
            }),
            4 => Some(self.change_trading(account, rng)),
            5 if rng.chance(30) => self.repeated_request(rng),
            5 => Some(
                TradeRequested {
                    trade: TradeId::new(&format!("wish-{}", self.now.micros()))
                        .unwrap_or_else(|e| unreachable!("{e}")),
                    account,
                    instrument,
                    edge,
                    direction: Direction::Long,
                    trigger: price(self.prices[&instrument]),
                    signal_at: self.now,
                    by,
                    stop: None,
                    target: None,
                    valid_until: None,
                }
                .into(),
            ),
            _ => self.order(account, instrument, rng),
        };
        if let Some(asked) = asked {
            let id = fact("owner", &self.now);
            self.cluster.record(units::owner(), self.now, vec![(id, asked)]);
            self.now = self.now + Duration::from_micros(1);
        }
    }

    /// A request that was made before, as it was or for something else: of an open trade or an ended one.
    fn repeated_request(&self, rng: &mut Rng) -> Option<Event> {
        let requested: Vec<Row> = self.cluster.tape.look(|rows| {
            rows.iter().rev().filter(|row| row.draft.kind == "trade.requested").take(8).cloned().collect()
        });
        let row = requested.get(rng.index(requested.len().max(1)))?;
        let Ok(Event::Trade(TradeEvent::Requested(first))) = row.decode().map(|event| event.event) else {
            return None;
        };
        let trigger = if rng.chance(50) { first.trigger } else { price(self.prices[&first.instrument] + 1) };
        Some(TradeRequested { trigger, signal_at: self.now, ..first }.into())
    }

    fn change_trading(&self, account: Account, rng: &mut Rng) -> Event {
        let state = match rng.below(3) {
            0 => TradingState::Active,
            1 => TradingState::Reducing,
            _ => TradingState::Halted,
        };
        let until = Some(self.now + Duration::from_secs(1 + rng.below(90)));
        let account = rng.chance(60).then_some(account);
        let (who, why) = ("owner".to_owned(), "a storm".to_owned());
        TradingStateChanged { account, state, who, why, until }.into()
    }

    /// An order by hand: buys, or sells what was bought so.
    fn order(&mut self, account: Account, instrument: Instrument, rng: &mut Rng) -> Option<Event> {
        let last = self.prices[&instrument];
        let sold = self.sold_by_hand.get(&(account, instrument)).copied().unwrap_or_default();
        let held = self.bought_by_hand(account, instrument) - sold;
        let lots = |quantity: Decimal| Quantity::new(quantity - quantity % Decimal::new(1, 3)).ok();
        let some = Decimal::from(50 + rng.below(100)) * Decimal::ONE_HUNDRED / Decimal::from(last);
        let (side, quantity) = if held * Decimal::from(last) > Decimal::from(2_000) && rng.chance(60) {
            (Side::Sell, lots(held))
        } else {
            (Side::Buy, lots(some))
        };
        if side == Side::Sell {
            *self.sold_by_hand.entry((account, instrument)).or_default() +=
                quantity.map_or(held, Quantity::get);
        }
        let near = |rng: &mut Rng| price(last * i64::try_from(970 + rng.below(60)).unwrap_or(1_000) / 1_000);
        let kind = match rng.below(3) {
            0 => OrderKind::Market,
            1 => OrderKind::Limit { price: near(rng), time_in_force: TimeInForce::Gtc },
            _ => OrderKind::Limit { price: near(rng), time_in_force: TimeInForce::Ioc },
        };
        let name = format!("{BY_HAND}{}", self.now.micros());
        let order = NewOrder {
            id: ClientOrderId::new(&name).unwrap_or_else(|e| unreachable!("{e}")),
            side,
            kind,
            size: Size::Base(quantity?),
            origin: Origin::Manual { request: TradeId::new(&name).unwrap_or_else(|e| unreachable!("{e}")) },
            reduce_only: false,
            position_side: PositionSide::Net,
        };
        let request = Box::new(OrderRequest::Single(order));
        Some(OrderSubmitted { account, instrument, request }.into())
    }

    /// As far as it is on the tape.
    fn bought_by_hand(&self, account: Account, instrument: Instrument) -> Decimal {
        let (base, _) = assets(&instrument);
        let filled = |row: &&Row| row.draft.kind == "order.filled" && row.draft.body.contains(BY_HAND);
        let bought = |row: &Row| match row.decode().ok()?.event {
            Event::Order(OrderEvent::Filled(fill))
                if (fill.account, fill.instrument, fill.side) == (account, instrument, Side::Buy) =>
            {
                let fee = fill.fee.filter(|fee| fee.asset == base).map_or(Decimal::ZERO, |fee| fee.amount);
                Some(fill.quantity.get() - fee)
            }
            _ => None,
        };
        self.cluster.tape.look(|rows| rows.iter().filter(filled).filter_map(bought).sum())
    }

    fn some_trade(&self, rng: &mut Rng) -> Option<TradeId> {
        let trades: Vec<TradeId> = self.cluster.tape.look(|rows| {
            let opened = rows.iter().rev().filter(|r| r.draft.kind == "trade.opened");
            opened.filter_map(|r| r.draft.trade.as_deref()?.parse().ok()).take(6).collect()
        });
        (!trades.is_empty()).then(|| trades[rng.index(trades.len())])
    }

    /// Behind the engine's back, or through it.
    fn cancel_at_the_venue(&mut self, account: Account, rng: &mut Rng) {
        let Some(venue) = self.venues.get(&account) else { return };
        let working: Vec<(Instrument, ClientOrderId)> = venue.working();
        if working.is_empty() {
            return;
        }
        let (instrument, order) = working[rng.index(working.len())];
        if rng.chance(50) {
            let asked = CancelRequested { account, instrument, order, request: 1 };
            let id = fact("owner", &self.now);
            self.cluster.record(units::owner(), self.now, vec![(id, asked.into())]);
            self.now = self.now + Duration::from_micros(1);
            return;
        }
        self.faults.add("orders canceled at the venue", 1);
        let (attempt, timestamp, recv_window_ms) = (1, self.now, 5_000);
        let by_hand = CancelAttempted { account, instrument, order, attempt, timestamp, recv_window_ms };
        self.tell_venue(account, &by_hand.into(), rng);
    }
}

/// The edges of `simulated.toml`, and which account each trades on.
const EDGES: [(&str, usize); 3] = [("edge70", 0), ("quick", 0), ("second", 1)];
