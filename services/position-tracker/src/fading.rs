//! What is remembered for a while after it has ceased to matter.

use domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// A map whose entries are forgotten some time after they were retired.
///
/// Each retiring forgets at most two: more than it adds, so that they dwindle, and never so many
/// that it takes long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "K: Serialize, V: Serialize",
    deserialize = "K: Deserialize<'de> + Ord, V: Deserialize<'de>"
))]
pub struct Fading<K, V> {
    #[serde(with = "service::pairs")]
    held: BTreeMap<K, V>,
    /// Oldest first.
    retired: VecDeque<(Timestamp, K)>,
}

impl<K, V> Default for Fading<K, V> {
    fn default() -> Self {
        Self { held: BTreeMap::new(), retired: VecDeque::new() }
    }
}

impl<K: Ord + Copy, V> Fading<K, V> {
    pub fn get(&self, key: &K) -> Option<&V> {
        self.held.get(key)
    }

    /// Whether it was not there before.
    pub fn insert(&mut self, key: K, value: V) -> bool {
        self.held.insert(key, value).is_none()
    }

    /// Returns what is forgotten by it.
    pub fn retire(&mut self, now: Timestamp, keep: Duration, key: K) -> Vec<K> {
        let mut forgotten = Vec::new();
        if self.held.contains_key(&key) {
            self.retired.push_back((now, key));
        }
        for _ in 0..2 {
            if self.retired.front().is_none_or(|(at, _)| *at + keep > now) {
                break;
            }
            if let Some((_, key)) = self.retired.pop_front() {
                self.held.remove(&key);
                forgotten.push(key);
            }
        }
        forgotten
    }

    pub fn len(&self) -> usize {
        self.held.len()
    }
}
