//! Klines of any interval in any time zone.

use super::{
    bar::Bar,
    market::Market,
    past::Cutter,
    span::{HOUR, MINUTE, SECOND, Span},
};
use domain::{Interval, Timestamp};

/// Which klines are wanted, by when they open. Both ends are included.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    pub from: i64,
    pub until: i64,
    /// How many at most; of more, the last ones if `latest`, else the first.
    pub most: usize,
    pub latest: bool,
}

impl Stretch {
    /// All from there on.
    pub fn since(from: i64) -> Self {
        Self { from, until: i64::MAX, most: usize::MAX, latest: false }
    }
}

impl Market {
    /// In order. They must have been let roll.
    ///
    /// Those since the market goes its own way are what was traded, as far as they are kept; outside UTC they are
    /// put together from finer ones. Those before are cut from the past.
    pub fn klines(&self, span: Span, zone: i64, wanted: Stretch) -> Vec<Bar> {
        let seconds = &self.bars[Span::Fixed(Interval::Second1).index()].bars;
        let bounds = self.past.bounds();
        let begin = bounds.map(|bounds| bounds.0).or(self.live_from);
        let end = seconds.back().map(|last| last.close_time).or(bounds.map(|bounds| bounds.1));
        let (Some(begin), Some(end)) = (begin, end) else { return Vec::new() };
        // Nothing is known of before 1970, or of after 9999.
        let from = wanted.from.clamp(0, Timestamp::MAX.micros()).max(span.open_of(begin, zone));
        let until = wanted.until.min(span.open_of(end - 1, zone));
        let mut slots = Slots { market: self, span, zone, cutter: Cutter::new(&self.past) };
        let mut found = Vec::new();
        if wanted.latest {
            let mut open = span.open_of(until, zone);
            while open >= from && found.len() < wanted.most {
                found.extend(slots.at(open));
                open = span.open_of(open - 1, zone);
            }
            found.reverse();
        } else {
            let mut open = span.open_of(from, zone);
            if open < from {
                open = span.close_of(open, zone);
            }
            while open <= until && found.len() < wanted.most {
                found.extend(slots.at(open));
                open = span.close_of(open, zone);
            }
        }
        found
    }
}

struct Slots<'a> {
    market: &'a Market,
    span: Span,
    zone: i64,
    cutter: Cutter<'a>,
}

impl Slots<'_> {
    /// The kline that opens then; `None` where it is not kept any more.
    fn at(&mut self, open: i64) -> Option<Bar> {
        let (span, zone) = (self.span, self.zone);
        let close = span.close_of(open, zone);
        let own = match span.length() {
            // Weeks and days are moved by any zone; 15 minutes only by one that is no multiple of them.
            Some(length) => zone % length == 0 && span != Span::Fixed(Interval::Week1),
            None => false,
        } || zone == 0;
        let live = &self.market.bars[if own { span } else { Span::Fixed(parts(zone)) }.index()];
        let oldest = live.oldest().unwrap_or(i64::MAX);
        if own && open >= oldest {
            return live.at(open).copied();
        }
        let began = self.market.live_from.unwrap_or(i64::MAX);
        if close > began && oldest > began {
            return None;
        }
        let mut all = self.cutter.cut(open, close.min(oldest));
        for bar in live.since(open.max(oldest)).take_while(|bar| bar.open_time < close) {
            match &mut all {
                Some(all) => all.merge(bar),
                None => all = Some(*bar),
            }
        }
        let all = all.or_else(|| Some(Bar::empty(open, close, self.cutter.price_before(open)?)))?;
        Some(Bar { open_time: open, close_time: close, ..all })
    }
}

/// The longest klines whose bounds are bounds in that zone too.
fn parts(zone: i64) -> Interval {
    if zone % HOUR == 0 {
        Interval::Hour1
    } else if zone % (15 * MINUTE) == 0 {
        Interval::Minute15
    } else if zone % MINUTE == 0 {
        Interval::Minute1
    } else {
        debug_assert!(zone % SECOND == 0);
        Interval::Second1
    }
}
