//! Bodies of every kind, with every field set and every variant of every closed set at least once.
//!
//! To be frozen they must never change. A new field that has a default gets a sample of its own in a
//! new version's file; what is written here is what was written on the day the file was made.

mod market;
mod order;
mod position;
mod trade;

use crate::every;
use domain::{Account, Decimal, Timestamp};
use events::*;
use serde_json::json;

/// At least one for every kind; the match is closed, so a kind without samples does not compile.
pub fn samples(kind: Kind) -> Vec<Event> {
    match kind {
        Kind::TapeOpened => {
            all(every::clocks(), |clock| TapeOpened { tape: uuid(1), clock, market: "synthetic:1".into() })
        }
        Kind::EventConflicted => all([Some(account()), None], |account| EventConflicted {
            id: uuid(2),
            kind: "order.filled".into(),
            source: "binance-main".parse().unwrap(),
            account,
            refused: r#"{"price":"1.0"}"#.into(),
        }),
        Kind::RepublishAsked => {
            all([1, 18_446_744_073_709_551_615], |from| RepublishAsked { from, who: "owner".into() })
        }
        Kind::StreamOpened => one(StreamOpened {
            account: account(),
            replica: "ingestor-1".into(),
            stream: "user-data".into(),
            at: at(3),
        }),
        Kind::StreamComplete => one(StreamComplete { account: account(), until: at(4_000) }),
        Kind::BooksReported => one(BooksReported {
            account: account(),
            as_of: at(2_000),
            balances: vec![HeldAsset { asset: "USDT".parse().unwrap(), free: d("12.50"), locked: d("0") }],
            orders: vec![working()],
        }),
        Kind::BooksAgree => all([false, true], |begin| BooksAgree {
            account: account(),
            as_of: at(2_000),
            assets: 3,
            orders: 1,
            begin,
        }),
        Kind::BooksDisagree => all(every::differences(), |difference| BooksDisagree {
            account: account(),
            as_of: at(2_000),
            since: at(1_000),
            confirmed: matches!(difference, Difference::MissingOrder { .. }),
            differences: vec![difference],
        }),
        Kind::FrameQuarantined => all(
            ["{\"e\":\"news\",\"p\":\"1.0\",\"u\":\"é\"}".into(), vec![0, 0xff, 7, 0x80], Vec::new()],
            |bytes| FrameQuarantined {
                account: account(),
                replica: "ingestor-1".into(),
                stream: "user-data".into(),
                content_type: "application/json".into(),
                frame: frame_hash(),
                bytes: FrameBytes(bytes),
                why: "unknown event type 'news'".into(),
                received_at: at(5),
            },
        ),
        Kind::FrameReparsed => one(FrameReparsed { account: account(), frame: frame_hash(), events: 2 }),
        Kind::UnitStarted => one(UnitStarted {
            unit: "position-sizer".parse().unwrap(),
            core: "position-sizer".into(),
            build: "0.1.0+abc".into(),
            config: json!({ "edges": ["edge70"], "limit": "0.02", "most": 3, "none": null, "test": true }),
            judged: 7,
            after: 18_446_744_073_709_551_615,
        }),
        Kind::TimePassed => one(TimePassed { now: at(0) }),
        Kind::WakeAsked => {
            all([at(0), at(1), at(1_000), Timestamp::ZERO, Timestamp::MAX], |at| WakeAsked { at })
        }
        Kind::BalanceChanged => one(BalanceChanged {
            account: account(),
            asset: "USDT".parse().unwrap(),
            free: d("12345.67890000"),
            locked: d("0"),
            as_of: at(1_500),
        }),
        Kind::AccountIdentified => all([None, Some(false), Some(true)], |may_withdraw| AccountIdentified {
            account: account(),
            venue_account: "354937868".to_owned(),
            may_trade: true,
            may_withdraw,
        }),
        Kind::LedgerEntry => all(every::ledger_reasons(), |reason| LedgerEntry {
            account: account(),
            asset: "币安人生".parse().unwrap(),
            delta: d("-0.00000001"),
            reason,
            instrument: matches!(reason, LedgerReason::Funding | LedgerReason::Liquidation)
                .then(market::perpetual),
            venue_ref: "tran 42\n\"quoted\"".into(),
            at: at(2),
        }),
        Kind::TradingStateChanged => {
            let states =
                all(every::trading_states(), |state| trading(state, Some(account()), Some(at(60_000_000))));
            states.into_iter().chain(one(trading(TradingState::Halted, None, None))).collect()
        }

        Kind::InstrumentListed
        | Kind::CandleClosed
        | Kind::CandleMissing
        | Kind::CandleDiffers
        | Kind::CandleRefused
        | Kind::QuoteAsked
        | Kind::QuoteSeen
        | Kind::SignalGiven
        | Kind::SignalPossible
        | Kind::SignalAmbiguous => market::samples(kind),

        Kind::TradeRequested
        | Kind::CloseRequested
        | Kind::StopMoveRequested
        | Kind::StopMoveRefused
        | Kind::TradeSized
        | Kind::TradeRefused
        | Kind::RequestRepeated
        | Kind::TradeOpened
        | Kind::TradeProtected
        | Kind::TradeUnprotected
        | Kind::TradeExiting
        | Kind::TradeClosed
        | Kind::TradeAborted => trade::samples(kind),

        Kind::OrderSubmitted
        | Kind::OrderAttempted
        | Kind::OrderAccepted
        | Kind::OrderAmended
        | Kind::OrderRejected
        | Kind::OrderRefused
        | Kind::OrderFilled
        | Kind::OrderEnded
        | Kind::OrderUnknown
        | Kind::OrderAbsent
        | Kind::CancelRequested
        | Kind::CancelAttempted
        | Kind::CancelRejected
        | Kind::OrderDone
        | Kind::OrderStuck => order::samples(kind),

        Kind::PositionOpened
        | Kind::PositionIncreased
        | Kind::PositionReduced
        | Kind::PositionClosed
        | Kind::PortfolioValued => position::samples(kind),
    }
}

pub fn working() -> WorkingOrder {
    WorkingOrder {
        venue_order: "4293153".parse().unwrap(),
        order: "by-hand-7".parse().unwrap(),
        instrument: "binance:spot:BTCUSDT".parse().unwrap(),
    }
}

fn trading(state: TradingState, account: Option<Account>, until: Option<Timestamp>) -> TradingStateChanged {
    TradingStateChanged { account, state, who: "owner".into(), why: "news: 50% \\ down".into(), until }
}

/// One sample for each value of a closed set.
fn all<T, E: Into<Event>>(values: impl IntoIterator<Item = T>, sample: impl Fn(T) -> E) -> Vec<Event> {
    values.into_iter().map(|value| sample(value).into()).collect()
}

fn one(sample: impl Into<Event>) -> Vec<Event> {
    vec![sample.into()]
}

fn frame_hash() -> FrameHash {
    v(&"0123456789abcdef".repeat(4))
}

fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_0000 + n)
}

/// 2024-01-15T00:00:00Z and so many microseconds.
pub fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(1_705_276_800_000_000 + micros)
}

fn account() -> Account {
    "binance:main".parse().unwrap()
}

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Any value that is read from text, by the type that is wanted.
fn v<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}
