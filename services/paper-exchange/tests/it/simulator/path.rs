//! The way of the price, and that it is determined.

use super::*;
use domain::Side;

const STREAMS: &[&str] = &[
    "btcusdt@trade",
    "btcusdt@aggTrade",
    "btcusdt@depth@100ms",
    "btcusdt@depth5",
    "btcusdt@kline_1s",
    "btcusdt@kline_1m",
    "btcusdt@kline_1h@+08:00",
    "btcusdt@bookTicker",
    "shibusdt@ticker",
    "shibusdt@depth",
    "币安人生usdt@avgPrice",
    "!miniTicker@arr",
    "!ticker_4h@arr",
];

/// All that an hour or so says, and some answers after it.
fn run(seed: u64, steps: &[i64]) -> String {
    let mut simulator = simulator(seed, 2);
    want(&mut simulator, STREAMS);
    let mut said = String::new();
    for step in steps {
        advance(&mut simulator, NEW_YEAR + step);
        for frame in simulator.take_frames() {
            said += &format!("{} {} {}\n", frame.stream, frame.milli, frame.micro);
        }
    }
    for endpoint in [Endpoint::Ticker24hr, Endpoint::TickerPrice, Endpoint::TickerBookTicker] {
        said += &answer(&mut simulator, endpoint, &[]).to_string();
    }
    said + &answer(&mut simulator, Endpoint::Depth, &[("symbol", "BTCUSDT"), ("limit", "5000")]).to_string()
}

#[test]
fn the_same_inputs_give_the_same_bytes_however_time_is_cut() {
    let end = 200 * SECOND;
    let once = run(7, &[end]);
    assert!(once.lines().count() > 2_000, "{}", once.lines().count());
    assert_eq!(once, run(7, &[end]));
    let cut: Vec<i64> = (1..=end / 77_777).map(|n| n * 77_777).chain([end]).collect();
    assert!(once == run(7, &cut), "cutting time into pieces changed something");
    assert!(once != run(8, &[end]), "the seed changes nothing");
}

#[test]
fn who_looks_on_changes_nothing() {
    let end = NEW_YEAR + 600 * SECOND;
    let ask_all = |simulator: &mut Simulator| {
        let pairs = [("symbol", "BTCUSDT"), ("limit", "1000")];
        let trades = answer(simulator, Endpoint::Trades, &pairs);
        let mut klines = pairs.to_vec();
        klines.push(("interval", "1s"));
        let book = simulator.book(instrument("BTCUSDT")).unwrap();
        (trades, answer(simulator, Endpoint::Klines, &klines), book)
    };
    let mut quiet = simulator(3, 2);
    quiet.watch(BTreeSet::new());
    assert!(quiet.next_tick(at(end)).is_none(), "nobody watches");
    let mut followed = simulator(3, 2);
    want(&mut followed, STREAMS);
    let mut watched = simulator(3, 2);
    watched.watch(BTreeSet::from([instrument("BTCUSDT")]));
    let (mut trades, mut tenths) = (0, BTreeSet::new());
    while let Some(tick) = watched.next_tick(at(end)) {
        assert_eq!(tick.instrument, instrument("BTCUSDT"));
        trades += usize::from(!tick.trades.is_empty());
        tenths.insert(tick.at.micros().div_euclid(SECOND / 10));
    }
    assert!((400..1_200).contains(&trades), "{trades} trades in ten minutes");
    assert_eq!(tenths.len(), 6_000, "and a look at every tenth of a second");
    advance(&mut followed, end);
    let seen = ask_all(&mut quiet);
    assert_eq!(seen, ask_all(&mut followed));
    assert_eq!(seen, ask_all(&mut watched));
}

/// A random but consistent series of candles, on the grid, gaps and all.
fn series(dice: &mut Dice, interval: Interval, from: i64, count: i64) -> Vec<Candle> {
    let mut candles = Vec::new();
    let mut last = 100_000 + dice.below(10_000_000) as i64;
    let length = interval.length().as_micros() as i64;
    for n in 0..count {
        if dice.below(20) == 0 {
            continue;
        }
        let open = (last + dice.below(41) as i64 - 20).max(1);
        let wide = match dice.below(4) {
            0 => 1,
            1 => 30,
            _ => open as u64 / 50 + 1,
        };
        let close = (open + dice.below(2 * wide) as i64 - wide as i64).max(1);
        let high = open.max(close) + dice.below(wide) as i64;
        let low = (open.min(close) - dice.below(wide) as i64).max(1);
        let cents = |ticks: i64| Price::new(Decimal::new(ticks, 2)).unwrap();
        let volume = match dice.below(5) {
            0 => Decimal::ZERO,
            1 => Decimal::new(dice.below(50) as i64, 5),
            _ => Decimal::new(dice.below(1_000_000_000) as i64, 5),
        };
        candles.push(Candle {
            instrument: instrument("BTCUSDT"),
            interval,
            open_time: at(from + n * length),
            open: cents(open),
            high: cents(high),
            low: cents(low),
            close: cents(close),
            volume,
        });
        last = close;
    }
    candles
}

/// Open, high, low, close and volume as klines have them.
fn row(kline: &Value) -> Vec<Decimal> {
    (1..=5).map(|i| d(kline[i].as_str().unwrap())).collect()
}

fn kline_of(simulator: &mut Simulator, candle: &Candle) -> Value {
    let open = candle.open_time.millis().to_string();
    let pairs = [
        ("symbol", "BTCUSDT"),
        ("interval", candle.interval.as_str()),
        ("startTime", &open),
        ("endTime", &open),
    ];
    answer(simulator, Endpoint::Klines, &pairs)[0].clone()
}

#[test]
fn candles_are_reproduced_exactly() {
    for (n, seed) in seeds().into_iter().enumerate() {
        println!("TAPEDECK_SEED={seed}");
        let interval = [Interval::Minute1, Interval::Hour1, Interval::Second1, Interval::Minute15][n % 4];
        let count = if interval == Interval::Hour1 { 8 } else { 40 };
        let length = interval.length().as_micros() as i64;
        let candles = series(&mut Dice(seed), interval, NEW_YEAR, count);
        let end = NEW_YEAR + count * length;
        let mut simulator = made_of(candles.clone(), seed, NEW_YEAR);
        simulator.watch(BTreeSet::new());
        assert!(simulator.next_tick(at(end)).is_none());
        for candle in &candles {
            let kline = kline_of(&mut simulator, candle);
            let found = row(&kline);
            let wanted = [candle.open, candle.high, candle.low, candle.close].map(Price::get);
            assert_eq!(found[..4], wanted, "{candle:?}");
            // Each of the four prices needs a trade, of a lot at least.
            let least = d("0.00004");
            assert!(
                found[4] == candle.volume
                    || (candle.volume < d("0.001") && found[4] <= candle.volume + least),
                "{} instead of {} in {candle:?}",
                found[4],
                candle.volume
            );
        }
    }
}

#[test]
fn trades_lie_on_the_grid_and_between_high_and_low_and_make_the_price() {
    let candles =
        vec![candle("BTCUSDT", Interval::Hour1, NEW_YEAR, ["100.00", "101.00", "99.00", "100.50"], "500")];
    let mut simulator = made_of(candles, 5, NEW_YEAR - SECOND);
    let (mut count, mut volume, mut last_at) = (0, Decimal::ZERO, at(0));
    let (mut buys, mut sells, mut prices) = (0, 0, BTreeSet::new());
    while let Some(tick) = simulator.next_tick(at(NEW_YEAR + HOUR - 1)) {
        assert!(tick.at > last_at, "time goes on");
        last_at = tick.at;
        for (price, quantity, side) in tick.trades {
            assert!(price >= super::price("99") && price <= super::price("101"));
            assert!((price.get() % d("0.01")).is_zero() && (quantity.get() % d("0.00001")).is_zero());
            count += 1;
            volume += quantity.get();
            prices.insert(price);
            match side {
                Side::Buy => buys += 1,
                Side::Sell => sells += 1,
            }
        }
        let book = simulator.book(tick.instrument).unwrap();
        let (bid, ask) = (book.bids[0].0, book.asks[0].0);
        assert!(bid < ask && book.bids.len() > 100 && book.asks.len() > 100);
        let last = simulator.last_price(tick.instrument).unwrap();
        assert!(bid == last || ask == last, "{bid} {ask} {last}");
    }
    assert_eq!(volume, d("500"));
    assert!((3_500..8_000).contains(&count), "{count} trades in an hour");
    assert!(buys > count / 4 && sells > count / 4, "{buys} buys, {sells} sells");
    assert!(prices.len() > 100, "{} prices", prices.len());
}

#[test]
fn it_never_stands_still_where_candles_end() {
    let mut simulator = made_of(
        vec![candle("BTCUSDT", Interval::Day1, NEW_YEAR - DAY, ["100", "110", "90", "105"], "1000")],
        9,
        NEW_YEAR,
    );
    let mut prices = BTreeSet::new();
    let (mut ticks, mut last) = (0, at(NEW_YEAR));
    while let Some(tick) = simulator.next_tick(at(NEW_YEAR + 6 * HOUR)) {
        assert!(tick.at.since(last).as_secs() < 30, "{} after {last}", tick.at);
        last = tick.at;
        prices.extend(tick.trades.iter().map(|trade| trade.0));
        ticks += 1;
    }
    assert!((20_000..40_000).contains(&ticks), "{ticks}");
    assert!(
        prices.len() > 40 && prices.iter().all(|&p| p > price("50") && p < price("200")),
        "{}",
        prices.len()
    );
}

#[test]
fn the_finest_candle_wins_and_a_hole_in_it_is_walked_through() {
    let hour = |n: i64, close: &str| {
        candle("BTCUSDT", Interval::Hour1, NEW_YEAR + n * HOUR, ["100", "120", "80", close], "1000")
    };
    let day = candle("BTCUSDT", Interval::Day1, NEW_YEAR, ["500", "900", "400", "600"], "9000");
    let mut hours: Vec<_> = (0..24).filter(|n| !(5..7).contains(n)).map(|n| hour(n, "101")).collect();
    hours.push(day);
    let mut simulator = made_of(hours.clone(), 4, NEW_YEAR);
    simulator.watch(BTreeSet::new());
    assert!(simulator.next_tick(at(NEW_YEAR + DAY)).is_none());
    for candle in &hours[..22] {
        let found = row(&kline_of(&mut simulator, candle));
        assert_eq!(found[..4], [candle.open, candle.high, candle.low, candle.close].map(Price::get));
    }
    let day = row(&kline_of(&mut simulator, &hours[22]));
    assert_eq!([day[0], day[3]], [d("100"), d("101")]);
    assert!(day[1] < d("150") && day[2] > d("60"), "the hole is walked through near by: {day:?}");
}

#[test]
fn the_past_is_shifted_to_the_present() {
    let candles =
        vec![candle("BTCUSDT", Interval::Day1, NEW_YEAR - DAY, ["100", "110", "90", "105"], "1000")];
    let mut simulator = Simulator::new(Source {
        rules: rules(),
        candles: Box::new(candles.into_iter()),
        seed: 1,
        shift: 100 * DAY,
        start: at(NEW_YEAR + 100 * DAY + 5 * HOUR),
    });
    let klines = answer(&mut simulator, Endpoint::Klines, &[("symbol", "BTCUSDT"), ("interval", "1d")]);
    let klines = klines.as_array().unwrap();
    assert_eq!(klines[0][0], (NEW_YEAR + 99 * DAY) / 1_000);
    assert_eq!(klines[0][4], "105.00000000");
    // Something is there to be asked for at once.
    let trades = answer(&mut simulator, Endpoint::Trades, &[("symbol", "BTCUSDT")]);
    assert_eq!(trades.as_array().unwrap().len(), 500);
    assert_eq!(simulator.book(instrument("SHIBUSDT")), None, "nothing is known of it");
}

#[test]
fn nobody_trades_in_what_does_not_trade() {
    let mut simulator = simulator(2, 2);
    simulator.set_status(instrument("BTCUSDT"), "HALT");
    let last = simulator.last_price(instrument("BTCUSDT"));
    while let Some(tick) = simulator.next_tick(at(NEW_YEAR + 60 * SECOND)) {
        assert_ne!(tick.instrument, instrument("BTCUSDT"));
    }
    assert_eq!(simulator.last_price(instrument("BTCUSDT")), last);
}
