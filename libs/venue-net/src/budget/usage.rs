//! What an answer tells of the limits.

use super::{Limit, LimitKind};
use std::time::Duration;

/// How much of each limit is used, by kind and interval, as the venue counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage(Vec<(LimitKind, Duration, u32)>);

impl FromIterator<(LimitKind, Duration, u32)> for Usage {
    fn from_iter<T: IntoIterator<Item = (LimitKind, Duration, u32)>>(told: T) -> Self {
        Self(told.into_iter().collect())
    }
}

impl Usage {
    pub(super) fn of(&self, limit: &Limit) -> Option<u32> {
        let same = |(kind, interval, _): &&(LimitKind, Duration, u32)| {
            *kind == limit.kind && *interval == limit.interval
        };
        self.0.iter().find(same).map(|(_, _, used)| *used)
    }
}
