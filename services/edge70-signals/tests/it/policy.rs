//! Which breakouts become signals.

use crate::market::{self, Market, btc, candle, config};
use domain::{Direction, Instrument, Interval};
use edge70_signals::{Config, Forward};

/// Direction long, known from the first break of a channel of three highs and two lows.
fn rising(forward: Forward) -> Market {
    let mut market = Market::new(config(3, 2, forward));
    market.days(&[(10, 9), (10, 9), (10, 9), (11, 9)]);
    market.log.clear();
    market
}

#[test]
fn the_first_extreme_is_only_possible_for_nobody_knows_what_came_before() {
    let mut market = Market::new(config(3, 2, Forward::DirectionFlips));
    market.days(&[(10, 9), (10, 9), (10, 9), (11, 9)]).expect(&["3 possible long 10"]);
    assert_eq!(market.edge.state.direction(&btc()), Some(Direction::Long));
}

#[test]
fn the_history_that_a_series_begins_with_is_learned_and_what_follows_is_judged() {
    let mut market = Market::new(config(3, 2, Forward::DirectionFlips));
    // Five days at once, long after they closed: the last one turned the direction.
    let now = domain::Timestamp::from_millis(6 * market::DAY - 1);
    for (i, (high, low)) in [(10, 9), (10, 9), (10, 9), (11, 9), (10, 8)].into_iter().enumerate() {
        let bar = [high.into(), low.into(), domain::Decimal::from(9)];
        let said = market.edge.hear(now, candle(btc(), Interval::Day1, i as i64, bar));
        assert!(said.is_empty(), "a signal of day {i} is stale: {said:?}");
    }
    assert_eq!(market.edge.state.direction(&btc()), Some(Direction::Short));
    market.skip(5).days(&[(10, 9), (12, 9)]).expect(&["6 long 10.5"]);
}

#[test]
fn a_repeated_extreme_is_no_signal_where_only_flips_are_forwarded() {
    rising(Forward::DirectionFlips).days(&[(12, 9), (13, 9)]).expect(&[]);
}

#[test]
fn a_repeated_entry_is_forwarded_until_a_trade_is_open() {
    let mut market = rising(Forward::AllUntilOpen);
    market.days(&[(12, 9), (13, 9)]);
    market.opened("edge70", "t1").days(&[(14, 9)]);
    market.expect(&["4 long 10.5", "5 long 11"]);
    market.closed("t1").days(&[(15, 9)]);
    market.expect(&["4 long 10.5", "5 long 11", "7 long 12"]);
}

#[test]
fn with_two_accounts_the_entry_is_open_until_both_trades_are_closed() {
    let mut market = rising(Forward::AllUntilOpen);
    market.opened("edge70", "t1").opened("edge70", "t2").closed("t1").days(&[(12, 9)]);
    market.expect(&[]);
    market.closed("t2").days(&[(13, 9)]);
    market.expect(&["5 long 11"]);
}

#[test]
fn an_aborted_trade_and_those_of_other_edges_do_not_count_as_open() {
    let mut market = rising(Forward::AllUntilOpen);
    market.aborted("t1").opened("edge60", "t2").days(&[(12, 9)]);
    market.expect(&["4 long 10.5"]);
}

#[test]
fn a_repeated_short_on_spot_is_an_exit_and_not_repeated() {
    let mut market = rising(Forward::AllUntilOpen);
    market.days(&[(10, 8), (10, 7), (10, 6)]).expect(&["4 short 9"]);
}

#[test]
fn a_flip_is_forwarded_though_a_trade_is_open() {
    let mut market = rising(Forward::AllUntilOpen);
    market.opened("edge70", "t1").days(&[(10, 8)]).expect(&["4 short 9"]);
}

#[test]
fn a_candle_that_breaks_both_ways_is_ambiguous_and_turns_nothing() {
    let mut market = rising(Forward::DirectionFlips);
    market.days(&[(12, 8)]).expect(&["4 ambiguous 12>11 8<9"]);
    assert_eq!(market.edge.state.direction(&btc()), Some(Direction::Long));
    market.days(&[(11, 7)]);
    assert_eq!(market.log[1..], ["5 short 9"], "it was taken into the windows all the same");
}

#[test]
fn equal_extremes_break_nothing() {
    rising(Forward::AllUntilOpen).days(&[(11, 9)]).expect(&[]);
}

#[test]
fn candles_of_other_intervals_do_not_count() {
    let mut market = rising(Forward::AllUntilOpen);
    for (i, interval) in [Interval::Minute1, Interval::Hour4, Interval::Week1].into_iter().enumerate() {
        let bar = [100.into(), 1.into(), 50.into()];
        market.hear(candle(btc(), interval, 1_000 + i as i64, bar));
    }
    market.expect(&[]);
    market.days(&[(12, 9)]).expect(&["4 long 10.5"]);
}

#[test]
fn only_the_instruments_that_are_configured_are_judged() {
    let eth: Instrument = "binance:spot:ETHUSDT".parse().unwrap();
    let only = |instrument: Instrument| Config {
        instruments: Some([instrument].into()),
        ..config(3, 2, Forward::DirectionFlips)
    };
    let bars = [(10, 9), (10, 9), (10, 9), (11, 9), (10, 8)];
    Market::new(only(eth)).days(&bars).expect(&[]);
    Market::new(only(btc())).days(&bars).expect(&["3 possible long 10", "4 short 9"]);
}

#[test]
fn each_instrument_has_a_channel_and_a_direction_of_its_own() {
    let mut market = rising(Forward::DirectionFlips);
    let eth: Instrument = "binance:spot:ETHUSDT".parse().unwrap();
    for i in 0..4 {
        market.hear(candle(eth, Interval::Day1, 3 + i, [(20 - i).into(), (10 - i).into(), (15 - i).into()]));
    }
    market.expect(&["3 possible short 13"]);
    assert_eq!(market.edge.state.direction(&eth), Some(Direction::Short));
    assert_eq!(market.edge.state.direction(&btc()), Some(Direction::Long));
}

#[test]
fn a_new_listing_gives_nothing_until_it_has_candles_enough() {
    let mut market = Market::new(config(59, 21, Forward::AllUntilOpen));
    let falling: Vec<(i64, i64)> = (0..21).map(|i| (1_000 - i, 900 - i)).collect();
    market.days(&falling).expect(&[]);
    market.days(&[(1_500, 900)]).expect(&[]);
    market.days(&[(1_400, 100)]).expect(&["22 possible short 750"]);
}

#[test]
fn a_missing_candle_breaks_nothing_and_the_windows_go_on() {
    let mut market = rising(Forward::DirectionFlips);
    market.missing(3).days(&[(10, 8)]).expect(&["7 short 9"]);
}
