//! The life of a trade: our round trip, entry to exit.

use super::payload;
use domain::{
    Account, Asset, ClientOrderId, Decimal, Direction, EdgeName, EntryPlan, ExitPlan, Instrument, Margin,
    Price, Quantity, Timestamp, TradeId,
};
use serde::{Deserialize, Serialize};

/// Who asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestedBy {
    Edge,
    /// A person, through the command line, HTTP or Telegram.
    Owner {
        who: String,
    },
}

/// Somebody wants a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeRequested {
    pub trade: TradeId,
    pub account: Account,
    pub instrument: Instrument,
    pub edge: EdgeName,
    pub direction: Direction,
    /// The price that the request is based on.
    pub trigger: Price,
    /// When the signal could first be known; an entry grows stale from here.
    pub signal_at: Timestamp,
    /// Where to protect it, and where to take its profit, instead of where the edge's configuration says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Price>,
    /// No entry is granted after this; `None` leaves that to the edge's configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    pub by: RequestedBy,
}
payload!(
    TradeRequested,
    |e| format!("trade:{}", e.trade),
    trade = Some(e.trade),
    account = Some(e.account),
    instrument = e.instrument,
);

/// Somebody wants out of whatever this edge holds of that instrument. Never stale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseRequested {
    pub account: Account,
    pub instrument: Instrument,
    pub edge: EdgeName,
    /// Only what it holds in this direction; `None` is whatever it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    pub by: RequestedBy,
    /// When the signal was given that asks for it: later signals are not concerned. `None` where a person asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal_at: Option<Timestamp>,
    /// In the owner's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}
payload!(
    CloseRequested,
    |e| format!("close:{}:{}:{}", e.account, e.edge, e.instrument),
    account = Some(e.account),
    instrument = e.instrument,
);

/// Somebody wants a trade's stop elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopMoveRequested {
    pub trade: TradeId,
    pub stop: Price,
    pub by: RequestedBy,
}
payload!(StopMoveRequested, |e| format!("trade:{}", e.trade), trade = Some(e.trade));

/// The stop stays where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopMoveRefused {
    pub trade: TradeId,
    pub stop: Price,
    /// Why, in words.
    pub text: String,
}
payload!(StopMoveRefused, |e| format!("trade:{}", e.trade), trade = Some(e.trade));

/// How the size was found; all money in the quote asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizing {
    pub method: SizingMethod,
    /// The portfolio's value that the arithmetic used.
    pub equity: Decimal,
    /// Free to spend: the balance less what is already promised.
    pub cash: Decimal,
    /// What the method allows to spend.
    pub budget: Decimal,
    /// What is lost if the stop is hit at its price.
    pub risk: Decimal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SizingMethod {
    Fixed,
    Risk,
}

/// The request was granted, to be carried out exactly so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeSized {
    pub trade: TradeId,
    pub account: Account,
    pub instrument: Instrument,
    pub edge: EdgeName,
    pub direction: Direction,
    /// The request's trigger price, and the time of its signal.
    pub trigger: Price,
    pub signal_at: Timestamp,
    pub quantity: Quantity,
    /// The worst price at which to enter.
    pub limit: Price,
    /// Quote asset set aside until fills, or the order's ending, replace it.
    pub reserved: Decimal,
    /// What stands behind it, of a derivative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<Margin>,
    /// How it is entered; a limit order that expires, where nothing is said.
    #[serde(default, skip_serializing_if = "EntryPlan::is_default")]
    pub entry: EntryPlan,
    /// How it is protected and left, whatever its edge's configuration says later; `None` is without a stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<ExitPlan>,
    pub sizing: Sizing,
}
payload!(
    TradeSized,
    |e| format!("trade:{}", e.trade),
    trade = Some(e.trade),
    account = Some(e.account),
    instrument = e.instrument,
);

/// The rule that a refused request broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SizingRule {
    /// The edge is not configured, or not for this account.
    Unauthorised,
    /// The asset must not be traded.
    ProhibitedAsset,
    /// The venue's rules for the instrument are not known.
    UnknownInstrument,
    /// Spot accounts cannot be short.
    ShortOnSpot,
    /// The signal is older than entries may be, or not valid any more.
    Stale,
    /// The request's stop is not where the price is worse for it, or its target not where it is better.
    WrongSide,
    /// The edge already holds, or is about to hold, this instrument.
    AlreadyInPosition,
    /// The edge's last trade of this instrument was stopped out a short time ago.
    Cooldown,
    /// Trading is `Reducing` or `Halted`.
    TradingState,
    MaxOpenPositions,
    MaxOpenRisk,
    MaxAssetExposure,
    /// The size would need a stop, and the edge has none.
    NoStop,
    /// There is no valuation of the portfolio yet.
    NoValuation,
    Cash,
    MinNotional,
    /// Too large a part of what the entry's fee leaves would be no whole lot.
    Unsellable,
    /// Leaving it would take too many market orders, one after the other.
    TooManySales,
    /// Another filter of the venue.
    Filter,
    /// The edge's plan asks for what this build does not do.
    Unsupported,
}

/// We say no, by which rule, with the figure and the limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeRefused {
    pub trade: TradeId,
    pub account: Account,
    pub instrument: Instrument,
    pub edge: EdgeName,
    pub rule: SizingRule,
    pub figure: Option<Decimal>,
    pub limit: Option<Decimal>,
    /// The same in words.
    pub text: String,
}
payload!(
    TradeRefused,
    |e| format!("trade:{}", e.trade),
    trade = Some(e.trade),
    account = Some(e.account),
    instrument = e.instrument,
);

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradeOutcome {
    Refused,
    /// Granted, and nothing is held yet.
    Granted,
    Open,
    Closed,
    /// Granted, and it ended before it held anything.
    Aborted,
}

/// A request came under the id of an earlier one. Nothing is granted or set aside for it: an id is traded once,
/// however long ago its trade has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRepeated {
    pub trade: TradeId,
    pub account: Account,
    pub instrument: Instrument,
    pub edge: EdgeName,
    /// What became of the first request: the answer to the same request again.
    pub outcome: TradeOutcome,
    /// It asks for something else than the first did, and is refused. The time and the person do not count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub differs: bool,
    /// The same in words.
    pub text: String,
}
payload!(
    RequestRepeated,
    |e| format!("trade:{}", e.trade),
    trade = Some(e.trade),
    account = Some(e.account),
    instrument = e.instrument,
);

/// The entry is over and something is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeOpened {
    pub trade: TradeId,
    pub account: Account,
    pub instrument: Instrument,
    pub edge: EdgeName,
    pub direction: Direction,
    /// Base asset held, or owed by a short trade; net of fees taken from it, with dust of earlier trades.
    pub quantity: Decimal,
    /// Average entry price.
    pub price: Decimal,
    /// Quote asset for all of it: paid, fees in it included, or received by a short trade, less fees in it.
    pub value: Decimal,
}
payload!(
    TradeOpened,
    |e| format!("trade:{}", e.trade),
    trade = Some(e.trade),
    account = Some(e.account),
    instrument = e.instrument,
);

/// A stop of that quantity works at the venue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeProtected {
    pub trade: TradeId,
    pub order: ClientOrderId,
    pub stop: Price,
    pub quantity: Quantity,
    /// Its plan has a take-profit order too, and the venue takes none beside the stop now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_take_profit: bool,
}
payload!(TradeProtected, |e| format!("trade:{}", e.trade), trade = Some(e.trade));

/// Why a trade has no working stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NakedBecause {
    /// Just entered; the stop is on its way.
    Entered,
    /// More was entered, or the stop covers too little.
    Undercovered,
    /// The stop is being moved.
    StopMoving,
    /// The stop was taken away to leave.
    Exiting,
    /// The venue refused the stop.
    StopRejected,
    /// The stop was canceled or expired without our asking.
    StopEnded,
    /// Too little to be sold, so no stop can be placed.
    Dust,
    /// An order that is not ours holds the coins, or they are not on the account any more.
    HeldElsewhere,
}

/// Since then the trade has had no working stop over all that it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeUnprotected {
    pub trade: TradeId,
    /// The venue's time of what took the stop away (its end, an amendment) or of the fill that it does not cover,
    /// however late that is heard; of anything else the tape's time. Within the trade, and at most the tape's time.
    pub since: Timestamp,
    /// Base asset without a stop.
    pub quantity: Decimal,
    pub because: NakedBecause,
    /// Base asset that the stop of the last `TradeProtected` still covers, beside it; `None` if there is no stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covered: Option<Quantity>,
}
payload!(TradeUnprotected, |e| format!("trade:{}", e.trade), trade = Some(e.trade));

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitReason {
    /// The edge turned, or the owner asked.
    Requested,
    StopHit,
    TakeProfitHit,
    /// It could not be protected.
    Unprotectable,
    /// The market is already beyond the stop.
    BeyondStop,
    /// Left by something other than the trade's own exits.
    Elsewhere,
    /// It was held for as long as its plan allows.
    TimeLimit,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeExiting {
    pub trade: TradeId,
    pub reason: ExitReason,
    /// The venue has refused a larger sale: from here on it is sold in parts of at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Quantity>,
}
payload!(TradeExiting, |e| format!("trade:{}", e.trade), trade = Some(e.trade));

/// A fee as the venue took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fee {
    pub asset: Asset,
    pub amount: Decimal,
}

/// Nothing sellable is left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeClosed {
    pub trade: TradeId,
    pub account: Account,
    pub instrument: Instrument,
    pub edge: EdgeName,
    pub direction: Direction,
    pub reason: ExitReason,
    /// Base asset entered in all: bought, or sold by a short trade.
    pub quantity: Decimal,
    pub entry_price: Decimal,
    pub exit_price: Decimal,
    /// Quote asset: for what was left again, paid by the buys and received by the sales, whichever came first; fees in
    /// it included.
    pub cost: Decimal,
    pub proceeds: Decimal,
    /// `proceeds − cost`, in the quote asset; fees in third assets are not in it.
    pub profit: Decimal,
    pub fees: Vec<Fee>,
    /// Base asset too little for an order: dust, which the next trade of that instrument, edge and direction leaves
    /// with its own.
    pub left: Decimal,
    /// What the dust was entered for, and what it is worth at the last price of the market or, where that is later, of
    /// its own last fill; quote asset.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub left_cost: Decimal,
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub left_worth: Decimal,
    /// Dust of earlier trades that was taken over, and what it was entered for; in `left` or left again.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub carried: Decimal,
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub carried_cost: Decimal,
    /// The venue's time of the first fill of the entry.
    pub opened_at: Timestamp,
    /// The venue's time of the last exit, as `PositionClosed` has it; the tape's time where no exit ended the trade: of
    /// dust by a change of price or rules, of coins that are not on the account, of dust that other hands leave. Never
    /// before `opened_at`.
    pub closed_at: Timestamp,
}
payload!(
    TradeClosed,
    |e| format!("trade:{}", e.trade),
    trade = Some(e.trade),
    account = Some(e.account),
    instrument = e.instrument,
);

impl TradeClosed {
    /// Quote asset for which that was entered which was left again: what its profit is a part of.
    pub fn entered_for(&self) -> Decimal {
        match self.direction {
            Direction::Long => self.cost,
            Direction::Short => self.proceeds,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AbortReason {
    /// The entry ended without a fill.
    EntryUnfilled,
    EntryRejected,
    /// The entry never reached the venue.
    EntryAbsent,
    /// We refused to send it.
    EntryRefused,
    /// A close was asked for before anything was bought.
    Withdrawn,
}

/// The trade ended before it held anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeAborted {
    pub trade: TradeId,
    pub account: Account,
    pub instrument: Instrument,
    pub edge: EdgeName,
    pub reason: AbortReason,
    /// In words, with the venue's own text where there is one.
    pub text: String,
}
payload!(
    TradeAborted,
    |e| format!("trade:{}", e.trade),
    trade = Some(e.trade),
    account = Some(e.account),
    instrument = e.instrument,
);
