//! A script of what the sizer hears, one thing per line, and the log of its answers.
//!
//! ```text
//! balance USDT 1000 [locked 5] [as of 7] [on paper:other]   the account has 1000 free and 5 locked
//! value 1000                                  the account is worth 1000 in all
//! price BTC 100                               the last price of a coin
//! ask BTC @ 100 [by edge70] [direction short] [aged 60] [on paper:other] [called T1]
//! submit T1 [2]          the entry of that trade, as granted, goes to the venue (attempt 2)
//! accept T1 [at 7]       the venue has it
//! fill T1 0.5 @ 100 [fee 0.1 USDT] [at 7]     a part of its entry is bought
//! done T1                its entry is over
//! open T1 0.5 for 50     the trade holds 0.5 that cost 50
//! stop T1 85             a stop works at 85
//! close T1 | abort T1
//! sell BTC 0.5 @ 100 [at 7]
//! trading halted|reducing|active [on paper:other] [until 60]
//! cash                   logs what is free to spend
//! ```
//!
//! Mirrored, the same script goes short, on perpetuals: entries sell, and a stop or a target at `p` is at
//! `2 × trigger − p`. What is granted, refused and set aside is the same.
//!
//! Time starts at 1000 s and each line takes a second; `as of`, `at`, `until` count seconds too.
//! Trades are called T1, T2 … in the order of asking.

use domain::{
    Account, Asset, ClientOrderId, Decimal, Direction, EdgeName, Ending, EntryPlan, ExitPlan, Filled,
    Instrument, InstrumentKind, InstrumentRules, Leg, NewOrder, OrderKind, OrderRequest, Origin,
    PositionSide, Price, Quantity, Side, Size, TimeInForce, Timestamp, TradeId,
};
use events::*;
use position_sizer::{Config, EdgeRules, Limits, Method, PositionSizer, Terms};
use service::{Solo, mirror};
use std::{collections::BTreeMap, time::Duration};

pub struct World {
    pub sizer: Solo<PositionSizer>,
    pub log: Vec<String>,
    pub said: Vec<Event>,
    now: i64,
    asked: usize,
    fills: u64,
    granted: BTreeMap<TradeId, TradeSized>,
    /// Of the last request.
    trigger: Option<Price>,
}

/// edge70 with 100 USDT, a stop 15 % below and no slippage; no limits.
pub fn config() -> Config {
    Config {
        quote: "USDT".parse().unwrap(),
        edges: vec![edge("edge70", Method::Fixed { quote: 100.into() })],
        terms: Terms {
            prohibited: ["USDC".parse().unwrap(), "EUR".parse().unwrap()].into(),
            ..Terms::default()
        },
        own: BTreeMap::new(),
    }
}

pub fn edge(name: &str, method: Method) -> EdgeRules {
    EdgeRules {
        edge: name.parse().unwrap(),
        accounts: ["paper:main".parse().unwrap()].into(),
        method,
        entry: EntryPlan::LimitIoc,
        exit: Some(stop("0.15")),
        slippage_ratio: Decimal::ZERO,
        max_age: Duration::from_secs(3_600),
        cooldown: None,
    }
}

pub fn stop(ratio: &str) -> ExitPlan {
    ExitPlan::stop_limit(d(ratio), d("0.2"))
}

/// The risk method as edge70's.
pub fn risk(max_loss: &str, stop: &str, max_quote: Option<&str>) -> Config {
    let method = Method::Risk { max_loss_ratio: d(max_loss), max_quote: max_quote.map(d) };
    let edges = vec![EdgeRules { exit: Some(self::stop(stop)), ..edge("edge70", method) }];
    Config { edges, ..config() }
}

pub fn with_limits(limits: Limits) -> Config {
    let config = config();
    Config { terms: Terms { limits, ..config.terms }, ..config }
}

pub fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Plays the script in a fresh world and compares the log.
pub fn check(config: Config, script: &str, log: &[&str]) {
    let mut world = World::new(config);
    world.play(script);
    assert_eq!(world.log, log, "\n{script}");
}

impl World {
    /// BTC, ETH (bought with USDT), USDC, and BNB paid in BTC; ticks of 0.01, lots of 0.001, 5 or more.
    pub fn new(mut config: Config) -> Self {
        for terms in config.own.values_mut().chain([&mut config.terms]) {
            terms.limits.allowed_to_trade_perpetuals = mirror::is_on();
        }
        let mut world = Self {
            sizer: Solo::new(config),
            log: Vec::new(),
            said: Vec::new(),
            now: 1_000,
            asked: 0,
            fills: 0,
            granted: BTreeMap::new(),
            trigger: None,
        };
        for (base, quote) in [("BTC", "USDT"), ("ETH", "USDT"), ("USDC", "USDT"), ("BNB", "BTC")] {
            let (base, quote) = (base.parse().unwrap(), quote.parse().unwrap());
            world.list(InstrumentRules::open(base, quote, d("0.01"), d("0.001"), d("5")));
        }
        world
    }

    pub fn list(&mut self, rules: InstrumentRules) {
        let instrument = instrument(&rules.base, &rules.quote);
        self.hear(InstrumentListed { instrument, rules: Box::new(rules) });
    }

    pub fn play(&mut self, script: &str) {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            self.now += 1;
            self.line(line);
        }
    }

    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let option = |name: &str| words.iter().position(|word| *word == name).map(|i| words[i + 1]);
        match words[0] {
            "balance" => {
                let as_of = option("of").map_or(self.now(), seconds);
                let locked = option("locked").map_or(Decimal::ZERO, d);
                let (asset, free) = (words[1].parse().unwrap(), d(words[2]));
                let account = option("on").map_or(main(), |account| account.parse().unwrap());
                self.hear(BalanceChanged { account, asset, free, locked, as_of });
            }
            "value" => self.value(d(words[1])),
            "price" => self.price(words[1], words[2]),
            "ask" => self.ask(words[1], words[3], &option),
            "submit" => self.submit(words[1], words.get(2).map_or(1, |n| n.parse().unwrap())),
            "fill" => {
                let at = option("at").map_or(self.now(), seconds);
                let fee = words
                    .iter()
                    .position(|word| *word == "fee")
                    .map(|i| Fee { amount: d(words[i + 1]), asset: words[i + 2].parse().unwrap() });
                let instrument = self.granted[&trade(words[1])].instrument;
                self.fill(instrument, order(words[1], 1), way().entry(), d(words[2]), d(words[4]), fee, at);
            }
            "sell" => {
                let at = option("at").map_or(self.now(), seconds);
                let coins = Instrument { kind: InstrumentKind::Spot, ..usdt(words[1]) };
                self.fill(coins, order("exit", 1), Side::Sell, d(words[2]), d(words[4]), None, at);
            }
            "accept" => {
                let at = option("at").map_or(self.now(), seconds);
                self.accept(words[1], at);
            }
            "done" => self.done(words[1]),
            "open" => self.open(words[1], d(words[2]), d(words[4])),
            "stop" => {
                let (trade, order) = (trade(words[1]), order(words[1], 9));
                let trigger = self.granted[&trade].trigger;
                let (stop, quantity) = (turned(words[2], trigger), "1".parse().unwrap());
                self.hear(TradeProtected { trade, order, stop, quantity, without_take_profit: false });
            }
            "close" => self.close(words[1], option("because").unwrap_or("stop_hit")),
            "abort" => self.abort(words[1]),
            "trading" => {
                let state = match words[1] {
                    "halted" => TradingState::Halted,
                    "reducing" => TradingState::Reducing,
                    "active" => TradingState::Active,
                    other => panic!("unknown trading state {other}"),
                };
                let account = option("on").map(|account| account.parse().unwrap());
                let (who, why) = ("the owner".to_owned(), "holidays".to_owned());
                self.hear(TradingStateChanged {
                    account,
                    state,
                    who,
                    why,
                    until: option("until").map(seconds),
                });
            }
            "cash" => {
                let cash = self.sizer.state.cash(&main(), &"USDT".parse().unwrap()).normalize();
                self.log.push(format!("cash {cash}"));
            }
            other => panic!("unknown command {other}"),
        }
    }

    pub fn sleep(&mut self, seconds: i64) {
        self.now += seconds;
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now * 1_000)
    }

    pub fn hear(&mut self, event: impl Into<Event>) {
        for said in self.sizer.hear(self.now(), event) {
            match &said {
                Event::Trade(TradeEvent::Sized(sized)) => {
                    let TradeSized { trade, quantity, limit, reserved, .. } = sized;
                    self.log.push(format!("{trade} {quantity} @ {limit} reserves {reserved}"));
                    self.granted.insert(*trade, sized.clone());
                }
                Event::Trade(TradeEvent::Refused(refused)) => {
                    self.log.push(refusal(refused, self.trigger.map(Price::get)));
                }
                Event::Trade(TradeEvent::RequestRepeated(repeated)) => {
                    let differs = if repeated.differs { ", but for other figures" } else { "" };
                    self.log.push(format!("{} again: {}{differs}", repeated.trade, repeated.outcome.name()));
                }
                other => panic!("unexpected {}", other.kind().name()),
            }
            self.said.push(said);
        }
    }

    /// The rest of what the account is worth lies in an asset of its own, worth one a piece.
    pub fn value(&mut self, equity: Decimal) {
        let (usdt, rest) = ("USDT".parse().unwrap(), "REST".parse::<Asset>().unwrap());
        let rules = InstrumentRules::open(rest, usdt, d("0.01"), d("0.001"), d("5"));
        let instrument = Instrument { kind: InstrumentKind::Spot, ..instrument("REST", "USDT") };
        self.hear(InstrumentListed { instrument, rules: Box::new(rules) });
        self.price("REST", "1");
        let others = self.sizer.state.equity(&main(), &usdt).unwrap_or_default();
        let (free, as_of) = (equity - others, self.now());
        self.hear(BalanceChanged { account: main(), asset: rest, free, locked: Decimal::ZERO, as_of });
    }

    pub fn price(&mut self, base: &str, price: &str) {
        let instrument = Instrument { kind: InstrumentKind::Spot, ..usdt(base) };
        let price = price.parse().unwrap();
        self.hear(QuoteSeen { instrument, price, at: self.now(), best: None });
    }

    fn ask<'a>(&mut self, base: &str, trigger: &str, option: &impl Fn(&str) -> Option<&'a str>) {
        self.asked += 1;
        let called = format!("T{}", self.asked);
        let age = Duration::from_secs(option("aged").map_or(0, |age| age.parse().unwrap()));
        let trigger: Price = trigger.parse().unwrap();
        self.trigger = Some(trigger);
        let short = option("direction") == Some("short");
        let request = TradeRequested {
            trade: trade(option("called").unwrap_or(&called)),
            account: option("on").map_or(main(), |account| account.parse().unwrap()),
            instrument: match base.split_once(":spot:") {
                Some((venue, symbol)) => {
                    format!("{venue}:{}:{symbol}", usdt("BTC").kind.as_str()).parse().unwrap()
                }
                None if base.contains(':') => base.parse().unwrap(),
                None => usdt(base),
            },
            edge: option("by").unwrap_or("edge70").parse::<EdgeName>().unwrap(),
            direction: if short { way().opposite() } else { way() },
            trigger,
            signal_at: self.now() - age,
            stop: option("stop").map(|stop| turned(stop, trigger)),
            target: option("target").map(|target| turned(target, trigger)),
            valid_until: option("until").map(seconds),
            by: RequestedBy::Edge,
        };
        let before = self.said.len();
        self.hear(request);
        assert_eq!(self.said.len(), before + 1, "each request gets exactly one answer");
    }

    fn submit(&mut self, name: &str, attempt: u32) {
        let sized = self.granted[&trade(name)].clone();
        let request = OrderRequest::Single(NewOrder {
            id: order(name, attempt),
            side: way().entry(),
            kind: OrderKind::Limit { price: sized.limit, time_in_force: TimeInForce::Ioc },
            size: Size::Base(sized.quantity),
            origin: Origin::Trade { trade: sized.trade, leg: Leg::Entry, attempt },
            reduce_only: false,
            position_side: PositionSide::Net,
        });
        let (account, instrument, request) = (sized.account, sized.instrument, Box::new(request));
        self.hear(OrderSubmitted { account, instrument, request });
    }

    pub fn accept(&mut self, name: &str, at: Timestamp) {
        let TradeSized { account, instrument, .. } = self.granted[&trade(name)];
        let venue_order = "1".parse().unwrap();
        self.hear(OrderAccepted { account, instrument, order: order(name, 1), venue_order, at });
    }

    #[expect(clippy::too_many_arguments, reason = "a fill has as many fields")]
    pub fn fill(
        &mut self,
        instrument: Instrument,
        order: ClientOrderId,
        side: Side,
        quantity: Decimal,
        price: Decimal,
        fee: Option<Fee>,
        at: Timestamp,
    ) {
        self.fills += 1;
        self.hear(OrderFilled {
            account: main(),
            instrument,
            order,
            venue_order: "1".parse().unwrap(),
            venue_trade: self.fills.to_string().parse().unwrap(),
            side,
            price: Price::new(price).unwrap(),
            quantity: Quantity::new(quantity).unwrap(),
            quote: quantity * price,
            fee,
            maker: false,
            at,
        });
    }

    fn done(&mut self, name: &str) {
        let sized = self.granted[&trade(name)].clone();
        self.hear(OrderDone {
            account: sized.account,
            instrument: sized.instrument,
            order: order(name, 1),
            origin: Some(Origin::Trade { trade: sized.trade, leg: Leg::Entry, attempt: 1 }),
            ending: Ending::Expired,
            filled: Filled::default(),
            fees: Vec::new(),
            rejection: None,
            text: String::new(),
        });
    }

    fn open(&mut self, name: &str, quantity: Decimal, cost: Decimal) {
        let instrument = self.granted.get(&trade(name)).map_or(usdt("BTC"), |sized| sized.instrument);
        let (trade, account, edge) = (trade(name), main(), "edge70".parse().unwrap());
        let (direction, price, value) = (way(), cost / quantity, cost);
        self.hear(TradeOpened { trade, account, instrument, edge, direction, quantity, price, value });
    }

    fn close(&mut self, name: &str, reason: &str) {
        let zero = Decimal::ZERO;
        self.hear(TradeClosed {
            trade: trade(name),
            account: main(),
            instrument: usdt("BTC"),
            edge: "edge70".parse().unwrap(),
            direction: way(),
            reason: serde_json::from_value(reason.into()).unwrap(),
            quantity: zero,
            entry_price: zero,
            exit_price: zero,
            cost: zero,
            proceeds: zero,
            profit: zero,
            fees: Vec::new(),
            left: zero,
            left_cost: zero,
            left_worth: zero,
            carried: zero,
            carried_cost: zero,
            opened_at: self.now(),
            closed_at: self.now(),
        });
    }

    fn abort(&mut self, name: &str) {
        self.hear(TradeAborted {
            trade: trade(name),
            account: main(),
            instrument: usdt("BTC"),
            edge: "edge70".parse().unwrap(),
            reason: AbortReason::EntryUnfilled,
            text: String::new(),
        });
    }
}

/// `T1 refused cash 50 of 100`: the rule, the figure, the limit.
fn refusal(refused: &TradeRefused, trigger: Option<Decimal>) -> String {
    // A price on the wrong side is on the other one.
    let turned = |figure: Decimal| match (mirror::is_on(), refused.rule, trigger) {
        (true, SizingRule::WrongSide, Some(trigger)) => trigger * Decimal::TWO - figure,
        _ => figure,
    };
    let rule = serde_json::to_value(refused.rule).unwrap();
    let mut line = format!("{} refused {}", refused.trade, rule.as_str().unwrap());
    if let Some(figure) = refused.figure {
        line += &format!(" {}", turned(figure).normalize());
    }
    if let Some(limit) = refused.limit {
        line += &format!(" of {}", turned(limit).normalize());
    }
    assert!(!refused.text.is_empty(), "a refusal is told in words too");
    line
}

/// The direction of a script's trades.
pub fn way() -> Direction {
    if mirror::is_on() { Direction::Short } else { Direction::Long }
}

/// The price that stands for the one in a script, of a trade at that trigger.
fn turned(price: &str, trigger: Price) -> Price {
    let price: Price = price.parse().unwrap();
    if mirror::is_on() { Price::new(trigger.get() * Decimal::TWO - price.get()).unwrap() } else { price }
}

pub fn main() -> Account {
    "paper:main".parse().unwrap()
}

pub fn trade(name: &str) -> TradeId {
    name.parse().unwrap()
}

pub fn order(name: &str, attempt: u32) -> ClientOrderId {
    format!("{name}-{attempt}").parse().unwrap()
}

pub fn usdt(base: &str) -> Instrument {
    instrument(base, "USDT")
}

fn instrument(base: &str, quote: &str) -> Instrument {
    let kind = if mirror::is_on() { "linear_perpetual" } else { "spot" };
    format!("paper:{kind}:{base}{quote}").parse().unwrap()
}

fn seconds(text: &str) -> Timestamp {
    Timestamp::from_millis(text.parse::<i64>().unwrap() * 1_000)
}
