//! How much memory an exchange takes after a tenth of some orders, and after all of them.
//!
//! `cargo run --release -p paper-exchange --example memory -- 1000000`

use domain::{InstrumentRules, Interval, Timestamp};
use events::Candle;
use paper_exchange::{
    endpoint::Endpoint,
    exchange::{Exchange, Setup},
    params::{Params, TimeUnit},
    simulator::{Simulator, Source},
};
use std::{error::Error, fs, time::Duration};

const HOUR: i64 = 3_600_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let orders: u64 = std::env::args().nth(1).unwrap_or_else(|| "1000000".to_owned()).parse()?;
    let mut exchange = exchange()?;
    let mut first = 0;
    for n in 1..=orders {
        exchange.advance(exchange.now() + Duration::from_millis(20));
        let side = if n % 2 == 0 { "SELL" } else { "BUY" };
        let id = format!("order-{n}");
        // Every fourth rests first, and is canceled.
        let pairs = match n % 4 {
            0 => [("type", "LIMIT"), ("timeInForce", "GTC"), ("price", "90000")].as_slice(),
            _ => [("type", "MARKET")].as_slice(),
        };
        let own = [("symbol", "BTCUSDT"), ("side", side), ("quantity", "0.01"), ("newClientOrderId", &id)];
        ask(&mut exchange, Endpoint::OrderPlace, own.iter().chain(pairs))?;
        if n % 4 == 0 {
            let order = [("symbol", "BTCUSDT"), ("origClientOrderId", id.as_str())];
            ask(&mut exchange, Endpoint::OrderCancel, order.iter())?;
        }
        exchange.take_account_frames();
        exchange.take_market_frames();
        if n == orders / 10 {
            first = resident()?;
            println!("after {n} orders: {} MiB", first / 1_024);
        }
    }
    let last = resident()?;
    println!(
        "after {orders} orders: {} MiB, {:.2} times as much",
        last / 1_024,
        last as f64 / first.max(1) as f64
    );
    Ok(())
}

fn exchange() -> Result<Exchange, Box<dyn Error>> {
    let instrument = "binance:spot:BTCUSDT".parse()?;
    let price = "60000".parse()?;
    let volume = "1000".parse()?;
    let start = Timestamp::from_micros(1_767_225_600_000_000);
    let candle = move |hour: i64| Candle {
        instrument,
        interval: Interval::Hour1,
        open_time: Timestamp::from_micros(start.micros() + (hour - 24) * HOUR),
        open: price,
        high: price,
        low: price,
        close: price,
        volume,
    };
    let number = |text: &str| text.parse();
    let rules = InstrumentRules::open(
        "BTC".parse()?,
        "USDT".parse()?,
        number("0.01")?,
        number("0.00001")?,
        number("5")?,
    );
    let candles: Vec<Candle> = (0..24).map(candle).collect();
    let source = Source {
        rules: [(instrument, rules)].into(),
        candles: Box::new(candles.into_iter()),
        seed: 1,
        shift: 0,
        start,
    };
    let mut paper = venue_paper::Config::new("binance:main".parse()?);
    paper.balances.insert("USDT".parse()?, number("1000000000")?);
    paper.balances.insert("BTC".parse()?, number("100000")?);
    Ok(Exchange::new(Setup { paper: paper.into(), start }, Simulator::new(source)))
}

fn ask<'a>(
    exchange: &mut Exchange,
    endpoint: Endpoint,
    pairs: impl Iterator<Item = &'a (&'a str, &'a str)>,
) -> Result<(), Box<dyn Error>> {
    let pairs = pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let answer = exchange.call(endpoint, &Params { pairs, ..Params::default() }, TimeUnit::Milli);
    answer.map(|_| ()).map_err(|no| format!("{endpoint:?}: {} {}", no.code, no.msg).into())
}

/// KiB of this process (Linux).
fn resident() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS in /proc/self/status")?;
    Ok(line.split_whitespace().nth(1).ok_or("VmRSS without a number")?.parse()?)
}
