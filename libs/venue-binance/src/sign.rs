//! Signatures: HMAC-SHA256 (hexadecimal), RSASSA-PKCS1-v1_5 with SHA-256 and Ed25519 (base64), over a request's
//! canonical form
//! ([`crate::params::Params::query`] for REST, [`crate::params::Params::sorted`] for the WebSocket API).

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ring::{
    hmac,
    rand::SystemRandom,
    rsa,
    signature::{
        ED25519, Ed25519KeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
    },
};
use std::fmt::{self, Write as _};
use thiserror::Error;

/// The secret half of an API key. Never shown.
pub enum Signer {
    Hmac(hmac::Key),
    /// Of 2048 to 4096 bits.
    Rsa(Box<rsa::KeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

/// What checks signatures: the same secret for HMAC, the public key for Ed25519.
pub enum Verifier {
    Hmac(hmac::Key),
    /// The `RSAPublicKey` in DER.
    Rsa(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// What is wrong with a key; its text is never in here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    #[error("the secret key is empty; copy it from Binance's API management")]
    Empty,
    #[error(
        "the key is no Ed25519 or RSA private key in PEM (PKCS#8, RSA of 2048 to 4096 bits, not encrypted); make one \
         with `openssl genpkey -algorithm ed25519`"
    )]
    NoPrivateKey,
    #[error(
        "the key is no Ed25519 or RSA public key in PEM (RSA of 2048 to 4096 bits); write it with `openssl pkey -pubout`"
    )]
    NoPublicKey,
}

impl Signer {
    /// From what an owner configures: a PEM is an Ed25519 or an RSA key, anything else a secret for HMAC.
    ///
    /// # Errors
    /// Empty, or a PEM that is no such key.
    pub fn from_secret(secret: &str) -> Result<Self, KeyError> {
        if !secret.trim_start().starts_with("-----BEGIN") {
            return Self::hmac(secret);
        }
        Self::ed25519(secret).or_else(|_| Self::rsa(secret))
    }

    /// From a private key in PEM (PKCS#8), as OpenSSL writes it.
    ///
    /// # Errors
    /// No PEM, no PKCS#8, another kind of key, or one of fewer than 2048 or more than 4096 bits.
    pub fn rsa(pem: &str) -> Result<Self, KeyError> {
        let der = unwrap_pem(pem, "PRIVATE KEY").ok_or(KeyError::NoPrivateKey)?;
        let pair = rsa::KeyPair::from_pkcs8(&der).map_err(|_| KeyError::NoPrivateKey)?;
        let fits = RSA_BYTES.contains(&pair.public().modulus_len());
        if fits { Ok(Self::Rsa(Box::new(pair))) } else { Err(KeyError::NoPrivateKey) }
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

    /// Hexadecimal for HMAC, base64 for RSA and Ed25519: in a query it has to be percent-encoded still.
    pub fn sign(&self, payload: &str) -> String {
        match self {
            Self::Hmac(key) => hex(hmac::sign(key, payload.as_bytes()).as_ref()),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let random = SystemRandom::new();
                // Its padding needs no randomness; blinding does, and leaves the signature as it is.
                match pair.sign(&RSA_PKCS1_SHA256, &random, payload.as_bytes(), &mut signature) {
                    Ok(()) => BASE64.encode(signature),
                    // Only a machine without randomness: the venue refuses it as it does any wrong signature.
                    Err(_) => String::new(),
                }
            }
            Self::Ed25519(pair) => BASE64.encode(pair.sign(payload.as_bytes())),
        }
    }

    /// What checks its signatures.
    pub fn verifier(&self) -> Verifier {
        match self {
            Self::Hmac(key) => Verifier::Hmac(key.clone()),
            Self::Rsa(pair) => Verifier::Rsa(pair.public().as_ref().to_vec()),
            Self::Ed25519(pair) => Verifier::Ed25519(pair.public_key().as_ref().to_vec()),
        }
    }
}

impl Verifier {
    /// From a public key in PEM, of either kind.
    ///
    /// # Errors
    /// No PEM, another kind of key, or RSA of fewer than 2048 or more than 4096 bits.
    pub fn from_public(pem: &str) -> Result<Self, KeyError> {
        Self::ed25519(pem).or_else(|_| Self::rsa(pem))
    }

    /// From a public key in PEM.
    ///
    /// # Errors
    /// No PEM, another kind of key, or one of fewer than 2048 or more than 4096 bits.
    pub fn rsa(pem: &str) -> Result<Self, KeyError> {
        let der = unwrap_pem(pem, "PUBLIC KEY").ok_or(KeyError::NoPublicKey)?;
        let key = rsa_key(&der).filter(|key| modulus_bytes(key).is_some_and(|n| RSA_BYTES.contains(&n)));
        Ok(Self::Rsa(key.ok_or(KeyError::NoPublicKey)?.to_vec()))
    }

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
            Self::Rsa(key) => BASE64.decode(signature).is_ok_and(|signature| {
                let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
                key.verify(payload.as_bytes(), &signature).is_ok()
            }),
            Self::Ed25519(key) => BASE64.decode(signature).is_ok_and(|signature| {
                UnparsedPublicKey::new(&ED25519, key).verify(payload.as_bytes(), &signature).is_ok()
            }),
        }
    }
}

/// `SubjectPublicKeyInfo` of Ed25519 (RFC 8410), up to the key.
const PUBLIC_KEY_HEAD: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Lengths of an RSA modulus that Binance takes, in bytes.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=512;

/// `AlgorithmIdentifier` of `rsaEncryption` (RFC 8017), within a `SubjectPublicKeyInfo`.
const RSA_ALGORITHM: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// The `RSAPublicKey` within a `SubjectPublicKeyInfo`.
fn rsa_key(der: &[u8]) -> Option<&[u8]> {
    let (info, rest) = tagged(der, 0x30)?;
    let bits = info.strip_prefix(RSA_ALGORITHM).filter(|_| rest.is_empty())?;
    let (bits, rest) = tagged(bits, 0x03)?;
    // The first byte counts unused bits: there are none.
    bits.strip_prefix(&[0]).filter(|_| rest.is_empty())
}

fn modulus_bytes(key: &[u8]) -> Option<usize> {
    let (numbers, rest) = tagged(key, 0x30)?;
    let (modulus, _) = tagged(numbers, 0x02)?;
    // A leading zero keeps it positive.
    rest.is_empty().then(|| modulus.strip_prefix(&[0]).unwrap_or(modulus).len())
}

/// What a value of DER holds, and what follows it; lengths of up to 65,535 bytes.
fn tagged(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let rest = der.strip_prefix(&[tag])?;
    let (length, rest) = match *rest {
        [short @ 0..=0x7f, ref rest @ ..] => (usize::from(short), rest),
        [0x81, long, ref rest @ ..] => (usize::from(long), rest),
        [0x82, high, low, ref rest @ ..] => (usize::from(u16::from_be_bytes([high, low])), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}

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
        f.write_str(match self {
            Self::Hmac(_) => "Signer(HMAC-SHA256, …)",
            Self::Rsa(_) => "Signer(RSA, …)",
            Self::Ed25519(_) => "Signer(Ed25519, …)",
        })
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hmac(_) => "Verifier(HMAC-SHA256, …)",
            Self::Rsa(_) => "Verifier(RSA, …)",
            Self::Ed25519(_) => "Verifier(Ed25519, …)",
        })
    }
}
