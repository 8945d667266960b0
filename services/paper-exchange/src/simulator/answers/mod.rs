//! Market-data requests (Binance's `rest-api.md`, "Market Data endpoints").

mod book;
mod given;
mod klines;
mod rules;
mod tickers;
mod trades;

use super::Simulator;
use crate::{
    answer::Answer,
    endpoint::Endpoint,
    params::{Params, TimeUnit},
    refusal::Refusal,
};
use serde_json::Value;

impl Simulator {
    /// Answers a request about the market at the present time.
    ///
    /// # Errors
    /// In Binance's words; −1020 for an endpoint that is not about the market.
    pub fn call(&mut self, endpoint: Endpoint, params: &Params, unit: TimeUnit) -> Result<Value, Refusal> {
        match endpoint {
            Endpoint::Depth => Ok(Answer::Text(self.depth(params)?).into_value()),
            Endpoint::Trades => self.trades(params, unit),
            Endpoint::HistoricalTrades => self.historical_trades(params, unit),
            Endpoint::AggTrades => self.aggregate_trades(params, unit),
            Endpoint::Klines | Endpoint::UiKlines => self.kline_rows(params, unit),
            Endpoint::AvgPrice => self.average(params, unit),
            Endpoint::Ticker24hr => self.ticker_day(params, unit),
            Endpoint::TickerTradingDay => self.ticker_trading_day(params, unit),
            Endpoint::TickerRolling => self.ticker_rolling(params, unit),
            Endpoint::TickerPrice => self.ticker_price(params),
            Endpoint::TickerBookTicker => self.ticker_book(params),
            Endpoint::HistoricalBlockTrades => self.block_trades(params),
            Endpoint::ExecutionRules => self.execution_rules(params),
            Endpoint::ReferencePrice | Endpoint::ReferencePriceCalculation => self.reference_price(params),
            other => Err(Refusal::new(
                -1020,
                format!("This operation is not supported: {other:?} is no market data."),
            )),
        }
    }
}
