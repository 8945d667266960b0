//! Commands that play or serve something.

use super::{
    ExchangeMarket, RunVenue, SharedTape, Speed, TapeOfMarket, UpVenue, Which,
    values::{limits, times},
};
use crate::deployment::Service;
use clap::Args;
use domain::Timestamp;
use market_data::MarketSpec;
use paper_exchange::server::Limits;
use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf};

/// Runs until SIGTERM or Ctrl-C. Nothing on it is worth anything, so its API key is no secret.
#[derive(Debug, Args)]
pub struct ExchangeServe {
    /// What is traded there: synthetic[:SEED[:DAYS]], recorded:PATH (a file or folder of candles), or
    /// recorded-l2:PATH (a file or folder of recorded trades and depth of one symbol)
    #[arg(long, default_value = "synthetic", value_name = "MARKET")]
    pub market: ExchangeMarket,
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value_t = crate::commands::exchange::LISTEN, value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Seconds of the exchange per second [default: the time of day]
    #[arg(long, value_name = "N", value_parser = times)]
    pub speed: Option<f64>,
    /// What goes wrong, and when (TOML; the README of paper-exchange tells the format)
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// Balances, fees and API keys (TOML) [default: some money, and the documented paper key]
    #[arg(long, value_name = "FILE")]
    pub account: Option<PathBuf>,
    /// Write every input down here; started on it again, the exchange stands where it stood
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// How often clients may come: off, or a factor of Binance's own limits, e.g. 10
    #[arg(long, value_name = "off|N", value_parser = limits, default_value = "1")]
    pub limits: Limits,
    /// Have no market and no time but those that another program tells over /control/market
    #[arg(long, conflicts_with_all = ["speed", "market"])]
    pub driven: bool,
}

/// Everything in one process, without a server: a market that is played, or the live one. Killed at any moment, the
/// same command goes on where it stood. Beside it `tapedeck positions`, `trades`, `orders`, `portfolio` and `why` look
/// at its tape, and `tapedeck trading` and `close` command it.
#[derive(Debug, Args)]
#[command(after_help = UP_EXAMPLES)]
pub struct Up {
    /// What to trade: synthetic[:SEED[:DAYS]] or recorded:PATH (a file or folder of candles), played as fast as
    /// --speed says; or binance:SYMBOLS:INTERVALS, live candles, e.g. binance:BTCUSDT,ETHUSDT:1d
    #[arg(long, default_value = "synthetic", value_name = "MARKET")]
    pub market: MarketSpec,
    /// Where orders go: venue-paper is one of the services, on live candles it trades at the prices that Binance
    /// quotes; paper-exchange is the same exchange on sockets, behind Binance's API, started beside the engine, for a
    /// market that is played; binance sends the orders of live accounts there, for real money, on live candles
    #[arg(long, value_name = "VENUE", value_enum, default_value = "venue-paper")]
    pub venue: UpVenue,
    /// Seconds of a played market per second (604800 is a week a second), or max [default: 604800]
    #[arg(long, value_name = "N|max")]
    pub speed: Option<Speed>,
    /// Leave out candles that close at or before this time (2024-01-15 or 2024-01-15T00:00:00Z)
    #[arg(long, value_name = "TIME")]
    pub from: Option<Timestamp>,
    /// Stop before the first candle that closes after this time
    #[arg(long, value_name = "TIME")]
    pub to: Option<Timestamp>,
    #[command(flatten)]
    pub tape: TapeOfMarket,
    /// End when the market does, instead of staying up to be looked at
    #[arg(long)]
    pub exit_when_done: bool,
    /// Serve /health, /ready and /metrics here [default: $TAPEDECK_LISTEN, else 127.0.0.1:7070 if that
    /// is free]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
}

const UP_EXAMPLES: &str = "\
Examples:
  tapedeck up                                             a made-up market, a week a second
  tapedeck up --market recorded:candles --speed max --exit-when-done
  tapedeck up --market binance:BTCUSDT,ETHUSDT:1d         live candles, trading on paper
  tapedeck up --market binance:BTCUSDT:1d --venue binance at Binance, with the accounts of tapedeck.toml

On live candles one tape goes on whatever symbols are named: live-venue-paper.tape or live-binance.tape in the data
folder, unless --tape says another. Run it under a supervisor that starts it again, and halt it at any time with:
  tapedeck trading halted --why 'enough for today'";

/// Runs until SIGTERM or Ctrl-C, then finishes what it has begun and lets go.
///
/// Start each service once or more: of several replicas one works, the others stand by and take over
/// when it dies. STORE_URL names the tape that all of them share, BUS_URL the broker.
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub struct Run {
    /// Which services: all that this venue needs, or some of event-logger, market-data, venue-paper,
    /// binance-orders-to-amqp, edge-signals, edge-signal-to-tas-bridge, position-sizer,
    /// trade-abstraction, order-tracker, position-tracker, portfolio-tracker
    #[arg(required = true, value_name = "SERVICE")]
    pub service: Vec<Which>,
    /// What market-data plays: synthetic[:SEED[:DAYS]] or recorded:PATH; or binance:SYMBOLS:INTERVALS, live
    /// candles, e.g. binance:BTCUSDT,ETHUSDT:1d; every replica the same
    #[arg(long, value_name = "MARKET")]
    pub market: Option<MarketSpec>,
    /// Where orders go: venue-paper is one of the services; with binance, orders of live accounts go there, and
    /// accounts on paper trade beside them at venue-paper; every process the same
    #[arg(long, value_name = "VENUE", value_enum, default_value = "venue-paper")]
    pub venue: RunVenue,
    /// Seconds of market per second, or max
    #[arg(long, value_name = "N|max", default_value = "max")]
    pub speed: Speed,
    /// Leave out candles that close at or before this time (2024-01-15 or 2024-01-15T00:00:00Z)
    #[arg(long, value_name = "TIME")]
    pub from: Option<Timestamp>,
    /// Stop before the first candle that closes after this time
    #[arg(long, value_name = "TIME")]
    pub to: Option<Timestamp>,
    /// End when the market does and every unit has dealt with it
    #[arg(long)]
    pub exit_when_done: bool,
    /// What this replica is called in leases, metrics and at the broker [default: run]
    #[arg(long, value_name = "NAME")]
    pub replica: Option<String>,
    /// Serve /health, /ready and /metrics here [default: $TAPEDECK_LISTEN, else 127.0.0.1:7070 if that
    /// is free]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    #[command(flatten)]
    pub tape: SharedTape,
}

const RUN_EXAMPLES: &str = "\
Examples:
  export STORE_URL=postgres://tapedeck:secret@127.0.0.1/tapedeck BUS_URL=amqp://guest:guest@127.0.0.1/%2f
  tapedeck topology apply                             make exchanges and queues, once
  tapedeck run event-logger                           the recorder; start a second one, too
  tapedeck run market-data --market recorded:candles --speed 3600
  tapedeck run position-sizer trade-abstraction       several services in one process";

impl Run {
    pub fn services(&self) -> BTreeSet<Service> {
        let services = self.service.iter().flat_map(|which| match which {
            Which::All => Service::all(self.venue),
            Which::One(service) => [*service].into(),
        });
        services.collect()
    }
}

#[derive(Debug, Args)]
pub struct Backtest {
    /// A file or folder of candles
    #[arg(long, value_name = "PATH")]
    pub candles: PathBuf,
    /// Run this edge only
    #[arg(long, value_name = "NAME")]
    pub edge: Option<String>,
    /// Leave out candles that close at or before this time
    #[arg(long, value_name = "TIME")]
    pub from: Option<Timestamp>,
    /// Stop before the first candle that closes after this time
    #[arg(long, value_name = "TIME")]
    pub to: Option<Timestamp>,
    /// Record the run on this tape (sqlite:PATH); without it nothing is recorded, which is faster
    #[arg(long, value_name = "URL")]
    pub tape: Option<String>,
    /// Write signals.csv, requests.csv, trades.csv, equity.csv, summary.json and report.html into this
    /// folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Simulate {
    /// How many seeds to run
    #[arg(long, default_value_t = 1_000, value_name = "COUNT", conflicts_with = "seed")]
    pub seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0, value_name = "SEED", conflicts_with = "seed")]
    pub from: u64,
    /// Run this seed only
    #[arg(long, value_name = "SEED")]
    pub seed: Option<u64>,
}
