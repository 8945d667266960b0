//! Logs: to standard error, so that standard output is the command's own.

use std::io::IsTerminal;
use thiserror::Error;
use tracing_subscriber::{EnvFilter, filter::ParseError, util::TryInitError};

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

#[derive(Debug, Error)]
pub enum ObserveError {
    #[error("log filter '{given}': {source}; write a level (error, warn, info, debug, trace) or crate=level")]
    Filter { given: String, source: ParseError },
    #[error("logging was set up twice: {0}")]
    Twice(#[from] TryInitError),
}

/// Starts logging. `filter` as in `info` or `info,tape=debug`.
///
/// # Errors
/// The filter is not one, or logging was started already.
pub fn init(filter: &str, format: Format) -> Result<(), ObserveError> {
    use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};
    // What becomes of a connection is told by our own supervisor, in our own words.
    let filter = EnvFilter::try_new(format!("lapin=off,{filter}"))
        .map_err(|source| ObserveError::Filter { given: filter.to_owned(), source })?;
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        Format::Text => registry.with(lines).try_init()?,
        Format::Json => registry.with(lines.json()).try_init()?,
    }
    Ok(())
}
