//! A trade as a row of `trades.csv` and of `tapedeck trades --csv`.

use super::Trade;
use crate::figures::tidy;
use domain::Decimal;
use events::NakedBecause;

impl Trade {
    /// The columns of `trades.csv`.
    pub const COLUMNS: [&'static str; 38] = [
        "trade",
        "state",
        "venue",
        "account",
        "instrument",
        "edge",
        "direction",
        "requested_at",
        "opened_at",
        "closed_at",
        "duration_seconds",
        "granted",
        "quantity",
        "held",
        "entry_price",
        "exit_price",
        "stop",
        "protected",
        "unprotected_since",
        "unprotected_because",
        "unprotected_seconds",
        "unprotected_longest_seconds",
        "partly_protected",
        "last_price",
        "last_price_at",
        "cost",
        "proceeds",
        "value",
        "profit",
        "profit_ratio",
        "unrealised_profit",
        "unrealised_ratio",
        "fees",
        "left",
        "left_cost",
        "left_worth",
        "reason",
        "note",
    ];

    /// One cell a column; what does not apply is empty.
    pub fn cells(&self) -> [String; 38] {
        fn optional<T: ToString>(value: Option<T>) -> String {
            value.map(|value| value.to_string()).unwrap_or_default()
        }
        let figure = |d: Option<Decimal>| optional(d.map(tidy));
        let fees: Vec<_> = self.fees.iter().map(|f| format!("{} {}", tidy(f.amount), f.asset)).collect();
        [
            self.trade.to_string(),
            self.state.name().to_owned(),
            self.instrument.venue.to_string(),
            self.account.name.to_string(),
            self.instrument.symbol.to_string(),
            self.edge.to_string(),
            optional(self.direction),
            self.requested_at.to_string(),
            optional(self.opened_at),
            optional(self.closed_at),
            optional(self.duration_seconds),
            figure(self.granted),
            figure(self.quantity),
            figure(self.held),
            figure(self.entry_price),
            figure(self.exit_price),
            figure(self.stop),
            optional(self.protected),
            optional(self.unprotected_since),
            optional(self.unprotected_because.map(NakedBecause::name)),
            figure(self.unprotected_seconds),
            figure(self.unprotected_longest_seconds),
            figure(self.partly_protected),
            figure(self.last_price),
            optional(self.last_price_at),
            figure(self.cost),
            figure(self.proceeds),
            figure(self.value),
            figure(self.profit),
            figure(self.profit_ratio),
            figure(self.unrealised_profit),
            figure(self.unrealised_ratio),
            fees.join(" + "),
            figure(Some(self.left)),
            figure(Some(self.left_cost)),
            figure(Some(self.left_worth)),
            optional(self.reason),
            self.note.clone(),
        ]
    }
}
