//! A planner under test: facts go in as short commands, its sayings come out as short words.

use domain::{
    ClientOrderId, Decimal, Ending, Filled, InstrumentRules, Leg, OrderRequest, Origin, Side, Timestamp,
    TradeId,
};
use events::*;
use service::Solo;
use std::{collections::BTreeMap, time::Duration};
use trade_abstraction::planner::{Config, ExitPlan, Planner};

pub struct Desk {
    solo: Solo<Planner>,
    pub now: Timestamp,
    /// Every order submitted so far: `stop2` is the second stop.
    orders: BTreeMap<String, (ClientOrderId, Side)>,
    filled: BTreeMap<String, Filled>,
    fills: u32,
}

pub fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub fn stop_limit() -> ExitPlan {
    ExitPlan::StopLimit { stop: d("0.15"), limit_below: d("0.2") }
}

pub fn oco() -> ExitPlan {
    ExitPlan::Oco { stop: d("0.07"), stop_limit: d("0.15"), take_profit: d("0.07") }
}

impl Desk {
    /// A trade of 2 BTC at 100 or better has been granted.
    pub fn new(exit: ExitPlan) -> Self {
        let config = Config {
            edges: [("edge70".parse().unwrap(), exit)].into(),
            protect_attempts: 3,
            retry_after: Duration::from_secs(60),
            retry_at_most: Duration::from_secs(3_600),
            keep_ended: Duration::from_secs(7 * 86_400),
        };
        let now = "2024-01-15".parse().unwrap();
        let mut desk =
            Self { solo: Solo::new(config), now, orders: BTreeMap::new(), filled: BTreeMap::new(), fills: 0 };
        let opened =
            TapeOpened { tape: Uuid::from_u128(1), clock: Clock::Market, market: "synthetic:1".to_owned() };
        desk.solo.hear(now, opened);
        let rules = InstrumentRules::open(
            "BTC".parse().unwrap(),
            "USDT".parse().unwrap(),
            d("0.01"),
            d("0.001"),
            d("5"),
        );
        desk.solo.hear(now, InstrumentListed { instrument: btc(), rules: Box::new(rules) });
        desk
    }

    pub fn size(&mut self) -> String {
        self.size_for(self.now)
    }

    /// Granted for a signal of that time.
    pub fn size_for(&mut self, signal_at: Timestamp) -> String {
        let sizing = Sizing {
            method: SizingMethod::Fixed,
            equity: d("1000"),
            cash: d("1000"),
            budget: d("200"),
            risk: d("30"),
        };
        self.hear(TradeSized {
            trade: trade(),
            account: account(),
            instrument: btc(),
            edge: "edge70".parse().unwrap(),
            direction: domain::Direction::Long,
            trigger: "99.5".parse().unwrap(),
            signal_at,
            quantity: "2".parse().unwrap(),
            limit: "100".parse().unwrap(),
            reserved: d("200"),
            sizing,
        })
    }

    pub fn accept(&mut self, name: &str) -> String {
        let (order, _) = self.orders[name];
        self.hear(OrderAccepted {
            account: account(),
            instrument: btc(),
            order,
            venue_order: "1".parse().unwrap(),
            at: self.now,
        })
    }

    pub fn fill(&mut self, name: &str, quantity: &str, price: &str, fee: Option<(&str, &str)>) -> String {
        let (order, side) = self.orders[name];
        self.fills += 1;
        let quote = d(quantity) * d(price);
        let filled = self.filled.entry(name.to_owned()).or_default();
        filled.quantity += d(quantity);
        filled.quote += quote;
        self.hear(OrderFilled {
            account: account(),
            instrument: btc(),
            order,
            venue_order: "1".parse().unwrap(),
            venue_trade: self.fills.to_string().parse().unwrap(),
            side,
            price: price.parse().unwrap(),
            quantity: quantity.parse().unwrap(),
            quote,
            fee: fee.map(|(amount, asset)| Fee { asset: asset.parse().unwrap(), amount: d(amount) }),
            maker: false,
            at: self.now,
        })
    }

    pub fn done(&mut self, name: &str, ending: Ending) -> String {
        self.done_as(name, ending, None)
    }

    pub fn done_as(&mut self, name: &str, ending: Ending, rejection: Option<Rejection>) -> String {
        let (order, _) = self.orders[name];
        let filled = self.filled.get(name).copied().unwrap_or_default();
        self.hear(OrderDone {
            account: account(),
            instrument: btc(),
            order,
            origin: None,
            ending,
            filled,
            fees: Vec::new(),
            rejection,
            text: rejection.map_or_else(String::new, |r| format!("{r:?}")),
        })
    }

    pub fn cancel_rejected(&mut self, name: &str) -> String {
        let (order, _) = self.orders[name];
        self.hear(CancelRejected {
            account: account(),
            instrument: btc(),
            order,
            code: Some(-2011),
            text: "Unknown order sent.".to_owned(),
            at: self.now,
        })
    }

    pub fn close(&mut self) -> String {
        self.hear(CloseRequested {
            account: account(),
            instrument: btc(),
            edge: "edge70".parse().unwrap(),
            by: RequestedBy::Edge,
        })
    }

    pub fn move_stop(&mut self, to: &str) -> String {
        let by = RequestedBy::Owner { who: "me".to_owned() };
        self.hear(StopMoveRequested { trade: trade(), stop: to.parse().unwrap(), by })
    }

    /// The tracker says that nothing is left.
    pub fn position_closed(&mut self) -> String {
        let position = PositionKey {
            account: account(),
            instrument: btc(),
            side: domain::PositionSide::Net,
            owner: "edge70".parse().unwrap(),
        };
        self.hear(PositionClosed {
            position,
            fill: "9".parse().unwrap(),
            bought: d("2"),
            sold: d("2"),
            entry_price: d("100"),
            exit_price: d("90"),
            profit: d("-20"),
            profit_ratio: d("-0.1"),
            fees: Vec::new(),
            left: d("0"),
            opened_at: self.now,
            closed_at: self.now,
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

    fn hear(&mut self, event: impl Into<Event>) -> String {
        let said = self.solo.hear(self.now, event);
        let words: Vec<String> = said.iter().map(|event| self.words(event)).collect();
        words.join(" / ")
    }

    fn name_of(&self, id: ClientOrderId) -> String {
        self.orders
            .iter()
            .find(|(_, (order, _))| *order == id)
            .map_or_else(|| id.to_string(), |(n, _)| n.clone())
    }

    fn words(&mut self, event: &Event) -> String {
        match event {
            Event::Order(OrderEvent::Submitted(e)) => {
                let words: Vec<_> = e.request.orders().map(|o| self.order_words(o)).collect();
                let kind = if matches!(*e.request, OrderRequest::Oco(_)) { "oco" } else { "submit" };
                format!("{kind} {}", words.join(" + "))
            }
            Event::Order(OrderEvent::CancelRequested(e)) => format!("cancel {}", self.name_of(e.order)),
            Event::Trade(TradeEvent::Opened(e)) => format!("opened {} @ {}", e.quantity, e.price),
            Event::Trade(TradeEvent::Protected(e)) => format!("protected {} at {}", e.quantity, e.stop),
            Event::Trade(TradeEvent::Unprotected(e)) => format!("naked {} {:?}", e.quantity, e.because),
            Event::Trade(TradeEvent::StopMoveRefused(e)) => format!("stop {} refused: {}", e.stop, e.text),
            Event::Trade(TradeEvent::Exiting(e)) => format!("exiting {:?}", e.reason),
            Event::Trade(TradeEvent::Closed(e)) => {
                format!("closed {:?} profit {} left {}", e.reason, e.profit.normalize(), e.left.normalize())
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
        let stop = order.kind.stop().map_or_else(String::new, |p| format!(" stop {p}"));
        let limit = order.kind.limit().map_or_else(String::new, |p| format!(" limit {p}"));
        format!("{name} {} {quantity} {}{stop}{limit}", order.side, order.kind.name())
    }
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
