//! One module a command.

/// `println!` that fails instead of panicking: whoever reads may have seen enough and gone.
macro_rules! out {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        writeln!(std::io::stdout().lock(), $($words)*)
    }};
}

pub mod backtest;
pub mod doctor;
pub mod exchange;
pub mod hand;
pub mod record;
pub mod replay;
pub mod report;
pub mod run;
mod serving;
pub mod simulate;
pub mod tape;
pub mod topology;
pub mod up;
pub mod verify;
pub mod views;
pub mod why;

use crate::{
    WrongUse,
    data_quality::{self, Asked, Known},
};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use market_data::Opened;
use runtime::market::RunError;
use settings::Settings;
use std::{fmt, io::IsTerminal, time::Duration};

/// Says what is amiss with a market that is about to be played; with it, what its summary cannot know.
///
/// # Errors
/// Nothing can come of it under these settings.
fn begin(settings: &Settings, market: &Opened, asked: Asked) -> Result<Known, WrongUse> {
    let unheard = data_quality::unheard(settings, &market.series);
    let mut warnings = data_quality::surprises(settings, &market.series);
    warnings.extend(data_quality::quotes(settings, market)?);
    warnings.extend(data_quality::warnings(market, asked));
    for warning in warnings {
        tell!("warning: {warning}");
    }
    Ok(Known::of(Some(settings), market, asked, unheard))
}

/// A tape that holds something else than what is to be played on it is the user's to set right.
fn not_played<E: std::error::Error + Send + Sync + 'static>(error: RunError<E>) -> anyhow::Error {
    match error {
        RunError::OtherMarket { .. } | RunError::OtherClock => WrongUse(error.to_string()).into(),
        RunError::Market(_)
        | RunError::Recover(_)
        | RunError::Append(_)
        | RunError::Read(_)
        | RunError::Storage(_)
        | RunError::Lease(_)
        | RunError::ExternalVenue(_) => error.into(),
    }
}

/// A progress bar on standard error where that is a terminal; silent elsewhere, and for `--json`.
fn progress(total: u64, what: &'static str, json: bool) -> ProgressBar {
    if json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(total);
    let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} {rate} eta {eta}");
    // Whole numbers in a column of their own: a rate that can be read while it changes.
    let rate = |state: &ProgressState, to: &mut dyn fmt::Write| {
        let _ = write!(to, "{:>9.0}/s", state.per_sec());
    };
    bar.set_style(style.map_or_else(|_| ProgressStyle::default_bar(), |style| style.with_key("rate", rate)));
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Prints a value as JSON, on lines of its own.
pub fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    Ok(())
}

/// Rows under headings, as wide as they must be; the columns named in `right` are numbers.
pub fn table(headings: &[&str], right: &[usize], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        rows.iter()
            .map(|r| r[column].chars().count())
            .chain([headings[column].chars().count()])
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells: Vec<String> = cells
            .enumerate()
            .map(|(i, cell)| {
                let pad = " ".repeat(widths[i].saturating_sub(cell.chars().count()));
                if right.contains(&i) { pad + cell } else { cell.to_owned() + &pad }
            })
            .collect();
        cells.join("  ").trim_end().to_owned() + "\n"
    };
    let mut text = line(&mut headings.iter().copied());
    for row in rows {
        text += &line(&mut row.iter().map(String::as_str));
    }
    text.pop();
    text
}
