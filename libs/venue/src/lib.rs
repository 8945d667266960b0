//! The port to an exchange: what the order gateway's hands ask of it, and what can come of that.
//!
//! An adapter sends an attempt once. Whether it is sent again is the gateway's decision, which it
//! commits first.

use domain::{Account, ClientOrderId, Instrument, InstrumentRules, OrderRequest, Timestamp, VenueOrderId};
use events::Event;
use std::{future::Future, time::Duration};

/// The way to venues. Each call names its account, so that one way can serve many.
pub trait Venue: Send + Sync + 'static {
    /// Submits an order, or an OCO.
    fn submit(
        &self,
        account: Account,
        instrument: Instrument,
        request: &OrderRequest,
        stamp: Stamp,
    ) -> impl Future<Output = Outcome> + Send;

    /// Cancels an order, and with it its twin: by the venue's number where that is known, for an amendment may
    /// have given it another client id, and ours may name somebody else's order by now.
    fn cancel(
        &self,
        account: Account,
        instrument: Instrument,
        order: ClientOrderId,
        number: Option<VenueOrderId>,
        stamp: Stamp,
    ) -> impl Future<Output = Outcome> + Send;

    /// Asks what the venue knows of an order. That it is not there is told only once the venue's clock shows
    /// `not_before`.
    fn look_up(
        &self,
        account: Account,
        instrument: Instrument,
        order: ClientOrderId,
        not_before: Timestamp,
    ) -> impl Future<Output = Outcome> + Send;

    /// Asks how an order stands that the venue has: what was told of it may have been missed.
    fn standing(
        &self,
        account: Account,
        instrument: Instrument,
        order: ClientOrderId,
        number: VenueOrderId,
    ) -> impl Future<Output = Outcome> + Send;

    /// The venue's present rules for an instrument as they hold for that account, not older than `at_most`.
    ///
    /// # Errors
    /// It does not tell; in words.
    fn listing(
        &self,
        account: Account,
        instrument: Instrument,
        at_most: Duration,
    ) -> impl Future<Output = Result<Listing, String>> + Send;

    /// What the clock of the account's venue shows now, as far as is known; a new attempt is stamped with it.
    fn time(&self, _account: Account) -> Option<Timestamp> {
        None
    }
}

/// With what a request is signed: exactly what is on the tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub timestamp: Timestamp,
    /// How long after its timestamp the venue may still take it, in milliseconds.
    pub recv_window_ms: u32,
}

/// How an instrument stands at its venue.
#[derive(Debug, Clone, PartialEq)]
pub enum Listing {
    Trading(Box<InstrumentRules>),
    /// Listed, and no order is taken now; in the venue's word for it.
    Paused {
        rules: Box<InstrumentRules>,
        status: String,
    },
    /// Not there, or not any more.
    Unlisted,
}

/// What is known after a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// What the venue told, as facts: accepted, rejected, filled, ended, cancel rejected.
    Facts(Vec<Event>),
    /// Looked up, and not there at this time of the venue's.
    NotFound { venue_time: Timestamp },
    /// Certainly not executed; worth another attempt, signed anew, after that long.
    TryAgain { after: Duration, text: String },
    /// Perhaps executed: it has to be looked up.
    Unknown { text: String },
    /// Certainly not executed, and nothing will be until a person mends it: the key, its rights, the address.
    Fatal { text: String },
}
