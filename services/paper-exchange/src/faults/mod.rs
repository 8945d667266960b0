//! A script of faults: what goes wrong, when, and how often. Pure, and the same for the same seed.
//!
//! Every draw comes from the script's seed, the rule's place in it and the ordinal of the request or frame
//! among those that the rule matches; never from the time of day or a generator that others use, too.

mod script;
mod span;

pub(crate) use script::names as script_names;
pub use script::{Lost, On, Rule, Script, ScriptError, Then};
pub use span::{Signed, Span};

use domain::Timestamp;
use std::{collections::BTreeMap, time::Duration};

/// A script at work: it counts what it has seen.
#[derive(Debug)]
pub struct Faults {
    script: Script,
    /// The exchange's time at which the script began.
    start: Timestamp,
    seen: Vec<Seen>,
}

#[derive(Debug, Default, Clone)]
struct Seen {
    /// How many matched so far: requests, or frames by stream.
    matched: BTreeMap<String, u64>,
    /// How often the rule struck.
    struck: u64,
}

impl Faults {
    pub fn new(script: Script, start: Timestamp) -> Self {
        let seen = vec![Seen::default(); script.rules.len()];
        Self { script, start, seen }
    }

    /// Nothing goes wrong.
    pub fn none(start: Timestamp) -> Self {
        Self::new(Script::default(), start)
    }

    /// What goes wrong with a request that goes by any of the names for which `is` holds.
    pub fn request(&mut self, now: Timestamp, is: impl Fn(&str) -> bool) -> Option<Then> {
        self.draw(On::Request, now, "", |rule| {
            rule.endpoint.is_empty() || rule.endpoint.iter().any(|n| is(n))
        })
    }

    /// What goes wrong with a frame of a market stream, or of the account (then `stream` is the event's name).
    pub fn frame(&mut self, on: On, now: Timestamp, stream: &str) -> Option<Then> {
        self.draw(on, now, stream, |rule| rule.matches_stream(stream))
    }

    /// What goes wrong with a new connection (`stream` is `streams` or `ws-api`), and how long after it opened.
    pub fn connection(&mut self, now: Timestamp, kind: &str) -> Option<(Then, Duration)> {
        let (index, then) = self.strike(On::Connection, now, "", |rule| rule.matches_stream(kind))?;
        Some((then, self.script.rules[index].after.0))
    }

    /// How far the exchange's clock is off.
    pub fn clock_offset(&self, now: Timestamp) -> i64 {
        let active = self.script.rules.iter().filter(|rule| rule.active(self.start, now));
        active.map(|rule| if let Then::ClockOffset(by) = &rule.then { by.0 } else { 0 }).sum()
    }

    pub fn maintenance(&self, now: Timestamp) -> bool {
        self.script.rules.iter().any(|rule| rule.then == Then::Maintenance && rule.active(self.start, now))
    }

    /// The next thing that happens by itself, at or before `to`; each happens once.
    pub fn next_due(&mut self, to: Timestamp) -> Option<(Timestamp, Then)> {
        let rules = self.script.rules.iter().enumerate();
        let waiting = rules.filter(|(i, rule)| rule.on == On::Time && self.seen[*i].struck == 0);
        let (index, at) = waiting.map(|(i, rule)| (i, rule.begins(self.start))).min_by_key(|(_, at)| *at)?;
        if at > to {
            return None;
        }
        self.seen[index].struck = 1;
        Some((at, self.script.rules[index].then.clone()))
    }

    /// Symbols that are taken to `BREAK` after `now`, by when.
    pub fn delistings(&self, now: Timestamp) -> Vec<(Timestamp, Vec<String>)> {
        let mut at: BTreeMap<Timestamp, Vec<String>> = BTreeMap::new();
        for rule in self.script.rules.iter().filter(|rule| rule.on == On::Time) {
            if let Then::SymbolStatus { symbol, status } = &rule.then
                && status == "BREAK"
                && rule.begins(self.start) > now
            {
                at.entry(rule.begins(self.start)).or_default().push(symbol.clone());
            }
        }
        at.into_iter().collect()
    }

    /// What was due until then has happened already: a journal told so.
    pub fn skip_until(&mut self, at: Timestamp) {
        while self.next_due(at).is_some() {}
    }

    fn draw(&mut self, on: On, now: Timestamp, stream: &str, is: impl Fn(&Rule) -> bool) -> Option<Then> {
        self.strike(on, now, stream, is).map(|(_, then)| then)
    }

    /// Counts for every rule that matches, and gives the first that strikes.
    fn strike(
        &mut self,
        on: On,
        now: Timestamp,
        stream: &str,
        is: impl Fn(&Rule) -> bool,
    ) -> Option<(usize, Then)> {
        let mut struck = None;
        for (index, rule) in self.script.rules.iter().enumerate() {
            if rule.on != on || !rule.active(self.start, now) || !is(rule) {
                continue;
            }
            let seen = &mut self.seen[index];
            if !seen.matched.contains_key(stream) {
                seen.matched.insert(stream.to_owned(), 0);
            }
            let Some(ordinal) = seen.matched.get_mut(stream) else { continue };
            *ordinal += 1;
            let strikes = struck.is_none()
                && rule.times.is_none_or(|times| seen.struck < times)
                && rule.chosen(*ordinal, || chance(self.script.seed, index, stream, *ordinal));
            if strikes {
                seen.struck += 1;
                struck = Some((index, rule.then.clone()));
            }
        }
        struck
    }
}

/// From 0 to less than 1, by seed, rule, stream and ordinal alone.
fn chance(seed: u64, rule: usize, stream: &str, ordinal: u64) -> f64 {
    let named = stream.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = mix(mix(mix(seed) ^ rule as u64) ^ named) ^ ordinal;
    (mix(mixed) >> 11) as f64 / (1_u64 << 53) as f64
}

/// SplitMix64.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
