//! What a symbol takes at all, and the limits that its listing tells (`errors.md`, "Messages for -1010, -2010 …").

use super::floor::{Floor, check_with};
use crate::suite::script::get;
use domain::{Listing, rules::PriceRange};

fn listed(listing: Listing) -> impl FnOnce(&mut Floor) {
    move |floor| floor.rules.listing = Some(Box::new(listing))
}

/// Orders that work on every listing but the one that forbids them.
fn forbidden(listing: impl Fn(bool) -> Listing, order: &str, legs: u32, why: &str) {
    let ended = |said: &dyn Fn(u32) -> String| (1..=legs).map(said).collect::<Vec<_>>().join(" / ");
    let pegged = if order.contains("peg") { "o1 pegged 99 / " } else { "" };
    let accepted = format!("{pegged}{}", ended(&|n| format!("o{n} accepted #{n}")));
    let rejected = ended(&|n| format!("o{n} rejected {why}"));
    let book = "book 99x5 | 101x5";
    check_with(listed(listing(true)), &format!("{book}\n{order}\n→ {accepted}"));
    check_with(listed(Listing::default()), &format!("{book}\n{order}\n→ {accepted}"));
    check_with(listed(listing(false)), &format!("{book}\n{order}\n→ {rejected}"));
    check_with(listed(listing(false)), "buy 1 limit 90\n→ o1 accepted #1");
}

#[test]
fn what_a_symbol_does_not_take_is_named() {
    let no = |what: &str| format!("-1013: {what} orders are not supported for this symbol.");
    forbidden(
        |allowed| Listing { iceberg_allowed: Some(allowed), ..Listing::default() },
        "buy 1 limit 90 iceberg 0.5",
        1,
        &no("Iceberg"),
    );
    forbidden(
        |allowed| Listing { trailing_stop_allowed: Some(allowed), ..Listing::default() },
        "sell 1 stop 100 follow 100",
        1,
        &no("Trailing stop"),
    );
    forbidden(
        |allowed| Listing { peg_allowed: Some(allowed), ..Listing::default() },
        "buy 1 limit 100 peg primary 0",
        1,
        "-2010: Pegged orders are not supported for this symbol.",
    );
    forbidden(
        |allowed| Listing { oto_allowed: Some(allowed), ..Listing::default() },
        "oto buy 1 limit 90 then sell 1 limit 110",
        2,
        &no("OTO"),
    );
    forbidden(
        |allowed| Listing { opo_allowed: Some(allowed), ..Listing::default() },
        "opo buy 1 limit 90 then sell limit 110",
        2,
        &no("OPO"),
    );
}

#[test]
fn what_a_symbol_does_not_take_in_a_list_refuses_the_list() {
    let why = "rejected -1013: Iceberg orders are not supported for this symbol.";
    check_with(
        listed(Listing { iceberg_allowed: Some(false), ..Listing::default() }),
        &format!("oto buy 1 limit 90 then sell 1 limit 110 iceberg 0.5\n→ o1 {why} / o2 {why}"),
    );
}

#[test]
fn an_order_is_not_amended_where_the_symbol_does_not_take_that() {
    for (allowed, said) in [
        (None, "amended 2 → 1 was o1"),
        (Some(true), "amended 2 → 1 was o1"),
        (Some(false), "not amended -2038: Order amend is not supported for this symbol."),
    ] {
        check_with(
            listed(Listing { amend_allowed: allowed, ..Listing::default() }),
            &format!("buy 2 limit 90\n→ o1 accepted #1\namend o1 1\n→ o1 {said}"),
        );
    }
}

#[test]
fn only_types_that_are_listed_are_taken() {
    for (name, order) in [
        ("Market", "buy 1 market"),
        ("Limit", "buy 1 limit 90"),
        ("Limit maker", "buy 1 maker 90"),
        ("Stop loss", "sell 1 stop 90"),
        ("Stop loss limit", "sell 1 stop 90 limit 89"),
        ("Take profit", "sell 1 profit 110"),
        ("Take profit limit", "sell 1 profit 110 limit 109"),
    ] {
        let why = format!("rejected -1013: {name} orders are not supported for this symbol.");
        check_with(
            listed(Listing { order_types: Some(vec!["OTHER".to_owned()]), ..Listing::default() }),
            &format!("{order}\n→ o1 {why}"),
        );
    }
}

#[test]
fn where_filters_are_listed_the_rarer_ones_are_those_of_the_listing() {
    let filters = vec!["ICEBERG_PARTS".to_owned()];
    let parts = || Listing { filters: filters.clone(), iceberg_parts: Some(2), ..Listing::default() };
    check_with(
        listed(parts()),
        "buy 1 limit 90 iceberg 0.5
        → o1 accepted #1
        buy 1 limit 90 iceberg 0.4
        → o2 rejected -1013: Filter failure: ICEBERG_PARTS",
    );
    // One that is not listed limits nothing; without any the usual ones hold.
    check_with(
        listed(Listing { filters, ..Listing::default() }),
        "buy 1 limit 90 iceberg 0.009\n→ o1 accepted #1",
    );
    check_with(
        listed(Listing::default()),
        "buy 1 limit 90 iceberg 0.009\n→ o1 rejected -1013: Filter failure: ICEBERG_PARTS",
    );
}

#[test]
fn an_older_filter_fails_under_its_own_name() {
    let refused = |filters: &[&str], order: &str, why: &str| {
        let listing =
            Listing { filters: filters.iter().map(ToString::to_string).collect(), ..Listing::default() };
        let change = |floor: &mut Floor| {
            floor.rules.buy_price_range = Some(PriceRange { down: get("0.2"), up: get("1.2") });
            floor.rules.min_notional = get("5");
            listed(listing)(floor);
        };
        check_with(change, &format!("{order}\n→ o1 rejected -1013: Filter failure: {why}"));
    };
    for (order, new, old) in [
        ("buy 1 limit 130", "PERCENT_PRICE_BY_SIDE", "PERCENT_PRICE"),
        ("buy 0.01 limit 90", "NOTIONAL", "MIN_NOTIONAL"),
    ] {
        refused(&[old], order, old);
        refused(&[new], order, new);
        refused(&[new, old], order, new);
        refused(&["OTHER"], order, new);
    }
    refused(&["PERCENT_PRICE", "MIN_NOTIONAL"], "buy 0.0005 limit 90", "LOT_SIZE");
}
