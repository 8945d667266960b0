//! A series as a stream of candles, over all its files.

use crate::{
    LeftOut, StoreError,
    lines::{Lines, Source},
    row::Row,
};
use domain::{Instrument, Interval};
use events::Candle;
use std::{collections::VecDeque, path::Path, sync::Arc};

/// Where a candle was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    pub file: &'a Path,
    /// From 1, of the unpacked text.
    pub line: u64,
}

/// The candles of one series, in constant memory: each file in its own order, all files together by time.
///
/// Where files overlap, each candle of both is given, that of the earlier file first.
/// Yields nothing more after an error.
pub struct Candles {
    instrument: Instrument,
    interval: Interval,
    /// By the time of their first candle.
    waiting: VecDeque<Arc<Source>>,
    /// In that order, too; each with the row that it gives next.
    open: Vec<(Lines, Row)>,
    /// Where the candle given last stood.
    place: Option<(Arc<Source>, u64)>,
    left_out: LeftOut,
    /// What is wrong with the row behind the one given last.
    failed: Option<StoreError>,
}

impl Candles {
    pub(crate) fn new(instrument: Instrument, interval: Interval, sources: Vec<Arc<Source>>) -> Self {
        let waiting = sources.into();
        Self {
            instrument,
            interval,
            waiting,
            open: Vec::new(),
            place: None,
            left_out: LeftOut::default(),
            failed: None,
        }
    }

    /// The same, unread; only of one that has not been read from.
    pub(crate) fn again(&self) -> Self {
        Self::new(self.instrument, self.interval, self.waiting.iter().cloned().collect())
    }

    /// Where the candle given last stood.
    pub fn place(&self) -> Option<Place<'_>> {
        self.place.as_ref().map(|(source, line)| Place { file: &source.path, line: *line })
    }

    /// Rows that were no candles so far.
    pub fn left_out(&self) -> LeftOut {
        let mut all = self.left_out.clone();
        self.open.iter().for_each(|(lines, _)| all.add(&lines.left_out));
        all
    }

    fn next_row(&mut self) -> Result<Option<Row>, StoreError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        // The file whose next row is the earliest; of equals the earlier file.
        let earliest = |open: &[(Lines, Row)]| (0..open.len()).min_by_key(|at| open[*at].1.open_time);
        let mut at = earliest(&self.open);
        while let Some(source) = self.waiting.front()
            && at.is_none_or(|at| source.first <= self.open[at].1.open_time)
        {
            let mut lines = Lines::open(Arc::clone(source))?;
            self.waiting.pop_front();
            match lines.next_row()? {
                Some(row) => self.open.push((lines, row)),
                None => self.left_out.add(&lines.left_out),
            }
            at = earliest(&self.open);
        }
        let Some(at) = at else { return Ok(None) };
        let (lines, row) = &mut self.open[at];
        let given = *row;
        match &mut self.place {
            Some((source, line)) if Arc::ptr_eq(source, lines.source()) => *line = lines.number,
            place => *place = Some((Arc::clone(lines.source()), lines.number)),
        }
        match lines.next_row() {
            Ok(Some(next)) => *row = next,
            Ok(None) => {
                self.left_out.add(&lines.left_out);
                self.open.remove(at);
            }
            Err(error) => self.failed = Some(error),
        }
        Ok(Some(given))
    }

    fn candle(&self, row: Row) -> Candle {
        Candle {
            instrument: self.instrument,
            interval: self.interval,
            open_time: row.open_time,
            open: row.open,
            high: row.high,
            low: row.low,
            close: row.close,
            volume: row.volume,
        }
    }
}

impl Iterator for Candles {
    type Item = Result<Candle, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let candle = self.next_row().map(|row| row.map(|row| self.candle(row))).transpose();
        if matches!(candle, Some(Err(_))) {
            self.open = Vec::new();
            self.waiting = VecDeque::new();
        }
        candle
    }
}
