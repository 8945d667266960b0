//! How far a trade is.

use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Requested,
    Sized,
    Refused,
    Aborted,
    Open,
    Exiting,
    Closed,
}

impl State {
    pub const ALL: [Self; 7] =
        [Self::Requested, Self::Sized, Self::Refused, Self::Aborted, Self::Open, Self::Exiting, Self::Closed];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Sized => "sized",
            Self::Refused => "refused",
            Self::Aborted => "aborted",
            Self::Open => "open",
            Self::Exiting => "exiting",
            Self::Closed => "closed",
        }
    }

    /// It was granted, and has not ended.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Sized | Self::Open | Self::Exiting)
    }

    /// Something is held.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Exiting)
    }

    /// Something was bought.
    pub const fn was_entered(self) -> bool {
        matches!(self, Self::Open | Self::Exiting | Self::Closed)
    }
}
