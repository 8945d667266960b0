//! The command line.

mod looking;
mod on_tape;
mod owner;
mod running;
mod values;

pub use looking::{Look, Narrow, OfPortfolio, OfPositions, OfRows, OfSignals, Replay, Report, Span, Why};
pub use on_tape::{
    Export, Import, OnTape, OpenTape, Reparse, Republish, SharedTape, Show, Tail, TapeCommand, TapeOfMarket,
    TapeUrl,
};
pub use owner::{Books, Close, Doctor, Flatten, OnBus, TopologyCommand, Trading};
pub use running::{Backtest, ExchangeServe, Run, Simulate, Up};
pub use values::{ExchangeMarket, RunVenue, Speed, Until, UpVenue, Wanted, Which};

use clap::{Args, Parser, Subcommand};
use settings::{Environment, Secret};
use std::path::{Path, PathBuf};

/// A self-hosted, event-sourced trading engine.
///
/// Everything that it hears or says is an event on one append-only log, the tape. It can be killed
/// at any moment and carries on; it can be replayed, verified, and asked why.
#[derive(Debug, Parser)]
#[command(name = "tapedeck", version, propagate_version = true, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub global: Global,
}

const EXAMPLES: &str = "\
Examples:
  tapedeck up                                         trade a made-up market on paper, live summary
  tapedeck up --market recorded:candles --speed max --exit-when-done
  tapedeck up --market binance:BTCUSDT,ETHUSDT:1d     trade live candles on paper, at quoted prices
  tapedeck run event-logger                           one service of many, on PostgreSQL and RabbitMQ
  tapedeck backtest --candles candles --out results   signals, trades, equity and a summary
  tapedeck trades                                     what came of it
  tapedeck why edge70-BTCUSDT-L-20240115T0000-binance:paper         every step of one trade, with the figures
  tapedeck verify                                     prove that the record is whole, and right

Exit codes: 0 well, 1 failed, 2 wrong use.";

#[derive(Debug, Args)]
pub struct Global {
    /// Configuration file [default: $TAPEDECK_CONFIG, else tapedeck.toml in this folder, else built in]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print machine-readable JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// What to log to standard error: error, warn, info, debug, trace, or crate=level [default:
    /// $TAPEDECK_LOG, else warn]
    #[arg(long, global = true, value_name = "FILTER")]
    pub log: Option<String>,
    /// Write log lines as JSON
    #[arg(long, global = true)]
    pub log_json: bool,
    /// Where tapes are kept whose place is not given [default: $TAPEDECK_DATA_DIR, else tapedeck-data]
    #[arg(long, global = true, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    #[arg(skip)]
    pub environment: Environment,
}

impl Global {
    pub fn log(&self) -> &str {
        self.log.as_deref().or(self.environment.log.as_deref()).unwrap_or("warn")
    }
    pub fn config(&self) -> Option<&Path> {
        self.config.as_deref().or(self.environment.config.as_deref())
    }
    pub fn data_dir(&self) -> &Path {
        let given = self.data_dir.as_deref().or(self.environment.data_dir.as_deref());
        given.unwrap_or(Path::new("tapedeck-data"))
    }
    /// The tape that was asked for: on the command line, else in the environment.
    pub fn tape<'a>(&'a self, given: &'a TapeUrl) -> Option<&'a str> {
        self.tape_or(given.tape.as_deref())
    }
    /// As [`Global::tape`].
    pub fn tape_or<'a>(&'a self, given: Option<&'a str>) -> Option<&'a str> {
        given.or_else(|| self.environment.store_url.as_ref().map(Secret::reveal))
    }
}

const TRADE_STATES: &str = "Only those in these states: requested, sized, refused, aborted, open, exiting, closed; \
                            several with commas";
const ORDER_STATES: &str = "Only those in these states: submitted, working, stuck, filled, canceled, expired, \
                            rejected, absent, refused; several with commas";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole engine in this process: a market that is played, or live candles, on paper or at Binance
    Up(Up),
    /// Run some services in this process, beside others on the same tape and broker
    Run(Run),
    /// What the broker must hold: show it, make it, or check it
    #[command(subcommand)]
    Topology(TopologyCommand),
    /// Play recorded candles through the whole engine as fast as it goes
    Backtest(Backtest),
    /// Show every service's state as it was at some moment
    Replay(Replay),
    /// Check the hash chain, then every core over its inputs again
    Verify(OnTape),
    /// Tell the causal chain of a trade, an order, a fill or an event
    Why(Why),
    /// Look at the tape itself, or move it
    #[command(subcommand)]
    Tape(TapeCommand),
    /// Positions held
    Positions(OfPositions),
    /// Trades, newest last; what is true of an open one for now only stands in parentheses
    #[command(mut_arg("state", |state| state.help(TRADE_STATES)))]
    Trades(OfRows),
    /// Orders, newest last
    #[command(mut_arg("state", |state| state.help(ORDER_STATES)))]
    Orders(OfRows),
    /// What the account is worth
    Portfolio(OfPortfolio),
    /// Signals given, newest last
    Signals(OfSignals),
    /// What a tape amounts to: equity, risk, trades by instrument, month and reason, open trades
    #[command(visible_alias = "summary")]
    Report(Report),
    /// Run the whole engine under simulated faults, and check every promise
    Simulate(Simulate),
    /// Halt trading, let it only reduce what is held, or resume it
    Trading(Trading),
    /// Have open trades closed
    Close(Close),
    /// Enter nothing any more, have all trades closed, and wait for it
    Flatten(Flatten),
    /// Whether our books of live accounts are the venue's; settle what differs
    Books(Books),
    /// Find what is wrong with configuration, tape, clock or data, and how to mend it
    Doctor(Doctor),
    /// An exchange of one's own, which Binance's clients take for Binance
    #[command(subcommand)]
    Exchange(ExchangeCommand),
}

#[derive(Debug, Subcommand)]
pub enum ExchangeCommand {
    /// Serve it: REST, WebSocket API and market streams, with paper money
    Serve(ExchangeServe),
}
