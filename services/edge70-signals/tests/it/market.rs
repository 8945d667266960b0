//! A market to let the edge hear, and its sayings as lines of a log.

use domain::{Decimal, Direction, Instrument, Interval, Price, Timestamp};
use edge70_signals::{Config, Edge70, Forward};
use events::{
    AbortReason, Candle, CandleClosed, CandleMissing, Event, Evidence, ExitReason, SignalEvent, TradeAborted,
    TradeClosed, TradeOpened,
};
use service::Solo;
use std::num::NonZeroU32;

pub const DAY: i64 = 86_400_000;

pub struct Market {
    pub edge: Solo<Edge70>,
    pub log: Vec<String>,
    pub said: Vec<Event>,
    next: i64,
}

pub fn config(long: u32, short: u32, forward: Forward) -> Config {
    Config {
        edge: "edge70".parse().unwrap(),
        instruments: None,
        interval: Interval::Day1,
        long: NonZeroU32::new(long).unwrap(),
        short: NonZeroU32::new(short).unwrap(),
        forward,
    }
}

pub fn btc() -> Instrument {
    "binance:spot:BTCUSDT".parse().unwrap()
}

/// The `i`-th candle of a series, from 1970-01-01 on.
pub fn candle(
    instrument: Instrument,
    interval: Interval,
    i: i64,
    [high, low, close]: [Decimal; 3],
) -> CandleClosed {
    let price = |d| Price::new(d).unwrap();
    let open_time = Timestamp::from_micros(i * interval.length().as_micros() as i64);
    let (high, low, close) = (price(high), price(low), price(close));
    CandleClosed {
        candle: Candle {
            instrument,
            interval,
            open_time,
            open: close,
            high,
            low,
            close,
            volume: Decimal::ONE,
        },
    }
}

impl Market {
    pub fn new(config: Config) -> Self {
        Self { edge: Solo::new(config), log: Vec::new(), said: Vec::new(), next: 0 }
    }

    /// The next daily candles of BTCUSDT as (high, low), closing in the middle.
    pub fn days(&mut self, bars: &[(i64, i64)]) -> &mut Self {
        for &(high, low) in bars {
            let close = Decimal::new((high + low) * 5, 1).normalize();
            self.day([high.into(), low.into(), close]);
        }
        self
    }

    pub fn day(&mut self, bar: [Decimal; 3]) {
        let day = candle(btc(), Interval::Day1, self.next, bar);
        self.next += 1;
        self.hear(day);
    }

    /// Any event, heard a second after the last candle's close.
    pub fn hear(&mut self, event: impl Into<Event>) -> &mut Self {
        let said = self.edge.hear(Timestamp::from_millis(self.next * DAY + 1_000), event);
        for event in said {
            self.log.push(format!("{} {}", self.next - 1, line(&event)));
            self.said.push(event);
        }
        self
    }

    /// So many days that were heard already.
    pub fn skip(&mut self, days: i64) -> &mut Self {
        self.next += days;
        self
    }

    pub fn missing(&mut self, count: i64) -> &mut Self {
        let day = |i| Timestamp::from_millis(i * DAY);
        let (from, until) = (day(self.next), day(self.next + count));
        self.next += count;
        self.hear(CandleMissing {
            instrument: btc(),
            interval: Interval::Day1,
            from,
            until,
            count: count as u64,
        })
    }

    pub fn opened(&mut self, edge: &str, trade: &str) -> &mut Self {
        let d = Decimal::ONE;
        self.hear(TradeOpened {
            trade: trade.parse().unwrap(),
            account: "paper:main".parse().unwrap(),
            instrument: btc(),
            edge: edge.parse().unwrap(),
            direction: Direction::Long,
            quantity: d,
            price: d,
            value: d,
        })
    }

    pub fn closed(&mut self, trade: &str) -> &mut Self {
        let (d, at) = (Decimal::ONE, Timestamp::ZERO);
        self.hear(TradeClosed {
            trade: trade.parse().unwrap(),
            account: "paper:main".parse().unwrap(),
            instrument: btc(),
            edge: "edge70".parse().unwrap(),
            direction: Direction::Long,
            reason: ExitReason::StopHit,
            quantity: d,
            entry_price: d,
            exit_price: d,
            cost: d,
            proceeds: d,
            profit: Decimal::ZERO,
            fees: Vec::new(),
            left: Decimal::ZERO,
            left_cost: Decimal::ZERO,
            left_worth: Decimal::ZERO,
            carried: Decimal::ZERO,
            carried_cost: Decimal::ZERO,
            opened_at: at,
            closed_at: at,
        })
    }

    pub fn aborted(&mut self, trade: &str) -> &mut Self {
        self.hear(TradeAborted {
            trade: trade.parse().unwrap(),
            account: "paper:main".parse().unwrap(),
            instrument: btc(),
            edge: "edge70".parse().unwrap(),
            reason: AbortReason::EntryUnfilled,
            text: String::new(),
        })
    }

    pub fn expect(&self, log: &[&str]) {
        assert_eq!(self.log, log);
    }
}

fn line(event: &Event) -> String {
    match event {
        Event::Signal(SignalEvent::Given(s)) => format!("{} {}", s.direction, s.price),
        Event::Signal(SignalEvent::Possible(s)) => format!("possible {} {}", s.direction, s.price),
        Event::Signal(SignalEvent::Ambiguous(s)) => {
            let (Some(Evidence::Breakout(long)), Some(Evidence::Breakout(short))) = (&s.long, &s.short)
            else {
                return format!("ambiguous without breakouts: {s:?}");
            };
            format!("ambiguous {}>{} {}<{}", long.extreme, long.channel, short.extreme, short.channel)
        }
        other => format!("unexpected {}", other.kind().name()),
    }
}
