//! Every input of the exchange, numbered and written down: whoever starts on the file stands where it stood.
//!
//! JSON lines. The first tells what the exchange was set up with, each further one is an [`Entry`].
//! The last field of each is its sum: SHA-256 over the sum of the line before (32 bytes, zeros before the first)
//! and this line's own bytes up to the comma before `"sum"`, in lower-case hexadecimal. So a figure that somebody
//! changed, a line that was taken out or put in, or one of another journal is refused, by its number. A last line that
//! was only begun is taken out, and whole lines that are missing at the end are not missed.
//! Time that only passes is not written: an input that has a time of its own brings it along, and before one
//! that has none an [`Input::Advance`] is.
//! Lines reach the operating system before the answer that they led to goes out.

use crate::{
    answer::Answer,
    endpoint,
    exchange::{Exchange, RuleChange},
    params::{Params, TimeUnit},
    refusal::Refusal,
};
use domain::{Amount, Asset, Timestamp};
use events::Event;
use ring::digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
};
use thiserror::Error;
use venue_paper::engine::Owner;

/// What may change the exchange. Times are in microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Live only: time has passed.
    Advance {
        to: i64,
    },
    /// A request; live, time passes until `at` first.
    Call {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<i64>,
        /// Whose request it is.
        #[serde(default, skip_serializing_if = "is_first")]
        owner: Owner,
        endpoint: String,
        params: Vec<(String, String)>,
        /// How many parameters came around them; mostly a time and a signature.
        #[serde(default = "signed", skip_serializing_if = "is_signed")]
        envelope: usize,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        micro: bool,
    },
    /// Driven only: a fact of the market, as it lies on a tape.
    Hear {
        position: u64,
        at: i64,
        kind: String,
        schema: u16,
        body: Value,
    },
    /// Driven only: nothing else of the market happened until that position.
    Heard {
        until: u64,
    },
    Balance {
        #[serde(default, skip_serializing_if = "is_first")]
        owner: Owner,
        asset: Asset,
        delta: Amount,
    },
    /// By hand, from one account to another.
    Transfer {
        from: Owner,
        to: Owner,
        asset: Asset,
        amount: Amount,
    },
    Status {
        symbol: String,
        status: String,
    },
    /// A symbol has other rules from now on.
    Rules(Box<RuleChange>),
    /// The market streams that anybody listens to.
    Streams {
        wanted: BTreeSet<String>,
    },
}

/// Time and signature.
const SIGNED: usize = 2;

fn is_first(owner: &Owner) -> bool {
    *owner == Owner::FIRST
}

fn signed() -> usize {
    SIGNED
}

fn is_signed(envelope: &usize) -> bool {
    *envelope == SIGNED
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// 1, 2, 3 …
    pub n: u64,
    #[serde(flatten)]
    pub input: Input,
}

/// What a journal belongs to. Another exchange than this cannot take it up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Of the form of this file.
    pub version: u16,
    pub start: Timestamp,
    /// What was traded, in words.
    pub market: String,
    /// Account and terms, as JSON.
    pub setup: String,
}

pub const VERSION: u16 = 2;

/// A running hash.
type Sum = [u8; 32];

const BEFORE_SUM: &[u8] = b",\"sum\":\"";
const AFTER_SUM: &[u8] = b"\"}";
const DIGITS: usize = 64;

#[derive(Debug, Error)]
pub enum JournalError {
    #[error("the journal {}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("the journal {}: another exchange is running on it; stop that one, or start on another file", path.display())]
    InUse { path: PathBuf },
    #[error("line {line} of the journal {} is none of ours: {why}; start on another file", path.display())]
    Malformed { path: PathBuf, line: u64, why: String },
    #[error("line {line} of the journal {} is not what was written: {why}; put a copy of the file back, or start on another file", path.display())]
    Changed { path: PathBuf, line: u64, why: String },
    #[error("the journal {} has the form {found} of another build, this one writes {VERSION}, with sums: go on with the build that wrote it, or start on another file (of `up --venue paper-exchange`: on another tape)", path.display())]
    OtherForm { path: PathBuf, found: u16 },
    #[error("the journal {} is of another exchange ({what} differs); start with what it was made with, or on another file", path.display())]
    Other { path: PathBuf, what: &'static str },
}

/// An open journal, at its end.
pub struct Journal {
    file: File,
    path: PathBuf,
    /// Lines that the operating system does not have yet.
    buffer: Vec<u8>,
    /// The last entry's number.
    last: u64,
    /// The last line's sum.
    sum: Sum,
}

/// What the journal at `path` belongs to; `None` where there is none yet.
///
/// # Errors
/// It cannot be read, or is no journal.
pub fn header(path: &Path) -> Result<Option<Header>, JournalError> {
    let io = |error| JournalError::Io { path: path.to_owned(), error };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    let line = first_line(file).map_err(io)?;
    let malformed = |why| JournalError::Malformed { path: path.to_owned(), line: 1, why };
    if let Some(line) = line.strip_suffix(b"\n") {
        let header: Header = serde_json::from_slice(line).map_err(|e| malformed(e.to_string()))?;
        // Of another form nothing else is known.
        if header.version == VERSION {
            opened(line, &Sum::default()).map_err(|why| JournalError::Changed {
                path: path.to_owned(),
                line: 1,
                why,
            })?;
        }
        return Ok(Some(header));
    }
    // Which header it is the beginning of is seen where it would be written over.
    let begun = OPENING.len().min(line.len());
    if line[..begun] == OPENING[..begun] { Ok(None) } else { Err(malformed(NO_HEADER.to_owned())) }
}

/// Every header begins with it.
const OPENING: &[u8] = b"{\"version\":";
const NO_HEADER: &str = "a journal's first line is not there";
/// No header is longer.
const LONGEST_HEADER: u64 = 1 << 20;

fn first_line(file: File) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(file.take(LONGEST_HEADER)).read_until(b'\n', &mut line)?;
    Ok(line)
}

/// `line`, an object as JSON, with the sum that follows from the line before; and that sum.
fn sealed(mut line: Vec<u8>, before: &Sum) -> (Vec<u8>, Sum) {
    line.pop();
    let sum = sum(before, &line);
    line.extend_from_slice(BEFORE_SUM);
    line.extend(sum.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()));
    line.extend_from_slice(AFTER_SUM);
    (line, sum)
}

/// What a sealed line says, without its sum, and that sum.
fn opened(line: &[u8], before: &Sum) -> Result<(Vec<u8>, Sum), String> {
    let parts = || {
        let (rest, digits) = line.strip_suffix(AFTER_SUM)?.split_last_chunk::<DIGITS>()?;
        Some((rest.strip_suffix(BEFORE_SUM)?, digits))
    };
    let (own, digits) = parts().ok_or("it ends in no sum")?;
    let sum = sum(before, own);
    let written = sum.iter().flat_map(|byte| format!("{byte:02x}").into_bytes());
    if !written.eq(digits.iter().copied()) {
        return Err("its sum does not follow from its content and the line before".to_owned());
    }
    let mut own = own.to_vec();
    own.push(b'}');
    Ok((own, sum))
}

fn sum(before: &Sum, line: &[u8]) -> Sum {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(before);
    context.update(line);
    let mut sum = Sum::default();
    sum.copy_from_slice(context.finish().as_ref());
    sum
}

/// Whether `line` is what a kill leaves of the line that `header` makes, of whatever start.
fn begins(line: &[u8], header: &Header) -> bool {
    let start = serde_json::to_vec(&header.start).unwrap_or_default();
    let whole = serde_json::to_vec(header).unwrap_or_default();
    let Some(at) = whole.windows(start.len().max(1)).position(|part| part == start) else { return false };
    // In place of the last brace the sum begins.
    let (before, after) = (&whole[..at], &whole[at + start.len()..whole.len() - 1]);
    let Some(rest) = line.strip_prefix(before) else { return before.starts_with(line) };
    let end = rest.iter().skip(1).position(|byte| *byte == b'"').map_or(rest.len(), |at| at + 2);
    let (time, rest) = rest.split_at(end);
    let is_time = time.iter().all(|byte| byte.is_ascii_digit() || b"\"-:.TZ".contains(byte));
    is_time && (after.starts_with(rest) || rest.strip_prefix(after).is_some_and(begins_sum))
}

/// Whether `end` is the beginning of a sum and what follows it, without the end of the line.
fn begins_sum(end: &[u8]) -> bool {
    let Some(sum) = end.strip_prefix(BEFORE_SUM) else { return BEFORE_SUM.starts_with(end) };
    let (digits, behind) = sum.split_at(sum.len().min(DIGITS));
    digits.iter().all(u8::is_ascii_hexdigit) && AFTER_SUM.starts_with(behind)
}

impl Input {
    /// Whether it brings along when it happened; where it does not, it happens at the time written last.
    pub fn has_time(&self) -> bool {
        match self {
            Self::Advance { .. } | Self::Call { at: Some(_), .. } | Self::Hear { .. } => true,
            Self::Call { at: None, .. }
            | Self::Heard { .. }
            | Self::Balance { .. }
            | Self::Transfer { .. }
            | Self::Status { .. }
            | Self::Rules(_)
            | Self::Streams { .. } => false,
        }
    }
}

impl Journal {
    /// Opens the file, or makes it, and gives every input in it to `each`. A last line that was only begun
    /// is taken out: its answer never went out. A file that is none of ours is left as it is.
    ///
    /// # Errors
    /// It cannot be read or written, is no journal, or another exchange's.
    pub fn open(path: &Path, wanted: &Header, mut each: impl FnMut(Input)) -> Result<Self, JournalError> {
        let io = |error| JournalError::Io { path: path.to_owned(), error };
        let file =
            OpenOptions::new().create(true).truncate(false).read(true).append(true).open(path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        let found = header(path)?;
        let mut journal =
            Self { file, path: path.to_owned(), buffer: Vec::new(), last: 0, sum: Sum::default() };
        let Some(found) = found else {
            if !begins(&first_line(File::open(path).map_err(io)?).map_err(io)?, wanted) {
                let why = NO_HEADER.to_owned();
                return Err(JournalError::Malformed { path: path.to_owned(), line: 1, why });
            }
            journal.file.set_len(0).map_err(io)?;
            journal.line(wanted)?;
            journal.flush()?;
            return Ok(journal);
        };
        let other = |what| JournalError::Other { path: path.to_owned(), what };
        if found.version != wanted.version {
            return Err(JournalError::OtherForm { path: path.to_owned(), found: found.version });
        }
        if found.market != wanted.market {
            return Err(other("the market"));
        }
        if found.start != wanted.start {
            return Err(other("the start"));
        }
        if found.setup != wanted.setup {
            return Err(other("the account"));
        }
        journal.replay(&mut each)?;
        Ok(journal)
    }

    fn replay(&mut self, each: &mut impl FnMut(Input)) -> Result<(), JournalError> {
        let io = |error| JournalError::Io { path: self.path.clone(), error };
        let mut reader = BufReader::new(File::open(&self.path).map_err(io)?);
        let (mut line, mut number, mut whole) = (Vec::new(), 0, 0);
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line).map_err(io)?;
            let Some(text) = line.strip_suffix(b"\n") else { break };
            number += 1;
            let changed = |why: String| JournalError::Changed { path: self.path.clone(), line: number, why };
            let (own, sum) = opened(text, &self.sum).map_err(changed)?;
            self.sum = sum;
            whole += read as u64;
            if number == 1 {
                continue;
            }
            let malformed =
                |why: String| JournalError::Malformed { path: self.path.clone(), line: number, why };
            let entry: Entry = serde_json::from_slice(&own).map_err(|e| malformed(e.to_string()))?;
            if entry.n != self.last + 1 {
                return Err(malformed(format!("number {} follows {}", entry.n, self.last)));
            }
            self.last = entry.n;
            each(entry.input);
        }
        self.file.set_len(whole).map_err(io)
    }

    /// Takes an input down. It is safe after [`Self::flush`].
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn add(&mut self, input: &Input) -> Result<(), JournalError> {
        self.last += 1;
        #[derive(Serialize)]
        struct Line<'a> {
            n: u64,
            #[serde(flatten)]
            input: &'a Input,
        }
        self.line(&Line { n: self.last, input })
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), JournalError> {
        let written = serde_json::to_vec(line);
        let written = written.map_err(|e| JournalError::Io { path: self.path.clone(), error: e.into() })?;
        let (line, sum) = sealed(written, &self.sum);
        self.sum = sum;
        self.buffer.extend_from_slice(&line);
        self.buffer.push(b'\n');
        Ok(())
    }

    /// Gives what was taken down to the operating system.
    ///
    /// # Errors
    /// The disk is full, or gone: nothing must be answered any more.
    pub fn flush(&mut self) -> Result<(), JournalError> {
        let written = self.file.write_all(&self.buffer);
        self.buffer.clear();
        written.map_err(|error| JournalError::Io { path: self.path.clone(), error })
    }
}

/// What came of an input: of a request its answer, of others nothing.
pub type Outcome = Result<Answer, Refusal>;

/// Does to the exchange what an input says; the same whether it has just come or is read again.
pub fn apply(exchange: &mut Exchange, input: &Input) -> Outcome {
    match input {
        Input::Advance { to } => exchange.advance(Timestamp::from_micros(*to)),
        Input::Call { at, owner, endpoint, params, envelope, micro } => {
            if let Some(at) = at {
                exchange.advance(Timestamp::from_micros(*at));
            }
            let unit = if *micro { TimeUnit::Micro } else { TimeUnit::Milli };
            return match endpoint::by_name(endpoint).map(|spec| spec.target) {
                Some(endpoint::Target::Exchange(endpoint)) => {
                    let params = Params { pairs: params.clone(), envelope: *envelope };
                    exchange.answer_as(*owner, endpoint, &params, unit)
                }
                _ => Err(Refusal::new(-1020, "This operation is not supported.")),
            };
        }
        Input::Hear { at, kind, schema, body, .. } => {
            let event = Event::decode(kind, *schema, &body.to_string());
            let event = event.map_err(|e| Refusal::new(-1130, e.to_string()))?;
            exchange.hear(Timestamp::from_micros(*at), &event);
        }
        Input::Heard { .. } => {}
        Input::Balance { owner, asset, delta } => exchange.adjust_balance(*owner, *asset, *delta)?,
        Input::Transfer { from, to, asset, amount } => {
            let number = exchange.transfer(*from, *to, *asset, *amount)?;
            return Ok(Value::from(number).into());
        }
        Input::Status { symbol, status } => exchange.set_status(symbol, status)?,
        Input::Rules(change) => exchange.change_rules(change)?,
        Input::Streams { wanted } => exchange.want_streams(wanted.clone()),
    }
    Ok(Value::Null.into())
}
