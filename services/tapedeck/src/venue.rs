//! The account at a real exchange: how it is reached, and which tapes are its own.

use crate::WrongUse;
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

/// What has traded on a tape goes on trading where it did: its orders and balances are that venue's.
///
/// # Errors
/// The tape was traded on elsewhere, or cannot be read.
pub async fn check_same(tape: &Tape, on_paper: bool) -> anyhow::Result<()> {
    let mut was_on_paper = false;
    for row in tape.of_kind(Kind::UnitStarted).await? {
        if let Event::Unit(UnitEvent::Started(started)) = row.decode()?.event {
            was_on_paper |= started.unit.as_str() == venue_paper::UNIT;
        }
    }
    let has_traded = tape.latest_of_kind(Kind::OrderAttempted).await?.is_some();
    let wrong = match (on_paper, was_on_paper) {
        (false, true) => "the paper venue is one of this tape's units: its trades are not an exchange's",
        (true, false) if has_traded => {
            "this tape has traded at an exchange: its orders work there, not on paper"
        }
        (true, _) | (false, false) => return Ok(()),
    };
    Err(WrongUse(format!("{wrong}; choose another tape, or the venue that it was made for (--venue)")).into())
}
