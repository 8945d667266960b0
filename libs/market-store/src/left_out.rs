//! Rows that are no candles, counted: nothing is left out in silence.

use serde::Serialize;
use std::{collections::BTreeMap, fmt, path::PathBuf};

/// Why a row is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyLeftOut {
    /// All four prices are empty, `NA` or the like.
    NoPrices,
    /// Some of the four prices are.
    SomePrices,
}

impl WhyLeftOut {
    /// For people: "3 without prices".
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoPrices => "without prices",
            Self::SomePrices => "with only some of their prices",
        }
    }
}

/// The rows of a series that are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    pub rows: BTreeMap<WhyLeftOut, u64>,
    /// File and line of the first one, in the order in which rows are read.
    pub first: Option<RowPlace>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowPlace {
    pub file: PathBuf,
    /// From 1, of the unpacked text.
    pub line: u64,
}

impl LeftOut {
    pub fn all(&self) -> u64 {
        self.rows.values().sum()
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (why, rows) in &other.rows {
            *self.rows.entry(*why).or_default() += rows;
        }
        if self.first.is_none() {
            self.first.clone_from(&other.first);
        }
    }
}

/// `3 rows left out (2 without prices, 1 with only some of their prices), first at FILE, line 12`; nothing if there
/// are none.
impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.all();
        if all == 0 {
            return Ok(());
        }
        let rows = if all == 1 { "row" } else { "rows" };
        let reasons: Vec<String> = self.rows.iter().map(|(why, n)| format!("{n} {}", why.words())).collect();
        write!(f, "{all} {rows} left out ({})", reasons.join(", "))?;
        match &self.first {
            Some(place) => write!(f, ", first at {}, line {}", place.file.display(), place.line),
            None => Ok(()),
        }
    }
}
