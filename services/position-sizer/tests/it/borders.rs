//! The border of each limit, the fee that is taken from what is bought, and what could not be sold again.

use crate::script::{World, check, config, d, edge, risk, stop, usdt, with_limits};
use domain::{Decimal, ExitPlan, InstrumentRules, rules::PriceRange};
use events::{Candle, CandleClosed, Event, TradeEvent};
use position_sizer::{BaseFee, Config, EdgeRules, Limits, Method, Terms};
use service::mirror;

/// Whole ADA, ticks of 0.01, 5 USDT or more.
fn ada() -> InstrumentRules {
    InstrumentRules::open("ADA".parse().unwrap(), "USDT".parse().unwrap(), d("0.01"), d("1"), d("5"))
}

/// With 1000 USDT: the log, and the last answer in words.
fn played(config: Config, rules: InstrumentRules, script: &str) -> (String, String) {
    let mut world = World::new(config);
    world.list(rules);
    world.play(&format!("balance USDT 1000 \n {script}"));
    let text = match world.said.last() {
        Some(Event::Trade(TradeEvent::Refused(refused))) => refused.text.clone(),
        _ => String::new(),
    };
    (world.log.join(" / "), text)
}

fn log(config: Config, rules: InstrumentRules, script: &str) -> String {
    played(config, rules, script).0
}

#[test]
fn a_figure_at_its_limit_is_granted_and_one_beyond_it_is_not() {
    let granted = "T1 10 @ 10 reserves 100";
    let mut no_stop = with_limits(Limits { allowed_to_trade_without_stop: true, ..Limits::default() });
    no_stop.edges[0].exit = None;
    let least = |least| InstrumentRules { min_notional: d(least), ..ada() };
    assert_eq!(log(no_stop.clone(), least("100"), "ask ADA @ 10"), granted);
    assert_eq!(log(no_stop, least("100.01"), "ask ADA @ 10"), "T1 refused min_notional 100 of 100.01");

    let most = |most| InstrumentRules { max_position: Some(d(most)), ..ada() };
    assert_eq!(log(config(), most("15"), "balance ADA 5 \n ask ADA @ 10"), granted);
    assert_eq!(log(config(), most("14"), "balance ADA 5 \n ask ADA @ 10"), "T1 refused filter 15 of 14");
    // A sale adds nothing to what is held.
    mirror::play(|| assert_eq!(log(config(), most("1"), "ask ADA @ 10"), granted));

    let exposed =
        |ratio| with_limits(Limits { max_asset_exposure_ratio: Some(d(ratio)), ..Limits::default() });
    assert_eq!(log(exposed("0.1"), ada(), "ask ADA @ 10"), granted);
    assert_eq!(log(exposed("0.099"), ada(), "ask ADA @ 10"), "T1 refused max_asset_exposure 100 of 99");
}

#[test]
fn the_exits_of_all_trades_of_an_instrument_have_room_among_the_venues_orders() {
    let plan = |name, exit| {
        let method = Method::Fixed { quote: 100.into() };
        EdgeRules { exit: Some(exit), ..edge(name, method) }
    };
    let oco = ExitPlan::oco(d("0.07"), d("0.15"), d("0.07"));
    let edges = vec![plan("list1", oco), plan("list2", oco), plan("stop1", stop("0.15"))];
    let config = Config { edges, ..config() };
    let script =
        "ask ADA @ 10 by list1 \n ask ETH @ 10 by list1 \n ask ADA @ 10 by list2 \n ask ADA @ 10 by stop1";
    let first = "T1 10 @ 10 reserves 100 / T2 10 @ 10 reserves 100";
    let third = "T3 10 @ 10 reserves 100";
    for (rules, rest) in [
        (InstrumentRules { max_orders: Some(4), ..ada() }, format!("{third} / T4 refused filter 5 of 4")),
        (
            InstrumentRules { max_algo_orders: Some(2), ..ada() },
            format!("{third} / T4 refused filter 3 of 2"),
        ),
        (
            InstrumentRules { max_algo_orders: Some(1), ..ada() },
            "T3 refused filter 2 of 1 / T4 refused filter 2 of 1".to_owned(),
        ),
        // A stop by itself is no list.
        (
            InstrumentRules { max_order_lists: Some(1), ..ada() },
            "T3 refused filter 2 of 1 / T4 10 @ 10 reserves 100".to_owned(),
        ),
    ] {
        assert_eq!(log(config.clone(), rules, script), format!("{first} / {rest}"));
    }
}

#[test]
fn no_lot_is_bought_of_which_the_fee_leaves_less_than_a_lot() {
    // 100 USDT are nine; half of eight or of nine is four.
    let asked = |base_fee: BaseFee, script: &str| {
        let terms = Terms { base_fee, ..Terms::default() };
        let mut world = World::new(Config { terms, ..config() });
        let (bnb, usdt) = ("BNB".parse().unwrap(), "USDT".parse().unwrap());
        world.list(ada());
        world.list(InstrumentRules::open(bnb, usdt, d("0.01"), d("0.001"), d("5")));
        world.play(&format!("balance USDT 1000 \n {script} \n ask ADA @ 11"));
        world.log.join(" / ")
    };
    let (nine, eight) = ("T1 9 @ 11 reserves 99", "T1 8 @ 11 reserves 88");
    let always = BaseFee::Always(d("0.5"));
    assert_eq!(asked(BaseFee::None, ""), nine);
    assert_eq!(asked(always, ""), eight);
    // A perpetual's fee is taken from what it is settled in.
    mirror::play(|| assert_eq!(asked(always, ""), nine));
    // The fee of 100 is 50, and twice as much is wanted of the asset that it is taken from.
    let unless = |asset: &str| BaseFee::WithoutEnoughOf(asset.parse().unwrap(), d("0.5"));
    assert_eq!(asked(unless("BNB"), "balance BNB 10 \n price BNB 10"), nine);
    assert_eq!(asked(unless("BNB"), "balance BNB 9.99 \n price BNB 10"), eight);
    assert_eq!(asked(unless("BNB"), "balance BNB 10"), eight, "it has no price");
    assert_eq!(asked(unless("ADA"), "balance ADA 1000 \n price ADA 11"), eight, "it is what is bought");
}

#[test]
fn too_large_a_part_that_no_exit_could_sell_is_refused() {
    let asked = |base_fee: &str, most: &str, ask: &str| {
        let limits = Limits { max_unsellable_ratio: Some(d(most)), ..Limits::default() };
        let terms = Terms { limits, base_fee: BaseFee::Always(d(base_fee)), ..Terms::default() };
        played(Config { terms, ..config() }, ada(), ask)
    };
    // Of 2 the fee leaves 1.25, of which a fifth is no whole lot.
    assert_eq!(asked("0.375", "0.2", "ask ADA @ 50").0, "T1 2 @ 50 reserves 100");
    assert_eq!(asked("0.375", "0.19", "ask ADA @ 50").0, "T1 refused unsellable 0.2 of 0.19");
    let (log, text) = asked("0.1", "0.105", "ask ADA @ 25");
    assert_eq!(log, "T1 refused unsellable 0.166667 of 0.105");
    assert_eq!(
        text,
        "of 3.6 ADA that the fee would leave 0.6 are no whole lot of 1 and could not be sold: 16.67 %, at most 10.5 % may be; spend more"
    );
}

#[test]
fn what_could_not_be_protected_is_refused_by_the_rule_in_the_way() {
    let oco = |mut config: Config| {
        config.edges[0].exit = Some(ExitPlan::oco(d("0.07"), d("0.15"), d("0.07")));
        config
    };
    for (rules, log, text) in [
        (
            InstrumentRules { min_notional: d("95"), ..ada() },
            "T1 refused min_notional 92 of 95",
            "its stop would be worth 92 USDT, the venue takes 95 or more (Filter failure: NOTIONAL): it could not be protected",
        ),
        (
            InstrumentRules { max_notional: Some(d("105")), ..ada() },
            "T1 refused filter 106 of 105",
            "its take-profit order would be worth 106 USDT, the venue takes 105 or less (Filter failure: NOTIONAL): it could not be protected",
        ),
        (
            InstrumentRules { max_price: Some(d("10.5")), ..ada() },
            "T1 refused filter 10.6 of 10.5",
            "its take-profit order would be at 10.6 USDT, the venue takes 10.5 or less (Filter failure: PRICE_FILTER): it could not be protected",
        ),
    ] {
        assert_eq!(played(oco(config()), rules, "ask ADA @ 10"), (log.to_owned(), text.to_owned()));
    }
}

#[test]
fn a_sale_too_far_below_the_market_is_told_with_the_lower_bound() {
    mirror::play(|| {
        let edges = vec![EdgeRules { slippage_ratio: d("0.005"), ..config().edges.remove(0) }];
        let range = PriceRange { down: d("0.997"), up: d("1.1") };
        let rules = InstrumentRules { sell_price_range: Some(range), ..ada() };
        let log = log(Config { edges, ..config() }, rules, "ask ADA @ 10");
        assert_eq!(log, "T1 refused filter 9.95 of 9.97");
    });
}

#[test]
fn a_quotient_that_is_rounded_up_buys_no_more_than_its_money() {
    // A third of it is 99.99999999999999999999999999667, and 100 with as many digits as there are.
    let fixed = Method::Fixed { quote: d("299.99999999999999999999999999") };
    let config = Config { edges: vec![edge("edge70", fixed)], ..config() };
    assert_eq!(log(config, ada(), "ask ADA @ 3"), "T1 99 @ 3 reserves 297");
}

#[test]
fn what_is_held_is_worth_the_close_of_a_candle_too() {
    let mut world = World::new(risk("0.01", "0.02", None));
    world.play("balance USDT 100 \n balance ETH 10");
    let price = |text: &str| text.parse().unwrap();
    let candle = Candle {
        instrument: usdt("ETH"),
        interval: domain::Interval::Minute15,
        open_time: "2024-01-15".parse().unwrap(),
        open: price("9"),
        high: price("11"),
        low: price("9"),
        close: price("10"),
        volume: Decimal::ONE,
    };
    world.hear(CandleClosed { candle });
    world.play("ask BTC @ 10");
    assert_eq!(world.log, ["T1 10 @ 10 reserves 100"], "half of 200");
}

#[test]
fn fills_before_any_balance_are_no_valuation() {
    check(
        risk("0.01", "0.02", None),
        "price BTC 10 \n sell BTC 1 @ 10 \n ask ETH @ 10",
        &["T1 refused no_valuation"],
    );
}
