//! How a file of candles is written: what stands before its rows, what its columns are, and how its
//! figures and times are to be read. Found by its first lines; whatever can be meant in two ways is refused.

use crate::{
    columns::{self, Columns},
    figure::{Style, figure, is_blank},
    left_out::WhyLeftOut,
    moment::{self, Days, Written},
    row::{self, Row},
    split::{self, Fields, Splitter},
};
use domain::{Decimal, Interval, Price, Quantity, Timestamp};

/// What the name of a file says of its content.
#[derive(Debug, Clone)]
pub struct Expected {
    pub symbol: String,
    /// Where they are known.
    pub base: Option<String>,
    pub quote: Option<String>,
    pub interval: Interval,
}

#[derive(Debug, Clone)]
pub struct Layout {
    /// Lines before the first row.
    pub head: u64,
    /// Where the first row begins, in bytes of the unpacked text.
    pub data_at: u64,
    pub columns: Columns,
    /// Fields of a row.
    pub fields: usize,
    delimiter: u8,
    style: Style,
    days: Days,
    /// The six columns of [`row::COLUMNS`] come first, and times are numbers.
    plain: bool,
    /// Whether the first lines go backwards in time.
    pub backwards: bool,
    /// What was assumed, for whoever wants to know.
    pub assumed: Vec<Assumed>,
}

/// What a file does not say, and how it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assumed {
    Utc,
    DayFirst,
    MonthFirst,
    OpenFromClose,
}

impl Assumed {
    pub const fn words(self) -> &'static str {
        match self {
            Self::Utc => "times without a zone are read as UTC",
            Self::DayFirst => "dates are read with the day first",
            Self::MonthFirst => "dates are read with the month first",
            Self::OpenFromClose => "there is no column of open times: they are reckoned from the close times",
        }
    }
}

/// A line, with its number and where it begins.
#[derive(Debug, Clone)]
pub struct Line {
    pub number: u64,
    pub at: u64,
    pub text: Vec<u8>,
}

/// What is wrong, and on which line.
pub type Wrong = (u64, String);

impl Layout {
    /// By the first lines of a file, trimmed and without the empty ones; `None` if no row is among them.
    ///
    /// # Errors
    /// What cannot be understood, or can be in two ways.
    pub fn of(lines: &[Line], expected: &Expected) -> Result<Option<Self>, Wrong> {
        let mut splitter = Splitter::default();
        let mut delimiter = None;
        let mut rest = lines;
        let mut header = None;
        while let [line, more @ ..] = rest {
            let fail = |why| (line.number, why);
            if line.text.starts_with(b"\xFF\xFE") || line.text.starts_with(b"\xFE\xFF") {
                return Err(fail("is UTF-16: save the file as CSV in UTF-8".to_owned()));
            }
            if let Some([sign]) = line.text.strip_prefix(b"sep=") {
                delimiter = Some(*sign);
                rest = more;
                continue;
            }
            let sign = *delimiter.get_or_insert_with(|| split::delimiter(&line.text));
            let fields = splitter.split(&line.text, sign).map_err(fail)?;
            if columns::is_header(&fields) {
                header = Some((line.number, fields.iter().map(str::to_owned).collect::<Vec<_>>()));
                rest = more;
                break;
            }
            if moment::is_one(fields.get(0)) && fields.len() >= row::COLUMNS.len() {
                break;
            }
            if line.number > MOST_PREAMBLE || !is_preamble(&line.text, &fields) {
                return Err(fail(neither(&fields)));
            }
            // It tells nothing of the delimiter.
            delimiter = None;
            rest = more;
        }
        let Some(first) = rest.first() else { return Ok(None) };
        let delimiter = delimiter.unwrap_or(b',');
        let wrong = |why| (first.number, why);
        let fields = splitter.split(&first.text, delimiter).map_err(wrong)?;
        let (columns, count) = match header {
            None => (Columns::usual(), fields.len()),
            Some((number, names)) => {
                let columns = Columns::named(&names, &fields, expected).map_err(|why| (number, why))?;
                // R writes the names of rows, and no name above them.
                let named = fields.len() == names.len() + 1 && !is_blank(fields.get(names.len()));
                (if named { columns.shifted() } else { columns }, names.len() + usize::from(named))
            }
        };
        let mut layout = Self {
            head: first.number - 1,
            data_at: first.at,
            columns,
            fields: count,
            delimiter,
            style: Style::Point,
            days: Days::Unknown,
            plain: false,
            backwards: false,
            assumed: Vec::new(),
        };
        layout.learn(rest, &mut splitter)?;
        Ok(Some(layout))
    }

    /// What the first rows tell of how figures and times are written.
    fn learn(&mut self, rows: &[Line], splitter: &mut Splitter) -> Result<(), Wrong> {
        let Some(first) = rows.first() else { return Ok(()) };
        let mut figures: Vec<String> = Vec::new();
        let mut times: Vec<String> = Vec::new();
        for line in rows {
            // What is wrong with a later row is told when it is read.
            let Ok(fields) = splitter.split(&line.text, self.delimiter) else { continue };
            let [o, h, l, c] = self.columns.prices;
            figures.extend([o, h, l, c, self.columns.volume].map(|at| fields.get(at).to_owned()));
            times.push(fields.get(self.columns.time).to_owned());
        }
        let written = figures.iter().map(String::as_str).filter(|figure| !is_blank(figure));
        self.style = Style::of(written, self.delimiter == b',').map_err(|why| (first.number, why))?;
        for told in times.iter().map(|time| moment::told_by(time)).filter(|days| *days != Days::Unknown) {
            if self.days != Days::Unknown && self.days != told {
                return Err((
                    first.number,
                    "some dates begin with the day and some with the month".to_owned(),
                ));
            }
            self.days = told;
        }
        let moments: Vec<_> = times.iter().filter_map(|time| moment::read(time, self.days).ok()).collect();
        let numeric = moments.first().is_some_and(|first| first.written == Written::Number);
        self.plain =
            numeric && self.delimiter == b',' && self.style == Style::Point && self.columns.is_usual();
        let older = moments.windows(2).filter(|pair| pair[1].at < pair[0].at).count();
        let newer = moments.windows(2).filter(|pair| pair[1].at > pair[0].at).count();
        self.backwards = older > newer;
        let zoneless = moments.iter().any(|moment| moment.written == Written::WithoutZone);
        self.assumed = [
            zoneless.then_some(Assumed::Utc),
            (self.days == Days::DayFirst).then_some(Assumed::DayFirst),
            (self.days == Days::MonthFirst).then_some(Assumed::MonthFirst),
            self.columns.closes.then_some(Assumed::OpenFromClose),
        ]
        .into_iter()
        .flatten()
        .collect();
        Ok(())
    }

    /// A trimmed line that is not empty: its row, or why it is left out.
    ///
    /// # Errors
    /// In words, with the column's name, what is wrong with the line.
    pub fn row(
        &self,
        line: &[u8],
        splitter: &mut Splitter,
        expected: &Expected,
    ) -> Result<Result<Row, WhyLeftOut>, String> {
        if self.plain
            && let Some(row) = Row::plain(line)
            && row::count_columns(line) == self.fields
        {
            return Ok(Ok(row));
        }
        let fields = splitter.split(line, self.delimiter)?;
        self.general(&fields, expected)
    }

    fn general(&self, fields: &Fields<'_>, expected: &Expected) -> Result<Result<Row, WhyLeftOut>, String> {
        // Spreadsheets fill rows up, and some programs end each with a delimiter.
        let surplus = (self.fields..fields.len()).any(|at| !fields.get(at).is_empty());
        if fields.len() < self.fields || surplus {
            let comma = if surplus && self.delimiter == b',' {
                "; if its figures have decimal commas, put ; between the columns"
            } else {
                ""
            };
            let (has, wanted) = (fields.len(), self.fields);
            let has = columns(has);
            return Err(format!("has {has} where the first line has {wanted}{comma}"));
        }
        if let Some(other) = self.columns.symbol.map(|at| fields.get(at)).filter(|s| !is_of(s, expected)) {
            let symbol = &expected.symbol;
            return Err(format!(
                "is of {other}, and the file's name says {symbol}: one file holds one symbol"
            ));
        }
        let prices = self.columns.prices.map(|at| fields.get(at));
        match prices.iter().filter(|price| is_blank(price)).count() {
            0 => {}
            4 => return Ok(Err(WhyLeftOut::NoPrices)),
            _ => return Ok(Err(WhyLeftOut::SomePrices)),
        }
        let open_time = self.open_time(fields.get(self.columns.time), expected.interval)?;
        let [open, high, low, close] = prices;
        let high = self.price(high, "high")?;
        Ok(Ok(Row {
            open_time,
            open: self.price(open, "open")?,
            high,
            low: self.price(low, "low")?,
            close: self.price(close, "close")?,
            volume: self.volume(fields.get(self.columns.volume), high)?,
        }))
    }

    fn open_time(&self, field: &str, interval: Interval) -> Result<Timestamp, String> {
        let name = if self.columns.closes { "close_time" } else { "open_time" };
        let moment = moment::read(field, self.days).map_err(|why| format!("{name} {why}"))?;
        let length = interval.length().min(Interval::Day1.length()).as_micros() as i64;
        let at = moment.at.micros();
        if moment.written == Written::Exponent && at % length != 0 {
            return Err(format!(
                "{name} '{field}' has lost its last digits, as in a spreadsheet: format the column as a whole number, \
                 and save again"
            ));
        }
        if !self.columns.closes {
            return Ok(moment.at);
        }
        // The last instant of a candle, by whatever clock, or the first of the next one.
        let close =
            [0, 1, 1_000, 1_000_000].into_iter().map(|unit| at + unit).find(|close| close % length == 0);
        Ok(Timestamp::from_micros(close.unwrap_or(at)) - interval.length())
    }

    fn price(&self, field: &str, name: &str) -> Result<Price, String> {
        let value = self.figure(field, name)?;
        Price::new(value).map_err(|e| format!("{name} is {value}: a price {}", e.why))
    }

    /// A negative one is the gate's to refuse; one beyond all money would break arithmetic.
    fn volume(&self, field: &str, high: Price) -> Result<Decimal, String> {
        let value = self.figure(field, "volume")?;
        if value.abs() > Quantity::MOST && value.abs().checked_mul(high.get()).is_none_or(|most| most > WORTH)
        {
            return Err(format!("volume is {value}: at {high} that is worth more than {WORTH}"));
        }
        Ok(value)
    }

    fn figure(&self, field: &str, name: &str) -> Result<Decimal, String> {
        figure(field, self.style).ok_or_else(|| match is_blank(field) {
            true if name == "volume" => format!("{name} is empty: write 0 where it is not known"),
            _ => format!("{name} '{field}' is not a decimal number"),
        })
    }
}

/// Lines that may stand before a header.
const MOST_PREAMBLE: u64 = 8;
/// What no candle can be worth: the product of the largest price and quantity.
const WORTH: Decimal = Decimal::from_parts(268_435_456, 1_042_612_833, 542_101_086, false, 0);

/// A title, an address, a remark: nothing that has columns.
fn is_preamble(line: &[u8], fields: &Fields<'_>) -> bool {
    let lower = line.to_ascii_lowercase();
    let address = lower.starts_with(b"http") || lower.starts_with(b"www.");
    let alone = fields.iter().filter(|field| !field.is_empty()).count() == 1
        && line.first().is_some_and(|b| b.is_ascii_alphabetic());
    address || line.starts_with(b"#") || alone
}

fn columns(n: usize) -> String {
    if n == 1 { "1 column".to_owned() } else { format!("{n} columns") }
}

fn neither(fields: &Fields<'_>) -> String {
    let wanted = row::COLUMNS.join(",");
    if fields.len() < row::COLUMNS.len() && moment::is_one(fields.get(0)) {
        return format!("has {}; {wanted} are needed", columns(fields.len()));
    }
    if fields.get(0).bytes().any(|b| b.is_ascii_alphabetic()) {
        return columns::unknown(fields);
    }
    match moment::read(fields.get(0), Days::Unknown) {
        Err(why) if fields.len() >= row::COLUMNS.len() => {
            format!("open_time {why}; if it is another column, write a header: {wanted}")
        }
        Ok(_) | Err(_) => format!("is neither a header nor a row: {wanted} are needed"),
    }
}

/// Whether a row's own symbol is that of the file: `BTC/USDT`, `BTCUSDT`, `BINANCE:BTCUSDT` or `BTC`.
fn is_of(symbol: &str, expected: &Expected) -> bool {
    let plain: String = symbol.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    plain.is_empty() || plain.ends_with(&expected.symbol) || expected.base.as_ref() == Some(&plain)
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
