//! Putting facts of the world onto the tape.

use domain::Timestamp;
use events::{Clock, Draft, Position};
use replica::{Fact, Recorder};
use tape::{Commit, Committed, CursorMove, OnConflict, Outcome, Tape};

/// What became of facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recording {
    /// Of each fact, in order.
    pub outcomes: Vec<Outcome>,
    /// The tape's end afterwards, if anything was asked of it.
    pub head: Position,
    /// Contradictions that were not known before.
    pub conflicts: usize,
}

/// Records facts, each once. Of those that contradict the tape it records that they do, and halts the accounts
/// concerned, in a second commit. Both commits move `cursors`, so they are made only under their fences.
///
/// May be tried again as a whole.
///
/// # Errors
/// A lost fence, or a tape that cannot take it.
pub async fn record_facts(
    tape: &Tape,
    recorder: &Recorder,
    facts: &[Fact],
    cursors: &[CursorMove],
) -> Result<Recording, replica::Fault> {
    if facts.is_empty() {
        return Ok(Recording::default());
    }
    let told = commit(tape, recorder, facts, cursors).await?;
    let mut recording = Recording { outcomes: told.outcomes, head: told.head.position, conflicts: 0 };
    let conflicts = recorder.conflicts(facts, &recording.outcomes);
    if conflicts.is_empty() {
        return Ok(recording);
    }
    let told = commit(tape, recorder, &conflicts, cursors).await?;
    recording.head = told.head.position;
    for (fact, outcome) in conflicts.iter().zip(&told.outcomes) {
        if let (events::Event::Tape(_), Outcome::Appended(position)) = (&fact.event, outcome) {
            recording.conflicts += 1;
            differs(&fact.draft, *position);
        }
    }
    Ok(recording)
}

async fn commit(
    tape: &Tape,
    recorder: &Recorder,
    facts: &[Fact],
    cursors: &[CursorMove],
) -> Result<Committed, replica::Fault> {
    let now = match recorder.clock {
        Clock::Market => tape.head().await?.recorded_at,
        Clock::Wall => Timestamp::ZERO,
    };
    let entries = facts.iter().map(|fact| recorder.entry(fact.draft.clone(), now)).collect();
    let commit = Commit { entries, cursors: cursors.to_vec(), on_conflict: OnConflict::Report };
    Ok(tape.append(commit).await?)
}

/// Alarms whoever reads the log.
pub fn differs(refused: &Draft, position: Position) {
    tracing::error!(position, "two copies of one fact differ: {}", refused.body);
}
