//! Commands that look at what a tape says.

use super::{TapeUrl, Until, values::trimmed};
use clap::Args;
use domain::Timestamp;
use std::path::PathBuf;

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
    #[arg(long, value_name = "INSTRUMENT", value_delimiter = ',', value_parser = trimmed)]
    pub instrument: Vec<String>,
    /// Only these edges; several with commas
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = trimmed)]
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

/// Of trades or of orders.
#[derive(Debug, Args)]
pub struct OfRows {
    #[command(flatten)]
    pub look: Look,
    #[command(flatten)]
    pub narrow: Narrow,
    #[command(flatten)]
    pub span: Span,
    /// Only those in these states
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
