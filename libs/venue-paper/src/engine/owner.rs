//! Several accounts on one exchange: whose an order is, what each owns, and who trades as one.

use super::{Balances, Exchange, Fees, PaidIn, Refusal, Report, Spot, Terms};
use domain::{Amount, Asset, Quantity, Timestamp};
use events::Rejection;
use serde::{Deserialize, Serialize};

/// An account by its place among those of the exchange. The unit knows the first one only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owner(pub u16);

impl Owner {
    pub const FIRST: Self = Self(0);
}

/// An account beside the first, whose balances and fees are those of the exchange and of its terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub balances: Balances,
    pub fees: Fees,
    /// Binance's `tradeGroupId`: accounts of one group do not trade with each other.
    pub group: Option<u32>,
}

/// The accounts against which an order's self-trade prevention holds: its own, and those of its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kin(Vec<Owner>);

impl Kin {
    pub fn has(&self, owner: Owner) -> bool {
        self.0.contains(&owner)
    }
}

impl Exchange {
    pub fn balances_of(&self, owner: Owner) -> &Balances {
        match self.member(owner) {
            Some(member) => &member.balances,
            None => &self.balances,
        }
    }

    pub fn balances_of_mut(&mut self, owner: Owner) -> &mut Balances {
        match owner.0.checked_sub(1).and_then(|place| self.members.get_mut(usize::from(place))) {
            Some(member) => &mut member.balances,
            None => &mut self.balances,
        }
    }

    /// The exchange's terms with the account's own fees.
    pub fn terms_of(&self, terms: &Terms, owner: Owner) -> Terms {
        match self.member(owner) {
            Some(member) => Terms { fees: member.fees, ..*terms },
            None => *terms,
        }
    }

    /// The account's trade group; `None` where it is in none.
    pub fn group_of(&self, owner: Owner) -> Option<u32> {
        match self.member(owner) {
            Some(member) => member.group,
            None => self.group,
        }
    }

    pub fn kin_of(&self, owner: Owner) -> Kin {
        let Some(group) = self.group_of(owner) else { return Kin(vec![owner]) };
        let of_group = |other: &Owner| *other == owner || self.group_of(*other) == Some(group);
        Kin(self.owners().filter(of_group).collect())
    }

    pub fn owners(&self) -> impl Iterator<Item = Owner> + use<> {
        (0..=u16::try_from(self.members.len()).unwrap_or(u16::MAX)).map(Owner)
    }

    fn member(&self, owner: Owner) -> Option<&Member> {
        self.members.get(usize::from(owner.0.checked_sub(1)?))
    }
}

impl Spot {
    /// Opens another account, which owns nothing yet.
    pub fn open_account(&mut self, fees: Fees, group: Option<u32>) -> Owner {
        self.exchange.members.push(Member { balances: Balances::default(), fees, group });
        Owner(u16::try_from(self.exchange.members.len()).unwrap_or(u16::MAX))
    }

    /// What the account's fees are taken from, from now on.
    pub fn pay_fees_in(&mut self, owner: Owner, paid_in: PaidIn) {
        let member =
            owner.0.checked_sub(1).and_then(|place| self.exchange.members.get_mut(usize::from(place)));
        match member {
            Some(member) => member.fees.paid_in = paid_in,
            None => self.terms.fees.paid_in = paid_in,
        }
    }

    /// Moves what is free of an asset from one account to another.
    ///
    /// # Errors
    /// There is less than that, or it would be more than can be reckoned with.
    pub fn transfer(
        &mut self,
        now: Timestamp,
        [from, to]: [Owner; 2],
        asset: Asset,
        amount: Amount,
    ) -> Result<[Report; 2], Refusal> {
        if amount <= Amount::ZERO || from == to {
            return Err(Refusal::unnumbered(
                "a transfer moves more than nothing from one account to another",
            ));
        }
        let taken = self.adjusted(from, asset, -amount)?;
        let given = self.adjusted(to, asset, amount)?;
        let reports = [(from, taken), (to, given)].map(|(owner, balance)| {
            self.exchange.balances_of_mut(owner).set(asset, balance);
            Report::Balance { owner, asset, free: balance.free, locked: balance.locked, as_of: now }
        });
        Ok(reports)
    }

    /// A balance as it is with that much more of it free, or less.
    pub(super) fn adjusted(
        &self,
        owner: Owner,
        asset: Asset,
        delta: Amount,
    ) -> Result<super::Balance, Refusal> {
        let mut balance = self.exchange.balances_of(owner).of(&asset);
        let possible = Amount::ZERO..=Quantity::MOST;
        let Some(free) = balance.free.checked_add(delta).filter(|free| possible.contains(free)) else {
            let text = format!("{delta} cannot be added to {} {asset} that are free", balance.free);
            return Err(Refusal { reason: Rejection::InsufficientBalance, ..Refusal::unnumbered(text) });
        };
        balance.free = free.normalize();
        Ok(balance)
    }
}
