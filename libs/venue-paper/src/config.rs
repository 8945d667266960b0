//! What the paper exchange is told at its start.

use crate::engine::Terms;
use domain::{Account, Amount, Asset, Decimal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub account: Account,
    /// What the account owns at the start; said when the first instrument is listed.
    pub balances: BTreeMap<Asset, Amount>,
    pub terms: Terms,
}

/// Something that the configuration may not say.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Problem {
    #[error("starting balance of {asset} is {amount}: must be from 0 to {MOST}")]
    Balance { asset: Asset, amount: Amount },
    #[error("{field} is {given}: must be from 0 to less than 1, e.g. 0.001")]
    Ratio { field: &'static str, given: Decimal },
    #[error("participation is {given}: must be more than 0 and at most 1, e.g. 0.1")]
    Participation { given: Decimal },
}

/// More than there is of all but the cheapest coins, and few enough that sums with twelve decimals are exact.
const MOST: i64 = 1_000_000_000_000_000;

impl Config {
    /// An account that owns nothing yet, under the usual terms.
    pub fn new(account: Account) -> Self {
        Self { account, balances: BTreeMap::new(), terms: Terms::default() }
    }

    /// Everything that is wrong with it; nothing if it can be used.
    pub fn problems(&self) -> Vec<Problem> {
        let Self { account: _, balances, terms } = self;
        let mut problems = Vec::new();
        for (&asset, &amount) in balances {
            if amount < Decimal::ZERO || amount > Decimal::from(MOST) {
                problems.push(Problem::Balance { asset, amount });
            }
        }
        for (field, given) in [
            ("fees.maker", terms.fees.maker),
            ("fees.taker", terms.fees.taker),
            ("slippage_ratio", terms.slippage_ratio),
        ] {
            if given < Decimal::ZERO || given >= Decimal::ONE {
                problems.push(Problem::Ratio { field, given });
            }
        }
        if terms.participation <= Decimal::ZERO || terms.participation > Decimal::ONE {
            problems.push(Problem::Participation { given: terms.participation });
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_may_be_at_its_limit_and_not_beyond() {
        let config = |change: &dyn Fn(&mut Config)| {
            let mut config = Config::new("binance:paper".parse().unwrap());
            change(&mut config);
            config.problems().len()
        };
        for (amount, problems) in [("0", 0), ("1000000000000000", 0), ("1000000000000000.1", 1), ("-0.1", 1)]
        {
            let amount: Decimal = amount.parse().unwrap();
            let set = |c: &mut Config| _ = c.balances.insert("USDT".parse().unwrap(), amount);
            assert_eq!(config(&set), problems, "{amount}");
        }
        for (ratio, problems) in [("0", 0), ("0.999", 0), ("1", 1), ("-0.1", 1)] {
            let ratio = ratio.parse().unwrap();
            assert_eq!(config(&|c| c.terms.slippage_ratio = ratio), problems, "{ratio}");
        }
        for (part, problems) in [("0.1", 0), ("1", 0), ("1.1", 1), ("0", 1)] {
            let part = part.parse().unwrap();
            assert_eq!(config(&|c| c.terms.participation = part), problems, "{part}");
        }
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let mut config = Config::new("binance:paper".parse().unwrap());
        assert_eq!(config.problems(), []);
        config.balances.insert("USDT".parse().unwrap(), Decimal::NEGATIVE_ONE);
        config.terms.fees.taker = Decimal::ONE;
        config.terms.participation = Decimal::ZERO;
        let said: Vec<_> = config.problems().iter().map(Problem::to_string).collect();
        assert_eq!(
            said,
            [
                "starting balance of USDT is -1: must be from 0 to 1000000000000000",
                "fees.taker is 1: must be from 0 to less than 1, e.g. 0.001",
                "participation is 0: must be more than 0 and at most 1, e.g. 0.1",
            ]
        );
    }
}
