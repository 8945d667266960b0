//! Short names held in place: copied without allocation, ordered by their bytes.
//!
//! Events carry many of them, so a name is a `Copy` value; the longest ones that venues and we
//! ourselves use fit with room to spare, and a longer one is refused at the door.

use crate::Invalid;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Borrow, cmp::Ordering, fmt, hash, ops::Deref, str::FromStr};

/// Up to `N` bytes of UTF-8, never empty, without control characters, blanks or `/`.
#[derive(Clone, Copy)]
pub struct Text<const N: usize> {
    len: u8,
    bytes: [u8; N],
}

impl<const N: usize> Text<N> {
    fn parse(what: &'static str, given: &str) -> Result<Self, Invalid> {
        if given.is_empty() {
            return Err(Invalid::new(what, given, "must not be empty"));
        }
        if given.len() > N {
            return Err(Invalid::new(what, given, format!("must be at most {N} bytes long")));
        }
        if let Some(bad) = given.chars().find(|c| c.is_control() || c.is_whitespace() || *c == '/') {
            return Err(Invalid::new(what, given, format!("must not contain {bad:?}")));
        }
        let mut bytes = [0; N];
        bytes[..given.len()].copy_from_slice(given.as_bytes());
        Ok(Self { len: given.len() as u8, bytes })
    }

    fn as_str(&self) -> &str {
        // Only `parse` makes one, from a `str`; it is UTF-8.
        std::str::from_utf8(&self.bytes[..self.len as usize]).unwrap_or_default()
    }

    fn raw(&self) -> &[u8] {
        &self.bytes[..self.len as usize]
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident($max:literal) $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name(Text<$max>);

        impl $name {
            /// # Errors
            /// Empty, too long, or with blanks, control characters or `/` in it.
            pub fn new(given: &str) -> Result<Self, Invalid> {
                Text::parse($what, given).map(Self)
            }
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }
        impl Deref for $name {
            type Target = str;
            fn deref(&self) -> &str {
                self.as_str()
            }
        }
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.raw() == other.0.raw()
            }
        }
        impl Eq for $name {}
        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.0.raw().cmp(other.0.raw())
            }
        }
        impl hash::Hash for $name {
            fn hash<H: hash::Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.as_str())
            }
        }
        impl FromStr for $name {
            type Err = Invalid;
            fn from_str(given: &str) -> Result<Self, Invalid> {
                Self::new(given)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
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
                        $name::new(given).map_err(E::custom)
                    }
                }
                d.deserialize_str(Reader)
            }
        }
    )*};
}

names! {
    /// An exchange, e.g. `binance`.
    Venue(16) "venue";
    /// A (sub-)account's own name, which never changes though its keys may.
    AccountName(16) "account name";
    /// The venue's name of an instrument, e.g. `BTCUSDT`; may be non-ASCII.
    Symbol(40) "symbol";
    /// A coin or currency, e.g. `USDT`.
    Asset(24) "asset";
    /// A strategy, e.g. `edge70`; `manual` is the owner of foreign fills.
    EdgeName(16) "edge name";
    /// A hosted component, e.g. `position-tracker`; of an account, e.g. `venue-paper:binance:main`.
    UnitName(48) "unit name";
    /// Our id of an order; also of an OCO list. Binance allows 36 characters, we use at most 32.
    ClientOrderId(36) "client order id";
    /// One round trip of ours, entry to exit.
    TradeId(96) "trade id";
    /// The venue's id of an order.
    VenueOrderId(36) "venue order id";
    /// The venue's id of a fill.
    VenueTradeId(36) "venue trade id";
}

impl EdgeName {
    /// The owner of fills that no order of ours explains.
    pub fn manual() -> Self {
        Self(Text::parse("edge name", "manual").unwrap_or_else(|_| unreachable!("a valid name")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_what_they_were_given_even_outside_ascii() {
        let symbol = Symbol::new("币安人生USDT").unwrap();
        assert_eq!(symbol.as_str(), "币安人生USDT");
        let json = serde_json::to_string(&symbol).unwrap();
        assert_eq!(serde_json::from_str::<Symbol>(&json).unwrap(), symbol);
    }

    #[test]
    fn a_bad_name_is_refused_with_its_remedy() {
        let long = "X".repeat(41);
        assert!(Symbol::new(&long).unwrap_err().to_string().contains("at most 40 bytes"));
        assert!(Symbol::new("").is_err());
        assert!(Symbol::new("BTC USDT").is_err());
        assert!(serde_json::from_str::<Asset>("\"\"").is_err());
    }

    #[test]
    fn names_sort_as_text() {
        let mut names = ["b", "a", "ab"].map(|n| Asset::new(n).unwrap());
        names.sort();
        assert_eq!(names.map(|n| n.to_string()), ["a", "ab", "b"]);
    }

    #[test]
    fn a_name_may_have_as_many_bytes_as_there_is_room_for_and_no_more() {
        assert_eq!("a".repeat(16).parse::<Venue>().unwrap().as_str().len(), 16);
        assert!("a".repeat(17).parse::<Venue>().unwrap_err().to_string().contains("at most 16 bytes"));
    }
}
