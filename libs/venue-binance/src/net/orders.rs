//! Orders and cancels: one request each, and what its answer means.
//!
//! | what came | of an order | of a cancel |
//! |---|---|---|
//! | success | the facts that it tells | how the order ended |
//! | success with an end and without all its fills | what a lookup tells at once, or unknown | the same |
//! | refused before the engine, rejected by it | `OrderRejected`, for each order of a list | `CancelRejected`; after −2011 also what became of the order |
//! | −2010 "Duplicate order sent." | unknown: an order works under this id | – |
//! | 429, 418, 403, −1003, −1015, −1021, −1008 | try again | try again |
//! | no connection was made | try again | try again |
//! | a connection that broke, 5xx, −1006, −1007, nothing to read | unknown | unknown |
//! | the key, its rights, the signature | fatal | fatal |

use super::{
    look_up::renamed,
    rest::{CallError, Rest},
};
use crate::{
    errors::{Failure, Retry, Verdict},
    request::{self, RequestError},
    rows,
};
use domain::{Account, ClientOrderId, Instrument, InstrumentKind, OrderRequest, Timestamp, VenueOrderId};
use events::{CancelRejected, Event, OrderEvent, OrderRejected, Rejection};
use std::time::Duration;
use tokio::time::timeout;
use venue::{Listing, Outcome, Stamp, Venue};

impl Venue for Rest {
    async fn submit(
        &self,
        account: Account,
        instrument: Instrument,
        request: &OrderRequest,
        stamp: Stamp,
    ) -> Outcome {
        let rejected = |reason, code, text: &str| {
            rejected(account, instrument, request, reason, code, text, self.clock().now())
        };
        let call = match placing(instrument, request) {
            Ok(call) => call,
            Err(why) => return Outcome::Facts(rejected(why.rejection(), None, &why.to_string())),
        };
        if let Some(late) = self.too_late(stamp) {
            return late;
        }
        match self.send_order(&call, stamp).await {
            Ok(answer) => {
                let read = match request {
                    OrderRequest::Single(_) => rows::parse_placed(account, &answer),
                    OrderRequest::Oco(_) => rows::parse_placed_list(account, &answer),
                };
                match read {
                    Ok(told) => self.with_all_fills(account, instrument, told).await,
                    Err(why) => unreadable(why),
                }
            }
            Err(CallError::Told(failure)) => match failure.verdict {
                // It is this id that works there: what we sent before has arrived after all.
                Verdict::Refused(Rejection::DuplicateId) | Verdict::Rejected(Rejection::DuplicateId) => {
                    Outcome::Unknown { text: failure.to_string() }
                }
                Verdict::Refused(reason) | Verdict::Rejected(reason) => {
                    Outcome::Facts(rejected(reason, failure.code, &failure.text))
                }
                _ => self.outcome(failure).await,
            },
            Err(other) => unsent(other),
        }
    }

    async fn cancel(
        &self,
        account: Account,
        instrument: Instrument,
        order: ClientOrderId,
        number: Option<VenueOrderId>,
        stamp: Stamp,
    ) -> Outcome {
        if let Some(late) = self.too_late(stamp) {
            return late;
        }
        let call = match number.and_then(|number| number.parse().ok()) {
            Some(number) => request::cancel_by_number(instrument.symbol, number),
            None => request::cancel(instrument.symbol, order),
        };
        match self.send_order(&call, stamp).await {
            Ok(answer) => match rows::parse_canceled(account, &answer) {
                Ok(told) => self.with_all_fills(account, instrument, known_as(told, order, number)).await,
                Err(why) => unreadable(why),
            },
            Err(CallError::Told(failure)) => match failure.verdict {
                Verdict::Refused(_) => {
                    Outcome::Facts(vec![self.not_canceled(account, instrument, order, failure)])
                }
                Verdict::Rejected(_) | Verdict::NotFound => {
                    let rejected = self.not_canceled(account, instrument, order, failure);
                    let mut told = self.became_of(account, instrument, order, number).await;
                    told.push(rejected);
                    Outcome::Facts(told)
                }
                _ => self.outcome(failure).await,
            },
            Err(other) => unsent(other),
        }
    }

    async fn look_up(
        &self,
        account: Account,
        instrument: Instrument,
        order: ClientOrderId,
        not_before: Timestamp,
    ) -> Outcome {
        self.look_up_order(account, instrument, order, not_before).await
    }

    async fn standing(
        &self,
        account: Account,
        instrument: Instrument,
        order: ClientOrderId,
        number: VenueOrderId,
    ) -> Outcome {
        match self.find(account, instrument.symbol, order, Some(number)).await {
            Ok(facts) => Outcome::Facts(facts),
            Err(e) => self.lookup_failed(e).await,
        }
    }

    async fn listing(
        &self,
        _account: Account,
        instrument: Instrument,
        at_most: Duration,
    ) -> Result<Listing, String> {
        self.listing_of(instrument.symbol, at_most).await.map_err(|why| why.to_string())
    }

    fn time(&self, _account: Account) -> Option<Timestamp> {
        self.clock().told()
    }
}

/// The order with that number under the client id that we know it by; its twin as it is told.
fn known_as(told: Vec<Event>, order: ClientOrderId, number: Option<VenueOrderId>) -> Vec<Event> {
    let (own, other): (Vec<_>, Vec<_>) = told.into_iter().partition(
        |event| matches!(event, Event::Order(OrderEvent::Ended(end)) if Some(end.venue_order) == number),
    );
    [renamed(own, order), other].concat()
}

impl Rest {
    /// A process that slept must not even send what the venue would refuse.
    fn too_late(&self, stamp: Stamp) -> Option<Outcome> {
        let end = stamp.timestamp + Duration::from_millis(stamp.recv_window_ms.into());
        let text = || format!("its window ended at {end}, before it was sent");
        (self.clock().now() > end).then(|| Outcome::TryAgain { after: Duration::ZERO, text: text() })
    }

    fn not_canceled(
        &self,
        account: Account,
        instrument: Instrument,
        order: ClientOrderId,
        failure: Failure,
    ) -> Event {
        let (code, text, at) = (failure.code, failure.text, self.clock().now());
        CancelRejected { account, instrument, order, code, text, at }.into()
    }

    /// Of an order that could not be canceled; as a rule it has ended, perhaps unheard. Nothing, if it cannot be
    /// looked up now.
    async fn became_of(
        &self,
        account: Account,
        instrument: Instrument,
        order: ClientOrderId,
        number: Option<VenueOrderId>,
    ) -> Vec<Event> {
        match self.find_by_any_name(account, instrument.symbol, order, number).await {
            Ok(told) => told,
            Err(why) => {
                tracing::warn!(%order, "it could not be canceled, and its end is not known: {why}");
                Vec::new()
            }
        }
    }

    /// What a failure means that is no verdict on the order itself.
    pub(super) async fn outcome(&self, failure: Failure) -> Outcome {
        let text = failure.to_string();
        match failure.verdict {
            Verdict::Retry(why) => {
                if why == Retry::OutsideWindow {
                    // For the next attempt; this one is told in any case, and soon.
                    match timeout(self.timeouts().answer, self.read_clock()).await {
                        Ok(Ok(_)) => {}
                        Ok(Err(e)) => tracing::warn!("after -1021, the venue's clock: {e}"),
                        Err(_) => tracing::warn!("after -1021, the venue's clock was not read in time"),
                    }
                }
                Outcome::TryAgain { after: self.pause_after(why, &failure), text }
            }
            Verdict::Fatal => Outcome::Fatal { text },
            Verdict::Refused(_) | Verdict::Rejected(_) | Verdict::NotFound | Verdict::Unknown => {
                Outcome::Unknown { text }
            }
        }
    }
}

/// The failures of sending; and those of a lookup alone, which is asked again.
pub(super) fn unsent(error: CallError) -> Outcome {
    let text = error.to_string();
    match error {
        CallError::Held { after, .. } => Outcome::TryAgain { after, text },
        CallError::Unreached(_) | CallError::Incomplete { .. } | CallError::SlowClock { .. } => {
            Outcome::TryAgain { after: UNREACHED_PAUSE, text }
        }
        CallError::NoKey | CallError::Setup(_) => Outcome::Fatal { text },
        CallError::NoAnswer(_) | CallError::Unreadable(_) | CallError::Told(_) => Outcome::Unknown { text },
    }
}

const UNREACHED_PAUSE: Duration = Duration::from_secs(1);

/// The venue said yes, and not what: the order is there.
fn unreadable(why: crate::ParseError) -> Outcome {
    Outcome::Unknown { text: format!("the venue took it, and the answer cannot be read: {why}") }
}

fn rejected(
    account: Account,
    instrument: Instrument,
    request: &OrderRequest,
    reason: Rejection,
    code: Option<i64>,
    text: &str,
    at: Timestamp,
) -> Vec<Event> {
    let one = |order: ClientOrderId| -> Event {
        OrderRejected { account, instrument, order, reason, code, text: text.to_owned(), at }.into()
    };
    request.orders().map(|order| one(order.id)).collect()
}

/// Why we cannot even ask.
enum CannotAsk {
    NoSpot(Instrument),
    NoWords(RequestError),
}

fn placing(instrument: Instrument, request: &OrderRequest) -> Result<request::Call, CannotAsk> {
    match instrument.kind {
        InstrumentKind::Spot => {}
        InstrumentKind::LinearPerpetual => return Err(CannotAsk::NoSpot(instrument)),
    }
    request::place(instrument.symbol, request).map_err(CannotAsk::NoWords)
}

impl CannotAsk {
    fn rejection(&self) -> Rejection {
        match self {
            Self::NoSpot(_) => Rejection::UnknownInstrument,
            Self::NoWords(_) => Rejection::Other,
        }
    }
}

impl std::fmt::Display for CannotAsk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSpot(instrument) => write!(f, "{instrument} is no spot instrument; nothing was sent"),
            Self::NoWords(why) => write!(f, "{why}; nothing was sent"),
        }
    }
}
