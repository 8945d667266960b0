//! States of units, kept to start sooner. They can be thrown away at any time.
//!
//! A stored snapshot is sealed: its tag begins with 64 hexadecimal digits and a space, the SHA-256 of
//!
//! | part | bytes |
//! |---|---|
//! | | `tapedeck.tape.snapshot.1`, 24 bytes of ASCII |
//! | hash | 32: of the event at the snapshot's position ([`chain::GENESIS`] at position 0) |
//! | position | 8, big-endian |
//! | unit, tag, state | of each its length in 8 bytes, big-endian, then its bytes |
//!
//! The hash of the event binds it to the chain, so a snapshot of another tape, position or unit does not
//! pass. Whoever knows the chain can seal a forged state: for that, `tapedeck verify` computes the state.

use crate::{Hash, Position, chain};
use domain::UnitName;
use std::collections::BTreeMap;

/// How many are kept per unit: the newest, and one before it in case that one cannot be used.
pub const KEPT: usize = 2;

const SEAL: &[u8] = b"tapedeck.tape.snapshot.1";

/// What a unit knew at `position`, its cursor then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub unit: UnitName,
    pub position: Position,
    /// Names the build, configuration and format that wrote it; under another one it is useless.
    pub tag: String,
    pub state: Vec<u8>,
}

/// A stored snapshot as it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The name and the position as they are stored, which may be of no unit and nowhere.
    pub unit: String,
    pub position: i64,
    /// The snapshot, or why it must not be used.
    pub snapshot: Result<Snapshot, String>,
}

/// A row of the table: a snapshot under seal, or anything else that somebody put there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub unit: String,
    pub position: i64,
    pub tag: String,
    pub state: Vec<u8>,
}

impl Snapshot {
    /// `event` is the hash of the event at the snapshot's position.
    pub(crate) fn seal(self, event: &Hash) -> Stored {
        let tag = format!("{} {}", chain::hex(&self.sum(event)), self.tag);
        let position = i64::try_from(self.position).unwrap_or(i64::MAX);
        Stored { unit: self.unit.to_string(), position, tag, state: self.state }
    }

    fn sum(&self, event: &Hash) -> Hash {
        let mut bytes = Vec::with_capacity(SEAL.len() + 128 + self.tag.len() + self.state.len());
        bytes.extend_from_slice(SEAL);
        bytes.extend_from_slice(event);
        bytes.extend_from_slice(&self.position.to_be_bytes());
        chain::field(&mut bytes, Some(self.unit.as_str().as_bytes()));
        chain::field(&mut bytes, Some(self.tag.as_bytes()));
        chain::field(&mut bytes, Some(&self.state));
        chain::sha256(&bytes)
    }
}

impl Stored {
    /// The snapshot under the seal. `event` is the hash of the event at its position, if there is one.
    pub(crate) fn open(self, event: Option<&Hash>) -> Found {
        let (unit, position) = (self.unit.clone(), self.position);
        Found { unit, position, snapshot: self.checked(event) }
    }

    fn checked(self, event: Option<&Hash>) -> Result<Snapshot, String> {
        let unit = UnitName::new(&self.unit).map_err(|e| e.to_string())?;
        let position = Position::try_from(self.position).map_err(|_| "its position is negative")?;
        let event = event.ok_or("no event stands at its position")?;
        let (sum, tag) = self.tag.split_once(' ').unwrap_or_default();
        let sum = chain::parse_hex(sum).ok_or("it has no sum")?;
        let snapshot = Snapshot { unit, position, tag: tag.to_owned(), state: self.state };
        if snapshot.sum(event) != sum {
            return Err("its sum does not follow from its content and the event at its position".to_owned());
        }
        Ok(snapshot)
    }
}

/// Of each unit the newest sound snapshot at or before `at_most`, by name. Of each unit the newest comes
/// first in `found`; `unsound` is told of each that must not be used.
pub(crate) fn newest(
    found: impl IntoIterator<Item = Found>,
    at_most: Position,
    mut unsound: impl FnMut(Found),
) -> Vec<Snapshot> {
    let mut newest: BTreeMap<UnitName, Snapshot> = BTreeMap::new();
    for found in found {
        match found.snapshot {
            Ok(snapshot) if snapshot.position <= at_most => {
                newest.entry(snapshot.unit).or_insert(snapshot);
            }
            Ok(_) => {}
            Err(_) => unsound(found),
        }
    }
    newest.into_values().collect()
}

/// Why a snapshot cannot be kept.
pub(crate) fn beyond(snapshot: &Snapshot) -> String {
    let Snapshot { unit, position, .. } = snapshot;
    format!("a snapshot of {unit} stands at position {position}, where no event is")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: Hash = [7; 32];

    fn snapshot() -> Snapshot {
        let unit = UnitName::new("sizer").unwrap();
        Snapshot { unit, position: 3, tag: "build {}".to_owned(), state: b"{\"cash\":\"10\"}".to_vec() }
    }

    fn found(change: impl FnOnce(&mut Stored), event: Option<&Hash>) -> Result<Snapshot, String> {
        let mut stored = snapshot().seal(&EVENT);
        change(&mut stored);
        stored.open(event).snapshot
    }

    #[test]
    fn a_sealed_snapshot_opens_where_it_was_sealed() {
        assert_eq!(found(|_| (), Some(&EVENT)), Ok(snapshot()));
    }

    #[test]
    fn any_change_breaks_the_seal() {
        let changes: [fn(&mut Stored); 10] = [
            |s| s.unit = "planner".into(),
            |s| s.unit = "No Name".into(),
            |s| s.position = 2,
            |s| s.position = -3,
            |s| s.tag.push(' '),
            |s| s.tag = "build {}".into(),
            |s| s.tag = String::new(),
            |s| s.tag = s.tag.to_uppercase(),
            |s| s.state[9] ^= 1,
            |s| s.state.clear(),
        ];
        for (n, change) in changes.into_iter().enumerate() {
            assert!(found(change, Some(&EVENT)).is_err(), "change {n}");
        }
    }

    #[test]
    fn a_snapshot_of_another_chain_or_beyond_the_end_does_not_open() {
        assert!(found(|_| (), Some(&[8; 32])).is_err());
        assert!(found(|_| (), None).is_err());
    }

    #[test]
    fn a_sum_made_anew_without_the_chain_does_not_open() {
        let forge = |s: &mut Stored| {
            let forged = Snapshot { state: b"{\"cash\":\"99\"}".to_vec(), ..snapshot() };
            *s = forged.seal(&chain::GENESIS);
        };
        assert!(found(forge, Some(&EVENT)).is_err());
    }
}
