//! How long something was so.

use domain::Timestamp;
use std::time::Duration;

/// How long, between `from` and `to`, at least one of the spans lasted. Spans are half open, in any order,
/// and may lie over each other.
pub fn covered(spans: &[(Timestamp, Timestamp)], from: Timestamp, to: Timestamp) -> Duration {
    let mut spans: Vec<_> =
        spans.iter().map(|&(begin, end)| (begin.max(from), end.min(to))).filter(|(b, e)| b < e).collect();
    spans.sort_unstable();
    let (mut whole, mut until) = (Duration::ZERO, from);
    for (begin, end) in spans {
        whole += end.since(begin.max(until));
        until = until.max(end);
    }
    whole
}
