//! Which of our orders the venue speaks of.

use domain::{Account, ClientOrderId, Instrument, VenueOrderId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, btree_map::Entry};

/// Our orders by the client ids that we gave them, and by the venue's numbers once those are known.
///
/// A client id alone names no order at a venue: an amendment gives an open order another one, and whoever likes
/// may use ours again once our order has ended. The venue's number stays, and is never used again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OurOrders {
    ours: BTreeMap<ClientOrderId, Option<Number>>,
    #[serde(with = "as_pairs")]
    by_number: BTreeMap<Number, ClientOrderId>,
}

/// The venue's name of an order: its number counts within its instrument.
type Number = (Account, Instrument, VenueOrderId);

impl OurOrders {
    /// One of ours is on its way; the venue has not named it.
    pub fn submit(&mut self, order: ClientOrderId) {
        self.ours.entry(order).or_insert(None);
    }

    /// Takes the venue's word that an order of that number goes by `told`: the first one names ours.
    pub fn see(
        &mut self,
        account: Account,
        instrument: Instrument,
        told: ClientOrderId,
        number: VenueOrderId,
    ) -> Option<ClientOrderId> {
        let named = (account, instrument, number);
        match self.by_number.entry(named) {
            Entry::Occupied(known) => Some(*known.get()),
            Entry::Vacant(free) => {
                let ours = self.ours.get_mut(&told).filter(|number| number.is_none())?;
                *ours = Some(named);
                Some(*free.insert(told))
            }
        }
    }

    /// Our id of the order with that number, as far as [`Self::see`] has been told; `None` for somebody else's.
    pub fn find(
        &self,
        account: Account,
        instrument: Instrument,
        number: VenueOrderId,
    ) -> Option<ClientOrderId> {
        self.by_number.get(&(account, instrument, number)).copied()
    }

    /// The venue's number of ours.
    pub fn number(&self, order: &ClientOrderId) -> Option<VenueOrderId> {
        self.ours.get(order).copied().flatten().map(|(_, _, number)| number)
    }

    /// Those that the venue has named.
    pub fn named(&self) -> impl Iterator<Item = (Account, Instrument, VenueOrderId, ClientOrderId)> + '_ {
        self.by_number
            .iter()
            .map(|(&(account, instrument, number), &order)| (account, instrument, number, order))
    }

    pub fn contains(&self, order: &ClientOrderId) -> bool {
        self.ours.contains_key(order)
    }

    pub fn forget(&mut self, order: &ClientOrderId) {
        if let Some(Some(number)) = self.ours.remove(order) {
            self.by_number.remove(&number);
        }
    }
}

/// JSON has no keys but texts.
mod as_pairs {
    use super::Number;
    use domain::ClientOrderId;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub fn serialize<S: Serializer>(map: &BTreeMap<Number, ClientOrderId>, to: S) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<Number, ClientOrderId>, D::Error> {
        Ok(Vec::<(Number, ClientOrderId)>::deserialize(from)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v<T: std::str::FromStr>(text: &str) -> T
    where
        T::Err: std::fmt::Debug,
    {
        text.parse().unwrap()
    }

    fn see(orders: &mut OurOrders, told: &str, number: &str) -> Option<String> {
        let (account, instrument) = (v("binance:main"), v("binance:spot:BTCUSDT"));
        orders.see(account, instrument, v(told), v(number)).map(|order| order.to_string())
    }

    #[test]
    fn an_order_is_followed_by_its_number_whatever_it_is_called() {
        let mut orders = OurOrders::default();
        orders.submit(v("td1"));
        assert_eq!(see(&mut orders, "td1", "55").as_deref(), Some("td1"));
        assert_eq!(see(&mut orders, "renamed", "55").as_deref(), Some("td1"));
        assert_eq!(orders.number(&v("td1")), Some(v("55")));
    }

    #[test]
    fn another_order_under_our_id_is_not_ours() {
        let mut orders = OurOrders::default();
        orders.submit(v("td1"));
        see(&mut orders, "td1", "55");
        assert_eq!(see(&mut orders, "td1", "56"), None);
        assert_eq!(see(&mut orders, "web_1", "57"), None);
        orders.forget(&v("td1"));
        assert_eq!(see(&mut orders, "td1", "58"), None, "nor after ours is forgotten");
        assert_eq!(see(&mut orders, "renamed", "55"), None);
    }

    #[test]
    fn it_is_the_same_after_a_snapshot() {
        let mut orders = OurOrders::default();
        orders.submit(v("td1"));
        orders.submit(v("td2"));
        see(&mut orders, "td1", "55");
        let kept = serde_json::to_string(&orders).unwrap();
        assert_eq!(serde_json::from_str::<OurOrders>(&kept).unwrap(), orders);
    }
}
