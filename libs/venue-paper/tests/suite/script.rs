//! A script is a list of lines: what happens, and below each `→` what the exchange says to it.
//!
//! ```text
//! buy 2 limit 100 ioc              submitted and sent; orders go by o1, o2 … or `name: buy …`
//! → o1 accepted / quote?           exactly this and nothing else, balances apart
//! quote 99
//! → o1 filled 2 @ 99.05 / o1 ended filled 2 for 198.1
//! = USDT 801.9+0, BTC 12+0         what was last said of each asset: free+locked
//! ```
//!
//! Orders: `buy|sell QUANTITY` or `buy|sell for SUM`, then `market`, `limit P gtc|ioc|fok`, `maker P`,
//! `stop S [limit P [gtc|ioc|fok]]`, `profit S [limit P [gtc|ioc|fok]]`; and
//! `oco buy|sell QUANTITY above KIND below KIND`, whose list goes by l1, l2 ….
//! Others: `candle INTERVAL [from HH:MM] OPEN HIGH LOW CLOSE [vol V]` (from now on; then it is its close),
//! `quote P [old SPAN]`, `quoted BID ASK [show SIZE]`, `wait SPAN`, `cancel ID`, `submit ORDER`, `send ID [late SPAN|ahead SPAN]`,
//! `refuse ID`, `absent ID`, `on SYMBOL`, `open ID…` (the orders that work), `# remark`.

use crate::stage::Stage;
use domain::{
    Account, ClientOrderId, Decimal, Ending, Instrument, InstrumentRules, Leg, NewOco, NewOrder, OrderKind,
    OrderRequest, Origin, PositionSide, Price, Side, Size, TimeInForce, Timestamp, TradeId,
};
use events::{
    AccountEvent, BestPrices, CancelAttempted, Candle, CandleClosed, Event, InstrumentListed, OrderAbsent,
    OrderAttempted, OrderEvent, OrderRefused, OrderSubmitted, QuoteEvent, QuoteSeen,
};
use std::{collections::BTreeMap, fmt::Debug, str::FromStr, time::Duration};
use venue_paper::{Config, engine::Balance};

/// BTCUSDT at 100 with plenty of volume; 1000 USDT and 10 BTC; no fees; slippage 0.0005.
pub fn check(script: &str) {
    Setup::default().check(script);
}

/// What a script starts from.
pub struct Setup {
    pub config: Config,
    pub rules: InstrumentRules,
    /// The market has been seen at 100.
    pub warm: bool,
}

impl Default for Setup {
    fn default() -> Self {
        let mut config = Config::new(account());
        config.balances = [("USDT", "1000"), ("BTC", "10")].map(|(a, b)| (get(a), get(b))).into();
        config.terms.fees.maker = Decimal::ZERO;
        config.terms.fees.taker = Decimal::ZERO;
        Self { config, rules: rules("BTC", "USDT"), warm: true }
    }
}

impl Setup {
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub fn check(self, script: &str) {
        let mut run = Run::new(self.config);
        run.list("BTCUSDT", self.rules);
        if self.warm {
            run.line("candle 1h 100 100 100 100 vol 1000");
        }
        let lines: Vec<&str> =
            script.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).collect();
        let mut lines = lines.into_iter().peekable();
        while let Some(line) = lines.next() {
            let said = run.line(line).join(" / ");
            let wanted =
                lines.next_if(|l| l.starts_with('→')).map_or("", |l| l.trim_start_matches('→').trim());
            assert_eq!(said, wanted, "on '{line}'");
        }
    }
}

pub fn rules(base: &str, quote: &str) -> InstrumentRules {
    InstrumentRules::open(get(base), get(quote), get("0.01"), get("0.001"), get("5"))
}

pub fn account() -> Account {
    get("binance:paper")
}

pub fn spot(symbol: &str) -> Instrument {
    Instrument::spot(get("binance"), get(symbol))
}

pub fn get<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|e| panic!("'{text}': {e:?}"))
}

/// 2024-01-15T00:00:00Z
pub const START: Timestamp = Timestamp::from_millis(1_705_276_800_000);

/// One exchange on its way through a script.
pub struct Run {
    pub stage: Stage,
    pub now: Timestamp,
    /// As last said.
    pub balances: BTreeMap<String, Balance>,
    instrument: Instrument,
    orders: u32,
    lists: u32,
}

impl Run {
    pub fn new(config: Config) -> Self {
        Self {
            stage: Stage::new(config),
            now: START,
            balances: BTreeMap::new(),
            instrument: spot("BTCUSDT"),
            orders: 0,
            lists: 0,
        }
    }

    pub fn list(&mut self, symbol: &str, rules: InstrumentRules) -> Vec<String> {
        self.hear(InstrumentListed { instrument: spot(symbol), rules: Box::new(rules) })
    }

    pub fn line(&mut self, line: &str) -> Vec<String> {
        let (name, order) = match line.split_once(": ") {
            Some((name, rest)) => (Some(name), rest),
            None => (None, line),
        };
        let mut words = Words(order.split_whitespace().collect());
        match words.next() {
            "buy" | "sell" | "oco" => {
                let request = self.request(name, &mut Words(order.split_whitespace().collect()));
                let mut said = self.submit(request);
                said.extend(self.send(request.id(), self.now));
                said
            }
            "submit" => {
                let request = self.request(name, &mut words);
                self.submit(request)
            }
            "send" => {
                let id = get(words.next());
                let timestamp = match words.maybe() {
                    Some("late") => self.now - span(words.next()),
                    Some("ahead") => self.now + span(words.next()),
                    _ => self.now,
                };
                self.send(id, timestamp)
            }
            "cancel" => {
                let (order, instrument, timestamp) = (get(words.next()), self.instrument, self.now);
                let (account, attempt, recv_window_ms) = (account(), 1, 5_000);
                self.hear(CancelAttempted { account, instrument, order, attempt, timestamp, recv_window_ms })
            }
            "refuse" => {
                let (order, instrument) = (get(words.next()), self.instrument);
                self.hear(OrderRefused { account: account(), instrument, order, text: "halted".to_owned() })
            }
            "absent" => {
                let (order, instrument) = (get(words.next()), self.instrument);
                self.hear(OrderAbsent { account: account(), instrument, order })
            }
            "candle" => self.candle(&mut words),
            "quote" => {
                let price = get(words.next());
                let at = words.maybe().map_or(self.now, |_| self.now - span(words.next()));
                self.hear(QuoteSeen { instrument: self.instrument, price, at, best: None })
            }
            "quoted" => {
                let [bid, ask] = [(); 2].map(|()| get::<Price>(words.next()));
                let size = words.maybe().map_or(get("1000"), |_| get(words.next()));
                let best = Some(BestPrices { bid, bid_quantity: size, ask, ask_quantity: size });
                self.hear(QuoteSeen { instrument: self.instrument, price: bid, at: self.now, best })
            }
            "wait" => {
                self.now = self.now + span(words.next());
                Vec::new()
            }
            "on" => {
                self.instrument = spot(words.next());
                Vec::new()
            }
            "open" => {
                assert_eq!(self.stage.open(self.instrument), words.0, "on '{line}'");
                Vec::new()
            }
            "=" => {
                self.compare_balances(line);
                Vec::new()
            }
            other => panic!("'{line}': no such word: {other}"),
        }
    }

    /// What it says on hearing `event`, balances kept apart.
    pub fn hear(&mut self, event: impl Into<Event>) -> Vec<String> {
        let said = self.stage.hear(self.now, event.into());
        for event in &said {
            if let Event::Account(AccountEvent::BalanceChanged(e)) = event {
                assert!(e.as_of >= self.now, "as-of times never run backwards: {e:?} at {}", self.now);
                self.balances.insert(e.asset.to_string(), Balance { free: e.free, locked: e.locked });
            }
        }
        said.iter().filter_map(written).collect()
    }

    pub fn submit(&mut self, request: OrderRequest) -> Vec<String> {
        let request = Box::new(request);
        self.hear(OrderSubmitted { account: account(), instrument: self.instrument, request })
    }

    pub fn send(&mut self, request: ClientOrderId, timestamp: Timestamp) -> Vec<String> {
        let (account, instrument, attempt, recv_window_ms) = (account(), self.instrument, 1, 5_000);
        self.hear(OrderAttempted { account, instrument, request, attempt, timestamp, recv_window_ms })
    }

    fn candle(&mut self, words: &mut Words) -> Vec<String> {
        let interval: domain::Interval = get(words.next());
        let open_time = match words.0.first() {
            Some(&"from") => {
                words.next();
                clock(words.next())
            }
            _ => self.now,
        };
        let [open, high, low, close] = [(); 4].map(|()| get::<Price>(words.next()));
        let volume = words.maybe().map_or(Decimal::from(1_000), |_| get(words.next()));
        let candle =
            Candle { instrument: self.instrument, interval, open_time, open, high, low, close, volume };
        assert!(candle.is_consistent(), "the script has an impossible candle: {candle:?}");
        self.now = self.now.max(candle.close_time());
        self.hear(CandleClosed { candle })
    }

    fn request(&mut self, name: Option<&str>, words: &mut Words) -> OrderRequest {
        match words.next() {
            "oco" => {
                let side = side(words.next());
                let size = Size::Base(get(words.next()));
                words.expect("above");
                let above = self.order(None, side, size, words);
                words.expect("below");
                let below = self.order(None, side, size, words);
                self.lists += 1;
                let list = get(&name.map_or(format!("l{}", self.lists), str::to_owned));
                OrderRequest::Oco(NewOco { list, above, below })
            }
            word => {
                let side = side(word);
                let size = match words.next() {
                    "for" => Size::Quote(get(words.next())),
                    quantity => Size::Base(get(quantity)),
                };
                OrderRequest::Single(self.order(name, side, size, words))
            }
        }
    }

    fn order(&mut self, name: Option<&str>, side: Side, size: Size, words: &mut Words) -> NewOrder {
        self.orders += 1;
        let id = name.map_or(format!("o{}", self.orders), str::to_owned);
        new_order(&id, side, size, words.kind())
    }

    fn compare_balances(&self, line: &str) {
        let wanted = line.trim_start_matches('=').trim();
        let said: Vec<_> = wanted
            .split(", ")
            .map(|each| {
                let asset = each.split_whitespace().next().unwrap_or_default();
                let balance = self.balances.get(asset).copied().unwrap_or_default();
                format!("{asset} {}+{}", balance.free, balance.locked)
            })
            .collect();
        assert_eq!(said.join(", "), wanted, "on '{line}'");
    }
}

pub fn new_order(id: &str, side: Side, size: Size, kind: OrderKind) -> NewOrder {
    let origin = Origin::Trade { trade: get::<TradeId>("t"), leg: Leg::Entry, attempt: 1 };
    NewOrder { id: get(id), side, kind, size, origin, reduce_only: false, position_side: PositionSide::Net }
}

/// Every event but a balance in a few words.
pub fn written(event: &Event) -> Option<String> {
    let text = match event {
        Event::Account(AccountEvent::BalanceChanged(_)) => return None,
        Event::Quote(QuoteEvent::Asked(_)) => "quote?".to_owned(),
        Event::Order(OrderEvent::Accepted(e)) => format!("{} accepted", e.order),
        Event::Order(OrderEvent::Rejected(e)) => {
            let reason = serde_json::to_string(&e.reason).unwrap();
            let code = e.code.map_or("-".to_owned(), |code| code.to_string());
            format!("{} rejected {code} {}: {}", e.order, reason.trim_matches('"'), e.text)
        }
        Event::Order(OrderEvent::Filled(e)) => {
            assert_eq!(e.quote, e.price.get() * e.quantity.get(), "quote is price × quantity");
            let fee = e.fee.map_or(String::new(), |fee| format!(" fee {} {}", fee.amount, fee.asset));
            let maker = if e.maker { " maker" } else { "" };
            format!("{} filled {} @ {}{fee}{maker}", e.order, e.quantity, e.price)
        }
        Event::Order(OrderEvent::Ended(e)) => {
            let (quantity, quote) = (e.filled.quantity, e.filled.quote);
            match (e.ending, quantity.is_zero()) {
                (ending, true) => format!("{} ended {}", e.order, ending.as_str()),
                (Ending::Filled, false) => format!("{} ended filled {quantity} for {quote}", e.order),
                (ending, false) => {
                    format!("{} ended {} with {quantity} for {quote}", e.order, ending.as_str())
                }
            }
        }
        Event::Order(OrderEvent::CancelRejected(e)) => {
            format!("{} not canceled {}: {}", e.order, e.code.unwrap_or_default(), e.text)
        }
        other => panic!("a paper exchange does not say {other:?}"),
    };
    Some(text)
}

pub struct Words<'a>(pub Vec<&'a str>);

impl<'a> Words<'a> {
    pub fn maybe(&mut self) -> Option<&'a str> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }
    pub fn next(&mut self) -> &'a str {
        self.maybe().expect("a word more in this line")
    }
    pub fn expect(&mut self, word: &str) {
        assert_eq!(self.next(), word);
    }
    pub fn kind(&mut self) -> OrderKind {
        let word = self.next();
        match word {
            "market" => OrderKind::Market,
            "limit" => OrderKind::Limit { price: get(self.next()), time_in_force: self.time_in_force() },
            "maker" => OrderKind::LimitMaker { price: get(self.next()) },
            "stop" | "profit" => {
                let stop = get(self.next());
                let limit = (self.0.first() == Some(&"limit")).then(|| {
                    self.next();
                    (get(self.next()), self.time_in_force())
                });
                match (word, limit) {
                    ("stop", None) => OrderKind::StopLoss { stop },
                    ("stop", Some((price, time_in_force))) => {
                        OrderKind::StopLossLimit { stop, price, time_in_force }
                    }
                    (_, None) => OrderKind::TakeProfit { stop },
                    (_, Some((price, time_in_force))) => {
                        OrderKind::TakeProfitLimit { stop, price, time_in_force }
                    }
                }
            }
            other => panic!("no such kind of order: {other}"),
        }
    }
    fn time_in_force(&mut self) -> TimeInForce {
        let given = match self.0.first() {
            Some(&"gtc") => TimeInForce::Gtc,
            Some(&"ioc") => TimeInForce::Ioc,
            Some(&"fok") => TimeInForce::Fok,
            _ => return TimeInForce::Gtc,
        };
        self.next();
        given
    }
}

pub fn side(word: &str) -> Side {
    match word {
        "buy" => Side::Buy,
        "sell" => Side::Sell,
        other => panic!("no such side: {other}"),
    }
}

/// `90m`, `6s`, `1h`, `500ms`
pub fn span(word: &str) -> Duration {
    let digits = word.trim_end_matches(char::is_alphabetic);
    let millis = match &word[digits.len()..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        other => panic!("no such unit of time: {other}"),
    };
    Duration::from_millis(get::<u64>(digits) * millis)
}

/// `HH:MM` on the first day, or a later one with `HH` beyond 23.
fn clock(word: &str) -> Timestamp {
    let (hours, minutes) = word.split_once(':').expect("HH:MM");
    START + Duration::from_secs(get::<u64>(hours) * 3_600 + get::<u64>(minutes) * 60)
}
