//! An exchange whose market a test makes by hand.

use domain::{Amount, Decimal, Instrument, InstrumentRules, Listing, Price, Quantity, Side, Timestamp};
use events::InstrumentListed;
use paper_exchange::{
    endpoint::Endpoint,
    exchange::{Exchange, Setup},
    params::{Params, TimeUnit},
    refusal::Refusal,
    simulator::Simulator,
};
use serde_json::Value;
use std::time::Duration;
use venue_paper::engine::Book;

pub struct Stage {
    pub exchange: Exchange,
    pub now: Timestamp,
}

pub const START: i64 = 1_700_000_000_000;

pub fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub fn btc() -> Instrument {
    "binance:spot:BTCUSDT".parse().unwrap()
}

/// Of the self-trade modes all are allowed, and none holds unless it is asked for, as in the documentation's samples.
pub fn rules() -> InstrumentRules {
    let modes = ["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER"];
    let listing = Listing {
        self_trade: Some("NONE".to_owned()),
        self_trades: Some(modes.map(ToOwned::to_owned).into()),
        ..Listing::default()
    };
    InstrumentRules {
        listing: Some(Box::new(listing)),
        max_price: Some(d("1000000")),
        max_quantity: Some(d("9000")),
        ..InstrumentRules::open(
            "BTC".parse().unwrap(),
            "USDT".parse().unwrap(),
            d("0.01"),
            d("0.00001"),
            d("5"),
        )
    }
}

pub fn setup() -> Setup {
    let mut paper = venue_paper::Config::new("binance:main".parse().unwrap());
    paper.balances.insert("BTC".parse().unwrap(), d("10"));
    paper.balances.insert("USDT".parse().unwrap(), d("100000"));
    Setup { paper: paper.into(), start: Timestamp::from_millis(START) }
}

impl Stage {
    /// BTCUSDT, listed, without any price; 10 BTC and 100,000 USDT.
    pub fn silent(rules: InstrumentRules) -> Self {
        let mut stage = Self {
            exchange: Exchange::new(setup(), Simulator::default()),
            now: Timestamp::from_millis(START),
        };
        let listed = InstrumentListed { instrument: btc(), rules: Box::new(rules) };
        stage.exchange.hear(stage.now, &listed.into());
        stage
    }

    /// The same with a last trade at 100 and a book around it: bids 99.99 × 1, 99.98 × 2, asks 100.01 × 1, 100.02 × 2.
    pub fn new() -> Self {
        let mut stage = Self::silent(rules());
        stage.trade("100", "1", Side::Buy);
        stage.book("99.99 1 / 99.98 2", "100.01 1 / 100.02 2");
        stage.frames();
        stage
    }

    /// Lets a millisecond pass.
    pub fn tick(&mut self) {
        self.now = self.now + Duration::from_millis(1);
        self.exchange.advance(self.now);
    }

    pub fn trade(&mut self, price: &str, quantity: &str, taker: Side) {
        self.tick();
        let (price, quantity) = (price.parse().unwrap(), quantity.parse().unwrap());
        self.exchange.see_trade(self.now, btc(), price, quantity, taker);
    }

    pub fn book(&mut self, bids: &str, asks: &str) {
        self.tick();
        let levels = |text: &str| -> Vec<(Price, Quantity)> {
            let level = |text: &str| {
                let (price, quantity) = text.trim().split_once(' ').unwrap();
                (price.parse().unwrap(), quantity.parse().unwrap())
            };
            text.split('/').filter(|level| !level.trim().is_empty()).map(level).collect()
        };
        let book = Book { bids: levels(bids), asks: levels(asks) };
        self.exchange.see_book(self.now, btc(), &book);
    }

    /// Asks with the symbol in front and a millisecond later.
    pub fn call(&mut self, endpoint: Endpoint, query: &str) -> Result<Value, Refusal> {
        self.raw(endpoint, &format!("symbol=BTCUSDT&{query}"))
    }

    pub fn raw(&mut self, endpoint: Endpoint, query: &str) -> Result<Value, Refusal> {
        self.tick();
        self.exchange.call(endpoint, &params(query), TimeUnit::Milli)
    }

    pub fn ok(&mut self, endpoint: Endpoint, query: &str) -> Value {
        self.call(endpoint, query).unwrap_or_else(|no| panic!("{endpoint:?} {query}: {no:?}"))
    }

    pub fn place(&mut self, query: &str) -> Value {
        self.ok(Endpoint::OrderPlace, query)
    }

    /// `code text` of the refusal.
    pub fn refused(&mut self, endpoint: Endpoint, query: &str) -> String {
        match self.call(endpoint, query) {
            Ok(answer) => panic!("{endpoint:?} {query} was answered: {answer}"),
            Err(no) => format!("{} {}", no.code, no.msg),
        }
    }

    /// What the account's stream has told since this was last asked.
    pub fn frames(&mut self) -> Vec<Value> {
        let frames = self.exchange.take_account_frames();
        frames.iter().map(|frame| serde_json::from_str(&frame.milli).unwrap()).collect()
    }

    /// The same, in short: execution type, status, order, last and cumulated quantity; or the event's type.
    pub fn news(&mut self) -> String {
        let short: Vec<String> = self.frames().iter().map(short).collect();
        short.join(" | ")
    }

    pub fn balance(&mut self, asset: &str) -> (Amount, Amount) {
        let account = self.exchange.call(Endpoint::Account, &Params::default(), TimeUnit::Milli).unwrap();
        let row = account["balances"].as_array().unwrap().iter().find(|row| row["asset"] == asset).unwrap();
        (d(row["free"].as_str().unwrap()), d(row["locked"].as_str().unwrap()))
    }
}

pub fn params(query: &str) -> Params {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    };
    // As of a signed request.
    Params { envelope: 2, ..Params::new(pairs.map(pair).collect()) }
}

fn short(event: &Value) -> String {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    let trim = |name: &str| d(text(name)).normalize().to_string();
    match text("e") {
        "executionReport" if text("x") == "TRADE" => {
            format!("TRADE {} {} {}@{}", text("X"), text("c"), trim("l"), trim("L"))
        }
        "executionReport" => format!("{} {} {}", text("x"), text("X"), text("c")),
        "listStatus" => format!("list {} {}", text("l"), text("L")),
        "outboundAccountPosition" => {
            let rows = event["B"].as_array().unwrap();
            let names: Vec<_> = rows.iter().map(|row| row["a"].as_str().unwrap()).collect();
            format!("balances {}", names.join(","))
        }
        other => other.to_owned(),
    }
}

/// Asserts that `found` has everything that `expected` has.
#[track_caller]
pub fn assert_has(found: &Value, expected: Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&found[name], value, "{name} of {found:#}");
    }
}

/// Asserts that `found` has these fields and no other.
#[track_caller]
pub fn assert_fields(found: &Value, names: &str) {
    let mut expected: Vec<&str> = names.split_whitespace().collect();
    expected.sort_unstable();
    let mut own: Vec<&str> = found.as_object().unwrap().keys().map(String::as_str).collect();
    own.sort_unstable();
    assert_eq!(own, expected, "{found:#}");
}
