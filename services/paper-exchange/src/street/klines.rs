//! Klines of any interval in any time zone.

use super::{
    bar::Bar,
    market::Market,
    span::{HOUR, MINUTE, Span},
};
use domain::{Interval, Timestamp};

impl Market {
    /// Those that open from `from` until `until`, both included, in order. They must have been let roll.
    ///
    /// Outside UTC they are put together from finer ones, and reach back only as far as those.
    pub fn klines(&self, span: Span, zone: i64, from: i64, until: i64) -> Vec<Bar> {
        let same = match span.length() {
            // Weeks and days are moved by any zone; 15 minutes only by one that is no multiple of them.
            Some(length) => zone % length == 0 && span != Span::Fixed(Interval::Week1),
            None => zone == 0,
        };
        if same || zone == 0 {
            let bars = self.bars[span.index()].since(from);
            return bars.take_while(|bar| bar.open_time <= until).copied().collect();
        }
        // Nothing is known of before 1970, or of after 9999.
        let from = from.clamp(0, Timestamp::MAX.micros());
        let parts = &self.bars[Span::Fixed(parts(zone)).index()];
        let mut whole: Vec<Bar> = Vec::new();
        for part in parts.since(span.open_of(from, zone)) {
            let open = span.open_of(part.open_time, zone);
            if open > until {
                break;
            }
            match whole.last_mut() {
                Some(last) if last.open_time == open => last.merge(part),
                _ => whole.push(Bar { open_time: open, close_time: span.close_of(open, zone), ..*part }),
            }
        }
        whole.retain(|bar| bar.open_time >= from);
        whole
    }
}

/// The longest klines whose bounds are bounds in that zone too.
fn parts(zone: i64) -> Interval {
    if zone % HOUR == 0 {
        Interval::Hour1
    } else if zone % (15 * MINUTE) == 0 {
        Interval::Minute15
    } else {
        Interval::Minute1
    }
}
