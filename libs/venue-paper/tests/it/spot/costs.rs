//! What a market order must be able to pay, by what the book offers it.

use super::floor::{Floor, check, check_with};
use crate::suite::script::get;
use venue_paper::engine::PaidIn;

const SHORT: &str = "rejected -2010: Account has insufficient balance for requested action.";

#[test]
fn a_buy_pays_for_each_level_and_for_the_fee_on_top() {
    for (money, said) in [
        (
            "-796.99",
            "accepted #1 / o1 filled 1 @ 100 fee 1 USDT t1 / o1 filled 1 @ 101 fee 1.01 USDT t2 / o1 ended filled with 2 for 201",
        ),
        ("-796.991", SHORT),
    ] {
        check_with(
            |floor| {
                (floor.spot.terms.fees.taker, floor.spot.terms.fees.paid_in) = (get("0.01"), PaidIn::Quote)
            },
            &format!("adjust USDT {money}\nbook | 100x1 101x9\nbuy 2 market\n→ o1 {said}"),
        );
    }
}

#[test]
fn a_buy_pays_the_best_price_whether_others_or_ours_have_it() {
    for (others, ours) in [("100x1", "102"), ("102x1", "100")] {
        let first = match ours {
            "100" => "o2 filled 1 @ 100 t1 / o1 filled 1 @ 100 maker t1 / o1 ended filled with 1 for 100",
            _ => "o2 filled 1 @ 100 t1",
        };
        check(&format!(
            "account
            @2 adjust BTC 1
            @2 sell 1 limit {ours}
            → o1 accepted #1
            book | {others}
            adjust USDT -900
            buy 1 market
            → o2 accepted #2 / {first} / o2 ended filled with 1 for 100"
        ));
    }
}

#[test]
fn a_sale_by_its_sum_needs_what_the_bids_make_of_it() {
    let bids = |coins: &str, sum: &str, said: &str| {
        check(&format!("adjust BTC {coins}\nbook 100x3 50x10 |\nsell for {sum} market\n→ o1 {said}"));
    };
    bids(
        "-5",
        "400",
        "accepted #1 / o1 filled 3 @ 100 t1 / o1 filled 2 @ 50 t2 / o1 ended filled with 5 for 400",
    );
    bids("-5.001", "400", SHORT);
    // What is left of the sum buys no lot more.
    bids("-8", "200.05", "accepted #1 / o1 filled 2 @ 100 t1 / o1 ended filled with 2 for 200");
}

#[test]
fn a_sum_finds_at_least_the_smallest_quantity_over_all_levels() {
    let thin = |what: &str| {
        format!("rejected -2010: Order book liquidity is less than {what} filter minimum quantity.")
    };
    let offered = |asks: &str, said: &str| {
        let rules = |floor: &mut Floor| {
            (floor.rules.min_quantity, floor.rules.market_min_quantity) = (get("1"), Some(get("1.5")));
        };
        check_with(rules, &format!("book | {asks}\nbuy for 150 market\n→ o1 {said}"));
    };
    offered("100x0.3 101x0.699", &thin("LOT_SIZE"));
    offered("100x0.3 101x0.7", &thin("MARKET_LOT_SIZE"));
    offered("100x0.3 101x1.199", &thin("MARKET_LOT_SIZE"));
    offered(
        "100x0.3 101x1.2",
        "accepted #1 / o1 filled 0.3 @ 100 t1 / o1 filled 1.188 @ 101 t2 / o1 ended filled with 1.488 for 149.988",
    );
    let rules = |floor: &mut Floor| floor.rules.min_quantity = get("1");
    check_with(
        rules,
        "book | 100x0.3 101x0.7
        buy for 100 market
        → o1 accepted #1 / o1 filled 0.3 @ 100 t1 / o1 filled 0.693 @ 101 t2 / o1 ended filled with 0.993 for 99.993",
    );
}

/// A stop holds an estimate, and the price may be worse than that.
#[test]
fn a_stop_buys_what_it_can_pay_for_and_expires() {
    check(
        "buy 9 stop 105
        → o1 accepted #1
        book | 120x9
        trade buy 1 @ 105
        → o1 triggered / o1 filled 8.333 @ 120 t1 / o1 ended expired (thin) with 8.333 for 999.96",
    );
    check(
        "account
        @2 adjust BTC 10
        @2 sell 10 limit 120
        → o1 accepted #1
        buy 9 stop 105
        → o2 accepted #2
        trade buy 1 @ 105
        → o2 triggered / o2 filled 8.333 @ 120 t1 / o1 filled 8.333 @ 120 maker t1 / o2 ended expired (thin) with 8.333 for 999.96",
    );
}
