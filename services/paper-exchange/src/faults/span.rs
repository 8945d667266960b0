//! Lengths of time as a script writes them: `250ms`, `3s`, `2m`, `1h`; an offset may be negative.

use serde::Deserialize;
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(pub Duration);

/// In microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Signed(pub i64);

/// Longer than any run.
const MOST: i64 = 366 * 86_400 * 1_000_000;

fn micros(text: &str) -> Option<i64> {
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(at);
    let unit = match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        _ => return None,
    };
    let number: i64 = number.parse().ok()?;
    number.checked_mul(unit).filter(|micros| (-MOST..=MOST).contains(micros))
}

impl TryFrom<String> for Span {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let micros = micros(&text).and_then(|micros| u64::try_from(micros).ok());
        let micros =
            micros.ok_or_else(|| format!("'{text}' is no length of time: write 250ms, 3s, 2m or 1h"))?;
        Ok(Self(Duration::from_micros(micros)))
    }
}

impl TryFrom<String> for Signed {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        micros(&text).map(Self).ok_or_else(|| format!("'{text}' is no offset: write 250ms, 3s or -3s"))
    }
}
