//! The one task that owns the exchange: whatever happens to it comes through one bounded queue.
//!
//! What comes together is done together: first every input is applied and taken down, then the journal is
//! flushed, and only then do frames and answers go out.

mod answer;
mod ask;
mod control;
mod publish;

pub use ask::{Ask, Fate, Lane, Reply, What};
pub use control::{Control, ControlError};

use super::{
    ServeError,
    clock::Clock,
    keys::Keys,
    limits::{Limits, Meter},
    listeners::{ConnectionId, Listener, Listeners},
};
use crate::{
    exchange::Exchange,
    faults::{Faults, Then},
    frame::AccountFrame,
    journal::{self, Input, Journal, Outcome},
    params::Params,
    refusal::Refusal,
};
use domain::{Instrument, Timestamp};
use publish::Held;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval},
};
use venue_paper::engine::Owner;

/// Requests that wait for the exchange; with more, those who send wait.
pub const INBOX: usize = 1_024;
/// What is done in one go.
const BATCH: usize = 128;

/// What comes to the exchange.
pub enum Message {
    Ask(Box<Ask>),
    /// A WebSocket connection, and how it shall fare.
    Open {
        from: IpAddr,
        kind: &'static str,
        listener: Listener,
        reply: oneshot::Sender<Result<Opened, Unopened>>,
    },
    Close(ConnectionId),
    /// An address has been banned, and knows it by now.
    Banned(IpAddr),
    Streams {
        id: ConnectionId,
        wanted: BTreeSet<String>,
        combined: bool,
        reply: oneshot::Sender<()>,
    },
    Control {
        control: Control,
        reply: oneshot::Sender<Result<serde_json::Value, ControlError>>,
    },
}

#[derive(Debug)]
pub struct Opened {
    pub id: ConnectionId,
    pub at: Timestamp,
    pub fault: Option<(Then, Duration)>,
}

/// Why a connection may not be, and how many seconds to wait, if that is known.
#[derive(Debug)]
pub struct Unopened {
    pub refusal: Refusal,
    pub retry_after: Option<u64>,
}

pub struct Actor {
    exchange: Exchange,
    clock: Clock,
    meter: Meter,
    faults: Faults,
    /// When the exchange began: faults count from there.
    start: Timestamp,
    listeners: Listeners,
    keys: Arc<Keys>,
    journal: Option<Journal>,
    /// The exchange's time that the journal tells.
    written: Timestamp,
    /// When, by our own clock, that was.
    written_at: Instant,
    inbox: mpsc::Sender<Message>,
    /// Banned addresses whose connections are about to be closed.
    closing: BTreeSet<IpAddr>,
    connections: ConnectionId,
    /// The last position of the tape that was heard.
    heard: u64,
    quotes: BTreeSet<Instrument>,
    /// The latest account frames, for whoever missed them.
    history: BTreeMap<Owner, VecDeque<AccountFrame>>,
    /// By stream, one at most of each.
    held: BTreeMap<String, Held>,
    /// What goes out once the journal is safe.
    outgoing: Vec<publish::Outgoing>,
    answers: Vec<(oneshot::Sender<Reply>, Reply)>,
}

/// What an actor is made of.
pub struct Parts {
    pub exchange: Exchange,
    pub clock: Clock,
    pub limits: Limits,
    pub faults: Faults,
    pub start: Timestamp,
    pub keys: Arc<Keys>,
    pub inbox: mpsc::Sender<Message>,
}

impl Actor {
    pub fn new(parts: Parts) -> Self {
        Self {
            exchange: parts.exchange,
            clock: parts.clock,
            meter: Meter::new(parts.limits),
            faults: parts.faults,
            start: parts.start,
            listeners: Listeners::default(),
            keys: parts.keys,
            journal: None,
            written: parts.start,
            written_at: Instant::now(),
            inbox: parts.inbox,
            closing: BTreeSet::new(),
            connections: 0,
            heard: 0,
            quotes: BTreeSet::new(),
            history: BTreeMap::new(),
            held: BTreeMap::new(),
            outgoing: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// Does again what the journal tells; nobody listens yet.
    pub fn replay(&mut self, input: &Input) {
        self.note(input);
        // Its answer went out when it came.
        let _ = journal::apply(&mut self.exchange, input);
        self.remember();
        let _ = self.exchange.take_market_frames();
    }

    /// From now on every input is taken down. What passed while nobody was there is made up for: nobody should
    /// have to wait for that.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn record(&mut self, journal: Option<Journal>, clock: Clock) -> Result<(), ServeError> {
        self.faults.skip_until(self.exchange.now());
        self.journal = journal;
        self.clock = clock;
        self.wrote();
        // Nobody listens: what a journal left wanted is forgotten.
        self.input(Input::Streams { wanted: BTreeSet::new() })?.ok();
        if let Some(now) = self.clock.now() {
            self.advance(now)?;
        }
        self.flush()
    }

    pub fn now(&self) -> Timestamp {
        self.exchange.now()
    }

    /// Works until `stop`, or until nobody can ask any more.
    ///
    /// # Errors
    /// The journal cannot be written: what is not taken down must not be answered.
    pub async fn run(
        mut self,
        mut messages: mpsc::Receiver<Message>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let period = self.clock.period();
        let mut ticks = interval(period.unwrap_or(Duration::from_secs(3_600)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        tokio::pin!(stop);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                () = &mut stop => break,
                count = messages.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        break;
                    }
                    for message in batch.drain(..) {
                        self.take(message)?;
                    }
                }
                _ = ticks.tick(), if period.is_some() => {
                    if let Some(now) = self.clock.now() {
                        self.advance(now)?;
                    }
                }
            }
            self.flush()?;
        }
        let now = self.time();
        self.listeners.shut_down(now.millis(), now.micros());
        for id in self.listeners.everybody() {
            self.listeners.end(id);
        }
        self.write_time()?;
        self.flush()
    }

    fn take(&mut self, message: Message) -> Result<(), ServeError> {
        match message {
            Message::Ask(ask) => self.ask(*ask)?,
            Message::Open { from, kind, listener, reply } => {
                let _ = reply.send(self.open(from, kind, listener));
            }
            Message::Close(id) => self.listeners.close(id),
            Message::Banned(from) => {
                self.closing.remove(&from);
                for id in self.listeners.from(from) {
                    self.listeners.ban(id);
                }
            }
            Message::Streams { id, wanted, combined, reply } => {
                self.listeners.set_streams(id, wanted, combined);
                self.ask_for_streams()?;
                let _ = reply.send(());
            }
            Message::Control { control, reply } => {
                let answer = self.control(control)?;
                // Control is out of band: who hears it must be able to rely on it at once.
                self.flush()?;
                let _ = reply.send(answer);
            }
        }
        Ok(())
    }

    fn open(&mut self, from: IpAddr, kind: &'static str, listener: Listener) -> Result<Opened, Unopened> {
        let at = self.time();
        if self.faults.maintenance(at) {
            return Err(Unopened { refusal: ask::closed_for_maintenance(), retry_after: None });
        }
        let weight = if kind == API { CONNECTING } else { 0 };
        let admitted = self.meter.connect(from, at).and_then(|()| self.meter.admit(from, at, weight));
        if let Err(too_many) = admitted {
            self.see_ban(from, &too_many);
            return Err(Unopened { retry_after: Some(too_many.seconds(at)), refusal: too_many.refusal });
        }
        self.meter.charge(from, at, weight);
        self.connections += 1;
        let id = self.connections;
        self.listeners.open(id, listener);
        Ok(Opened { id, at, fault: self.faults.connection(at, kind) })
    }

    fn ask_for_streams(&mut self) -> Result<(), ServeError> {
        if let Some(wanted) = self.listeners.take_wanted() {
            self.forget_held(&wanted);
            self.input(Input::Streams { wanted })?.ok();
        }
        Ok(())
    }

    /// The exchange's time at this moment; between two steps of a live one it is ahead of what the exchange knows.
    fn time(&mut self) -> Timestamp {
        self.clock.now().unwrap_or_else(|| self.exchange.now())
    }

    /// Live: lets time pass.
    fn advance(&mut self, to: Timestamp) -> Result<(), ServeError> {
        self.due(to)?;
        self.pass(to)?;
        if self.clock.goes_on_from_the_journal() && self.written_at.elapsed() >= LONGEST_UNWRITTEN {
            self.write_time()?;
        }
        Ok(())
    }

    /// Lets time pass, and nothing else. It is written down only where the account heard of it: what it was told
    /// must stay true, and everything else comes out the same when that time passes again.
    fn pass(&mut self, to: Timestamp) -> Result<(), ServeError> {
        if to <= self.exchange.now() {
            return Ok(());
        }
        self.exchange.advance(to);
        if self.harvest() {
            self.write_time()?;
        }
        Ok(())
    }

    /// Takes down how late it is, if that is not known from what was taken down last.
    fn write_time(&mut self) -> Result<(), ServeError> {
        let now = self.exchange.now();
        if let Some(journal) = self.journal.as_mut().filter(|_| now > self.written) {
            journal.add(&Input::Advance { to: now.micros() })?;
        }
        self.wrote();
        Ok(())
    }

    fn wrote(&mut self) {
        self.written = self.exchange.now();
        self.written_at = Instant::now();
    }

    /// Lets happen what the script of faults has for the time until `to`, each at its own.
    fn due(&mut self, to: Timestamp) -> Result<(), ServeError> {
        while let Some((at, then)) = self.faults.next_due(to) {
            let live = self.clock.period().is_some();
            if live {
                self.pass(at)?;
            }
            self.strike(then)?;
        }
        Ok(())
    }

    /// What happens by itself, whatever anybody asks.
    fn strike(&mut self, then: Then) -> Result<(), ServeError> {
        let everybody = self.listeners.everybody();
        match then {
            Then::SymbolStatus { symbol, status } => self.by_hand(Input::Status { symbol, status })?,
            Then::Balance { asset, delta } => {
                self.by_hand(Input::Balance { owner: Owner::FIRST, asset, delta })?;
            }
            Then::Rules(change) => self.by_hand(Input::Rules(change))?,
            Then::Order(params) => {
                let input = self.call(Owner::FIRST, "order.place", by_hand(params), false);
                self.by_hand(input)?;
            }
            Then::Maintenance => {
                let now = self.time();
                self.listeners.shut_down(now.millis(), now.micros());
                everybody.into_iter().for_each(|id| self.listeners.end(id));
            }
            Then::Silent => everybody.into_iter().for_each(|id| self.listeners.silence(id)),
            Then::HalfOpen => everybody.into_iter().for_each(|id| self.listeners.half_open(id)),
            Then::Close => everybody.into_iter().for_each(|id| self.listeners.end(id)),
            // In force for as long as the script says; nothing happens at its beginning.
            Then::ClockOffset(_)
            | Then::Delay(_)
            | Then::Hold(_)
            | Then::Status { .. }
            | Then::Timeout(_)
            | Then::Limit { .. }
            | Then::Drop
            | Then::Duplicate
            | Then::Reorder => {}
        }
        Ok(())
    }

    fn by_hand(&mut self, input: Input) -> Result<(), ServeError> {
        if let Err(refusal) = self.input(input)? {
            tracing::warn!("the script of faults asked for what the exchange refuses: {}", refusal.msg);
        }
        Ok(())
    }

    fn call(&mut self, owner: Owner, endpoint: &str, params: Params, micro: bool) -> Input {
        let Params { pairs: params, envelope } = params;
        let at = self.clock.now().map(Timestamp::micros);
        Input::Call { at, owner, endpoint: endpoint.to_owned(), params, envelope, micro }
    }

    /// Takes an input down and does it.
    fn input(&mut self, input: Input) -> Result<Outcome, ServeError> {
        if !input.has_time() {
            self.write_time()?;
        }
        if let Some(journal) = &mut self.journal {
            journal.add(&input)?;
        }
        self.note(&input);
        let outcome = journal::apply(&mut self.exchange, &input);
        self.wrote();
        self.harvest();
        Ok(outcome)
    }

    /// What the server itself remembers of an input.
    fn note(&mut self, input: &Input) {
        match input {
            Input::Hear { position, kind, body, .. } => {
                self.heard = *position;
                // The quote that was wanted is here, or a candle that is as good.
                if (kind == "quote.seen" || kind == "candle.closed")
                    && let Some(instrument) = body["instrument"].as_str().and_then(|text| text.parse().ok())
                {
                    self.quotes.remove(&instrument);
                }
            }
            Input::Heard { until } => self.heard = self.heard.max(*until),
            Input::Advance { .. }
            | Input::Call { .. }
            | Input::Balance { .. }
            | Input::Transfer { .. }
            | Input::Status { .. }
            | Input::Rules(_)
            | Input::Streams { .. } => {}
        }
    }

    fn flush(&mut self) -> Result<(), ServeError> {
        if let Some(journal) = &mut self.journal {
            journal.flush()?;
        }
        self.publish();
        for (reply, answer) in self.answers.drain(..) {
            // Whoever asked may have gone.
            let _ = reply.send(answer);
        }
        Ok(())
    }
}

/// An order as an owner might send it by hand.
fn by_hand(params: BTreeMap<String, String>) -> Params {
    Params { pairs: params.into_iter().collect(), envelope: 2 }
}

/// How connections are called in fault scripts.
pub const API: &str = "ws-api";
pub const STREAMS: &str = "streams";

/// What connecting to the WebSocket API weighs.
const CONNECTING: u32 = 2;
/// An exchange that goes on from its journal's time, not from the day's, loses no more of its own.
const LONGEST_UNWRITTEN: Duration = Duration::from_secs(60);
