//! The account file: what the account owns, its fees and its API keys.

use super::keys::{Given, Keys, KeysError};
use domain::{Account, Amount, Asset, Decimal};
use serde::Deserialize;
use std::collections::BTreeMap;
use thiserror::Error;
use venue_paper::Problem;

/// As it is written, in TOML.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    account: Option<Account>,
    #[serde(default)]
    balances: BTreeMap<Asset, Amount>,
    fees: Option<Fees>,
    #[serde(default, rename = "key")]
    keys: Vec<Given>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fees {
    maker: Decimal,
    taker: Decimal,
}

#[derive(Debug, Error)]
pub enum AccountError {
    #[error("the account file cannot be read: {0}")]
    Malformed(String),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error("the account file: {0}")]
    Problem(Problem),
    #[error("the account's name: {0}")]
    Name(#[from] domain::Invalid),
}

/// What the account is called unless the file says otherwise.
const NAME: &str = "binance:paper";

/// What a text in the form of an account file says; an empty one stands for [`usual`].
///
/// # Errors
/// No such text, or one that says what cannot be.
pub fn read(text: &str) -> Result<(venue_paper::Config, Keys), AccountError> {
    // The parser's own message may show the line, which may be a secret.
    let malformed = |e: toml::de::Error| {
        let at = e.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        AccountError::Malformed(format!("line {at}: {}", e.message()))
    };
    let file: File = toml::from_str(text).map_err(malformed)?;
    let account = file.account.map_or_else(|| NAME.parse(), Ok)?;
    let mut config = venue_paper::Config::new(account);
    config.balances = if file.balances.is_empty() { usual_balances()? } else { file.balances };
    if let Some(fees) = file.fees {
        config.terms.fees.maker = fees.maker;
        config.terms.fees.taker = fees.taker;
    }
    if let Some(problem) = config.problems().into_iter().next() {
        return Err(AccountError::Problem(problem));
    }
    let keys = if file.keys.is_empty() { Keys::paper()? } else { Keys::new(&file.keys)? };
    Ok((config, keys))
}

/// The account that is used where there is no file: enough to trade both ways.
///
/// # Errors
/// Never: what it says can be.
pub fn usual() -> Result<(venue_paper::Config, Keys), AccountError> {
    read("")
}

fn usual_balances() -> Result<BTreeMap<Asset, Amount>, domain::Invalid> {
    let usual = [("USDT", 100_000), ("BTC", 2), ("ETH", 20), ("BNB", 50)];
    usual.into_iter().map(|(asset, amount)| Ok((asset.parse()?, Decimal::from(amount)))).collect()
}
