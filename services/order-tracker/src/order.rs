//! The life of one order, from facts that may come in any order.

use domain::{
    Asset, ClientOrderId, Decimal, Ending, Filled, NewOrder, Origin, Timestamp, VenueOrderId, VenueTradeId,
};
use events::{Fee, OrderEnded, OrderFilled, Rejection, WaitingFor};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An order that is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub id: ClientOrderId,
    /// What we asked for; `None` for an order that is not ours.
    pub intent: Option<Box<NewOrder>>,
    /// The OCO list that it was asked for in.
    pub list: Option<ClientOrderId>,
    pub state: OrderState,
    /// Since when it should be gone.
    pub cancel: Option<Timestamp>,
}

/// `Submitted → Working → Ended`, then done; or `Submitted → Denied`, then done.
///
/// A step may be skipped, for a fill may be heard before the acceptance and the end before both.
/// What the venue itself shows (an acceptance, a fill, an end) outweighs any denial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Nothing has been heard from the venue.
    Submitted { sent: Option<Attempt> },
    /// The venue has it.
    Working { venue_order: VenueOrderId, fills: Fills },
    /// The venue is done with it, and counts `counted` of the base asset as filled.
    Ended { venue_order: VenueOrderId, fills: Fills, ending: Ending, counted: Decimal },
    /// It does not work at the venue, and never has.
    Denied(Denial),
}

/// Why an order does not work at the venue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// `Rejected`, `Refused` or `Absent`.
    pub ending: Ending,
    pub rejection: Option<Rejection>,
    pub text: String,
}

/// How often a request was sent, and whether the last one went unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Attempt {
    pub number: u32,
    pub unanswered: bool,
}

/// The executions heard so far, each counted once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fills {
    pub filled: Filled,
    pub fees: BTreeMap<Asset, Decimal>,
    pub heard: BTreeSet<VenueTradeId>,
}

impl Order {
    /// Not yet heard of from the venue.
    pub fn submitted(id: ClientOrderId, intent: Option<Box<NewOrder>>, list: Option<ClientOrderId>) -> Self {
        let state = OrderState::Submitted { sent: None };
        Self { id, intent, list, state, cancel: None }
    }

    /// First heard of from the venue, or heard of again after it had been denied.
    pub fn working(id: ClientOrderId, intent: Option<Box<NewOrder>>, venue_order: VenueOrderId) -> Self {
        let state = OrderState::working(venue_order);
        Self { id, intent, list: None, state, cancel: None }
    }

    pub fn origin(&self) -> Option<Origin> {
        self.intent.as_ref().map(|intent| intent.origin)
    }

    /// Whether `reason` still holds it up.
    pub fn waits_for(&self, reason: WaitingFor) -> bool {
        match reason {
            WaitingFor::Acceptance => matches!(self.state, OrderState::Submitted { .. }),
            WaitingFor::Cancel => {
                self.cancel.is_some()
                    && matches!(self.state, OrderState::Submitted { .. } | OrderState::Working { .. })
            }
            // A complete one is done, and open no more.
            WaitingFor::Fills => matches!(self.state, OrderState::Ended { .. }),
        }
    }
}

impl OrderState {
    fn working(venue_order: VenueOrderId) -> Self {
        Self::Working { venue_order, fills: Fills::default() }
    }

    /// The venue's id, once it has been heard.
    pub fn venue_order(&self) -> Option<VenueOrderId> {
        match self {
            Self::Working { venue_order, .. } | Self::Ended { venue_order, .. } => Some(*venue_order),
            Self::Submitted { .. } | Self::Denied(_) => None,
        }
    }

    pub fn fills(&self) -> Option<&Fills> {
        match self {
            Self::Working { fills, .. } | Self::Ended { fills, .. } => Some(fills),
            Self::Submitted { .. } | Self::Denied(_) => None,
        }
    }

    /// Whether nothing more is to come: denied, or ended with every fill that the venue counts.
    /// More fills than counted are complete too; the venue's count is then not believed.
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Submitted { .. } | Self::Working { .. } => false,
            Self::Ended { fills, counted, .. } => fills.filled.quantity >= *counted,
            Self::Denied(_) => true,
        }
    }

    pub fn sent(&mut self, attempt: Attempt) {
        if let Self::Submitted { sent } = self {
            *sent = (*sent).max(Some(attempt));
        }
    }

    pub fn accepted(&mut self, by: VenueOrderId) {
        match self {
            Self::Submitted { .. } | Self::Denied(_) => *self = Self::working(by),
            Self::Working { .. } | Self::Ended { .. } => {}
        }
    }

    pub fn filled(&mut self, fill: &OrderFilled) {
        self.accepted(fill.venue_order);
        match self {
            Self::Working { fills, .. } | Self::Ended { fills, .. } => fills.add(fill),
            Self::Submitted { .. } | Self::Denied(_) => {}
        }
    }

    /// A second end, which no venue should tell, counts only if it knows of more fills.
    pub fn ended(&mut self, end: &OrderEnded) {
        let counted = end.filled.quantity;
        let fills = match self {
            Self::Submitted { .. } | Self::Denied(_) => Fills::default(),
            Self::Working { fills, .. } => std::mem::take(fills),
            Self::Ended { counted: before, .. } if *before >= counted => return,
            Self::Ended { fills, .. } => std::mem::take(fills),
        };
        *self = Self::Ended { venue_order: end.venue_order, fills, ending: end.ending, counted };
    }

    pub fn denied(&mut self, why: &Denial) {
        match self {
            Self::Submitted { .. } => *self = Self::Denied(why.clone()),
            Self::Working { .. } | Self::Ended { .. } | Self::Denied(_) => {}
        }
    }
}

impl Fills {
    /// Sums saturate: a figure beyond 28 digits is no money, and must not stop the engine.
    fn add(&mut self, fill: &OrderFilled) {
        if !self.heard.insert(fill.venue_trade) {
            return;
        }
        self.filled.quantity = self.filled.quantity.saturating_add(fill.quantity.get());
        self.filled.quote = self.filled.quote.saturating_add(fill.quote);
        if let Some(fee) = fill.fee {
            let sum = self.fees.entry(fee.asset).or_default();
            *sum = sum.saturating_add(fee.amount);
        }
    }

    /// Fees by asset, in the assets' order.
    pub fn fees(&self) -> Vec<Fee> {
        self.fees.iter().map(|(&asset, &amount)| Fee { asset, amount }).collect()
    }
}
