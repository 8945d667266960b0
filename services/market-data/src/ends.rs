//! Series that begin later or end earlier than the others, or than what was asked for.

use crate::Series;
use domain::{Interval, Timestamp};

/// From the opening of a first candle to the close of a last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// Candles that would fit before a series begins and after it ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lacks {
    pub before: u64,
    pub after: u64,
}

impl Span {
    /// The least one that holds both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self { from: self.from.min(other.from), to: self.to.max(other.to) }
    }

    /// From the first opening to the last close of all; `None` of none.
    pub fn of_all(spans: impl IntoIterator<Item = Self>) -> Option<Self> {
        spans.into_iter().reduce(Self::with)
    }

    /// What a series lacks of this time. A part of a candle is not lacking: days may end before the last hours do.
    pub fn lacks(self, interval: Interval, series: Self) -> Lacks {
        Lacks {
            before: fit(interval, self.from, series.from.min(self.to)),
            after: fit(interval, series.to.max(self.from), self.to),
        }
    }

    fn meets(self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }
}

/// Whole candles between two times; 0 if the second is not later.
fn fit(interval: Interval, from: Timestamp, to: Timestamp) -> u64 {
    let length = i64::try_from(interval.length().as_micros()).unwrap_or(i64::MAX);
    u64::try_from(to.micros().saturating_sub(from.micros()) / length).unwrap_or(0)
}

/// At most three lines: which series begin late, which end early, and which have no candle in this time at all.
pub fn words(whole: Span, series: impl IntoIterator<Item = (Series, Span)>) -> Vec<String> {
    let (mut late, mut early, mut none) = (Vec::new(), Vec::new(), Vec::new());
    for (series, span) in series {
        let name = series.name();
        if !whole.meets(span) {
            none.push(name);
            continue;
        }
        let lacks = whole.lacks(series.interval, span);
        if lacks.before > 0 {
            late.push(format!("{name} on {} ({} fewer)", span.from.minute(), lacks.before));
        }
        if lacks.after > 0 {
            early.push(format!("{name} on {} ({} fewer)", span.to.minute(), lacks.after));
        }
    }
    [
        (late, format!("series begin later than {}", whole.from.minute())),
        (early, format!("series end earlier than {}", whole.to.minute())),
        (none, format!("not one from {} to {}", whole.from.minute(), whole.to.minute())),
    ]
    .into_iter()
    .filter(|(which, _)| !which.is_empty())
    .map(|(which, what)| format!("{what}: {}", few(&which)))
    .collect()
}

/// The first ones, and how many more there are.
fn few(words: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = words.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match words.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
