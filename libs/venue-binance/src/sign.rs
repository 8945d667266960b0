//! Signatures: HMAC-SHA256 (hexadecimal) and Ed25519 (base64), over a request's canonical form
//! ([`crate::params::Params::query`] for REST, [`crate::params::Params::sorted`] for the WebSocket API).

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ring::{
    hmac,
    signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey},
};
use std::fmt::{self, Write as _};
use thiserror::Error;

/// The secret half of an API key. Never shown.
pub enum Signer {
    Hmac(hmac::Key),
    Ed25519(Box<Ed25519KeyPair>),
}

/// What checks signatures: the same secret for HMAC, the public key for Ed25519.
pub enum Verifier {
    Hmac(hmac::Key),
    Ed25519(Vec<u8>),
}

/// What is wrong with a key; its text is never in here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    #[error("the secret key is empty; copy it from Binance's API management")]
    Empty,
    #[error(
        "the key is no Ed25519 private key in PEM (PKCS#8); make one with `openssl genpkey -algorithm ed25519`"
    )]
    NoPrivateKey,
    #[error("the key is no Ed25519 public key in PEM; write it with `openssl pkey -pubout`")]
    NoPublicKey,
}

impl Signer {
    /// From what an owner configures: a PEM is an Ed25519 key, anything else a secret for HMAC.
    ///
    /// # Errors
    /// Empty, or a PEM that is no such key.
    pub fn from_secret(secret: &str) -> Result<Self, KeyError> {
        if secret.trim_start().starts_with("-----BEGIN") { Self::ed25519(secret) } else { Self::hmac(secret) }
    }

    /// # Errors
    /// The secret is empty.
    pub fn hmac(secret: &str) -> Result<Self, KeyError> {
        let secret = secret.trim();
        if secret.is_empty() {
            return Err(KeyError::Empty);
        }
        Ok(Self::Hmac(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())))
    }

    /// From a private key in PEM, as OpenSSL writes it.
    ///
    /// # Errors
    /// No PEM, no PKCS#8, or another kind of key.
    pub fn ed25519(pem: &str) -> Result<Self, KeyError> {
        let der = unwrap_pem(pem, "PRIVATE KEY").ok_or(KeyError::NoPrivateKey)?;
        // OpenSSL leaves the public half out (version 1); it is worked out then.
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map_err(|_| KeyError::NoPrivateKey)?;
        Ok(Self::Ed25519(Box::new(pair)))
    }

    /// Hexadecimal for HMAC, base64 for Ed25519: in a query it has to be percent-encoded still.
    pub fn sign(&self, payload: &str) -> String {
        match self {
            Self::Hmac(key) => hex(hmac::sign(key, payload.as_bytes()).as_ref()),
            Self::Ed25519(pair) => BASE64.encode(pair.sign(payload.as_bytes())),
        }
    }

    /// Whether a session can be logged on with it (`session.logon` takes Ed25519 only).
    pub fn can_log_on(&self) -> bool {
        matches!(self, Self::Ed25519(_))
    }

    /// What checks its signatures.
    pub fn verifier(&self) -> Verifier {
        match self {
            Self::Hmac(key) => Verifier::Hmac(key.clone()),
            Self::Ed25519(pair) => Verifier::Ed25519(pair.public_key().as_ref().to_vec()),
        }
    }
}

impl Verifier {
    /// From a public key in PEM.
    ///
    /// # Errors
    /// No PEM, or another kind of key.
    pub fn ed25519(pem: &str) -> Result<Self, KeyError> {
        let der = unwrap_pem(pem, "PUBLIC KEY").ok_or(KeyError::NoPublicKey)?;
        let key = der.strip_prefix(PUBLIC_KEY_HEAD).filter(|key| key.len() == 32);
        Ok(Self::Ed25519(key.ok_or(KeyError::NoPublicKey)?.to_vec()))
    }

    /// Hexadecimal digits may be of either case. In constant time, as far as the signature itself goes.
    pub fn verify(&self, payload: &str, signature: &str) -> bool {
        match self {
            Self::Hmac(key) => unhex(signature)
                .is_some_and(|signature| hmac::verify(key, payload.as_bytes(), &signature).is_ok()),
            Self::Ed25519(key) => BASE64.decode(signature).is_ok_and(|signature| {
                UnparsedPublicKey::new(&ED25519, key).verify(payload.as_bytes(), &signature).is_ok()
            }),
        }
    }
}

/// `SubjectPublicKeyInfo` of Ed25519 (RFC 8410), up to the key.
const PUBLIC_KEY_HEAD: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

fn unwrap_pem(pem: &str, label: &str) -> Option<Vec<u8>> {
    let body = pem.trim().strip_prefix(&format!("-----BEGIN {label}-----"))?;
    let body = body.strip_suffix(&format!("-----END {label}-----"))?;
    let text: String = body.split_whitespace().collect();
    BASE64.decode(text).ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect())
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.can_log_on() { "Signer(Ed25519, …)" } else { "Signer(HMAC-SHA256, …)" })
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hmac(_) => "Verifier(HMAC-SHA256, …)",
            Self::Ed25519(_) => "Verifier(Ed25519, …)",
        })
    }
}
