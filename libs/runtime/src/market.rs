//! A whole engine in one process, on a market's own clock.
//!
//! One task takes every event in order; commits follow behind it, one at a time, each a prefix of
//! the one sequence.
//! So a run killed anywhere ends, resumed, with the same tape as one undisturbed.

use crate::{
    distributed::UnitPhase,
    external_venue::{ExternalVenue, ExternalVenueError, Foreign},
    reached::Reached,
    recover::{self, Plan, RecoverError},
};
use domain::{Instrument, Timestamp, UnitName};
use events::{Clock, Draft, Event, Position, Recorded, TapeOpened, TradeEvent, Uuid, ids};
use replica::{Fact, Joining};
use service::{Host, Journal, Lockstep, Played, Resumed, Steps, Walk, Worked};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};
use tape::{
    AppendError, Commit, CursorMove, Entry, Head, LeaseError, OnConflict, ReadError, Snapshot, StorageError,
    Tape,
};
use thiserror::Error;
use tokio::{
    sync::{Mutex, mpsc, oneshot, watch},
    task::JoinHandle,
};

/// A commit is made at the latest when this many events wait for it.
const BATCH: usize = 2_048;
/// … or after this long, so that a kill loses little work.
const COMMIT_EVERY: Duration = Duration::from_millis(50);
/// Turns between looks at the clock.
const TURNS: usize = 256;
/// Snapshots are written after this many events.
const SNAPSHOT_EVERY: u64 = 100_000;
/// How long an answer of a venue that is away is awaited once a run was asked to stop.
const ANSWER: Duration = Duration::from_secs(3);
/// How long a lease lasts unless it is renewed. Of a SQLite tape the file lock is what excludes others,
/// so whoever has it need not wait for the lease of one that died.
const LEASE: Duration = Duration::from_secs(30);

/// Why a trade is not closed any more: the stop would be canceled, and nothing be sold.
pub const OVER: &str = "the market has ended: nothing is traded any more";

/// What the feed says of itself then.
pub(crate) const HAS_ENDED: &str = "the market has ended";

/// What is to be played, on what, by whom.
pub struct Market<F> {
    pub tape: Tape,
    /// The units, in the order in which each event reaches them.
    pub hosts: Vec<Host>,
    pub feed: F,
    /// Who says the feed's events.
    pub source: UnitName,
    /// Says what the market is; a tape carries one market only.
    pub describe: String,
    /// The id that a new tape is given.
    pub tape_id: Uuid,
    pub build: String,
    /// Who holds the leases.
    pub owner: String,
    pub pace: Pace,
    pub reached: Reached,
    /// Sees each event as it is said, before it is committed.
    pub observer: Option<Observer>,
    /// The venue, where it is none of the units.
    pub external: Option<Box<dyn ExternalVenue>>,
    /// What people say while it plays.
    pub hands: Option<Hands>,
}

/// Something that a person says while a market plays.
///
/// It is taken between two steps, as soon as every unit has dealt with the last one, and is part of the
/// sequence from there on: recorded at the time of the last step, heard by everybody before the next one.
pub struct Spoken {
    pub source: UnitName,
    pub event: Event,
    /// Told where it stands once it is committed, or why it is not taken. Dropped if neither is known.
    pub reply: oneshot::Sender<Result<Position, String>>,
}

/// Where that comes in. Clones are the same; one at a time takes from it.
#[derive(Clone)]
pub struct Hands(Arc<Mutex<mpsc::Receiver<Spoken>>>);

impl Hands {
    /// What is there already; `None` if nothing is.
    pub async fn waiting(&self) -> Option<Spoken> {
        self.0.lock().await.try_recv().ok()
    }

    pub fn new(spoken: mpsc::Receiver<Spoken>) -> Self {
        Self(Arc::new(Mutex::new(spoken)))
    }

    /// The next; `None` once nobody is left who could say anything.
    pub async fn next(&self) -> Option<Spoken> {
        self.0.lock().await.recv().await
    }
}

/// What has been said by hand and not been taken.
async fn spoken(hands: Option<&Hands>) -> Spoken {
    if let Some(hands) = hands
        && let Some(spoken) = hands.next().await
    {
        return spoken;
    }
    std::future::pending().await
}

pub type Observer = Box<dyn FnMut(&Recorded) + Send>;

/// How fast the market plays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    Max,
    /// This many seconds of market in one second.
    Times(f64),
}

/// Why a run came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    MarketOver,
    Stopped,
}

#[derive(Debug, Error)]
pub enum RunError<E: std::error::Error + Send + Sync + 'static> {
    #[error("this tape plays '{recorded}', not '{asked}': choose another tape with --tape, or that market")]
    OtherMarket { recorded: String, asked: String },
    #[error("this tape was recorded on a wall clock: a recorded or synthetic market cannot be played on it")]
    OtherClock,
    #[error("the market cannot be read: {0}")]
    Market(#[source] E),
    #[error(transparent)]
    Recover(#[from] RecoverError),
    #[error("the tape cannot be written: {0}")]
    Append(#[from] AppendError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the tape cannot be written: {0}")]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Lease(#[from] LeaseError),
    #[error(transparent)]
    ExternalVenue(#[from] ExternalVenueError),
}

/// Collects what is to be committed.
struct Outbox {
    entries: Vec<Entry>,
    reached: Reached,
    observer: Option<Observer>,
    external: Option<Box<dyn ExternalVenue>>,
}

impl Journal for Outbox {
    fn record(&mut self, event: &Recorded) {
        self.reached.said(event);
        if let Some(observer) = &mut self.observer {
            observer(event);
        }
        if let Some(external) = &mut self.external {
            external.see(event);
        }
        self.entries.push(Entry { draft: Draft::from(event), recorded_at: Some(event.recorded_at) });
    }
}

struct Writer {
    tape: Tape,
    fences: Vec<(UnitName, u64)>,
    under_way: Option<JoinHandle<Result<tape::Committed, AppendError>>>,
    /// Where the cursors stand once that is done.
    saved: Position,
    last_commit: Instant,
    reached: Reached,
}

impl<F: Steps> Market<F> {
    /// Plays until the market ends or `stop` turns true.
    ///
    /// # Errors
    /// Another market's tape, a market or a tape that cannot be read, or one that cannot be written.
    pub async fn run(self, mut stop: watch::Receiver<bool>) -> Result<Ended, RunError<F::Error>> {
        let (reached, feed) = (self.reached.clone(), self.source);
        let ended = self.play(&mut stop).await;
        match &ended {
            Ok(Ended::MarketOver) => reached.note(feed, HAS_ENDED),
            Ok(Ended::Stopped) => reached.enter(&UnitPhase::Stopping),
            Err(why) => reached.enter(&UnitPhase::CutOff(why.to_string())),
        }
        ended
    }

    async fn play(self, stop: &mut watch::Receiver<bool>) -> Result<Ended, RunError<F::Error>> {
        let Market {
            tape,
            hosts,
            mut feed,
            source,
            describe,
            tape_id,
            build,
            owner,
            pace,
            reached,
            observer,
            external,
            hands,
        } = self;
        let head = tape.head().await?;
        let opened = tape.opened().await?;
        if let Some(opened) = &opened {
            check(opened, &describe)?;
        }
        let units: Vec<UnitName> = hosts.iter().map(Host::unit).collect();
        // Units stand at one position here, unless one is new, was away, or a fleet was killed on this tape.
        let stood = tape.cursors().await?;
        let judged = |unit| stood.iter().find(|c| c.unit == unit).map_or(0, |c| c.position);
        let level = stood.iter().map(|c| c.position).max().unwrap_or(0);
        let learn = learning(&tape, &hosts, judged, level, &head).await?;
        let force = !matches!(tape, Tape::Postgres(_));
        let fences = tape.acquire_all(&units, &owner, LEASE, force).await?;
        let fences: Vec<(UnitName, u64)> = fences.into_iter().map(|c| (c.unit, c.fence)).collect();
        let _leases = Leases::keep(&tape, fences.clone());
        let mut outbox = Outbox { entries: Vec::new(), reached: reached.clone(), observer, external };
        let mut writer = Writer {
            tape: tape.clone(),
            fences,
            under_way: None,
            saved: level,
            last_commit: Instant::now(),
            reached: reached.clone(),
        };

        let feed_from = restore_feed(&tape, &build, source, &mut feed).await?;
        let plan = Plan {
            build: &build,
            walk: Walk::Follow,
            snapshots: true,
            until: None,
            learn: &learn,
            checkpoints: &[],
        };
        let walked = tokio::select! {
            walked = recover::follow(&tape, hosts, Some(feed_from), &plan, |event| {
                if event.position > feed_from {
                    feed.apply(event.recorded_at, &event.event);
                }
            }) => walked?,
            // Nothing has been said yet: it may be left at any moment.
            _ = stop.wait_for(|stop| *stop) => return Ok(Ended::Stopped),
        };
        let mut late = Vec::new();
        let mut recovered = Vec::new();
        for Resumed { host, must_start, .. } in walked.units {
            let unit = host.unit();
            let after = learn.iter().find(|(u, _)| *u == unit).map_or(judged(unit), |(_, to)| *to);
            if must_start || judged(unit) < after {
                late.push(host.started(&build, judged(unit), after));
            }
            recovered.push(host);
        }
        let pending: VecDeque<Recorded> = walked.pending;
        let id = opened.as_ref().map_or(tape_id, |o| o.tape);
        let engine = Lockstep::resume(recovered, Some(id), pending, head.position);
        let mut played = Played::new(engine, feed, source);
        reached.committed(&head);

        // A new tape begins at the time of the market's first step.
        let now = match &opened {
            Some(_) => head.recorded_at,
            None => played.peek().map_err(RunError::Market)?.unwrap_or(Timestamp::ZERO),
        };
        if opened.is_none() {
            let opening = TapeOpened { tape: id, clock: Clock::Market, market: describe };
            played.say(service::tape_unit(), now, opening.into(), &mut outbox);
        }
        for started in late {
            played.say(started.unit, now, started.into(), &mut outbox);
        }
        reached.enter(&UnitPhase::Running);

        if outbox.external.is_some() {
            // Of a step that was committed before the end of the last run the venue has its say first, too.
            writer.commit(&mut played.engine, &mut outbox).await?;
            writer.flush().await?;
            attend(&mut played, &mut outbox, id, now, Pending::Later, stop).await?;
        }
        let mut metronome = Metronome::new(pace);
        let mut last_snapshot = head.position;
        let mut series_ended = None;
        let ended = loop {
            let worked = played.work_or_hold(TURNS, &mut outbox).map_err(RunError::Market)?;
            if let Worked::Held(position) = worked {
                tracing::warn!(
                    "position {position}: the close that was asked for is not heard, for no candle follows: the \
                     stops stay until the market goes on"
                );
                break Ended::MarketOver;
            }
            if outbox.entries.len() >= BATCH || writer.last_commit.elapsed() >= COMMIT_EVERY {
                writer.commit(&mut played.engine, &mut outbox).await?;
            }
            if worked != Worked::Quiet {
                continue;
            }
            if *stop.borrow() {
                break Ended::Stopped;
            }
            if outbox.external.is_some() {
                writer.commit(&mut played.engine, &mut outbox).await?;
                writer.flush().await?;
                match attend(&mut played, &mut outbox, id, head.recorded_at, Pending::Now, stop).await? {
                    Attended::Brought => continue,
                    Attended::Nothing => {}
                    Attended::Stopped => break Ended::Stopped,
                }
            }
            // Before the next step is read, so that the feed's state is that of this position.
            if played.engine.head() >= last_snapshot + SNAPSHOT_EVERY {
                last_snapshot = played.engine.head();
                writer.settle(&mut played.engine, &mut outbox).await?;
                snapshot(&tape, &build, &mut played).await?;
            }
            // The step itself is not read yet: what is said by hand may still come before it.
            let Some(next) = played.when().map_err(RunError::Market)? else { break Ended::MarketOver };
            // The snapshot tells whoever has the tape alone which series have ended.
            let now_ended = played.feed().ended();
            if now_ended > *series_ended.get_or_insert(now_ended) && played.engine.head() > last_snapshot {
                series_ended = Some(now_ended);
                last_snapshot = played.engine.head();
                writer.settle(&mut played.engine, &mut outbox).await?;
                snapshot(&tape, &build, &mut played).await?;
            }
            let wait = metronome.wait(next);
            if wait.is_some() {
                writer.commit(&mut played.engine, &mut outbox).await?;
                writer.flush().await?;
            }
            let by_hand = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break Ended::Stopped,
                spoken = spoken(hands.as_ref()) => Some(spoken),
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => None,
                () = std::future::ready(()), if wait.is_none() => None,
            };
            if let Some(Spoken { source, event, reply }) = by_hand {
                if let Event::Trade(TradeEvent::CloseRequested(close)) = &event
                    && !played.goes_on(Some(close.instrument)).map_err(RunError::Market)?
                {
                    let why = match played.goes_on(None).map_err(RunError::Market)? {
                        true => ended_of(close.instrument),
                        false => OVER.to_owned(),
                    };
                    let _ = reply.send(Err(why));
                    continue;
                }
                let now = played.engine.time().max(head.recorded_at);
                let key = format!("{}/{}", played.engine.head(), event.body());
                let id = ids::fact(id, event.kind().name(), &key);
                played.tell(id, source, now, event, &mut outbox);
                let position = played.engine.head();
                writer.commit(&mut played.engine, &mut outbox).await?;
                writer.flush().await?;
                // Whoever has gone finds it on the tape.
                let _ = reply.send(Ok(position));
                continue;
            }
            played.peek().map_err(RunError::Market)?;
            played.step(&mut outbox);
            if outbox.external.is_some() {
                // As a venue among the units would, it answers a step before anybody else hears it.
                writer.commit(&mut played.engine, &mut outbox).await?;
                writer.flush().await?;
                attend(&mut played, &mut outbox, id, next, Pending::Later, stop).await?;
            }
        };
        writer.settle(&mut played.engine, &mut outbox).await?;
        // A run that was killed at the market's end has not kept that it has ended.
        let untold = ended == Ended::MarketOver && played.engine.done() > feed_from;
        if played.engine.head() > last_snapshot || untold {
            snapshot(&tape, &build, &mut played).await?;
        }
        if !force {
            for &(unit, fence) in &writer.fences {
                // Failing that, the next one waits for the lease to run out.
                let _ = tape.release(unit, fence).await;
            }
        }
        Ok(ended)
    }
}

/// The units that learn what they have not heard, rather than judge it, and up to where: to where the others stand.
async fn learning(
    tape: &Tape,
    hosts: &[Host],
    judged: impl Fn(UnitName) -> Position,
    level: Position,
    head: &Head,
) -> Result<Vec<(UnitName, Position)>, ReadError> {
    let mut learn = Vec::new();
    for host in hosts {
        let cursor = judged(host.unit());
        let how = Joining::new(host.late(), cursor > 0, Clock::Market, *head).filter(|_| cursor < level);
        if let Some(mut how) = how
            && let Some(first) = tape.read(cursor, 1).await?.first()
            && how.learns(first.position, first.recorded_at)
        {
            learn.push((host.unit(), level));
        }
    }
    Ok(learn)
}

/// As [`OVER`], of one instrument while others go on.
pub fn ended_of(instrument: Instrument) -> String {
    format!("the candles of {} have ended: nothing of it is traded any more", instrument.symbol)
}

/// Whether pending requests to the venue are made now: only once every unit has dealt with everything.
enum Pending {
    Now,
    Later,
}

enum Attended {
    Brought,
    Nothing,
    Stopped,
}

/// Lets the venue that is away have its say; everything said so far is committed.
async fn attend<F: Steps>(
    played: &mut Played<F>,
    outbox: &mut Outbox,
    tape: Uuid,
    now: Timestamp,
    pending: Pending,
    stop: &mut watch::Receiver<bool>,
) -> Result<Attended, ExternalVenueError> {
    let Some(external) = &mut outbox.external else { return Ok(Attended::Nothing) };
    match pending {
        Pending::Now => external.take_up(played.engine.hosts()),
        Pending::Later => {}
    }
    let brought = tokio::select! {
        brought = external.settle() => brought?,
        () = overdue(stop) => return Ok(Attended::Stopped),
    };
    if brought.is_empty() {
        return Ok(Attended::Nothing);
    }
    let now = played.engine.time().max(now);
    for foreign in brought {
        match foreign {
            Foreign::Fact(fact) => {
                let Fact { draft, event } = *fact;
                played.tell(draft.id, draft.source, now, event, outbox);
                if let Some(entry) = outbox.entries.last_mut() {
                    (entry.draft.meta, entry.draft.cause) = (draft.meta, draft.cause);
                }
            }
            Foreign::Answer { unit, judge } => {
                let hosts = played.engine.hosts();
                let host = hosts.iter().find(|host| host.unit() == unit);
                let said = host.map_or_else(Vec::new, |host| judge(host, tape, now));
                for (id, event) in said {
                    played.tell(id, unit, now, event, outbox);
                }
            }
        }
    }
    Ok(Attended::Brought)
}

/// Asked to stop, and the venue has not answered for a while.
async fn overdue(stop: &mut watch::Receiver<bool>) {
    // An error says that whoever could ask is gone.
    let _ = stop.wait_for(|stop| *stop).await;
    tokio::time::sleep(ANSWER).await;
}

impl Writer {
    /// Hands everything collected to the tape; the commit before it must have succeeded.
    async fn commit(&mut self, engine: &mut Lockstep, outbox: &mut Outbox) -> Result<(), AppendError> {
        self.last_commit = Instant::now();
        if outbox.entries.is_empty() {
            return Ok(());
        }
        self.append(engine, outbox).await
    }

    /// As [`Self::commit`], and waits for it. Saves the cursors also where nothing was said since: a snapshot must
    /// not stand beyond them.
    async fn settle(&mut self, engine: &mut Lockstep, outbox: &mut Outbox) -> Result<(), AppendError> {
        self.last_commit = Instant::now();
        if !outbox.entries.is_empty() || self.saved < engine.done() {
            self.append(engine, outbox).await?;
        }
        self.flush().await
    }

    async fn append(&mut self, engine: &mut Lockstep, outbox: &mut Outbox) -> Result<(), AppendError> {
        self.flush().await?;
        let done = engine.done();
        self.saved = done;
        let hosts = engine.hosts();
        self.reached.handled(hosts);
        let cursors = self
            .fences
            .iter()
            .map(|&(unit, fence)| CursorMove {
                unit,
                fence,
                // One that stands farther on waits for the others.
                to: hosts.iter().find(|h| h.unit() == unit).map_or(done, |h| h.cursor().max(done)),
                reach: hosts.iter().find(|h| h.unit() == unit).map_or(0, Host::reach),
            })
            .collect();
        let entries = std::mem::take(&mut outbox.entries);
        let commit = Commit { entries, cursors, on_conflict: OnConflict::Fail };
        let tape = self.tape.clone();
        self.under_way = Some(tokio::spawn(async move { tape.append(commit).await }));
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), AppendError> {
        let Some(task) = self.under_way.take() else { return Ok(()) };
        let committed = match task.await {
            Ok(result) => result?,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        self.reached.committed(&committed.head);
        Ok(())
    }
}

/// Renews leases for as long as it lives.
struct Leases(JoinHandle<()>);

impl Leases {
    fn keep(tape: &Tape, fences: Vec<(UnitName, u64)>) -> Self {
        let tape = tape.clone();
        Self(tokio::spawn(async move {
            loop {
                tokio::time::sleep(LEASE / 3).await;
                for &(unit, fence) in &fences {
                    if let Err(e) = tape.renew(unit, fence, LEASE).await {
                        // Whoever lost it finds out at the next commit, which is fenced.
                        tracing::debug!(%unit, "the lease was not renewed: {e}");
                    }
                }
            }
        }))
    }
}

impl Drop for Leases {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Turns market time into waiting.
pub(crate) struct Metronome {
    pace: Pace,
    from: Option<(Instant, Timestamp)>,
}

impl Metronome {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, from: None }
    }

    /// How long until the step at `next` is due.
    pub(crate) fn wait(&mut self, next: Timestamp) -> Option<Duration> {
        let Pace::Times(times) = self.pace else { return None };
        let &mut (start, at) = self.from.get_or_insert_with(|| (Instant::now(), next));
        let due = start + Duration::from_secs_f64(next.since(at).as_secs_f64() / times);
        due.checked_duration_since(Instant::now())
    }
}

fn check<E: std::error::Error + Send + Sync + 'static>(
    opened: &TapeOpened,
    describe: &str,
) -> Result<(), RunError<E>> {
    if opened.clock != Clock::Market {
        return Err(RunError::OtherClock);
    }
    if opened.market != describe {
        return Err(RunError::OtherMarket { recorded: opened.market.clone(), asked: describe.to_owned() });
    }
    Ok(())
}

async fn restore_feed<F: Steps>(
    tape: &Tape,
    build: &str,
    source: UnitName,
    feed: &mut F,
) -> Result<u64, ReadError> {
    let stored = tape.snapshots(u64::MAX).await?;
    let Some(stored) = stored.into_iter().find(|s| s.unit == source && s.tag == build) else { return Ok(0) };
    Ok(if feed.restore(&stored.state).is_ok() { stored.position } else { 0 })
}

/// Every unit's state and the feed's, all at the same quiet, committed position.
async fn snapshot<F: Steps>(tape: &Tape, build: &str, played: &mut Played<F>) -> Result<(), StorageError> {
    let source = played.source();
    let position = played.engine.done();
    let feed = played.feed().snapshot();
    tape.save_snapshot(Snapshot { unit: source, position, tag: build.to_owned(), state: feed }).await?;
    for host in played.engine.hosts() {
        let tag = replica::tag(build, host);
        let state = host.snapshot();
        tape.save_snapshot(Snapshot { unit: host.unit(), position: host.cursor(), tag, state }).await?;
    }
    Ok(())
}
