//! Raw frames of account streams that could not be read, and what became of them.

use super::payload;
use crate::{Hash, base64};
use domain::{Account, Invalid, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

/// A frame that no parser of this build can read, whole, so that a mended one can read it again.
///
/// Identified by account and frame: what else is said here is what the first copy came with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameQuarantined {
    pub account: Account,
    pub replica: String,
    pub stream: String,
    pub content_type: String,
    pub frame: FrameHash,
    pub bytes: FrameBytes,
    /// What was wrong, and what is missing.
    pub why: String,
    pub received_at: Timestamp,
}
payload!(FrameQuarantined, |e| format!("frame:{}", e.frame), at = e.received_at, account = Some(e.account));

/// A quarantined frame was read after all; what it says is on the tape beside this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameReparsed {
    pub account: Account,
    pub frame: FrameHash,
    /// How many events it holds, those included that were on the tape already.
    pub events: u32,
}
payload!(FrameReparsed, |e| format!("frame:{}", e.frame), account = Some(e.account));

/// SHA-256 of a frame's bytes; written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FrameHash(pub Hash);

/// A frame's bytes; written as `{"text": …}` if they are UTF-8, as `{"base64": …}` otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameBytes(pub Vec<u8>);

impl fmt::Display for FrameHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for FrameHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for FrameHash {
    type Err = Invalid;
    fn from_str(given: &str) -> Result<Self, Invalid> {
        let wrong = || Invalid::new("frame hash", given, "write 64 lower-case hexadecimal digits");
        let digit = |d: u8| char::from(d).to_digit(16).filter(|_| !d.is_ascii_uppercase());
        let mut hash = [0; 32];
        if given.len() != 64 {
            return Err(wrong());
        }
        for (byte, pair) in hash.iter_mut().zip(given.as_bytes().chunks_exact(2)) {
            let value = digit(pair[0]).zip(digit(pair[1])).ok_or_else(wrong)?;
            *byte = (value.0 << 4 | value.1) as u8;
        }
        Ok(Self(hash))
    }
}

impl Serialize for FrameHash {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FrameHash {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(de::Error::custom)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    Text(String),
    Base64(String),
}

impl Serialize for FrameBytes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => Written::Text(text.to_owned()),
            Err(_) => Written::Base64(base64::encode(&self.0)),
        }
        .serialize(s)
    }
}

impl<'de> Deserialize<'de> for FrameBytes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match Written::deserialize(d)? {
            Written::Text(text) => Ok(Self(text.into_bytes())),
            Written::Base64(text) => base64::decode(&text)
                .map(Self)
                .ok_or_else(|| de::Error::custom("the frame's bytes are not base64")),
        }
    }
}
