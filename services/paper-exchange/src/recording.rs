//! Recorded frames of one symbol: depth diffs, public trades and a snapshot of REST, as they came.
//!
//! A line is `<local time in nanoseconds> <raw message>`, the message that of a stream, combined or not, or REST's
//! answer about the book. Messages that say nothing of trades or depth are passed over.

use crate::simulator::{Said, Tape, units};
use flate2::read::MultiGzDecoder;
use std::{
    fs,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};
use thiserror::Error;
use venue_binance::market::{self, Level, Message};

#[derive(Debug, Error)]
pub enum RecordingError {
    #[error("the recording {}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("line {line} of the recording {}: {why}; each line is `<local time in ns> <message of Binance>`", path.display())]
    Line { path: PathBuf, line: u64, why: String },
    #[error("the recording {}: {why}", path.display())]
    Empty { path: PathBuf, why: &'static str },
}

/// A file, or all files of a folder in the order of their names, that have been looked through.
#[derive(Debug)]
pub struct Recording {
    files: Vec<PathBuf>,
    /// In Binance's capitals.
    pub symbol: String,
    /// When the first message came and the last one, in microseconds.
    pub first: i64,
    pub last: i64,
    pub messages: u64,
    pub trades: u64,
    /// The finest price that was written, and the finest quantity that was traded, in 10⁻⁸. Levels may be finer:
    /// orders that are older than today's lot are among them.
    pub tick: u64,
    pub lot: u64,
    /// Where nothing was traded, the finest quantity of a level.
    level: u64,
}

impl Recording {
    /// Reads all of it once, so that what is wrong with it is known before it is played.
    ///
    /// # Errors
    /// A file cannot be read, a line is none of a recording, two symbols, or nothing to play.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let empty = |why| RecordingError::Empty { path: path.to_owned(), why };
        let mut found = Self {
            files: files(path)?,
            symbol: String::new(),
            first: 0,
            last: 0,
            messages: 0,
            trades: 0,
            tick: 0,
            lot: 0,
            level: 0,
        };
        let mut lines = Lines::new(found.files.clone());
        while let Some(line) = lines.next() {
            let Line { at, said, symbol } = line?;
            if found.messages == 0 {
                found.first = at;
            }
            found.last = found.last.max(at);
            found.messages += 1;
            if let Some(symbol) = symbol.filter(|symbol| *symbol != found.symbol) {
                if !found.symbol.is_empty() {
                    let why = format!(
                        "it is of {symbol}, and lines before it of {}: one symbol is played",
                        found.symbol
                    );
                    return Err(lines.wrong(why));
                }
                found.symbol = symbol;
            }
            found.measure(said.as_ref());
        }
        if found.symbol.is_empty() {
            return Err(empty("it has neither trades nor depth"));
        }
        let lot = if found.trades == 0 { found.level } else { found.lot };
        (found.tick, found.lot) = (10_u64.pow(zeros(found.tick)), 10_u64.pow(zeros(lot)));
        Ok(found)
    }

    fn measure(&mut self, said: Option<&Said>) {
        match said {
            Some(Said::Snapshot { bids, asks, .. } | Said::Diff { bids, asks, .. }) => {
                for (price, quantity) in bids.iter().chain(asks) {
                    (self.tick, self.level) = (self.tick | finest(*price), self.level | finest(*quantity));
                }
            }
            Some(Said::Trade { price, quantity, .. }) => {
                self.trades += 1;
                (self.tick, self.lot) = (self.tick | finest(*price), self.lot | finest(*quantity));
            }
            Some(Said::Silence) | None => {}
        }
    }

    /// In words, the same wherever the files lie.
    pub fn describe(&self) -> String {
        let Self { symbol, messages, trades, first, last, .. } = self;
        format!("recorded-l2 {symbol} {messages} messages {trades} trades {first}..{last}")
    }

    /// From the first message on, times moved by so many microseconds.
    pub fn play(self, shift: i64) -> Tape {
        let said = Saying { lines: Lines::new(self.files) }.map(move |(at, said)| (at + shift, said));
        Tape::new(Box::new(said), self.last + shift)
    }
}

/// A bit for the number of decimal zeros that a number ends with: the lowest bit of many says the fewest.
fn finest(units: u64) -> u64 {
    if units == 0 {
        return 0;
    }
    let mut zeros = 0;
    while zeros < 8 && units.is_multiple_of(10_u64.pow(zeros + 1)) {
        zeros += 1;
    }
    1 << zeros
}

fn zeros(seen: u64) -> u32 {
    if seen == 0 { 0 } else { seen.trailing_zeros() }
}

fn files(path: &Path) -> Result<Vec<PathBuf>, RecordingError> {
    let io = |error| RecordingError::Io { path: path.to_owned(), error };
    if !path.is_dir() {
        File::open(path).map_err(io)?;
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(io)? {
        let file = entry.map_err(io)?.path();
        // What such a recording was checked with may lie beside it.
        if file.is_file() && file.extension().is_none_or(|ending| ending != "json" && ending != "md") {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(RecordingError::Empty { path: path.to_owned(), why: "there is no file in it" });
    }
    Ok(files)
}

/// What the lines say, as long as they can be read.
struct Saying {
    lines: Lines,
}

impl Iterator for Saying {
    type Item = (i64, Said);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.lines.next()? {
                Ok(Line { at, said: Some(said), .. }) => return Some((at, said)),
                Ok(Line { said: None, .. }) => {}
                Err(error) => {
                    // It was whole when it was looked through.
                    tracing::error!("a recording ends early: {error}");
                    return None;
                }
            }
        }
    }
}

struct Line {
    /// In microseconds.
    at: i64,
    said: Option<Said>,
    symbol: Option<String>,
}

/// The lines of some files, one after the other.
struct Lines {
    files: Vec<PathBuf>,
    file: usize,
    open: Option<Box<dyn BufRead + Send>>,
    line: u64,
    text: String,
}

impl Lines {
    fn new(files: Vec<PathBuf>) -> Self {
        Self { files, file: 0, open: None, line: 0, text: String::new() }
    }

    fn wrong(&self, why: String) -> RecordingError {
        let path = self.files[self.file.min(self.files.len() - 1)].clone();
        RecordingError::Line { path, line: self.line, why }
    }

    fn next(&mut self) -> Option<Result<Line, RecordingError>> {
        loop {
            let path = self.files.get(self.file)?.clone();
            let io = |error| RecordingError::Io { path: path.clone(), error };
            if self.open.is_none() {
                match opened(&path) {
                    Ok(open) => (self.open, self.line) = (Some(open), 0),
                    Err(error) => return Some(Err(io(error))),
                }
            }
            self.text.clear();
            let read = self.open.as_mut().map_or(Ok(0), |open| open.read_line(&mut self.text));
            match read {
                Err(error) => return Some(Err(io(error))),
                Ok(0) => (self.open, self.file) = (None, self.file + 1),
                Ok(_) => {
                    self.line += 1;
                    if !self.text.trim().is_empty() {
                        return Some(parse(self.text.trim()).map_err(|why| self.wrong(why)));
                    }
                }
            }
        }
    }
}

fn opened(path: &Path) -> io::Result<Box<dyn BufRead + Send>> {
    let mut magic = [0; 2];
    let packed = File::open(path)?.read(&mut magic)? == 2 && magic == [0x1f, 0x8b];
    let file = File::open(path)?;
    Ok(if packed {
        Box::new(BufReader::new(MultiGzDecoder::new(file)))
    } else {
        Box::new(BufReader::new(file))
    })
}

fn parse(line: &str) -> Result<Line, String> {
    let (at, message) = line.split_once(' ').ok_or("there is no space after the time")?;
    let at: i64 = at.parse().map_err(|_| format!("`{at}` is no time in nanoseconds"))?;
    let frame = market::decode(message.as_bytes()).map_err(|e| e.to_string())?;
    let side = |levels: &[Level]| levels.iter().map(|level| (level.price.0, level.quantity.0)).collect();
    let (said, symbol) = match &frame.message {
        Message::DepthUpdate(diff) => {
            let said = Said::Diff { last: diff.last, bids: side(&diff.bids), asks: side(&diff.asks) };
            (Some(said), Some(diff.symbol.to_string()))
        }
        // A partial book of a stream says nothing of the rest.
        Message::PartialDepth(book) if frame.stream.is_none() => {
            let said = Said::Snapshot { last: book.last, bids: side(&book.bids), asks: side(&book.asks) };
            (Some(said), None)
        }
        Message::Trade(trade) => {
            let units = |number| units(number).ok_or("a figure that is too large");
            let said = Said::Trade {
                id: u64::try_from(trade.trade).map_err(|_| "a trade with a negative number")?,
                price: units(trade.price.0)?,
                quantity: units(trade.quantity.0)?,
                taker_buys: !trade.buyer_is_maker,
            };
            (Some(said), Some(trade.symbol.to_string()))
        }
        _ => (None, None),
    };
    Ok(Line { at: at / 1_000, said, symbol })
}
