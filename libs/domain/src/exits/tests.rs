use super::*;
use crate::rules::PriceRange;

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn rules(lot: &str) -> InstrumentRules {
    InstrumentRules::open("LTC".parse().unwrap(), "USDT".parse().unwrap(), d("0.01"), d(lot), d("5"))
}

fn stop_limit() -> ExitPlan {
    ExitPlan::stop_limit(d("0.15"), d("0.2"))
}

fn oco() -> ExitPlan {
    ExitPlan::oco(d("0.07"), d("0.15"), d("0.07"))
}

fn held(quantity: &str) -> Held {
    Held {
        direction: Direction::Long,
        quantity: d(quantity),
        entry: d("100"),
        moved: None,
        average: d("100"),
        raised: Decimal::ZERO,
    }
}

fn short(quantity: &str) -> Held {
    Held { direction: Direction::Short, ..held(quantity) }
}

fn sell_range(rules: InstrumentRules, down: &str, up: &str) -> InstrumentRules {
    InstrumentRules { sell_price_range: Some(PriceRange { down: d(down), up: d(up) }), ..rules }
}

fn words(result: Result<ExitOrders, Obstacle>) -> String {
    match result {
        Ok(orders) => {
            let limit = orders.stop.limit().unwrap();
            let above = orders.take_profit.map_or_else(String::new, |p| format!(" or {p}"));
            format!("{} at {} for {limit}{above}", orders.quantity, orders.trigger)
        }
        Err(Obstacle { exit, breach, figure, limit }) => {
            let rule = breach.map_or_else(|| "not offered".to_owned(), |breach| breach.to_string());
            let limit = limit.map_or_else(|| "-".to_owned(), |limit| limit.normalize().to_string());
            format!("{exit}: {rule}: {} of {limit}", figure.normalize())
        }
    }
}

#[test]
fn a_stop_goes_where_the_plan_puts_it_if_the_rules_allow() {
    let r = rules("0.001");
    assert_eq!(words(exit_orders(&stop_limit(), &r, &held("1.0005"))), "1 at 85 for 68");
    assert_eq!(words(exit_orders(&oco(), &r, &held("1"))), "1 at 93 for 85 or 107");
}

#[test]
fn stop_and_take_profit_may_stand_at_prices() {
    let r = rules("0.001");
    let at = |text: &str| Level::Price(text.parse().unwrap());
    let plan = ExitPlan { stop: at("91.237"), take_profit: Some(at("120.001")), ..stop_limit() };
    assert_eq!(words(exit_orders(&plan, &r, &held("1"))), "1 at 91.23 for 72.98 or 120.01");
    assert_eq!((plan.orders(), plan.stop_ratio(Direction::Long, d("100"))), (2, d("0.08763")));
    let wide = ExitPlan { stop: at("91"), ..oco() };
    assert_eq!(words(exit_orders(&wide, &r, &held("1"))), "1 at 91 for 85 or 107");
    let tight = ExitPlan { stop: at("80"), ..oco() };
    assert_eq!(words(stop_alone(&tight, &r, &held("1"))), "1 at 80 for 80");
    let wrong = ExitPlan { stop: at("101"), ..oco() };
    assert_eq!(wrong.stop_ratio(Direction::Long, d("100")), Decimal::ZERO);
    assert_eq!(wrong.stop_ratio(Direction::Short, d("100")), d("0.01"));
}

#[test]
fn a_short_is_left_the_other_way_round_and_each_price_is_rounded_away_from_the_market() {
    let r = rules("0.001");
    assert_eq!(words(exit_orders(&stop_limit(), &r, &short("1.0005"))), "1 at 115 for 138");
    assert_eq!(words(exit_orders(&oco(), &r, &short("1"))), "1 at 107 for 115 or 93");
    let at = |text: &str| Level::Price(text.parse().unwrap());
    let plan = ExitPlan { stop: at("108.763"), take_profit: Some(at("80.009")), ..stop_limit() };
    assert_eq!(words(exit_orders(&plan, &r, &short("1"))), "1 at 108.77 for 130.53 or 80");
    let raised = Held { raised: d("0.5"), ..short("1") };
    assert_eq!(words(exit_orders(&stop_limit(), &r, &raised)), "1 at 115 for 126.5");
}

#[test]
fn a_shorts_limit_is_lowered_to_what_each_filter_allows() {
    let range = |up: &str| InstrumentRules {
        buy_price_range: Some(PriceRange { down: d("0.2"), up: d(up) }),
        ..rules("0.001")
    };
    // 120 less a hundredth of room.
    assert_eq!(words(exit_orders(&stop_limit(), &range("1.2"), &short("1"))), "1 at 115 for 118.81");
    // Without room for a margin it goes without.
    assert_eq!(words(exit_orders(&stop_limit(), &range("1.15"), &short("1"))), "1 at 115 for 115");
    let percent = "Filter failure: PERCENT_PRICE_BY_SIDE";
    let no = words(exit_orders(&stop_limit(), &range("1.1"), &short("1")));
    assert_eq!(no, format!("its stop: {percent}: 115 of 110"));
    let price = InstrumentRules { max_price: Some(d("130")), ..rules("0.001") };
    assert_eq!(words(exit_orders(&stop_limit(), &price, &short("1"))), "1 at 115 for 130");
    let most = InstrumentRules { max_notional: Some(d("125")), ..rules("0.001") };
    assert_eq!(words(exit_orders(&stop_limit(), &most, &short("1"))), "1 at 115 for 125");
    let most = InstrumentRules { max_notional: Some(d("250")), ..rules("0.001") };
    assert_eq!(words(exit_orders(&stop_limit(), &most, &short("2"))), "2 at 115 for 125");
    let less = InstrumentRules { max_notional: Some(d("110")), ..rules("0.001") };
    let no = words(exit_orders(&stop_limit(), &less, &short("1")));
    assert_eq!(no, "its stop: Filter failure: NOTIONAL: 115 of 110");
    let low = InstrumentRules { min_price: Some(d("95")), ..rules("0.001") };
    let no = words(exit_orders(&oco(), &low, &short("1")));
    assert_eq!(no, "its take-profit order: Filter failure: PRICE_FILTER: 93 of 95");
}

#[test]
fn a_stops_limit_is_raised_to_what_each_filter_allows() {
    let percent = sell_range(rules("0.001"), "0.8", "5");
    assert_eq!(words(exit_orders(&stop_limit(), &percent, &held("1"))), "1 at 85 for 80.8");
    // Without room for a margin it goes without.
    let tight = sell_range(rules("0.001"), "0.85", "5");
    assert_eq!(words(exit_orders(&stop_limit(), &tight, &held("1"))), "1 at 85 for 85");
    let notional = rules("0.001");
    assert_eq!(words(exit_orders(&stop_limit(), &notional, &held("0.07"))), "0.07 at 85 for 71.43");
    let price = InstrumentRules { min_price: Some(d("70")), ..rules("0.001") };
    assert_eq!(words(exit_orders(&stop_limit(), &price, &held("1"))), "1 at 85 for 70");
}

#[test]
fn a_stop_for_which_there_is_no_room_names_the_filter() {
    let tight = sell_range(rules("0.001"), "0.9", "5");
    let no = |rules: &InstrumentRules, plan: &ExitPlan, quantity: &str| {
        words(exit_orders(plan, rules, &held(quantity)))
    };
    let percent = "Filter failure: PERCENT_PRICE_BY_SIDE";
    assert_eq!(no(&tight, &stop_limit(), "1"), format!("its stop: {percent}: 85 of 90"));
    let worth = "its stop: Filter failure: NOTIONAL: 4.25 of 5";
    assert_eq!(no(&rules("0.001"), &stop_limit(), "0.05"), worth);
    let price = InstrumentRules { min_price: Some(d("90")), ..rules("0.001") };
    assert_eq!(no(&price, &stop_limit(), "1"), "its stop: Filter failure: PRICE_FILTER: 85 of 90");
    assert_eq!(no(&rules("1"), &stop_limit(), "0.999"), "its stop: Filter failure: LOT_SIZE: 0.999 of 1");
    let unlisted = crate::rules::Unlisted::of(["LIMIT", "MARKET"]);
    let simple = InstrumentRules { unlisted, ..rules("0.001") };
    assert_eq!(no(&simple, &stop_limit(), "1"), "its stop: not offered: 0 of -");
}

#[test]
fn a_take_profit_is_judged_at_its_own_price() {
    let no = |rules: InstrumentRules| words(exit_orders(&oco(), &rules, &held("1")));
    let order = "its take-profit order";
    assert_eq!(
        no(sell_range(rules("0.001"), "0.2", "1.05")),
        format!("{order}: Filter failure: PERCENT_PRICE_BY_SIDE: 107 of 105")
    );
    let cheap = InstrumentRules { max_price: Some(d("105")), ..rules("0.001") };
    assert_eq!(no(cheap), format!("{order}: Filter failure: PRICE_FILTER: 107 of 105"));
    let small = InstrumentRules { max_notional: Some(d("105")), ..rules("0.001") };
    assert_eq!(no(small), format!("{order}: Filter failure: NOTIONAL: 107 of 105"));
    let without = InstrumentRules { oco_allowed: false, ..rules("0.001") };
    assert_eq!(no(without), format!("{order}: not offered: 0 of -"));
    // That of a short stands below the market, and is worth less than its stop.
    let short_of = |rules: InstrumentRules, quantity| words(exit_orders(&oco(), &rules, &short(quantity)));
    assert_eq!(short_of(rules("0.001"), "0.053"), format!("{order}: Filter failure: NOTIONAL: 4.929 of 5"));
    let near = Some(PriceRange { down: d("0.95"), up: d("1.2") });
    assert_eq!(
        short_of(InstrumentRules { buy_price_range: near, ..rules("0.001") }, "1"),
        format!("{order}: Filter failure: PERCENT_PRICE_BY_SIDE: 93 of 95")
    );
}

#[test]
fn a_plan_with_a_target_is_a_list_of_two_orders() {
    assert_eq!((stop_limit().is_list(), stop_limit().orders()), (false, 1));
    assert_eq!((oco().is_list(), oco().orders()), (true, 2));
}

#[test]
fn a_refused_limit_is_raised_towards_the_trigger() {
    let raised = |part: &str| {
        let held = Held { raised: d(part), ..held("1") };
        words(exit_orders(&stop_limit(), &rules("0.001"), &held))
    };
    assert_eq!(raised("0.5"), "1 at 85 for 76.5");
    assert_eq!(raised("1"), "1 at 85 for 85");
}

#[test]
fn a_sale_at_market_keeps_its_own_lot_and_the_notional() {
    let sell = |rules: &InstrumentRules, held: &str| {
        market_exit(rules, d(held), d("10")).map(|quantity| quantity.to_string()).map_err(|o| o.breach)
    };
    let r = InstrumentRules {
        market_lot_size: Some(d("0.3")),
        market_min_quantity: Some(d("0.6")),
        market_max_quantity: Some(d("60")),
        ..rules("0.2")
    };
    assert_eq!(sell(&r, "1.9"), Ok("1.8".to_owned()));
    assert_eq!(sell(&r, "0.5"), Err(Some(Breach::MarketLotSize)));
    assert_eq!(sell(&r, "100"), Ok("60".to_owned()));
    let worth = rules("0.1");
    assert_eq!(sell(&worth, "0.4"), Err(Some(Breach::Notional)));
    let free = InstrumentRules { min_notional_applies_to_market: false, ..rules("0.1") };
    assert_eq!(sell(&free, "0.4"), Ok("0.4".to_owned()));
    let most =
        InstrumentRules { max_notional: Some(d("50")), max_notional_applies_to_market: true, ..rules("0.1") };
    // 50 less a tenth of room.
    assert_eq!(sell(&most, "20"), Ok("4.5".to_owned()));
    let rising = market_exit(&most, d("20"), d("25")).map(|quantity| quantity.to_string());
    assert_eq!(rising, Ok("1.8".to_owned()));
    let of_limits = InstrumentRules { max_notional_applies_to_market: false, ..most };
    assert_eq!(sell(&of_limits, "20"), Ok("20".to_owned()));
}

#[test]
fn a_sale_in_parts_leaves_nothing_that_could_not_be_sold_by_itself() {
    let r = InstrumentRules { market_max_quantity: Some(d("6")), ..rules("0.1") };
    let parts = |rules: &InstrumentRules, held: &str| {
        let mut held = d(held);
        let mut parts = Vec::new();
        while let Ok(quantity) = market_exit(rules, held, d("10")) {
            held -= quantity.get();
            parts.push(quantity.to_string());
        }
        (parts.join(" "), held.normalize().to_string())
    };
    let said = |parts: &str, left: &str| (parts.to_owned(), left.to_owned());
    // 6 and 0.3 would be 0.3 unsold: 10 × 0.3 is less than 5.
    assert_eq!(parts(&r, "6.3"), said("3.1 3.2", "0"));
    assert_eq!(parts(&r, "12.05"), said("6 6", "0.05"));
    assert_eq!(parts(&r, "6.5"), said("6 0.5", "0"));
    let coarse = InstrumentRules { market_min_quantity: Some(d("2")), ..r };
    assert_eq!(parts(&coarse, "7"), said("3.5 3.5", "0"));
}

#[test]
fn orders_that_a_sale_takes_are_counted() {
    let count = |rules: &InstrumentRules, held: &str| {
        let counted = market_orders(rules, d(held), d("10"));
        counted.map(|(orders, first)| (orders, first.to_string())).map_err(|o| o.breach)
    };
    let r = InstrumentRules { market_max_quantity: Some(d("0.6")), ..rules("0.1") };
    assert_eq!(count(&r, "0.6"), Ok((1, "0.6".to_owned())));
    assert_eq!(count(&r, "6.05"), Ok((10, "0.6".to_owned())));
    assert_eq!(count(&r, "6.1"), Ok((11, "0.6".to_owned())));
    assert_eq!(count(&rules("0.1"), "1000000"), Ok((1, "1000000".to_owned())));
    assert_eq!(count(&rules("0.1"), "0.4"), Err(Some(Breach::Notional)));
}

#[test]
fn a_stop_alone_stands_where_that_of_two_does() {
    let without = InstrumentRules { oco_allowed: false, ..rules("0.001") };
    assert_eq!(words(stop_alone(&oco(), &without, &held("1"))), "1 at 93 for 85");
}

#[test]
fn no_more_is_bought_than_whole_lots_are_left_of() {
    let least = |lot: &str, quantity: &str, fee: &str| {
        least_for_same_lots(&rules(lot), quantity.parse().unwrap(), d(fee)).to_string()
    };
    // 1001 lots less a thousandth are 999.999: no more than 1000 lots leave.
    assert_eq!(least("1", "1001", "0.001"), "1000");
    assert_eq!(least("1", "1002", "0.001"), "1002");
    // A fee that is rounded up may leave a little less.
    assert_eq!(least("0.00000001", "1000", "0.001"), "1000");
    assert_eq!(least("1", "1500", "0.001"), "1500");
    assert_eq!(least("1", "1", "0.001"), "1");
    assert_eq!(least("0.001", "2", "0"), "2");
    // 1001 of it leave no 1000, and 1002 would be more than was asked for.
    assert_eq!(least("1", "1001.5", "0.001"), "1001.5");
}

#[test]
fn no_more_than_asked_for_is_sold_at_market_at_once() {
    let part = |held: &str, most: &str| {
        market_part(&rules("0.1"), d(held), d(most), d("10")).map(|quantity| quantity.to_string())
    };
    assert_eq!(part("10", "3"), Ok("3".to_owned()));
    assert_eq!(part("3", "10"), Ok("3".to_owned()));
    // 0.3 would be left of it, which could not be sold by itself.
    assert_eq!(part("3.3", "3"), Ok("1.6".to_owned()));
    assert_eq!(part("0.9", "0.6"), Ok("0.6".to_owned()));
    let unlisted = crate::rules::Unlisted::of(["LIMIT", "STOP_LOSS_LIMIT"]);
    let never = market_exit(&InstrumentRules { unlisted, ..rules("0.1") }, d("10"), d("10")).unwrap_err();
    assert_eq!((never.exit, never.breach), (Exit::Market, None));
    let little = market_exit(&rules("0.1"), d("0.49"), d("10")).unwrap_err();
    assert_eq!((little.figure, little.limit), (d("4"), Some(d("5"))));
    assert_eq!(market_exit(&rules("0.1"), d("0.5"), d("10")).unwrap().get(), d("0.5"));
}

#[test]
fn what_a_fee_takes_is_rounded_up_where_the_venue_cannot_keep_it_exactly() {
    let left = |lot: &str, quantity: &str, fee: &str| after_fee(&rules(lot), d(quantity), d(fee)).normalize();
    assert_eq!(left("1", "1000", "0.001"), d("999"));
    // The fee of a lot has eight decimals, or nine.
    assert_eq!(left("0.00001", "1", "0.001"), d("0.999"));
    assert_eq!(left("0.000001", "1", "0.001"), d("0.99899992"));
    assert_eq!(left("0.00000001", "0.00000005", "0.001"), Decimal::ZERO);
    assert_eq!(left("0", "1", "0.001"), d("0.99899992"));
    assert_eq!(unsellable(&rules("0.1"), d("1.25")), d("0.05"));
    let exits = [Exit::Stop, Exit::TakeProfit, Exit::Market].map(|exit| exit.to_string());
    assert_eq!(exits, ["its stop", "its take-profit order", "its exit at market"]);
}
