//! API keys and what they may do.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;
use venue_binance::sign::{KeyError, Verifier};
use venue_paper::engine::Owner;

/// The paper key: for this exchange alone, worth nothing, and in the README.
pub const PAPER_KEY: &str = "TapedeckPaperExchangeApiKeyTapedeckPaperExchangeApiKeyTapedeck00";
/// Its secret, for HMAC.
pub const PAPER_SECRET: &str = "TapedeckPaperExchangeSecretTapedeckPaperExchangeSecretTapedeck00";

/// The keys of all accounts, by their text.
#[derive(Debug)]
pub struct Keys(BTreeMap<String, Key>);

#[derive(Debug)]
pub struct Key {
    /// Whose key it is.
    pub owner: Owner,
    pub verifier: Verifier,
    pub permissions: BTreeSet<Permission>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    Read,
    Trade,
    /// Only told of, as a reason for clients to refuse the key: nothing can be withdrawn here.
    Withdraw,
}

/// A key as an account file writes it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    pub api_key: String,
    /// For HMAC.
    pub secret: Option<String>,
    /// For Ed25519 or RSA, in PEM.
    pub public_key: Option<String>,
    #[serde(default = "read_and_trade")]
    pub permissions: BTreeSet<Permission>,
}

impl Given {
    /// The documented paper key, which may read and trade.
    pub fn paper() -> Self {
        Self {
            api_key: PAPER_KEY.to_owned(),
            secret: Some(PAPER_SECRET.to_owned()),
            public_key: None,
            permissions: read_and_trade(),
        }
    }
}

fn read_and_trade() -> BTreeSet<Permission> {
    [Permission::Read, Permission::Trade].into()
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeysError {
    #[error("API key {number} of the account file: {error}")]
    Key { number: usize, error: KeyError },
    #[error(
        "API key {number} of the account file: give either secret (HMAC) or public_key (Ed25519 or RSA, PEM)"
    )]
    OneOfTwo { number: usize },
    #[error("API key {number} of the account file: write letters and digits only, and each key once")]
    Text { number: usize },
}

impl Keys {
    /// The documented paper key, which may read and trade.
    ///
    /// # Errors
    /// Never: its secret is not empty.
    pub fn paper() -> Result<Self, KeysError> {
        Self::new(&[(Owner::FIRST, Given::paper())])
    }

    /// # Errors
    /// A key that cannot be used, by its number from 1.
    pub fn new(given: &[(Owner, Given)]) -> Result<Self, KeysError> {
        let mut keys = BTreeMap::new();
        for (number, (owner, given)) in (1..).zip(given) {
            let wrong = |error| KeysError::Key { number, error };
            let verifier = match (&given.secret, &given.public_key) {
                (Some(secret), None) => venue_binance::sign::Signer::hmac(secret).map_err(wrong)?.verifier(),
                (None, Some(pem)) => Verifier::from_public(pem).map_err(wrong)?,
                (Some(_), Some(_)) | (None, None) => return Err(KeysError::OneOfTwo { number }),
            };
            let key = Key { owner: *owner, verifier, permissions: given.permissions.clone() };
            let plain = !given.api_key.is_empty() && given.api_key.bytes().all(|b| b.is_ascii_alphanumeric());
            if !plain || keys.insert(given.api_key.clone(), key).is_some() {
                return Err(KeysError::Text { number });
            }
        }
        Ok(Self(keys))
    }

    pub fn get(&self, text: &str) -> Option<&Key> {
        self.0.get(text)
    }
}

impl Key {
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// Whether a session can be logged on with it.
    pub fn can_log_on(&self) -> bool {
        matches!(self.verifier, Verifier::Ed25519(_))
    }
}

/// Whether a text could be an API key at all.
pub fn is_key(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_alphanumeric())
}
