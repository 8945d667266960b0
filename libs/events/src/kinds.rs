//! The closed set of events, written once: family, variant, payload, name on the wire, schema, and from
//! schema 2 on the steps that raise an older body: `2 [one_to_two]`, `3 [one_to_two, two_to_three]`.

use crate::{
    DecodeError, Payload,
    families::*,
    upcast::{self, Upcast},
};
use domain::{Account, Instrument, Timestamp, TradeId};

macro_rules! events {
    ($($family:ident($family_enum:ident) { $($variant:ident($payload:ident) $name:literal $schema:literal $([$($upcast:path),+])?;)* })*) => {
        /// The name of an event's type, `family.kind` on the wire.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($($payload,)*)* }

        impl Kind {
            pub const ALL: &'static [Kind] = &[$($(Kind::$payload,)*)*];
            pub const COUNT: usize = Self::ALL.len();

            pub const fn name(self) -> &'static str {
                match self { $($(Kind::$payload => $name,)*)* }
            }
            /// The newest schema version, the one that is written.
            pub const fn schema(self) -> u16 {
                match self { $($(Kind::$payload => $schema,)*)* }
            }
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($($name => Some(Kind::$payload),)*)* _ => None }
            }
            /// The steps that raise a body from each older schema to the next, the first from 1 to 2.
            const fn upcasts(self) -> &'static [Upcast] {
                match self { $($(Kind::$payload => &[$($($upcast),+)?],)*)* }
            }
        }

        /// Anything that can be on the tape.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Event { $($family($family_enum),)* }

        $(
            #[derive(Debug, Clone, PartialEq)]
            pub enum $family_enum { $($variant($payload),)* }

            impl From<$family_enum> for Event {
                fn from(event: $family_enum) -> Self { Event::$family(event) }
            }
            $(
                impl From<$payload> for Event {
                    fn from(payload: $payload) -> Self { Event::$family($family_enum::$variant(payload)) }
                }
            )*
        )*

        impl Event {
            pub fn kind(&self) -> Kind {
                match self { $($(Event::$family($family_enum::$variant(_)) => Kind::$payload,)*)* }
            }
            pub fn subject(&self) -> String {
                match self { $($(Event::$family($family_enum::$variant(e)) => e.subject(),)*)* }
            }
            pub fn trade(&self) -> Option<TradeId> {
                match self { $($(Event::$family($family_enum::$variant(e)) => e.trade(),)*)* }
            }
            pub fn at(&self) -> Option<Timestamp> {
                match self { $($(Event::$family($family_enum::$variant(e)) => e.at(),)*)* }
            }
            pub fn account(&self) -> Option<Account> {
                match self { $($(Event::$family($family_enum::$variant(e)) => e.account(),)*)* }
            }
            pub fn instrument(&self) -> Option<Instrument> {
                match self { $($(Event::$family($family_enum::$variant(e)) => e.instrument(),)*)* }
            }
            /// The body as JSON text. Fields in the order of the payload, so the bytes are stable.
            pub fn body(&self) -> String {
                let written = match self {
                    $($(Event::$family($family_enum::$variant(e)) => serde_json::to_string(e),)*)*
                };
                written.unwrap_or_else(|e| unreachable!("payloads have string keys only: {e}"))
            }

            /// Reads a body as written by [`Event::body`], of this or any older schema.
            ///
            /// # Errors
            /// A kind or schema that only a newer build knows, or a body that is not that kind's.
            pub fn decode(kind: &str, schema: u16, body: &str) -> Result<Self, DecodeError> {
                let kind = Kind::parse(kind)
                    .ok_or_else(|| DecodeError::UnknownKind { kind: kind.to_owned() })?;
                if schema > kind.schema() {
                    return Err(DecodeError::NewerSchema { kind: kind.name(), schema, known: kind.schema() });
                }
                let malformed = |why: String| DecodeError::Malformed { kind: kind.name(), why };
                let body = upcast::raise(kind.upcasts(), schema, body).map_err(malformed)?;
                let read = match kind {
                    $($(Kind::$payload => serde_json::from_str::<$payload>(&body).map(Event::from),)*)*
                };
                read.map_err(|e| malformed(e.to_string()))
            }
        }
    };
}

events! {
    Tape(TapeEvent) {
        Opened(TapeOpened) "tape.opened" 1;
        Conflicted(EventConflicted) "tape.conflicted" 1;
        RepublishAsked(RepublishAsked) "tape.republish_asked" 1;
    }
    Unit(UnitEvent) {
        Started(UnitStarted) "unit.started" 1;
    }
    Time(TimeEvent) {
        Passed(TimePassed) "time.passed" 1;
        WakeAsked(WakeAsked) "time.wake_asked" 1;
    }
    Instrument(InstrumentEvent) {
        Listed(InstrumentListed) "instrument.listed" 1;
    }
    Candle(CandleEvent) {
        Closed(CandleClosed) "candle.closed" 1;
        Missing(CandleMissing) "candle.missing" 1;
        Differs(CandleDiffers) "candle.differs" 1;
        Refused(CandleRefused) "candle.refused" 1;
    }
    Quote(QuoteEvent) {
        Asked(QuoteAsked) "quote.asked" 1;
        Seen(QuoteSeen) "quote.seen" 1;
    }
    Signal(SignalEvent) {
        Given(SignalGiven) "signal.given" 1;
        Possible(SignalPossible) "signal.possible" 1;
        Ambiguous(SignalAmbiguous) "signal.ambiguous" 1;
    }
    Trade(TradeEvent) {
        Requested(TradeRequested) "trade.requested" 1;
        CloseRequested(CloseRequested) "trade.close_requested" 1;
        StopMoveRequested(StopMoveRequested) "trade.stop_move_requested" 1;
        StopMoveRefused(StopMoveRefused) "trade.stop_move_refused" 1;
        Sized(TradeSized) "trade.sized" 1;
        Refused(TradeRefused) "trade.refused" 1;
        RequestRepeated(RequestRepeated) "trade.request_repeated" 1;
        Opened(TradeOpened) "trade.opened" 2 [upcast::trade_opened_2];
        Protected(TradeProtected) "trade.protected" 1;
        Unprotected(TradeUnprotected) "trade.unprotected" 1;
        Exiting(TradeExiting) "trade.exiting" 1;
        Closed(TradeClosed) "trade.closed" 1;
        Aborted(TradeAborted) "trade.aborted" 1;
    }
    Order(OrderEvent) {
        Submitted(OrderSubmitted) "order.submitted" 1;
        Attempted(OrderAttempted) "order.attempted" 1;
        Accepted(OrderAccepted) "order.accepted" 1;
        Rejected(OrderRejected) "order.rejected" 1;
        Refused(OrderRefused) "order.refused" 1;
        Amended(OrderAmended) "order.amended" 1;
        Filled(OrderFilled) "order.filled" 1;
        Ended(OrderEnded) "order.ended" 1;
        Unknown(OrderUnknown) "order.unknown" 1;
        Absent(OrderAbsent) "order.absent" 1;
        CancelRequested(CancelRequested) "order.cancel_requested" 1;
        CancelAttempted(CancelAttempted) "order.cancel_attempted" 1;
        CancelRejected(CancelRejected) "order.cancel_rejected" 1;
        Done(OrderDone) "order.done" 1;
        Stuck(OrderStuck) "order.stuck" 1;
    }
    Account(AccountEvent) {
        BalanceChanged(BalanceChanged) "account.balance_changed" 1;
        Identified(AccountIdentified) "account.identified" 1;
        LedgerEntered(LedgerEntry) "account.ledger_entry" 1;
    }
    Stream(StreamEvent) {
        Opened(StreamOpened) "stream.opened" 1;
        Complete(StreamComplete) "stream.completed" 1;
    }
    Books(BooksEvent) {
        Reported(BooksReported) "books.reported" 1;
        Agree(BooksAgree) "books.agreed" 1;
        Disagree(BooksDisagree) "books.disagreed" 1;
    }
    Frame(FrameEvent) {
        Quarantined(FrameQuarantined) "frame.quarantined" 1;
        Reparsed(FrameReparsed) "frame.reparsed" 1;
    }
    Position(PositionEvent) {
        Opened(PositionOpened) "position.opened" 1;
        Increased(PositionIncreased) "position.increased" 1;
        Reduced(PositionReduced) "position.reduced" 1;
        Closed(PositionClosed) "position.closed" 1;
    }
    Portfolio(PortfolioEvent) {
        Valued(PortfolioValued) "portfolio.valued" 1;
    }
    Control(ControlEvent) {
        TradingStateChanged(TradingStateChanged) "control.trading_state_changed" 1;
    }
}

/// Every schema but the first has the step that leads to it.
const _: () = {
    let mut n = 0;
    while n < Kind::COUNT {
        assert!(Kind::ALL[n].upcasts().len() + 1 == Kind::ALL[n].schema() as usize);
        n += 1;
    }
};
