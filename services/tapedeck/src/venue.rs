//! The account at a real exchange: how it is reached, and which tapes are its own.

use crate::{WrongUse, units};
use anyhow::Context;
use events::{Event, Kind, UnitEvent};
use settings::{BinanceAccess, Secret};
use std::{fs, path::Path};
use tape::Tape;
use venue_binance::{
    net::{Endpoints, Keys, Rest, Setup},
    sign::Signer,
};

/// A client of the account that the environment names.
///
/// # Errors
/// A key or secret that is missing or cannot be used.
pub fn binance(access: &BinanceAccess, data_dir: &Path) -> anyhow::Result<Rest> {
    client(Setup::new(endpoints(access), Some(keys(access)?)), data_dir)
}

/// A client for market data alone, which needs no key.
///
/// # Errors
/// It cannot be made.
pub fn market(access: &BinanceAccess, data_dir: &Path) -> anyhow::Result<Rest> {
    client(Setup::new(endpoints(access), None), data_dir)
}

fn client(mut setup: Setup, data_dir: &Path) -> anyhow::Result<Rest> {
    venue_binance::net::tls();
    fs::create_dir_all(data_dir).with_context(|| format!("making the folder {}", data_dir.display()))?;
    setup.info_file = Some(data_dir.join("binance-exchange-info.json"));
    Rest::new(setup).context("making a client of Binance")
}

/// Binance's own, but for what the environment says.
pub fn endpoints(access: &BinanceAccess) -> Endpoints {
    let mut endpoints = Endpoints::production();
    for (given, used) in [
        (&access.rest_url, &mut endpoints.rest),
        (&access.ws_api_url, &mut endpoints.ws_api),
        (&access.stream_url, &mut endpoints.streams),
    ] {
        if let Some(given) = given {
            used.clone_from(given);
        }
    }
    endpoints
}

fn keys(access: &BinanceAccess) -> anyhow::Result<Keys> {
    let key = access.key.as_ref().ok_or_else(|| {
        WrongUse(
            "which account? Set BINANCE_API_KEY, and BINANCE_API_SECRET or BINANCE_API_SECRET_FILE"
                .to_owned(),
        )
    })?;
    let secret = match (&access.secret, &access.secret_file) {
        (Some(secret), _) => secret.reveal().to_owned(),
        (None, Some(file)) => fs::read_to_string(file)
            .with_context(|| format!("BINANCE_API_SECRET_FILE: reading {}", file.display()))?,
        (None, None) => {
            let why = "set BINANCE_API_SECRET, or BINANCE_API_SECRET_FILE to a file that holds it";
            return Err(WrongUse(format!("requests cannot be signed: {why}")).into());
        }
    };
    let signer = Signer::from_secret(secret.trim())
        .map_err(|e| WrongUse(format!("BINANCE_API_SECRET cannot be signed with: {e}")))?;
    Ok(Keys { api_key: Secret::reveal(key).to_owned(), signer })
}

/// What was begun on a tape goes on where it was begun: its orders and balances are that venue's. `venue` is
/// `None` where the paper venue is one of the units.
///
/// # Errors
/// The tape is another venue's, or cannot be read.
pub async fn check_same(tape: &Tape, venue: Option<&str>) -> anyhow::Result<()> {
    let mut began: Option<Option<String>> = None;
    for row in tape.of_kind(Kind::UnitStarted).await? {
        let Event::Unit(UnitEvent::Started(started)) = row.decode()?.event else { continue };
        if started.unit.as_str() == venue_paper::UNIT {
            began = Some(None);
        } else if started.unit == units::gateway() && began.is_none() {
            began = Some(started.config["venue"].as_str().map(str::to_owned));
        }
    }
    let Some(began) = began else { return Ok(()) };
    if began.as_deref() == venue {
        return Ok(());
    }
    let name = |venue: Option<&str>| venue.unwrap_or("venue-paper").to_owned();
    Err(WrongUse(format!(
        "this tape trades at {}, and --venue says {}: choose another tape, or that venue in every process",
        name(began.as_deref()),
        name(venue)
    ))
    .into())
}
