//! Commands of the owner: what trading is to be, and whether all is well.

use super::{TapeUrl, Wanted, values::trimmed};
use clap::{Args, Subcommand};
use domain::{Timestamp, TradeId};
use std::path::PathBuf;

/// Said on the tape, so it holds through restarts until it is said otherwise. Orders that reduce a
/// position are sent in any state. A running `tapedeck up` is asked to say it, on an address of this
/// machine; an answer means that it is on the tape. Of several words the stricter holds: one for all
/// accounts, and one for an account.
#[derive(Debug, Args)]
pub struct Trading {
    /// active, reducing (nothing new is entered) or halted; without it what trading is now is shown
    #[arg(value_name = "STATE", requires = "why")]
    pub state: Option<Wanted>,
    /// Why, for whoever asks later
    #[arg(long, value_name = "TEXT", requires = "state")]
    pub why: Option<String>,
    /// This account only, e.g. binance:main [default: all accounts]
    #[arg(long, value_name = "ACCOUNT", requires = "state")]
    pub account: Option<domain::Account>,
    /// Until then (2024-01-15 or 2024-01-15T00:00:00Z), and active again from there on
    #[arg(long, value_name = "TIME", requires = "state")]
    pub until: Option<Timestamp>,
    #[command(flatten)]
    pub tape: TapeUrl,
}

fn reason(given: &str) -> Result<String, String> {
    let given = given.trim();
    if given.is_empty() {
        return Err("say why, in a few words, for whoever asks later, or leave --why out".to_owned());
    }
    Ok(given.to_owned())
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
    /// Every trade of these instruments, e.g. BTCUSDT or BTCUSDT,ETHUSDT
    #[arg(long, value_name = "INSTRUMENT", group = "which", value_delimiter = ',', value_parser = trimmed)]
    pub instrument: Vec<String>,
    /// Every trade
    #[arg(long, group = "which")]
    pub all: bool,
    /// On this account only, e.g. binance:main; needed where trades of the instrument are open on several
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<domain::Account>,
    /// Why, for whoever asks later
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub why: Option<String>,
    #[command(flatten)]
    pub tape: TapeUrl,
}

/// Has nothing entered any more (`trading reducing`), has every open trade closed, and waits until each is over: its
/// orders canceled, what it holds sold. With --instrument only those trades are closed, and others may be entered.
/// Exit code 1 where a trade is still open at the end.
#[derive(Debug, Args)]
pub struct Flatten {
    /// This account only, e.g. binance:main [default: all accounts]
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<domain::Account>,
    /// Trades of these instruments only, e.g. BTCUSDT or BTCUSDT,ETHUSDT
    #[arg(long, value_name = "INSTRUMENT", value_delimiter = ',', value_parser = trimmed)]
    pub instrument: Vec<String>,
    /// Why, for whoever asks later
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub why: String,
    /// For how long to wait for the trades to be over
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u64).range(..=86_400))]
    pub timeout: u64,
    #[command(flatten)]
    pub tape: TapeUrl,
}

/// Shows the last verdict on the books of each live account: whether every asset and every working order is at the
/// venue what the tape says; exit code 1 where it is not, or was never compared. With --settle each asset that differs
/// gets an entry in the ledger that makes our amount the venue's; it is a deposit or withdrawal to the figures, and
/// changes no position. A difference can be settled once the engine has fetched what it may have missed, and once
/// only. Orders that differ are asked for by the engine itself, and are not settled.
#[derive(Debug, Args)]
pub struct Books {
    /// Make our amounts the venue's
    #[arg(long, requires = "why")]
    pub settle: bool,
    /// What the differences were, for whoever asks later
    #[arg(long, value_name = "TEXT", value_parser = reason, requires = "settle")]
    pub why: Option<String>,
    /// This account only, e.g. binance:main
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<domain::Account>,
    #[command(flatten)]
    pub tape: TapeUrl,
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
