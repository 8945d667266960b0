//! The paper exchange as the venue of a market that is played in one process: real sockets, real
//! signatures, and a market that waits for every account frame.
//!
//! Invariants:
//! - The exchange is told only what is on the tape, and asked only what was committed before.
//! - The market goes on once no request to the exchange is pending, and every frame that it has sent of the
//!   account is on the tape: it tells out of band how many there are.
//! - A frame that the stream has lost is fetched; from then on all are, for nobody knows any more which
//!   of those to come are counted.

mod control;
mod start;

pub use start::{Place, start};

use control::{Control, ControlError, Standing};

use bus::{FrameKind, IngestFrame};
use domain::{Account, ClientOrderId, Instrument, Timestamp, UnitName};
use event_logger::{parse::PARSERS, record};
use events::{BooksEvent, BooksReported, Draft, Event, Kind, Position, QuoteAsked, Recorded, Uuid, ids};
use replica::{Fact, Recorder};
use runtime::{
    distributed::differs,
    external_venue::{ExternalVenue, ExternalVenueError, Foreign},
};
use service::Host;
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    mem,
    pin::Pin,
    time::Duration,
};
use tape::{Outcome, Tape};
use tokio::time::{Instant, timeout, timeout_at};
use trade_abstraction::{
    gateway::{self, Effect, Gateway},
    hands::{self, Brought},
};
use venue::Venue;
use venue_binance::{
    net::{Connected, Delivery, Rest, UserData},
    rows,
};

/// How long the stream may take to deliver what the exchange says it has sent.
const STREAM: Duration = Duration::from_secs(2);
/// Between two reports of books that stand still.
const MOMENT: Duration = Duration::from_millis(1);
/// Until the stream is open for the first time.
const OPENING: Duration = Duration::from_secs(30);
/// Who says that orders wait for the next price.
const EXCHANGE: &str = "paper-exchange";
/// More account frames than these does no step bring.
const LAST_FRAMES: u64 = 2_000;
/// Of the tape, read at once.
const ROWS: usize = 2_000;

/// The exchange, as an engine in one process sees it.
struct PaperExchange<V> {
    control: Control,
    venue: V,
    /// Where its books are asked for.
    rest: Rest,
    stream: UserData,
    tape: Tape,
    /// What the account's stream says, as the recorder of a fleet would record it.
    recorder: Recorder,
    account: Account,
    gateway: UnitName,
    state: State,
}

/// How far it is.
#[derive(Default)]
struct State {
    /// What the market did and the exchange has not been told.
    market: Vec<Recorded>,
    /// What the gateway has said since its hands last looked.
    own: Vec<Recorded>,
    /// Pending requests.
    effects: Vec<Effect>,
    /// By their orders, what a run before this one may have sent or not. The exchange has one client and its
    /// time stands still: what it does not know now never came, and can be sent.
    unsent: BTreeMap<ClientOrderId, Effect>,
    /// Lookups that prove nothing yet.
    later: Vec<Effect>,
    /// The exchange has heard the market up to here.
    heard: Position,
    /// What its clock showed last.
    time: Timestamp,
    /// How many account frames have come.
    received: u64,
    /// Orders wait for the next price of these, and it is on the tape.
    wanted: BTreeSet<Instrument>,
    /// Whether frames are fetched rather than awaited.
    fetches: bool,
    recovered: bool,
    begun: bool,
    /// No step of the market follows.
    is_over: bool,
    /// In this run.
    has_told_books: bool,
}

impl State {
    /// Whether an effect can come to something by now.
    fn is_due(&self, effect: &Effect) -> bool {
        match effect {
            Effect::LookUp { not_before, .. } => *not_before <= self.time,
            Effect::Send { .. } | Effect::Cancel { .. } | Effect::Check { .. } => true,
        }
    }
}

impl<V: Venue> ExternalVenue for PaperExchange<V> {
    fn see(&mut self, event: &Recorded) {
        if is_market(event.event.kind()) {
            self.state.market.push(event.clone());
        } else if event.source == self.gateway {
            self.state.own.push(event.clone());
        }
    }

    fn take_up(&mut self, hosts: &[Host]) {
        let own = mem::take(&mut self.state.own);
        let host = hosts.iter().find(|host| host.unit() == self.gateway);
        let Some((gateway, state)) = host.and_then(|host| host.held::<Gateway>()) else { return };
        let sent = own.iter().filter_map(|event| gateway.effect(state, &event.event, true));
        let sent: Vec<Effect> = sent.collect();
        if !mem::replace(&mut self.state.recovered, true) {
            let new: BTreeSet<_> = sent.iter().flat_map(Effect::orders).collect();
            let unsent = gateway.unsent(state).filter(|effect| effect.orders().all(|o| !new.contains(&o)));
            for effect in unsent {
                self.state.unsent.extend(effect.orders().map(|order| (order, effect.clone())));
            }
            let pending = gateway.pending(state).into_iter();
            self.state.effects.extend(pending.filter(|effect| effect.orders().all(|o| !new.contains(&o))));
        }
        self.state.effects.extend(sent);
    }

    fn over(&mut self) {
        self.state.is_over = true;
    }

    fn settle(
        &mut self,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<Foreign>, ExternalVenueError>> + Send + '_>> {
        Box::pin(async move {
            let mut news = News::default();
            if !self.state.begun {
                self.begin(&mut news).await?;
            }
            let is_over = mem::take(&mut self.state.is_over);
            let is_quiet = self.state.market.is_empty() && !self.is_pending() && news.said.is_empty();
            if is_quiet && !is_over {
                // The exchange says nothing by itself: all that it said before has come.
                return Ok(news.said);
            }
            let market = mem::take(&mut self.state.market);
            for instrument in market.iter().filter_map(|told| told.event.instrument()) {
                // What was wanted until now is answered, or void.
                self.state.wanted.remove(&instrument);
            }
            let mut standing = self.control.tell(self.state.heard, &market).await.map_err(control)?;
            (self.state.heard, self.state.time) = (standing.heard, standing.time());
            if self.do_what_is_pending(&mut news).await {
                standing = self.control.standing().await.map_err(control)?;
            }
            self.await_frames(&standing, &mut news).await?;
            let wanted: BTreeSet<Instrument> = standing.quotes_wanted.into_iter().collect();
            let known = mem::replace(&mut self.state.wanted, wanted.clone());
            for instrument in wanted.difference(&known).copied() {
                let id = ids::fact(self.recorder.tape, EXCHANGE, &format!("{instrument}/{}", standing.heard));
                let exchange = self.recorder_of(name(EXCHANGE));
                let asked = QuoteAsked { instrument }.into();
                let fact = exchange.fact_under(id, asked, self.state.time, None);
                self.add(&mut news, &exchange, fact).await?;
            }
            // It gives an account what it begins with at the first thing that it hears.
            if is_over || (!self.state.has_told_books && self.state.heard > 0) {
                self.tell_books(&mut news).await?;
                self.state.has_told_books = true;
            }
            Ok(news.said)
        })
    }
}

/// What is brought, each once.
#[derive(Default)]
struct News {
    said: Vec<Foreign>,
    drafts: BTreeMap<Uuid, Draft>,
}

impl News {
    fn add(&mut self, fact: Fact) {
        self.drafts.insert(fact.draft.id, fact.draft.clone());
        self.said.push(Foreign::Fact(Box::new(fact)));
    }
}

impl<V: Venue> PaperExchange<V> {
    /// What the tape has and the exchange has not heard, and the other way round.
    async fn begin(&mut self, news: &mut News) -> Result<(), ExternalVenueError> {
        let deadline = Instant::now() + OPENING;
        let mut why = "it does not answer".to_owned();
        loop {
            match timeout_at(deadline, self.stream.next()).await {
                Ok(Some(Delivery::Away { why: told })) => why = told,
                Ok(Some(opened)) => break self.take(opened, news).await?,
                Ok(None) | Err(_) => {
                    return Err(ExternalVenueError(format!(
                        "the stream of the account does not open: {why}"
                    )));
                }
            }
        }
        let standing = self.control.standing().await.map_err(control)?;
        let head = self.tape.head().await.map_err(away)?;
        if standing.heard > head.position {
            return Err(ExternalVenueError(format!(
                "it has heard the market up to position {}, this tape ends at {}: they do not belong together; give the tape its own exchange, or move the exchange's journal away",
                standing.heard, head.position
            )));
        }
        if standing.heard == 0 && self.tape.latest_of_kind(Kind::OrderAccepted).await.map_err(away)?.is_some()
        {
            let why = "it is new, and this tape has orders at it: the exchange's journal (the tape's name with .exchange behind it) is missing; put it back, or begin another tape";
            return Err(ExternalVenueError(why.to_owned()));
        }
        self.state.market = self.market_after(standing.heard).await?;
        (self.state.heard, self.state.time) = (standing.heard, standing.time());
        // A run before this one may have been ended between the exchange's word and the tape.
        self.state.received = standing.account_frames.saturating_sub(LAST_FRAMES);
        self.fetch(standing.account_frames, news).await?;
        self.state.begun = true;
        Ok(())
    }

    /// What the exchange has in its books, twice, so that ours are compared with it: it stands still meanwhile. What
    /// it said the same of the same time before is on the tape already.
    async fn tell_books(&self, news: &mut News) -> Result<(), ExternalVenueError> {
        let failed = |why: &dyn std::fmt::Display| ExternalVenueError(format!("its books: {why}"));
        let frame = self.rest.books(None).await.map_err(|why| failed(&why))?;
        let told = rows::parse_books(self.account, &frame.bytes).map_err(|why| failed(&why))?;
        for event in told {
            let Event::Books(BooksEvent::Reported(report)) = event else { continue };
            for as_of in [self.state.time, self.state.time + MOMENT] {
                let report = BooksReported { as_of, ..report.clone() };
                let fact = self.recorder.fact(report.into(), self.state.time, None);
                self.add(news, &self.recorder, fact).await?;
            }
        }
        Ok(())
    }

    async fn market_after(&self, mut position: Position) -> Result<Vec<Recorded>, ExternalVenueError> {
        let mut market = Vec::new();
        loop {
            let rows = self.tape.read(position, ROWS).await.map_err(away)?;
            let Some(last) = rows.last() else { return Ok(market) };
            position = last.position;
            for row in rows.iter().filter(|row| row.kind().is_some_and(is_market)) {
                market.push(row.decode().map_err(|e| ExternalVenueError(e.to_string()))?);
            }
        }
    }

    /// Whether a request is to be made now.
    fn is_pending(&self) -> bool {
        !self.state.effects.is_empty() || self.state.later.iter().any(|effect| self.state.is_due(effect))
    }

    /// Makes the requests, in the order in which they were committed; whether there were any.
    async fn do_what_is_pending(&mut self, news: &mut News) -> bool {
        let mut effects = mem::take(&mut self.state.effects);
        let (due, later): (Vec<_>, Vec<_>) =
            mem::take(&mut self.state.later).into_iter().partition(|effect| self.state.is_due(effect));
        self.state.later = later;
        effects.extend(due);
        let any = !effects.is_empty();
        for effect in effects {
            // The market's time stands still until this is known: a lookup must not wait for it.
            let at_once = match effect.clone() {
                Effect::LookUp { account, instrument, orders, .. } => {
                    Effect::LookUp { account, instrument, orders, not_before: Timestamp::ZERO }
                }
                other @ (Effect::Send { .. } | Effect::Cancel { .. } | Effect::Check { .. }) => other,
            };
            for brought in hands::carry_out(&self.venue, at_once).await {
                if let Brought::Answer(gateway::Answer::NotFound { order, venue_time }) = &brought
                    && let Effect::LookUp { not_before, .. } = &effect
                {
                    if let Some(send) = self.state.unsent.remove(order) {
                        send.orders().for_each(|order| _ = self.state.unsent.remove(&order));
                        for brought in hands::carry_out(&self.venue, send).await {
                            self.judge(brought, news).await;
                        }
                        continue;
                    }
                    if venue_time < not_before {
                        self.state.later.push(effect.clone());
                    }
                }
                self.judge(brought, news).await;
            }
        }
        self.state.unsent.clear();
        any
    }

    async fn judge(&self, brought: Brought, news: &mut News) {
        match brought {
            Brought::Fact(event) => {
                let gateway = self.recorder_of(self.gateway);
                let id = gateway::id_of(self.recorder.tape, &event);
                let fact = gateway.fact_under(id, *event, self.state.time, None);
                // What cannot be compared with the tape now is looked up again by whoever comes next.
                if let Err(e) = self.add(news, &gateway, fact).await {
                    tracing::error!("{e}");
                }
            }
            answer @ Brought::Answer(_) => {
                let judge = Box::new(move |host: &Host, tape, now| hands::said(host, tape, now, answer));
                news.said.push(Foreign::Answer { unit: self.gateway, judge });
            }
        }
    }

    /// Waits until everything that the exchange has said of the account is here.
    async fn await_frames(&mut self, standing: &Standing, news: &mut News) -> Result<(), ExternalVenueError> {
        while let Ok(Some(more)) = timeout(Duration::ZERO, self.stream.next()).await {
            self.take(more, news).await?;
        }
        let deadline = Instant::now() + STREAM;
        while !self.state.fetches && self.state.received < standing.account_frames {
            match timeout_at(deadline, self.stream.next()).await {
                Ok(Some(more)) => self.take(more, news).await?,
                Ok(None) => return Err(ExternalVenueError("the stream of the account has ended".to_owned())),
                Err(_) => {
                    let missing = standing.account_frames - self.state.received;
                    tracing::warn!("the stream has lost {missing} frames of the account: they are fetched");
                    self.state.fetches = true;
                }
            }
        }
        if self.state.fetches { self.fetch(standing.account_frames, news).await } else { Ok(()) }
    }

    async fn take(&mut self, delivery: Delivery, news: &mut News) -> Result<(), ExternalVenueError> {
        let frame = match delivery {
            Delivery::Opened(Connected { connection, at, .. }) => {
                // The first one is counted from; behind any other, frames may be missing.
                self.state.fetches |= self.state.begun;
                self.frame(FrameKind::Opened, format!("user-data/{connection}"), at, Vec::new())
            }
            Delivery::Frame { bytes, received_at } => {
                self.state.received += u64::from(!self.state.fetches);
                self.frame(FrameKind::Account, "user-data".to_owned(), received_at, bytes)
            }
            Delivery::Away { why } => {
                tracing::warn!("the stream of the account is away: {why}");
                self.state.fetches |= self.state.begun;
                return Ok(());
            }
        };
        self.record(frame, news).await
    }

    /// Fetches what was said behind the last frame that has come for sure.
    async fn fetch(&mut self, until: u64, news: &mut News) -> Result<(), ExternalVenueError> {
        while self.state.received < until {
            let said = self.control.said(self.state.received).await.map_err(control)?;
            let Some(last) = said.last().map(|said| said.number) else {
                return Err(ExternalVenueError(format!(
                    "frame {until} of the account is not there any more"
                )));
            };
            for said in said {
                let now = self.state.time;
                let bytes = said.frame.into_bytes();
                self.record(self.frame(FrameKind::Account, "control".to_owned(), now, bytes), news).await?;
            }
            self.state.received = last;
        }
        Ok(())
    }

    fn frame(&self, kind: FrameKind, stream: String, received_at: Timestamp, bytes: Vec<u8>) -> IngestFrame {
        IngestFrame {
            account: self.account,
            replica: EXCHANGE.to_owned(),
            stream,
            content_type: venue_binance::content::USER_DATA.to_owned(),
            received_at,
            bytes,
            kind,
        }
    }

    /// As the recorder does: kept raw, then read.
    async fn record(&self, frame: IngestFrame, news: &mut News) -> Result<(), ExternalVenueError> {
        let reading = record::read(&self.recorder, PARSERS, &frame);
        if let Some(kept) = reading.kept {
            self.tape.keep_frames(vec![kept]).await.map_err(away)?;
        }
        for fact in reading.facts {
            if let Some((account, frame, why)) = record::alarm(&fact.event) {
                tracing::error!("a frame of {account} cannot be read, it is kept as {frame}: {why}");
            }
            self.add(news, &self.recorder, fact).await?;
        }
        Ok(())
    }

    /// Adds what is new. What stands on the tape otherwise is a conflict, and halts the account.
    async fn add(&self, news: &mut News, recorder: &Recorder, fact: Fact) -> Result<(), ExternalVenueError> {
        let Some((known, position)) = self.known(&news.drafts, fact.draft.id).await? else {
            news.add(fact);
            return Ok(());
        };
        if known.body == fact.draft.body || known.same_fact(&fact.draft) {
            return Ok(());
        }
        differs(&fact.draft, position);
        for said in recorder.conflicts(&[fact], &[Outcome::Conflict(position)]) {
            if self.known(&news.drafts, said.draft.id).await?.is_none() {
                news.add(said);
            }
        }
        Ok(())
    }

    /// What is under an id already. Facts that are brought now come behind everything that is on the tape.
    async fn known(
        &self,
        brought: &BTreeMap<Uuid, Draft>,
        id: Uuid,
    ) -> Result<Option<(Draft, Position)>, ExternalVenueError> {
        if let Some(known) = brought.get(&id) {
            return Ok(Some((known.clone(), 0)));
        }
        Ok(self.tape.by_id(id).await.map_err(away)?.map(|row| (row.draft, row.position)))
    }

    fn recorder_of(&self, unit: UnitName) -> Recorder {
        Recorder { unit, ..self.recorder }
    }
}

/// What an exchange must know of the market.
fn is_market(kind: Kind) -> bool {
    matches!(kind, Kind::InstrumentListed | Kind::CandleClosed | Kind::QuoteSeen | Kind::TimePassed)
}

fn name(unit: &str) -> UnitName {
    UnitName::new(unit).unwrap_or_else(|e| unreachable!("a valid name: {e}"))
}

fn control(error: ControlError) -> ExternalVenueError {
    ExternalVenueError(error.to_string())
}

fn away(error: impl std::fmt::Display) -> ExternalVenueError {
    ExternalVenueError(error.to_string())
}
