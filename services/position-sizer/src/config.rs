//! What the sizer is told at its start.

use domain::{Account, Asset, Decimal, EdgeName, EntryPlan, ExitPlan, Level};
use events::TradeRequested;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Ratios are parts of one: 0.15 is 15 %.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// What everything is paid with and measured in.
    pub quote: Asset,
    /// An edge that is not listed may not trade.
    pub edges: Vec<EdgeRules>,
    /// The terms of every account that has none of its own.
    pub terms: Terms,
    /// The terms of the accounts that differ.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub own: BTreeMap<Account, Terms>,
}

/// What holds on an account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Terms {
    pub limits: Limits,
    /// Base assets that are never bought: those that do not move, and the owner's own exclusions.
    pub prohibited: BTreeSet<Asset>,
    /// Part of the price to set aside for an entry's fee on top of it. Zero where the fee is taken
    /// from what is bought or from a third asset, as on Binance spot.
    pub entry_fee_ratio: Decimal,
    /// Part of what is bought that the fee may take.
    #[serde(default)]
    pub base_fee: BaseFee,
}

/// How much of what is bought the venue keeps as its fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BaseFee {
    /// The fee is paid in the quote asset.
    #[default]
    None,
    Always(Decimal),
    /// Nothing while the account has enough of this asset, from which the fee is taken first.
    WithoutEnoughOf(Asset, Decimal),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeRules {
    pub edge: EdgeName,
    /// Where it may trade.
    pub accounts: BTreeSet<Account>,
    pub method: Method,
    /// How its trades are entered.
    #[serde(default, skip_serializing_if = "EntryPlan::is_default")]
    pub entry: EntryPlan,
    /// How its trades are protected and left; `None` for an edge without a stop.
    pub exit: Option<ExitPlan>,
    /// How much worse than the trigger price it may enter: above it to go long, below it to go short.
    pub slippage_ratio: Decimal,
    /// Entries on older signals are refused.
    pub max_age: Duration,
    /// For so long after a stop of its was hit, it does not enter that instrument again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown: Option<Duration>,
}

impl EdgeRules {
    /// How a trade on that request is protected and left: the request's own stop and target go before the edge's.
    /// Without a plan of its edge's, nothing says how far below a stop it may sell, so there is none.
    pub(crate) fn exit_of(&self, request: &TradeRequested) -> Option<ExitPlan> {
        self.exit.map(|plan| ExitPlan {
            stop: request.stop.map_or(plan.stop, Level::Price),
            take_profit: request.target.map(Level::Price).or(plan.take_profit),
            ..plan
        })
    }
}

/// How the money for one trade is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// This much of the quote asset, or nothing.
    Fixed { quote: Decimal },
    /// So much that hitting the stop loses `max_loss_ratio` of the equity; at most `max_quote`, and
    /// at most what is there.
    Risk { max_loss_ratio: Decimal, max_quote: Option<Decimal> },
}

/// Limits of an account by itself; `None` is no limit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// Trades granted and not yet over.
    pub max_open_positions: Option<u32>,
    /// Of equity: what is lost if all stops are hit.
    pub max_open_risk_ratio: Option<Decimal>,
    /// Of equity: value held and promised of one base asset.
    pub max_asset_exposure_ratio: Option<Decimal>,
    /// Of equity: the most that the risk method gives to one trade.
    pub max_trade_ratio: Option<Decimal>,
    /// Of what is held after the entry's fee: the most that no exit can sell, being less than a lot.
    #[serde(default)]
    pub max_unsellable_ratio: Option<Decimal>,
    /// Market orders, one after the other, that leaving a trade may take.
    #[serde(default)]
    pub max_exit_orders: Option<u32>,
    /// Whether an edge without a stop may trade at all.
    pub allowed_to_trade_without_stop: bool,
    /// Whether perpetuals are traded, each with its whole notional set aside as its margin.
    #[serde(default)]
    pub allowed_to_trade_perpetuals: bool,
}

impl Config {
    pub(crate) fn edge(&self, name: &EdgeName) -> Option<&EdgeRules> {
        self.edges.iter().find(|rules| rules.edge == *name)
    }

    pub(crate) fn terms(&self, account: Account) -> &Terms {
        self.own.get(&account).unwrap_or(&self.terms)
    }
}

impl Terms {
    /// What an entry of that notional may cost, its fee included.
    pub(crate) fn with_fee(&self, notional: Decimal) -> Decimal {
        notional.saturating_add(notional.saturating_mul(self.entry_fee_ratio))
    }
}
