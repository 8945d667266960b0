//! The order gateway: which requests to the venue are pending, tried, and settled.
//!
//! A sink's core: it is fenced, recovered and simulated like a service; hands do the I/O.
//! Invariants:
//! - Nothing is sent before `OrderAttempted`, with the very timestamp that the request is signed
//!   with, is on the tape.
//! - An attempt is sent once, by the incarnation that itself committed it, under its fence. One that
//!   another left behind is looked up, never sent: it may have been sent already.
//! - Absence is believed only of a lookup made after timestamp + window + margin, in venue time, and
//!   judged only by a state that has heard all that the gateway itself has said.

use domain::{Account, ClientOrderId, Instrument, InstrumentRules, OrderRequest, Timestamp, VenueOrderId};
use events::{
    CancelAttempted, ControlEvent, Event, InstrumentEvent, InstrumentListed, Kind, OrderAbsent,
    OrderAttempted, OrderEvent, OrderRefused, OrderSubmitted, OrderUnknown, OurOrders, Rejection,
    StreamEvent, TradingState, Uuid, ids,
};
use serde::{Deserialize, Serialize};
use service::{Host, News, Own, Service};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// How long after its timestamp a request may reach the venue.
    pub recv_window_ms: u32,
    /// How far our clock and the venue's may be apart, at most.
    pub clock_margin: Duration,
    /// An entry that could not be sent for this long after it was submitted is not sent any more.
    pub entry_deadline: Duration,
    /// The venue behind the hands, where it is none of the units; so the tape tells where it trades.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub venue: Option<String>,
    /// The accounts that a unit of the engine trades for: the hands leave them alone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub on_paper: BTreeSet<Account>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Requests without the venue's word on all their orders.
    pub open: BTreeMap<ClientOrderId, Intent>,
    /// Which open request an order belongs to.
    orders: BTreeMap<ClientOrderId, ClientOrderId>,
    /// Orders that have not ended, and the venue's numbers of them.
    ours: OurOrders,
    /// Cancels without an answer.
    pub cancels: BTreeMap<ClientOrderId, Cancel>,
    /// The rules on the tape, and how often there were others.
    rules: BTreeMap<Instrument, Listed>,
    #[serde(with = "service::pairs")]
    halts: BTreeMap<Option<Account>, (TradingState, Option<Timestamp>)>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Listed {
    rules: Box<InstrumentRules>,
    times: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Intent {
    pub submitted: OrderSubmitted,
    pub stage: Stage,
    /// Orders of it on which the venue has not spoken.
    pub waiting: Vec<ClientOrderId>,
    pub submitted_at: Timestamp,
    /// When nothing was known of an attempt, last.
    #[serde(default)]
    unknown_since: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Pending,
    /// On the tape as about to be sent; perhaps it was.
    Attempted(Attempt),
    /// Sent, and no answer that says anything.
    Unknown(Attempt),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub number: u32,
    pub timestamp: Timestamp,
    pub recv_window_ms: u32,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Cancel {
    pub account: Account,
    pub instrument: Instrument,
    pub attempt: Option<Attempt>,
}

/// Something for the hands to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Send {
        account: Account,
        instrument: Instrument,
        request: Box<OrderRequest>,
        attempt: Attempt,
    },
    Cancel {
        account: Account,
        instrument: Instrument,
        order: ClientOrderId,
        /// The venue's, where it is known: the order may go by another client id by now.
        number: Option<VenueOrderId>,
        attempt: Attempt,
        /// By which rules it was decided; by others it is decided anew, before anything is given up.
        rules: Option<Box<InstrumentRules>>,
    },
    /// Ask the venue what became of it, not before that instant of venue time.
    LookUp {
        account: Account,
        instrument: Instrument,
        orders: Vec<ClientOrderId>,
        not_before: Timestamp,
    },
    /// Ask the venue how an order stands that works there.
    Check {
        account: Account,
        instrument: Instrument,
        order: ClientOrderId,
        number: VenueOrderId,
    },
}

/// What the hands bring back, besides the venue's own reports, which are events as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// No answer, or one that does not say whether the order exists.
    Unknown { request: ClientOrderId, attempt: u32, text: String },
    /// Looked up at `venue_time`, and not there.
    NotFound { order: ClientOrderId, venue_time: Timestamp },
    /// Certainly not executed, and worth trying again now: a rate limit, a −1021. The next attempt is
    /// stamped with the venue's time where that is known.
    TryAgain { request: ClientOrderId, attempt: u32, venue_time: Option<Timestamp> },
    /// A cancel without an answer, or refused for its timestamp: it does no harm twice, so it is
    /// signed anew.
    CancelAgain { order: ClientOrderId, attempt: u32, venue_time: Option<Timestamp> },
    /// The venue's present rules, asked for because something did not go by those on the tape.
    Rules { instrument: Instrument, rules: Box<InstrumentRules> },
}

pub struct Gateway {
    config: Config,
}

impl Service for Gateway {
    type Config = Config;
    type State = State;

    const CORE: &'static str = "order-gateway";
    const HEARS: &'static [Kind] = &[
        Kind::OrderSubmitted,
        Kind::CancelRequested,
        Kind::InstrumentListed,
        Kind::StreamOpened,
        Kind::OrderAccepted,
        Kind::OrderAmended,
        Kind::OrderRejected,
        Kind::OrderFilled,
        Kind::OrderEnded,
        Kind::CancelRejected,
        Kind::TradingStateChanged,
    ];
    const OWN: Own = Own::InPlace;

    fn new(config: Config) -> Self {
        Self { config }
    }

    fn apply(&self, state: &mut State, now: Timestamp, event: &Event) {
        match event {
            Event::Order(event) => apply_order(state, now, event),
            Event::Instrument(InstrumentEvent::Listed(listed)) => {
                let times = state.rules.get(&listed.instrument).map_or(0, |known| known.times) + 1;
                state.rules.insert(listed.instrument, Listed { rules: listed.rules.clone(), times });
            }
            Event::Control(ControlEvent::TradingStateChanged(change)) => {
                state.halts.insert(change.account, (change.state, change.until));
            }
            _ => {}
        }
    }

    fn decide(&self, state: &State, now: Timestamp, heard: &Event) -> Vec<Event> {
        match heard {
            Event::Order(OrderEvent::Submitted(submitted)) => self.attempt(state, now, submitted),
            // Of an order that has ended meanwhile there is nothing to cancel, and its id may be somebody's.
            Event::Order(OrderEvent::CancelRequested(e)) if state.cancels.contains_key(&e.order) => {
                vec![self.cancel(e.account, e.instrument, e.order, 1, now)]
            }
            _ => Vec::new(),
        }
    }
}

impl Gateway {
    fn attempt(&self, state: &State, now: Timestamp, submitted: &OrderSubmitted) -> Vec<Event> {
        match self.forbidden(state, now, now, submitted) {
            Some(why) => refused(submitted, &why),
            None => vec![self.attempted(submitted, 1, now)],
        }
    }

    /// Why an order must not be sent at `now`, if so. What reduces a position always may.
    fn forbidden(
        &self,
        state: &State,
        now: Timestamp,
        submitted_at: Timestamp,
        submitted: &OrderSubmitted,
    ) -> Option<String> {
        if submitted.request.orders().all(|o| o.reduce_only) {
            return None;
        }
        let trading = state.trading(&submitted.account, now);
        if trading != TradingState::Active {
            return Some(format!("trading is {trading}: only orders that reduce a position are sent"));
        }
        let late = now.since(submitted_at);
        (late > self.config.entry_deadline).then(|| {
            let most = self.config.entry_deadline.as_secs();
            format!("could not be sent for {} s; an entry is given up after {most} s", late.as_secs())
        })
    }

    fn cancel(
        &self,
        account: Account,
        instrument: Instrument,
        order: ClientOrderId,
        attempt: u32,
        timestamp: Timestamp,
    ) -> Event {
        let recv_window_ms = self.config.recv_window_ms;
        CancelAttempted { account, instrument, order, attempt, timestamp, recv_window_ms }.into()
    }

    fn attempted(&self, submitted: &OrderSubmitted, attempt: u32, timestamp: Timestamp) -> Event {
        OrderAttempted {
            account: submitted.account,
            instrument: submitted.instrument,
            request: submitted.request.id(),
            attempt,
            timestamp,
            recv_window_ms: self.config.recv_window_ms,
        }
        .into()
    }

    /// What an own event that has just been heard where it stands on the tape asks of the hands.
    /// `mine` says that this very incarnation committed it.
    pub fn effect(&self, state: &State, heard: &Event, mine: bool) -> Option<Effect> {
        match heard {
            Event::Order(OrderEvent::Attempted(e)) => {
                let intent = state.open.get(&e.request)?;
                if !mine {
                    return self.look_up(intent);
                }
                let Stage::Attempted(attempt) = intent.stage else { return None };
                let OrderSubmitted { account, instrument, request } = &intent.submitted;
                Some(Effect::Send {
                    account: *account,
                    instrument: *instrument,
                    request: request.clone(),
                    attempt,
                })
            }
            Event::Order(OrderEvent::CancelAttempted(e)) => {
                state.cancel_effect(e.order, state.cancels.get(&e.order)?)
            }
            Event::Order(OrderEvent::Unknown(e)) => state.open.get(&e.request).and_then(|i| self.look_up(i)),
            _ => None,
        }
    }

    /// What is pending for an incarnation that has just recovered: it cannot know what was sent.
    pub fn pending(&self, state: &State) -> Vec<Effect> {
        // A cancel does no harm twice.
        let cancels = state.cancels.iter().filter_map(|(order, cancel)| state.cancel_effect(*order, cancel));
        cancels.chain(state.open.values().filter_map(|i| self.look_up(i))).collect()
    }

    /// An account's stream was opened: what was told before may be missing, so that each order that works is
    /// asked for, and whatever became of it is told.
    pub fn checks(&self, state: &State, heard: &Event) -> Vec<Effect> {
        let Event::Stream(StreamEvent::Opened(opened)) = heard else { return Vec::new() };
        let works = state.ours.named().filter(|(account, ..)| *account == opened.account);
        works
            .map(|(account, instrument, number, order)| Effect::Check { account, instrument, order, number })
            .collect()
    }

    /// Attempts of which it is not known whether they were ever sent, as they would be. Only for whoever can
    /// be sure that they were not, and cannot come any more.
    pub fn unsent(&self, state: &State) -> impl Iterator<Item = Effect> {
        state.open.values().filter_map(|intent| {
            let Stage::Attempted(attempt) = intent.stage else { return None };
            let OrderSubmitted { account, instrument, request } = intent.submitted.clone();
            Some(Effect::Send { account, instrument, request, attempt })
        })
    }

    fn look_up(&self, intent: &Intent) -> Option<Effect> {
        let (Stage::Attempted(attempt) | Stage::Unknown(attempt)) = intent.stage else { return None };
        Some(Effect::LookUp {
            account: intent.submitted.account,
            instrument: intent.submitted.instrument,
            orders: intent.waiting.clone(),
            not_before: self.absent_from(intent, &attempt),
        })
    }

    /// From then on, in venue time, absence of this intent's orders is believed. A venue that did not know
    /// what became of a request has time to find out.
    fn absent_from(&self, intent: &Intent, attempt: &Attempt) -> Timestamp {
        let window = Duration::from_millis(attempt.recv_window_ms.into());
        let known = intent.unknown_since.map(|since| since + window + self.config.clock_margin);
        self.conclusive_from(attempt).max(known.unwrap_or(Timestamp::ZERO))
    }

    /// From then on, in venue time, a lookup that finds nothing proves that nothing can come.
    pub fn conclusive_from(&self, attempt: &Attempt) -> Timestamp {
        attempt.timestamp + Duration::from_millis(attempt.recv_window_ms.into()) + self.config.clock_margin
    }

    /// What to say of an answer.
    pub fn answered(&self, state: &State, now: Timestamp, answer: &Answer) -> Vec<Event> {
        match answer {
            Answer::Unknown { request, attempt: number, text } => {
                let Some(intent) = state.open.get(request) else { return Vec::new() };
                let Stage::Attempted(attempt) = intent.stage else { return Vec::new() };
                if attempt.number != *number {
                    return Vec::new();
                }
                vec![
                    OrderUnknown {
                        account: intent.submitted.account,
                        instrument: intent.submitted.instrument,
                        request: *request,
                        attempt: attempt.number,
                        text: text.clone(),
                    }
                    .into(),
                ]
            }
            Answer::NotFound { order, venue_time } => {
                let Some(intent) = state.orders.get(order).and_then(|r| state.open.get(r)) else {
                    return Vec::new();
                };
                let (Stage::Attempted(attempt) | Stage::Unknown(attempt)) = intent.stage else {
                    return Vec::new();
                };
                if *venue_time < self.absent_from(intent, &attempt) {
                    return Vec::new();
                }
                let OrderSubmitted { account, instrument, .. } = intent.submitted;
                vec![OrderAbsent { account, instrument, order: *order }.into()]
            }
            Answer::TryAgain { request, attempt: number, venue_time } => {
                let Some(intent) = state.open.get(request) else { return Vec::new() };
                let Stage::Attempted(attempt) = intent.stage else { return Vec::new() };
                // An answer to an earlier attempt says nothing about this one.
                if attempt.number != *number {
                    return Vec::new();
                }
                match self.forbidden(state, now, intent.submitted_at, &intent.submitted) {
                    Some(why) => refused(&intent.submitted, &why),
                    None => {
                        let timestamp = venue_time.unwrap_or(now);
                        vec![self.attempted(&intent.submitted, attempt.number + 1, timestamp)]
                    }
                }
            }
            Answer::CancelAgain { order, attempt: number, venue_time } => match state.cancels.get(order) {
                Some(Cancel { account, instrument, attempt: Some(attempt) }) if attempt.number == *number => {
                    let timestamp = venue_time.unwrap_or(now);
                    vec![self.cancel(*account, *instrument, *order, number + 1, timestamp)]
                }
                Some(_) | None => Vec::new(),
            },
            Answer::Rules { instrument, rules } => match state.rules.get(instrument) {
                Some(known) if known.rules == *rules => Vec::new(),
                Some(_) | None => {
                    vec![InstrumentListed { instrument: *instrument, rules: rules.clone() }.into()]
                }
            },
        }
    }

    /// The id of what is said of an answer, or of a fact that an answer carried: the same whichever incarnation
    /// says it.
    pub fn id_of(&self, state: &State, tape: Uuid, event: &Event) -> Uuid {
        match event {
            // The same rules may return after others: a listing is named by the one that it follows.
            Event::Instrument(InstrumentEvent::Listed(listed)) => {
                let times = state.rules.get(&listed.instrument).map_or(0, |known| known.times);
                ids::fact(tape, event.kind().name(), &format!("after {times}/{}", event.body()))
            }
            other => id_of(tape, other),
        }
    }
}

/// What news asks of the hands, one for each request that it takes.
pub fn due(host: &Host, news: &News) -> Vec<Effect> {
    let Some((gateway, state)) = host.held::<Gateway>() else { return Vec::new() };
    let due: Vec<Effect> = match news {
        News::Recovered { .. } => gateway.pending(state),
        News::Heard(heard) => {
            let event = &heard.event.event;
            let asked = gateway.effect(state, event, heard.mine);
            asked.into_iter().chain(gateway.checks(state, event)).collect()
        }
    };
    let outside = due.into_iter().filter(|effect| !gateway.config.on_paper.contains(&effect.account()));
    outside.flat_map(Effect::parts).collect()
}

impl Effect {
    /// Whether it protects what is held, or finds out what became of something: served first.
    pub fn is_urgent(&self) -> bool {
        match self {
            Self::Send { request, .. } => request.orders().all(|o| o.reduce_only),
            Self::Cancel { .. } | Self::LookUp { .. } | Self::Check { .. } => true,
        }
    }

    pub fn instrument(&self) -> Instrument {
        match self {
            Self::Send { instrument, .. }
            | Self::Cancel { instrument, .. }
            | Self::LookUp { instrument, .. }
            | Self::Check { instrument, .. } => *instrument,
        }
    }

    pub fn account(&self) -> Account {
        match self {
            Self::Send { account, .. }
            | Self::Cancel { account, .. }
            | Self::LookUp { account, .. }
            | Self::Check { account, .. } => *account,
        }
    }

    /// The orders that it is about.
    pub fn orders(&self) -> impl Iterator<Item = ClientOrderId> {
        let orders: Vec<_> = match self {
            Self::Send { request, .. } => request.orders().map(|o| o.id).collect(),
            Self::Cancel { order, .. } | Self::Check { order, .. } => vec![*order],
            Self::LookUp { orders, .. } => orders.clone(),
        };
        orders.into_iter()
    }

    /// The same, one for each request that it takes.
    pub fn parts(self) -> Vec<Self> {
        match self {
            Self::LookUp { account, instrument, orders, not_before } => orders
                .into_iter()
                .map(|order| Self::LookUp { account, instrument, orders: vec![order], not_before })
                .collect(),
            one @ (Self::Send { .. } | Self::Cancel { .. } | Self::Check { .. }) => vec![one],
        }
    }
}

/// The id of what the gateway says of an answer, or of a fact that an answer carried: the same
/// whichever incarnation says it.
pub fn id_of(tape: Uuid, event: &Event) -> Uuid {
    ids::of_fact(tape, event).unwrap_or_else(|| {
        let (account, kind) = (event.account(), event.kind().name());
        let account = account.map_or_else(String::new, |a| a.to_string());
        let key = match event {
            Event::Order(OrderEvent::Attempted(e)) => format!("{}/{}", e.request, e.attempt),
            Event::Order(OrderEvent::CancelAttempted(e)) => {
                format!("{}/{}/{}", e.order, e.attempt, e.timestamp)
            }
            Event::Order(OrderEvent::Unknown(e)) => format!("{}/{}", e.request, e.attempt),
            Event::Order(OrderEvent::Absent(e)) => e.order.to_string(),
            Event::Order(OrderEvent::Refused(e)) => e.order.to_string(),
            // Nothing else is said by the hands; whatever it were, its content would tell it apart.
            other => other.body(),
        };
        ids::fact(tape, kind, &format!("{account}/{key}"))
    })
}

fn refused(submitted: &OrderSubmitted, why: &str) -> Vec<Event> {
    let &OrderSubmitted { account, instrument, .. } = submitted;
    let refuse = |order| OrderRefused { account, instrument, order, text: why.to_owned() };
    submitted.request.orders().map(|o| refuse(o.id).into()).collect()
}

fn apply_order(state: &mut State, now: Timestamp, event: &OrderEvent) {
    match event {
        OrderEvent::Submitted(submitted) => state.submit(now, submitted),
        OrderEvent::Attempted(e) => {
            let attempt =
                Attempt { number: e.attempt, timestamp: e.timestamp, recv_window_ms: e.recv_window_ms };
            if let Some(intent) = state.open.get_mut(&e.request) {
                intent.stage = Stage::Attempted(attempt);
            }
        }
        OrderEvent::Unknown(e) => {
            if let Some(intent) = state.open.get_mut(&e.request)
                && let Stage::Attempted(attempt) = intent.stage
            {
                intent.stage = Stage::Unknown(attempt);
                intent.unknown_since = Some(now);
            }
        }
        OrderEvent::Accepted(e) => _ = state.shown(e.account, e.instrument, e.order, e.venue_order),
        OrderEvent::Amended(e) => _ = state.shown(e.account, e.instrument, e.order, e.venue_order),
        OrderEvent::Filled(e) => _ = state.shown(e.account, e.instrument, e.order, e.venue_order),
        OrderEvent::Ended(e) => {
            if let Some(order) = state.shown(e.account, e.instrument, e.order, e.venue_order) {
                state.cancels.remove(&order);
                state.ours.forget(&order);
            }
        }
        OrderEvent::Rejected(e) => {
            state.heard_of(&e.order);
            // What is outside its window is sent anew.
            if e.reason != Rejection::OutsideWindow {
                state.ours.forget(&e.order);
            }
        }
        OrderEvent::Refused(e) => {
            state.heard_of(&e.order);
            state.ours.forget(&e.order);
        }
        // The venue may yet show that it has it.
        OrderEvent::Absent(e) => state.heard_of(&e.order),
        OrderEvent::CancelRequested(e) => {
            let cancel = Cancel { account: e.account, instrument: e.instrument, attempt: None };
            if state.ours.contains(&e.order) {
                state.cancels.insert(e.order, cancel);
            }
        }
        OrderEvent::CancelAttempted(e) => {
            let attempt =
                Attempt { number: e.attempt, timestamp: e.timestamp, recv_window_ms: e.recv_window_ms };
            if let Some(cancel) = state.cancels.get_mut(&e.order) {
                cancel.attempt = Some(attempt);
            }
        }
        OrderEvent::CancelRejected(e) => {
            state.cancels.remove(&e.order);
        }
        OrderEvent::Done(_) | OrderEvent::Stuck(_) => {}
    }
}

impl State {
    fn submit(&mut self, now: Timestamp, submitted: &OrderSubmitted) {
        let request = submitted.request.id();
        let waiting: Vec<_> = submitted.request.orders().map(|o| o.id).collect();
        for order in &waiting {
            self.orders.insert(*order, request);
            self.ours.submit(*order);
        }
        let submitted = submitted.clone();
        let intent =
            Intent { submitted, stage: Stage::Pending, waiting, submitted_at: now, unknown_since: None };
        self.open.entry(request).or_insert(intent);
    }

    /// The venue shows an order; our id of it, if it is one of ours.
    fn shown(
        &mut self,
        account: Account,
        instrument: Instrument,
        told: ClientOrderId,
        number: VenueOrderId,
    ) -> Option<ClientOrderId> {
        let order = self.ours.see(account, instrument, told, number)?;
        self.heard_of(&order);
        Some(order)
    }

    fn cancel_effect(&self, order: ClientOrderId, cancel: &Cancel) -> Option<Effect> {
        let Cancel { account, instrument, attempt } = *cancel;
        let rules = self.rules.get(&instrument).map(|known| known.rules.clone());
        Some(Effect::Cancel {
            account,
            instrument,
            order,
            number: self.ours.number(&order),
            attempt: attempt?,
            rules,
        })
    }

    /// The venue, or we, have said what becomes of an order.
    fn heard_of(&mut self, order: &ClientOrderId) {
        let Some(request) = self.orders.remove(order) else { return };
        let Some(intent) = self.open.get_mut(&request) else { return };
        intent.waiting.retain(|o| o != order);
        if intent.waiting.is_empty() {
            self.open.remove(&request);
        }
    }

    /// The stricter of what holds for the account and for all.
    fn trading(&self, account: &Account, now: Timestamp) -> TradingState {
        [None, Some(*account)]
            .iter()
            .filter_map(|key| self.halts.get(key))
            .filter(|(_, until)| until.is_none_or(|until| now < until))
            .map(|(state, _)| *state)
            .max()
            .unwrap_or_default()
    }
}
