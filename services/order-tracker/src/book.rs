//! The orders of one account on one instrument, open and done.

use crate::order::Order;
use domain::{ClientOrderId, Ending, Filled, NewOrder, Timestamp, VenueOrderId};
use events::OrderDone;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, VecDeque, btree_map::Entry},
    time::Duration,
};

/// What an order goes by here.
///
/// Ours are known before the venue names them, and their ids never repeat.
/// Others go by the venue's id, for whoever made them may use a client id again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Name {
    Client(ClientOrderId),
    Venue(VenueOrderId),
}

/// Invariant: no name is both in `open` and in `done`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Book {
    #[serde(with = "service::pairs")]
    pub open: BTreeMap<Name, Order>,
    /// Kept for a while so that whatever comes late about them is known to be late.
    #[serde(with = "service::pairs")]
    pub done: BTreeMap<Name, Done>,
    /// `done` by the time of their ending, oldest first; an entry whose order was done again
    /// since then is stale.
    forget: VecDeque<(Timestamp, Name)>,
    /// Ours by the venue's numbers, for as long as they are open or remembered: an amendment gives an order
    /// another client id.
    #[serde(default)]
    numbers: BTreeMap<VenueOrderId, ClientOrderId>,
    /// The two orders of an OCO list, while neither is done.
    lists: BTreeMap<ClientOrderId, [ClientOrderId; 2]>,
}

/// What is remembered of an order that is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    pub at: Timestamp,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Done for good.
    Ended { venue_order: VenueOrderId, ending: Ending, filled: Filled },
    /// The venue may yet show that it has it.
    Denied { ending: Ending, intent: Option<Box<NewOrder>> },
}

impl Book {
    /// Opens one of ours; what is already known stays as it is.
    pub fn submit(&mut self, intent: NewOrder, list: Option<ClientOrderId>) -> Option<Name> {
        let name = Name::Client(intent.id);
        if self.open.contains_key(&name) || self.done.contains_key(&name) {
            return None;
        }
        self.open.insert(name, Order::submitted(intent.id, Some(Box::new(intent)), list));
        Some(name)
    }

    pub fn pair(&mut self, list: ClientOrderId, legs: [ClientOrderId; 2]) {
        self.lists.insert(list, legs);
    }

    /// The open order that the venue speaks of: one of ours, even if it was denied, else a foreign
    /// one, opened if this is its first word.
    /// `None` if it is done for good, and what is heard of it is late.
    pub fn shown(&mut self, id: ClientOrderId, venue_order: VenueOrderId) -> Option<(Name, &mut Order)> {
        let name = self.name_of(id, venue_order)?;
        if let Name::Client(ours) = name {
            self.numbers.entry(venue_order).or_insert(ours);
        }
        let order = match self.open.entry(name) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let order = match self.done.remove(&name).map(|done| done.outcome) {
                    Some(Outcome::Denied { intent, .. }) => Order::working(id, intent, venue_order),
                    Some(Outcome::Ended { .. }) | None => Order::working(id, None, venue_order),
                };
                new.insert(order)
            }
        };
        Some((name, order))
    }

    fn name_of(&self, id: ClientOrderId, venue_order: VenueOrderId) -> Option<Name> {
        if let Some(ours) = self.numbers.get(&venue_order) {
            let name = Name::Client(*ours);
            return self.open.contains_key(&name).then_some(name);
        }
        // Another number under the id of one that the venue has named is somebody else's.
        let ours = Name::Client(id);
        let is_unnamed = match (self.open.get(&ours), self.done.get(&ours).map(|done| &done.outcome)) {
            (Some(order), _) => order.state.venue_order().is_none(),
            (None, Some(Outcome::Denied { .. })) => true,
            (None, Some(Outcome::Ended { .. }) | None) => false,
        };
        if is_unnamed {
            return Some(ours);
        }
        let foreign = Name::Venue(venue_order);
        (!self.done.contains_key(&foreign)).then_some(foreign)
    }

    /// The orders that a word of ours is about: one, or both of an OCO list.
    pub fn asked(&self, id: ClientOrderId) -> impl Iterator<Item = Name> + use<> {
        let (one, two) = match self.lists.get(&id) {
            Some(&[above, below]) => (above, Some(below)),
            None => (id, None),
        };
        std::iter::once(one).chain(two).map(Name::Client)
    }

    /// Opens an order under its client id if nothing is known of it.
    pub fn know(&mut self, id: ClientOrderId) {
        let name = Name::Client(id);
        if !self.lists.contains_key(&id) && !self.open.contains_key(&name) && !self.done.contains_key(&name) {
            self.open.insert(name, Order::submitted(id, None, None));
        }
    }

    /// Moves an order to the done ones, and forgets at most two that are older than `keep`: more
    /// than it adds, so that they dwindle, and never so many that it takes long.
    pub fn finish(&mut self, now: Timestamp, keep: Duration, name: Name, done: &OrderDone) {
        let Some(order) = self.open.remove(&name) else { return };
        if let Some(list) = order.list {
            self.lists.remove(&list);
        }
        let ending = done.ending;
        let outcome = match order.state.venue_order() {
            Some(venue_order) => Outcome::Ended { venue_order, ending, filled: done.filled },
            None => Outcome::Denied { ending, intent: order.intent },
        };
        self.done.insert(name, Done { at: now, outcome });
        self.forget.push_back((now, name));
        for _ in 0..2 {
            match self.forget.front() {
                Some(&(at, name)) if at + keep <= now => {
                    self.forget.pop_front();
                    if self.done.get(&name).is_some_and(|done| done.at == at)
                        && let Some(Done { outcome: Outcome::Ended { venue_order, .. }, .. }) =
                            self.done.remove(&name)
                        && name != Name::Venue(venue_order)
                    {
                        self.numbers.remove(&venue_order);
                    }
                }
                Some(_) | None => break,
            }
        }
    }
}
