//! The order gateway's hands: pending requests, made at the venue, and what comes of them.
//!
//! Invariants:
//! - One effect is one request; nothing is sent again here. A lookup is asked until it tells something.
//! - What comes back goes to the incarnation that asked for it, and to no other.
//! - Exits never wait for entries, and no account waits for another: each has room of its own.

use crate::gateway::{self, Answer, Attempt, Effect, Gateway};
use domain::{Account, ClientOrderId, Instrument, Timestamp, VenueOrderId};
use events::{CancelRejected, Event, OrderEvent, Rejection};
use runtime::distributed::hands::Hands;
use service::{Back, Host, Judge, News};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::{sleep, timeout},
};
use venue::{Listing, Outcome, Stamp, Venue};

/// Entries of one account under way at once.
const ENTRIES: usize = 16;
/// Exits, cancels and lookups of one account under way at once.
const URGENT: usize = 128;
/// Answers that wait for the gateway to judge them.
const BACKLOG: usize = 256;
/// Between two lookups of an order of which nothing is known, at first …
const AGAIN: Duration = Duration::from_millis(250);
/// … and at most.
const AT_MOST: Duration = Duration::from_secs(15);
/// Until a request is tried again which cannot work before somebody has mended something.
const MENDING: Duration = Duration::from_secs(30);

/// How old the venue's rules may be before something is given up. After a refusal they are asked for anew.
const RULES_AGE: Duration = Duration::from_secs(2);
/// For their answer; no exit waits longer for it.
const RULES_ANSWER: Duration = Duration::from_secs(2);

/// What came of an effect.
#[derive(Debug, Clone, PartialEq)]
pub enum Brought {
    /// The venue's word.
    Fact(Box<Event>),
    Answer(Answer),
}

/// Does it, and brings what came of it.
pub async fn carry_out<V: Venue>(venue: &V, effect: Effect) -> Vec<Brought> {
    let answer = match effect {
        Effect::Send { account, instrument, request, attempt } => {
            let stamp = stamp(attempt);
            let outcome = venue.submit(account, instrument, &request, stamp).await;
            let (request, attempt) = (request.id(), attempt.number);
            match pause(outcome, "order", &request, attempt).await {
                Paused::Facts(facts) => return brought(facts),
                Paused::Again => Answer::TryAgain { request, attempt, venue_time: venue.time(account) },
                Paused::Unknown(text) => Answer::Unknown { request, attempt, text },
            }
        }
        Effect::Cancel { account, instrument, order, number, attempt, rules: _ } => {
            let outcome = venue.cancel(account, instrument, order, number, stamp(attempt)).await;
            match pause(outcome, "cancel", &order, attempt.number).await {
                Paused::Facts(facts) => return brought(facts),
                Paused::Again => {}
                Paused::Unknown(text) => {
                    tracing::warn!(%order, "nothing is known of a cancel, it is signed anew: {text}");
                    sleep(growing(attempt.number)).await;
                }
            }
            Answer::CancelAgain { order, attempt: attempt.number, venue_time: venue.time(account) }
        }
        Effect::LookUp { account, instrument, orders, not_before } => {
            let mut all = Vec::new();
            for order in orders {
                all.extend(look_up(venue, account, instrument, order, not_before).await);
            }
            return all;
        }
        Effect::Check { account, instrument, order, number } => {
            return check(venue, account, instrument, order, number).await;
        }
    };
    vec![Brought::Answer(answer)]
}

async fn check<V: Venue>(
    venue: &V,
    account: Account,
    instrument: Instrument,
    order: ClientOrderId,
    number: VenueOrderId,
) -> Vec<Brought> {
    let mut waits = (1..).map(growing);
    loop {
        let (why, least) = match venue.standing(account, instrument, order, number).await {
            Outcome::Facts(facts) => return brought(facts),
            Outcome::NotFound { .. } => ("it is not there".to_owned(), AT_MOST),
            Outcome::TryAgain { after, text } => (text, after),
            Outcome::Unknown { text } => (text, Duration::ZERO),
            Outcome::Fatal { text } => (text, MENDING),
        };
        tracing::warn!(%order, "how an order stands is not known yet: {why}");
        sleep(waits.next().unwrap_or(AT_MOST).max(least)).await;
    }
}

/// As [`carry_out`], at a venue whose rules may change while it trades: nothing is given up before it is known
/// that something can take its place, and a refusal that other rules may explain has them asked for at once.
pub async fn carry_out_by_the_rules<V: Venue>(venue: &V, effect: Effect) -> Vec<Brought> {
    if let Effect::Cancel { account, instrument, order, rules: Some(known), .. } = &effect {
        let asked = timeout(RULES_ANSWER, venue.listing(*account, *instrument, RULES_AGE)).await;
        let (why, rules) = match asked {
            Ok(Ok(Listing::Trading(rules))) if rules != *known => {
                (format!("{instrument} has other rules now, by which it is decided anew"), Some(rules))
            }
            Ok(Ok(Listing::Paused { rules, status })) => {
                (format!("no order is taken on {instrument} now ({status}), so it stays"), Some(rules))
            }
            // Where nothing is told, what was asked for is done.
            Ok(Ok(Listing::Trading(_) | Listing::Unlisted) | Err(_)) | Err(_) => {
                return carry_out(venue, effect).await;
            }
        };
        let (account, instrument, order) = (*account, *instrument, *order);
        let at = venue.time(account).unwrap_or_default();
        let kept = CancelRejected { account, instrument, order, code: None, text: why, at };
        let rules = rules.map(|rules| Brought::Answer(Answer::Rules { instrument, rules }));
        return std::iter::once(Brought::Fact(Box::new(kept.into()))).chain(rules).collect();
    }
    let (account, instrument) = (effect.account(), effect.instrument());
    let brought = carry_out(venue, effect).await;
    if !brought.iter().any(Brought::may_come_of_other_rules) {
        return brought;
    }
    match timeout(RULES_ANSWER, venue.listing(account, instrument, Duration::ZERO)).await {
        // Told first: whoever hears of the refusal knows them.
        Ok(Ok(Listing::Trading(rules) | Listing::Paused { rules, .. })) => {
            let rules = Brought::Answer(Answer::Rules { instrument, rules });
            std::iter::once(rules).chain(brought).collect()
        }
        Ok(Ok(Listing::Unlisted)) => {
            tracing::error!("{instrument} is not listed at the venue any more");
            brought
        }
        Ok(Err(why)) => {
            tracing::warn!(
                "a refusal may come of other rules of {instrument}, which cannot be asked for: {why}"
            );
            brought
        }
        Err(_) => {
            tracing::warn!("the rules of {instrument} are not told in {RULES_ANSWER:?}");
            brought
        }
    }
}

impl Brought {
    /// A refusal that the rules on the tape did not foresee.
    fn may_come_of_other_rules(&self) -> bool {
        let Self::Fact(event) = self else { return false };
        let Event::Order(OrderEvent::Rejected(rejected)) = &**event else { return false };
        match rejected.reason {
            Rejection::Filter | Rejection::UnknownInstrument | Rejection::MarketClosed => true,
            // An order type, or a way to trade, that the symbol has lost.
            Rejection::Other => rejected.code.is_some(),
            Rejection::InsufficientBalance
            | Rejection::WouldTrigger
            | Rejection::DuplicateId
            | Rejection::OutsideWindow
            | Rejection::RateLimited => false,
        }
    }
}

fn stamp(attempt: Attempt) -> Stamp {
    Stamp { timestamp: attempt.timestamp, recv_window_ms: attempt.recv_window_ms }
}

async fn look_up<V: Venue>(
    venue: &V,
    account: Account,
    instrument: Instrument,
    order: ClientOrderId,
    not_before: Timestamp,
) -> Vec<Brought> {
    let mut waits = (1..).map(growing);
    loop {
        let (why, least) = match venue.look_up(account, instrument, order, not_before).await {
            Outcome::Facts(facts) => return brought(facts),
            Outcome::NotFound { venue_time } => {
                return vec![Brought::Answer(Answer::NotFound { order, venue_time })];
            }
            Outcome::TryAgain { after, text } => (text, after),
            Outcome::Unknown { text } => (text, Duration::ZERO),
            Outcome::Fatal { text } => (text, MENDING),
        };
        tracing::warn!(%order, "an order cannot be looked up yet: {why}");
        sleep(waits.next().unwrap_or(AT_MOST).max(least)).await;
    }
}

fn brought(facts: Vec<Event>) -> Vec<Brought> {
    facts.into_iter().map(|fact| Brought::Fact(Box::new(fact))).collect()
}

/// What is left of an outcome once its time has come.
enum Paused {
    Facts(Vec<Event>),
    Again,
    Unknown(String),
}

/// The pause after so many attempts: none after none, then twice as long each time.
fn growing(attempts: u32) -> Duration {
    AGAIN.saturating_mul((1 << attempts.min(10)) / 2).min(AT_MOST)
}

#[test]
fn pauses_double_up_to_a_quarter_of_a_minute() {
    let pauses = [0, 1, 2, 3, 6, 7, u32::MAX].map(|attempts| growing(attempts).as_millis());
    assert_eq!(pauses, [0, 250, 500, 1_000, 8_000, 15_000, 15_000]);
}

async fn pause(outcome: Outcome, what: &str, id: &ClientOrderId, attempt: u32) -> Paused {
    match outcome {
        Outcome::Facts(facts) => Paused::Facts(facts),
        Outcome::TryAgain { after, text } => {
            tracing::warn!("{what} {id} was not executed and is tried again: {text}");
            // The first time it is worth trying at once; a venue that goes on so is left alone for longer.
            sleep(after.max(growing(attempt.saturating_sub(1)))).await;
            Paused::Again
        }
        Outcome::Fatal { text } => {
            let wait = MENDING.as_secs();
            tracing::error!("{what} {id} was not executed, it is tried again in {wait} s: {text}");
            sleep(MENDING).await;
            Paused::Again
        }
        Outcome::Unknown { text } => Paused::Unknown(text),
        Outcome::NotFound { .. } => Paused::Unknown("the venue does not know what was asked".to_owned()),
    }
}

/// What to say of it, under which ids.
pub fn said(host: &Host, tape: events::Uuid, now: Timestamp, brought: Brought) -> Vec<(events::Uuid, Event)> {
    let Some((gateway, state)) = host.held::<Gateway>() else { return Vec::new() };
    let events = match brought {
        Brought::Fact(event) => vec![*event],
        Brought::Answer(answer) => gateway.answered(state, now, &answer),
    };
    events.into_iter().map(|event| (gateway.id_of(state, tape, &event), event)).collect()
}

/// One answer is one commit: with half of it the state would take the rest for told.
pub fn judge(brought: Vec<Brought>) -> Judge {
    Box::new(move |host: &Host, tape, now| {
        brought.into_iter().flat_map(|one| said(host, tape, now, one)).collect()
    })
}

/// The hands of a gateway that runs distributed, at this venue.
pub fn at<V: Venue>(venue: Arc<V>) -> Hands {
    let (send, back) = mpsc::channel(BACKLOG);
    let desk = Desk { venue, send, rooms: Mutex::default(), under_way: Mutex::default() };
    let told = Arc::new(move |host: &Host, news: News| desk.take_up(host, news));
    Hands { told, back: Arc::new(tokio::sync::Mutex::new(back)) }
}

struct Desk<V> {
    venue: Arc<V>,
    send: mpsc::Sender<Back>,
    rooms: Mutex<BTreeMap<Account, Room>>,
    under_way: Mutex<JoinSet<()>>,
}

/// How much of one account may be under way.
struct Room {
    urgent: Arc<Semaphore>,
    entries: Arc<Semaphore>,
}

impl Default for Room {
    fn default() -> Self {
        Self { urgent: Arc::new(Semaphore::new(URGENT)), entries: Arc::new(Semaphore::new(ENTRIES)) }
    }
}

impl<V: Venue> Desk<V> {
    fn take_up(&self, host: &Host, news: News) {
        if let News::Recovered { .. } = news {
            // What an earlier incarnation left is looked up, so nothing of it need be finished.
            self.under_way.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
        }
        for effect in gateway::due(host, &news) {
            self.start(effect, news.fence());
        }
    }

    fn room(&self, effect: &Effect) -> Arc<Semaphore> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let room = rooms.entry(effect.account()).or_default();
        if effect.is_urgent() { room.urgent.clone() } else { room.entries.clone() }
    }

    fn start(&self, effect: Effect, fence: u64) {
        let room = self.room(&effect);
        let (venue, send) = (self.venue.clone(), self.send.clone());
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        while under_way.try_join_next().is_some() {}
        under_way.spawn(async move {
            // The semaphore is never closed.
            let Ok(_room) = room.acquire_owned().await else { return };
            let brought = carry_out_by_the_rules(&*venue, effect).await;
            // If nobody judges it any more, what is pending is in the state of whoever comes next.
            let _ = send.send(Back { fence, judge: judge(brought) }).await;
        });
    }
}
