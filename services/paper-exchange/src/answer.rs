//! What a request is answered with.

use serde::{Serialize, Serializer};
use serde_json::{Value, value::RawValue};
use std::fmt;

#[derive(Debug)]
pub enum Answer {
    Value(Value),
    /// JSON that is written already: a deep book has tens of thousands of numbers.
    Text(Box<RawValue>),
}

impl Answer {
    pub fn into_value(self) -> Value {
        match self {
            Self::Value(value) => value,
            Self::Text(text) => serde_json::from_str(text.get()).unwrap_or_default(),
        }
    }
}

impl From<Value> for Answer {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Text(text) => text.serialize(serializer),
        }
    }
}

/// As JSON.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => value.fmt(f),
            Self::Text(text) => f.write_str(text.get()),
        }
    }
}
