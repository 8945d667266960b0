//! Every value of the closed sets that events carry, so that each is frozen.

use domain::{
    Direction, Ending, InstrumentKind, Interval, Leg, MarginMode, OrderKind, Origin, PositionSide, Side,
    Size, TimeInForce,
};
use events::*;

/// A function that gives every variant. A variant that is missing here does not compile.
macro_rules! every {
    ($($name:ident: $enum:ident { $($variant:ident),+ $(,)? })+) => {$(
        pub fn $name() -> Vec<$enum> {
            let closed = |value: $enum| match value { $($enum::$variant => value,)+ };
            vec![$(closed($enum::$variant)),+]
        }
    )+};
}

every! {
    clocks: Clock { Wall, Market }
    instrument_kinds: InstrumentKind { Spot, LinearPerpetual }
    directions: Direction { Long, Short }
    margin_modes: MarginMode { Cross, Isolated }
    sides: Side { Buy, Sell }
    position_sides: PositionSide { Net, Long, Short }
    times_in_force: TimeInForce { Gtc, Ioc, Fok }
    legs: Leg { Entry, Stop, TakeProfit, Exit }
    endings: Ending { Filled, Canceled, Expired, Rejected, Absent, Refused }
    candle_faults: CandleFault { Partial, Duplicate, OutOfOrder, Inconsistent, Misaligned }
    sizing_methods: SizingMethod { Fixed, Risk }
    sizing_rules: SizingRule {
        Unauthorised, ProhibitedAsset, UnknownInstrument, ShortOnSpot, Stale, AlreadyInPosition,
        Cooldown, TradingState,
        MaxOpenPositions, MaxOpenRisk, MaxAssetExposure, NoStop, NoValuation, Cash, MinNotional, Unsellable, TooManySales, WrongSide,
        Filter, Unsupported,
    }
    trade_outcomes: TradeOutcome { Refused, Granted, Open, Closed, Aborted }
    naked_reasons: NakedBecause { Entered, Undercovered, StopMoving, Exiting, StopRejected, StopEnded, Dust, HeldElsewhere }
    exit_reasons: ExitReason { Requested, StopHit, TakeProfitHit, Unprotectable, BeyondStop, Elsewhere, TimeLimit }
    abort_reasons: AbortReason { EntryUnfilled, EntryRejected, EntryAbsent, EntryRefused, Withdrawn }
    rejections: Rejection {
        InsufficientBalance, WouldTrigger, Filter, DuplicateId, UnknownInstrument, MarketClosed, OutsideWindow,
        RateLimited, Other,
    }
    waits: WaitingFor { Acceptance, Cancel, Fills }
    ledger_reasons: LedgerReason {
        Deposit, Withdrawal, Transfer, Fee, Funding, Interest, Liquidation, DustConversion, Other,
    }
    trading_states: TradingState { Active, Reducing, Halted }
}

pub fn intervals() -> Vec<Interval> {
    Interval::ALL.to_vec()
}

pub fn requesters() -> Vec<RequestedBy> {
    let closed = |by: RequestedBy| match by {
        RequestedBy::Edge | RequestedBy::Owner { .. } => by,
    };
    vec![closed(RequestedBy::Edge), closed(RequestedBy::Owner { who: "Käthe \"the owner\"".into() })]
}

pub fn sizes() -> Vec<Size> {
    let closed = |size: Size| match size {
        Size::Base(_) | Size::Quote(_) => size,
    };
    let amount = "0.50".parse().unwrap();
    vec![closed(Size::Base(amount)), closed(Size::Quote(amount))]
}

pub fn origins() -> Vec<Origin> {
    let closed = |origin: Origin| match origin {
        Origin::Trade { .. } | Origin::Manual { .. } => origin,
    };
    let trade = "edge70-BTCUSDT-L-20240115T0000".parse().unwrap();
    let by_trade = legs().into_iter().map(|leg| Origin::Trade { trade, leg, attempt: 2 });
    by_trade.chain([Origin::Manual { request: "by-hand-7".parse().unwrap() }]).map(closed).collect()
}

pub fn order_kinds() -> Vec<OrderKind> {
    let closed = |kind: OrderKind| match kind {
        OrderKind::Market
        | OrderKind::Limit { .. }
        | OrderKind::LimitMaker { .. }
        | OrderKind::StopLoss { .. }
        | OrderKind::StopLossLimit { .. }
        | OrderKind::TakeProfit { .. }
        | OrderKind::TakeProfitLimit { .. } => kind,
    };
    let (price, stop) = ("41000.10".parse().unwrap(), "42000.20".parse().unwrap());
    let limits = times_in_force().into_iter().map(|time_in_force| OrderKind::Limit { price, time_in_force });
    let time_in_force = TimeInForce::Gtc;
    let others = [
        OrderKind::Market,
        OrderKind::LimitMaker { price },
        OrderKind::StopLoss { stop },
        OrderKind::StopLossLimit { stop, price, time_in_force },
        OrderKind::TakeProfit { stop },
        OrderKind::TakeProfitLimit { stop, price, time_in_force },
    ];
    limits.chain(others).map(closed).collect()
}

pub fn differences() -> Vec<Difference> {
    let closed = |difference: Difference| match difference {
        Difference::Balance { .. } | Difference::UnknownOrder { .. } | Difference::MissingOrder { .. } => {
            difference
        }
    };
    let asset = "USDT".parse().unwrap();
    let (ours, venue) = ("12.50".parse().unwrap(), "0".parse().unwrap());
    let order = crate::samples::working();
    let balances = likely_causes().into_iter().map(|cause| Difference::Balance { asset, ours, venue, cause });
    let stops = [None, Some("edge70-BTCUSDT-L-20240115T0000".parse().unwrap())];
    let missing = stops.map(|stop_of| Difference::MissingOrder { order, stop_of });
    balances.chain([Difference::UnknownOrder { order }]).chain(missing).map(closed).collect()
}

fn likely_causes() -> Vec<LikelyCause> {
    let closed = |cause: LikelyCause| match cause {
        LikelyCause::MissingFill { .. }
        | LikelyCause::Fee
        | LikelyCause::Deposit
        | LikelyCause::Withdrawal
        | LikelyCause::DustConversion => cause,
    };
    let instrument = "binance:spot:BTCUSDT".parse().unwrap();
    let fills = sides().into_iter().map(|side| LikelyCause::MissingFill {
        instrument,
        side,
        quantity: "0.10".parse().unwrap(),
    });
    fills
        .chain([LikelyCause::Fee, LikelyCause::Deposit, LikelyCause::Withdrawal, LikelyCause::DustConversion])
        .map(closed)
        .collect()
}
