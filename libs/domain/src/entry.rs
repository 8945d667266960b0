//! How a trade is entered.

use crate::Decimal;
use serde::{Deserialize, Serialize};

/// It travels with the trade, as its exit plan does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum EntryPlan {
    /// A limit order at the trade's worst price; what does not fill at once expires.
    #[default]
    LimitIoc,
    /// At whatever price the market has.
    Market,
    /// An order that only adds to the book, at its best price.
    Maker {
        /// It is placed anew once the market is so far away, as a ratio of its price.
        chase: Decimal,
        /// What is not filled so long after the grant is given up.
        deadline_seconds: u64,
    },
}

impl EntryPlan {
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Why this build does not enter so, if it does not.
    pub fn problem(&self) -> Option<&'static str> {
        match self {
            Self::LimitIoc | Self::Market => None,
            Self::Maker { .. } => Some("entries with a maker order are not there yet"),
        }
    }
}

#[test]
fn an_entry_with_a_maker_order_is_not_carried_out_and_a_limit_that_expires_is_what_is_meant() {
    let maker = EntryPlan::Maker { chase: Decimal::ONE, deadline_seconds: 1 };
    let plans = [EntryPlan::LimitIoc, EntryPlan::Market, maker];
    assert_eq!(plans.map(|plan| plan.is_default()), [true, false, false]);
    let problem = Some("entries with a maker order are not there yet");
    assert_eq!(plans.map(|plan| plan.problem()), [None, None, problem]);
}
