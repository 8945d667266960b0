//! One trade, and what an open one is worth.

use super::{Fills, PATIENCE, State, coverage::Unstopped};
use crate::figures::{as_tidy, as_tidy_option, tidy};
use domain::{Account, ClientOrderId, Decimal, Direction, EdgeName, Instrument, Timestamp, TradeId};
use events::{Fee, NakedBecause};
use serde::Serialize;

/// One trade. Fields that do not apply to its state are null.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trade {
    pub trade: TradeId,
    pub state: State,
    pub account: Account,
    pub instrument: Instrument,
    pub edge: EdgeName,
    pub direction: Option<Direction>,
    pub requested_at: Timestamp,
    /// When the first fill of the entry was executed, and the last of the exit; by the venue's clock.
    pub opened_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    /// From opening to closing, or to the last event seen.
    pub duration_seconds: Option<u64>,
    /// Of the base asset: granted by the sizer.
    #[serde(serialize_with = "as_tidy_option")]
    pub granted: Option<Decimal>,
    /// Entered in all, before fees; of an entered trade.
    #[serde(serialize_with = "as_tidy_option")]
    pub quantity: Option<Decimal>,
    /// Held now, or owed by a short trade: entered, less fees taken from it, less what was left again, with dust that
    /// was taken over; of an open trade.
    #[serde(serialize_with = "as_tidy_option")]
    pub held: Option<Decimal>,
    #[serde(serialize_with = "as_tidy_option")]
    pub entry_price: Option<Decimal>,
    #[serde(serialize_with = "as_tidy_option")]
    pub exit_price: Option<Decimal>,
    /// The price of the last stop that worked.
    #[serde(serialize_with = "as_tidy_option")]
    pub stop: Option<Decimal>,
    /// Whether a stop works over all that is held.
    pub protected: Option<bool>,
    pub unprotected_since: Option<Timestamp>,
    pub unprotected_because: Option<NakedBecause>,
    /// For how long no stop worked over all that was held: in all, and at the longest.
    #[serde(serialize_with = "as_tidy_option")]
    pub unprotected_seconds: Option<Decimal>,
    #[serde(serialize_with = "as_tidy_option")]
    pub unprotected_longest_seconds: Option<Decimal>,
    /// Base asset that a stop covers, where it does not cover all of it.
    #[serde(serialize_with = "as_tidy_option")]
    pub partly_protected: Option<Decimal>,
    /// The instrument's last price, and when it was so.
    #[serde(serialize_with = "as_tidy_option")]
    pub last_price: Option<Decimal>,
    pub last_price_at: Option<Timestamp>,
    /// Quote asset paid and received, fees in it included.
    #[serde(serialize_with = "as_tidy_option")]
    pub cost: Option<Decimal>,
    #[serde(serialize_with = "as_tidy_option")]
    pub proceeds: Option<Decimal>,
    /// What is held, at the last price.
    #[serde(serialize_with = "as_tidy_option")]
    pub value: Option<Decimal>,
    /// Of a closed trade.
    #[serde(serialize_with = "as_tidy_option")]
    pub profit: Option<Decimal>,
    /// `profit / cost`; of a short trade `profit / proceeds`.
    #[serde(serialize_with = "as_tidy_option")]
    pub profit_ratio: Option<Decimal>,
    /// `value + proceeds − cost`, of a short trade `proceeds − cost − value`; before what leaving would cost.
    #[serde(serialize_with = "as_tidy_option")]
    pub unrealised_profit: Option<Decimal>,
    /// `unrealised_profit / cost`; of a short trade `unrealised_profit / proceeds`.
    #[serde(serialize_with = "as_tidy_option")]
    pub unrealised_ratio: Option<Decimal>,
    pub fees: Vec<Fee>,
    /// Base asset too little for an order.
    #[serde(serialize_with = "as_tidy")]
    pub left: Decimal,
    /// What that was entered for, and what it was worth when the trade was closed.
    #[serde(serialize_with = "as_tidy")]
    pub left_cost: Decimal,
    #[serde(serialize_with = "as_tidy")]
    pub left_worth: Decimal,
    /// Why it was refused, aborted or left: the name of a rule or reason.
    pub reason: Option<&'static str>,
    /// The reason for people, and the figures with it.
    pub note: String,
    #[serde(skip)]
    pub(super) reason_words: Option<&'static str>,
    #[serde(skip)]
    pub(super) fills: Fills,
    /// The last stop that worked.
    #[serde(skip)]
    pub(super) stop_order: Option<ClientOrderId>,
    #[serde(skip)]
    pub unstopped: Unstopped,
}

impl Trade {
    pub(super) fn new(
        trade: TradeId,
        account: Account,
        instrument: Instrument,
        edge: EdgeName,
        requested_at: Timestamp,
    ) -> Self {
        Self {
            trade,
            state: State::Requested,
            account,
            instrument,
            edge,
            direction: None,
            requested_at,
            opened_at: None,
            closed_at: None,
            duration_seconds: None,
            granted: None,
            quantity: None,
            held: None,
            entry_price: None,
            exit_price: None,
            stop: None,
            protected: None,
            unprotected_since: None,
            unprotected_because: None,
            unprotected_seconds: None,
            unprotected_longest_seconds: None,
            partly_protected: None,
            last_price: None,
            last_price_at: None,
            cost: None,
            proceeds: None,
            value: None,
            profit: None,
            profit_ratio: None,
            unrealised_profit: None,
            unrealised_ratio: None,
            fees: Vec::new(),
            left: Decimal::ZERO,
            left_cost: Decimal::ZERO,
            left_worth: Decimal::ZERO,
            reason: None,
            note: String::new(),
            reason_words: None,
            fills: Fills::default(),
            stop_order: None,
            unstopped: Unstopped::default(),
        }
    }

    pub(super) fn because(&mut self, name: &'static str, words: &'static str, text: &str) {
        self.reason = Some(name);
        self.reason_words = Some(words);
        self.note = if text.is_empty() { words.to_owned() } else { format!("{words}: {text}") };
    }

    /// Figures of an open trade from its fills, and its worth at a price.
    pub(super) fn value_at(&mut self, price: Option<(Timestamp, Decimal)>) {
        let f = &self.fills;
        self.fees = f.fees.iter().map(|(&asset, &amount)| Fee { asset, amount }).collect();
        self.quantity = Some(f.entered_in_all);
        let direction = self.direction.unwrap_or(Direction::Long);
        let (entered, left) = match direction {
            Direction::Long => (f.bought, f.sold),
            Direction::Short => (f.sold, f.bought),
        };
        self.held = f.opened_with.map(|(held, _)| held + entered - left);
        (self.cost, self.proceeds) = match direction {
            Direction::Long => (f.opened_with.map(|(_, value)| value + f.paid), Some(f.received)),
            Direction::Short => (Some(f.paid), f.opened_with.map(|(_, value)| value + f.received)),
        };
        let Some((at, price)) = price else { return };
        self.last_price = Some(price);
        self.last_price_at = Some(at);
        self.value = self.held.and_then(|held| held.checked_mul(price));
        let so_far = self.cost.zip(self.proceeds).map(|(cost, proceeds)| proceeds - cost);
        self.unrealised_profit =
            self.value.zip(so_far).map(|(value, so_far)| so_far + direction.signed(value));
        let entered_for = match direction {
            Direction::Long => self.cost,
            Direction::Short => self.proceeds,
        };
        self.unrealised_ratio =
            self.unrealised_profit.zip(entered_for).and_then(|(profit, value)| profit.checked_div(value));
    }

    /// The state with how it is protected, for people.
    pub fn standing(&self, now: Timestamp) -> String {
        match (self.state, self.protected) {
            (State::Open, Some(false)) if self.partly_protected.is_some() => {
                let covered = self.partly_protected.unwrap_or_default();
                format!("open, only {} protected", tidy(covered))
            }
            (State::Open, Some(true)) => "open, protected".to_owned(),
            (State::Open, Some(false)) if self.is_naked(now) => "open, UNPROTECTED".to_owned(),
            (State::Open, Some(false)) => "open, no stop yet".to_owned(),
            (state, _) => state.name().to_owned(),
        }
    }

    /// Without a stop, and not only for the instant that the engine's own steps take.
    pub fn is_naked(&self, now: Timestamp) -> bool {
        let passing = self.unprotected_because.is_none_or(NakedBecause::is_passing);
        let since = self.unprotected_since.or(self.opened_at);
        self.protected == Some(false) && (!passing || since.is_some_and(|since| now.since(since) > PATIENCE))
    }

    /// Of a closed trade, else what it would be at the last price.
    pub fn gain(&self) -> Option<Decimal> {
        self.profit.or(self.unrealised_profit)
    }

    pub fn gain_ratio(&self) -> Option<Decimal> {
        self.profit_ratio.or(self.unrealised_ratio)
    }

    pub fn reason_words(&self) -> &'static str {
        self.reason_words.unwrap_or_default()
    }
}
