//! The parameters of a request, in the order in which they are sent.

use serde_json::{Map, Value};
use std::fmt::Write as _;

/// Names and values; each name once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Params(Vec<(&'static str, Param)>);

#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    Text(String),
    /// A number in JSON; in a query it reads the same as a text.
    Number(i64),
    Flag(bool),
}

impl Params {
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Param>) -> Self {
        debug_assert!(self.get(name).is_none(), "{name} is given twice");
        self.0.push((name, value.into()));
        self
    }

    /// Nothing is added for `None`.
    #[must_use]
    pub fn maybe(self, name: &'static str, value: Option<impl Into<Param>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub fn get(&self, name: &str) -> Option<&Param> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `a=1&b=2`, percent-encoded: what REST sends, and signs exactly as it is sent.
    pub fn query(&self) -> String {
        let mut query = String::new();
        for (name, value) in &self.0 {
            if !query.is_empty() {
                query.push('&');
            }
            query.push_str(name);
            query.push('=');
            percent_encode(&value.plain(), &mut query);
        }
        query
    }

    /// `a=1&b=2`, sorted by name, raw: what the WebSocket API signs.
    pub fn sorted(&self) -> String {
        let mut sorted: Vec<_> = self.0.iter().collect();
        sorted.sort_by_key(|(name, _)| *name);
        let pairs: Vec<String> =
            sorted.iter().map(|(name, value)| format!("{name}={}", value.plain())).collect();
        pairs.join("&")
    }

    /// What the WebSocket API sends.
    pub fn object(&self) -> Map<String, Value> {
        self.0.iter().map(|(name, value)| ((*name).to_owned(), value.json())).collect()
    }
}

impl Param {
    fn plain(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Number(number) => (*number).into(),
            Self::Flag(flag) => (*flag).into(),
        }
    }
}

impl From<String> for Param {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Param {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Param {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Param {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<bool> for Param {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// Everything but RFC 3986's unreserved characters, as upper-case hexadecimal of its UTF-8.
pub(crate) fn percent_encode(text: &str, onto: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                onto.push(char::from(byte))
            }
            _ => _ = write!(onto, "%{byte:02X}"),
        }
    }
}
