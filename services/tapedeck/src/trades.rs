//! Trades as they stand: each request and what became of it, with times, prices, fees, and of an open one
//! what it is worth. The one projection behind `tapedeck trades`, the files of a backtest, the report and
//! the live view.
//!
//! Money is in the instrument's quote asset.
//! A fee in the base asset makes the holding smaller, one in the quote asset makes a buy dearer and a sale
//! poorer, one in a third asset is listed only.

use crate::figures::{as_tidy, as_tidy_option, tidy};
use domain::{
    Account, Asset, ClientOrderId, Decimal, Direction, EdgeName, Instrument, Side, Timestamp, TradeId,
};
use events::{
    CandleEvent, Event, Fee, InstrumentEvent, Kind, NakedBecause, OrderEvent, OrderFilled, OurOrders,
    QuoteEvent, Recorded, TradeEvent,
};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// What [`Trades::see`] makes use of, but for prices.
pub const KINDS: &[Kind] = &[
    Kind::InstrumentListed,
    Kind::TradeRequested,
    Kind::TradeSized,
    Kind::TradeRefused,
    Kind::TradeOpened,
    Kind::TradeProtected,
    Kind::TradeUnprotected,
    Kind::TradeExiting,
    Kind::TradeClosed,
    Kind::TradeAborted,
    Kind::OrderSubmitted,
    Kind::OrderAccepted,
    Kind::OrderAmended,
    Kind::OrderFilled,
];

/// What tells a price.
pub const PRICES: &[Kind] = &[Kind::CandleClosed, Kind::QuoteSeen];

/// A trade without a stop for as long as this is told so aloud; the engine's own steps take an instant.
pub const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Requested,
    Sized,
    Refused,
    Aborted,
    Open,
    Exiting,
    Closed,
}

impl State {
    pub const ALL: [Self; 7] =
        [Self::Requested, Self::Sized, Self::Refused, Self::Aborted, Self::Open, Self::Exiting, Self::Closed];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Sized => "sized",
            Self::Refused => "refused",
            Self::Aborted => "aborted",
            Self::Open => "open",
            Self::Exiting => "exiting",
            Self::Closed => "closed",
        }
    }

    /// Something is held.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Exiting)
    }

    /// Something was bought.
    pub const fn was_entered(self) -> bool {
        matches!(self, Self::Open | Self::Exiting | Self::Closed)
    }
}

/// One trade. Fields that do not apply to its state are null.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trade {
    pub trade: TradeId,
    pub state: State,
    pub account: Account,
    pub instrument: Instrument,
    pub edge: EdgeName,
    pub direction: Option<Direction>,
    pub requested_at: Timestamp,
    pub opened_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    /// From opening to closing, or to the last event seen.
    pub duration_seconds: Option<u64>,
    /// Of the base asset: bought in all if it is closed, held now if it is open, granted before.
    #[serde(serialize_with = "as_tidy_option")]
    pub quantity: Option<Decimal>,
    #[serde(serialize_with = "as_tidy_option")]
    pub entry_price: Option<Decimal>,
    #[serde(serialize_with = "as_tidy_option")]
    pub exit_price: Option<Decimal>,
    /// The price of the last stop that worked.
    #[serde(serialize_with = "as_tidy_option")]
    pub stop: Option<Decimal>,
    /// Whether a stop works over all that is held.
    pub protected: Option<bool>,
    pub unprotected_since: Option<Timestamp>,
    pub unprotected_because: Option<NakedBecause>,
    /// Base asset that a stop covers, where it does not cover all of it.
    #[serde(serialize_with = "as_tidy_option")]
    pub partly_protected: Option<Decimal>,
    /// The instrument's last price, and when it was so.
    #[serde(serialize_with = "as_tidy_option")]
    pub last_price: Option<Decimal>,
    pub last_price_at: Option<Timestamp>,
    /// Quote asset paid and received, fees in it included.
    #[serde(serialize_with = "as_tidy_option")]
    pub cost: Option<Decimal>,
    #[serde(serialize_with = "as_tidy_option")]
    pub proceeds: Option<Decimal>,
    /// What is held, at the last price.
    #[serde(serialize_with = "as_tidy_option")]
    pub value: Option<Decimal>,
    /// Of a closed trade.
    #[serde(serialize_with = "as_tidy_option")]
    pub profit: Option<Decimal>,
    /// `profit / cost`.
    #[serde(serialize_with = "as_tidy_option")]
    pub profit_ratio: Option<Decimal>,
    /// `value + proceeds − cost`, before what selling would cost.
    #[serde(serialize_with = "as_tidy_option")]
    pub unrealised_profit: Option<Decimal>,
    /// `unrealised_profit / cost`.
    #[serde(serialize_with = "as_tidy_option")]
    pub unrealised_ratio: Option<Decimal>,
    pub fees: Vec<Fee>,
    /// Base asset too little to be sold.
    #[serde(serialize_with = "as_tidy")]
    pub left: Decimal,
    /// What that has cost, and what it was worth when the trade was closed.
    #[serde(serialize_with = "as_tidy")]
    pub left_cost: Decimal,
    #[serde(serialize_with = "as_tidy")]
    pub left_worth: Decimal,
    /// Why it was refused, aborted or left: the name of a rule or reason.
    pub reason: Option<&'static str>,
    /// The reason for people, and the figures with it.
    pub note: String,
    #[serde(skip)]
    reason_words: Option<&'static str>,
    #[serde(skip)]
    fills: Fills,
}

/// What the trade's orders did since it was opened; the fees since it was asked for.
#[derive(Debug, Clone, Default, PartialEq)]
struct Fills {
    /// Held and paid when it was opened.
    opened_with: Option<(Decimal, Decimal)>,
    bought: Decimal,
    sold: Decimal,
    paid: Decimal,
    received: Decimal,
    fees: BTreeMap<Asset, Decimal>,
}

/// All trades, in the order of their requests.
#[derive(Debug, Default)]
pub struct Trades {
    order: Vec<TradeId>,
    trades: BTreeMap<TradeId, Trade>,
    orders: BTreeMap<ClientOrderId, TradeId>,
    /// Which of the venue's orders they are.
    ours: OurOrders,
    /// Base and quote.
    assets: BTreeMap<Instrument, (Asset, Asset)>,
    prices: BTreeMap<Instrument, (Timestamp, Decimal)>,
    now: Timestamp,
}

impl Trades {
    pub fn see(&mut self, event: &Recorded) {
        self.now = self.now.max(event.recorded_at);
        match &event.event {
            Event::Candle(CandleEvent::Closed(e)) => {
                self.price(e.candle.instrument, e.candle.close_time(), e.candle.close.get());
            }
            Event::Quote(QuoteEvent::Seen(e)) => self.price(e.instrument, e.at, e.price.get()),
            Event::Instrument(InstrumentEvent::Listed(e)) => {
                self.assets.insert(e.instrument, (e.rules.base, e.rules.quote));
            }
            Event::Order(OrderEvent::Submitted(e)) => {
                if let Some(trade) = e.request.trade() {
                    self.orders.extend(e.request.orders().map(|order| (order.id, trade)));
                    e.request.orders().for_each(|order| self.ours.submit(order.id));
                }
            }
            Event::Order(OrderEvent::Accepted(e)) => {
                self.ours.see(e.account, e.instrument, e.order, e.venue_order);
            }
            Event::Order(OrderEvent::Amended(e)) => {
                self.ours.see(e.account, e.instrument, e.order, e.venue_order);
            }
            Event::Order(OrderEvent::Filled(fill)) => self.fill(fill),
            Event::Trade(trade) => self.trade(event.recorded_at, trade),
            _ => {}
        }
    }

    /// The latest price counts, whatever it is the close of.
    pub fn price(&mut self, instrument: Instrument, at: Timestamp, price: Decimal) {
        let known = self.prices.entry(instrument).or_insert((at, price));
        if known.0 <= at {
            *known = (at, price);
        }
    }

    /// The last price of an instrument.
    pub fn last_price(&self, instrument: &Instrument) -> Option<Decimal> {
        self.prices.get(instrument).map(|(_, price)| *price)
    }

    /// How each stands now, the oldest request first.
    pub fn all(&self) -> impl Iterator<Item = Trade> + '_ {
        self.order.iter().filter_map(|id| self.trades.get(id)).map(|trade| self.as_now(trade))
    }

    /// Those that hold something.
    pub fn open(&self) -> impl Iterator<Item = Trade> + '_ {
        let open = self.order.iter().filter_map(|id| self.trades.get(id)).filter(|t| t.state.is_open());
        open.map(|trade| self.as_now(trade))
    }

    /// Drops a trade that is over and need not be shown.
    pub fn forget(&mut self, id: TradeId) {
        self.trades.remove(&id);
        self.order.retain(|other| *other != id);
        self.forget_orders(id);
    }

    /// It is that late now, whatever was heard.
    pub fn pass_to(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    /// The time of the last event seen.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    fn forget_orders(&mut self, id: TradeId) {
        for (order, _) in self.orders.extract_if(.., |_, trade| *trade == id) {
            self.ours.forget(&order);
        }
    }

    fn fill(&mut self, fill: &OrderFilled) {
        let order = self.ours.see(fill.account, fill.instrument, fill.order, fill.venue_order);
        let Some(trade) =
            order.and_then(|order| self.orders.get(&order)).and_then(|id| self.trades.get_mut(id))
        else {
            return;
        };
        trade.fills.add(fill, self.assets.get(&fill.instrument).copied());
    }

    fn trade(&mut self, at: Timestamp, event: &TradeEvent) {
        match event {
            TradeEvent::Requested(e) => {
                let trade = self.entry(e.trade, e.account, e.instrument, e.edge, at);
                trade.direction = Some(e.direction);
            }
            TradeEvent::Sized(e) => {
                let trade = self.entry(e.trade, e.account, e.instrument, e.edge, at);
                trade.direction = Some(e.direction);
                trade.state = State::Sized;
                trade.quantity = Some(e.quantity.get());
            }
            TradeEvent::Refused(e) => {
                let trade = self.entry(e.trade, e.account, e.instrument, e.edge, at);
                trade.state = State::Refused;
                trade.closed_at = Some(at);
                trade.because(e.rule.name(), e.rule.words(), &e.text);
            }
            TradeEvent::Aborted(e) => {
                let trade = self.entry(e.trade, e.account, e.instrument, e.edge, at);
                trade.state = State::Aborted;
                trade.closed_at = Some(at);
                trade.because(e.reason.name(), e.reason.words(), &e.text);
            }
            TradeEvent::Opened(e) => {
                let trade = self.entry(e.trade, e.account, e.instrument, e.edge, at);
                trade.state = State::Open;
                trade.quantity = Some(e.quantity);
                trade.entry_price = Some(e.price);
                trade.cost = Some(e.cost);
                trade.opened_at = Some(at);
                let fees = std::mem::take(&mut trade.fills.fees);
                trade.fills = Fills { opened_with: Some((e.quantity, e.cost)), fees, ..Fills::default() };
                trade.protected = Some(false);
            }
            TradeEvent::Protected(e) => {
                let Some(trade) = self.trades.get_mut(&e.trade) else { return };
                trade.stop = Some(e.stop.get());
                trade.protected = Some(true);
                (trade.unprotected_since, trade.unprotected_because) = (None, None);
                trade.partly_protected = None;
            }
            TradeEvent::Unprotected(e) => {
                let Some(trade) = self.trades.get_mut(&e.trade) else { return };
                trade.protected = Some(false);
                trade.unprotected_since = Some(e.since);
                trade.unprotected_because = Some(e.because);
                trade.partly_protected = e.covered.map(|covered| covered.get());
            }
            TradeEvent::Exiting(e) => {
                let Some(trade) = self.trades.get_mut(&e.trade) else { return };
                trade.state = State::Exiting;
                trade.because(e.reason.name(), e.reason.words(), "");
            }
            TradeEvent::Closed(e) => {
                let trade = self.entry(e.trade, e.account, e.instrument, e.edge, at);
                trade.state = State::Closed;
                trade.quantity = Some(e.quantity);
                trade.entry_price = Some(e.entry_price);
                trade.exit_price = Some(e.exit_price);
                trade.cost = Some(e.cost);
                trade.proceeds = Some(e.proceeds);
                trade.profit = Some(e.profit);
                trade.profit_ratio = e.profit.checked_div(e.cost);
                trade.fees.clone_from(&e.fees);
                trade.left = e.left;
                (trade.left_cost, trade.left_worth) = (e.left_cost, e.left_worth);
                trade.opened_at = Some(e.opened_at);
                trade.closed_at = Some(e.closed_at);
                trade.protected = None;
                (trade.unprotected_since, trade.unprotected_because) = (None, None);
                trade.because(e.reason.name(), e.reason.words(), "");
                let id = e.trade;
                self.forget_orders(id);
            }
            TradeEvent::CloseRequested(_)
            | TradeEvent::StopMoveRequested(_)
            | TradeEvent::StopMoveRefused(_) => {}
        }
    }

    fn entry(
        &mut self,
        id: TradeId,
        account: Account,
        instrument: Instrument,
        edge: EdgeName,
        at: Timestamp,
    ) -> &mut Trade {
        self.trades.entry(id).or_insert_with(|| {
            self.order.push(id);
            Trade::new(id, account, instrument, edge, at)
        })
    }

    fn as_now(&self, trade: &Trade) -> Trade {
        let mut trade = trade.clone();
        if let Some(opened) = trade.opened_at {
            let end = trade.closed_at.unwrap_or(self.now);
            trade.duration_seconds = Some(end.since(opened).as_secs());
        }
        if trade.state.is_open() {
            trade.value_at(self.prices.get(&trade.instrument).copied());
        }
        trade
    }
}

impl Trade {
    fn new(
        trade: TradeId,
        account: Account,
        instrument: Instrument,
        edge: EdgeName,
        requested_at: Timestamp,
    ) -> Self {
        Self {
            trade,
            state: State::Requested,
            account,
            instrument,
            edge,
            direction: None,
            requested_at,
            opened_at: None,
            closed_at: None,
            duration_seconds: None,
            quantity: None,
            entry_price: None,
            exit_price: None,
            stop: None,
            protected: None,
            unprotected_since: None,
            unprotected_because: None,
            partly_protected: None,
            last_price: None,
            last_price_at: None,
            cost: None,
            proceeds: None,
            value: None,
            profit: None,
            profit_ratio: None,
            unrealised_profit: None,
            unrealised_ratio: None,
            fees: Vec::new(),
            left: Decimal::ZERO,
            left_cost: Decimal::ZERO,
            left_worth: Decimal::ZERO,
            reason: None,
            note: String::new(),
            reason_words: None,
            fills: Fills::default(),
        }
    }

    fn because(&mut self, name: &'static str, words: &'static str, text: &str) {
        self.reason = Some(name);
        self.reason_words = Some(words);
        self.note = if text.is_empty() { words.to_owned() } else { format!("{words}: {text}") };
    }

    /// Figures of an open trade from its fills, and its worth at a price.
    fn value_at(&mut self, price: Option<(Timestamp, Decimal)>) {
        let f = &self.fills;
        self.fees = f.fees.iter().map(|(&asset, &amount)| Fee { asset, amount }).collect();
        if let Some((quantity, cost)) = f.opened_with {
            self.quantity = Some(quantity + f.bought - f.sold);
            self.cost = Some(cost + f.paid);
        }
        self.proceeds = Some(f.received);
        let Some((at, price)) = price else { return };
        self.last_price = Some(price);
        self.last_price_at = Some(at);
        self.value = self.quantity.and_then(|held| held.checked_mul(price));
        let worth = self.value.map(|value| value + f.received);
        self.unrealised_profit = worth.zip(self.cost).map(|(worth, cost)| worth - cost);
        self.unrealised_ratio =
            self.unrealised_profit.zip(self.cost).and_then(|(profit, cost)| profit.checked_div(cost));
    }

    /// The state with how it is protected, for people.
    pub fn standing(&self, now: Timestamp) -> String {
        match (self.state, self.protected) {
            (State::Open, Some(false)) if self.partly_protected.is_some() => {
                let covered = self.partly_protected.unwrap_or_default();
                format!("open, only {} protected", tidy(covered))
            }
            (State::Open, Some(true)) => "open, protected".to_owned(),
            (State::Open, Some(false)) if self.is_naked(now) => "open, UNPROTECTED".to_owned(),
            (State::Open, Some(false)) => "open, no stop yet".to_owned(),
            (state, _) => state.name().to_owned(),
        }
    }

    /// Without a stop, and not only for the instant that the engine's own steps take.
    pub fn is_naked(&self, now: Timestamp) -> bool {
        let passing = self.unprotected_because.is_none_or(NakedBecause::is_passing);
        let since = self.unprotected_since.or(self.opened_at);
        self.protected == Some(false) && (!passing || since.is_some_and(|since| now.since(since) > PATIENCE))
    }

    /// Of a closed trade, else what it would be at the last price.
    pub fn gain(&self) -> Option<Decimal> {
        self.profit.or(self.unrealised_profit)
    }

    pub fn gain_ratio(&self) -> Option<Decimal> {
        self.profit_ratio.or(self.unrealised_ratio)
    }

    pub fn reason_words(&self) -> &'static str {
        self.reason_words.unwrap_or_default()
    }

    /// The columns of `trades.csv`.
    pub const COLUMNS: [&'static str; 34] = [
        "trade",
        "state",
        "venue",
        "account",
        "instrument",
        "edge",
        "direction",
        "requested_at",
        "opened_at",
        "closed_at",
        "duration_seconds",
        "quantity",
        "entry_price",
        "exit_price",
        "stop",
        "protected",
        "unprotected_since",
        "unprotected_because",
        "partly_protected",
        "last_price",
        "last_price_at",
        "cost",
        "proceeds",
        "value",
        "profit",
        "profit_ratio",
        "unrealised_profit",
        "unrealised_ratio",
        "fees",
        "left",
        "left_cost",
        "left_worth",
        "reason",
        "note",
    ];

    /// One cell a column; what does not apply is empty.
    pub fn cells(&self) -> [String; 34] {
        fn optional<T: ToString>(value: Option<T>) -> String {
            value.map(|value| value.to_string()).unwrap_or_default()
        }
        let figure = |d: Option<Decimal>| optional(d.map(tidy));
        let fees: Vec<_> = self.fees.iter().map(|f| format!("{} {}", tidy(f.amount), f.asset)).collect();
        [
            self.trade.to_string(),
            self.state.name().to_owned(),
            self.instrument.venue.to_string(),
            self.account.name.to_string(),
            self.instrument.symbol.to_string(),
            self.edge.to_string(),
            optional(self.direction),
            self.requested_at.to_string(),
            optional(self.opened_at),
            optional(self.closed_at),
            optional(self.duration_seconds),
            figure(self.quantity),
            figure(self.entry_price),
            figure(self.exit_price),
            figure(self.stop),
            optional(self.protected),
            optional(self.unprotected_since),
            optional(self.unprotected_because.map(NakedBecause::name)),
            figure(self.partly_protected),
            figure(self.last_price),
            optional(self.last_price_at),
            figure(self.cost),
            figure(self.proceeds),
            figure(self.value),
            figure(self.profit),
            figure(self.profit_ratio),
            figure(self.unrealised_profit),
            figure(self.unrealised_ratio),
            fees.join(" + "),
            figure(Some(self.left)),
            figure(Some(self.left_cost)),
            figure(Some(self.left_worth)),
            optional(self.reason),
            self.note.clone(),
        ]
    }
}

impl Fills {
    fn add(&mut self, fill: &OrderFilled, assets: Option<(Asset, Asset)>) {
        let fee = fill.fee.filter(|fee| !fee.amount.is_zero());
        let fee_in = |wanted: Option<Asset>| {
            fee.filter(|fee| Some(fee.asset) == wanted).map_or(Decimal::ZERO, |fee| fee.amount)
        };
        let (in_base, in_quote) = (fee_in(assets.map(|a| a.0)), fee_in(assets.map(|a| a.1)));
        match fill.side {
            Side::Buy => {
                self.bought += fill.quantity.get() - in_base;
                self.paid += fill.quote + in_quote;
            }
            Side::Sell => {
                self.sold += fill.quantity.get() + in_base;
                self.received += fill.quote - in_quote;
            }
        }
        if let Some(fee) = fee {
            *self.fees.entry(fee.asset).or_default() += fee.amount;
        }
    }
}
