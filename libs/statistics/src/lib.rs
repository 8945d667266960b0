//! What a run amounts to, as pure functions. `docs/METRICS.md` defines every figure.
//!
//! Money is [`Decimal`](domain::Decimal); `f64` is for ratios only.
//! A figure that is not defined is `None`, never 0, infinity or NaN.

pub mod daily;
pub mod hold;
pub mod returns;
pub mod tally;
pub mod time;

use domain::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};

/// Days in a year: markets of coins never close.
pub const YEAR: f64 = 365.0;

/// Decimals of a ratio that is told.
const DIGITS: u32 = 6;

/// A ratio to be told: rounded to six decimals. `None` where it is not finite, or too large to mean anything.
pub fn told(ratio: f64) -> Option<Decimal> {
    const MOST: f64 = 1e9;
    if !(ratio.is_finite() && ratio.abs() < MOST) {
        return None;
    }
    Decimal::from_f64(ratio).map(|ratio| ratio.round_dp(DIGITS).normalize())
}

/// A quotient of money, rounded like [`told`]; `None` where nothing is divided by.
pub fn quotient(part: Decimal, whole: Decimal) -> Option<Decimal> {
    part.checked_div(whole).map(|ratio| ratio.round_dp(DIGITS).normalize())
}

fn float(amount: Decimal) -> f64 {
    amount.to_f64().unwrap_or(f64::NAN)
}
