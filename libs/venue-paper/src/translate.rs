//! Reports of the engine as events.

use crate::engine::{Acceptance, End, Execution, Report};
use domain::{Account, Instrument};
use events::{
    BalanceChanged, CancelRejected, Event, OrderAccepted, OrderEnded, OrderFilled, OrderRejected, QuoteAsked,
};

/// `None` for what only an exchange on books has to say, which this unit's never is.
pub fn event(account: Account, instrument: Instrument, report: Report) -> Option<Event> {
    let event = match report {
        Report::Accepted(Acceptance { order, venue_order, at }) => {
            OrderAccepted { account, instrument, order, venue_order, at }.into()
        }
        Report::Rejected { order, refusal, at } => {
            let (reason, code, text) = (refusal.reason, refusal.code, refusal.text);
            OrderRejected { account, instrument, order, reason, code, text, at }.into()
        }
        Report::Filled(fill) => {
            let Execution {
                order,
                venue_order,
                venue_trade,
                side,
                price,
                quantity,
                quote,
                fee,
                maker,
                at,
                ..
            } = fill;
            OrderFilled {
                account,
                instrument,
                order,
                venue_order,
                venue_trade,
                side,
                price,
                quantity,
                quote,
                fee,
                maker,
                at,
            }
            .into()
        }
        Report::Ended(End { order, venue_order, ending, filled, at, expiry: _, prevented: _ }) => {
            OrderEnded { account, instrument, order, venue_order, ending, filled, at }.into()
        }
        Report::CancelRejected { order, refusal, at } => {
            CancelRejected { account, instrument, order, code: refusal.code, text: refusal.text, at }.into()
        }
        Report::Balance { owner: _, asset, free, locked, as_of } => {
            BalanceChanged { account, asset, free, locked, as_of }.into()
        }
        Report::QuoteWanted => QuoteAsked { instrument }.into(),
        Report::Triggered { .. }
        | Report::Pegged { .. }
        | Report::Released { .. }
        | Report::Amended(_)
        | Report::AmendRejected { .. }
        | Report::Prevented(_) => return None,
    };
    Some(event)
}
