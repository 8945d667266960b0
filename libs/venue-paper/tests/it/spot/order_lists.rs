//! `rest-api.md`, "New Order list - OTO", "- OTOCO"; `faqs/opo.md`; `user-data-stream.md`, "Order Expiry Reason".

use super::floor::{check, check_with};
use crate::suite::script::get;

#[test]
fn the_pending_order_is_placed_only_once_the_working_one_is_fully_filled() {
    check(
        "book | 101x5
        oto buy 2 limit 99 then sell 2 limit 105
        → o1 accepted #1 / o2 accepted #2
        # Only the working order holds anything, and only it is shown.
        = USDT 802+198, BTC 10+0
        shows 99x2 | 101x5
        trade sell 1.5 @ 99
        → o1 filled 1.5 @ 99 maker t1
        = USDT 802+49.5, BTC 11.5+0
        trade sell 0.5 @ 99
        → o1 filled 0.5 @ 99 maker t2 / o1 ended filled with 2 for 198 / o2 placed
        = USDT 802+0, BTC 10+2
        shows | 101x5 105x2",
    );
}

#[test]
fn of_an_otoco_the_oco_is_placed_and_then_one_cancels_the_other() {
    check(
        "otoco buy 2 limit 99 then sell 2 above maker 105 below stop 95
        → o1 accepted #1 / o2 accepted #2 / o3 accepted #3
        trade sell 2 @ 99
        → o1 filled 2 @ 99 maker t1 / o1 ended filled with 2 for 198 / o2 placed / o3 placed
        # They share one lock.
        = USDT 802+0, BTC 10+2
        trade buy 1 @ 105
        → o3 ended expired (oco) / o2 filled 1 @ 105 maker t2
        = USDT 907+0, BTC 10+1
        cancel l1
        → o2 ended canceled with 1 for 105
        = USDT 907+0, BTC 11+0",
    );
}

#[test]
fn a_working_order_that_is_filled_at_once_places_what_waits_for_it() {
    check(
        "book 99x5 | 101x5
        oto buy 2 limit 101 ioc then sell 2 market
        → o1 accepted #1 / o2 accepted #2 / o1 filled 2 @ 101 t1 / o1 ended filled with 2 for 202 / o2 placed / o2 filled 2 @ 99 t2 / o2 ended filled with 2 for 198
        = USDT 996+0, BTC 10+0",
    );
}

#[test]
fn a_working_order_that_expires_takes_what_waits_for_it_with_it() {
    check(
        "book 99x5 | 101x1
        otoco buy 2 limit 101 fok then sell 2 above profit 110 below stop 95
        → o1 accepted #1 / o2 accepted #2 / o3 accepted #3 / o1 ended expired (fok) / o2 ended expired (working) / o3 ended expired (working)
        oto buy 2 limit 101 ioc then sell 2 limit 110
        → o4 accepted #4 / o5 accepted #5 / o4 filled 1 @ 101 t1 / o4 ended expired (ioc) with 1 for 101 / o5 ended expired (working)
        = USDT 899+0, BTC 11+0",
    );
}

#[test]
fn self_trade_prevention_of_the_working_order_ends_the_list() {
    check(
        "sell 1 limit 100 stp NONE
        → o1 accepted #1
        oto buy 1 limit 100 stp EXPIRE_TAKER then sell 1 limit 110
        → o2 accepted #2 / o3 accepted #3 / prevented 0 o2×o1 @ 100 taker 1 / o2 ended expired (in match) prevented 1 / o3 ended expired (working)
        = USDT 1000+0, BTC 9+1",
    );
}

#[test]
fn a_cancel_of_any_order_or_of_the_list_cancels_all_that_is_open() {
    for named in ["o1", "o2", "o3", "l1"] {
        let rest: Vec<&str> = ["o1", "o2", "o3"].into_iter().filter(|o| *o != named).collect();
        let (first, rest) = if named == "l1" { ("o1", vec!["o2", "o3"]) } else { (named, rest) };
        let said: Vec<String> =
            [first].into_iter().chain(rest).map(|o| format!("{o} ended canceled")).collect();
        let said = said.join(" / ");
        check(&format!(
            "otoco buy 2 limit 99 then sell 2 above maker 105 below stop 95
            → o1 accepted #1 / o2 accepted #2 / o3 accepted #3
            cancel {named}
            → {said}
            = USDT 1000+0, BTC 10+0
            trade sell 5 @ 90
            cancel l1
            → l1 not canceled -2011: Unknown order sent."
        ));
    }
}

#[test]
fn a_cancel_after_a_part_was_filled_leaves_that_part_without_the_pending_order() {
    check(
        "oto buy 2 limit 99 then sell 2 limit 105
        → o1 accepted #1 / o2 accepted #2
        trade sell 1 @ 99
        → o1 filled 1 @ 99 maker t1
        cancel o2
        → o2 ended canceled / o1 ended canceled with 1 for 99
        = USDT 901+0, BTC 11+0",
    );
}

#[test]
fn the_stop_of_a_pending_order_is_judged_when_it_is_placed() {
    check(
        "oto buy 1 limit 90 then sell 1 stop 95
        → o1 accepted #1 / o2 accepted #2
        trade sell 1 @ 90
        → o1 filled 1 @ 90 maker t1 / o1 ended filled with 1 for 90 / o2 ended expired (rejected)
        = USDT 910+0, BTC 11+0
        # The leg that was passed is at fault; the other one goes with it.
        otoco buy 1 limit 88 then sell 1 above maker 105 below stop 89
        → o3 accepted #3 / o4 accepted #4 / o5 accepted #5
        trade sell 1 @ 88
        → o3 filled 1 @ 88 maker t2 / o3 ended filled with 1 for 88 / o5 ended expired (rejected) / o4 ended expired (oco)
        = USDT 822+0, BTC 12+0",
    );
}

#[test]
fn a_pending_order_needs_its_funds_when_it_is_placed_and_not_before() {
    check(
        "adjust BTC -10
        oto buy 1 limit 99 then sell 1 limit 105
        → o1 accepted #1 / o2 accepted #2
        oto buy 1 limit 98 then sell 2 limit 105
        → o3 accepted #3 / o4 accepted #4
        trade sell 1 @ 98
        → o1 filled 1 @ 99 maker t1 / o1 ended filled with 1 for 99 / o2 placed
        trade sell 1 @ 98
        → o3 filled 1 @ 98 maker t2 / o3 ended filled with 1 for 98 / o4 ended expired (rejected)
        = USDT 803+0, BTC 1+1",
    );
}

#[test]
fn a_maker_that_would_take_when_it_is_placed_expires() {
    check(
        "book 98x5 | 101x5
        oto buy 1 limit 101 then sell 1 maker 98
        → o1 accepted #1 / o2 accepted #2 / o1 filled 1 @ 101 t1 / o1 ended filled with 1 for 101 / o2 ended expired (rejected)
        = USDT 899+0, BTC 11+0",
    );
}

#[test]
fn what_the_filters_refuse_of_any_order_refuses_the_list() {
    check(
        "oto buy 1 limit 99 then sell 0.0001 limit 105
        → o1 rejected -1013: Filter failure: LOT_SIZE / o2 rejected -1013: Filter failure: LOT_SIZE
        oto buy 1 limit 99.001 then sell 1 limit 105
        → o3 rejected -1013: Filter failure: PRICE_FILTER / o4 rejected -1013: Filter failure: PRICE_FILTER
        oto buy 11 limit 99 then sell 1 limit 105
        → o5 rejected -2010: Account has insufficient balance for requested action. / o6 rejected -2010: Account has insufficient balance for requested action.
        oto sell 1 maker 90 then buy 1 limit 50
        → o7 accepted #1 / o8 accepted #2
        oto buy 1 maker 95 then sell 1 limit 50
        → o9 rejected -2010: Order would immediately match and take. / o10 rejected -2010: Order would immediately match and take.
        otoco buy 1 limit 50 then sell 1 above maker 90 below stop 95
        → o11 rejected -2010: The relationship of the prices for the orders is not correct. / o12 rejected -2010: The relationship of the prices for the orders is not correct. / o13 rejected -2010: The relationship of the prices for the orders is not correct.
        otoco buy 1 limit 50 then sell 1 above stop 105 below maker 90
        → o14 rejected -1166: A limit order in a sell OCO must be above. / o15 rejected -1166: A limit order in a sell OCO must be above. / o16 rejected -1166: A limit order in a sell OCO must be above.
        = USDT 1000+0, BTC 9+1",
    );
}

#[test]
fn lists_and_their_orders_are_counted_whether_they_wait_or_not() {
    let (orders, lists) = ("Filter failure: MAX_NUM_ORDERS", "Filter failure: MAX_NUM_ORDER_LISTS");
    check_with(
        |floor| floor.rules.max_orders = Some(4),
        &format!(
            "oto buy 1 limit 50 then sell 1 limit 105
            → o1 accepted #1 / o2 accepted #2
            otoco buy 1 limit 50 then sell 1 above maker 105 below stop 40
            → o3 rejected -1013: {orders} / o4 rejected -1013: {orders} / o5 rejected -1013: {orders}"
        ),
    );
    check_with(
        |floor| floor.spot.limits.max_lists = Some(2),
        &format!(
            "oto buy 1 limit 50 then sell 1 limit 105
            → o1 accepted #1 / o2 accepted #2
            otoco buy 1 limit 60 then sell 1 above maker 105 below stop 40
            → o3 accepted #3 / o4 accepted #4 / o5 accepted #5
            oto buy 1 limit 50 then sell 1 limit 105
            → o6 rejected -1013: {lists} / o7 rejected -1013: {lists}
            trade sell 1 @ 60
            → o3 filled 1 @ 60 maker t1 / o3 ended filled with 1 for 60 / o4 placed / o5 placed
            oco sell 1 above maker 105 below stop 40
            → o8 rejected -1013: {lists} / o9 rejected -1013: {lists}
            trade buy 1 @ 105
            → o5 ended expired (oco) / o4 filled 1 @ 105 maker t2 / o4 ended filled with 1 for 105
            oco sell 1 above maker 110 below stop 40
            → o10 accepted #6 / o11 accepted #7"
        ),
    );
}

#[test]
fn ids_of_orders_that_wait_are_taken() {
    check(
        "oto buy 1 limit 50 then sell 1 limit 105
        → o1 accepted #1 / o2 accepted #2
        amend o1 0.5 as o2
        → o1 not amended -2038: Duplicate order sent.
        amend o1 0.5
        → o1 amended 1 → 0.5 was o1
        amend o2 0.5
        → o2 amended 1 → 0.5 was o2
        = USDT 975+25, BTC 10+0
        trade sell 1 @ 50
        → o1 filled 0.5 @ 50 maker t1 / o1 ended filled with 0.5 for 25 / o2 placed
        = USDT 975+0, BTC 10+0.5",
    );
}

#[test]
fn a_trailing_pending_order_follows_the_market_from_when_it_is_placed() {
    check(
        "oto buy 1 limit 90 then sell 1 stop 100 follow 1000
        → o1 accepted #1 / o2 accepted #2
        trade sell 1 @ 90
        → o1 filled 1 @ 90 maker t1 / o1 ended filled with 1 for 90 / o2 placed
        book 80x5 |
        trade sell 0.1 @ 82
        trade sell 0.1 @ 81
        → o2 triggered / o2 filled 1 @ 80 t2 / o2 ended filled with 1 for 80",
    );
}

#[test]
fn of_an_opo_the_pending_order_sells_what_was_bought_less_the_fee() {
    check_with(
        |floor| {
            floor.spot.terms.fees.maker = get("0.001");
            floor.line("adjust BTC -10");
        },
        "opo buy 2 limit 100 then sell limit 105
        → o1 accepted #1 / o2 accepted #2
        = USDT 800+200, BTC 0+0
        book 90x1 | 99x9
        → o1 filled 2 @ 100 fee 0.002 BTC maker t1 / o1 ended filled with 2 for 200 / o2 placed 1.998
        = USDT 800+0, BTC 0+1.998",
    );
}

#[test]
fn of_an_opo_the_fee_is_taken_from_what_is_free_if_that_is_enough() {
    check_with(
        |floor| floor.spot.terms.fees.maker = get("0.001"),
        "opo buy 2 limit 99 then sell limit 105
        → o1 accepted #1 / o2 accepted #2
        trade sell 1 @ 99
        → o1 filled 1 @ 99 fee 0.001 BTC maker t1
        # What was bought is kept for the pending order from its first part on.
        = USDT 802+99, BTC 9.999+1
        trade sell 1 @ 99
        → o1 filled 1 @ 99 fee 0.001 BTC maker t2 / o1 ended filled with 2 for 198 / o2 placed 2
        = USDT 802+0, BTC 9.998+2",
    );
}

#[test]
fn what_an_opo_has_kept_is_free_again_when_its_list_is_canceled() {
    for (named, said) in [
        ("o1", "o1 ended canceled with 1 for 99 / o2 ended canceled / o3 ended canceled"),
        ("o3", "o3 ended canceled / o1 ended canceled with 1 for 99 / o2 ended canceled"),
    ] {
        check(&format!(
            "opoco buy 2 limit 99 then sell above maker 105 below stop 95
            → o1 accepted #1 / o2 accepted #2 / o3 accepted #3
            trade sell 1 @ 99
            → o1 filled 1 @ 99 maker t1
            = USDT 802+99, BTC 10+1
            cancel {named}
            → {said}
            = USDT 901+0, BTC 11+0"
        ));
    }
}

#[test]
fn of_an_opo_the_quantity_is_brought_to_the_lot_and_the_rest_is_free() {
    check_with(
        |floor| {
            floor.spot.terms.fees.maker = get("0.001");
            floor.rules.lot_size = get("0.01");
            floor.rules.market_lot_size = Some(get("0.1"));
            floor.line("adjust BTC -10");
        },
        "opoco buy 2 limit 99 then sell above maker 105 below stop 95
        → o1 accepted #1 / o2 accepted #2 / o3 accepted #3
        trade sell 2 @ 99
        → o1 filled 2 @ 99 fee 0.002 BTC maker t1 / o1 ended filled with 2 for 198 / o2 placed 1.9 / o3 placed 1.9
        = USDT 802+0, BTC 0.098+1.9",
    );
}

#[test]
fn an_opo_that_has_bought_too_little_to_sell_expires() {
    check_with(
        |floor| {
            floor.spot.terms.fees.maker = get("0.001");
            floor.rules.lot_size = get("1");
            floor.rules.min_quantity = get("1");
            floor.line("adjust BTC -10");
        },
        "opo buy 1 limit 99 then sell limit 105
        → o1 accepted #1 / o2 accepted #2
        trade sell 1 @ 99
        → o1 filled 1 @ 99 fee 0.001 BTC maker t1 / o1 ended filled with 1 for 99 / o2 ended expired (rejected)
        = USDT 901+0, BTC 0.999+0",
    );
}

#[test]
fn an_opo_buys_and_then_sells_and_its_pending_order_is_not_amended() {
    check(
        "opo sell 1 limit 105 then sell limit 110
        → o1 rejected -1222: Working order in an OPO list must be a bid. / o2 rejected -1222: Working order in an OPO list must be a bid.
        opo buy 1 limit 95 then buy limit 90
        → o3 rejected -1223: Pending orders in an OPO list must be asks. / o4 rejected -1223: Pending orders in an OPO list must be asks.
        opo buy 1 limit 95 then sell limit 110
        → o5 accepted #1 / o6 accepted #2
        amend o6 0.5
        → o6 not amended -2038: Order amend (pending OPO order) is not supported.
        amend o5 0.5
        → o5 amended 1 → 0.5 was o5
        trade sell 1 @ 95
        → o5 filled 0.5 @ 95 maker t1 / o5 ended filled with 0.5 for 47.5 / o6 placed 0.5
        amend o6 0.4
        → o6 amended 0.5 → 0.4 was o6
        = USDT 952.5+0, BTC 10.1+0.4",
    );
}

#[test]
fn of_an_opo_the_fee_is_taken_from_what_is_free_if_that_is_just_enough() {
    check_with(
        |floor| {
            floor.spot.terms.fees.maker = get("0.001");
            floor.line("adjust BTC -9.999");
        },
        "opo buy 1 limit 99 then sell limit 105
        → o1 accepted #1 / o2 accepted #2
        trade sell 1 @ 99
        → o1 filled 1 @ 99 fee 0.001 BTC maker t1 / o1 ended filled with 1 for 99 / o2 placed 1
        = USDT 901+0, BTC 0+1",
    );
}

#[test]
fn the_leg_that_would_take_when_it_is_placed_is_at_fault() {
    check(
        "book | 106x5
        otoco buy 1 limit 106 then sell 1 above maker 105 below stop 95
        → o1 accepted #1 / o2 accepted #2 / o3 accepted #3 / o1 filled 1 @ 106 t1 / o1 ended filled with 1 for 106 / o2 ended expired (rejected) / o3 ended expired (oco)
        # Nobody has traded there yet, but somebody would buy.
        trade sell 0.1 @ 100
        otoco buy 1 limit 99 then sell 1 above maker 105 below stop 95
        → o4 accepted #4 / o5 accepted #5 / o6 accepted #6
        book 105x1 |
        trade sell 1 @ 99
        → o4 filled 1 @ 99 maker t2 / o4 ended filled with 1 for 99 / o5 ended expired (rejected) / o6 ended expired (oco)",
    );
}

#[test]
fn a_working_order_has_a_limit_and_a_pending_one_a_quantity() {
    use super::floor::{Floor, instrument};
    use crate::suite::script::{START, new_order};
    use domain::{OrderKind, OrderRequest, Side, Size};
    use venue_paper::engine::{Extras, Owner, Report, Wanted, WantedList};
    check(
        "oto buy 1 market then sell 1 limit 105
        → o1 rejected -1116: Invalid orderType. / o2 rejected -1116: Invalid orderType.",
    );
    let limit = OrderKind::Limit { price: get("99"), time_in_force: domain::TimeInForce::Gtc };
    let pending = new_order("p", Side::Sell, Size::Quote(get("100")), OrderKind::Market);
    let list = WantedList {
        owner: Owner::FIRST,
        list: get("l"),
        working: new_order("w", Side::Buy, Size::Base(get("1")), limit),
        extras: Extras::default(),
        pending: Wanted::from(OrderRequest::Single(pending)),
        paid: false,
    };
    let said = Floor::with(|_| ()).spot.place_list(START, instrument(), &list);
    for report in &said {
        let Report::Rejected { refusal, .. } = report else { panic!("{report:?}") };
        assert_eq!(refusal.code, Some(-1106), "{}", refusal.text);
    }
    assert_eq!(said.len(), 2);
}
