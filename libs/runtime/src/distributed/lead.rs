//! Driving a [`Machine`]: what it asks for is done on the tape, what the bus, the hands and the clock bring is
//! given to it.

use super::{
    Replica, UnitPhase, leadership::Leadership, lease::Lease, machine_clock, record::differs, status::Count,
    stop::Stop,
};
use bus::{Bus, Hint, Subscription};
use events::Position;
use replica::{Effect, Fault, Incarnation, Input, Leader, Limits, Machine, Reply};
use service::Back;
use tape::{Commit, Committed, Head, Outcome, Tape};
use tokio::{
    sync::{OwnedMutexGuard, mpsc, watch},
    time::{Instant, MissedTickBehavior, interval},
};

/// Looks at the tape that others' commits may cause without a pause between them.
const LOOKS_AT_ONCE: u32 = 12;

struct Driver<'a> {
    replica: &'a Replica,
    machine: Machine,
    /// The last row heard, for the incarnations to come.
    known: &'a mut Head,
    phase: UnitPhase,
    saved_at: Instant,
    /// How far the looks at the tape so far are paid for, at one each [`super::Limits::again`].
    looks_until: Instant,
}

/// Until asked to stop, or after a fault. `known` is kept up to date.
pub(super) async fn lead(
    replica: &Replica,
    lease: &Lease,
    known: &mut Head,
    mut stop: Stop,
) -> Result<(), Fault> {
    replica.leadership.status.enter(UnitPhase::Recovering);
    let opened = lease.opened()?.clone();
    let super::Limits { group, snapshot_every, behind, .. } = replica.leadership.limits;
    let machine = Machine::new(Incarnation {
        make: replica.make.clone(),
        build: replica.build.clone(),
        cursor: lease.cursor.clone(),
        opened: opened.clone(),
        known: *known,
        hands: replica.hands.is_some(),
        limits: Limits { group, snapshot_every, behind },
    });
    let mut driver = Driver {
        replica,
        machine,
        known,
        phase: UnitPhase::Recovering,
        saved_at: Instant::now(),
        looks_until: Instant::now(),
    };
    driver.work(&stop).await?;
    if stop.is_asked() {
        return Ok(());
    }
    let mut hints = replica.leadership.bus.subscribe(opened.tape);
    // The leader before this one has gone, or will soon: its receiver is free then.
    let mut backs = match &replica.hands {
        Some(hands) => Some(hands.back.clone().lock_owned().await),
        None => None,
    };
    driver.machine.give(Input::Read);
    driver.listen(&mut hints, &mut backs, &mut stop).await
}

impl Driver<'_> {
    async fn listen(
        &mut self,
        hints: &mut Subscription,
        backs: &mut Option<OwnedMutexGuard<mpsc::Receiver<Back>>>,
        stop: &mut Stop,
    ) -> Result<(), Fault> {
        let mut commits = watch_others(&self.replica.leadership.tape);
        let mut poll = interval(self.replica.leadership.limits.poll);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.work(stop).await?;
            if stop.is_asked() {
                return Ok(());
            }
            let place = self.known.position;
            tokio::select! {
                biased;
                () = stop.asked() => {}
                // What has come by the bus meanwhile is no gap.
                _ = poll.tick() => match hints.try_next() {
                    Some(hint) => self.gather(hint, hints),
                    None => self.machine.give(Input::Look),
                },
                Some(back) = brought(backs), if self.is(Leader::may_judge) => {
                    self.machine.give(Input::Bring(back, machine_clock()));
                }
                Some(hint) = hints.next() => self.gather(hint, hints),
                () = beyond(&mut commits, place, self.next_look()) => {
                    self.machine.give(Input::Read);
                }
            }
            if self.saved_at.elapsed() >= self.replica.leadership.limits.save {
                self.machine.give(Input::Tick);
            }
        }
    }

    /// Does whatever the machine asks for, until there is nothing to do.
    async fn work(&mut self, stop: &Stop) -> Result<(), Fault> {
        loop {
            if stop.is_asked() {
                if self.phase != UnitPhase::Stopping {
                    self.enter(UnitPhase::Stopping);
                }
                self.machine.give(Input::Stop);
            }
            let asked = self.machine.ask()?;
            self.note();
            let Some(effect) = asked else { return Ok(()) };
            if let Some(reply) = self.perform(effect).await? {
                self.machine.reply(reply, machine_clock())?;
            }
            *self.known = self.machine.known();
        }
    }

    async fn perform(&mut self, effect: Effect) -> Result<Option<Reply>, Fault> {
        let leadership = &self.replica.leadership;
        let Leadership { tape, status, limits, .. } = leadership;
        Ok(Some(match effect {
            Effect::Read { after, limit } => {
                self.looks_until = self.looks_until.max(Instant::now()) + limits.again;
                let rows = leadership.insist(|| tape.read(after, limit)).await?;
                // A tape in memory never waits, but others do.
                tokio::task::yield_now().await;
                Reply::Rows(rows)
            }
            Effect::OfKind(kind) => Reply::Rows(leadership.insist(|| tape.of_kind(kind)).await?),
            Effect::ById(id) => {
                Reply::Rows(leadership.insist(|| tape.by_id(id)).await?.into_iter().collect())
            }
            Effect::Snapshots(at_most) => {
                Reply::Snapshots(leadership.insist(|| tape.snapshots(at_most)).await?)
            }
            Effect::Head => {
                let head = leadership.insist(|| tape.head()).await?;
                status.head(&head);
                Reply::Head(head)
            }
            Effect::Append(commit) => {
                let committed = leadership.insist(|| tape.append(commit.clone())).await?;
                status.head(&committed.head);
                self.saved_at = Instant::now();
                publish(leadership, &commit, &committed).await;
                Reply::Committed(committed)
            }
            Effect::Save(snapshot) => {
                let (unit, position) = (snapshot.unit, snapshot.position);
                match tape.save_snapshot(snapshot).await {
                    Ok(()) => status.add(Count::Snapshots, 1),
                    Err(e) => tracing::warn!(%unit, "no snapshot at position {position}: {e}"),
                }
                Reply::Saved
            }
            Effect::Tell(news) => {
                if let (Some(hands), Some(leader)) = (&self.replica.hands, self.machine.leader()) {
                    news.into_iter().for_each(|news| (hands.told)(leader.host(), news));
                }
                return Ok(None);
            }
        }))
    }

    /// Takes a hint and those that have come with it.
    fn gather(&mut self, first: Hint, hints: &mut Subscription) {
        let mut next = Some(first);
        for n in 1..=self.replica.leadership.limits.group {
            self.machine.give(match &next {
                Some(Hint::Row(row)) => Input::Hint(row),
                Some(Hint::Missed(_)) => Input::Missed,
                &Some(Hint::Latest { position, hash }) => Input::Latest { position, hash },
                None => break,
            });
            // The bus need not give what is read from the tape.
            if self.is(Leader::is_behind) || n == self.replica.leadership.limits.group {
                break;
            }
            next = hints.try_next();
        }
        *self.known = self.machine.known();
    }

    /// A few looks may follow each other at once, as the events of one chain do; on the whole there
    /// are no more than one in each `again`, and what the bus tells meanwhile needs none.
    fn next_look(&self) -> Instant {
        self.looks_until
            .checked_sub(self.replica.leadership.limits.again * LOOKS_AT_ONCE)
            .unwrap_or(self.looks_until)
    }

    /// Tells what the machine has come to.
    fn note(&mut self) {
        let status = &self.replica.leadership.status;
        let counts = self.machine.take_counts();
        status.add(Count::Handled, counts.handled);
        status.add(Count::GapsRead, counts.gaps);
        status.add(Count::DuplicatesDropped, counts.duplicates);
        if let Some(place) = self.machine.leader().and_then(Leader::settled_at) {
            status.heard(&place);
        }
        if self.phase != UnitPhase::Stopping {
            let caught_up = self.is(Leader::is_caught_up);
            self.enter(if caught_up { UnitPhase::Running } else { UnitPhase::Recovering });
        }
    }

    fn is(&self, so: impl Fn(&Leader) -> bool) -> bool {
        self.machine.leader().is_some_and(so)
    }

    fn enter(&mut self, phase: UnitPhase) {
        if self.phase != phase {
            self.phase = phase.clone();
            self.replica.leadership.status.enter(phase);
        }
    }
}

/// Rows of one commit stand side by side. A hint that cannot be given is found on the tape.
async fn publish(leadership: &Leadership, commit: &Commit, committed: &Committed) {
    let mut new = Vec::new();
    for (entry, outcome) in commit.entries.iter().zip(&committed.outcomes) {
        match outcome {
            Outcome::Appended(position) => new.push(*position),
            Outcome::Duplicate(_) => {}
            Outcome::Conflict(position) => differs(&entry.draft, *position),
        }
    }
    leadership.status.add(Count::Said, new.len() as u64);
    // Between processes the recorder publishes.
    if let (Some(first), Bus::InProcess(_)) = (new.first(), &leadership.bus)
        && let Ok(rows) = leadership.tape.read(first - 1, new.len()).await
    {
        leadership.bus.publish(rows);
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
