//! The names of streams (Binance's `web-socket-streams.md`), and who of the market is listened to.

use super::span::{HOUR, Span};
use domain::Interval;
use std::collections::BTreeSet;

/// What a stream tells of one symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Trade,
    AggregateTrade,
    /// Its zone in microseconds ahead of UTC.
    Kline {
        span: Span,
        zone: i64,
    },
    Depth {
        fast: bool,
    },
    PartialDepth {
        levels: usize,
        fast: bool,
    },
    BookTicker,
    MiniTicker,
    Ticker,
    Window(Window),
    AveragePrice,
}

/// Window sizes that have streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Window {
    Hour1,
    Hour4,
    Day1,
}

/// What a stream tells of all symbols at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum All {
    MiniTicker,
    Window(Window),
}

/// How often a stream speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pace {
    AtOnce,
    Tenth,
    Second,
    TwoSeconds,
}

impl Kind {
    /// What comes after the symbol and `@`.
    pub fn parse(given: &str) -> Option<Self> {
        Some(match given {
            "trade" => Self::Trade,
            "aggTrade" => Self::AggregateTrade,
            "depth" | "depth@1000ms" => Self::Depth { fast: false },
            "depth@100ms" => Self::Depth { fast: true },
            "bookTicker" => Self::BookTicker,
            "miniTicker" => Self::MiniTicker,
            "ticker" => Self::Ticker,
            "avgPrice" => Self::AveragePrice,
            other => return Self::parse_with_size(other),
        })
    }

    fn parse_with_size(given: &str) -> Option<Self> {
        if let Some(kline) = given.strip_prefix("kline_") {
            let (span, zone) = match kline.strip_suffix("@+08:00") {
                Some(span) => (span, 8 * HOUR),
                None => (kline, 0),
            };
            return Span::parse(span).map(|span| Self::Kline { span, zone });
        }
        if let Some(window) = given.strip_prefix("ticker_") {
            return Window::parse(window).map(Self::Window);
        }
        let depth = given.strip_prefix("depth")?;
        let (levels, fast) = match depth.split_once('@') {
            Some((levels, "100ms")) => (levels, true),
            Some((levels, "1000ms")) => (levels, false),
            None => (depth, false),
            Some(_) => return None,
        };
        let levels = match levels {
            "5" => 5,
            "10" => 10,
            "20" => 20,
            _ => return None,
        };
        Some(Self::PartialDepth { levels, fast })
    }

    pub fn pace(self) -> Pace {
        match self {
            Self::Trade | Self::AggregateTrade | Self::BookTicker => Pace::AtOnce,
            Self::Depth { fast: true } | Self::PartialDepth { fast: true, .. } => Pace::Tenth,
            Self::Kline { span, .. } if span != Span::Fixed(Interval::Second1) => Pace::TwoSeconds,
            Self::Kline { .. }
            | Self::Depth { fast: false }
            | Self::PartialDepth { fast: false, .. }
            | Self::MiniTicker
            | Self::Ticker
            | Self::Window(_)
            | Self::AveragePrice => Pace::Second,
        }
    }

    /// Whether it needs the book of each step.
    pub fn needs_book(self) -> bool {
        matches!(self, Self::Depth { .. } | Self::PartialDepth { .. } | Self::BookTicker)
    }
}

impl All {
    /// The whole name.
    pub fn parse(given: &str) -> Option<Self> {
        // The paces are an old way to write it, which clients still use.
        if matches!(given, "!miniTicker@arr" | "!miniTicker@arr@1000ms" | "!miniTicker@arr@3000ms") {
            return Some(Self::MiniTicker);
        }
        let window = given.strip_prefix("!ticker_")?.strip_suffix("@arr")?;
        Window::parse(window).map(Self::Window)
    }
}

impl Window {
    fn parse(given: &str) -> Option<Self> {
        match given {
            "1h" => Some(Self::Hour1),
            "4h" => Some(Self::Hour4),
            "1d" => Some(Self::Day1),
            _ => None,
        }
    }

    /// In microseconds.
    pub fn length(self) -> i64 {
        match self {
            Self::Hour1 => HOUR,
            Self::Hour4 => 4 * HOUR,
            Self::Day1 => 24 * HOUR,
        }
    }

    /// The event type of its payload.
    pub fn event(self) -> &'static str {
        match self {
            Self::Hour1 => "1hTicker",
            Self::Hour4 => "4hTicker",
            Self::Day1 => "1dTicker",
        }
    }
}

/// The streams of one symbol that anybody listens to, each under the names it was asked for by.
#[derive(Debug, Default, Clone)]
pub struct Wants {
    pub streams: Vec<(Kind, String)>,
    /// Whether a diff of the book is wanted at 100 ms, and at 1 s.
    pub depth: (bool, bool),
    pub needs_book: bool,
    /// Of klines: the close of the last one that was told to be closed, beside its stream.
    pub closed: Vec<i64>,
}

impl Wants {
    /// The same kind keeps what has been told of it.
    pub fn set(&mut self, wanted: BTreeSet<(Kind, String)>, now: i64) {
        let told = |kind: Kind| {
            let known = self.streams.iter().position(|(known, _)| *known == kind);
            match (known, kind) {
                (Some(at), _) => self.closed[at],
                (None, Kind::Kline { span, zone }) => span.open_of(now, zone),
                (None, _) => now,
            }
        };
        self.closed = wanted.iter().map(|(kind, _)| told(*kind)).collect();
        self.depth = (false, false);
        self.needs_book = false;
        for (kind, _) in &wanted {
            self.needs_book |= kind.needs_book();
            match kind {
                Kind::Depth { fast: true } => self.depth.0 = true,
                Kind::Depth { fast: false } => self.depth.1 = true,
                Kind::Trade
                | Kind::AggregateTrade
                | Kind::Kline { .. }
                | Kind::PartialDepth { .. }
                | Kind::BookTicker
                | Kind::MiniTicker
                | Kind::Ticker
                | Kind::Window(_)
                | Kind::AveragePrice => {}
            }
        }
        self.streams = wanted.into_iter().collect();
    }

    /// Under which names that kind is listened to.
    pub fn names(&self, kind: Kind) -> impl Iterator<Item = &String> {
        self.streams.iter().filter(move |(known, _)| *known == kind).map(|(_, name)| name)
    }
}
