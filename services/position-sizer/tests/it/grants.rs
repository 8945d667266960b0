//! How much: the fixed amount and the risk formula.

use crate::script::{World, check, config, d, edge, risk, with_limits};
use domain::Decimal;
use events::{Event, SizingMethod, TradeEvent};
use position_sizer::{Config, EdgeRules, Limits, Method};
use service::mirror;

#[test]
fn a_fixed_amount_is_spent_down_to_the_lot() {
    check(config(), "balance USDT 1000 \n ask BTC @ 30", &["T1 3.333 @ 30 reserves 99.99"]);
}

#[test]
fn the_worst_price_is_the_trigger_and_the_slippage_down_to_the_tick() {
    let edges = vec![EdgeRules { slippage_ratio: d("0.005"), ..config().edges.remove(0) }];
    check(
        Config { edges, ..config() },
        "balance USDT 1000 \n ask BTC @ 33.33",
        // 33.33 × 1.005 = 33.49665
        &["T1 2.985 @ 33.49 reserves 99.96765"],
    );
}

#[test]
fn a_shorts_worst_price_is_below_the_trigger_and_its_money_is_for_the_price_that_is_expected() {
    mirror::play(|| {
        let edges = vec![EdgeRules { slippage_ratio: d("0.005"), ..config().edges.remove(0) }];
        // 33.33 × 0.995 = 33.16335, up to the tick; 100 / 33.33 = 3.0003.
        check(
            Config { edges, ..config() },
            "balance USDT 1000 \n ask BTC @ 33.33",
            &["T1 3 @ 33.17 reserves 99.99"],
        );
    });
}

#[test]
fn all_that_is_there_is_quote_asset() {
    let mut world = World::new(risk_without_stop(None));
    world.play("balance USDT 200 \n value 200 \n ask BTC @ 1");
    assert_eq!(figures(&world), (d("200"), d("200")), "equity and cash");
}

#[test]
fn all_that_is_there_is_base_asset_so_there_is_no_cash() {
    // 201 base at 0.5 are worth 100.5.
    check(
        risk("0.01", "0.02", None),
        "balance USDT 0 \n balance BTC 201 \n value 100.5 \n ask ETH @ 1",
        &["T1 refused cash 0 of 50.25"],
    );
}

#[test]
fn a_mixed_portfolio_counts_whole_as_equity_and_its_quote_asset_as_cash() {
    let mut world = World::new(risk("0.01", "0.02", None));
    // 201 base at 0.5 and 2 quote; a tiny trade, so that the cash suffices.
    world.list(domain::InstrumentRules::open(
        "ADA".parse().unwrap(),
        "USDT".parse().unwrap(),
        d("0.01"),
        d("1"),
        d("1"),
    ));
    world.play("balance USDT 2 \n value 102.5 \n ask ADA @ 1");
    assert_eq!(figures(&world), (d("102.5"), d("2")));
    assert_eq!(world.log, ["T1 2 @ 1 reserves 2"]);
}

#[test]
fn a_trade_gets_at_most_its_part_of_the_portfolio() {
    let limits = Limits { max_trade_ratio: Some(d("0.1")), ..Limits::default() };
    check(
        Config { terms: with_limits(limits).terms, ..risk("0.01", "0.02", None) },
        "balance USDT 100 \n value 100 \n ask BTC @ 1",
        &["T1 10 @ 1 reserves 10"],
    );
}

#[test]
fn hitting_the_stop_loses_the_allowed_part_of_the_portfolio() {
    let mut world = World::new(risk("0.01", "0.02", None));
    world.play("balance USDT 600 \n value 600 \n ask BTC @ 600");
    assert_eq!(world.log, ["T1 0.5 @ 600 reserves 300"]);
    let Some(Event::Trade(TradeEvent::Sized(sized))) = world.said.last() else { panic!("not sized") };
    assert_eq!(sized.sizing.method, SizingMethod::Risk);
    assert_eq!((sized.sizing.budget, sized.sizing.risk), (d("300"), d("6")), "1 % of 600");
}

#[test]
fn the_risk_method_is_clipped_to_its_maximum() {
    check(
        risk("0.01", "0.02", Some("150")),
        "balance USDT 600 \n value 600 \n ask BTC @ 600",
        &["T1 0.25 @ 600 reserves 150"],
    );
}

#[test]
fn without_a_stop_the_maximum_or_all_cash_is_spent_where_that_is_allowed() {
    for (max, log) in [(Some("5"), "T1 2.5 @ 2 reserves 5"), (Some("3"), "T1 1.5 @ 2 reserves 3")] {
        let mut world = World::new(risk_without_stop(max));
        let mut rules = domain::InstrumentRules::open(
            "ADA".parse().unwrap(),
            "USDT".parse().unwrap(),
            d("0.01"),
            d("0.1"),
            d("1"),
        );
        rules.min_quantity = d("0.1");
        world.list(rules);
        world.play("balance USDT 5 \n value 5 \n ask ADA @ 2");
        assert_eq!(world.log, [log]);
    }
}

#[test]
fn the_risk_method_spends_no_more_than_is_there() {
    check(
        risk("0.01", "0.02", None),
        "balance USDT 100 \n value 600 \n ask BTC @ 7",
        &["T1 14.285 @ 7 reserves 99.995"],
    );
}

#[test]
fn a_fee_taken_from_the_quote_asset_is_set_aside_too() {
    let with_fee = |mut config: Config| {
        config.terms.entry_fee_ratio = d("0.001");
        config
    };
    let config = with_fee(config());
    check(config.clone(), "balance USDT 100.1 \n ask BTC @ 10", &["T1 10 @ 10 reserves 100.1"]);
    check(config, "balance USDT 100 \n ask BTC @ 10", &["T1 refused cash 100 of 100.1"]);

    check(
        with_fee(risk("0.02", "0.02", None)),
        "balance USDT 100 \n value 100 \n ask BTC @ 10 \n cash",
        &["T1 9.99 @ 10 reserves 99.9999", "cash 0.0001"],
    );
}

#[test]
fn a_fixed_amount_is_measured_by_what_the_account_is_worth_now() {
    let mut world =
        World::new(with_limits(Limits { max_open_risk_ratio: Some(d("0.02")), ..Limits::default() }));
    world.play("balance USDT 1000 \n ask BTC @ 10");
    assert_eq!(world.log, ["T1 10 @ 10 reserves 100"]);
    assert_eq!(figures(&world), (d("1000"), d("1000")));
}

#[test]
fn each_edge_has_its_own_amount() {
    let fixed = |quote: i64| Method::Fixed { quote: quote.into() };
    let edges = vec![edge("edge60", fixed(30)), edge("edge61", fixed(20)), edge("edge62", fixed(50))];
    check(
        Config { edges, ..config() },
        "balance USDT 1000
         ask BTC @ 1 by edge60
         ask BTC @ 1 by edge61
         ask BTC @ 1 by edge62",
        &["T1 30 @ 1 reserves 30", "T2 20 @ 1 reserves 20", "T3 50 @ 1 reserves 50"],
    );
}

fn risk_without_stop(max_quote: Option<&str>) -> Config {
    let mut config = risk("0.01", "0.02", max_quote);
    config.edges[0].exit = None;
    config.terms.limits.allowed_to_trade_without_stop = true;
    config
}

/// Equity and cash of the last grant.
fn figures(world: &World) -> (Decimal, Decimal) {
    let Some(Event::Trade(TradeEvent::Sized(sized))) = world.said.last() else { panic!("not sized") };
    (sized.sizing.equity, sized.sizing.cash)
}

service::mirrored!("grants.rs":
    a_fixed_amount_is_spent_down_to_the_lot
    all_that_is_there_is_quote_asset
    all_that_is_there_is_base_asset_so_there_is_no_cash
    a_mixed_portfolio_counts_whole_as_equity_and_its_quote_asset_as_cash
    a_trade_gets_at_most_its_part_of_the_portfolio
    hitting_the_stop_loses_the_allowed_part_of_the_portfolio
    the_risk_method_is_clipped_to_its_maximum
    without_a_stop_the_maximum_or_all_cash_is_spent_where_that_is_allowed
    the_risk_method_spends_no_more_than_is_there
    a_fee_taken_from_the_quote_asset_is_set_aside_too
    a_fixed_amount_is_measured_by_what_the_account_is_worth_now
    each_edge_has_its_own_amount;
    only long, "the slippage of a sale goes the other way":
    the_worst_price_is_the_trigger_and_the_slippage_down_to_the_tick
    a_shorts_worst_price_is_below_the_trigger_and_its_money_is_for_the_price_that_is_expected;
);
