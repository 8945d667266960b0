//! A series as a stream of candles, over all its files.

use crate::{
    StoreError,
    file::{self, Text},
    name::Packing,
    row::{self, Row},
};
use domain::{Instrument, Interval};
use events::Candle;
use std::{
    io::{BufRead, Read},
    path::PathBuf,
};

/// No line of a candle file comes near this; one that does is no text.
const LONGEST_LINE: u64 = 4_096;

/// The candles of one series in the order of its files, in constant memory.
///
/// Yields nothing more after an error.
pub struct Candles {
    instrument: Instrument,
    interval: Interval,
    files: std::vec::IntoIter<(PathBuf, Packing)>,
    open: Option<Lines>,
    line: Vec<u8>,
}

impl Candles {
    pub(crate) fn new(instrument: Instrument, interval: Interval, files: Vec<(PathBuf, Packing)>) -> Self {
        Self { instrument, interval, files: files.into_iter(), open: None, line: Vec::new() }
    }

    /// The same, unread; only of one that has not been read from.
    pub(crate) fn again(&self) -> Self {
        Self::new(self.instrument, self.interval, self.files.as_slice().to_vec())
    }

    fn next_row(&mut self) -> Result<Option<Row>, StoreError> {
        loop {
            if let Some(lines) = &mut self.open {
                if let Some(row) = lines.next_row(&mut self.line)? {
                    return Ok(Some(row));
                }
                self.open = None;
            }
            let Some((path, packing)) = self.files.next() else { return Ok(None) };
            self.open = Some(Lines::open(path, packing)?);
        }
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
            self.open = None;
            self.files = Vec::new().into_iter();
        }
        candle
    }
}

/// One open file.
struct Lines {
    path: PathBuf,
    packing: Packing,
    text: Text,
    /// Of the line read last, from 1.
    number: u64,
    /// As the header or the first row has them; every row must have as many.
    columns: Option<usize>,
}

impl Lines {
    fn open(path: PathBuf, packing: Packing) -> Result<Self, StoreError> {
        let text = file::open(&path, packing)?;
        Ok(Self { path, packing, text, number: 0, columns: None })
    }

    fn next_row(&mut self, line: &mut Vec<u8>) -> Result<Option<Row>, StoreError> {
        while self.next_line(line)? {
            let text = trim(line, self.number);
            if text.is_empty() {
                continue;
            }
            let columns = row::count_columns(text);
            let first = self.columns.is_none();
            if *self.columns.get_or_insert(columns) != columns {
                let wanted = self.columns.unwrap_or_default();
                return Err(
                    self.malformed(format!("has {columns} columns where the first line has {wanted}"))
                );
            }
            if first && row::is_header(text) {
                row::check_header(text).map_err(|why| self.malformed(why))?;
                continue;
            }
            if columns < row::COLUMNS.len() {
                let wanted = row::COLUMNS.join(",");
                return Err(self.malformed(format!("has {columns} columns; {wanted} are needed")));
            }
            return Row::parse(text).map(Some).map_err(|why| self.malformed(why));
        }
        Ok(None)
    }

    /// `false` at the end of the file.
    fn next_line(&mut self, line: &mut Vec<u8>) -> Result<bool, StoreError> {
        line.clear();
        let read = (&mut self.text).take(LONGEST_LINE).read_until(b'\n', line);
        let read = read.map_err(|source| file::unreadable(&self.path, self.packing, source))?;
        self.number += 1;
        if read as u64 == LONGEST_LINE && line.last() != Some(&b'\n') {
            return Err(
                self.malformed(format!("is longer than {LONGEST_LINE} bytes; this is no candle file"))
            );
        }
        Ok(read > 0)
    }

    fn malformed(&self, why: String) -> StoreError {
        StoreError::Malformed { file: self.path.clone(), line: self.number, why }
    }
}

/// Without line end and blanks, and without the byte order mark that some programs write first.
fn trim(line: &[u8], number: u64) -> &[u8] {
    let line = if number == 1 { line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line) } else { line };
    line.trim_ascii()
}
