//! `filters.md` and `errors.md`, "Filter failures", as far as they concern what books and the interface add.

use super::floor::check_with;
use crate::suite::script::get;
use domain::rules::PriceRange;

fn refused(change: impl FnOnce(&mut super::floor::Floor), before: &str, order: &str, why: &str) {
    let number = before.lines().filter(|l| !l.trim().starts_with('→')).count() + 1;
    let wanted = if why.is_empty() {
        format!("→ o{number} accepted #{number}")
    } else {
        format!("→ o{number} rejected {why}")
    };
    check_with(change, &format!("{before}\n{order}\n{wanted}"));
}

#[test]
fn percent_price_by_side_goes_by_the_average_where_one_is_given() {
    for (order, why) in [
        ("average 200\nbuy 1 limit 241", "→ o1 rejected -1013: Filter failure: PERCENT_PRICE_BY_SIDE"),
        ("average 200\nbuy 1 limit 240", "→ o1 accepted #1"),
        ("buy 1 limit 121", "→ o1 rejected -1013: Filter failure: PERCENT_PRICE_BY_SIDE"),
        ("buy 1 limit 120", "→ o1 accepted #1"),
    ] {
        let range = PriceRange { down: get("0.2"), up: get("1.2") };
        check_with(|floor| floor.rules.buy_price_range = Some(range), &format!("{order}\n{why}"));
    }
}

#[test]
fn notional_of_a_market_order_goes_by_the_average() {
    let order = "book | 100x9\naverage 40\nbuy 0.1 market\n";
    let least = |floor: &mut super::floor::Floor| floor.rules.min_notional = get("5");
    check_with(least, &format!("{order}→ o1 rejected -1013: Filter failure: NOTIONAL"));
}

#[test]
fn iceberg_parts() {
    let parts = |floor: &mut super::floor::Floor| floor.spot.limits.iceberg_parts = Some(10);
    refused(parts, "", "buy 1.001 limit 90 iceberg 0.1", "-1013: Filter failure: ICEBERG_PARTS");
    refused(parts, "", "buy 1 limit 90 iceberg 0.1", "");
}

#[test]
fn iceberg_quantity_is_a_quantity_and_not_more_than_the_orders() {
    refused(|_| (), "", "buy 1 limit 90 iceberg 2", "-2010: IcebergQty exceeds QTY.");
    refused(|_| (), "", "buy 1 limit 90 iceberg 0.0005", "-1013: Filter failure: LOT_SIZE");
    let precise = "-1111: Parameter 'icebergQty' has too much precision.";
    refused(|_| (), "", "buy 1 limit 90 iceberg 0.100000001", precise);
    refused(|_| (), "", "buy 1 market iceberg 0.5", "-1014: Unsupported order combination.");
    refused(|_| (), "", "buy 1 limit 90 ioc iceberg 0.5", "-1014: Unsupported order combination.");
}

#[test]
fn max_num_iceberg_orders() {
    let one = |floor: &mut super::floor::Floor| floor.spot.limits.max_iceberg_orders = Some(1);
    let before = "buy 1 limit 90 iceberg 0.5\n→ o1 accepted #1";
    refused(one, before, "buy 1 limit 90 iceberg 0.5", "-1013: Filter failure: MAX_NUM_ICEBERG_ORDERS");
    refused(one, before, "buy 1 limit 90", "");
}

#[test]
fn max_num_order_lists() {
    let legs = |n: u32| format!("→ o{n} accepted #{n} / o{} accepted #{}", n + 1, n + 1);
    let oco = "oco sell 1 above maker 110 below stop 90";
    let why = "Filter failure: MAX_NUM_ORDER_LISTS";
    check_with(
        |floor| floor.spot.limits.max_lists = Some(2),
        &format!(
            "{oco}\n{}\n{oco}\n{}\n{oco}\n→ o5 rejected -1013: {why} / o6 rejected -1013: {why}",
            legs(1),
            legs(3)
        ),
    );
}

#[test]
fn max_num_orders_counts_algo_orders_too_and_max_num_algo_orders_only_them() {
    let two = |floor: &mut super::floor::Floor| floor.rules.max_orders = Some(2);
    let before = "buy 1 limit 90\n→ o1 accepted #1\nsell 1 stop 90\n→ o2 accepted #2";
    refused(two, before, "buy 1 limit 90", "-1013: Filter failure: MAX_NUM_ORDERS");
    let algo = |floor: &mut super::floor::Floor| floor.rules.max_algo_orders = Some(1);
    refused(algo, before, "sell 1 stop 90", "-1013: Filter failure: MAX_NUM_ALGO_ORDERS");
    refused(algo, before, "buy 1 limit 90", "");
}

#[test]
fn max_position_counts_what_is_free_locked_and_wanted() {
    let most = |floor: &mut super::floor::Floor| floor.rules.max_position = Some(get("12"));
    let before = "buy 1 limit 90\n→ o1 accepted #1";
    refused(most, before, "buy 1.001 limit 90", "-1013: Filter failure: MAX_POSITION");
    refused(most, before, "buy 1 limit 90", "");
    refused(most, before, "sell 9 limit 110", "");
}

#[test]
fn a_test_order_says_what_the_interface_would_say() {
    use super::floor::instrument;
    use crate::suite::script::{START, Words};
    check_with(
        |floor| {
            floor.spot.list(instrument(), &floor.rules);
            let mut test = |line: &str| {
                let wanted = floor.wanted(&mut Words(line.split_whitespace().collect()));
                floor.spot.test(START, instrument(), &wanted).map_err(|refusal| refusal.text)
            };
            assert_eq!(test("buy 1 limit 100"), Ok(()));
            assert_eq!(test("buy 1 limit 100.001"), Err("Filter failure: PRICE_FILTER".to_owned()));
            // Balances are the matching engine's affair.
            assert_eq!(test("buy 1000 limit 100"), Ok(()));
            assert!(floor.spot.exchange.open_orders().next().is_none());
        },
        "",
    );
}

#[test]
fn an_order_without_a_part_to_show_is_not_refused_for_too_many_icebergs() {
    let mut floor = super::floor::Floor::with(|_| ());
    floor.play("buy 1 limit 90 iceberg 0.5\n→ o1 accepted #1\nbuy 1 limit 90 iceberg 0.5\n→ o2 accepted #2");
    floor.spot.limits.max_iceberg_orders = Some(1);
    floor.play("buy 1 limit 90\n→ o3 accepted #3");
}

#[test]
fn an_iceberg_may_show_all_of_it_and_every_decimal_and_the_smallest_quantity() {
    let rules = |floor: &mut super::floor::Floor| {
        (floor.rules.base_precision, floor.rules.min_quantity) = (3, get("0.125"));
    };
    refused(rules, "", "buy 1 limit 90 iceberg 0.125", "");
    refused(rules, "", "buy 1 limit 90 iceberg 1", "");
    refused(rules, "", "buy 1 maker 90 iceberg 0.5", "");
    refused(rules, "", "buy 1 limit 90 iceberg 0.124", "-1013: Filter failure: LOT_SIZE");
    let lots = |floor: &mut super::floor::Floor| floor.rules.lot_size = get("0.1");
    refused(lots, "", "buy 1 limit 90 iceberg 0.25", "-1013: Filter failure: LOT_SIZE");
}

#[test]
fn max_position_of_an_order_that_waited_counts_when_it_is_placed() {
    for (quantity, said) in [("1", "placed"), ("1.001", "ended expired (rejected)")] {
        check_with(
            |floor| floor.rules.max_position = Some(get("12")),
            &format!(
                "oto buy 1 limit 99 then buy {quantity} limit 95
                → o1 accepted #1 / o2 accepted #2
                trade sell 1 @ 99
                → o1 filled 1 @ 99 maker t1 / o1 ended filled with 1 for 99 / o2 {said}"
            ),
        );
    }
}

#[test]
fn an_oco_of_which_one_leg_is_left_is_no_list_any_more() {
    check_with(
        |floor| floor.spot.limits.max_lists = Some(1),
        "oco sell 2 above maker 105 below stop 40
        → o1 accepted #1 / o2 accepted #2
        trade buy 1 @ 105
        → o2 ended expired (oco) / o1 filled 1 @ 105 maker t1
        oco sell 1 above maker 110 below stop 40
        → o3 accepted #3 / o4 accepted #4",
    );
    let why = "rejected -1013: Filter failure: MAX_NUM_ORDER_LISTS";
    check_with(
        |floor| floor.spot.limits.max_lists = Some(1),
        &format!(
            "oto buy 1 limit 99 then sell 1 limit 110
            → o1 accepted #1 / o2 accepted #2
            trade sell 1 @ 99
            → o1 filled 1 @ 99 maker t1 / o1 ended filled with 1 for 99 / o2 placed
            oco sell 1 above maker 110 below stop 40
            → o3 {why} / o4 {why}"
        ),
    );
    check_with(
        |floor| floor.spot.limits.max_lists = Some(1),
        "otoco buy 2 limit 99 then sell 2 above maker 105 below stop 40
        → o1 accepted #1 / o2 accepted #2 / o3 accepted #3
        trade sell 2 @ 99
        → o1 filled 2 @ 99 maker t1 / o1 ended filled with 2 for 198 / o2 placed / o3 placed
        trade buy 1 @ 105
        → o3 ended expired (oco) / o2 filled 1 @ 105 maker t2
        oco sell 1 above maker 110 below stop 40
        → o4 accepted #4 / o5 accepted #5",
    );
}
