//! Group commit: what waits while another commit is under way goes to the database as one, each commit
//! with a verdict of its own.

use crate::{AppendError, Commit, Committed, Hash, chain};
use domain::UnitName;
use events::Uuid;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};
use tokio::sync::oneshot;

/// How many events a group takes; a larger commit is a group of its own.
pub(super) const EVENTS: usize = 512;

/// How many commits a group takes, however few events they have.
const COMMITS: usize = 512;

pub(super) type Reply = oneshot::Sender<Result<Committed, AppendError>>;

/// A commit on its way, with everything that can be worked out before its turn.
pub(super) struct Work {
    pub commit: Arc<Commit>,
    /// Of each entry: [`chain::content`].
    pub contents: Vec<Hash>,
    /// Of each entry that repeats the id of an earlier one of this commit: that one's index, and whether
    /// it says something else. `None` if there is no such entry.
    pub twins: Option<Vec<Option<(usize, bool)>>>,
    pub reply: Reply,
}

impl Work {
    pub(super) fn new(commit: Arc<Commit>, reply: Reply) -> Self {
        let contents = commit.entries.iter().map(|entry| chain::content(&entry.draft)).collect();
        let twins = twins(&commit);
        Self { commit, contents, twins, reply }
    }
}

fn twins(commit: &Commit) -> Option<Vec<Option<(usize, bool)>>> {
    let entries = &commit.entries;
    if entries.len() < 2 {
        return None;
    }
    let mut first = HashMap::with_capacity(entries.len());
    let mut repeated = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let earlier = *first.entry(entry.draft.id).or_insert(index);
        if earlier != index {
            repeated.push((index, earlier));
        }
    }
    if repeated.is_empty() {
        return None;
    }
    let mut twins = vec![None; entries.len()];
    for (index, earlier) in repeated {
        twins[index] = Some((earlier, !entries[earlier].draft.same_fact(&entries[index].draft)));
    }
    Some(twins)
}

/// Commits of which none depends on another: no two share an id or a unit. So it does not matter to any
/// that the others are looked at under the same lock.
pub(super) struct Group {
    pub works: Vec<Work>,
    pub entries: usize,
    /// Of all works, once there is more than one.
    known: Option<(HashSet<Uuid>, BTreeSet<UnitName>)>,
}

impl Group {
    pub(super) fn new(first: Work) -> Self {
        Self { entries: first.commit.entries.len(), works: vec![first], known: None }
    }

    /// Takes one more.
    ///
    /// # Errors
    /// Gives it back: it has to wait for this group to be done, and so has everything after it.
    pub(super) fn take(&mut self, next: Work) -> Result<(), Box<Work>> {
        let entries = self.entries + next.commit.entries.len();
        if entries > EVENTS || self.works.len() == COMMITS {
            return Err(Box::new(next));
        }
        let (ids, units) = self.known.get_or_insert_with(|| {
            let commits = || self.works.iter().map(|work| &*work.commit);
            (commits().flat_map(ids).collect(), commits().flat_map(units).collect())
        });
        let (new_ids, new_units) = (|| self::ids(&next.commit), || self::units(&next.commit));
        if new_ids().any(|id| ids.contains(&id)) || new_units().any(|unit| units.contains(&unit)) {
            return Err(Box::new(next));
        }
        ids.extend(new_ids());
        units.extend(new_units());
        self.entries = entries;
        self.works.push(next);
        Ok(())
    }

    /// For everybody the same answer.
    pub(super) fn fail(self, why: &AppendError) {
        for work in self.works {
            let _ = work.reply.send(Err(why.clone()));
        }
    }
}

fn ids(commit: &Commit) -> impl Iterator<Item = Uuid> {
    commit.entries.iter().map(|entry| entry.draft.id)
}

fn units(commit: &Commit) -> impl Iterator<Item = UnitName> {
    commit.cursors.iter().map(|step| step.unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CursorMove, Draft, Entry};
    use domain::Timestamp;

    fn work(ids: &[u128], units: &[&str]) -> Work {
        let entry = |id: &u128| {
            Entry::wall(Draft {
                id: Uuid::from_u128(id % 1_000),
                kind: "time.passed".into(),
                schema: 1,
                subject: String::new(),
                source: UnitName::new("clock").unwrap(),
                cause: None,
                trade: None,
                at: Timestamp::ZERO,
                body: format!("{id}"),
                meta: None,
            })
        };
        let step = |unit: &&str| CursorMove { unit: UnitName::new(unit).unwrap(), fence: 1, to: 0, reach: 0 };
        let mut commit = Commit::new(ids.iter().map(entry).collect());
        commit.cursors = units.iter().map(step).collect();
        Work::new(Arc::new(commit), oneshot::channel().0)
    }

    #[test]
    fn a_commit_that_shares_an_id_or_a_unit_waits() {
        let mut group = Group::new(work(&[1, 2], &["a"]));
        assert!(group.take(work(&[3], &["b"])).is_ok());
        assert!(group.take(work(&[2], &[])).is_err());
        assert!(group.take(work(&[3], &[])).is_err());
        assert!(group.take(work(&[], &["b"])).is_err());
        assert!(group.take(work(&[4], &[])).is_ok());
        assert_eq!((group.works.len(), group.entries), (3, 4));
    }

    #[test]
    fn a_group_takes_only_so_much_but_a_commit_of_any_size() {
        let many: Vec<u128> = (0..900).collect();
        let mut group = Group::new(work(&many, &[]));
        assert!(group.take(work(&[901], &[])).is_err());
        let mut group = Group::new(work(&many[..EVENTS - 1], &[]));
        assert!(group.take(work(&[901, 902], &[])).is_err());
        assert!(group.take(work(&[901], &[])).is_ok());
        let mut group = Group::new(work(&[], &[]));
        assert_eq!((1..COMMITS + 9).filter(|_| group.take(work(&[], &[])).is_ok()).count(), COMMITS - 1);
    }

    #[test]
    fn repeated_ids_are_told_with_the_first_of_them() {
        assert_eq!(work(&[1, 2, 3], &[]).twins, None);
        let twins = work(&[1, 2, 1, 1_001, 2], &[]).twins;
        assert_eq!(twins, Some(vec![None, None, Some((0, false)), Some((0, true)), Some((1, false))]));
    }
}
