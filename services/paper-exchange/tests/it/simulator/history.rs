//! X3 and X5: klines of every interval and time zone right after the start, which add up, whatever candles there are.

use super::*;
use std::collections::BTreeMap;

/// A kline: open time in ms, open, high, low, close, volume, close time, quote volume, trades.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    open_time: i64,
    prices: [Decimal; 4],
    volume: Decimal,
    close_time: i64,
    quote: Decimal,
    trades: u64,
}

const SPANS: [&str; 16] =
    ["1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"];

fn rows(simulator: &mut Simulator, more: &[(&str, &str)]) -> Vec<Row> {
    let mut pairs = vec![("symbol", "BTCUSDT"), ("limit", "1000")];
    pairs.extend(more);
    let answered = answer(simulator, Endpoint::Klines, &pairs);
    assert_eq!(answered, answer(simulator, Endpoint::UiKlines, &pairs), "both say the same");
    let number = |value: &Value| d(value.as_str().unwrap());
    let row = |row: &Value| Row {
        open_time: row[0].as_i64().unwrap(),
        prices: [1, 2, 3, 4].map(|place| number(&row[place])),
        volume: number(&row[5]),
        close_time: row[6].as_i64().unwrap(),
        quote: number(&row[7]),
        trades: row[8].as_u64().unwrap(),
    };
    answered.as_array().unwrap().iter().map(row).collect()
}

/// The rows of a time put together.
fn whole<'a>(rows: impl Iterator<Item = &'a Row>) -> Row {
    let rows: Vec<&Row> = rows.collect();
    let busy: Vec<&&Row> = rows.iter().filter(|row| row.trades > 0).collect();
    let of = |place: usize| busy.iter().map(move |row| row.prices[place]);
    let flat = rows[0].prices[0];
    Row {
        open_time: rows[0].open_time,
        prices: [
            of(0).next().unwrap_or(flat),
            of(1).max().unwrap_or(flat),
            of(2).min().unwrap_or(flat),
            of(3).next_back().unwrap_or(flat),
        ],
        volume: rows.iter().map(|row| row.volume).sum(),
        close_time: rows[rows.len() - 1].close_time,
        quote: rows.iter().map(|row| row.quote).sum(),
        trades: rows.iter().map(|row| row.trades).sum(),
    }
}

/// Days of BTCUSDT that end a day after New Year, with hours until `hours_until` days before New Year.
fn days(count: i64, hours_until: Option<i64>, hours_from: Option<i64>) -> Vec<Candle> {
    let mut dice = Dice(77);
    let mut price = 6_000_000_i64;
    let mut candles = Vec::new();
    for day in -count..1 {
        let has_hours =
            hours_until.is_some_and(|until| day < -until) || hours_from.is_some_and(|from| day >= -from);
        let (open, mut high, mut low) = (price, price, price);
        let mut volume = 0;
        for hour in 0..24 {
            let close = price + dice.below(40_001) as i64 - 20_000;
            let (top, bottom) =
                (price.max(close) + dice.below(9_000) as i64, price.min(close) - dice.below(9_000) as i64);
            let lots = 10_000_000 + dice.below(90_000_000) as i64;
            (high, low, volume) = (high.max(top), low.min(bottom), volume + lots);
            if has_hours {
                let prices = [price, top, bottom, close];
                candles.push(made(Interval::Hour1, NEW_YEAR + day * DAY + hour * HOUR, prices, lots));
            }
            price = close;
        }
        candles.push(made(Interval::Day1, NEW_YEAR + day * DAY, [open, high, low, price], volume));
    }
    candles.sort_by_key(|c| (c.close_time(), c.interval));
    candles
}

fn made(interval: Interval, open_time: i64, prices: [i64; 4], lots: i64) -> Candle {
    let [open, high, low, close] = prices.map(|cents| Price::new(Decimal::new(cents, 2)).unwrap());
    let volume = Decimal::new(lots, 5);
    Candle {
        instrument: instrument("BTCUSDT"),
        interval,
        open_time: at(open_time),
        open,
        high,
        low,
        close,
        volume,
    }
}

/// Case 9: bots that warm up on 1m, 5m, 15m.
#[test]
fn a_thousand_klines_of_every_interval_are_there_right_after_the_start() {
    for candles in [days(1_100, Some(0), None), days(1_100, None, None)] {
        let mut simulator = made_of(candles, 3, NEW_YEAR + 7 * HOUR + 123 * SECOND);
        for span in SPANS {
            let expected = match span {
                "3d" => 368,
                "1w" => 158,
                "1M" => 38,
                _ => 1_000,
            };
            for zone in ["0", "8", "-3:00", "05:45"] {
                let rows = rows(&mut simulator, &[("interval", span), ("timeZone", zone)]);
                assert!(rows.len().abs_diff(expected) <= 1, "{span} {zone}: {} of {expected}", rows.len());
                for pair in rows.windows(2) {
                    assert_eq!(pair[1].open_time, pair[0].close_time + 1, "{span} {zone}: no gap");
                    let jump = (pair[1].prices[0] / pair[0].prices[3] - Decimal::ONE).abs();
                    assert!(jump < d("0.01"), "{span} {zone}: {:?} {:?}", pair[0], pair[1]);
                }
                let busy = rows.iter().filter(|row| row.trades > 0).count();
                // Since the start, seconds are what was traded, and in some nobody trades.
                let least = if span == "1s" { rows.len() * 6 } else { rows.len() * 9 };
                assert!(busy * 10 >= least, "{span} {zone}: {busy} of {} have trades", rows.len());
            }
        }
    }
}

#[test]
fn finer_klines_add_up_to_the_coarser_ones_above_them() {
    let mut simulator = made_of(days(60, Some(20), None), 4, NEW_YEAR + 7 * HOUR + 1_000 * SECOND);
    for zone in ["0", "8", "05:45"] {
        for (fine, coarse) in [
            ("1s", "1m"),
            ("1m", "3m"),
            ("1m", "1h"),
            ("5m", "1h"),
            ("15m", "4h"),
            ("30m", "12h"),
            ("1h", "1d"),
            ("4h", "1d"),
            ("1d", "1w"),
            ("1d", "1M"),
        ] {
            let fine = rows(&mut simulator, &[("interval", fine), ("timeZone", zone)]);
            let coarse_rows = rows(&mut simulator, &[("interval", coarse), ("timeZone", zone)]);
            let mut compared = 0;
            for row in coarse_rows.iter().filter(|row| row.open_time >= fine[0].open_time) {
                let parts =
                    fine.iter().filter(|part| (row.open_time..row.close_time).contains(&part.open_time));
                let mut sum = whole(parts);
                // Each is cut off at eight decimals.
                let lost = row.quote - sum.quote;
                assert!(lost >= Decimal::ZERO && lost < d("0.0001"), "{lost}");
                sum.quote = row.quote;
                sum.close_time = row.close_time;
                assert_eq!(&sum, row, "{coarse} in {zone}");
                compared += 1;
            }
            assert!(compared >= 2, "{coarse} in {zone}: {compared}");
        }
    }
}

/// X5: hours that end before the days, or begin after them, and days without any.
#[test]
fn where_finer_candles_are_missing_they_are_made_from_the_coarser_ones() {
    for candles in [days(200, Some(30), None), days(200, None, Some(5)), days(200, None, None)] {
        let days: BTreeMap<i64, Candle> = candles
            .iter()
            .filter(|candle| candle.interval == Interval::Day1)
            .map(|candle| (candle.open_time.millis(), *candle))
            .collect();
        let mut simulator = made_of(candles.clone(), 5, NEW_YEAR + 3 * HOUR);
        let hours = rows(&mut simulator, &[("interval", "1h")]);
        assert!(hours.iter().all(|hour| hour.trades > 0), "no flat line");
        for pair in hours.windows(2) {
            let jump = (pair[1].prices[0] / pair[0].prices[3] - Decimal::ONE).abs();
            assert!(jump < d("0.001"), "{:?} {:?}", pair[0], pair[1]);
        }
        let mut compared = 0;
        for row in rows(&mut simulator, &[("interval", "1d")]) {
            let Some(day) = days.get(&row.open_time).filter(|day| day.close_time().micros() <= NEW_YEAR)
            else {
                continue;
            };
            let prices = [day.open, day.high, day.low, day.close].map(Price::get);
            assert_eq!((row.prices, row.volume), (prices, day.volume), "the day is the day");
            let parts: Vec<&Row> = hours
                .iter()
                .filter(|hour| (row.open_time..row.close_time).contains(&hour.open_time))
                .collect();
            if parts.len() == 24 {
                let sum = whole(parts.into_iter());
                assert_eq!((sum.prices, sum.volume), (row.prices, row.volume), "and its hours add up to it");
                compared += 1;
            }
        }
        assert!(compared > 35, "{compared}");
        // And the day goes on as it began: where it ends, it is the candle.
        simulator.watch(BTreeSet::new());
        assert!(simulator.next_tick(at(NEW_YEAR + DAY + HOUR)).is_none());
        let today = rows(&mut simulator, &[("interval", "1d")]).into_iter().rev().nth(1).unwrap();
        let day = days[&today.open_time];
        let prices = [day.open, day.high, day.low, day.close].map(Price::get);
        assert_eq!((today.prices, today.volume), (prices, day.volume));
    }
}

/// The hours of a day are there until some hour of it.
#[test]
fn what_hours_leave_of_a_day_is_made_from_the_day() {
    for missing in [&[(15, 24)][..], &[(0, 9)], &[(5, 7)], &[(3, 4), (20, 24)]] {
        let day =
            made(Interval::Day1, NEW_YEAR - 3 * DAY, [6_000_000, 6_900_000, 5_000_000, 6_010_000], 2_400_000);
        let mut candles: Vec<Candle> = (0..24)
            .filter(|hour| !missing.iter().any(|(from, to)| (from..to).contains(&hour)))
            .map(|hour| {
                made(
                    Interval::Hour1,
                    NEW_YEAR - 3 * DAY + hour * HOUR,
                    [6_000_000, 6_010_000, 5_990_000, 6_000_000],
                    50_000,
                )
            })
            .collect();
        candles.push(day);
        for n in [-2, -1, 0] {
            candles.push(made(
                Interval::Day1,
                NEW_YEAR + n * DAY,
                [6_010_000, 6_020_000, 6_000_000, 6_010_000],
                2_400_000,
            ));
        }
        let mut simulator = made_of(candles, 6, NEW_YEAR + HOUR);
        let first = (NEW_YEAR - 3 * DAY) / 1_000;
        let days = rows(&mut simulator, &[("interval", "1d")]);
        assert_eq!(days[0].open_time, first);
        assert_eq!(days[0].prices, [d("60000"), d("69000"), d("50000"), days[0].prices[3]], "{missing:?}");
        assert_eq!(days[0].volume, day.volume, "{missing:?}");
        let hours = rows(&mut simulator, &[("interval", "1h"), ("startTime", &first.to_string())]);
        let sum = whole(hours[..24].iter());
        assert_eq!((sum.prices, sum.volume), (days[0].prices, days[0].volume), "{missing:?}");
        assert!(hours[..24].iter().all(|hour| hour.trades > 0), "{missing:?}");
    }
}

#[test]
fn the_past_is_the_same_whenever_it_is_asked_for() {
    let minutes = |asks_first: bool| {
        let mut simulator = made_of(days(40, Some(10), None), 8, NEW_YEAR + 2 * HOUR);
        if asks_first {
            SPANS.iter().for_each(|span| _ = rows(&mut simulator, &[("interval", span)]));
        }
        simulator.watch(BTreeSet::new());
        assert!(simulator.next_tick(at(NEW_YEAR + 5 * HOUR)).is_none());
        let start = ((NEW_YEAR - 12 * DAY) / 1_000).to_string();
        rows(&mut simulator, &[("interval", "1m"), ("startTime", &start)])
    };
    assert_eq!(minutes(false), minutes(true));
}
