use super::*;
use events::{Candle, TapeOpened, Uuid};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

fn day(n: u32) -> Timestamp {
    "2024-01-01".parse::<Timestamp>().unwrap() + DAY * n
}

fn see(collector: &mut Collector, recorded_at: Timestamp, event: impl Into<Event>) {
    let (id, source, at) = (Uuid::nil(), "test".parse().unwrap(), recorded_at);
    let event = event.into();
    collector.see(&Recorded { position: 1, id, source, cause: None, at, recorded_at, event });
}

/// Days 0 to 3 open at 100, 200, 300 and 400, and close where the next one opens.
fn four_days(clock: Clock, recorded_at: impl Fn(u32) -> Timestamp) -> Summary {
    let mut collector = Collector::default();
    let opened = TapeOpened { tape: Uuid::nil(), clock, market: "test".to_owned() };
    see(&mut collector, day(2), opened);
    for n in 0..4 {
        let price = |n: u32| domain::Price::new(Decimal::from(100 * (n + 1))).unwrap();
        let candle = Candle {
            instrument: "binance:spot:BTCUSDT".parse().unwrap(),
            interval: domain::Interval::Day1,
            open_time: day(n),
            open: price(n),
            high: price(n + 1),
            low: price(n),
            close: price(n + 1),
            volume: Decimal::ONE,
        };
        see(&mut collector, recorded_at(n), CandleClosed { candle });
    }
    collector.summary()
}

#[test]
fn holding_begins_when_a_live_tape_does_and_not_with_the_history_before_it() {
    let live = four_days(Clock::Wall, |n| day(n + 1).max(day(2)));
    assert_eq!((live.from, live.to), (Some(day(2)), Some(day(4))));
    // Bought at 300, worth 500.
    assert_eq!(live.buy_and_hold.unwrap().return_ratio.round_dp(4), "0.6667".parse().unwrap());
}

#[test]
fn all_of_a_recorded_market_counts() {
    let played = four_days(Clock::Market, |n| day(n + 1));
    assert_eq!((played.from, played.to), (Some(day(0)), Some(day(4))));
    assert_eq!(played.buy_and_hold.unwrap().return_ratio, Decimal::from(4));
}
