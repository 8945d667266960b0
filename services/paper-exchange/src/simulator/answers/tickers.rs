//! Tickers: of 24 hours, a trading day, a rolling window; the last price; the average price.

use super::given::{answer, given, invalid, zone};
use crate::{
    params::{Params, TimeUnit},
    refusal::Refusal,
    simulator::{
        Simulator,
        frames::Clock,
        span::{DAY, HOUR, MINUTE, Span},
        stats::{AVERAGE_MINUTES, Stats},
        units::{notional_text, text},
    },
};
use domain::Interval;
use serde_json::{Value, json};

impl Simulator {
    pub(super) fn average(&mut self, params: &Params, unit: TimeUnit) -> Result<Value, Refusal> {
        let place = self.symbol(params)?;
        let market = &mut self.markets[place];
        market.roll(self.now);
        let last = market.trades.last().map_or(self.now, |trade| trade.at);
        let average = market.average(self.now).unwrap_or(0);
        Ok(json!({
            "mins": AVERAGE_MINUTES,
            "price": text(average),
            "closeTime": Clock::of(unit).at(last),
        }))
    }

    pub(super) fn ticker_price(&self, params: &Params) -> Result<Value, Refusal> {
        let symbols = self.symbols(params, true)?;
        Ok(answer(symbols, |place| {
            let market = &self.markets[place];
            Some(json!({"symbol": market.name, "price": text(market.last_price().unwrap_or(0))}))
        }))
    }

    pub(super) fn ticker_day(&mut self, params: &Params, unit: TimeUnit) -> Result<Value, Refusal> {
        let symbols = self.symbols(params, true)?;
        let full = is_full(params)?;
        Ok(answer(symbols, |place| {
            let market = &mut self.markets[place];
            market.roll(self.now);
            let stats = market.day(self.now)?;
            let mut row = row(&market.name, &stats, full, Clock::of(unit));
            if full {
                let (bid, ask) = market.best_at(self.now);
                row["prevClosePrice"] = text(stats.before).into();
                row["lastQty"] = text(stats.last_quantity).into();
                row["bidPrice"] = text(bid.0).into();
                row["bidQty"] = text(bid.1).into();
                row["askPrice"] = text(ask.0).into();
                row["askQty"] = text(ask.1).into();
            }
            Some(row)
        }))
    }

    pub(super) fn ticker_trading_day(&mut self, params: &Params, unit: TimeUnit) -> Result<Value, Refusal> {
        let symbols = self.symbols(params, false)?;
        let full = is_full(params)?;
        let zone = zone(params)?;
        Ok(answer(symbols, |place| {
            let market = &mut self.markets[place];
            market.roll(self.now);
            let open = Span::Fixed(Interval::Day1).open_of(self.now, zone);
            let mut stats = market.stats(open, open + DAY)?;
            // The last instant of the day, whole or not.
            stats.bar.close_time = open + DAY - if unit == TimeUnit::Milli { 1_000 } else { 1 };
            Some(row(&market.name, &stats, full, Clock::of(unit)))
        }))
    }

    pub(super) fn ticker_rolling(&mut self, params: &Params, unit: TimeUnit) -> Result<Value, Refusal> {
        let symbols = self.symbols(params, false)?;
        let full = is_full(params)?;
        let window = match given(params, "windowSize")? {
            None => DAY,
            Some(text) => window(text).ok_or_else(|| invalid("windowSize"))?,
        };
        Ok(answer(symbols, |place| {
            let market = &mut self.markets[place];
            market.roll(self.now);
            let stats = market.rolling(window, self.now)?;
            Some(row(&market.name, &stats, full, Clock::of(unit)))
        }))
    }
}

fn is_full(params: &Params) -> Result<bool, Refusal> {
    match given(params, "type")? {
        None | Some("FULL") => Ok(true),
        Some("MINI") => Ok(false),
        Some(_) => Err(Refusal::new(-1139, "Invalid ticker type.")),
    }
}

/// `1m` to `59m`, `1h` to `23h`, `1d` to `7d`, in microseconds.
fn window(text: &str) -> Option<i64> {
    let unit = text.bytes().last()?;
    let count = &text[..text.len().checked_sub(1).filter(|&end| text.is_char_boundary(end))?];
    let digits = (1..=2).contains(&count.len()) && count.bytes().all(|byte| byte.is_ascii_digit());
    let count: i64 = count.parse().ok().filter(|&count| digits && count > 0)?;
    match unit {
        b'm' if count <= 59 => Some(count * MINUTE),
        b'h' if count <= 23 => Some(count * HOUR),
        b'd' if count <= 7 => Some(count * DAY),
        _ => None,
    }
}

/// What all tickers have in common; of a short one all that it has.
fn row(symbol: &str, stats: &Stats, full: bool, clock: Clock) -> Value {
    let bar = &stats.bar;
    let mut row = json!({
        "symbol": symbol,
        "openPrice": text(bar.open),
        "highPrice": text(bar.high),
        "lowPrice": text(bar.low),
        "lastPrice": text(bar.close),
        "volume": text(bar.volume),
        "quoteVolume": notional_text(bar.quote),
        "openTime": clock.at(bar.open_time),
        "closeTime": clock.at(bar.close_time),
        "firstId": bar.first,
        "lastId": bar.last,
        "count": bar.trades,
    });
    if full {
        row["priceChange"] = stats.change().into();
        row["priceChangePercent"] = stats.percent().into();
        row["weightedAvgPrice"] = stats.average().into();
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_those_that_binance_has() {
        for (text, window) in [
            ("1m", Some(MINUTE)),
            ("59m", Some(59 * MINUTE)),
            ("60m", None),
            ("23h", Some(23 * HOUR)),
            ("24h", None),
            ("7d", Some(7 * DAY)),
            ("8d", None),
            ("0d", None),
            ("1d2h", None),
            ("d", None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(super::window(text), window, "{text}");
        }
    }
}
