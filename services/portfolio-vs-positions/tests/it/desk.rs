//! A core, an account at a venue, and the facts that the core hears of it.

use domain::{
    Account, Amount, Asset, Decimal, Ending, Filled, Instrument, InstrumentKind, InstrumentRules, Side,
    Timestamp,
};
use events::*;
use portfolio_vs_positions::{Config, PortfolioVsPositions, Reaction};
use service::Solo;
use std::{collections::BTreeMap, time::Duration};

pub fn get<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|e| panic!("'{text}': {e:?}"))
}

pub fn account() -> Account {
    get("binance:main")
}

pub fn instrument(symbol: &str) -> Instrument {
    get(&format!("binance:spot:{symbol}"))
}

/// The venue's books change by what is done there; ours by what the core hears.
pub struct Desk {
    core: Solo<PortfolioVsPositions>,
    now: Timestamp,
    pub venue: BTreeMap<Asset, Decimal>,
    pub orders: BTreeMap<u64, WorkingOrder>,
    /// Of each asset at the venue.
    pub locked: Decimal,
    trades: u64,
    since: Option<Timestamp>,
    is_confirmed: bool,
}

impl Desk {
    /// 1,000 USDT, 2 BTC and 1 BNB; BTCUSDT and BNBUSDT are listed.
    pub fn new(on_difference: Reaction) -> Self {
        let mut desk = Self {
            core: Solo::new(Config { on_difference }),
            now: get("2026-03-01T00:00:00Z"),
            venue: BTreeMap::new(),
            orders: BTreeMap::new(),
            locked: Decimal::ZERO,
            trades: 0,
            since: None,
            is_confirmed: false,
        };
        for (asset, amount) in [("USDT", "1000"), ("BTC", "2"), ("BNB", "1")] {
            desk.changes(asset, amount);
        }
        for (base, quote) in [("BTC", "USDT"), ("BNB", "USDT")] {
            desk.lists(base, quote);
        }
        desk
    }

    /// With books that have begun.
    pub fn begun() -> Self {
        let mut desk = Self::new(Reaction::Report);
        assert_eq!(desk.rounds(), ["agree: 3 assets, 0 orders (begin)"]);
        desk
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// As it was said last.
    pub fn differs_since(&self) -> Option<Timestamp> {
        self.since
    }

    /// Whether what was said last is not just late.
    pub fn is_confirmed(&self) -> bool {
        self.is_confirmed
    }

    /// Everything that may have been missed until now was fetched.
    pub fn fetches(&mut self) {
        self.waits(Duration::from_secs(1));
        let (account, until) = (account(), self.now);
        assert!(self.hear(StreamComplete { account, until }).is_empty());
    }

    pub fn owner_says(&mut self, state: TradingState, until: Option<Timestamp>) {
        let (account, who, why) = (Some(account()), "cli-owner".to_owned(), "test".to_owned());
        assert!(self.hear(TradingStateChanged { account, state, who, why, until }).is_empty());
    }

    pub fn lists(&mut self, base: &str, quote: &str) {
        self.lists_as(&format!("{base}{quote}"), base, quote);
    }

    pub fn lists_as(&mut self, symbol: &str, base: &str, quote: &str) {
        let rules = InstrumentRules::open(get(base), get(quote), get("0.01"), get("0.00001"), get("5"));
        let instrument = instrument(symbol);
        assert_eq!(instrument.kind, InstrumentKind::Spot);
        self.hear(InstrumentListed { instrument, rules: Box::new(rules) });
    }

    /// At the venue alone.
    pub fn changes(&mut self, asset: &str, by: &str) {
        *self.venue.entry(get(asset)).or_default() += get::<Decimal>(by);
    }

    pub fn waits(&mut self, span: Duration) {
        self.now = self.now + span;
    }

    /// What the core says, in words.
    pub fn hear(&mut self, event: impl Into<Event>) -> Vec<String> {
        self.now = self.now + Duration::from_millis(1);
        let said = self.core.hear(self.now, event);
        for event in &said {
            if let Event::Books(BooksEvent::Disagree(e)) = event {
                self.since = Some(e.since);
                self.is_confirmed = e.confirmed;
            }
        }
        said.iter().map(words).collect()
    }

    pub fn report(&mut self) -> BooksReported {
        let held = self.venue.iter().filter(|(_, amount)| !amount.is_zero());
        BooksReported {
            account: account(),
            as_of: self.now,
            balances: held
                .map(|(asset, amount)| HeldAsset {
                    asset: *asset,
                    free: amount - self.locked,
                    locked: self.locked,
                })
                .collect(),
            orders: self.orders.values().copied().collect(),
        }
    }

    /// The venue tells its books.
    pub fn round(&mut self) -> Vec<String> {
        self.waits(Duration::from_secs(5));
        let report = self.report();
        self.hear(report)
    }

    /// Twice, with nothing in between.
    pub fn rounds(&mut self) -> Vec<String> {
        [self.round(), self.round()].concat()
    }

    /// An order works at the venue, and its acceptance is heard unless it was missed.
    pub fn places(&mut self, number: u64, order: &str, symbol: &str, is_heard: bool) {
        let working = WorkingOrder {
            venue_order: get(&number.to_string()),
            order: get(order),
            instrument: instrument(symbol),
        };
        self.orders.insert(number, working);
        if is_heard {
            let WorkingOrder { venue_order, order, instrument } = working;
            let at = self.now;
            let accepted = OrderAccepted { account: account(), instrument, order, venue_order, at };
            assert!(self.hear(accepted).is_empty());
        }
    }

    pub fn ends(&mut self, number: u64, is_heard: bool) {
        let Some(WorkingOrder { venue_order, order, instrument }) = self.orders.remove(&number) else {
            panic!("{number} does not work")
        };
        if is_heard {
            let (ending, filled, at) = (Ending::Canceled, Filled::default(), self.now);
            let ended = OrderEnded { account: account(), instrument, order, venue_order, ending, filled, at };
            assert!(self.hear(ended).is_empty());
        }
    }

    /// An execution at the venue; its event.
    pub fn trades(
        &mut self,
        side: Side,
        quantity: &str,
        symbol: [&str; 2],
        quote: &str,
        fee: Fee,
    ) -> OrderFilled {
        let [base, money] = symbol;
        let sign = if side == Side::Buy { Decimal::ONE } else { -Decimal::ONE };
        let (quantity, quote): (Decimal, Decimal) = (get(quantity), get(quote));
        *self.venue.entry(get(base)).or_default() += sign * quantity;
        *self.venue.entry(get(money)).or_default() -= sign * quote;
        *self.venue.entry(fee.asset).or_default() -= fee.amount;
        self.trades += 1;
        OrderFilled {
            account: account(),
            instrument: instrument(&format!("{base}{money}")),
            order: get("o1"),
            venue_order: get("1"),
            venue_trade: get(&self.trades.to_string()),
            side,
            price: domain::Price::new(quote / quantity).unwrap(),
            quantity: domain::Quantity::new(quantity).unwrap(),
            quote,
            fee: Some(fee),
            maker: false,
            at: self.now,
        }
    }

    pub fn ledger(&mut self, asset: &str, delta: &str, reason: LedgerReason) -> LedgerEntry {
        self.changes(asset, delta);
        let (account, asset, delta, at) = (account(), get(asset), get(delta), self.now);
        LedgerEntry { account, asset, delta, reason, instrument: None, venue_ref: "1".to_owned(), at }
    }
}

pub fn fee(amount: &str, asset: &str) -> Fee {
    Fee { asset: get(asset), amount: get::<Amount>(amount) }
}

fn words(event: &Event) -> String {
    match event {
        Event::Books(BooksEvent::Agree(e)) => {
            format!(
                "agree: {} assets, {} orders{}",
                e.assets,
                e.orders,
                if e.begin { " (begin)" } else { "" }
            )
        }
        Event::Books(BooksEvent::Disagree(e)) => {
            let differences: Vec<String> = e.differences.iter().map(difference).collect();
            format!("disagree: {}", differences.join("; "))
        }
        Event::Control(ControlEvent::TradingStateChanged(e)) => {
            format!("{:?} by {}: {}", e.state, e.who, e.why)
        }
        other => panic!("{other:?}"),
    }
}

fn difference(of: &Difference) -> String {
    match of {
        Difference::Balance { asset, ours, venue, cause } => {
            let cause = match cause {
                LikelyCause::MissingFill { instrument, side, quantity } => {
                    format!("{side:?} of {} {} is missing", quantity.normalize(), instrument.symbol)
                }
                other => format!("{other:?}"),
            };
            format!("{asset} {} for {}, {cause}", venue.normalize(), ours.normalize())
        }
        Difference::UnknownOrder { order } => format!("{} {} is not known", order.venue_order, order.order),
        Difference::MissingOrder { order, stop_of: None } => {
            format!("{} {} does not work", order.venue_order, order.order)
        }
        Difference::MissingOrder { order, stop_of: Some(trade) } => {
            format!("{} {}, the stop of {trade}, does not work", order.venue_order, order.order)
        }
    }
}
