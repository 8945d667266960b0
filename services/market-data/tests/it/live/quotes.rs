//! Which quotes of a live market are said.

use super::{btc, minute};
use domain::{Account, ClientOrderId, NewOrder, OrderKind, OrderRequest, Origin, Side, Size, Timestamp};
use events::{
    BestPrices, Event, OrderAccepted, OrderEnded, OrderSubmitted, QuoteAsked, QuoteEvent, QuoteSeen, Recorded,
};
use market_data::live::Quotes;
use std::time::Duration;

/// Some quotes, and the tape that they are said on.
struct Stage {
    quotes: Quotes,
    now: Timestamp,
    position: u64,
}

fn get<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn account() -> Account {
    get("binance:paper")
}

impl Stage {
    fn new() -> Self {
        Self { quotes: Quotes::default(), now: minute(0), position: 0 }
    }

    fn hear(&mut self, event: impl Into<Event>) {
        let event = event.into();
        self.position += 1;
        let draft = events::Draft::new(
            events::ids::fact(events::Uuid::nil(), "test", &self.position.to_string()),
            get("test"),
            None,
            self.now,
            &event,
        );
        self.quotes.hear(&Recorded {
            position: self.position,
            id: draft.id,
            source: draft.source,
            cause: None,
            at: self.now,
            recorded_at: self.now,
            event,
        });
    }

    fn asks(&mut self) {
        self.hear(QuoteAsked { instrument: btc() });
    }

    fn works(&mut self, order: &str, side: Side, kind: OrderKind) {
        let new = NewOrder {
            id: get(order),
            side,
            kind,
            size: Size::Base(get("1")),
            reduce_only: false,
            position_side: domain::PositionSide::Net,
            origin: Origin::Manual { request: get("t") },
        };
        let (account, instrument, at) = (account(), btc(), self.now);
        self.hear(OrderSubmitted { account, instrument, request: Box::new(OrderRequest::Single(new)) });
        let order: ClientOrderId = get(order);
        self.hear(OrderAccepted { account, instrument, order, venue_order: get("1"), at });
    }

    fn stops_at(&mut self, order: &str, stop: &str) {
        self.works(order, Side::Sell, OrderKind::StopLoss { stop: get(stop) });
    }

    fn ends(&mut self, order: &str) {
        let (account, instrument, at) = (account(), btc(), self.now);
        let (order, venue_order) = (get(order), get("1"));
        let (ending, filled) = (domain::Ending::Filled, domain::Filled::default());
        self.hear(OrderEnded { account, instrument, order, venue_order, ending, filled, at });
    }

    /// The bids of what is said at these prices; it is on the tape then.
    fn quoted(&mut self, bid: &str, ask: &str) -> Vec<String> {
        let [bid_quantity, ask_quantity] = ["1", "2"].map(get);
        self.quotes.quoted(btc(), BestPrices { bid: get(bid), bid_quantity, ask: get(ask), ask_quantity });
        self.due()
    }

    fn due(&mut self) -> Vec<String> {
        let said = self.quotes.due(self.now);
        let seen = |event: &Event| match event {
            Event::Quote(QuoteEvent::Seen(seen)) => *seen,
            other => panic!("{other:?}"),
        };
        let seen: Vec<QuoteSeen> = said.iter().map(seen).collect();
        for quote in &seen {
            assert_eq!(quote.best.map(|best| best.bid), Some(quote.price));
            self.hear(*quote);
        }
        seen.iter().map(|quote| quote.price.to_string()).collect()
    }

    fn wait(&mut self) {
        self.now = self.now + Duration::from_secs(1);
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn without_an_order_no_quote_is_said() {
    let mut stage = Stage::new();
    for price in ["100", "1", "1000"] {
        assert_eq!(stage.quoted(price, "1001"), NOTHING);
        stage.wait();
    }
}

#[test]
fn a_quote_that_is_asked_for_is_said_at_once_and_once() {
    let mut stage = Stage::new();
    stage.quoted("100", "101");
    stage.asks();
    assert_eq!(stage.due(), ["100"]);
    assert_eq!(stage.quoted("100.5", "101"), NOTHING);
    // One that is asked for again right then has another time: no two facts are one.
    stage.asks();
    assert_eq!(stage.due(), ["100.5"]);
}

#[test]
fn an_order_that_takes_at_once_gets_one_quote() {
    let mut stage = Stage::new();
    stage.quoted("100", "101");
    stage.works(
        "o1",
        Side::Buy,
        OrderKind::Limit { price: get("102"), time_in_force: domain::TimeInForce::Ioc },
    );
    assert_eq!(stage.due(), NOTHING, "it has not asked yet");
    stage.asks();
    assert_eq!(stage.due(), ["100"]);
    stage.wait();
    assert_eq!(stage.due(), NOTHING);
}

#[test]
fn what_is_asked_for_while_no_quote_is_in_hand_is_missing_until_it_comes() {
    let mut stage = Stage::new();
    stage.asks();
    assert_eq!(stage.due(), NOTHING);
    assert_eq!(stage.quotes.missing(), [btc()].into());
    assert_eq!(stage.quoted("100", "101"), ["100"]);
    assert_eq!(stage.quotes.missing(), [].into());
    stage.asks();
    stage.quotes.interrupted();
    assert_eq!(stage.due(), NOTHING, "what was quoted before the stream broke is no quote of now");
    assert_eq!(stage.quotes.missing(), [btc()].into());
}

#[test]
fn a_stop_wants_the_quote_that_reaches_it() {
    let mut stage = Stage::new();
    stage.stops_at("o1", "95");
    assert_eq!(stage.quoted("95.01", "96"), NOTHING);
    assert_eq!(stage.quoted("95", "96"), ["95"]);
    stage.ends("o1");
    stage.wait();
    assert_eq!(stage.quoted("94", "96"), NOTHING);
}

#[test]
fn what_is_left_of_a_triggered_stop_is_quoted_again_with_what_was_not_shown_yet_or_behind_the_next_candle() {
    let mut stage = Stage::new();
    stage.stops_at("o1", "95");
    assert_eq!(stage.quoted("94", "96"), ["94"]);
    assert_eq!(stage.quoted("93", "96"), NOTHING, "not within a second");
    stage.wait();
    assert_eq!(stage.due(), ["93"]);
    stage.wait();
    assert_eq!(stage.quoted("93", "96"), NOTHING, "it has had what this shows");
    assert_eq!(stage.quoted("93", "97"), NOTHING, "what it would buy at is of no matter to a seller");
    stage.hear(events::CandleClosed { candle: super::candle(1) });
    assert_eq!(stage.due(), ["93"]);
    stage.ends("o1");
    stage.hear(events::CandleClosed { candle: super::candle(2) });
    assert_eq!(stage.due(), NOTHING);
    stage.wait();
    assert_eq!(stage.quoted("92", "97"), NOTHING);
}

#[test]
fn a_resting_limit_wants_the_quotes_that_reach_it_once_a_second_at_most() {
    let mut stage = Stage::new();
    stage.works("o1", Side::Sell, OrderKind::LimitMaker { price: get("110") });
    stage.works("o2", Side::Buy, OrderKind::LimitMaker { price: get("90") });
    assert_eq!(stage.quoted("109.99", "110.5"), NOTHING);
    assert_eq!(stage.quoted("110", "110.5"), ["110"]);
    assert_eq!(stage.quoted("110.1", "110.5"), NOTHING, "not within a second");
    stage.wait();
    assert_eq!(stage.due(), ["110.1"]);
    stage.wait();
    assert_eq!(stage.quoted("89", "90"), ["89"], "what it sells for is of no matter to a buyer");
}

#[test]
fn a_stop_that_was_triggered_waits_for_its_limit() {
    let mut stage = Stage::new();
    let kind = OrderKind::StopLossLimit {
        stop: get("95"),
        price: get("90"),
        time_in_force: domain::TimeInForce::Gtc,
    };
    stage.works("o1", Side::Sell, kind);
    assert_eq!(stage.quoted("85", "86"), ["85"]);
    stage.wait();
    assert_eq!(stage.quoted("86", "87"), NOTHING, "it rests at 90");
    assert_eq!(stage.quoted("90", "91"), ["90"]);
}
