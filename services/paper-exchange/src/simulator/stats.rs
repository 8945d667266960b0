//! What a ticker tells of a stretch of time.

use super::{
    bar::Bar,
    market::Market,
    past::Cutter,
    span::{DAY, MINUTE, Span},
    units::{average, signed_text, text},
};
use domain::Interval;

/// Binance's average price is that of five minutes.
pub const AVERAGE_MINUTES: i64 = 5;

#[derive(Debug, Clone, Copy)]
pub struct Stats {
    /// The stretch as one kline.
    pub bar: Bar,
    /// The price before it.
    pub before: u64,
    pub last_quantity: u64,
}

impl Stats {
    pub fn change(&self) -> String {
        signed_text(i128::from(self.bar.close) - i128::from(self.bar.open))
    }

    /// With three decimals.
    pub fn percent(&self) -> String {
        let change = i128::from(self.bar.close) - i128::from(self.bar.open);
        let thousandths = (change * 100_000).checked_div(i128::from(self.bar.open)).unwrap_or(0);
        let sign = if thousandths < 0 { "-" } else { "" };
        let whole = thousandths.unsigned_abs();
        format!("{sign}{}.{:03}", whole / 1_000, whole % 1_000)
    }

    pub fn average(&self) -> String {
        text(average(self.bar.quote, self.bar.volume))
    }
}

impl Market {
    /// What is known of the time from `from` to `to`, put together from the finest klines that reach back
    /// far enough; the klines must have been let roll until `to`. `None` if nothing was ever traded.
    pub fn stats(&self, from: i64, to: i64) -> Option<Stats> {
        let (mut whole, mut upto): (Option<Bar>, i64) = (None, i64::MAX);
        let mut before = None;
        for interval in
            [Interval::Minute1, Interval::Minute15, Interval::Hour1, Interval::Hour4, Interval::Day1]
        {
            let bars = &self.bars[Span::Fixed(interval).index()].bars;
            for bar in bars.iter().rev() {
                if bar.open_time >= upto || (upto < i64::MAX && bar.close_time > upto) {
                    continue;
                }
                if bar.open_time < from {
                    before = before.or(Some(bar.close));
                    break;
                }
                let mut longer = *bar;
                if let Some(later) = &whole {
                    longer.merge(later);
                }
                (whole, upto) = (Some(longer), bar.open_time);
            }
        }
        let mut cutter = Cutter::new(&self.past);
        let rest = (from, upto.min(to).min(self.live_from.unwrap_or(i64::MAX)));
        if rest.0 < rest.1
            && let Some(mut earlier) = cutter.cut(rest.0, rest.1)
        {
            if let Some(later) = &whole {
                earlier.merge(later);
            }
            whole = Some(earlier);
            before = None;
        }
        let before = before.or_else(|| cutter.price_before(from));
        let price = self.last_price()?;
        let mut bar = whole.unwrap_or_else(|| Bar::empty(from, to, before.unwrap_or(price)));
        (bar.open_time, bar.close_time) = (from, to);
        let last_quantity = self.trades.last().map_or(0, |trade| trade.quantity);
        Some(Stats { bar, before: before.unwrap_or(bar.open), last_quantity })
    }

    /// The last 24 hours, to the minute.
    pub fn day(&self, to: i64) -> Option<Stats> {
        self.stats(to - DAY, to)
    }

    /// A window whose start lies on a minute, as Binance's rolling tickers have it.
    pub fn rolling(&self, length: i64, to: i64) -> Option<Stats> {
        self.stats((to - length).div_euclid(MINUTE) * MINUTE, to)
    }

    /// The average price of the last five minutes; without a trade in them, the last price.
    pub fn average(&self, to: i64) -> Option<u128> {
        let seconds = &self.bars[Span::Fixed(Interval::Second1).index()];
        let (quote, volume) = seconds
            .since(to - AVERAGE_MINUTES * MINUTE)
            .fold((0, 0), |(quote, volume), bar| (quote + bar.quote, volume + bar.volume));
        match volume {
            0 => self.last_price().map(u128::from),
            _ => Some(average(quote, volume)),
        }
    }
}
