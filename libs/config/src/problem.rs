//! What is wrong with a configuration, and how to mend it.

use std::fmt;
use thiserror::Error;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key with its tables, e.g. `edges.edge70.slippage`, or the variable's name; empty where the
    /// file as a whole is meant.
    pub key: String,
    /// Where in the file, from 1.
    pub line: Option<usize>,
    pub what: String,
    /// What to write instead.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}", self.what)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, "; {}", self.remedy) }
    }
}

/// Everything that is wrong, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}", lines(source_name, list))]
pub struct Problems {
    /// The file, or `the environment`.
    pub source_name: String,
    /// Never empty.
    pub list: Vec<Problem>,
}

impl Problems {
    pub(crate) fn new(source_name: impl Into<String>, mut list: Vec<Problem>) -> Self {
        list.sort_by_key(|problem| problem.line);
        Self { source_name: source_name.into(), list }
    }
}

fn lines(source_name: &str, list: &[Problem]) -> String {
    let count = list.len();
    let mut text = format!("{source_name}: {count} problem{}", if count == 1 { "" } else { "s" });
    for problem in list {
        text += &format!("\n  {problem}");
    }
    text
}
