//! `tapedeck positions|trades|orders|portfolio|signals`: what the tape says is so, now or at a past moment.
//! Each reads the kinds that it needs, by their index, and none else.

pub(super) mod names;
mod orders;
mod portfolio;
mod positions;
pub mod signals;
mod trades;

pub use orders::orders;
pub use portfolio::portfolio;
pub use positions::positions;

pub use trades::trades;

use crate::{
    WrongUse,
    cli::{Global, Look, Narrow, Span},
    commands::{print_json, table},
    locate,
    projections::{self, Projection, trading::Trading},
    scan,
};
use domain::{Instrument, Timestamp};
use events::Position;
use serde::Serialize;
use std::{borrow::Cow, io};
use tape::Tape;

/// A tape up to the moment that was asked for.
struct Then {
    tape: Tape,
    until: Position,
}

impl Then {
    async fn open(global: &Global, look: &Look) -> anyhow::Result<Self> {
        if global.json && look.csv {
            return Err(WrongUse("--json and --csv: choose one of them".to_owned()).into());
        }
        let tape = locate::reading(global, &look.tape).await?;
        let until = scan::until(&tape, look.until).await?;
        Ok(Self { tape, until })
    }

    /// Whoever looks at what is held or traded must know that trading is restricted.
    async fn tell_trading(&self, global: &Global, look: &Look) -> anyhow::Result<()> {
        if global.json || look.csv {
            return Ok(());
        }
        let (trading, now) = self.trading().await?;
        for line in trading.lines(now) {
            out!("{line}")?;
        }
        Ok(())
    }

    /// Whether trading is allowed, as it was said by then, and when that is.
    async fn trading(&self) -> anyhow::Result<(Trading, Timestamp)> {
        let trading = self.read().await?;
        let last = self.tape.read(self.until.saturating_sub(1), 1).await?;
        Ok((trading, last.first().map(|row| row.recorded_at).unwrap_or_default()))
    }

    async fn read<P: Projection>(&self) -> anyhow::Result<P> {
        projections::read(&self.tape, self.until).await
    }
}

/// What is shown, in each of the three ways.
struct Shown<'a, T> {
    /// What the rows are, in the plural.
    what: &'static str,
    rows: &'a [T],
    /// How many there were before filters were applied.
    of: usize,
    headings: &'a [&'a str],
    /// Columns of the table that hold numbers.
    right: &'a [usize],
    columns: &'a [&'a str],
}

impl<T: Serialize> Shown<'_, T> {
    fn print(
        &self,
        global: &Global,
        look: &Look,
        line: impl Fn(&T) -> Vec<String>,
        cells: impl Fn(&T) -> Vec<String>,
    ) -> anyhow::Result<()> {
        if global.json {
            return print_json(&self.rows);
        }
        if look.csv {
            return csv(io::stdout().lock(), self.columns, self.rows.iter().map(cells));
        }
        if self.rows.is_empty() {
            match self.of {
                0 => out!("no {}", self.what)?,
                of => out!("none of {of} {} is as asked for", self.what)?,
            }
            return Ok(());
        }
        let lines: Vec<_> = self.rows.iter().map(line).collect();
        Ok(out!("{}", table(self.headings, self.right, &lines))?)
    }
}

/// A header and rows as RFC 4180 has them, with a line feed alone at the end of each.
///
/// # Errors
/// They cannot be written.
pub fn csv<R: AsRef<[String]>>(
    mut to: impl io::Write,
    columns: &[&str],
    rows: impl IntoIterator<Item = R>,
) -> anyhow::Result<()> {
    writeln!(to, "{}", columns.join(","))?;
    for row in rows {
        let cells: Vec<_> = row.as_ref().iter().map(|cell| quoted(cell)).collect();
        writeln!(to, "{}", cells.join(","))?;
    }
    Ok(to.flush()?)
}

/// A cell in quotes where it needs them.
fn quoted(cell: &str) -> Cow<'_, str> {
    match cell.contains([',', '"', '\n', '\r']) {
        true => Cow::Owned(format!("\"{}\"", cell.replace('"', "\"\""))),
        false => Cow::Borrowed(cell),
    }
}

impl Narrow {
    fn takes(&self, instrument: &Instrument, edge: Option<&str>) -> bool {
        let named = |wanted: &String| names::is_meant(wanted, instrument);
        (self.instrument.is_empty() || self.instrument.iter().any(named))
            && (self.edge.is_empty() || edge.is_some_and(|edge| self.edge.iter().any(|e| e == edge)))
    }
}

impl Span {
    fn takes(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }

    /// Leaves the last rows only, if so many were asked for.
    fn cut<T>(&self, rows: &mut Vec<T>) {
        if let Some(last) = self.last {
            rows.drain(..rows.len().saturating_sub(usize::try_from(last).unwrap_or(usize::MAX)));
        }
    }
}

/// # Errors
/// A state that there is none of, with those that there are.
fn check_states(given: &[String], known: &[&str]) -> Result<(), WrongUse> {
    match given.iter().find(|state| !known.contains(&state.as_str())) {
        None => Ok(()),
        Some(wrong) => {
            let meant = names::did_you_mean(wrong, known.iter().copied());
            let known = known.join(", ");
            Err(WrongUse(format!("--state {wrong}: there is no such state; there is: {known}{meant}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let row = ["1.5", "a, b", "say \"no\"", "two\nlines", ""].map(str::to_owned);
        let mut written = Vec::new();
        csv(&mut written, &["x", "y"], [row]).unwrap();
        let text = String::from_utf8(written).unwrap();
        assert_eq!(text, "x,y\n1.5,\"a, b\",\"say \"\"no\"\"\",\"two\nlines\",\n");
    }
}
