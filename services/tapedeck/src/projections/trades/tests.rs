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
    let (trade, account, instrument, edge) = (v("T1"), v("binance:main"), perpetual(), v("edge70"));
    see(
        &mut trades,
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
    let (direction, quantity) = (Direction::Short, Decimal::TWO);
    let (price, value) = (Decimal::ONE_HUNDRED, v("199.8"));
    see(&mut trades, TradeOpened { trade, account, instrument, edge, direction, quantity, price, value });
    trades
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
    let order = domain::NewOrder {
        id: v("td1"),
        side: Side::Buy,
        kind: domain::OrderKind::Market,
        size: domain::Size::Base(v("2")),
        origin: domain::Origin::Trade { trade: v("T1"), leg: domain::Leg::Exit, attempt: 1 },
        reduce_only: true,
        position_side: domain::PositionSide::Net,
    };
    let request = Box::new(domain::OrderRequest::Single(order));
    see(&mut trades, events::OrderSubmitted { account: v("binance:main"), instrument: perpetual(), request });
    see(&mut trades, fill(Side::Buy, "0.5", "90", "1"));
    close(&mut trades, "80");
    let now = trades.open().next().unwrap();
    assert_eq!((now.held, now.cost), (Some(v("1.5")), Some(v("45.0"))));
    // 199.8 − 45 − 1.5 × 80.
    assert_eq!(now.unrealised_profit, Some(v("34.8")));
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
