//! What an account has of one asset, from observations and fills that arrive in any order.

use domain::{Decimal, Timestamp};
use events::BalanceChanged;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One asset of one account.
///
/// An observation as of an instant contains every fill before that instant and none after it.
/// Of the fills at the very instant it contains some: a taker order that fills in five pieces gives
/// five observations of the same time. There the lower of what was seen and what follows from the
/// fills is taken.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Balance {
    /// The latest observation, free and locked together.
    seen: Decimal,
    /// The part of it that open orders hold.
    locked: Decimal,
    as_of: Timestamp,
    /// What was there before the instant of the observation; not known of the first one.
    before: Option<Before>,
    /// Known fills at the observation's instant or later.
    flows: BTreeMap<Timestamp, Flow>,
}

/// The observation before the latest one, and what fills in between made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Before {
    amount: Decimal,
    as_of: Timestamp,
}

/// What fills at one instant took away and brought in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Flow {
    out: Decimal,
    back: Decimal,
}

impl Balance {
    /// Takes an observation. One that is older than the last one says nothing new; known fills after
    /// it stay taken.
    pub fn observe(&mut self, seen: &BalanceChanged) {
        if seen.as_of < self.as_of {
            return;
        }
        if seen.as_of > self.as_of {
            self.before = self.before_the_instant(seen.as_of);
            self.flows.retain(|at, _| *at >= seen.as_of);
            self.as_of = seen.as_of;
        }
        self.seen = seen.free.saturating_add(seen.locked);
        self.locked = seen.locked;
    }

    /// A fill took `amount` away.
    pub fn take(&mut self, amount: Decimal, at: Timestamp) {
        if at >= self.as_of {
            let flow = self.flows.entry(at).or_default();
            flow.out = flow.out.saturating_add(amount);
        } else if let Some(before) = &mut self.before {
            before.amount = before.amount.saturating_sub(amount);
        }
    }

    /// A fill brought `amount` in.
    pub fn give(&mut self, amount: Decimal, at: Timestamp) {
        if at >= self.as_of {
            let flow = self.flows.entry(at).or_default();
            flow.back = flow.back.saturating_add(amount);
        } else if let Some(before) = self.before.as_mut().filter(|before| at > before.as_of) {
            before.amount = before.amount.saturating_add(amount);
        }
    }

    /// The least that is there: what later fills took is gone at once, what they brought counts
    /// only when it is seen.
    pub fn least(&self) -> Decimal {
        let later = self.flows.iter().filter(|(at, _)| **at > self.as_of);
        later.fold(self.settled(), |sum, (_, flow)| sum.saturating_sub(flow.out))
    }

    /// The most that can be there: what later fills brought counts at once.
    pub fn most(&self) -> Decimal {
        let later = self.flows.iter().filter(|(at, _)| **at > self.as_of);
        later.fold(self.seen, |sum, (_, flow)| sum.saturating_add(flow.back))
    }

    /// What is there by all that is known: fills after the observation, both ways. A fill moves both of
    /// its assets at once, so that what is bought and what was paid are of one moment.
    pub fn known(&self) -> Decimal {
        let later = self.flows.iter().filter(|(at, _)| **at > self.as_of);
        later.fold(self.seen, |sum, (_, flow)| sum.saturating_sub(flow.out).saturating_add(flow.back))
    }

    /// Whether the venue has told of it.
    pub fn is_seen(&self) -> bool {
        self.as_of > Timestamp::ZERO
    }

    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    pub fn locked(&self) -> Decimal {
        self.locked
    }

    /// What is there after the instant of the observation.
    fn settled(&self) -> Decimal {
        match (self.flows.get(&self.as_of), self.before) {
            (Some(flow), Some(before)) if !flow.out.is_zero() => {
                self.seen.min(before.amount.saturating_sub(flow.out).saturating_add(flow.back))
            }
            _ => self.seen,
        }
    }

    /// What fills before `at` leave of what is known, if anything is known.
    fn before_the_instant(&self, at: Timestamp) -> Option<Before> {
        if self.as_of == Timestamp::ZERO {
            return None;
        }
        let until = self.flows.iter().filter(|(time, _)| **time > self.as_of && **time < at);
        let left = |sum: Decimal, flow: &Flow| sum.saturating_sub(flow.out).saturating_add(flow.back);
        Some(Before {
            amount: until.fold(self.settled(), |sum, (_, flow)| left(sum, flow)),
            as_of: self.as_of,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    enum Heard {
        Seen(i64, i64),
        Took(i64, i64),
        Gave(i64, i64),
    }
    use Heard::*;

    fn least(script: &[Heard]) -> Vec<i64> {
        told(script, Balance::least)
    }

    fn told(script: &[Heard], of: impl Fn(&Balance) -> Decimal) -> Vec<i64> {
        let mut balance = Balance::default();
        script
            .iter()
            .map(|heard| {
                match *heard {
                    Seen(free, at) => balance.observe(&BalanceChanged {
                        account: "paper:main".parse().unwrap(),
                        asset: "USDT".parse().unwrap(),
                        free: free.into(),
                        locked: Decimal::ZERO,
                        as_of: Timestamp::from_millis(at),
                    }),
                    Took(amount, at) => balance.take(amount.into(), Timestamp::from_millis(at)),
                    Gave(amount, at) => balance.give(amount.into(), Timestamp::from_millis(at)),
                }
                i64::try_from(of(&balance)).unwrap()
            })
            .collect()
    }

    #[test]
    fn a_fill_counts_at_once_and_the_observation_after_it_confirms_it() {
        assert_eq!(least(&[Seen(1_000, 1), Took(100, 2), Seen(900, 2)]), [1_000, 900, 900]);
    }

    #[test]
    fn a_fill_that_the_observation_already_shows_is_not_counted_twice() {
        assert_eq!(least(&[Seen(1_000, 1), Seen(900, 2), Took(100, 2)]), [1_000, 900, 900]);
        assert_eq!(least(&[Seen(1_000, 1), Seen(900, 3), Took(100, 2)]), [1_000, 900, 900]);
    }

    #[test]
    fn an_observation_older_than_a_known_fill_does_not_undo_it() {
        assert_eq!(least(&[Seen(1_000, 1), Took(100, 3), Seen(1_000, 2)]), [1_000, 900, 900]);
    }

    #[test]
    fn pieces_of_one_instant_count_once_in_every_order() {
        let before = [Seen(1_000, 1), Seen(900, 2), Took(100, 2), Seen(700, 2), Took(200, 2)];
        assert_eq!(least(&before), [1_000, 900, 900, 700, 700]);
        let after = [Seen(1_000, 1), Took(100, 2), Took(200, 2), Seen(900, 2), Seen(700, 2)];
        assert_eq!(least(&after), [1_000, 900, 700, 700, 700]);
        let mixed = [Seen(1_000, 1), Took(100, 2), Seen(900, 2), Took(200, 2), Seen(700, 2)];
        assert_eq!(least(&mixed), [1_000, 900, 900, 700, 700]);
    }

    #[test]
    fn a_fill_at_the_instant_of_the_first_observation_is_in_it() {
        assert_eq!(least(&[Seen(900, 1), Took(100, 1), Took(50, 2)]), [900, 900, 850]);
    }

    #[test]
    fn a_sale_counts_when_it_is_seen() {
        assert_eq!(least(&[Seen(1_000, 1), Gave(50, 2), Seen(1_050, 2)]), [1_000, 1_000, 1_050]);
    }

    #[test]
    fn a_sale_and_a_purchase_of_one_instant_are_both_seen() {
        let script = [Seen(1_000, 1), Took(100, 2), Seen(900, 2), Gave(50, 2), Seen(950, 2)];
        assert_eq!(least(&script), [1_000, 900, 900, 900, 950]);
    }

    #[test]
    fn what_a_fill_brings_after_the_observation_is_there_at_most_and_known_at_once() {
        let script = [Seen(1_000, 1), Gave(50, 1), Gave(50, 2), Took(100, 3), Seen(950, 3)];
        assert_eq!(told(&script, Balance::most), [1_000, 1_000, 1_050, 1_050, 950]);
        assert_eq!(told(&script, Balance::known), [1_000, 1_000, 1_050, 950, 950]);
    }

    #[test]
    fn a_deposit_counts_when_it_is_seen() {
        assert_eq!(least(&[Seen(1_000, 1), Took(100, 2), Seen(5_900, 3)]), [1_000, 900, 5_900]);
    }
}
