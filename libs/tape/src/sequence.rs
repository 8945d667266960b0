//! The rules of an append, the same for every backend: which entries are new, where they stand,
//! what time and hash they get.

use crate::{
    AppendError, Hash, Position, chain,
    commit::{Commit, Entry, Head, OnConflict, Outcome},
};
use domain::Timestamp;
use events::{Draft, Uuid};
use std::collections::HashMap;

/// A new row: `entry` is the index of the entry that it is made of.
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

/// Puts the entries of a commit behind a head, one after the other.
pub(crate) struct Sequence<'c> {
    entries: &'c [Entry],
    on_conflict: OnConflict,
    now: Timestamp,
    here: Here,
    /// The last row so far.
    pub head: Head,
    /// Of the entries so far.
    pub outcomes: Vec<Outcome>,
}

impl<'c> Sequence<'c> {
    /// `now` is the database's clock, read under the write lock.
    pub(crate) fn new(head: Head, now: Timestamp, commit: &'c Commit) -> Self {
        let Commit { entries, on_conflict, .. } = commit;
        let outcomes = Vec::with_capacity(entries.len());
        Self { entries, on_conflict: *on_conflict, now, here: Here::new(entries), head, outcomes }
    }

    /// The next rows, at most `limit`; fewer only if the commit ends. `known` tells what is recorded.
    ///
    /// # Errors
    /// [`AppendError::Conflict`] under [`OnConflict::Fail`].
    pub(crate) fn next(
        &mut self,
        limit: usize,
        known: impl Fn(&Draft) -> Option<Known>,
    ) -> Result<Vec<Placed>, AppendError> {
        let mut placed = Vec::with_capacity(limit.min(self.entries.len() - self.outcomes.len()));
        while let (true, Some(entry)) = (placed.len() < limit, self.entries.get(self.outcomes.len())) {
            let outcome = match known(&entry.draft).or_else(|| self.here.known(self.entries, &entry.draft)) {
                None => {
                    let new = self.place(entry);
                    let position = new.position;
                    placed.push(new);
                    Outcome::Appended(position)
                }
                Some(Known { position, same_fact: true }) => Outcome::Duplicate(position),
                Some(Known { position, same_fact: false }) => match self.on_conflict {
                    OnConflict::Fail => return Err(AppendError::Conflict { id: entry.draft.id, position }),
                    OnConflict::Report => Outcome::Conflict(position),
                },
            };
            self.outcomes.push(outcome);
        }
        Ok(placed)
    }

    /// All of them.
    ///
    /// # Errors
    /// As [`Sequence::next`].
    pub(crate) fn all(
        &mut self,
        known: impl Fn(&Draft) -> Option<Known>,
    ) -> Result<Vec<Placed>, AppendError> {
        self.next(usize::MAX, known)
    }

    /// Times never run backwards: each row's is at least the previous one's.
    fn place(&mut self, new: &Entry) -> Placed {
        let entry = self.outcomes.len();
        let position = self.head.position + 1;
        let recorded_at = new.recorded_at.unwrap_or(self.now).max(self.head.recorded_at);
        let hash = chain::link(&self.head.hash, position, recorded_at, &new.draft);
        self.head = Head { position, hash, recorded_at };
        self.here.note(&new.draft.id, entry, position);
        Placed { entry, position, recorded_at, hash }
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
