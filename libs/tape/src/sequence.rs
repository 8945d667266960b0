//! The rules of an append, the same for every backend: which entries are new, where they stand,
//! what time and hash they get.

use crate::{
    AppendError, Hash, Position, chain,
    commit::{Entry, Head, OnConflict, Outcome},
};
use domain::Timestamp;
use events::{Draft, Uuid};
use std::collections::HashMap;

/// What a commit comes to, not yet written.
pub(crate) struct Sequence {
    pub placed: Vec<Placed>,
    pub outcomes: Vec<Outcome>,
    pub head: Head,
}

/// A new row: `entry` is the index of the entry that it is made of. In order of positions.
pub(crate) struct Placed {
    pub entry: usize,
    pub position: Position,
    pub recorded_at: Timestamp,
    pub hash: Hash,
}

/// What stands on the tape under an id.
pub(crate) struct Known {
    pub position: Position,
    pub same_fact: bool,
}

/// Puts `entries` behind `head`.
///
/// `now` is the database's clock, read under the write lock; `known` tells what is recorded already.
/// Times never run backwards: each row's is at least the previous one's.
///
/// # Errors
/// [`AppendError::Conflict`] under [`OnConflict::Fail`].
pub(crate) fn sequence(
    head: &Head,
    now: Timestamp,
    entries: &[Entry],
    on_conflict: OnConflict,
    known: impl Fn(&Draft) -> Option<Known>,
) -> Result<Sequence, AppendError> {
    let mut all = Sequence {
        placed: Vec::with_capacity(entries.len()),
        outcomes: Vec::with_capacity(entries.len()),
        head: *head,
    };
    let mut here = Here::new(entries);
    for (index, entry) in entries.iter().enumerate() {
        let outcome = match known(&entry.draft).or_else(|| here.known(entries, &entry.draft)) {
            None => {
                let position = all.place(index, entry, now);
                here.note(&entry.draft.id, index, position);
                Outcome::Appended(position)
            }
            Some(Known { position, same_fact: true }) => Outcome::Duplicate(position),
            Some(Known { position, same_fact: false }) => match on_conflict {
                OnConflict::Fail => return Err(AppendError::Conflict { id: entry.draft.id, position }),
                OnConflict::Report => Outcome::Conflict(position),
            },
        };
        all.outcomes.push(outcome);
    }
    Ok(all)
}

impl Sequence {
    fn place(&mut self, entry: usize, given: &Entry, now: Timestamp) -> Position {
        let position = self.head.position + 1;
        let recorded_at = given.recorded_at.unwrap_or(now).max(self.head.recorded_at);
        let hash = chain::link(&self.head.hash, position, recorded_at, &given.draft);
        self.head = Head { position, hash, recorded_at };
        self.placed.push(Placed { entry, position, recorded_at, hash });
        position
    }
}

/// The new ids of this very commit. A single entry cannot repeat itself, so nothing is kept for it.
struct Here(Option<HashMap<Uuid, (usize, Position)>>);

impl Here {
    fn new(entries: &[Entry]) -> Self {
        Self((entries.len() > 1).then(|| HashMap::with_capacity(entries.len())))
    }
    fn known(&self, entries: &[Entry], draft: &Draft) -> Option<Known> {
        let &(index, position) = self.0.as_ref()?.get(&draft.id)?;
        Some(Known { position, same_fact: entries[index].draft.same_fact(draft) })
    }
    fn note(&mut self, id: &Uuid, index: usize, position: Position) {
        if let Some(ids) = &mut self.0 {
            ids.insert(*id, (index, position));
        }
    }
}
