//! Our books of an account against the venue's.

use super::payload;
use domain::{
    Account, Amount, Asset, ClientOrderId, Decimal, Instrument, Side, Timestamp, TradeId, VenueOrderId,
};
use serde::{Deserialize, Serialize};

/// What the venue has in its books: an observation. Its parts were asked for one after the other, so one alone may
/// be of two moments; two that say the same are of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BooksReported {
    pub account: Account,
    /// The venue's time when it was asked.
    pub as_of: Timestamp,
    /// Every asset of which it holds some, by name.
    pub balances: Vec<HeldAsset>,
    /// Every order that works, by number.
    pub orders: Vec<WorkingOrder>,
}
payload!(BooksReported, |e| format!("books:{}", e.account), at = e.as_of, account = Some(e.account));

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldAsset {
    pub asset: Asset,
    pub free: Decimal,
    /// Held by open orders.
    pub locked: Decimal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingOrder {
    pub venue_order: VenueOrderId,
    /// The client id that it goes by now.
    pub order: ClientOrderId,
    pub instrument: Instrument,
}

/// Everything that the venue has recorded of an account until then is on the tape, whatever was missed by whoever
/// followed its stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamComplete {
    pub account: Account,
    /// The venue's time.
    pub until: Timestamp,
}
payload!(StreamComplete, |e| format!("stream:{}", e.account), at = e.until, account = Some(e.account));

/// Two reports of the venue in a row, with no event of the account in between, say what our books say: of each asset
/// the first amount and all recorded changes make the venue's amount, and the same orders work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BooksAgree {
    pub account: Account,
    /// Of the second report.
    pub as_of: Timestamp,
    /// How many assets and orders were compared.
    pub assets: u32,
    pub orders: u32,
    /// Whether ours begin with this report: nothing was compared yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begin: bool,
}
payload!(BooksAgree, |e| format!("books:{}", e.account), at = e.as_of, account = Some(e.account));

/// Two reports of the venue in a row, with no event of the account in between, say something else than our books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BooksDisagree {
    pub account: Account,
    /// Of the second report.
    pub as_of: Timestamp,
    /// Since when there has been a difference, as far as is known.
    pub since: Timestamp,
    /// At least one.
    pub differences: Vec<Difference>,
    /// Whether everything that may have been missed was fetched since they began: none of them is only late.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirmed: bool,
}
payload!(BooksDisagree, |e| format!("books:{}", e.account), at = e.as_of, account = Some(e.account));

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Difference {
    /// Another amount, free and locked together.
    Balance { asset: Asset, ours: Decimal, venue: Decimal, cause: LikelyCause },
    /// It works at the venue, and ours do not know it.
    UnknownOrder { order: WorkingOrder },
    /// It works by our books, and not at the venue. `stop_of` is the trade that it protects.
    MissingOrder {
        order: WorkingOrder,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stop_of: Option<TradeId>,
    },
}

/// What a difference looks like; somebody has to make sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum LikelyCause {
    /// Its base and quote asset differ in opposite directions.
    MissingFill { instrument: Instrument, side: Side, quantity: Amount },
    /// Less of an asset in which fees were paid.
    Fee,
    /// More of an asset, and nothing was given for it: a deposit, a transfer, an airdrop.
    Deposit,
    /// Less of an asset, and nothing was had for it.
    Withdrawal,
    /// Too little to be sold of one asset has become some of another.
    DustConversion,
}
