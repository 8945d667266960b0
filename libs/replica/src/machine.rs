//! The machine as its driver sees it.

use crate::{Effect, Fault, Reply, leader::Leader, recovery::Recovery};
use domain::Timestamp;
use events::{Hash, Position, Row, TapeOpened};
use service::{Back, Host};
use std::sync::Arc;
use tape::{Cursor, Head};

/// What an incarnation is born with.
pub struct Incarnation {
    /// Gives the unit anew, at the beginning of the tape.
    pub make: Arc<dyn Fn() -> Host + Send + Sync>,
    pub build: String,
    /// As it stood when the fence was given; nobody else has moved it since.
    pub cursor: Cursor,
    /// Position 1 of the tape.
    pub opened: TapeOpened,
    /// The last row that this replica has heard in any of its incarnations; [`Head::EMPTY`] if none.
    pub known: Head,
    /// Whether the unit has hands here that are told what it hears; only a sink's are.
    pub hands: bool,
    pub limits: Limits,
}

/// How much at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Rows that one read takes while it hears.
    pub group: usize,
    /// Positions heard between snapshots.
    pub snapshot_every: u64,
    /// A unit this many positions behind is catching up.
    pub behind: u64,
}

/// What has happened since it was last asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events that reached the core.
    pub handled: u64,
    /// Times that the bus missed something, which is read from the tape.
    pub gaps: u64,
    /// Rows that the bus gave again.
    pub duplicates: u64,
}

/// What comes by itself.
pub enum Input<'a> {
    /// A row from the bus: perhaps again, too early, or of another copy of the tape.
    Hint(&'a Row),
    /// The bus has lost something.
    Missed,
    /// The bus holds this row as its last: the tape is to have it too.
    Latest { position: Position, hash: Hash },
    /// The tape goes on, or may: read there.
    Read,
    /// Compare with the tape's end, whatever the bus tells.
    Look,
    /// A cursor that has moved without a word has waited long enough to be saved.
    Tick,
    /// What a sink's hands bring, and the driver's time; only while the leader [may judge](Leader::may_judge).
    /// Of another incarnation it is void.
    Bring(Back, Timestamp),
    /// Nothing is heard any more: what was begun is committed, a snapshot saved, and then nothing is asked for.
    Stop,
}

/// One incarnation of a replica: comes back from the tape, then hears and answers.
pub struct Machine {
    stage: Stage,
    stopped: bool,
}

enum Stage {
    Recovering(Box<Recovery>),
    Leading(Box<Leader>),
}

impl Machine {
    pub fn new(incarnation: Incarnation) -> Self {
        Self { stage: Stage::Recovering(Box::new(Recovery::new(incarnation))), stopped: false }
    }

    /// What to do next; `None` while an effect is under way, and when there is nothing to do.
    ///
    /// # Errors
    /// The incarnation is over, with everything committed that could be.
    pub fn ask(&mut self) -> Result<Option<Effect>, Fault> {
        match &mut self.stage {
            // Nothing has been said yet: it may be left at any moment.
            Stage::Recovering(_) if self.stopped => Ok(None),
            Stage::Recovering(recovery) => Ok(recovery.ask()),
            Stage::Leading(leader) => leader.ask(),
        }
    }

    /// The answer to what was asked; `now` is the driver's clock, which counts on a wall clock only.
    ///
    /// # Errors
    /// The incarnation is over.
    pub fn reply(&mut self, reply: Reply, now: Timestamp) -> Result<(), Fault> {
        match &mut self.stage {
            Stage::Recovering(recovery) => {
                if let Some(leader) = recovery.reply(reply)? {
                    self.stage = Stage::Leading(Box::new(leader));
                }
                Ok(())
            }
            Stage::Leading(leader) => leader.reply(reply, now),
        }
    }

    /// Whatever comes by itself. On the way back only a stop counts: all else is on the tape.
    pub fn give(&mut self, input: Input<'_>) {
        self.stopped |= matches!(input, Input::Stop);
        if let Stage::Leading(leader) = &mut self.stage {
            leader.give(input);
        }
    }

    /// Whoever hears and answers, once it has come back from the tape.
    pub fn leader(&self) -> Option<&Leader> {
        match &self.stage {
            Stage::Recovering(_) => None,
            Stage::Leading(leader) => Some(leader),
        }
    }

    /// The last row heard in this incarnation or, before that, in an earlier one.
    pub fn known(&self) -> Head {
        match &self.stage {
            Stage::Recovering(recovery) => recovery.known(),
            Stage::Leading(leader) => leader.known(),
        }
    }

    pub fn take_counts(&mut self) -> Counts {
        match &mut self.stage {
            Stage::Recovering(_) => Counts::default(),
            Stage::Leading(leader) => leader.take_counts(),
        }
    }
}
