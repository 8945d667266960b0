//! The rows of one file, one by one, in the order of time.

use crate::{
    LeftOut, StoreError,
    backward::Backward,
    file::{self, Packing, Text},
    layout::{Expected, Layout, Line},
    left_out::RowPlace,
    row::Row,
    split::Splitter,
};
use domain::Timestamp;
use std::{
    io::{BufRead, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

/// No line of a candle file comes near this; one that does is no text.
const LONGEST_LINE: u64 = 4_096;
/// Lines by which a file's layout is found.
const SAMPLE: usize = 256;

/// One file of a series, looked at.
#[derive(Debug)]
pub struct Source {
    pub path: PathBuf,
    pub layout: Layout,
    pub expected: Arc<Expected>,
    /// Open time of the first row in the order of reading.
    pub first: Timestamp,
}

impl Source {
    /// `None` if it holds no row.
    ///
    /// # Errors
    /// It cannot be read or understood.
    pub fn look_at(path: &Path, expected: &Arc<Expected>) -> Result<Option<Self>, StoreError> {
        let sample = sample(path)?;
        let layout = Layout::of(&sample, expected).map_err(|(line, why)| malformed(path, line, why))?;
        let Some(layout) = layout else { return Ok(None) };
        let (path, expected) = (path.to_owned(), Arc::clone(expected));
        let mut source = Self { path, layout, expected, first: Timestamp::ZERO };
        let mut lines = Lines::open(Arc::new(source.clone_unread()))?;
        let Some(row) = lines.next_row()? else { return Ok(None) };
        source.first = row.open_time;
        Ok(Some(source))
    }

    fn clone_unread(&self) -> Self {
        let expected = Arc::clone(&self.expected);
        Self { path: self.path.clone(), layout: self.layout.clone(), expected, first: self.first }
    }
}

/// The first lines that are not empty.
fn sample(path: &Path) -> Result<Vec<Line>, StoreError> {
    let (mut text, packing) = file::open(path)?;
    let mut lines = Vec::new();
    let (mut number, mut at) = (0, 0);
    let mut line = Vec::new();
    while lines.len() < SAMPLE {
        let read = next_line(&mut text, &mut line).map_err(|e| file::unreadable_packed(path, packing, e))?;
        if read == 0 {
            break;
        }
        number += 1;
        check_line(&line).map_err(|why| malformed(path, number, why))?;
        let trimmed = trim(&line, number);
        if !trimmed.is_empty() {
            lines.push(Line { number, at, text: trimmed.to_vec() });
        }
        at += read as u64;
    }
    Ok(lines)
}

/// The rows of an open file.
pub struct Lines {
    source: Arc<Source>,
    packing: Packing,
    reader: Reader,
    line: Vec<u8>,
    splitter: Splitter,
    /// Of the row given last, from 1.
    pub number: u64,
    /// Rows left out so far.
    pub left_out: LeftOut,
    steps: Steps,
}

enum Reader {
    Forward { text: Text, number: u64 },
    Backward(Box<Backward>),
}

/// How often the times of a file go on, and how often back.
#[derive(Debug, Default)]
struct Steps {
    last: Option<Timestamp>,
    all: u64,
    back: u64,
    /// The first row that is older than the one before it.
    first_back: Option<u64>,
}

impl Lines {
    /// Begins at the first row; at the last one of a file that goes backwards.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(source: Arc<Source>) -> Result<Self, StoreError> {
        let path = &source.path;
        let (reader, packing) = if source.layout.backwards {
            let (file, packing) = file::open_seekable(path)?;
            let backward = Backward::new(file, source.layout.data_at);
            (
                Reader::Backward(Box::new(backward.map_err(|e| file::unreadable_packed(path, packing, e))?)),
                packing,
            )
        } else {
            let (text, packing) = file::open(path)?;
            (Reader::Forward { text, number: 0 }, packing)
        };
        let line = Vec::new();
        let splitter = Splitter::default();
        Ok(Self {
            source,
            packing,
            reader,
            line,
            splitter,
            number: 0,
            left_out: LeftOut::default(),
            steps: Steps::default(),
        })
    }

    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// # Errors
    /// The file cannot be read on; a row that is none; times that go on and back without order.
    pub fn next_row(&mut self) -> Result<Option<Row>, StoreError> {
        while let Some(number) = self.next_line()? {
            let text = trim(&self.line, number);
            if text.is_empty() {
                continue;
            }
            let source = &self.source;
            let row = source.layout.row(text, &mut self.splitter, &source.expected);
            let row = match row.map_err(|why| malformed(&source.path, number, why))? {
                Ok(row) => row,
                Err(why) => {
                    *self.left_out.rows.entry(why).or_default() += 1;
                    let place = || RowPlace { file: source.path.clone(), line: number };
                    self.left_out.first.get_or_insert_with(place);
                    continue;
                }
            };
            self.number = number;
            self.steps.take(row.open_time, number);
            return Ok(Some(row));
        }
        match self.steps.first_back.filter(|_| self.steps.are_mixed()) {
            Some(line) => Err(StoreError::MixedOrder { file: self.source.path.clone(), line }),
            None => Ok(None),
        }
    }

    /// The number of the next line, which is in `line` then.
    fn next_line(&mut self) -> Result<Option<u64>, StoreError> {
        let head = self.source.layout.head;
        let failed = |e| file::unreadable_packed(&self.source.path, self.packing, e);
        let number = match &mut self.reader {
            Reader::Forward { text, number } => loop {
                if next_line(text, &mut self.line).map_err(failed)? == 0 {
                    return Ok(None);
                }
                *number += 1;
                if *number > head {
                    break *number;
                }
            },
            Reader::Backward(backward) => {
                match backward.next_line(&mut self.line, LONGEST_LINE).map_err(failed)? {
                    Some(number) => number,
                    None => return Ok(None),
                }
            }
        };
        check_line(&self.line).map_err(|why| malformed(&self.source.path, number, why))?;
        Ok(Some(number))
    }
}

impl Steps {
    fn take(&mut self, at: Timestamp, line: u64) {
        if let Some(last) = self.last {
            self.all += 1;
            if at < last {
                self.back += 1;
                self.first_back.get_or_insert(line);
            }
        }
        self.last = Some(at);
    }

    /// More than a stray row or a doubled part: a file that has no order, or two.
    fn are_mixed(&self) -> bool {
        self.back >= 2 && self.back * 5 > self.all
    }
}

/// Bytes read, of which at most [`LONGEST_LINE`]; 0 at the end of the file.
fn next_line(text: &mut Text, line: &mut Vec<u8>) -> std::io::Result<usize> {
    line.clear();
    text.take(LONGEST_LINE).read_until(b'\n', line)
}

fn check_line(line: &[u8]) -> Result<(), String> {
    if line.trim_ascii().contains(&b'\r') {
        return Err("has a carriage return in its middle: its rows would be read as one; \
                    save the file with line ends of Unix (LF) or Windows (CR LF)"
            .to_owned());
    }
    if line.len() as u64 >= LONGEST_LINE && line.last() != Some(&b'\n') {
        return Err(format!("is longer than {LONGEST_LINE} bytes; this is no candle file"));
    }
    Ok(())
}

fn malformed(path: &Path, line: u64, why: String) -> StoreError {
    StoreError::Malformed { file: path.to_owned(), line, why }
}

/// Without line end and blanks, and without the byte order mark that some programs write first.
fn trim(line: &[u8], number: u64) -> &[u8] {
    let line = if number == 1 { line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line) } else { line };
    line.trim_ascii()
}
