//! Live candles, against a scripted venue on 127.0.0.1 and, for any order of arrival, against a model.

mod exchange;
mod play;
mod quotes;
mod sequence;
#[path = "../../../../../libs/venue-binance/tests/it/net/server.rs"]
#[expect(dead_code, reason = "what only the client's own tests need")]
mod server;

use domain::{Instrument, Timestamp};
use events::{Candle, CandleEvent, Event};
use market_data::Series;
use std::{
    future::Future,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::timeout;

/// With a deadline for everything.
fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { timeout(Duration::from_secs(60), test).await.expect("within a minute") })
}

/// For the server; nothing here is signed.
const SECRET: &str = "secret";

fn machine() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_micros(since.as_micros() as i64)
}

fn btc() -> Instrument {
    "binance:spot:BTCUSDT".parse().unwrap()
}

fn series() -> Series {
    Series { interval: "1m".parse().unwrap(), instrument: btc() }
}

/// The minute that the tests call 0.
const START: i64 = 28_000_000;

fn minute(n: i64) -> Timestamp {
    Timestamp::from_millis((START + n) * 60_000)
}

/// The candle of a minute, told apart by its volume.
fn candle(n: i64) -> Candle {
    let price = |text: &str| text.parse().unwrap();
    Candle {
        instrument: btc(),
        interval: "1m".parse().unwrap(),
        open_time: minute(n),
        open: price("100"),
        high: price("110"),
        low: price("90"),
        close: price("105"),
        volume: n.into(),
    }
}

/// In one line: the minute of a closed candle, or what is wrong with which.
fn word(event: &Event) -> String {
    let n = |at: Timestamp| at.millis() / 60_000 - START;
    match event {
        Event::Candle(CandleEvent::Closed(e)) => {
            assert_eq!(e.candle, candle(n(e.candle.open_time)), "it is said as it was");
            n(e.candle.open_time).to_string()
        }
        Event::Candle(CandleEvent::Missing(e)) => format!("missing {}..{}", n(e.from), n(e.until)),
        Event::Candle(CandleEvent::Differs(e)) => format!("differs {}", n(e.second.open_time)),
        Event::Candle(CandleEvent::Refused(e)) => {
            format!("refused {} {:?}", n(e.candle.open_time), e.fault)
        }
        Event::Instrument(_) => "listed".to_owned(),
        other => format!("{other:?}"),
    }
}
