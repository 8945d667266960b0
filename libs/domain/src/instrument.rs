//! What is traded, where, and on whose behalf.

use crate::{AccountName, Invalid, Symbol, Venue};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

/// What kind of tradable thing an instrument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstrumentKind {
    Spot,
    /// A perpetual future settled in its quote asset.
    LinearPerpetual,
}

impl InstrumentKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::LinearPerpetual => "linear_perpetual",
        }
    }

    /// Whether one can hold less than nothing of it.
    pub const fn can_be_short(self) -> bool {
        match self {
            Self::Spot => false,
            Self::LinearPerpetual => true,
        }
    }
}

/// A tradable thing at a venue. Written `binance:spot:BTCUSDT`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instrument {
    pub symbol: Symbol,
    pub venue: Venue,
    pub kind: InstrumentKind,
}

impl Instrument {
    pub fn spot(venue: Venue, symbol: Symbol) -> Self {
        Self { symbol, venue, kind: InstrumentKind::Spot }
    }
}

impl fmt::Display for Instrument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.venue, self.kind.as_str(), self.symbol)
    }
}

impl fmt::Debug for Instrument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Instrument {
    type Err = Invalid;
    fn from_str(given: &str) -> Result<Self, Invalid> {
        let wrong =
            || Invalid::new("instrument", given, "write venue:kind:symbol, e.g. binance:spot:BTCUSDT");
        let (venue, rest) = given.split_once(':').ok_or_else(wrong)?;
        let (kind, symbol) = rest.split_once(':').ok_or_else(wrong)?;
        let kind = match kind {
            "spot" => InstrumentKind::Spot,
            "linear_perpetual" => InstrumentKind::LinearPerpetual,
            _ => return Err(wrong()),
        };
        Ok(Self { symbol: symbol.parse()?, venue: venue.parse()?, kind })
    }
}

/// A (sub-)account at a venue. Written `binance:main`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    pub venue: Venue,
    pub name: AccountName,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.venue, self.name)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Account {
    type Err = Invalid;
    fn from_str(given: &str) -> Result<Self, Invalid> {
        let (venue, name) = given
            .split_once(':')
            .ok_or_else(|| Invalid::new("account", given, "write venue:name, e.g. binance:main"))?;
        Ok(Self { venue: venue.parse()?, name: name.parse()? })
    }
}

macro_rules! serde_as_text {
    ($($name:ident $what:literal;)*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                struct Reader;
                impl de::Visitor<'_> for Reader {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($what)
                    }
                    fn visit_str<E: de::Error>(self, given: &str) -> Result<$name, E> {
                        given.parse().map_err(E::custom)
                    }
                }
                d.deserialize_str(Reader)
            }
        }
    )*};
}

serde_as_text! {
    Instrument "an instrument, venue:kind:symbol";
    Account "an account, venue:name";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instruments_and_accounts_are_written_and_read_back() {
        let btc: Instrument = "binance:spot:BTCUSDT".parse().unwrap();
        assert_eq!(btc.to_string(), "binance:spot:BTCUSDT");
        assert_eq!(serde_json::to_string(&btc).unwrap(), "\"binance:spot:BTCUSDT\"");
        let account: Account = "paper:main".parse().unwrap();
        assert_eq!(account.to_string(), "paper:main");
        let perpetual: Instrument = "binance:linear_perpetual:BTCUSDT".parse().unwrap();
        assert_eq!(format!("{perpetual:?} {account:?}"), "binance:linear_perpetual:BTCUSDT paper:main");
        assert!(perpetual.kind.can_be_short() && !btc.kind.can_be_short());
        assert!("BTCUSDT".parse::<Instrument>().unwrap_err().to_string().contains("venue:kind:symbol"));
    }
}
