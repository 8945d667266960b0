//! Commands on the tape itself, and which tape is meant.

use clap::{Args, Subcommand};
use std::path::PathBuf;

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
    pub tape: SharedTape,
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
