//! The parameters of a request, read one by one, and what is said of a wrong one (Binance's `errors.md`, 11xx).

use crate::{params::Params, refusal::Refusal};
use domain::{ClientOrderId, Decimal, Timestamp};

const SYMBOL: &str = r"^[\w\-._&&[^a-z]]{1,50}$";
const ID: &str = r"^[\.A-Z\:/a-z0-9_-]{1,36}$";
const DECIMAL: &str = r"^([0-9]{1,20})(\.[0-9]{1,20})?$";
const WHOLE: &str = r"^[0-9]{1,20}$";

/// The longest part of a decimal number on either side of its point.
const LONGEST_PART: usize = 20;
/// From here on a time is given in microseconds: in milliseconds it would be the year 5138.
const MICROSECONDS_FROM: i64 = 100_000_000_000_000;

#[derive(Clone, Copy)]
pub struct Ask<'a>(pub &'a Params);

impl<'a> Ask<'a> {
    /// # Errors
    /// −1104 if there is a parameter besides `known` ones; −1101 where there are none to be known.
    pub fn only(self, known: &[&[&str]]) -> Result<Self, Refusal> {
        self.0.only(known)?;
        Ok(self)
    }

    pub fn has(self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    /// # Errors
    /// −1105 if it is empty.
    pub fn text(self, name: &str) -> Result<Option<&'a str>, Refusal> {
        match self.0.get(name) {
            Some("") => Err(Refusal::new(-1105, format!("Parameter '{name}' was empty."))),
            given => Ok(given),
        }
    }

    /// # Errors
    /// −1102 if it is missing, −1105 if it is empty.
    pub fn must_text(self, name: &str) -> Result<&'a str, Refusal> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    /// # Errors
    /// −1100 if it is no number in plain digits, −1108 or −1111 if it has too many.
    pub fn decimal(self, name: &str) -> Result<Option<Decimal>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let plain = |part: &str| {
            (1..=LONGEST_PART).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !plain(whole) || !plain(fraction) {
            return Err(illegal(name, DECIMAL));
        }
        match Decimal::from_str_exact(text) {
            Ok(number) => Ok(Some(number)),
            Err(_) if fraction.len() > 8 => Err(too_precise(name)),
            Err(_) => Err(overflowed(name)),
        }
    }

    /// # Errors
    /// −1100 if it is no whole number, −1108 if it is too large.
    pub fn whole(self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        if text.len() > LONGEST_PART || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(illegal(name, WHOLE));
        }
        text.parse().map(Some).map_err(|_| overflowed(name))
    }

    /// # Errors
    /// −1130 if it is neither `true` nor `false`.
    pub fn flag(self, name: &str) -> Result<Option<bool>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err(invalid(name)),
        }
    }

    /// A time in milliseconds or in microseconds; by its size one knows which.
    ///
    /// # Errors
    /// −1100 if it is no whole number.
    pub fn time(self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        Ok(self.whole(name)?.map(|given| {
            if given >= MICROSECONDS_FROM {
                Timestamp::from_micros(given)
            } else {
                Timestamp::from_millis(given)
            }
        }))
    }

    /// How many rows; 1,000 at most.
    ///
    /// # Errors
    /// −1100 if it is no whole number, −1130 if it is zero.
    pub fn limit(self, usual: usize) -> Result<usize, Refusal> {
        match self.whole("limit")? {
            None => Ok(usual),
            Some(0) => Err(invalid("limit")),
            Some(given) => Ok(usize::try_from(given).unwrap_or(usize::MAX).min(1_000)),
        }
    }

    /// # Errors
    /// −1100 if Binance would not take it as a client order id.
    pub fn id(self, name: &str) -> Result<Option<ClientOrderId>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".:/_-".contains(&byte);
        if !text.bytes().all(allowed) {
            return Err(illegal(name, ID));
        }
        venue_binance::frame::client_order("clientOrderId", text).map(Some).map_err(|_| illegal(name, ID))
    }

    /// # Errors
    /// −1102 if it is missing, −1105 if it is empty, −1100 if no symbol may be written so.
    pub fn symbol(self) -> Result<&'a str, Refusal> {
        let text = self.must_text("symbol")?;
        let allowed = |c: char| (c.is_alphanumeric() && !c.is_ascii_lowercase()) || "-._".contains(c);
        if text.chars().count() > 50 || !text.chars().all(allowed) {
            return Err(illegal("symbol", SYMBOL));
        }
        Ok(text)
    }
}

pub fn missing(name: &str) -> Refusal {
    Refusal::new(-1102, format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed."))
}

pub fn missing_both(one: &str, other: &str) -> Refusal {
    Refusal::new(-1102, format!("Param '{one}' or '{other}' must be sent, but both were empty/null!"))
}

pub fn not_required(name: &str) -> Refusal {
    Refusal::new(-1106, format!("Parameter '{name}' sent when not required."))
}

pub fn invalid(name: &str) -> Refusal {
    Refusal::new(-1130, format!("Data sent for parameter '{name}' is not valid."))
}

pub fn overflowed(name: &str) -> Refusal {
    Refusal::new(-1108, format!("Parameter '{name}' overflowed."))
}

pub fn too_precise(name: &str) -> Refusal {
    Refusal::new(-1111, format!("Parameter '{name}' has too much precision."))
}

pub fn bad_combination() -> Refusal {
    Refusal::new(-1128, "Combination of optional parameters invalid.")
}

fn illegal(name: &str, range: &str) -> Refusal {
    Refusal::new(-1100, format!("Illegal characters found in parameter '{name}'; legal range is '{range}'."))
}
