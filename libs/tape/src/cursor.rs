//! How far each unit has heard, and who may speak for it.
//!
//! The fence counts the times that a unit was acquired. Whoever acquired it last holds the highest,
//! and only commits under that one are taken; so a process that slept through its lease, or a
//! second replica, cannot speak. The rules are pure and the same for every backend.

use crate::{AppendError, LeaseError, Position, commit::CursorMove};
use domain::{Timestamp, UnitName};
use std::time::Duration;

/// A unit's place on the tape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub unit: UnitName,
    /// Everything up to here was heard and answered.
    pub position: Position,
    pub fence: u64,
    /// Who holds the lease; nobody after a release.
    pub owner: Option<String>,
    /// By the database's clock. Somebody else may acquire the unit from then on.
    pub lease_until: Option<Timestamp>,
    /// The largest distance in positions between an event that the unit said and its cause.
    pub reach: u64,
}

/// A wish to speak for units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub owner: String,
    pub ttl: Duration,
    /// Take it over even while somebody else's lease runs.
    pub force: bool,
}

impl Cursor {
    pub(crate) fn new(unit: UnitName) -> Self {
        Self { unit, position: 0, fence: 0, owner: None, lease_until: None, reach: 0 }
    }

    /// Takes the unit under a new fence; also from oneself, since the same owner may have restarted.
    pub(crate) fn claim(&mut self, claim: &Claim, now: Timestamp) -> Result<(), LeaseError> {
        if let (Some(owner), Some(until)) = (&self.owner, self.lease_until)
            && until > now
            && *owner != claim.owner
            && !claim.force
        {
            return Err(LeaseError::Held { unit: self.unit, owner: owner.clone(), until });
        }
        self.fence += 1;
        self.owner = Some(claim.owner.clone());
        self.lease_until = Some(now + claim.ttl);
        Ok(())
    }

    pub(crate) fn renew(&mut self, fence: u64, ttl: Duration, now: Timestamp) -> Result<(), LeaseError> {
        self.owned(fence)?;
        self.lease_until = Some(now + ttl);
        Ok(())
    }

    pub(crate) fn release(&mut self, fence: u64) -> Result<(), LeaseError> {
        self.owned(fence)?;
        self.owner = None;
        self.lease_until = None;
        Ok(())
    }

    fn owned(&self, fence: u64) -> Result<(), LeaseError> {
        if self.owner.is_none() || self.fence != fence {
            return Err(LeaseError::Lost { unit: self.unit, given: fence, stored: Some(self.fence) });
        }
        Ok(())
    }

    /// Follows a move whose fence is [`fenced`]; `head` is the tape's last position after the commit.
    pub(crate) fn advance(&mut self, step: &CursorMove, head: Position) -> Result<(), AppendError> {
        let unit = self.unit;
        if step.to < self.position {
            return Err(AppendError::Backwards { unit, given: step.to, stored: self.position });
        }
        if step.to > head {
            return Err(AppendError::Beyond { unit, given: step.to, head });
        }
        self.position = step.to;
        self.reach = self.reach.max(step.reach);
        Ok(())
    }
}

/// Whether whoever gives `step` may speak for its unit. Asked first of all: whoever may not has no
/// conflict to report either.
pub(crate) fn fenced(step: &CursorMove, stored: Option<&Cursor>) -> Result<(), AppendError> {
    match stored.map(|cursor| cursor.fence) {
        Some(fence) if fence == step.fence => Ok(()),
        stored => Err(AppendError::Fenced { unit: step.unit, given: step.fence, stored }),
    }
}
