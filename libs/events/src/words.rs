//! Each closed set in two spellings: `name`, as programs read it on the wire, in JSON and in CSV, and
//! `words` (also `Display`), as people read it in a sentence. No view spells them in its own way.

use crate::families::*;
use std::fmt;

/// One line a variant: its name on the wire, its words. A variant without a line does not compile.
macro_rules! words {
    ($($enum:ident { $($variant:ident $name:literal $words:literal)+ })+) => {$(
        impl $enum {
            /// As serde writes it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
            /// For people, to stand within a sentence.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$variant => $words,)+ }
            }
        }

        impl fmt::Display for $enum {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.words())
            }
        }
    )+};
}

words! {
    Clock {
        Wall "wall" "wall"
        Market "market" "market"
    }
    CandleFault {
        Partial "partial" "not closed yet"
        Duplicate "duplicate" "a copy of one that is there"
        OutOfOrder "out_of_order" "out of order"
        Inconsistent "inconsistent" "inconsistent"
        Misaligned "misaligned" "off the interval's grid"
    }
    SizingMethod {
        Fixed "fixed" "fixed amount"
        Risk "risk" "by risk"
    }
    SizingRule {
        Unauthorised "unauthorised" "edge not allowed"
        ProhibitedAsset "prohibited_asset" "prohibited asset"
        UnknownInstrument "unknown_instrument" "unknown instrument"
        ShortOnSpot "short_on_spot" "short on spot"
        Stale "stale" "stale signal"
        WrongSide "wrong_side" "stop or target on the wrong side"
        AlreadyInPosition "already_in_position" "already in position"
        Cooldown "cooldown" "shortly after a stop"
        TradingState "trading_state" "trading halted or reducing"
        MaxOpenPositions "max_open_positions" "limit of open positions"
        MaxOpenRisk "max_open_risk" "limit of open risk"
        MaxAssetExposure "max_asset_exposure" "limit of exposure to one asset"
        NoStop "no_stop" "no stop"
        NoValuation "no_valuation" "no valuation yet"
        Cash "cash" "too little cash"
        MinNotional "min_notional" "below the least notional"
        Unsellable "unsellable" "too much that could not be sold"
        TooManySales "too_many_sales" "too many orders to sell it"
        Filter "filter" "filter of the venue"
        Unsupported "unsupported" "not done by this build"
    }
    TradeOutcome {
        Refused "refused" "refused"
        Granted "granted" "granted"
        Open "open" "open"
        Closed "closed" "closed"
        Aborted "aborted" "not entered"
    }
    NakedBecause {
        Entered "entered" "just entered, the stop is on its way"
        Undercovered "undercovered" "the stop covers too little"
        StopMoving "stop_moving" "the stop is being moved"
        Exiting "exiting" "the stop was taken away to sell"
        StopRejected "stop_rejected" "the venue refused the stop"
        StopEnded "stop_ended" "the stop was canceled or expired without our asking"
        Dust "dust" "too little is held to place a stop"
        HeldElsewhere "held_elsewhere" "the coins are held by an order that is not ours, or are not on the account"
    }
    ExitReason {
        Requested "requested" "exit requested"
        StopHit "stop_hit" "stop hit"
        TakeProfitHit "take_profit_hit" "take profit hit"
        Unprotectable "unprotectable" "could not be protected"
        BeyondStop "beyond_stop" "market beyond the stop"
        Elsewhere "elsewhere" "sold elsewhere"
        TimeLimit "time_limit" "held as long as its plan allows"
    }
    AbortReason {
        EntryUnfilled "entry_unfilled" "entry not filled"
        EntryRejected "entry_rejected" "entry rejected by the venue"
        EntryAbsent "entry_absent" "entry never arrived"
        EntryRefused "entry_refused" "entry not sent"
        Withdrawn "withdrawn" "withdrawn before it was filled"
    }
    Rejection {
        InsufficientBalance "insufficient_balance" "insufficient balance"
        WouldTrigger "would_trigger" "would trigger at once"
        Filter "filter" "filter"
        DuplicateId "duplicate_id" "id in use"
        UnknownInstrument "unknown_instrument" "unknown instrument"
        MarketClosed "market_closed" "market closed"
        OutsideWindow "outside_window" "arrived outside its time window"
        RateLimited "rate_limited" "rate limit"
        Other "other" "other reason"
    }
    WaitingFor {
        Acceptance "acceptance" "its acceptance"
        Cancel "cancel" "its cancelation"
        Fills "fills" "its fills"
    }
    LedgerReason {
        Deposit "deposit" "deposit"
        Withdrawal "withdrawal" "withdrawal"
        Transfer "transfer" "transfer"
        Fee "fee" "fee"
        Funding "funding" "funding"
        Interest "interest" "interest"
        Liquidation "liquidation" "liquidation"
        DustConversion "dust_conversion" "dust conversion"
        Other "other" "other"
    }
    TradingState {
        Active "active" "active"
        Reducing "reducing" "reducing"
        Halted "halted" "halted"
    }
}

impl NakedBecause {
    /// Whether it is a step of the engine's own, over in an instant, and worth a warning only where it lasts.
    pub const fn is_passing(self) -> bool {
        match self {
            Self::Entered | Self::StopMoving | Self::Exiting => true,
            Self::Undercovered | Self::StopRejected | Self::StopEnded | Self::Dust | Self::HeldElsewhere => {
                false
            }
        }
    }
}
