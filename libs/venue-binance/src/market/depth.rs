//! The order book's frames.

use super::{Fixed, fixed::Capped};
use crate::wire::{Stamp, Text, wire};
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, SeqAccess, Visitor},
};
use std::fmt;

wire! {
    /// `depthUpdate`: what changed from the update `U` to the update `u`, both included.
    pub struct DepthUpdate<'a> {
        event_time "E": may Stamp,
        symbol "s": must Text<'a>,
        first "U": must u64,
        last "u": must u64,
        bids "b": must Vec<Level>,
        asks "a": must Vec<Level>,
    }
}

wire! {
    /// The best levels, or REST's answer about the book (`GET /api/v3/depth`).
    pub struct PartialDepth {
        last "lastUpdateId": must u64,
        bids "bids": must Vec<Level>,
        asks "asks": must Vec<Level>,
    }
}

/// A price and how much there is at it; nothing means that the level is gone.
/// Of more than 1.8 · 10¹¹ coins at one price, as the cheapest ones have them, so many are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    pub price: Fixed,
    pub quantity: Fixed,
}

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Level;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a level, [\"price\", \"quantity\"]")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Level, A::Error> {
                let price = seq.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
                let quantity: Capped =
                    seq.next_element()?.ok_or_else(|| A::Error::invalid_length(1, &self))?;
                // Once there was a third element, always empty.
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Level { price, quantity: quantity.0 })
            }
        }
        from.deserialize_seq(Reader)
    }
}
