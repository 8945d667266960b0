//! The account file: what each account owns, its fees and its API keys.

use super::keys::{Given, Keys, KeysError};
use crate::exchange::{Accounts, Other};
use domain::{Account, Amount, Asset, Decimal};
use serde::Deserialize;
use std::collections::BTreeMap;
use thiserror::Error;
use venue_paper::{Problem, engine::Owner};

/// As it is written, in TOML: the first account, and others below `[[accounts]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    account: Option<Account>,
    group: Option<u32>,
    #[serde(default)]
    balances: BTreeMap<Asset, Amount>,
    fees: Option<Fees>,
    #[serde(default, rename = "key")]
    keys: Vec<Given>,
    #[serde(default)]
    accounts: Vec<Another>,
}

/// An account beside the first. It has a name, and keys, or nobody could ask for it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Another {
    account: Account,
    group: Option<u32>,
    #[serde(default)]
    balances: BTreeMap<Asset, Amount>,
    fees: Option<Fees>,
    #[serde(rename = "key")]
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
    #[error("the account file: account {account}: {problem}")]
    Other { account: Account, problem: Problem },
    #[error("the account file: {0} is there twice; give each account a name of its own, e.g. binance:copier")]
    Twice(Account),
    #[error("the account file: account {0} is of another venue than the first; all are of one exchange")]
    Venue(Account),
    #[error("the account file: {0} accounts; at most {MOST_ACCOUNTS} trade on one exchange")]
    TooMany(usize),
    #[error("the account's name: {0}")]
    Name(#[from] domain::Invalid),
}

/// What the account is called unless the file says otherwise.
const NAME: &str = "binance:paper";
const MOST_ACCOUNTS: usize = 1_000;

/// What a text in the form of an account file says; an empty one stands for [`usual`].
///
/// # Errors
/// No such text, or one that says what cannot be.
pub fn read(text: &str) -> Result<(Accounts, Keys), AccountError> {
    // The parser's own message may show the line, which may be a secret.
    let malformed = |e: toml::de::Error| {
        let at = e.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        AccountError::Malformed(format!("line {at}: {}", e.message()))
    };
    let file: File = toml::from_str(text).map_err(malformed)?;
    let account = file.account.map_or_else(|| NAME.parse(), Ok)?;
    let balances = if file.balances.is_empty() { usual_balances()? } else { file.balances };
    let first = config(account, balances, file.fees.as_ref());
    if let Some(problem) = first.problems().into_iter().next() {
        return Err(AccountError::Problem(problem));
    }
    if file.accounts.len() >= MOST_ACCOUNTS {
        return Err(AccountError::TooMany(file.accounts.len() + 1));
    }
    let mut keys: Vec<(Owner, Given)> = file.keys.into_iter().map(|key| (Owner::FIRST, key)).collect();
    if keys.is_empty() {
        keys.push((Owner::FIRST, Given::paper()));
    }
    let mut accounts = Accounts { group: file.group, ..Accounts::from(first) };
    for (another, owner) in file.accounts.into_iter().zip((1..).map(Owner)) {
        keys.extend(another.keys.iter().map(|key| (owner, key.clone())));
        let other = other(&accounts, another)?;
        accounts.others.push(other);
    }
    Ok((accounts, Keys::new(&keys)?))
}

fn config(account: Account, balances: BTreeMap<Asset, Amount>, fees: Option<&Fees>) -> venue_paper::Config {
    let mut config = venue_paper::Config::new(account);
    config.balances = balances;
    if let Some(fees) = fees {
        config.terms.fees.maker = fees.maker;
        config.terms.fees.taker = fees.taker;
    }
    config
}

fn other(known: &Accounts, another: Another) -> Result<Other, AccountError> {
    let Another { account, group, balances, fees, keys: _ } = another;
    if known.owner(&account).is_some() {
        return Err(AccountError::Twice(account));
    }
    if known.first.account.venue != account.venue {
        return Err(AccountError::Venue(account));
    }
    let config = config(account, balances, fees.as_ref());
    match config.problems().into_iter().next() {
        Some(problem) => Err(AccountError::Other { account, problem }),
        None => Ok(Other { account, balances: config.balances, fees: config.terms.fees, group }),
    }
}

/// The account that is used where there is no file: enough to trade both ways.
///
/// # Errors
/// Never: what it says can be.
pub fn usual() -> Result<(Accounts, Keys), AccountError> {
    read("")
}

fn usual_balances() -> Result<BTreeMap<Asset, Amount>, domain::Invalid> {
    let usual = [("USDT", 100_000), ("BTC", 2), ("ETH", 20), ("BNB", 50)];
    usual.into_iter().map(|(asset, amount)| Ok((asset.parse()?, Decimal::from(amount)))).collect()
}
