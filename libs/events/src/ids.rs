//! Ids are derived, never drawn: saying a thing twice says the same thing.

use crate::{
    AccountEvent, BalanceChanged, BooksEvent, Candle, CandleEvent, Event, FrameEvent, OrderEvent, Payload,
    QuoteEvent, Rejection, StreamEvent, TimeEvent, TradeRequested,
};
use domain::{Account, ClientOrderId, Decimal, Leg, Timestamp, TradeId};
use uuid::Uuid;

/// The id of the `n`-th event (from 0) that `unit` says on hearing `cause`.
pub fn said(cause: Uuid, unit: &str, n: usize) -> Uuid {
    let mut name = [0_u8; 48];
    let bytes = unit.as_bytes();
    let len = bytes.len().min(40);
    name[..len].copy_from_slice(&bytes[..len]);
    name[len] = b'/';
    name[len + 1..len + 5].copy_from_slice(&(n as u32).to_be_bytes());
    Uuid::new_v5(&cause, &name[..len + 5])
}

/// The id of a fact of the world, named by what every source of it repeats.
/// `tape` is the namespace, so another tape never repeats an id.
pub fn fact(tape: Uuid, kind: &str, key: &str) -> Uuid {
    Uuid::new_v5(&tape, format!("{kind}|{key}").as_bytes())
}

/// The id of a request for a trade, from outside: the very same request again is the same event, any other one
/// under its trade id an event of its own, which the sizer answers, and no conflict.
pub fn request(tape: Uuid, request: &TradeRequested) -> Uuid {
    let body = Event::from(request.clone()).body();
    fact(tape, TradeRequested::KIND.name(), &body)
}

/// The id of the `n`-th event (from 0) that a market says at `now`: the same in any deployment, for
/// it depends on nothing that anybody else says.
pub fn of_step(tape: Uuid, source: &str, now: Timestamp, n: u64) -> Uuid {
    fact(tape, source, &format!("{}/{n}", now.micros()))
}

/// The id of a fact of the world, from what each of its sources repeats: a venue's stream, its
/// answer to a request, and whatever is fetched later. `None` for what a unit or a person says.
///
/// | fact | named by |
/// |---|---|
/// | fill | account, instrument, the venue's order id and trade id |
/// | order accepted, ended | account, instrument, the venue's order id, and which of the two |
/// | order amended | account, instrument, the venue's order id and its number of the change |
/// | order rejected | account, instrument and our order id: the venue gave none of its own; a request outside its window by the time as well, since another may follow |
/// | cancel rejected | account, instrument, our order id and the time: each request is refused for itself |
/// | balance | account, asset, as-of time and amounts: an observation, of which two may tie in time |
/// | ledger entry | account, asset, time and delta; the venue's reference is not on every source |
/// | candle | series and open time; a differing or refused copy by all its figures as well |
/// | missing candles | series, first missing and next present one |
/// | quote | instrument, time and price |
/// | time passed | the instant: two clocks say the same |
/// | stream opened | account, replica, stream and time: each connection is a fact of its own |
/// | stream completed | account and time |
/// | books reported | all that they say: two reports of one time may differ |
/// | frame quarantined | account and the frame's hash: two replicas bring the same bytes |
///
/// Amounts are compared as numbers: `1.50` and `1.5` name one fact.
/// `InstrumentListed` and `AccountIdentified` have none: they tell no time, and the same rules or rights may
/// return after others, so whoever says one must name the one that it follows.
pub fn of_fact(tape: Uuid, event: &Event) -> Option<Uuid> {
    let key = match event {
        Event::Order(e) => order(e)?,
        Event::Account(AccountEvent::BalanceChanged(e)) => {
            let BalanceChanged { account, asset, free, locked, as_of } = e;
            format!("{account}/{asset}/{as_of}/{}/{}", figure(free), figure(locked))
        }
        Event::Account(AccountEvent::LedgerEntered(e)) => {
            format!("{}/{}/{}/{}", e.account, e.asset, e.at, figure(&e.delta))
        }
        Event::Candle(CandleEvent::Closed(e)) => candle(&e.candle),
        Event::Candle(CandleEvent::Missing(e)) => {
            format!("{}/{}/{}/{}", e.instrument, e.interval, e.from, e.until)
        }
        Event::Candle(CandleEvent::Differs(e)) => candle_in_full(&e.second),
        Event::Candle(CandleEvent::Refused(e)) => format!("{:?}/{}", e.fault, candle_in_full(&e.candle)),
        Event::Quote(QuoteEvent::Seen(e)) => {
            format!("{}/{}/{}", e.instrument, e.at, figure(&e.price.get()))
        }
        Event::Time(TimeEvent::Passed(e)) => e.now.to_string(),
        Event::Stream(StreamEvent::Opened(e)) => {
            format!("{}/{}/{}/{}", e.account, e.at, e.stream, e.replica)
        }
        Event::Stream(StreamEvent::Complete(e)) => format!("{}/{}", e.account, e.until),
        Event::Books(BooksEvent::Reported(_)) => event.body(),
        Event::Frame(FrameEvent::Quarantined(e)) => format!("{}/{}", e.account, e.frame),
        Event::Account(AccountEvent::Identified(_))
        | Event::Tape(_)
        | Event::Unit(_)
        | Event::Time(TimeEvent::WakeAsked(_))
        | Event::Instrument(_)
        | Event::Quote(QuoteEvent::Asked(_))
        | Event::Signal(_)
        | Event::Trade(_)
        | Event::Frame(FrameEvent::Reparsed(_))
        | Event::Position(_)
        | Event::Portfolio(_)
        | Event::Books(BooksEvent::Agree(_) | BooksEvent::Disagree(_))
        | Event::Control(_) => return None,
    };
    Some(fact(tape, event.kind().name(), &key))
}

fn order(event: &OrderEvent) -> Option<String> {
    Some(match event {
        OrderEvent::Filled(e) => {
            format!("{}/{}/{}/{}", e.account, e.instrument, e.venue_order, e.venue_trade)
        }
        OrderEvent::Accepted(e) => format!("{}/{}/{}", e.account, e.instrument, e.venue_order),
        OrderEvent::Ended(e) => format!("{}/{}/{}", e.account, e.instrument, e.venue_order),
        OrderEvent::Amended(e) => {
            format!("{}/{}/{}/{}", e.account, e.instrument, e.venue_order, e.execution)
        }
        OrderEvent::Rejected(e) if e.reason == Rejection::OutsideWindow => {
            format!("{}/{}/{}/{}", e.account, e.instrument, e.order, e.at)
        }
        OrderEvent::Rejected(e) => format!("{}/{}/{}", e.account, e.instrument, e.order),
        OrderEvent::CancelRejected(e) => {
            format!("{}/{}/{}/{}", e.account, e.instrument, e.order, e.at)
        }
        OrderEvent::Submitted(_)
        | OrderEvent::Attempted(_)
        | OrderEvent::Refused(_)
        | OrderEvent::Unknown(_)
        | OrderEvent::Absent(_)
        | OrderEvent::CancelRequested(_)
        | OrderEvent::CancelAttempted(_)
        | OrderEvent::Done(_)
        | OrderEvent::Stuck(_) => return None,
    })
}

fn candle(c: &Candle) -> String {
    format!("{}/{}/{}", c.instrument, c.interval, c.open_time)
}

fn candle_in_full(c: &Candle) -> String {
    let prices = [c.open, c.high, c.low, c.close].map(|price| figure(&price.get()).to_string());
    format!("{}/{}/{}", candle(c), prices.join("/"), figure(&c.volume))
}

fn figure(amount: &Decimal) -> Decimal {
    amount.normalize()
}

/// Our id of an order: the same after any crash, different on another tape.
/// 28 characters of `[a-z0-9]`; Binance takes `^[\.A-Z\:/a-z0-9_-]{1,36}$`.
pub fn client_order_id(
    tape: Uuid,
    account: &Account,
    trade: &TradeId,
    leg: &str,
    attempt: u32,
) -> ClientOrderId {
    let name = format!("{account}|{trade}|{leg}|{attempt}");
    let mut rest = Uuid::new_v5(&tape, name.as_bytes()).as_u128();
    let mut text = String::with_capacity(28);
    text.push_str("td");
    for _ in 0..26 {
        text.push(char::from(b"0123456789abcdefghijklmnopqrstuv"[(rest & 31) as usize]));
        rest >>= 5;
    }
    ClientOrderId::new(&text).unwrap_or_else(|e| unreachable!("28 plain characters: {e}"))
}

/// [`client_order_id`] for a leg of a trade.
pub fn leg_id(tape: Uuid, account: &Account, trade: &TradeId, leg: Leg, attempt: u32) -> ClientOrderId {
    client_order_id(tape, account, trade, leg.as_str(), attempt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_order_ids_fit_the_venue_and_never_repeat_on_another_tape() {
        let account = "paper:main".parse().unwrap();
        let trade = TradeId::new("edge70-BTCUSDT-L-20240115T0000").unwrap();
        let one = leg_id(Uuid::from_u128(1), &account, &trade, Leg::Stop, 1);
        assert_eq!(one, leg_id(Uuid::from_u128(1), &account, &trade, Leg::Stop, 1));
        assert_ne!(one, leg_id(Uuid::from_u128(2), &account, &trade, Leg::Stop, 1));
        assert_ne!(one, leg_id(Uuid::from_u128(1), &account, &trade, Leg::Stop, 2));
        assert!(one.len() <= 32 && one.chars().all(|c| c.is_ascii_alphanumeric()));
    }

    #[test]
    fn a_unit_says_different_ids_for_each_event() {
        let cause = Uuid::from_u128(7);
        assert_ne!(said(cause, "a", 0), said(cause, "a", 1));
        assert_ne!(said(cause, "a", 0), said(cause, "b", 0));
    }
}
