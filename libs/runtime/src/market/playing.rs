//! A market that plays: from the tape as it stands to the end of the candles, turn by turn.

use super::{
    Ended, Hands, Market, Metronome, OVER, RunError, Spoken, ended_of,
    writer::{LEASE, Leases, Outbox, Writer, snapshot},
};
use crate::{
    distributed::UnitPhase,
    external_venue::Foreign,
    recover::{self, Plan},
};
use domain::{Timestamp, UnitName};
use events::{Clock, Event, Position, Recorded, TapeOpened, TradeEvent, Uuid, ids};
use replica::{Fact, Joining};
use service::{Host, Lockstep, Played, Resumed, Steps, Walk, Worked};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};
use tape::{AppendError, Head, ReadError, Tape};
use tokio::sync::watch;

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

/// The engine, its feed, and what it has said.
pub(super) struct Playing<F: Steps> {
    tape: Tape,
    id: Uuid,
    build: String,
    played: Played<F>,
    outbox: Outbox,
    writer: Writer,
    hands: Option<Hands>,
    metronome: Metronome,
    /// The time of the tape when the run began.
    began: Timestamp,
    /// How far the feed had come then.
    feed_from: Position,
    last_snapshot: Position,
    /// How many series have ended, as far as a snapshot tells.
    series_ended: Option<usize>,
    /// A tape that others could write, too: its leases are given back.
    is_shared: bool,
    _leases: Leases,
}

impl<F: Steps> Playing<F> {
    /// Recovers the units and takes their leases; `None` where it is asked to stop before anything is said.
    pub(super) async fn begin(
        market: Market<F>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Option<Self>, RunError<F::Error>> {
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
        } = market;
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
        let is_shared = matches!(tape, Tape::Postgres(_));
        let fences = tape.acquire_all(&units, &owner, LEASE, !is_shared).await?;
        let fences: Vec<(UnitName, u64)> = fences.into_iter().map(|c| (c.unit, c.fence)).collect();
        let leases = Leases::keep(&tape, fences.clone());
        let mut outbox = Outbox { entries: Vec::new(), reached: reached.clone(), observer, external };
        let writer = Writer {
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
            _ = stop.wait_for(|stop| *stop) => return Ok(None),
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

        let mut playing = Self {
            tape,
            id,
            build,
            played,
            outbox,
            writer,
            hands,
            metronome: Metronome::new(pace),
            began: head.recorded_at,
            feed_from,
            last_snapshot: head.position,
            series_ended: None,
            is_shared,
            _leases: leases,
        };
        // Of a step that was committed before the end of the last run the venue has its say first, too.
        playing.attend(now, Pending::Later, stop).await?;
        Ok(Some(playing))
    }

    /// One round: all units hear what was said, then the next thing comes in: the venue's word, the owner's, or the
    /// market's next step. Why it has ended, if it has.
    pub(super) async fn turn(
        &mut self,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Option<Ended>, RunError<F::Error>> {
        let worked = self.played.work_or_hold(TURNS, &mut self.outbox).map_err(RunError::Market)?;
        if let Worked::Held(position) = worked {
            tracing::warn!(
                "position {position}: the close that was asked for is not heard, for no candle follows: the \
                 stops stay until the market goes on"
            );
            return Ok(Some(Ended::MarketOver));
        }
        if self.outbox.entries.len() >= BATCH || self.writer.last_commit.elapsed() >= COMMIT_EVERY {
            self.writer.commit(&mut self.played.engine, &mut self.outbox).await?;
        }
        if worked != Worked::Quiet {
            return Ok(None);
        }
        if *stop.borrow() {
            return Ok(Some(Ended::Stopped));
        }
        match self.attend(self.began, Pending::Now, stop).await? {
            Attended::Brought => return Ok(None),
            Attended::Nothing => {}
            Attended::Stopped => return Ok(Some(Ended::Stopped)),
        }
        // Before the next step is read, so that the feed's state is that of this position.
        if self.played.engine.head() >= self.last_snapshot + SNAPSHOT_EVERY {
            self.snapshot().await?;
        }
        // The step itself is not read yet: what is said by hand may still come before it.
        let Some(next) = self.played.when().map_err(RunError::Market)? else {
            if let Some(external) = &mut self.outbox.external {
                external.over();
            }
            return Ok(match self.attend(self.began, Pending::Now, stop).await? {
                Attended::Brought => None,
                Attended::Nothing | Attended::Stopped => Some(Ended::MarketOver),
            });
        };
        // The snapshot tells whoever has the tape alone which series have ended.
        let now_ended = self.played.feed().ended();
        if now_ended > *self.series_ended.get_or_insert(now_ended)
            && self.played.engine.head() > self.last_snapshot
        {
            self.series_ended = Some(now_ended);
            self.snapshot().await?;
        }
        let wait = self.metronome.wait(next);
        if wait.is_some() {
            self.commit().await?;
        }
        let by_hand = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return Ok(Some(Ended::Stopped)),
            spoken = spoken(self.hands.as_ref()) => Some(spoken),
            () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => None,
            () = std::future::ready(()), if wait.is_none() => None,
        };
        match by_hand {
            Some(spoken) => self.hear(spoken).await?,
            None => {
                self.played.peek().map_err(RunError::Market)?;
                self.played.step(&mut self.outbox);
                // As a venue among the units would, it answers a step before anybody else hears it.
                self.attend(next, Pending::Later, stop).await?;
            }
        }
        Ok(None)
    }

    /// What was said by hand becomes part of the sequence, and whoever said it is told where it stands.
    async fn hear(&mut self, Spoken { source, event, reply }: Spoken) -> Result<(), RunError<F::Error>> {
        if let Event::Trade(TradeEvent::CloseRequested(close)) = &event
            && !self.played.goes_on(Some(close.instrument)).map_err(RunError::Market)?
        {
            let why = match self.played.goes_on(None).map_err(RunError::Market)? {
                true => ended_of(close.instrument),
                false => OVER.to_owned(),
            };
            let _ = reply.send(Err(why));
            return Ok(());
        }
        let now = self.played.engine.time().max(self.began);
        let key = format!("{}/{}", self.played.engine.head(), event.body());
        let id = ids::fact(self.id, event.kind().name(), &key);
        self.played.tell(id, source, now, event, &mut self.outbox);
        let position = self.played.engine.head();
        self.commit().await?;
        // Whoever has gone finds it on the tape.
        let _ = reply.send(Ok(position));
        Ok(())
    }

    /// Everything said so far is on the tape when it returns.
    async fn commit(&mut self) -> Result<(), AppendError> {
        self.writer.commit(&mut self.played.engine, &mut self.outbox).await?;
        self.writer.flush().await
    }

    async fn snapshot(&mut self) -> Result<(), RunError<F::Error>> {
        self.last_snapshot = self.played.engine.head();
        self.writer.settle(&mut self.played.engine, &mut self.outbox).await?;
        Ok(snapshot(&self.tape, &self.build, &mut self.played).await?)
    }

    /// The run is over: what was said is committed, and the next one finds where it ended.
    pub(super) async fn finish(mut self, ended: Ended) -> Result<(), RunError<F::Error>> {
        self.writer.settle(&mut self.played.engine, &mut self.outbox).await?;
        // A run that was killed at the market's end has not kept that it has ended.
        let untold = ended == Ended::MarketOver && self.played.engine.done() > self.feed_from;
        if self.played.engine.head() > self.last_snapshot || untold {
            snapshot(&self.tape, &self.build, &mut self.played).await?;
        }
        if self.is_shared {
            for &(unit, fence) in &self.writer.fences {
                // Failing that, the next one waits for the lease to run out.
                let _ = self.tape.release(unit, fence).await;
            }
        }
        Ok(())
    }

    /// Lets a venue that is away have its say, once everything said so far is committed.
    async fn attend(
        &mut self,
        now: Timestamp,
        pending: Pending,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Attended, RunError<F::Error>> {
        if self.outbox.external.is_none() {
            return Ok(Attended::Nothing);
        }
        self.commit().await?;
        let Self { played, outbox, id, .. } = self;
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
                    let said = host.map_or_else(Vec::new, |host| judge(host, *id, now));
                    for (id, event) in said {
                        played.tell(id, unit, now, event, outbox);
                    }
                }
            }
        }
        Ok(Attended::Brought)
    }
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

/// What has been said by hand and not been taken.
async fn spoken(hands: Option<&Hands>) -> Spoken {
    if let Some(hands) = hands
        && let Some(spoken) = hands.next().await
    {
        return spoken;
    }
    std::future::pending().await
}

/// Asked to stop, and the venue has not answered for a while.
async fn overdue(stop: &mut watch::Receiver<bool>) {
    // An error says that whoever could ask is gone.
    let _ = stop.wait_for(|stop| *stop).await;
    tokio::time::sleep(ANSWER).await;
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
