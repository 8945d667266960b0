//! How a running `up` is told something: a request on an address of this machine.
//!
//! One process writes the tape of an `up`, so a command beside it asks that process. Where it listens, and
//! the token that it wants, are in `TAPE.control`, beside the tape, which only its owner may read. The address is of
//! this machine only; a request that a web page sends (it has an `Origin`, or another `Host`) is refused,
//! and so is one without the token.

mod client;
mod server;

pub use client::{Asked, ask, listens};
pub use server::Door;

use crate::{projections::trading::in_words, standing::Standing, units};
use domain::{Account, Asset, EdgeName, Instrument, Timestamp};
use events::{CloseRequested, Event, RequestedBy, TradingState, TradingStateChanged};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What a person may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    Trading {
        state: TradingState,
        /// `None`: all accounts.
        account: Option<Account>,
        why: String,
        until: Option<Timestamp>,
    },
    Close {
        account: Account,
        instrument: Instrument,
        edge: EdgeName,
        why: Option<String>,
    },
    /// Our amount of an asset becomes the venue's, where the last verdict says that they differ.
    Settle {
        account: Account,
        asset: Asset,
        why: String,
    },
}

impl Request {
    /// What is said for it.
    ///
    /// # Errors
    /// It would hold for nobody: the field, and what to write instead.
    pub fn event(self, standing: &Standing, now: Timestamp) -> Result<Event, String> {
        let who = units::owner().to_string();
        match self {
            Self::Trading { state, account, why, until } => {
                let why = why.trim().to_owned();
                if why.is_empty() {
                    return Err("--why: say why, in a few words, for whoever asks later".to_owned());
                }
                if let Some(account) = account {
                    known(&account, standing)?;
                }
                match until {
                    Some(until) if until <= now => {
                        return Err(format!(
                            "--until {until}: the tape's time is {now} already, so it would hold for nobody; say a later time, or leave it out"
                        ));
                    }
                    Some(_) if state == TradingState::Active => {
                        return Err(
                            "--until: active has no end; say from when on trading is to be reduced or halted instead"
                                .to_owned(),
                        );
                    }
                    _ => {}
                }
                Ok(TradingStateChanged { account, state, who, why, until }.into())
            }
            Self::Close { account, instrument, edge, why } => {
                known(&account, standing)?;
                let mut live = standing.trades.live();
                if !live.any(|t| (t.account, t.instrument, t.edge) == (account, instrument, edge)) {
                    return Err(format!(
                        "{edge} has no trade of {instrument} on {account}: there is nothing to close"
                    ));
                }
                let why = why.map(|why| why.trim().to_owned()).filter(|why| !why.is_empty());
                let by = RequestedBy::Owner { who };
                Ok(CloseRequested { account, instrument, edge, direction: None, by, why, signal_at: None }
                    .into())
            }
            Self::Settle { account, asset, why } => {
                Ok(standing.books.settling(account, asset, why.trim())?.into())
            }
        }
    }
}

/// Whose word still holds after `request` was said, where that may surprise: trading is resumed for all
/// and an account stays halted, or the other way round.
pub fn still_holds(state: TradingState, standing: &Standing, now: Timestamp) -> Vec<String> {
    let stricter = standing.accounts().filter_map(|account| {
        let word = standing.trading.forbids(account, now).filter(|word| word.change.state > state)?;
        let how = match word.change.account {
            Some(account) => format!("resume it with: tapedeck trading active --account {account} --why …"),
            None => "all accounts are; resume them with: tapedeck trading active --why …".to_owned(),
        };
        Some(format!("note: {account} stays {} ({}): {how}", in_words(word.change.state), word.change.why))
    });
    stricter.collect()
}

/// # Errors
/// No unit of the tape runs for the account.
pub fn known(account: &Account, standing: &Standing) -> Result<(), String> {
    let known: Vec<String> = standing.accounts().map(ToString::to_string).collect();
    if standing.accounts().any(|known| known == account) {
        return Ok(());
    }
    Err(format!("--account {account}: this tape knows no such account; it knows {}", known.join(", ")))
}

/// What stands in the file beside the tape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Way {
    /// IP address and port.
    address: std::net::SocketAddr,
    token: String,
    /// The process that listens there.
    pid: u32,
}

/// The file beside a tape that is a file; of any other tape in the data folder, by the tape's id.
pub fn file(url: &str, data_folder: &Path, tape: events::Uuid) -> PathBuf {
    match url.split_once(':') {
        Some(("sqlite", path)) => {
            let path = Path::new(path);
            // One tape has one name, whatever links lead to it.
            let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
            PathBuf::from(format!("{}.control", whole.display()))
        }
        _ => data_folder.join(format!("{tape}.control")),
    }
}

/// An answer to a request that was not taken.
#[derive(Debug, Serialize, Deserialize)]
struct Refused {
    error: String,
}

/// An answer to one that was: where it stands on the tape, committed.
#[derive(Debug, Serialize, Deserialize)]
struct Taken {
    position: u64,
}
