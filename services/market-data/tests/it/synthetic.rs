use domain::{Decimal, Instrument, Interval, Price};
use events::{Candle, CandleClosed, CandleEvent, Event};
use market_data::{Feed, Market, Synthetic};
use service::Steps;
use std::collections::{BTreeMap, VecDeque};

/// All candles, by series, in their order.
fn candles(seed: u64, days: u32) -> BTreeMap<(Instrument, Interval), Vec<Candle>> {
    let mut market = Synthetic::new(seed, days);
    let series = market.series().to_vec();
    let mut all = BTreeMap::new();
    for (index, series) in series.iter().enumerate() {
        let candles = std::iter::from_fn(|| market.next(index).unwrap()).collect();
        all.insert((series.instrument, series.interval), candles);
    }
    all
}

#[test]
fn the_same_seed_gives_the_same_market_and_another_seed_another() {
    assert_eq!(candles(7, 30), candles(7, 30));
    assert_ne!(candles(7, 30), candles(8, 30));
    // A longer market begins as the shorter one.
    let (short, long) = (candles(7, 30), candles(7, 60));
    assert!(short.iter().all(|(series, candles)| long[series].starts_with(&candles[..candles.len() - 1])));
}

#[test]
fn the_market_of_seed_one_is_the_same_on_every_machine_for_ever() {
    let mut sum = 0_u64;
    for candle in candles(1, 100).values().flatten() {
        for byte in Event::from(CandleClosed { candle: *candle }).body().bytes() {
            sum = (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    assert_eq!(sum, 17_124_621_985_382_571_541, "tapes recorded on this market would not be continued");
}

#[test]
fn candles_are_sound_and_fit_their_rules() {
    let rules = Synthetic::new(1, 1).rules().clone();
    assert!(rules.len() >= 4);
    for ((instrument, _), candles) in candles(1, 200) {
        let rules = &rules[&instrument];
        for c in candles {
            assert!(c.is_consistent(), "{c:?}");
            for price in [c.open, c.high, c.low, c.close] {
                assert!((price.get() % rules.tick_size).is_zero(), "{c:?}");
            }
            assert!((c.volume % rules.lot_size).is_zero() && c.volume > Decimal::ZERO, "{c:?}");
        }
    }
}

#[test]
fn days_are_made_of_exactly_their_hours() {
    let all = candles(3, 400);
    for ((instrument, _), days) in all.iter().filter(|((_, interval), _)| *interval == Interval::Day1) {
        let hours = &all[&(*instrument, Interval::Hour1)];
        let mut counted = 0;
        for day in days {
            let of_day: Vec<&Candle> =
                hours.iter().filter(|h| h.open_time.day() == day.open_time.day()).collect();
            counted += of_day.len();
            assert_eq!(of_day[0].open, day.open);
            assert_eq!(of_day[of_day.len() - 1].close, day.close);
            assert_eq!(of_day.iter().map(|h| h.high).max(), Some(day.high));
            assert_eq!(of_day.iter().map(|h| h.low).min(), Some(day.low));
            assert_eq!(of_day.iter().map(|h| h.volume).sum::<Decimal>(), day.volume);
        }
        assert_eq!(counted, hours.len());
    }
}

#[test]
fn the_number_of_candles_is_known_before_they_are_made() {
    for (seed, days) in [(1, 731), (2, 100), (3, 1)] {
        let made: usize = candles(seed, days).values().map(Vec::len).sum();
        assert_eq!(Synthetic::new(seed, days).candles(), made as u64);
    }
}

/// Falls of the price from one hour's close to the next one's open, in percent, of at least 15.
fn crashes(hours: &[Candle]) -> usize {
    let fell = |pair: &[Candle]| pair[1].open.get() < pair[0].close.get() * Decimal::new(85, 2);
    hours.windows(2).filter(|pair| fell(pair)).count()
}

/// Flips of direction of a 59/21-day Donchian edge on daily candles.
fn flips(days: &[Candle]) -> usize {
    let (mut highs, mut lows): (VecDeque<Price>, VecDeque<Price>) = Default::default();
    let (mut up, mut flips) = (None, 0);
    for day in days {
        let long = highs.len() == 59 && highs.iter().all(|high| day.high > *high);
        let short = lows.len() == 21 && lows.iter().all(|low| day.low < *low);
        if long != short && up != Some(long) {
            flips += usize::from(up.is_some());
            up = Some(long);
        }
        highs.push_back(day.high);
        lows.push_back(day.low);
        highs.drain(..highs.len().saturating_sub(59));
        lows.drain(..lows.len().saturating_sub(21));
    }
    flips
}

#[test]
fn there_is_something_to_trade_and_to_survive() {
    for seed in 1..=5 {
        let all = candles(seed, 731);
        let by = |interval| all.iter().filter(move |((_, i), _)| *i == interval).map(|(_, candles)| candles);
        let gaps: usize = by(Interval::Hour1)
            .map(|c| c.windows(2).filter(|pair| pair[1].open_time > pair[0].close_time()).count())
            .sum();
        let crashes: usize = by(Interval::Hour1).map(|hours| crashes(hours)).sum();
        let flips: Vec<usize> = by(Interval::Day1).map(|days| flips(days)).collect();
        println!("seed {seed}: {gaps} gaps, {crashes} crashes, flips {flips:?}");
        assert!(gaps >= 5, "seed {seed}: {gaps} gaps");
        assert!(crashes >= 5, "seed {seed}: {crashes} crashes");
        assert!(flips.iter().all(|n| (2..=24).contains(n)), "seed {seed}: flips in two years {flips:?}");
        let ends: Vec<String> = by(Interval::Hour1)
            .map(|h| {
                let (least, most) = (h.iter().map(|c| c.low).min(), h.iter().map(|c| c.high).max());
                format!(
                    "{}: {} .. {} ({least:?} to {most:?})",
                    h[0].instrument.symbol,
                    h[0].open,
                    h[h.len() - 1].close
                )
            })
            .collect();
        println!("{ends:#?}");
    }
}

#[test]
fn a_feed_plays_it_without_a_fault_but_gaps() {
    let market = Synthetic::new(1, 400);
    let rules = market.rules().clone();
    let mut feed = Feed::new(Box::new(market), rules, None, None);
    let (mut closed, mut missing) = (0, 0);
    let mut events = Vec::new();
    while feed.next_into(&mut events).unwrap().is_some() {
        for event in &events {
            match event {
                Event::Candle(CandleEvent::Closed(_)) => closed += 1,
                Event::Candle(CandleEvent::Missing(_)) => missing += 1,
                Event::Candle(other) => panic!("{other:?}"),
                _ => {}
            }
        }
    }
    assert_eq!(closed, Synthetic::new(1, 400).candles());
    assert!(missing > 0);
    assert_eq!(feed.taken(), closed);
}
