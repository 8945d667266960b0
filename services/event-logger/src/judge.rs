//! Whether a refused copy of a fact really contradicts the tape.

use crate::record::Fact;
use tape::{Committed, Outcome, ReadError, Tape};

/// A database compares a copy with the recorded one letter by letter. What it calls a conflict is
/// read again here, and is a duplicate if the two agree in all that every source carries.
///
/// # Errors
/// The tape cannot be read; ask again.
pub async fn judge(tape: &Tape, facts: &[Fact], committed: &mut Committed) -> Result<(), ReadError> {
    for (fact, outcome) in facts.iter().zip(&mut committed.outcomes) {
        let Outcome::Conflict(position) = *outcome else { continue };
        let recorded = tape.read(position.saturating_sub(1), 1).await?;
        if recorded.first().is_some_and(|row| row.draft.same_fact(&fact.draft)) {
            *outcome = Outcome::Duplicate(position);
        }
    }
    Ok(())
}
