//! Klines.

use super::given::{limit, mandatory, time, time_until, zone};
use crate::{
    params::{Params, TimeUnit},
    refusal::Refusal,
    simulator::{
        Simulator,
        bar::Bar,
        frames::Clock,
        klines::Stretch,
        span::Span,
        units::{notional_text, text},
    },
};
use serde_json::{Value, json};

impl Simulator {
    /// With a start, the first ones from there on; else the latest. Times are those of opening.
    pub(super) fn kline_rows(&mut self, params: &Params, unit: TimeUnit) -> Result<Value, Refusal> {
        let place = self.symbol(params)?;
        let span = mandatory(params, "interval")?;
        let span = Span::parse(span).ok_or_else(|| Refusal::new(-1120, "Invalid interval."))?;
        let zone = zone(params)?;
        let limit = limit(params, 500, 1_000)?;
        let (start, end) = (time(params, "startTime")?, time_until(params, "endTime")?);
        let market = &mut self.markets[place];
        market.roll(self.now);
        let wanted = Stretch {
            from: start.unwrap_or(i64::MIN),
            until: end.unwrap_or(i64::MAX),
            most: limit,
            latest: start.is_none(),
        };
        let bars = market.klines(span, zone, wanted);
        Ok(bars.iter().map(|bar| row(bar, Clock::of(unit))).collect())
    }
}

fn row(bar: &Bar, clock: Clock) -> Value {
    json!([
        clock.at(bar.open_time),
        text(bar.open),
        text(bar.high),
        text(bar.low),
        text(bar.close),
        text(bar.volume),
        clock.before(bar.close_time),
        notional_text(bar.quote),
        bar.trades,
        text(bar.taker_volume),
        notional_text(bar.taker_quote),
        "0",
    ])
}
