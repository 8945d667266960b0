//! The market as a source of events: recorded or synthetic candles, checked, on the market's clock; or Binance's,
//! live, on a wall clock ([`live`]).
//!
//! [`open`] opens what a [`MarketSpec`] names. [`Feed`] takes raw candles from that [`Market`] and gives
//! steps; each step is one commit. It does no I/O of its own and knows no clock, so that a feed which
//! is rebuilt from the tape goes on with exactly the step that an undisturbed one would give next.

pub mod ends;
pub mod feed;
pub mod gate;
pub mod live;
pub mod market;
pub mod quality;
pub mod recorded;
pub mod spec;
pub mod synthetic;

pub use ends::{Lacks, Span};
pub use feed::{Feed, FeedError, Outlook, Step};
pub use gate::{Gate, GateState, Verdict};
pub use market::{Market, MarketError, Memory, Series};
pub use market_store::{Ignored, LeftOut, RowPlace, WhyLeftOut};
pub use quality::{Gap, Quality, Reason, Spot, Tally, Used};
pub use recorded::Recorded;
pub use spec::{MarketSpec, OpenError, Opened, open};
pub use synthetic::Synthetic;
