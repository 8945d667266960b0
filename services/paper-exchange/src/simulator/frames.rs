//! The payloads of the market streams (Binance's `web-socket-streams.md`), in its order of fields.

use super::{
    bar::Bar,
    depth::Change,
    span::Span,
    stats::Stats,
    streams::Window,
    trades::{Aggregate, Trade},
    units::{notional_text, push_text, text},
};
use crate::{frame::MarketFrame, params::TimeUnit};
use domain::Timestamp;

/// A time in microseconds as it is written.
#[derive(Clone, Copy)]
pub struct Clock(TimeUnit);

impl Clock {
    pub fn of(unit: TimeUnit) -> Self {
        Self(unit)
    }

    pub fn at(self, micros: i64) -> i64 {
        self.0.of(Timestamp::from_micros(micros))
    }

    /// The last instant before it.
    pub fn before(self, micros: i64) -> i64 {
        self.at(micros) - 1
    }
}

/// In both units of time.
pub fn frame(stream: &str, write: impl Fn(Clock) -> String) -> MarketFrame {
    MarketFrame {
        stream: stream.to_owned(),
        milli: write(Clock(TimeUnit::Milli)),
        micro: write(Clock(TimeUnit::Micro)),
    }
}

/// `symbol` is a JSON string, here and below.
pub fn trade(symbol: &str, trade: &Trade, clock: Clock) -> String {
    let at = clock.at(trade.at);
    format!(
        r#"{{"e":"trade","E":{at},"s":{symbol},"t":{},"p":"{}","q":"{}","T":{at},"m":{},"M":true}}"#,
        trade.id,
        text(trade.price),
        text(trade.quantity),
        !trade.taker_buys,
    )
}

pub fn aggregate(symbol: &str, one: &Aggregate, clock: Clock) -> String {
    let at = clock.at(one.at);
    format!(
        r#"{{"e":"aggTrade","E":{at},"s":{symbol},"a":{},"p":"{}","q":"{}","f":{},"l":{},"T":{at},"m":{},"M":true}}"#,
        one.id,
        text(one.price),
        text(one.quantity),
        one.first,
        one.last,
        !one.taker_buys,
    )
}

pub fn kline(symbol: &str, span: Span, bar: &Bar, closed: bool, at: i64, clock: Clock) -> String {
    format!(
        concat!(
            r#"{{"e":"kline","E":{},"s":{symbol},"k":{{"t":{},"T":{},"s":{symbol},"i":"{}","f":{},"L":{},"#,
            r#""o":"{}","c":"{}","h":"{}","l":"{}","v":"{}","n":{},"x":{closed},"q":"{}","V":"{}","Q":"{}","B":"0"}}}}"#
        ),
        clock.at(at),
        clock.at(bar.open_time),
        clock.before(bar.close_time),
        span.as_str(),
        bar.first,
        bar.last,
        text(bar.open),
        text(bar.close),
        text(bar.high),
        text(bar.low),
        text(bar.volume),
        bar.trades,
        notional_text(bar.quote),
        text(bar.taker_volume),
        notional_text(bar.taker_quote),
        symbol = symbol,
        closed = closed,
    )
}

pub fn depth_update(symbol: &str, change: &Change, last: u64, at: i64, clock: Clock) -> String {
    let mut text = format!(
        r#"{{"e":"depthUpdate","E":{},"s":{symbol},"U":{},"u":{last},"b":"#,
        clock.at(at),
        change.first
    );
    write_levels(&mut text, change.bids.iter().rev().map(|(&p, &q)| (p, q)));
    text.push_str(r#","a":"#);
    write_levels(&mut text, change.asks.iter().map(|(&p, &q)| (p, q)));
    text.push('}');
    text
}

/// The best levels, as many of each side. It tells neither its time nor its symbol.
pub fn book(update: u64, [bids, asks]: [impl Iterator<Item = (u64, u64)>; 2]) -> String {
    let mut text = format!(r#"{{"lastUpdateId":{update},"bids":"#);
    write_levels(&mut text, bids);
    text.push_str(r#","asks":"#);
    write_levels(&mut text, asks);
    text.push('}');
    text
}

fn write_levels(to: &mut String, levels: impl Iterator<Item = (u64, u64)>) {
    to.push('[');
    for (i, (price, quantity)) in levels.enumerate() {
        to.push_str(if i == 0 { "[\"" } else { ",[\"" });
        push_text(to, price);
        to.push_str("\",\"");
        push_text(to, quantity);
        to.push_str("\"]");
    }
    to.push(']');
}

/// It does not tell its time.
pub fn book_ticker(symbol: &str, update: u64, bid: (u64, u64), ask: (u64, u64)) -> String {
    format!(
        r#"{{"u":{update},"s":{symbol},"b":"{}","B":"{}","a":"{}","A":"{}"}}"#,
        text(bid.0),
        text(bid.1),
        text(ask.0),
        text(ask.1),
    )
}

pub fn mini_ticker(symbol: &str, bar: &Bar, at: i64, clock: Clock) -> String {
    format!(
        r#"{{"e":"24hrMiniTicker","E":{},"s":{symbol},"c":"{}","o":"{}","h":"{}","l":"{}","v":"{}","q":"{}"}}"#,
        clock.at(at),
        text(bar.close),
        text(bar.open),
        text(bar.high),
        text(bar.low),
        text(bar.volume),
        notional_text(bar.quote),
    )
}

pub fn ticker(
    symbol: &str,
    stats: &Stats,
    bid: (u64, u64),
    ask: (u64, u64),
    at: i64,
    clock: Clock,
) -> String {
    let bar = &stats.bar;
    format!(
        concat!(
            r#"{{"e":"24hrTicker","E":{},"s":{},"p":"{}","P":"{}","w":"{}","x":"{}","c":"{}","Q":"{}","#,
            r#""b":"{}","B":"{}","a":"{}","A":"{}","o":"{}","h":"{}","l":"{}","v":"{}","q":"{}","#,
            r#""O":{},"C":{},"F":{},"L":{},"n":{}}}"#
        ),
        clock.at(at),
        symbol,
        stats.change(),
        stats.percent(),
        stats.average(),
        text(stats.before),
        text(bar.close),
        text(stats.last_quantity),
        text(bid.0),
        text(bid.1),
        text(ask.0),
        text(ask.1),
        text(bar.open),
        text(bar.high),
        text(bar.low),
        text(bar.volume),
        notional_text(bar.quote),
        clock.at(bar.open_time),
        clock.at(bar.close_time),
        bar.first,
        bar.last,
        bar.trades,
    )
}

pub fn window(symbol: &str, window: Window, stats: &Stats, at: i64, clock: Clock) -> String {
    let bar = &stats.bar;
    format!(
        concat!(
            r#"{{"e":"{}","E":{},"s":{},"p":"{}","P":"{}","o":"{}","h":"{}","l":"{}","c":"{}","w":"{}","#,
            r#""v":"{}","q":"{}","O":{},"C":{},"F":{},"L":{},"n":{}}}"#
        ),
        window.event(),
        clock.at(at),
        symbol,
        stats.change(),
        stats.percent(),
        text(bar.open),
        text(bar.high),
        text(bar.low),
        text(bar.close),
        stats.average(),
        text(bar.volume),
        notional_text(bar.quote),
        clock.at(bar.open_time),
        clock.at(bar.close_time),
        bar.first,
        bar.last,
        bar.trades,
    )
}

pub fn average_price(symbol: &str, average: u128, last: i64, at: i64, clock: Clock) -> String {
    format!(
        r#"{{"e":"avgPrice","E":{},"s":{symbol},"i":"5m","w":"{}","T":{}}}"#,
        clock.at(at),
        text(average),
        clock.at(last)
    )
}
