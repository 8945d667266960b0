//! Speaking for a unit: hearing what is on the tape, in order, and answering it.

use super::{
    Replica, UnitPhase,
    hands::Back,
    lease::Lease,
    resume::{self, Beginning, place, takes},
    speak::Speaker,
    status::Count,
    stop::Stop,
    trouble::{Trouble, insist},
    witness,
};
use bus::{Hint, Subscription};
use events::{Event, Position, Row, Uuid};
use service::{Arrival, Host};
use std::sync::Arc;
use tape::{Head, Snapshot, Tape, chain};
use tokio::{
    sync::{OwnedMutexGuard, mpsc, watch},
    time::{Instant, MissedTickBehavior, interval},
};

/// Looks at the tape that others' commits may cause without a pause between them.
const LOOKS_AT_ONCE: u32 = 12;

struct Leader<'a> {
    replica: &'a Replica,
    /// The tape's own id.
    tape: Uuid,
    host: Host,
    speaker: Speaker<'a>,
    /// The last row heard.
    place: Head,
    /// The same, for the incarnations to come.
    known: &'a mut Head,
    snapshot: Position,
    said: Vec<Event>,
    /// How far the looks at the tape so far are paid for, at one each [`super::Limits::again`].
    looks_until: Instant,
}

/// What ends a wait.
enum Call {
    Poll,
    Hint(Hint),
    /// The tape goes on, as its database tells.
    Committed,
    /// A sink's hands bring something.
    Back(Back),
}

/// Until asked to stop, or in trouble. `known` is kept up to date.
pub(super) async fn lead(
    replica: &Replica,
    lease: &Lease,
    known: &mut Head,
    mut stop: Stop,
) -> Result<(), Trouble> {
    replica.status.enter(UnitPhase::Recovering);
    let Some(opened) = &lease.opened else {
        return Err(Trouble::Away("the tape is empty: nobody has opened it yet".to_owned()));
    };
    let Beginning { host, must_start, place, snapshot } = resume::resume(replica, lease, known).await?;
    let speaker = Speaker::new(replica, lease, opened);
    let mut leader = Leader {
        replica,
        tape: opened.tape,
        host,
        speaker,
        place,
        known,
        snapshot,
        said: Vec::new(),
        looks_until: Instant::now(),
    };
    replica.status.heard(&place);
    if must_start {
        leader.start().await?;
    }
    leader.speaker.recovered(&leader.host);
    leader.listen(&mut stop).await?;
    replica.status.enter(UnitPhase::Stopping);
    leader.flush(true).await?;
    if leader.place.position > leader.snapshot {
        leader.save_snapshot().await?;
    }
    Ok(())
}

impl Leader<'_> {
    async fn start(&mut self) -> Result<(), Trouble> {
        let Replica { tape, status, limits, .. } = self.replica;
        let head = insist(status, limits, || tape.head()).await?;
        self.speaker.started(&self.host, &head);
        self.speaker.flush(&mut self.host, true).await
    }

    async fn listen(&mut self, stop: &mut Stop) -> Result<(), Trouble> {
        let mut hints = self.replica.bus.subscribe(self.tape);
        let mut commits = watch_others(&self.replica.tape);
        let mut poll = interval(self.replica.limits.poll);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Whoever led before has gone, or will soon: its receiver is free then.
        let mut backs = match &self.replica.hands {
            Some(hands) => Some(hands.back.clone().lock_owned().await),
            None => None,
        };
        let mut behind = true;
        while !stop.is_asked() {
            if behind {
                behind = self.read_on().await?;
                continue;
            }
            let call = tokio::select! {
                biased;
                () = stop.asked() => break,
                _ = poll.tick() => Call::Poll,
                // A state that has not heard all that its unit has said must not judge.
                Some(back) = brought(&mut backs), if self.host.has_heard_itself() => Call::Back(back),
                Some(hint) = hints.next() => Call::Hint(hint),
                () = beyond(&mut commits, self.place.position, self.next_look()) => {
                    Call::Committed
                }
            };
            behind = match call {
                Call::Committed => true,
                Call::Back(back) => {
                    self.speaker.bring(&mut self.host, back).await?;
                    true
                }
                Call::Hint(hint) => self.gather(hint, &mut hints).await?,
                // What has come by the bus meanwhile is no gap.
                Call::Poll => match hints.try_next() {
                    Some(hint) => self.gather(hint, &mut hints).await?,
                    None => self.look().await?,
                },
            };
            self.flush(false).await?;
        }
        Ok(())
    }

    /// A few looks may follow each other at once, as the events of one chain do; on the whole there
    /// are no more than one in each `again`, and what the bus tells meanwhile needs none.
    fn next_look(&self) -> Instant {
        self.looks_until.checked_sub(self.replica.limits.again * LOOKS_AT_ONCE).unwrap_or(self.looks_until)
    }

    /// Compares with the tape's end. All three return whether something is left to read there.
    async fn look(&mut self) -> Result<bool, Trouble> {
        let Replica { tape, status, limits, .. } = self.replica;
        let head = insist(status, limits, || tape.head()).await?;
        status.head(&head);
        self.speaker.reaches(head.position);
        let Some(lag) = head.position.checked_sub(self.place.position) else {
            return Err(Trouble::rewritten(self.place.position));
        };
        if lag > limits.behind {
            status.enter(UnitPhase::Recovering);
        }
        if lag > 0 {
            status.add(Count::GapsRead, 1);
        }
        Ok(lag > 0)
    }

    /// Takes a hint and those that have come with it.
    async fn gather(&mut self, first: Hint, hints: &mut Subscription) -> Result<bool, Trouble> {
        let mut next = Some(first);
        for _ in 0..self.replica.limits.group {
            let Some(hint) = next else { break };
            let behind = match hint {
                Hint::Latest { position, hash } => {
                    let Replica { tape, status, limits, .. } = self.replica;
                    let same = witness::compare(tape, position, &hash, status, limits).await;
                    same.map(|()| position > self.place.position)
                }
                hint => self.hear(&hint),
            };
            if self.settled(behind).await? {
                return Ok(true);
            }
            next = hints.try_next();
        }
        // One that was taken from the bus and not heard is read from the tape.
        Ok(next.is_some())
    }

    /// The tape decides order, the bus only hints.
    fn hear(&mut self, hint: &Hint) -> Result<bool, Trouble> {
        let status = &self.replica.status;
        let row: &Arc<Row> = match hint {
            Hint::Row(row) => row,
            Hint::Missed(_) | Hint::Latest { .. } => {
                status.add(Count::GapsRead, 1);
                return Ok(true);
            }
        };
        match self.host.arrival(row.position) {
            Arrival::Duplicate => {
                status.add(Count::DuplicatesDropped, 1);
                Ok(false)
            }
            Arrival::Next if chain::holds(&self.place.hash, row) => self.take(row).map(|()| false),
            Arrival::Next | Arrival::Gap { .. } => {
                status.add(Count::GapsRead, 1);
                Ok(true)
            }
        }
    }

    /// Reads on from the tape.
    async fn read_on(&mut self) -> Result<bool, Trouble> {
        let Replica { tape, status, limits, .. } = self.replica;
        let after = self.place.position;
        self.looks_until = self.looks_until.max(Instant::now()) + limits.again;
        let rows = insist(status, limits, || tape.read(after, limits.group)).await?;
        if rows.first().is_some_and(|first| !chain::holds(&self.place.hash, first)) {
            return Err(Trouble::rewritten(after));
        }
        let taken = rows.iter().try_for_each(|row| self.take(row));
        self.settled(taken).await?;
        self.flush(false).await?;
        // A tape in memory never waits, but others do.
        tokio::task::yield_now().await;
        let behind = rows.len() == limits.group;
        if !behind {
            status.enter(UnitPhase::Running);
        }
        Ok(behind)
    }

    /// Before giving up at an event that cannot be read, what came before it is committed.
    async fn settled<T>(&mut self, taken: Result<T, Trouble>) -> Result<T, Trouble> {
        if taken.is_err() {
            self.flush(true).await?;
        }
        taken
    }

    /// Hears the next row.
    fn take(&mut self, row: &Row) -> Result<(), Trouble> {
        if takes(&self.host, row) {
            let event = row.decode().map_err(|why| Trouble::undecodable(row.position, &why))?;
            self.host.handle(&event, &mut self.said);
            self.speaker.answer(event, self.said.drain(..), &self.host);
            self.replica.status.add(Count::Handled, 1);
        } else {
            self.host.settle(row.position, self.host.said_through());
        }
        self.place = place(row);
        *self.known = self.place;
        self.speaker.reaches(row.position);
        Ok(())
    }

    async fn flush(&mut self, save: bool) -> Result<(), Trouble> {
        self.speaker.flush(&mut self.host, save).await?;
        self.replica.status.heard(&self.place);
        if self.place.position >= self.snapshot + self.replica.limits.snapshot_every {
            self.save_snapshot().await?;
        }
        Ok(())
    }

    /// Of what is committed only. One that cannot be written costs time at the next start, no more.
    async fn save_snapshot(&mut self) -> Result<(), Trouble> {
        self.speaker.flush(&mut self.host, true).await?;
        let Replica { tape, build, status, .. } = self.replica;
        self.snapshot = self.place.position;
        let (unit, position) = (self.host.unit(), self.host.cursor());
        let tag = crate::recover::tag(build, &self.host);
        let state = self.host.snapshot();
        match tape.save_snapshot(Snapshot { unit, position, tag, state }).await {
            Ok(()) => status.add(Count::Snapshots, 1),
            Err(e) => tracing::warn!(%unit, "no snapshot at position {position}: {e}"),
        }
        Ok(())
    }
}

/// What hands bring; nothing ever, where there are none.
async fn brought(backs: &mut Option<OwnedMutexGuard<mpsc::Receiver<Back>>>) -> Option<Back> {
    match backs {
        Some(backs) => backs.recv().await,
        None => None,
    }
}

/// Of a tape that other processes write: how far it is known to go. Whatever this process commits
/// on another comes by the bus.
fn watch_others(tape: &Tape) -> Option<watch::Receiver<Position>> {
    match tape {
        Tape::Memory(_) | Tape::Sqlite(_) => None,
        Tape::Postgres(_) => Some(tape.watch()),
    }
}

/// Waits until the tape goes beyond `place` and it is `not_before`; by then the bus may have told more.
async fn beyond(commits: &mut Option<watch::Receiver<Position>>, place: Position, not_before: Instant) {
    let told = match commits {
        Some(commits) => commits.wait_for(|head| *head > place).await.is_ok(),
        None => false,
    };
    if !told {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep_until(not_before).await;
}
