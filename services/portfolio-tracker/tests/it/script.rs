//! A script of balances and prices, and the log that it must give.

use domain::{Account, Decimal, Instrument, InstrumentRules, Interval, Price, Side, Timestamp};
use events::*;
use portfolio_tracker::{Config, PortfolioTracker};
use service::Solo;

/// Hears `script`, one fact a line, and must say `log`, one valuation a line:
///
/// - `list BTCUSDT BTC USDT`: an instrument, its base and its quote
/// - `close BTCUSDT 100 at 60`, `quote BTCUSDT 100 at 60`: a candle that closed, a price that was seen
/// - `fill BTCUSDT 100 at 60`: a price that was paid
/// - `main has 10 + 5 USDT as of 60`: free and locked
/// - `main deposit 10 USDT at 60`, `main withdrawal …`, `main interest …`: the ledger
/// - `time 60`: it is now that many seconds after the start
///
/// As on a market's clock, whoever asked to be woken at an instant is woken at its end: before the first
/// time or price of a later one, and after the last line.
#[track_caller]
pub fn check(script: &str, log: &str) {
    let mut core = Solo::<PortfolioTracker>::new(Config::new("USDT".parse().unwrap()));
    let mut now = Timestamp::ZERO;
    let (mut said, mut woken) = (Vec::new(), false);
    let mut hear = |now: Timestamp, fact: Event, woken: &mut bool| {
        for event in core.hear(now, fact) {
            match event {
                Event::Time(TimeEvent::WakeAsked(wake)) => {
                    assert!(!*woken && wake.at == now, "one wake an instant, at it");
                    *woken = true;
                }
                event => said.push(written(&event)),
            }
        }
    };
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if later(line).is_some_and(|then| then > now) && std::mem::take(&mut woken) {
            hear(now, TimePassed { now }.into(), &mut woken);
        }
        if let Some(seconds) = line.strip_prefix("time ") {
            now = at(seconds);
        }
        hear(now, fact(line), &mut woken);
    }
    if std::mem::take(&mut woken) {
        hear(now, TimePassed { now }.into(), &mut woken);
    }
    let wanted: Vec<&str> = log.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(said, wanted);
}

/// The time of a line that says that time goes on.
fn later(line: &str) -> Option<Timestamp> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["time", seconds] | ["close" | "quote" | "fill", _, _, "at", seconds] => Some(at(seconds)),
        _ => None,
    }
}

fn fact(line: &str) -> Event {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["time", seconds] => TimePassed { now: at(seconds) }.into(),
        ["list", symbol, base, quote] => {
            let (base, quote) = (base.parse().unwrap(), quote.parse().unwrap());
            let rules = Box::new(InstrumentRules::open(base, quote, d("0.01"), d("0.001"), d("5")));
            InstrumentListed { instrument: instrument(symbol), rules }.into()
        }
        ["close", symbol, price, "at", seconds] => {
            let price: Price = price.parse().unwrap();
            let (interval, open) = (Interval::Minute1, at(seconds) - Interval::Minute1.length());
            let (instrument, volume) = (instrument(symbol), Decimal::ONE);
            let candle = Candle {
                instrument,
                interval,
                open_time: open,
                open: price,
                high: price,
                low: price,
                close: price,
                volume,
            };
            CandleClosed { candle }.into()
        }
        ["quote", symbol, price, "at", seconds] => QuoteSeen {
            instrument: instrument(symbol),
            price: price.parse().unwrap(),
            at: at(seconds),
            best: None,
        }
        .into(),
        ["fill", symbol, price, "at", seconds] => OrderFilled {
            account: account("main"),
            instrument: instrument(symbol),
            order: "order".parse().unwrap(),
            venue_order: "1".parse().unwrap(),
            venue_trade: "1".parse().unwrap(),
            side: Side::Buy,
            price: price.parse().unwrap(),
            quantity: "1".parse().unwrap(),
            quote: d(price),
            fee: None,
            maker: false,
            at: at(seconds),
        }
        .into(),
        [name, "has", free, "+", locked, asset, "as", "of", seconds] => BalanceChanged {
            account: account(name),
            asset: asset.parse().unwrap(),
            free: d(free),
            locked: d(locked),
            as_of: at(seconds),
        }
        .into(),
        [name, reason, amount, asset, "at", seconds] => {
            let (reason, delta) = match reason {
                "deposit" => (LedgerReason::Deposit, d(amount)),
                "withdrawal" => (LedgerReason::Withdrawal, -d(amount)),
                "interest" => (LedgerReason::Interest, d(amount)),
                other => panic!("no reason: {other}"),
            };
            let (account, asset, at) = (account(name), asset.parse().unwrap(), at(seconds));
            LedgerEntry { account, asset, delta, reason, instrument: None, venue_ref: "ref".into(), at }
                .into()
        }
        _ => panic!("no fact: {line}"),
    }
}

fn written(event: &Event) -> String {
    let Event::Portfolio(PortfolioEvent::Valued(e)) = event else { panic!("it should not say {event:?}") };
    let n = |value: Decimal| value.normalize().to_string();
    let holding = |h: &Holding| match h.price {
        Some(price) => format!("{} {} @ {}", n(h.quantity), h.asset, n(price)),
        None => format!("{} {} @ ?", n(h.quantity), h.asset),
    };
    let holdings: Vec<_> = e.holdings.iter().map(holding).collect();
    let line = format!(
        "{} {} = {} + {}, {} below {}: {}",
        e.account.name,
        n(e.equity),
        n(e.cash),
        n(e.exposure),
        n(e.drawdown),
        n(e.peak),
        holdings.join(", "),
    );
    line.trim_end().to_owned()
}

fn at(seconds: &str) -> Timestamp {
    Timestamp::from_millis(seconds.parse::<i64>().unwrap() * 1_000)
}

fn account(name: &str) -> Account {
    format!("paper:{name}").parse().unwrap()
}

fn instrument(symbol: &str) -> Instrument {
    format!("paper:spot:{symbol}").parse().unwrap()
}

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}
