//! `faqs/trailing-stop-faq.md`, "Trailing Stop Order Scenarios": `to P` is a series of linear trades.

use super::floor::{check, check_with};
use crate::suite::script::get;
use venue_paper::engine::Owner;

fn at_40000(script: &str) {
    check_with(
        |floor| {
            floor.last = get("40000");
            floor.spot.adjust(floor.now, Owner::FIRST, get("USDT"), get("100000")).unwrap();
        },
        script,
    );
}

#[test]
fn scenario_a_trailing_stop_loss_limit_buy_order() {
    at_40000(
        "buy 0.01 stop 44000 limit 45000 trail 500
        → o1 accepted #1
        to 37000
        to 44000
        to 45000
        to 46000
        to 42000
        to 44099
        to 44100
        → o1 triggered
        shows 45000x0.01 |",
    );
}

#[test]
fn scenario_b_trailing_stop_loss_limit_sell_order() {
    at_40000(
        "sell 0.01 stop 39000 limit 38000 trail 1000
        → o1 accepted #1
        to 41500
        to 39000
        to 37000
        to 41000
        to 36901
        to 36900
        → o1 triggered
        shows | 38000x0.01",
    );
}

#[test]
fn scenario_c_trailing_take_profit_limit_buy_order() {
    at_40000(
        "buy 0.01 profit 38000 limit 38500 trail 850
        → o1 accepted #1
        to 42000
        to 37000
        to 39000
        to 38000
        to 40144
        to 40145
        → o1 triggered
        shows 38500x0.01 |",
    );
}

#[test]
fn scenario_d_trailing_take_profit_limit_sell_order() {
    at_40000(
        "sell 0.01 profit 42000 limit 41000 trail 750
        → o1 accepted #1
        to 41500
        to 39000
        to 42000
        to 45000
        to 44000
        to 46500
        to 43013
        trade sell 0.001 @ 43012.5
        → o1 triggered
        shows | 41000x0.01",
    );
}

#[test]
fn scenario_e_trailing_stop_order_without_a_stop_price() {
    at_40000(
        "sell 0.01 stop 40000 limit 39000 follow 700
        → o1 accepted #1
        to 42000
        to 39500
        to 45500
        to 42316
        to 42315
        → o1 triggered
        shows | 39000x0.01",
    );
}

#[test]
fn scenario_e_tracks_from_the_last_price_on() {
    at_40000(
        "sell 0.01 stop 40000 limit 39000 follow 700
        → o1 accepted #1
        to 37201
        to 37200
        → o1 triggered",
    );
}

#[test]
fn what_order_types_the_limit_leg_of_an_oco_ends_when_the_trailing_one_is_triggered() {
    at_40000(
        "book 39400x5 |
        oco sell 1 above maker 44000 below stop 40000 follow 100
        → o1 accepted #1 / o2 accepted #2
        to 39601
        to 39600
        → o1 ended expired (oco) / o2 triggered / o2 filled 1 @ 39400 t1 / o2 ended filled with 1 for 39400",
    );
}

#[test]
fn how_do_i_pass_the_trailing_delta_filter() {
    let delta = |line: &str, above: bool| {
        check_with(
            |floor| {
                floor.spot.adjust(floor.now, Owner::FIRST, get("USDT"), get("100000")).unwrap();
                let limits = &mut floor.spot.limits;
                *(if above { &mut limits.trailing_above } else { &mut limits.trailing_below }) =
                    Some((50, 60));
            },
            line,
        );
    };
    let refused = "→ o1 rejected -1013: Filter failure: TRAILING_DELTA";
    for (order, above) in [
        ("buy 1 stop 110", true),
        ("sell 1 profit 110", true),
        ("sell 1 stop 90", false),
        ("buy 1 profit 90", false),
    ] {
        for (bips, passes) in [(49, false), (50, true), (60, true), (61, false)] {
            let wanted = if passes { "→ o1 accepted #1" } else { refused };
            delta(&format!("{order} trail {bips}\n{wanted}"), above);
        }
        delta(&format!("{order} trail 49\n→ o1 accepted #1"), !above);
    }
}

#[test]
fn only_contingent_orders_trail() {
    check("buy 1 limit 90 trail 100\n→ o1 rejected -1014: Unsupported order combination.");
}

#[test]
fn on_candles_the_worse_end_comes_first_and_the_trigger_slips() {
    use super::floor::{instrument, written};
    use venue_paper::engine::Spot;
    // The same order on a market that was never shown a book.
    check_with(
        |floor| {
            let mut spot = Spot::new(floor.spot.terms);
            spot.exchange.balances = floor.spot.exchange.balances.clone();
            spot.list(instrument(), &floor.rules);
            std::mem::swap(&mut floor.spot, &mut spot);
            let said = floor.line("candle 100 100 100 100");
            assert_eq!(said, [""; 0]);
            let placed = floor.line("sell 1 stop 100 follow 500");
            assert_eq!(placed, ["o1 accepted #1"]);
            // 95 would trigger it; the low of 96 came before the high of 110.
            assert_eq!(floor.line("candle 100 110 96 109"), [""; 0]);
            // From 110 it is 104.5.
            let said = floor.line("candle 108 109 103 104");
            assert_eq!(
                said,
                ["o1 triggered", "o1 filled 1 @ 104.44 t1", "o1 ended filled with 1 for 104.44"]
            );
            std::mem::swap(&mut floor.spot, &mut spot);
            assert!(spot.exchange.open_orders().next().is_none());
            assert!(written(&venue_paper::engine::Report::QuoteWanted).is_some());
        },
        "",
    );
}
