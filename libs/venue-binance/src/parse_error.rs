//! Why a frame cannot be read.

use domain::Invalid;
use thiserror::Error;

/// What is wrong with a frame, and where. Whoever gets one keeps the frame: a mended parser reads it again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseError {
    /// No JSON, or a field that is missing or no such value.
    #[error("the frame cannot be read: {0}; keep it and mend the parser")]
    Malformed(String),
    #[error("'{0}' is no event of Binance's that this build knows; keep the frame and teach the parser")]
    UnknownEvent(String),
    /// An execution that cannot be told: taking it for another would invent fills or forget orders.
    #[error(
        "the order {order} reports the execution type '{execution}' with the status '{status}', which this \
         build cannot tell; keep the frame, look the order up"
    )]
    UnknownExecution { order: i64, execution: String, status: String },
    #[error("the field `{field}` {why}")]
    Field { field: &'static str, why: String },
}

impl ParseError {
    pub(crate) fn field(field: &'static str, why: impl Into<String>) -> Self {
        Self::Field { field, why: why.into() }
    }

    pub(crate) fn missing(field: &'static str) -> Self {
        Self::field(field, "is missing")
    }

    pub(crate) fn of(field: &'static str) -> impl FnOnce(Invalid) -> Self {
        move |why| Self::field(field, format!("is no {why}"))
    }
}

impl From<serde_json::Error> for ParseError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}
