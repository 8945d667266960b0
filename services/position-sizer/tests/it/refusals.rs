//! Why not: each rule names itself, the figure and the limit.

use crate::script::{World, check, config, d, risk, usdt, with_limits};
use domain::{EntryPlan, InstrumentRules, Level, rules::PriceRange};
use events::{Event, TradeEvent};
use position_sizer::{Config, EdgeRules, Limits, Method};
use service::mirror;

const RICH: &str = "balance USDT 1000 \n value 1000 \n";

fn refused(config: Config, ask: &str, log: &str) {
    check(config, &format!("{RICH}{ask}"), &[log]);
}

#[test]
fn an_edge_without_rules_may_not_trade() {
    refused(config(), "ask BTC @ 10 by edge99", "T1 refused unauthorised");
}

#[test]
fn an_edge_trades_only_on_its_accounts() {
    refused(config(), "ask BTC @ 10 on paper:other", "T1 refused unauthorised");
}

#[test]
fn an_instrument_whose_rules_nobody_told_is_unknown() {
    refused(config(), "ask DOGE @ 10", "T1 refused unknown_instrument");
}

#[test]
fn a_perpetual_is_not_sized_as_if_it_were_spot() {
    let mut world = World::new(config());
    let instrument = "binance:linear_perpetual:BTCUSDT".parse().unwrap();
    let rules =
        InstrumentRules::open("BTC".parse().unwrap(), "USDT".parse().unwrap(), d("0.1"), d("0.001"), d("5"));
    world.hear(events::InstrumentListed { instrument, rules: Box::new(rules) });
    world.play("balance USDT 1000 \n ask binance:linear_perpetual:BTCUSDT @ 10");
    assert_eq!(world.log, ["T1 refused unknown_instrument"]);
}

#[test]
fn prohibited_assets_are_never_bought() {
    refused(config(), "ask USDC @ 1", "T1 refused prohibited_asset");
}

#[test]
fn an_instrument_paid_in_another_asset_is_not_bought() {
    refused(config(), "ask paper:spot:BNBBTC @ 1", "T1 refused prohibited_asset");
}

#[test]
fn spot_cannot_be_short() {
    refused(config(), "ask BTC @ 10 direction short", "T1 refused short_on_spot");
    let mut world = World::new(config());
    world.play(&format!("{RICH} ask BTC @ 10 direction short"));
    let Some(Event::Trade(TradeEvent::Refused(refused))) = world.said.last() else { panic!("not refused") };
    assert_eq!(refused.text, "paper:spot:BTCUSDT is spot, of which one cannot be short");
}

#[test]
fn a_shorts_stop_is_above_its_price_and_its_target_below_the_worst_entry() {
    mirror::play(|| {
        let mut world = World::new(config());
        // On the mirror of 99 and of 101.
        world.play(&format!("{RICH} ask BTC @ 100 stop 101 \n ask BTC @ 100 target 99"));
        let texts = world.said.iter().map(|said| match said {
            Event::Trade(TradeEvent::Refused(refused)) => refused.text.as_str(),
            _ => "granted",
        });
        assert_eq!(
            texts.collect::<Vec<_>>(),
            [
                "the signal's stop at 99 is not above its price, 100",
                "the signal's target at 101 is not below the worst entry, 100",
            ]
        );
    });
}

#[test]
fn an_entry_older_than_its_maximum_age_is_stale() {
    refused(config(), "ask BTC @ 10 aged 3601", "T1 refused stale 3601 of 3600");
    refused(config(), "ask BTC @ 10 aged 3600", "T1 10 @ 10 reserves 100");
}

#[test]
fn an_edge_that_holds_or_is_about_to_hold_an_instrument_does_not_buy_it_again() {
    check(
        config(),
        "balance USDT 1000
         ask BTC @ 10
         ask BTC @ 10
         ask ETH @ 10
         submit T1
         fill T1 10 @ 10
         done T1
         open T1 10 for 100
         ask BTC @ 10
         close T1
         ask BTC @ 10",
        &[
            "T1 10 @ 10 reserves 100",
            "T2 refused already_in_position 2 of 1",
            "T3 10 @ 10 reserves 100",
            "T4 refused already_in_position 2 of 1",
            "T5 10 @ 10 reserves 100",
        ],
    );
}

#[test]
fn a_trade_that_was_given_up_and_filled_all_the_same_counts_as_a_position() {
    check(
        config(),
        "balance USDT 1000 \n ask BTC @ 10 \n abort T1 \n open T1 10 for 100 \n ask BTC @ 10",
        &["T1 10 @ 10 reserves 100", "T2 refused already_in_position 2 of 1"],
    );
}

#[test]
fn nobody_enters_while_trading_is_reducing_or_halted() {
    for state in ["halted", "reducing"] {
        refused(config(), &format!("trading {state} \n ask BTC @ 10"), "T1 refused trading_state");
        refused(
            config(),
            &format!("trading {state} on paper:main \n ask BTC @ 10"),
            "T1 refused trading_state",
        );
        refused(
            config(),
            &format!("trading {state} on paper:other \n ask BTC @ 10"),
            "T1 10 @ 10 reserves 100",
        );
        refused(
            config(),
            &format!("trading {state} \n trading active \n ask BTC @ 10"),
            "T1 10 @ 10 reserves 100",
        );
        refused(
            config(),
            &format!("trading {state} on paper:main \n trading active \n ask BTC @ 10"),
            "T1 refused trading_state",
        );
    }
}

#[test]
fn a_halt_with_an_end_ends_then() {
    check(
        config(),
        "balance USDT 1000
         trading halted until 1004
         ask BTC @ 10
         ask BTC @ 10",
        &["T1 refused trading_state", "T2 10 @ 10 reserves 100"],
    );
}

#[test]
fn the_risk_method_needs_a_valuation() {
    check(risk("0.01", "0.02", None), "ask BTC @ 10", &["T1 refused no_valuation"]);
}

#[test]
fn an_edge_without_a_stop_needs_permission() {
    let edges = |method| vec![EdgeRules { exit: None, method, ..config().edges.remove(0) }];
    let fixed = Method::Fixed { quote: 100.into() };
    let risk = Method::Risk { max_loss_ratio: d("0.01"), max_quote: None };
    for method in [fixed, risk] {
        refused(Config { edges: edges(method), ..config() }, "ask BTC @ 10", "T1 refused no_stop");
    }
    let limits = Limits { allowed_to_trade_without_stop: true, ..Limits::default() };
    let allowed = Config { edges: edges(fixed), ..with_limits(limits) };
    refused(allowed, "ask BTC @ 10", "T1 10 @ 10 reserves 100");
}

#[test]
fn a_fixed_amount_is_not_quietly_made_smaller() {
    check(config(), "balance USDT 99.99 \n ask BTC @ 10", &["T1 refused cash 99.99 of 100"]);
    check(config(), "ask BTC @ 10", &["T1 refused cash 0 of 100"]);
}

#[test]
fn after_rounding_it_must_still_be_worth_the_minimum() {
    let rules = InstrumentRules { min_notional: d("95"), lot_size: d("3"), ..ada() };
    listed(rules, "ask ADA @ 10", "T1 refused min_notional 90 of 95");
}

#[test]
fn each_filter_of_the_venue_is_named() {
    for (rules, ask, log) in [
        (InstrumentRules { min_quantity: d("11"), ..ada() }, "ask ADA @ 10", "T1 refused filter 10 of 11"),
        (
            InstrumentRules { max_quantity: Some(d("9")), ..ada() },
            "ask ADA @ 10",
            "T1 refused filter 10 of 9",
        ),
        (
            InstrumentRules { max_notional: Some(d("90")), ..ada() },
            "ask ADA @ 10",
            "T1 refused filter 100 of 90",
        ),
        (InstrumentRules { max_price: Some(d("9")), ..ada() }, "ask ADA @ 10", "T1 refused filter 10 of 9"),
        (InstrumentRules { tick_size: d("20"), ..ada() }, "ask ADA @ 10", "T1 refused filter 10 of 20"),
        (
            InstrumentRules { buy_price_range: Some(PriceRange { down: d("0.2"), up: d("0.9") }), ..ada() },
            "ask ADA @ 10",
            "T1 refused filter 10 of 9",
        ),
        (
            InstrumentRules { max_position: Some(d("12")), ..ada() },
            "balance ADA 5 \n ask ADA @ 10",
            "T1 refused filter 15 of 12",
        ),
    ] {
        listed(rules, ask, log);
    }
}

#[test]
fn a_trade_that_would_take_too_many_sales_to_leave_is_not_entered() {
    let tenths =
        || InstrumentRules { lot_size: d("0.1"), min_quantity: d("0.1"), min_notional: d("1"), ..ada() };
    let by_lot = |most: &str| InstrumentRules { market_max_quantity: Some(d(most)), ..tenths() };
    let by_notional = |most: u32| InstrumentRules {
        max_notional: Some(most.into()),
        max_notional_applies_to_market: true,
        ..tenths()
    };
    let asked = |rules: InstrumentRules, most: Option<u32>| {
        let mut world = World::new(with_limits(Limits { max_exit_orders: most, ..Limits::default() }));
        world.list(rules);
        world.play(&format!("{RICH}ask ADA @ 10"));
        let text = match world.said.last() {
            Some(Event::Trade(TradeEvent::Refused(refused))) => refused.text.clone(),
            _ => String::new(),
        };
        (world.log.join(" / "), text)
    };
    let granted = "T1 10 @ 10 reserves 100";
    // 10 by 0.4 are 25 orders, by 0.5 twenty.
    let (log, text) = asked(by_lot("0.4"), Some(20));
    assert_eq!(log, "T1 refused too_many_sales 25 of 20");
    assert_eq!(
        text,
        "selling 10 ADA at market would take 25 orders of at most 0.4 ADA, at most 20 may be needed; spend less"
    );
    assert_eq!(asked(by_lot("0.5"), Some(20)).0, granted);
    assert_eq!(asked(by_lot("0.4"), None).0, granted);
    // The lot may even be all that one order sells.
    assert_eq!(asked(by_lot("0.1"), Some(20)).0, "T1 refused too_many_sales 100 of 20");
    // 100 USDT by 90 are two orders, for a tenth is left to the venue's average.
    assert_eq!(asked(by_notional(100), Some(1)).0, "T1 refused too_many_sales 2 of 1");
    assert_eq!(asked(by_notional(100), Some(2)).0, granted);
    // The stop is one order: what it could not sell cannot be bought.
    let stop = InstrumentRules { max_quantity: Some(d("9.9")), ..tenths() };
    assert_eq!(asked(stop, Some(20)).0, "T1 refused filter 10 of 9.9");
}

#[test]
fn a_refusal_is_told_in_words_with_its_figures() {
    let mut world = World::new(config());
    world.play("balance USDT 42.1 \n ask BTC @ 10");
    let Some(Event::Trade(TradeEvent::Refused(refused))) = world.said.last() else { panic!("not refused") };
    assert_eq!(refused.text, "42.1 USDT are free to spend, 100 are needed");
    assert_eq!(refused.instrument, usdt("BTC"));
}

fn ada() -> InstrumentRules {
    InstrumentRules::open("ADA".parse().unwrap(), "USDT".parse().unwrap(), d("0.01"), d("1"), d("5"))
}

fn listed(rules: InstrumentRules, script: &str, log: &str) {
    let mut world = World::new(config());
    world.list(rules);
    world.play(&format!("{RICH}{script}"));
    assert_eq!(world.log, [log]);
}

#[test]
fn a_stop_or_a_target_on_the_wrong_side_is_refused() {
    refused(config(), "ask BTC @ 100 stop 100", "T1 refused wrong_side 100 of 100");
    refused(config(), "ask BTC @ 100 stop 101.5", "T1 refused wrong_side 101.5 of 100");
    refused(config(), "ask BTC @ 100 target 100", "T1 refused wrong_side 100 of 100");
}

#[test]
fn a_plan_that_this_build_does_not_carry_out_is_refused_and_never_taken_for_another() {
    let maker = EntryPlan::Maker { chase: d("0.002"), deadline_seconds: 900 };
    let edges = vec![EdgeRules { entry: maker, ..config().edges.remove(0) }];
    let mut world = World::new(Config { edges, ..config() });
    world.play(&format!("{RICH}ask BTC @ 10"));
    assert_eq!(world.log, ["T1 refused unsupported"]);
    let Some(Event::Trade(TradeEvent::Refused(refused))) = world.said.last() else { panic!("not refused") };
    assert_eq!(refused.text, "edge edge70: entries with a maker order are not there yet");
}

#[test]
fn an_entry_at_market_keeps_the_lots_of_market_orders() {
    let at_market = || {
        let edges = vec![EdgeRules { entry: EntryPlan::Market, ..config().edges.remove(0) }];
        World::new(Config { edges, ..config() })
    };
    let mut world = at_market();
    world.list(InstrumentRules { market_lot_size: Some(d("3")), ..ada() });
    world.play(&format!("{RICH}ask ADA @ 10"));
    assert_eq!(world.log, ["T1 9 @ 10 reserves 90"]);
    let Some(Event::Trade(TradeEvent::Sized(sized))) = world.said.last() else { panic!("not sized") };
    assert_eq!(sized.entry, EntryPlan::Market);
    let mut world = at_market();
    world.list(InstrumentRules { market_min_quantity: Some(d("11")), ..ada() });
    world.play(&format!("{RICH}ask ADA @ 10"));
    assert_eq!(world.log, ["T1 refused filter 10 of 1"]);
}

#[test]
fn a_signal_is_not_entered_after_it_has_ended() {
    refused(config(), "ask BTC @ 10 until 1002", "T1 refused stale 1 of 0");
    refused(config(), "ask BTC @ 10 until 1003", "T1 10 @ 10 reserves 100");
}

#[test]
fn a_signals_own_stop_sizes_the_trade_and_travels_with_it() {
    let mut world = World::new(risk("0.01", "0.15", None));
    // A hundredth of 1000 is lost over a twentieth, not over the edge's own stop.
    world.play("balance USDT 1000 \n value 1000 \n ask BTC @ 10 stop 9.5 target 12");
    assert_eq!(world.log, ["T1 20 @ 10 reserves 200"]);
    let Some(Event::Trade(TradeEvent::Sized(sized))) = world.said.last() else { panic!("{:?}", world.said) };
    let exit = sized.exit.unwrap();
    assert_eq!(exit.stop, Level::Price("9.5".parse().unwrap()));
    assert_eq!(exit.take_profit, Some(Level::Price("12".parse().unwrap())));
    assert_eq!(sized.sizing.risk, d("10"));
}

#[test]
fn an_edge_that_pauses_does_not_enter_again_shortly_after_its_stop() {
    const GRANTED: &str = "T2 10 @ 10";
    let pauses = EdgeRules { cooldown: Some(std::time::Duration::from_secs(4)), ..config().edges.remove(0) };
    for (reason, pauses, again) in [
        ("stop_hit", Some(&pauses), "T2 refused cooldown"),
        ("beyond_stop", Some(&pauses), "T2 refused cooldown"),
        ("requested", Some(&pauses), GRANTED),
        ("take_profit_hit", Some(&pauses), GRANTED),
        ("stop_hit", None, GRANTED),
    ] {
        let mut config = config();
        if let Some(pauses) = pauses {
            config.edges = vec![pauses.clone()];
        }
        let mut world = World::new(config);
        world.play(&format!("{RICH} ask BTC @ 10 \n close T1 because {reason} \n ask BTC @ 10"));
        assert!(world.log[1].starts_with(again), "{reason}: {:?}", world.log);
    }
    let edges = vec![pauses];
    let mut world = World::new(Config { edges, ..config() });
    world.play(&format!(
        "{RICH} ask BTC @ 10 \n close T1 \n ask ETH @ 10 \n ask BTC @ 10 \n ask BTC @ 10 \n ask BTC @ 10"
    ));
    let Some(Event::Trade(TradeEvent::Refused(refused))) = world.said.iter().rev().nth(1) else {
        panic!("{:?}", world.log)
    };
    assert_eq!((refused.figure, refused.limit), (Some(d("3")), Some(d("4"))));
    assert!(refused.text.starts_with("edge70 was stopped out of paper:"), "{}", refused.text);
    assert!(refused.text.ends_with(":BTCUSDT 3 s ago, and pauses for 4 s"), "{}", refused.text);
    assert!(world.log[1].starts_with(GRANTED), "another instrument: {:?}", world.log);
    assert!(world.log[4].starts_with("T5 10 @ 10"), "four seconds after it: {:?}", world.log);
}

service::mirrored!("refusals.rs":
    a_plan_that_this_build_does_not_carry_out_is_refused_and_never_taken_for_another
    an_entry_at_market_keeps_the_lots_of_market_orders
    an_edge_without_rules_may_not_trade
    an_edge_trades_only_on_its_accounts
    an_instrument_whose_rules_nobody_told_is_unknown
    prohibited_assets_are_never_bought
    an_instrument_paid_in_another_asset_is_not_bought
    an_entry_older_than_its_maximum_age_is_stale
    an_edge_that_holds_or_is_about_to_hold_an_instrument_does_not_buy_it_again
    a_trade_that_was_given_up_and_filled_all_the_same_counts_as_a_position
    nobody_enters_while_trading_is_reducing_or_halted
    a_halt_with_an_end_ends_then
    an_edge_that_pauses_does_not_enter_again_shortly_after_its_stop
    the_risk_method_needs_a_valuation
    an_edge_without_a_stop_needs_permission
    a_fixed_amount_is_not_quietly_made_smaller
    after_rounding_it_must_still_be_worth_the_minimum
    a_refusal_is_told_in_words_with_its_figures
    a_stop_or_a_target_on_the_wrong_side_is_refused
    a_signal_is_not_entered_after_it_has_ended;
    only long, "filters are of a side, a stop above its entry is worth more, and prices are looked at as they stand":
    each_filter_of_the_venue_is_named
    a_trade_that_would_take_too_many_sales_to_leave_is_not_entered
    a_signals_own_stop_sizes_the_trade_and_travels_with_it;
    only long, "it is of spot, or of shorts already":
    a_perpetual_is_not_sized_as_if_it_were_spot
    spot_cannot_be_short
    a_shorts_stop_is_above_its_price_and_its_target_below_the_worst_entry;
);
