//! Parameters of market-data requests, and what is wrong with them (Binance's `errors.md`).

use crate::{
    params::Params,
    refusal::Refusal,
    simulator::Simulator,
    simulator::span::{HOUR, MINUTE},
};
use serde_json::Value;

/// What a symbol may consist of, as Binance's error tells it.
const SYMBOL_RANGE: &str = r"^[\w\-._&&[^a-z]]{1,50}$";
const SYMBOLS_RANGE: &str = r#"^\[("[\w\-._&&[^a-z]]{1,50}"(,"[\w\-._&&[^a-z]]{1,50}"){0,}){0,1}\]$"#;
/// Most symbols that one request may name.
const MOST_SYMBOLS: usize = 100;
/// A time is taken to be in microseconds from here on (the year 5138 in milliseconds).
const MICROSECONDS_FROM: i64 = 100_000_000_000_000;

/// One symbol, or some.
pub enum Symbols {
    /// By their place.
    One(usize),
    Some(Vec<usize>),
}

impl Simulator {
    /// The place of the parameter `symbol`.
    pub fn symbol(&self, params: &Params) -> Result<usize, Refusal> {
        let name = mandatory(params, "symbol")?;
        let place = self.place(name)?;
        self.status_of(place, params)?;
        Ok(place)
    }

    fn place(&self, name: &str) -> Result<usize, Refusal> {
        if !is_symbol(name) {
            return Err(illegal("symbol", SYMBOL_RANGE));
        }
        self.by_name.get(name).copied().ok_or_else(|| Refusal::new(-1121, "Invalid symbol."))
    }

    /// `symbol`, `symbols`, or, where `all` allows it, none of them: all.
    pub fn symbols(&self, params: &Params, all: bool) -> Result<Symbols, Refusal> {
        match (given(params, "symbol")?, given(params, "symbols")?) {
            (Some(_), Some(_)) => Err(bad_combination()),
            (Some(_), None) => self.symbol(params).map(Symbols::One),
            (None, Some(list)) => {
                let places = self.places(list)?;
                self.filtered(places, params).map(Symbols::Some)
            }
            (None, None) if all => {
                self.filtered(self.by_name.values().copied().collect(), params).map(Symbols::Some)
            }
            (None, None) => Err(Refusal::new(
                -1102,
                "Param 'symbol' or 'symbols' must be sent, but both were empty/null!",
            )),
        }
    }

    fn places(&self, list: &str) -> Result<Vec<usize>, Refusal> {
        let wrong = || illegal("symbols", SYMBOLS_RANGE);
        let names: Vec<String> = serde_json::from_str(list).map_err(|_| wrong())?;
        if names.len() > MOST_SYMBOLS {
            return Err(invalid("symbols"));
        }
        let mut places = Vec::with_capacity(names.len());
        for name in &names {
            if !is_symbol(name) {
                return Err(wrong());
            }
            let place = self.place(name)?;
            if places.contains(&place) {
                return Err(Refusal::new(-1151, "Symbol is present multiple times in the list."));
            }
            places.push(place);
        }
        Ok(places)
    }

    /// Only those of the wanted status.
    fn filtered(&self, mut places: Vec<usize>, params: &Params) -> Result<Vec<usize>, Refusal> {
        if let Some(status) = wanted_status(params)? {
            places.retain(|&place| self.markets[place].status == status);
        }
        Ok(places)
    }

    fn status_of(&self, place: usize, params: &Params) -> Result<(), Refusal> {
        match wanted_status(params)? {
            Some(status) if self.markets[place].status != status => {
                Err(Refusal::new(-1220, "The symbol's status does not match the requested symbolStatus."))
            }
            _ => Ok(()),
        }
    }
}

fn wanted_status(params: &Params) -> Result<Option<&str>, Refusal> {
    match given(params, "symbolStatus")? {
        known @ (None | Some("TRADING" | "HALT" | "BREAK")) => Ok(known),
        Some(_) => Err(Refusal::new(-1122, "Invalid symbolStatus.")),
    }
}

/// One answer, or a list of them.
pub fn answer(symbols: Symbols, mut one: impl FnMut(usize) -> Option<Value>) -> Value {
    match symbols {
        Symbols::One(place) => one(place).unwrap_or_else(|| Value::Object(serde_json::Map::new())),
        Symbols::Some(places) => places.into_iter().filter_map(one).collect(),
    }
}

/// A parameter that may be left out, but not empty.
pub fn given<'a>(params: &'a Params, name: &str) -> Result<Option<&'a str>, Refusal> {
    match params.get(name) {
        Some("") => Err(Refusal::new(-1105, format!("Parameter '{name}' was empty."))),
        given => Ok(given),
    }
}

pub fn mandatory<'a>(params: &'a Params, name: &str) -> Result<&'a str, Refusal> {
    given(params, name)?.ok_or_else(|| {
        Refusal::new(
            -1102,
            format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed."),
        )
    })
}

/// A whole number that is not negative.
pub fn number(params: &Params, name: &str) -> Result<Option<i64>, Refusal> {
    let Some(given) = given(params, name)? else { return Ok(None) };
    if given.is_empty() || given.len() > 20 || !given.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(illegal(name, "^[0-9]{1,20}$"));
    }
    given.parse().map(Some).map_err(|_| Refusal::new(-1108, format!("Parameter '{name}' overflowed.")))
}

/// `limit`: more than the most is the most.
pub fn limit(params: &Params, usual: usize, most: usize) -> Result<usize, Refusal> {
    match number(params, "limit")? {
        None => Ok(usual),
        Some(0) => Err(invalid("limit")),
        Some(limit) => Ok(usize::try_from(limit).unwrap_or(most).min(most)),
    }
}

/// A time, given in milliseconds or microseconds, in microseconds.
pub fn time(params: &Params, name: &str) -> Result<Option<i64>, Refusal> {
    let in_micros = |at: i64| if at < MICROSECONDS_FROM { at * 1_000 } else { at };
    Ok(number(params, name)?.map(in_micros))
}

/// As [`time`], of a time until which: the whole of its millisecond.
pub fn time_until(params: &Params, name: &str) -> Result<Option<i64>, Refusal> {
    let in_micros = |at: i64| if at < MICROSECONDS_FROM { at * 1_000 + 999 } else { at };
    Ok(number(params, name)?.map(in_micros))
}

/// `timeZone`, in microseconds ahead of UTC: `8`, `-1:00`, `05:45`; from −12:00 to +14:00.
pub fn zone(params: &Params) -> Result<i64, Refusal> {
    let Some(text) = given(params, "timeZone")? else { return Ok(0) };
    parse_zone(text).ok_or_else(|| invalid("timeZone"))
}

fn parse_zone(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let (hours, minutes) = digits.split_once(':').map_or((digits, "0"), |both| both);
    let two = |text: &str| {
        let fits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|_| fits)
    };
    let (hours, minutes) = (two(hours)?, two(minutes).filter(|&minutes| minutes < 60)?);
    let zone = sign * (hours * HOUR + minutes * MINUTE);
    (-12 * HOUR..=14 * HOUR).contains(&zone).then_some(zone)
}

/// Letters of any script but small Latin ones, digits, `_`, `-` and `.`.
fn is_symbol(name: &str) -> bool {
    let legal = |c: char| (c.is_alphanumeric() && !c.is_ascii_lowercase()) || matches!(c, '_' | '-' | '.');
    (1..=50).contains(&name.chars().count()) && name.chars().all(legal)
}

fn illegal(name: &str, range: &str) -> Refusal {
    Refusal::new(-1100, format!("Illegal characters found in parameter '{name}'; legal range is '{range}'."))
}

pub fn invalid(name: &str) -> Refusal {
    Refusal::new(-1130, format!("Data sent for parameter '{name}' is not valid."))
}

pub fn bad_combination() -> Refusal {
    Refusal::new(-1128, "Combination of optional parameters invalid.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_zones_are_read_as_documented() {
        for (text, zone) in [
            ("0", Some(0)),
            ("8", Some(8 * HOUR)),
            ("-1:00", Some(-HOUR)),
            ("05:45", Some(5 * HOUR + 45 * MINUTE)),
            ("+14:00", Some(14 * HOUR)),
            ("14:01", None),
            ("-12:01", None),
            ("UTC", None),
            ("", None),
            ("1:60", None),
            ("-", None),
            ("é", None),
        ] {
            assert_eq!(parse_zone(text), zone, "{text}");
        }
    }

    #[test]
    fn symbols_may_be_of_any_script_but_not_in_small_letters() {
        assert!(is_symbol("BTCUSDT") && is_symbol("币安人生USDT") && is_symbol("１２３４５６"));
        assert!(
            !is_symbol("btcusdt") && !is_symbol("BTC/USDT") && !is_symbol("") && !is_symbol(&"X".repeat(51))
        );
    }
}
