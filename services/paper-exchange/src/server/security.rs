//! Security: what a request says of itself is taken apart and checked, before the exchange hears of it. Pure.

use super::{
    clock::Clocks,
    keys::{Key, Keys, Permission, is_key},
};
use crate::{
    endpoint::{Security, Spec},
    params::{Params, TimeUnit},
    refusal::Refusal,
};
use domain::Timestamp;
use serde_json::value::RawValue;

/// When a request was sent, and for how long it is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    pub sent: Timestamp,
    /// Microseconds.
    pub window: i64,
}

/// A request that may come in.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    pub params: Params,
    pub unit: TimeUnit,
    /// Of a signed request.
    pub timing: Option<Timing>,
}

/// A request with what it asks for, if the endpoint has such parameters.
///
/// # Errors
/// −1104 or −1101 of parameters that it does not have.
pub fn wished(spec: &Spec, params: Params, unit: TimeUnit, timing: Option<Timing>) -> Result<Wish, Refusal> {
    if let Some(known) = spec.params {
        params.only(&[known])?;
    }
    Ok(Wish { params, unit, timing })
}

const DEFAULT_WINDOW: i64 = 5_000_000;
const LONGEST_WINDOW: i64 = 60_000_000;

/// A request's parameters, with what was signed.
#[derive(Debug, Default)]
pub struct Sent {
    pairs: Vec<(String, String)>,
    payload: String,
    /// Names that are checked here, and not the exchange's.
    own: &'static [&'static str],
}

/// Of a signed request over REST.
const SIGNED: &[&str] = &["signature", "timestamp", "recvWindow"];
/// Of the WebSocket API.
const SOCKET: &[&str] = &["signature", "timestamp", "recvWindow", "apiKey", "returnRateLimits"];
/// Of a request there that needs no signature.
const OPEN: &[&str] = &["apiKey", "returnRateLimits"];

impl Sent {
    /// Of REST. What is signed is the query string and the body as they were sent, one after the other, without
    /// the signature. A name in both counts as in the query string.
    ///
    /// # Errors
    /// A name twice (−1101), or what is no form data (−1100).
    pub fn form(query: &str, body: &str) -> Result<Self, Refusal> {
        let mut sent = Self { own: SIGNED, ..Self::default() };
        for part in [query, body] {
            let first = sent.pairs.len();
            let mut signed = Vec::new();
            for pair in part.split('&').filter(|pair| !pair.is_empty()) {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                let (name, value) = (decode(name)?, decode(value)?);
                if name != "signature" {
                    signed.push(pair);
                }
                if sent.pairs[first..].iter().any(|(known, _)| *known == name) {
                    return Err(Refusal::new(-1101, "Duplicate values for a parameter detected."));
                }
                if !sent.pairs[..first].iter().any(|(known, _)| *known == name) {
                    sent.pairs.push((name, value));
                }
            }
            sent.payload.push_str(&signed.join("&"));
        }
        Ok(sent)
    }

    /// Of the WebSocket API. What is signed is sorted by name, as it is written, without the signature.
    ///
    /// # Errors
    /// An object where a value should be (−1130), or a name twice (−1101).
    pub fn object(mut params: Vec<(String, Box<RawValue>)>) -> Result<Self, Refusal> {
        params.sort_by(|a, b| a.0.cmp(&b.0));
        if params.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(Refusal::new(-1101, "Duplicate values for a parameter detected."));
        }
        let mut sent = Self { own: SOCKET, ..Self::default() };
        for (name, value) in &params {
            let raw = value.get();
            let text = match raw.as_bytes().first() {
                Some(b'"') => serde_json::from_str(raw).unwrap_or_default(),
                Some(b'n') => continue,
                Some(b'{') => {
                    return Err(Refusal::new(
                        -1130,
                        format!("Data sent for parameter '{name}' is not valid."),
                    ));
                }
                _ => raw.to_owned(),
            };
            if name != "signature" {
                if !sent.payload.is_empty() {
                    sent.payload.push('&');
                }
                sent.payload.push_str(name);
                sent.payload.push('=');
                sent.payload.push_str(&text);
            }
            sent.pairs.push((name.clone(), text));
        }
        Ok(sent)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether the signature is that of this key.
    ///
    /// # Errors
    /// There is none (−1102), or another's (−1022).
    pub fn verify(&self, key: &Key) -> Result<(), Refusal> {
        let signature = self.get("signature").filter(|text| !text.is_empty());
        let signature = signature.ok_or_else(|| Refusal::mandatory("signature"))?;
        if key.verifier.verify(&self.payload, signature) { Ok(()) } else { Err(Refusal::signature()) }
    }

    /// When it was sent; milliseconds or microseconds, by the size of the number.
    ///
    /// # Errors
    /// There is no timestamp, or a window of more than a minute.
    pub fn timing(&self) -> Result<Timing, Refusal> {
        let sent = self.get("timestamp").filter(|text| !text.is_empty());
        let sent = sent.ok_or_else(|| Refusal::mandatory("timestamp"))?;
        let digits = (1..=19).contains(&sent.len()) && sent.bytes().all(|b| b.is_ascii_digit());
        let number = sent.parse::<i64>().ok().filter(|_| digits);
        let number = number.ok_or_else(|| Refusal::no_number("timestamp"))?;
        let sent = match number {
            0..100_000_000_000_000 => Timestamp::from_millis(number),
            _ => Timestamp::from_micros(number),
        };
        let window = match self.get("recvWindow") {
            None | Some("") => DEFAULT_WINDOW,
            Some(text) => window(text).ok_or_else(|| Refusal::no_number("recvWindow"))?,
        };
        if window > LONGEST_WINDOW {
            return Err(Refusal::new(-1131, "'recvWindow' must be less than 60000."));
        }
        Ok(Timing { sent, window })
    }

    /// Of a request that needs no signature: what would belong to one is unknown there.
    #[must_use]
    pub fn unsigned(self) -> Self {
        let own = if self.own == SOCKET { OPEN } else { &[] };
        Self { own, ..self }
    }

    /// What the exchange is to hear.
    pub fn into_params(self) -> Params {
        let sent = self.pairs.len();
        let pairs = self.pairs.into_iter().filter(|(name, _)| !self.own.contains(&name.as_str()));
        let pairs: Vec<_> = pairs.collect();
        Params { envelope: sent - pairs.len(), pairs }
    }
}

impl Timing {
    /// By the clocks that are right: the exchange's, and at a pace of its own those that cannot follow it.
    ///
    /// # Errors
    /// −1021, in one of two texts.
    pub fn check(self, clocks: &Clocks) -> Result<(), Refusal> {
        let late = |now: Timestamp| now.micros() - self.sent.micros();
        let by_machine = clocks.machine.map(late);
        if by_machine.is_some_and(|late| late > -AHEAD && late <= self.window) {
            return Ok(());
        }
        if late(clocks.fastest) <= -AHEAD {
            let text = "Timestamp for this request was 1000ms ahead of the server's time.";
            return Err(Refusal::new(-1021, text));
        }
        if late(clocks.slowest) > self.window {
            return Err(Refusal::new(-1021, "Timestamp for this request is outside of the recvWindow."));
        }
        Ok(())
    }
}

/// By so much, in microseconds, a client's clock must not be ahead.
const AHEAD: i64 = 1_000_000;

/// Milliseconds, with up to three decimals; in microseconds.
fn window(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || part.len() > 3 || !digits(whole) || !digits(part) {
        return None;
    }
    format!("{whole}{part:0<3}").parse().ok()
}

/// The key of a request, if its form and its rights are right.
///
/// # Errors
/// −2014 of what is no key, −2015 of one that is not known or may not do this.
pub fn key<'a>(keys: &'a Keys, text: Option<&str>, security: Security) -> Result<&'a Key, Refusal> {
    let text = text.filter(|text| !text.is_empty()).ok_or_else(Refusal::key_format)?;
    let Some(key) = keys.get(text) else {
        return Err(if is_key(text) { Refusal::key_rights() } else { Refusal::key_format() });
    };
    let needed = match security {
        Security::Nobody | Security::Key => return Ok(key),
        Security::UserData => Permission::Read,
        Security::Trade => Permission::Trade,
    };
    if key.may(needed) { Ok(key) } else { Err(Refusal::key_rights()) }
}

/// `MILLISECOND` or `MICROSECOND`, of either case.
///
/// # Errors
/// −1194.
pub fn time_unit(text: Option<&str>) -> Result<TimeUnit, Refusal> {
    match text {
        None => Ok(TimeUnit::Milli),
        Some(text) if text.eq_ignore_ascii_case("millisecond") => Ok(TimeUnit::Milli),
        Some(text) if text.eq_ignore_ascii_case("microsecond") => Ok(TimeUnit::Micro),
        Some(_) => Err(Refusal::new(
            -1194,
            "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.",
        )),
    }
}

/// Percent-encoding, and `+` for a space.
///
/// # Errors
/// −1100 of what is no UTF-8, or half an escape.
pub fn decode(text: &str) -> Result<String, Refusal> {
    if !text.contains(['%', '+']) {
        return Ok(text.to_owned());
    }
    let illegal = || Refusal::new(-1100, "Illegal characters found in a parameter.");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
                let (Some(high), Some(low)) = (digit(), digit()) else { return Err(illegal()) };
                bytes.push(u8::try_from(high << 4 | low).unwrap_or_default());
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| illegal())
}
