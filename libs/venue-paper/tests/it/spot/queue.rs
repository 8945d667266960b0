//! Who is first in line: prices, then time, between others and ourselves.

use super::floor::check;

#[test]
fn a_trade_beyond_our_price_fills_us_and_one_at_it_only_behind_what_stood_before() {
    check(
        "book 99x2 |
        buy 1 limit 99
        → o1 accepted #1
        trade sell 1.5 @ 99
        trade sell 1 @ 99
        → o1 filled 0.5 @ 99 maker t1
        trade sell 0.2 @ 98.99
        → o1 filled 0.2 @ 99 maker t2
        trade buy 9 @ 99
        trade buy 0.1 @ 98
        → o1 filled 0.1 @ 99 maker t3
        = USDT 901+19.8, BTC 10.8+0",
    );
}

#[test]
fn what_comes_after_us_stands_behind_us_and_what_leaves_before_us_lets_us_move_up() {
    check(
        "book 99x2 |
        buy 1 limit 99
        → o1 accepted #1
        book 99x5 |
        trade sell 2 @ 99
        trade sell 1 @ 99
        → o1 filled 1 @ 99 maker t1 / o1 ended filled with 1 for 99
        buy 1 limit 99
        → o2 accepted #2
        book 99x0.5 |
        trade sell 1 @ 99
        → o2 filled 0.5 @ 99 maker t2",
    );
}

#[test]
fn ours_come_in_the_order_in_which_they_came() {
    check(
        "buy 1 limit 99
        → o1 accepted #1
        buy 1 limit 99
        → o2 accepted #2
        buy 1 limit 99.5
        → o3 accepted #3
        trade sell 2.5 @ 99
        → o3 filled 1 @ 99.5 maker t1 / o3 ended filled with 1 for 99.5 / o1 filled 1 @ 99 maker t2 / o1 ended filled with 1 for 99 / o2 filled 0.5 @ 99 maker t3",
    );
}

#[test]
fn a_taker_of_ours_meets_others_first_unless_ours_was_there_before() {
    check(
        "book 99x2 |
        buy 1 limit 99
        → o1 accepted #1
        book 99x5 |
        sell 4 limit 99
        → o2 accepted #2 / o2 filled 2 @ 99 t1 / o2 filled 1 @ 99 t2 / o1 filled 1 @ 99 maker t2 / o1 ended filled with 1 for 99 / o2 filled 1 @ 99 t3 / o2 ended filled with 4 for 396
        shows 99x2 |",
    );
}

#[test]
fn what_was_taken_of_a_book_is_gone_until_the_next() {
    check(
        "book | 100x2 101x2
        buy 3 market
        → o1 accepted #1 / o1 filled 2 @ 100 t1 / o1 filled 1 @ 101 t2 / o1 ended filled with 3 for 301
        shows | 101x1
        buy 1 limit 100
        → o2 accepted #2
        shows 100x1 | 101x1
        book | 100.5x2
        shows 100x1 | 100.5x2",
    );
}

#[test]
fn a_book_that_crosses_ours_fills_them_at_their_price() {
    check(
        "buy 2 limit 99
        → o1 accepted #1
        sell 1 limit 103
        → o2 accepted #2
        book 97x1 | 98x0.5 99x0.5 100x7
        → o1 filled 0.5 @ 99 maker t1 / o1 filled 0.5 @ 99 maker t2
        shows 99x1 97x1 | 100x7 103x1
        book 104x9 |
        → o2 filled 1 @ 103 maker t3 / o2 ended filled with 1 for 103
        shows 104x8 99x1 |",
    );
}

#[test]
fn a_book_that_comes_the_wrong_way_round_is_put_right() {
    check(
        "book 98x1 99x1 | 102x1 101x1
        shows 99x1 98x1 | 101x1 102x1",
    );
}

#[test]
fn candles_and_quotes_fill_nothing_where_there_are_books() {
    check(
        "book 99x1 | 101x1
        buy 1 limit 95
        → o1 accepted #1
        candle 100 120 80 100
        sell 1 market
        → o2 accepted #2 / o2 filled 1 @ 99 t1 / o2 ended filled with 1 for 99",
    );
}

#[test]
fn deposits_and_withdrawals_of_what_is_free() {
    check(
        "sell 4 limit 110
        → o1 accepted #1
        adjust BTC -6.5
        → -6.5 cannot be added to 6 BTC that are free
        adjust BTC 99999999999999999999
        → 99999999999999999999 cannot be added to 6 BTC that are free
        adjust BTC -6
        adjust BNB 1.5
        = BTC 0+4, BNB 1.5+0",
    );
}

#[test]
fn orders_that_waited_for_a_price_come_to_the_book_when_it_begins() {
    use super::floor::{instrument, levels, written};
    use crate::{
        stage::base,
        suite::script::{START, get, new_order},
    };
    use domain::{OrderKind, OrderRequest, Side};
    use venue_paper::engine::{Book, Owner, Spot, Terms, Wanted};

    let mut spot = Spot::new(Terms::default());
    spot.list(instrument(), &crate::suite::script::rules("BTC", "USDT"));
    spot.adjust(START, Owner::FIRST, get("USDT"), get("1000")).unwrap();
    let order = new_order("o1", Side::Buy, base(get("1")), OrderKind::Market);
    let said = spot.place(START, instrument(), &Wanted::from(OrderRequest::Single(order)));
    assert_eq!(said.iter().filter_map(written).collect::<Vec<_>>(), ["o1 accepted #1", "quote?"]);
    let said = spot.see_book(START, instrument(), &Book { bids: Vec::new(), asks: levels("99x0.4 100x2") });
    let wanted = ["o1 filled 0.4 @ 99 fee 0.0004 BTC t1", "o1 filled 0.6 @ 100 fee 0.0006 BTC t2"];
    assert_eq!(said.iter().filter_map(written).collect::<Vec<_>>()[..2], wanted);
}

#[test]
fn of_a_level_that_was_taken_in_part_only_what_is_left_stands_before_ours() {
    check(
        "book | 101x5 102x4 103x2
        buy 7 market
        → o1 accepted #1 / o1 filled 5 @ 101 t1 / o1 filled 2 @ 102 t2 / o1 ended filled with 7 for 709
        sell 1 limit 103
        → o2 accepted #2
        sell 1 limit 102
        → o3 accepted #3
        sell 1 limit 101
        → o4 accepted #4
        trade buy 1 @ 101
        → o4 filled 1 @ 101 maker t3 / o4 ended filled with 1 for 101
        trade buy 2 @ 102
        trade buy 1 @ 102
        → o3 filled 1 @ 102 maker t4 / o3 ended filled with 1 for 102
        trade buy 2 @ 103
        trade buy 1 @ 103
        → o2 filled 1 @ 103 maker t5 / o2 ended filled with 1 for 103",
    );
}

#[test]
fn a_trade_that_is_used_up_leaves_the_twin_of_the_next_in_line_alone() {
    let before = "sell 0.5 limit 105
        → o1 accepted #1
        sell 0.5 limit 105
        → o2 accepted #2
        oco sell 1 above maker 105 below stop 95
        → o3 accepted #3 / o4 accepted #4";
    for price in ["105", "106"] {
        for side in ["buy", "sell"].into_iter().filter(|side| *side == "buy" || price == "106") {
            check(&format!(
                "{before}
                trade {side} 1 @ {price}
                → o1 filled 0.5 @ 105 maker t1 / o1 ended filled with 0.5 for 52.5 / o2 filled 0.5 @ 105 maker t2 / o2 ended filled with 0.5 for 52.5
                cancel o3
                → o3 ended canceled / o4 ended canceled"
            ));
        }
    }
}

#[test]
fn a_trade_moves_up_only_what_stands_at_its_price() {
    check(
        "book 99x2 98x2 |
        buy 1 limit 99
        → o1 accepted #1
        buy 1 limit 98
        → o2 accepted #2
        trade sell 1 @ 99
        cancel o1
        → o1 ended canceled
        trade sell 2 @ 98
        trade sell 1 @ 98
        → o2 filled 1 @ 98 maker t1 / o2 ended filled with 1 for 98",
    );
}

#[test]
fn a_quote_fills_nothing_where_there_are_books() {
    use super::floor::{Floor, instrument};
    use crate::suite::script::get;
    use events::BestPrices;
    use venue_paper::engine::Quote;
    let mut floor = Floor::with(|floor| floor.on_books = false);
    floor.play("candle 100 100 100 100\nbook 90x1 | 101x1\nbuy 1 limit 99\n→ o1 accepted #1");
    let (bid, ask, quantity) = (get("90"), get("91"), get("5"));
    let best = Some(BestPrices { bid, bid_quantity: quantity, ask, ask_quantity: quantity });
    let quote = Quote { price: bid, at: floor.now, best };
    let terms = floor.spot.terms;
    assert_eq!(floor.spot.exchange.trade_quote(&terms, floor.now, &instrument(), &quote), []);
}
