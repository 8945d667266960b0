//! A table of the file with the default's behind it, and a record of what was asked of it.

use crate::{Problem, suggest, value::Parsed};
use std::{cell::RefCell, collections::BTreeSet};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// Where the problems of one file are gathered.
pub(crate) struct Report<'a> {
    text: &'a str,
    list: RefCell<Vec<Problem>>,
}

/// One table. A key that the owner's file does not have is taken from the default.
pub(crate) struct Section<'a> {
    path: String,
    own: Option<&'a DeTable<'a>>,
    default: Option<&'a DeTable<'a>>,
    fallback: Option<(&'static [&'static str], &'a DeTable<'a>)>,
    /// Where the table, or else the one around it, begins, if it is the owner's.
    line: Option<usize>,
    asked: BTreeSet<&'static str>,
    report: &'a Report<'a>,
}

/// A value, and its line if it is in the owner's file.
struct Found<'a> {
    value: &'a DeValue<'a>,
    line: Option<usize>,
}

impl<'a> Report<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, list: RefCell::default() }
    }

    pub fn add(&self, key: &str, line: Option<usize>, what: impl Into<String>, remedy: impl Into<String>) {
        let (key, what, remedy) = (key.to_owned(), what.into(), remedy.into());
        self.list.borrow_mut().push(Problem { key, line, what, remedy });
    }

    pub fn line_at(&self, byte: usize) -> usize {
        let before = self.text.as_bytes().iter().take(byte);
        1 + before.filter(|byte| **byte == b'\n').count()
    }

    pub fn into_problems(self) -> Vec<Problem> {
        self.list.into_inner()
    }
}

impl<'a> Section<'a> {
    pub fn root(own: &'a DeTable<'a>, default: &'a DeTable<'a>, report: &'a Report<'a>) -> Self {
        let (path, line, asked) = (String::new(), None, BTreeSet::new());
        Self { path, own: Some(own), default: Some(default), fallback: None, line, asked, report }
    }

    /// A table within this one. What is no table is reported, and the default stands for it.
    pub fn table(&mut self, key: &'static str) -> Section<'a> {
        self.asked.insert(key);
        self.child(key)
    }

    /// A table under a name that the owner chose.
    pub fn child(&self, key: &str) -> Section<'a> {
        let found = self.own.and_then(|table| table.get(key)).map(|value| self.found(value));
        let line = found.as_ref().and_then(|found| found.line).or(self.line);
        let own = found.and_then(|found| match found.value {
            DeValue::Table(table) => Some(table),
            other => {
                let what = format!("is {}, not a table", crate::value::describe(other));
                self.report.add(&self.key(key), found.line, what, format!("write [{}]", self.key(key)));
                None
            }
        });
        let default = self.default_table(key);
        let (path, asked, report) = (self.key(key), BTreeSet::new(), self.report);
        Section { path, own, default, fallback: None, line, asked, report }
    }

    /// The keys of the owner's table, else of the default's.
    pub fn names(&self) -> Vec<&'a str> {
        let table = self.own.filter(|table| !table.is_empty()).or(self.default);
        table.map(|table| table.keys().map(|key| key.get_ref().as_ref()).collect()).unwrap_or_default()
    }

    /// Reads the value of a key; `wanted` says what to write. `None` has been reported.
    pub fn read<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        parse: impl FnOnce(&'a DeValue<'a>) -> Parsed<T>,
    ) -> Option<T> {
        let Some(found) = self.find(key) else {
            self.report.add(&self.key(key), self.line, "is missing", wanted);
            return None;
        };
        match parse(found.value) {
            Ok(value) => Some(value),
            Err(what) => {
                self.report.add(&self.key(key), found.line, what, wanted);
                None
            }
        }
    }

    /// As [`Self::read`], where the word `none` stands for no value.
    pub fn read_or_none<T>(
        &mut self,
        key: &'static str,
        wanted: &str,
        parse: impl FnOnce(&'a DeValue<'a>) -> Parsed<T>,
    ) -> Option<Option<T>> {
        let wanted = format!("{wanted}, or \"none\"");
        self.read(key, &wanted, |value| match value.as_str() {
            Some("none") => Ok(None),
            _ => parse(value).map(Some),
        })
    }

    /// The value of a key that may be left out where `general` is one; its inner `None` was reported elsewhere.
    pub fn or_general<T>(
        &mut self,
        key: &'static str,
        general: Option<Option<T>>,
        read: impl FnOnce(&mut Self, &'static str) -> Option<T>,
    ) -> Option<T> {
        match general {
            Some(general) if !self.has(key) => general,
            Some(_) | None => read(self, key),
        }
    }

    /// Whether the key is anywhere; for keys that may be left out.
    pub fn has(&mut self, key: &'static str) -> bool {
        self.find(key).is_some()
    }

    /// Reports a combination of values that cannot be, at the line of `key`.
    pub fn refuse(&mut self, key: &'static str, what: impl Into<String>, remedy: &str) {
        let line = self.find(key).and_then(|found| found.line).or(self.line);
        self.report.add(&self.key(key), line, what, remedy);
    }

    /// Reports every key of the owner's table that nobody asked for.
    pub fn close(self) {
        let Some(own) = self.own else { return };
        for (key, _) in own.iter().filter(|(key, _)| !self.asked.contains(key.get_ref().as_ref())) {
            let line = Some(self.report.line_at(key.span().start));
            let name = key.get_ref();
            let known = self.asked.iter().copied();
            let remedy = match suggest::nearest(name, known.clone()) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("known here: {}", known.collect::<Vec<_>>().join(", ")),
            };
            self.report.add(&self.key(name), line, "is no key of this table", remedy);
        }
    }

    /// Reports a name that the owner chose badly.
    pub fn refuse_name(&self, key: &str, what: impl Into<String>) {
        self.refuse_entry(key, what, "choose another name");
    }

    /// Reports something about the whole table under a name that the owner chose.
    pub fn refuse_entry(&self, key: &str, what: impl Into<String>, remedy: &str) {
        let entry = self.own.and_then(|table| table.get_key_value(key));
        let line = entry.map(|(key, _)| self.report.line_at(key.span().start));
        self.report.add(&self.key(key), line, what, remedy);
    }

    /// The table under a key of the owner's file that is to be none.
    pub fn own_table(&self, key: &str) -> Option<&'a DeTable<'a>> {
        self.own?.get(key)?.get_ref().as_table()
    }

    /// Whether the owner's file has the key.
    pub fn is_own(&self, key: &str) -> bool {
        self.own.is_some_and(|table| table.contains_key(key))
    }

    /// Takes just these keys from another table where this section has them not.
    pub fn fall_back(&mut self, keys: &'static [&'static str], table: Option<&'a DeTable<'a>>) {
        self.fallback = table.map(|table| (keys, table));
    }

    /// Whether the default has this table.
    pub fn is_in_default(&self) -> bool {
        self.default.is_some()
    }

    pub fn default_table(&self, key: &str) -> Option<&'a DeTable<'a>> {
        self.default.and_then(|table| table.get(key)).and_then(|value| value.get_ref().as_table())
    }

    /// The default's table in here that has `true` under that key.
    pub fn default_where(&self, key: &str) -> Option<&'a DeTable<'a>> {
        let mut tables = self.default?.values().filter_map(|value| value.get_ref().as_table());
        tables.find(|table| table.get(key).is_some_and(|value| value.get_ref().as_bool() == Some(true)))
    }

    fn find(&mut self, key: &'static str) -> Option<Found<'a>> {
        self.asked.insert(key);
        if let Some(value) = self.own.and_then(|table| table.get(key)) {
            return Some(self.found(value));
        }
        let shared = self.fallback.filter(|(keys, _)| keys.contains(&key)).map(|(_, table)| table);
        let value = self.default.and_then(|table| table.get(key)).or_else(|| shared?.get(key))?;
        Some(Found { value: value.get_ref(), line: None })
    }

    fn found(&self, value: &'a Spanned<DeValue<'a>>) -> Found<'a> {
        Found { value: value.get_ref(), line: Some(self.report.line_at(value.span().start)) }
    }

    /// As TOML: a name with other characters than its bare keys have is quoted.
    fn key(&self, key: &str) -> String {
        let key = quoted(key);
        if self.path.is_empty() { key } else { format!("{}.{key}", self.path) }
    }
}

/// A part of a key, as TOML has it.
pub(crate) fn quoted(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(is_bare) { key.to_owned() } else { format!("\"{key}\"") }
}
