//! Candles, questions and events in short words. Times are hours since 2024-01-01.

use domain::{Asset, Decimal, Instrument, InstrumentRules, Price, Timestamp};
use events::{Candle, CandleEvent, Event, InstrumentEvent, QuoteAsked, QuoteEvent, TimeEvent, WakeAsked};
use market_data::{Feed, Memory};
use service::Steps;
use std::{collections::BTreeMap, time::Duration};

pub const START: Timestamp = Timestamp::from_millis(1_704_067_200_000);

pub fn at(hours: &str) -> Timestamp {
    let minutes: Decimal = hours.parse::<Decimal>().expect("hours") * Decimal::from(60);
    START + Duration::from_secs(u64::try_from(minutes).expect("minutes") * 60)
}

pub fn hours(at: Timestamp) -> String {
    (Decimal::from(at.since(START).as_secs()) / Decimal::from(3_600)).normalize().to_string()
}

pub fn instrument(symbol: &str) -> Instrument {
    format!("binance:spot:{symbol}").parse().expect("an instrument")
}

pub fn price(of: i64) -> Price {
    Price::new(of.into()).expect("a price")
}

pub fn rules(base: &str) -> InstrumentRules {
    let asset = |name| Asset::new(name).expect("an asset");
    InstrumentRules::open(asset(base), asset("USDT"), Decimal::ONE, Decimal::ONE, Decimal::from(5))
}

/// `BTC 1h 0:100 1:101`: an instrument, an interval, then open hour and price of each candle.
/// A price with `!` makes an inconsistent one, with `~` one that differs in its close.
pub fn series(text: &str) -> Vec<Candle> {
    let mut words = text.split_whitespace();
    let instrument = instrument(words.next().expect("an instrument"));
    let interval = words.next().expect("an interval").parse().expect("an interval");
    let candle = |word: &str| {
        let (open_time, open) = word.split_once(':').expect("hour:price");
        let (open, mark) = match open.strip_suffix(['!', '~']) {
            Some(open) => (open, word.chars().last()),
            None => (open, None),
        };
        let open: i64 = open.parse().expect("a price");
        Candle {
            instrument,
            interval,
            open_time: at(open_time),
            open: price(open),
            high: price(if mark == Some('!') { open - 1 } else { open + 2 }),
            low: price(open - 1),
            close: price(if mark == Some('~') { open + 1 } else { open }),
            volume: Decimal::TEN,
        }
    };
    words.map(candle).collect()
}

/// A feed of series separated by ` / `.
pub fn feed(text: &str, from: Option<Timestamp>, to: Option<Timestamp>) -> Feed {
    let candles: Vec<Candle> = text.split(" / ").flat_map(series).collect();
    let rules: BTreeMap<_, _> = candles.iter().map(|c| (c.instrument, rules(&c.instrument.symbol))).collect();
    Feed::new(Box::new(Memory::new(candles)), rules, from, to)
}

/// One event in short words.
pub fn told(event: &Event) -> String {
    let series = |c: &Candle| format!("{} {} {}", c.instrument.symbol, c.interval, hours(c.open_time));
    match event {
        Event::Instrument(InstrumentEvent::Listed(e)) => format!("list {}", e.instrument.symbol),
        Event::Time(TimeEvent::Passed(e)) => format!("time {}", hours(e.now)),
        Event::Time(TimeEvent::WakeAsked(e)) => format!("wake {}", hours(e.at)),
        Event::Candle(CandleEvent::Closed(e)) => format!("{}:{}", series(&e.candle), e.candle.close),
        Event::Candle(CandleEvent::Missing(e)) => {
            let (from, until) = (hours(e.from), hours(e.until));
            format!("{} {} missing {} from {from} until {until}", e.instrument.symbol, e.interval, e.count)
        }
        Event::Candle(CandleEvent::Differs(e)) => format!("{} differs", series(&e.second)),
        Event::Candle(CandleEvent::Refused(e)) => format!("{} refused {:?}", series(&e.candle), e.fault),
        Event::Quote(QuoteEvent::Seen(e)) => {
            format!("quote {} {} at {}", e.instrument.symbol, e.price, hours(e.at))
        }
        other => other.kind().name().to_owned(),
    }
}

/// Plays a market by a script of ` / `-separated commands, and compares all steps, one in a line:
/// - `from H`, `to H`: the range, before anything else;
/// - `step`, `rest`: takes a step, or all that are left;
/// - `ask SYMBOL`, `wake H`: somebody says so.
pub fn check(candles: &str, script: &str, expected: &str) {
    let (mut from, mut to) = (None, None);
    let commands: Vec<(&str, &str)> =
        script.split(" / ").map(|c| c.split_once(' ').unwrap_or((c, ""))).collect();
    for (verb, hours) in &commands {
        match *verb {
            "from" => from = Some(at(hours)),
            "to" => to = Some(at(hours)),
            _ => {}
        }
    }
    let mut feed = feed(candles, from, to);
    let mut lines = Vec::new();
    for (verb, rest) in commands {
        let said: Event = match verb {
            "ask" => QuoteAsked { instrument: instrument(rest) }.into(),
            "wake" => WakeAsked { at: at(rest) }.into(),
            "step" => {
                lines.push(step(&mut feed).unwrap_or("end".to_owned()));
                continue;
            }
            "rest" => {
                lines.extend(std::iter::from_fn(|| step(&mut feed)));
                continue;
            }
            _ => continue,
        };
        feed.apply(START, &said);
    }
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, expected, "{script}");
}

/// `TIME: event, event`.
fn step(feed: &mut Feed) -> Option<String> {
    // Whoever asks when the next step is takes nothing of it.
    let when = [(); 2].map(|()| feed.when().expect("a market in memory has no faults"));
    let step = feed.next_step().expect("a market in memory has no faults");
    assert_eq!(when, [step.as_ref().map(|step| step.now); 2]);
    let step = step?;
    let told: Vec<String> = step.events.iter().map(told).collect();
    Some(format!("{}: {}", hours(step.now), told.join(", ")))
}
