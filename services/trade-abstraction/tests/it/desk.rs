//! A planner under test: facts go in as short commands, its sayings come out as short words.
//!
//! Scripts are of a long trade on spot. Mirrored, a short one on a perpetual plays them: a price `p` becomes
//! `200 − p`, sides are swapped, and all that is said is turned back, so that the same log is expected.

use domain::{
    ClientOrderId, Decimal, Direction, Ending, EntryPlan, Filled, Instrument, InstrumentKind,
    InstrumentRules, Leg, Level, OrderRequest, Origin, Price, Side, StopLimit, Timestamp, TradeId,
    VenueOrderId,
};
use events::*;
use service::{Solo, mirror};
use std::{collections::BTreeMap, time::Duration};
use trade_abstraction::planner::{Config, ExitPlan, Planner};

pub struct Desk {
    solo: Solo<Planner>,
    pub now: Timestamp,
    /// What the venue tells happened so many seconds before it is heard; less than none where its clock is ahead.
    pub late: i64,
    /// All that it has said.
    pub said: Vec<Event>,
    /// Every order submitted so far: `stop2` is the second stop.
    orders: BTreeMap<String, (ClientOrderId, Side)>,
    /// The venue's numbers of them.
    numbers: BTreeMap<ClientOrderId, VenueOrderId>,
    /// What the venue calls those that were amended.
    renamed: BTreeMap<String, ClientOrderId>,
    amendments: u64,
    filled: BTreeMap<String, Filled>,
    fills: u32,
    trade: TradeId,
    /// How many before it.
    trades: u32,
    exit: ExitPlan,
    pub entry: EntryPlan,
    direction: Direction,
}

pub fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub fn stop_limit() -> ExitPlan {
    ExitPlan::stop_limit(d("0.15"), d("0.2"))
}

pub fn oco() -> ExitPlan {
    ExitPlan::oco(d("0.07"), d("0.15"), d("0.07"))
}

impl Desk {
    /// A trade of 2 BTC at 100 or better has been granted.
    pub fn new(exit: ExitPlan) -> Self {
        let config = Config {
            protect_attempts: 3,
            retry_after: Duration::from_secs(60),
            retry_at_most: Duration::from_secs(3_600),
            keep_ended: Duration::from_secs(7 * 86_400),
        };
        let now = "2024-01-15".parse().unwrap();
        let mut desk = Self {
            solo: Solo::new(config),
            now,
            late: 0,
            said: Vec::new(),
            orders: BTreeMap::new(),
            numbers: BTreeMap::new(),
            renamed: BTreeMap::new(),
            amendments: 0,
            filled: BTreeMap::new(),
            fills: 0,
            trade: trade(),
            trades: 0,
            exit,
            entry: EntryPlan::LimitIoc,
            direction: if mirror::is_on() { Direction::Short } else { Direction::Long },
        };
        let opened =
            TapeOpened { tape: Uuid::from_u128(1), clock: Clock::Market, market: "synthetic:1".to_owned() };
        desk.solo.hear(now, opened);
        desk.list("0.01", "0.001", "5");
        desk
    }

    /// The venue's rules are these from now on.
    pub fn list(&mut self, tick: &str, lot: &str, notional: &str) -> String {
        let (base, quote) = ("BTC".parse().unwrap(), "USDT".parse().unwrap());
        self.list_rules(InstrumentRules::open(base, quote, d(tick), d(lot), d(notional)))
    }

    pub fn list_rules(&mut self, rules: InstrumentRules) -> String {
        let (min_price, max_price) = match self.direction {
            Direction::Long => (rules.min_price, rules.max_price),
            Direction::Short => {
                (rules.max_price.map(|p| self.mirror(p)), rules.min_price.map(|p| self.mirror(p)))
            }
        };
        let rules = InstrumentRules { min_price, max_price, ..rules };
        self.hear(InstrumentListed { instrument: self.instrument(), rules: Box::new(rules) })
    }

    pub fn instrument(&self) -> Instrument {
        match self.direction {
            Direction::Long => btc(),
            Direction::Short => Instrument { kind: InstrumentKind::LinearPerpetual, ..btc() },
        }
    }

    /// The price that stands for `price`, there and back.
    fn mirror(&self, price: Decimal) -> Decimal {
        match self.direction {
            Direction::Long => price,
            Direction::Short => d("200") - price,
        }
    }

    fn price(&self, text: &str) -> Price {
        Price::new(self.mirror(d(text))).unwrap()
    }

    /// A stop's trigger as a script has it: at a ratio of the entry, the same ratio on the other side.
    fn trigger(&self, trigger: Decimal) -> Decimal {
        let entry = self.filled.get("entry1").and_then(Filled::average);
        match (self.direction, self.exit.stop, entry) {
            (Direction::Short, Level::Ratio(_), Some(entry)) if entry != d("100") => {
                to_cents(self.mirror(entry) * (Decimal::TWO - trigger / entry))
            }
            _ => self.mirror(trigger),
        }
    }

    /// Its limit: at a ratio of the trigger, the same ratio on the other side.
    fn limit(&self, trigger: Decimal, limit: Decimal) -> Decimal {
        match (self.direction, self.exit.limit) {
            (Direction::Short, StopLimit::BeyondStop(_)) => {
                to_cents(self.trigger(trigger) * (Decimal::TWO - limit / trigger))
            }
            _ => self.mirror(limit),
        }
    }

    fn side(&self, side: Side) -> Side {
        match self.direction {
            Direction::Long => side,
            Direction::Short => side.opposite(),
        }
    }

    /// A minute later a candle of a minute closes there.
    pub fn candle(&mut self, close: &str) -> String {
        self.now = self.now + Duration::from_secs(60);
        self.late_candle(close, 60)
    }

    /// A candle that opened so many seconds ago is heard now.
    pub fn late_candle(&mut self, close: &str, ago: u64) -> String {
        let price = self.price(close);
        let candle = Candle {
            instrument: self.instrument(),
            interval: domain::Interval::Minute1,
            open_time: Timestamp::from_millis(self.now.millis() - ago as i64 * 1_000),
            open: price,
            high: price,
            low: price,
            close: price,
            volume: d("1"),
        };
        self.hear(CandleClosed { candle })
    }

    /// A second later somebody is told a price.
    pub fn quote(&mut self, price: &str) -> String {
        self.now = self.now + Duration::from_secs(1);
        self.hear(QuoteSeen {
            instrument: self.instrument(),
            price: self.price(price),
            at: self.now,
            best: None,
        })
    }

    /// The state as a snapshot keeps it, and brought back from there.
    pub fn restart(&mut self) {
        let kept = serde_json::to_string(&self.solo.state).unwrap();
        self.solo.state = serde_json::from_str(&kept).unwrap();
        assert_eq!(serde_json::to_string(&self.solo.state).unwrap(), kept);
    }

    pub fn state(&self) -> serde_json::Value {
        serde_json::to_value(&self.solo.state).unwrap()
    }

    /// Of every order so far.
    pub fn names(&self) -> Vec<String> {
        self.orders.keys().cloned().collect()
    }

    /// What can still be filled of an order: an entry is of 2, an exit of what the fills so far leave.
    pub fn fillable(&self, name: &str) -> Decimal {
        let of = |entries: bool| {
            let filled = self.filled.iter().filter(|(name, _)| name.starts_with("entry") == entries);
            filled.map(|(_, filled)| filled.quantity).sum::<Decimal>()
        };
        if name.starts_with("entry") { Decimal::TWO - of(true) } else { of(true) - of(false) }
    }

    fn number(&mut self, name: &str) -> (ClientOrderId, VenueOrderId) {
        let (order, _) = self.orders[name];
        let next = (self.numbers.len() + 1).to_string().parse().unwrap();
        let number = *self.numbers.entry(order).or_insert(next);
        (self.renamed.get(name).copied().unwrap_or(order), number)
    }

    /// The owner makes an order smaller at the venue, under another client id.
    pub fn amend(&mut self, name: &str, quantity: &str) -> String {
        let (order, venue_order) = self.number(name);
        self.amendments += 1;
        let renamed = format!("web_{}", self.amendments).parse().unwrap();
        self.renamed.insert(name.to_owned(), renamed);
        self.hear(OrderAmended {
            account: account(),
            instrument: self.instrument(),
            order,
            renamed,
            venue_order,
            execution: self.amendments,
            quantity: quantity.parse().unwrap(),
            at: self.at(),
        })
    }

    /// So much is free, and so much held by orders, a second later.
    pub fn balance(&mut self, free: &str, locked: &str) -> String {
        self.now = self.now + Duration::from_secs(1);
        self.hear(BalanceChanged {
            account: account(),
            asset: "BTC".parse().unwrap(),
            free: d(free),
            locked: d(locked),
            as_of: self.now,
        })
    }

    /// The tracker has counted all fills so far, and says that a person sold of the position, and what is left.
    pub fn position_reduced(&mut self, by: &str, left: &str) -> String {
        self.is_counted();
        self.position_reduced_by("999", by, left)
    }

    /// The tracker has counted all fills so far.
    pub fn is_counted(&mut self) {
        for fill in 1..=self.fills {
            self.counted(self.position(), fill);
        }
    }

    /// The tracker counts that fill to that position: the first opens it, the others are more of it.
    pub fn counted(&mut self, position: PositionKey, fill: u32) {
        let (direction, by, average) = (self.direction, d("1"), d("100"));
        let venue_trade = fill.to_string().parse().unwrap();
        let said = if fill == 1 {
            let (quantity, carried) = (by, Decimal::ZERO);
            self.hear(PositionOpened { position, direction, fill: venue_trade, quantity, average, carried })
        } else {
            let quantity = by;
            self.hear(PositionIncreased { position, direction, fill: venue_trade, by, quantity, average })
        };
        assert_eq!(said, "", "counting changes nothing");
    }

    /// The tracker says what that fill left.
    pub fn position_reduced_by(&mut self, fill: &str, by: &str, left: &str) -> String {
        self.hear(PositionReduced {
            position: self.position(),
            direction: self.direction,
            fill: fill.parse().unwrap(),
            by: d(by),
            price: self.price("90"),
            quantity: d(left),
            average: self.mirror(d("100")),
            profit: (d("90") - d("100")) * d(by),
        })
    }

    /// Somebody else's order under the id of one of ours.
    pub fn foreign_fill(&mut self, name: &str, quantity: &str) -> String {
        let (order, side) = self.orders[name];
        self.fills += 1;
        self.hear(OrderFilled {
            account: account(),
            instrument: self.instrument(),
            order,
            venue_order: "999".parse().unwrap(),
            venue_trade: self.fills.to_string().parse().unwrap(),
            side,
            price: self.price("90"),
            quantity: quantity.parse().unwrap(),
            quote: self.price("90").get() * d(quantity),
            fee: None,
            maker: false,
            at: self.now,
        })
    }

    pub fn foreign_done(&mut self, name: &str) -> String {
        let (order, _) = self.orders[name];
        self.hear(OrderDone {
            account: account(),
            instrument: self.instrument(),
            order,
            origin: None,
            ending: Ending::Filled,
            filled: Filled::default(),
            fees: Vec::new(),
            rejection: None,
            text: String::new(),
        })
    }

    pub fn size(&mut self) -> String {
        self.size_for(self.now)
    }

    pub fn size_without_a_plan(&mut self) -> String {
        let sized = TradeSized { exit: None, ..self.grant(self.now) };
        self.hear(sized)
    }

    /// The edge's next trade is granted: names of orders start anew, and those of the last one are `its stop1`.
    pub fn size_next(&mut self) -> String {
        self.trades += 1;
        self.trade = format!("edge70-BTCUSDT-L-20240220T000{}", self.trades).parse().unwrap();
        self.orders = std::mem::take(&mut self.orders)
            .into_iter()
            .map(|(name, order)| (format!("its {name}"), order))
            .collect();
        self.filled.clear();
        self.size()
    }

    /// Granted for a signal of that time.
    pub fn size_for(&mut self, signal_at: Timestamp) -> String {
        let sized = self.grant(signal_at);
        self.hear(sized)
    }

    /// The plan, with its prices mirrored.
    fn plan(&self) -> ExitPlan {
        let level = |level| match level {
            Level::Price(price) => Level::Price(Price::new(self.mirror(price.get())).unwrap()),
            Level::Ratio(_) => level,
        };
        let take_profit = self.exit.take_profit.map(level);
        ExitPlan { stop: level(self.exit.stop), take_profit, ..self.exit }
    }

    pub fn grant(&self, signal_at: Timestamp) -> TradeSized {
        let sizing = Sizing {
            method: SizingMethod::Fixed,
            equity: d("1000"),
            cash: d("1000"),
            budget: d("200"),
            risk: d("30"),
        };
        TradeSized {
            trade: self.trade,
            account: account(),
            instrument: self.instrument(),
            edge: "edge70".parse().unwrap(),
            direction: self.direction,
            trigger: self.price("99.5"),
            signal_at,
            quantity: "2".parse().unwrap(),
            limit: self.price("100"),
            reserved: d("200"),
            margin: None,
            entry: self.entry,
            exit: Some(self.plan()),
            sizing,
        }
    }

    pub fn accept(&mut self, name: &str) -> String {
        let (order, venue_order) = self.number(name);
        self.hear(OrderAccepted {
            account: account(),
            instrument: self.instrument(),
            order,
            venue_order,
            at: self.at(),
        })
    }

    pub fn fill(&mut self, name: &str, quantity: &str, price: &str, fee: Option<(&str, &str)>) -> String {
        let side = self.orders[name].1;
        let (order, venue_order) = self.number(name);
        self.fills += 1;
        let price = self.price(price);
        let quote = d(quantity) * price.get();
        let filled = self.filled.entry(name.to_owned()).or_default();
        filled.quantity += d(quantity);
        filled.quote += quote;
        self.hear(OrderFilled {
            account: account(),
            instrument: self.instrument(),
            order,
            venue_order,
            venue_trade: self.fills.to_string().parse().unwrap(),
            side,
            price,
            quantity: quantity.parse().unwrap(),
            quote,
            fee: fee.map(|(amount, asset)| Fee { asset: asset.parse().unwrap(), amount: d(amount) }),
            maker: false,
            at: self.at(),
        })
    }

    /// The venue's time of what is heard now.
    pub fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.now.millis() - self.late * 1_000)
    }

    /// The venue has ended it, and the tracker says that all its fills are known.
    pub fn end(&mut self, name: &str, ending: Ending) -> String {
        let (order, venue_order) = self.number(name);
        let filled = self.filled.get(name).copied().unwrap_or_default();
        let (account, instrument, at) = (account(), self.instrument(), self.at());
        let said = self.hear(OrderEnded { account, instrument, order, venue_order, ending, filled, at });
        assert_eq!(said, "", "nothing follows before all its fills are known");
        self.done(name, ending)
    }

    /// How many seconds ago the trade was last said to have become without a stop.
    pub fn naked_for(&self) -> i64 {
        let since = self.said.iter().rev().find_map(|said| match said {
            Event::Trade(TradeEvent::Unprotected(e)) => Some(e.since),
            _ => None,
        });
        (self.now.millis() - since.expect("it was without a stop").millis()) / 1_000
    }

    pub fn done(&mut self, name: &str, ending: Ending) -> String {
        self.done_as(name, ending, None)
    }

    pub fn done_as(&mut self, name: &str, ending: Ending, rejection: Option<Rejection>) -> String {
        let text = rejection.map_or_else(String::new, |r| format!("{r:?}"));
        self.done_saying(name, ending, rejection, &text)
    }

    /// The venue refuses it by that filter.
    pub fn refuse(&mut self, name: &str, filter: &str) -> String {
        let text = format!("-1013 Filter failure: {filter}");
        self.done_saying(name, Ending::Rejected, Some(Rejection::Filter), &text)
    }

    fn done_saying(
        &mut self,
        name: &str,
        ending: Ending,
        rejection: Option<Rejection>,
        text: &str,
    ) -> String {
        let (order, _) = self.orders[name];
        let filled = self.filled.get(name).copied().unwrap_or_default();
        self.hear(OrderDone {
            account: account(),
            instrument: self.instrument(),
            order,
            origin: Some(Origin::Trade { trade: self.trade, leg: Leg::Entry, attempt: 1 }),
            ending,
            filled,
            fees: Vec::new(),
            rejection,
            text: text.to_owned(),
        })
    }

    pub fn cancel_rejected(&mut self, name: &str) -> String {
        let (order, _) = self.orders[name];
        self.hear(CancelRejected {
            account: account(),
            instrument: self.instrument(),
            order,
            code: Some(-2011),
            text: "Unknown order sent.".to_owned(),
            at: self.now,
        })
    }

    pub fn close(&mut self) -> String {
        self.close_of(None)
    }

    /// Of the script's own direction, or of the other.
    pub fn close_way(&mut self, own: bool) -> String {
        self.close_of(Some(if own { self.direction } else { self.direction.opposite() }))
    }

    fn close_of(&mut self, direction: Option<Direction>) -> String {
        self.hear(CloseRequested {
            account: account(),
            instrument: self.instrument(),
            edge: "edge70".parse().unwrap(),
            direction,
            by: RequestedBy::Edge,
            why: None,
            signal_at: None,
        })
    }

    /// What the last trade that ended tells of its money.
    pub fn last_closed(&self) -> &TradeClosed {
        let closed = self.said.iter().rev().find_map(|said| match said {
            Event::Trade(TradeEvent::Closed(closed)) => Some(closed),
            _ => None,
        });
        closed.expect("a trade has ended")
    }

    /// Why the last trade was not entered.
    pub fn last_aborted(&self) -> &str {
        let Some(Event::Trade(TradeEvent::Aborted(aborted))) = self.said.last() else {
            panic!("not aborted")
        };
        &aborted.text
    }

    pub fn move_stop(&mut self, to: &str) -> String {
        let by = RequestedBy::Owner { who: "me".to_owned() };
        self.hear(StopMoveRequested { trade: trade(), stop: self.price(to), by })
    }

    /// The tracker has counted all fills so far, and says that a person sold all.
    pub fn position_closed(&mut self) -> String {
        self.is_counted();
        self.position_closed_by("999", "2", "0")
    }

    /// The tracker says that that fill left so much, and that no more than dust is left.
    pub fn position_closed_by(&mut self, fill: &str, by: &str, left: &str) -> String {
        self.hear(PositionClosed {
            position: self.position(),
            direction: self.direction,
            fill: fill.parse().unwrap(),
            by: d(by),
            entered: d("2"),
            exited: d("2"),
            entry_price: self.mirror(d("100")),
            exit_price: self.mirror(d("90")),
            profit: d("-20"),
            profit_ratio: d("-0.1"),
            fees: Vec::new(),
            left: d(left),
            left_cost: d("0"),
            left_worth: d("0"),
            opened_at: self.at(),
            closed_at: self.at(),
        })
    }

    pub fn pass(&mut self, seconds: u64) -> String {
        self.now = self.now + Duration::from_secs(seconds);
        self.hear(TimePassed { now: self.now })
    }

    /// Entered at 100 and protected.
    pub fn open(exit: ExitPlan) -> Self {
        let mut desk = Self::new(exit);
        desk.size();
        desk.accept("entry1");
        desk.fill("entry1", "2", "100", None);
        desk.done("entry1", Ending::Filled);
        desk.accept("stop1");
        if desk.orders.contains_key("take_profit1") {
            desk.accept("take_profit1");
        }
        desk
    }

    pub fn hear(&mut self, event: impl Into<Event>) -> String {
        let said = self.solo.hear(self.now, event);
        let words: Vec<String> = said.iter().map(|event| self.words(event)).collect();
        self.said.extend(said);
        words.join(" / ")
    }

    pub fn name_of(&self, id: ClientOrderId) -> String {
        self.orders
            .iter()
            .find(|(_, (order, _))| *order == id)
            .map_or_else(|| id.to_string(), |(n, _)| n.clone())
    }

    fn words(&mut self, event: &Event) -> String {
        match event {
            Event::Order(OrderEvent::Submitted(e)) => {
                let mut words: Vec<_> = e.request.orders().map(|o| self.order_words(o)).collect();
                if self.direction == Direction::Short {
                    // Above and below the market change places.
                    words.reverse();
                }
                let kind = if matches!(*e.request, OrderRequest::Oco(_)) { "oco" } else { "submit" };
                format!("{kind} {}", words.join(" + "))
            }
            Event::Order(OrderEvent::CancelRequested(e)) => format!("cancel {}", self.name_of(e.order)),
            Event::Trade(TradeEvent::Opened(e)) => {
                assert_eq!(e.direction, self.direction);
                format!("opened {} @ {}", e.quantity, self.mirror(e.price).normalize())
            }
            Event::Trade(TradeEvent::Protected(e)) => {
                let alone = if e.without_take_profit { " alone" } else { "" };
                format!("protected {} at {}{alone}", e.quantity, self.trigger(e.stop.get()).normalize())
            }
            Event::Trade(TradeEvent::Unprotected(e)) => {
                let beside = e.covered.map_or_else(String::new, |covered| format!(" beside {covered}"));
                format!("naked {} {:?}{beside}", e.quantity, e.because)
            }
            Event::Trade(TradeEvent::StopMoveRefused(e)) => {
                let turned = |word: &str| match (self.direction, word.parse::<Decimal>()) {
                    (Direction::Short, Ok(price)) => self.mirror(price).to_string(),
                    (Direction::Short, Err(_)) => word.replace("above", "below"),
                    (Direction::Long, _) => word.to_owned(),
                };
                let text: Vec<_> = e.text.split(' ').map(turned).collect();
                format!("stop {} refused: {}", self.mirror(e.stop.get()).normalize(), text.join(" "))
            }
            Event::Trade(TradeEvent::Exiting(e)) => {
                let parts = e.at_most.map_or_else(String::new, |most| format!(" by {most}"));
                format!("exiting {:?}{parts}", e.reason)
            }
            Event::Trade(TradeEvent::Closed(e)) => {
                let carried = match e.carried.is_zero() {
                    true => String::new(),
                    false => format!(" carried {}", e.carried.normalize()),
                };
                assert_eq!((e.direction, e.profit), (self.direction, e.proceeds - e.cost));
                let (profit, left) = (e.profit.normalize(), e.left.normalize());
                format!("closed {:?} profit {profit} left {left}{carried}", e.reason)
            }
            Event::Trade(TradeEvent::Aborted(e)) => format!("aborted {:?}", e.reason),
            Event::Time(TimeEvent::WakeAsked(e)) => format!("wake in {}s", e.at.since(self.now).as_secs()),
            other => format!("{other:?}"),
        }
    }

    fn order_words(&mut self, order: &domain::NewOrder) -> String {
        let Origin::Trade { leg, attempt, .. } = order.origin else { panic!("ours") };
        let name = format!("{}{attempt}", leg.as_str());
        self.orders.insert(name.clone(), (order.id, order.side));
        assert_eq!(order.reduce_only, leg != Leg::Entry);
        let domain::Size::Base(quantity) = order.size else { panic!("base") };
        let (trigger, limit) = (order.kind.stop().map(Price::get), order.kind.limit().map(Price::get));
        let limit = limit.map(|limit| match trigger {
            Some(trigger) => self.limit(trigger, limit),
            None => self.mirror(limit),
        });
        let word = |name: &str, price: Option<Decimal>| {
            price.map_or_else(String::new, |price| format!(" {name} {}", price.normalize()))
        };
        let (stop, limit) =
            (word("stop", trigger.map(|trigger| self.trigger(trigger))), word("limit", limit));
        let side = self.side(order.side);
        format!("{name} {side} {quantity} {}{stop}{limit}", order.kind.name())
    }

    pub fn position(&self) -> PositionKey {
        PositionKey {
            account: account(),
            instrument: self.instrument(),
            side: domain::PositionSide::Net,
            owner: "edge70".parse().unwrap(),
        }
    }
}

/// What the planner has rounded to a tick of a hundredth, which a ratio brings back with a rest.
fn to_cents(price: Decimal) -> Decimal {
    (price + Decimal::new(1, 9)).trunc_with_scale(2)
}

pub fn trade() -> TradeId {
    "edge70-BTCUSDT-L-20240115T0000".parse().unwrap()
}
pub fn account() -> domain::Account {
    "binance:paper".parse().unwrap()
}
pub fn btc() -> domain::Instrument {
    "binance:spot:BTCUSDT".parse().unwrap()
}
