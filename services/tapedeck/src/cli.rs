//! The command line.

use crate::deployment::Service;
use clap::{Args, Parser, Subcommand};
use domain::{Timestamp, TradeId};
use market_data::MarketSpec;
use paper_exchange::server::Limits;
use settings::{Environment, Secret};
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
};

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
  tapedeck run event-logger                           one service of many, on PostgreSQL and RabbitMQ
  tapedeck backtest --candles candles --out results   signals, trades, equity and a summary
  tapedeck trades                                     what came of it
  tapedeck why edge70-BTCUSDT-L-20240115T0000         every step of one trade, with the figures
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

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole engine in this process, trading on paper
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
    Trades(OfTrades),
    /// Orders, newest last
    Orders(OfOrders),
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

/// What an exchange trades.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExchangeMarket {
    /// Candles, and a way that is made through them.
    Candles(MarketSpec),
    /// Recorded frames of Binance: `<local time in ns> <message>` a line.
    Frames(PathBuf),
}

impl std::str::FromStr for ExchangeMarket {
    type Err = domain::Invalid;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        match given.strip_prefix("recorded-l2:") {
            Some(path) if !path.is_empty() => Ok(Self::Frames(path.into())),
            Some(_) | None => given.parse().map(Self::Candles),
        }
    }
}

fn times(given: &str) -> Result<f64, String> {
    let times = given.parse::<f64>().ok().filter(|times| (0.001..=1e6).contains(times));
    times.ok_or_else(|| {
        "write how many seconds pass there in one second, from 0.001 to 1e6, e.g. 60".to_owned()
    })
}

fn limits(given: &str) -> Result<Limits, String> {
    if given == "off" {
        return Ok(Limits::off());
    }
    let factor = given.parse::<f64>().ok().filter(|factor| (0.001..=1e6).contains(factor));
    factor.map(Limits::times).ok_or_else(|| {
        "write off, or how many times Binance's limits hold, from 0.001 to 1e6, e.g. 10".to_owned()
    })
}

#[derive(Debug, Args)]
pub struct Up {
    /// What to trade: synthetic[:SEED[:DAYS]] or recorded:PATH (a file or folder of candles)
    #[arg(long, default_value = "synthetic", value_name = "MARKET")]
    pub market: MarketSpec,
    /// Where orders go: venue-paper is one of the services; paper-exchange is the same exchange on
    /// sockets, behind Binance's API, started beside the engine
    #[arg(long, value_name = "VENUE", value_enum, default_value = "venue-paper")]
    pub venue: UpVenue,
    /// Seconds of market per second (604800 is a week a second), or max
    #[arg(long, value_name = "N|max", default_value = "604800")]
    pub speed: Speed,
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

/// Runs until SIGTERM or Ctrl-C, then finishes what it has begun and lets go.
///
/// Start each service once or more: of several replicas one works, the others stand by and take over
/// when it dies. STORE_URL names the tape that all of them share, BUS_URL the broker.
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub struct Run {
    /// Which services: all that this venue needs, or some of event-logger, market-data, venue-paper,
    /// binance-orders-to-amqp, edge70-signals, edge-signal-to-tas-bridge, position-sizer,
    /// trade-abstraction, order-tracker, position-tracker, portfolio-tracker
    #[arg(required = true, value_name = "SERVICE")]
    pub service: Vec<Which>,
    /// What market-data plays: synthetic[:SEED[:DAYS]] or recorded:PATH; or binance:SYMBOLS:INTERVALS, live
    /// candles, e.g. binance:BTCUSDT,ETHUSDT:1d; every replica the same
    #[arg(long, value_name = "MARKET")]
    pub market: Option<MarketSpec>,
    /// Where orders go: venue-paper is one of the services, binance sends those of live accounts there;
    /// every process the same
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
        self.service
            .iter()
            .flat_map(|which| match which {
                Which::All => Service::ALL.into_iter().filter(|s| s.serves(self.venue)).collect(),
                Which::One(service) => vec![*service],
            })
            .collect()
    }
}

/// Where a whole engine in one process sends its orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum UpVenue {
    VenuePaper,
    PaperExchange,
}

/// Where a fleet sends its orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum RunVenue {
    VenuePaper,
    Binance,
}

impl RunVenue {
    /// Of a real one.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::VenuePaper => None,
            Self::Binance => Some("binance"),
        }
    }
}

/// A service, or all of them.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    All,
    One(Service),
}

impl std::str::FromStr for Which {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        if given == "all" { Ok(Self::All) } else { given.parse().map(Self::One) }
    }
}

#[derive(Debug, Subcommand)]
pub enum TopologyCommand {
    /// Exchanges, queues and bindings with every argument; asks no broker
    Show,
    /// Make what is missing
    Apply(OnBus),
    /// Find what is missing or different, stranded messages, and queues without a consumer
    Check(OnBus),
}

#[derive(Debug, Args)]
pub struct OnBus {
    /// The broker, amqp://USER:PASSWORD@HOST:PORT/VHOST [default: $BUS_URL]
    #[arg(long, value_name = "URL")]
    pub bus: Option<String>,
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
pub struct TapeUrl {
    /// The tape, sqlite:PATH or postgres://… [default: $STORE_URL, else the newest of the data folder]
    #[arg(long, value_name = "URL")]
    pub tape: Option<String>,
}

/// The tape of a market, made where there is none.
#[derive(Debug, Args)]
pub struct TapeOfMarket {
    /// The tape, sqlite:PATH or postgres://… [default: $STORE_URL, else one in the data folder, named
    /// after the market]
    #[arg(long, value_name = "URL")]
    pub tape: Option<String>,
}

/// The tape that several processes share.
#[derive(Debug, Args)]
pub struct SharedTape {
    /// The tape, postgres://… [default: $STORE_URL]
    #[arg(long, value_name = "URL")]
    pub tape: Option<String>,
}

#[derive(Debug, Args)]
pub struct OnTape {
    #[command(flatten)]
    pub tape: TapeUrl,
}

/// Which tape is looked at, as it was when, and how it is printed.
#[derive(Debug, Args)]
pub struct Look {
    #[command(flatten)]
    pub tape: TapeUrl,
    /// As it was at this position or time [default: the end]
    #[arg(long, value_name = "POSITION|TIME")]
    pub until: Option<Until>,
    /// Print comma-separated values with a header
    #[arg(long)]
    pub csv: bool,
}

/// Which rows, by what they are of.
#[derive(Debug, Args)]
pub struct Narrow {
    /// Only these instruments: BTCUSDT, or binance:spot:BTCUSDT; several with commas
    #[arg(long, value_name = "INSTRUMENT", value_delimiter = ',')]
    pub instrument: Vec<String>,
    /// Only these edges; several with commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub edge: Vec<String>,
}

/// Which rows, by their time.
#[derive(Debug, Args)]
pub struct Span {
    /// Only what was asked for or given at or after this time (2024-01-15 or 2024-01-15T00:00:00Z)
    #[arg(long, value_name = "TIME")]
    pub from: Option<Timestamp>,
    /// Only what was asked for or given before this time
    #[arg(long, value_name = "TIME")]
    pub to: Option<Timestamp>,
    /// Only so many, the newest
    #[arg(long, short = 'n', value_name = "COUNT")]
    pub last: Option<u64>,
}

#[derive(Debug, Args)]
pub struct OfPositions {
    #[command(flatten)]
    pub look: Look,
    #[command(flatten)]
    pub narrow: Narrow,
}

#[derive(Debug, Args)]
pub struct OfTrades {
    #[command(flatten)]
    pub look: Look,
    #[command(flatten)]
    pub narrow: Narrow,
    #[command(flatten)]
    pub span: Span,
    /// Only those in these states: requested, sized, refused, aborted, open, exiting, closed; several
    /// with commas
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    pub state: Vec<String>,
}

#[derive(Debug, Args)]
pub struct OfOrders {
    #[command(flatten)]
    pub look: Look,
    #[command(flatten)]
    pub narrow: Narrow,
    #[command(flatten)]
    pub span: Span,
    /// Only those in these states: submitted, working, stuck, filled, canceled, expired, rejected,
    /// absent, refused; several with commas
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    pub state: Vec<String>,
}

#[derive(Debug, Args)]
pub struct OfSignals {
    #[command(flatten)]
    pub look: Look,
    #[command(flatten)]
    pub narrow: Narrow,
    #[command(flatten)]
    pub span: Span,
}

#[derive(Debug, Args)]
pub struct OfPortfolio {
    #[command(flatten)]
    pub look: Look,
    /// Every valuation instead of the last one
    #[arg(long)]
    pub history: bool,
    #[command(flatten)]
    pub span: Span,
}

#[derive(Debug, Args)]
pub struct Report {
    #[command(flatten)]
    pub tape: TapeUrl,
    /// As it was at this position or time [default: the end]
    #[arg(long, value_name = "POSITION|TIME")]
    pub until: Option<Until>,
    /// Write signals.csv, requests.csv, trades.csv, equity.csv, summary.json and report.html into this
    /// folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Replay {
    #[command(flatten)]
    pub tape: TapeUrl,
    /// Stop after this position, or at this time [default: the end]
    #[arg(long, value_name = "POSITION|TIME")]
    pub until: Option<Until>,
    /// Show this unit only
    #[arg(long, value_name = "NAME")]
    pub unit: Option<String>,
}

#[derive(Debug, Args)]
pub struct Why {
    /// A trade's id, an order's, a fill's (fill:ID), an event's, or a position on the tape
    pub id: String,
    #[command(flatten)]
    pub tape: TapeUrl,
}

#[derive(Debug, Subcommand)]
pub enum TapeCommand {
    /// Position and hash of the last event
    Head(OnTape),
    /// Events from a position on
    Show(Show),
    /// The last events, and with --follow each new one as it comes
    Tail(Tail),
    /// Write the tape to a file, or to standard output
    Export(Export),
    /// Read an exported file into a new tape: same positions, same hashes
    Import(Import),
    /// Open a new tape on the wall clock; a market opens one on its own clock by itself
    Open(OpenTape),
    /// Have the recorder publish everything from a position on again, for whoever missed it
    Republish(Republish),
    /// Parse quarantined frames again, after their parser was mended
    Reparse(Reparse),
}

#[derive(Debug, Args)]
pub struct OpenTape {
    #[command(flatten)]
    pub tape: TapeUrl,
}

#[derive(Debug, Args)]
pub struct Republish {
    /// The first position to publish again
    #[arg(long, value_name = "POSITION", value_parser = clap::value_parser!(u64).range(1..))]
    pub from: u64,
    #[command(flatten)]
    pub tape: TapeUrl,
}

#[derive(Debug, Args)]
pub struct Reparse {
    /// Say what would be recorded, and record nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub tape: TapeUrl,
}

#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    pub tape: TapeUrl,
    /// The first position to show
    #[arg(long, default_value_t = 1, value_name = "POSITION")]
    pub from: u64,
    /// How many
    #[arg(long, short = 'n', default_value_t = 50, value_name = "COUNT")]
    pub count: u64,
    /// Only events of these kinds (trade.closed) or families (trade); several with commas
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub kind: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Tail {
    #[command(flatten)]
    pub tape: TapeUrl,
    /// How many
    #[arg(long, short = 'n', default_value_t = 20, value_name = "COUNT")]
    pub count: u64,
    /// Stay, and show each new event
    #[arg(long, short)]
    pub follow: bool,
    /// Only events of these kinds (trade.closed) or families (trade); several with commas
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub kind: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    pub tape: TapeUrl,
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Import {
    /// The file to read
    pub file: PathBuf,
    /// The new tape, sqlite:PATH or postgres://…
    #[arg(long, value_name = "URL")]
    pub tape: String,
}

/// Said on the tape, so it holds through restarts until it is said otherwise. Orders that reduce a
/// position are sent in any state. A running `tapedeck up` is asked to say it, on an address of this
/// machine; an answer means that it is on the tape. Of several words the stricter holds: one for all
/// accounts, and one for an account.
#[derive(Debug, Args)]
pub struct Trading {
    /// active, reducing (nothing new is entered) or halted
    #[arg(value_name = "STATE")]
    pub state: Wanted,
    /// Why, for whoever asks later
    #[arg(long, value_name = "TEXT")]
    pub why: String,
    /// This account only, e.g. binance:main [default: all accounts]
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<domain::Account>,
    /// Until then (2024-01-15 or 2024-01-15T00:00:00Z), and active again from there on
    #[arg(long, value_name = "TIME")]
    pub until: Option<Timestamp>,
    #[command(flatten)]
    pub tape: TapeUrl,
}

/// Asks whoever trades to sell what the trades hold, as if their edges had turned. One request is for
/// all that an edge holds of an instrument. A running `tapedeck up` is asked on an address of this machine; an
/// answer means that the request is on the tape, and `tapedeck trades` tells what comes of it.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub struct Close {
    /// This trade
    #[arg(value_name = "TRADE", group = "which")]
    pub trade: Option<TradeId>,
    /// Every trade of this instrument, e.g. BTCUSDT
    #[arg(long, value_name = "INSTRUMENT", group = "which")]
    pub instrument: Option<String>,
    /// Every trade
    #[arg(long, group = "which")]
    pub all: bool,
    /// Why, for whoever asks later
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
    #[command(flatten)]
    pub tape: TapeUrl,
}

/// What trading is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Wanted {
    Active,
    Reducing,
    Halted,
}

#[derive(Debug, Args)]
pub struct Doctor {
    #[command(flatten)]
    pub tape: TapeUrl,
    /// Also read these candles (a file or folder), through the same gate as a run: what would be refused or is
    /// missing, by series, with the first file and line; whether the edges hear any of them
    #[arg(long, value_name = "PATH")]
    pub candles: Option<PathBuf>,
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

/// How fast a market plays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed(pub runtime::market::Pace);

impl std::str::FromStr for Speed {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        if given == "max" {
            return Ok(Self(runtime::market::Pace::Max));
        }
        match given.parse::<f64>() {
            Ok(times) if (0.001..=1e12).contains(&times) => Ok(Self(runtime::market::Pace::Times(times))),
            _ => Err(
                "write max, or how many seconds of market pass in one second, from 0.001 to 1e12, e.g. 3600"
                    .to_owned(),
            ),
        }
    }
}

/// A moment on a tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    Position(u64),
    Time(Timestamp),
}

impl std::str::FromStr for Until {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        if let Ok(position) = given.parse() {
            return Ok(Self::Position(position));
        }
        given.parse().map(Self::Time).map_err(|_| {
            "write a position (a whole number) or a time (2024-01-15 or 2024-01-15T00:00:00Z)".to_owned()
        })
    }
}
