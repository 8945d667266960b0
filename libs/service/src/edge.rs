//! What a crate has to have to be an edge: a core that gives signals, and a reader of its own keys.

use crate::{Host, Service};
use domain::{Decimal, EdgeName, Instrument, Interval, UnitName};
use serde::Serialize;
use serde_json::Value;
use std::{collections::BTreeSet, fmt::Display, ops::RangeInclusive, str::FromStr};

/// A core that gives signals. Its [`Service::CORE`] is its `kind` under `[edges.NAME]`.
pub trait Edge: Service {
    /// Reads its own keys of the edge's table; `None` has been reported.
    fn configure(of: Of, keys: &mut dyn Keys) -> Option<Self::Config>;
    /// Which candles it judges.
    fn wants(config: &Self::Config) -> Wants;
}

/// What every edge is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Of {
    pub edge: EdgeName,
    /// The instruments that it trades; `None` is every one whose candles come.
    pub instruments: Option<BTreeSet<Instrument>>,
}

/// The candles that an edge judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Wants {
    pub interval: Interval,
    /// How many before the first one that it can judge.
    pub history: u32,
}

/// The keys of an edge's table. Whatever is wrong with a value is reported there, with its key, its line, and
/// `wanted`, which says what to write; the answer then is `None`.
pub trait Keys {
    /// Whether the key is there; for keys that may be left out.
    fn has(&mut self, key: &'static str) -> bool;
    fn text(&mut self, key: &'static str, wanted: &str) -> Option<String>;
    fn whole(&mut self, key: &'static str, wanted: &str) -> Option<u32>;
    /// The exact digits.
    fn decimal(&mut self, key: &'static str, wanted: &str) -> Option<Decimal>;
    /// Reports what is wrong with the value of a key that was read.
    fn refuse(&mut self, key: &'static str, what: &str, wanted: &str);
}

impl dyn Keys + '_ {
    /// A value that is written as text.
    pub fn parsed<T: FromStr<Err: Display>>(&mut self, key: &'static str, wanted: &str) -> Option<T> {
        let text = self.text(key, wanted)?;
        text.parse().map_err(|invalid: T::Err| self.refuse(key, &invalid.to_string(), wanted)).ok()
    }

    pub fn within(&mut self, key: &'static str, range: RangeInclusive<u32>, wanted: &str) -> Option<u32> {
        let number = self.whole(key, wanted)?;
        if range.contains(&number) {
            return Some(number);
        }
        self.refuse(key, &format!("{number} is out of range"), wanted);
        None
    }

    /// One of a few words.
    pub fn one_of<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let quoted: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let wanted = format!("write {}", quoted.join(" or "));
        let text = self.text(key, &wanted)?;
        let meant = words.iter().find(|(word, _)| *word == text).map(|(_, meant)| *meant);
        if meant.is_none() {
            self.refuse(key, &format!("'{text}' is none of them"), &wanted);
        }
        meant
    }
}

/// A kind of edge, as the engine knows it: its name, and how one is made.
#[derive(Clone, Copy)]
pub struct EdgeKind {
    pub name: &'static str,
    configure: fn(Of, &mut dyn Keys) -> Option<Signals>,
    host: fn(UnitName, &Value) -> Result<Host, serde_json::Error>,
}

/// What gives an edge's signals: a core under its configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Signals {
    pub kind: &'static str,
    pub config: Value,
    pub wants: Wants,
}

impl EdgeKind {
    pub const fn of<E: Edge>() -> Self {
        Self { name: E::CORE, configure: configure::<E>, host: host::<E> }
    }

    /// As [`Edge::configure`].
    pub fn configure(&self, of: Of, keys: &mut dyn Keys) -> Option<Signals> {
        (self.configure)(of, keys)
    }

    /// The core under that configuration.
    ///
    /// # Errors
    /// It is none of this kind's.
    pub fn host(&self, unit: UnitName, config: &Value) -> Result<Host, serde_json::Error> {
        (self.host)(unit, config)
    }
}

fn configure<E: Edge>(of: Of, keys: &mut dyn Keys) -> Option<Signals> {
    let config = E::configure(of, keys)?;
    let wants = E::wants(&config);
    let config =
        serde_json::to_value(config).unwrap_or_else(|e| unreachable!("a configuration is JSON: {e}"));
    Some(Signals { kind: E::CORE, config, wants })
}

fn host<E: Edge>(unit: UnitName, config: &Value) -> Result<Host, serde_json::Error> {
    serde_json::from_value(config.clone()).map(|config| Host::new::<E>(unit, config))
}
