//! `faqs/market_orders_faq.md`, and what `errors.md` says of market orders by their sum.

use super::floor::check;

#[test]
fn sample_an_order_that_finds_too_little_is_partly_filled_and_expires() {
    check(
        "book | 1x2 1.01x2
        buy 6 market
        → o1 accepted #1 / o1 filled 2 @ 1 t1 / o1 filled 2 @ 1.01 t2 / o1 ended expired (thin) with 4 for 4.02
        = USDT 995.98+0, BTC 14+0
        shows |",
    );
}

#[test]
fn with_nothing_on_the_other_side_it_expires_unfilled() {
    check(
        "book 99x1 |
        buy 1 market
        → o1 accepted #1 / o1 ended expired (thin)
        = USDT 1000+0, BTC 10+0",
    );
}

#[test]
fn without_sufficient_balance_it_is_rejected() {
    let text = "-2010: Account has insufficient balance for requested action.";
    check(&format!(
        "book 90x100 | 100x5 101x100
        buy 9.96 market
        → o1 rejected {text}
        buy 9.9 market
        → o2 accepted #1 / o2 filled 5 @ 100 t1 / o2 filled 4.9 @ 101 t2 / o2 ended filled with 9.9 for 994.9
        sell 20 market
        → o3 rejected {text}
        buy for 5.2 market
        → o4 rejected {text}
        sell for 2000 market
        → o5 rejected {text}
        = USDT 5.1+0, BTC 19.9+0"
    ));
}

#[test]
fn by_its_sum_it_never_takes_more_than_the_sum() {
    check(
        "book 99.5x1 99x10 | 100x1 101x10
        buy for 250 market
        → o1 accepted #1 / o1 filled 1 @ 100 t1 / o1 filled 1.485 @ 101 t2 / o1 ended filled with 2.485 for 249.985
        = USDT 750.015+0, BTC 12.485+0
        sell for 250 market
        → o2 accepted #2 / o2 filled 1 @ 99.5 t3 / o2 filled 1.52 @ 99 t4 / o2 ended filled with 2.52 for 249.98
        = USDT 999.995+0, BTC 9.965+0",
    );
}

#[test]
fn by_its_sum_it_is_filled_when_the_rest_buys_no_lot_at_the_next_price() {
    check(
        "book | 100x1 101x10
        buy for 100.1005 market
        → o1 accepted #1 / o1 filled 1 @ 100 t1 / o1 ended filled with 1 for 100
        = USDT 900+0, BTC 11+0",
    );
}

#[test]
fn by_its_sum_on_a_thin_book_the_rest_expires() {
    check(
        "book | 100x1
        buy for 250 market
        → o1 accepted #1 / o1 filled 1 @ 100 t1 / o1 ended expired (thin) with 1 for 100",
    );
}

#[test]
fn other_errors_by_its_sum_it_needs_the_smallest_quantity_on_the_book() {
    check(
        "buy for 250 market
        → o1 rejected -2010: Order book liquidity is less than symbol minimum quantity.
        book | 100x0.0005
        buy for 250 market
        → o2 rejected -2010: Order book liquidity is less than LOT_SIZE filter minimum quantity.",
    );
    super::floor::check_with(
        |floor| floor.rules.market_min_quantity = Some(crate::suite::script::get("0.1")),
        "book | 100x0.05
        buy for 250 market
        → o1 rejected -2010: Order book liquidity is less than MARKET_LOT_SIZE filter minimum quantity.",
    );
}
