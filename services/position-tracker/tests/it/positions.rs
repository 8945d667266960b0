//! Positions from their first fill to their last.

use crate::script::{World, check, d};
use domain::{Decimal, Direction, Timestamp};
use events::{Event, PositionEvent};
use service::mirror;

#[test]
fn selling_everything_closes_the_position() {
    check(
        "submit a edge70
         a buys 2 @ 100
         submit b edge70
         b sells 2 @ 130",
        "edge70 opened 2 at 100
         edge70 closed 2 at 100, 2 at 130, profit 60 = 30%",
    );
}

#[test]
fn the_average_is_weighted_by_quantity_and_a_sale_leaves_it_as_it_is() {
    check(
        "submit a edge70
         a buys 1 @ 100
         a buys 3 @ 120
         a sells 2 @ 150
         a buys 2 @ 135
         a sells 4 @ 100",
        "edge70 opened 1 at 100
         edge70 +3 = 4 at 115
         edge70 -2 = 2 at 115 profit 70
         edge70 +2 = 4 at 125
         edge70 closed 6 at 121.6667, 6 at 116.6667, profit -30 = -4.1096%",
    );
}

#[test]
fn a_fee_in_the_base_makes_the_holding_smaller_and_dearer() {
    check(
        "submit a edge70
         a buys 1 @ 100 fee 0.001 BTC
         a sells 0.999 @ 110",
        "edge70 opened 0.999 at 100.1001
         edge70 closed 0.999 at 100.1001, 0.999 at 110, profit 9.89 = 9.89% fee 0.001 BTC",
    );
}

#[test]
fn a_fee_in_the_quote_is_part_of_cost_and_proceeds() {
    check(
        "submit a edge70
         a buys 1 @ 100 fee 0.1 USDT
         a sells 0.5 @ 110 fee 0.055 USDT
         a sells 0.5 @ 110 fee 0.055 USDT",
        "edge70 opened 1 at 100.1
         edge70 -0.5 = 0.5 at 100.1 profit 4.895
         edge70 closed 1 at 100.1, 1.0 at 109.89, profit 9.79 = 9.7802% fee 0.21 USDT",
    );
}

#[test]
fn a_fee_in_a_third_asset_is_listed_and_nothing_else() {
    check(
        "submit a edge70
         a buys 1 @ 100 fee 0.01 BNB
         a sells 1 @ 110 fee 0.02 BNB",
        "edge70 opened 1 at 100
         edge70 closed 1 at 100, 1 at 110, profit 10 = 10% fee 0.03 BNB",
    );
}

#[test]
fn what_is_too_little_to_sell_ends_the_position_keeps_its_cost_and_is_carried_on() {
    check(
        "submit a edge70
         a buys 1 @ 100 fee 0.0005 BTC
         submit b edge70
         b sells 0.999 @ 110
         b done
         submit c edge70
         c buys 1 @ 120",
        "edge70 opened 0.9995 at 100.05
         edge70 -0.999 = 0.0005 at 100.05 profit 9.94
         edge70 closed 0.9995 at 100.05, 0.999 at 110, profit 9.94 = 9.945% left 0.0005 worth 0.055 fee 0.0005 BTC
         edge70 opened 1.0005 at 119.99",
    );
}

#[test]
fn what_closed_positions_have_left_is_left_by_their_edges_and_by_hand() {
    let mut world = World::new();
    let mut said = Vec::new();
    for line in "list BTCUSDT BTC USDT 1 5
         submit a edge70
         a buys 10.5 @ 100
         submit b edge70
         b was amended to web_1 #8
         web_1 #8 sells 10 @ 110
         b done
         submit c edge60
         c buys 2.25 @ 100
         c sells 2 @ 110
         c done
         web buys 1 @ 120
         web sells 1.6 @ 200
         submit d edge80
         d sells 1 @ 300
         submit e edge70
         e sells 0.1 @ 300
         submit f edge90
         f buys 1 @ 100
         f sells 1 @ 100"
        .lines()
    {
        said.extend(world.hear(line.trim()).iter().map(crate::script::written));
    }
    assert_eq!(
        said,
        [
            "edge70 opened 10.5 at 100",
            "edge70 -10 = 0.5 at 100 profit 100",
            "edge70 closed 10.5 at 100, 10 at 110, profit 100 = 10% left 0.5 worth 55",
            "edge60 opened 2.25 at 100",
            "edge60 -2 = 0.25 at 100 profit 20",
            "edge60 closed 2.25 at 100, 2 at 110, profit 20 = 10% left 0.25 worth 27.5",
            "manual opened 1 at 120",
            "manual closed 1 at 120, 1 at 200, profit 80 = 66.6667%",
            "edge60 -0.25 = 0.00 at 0 profit 25",
            "edge70 -0.35 = 0.15 at 100 profit 35",
            "edge70 -0.1 = 0.05 at 100 profit 20",
            "edge90 opened 1 at 100",
            "edge90 closed 1 at 100, 1 at 100, profit 0 = 0%",
        ]
    );
    let left: Vec<_> =
        world.core.state.dust().map(|(key, dust)| (key.owner.to_string(), dust.cost)).collect();
    assert_eq!(left, [("edge70".to_owned(), d("5"))], "nothing is left of a position that was sold whole");
}

#[test]
fn little_is_no_dust_while_the_order_still_sells() {
    check(
        "submit a edge70
         a buys 1 @ 100
         submit b edge70
         b sells 0.99 @ 110
         b sells 0.01 @ 109
         b done",
        "edge70 opened 1 at 100
         edge70 -0.99 = 0.01 at 100 profit 9.9
         edge70 closed 1 at 100, 1.00 at 109.99, profit 9.99 = 9.99%",
    );
}

#[test]
fn what_can_still_be_sold_stays_open_when_its_order_is_done() {
    check(
        "submit a edge70
         a buys 1 @ 100
         a done
         submit b edge70
         b sells 0.9 @ 110
         b done",
        "edge70 opened 1 at 100
         edge70 -0.9 = 0.1 at 100 profit 9",
    );
}

#[test]
fn each_edge_has_its_own_position_and_foreign_fills_are_manual() {
    check(
        "submit a edge70
         submit b edge60
         submit c by hand
         a buys 1 @ 100
         b buys 2 @ 110
         c buys 3 @ 120
         web buys 1 @ 130
         b sells 2 @ 100
         web sells 4 @ 140",
        "edge70 opened 1 at 100
         edge60 opened 2 at 110
         manual opened 3 at 120
         manual +1 = 4 at 122.5
         edge60 closed 2 at 110, 2 at 100, profit -20 = -9.0909%
         manual closed 4 at 122.5, 4 at 140, profit 70 = 14.2857%",
    );
}

#[test]
fn coins_sold_by_hand_are_the_owners_first_and_then_those_of_the_oldest_edge() {
    check(
        "submit a edge70
         submit b edge60
         b buys 1 @ 100
         a buys 1 @ 110
         web buys 1 @ 120
         web sells 2.5 @ 200 fee 0.5 USDT",
        "edge60 opened 1 at 100
         edge70 opened 1 at 110
         manual opened 1 at 120
         manual closed 1 at 120, 1 at 199.8, profit 79.8 = 66.5% fee 0.2 USDT
         edge60 closed 1 at 100, 1 at 199.8, profit 99.8 = 99.8% fee 0.2 USDT
         edge70 -0.5 = 0.5 at 110 profit 44.9",
    );
}

#[test]
fn nobody_can_sell_more_than_there_is() {
    check(
        "web sells 5 @ 100
         submit a edge70
         submit b edge60
         a buys 1 @ 100
         b buys 1 @ 100
         a sells 3 @ 120
         web sells 9 @ 120
         web sells 1 @ 120
         b sells 1 @ 120",
        "edge70 opened 1 at 100
         edge60 opened 1 at 100
         edge70 closed 1 at 100, 1 at 120, profit 20 = 20%
         edge60 closed 1 at 100, 1 at 120, profit 20 = 20%",
    );
}

#[test]
fn a_fill_heard_twice_counts_once_and_one_trade_with_oneself_counts_on_both_sides() {
    check(
        "submit a edge70
         a buys 1 @ 100
         again
         a sells 0.5 @ 100
         again",
        "edge70 opened 1 at 100
         edge70 -0.5 = 0.5 at 100 profit 0",
    );
    let mut world = World::new();
    assert_eq!(world.hear("web buys 1 @ 100").len(), 1);
    world.fills -= 1;
    assert_eq!(world.hear("bot sells 1 @ 100").len(), 1, "the same trade id, another order");
}

#[test]
fn a_fee_of_an_unlisted_instrument_is_told_by_its_symbol() {
    for (fee, held) in [("0.1 DOGE", "0.9"), ("0.1 USDT", "1"), ("0.1 BNB", "1")] {
        let mut world = World::new();
        let [amount, asset] = fee.split(' ').collect::<Vec<_>>()[..] else { panic!("{fee}") };
        let fee = events::Fee { asset: asset.parse().unwrap(), amount: d(amount) };
        let mut fill = crate::script::filled(1, "web", domain::Side::Buy, "1", "100", Some(fee));
        fill.instrument = crate::script::instrument("DOGEUSDT");
        world.core.hear(Timestamp::ZERO, fill);
        let quantities: Vec<_> =
            world.core.state.positions().map(|(_, p)| p.quantity().to_string()).collect();
        assert_eq!(quantities, [held], "{asset}");
    }
}

#[test]
fn a_short_of_a_perpetual_gains_when_the_price_falls() {
    mirror::play(|| {
        let mut world = World::new();
        let told = |world: &mut World, line: &str| format!("{:?}", world.hear(line));
        world.hear("submit a edge70");
        // Sold at 900, bought back at 870 and 910.
        assert!(told(&mut world, "a buys 2 @ 100 fee 0.9 USDT").contains("direction: Short"));
        assert!(told(&mut world, "a sells 1 @ 130").contains("profit: 29.55"));
        let (_, position) = world.core.state.positions().next().unwrap();
        assert_eq!((position.quantity(), position.average()), (Decimal::ONE, d("899.55")));
        let said = world.hear("a sells 1 @ 90 fee 0.1 USDT");
        let [Event::Position(PositionEvent::Closed(closed))] = &said[..] else { panic!("{said:?}") };
        assert_eq!((closed.direction, closed.profit), (Direction::Short, d("19")));
    });
}

#[test]
fn a_fill_larger_than_a_position_of_a_perpetual_turns_it() {
    mirror::play(|| {
        check(
            "submit a edge70
             a buys 1 @ 100
             a sells 3 @ 120 fee 0.3 USDT
             a sells 1 @ 110
             a buys 4 @ 90",
            "edge70 opened 1 at 100
             edge70 closed 1 at 100, 1 at 119.9, profit 19.9 = 19.9% fee 0.1 USDT
             edge70 the other way opened 2 at 119.9
             edge70 the other way +1 = 3 at 116.6
             edge70 the other way closed 3 at 116.6, 3 at 90, profit 79.8 = 22.813% fee 0.2 USDT
             edge70 opened 1 at 90",
        );
    });
}

#[test]
fn a_fill_of_an_order_that_was_declared_done_is_still_its_owners() {
    check(
        "submit a edge70
         a done
         a buys 1 @ 100",
        "edge70 opened 1 at 100",
    );
}

#[test]
fn who_owned_what_is_forgotten_after_a_while() {
    let mut world = World::new();
    for n in 0..100 {
        let id = format!("o{n}");
        world.hear(&format!("submit {id} edge70"));
        world.hear(&format!("{id} buys 1 @ 100"));
        // One order a day.
        world.fills = (n + 1) * 86_400;
        world.hear(&format!("{id} done"));
        world.hear(&format!("trade {id} {}", if n % 2 == 0 { "closed" } else { "aborted" }));
    }
    let counted: Vec<_> = world.core.state.books().map(|(_, _, book)| book.counted()).collect();
    let state = &world.core.state;
    assert_eq!((state.orders(), state.trades(), &counted[..]), (7, 7, &[7][..]));
    assert_eq!(
        world.core.state.positions().map(|(_, position)| position.entered.to_string()).collect::<Vec<_>>(),
        ["100"]
    );
}

#[test]
fn figures_beyond_all_money_do_not_stop_it() {
    let huge = "79228162514264337593543950335";
    let (most, dearest) = (domain::Quantity::MOST, domain::Price::MOST);
    let mut world = World::new();
    for line in [
        format!("web buys {most} @ {dearest}"),
        format!("web buys {most} @ {dearest} fee {huge} USDT"),
        format!("web sells 1 @ {dearest} fee {huge} BTC"),
        format!("web sells 0.0000000000000000000000000001 @ {dearest}"),
        "web done".to_owned(),
        format!("web buys 1 @ 1 fee {huge} BTC"),
    ] {
        world.hear(&line);
        assert!(
            world.core.state.positions().all(|(_, position)| position.quantity() >= Decimal::ZERO),
            "{line}"
        );
    }
}

#[test]
fn fills_of_an_order_that_was_amended_are_its_edges_whatever_the_venue_calls_it() {
    check(
        "submit a edge70
         a is #7
         web_1 #7 buys 0.5 @ 100
         a was amended to web_1 #7
         submit b edge70
         b was amended to web_2 #8
         web_2 #8 buys 0.5 @ 120",
        "edge70 opened 0.5 at 100
         edge70 +0.5 = 1.0 at 110",
    );
}

#[test]
fn another_order_under_the_id_of_one_of_ours_is_a_persons() {
    check(
        "submit a edge70
         a #7 buys 0.5 @ 100
         a done
         a #8 buys 1 @ 110
         a #8 sells 1 @ 120",
        "edge70 opened 0.5 at 100
         manual opened 1 at 110
         manual closed 1 at 110, 1 at 120, profit 10 = 9.0909%",
    );
}

service::mirrored!("positions.rs":
    selling_everything_closes_the_position
    the_average_is_weighted_by_quantity_and_a_sale_leaves_it_as_it_is
    a_fee_in_the_quote_is_part_of_cost_and_proceeds
    a_fee_in_a_third_asset_is_listed_and_nothing_else
    little_is_no_dust_while_the_order_still_sells
    what_can_still_be_sold_stays_open_when_its_order_is_done
    each_edge_has_its_own_position_and_foreign_fills_are_manual
    coins_sold_by_hand_are_the_owners_first_and_then_those_of_the_oldest_edge
    a_fill_heard_twice_counts_once_and_one_trade_with_oneself_counts_on_both_sides
    a_fill_of_an_order_that_was_declared_done_is_still_its_owners
    who_owned_what_is_forgotten_after_a_while
    fills_of_an_order_that_was_amended_are_its_edges_whatever_the_venue_calls_it
    another_order_under_the_id_of_one_of_ours_is_a_persons;
    only long, "a fee in the coins exists on spot only":
    a_fee_in_the_base_makes_the_holding_smaller_and_dearer
    what_is_too_little_to_sell_ends_the_position_keeps_its_cost_and_is_carried_on
    what_closed_positions_have_left_is_left_by_their_edges_and_by_hand
    a_fee_of_an_unlisted_instrument_is_told_by_its_symbol;
    only long, "on a perpetual the rest of a fill turns the position":
    nobody_can_sell_more_than_there_is;
    only long, "they are of shorts already, or of prices that have no mirror":
    a_short_of_a_perpetual_gains_when_the_price_falls
    a_fill_larger_than_a_position_of_a_perpetual_turns_it
    figures_beyond_all_money_do_not_stop_it;
);
