//! What the exchange refuses, and in which words.

use crate::suite::script::{Setup, check, get};
use domain::rules::PriceRange;

#[test]
fn price_filter() {
    let setup = Setup::default().with(|s| {
        s.rules.min_price = Some(get("1"));
        s.rules.max_price = Some(get("100000"));
    });
    setup.check(
        "buy 1 limit 90.001
         → o1 rejected -1013 filter: Filter failure: PRICE_FILTER
         buy 10 limit 0.99
         → o2 rejected -1013 filter: Filter failure: PRICE_FILTER
         sell 1 limit 100000.01
         → o3 rejected -1013 filter: Filter failure: PRICE_FILTER
         sell 1 stop 90.005 limit 90
         → o4 rejected -1013 filter: Filter failure: PRICE_FILTER
         buy 1 limit 90.01
         → o5 accepted",
    );
}

#[test]
fn percent_price_by_side() {
    let setup = Setup::default().with(|s| {
        s.rules.buy_price_range = Some(PriceRange { down: get("0.5"), up: get("1.2") });
        s.rules.sell_price_range = Some(PriceRange { down: get("0.8"), up: get("5") });
    });
    setup.check(
        "buy 1 limit 49.99
         → o1 rejected -1013 filter: Filter failure: PERCENT_PRICE_BY_SIDE
         buy 1 limit 120.01
         → o2 rejected -1013 filter: Filter failure: PERCENT_PRICE_BY_SIDE
         sell 1 stop 95 limit 76
         → o3 rejected -1013 filter: Filter failure: PERCENT_PRICE_BY_SIDE
         sell 1 stop 95 limit 80
         → o4 accepted",
    );
}

#[test]
fn lot_size() {
    let setup = Setup::default().with(|s| s.rules.max_quantity = Some(get("5")));
    setup.check(
        "buy 0.1005 limit 90
         → o1 rejected -1013 filter: Filter failure: LOT_SIZE
         buy 5.001 limit 90
         → o2 rejected -1013 filter: Filter failure: LOT_SIZE
         sell 5.001 market
         → o3 rejected -1013 filter: Filter failure: LOT_SIZE
         buy 5 limit 90
         → o4 accepted",
    );
}

#[test]
fn market_lot_size() {
    let setup = Setup::default().with(|s| {
        s.rules.market_max_quantity = Some(get("3"));
        s.rules.market_lot_size = Some(get("0.5"));
    });
    setup.check(
        "sell 3.5 market
         → o1 rejected -1013 filter: Filter failure: MARKET_LOT_SIZE
         sell 2.1 stop 90
         → o2 rejected -1013 filter: Filter failure: MARKET_LOT_SIZE
         sell 3.5 limit 110
         → o3 accepted
         buy for 160 market
         → o4 accepted / quote?
         # 160 / 100.05 is 1.599, of which a market order can have 1.5
         quote 100
         → o4 filled 1.5 @ 100.05 / o4 ended filled 1.5 for 150.075",
    );
}

#[test]
fn notional() {
    let setup = Setup::default().with(|s| {
        s.rules.max_notional = Some(get("900"));
        s.rules.max_notional_applies_to_market = true;
    });
    setup.check(
        "buy 0.05 limit 99.9
         → o1 rejected -1013 filter: Filter failure: NOTIONAL
         buy 0.049 market
         → o2 rejected -1013 filter: Filter failure: NOTIONAL
         buy for 4.99 market
         → o3 rejected -1013 filter: Filter failure: NOTIONAL
         buy for 900.01 market
         → o4 rejected -1013 filter: Filter failure: NOTIONAL
         # judged at its limit, not at its stop
         sell 0.06 stop 95 limit 80
         → o5 rejected -1013 filter: Filter failure: NOTIONAL
         sell 9.5 market
         → o6 rejected -1013 filter: Filter failure: NOTIONAL
         buy for 5 market
         → o7 accepted / quote?
         buy for 900 market
         → o8 accepted",
    );
}

#[test]
fn too_many_decimals() {
    check(
        "buy 0.123456789 limit 90
         → o1 rejected -1111 filter: Parameter 'quantity' has too much precision.
         buy 1 limit 90.123456789
         → o2 rejected -1111 filter: Parameter 'price' has too much precision.
         sell 1 stop 90.123456789
         → o3 rejected -1111 filter: Parameter 'stopPrice' has too much precision.
         buy for 10.123456789 market
         → o4 rejected -1111 filter: Parameter 'quoteOrderQty' has too much precision.
         # noughts at the end are no precision
         buy 0.1000000000 limit 90.0000000000
         → o5 accepted",
    );
}

#[test]
fn numbers_beyond_reckoning_are_refused_and_break_nothing() {
    check(
        "buy 1000000000000000 limit 90
         → o1 rejected -2010 insufficient_balance: Account has insufficient balance for requested action.
         sell 1000000000000000 market
         → o2 rejected -2010 insufficient_balance: Account has insufficient balance for requested action.
         buy 1 limit 100000000000
         → o3 rejected -1108 filter: Parameter 'quantity' overflowed.
         buy for 1000000000000000 market
         → o4 rejected -2010 insufficient_balance: Account has insufficient balance for requested action.
         quote 100000000000
         sell 1 market
         → o5 accepted / quote?",
    );
}

#[test]
fn unknown_symbol() {
    check(
        "on DOGEUSDT
         buy 1 limit 90
         → o1 rejected -1121 unknown_instrument: Invalid symbol.
         cancel o1
         → o1 not canceled -1121: Invalid symbol.",
    );
}

#[test]
fn a_stop_that_would_trigger_immediately() {
    check(
        "sell 1 stop 100 limit 90
         → o1 rejected -2010 would_trigger: Order would trigger immediately.
         sell 1 stop 101
         → o2 rejected -2010 would_trigger: Order would trigger immediately.
         buy 1 stop 100
         → o3 rejected -2010 would_trigger: Order would trigger immediately.
         sell 1 profit 100 limit 99
         → o4 rejected -2010 would_trigger: Order would trigger immediately.
         buy 1 profit 100
         → o5 rejected -2010 would_trigger: Order would trigger immediately.
         sell 1 stop 99.99 limit 90
         → o6 accepted",
    );
}

#[test]
fn the_last_quote_is_a_last_price_too() {
    check(
        "quote 90
         sell 1 stop 95
         → o1 rejected -2010 would_trigger: Order would trigger immediately.",
    );
}

#[test]
fn a_maker_that_would_take() {
    check(
        "buy 1 maker 100
         → o1 rejected -2010 would_trigger: Order would immediately match and take.
         sell 1 maker 99
         → o2 rejected -2010 would_trigger: Order would immediately match and take.
         buy 1 maker 99.99
         → o3 accepted",
    );
}

#[test]
fn an_id_is_taken_as_long_as_its_order_is_open() {
    check(
        "a: buy 1 limit 90
         → a accepted
         a: buy 1 limit 90
         → a rejected -2010 duplicate_id: Duplicate order sent.
         cancel a
         → a ended canceled
         a: buy 1 limit 90
         → a accepted
         candle 1h 95 95 89 95
         → a filled 1 @ 90 maker / a ended filled 1 for 90
         a: buy 1 limit 90
         → a accepted",
    );
}

#[test]
fn max_num_orders() {
    let setup = Setup::default().with(|s| s.rules.max_orders = Some(3));
    setup.check(
        "buy 1 limit 90
         → o1 accepted
         oco sell 1 above maker 110 below stop 95
         → o2 accepted / o3 accepted
         buy 1 limit 91
         → o4 rejected -1013 filter: Filter failure: MAX_NUM_ORDERS
         cancel o1
         → o1 ended canceled
         oco sell 1 above maker 110 below stop 95
         → o5 rejected -1013 filter: Filter failure: MAX_NUM_ORDERS / o6 rejected -1013 filter: Filter failure: MAX_NUM_ORDERS
         buy 1 limit 91
         → o7 accepted",
    );
}

#[test]
fn max_num_algo_orders() {
    let setup = Setup::default().with(|s| s.rules.max_algo_orders = Some(2));
    setup.check(
        "sell 1 stop 95
         → o1 accepted
         sell 1 profit 105 limit 104
         → o2 accepted
         sell 1 stop 94 limit 90
         → o3 rejected -1013 filter: Filter failure: MAX_NUM_ALGO_ORDERS
         sell 1 limit 110
         → o4 accepted",
    );
}

#[test]
fn max_position() {
    let setup = Setup::default().with(|s| s.rules.max_position = Some(get("13")));
    setup.check(
        "sell 5 limit 110
         → o1 accepted
         buy 2 limit 90
         → o2 accepted
         # 10 held, free or locked, and 2 on order
         buy 1.001 limit 90
         → o3 rejected -1013 filter: Filter failure: MAX_POSITION
         buy 1 limit 90
         → o4 accepted",
    );
}

#[test]
fn a_size_in_quote_is_for_market_orders_where_allowed() {
    Setup::default().with(|s| s.rules.quote_quantity_allowed = false).check(
        "buy for 100 market
         → o1 rejected -1013 other: Quote order qty market orders are not support for this symbol.",
    );
}

#[test]
fn rules_that_change_hold_for_the_orders_that_follow() {
    use crate::suite::script::{Run, rules};
    let mut run = Run::new(Setup::default().config);
    run.list("BTCUSDT", rules("BTC", "USDT"));
    run.line("candle 1h 100 100 100 100");
    assert_eq!(run.line("buy 0.1 limit 90"), ["o1 accepted"]);
    let mut dearer = rules("BTC", "USDT");
    dearer.min_notional = get("10");
    run.list("BTCUSDT", dearer);
    assert_eq!(run.line("buy 0.1 limit 90"), ["o2 rejected -1013 filter: Filter failure: NOTIONAL"]);
    run.line("open o1");
}
