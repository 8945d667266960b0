use super::*;
use domain::{InstrumentKind, Side};
use events::{
    CandleClosed, ExitReason, TradeClosed, TradeOpened, TradeProtected, TradeRequested, TradeUnprotected,
    Uuid,
};

fn v<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

fn at(seconds: u64) -> Timestamp {
    v::<Timestamp>("2024-01-15") + Duration::from_secs(seconds)
}

fn see(trades: &mut Trades, event: impl Into<Event>) {
    let (id, source) = (Uuid::nil(), v("test"));
    let (at, recorded_at) = (at(0), at(0));
    trades.see(&Recorded { position: 1, id, source, cause: None, at, recorded_at, event: event.into() });
}

fn perpetual() -> Instrument {
    Instrument { kind: InstrumentKind::LinearPerpetual, ..v("binance:spot:BTCUSDT") }
}

fn fill(side: Side, quantity: &str, price: &str, number: &str) -> OrderFilled {
    let (price, quantity): (domain::Price, domain::Quantity) = (v(price), v(quantity));
    OrderFilled {
        account: v("binance:main"),
        instrument: perpetual(),
        order: v("td1"),
        venue_order: v("55"),
        venue_trade: v(number),
        side,
        price,
        quantity,
        quote: price.get() * quantity.get(),
        fee: None,
        maker: false,
        at: at(0),
    }
}

fn close(trades: &mut Trades, at_price: &str) {
    let price = v(at_price);
    let candle = events::Candle {
        instrument: perpetual(),
        interval: domain::Interval::Day1,
        open_time: at(0),
        open: price,
        high: price,
        low: price,
        close: price,
        volume: Decimal::ONE,
    };
    see(trades, CandleClosed { candle });
}

/// 2 sold short at 100 for 199.8 after fees.
fn short() -> Trades {
    enter_short(Trades::default())
}

fn enter_short(mut trades: Trades) -> Trades {
    request_short(&mut trades);
    see(&mut trades, opened());
    trades
}

fn request_short(trades: &mut Trades) {
    let (trade, account, instrument, edge) = (v("T1"), v("binance:main"), perpetual(), v("edge70"));
    see(
        trades,
        TradeRequested {
            trade,
            account,
            instrument,
            edge,
            direction: Direction::Short,
            trigger: v("100"),
            signal_at: at(0),
            stop: None,
            target: None,
            valid_until: None,
            by: events::RequestedBy::Edge,
        },
    );
}

fn opened() -> TradeOpened {
    TradeOpened {
        trade: v("T1"),
        account: v("binance:main"),
        instrument: perpetual(),
        edge: v("edge70"),
        direction: Direction::Short,
        quantity: Decimal::TWO,
        price: Decimal::ONE_HUNDRED,
        value: v("199.8"),
    }
}

#[test]
fn an_open_short_gains_when_the_price_falls_and_loses_when_it_rises() {
    let mut trades = short();
    close(&mut trades, "90");
    let now = trades.open().next().unwrap();
    assert_eq!((now.held, now.value), (Some(Decimal::TWO), Some(v("180"))));
    assert_eq!((now.cost, now.proceeds), (Some(Decimal::ZERO), Some(v("199.8"))));
    assert_eq!(now.unrealised_profit, Some(v("19.8")));
    assert_eq!(now.unrealised_ratio, v::<Decimal>("19.8").checked_div(v("199.8")));
    close(&mut trades, "110");
    assert_eq!(trades.open().next().unwrap().unrealised_profit, Some(v("-20.2")));
}

#[test]
fn a_short_that_was_bought_back_in_part_has_the_rest_open() {
    let mut trades = short();
    submit(&mut trades, "td1", domain::Leg::Exit);
    see(&mut trades, fill(Side::Buy, "0.5", "90", "1"));
    close(&mut trades, "80");
    let now = trades.open().next().unwrap();
    assert_eq!((now.held, now.cost), (Some(v("1.5")), Some(v("45.0"))));
    // 199.8 − 45 − 1.5 × 80.
    assert_eq!(now.unrealised_profit, Some(v("34.8")));
}

/// An order of the trade, for all of it.
fn submit(trades: &mut Trades, id: &str, leg: domain::Leg) {
    let side = if leg == domain::Leg::Entry { Side::Sell } else { Side::Buy };
    let order = domain::NewOrder {
        id: v(id),
        side,
        kind: domain::OrderKind::Market,
        size: domain::Size::Base(v("2")),
        origin: domain::Origin::Trade { trade: v("T1"), leg, attempt: 1 },
        reduce_only: leg != domain::Leg::Entry,
        position_side: domain::PositionSide::Net,
    };
    let request = Box::new(domain::OrderRequest::Single(order));
    see(trades, events::OrderSubmitted { account: v("binance:main"), instrument: perpetual(), request });
}

/// At 115, for 230.
fn closed() -> TradeClosed {
    let zero = Decimal::ZERO;
    TradeClosed {
        trade: v("T1"),
        account: v("binance:main"),
        instrument: perpetual(),
        edge: v("edge70"),
        direction: Direction::Short,
        reason: ExitReason::StopHit,
        quantity: Decimal::TWO,
        entry_price: v("100"),
        exit_price: v("115"),
        cost: v("230"),
        proceeds: v("199.8"),
        profit: v("-30.2"),
        fees: Vec::new(),
        left: zero,
        left_cost: zero,
        left_worth: zero,
        carried: zero,
        carried_cost: zero,
        opened_at: at(0),
        closed_at: at(1),
    }
}

#[test]
fn a_closed_shorts_ratio_is_of_what_it_was_entered_for() {
    let mut trades = short();
    see(&mut trades, closed());
    let closed = trades.all().next().unwrap();
    assert_eq!(closed.profit_ratio, v::<Decimal>("-30.2").checked_div(v("199.8")));
}

#[test]
fn where_live_ones_are_wanted_a_trade_is_forgotten_with_its_end() {
    let mut trades = enter_short(Trades::live_only());
    assert_eq!(trades.live().count(), 1);
    see(&mut trades, closed());
    assert_eq!((trades.all().count(), trades.orders.len()), (0, 0));
}

fn at_second(trades: &mut Trades, second: u64, event: impl Into<Event>) {
    let (id, source) = (Uuid::nil(), v("test"));
    let (at, recorded_at) = (at(second), at(second));
    trades.see(&Recorded { position: 1, id, source, cause: None, at, recorded_at, event: event.into() });
}

fn protected(quantity: &str) -> TradeProtected {
    TradeProtected {
        trade: v("T1"),
        order: v("stop1"),
        stop: v("115"),
        quantity: v(quantity),
        without_take_profit: false,
    }
}

fn unprotected(since: u64, covered: Option<&str>) -> TradeUnprotected {
    let (trade, because) = (v("T1"), events::NakedBecause::StopMoving);
    TradeUnprotected { trade, since: at(since), quantity: v("2"), because, covered: covered.map(v) }
}

fn unstopped(trades: &Trades) -> (Option<Decimal>, Option<Decimal>) {
    let trade = trades.all().next().unwrap();
    (trade.unprotected_seconds, trade.unprotected_longest_seconds)
}

#[test]
fn the_time_without_a_stop_is_added_up_from_the_first_fill_to_the_end() {
    let some = |total: i64, longest: i64| (Some(Decimal::from(total)), Some(Decimal::from(longest)));
    let mut trades = short();
    at_second(&mut trades, 3, protected("2"));
    assert_eq!(unstopped(&trades), some(3, 3), "from the opening");
    at_second(&mut trades, 10, unprotected(10, None));
    at_second(&mut trades, 14, unprotected(10, None));
    assert_eq!(unstopped(&trades), some(7, 4), "it goes on");
    at_second(&mut trades, 15, protected("2"));
    assert_eq!(unstopped(&trades), some(8, 5));
    trades.pass_to(at(90));
    assert_eq!(unstopped(&trades), some(8, 5), "a stop works");
    at_second(&mut trades, 100, unprotected(100, None));
    see(&mut trades, TradeClosed { closed_at: at(102), ..closed() });
    trades.pass_to(at(200));
    assert_eq!(unstopped(&trades), some(10, 5));
}

#[test]
fn a_stop_over_a_part_ends_no_time_without_one_over_all() {
    let mut trades = short();
    at_second(&mut trades, 2, protected("0.5"));
    at_second(&mut trades, 2, unprotected(0, Some("0.5")));
    at_second(&mut trades, 6, protected("2"));
    assert_eq!(unstopped(&trades), (Some(v("6")), Some(v("6"))));
}

fn accepted(order: &str, number: &str, second: u64) -> events::OrderAccepted {
    let (account, instrument) = (v("binance:main"), perpetual());
    events::OrderAccepted { account, instrument, order: v(order), venue_order: v(number), at: at(second) }
}

/// Entered at second 10 and heard at 32, with a stop that the venue accepts at 33.
fn entered_in_an_outage() -> Trades {
    let mut trades = Trades::default();
    request_short(&mut trades);
    submit(&mut trades, "td1", domain::Leg::Entry);
    at_second(&mut trades, 32, OrderFilled { at: at(10), ..fill(Side::Sell, "2", "100", "1") });
    at_second(&mut trades, 32, opened());
    at_second(&mut trades, 32, unprotected(10, None));
    submit(&mut trades, "stop1", domain::Leg::Stop);
    at_second(&mut trades, 34, accepted("stop1", "56", 33));
    at_second(&mut trades, 35, protected("2"));
    trades
}

#[test]
fn what_happened_at_the_venue_in_an_outage_has_its_times_there() {
    let mut trades = entered_in_an_outage();
    assert_eq!(trades.all().next().unwrap().opened_at, Some(at(10)));
    assert_eq!(unstopped(&trades), (Some(v("23")), Some(v("23"))), "until the stop was accepted");
    // Canceled at 60 and heard at 82; the next one is accepted at 83.
    at_second(&mut trades, 82, unprotected(60, None));
    submit(&mut trades, "stop2", domain::Leg::Stop);
    at_second(&mut trades, 84, accepted("stop2", "57", 83));
    at_second(&mut trades, 85, TradeProtected { order: v("stop2"), ..protected("2") });
    assert_eq!(unstopped(&trades), (Some(v("46")), Some(v("23"))));
}

#[test]
fn a_stop_that_covers_all_only_later_ends_the_time_without_one_then() {
    let mut trades = entered_in_an_outage();
    at_second(&mut trades, 40, protected("0.5"));
    at_second(&mut trades, 40, unprotected(40, Some("0.5")));
    at_second(&mut trades, 50, protected("0.5"));
    assert_eq!(unstopped(&trades), (Some(v("33")), Some(v("23"))), "not since it was accepted");
}

#[test]
fn a_word_that_it_was_without_a_stop_for_longer_counts() {
    let mut trades = short();
    at_second(&mut trades, 3, protected("2"));
    at_second(&mut trades, 30, unprotected(25, None));
    at_second(&mut trades, 31, unprotected(20, None));
    at_second(&mut trades, 32, unprotected(31, None));
    trades.pass_to(at(35));
    assert_eq!(unstopped(&trades), (Some(v("18")), Some(v("15"))));
}

#[test]
fn where_clocks_differ_no_time_without_a_stop_is_less_than_nothing() {
    let mut trades = short();
    submit(&mut trades, "stop1", domain::Leg::Stop);
    at_second(&mut trades, 3, unprotected(3, None));
    at_second(&mut trades, 4, accepted("stop1", "56", 9));
    at_second(&mut trades, 4, protected("2"));
    assert_eq!(unstopped(&trades), (Some(v("4")), Some(v("4"))), "no later than it is told");
    at_second(&mut trades, 20, unprotected(20, None));
    submit(&mut trades, "stop2", domain::Leg::Stop);
    at_second(&mut trades, 21, accepted("stop2", "57", 18));
    at_second(&mut trades, 21, TradeProtected { order: v("stop2"), ..protected("2") });
    assert_eq!(unstopped(&trades), (Some(v("4")), Some(v("4"))));
}

#[test]
fn a_trade_that_is_opened_again_is_open_and_was_protected_while_it_was() {
    let mut trades = short();
    at_second(&mut trades, 3, protected("2"));
    see(&mut trades, TradeClosed { closed_at: at(100), ..closed() });
    at_second(&mut trades, 130, opened());
    at_second(&mut trades, 130, unprotected(110, None));
    trades.pass_to(at(140));
    let trade = trades.all().next().unwrap();
    assert_eq!((trade.opened_at, trade.closed_at), (Some(at(0)), None));
    assert_eq!(unstopped(&trades), (Some(v("33")), Some(v("30"))));
}

#[test]
fn what_is_counted_of_the_time_without_a_stop_never_falls() {
    let mut trades = entered_in_an_outage();
    let counted = |trades: &Trades| trades.all().next().unwrap().unstopped.counted().as_secs();
    assert_eq!(counted(&trades), 23);
    at_second(&mut trades, 82, unprotected(60, None));
    assert_eq!(counted(&trades), 23, "it may have ended");
    submit(&mut trades, "stop2", domain::Leg::Stop);
    at_second(&mut trades, 84, accepted("stop2", "57", 63));
    at_second(&mut trades, 85, TradeProtected { order: v("stop2"), ..protected("2") });
    assert_eq!(counted(&trades), 26);
    at_second(&mut trades, 90, unprotected(62, None));
    assert_eq!(counted(&trades), 26, "it goes on");
    at_second(&mut trades, 91, TradeProtected { order: v("stop3"), ..protected("2") });
    assert_eq!(counted(&trades), 23 + 31);
}
