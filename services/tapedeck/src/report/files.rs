//! The files of a run.

use super::{Collector, html};
use crate::{
    commands::views::{csv, signals},
    projections::{portfolio::Valuation, trades::Trade},
};
use std::{
    fs::{self, File},
    io::BufWriter,
    path::Path,
};

impl Collector {
    /// Writes `signals.csv`, `requests.csv`, `trades.csv`, `equity.csv`, `summary.json` and `report.html`
    /// into `folder`. `trades.csv` holds what was entered, open trades included; `requests.csv` every
    /// request and what became of it.
    ///
    /// # Errors
    /// The folder cannot be made or written to.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(folder)?;
        let file = |name: &str| File::create(folder.join(name)).map(BufWriter::new);
        csv(file("signals.csv")?, &signals::COLUMNS, self.signals.iter().map(signals::cells))?;
        let trades: Vec<Trade> = self.trades.all().collect();
        let entered = trades.iter().filter(|trade| trade.state.was_entered());
        csv(file("trades.csv")?, &Trade::COLUMNS, entered.map(Trade::cells))?;
        let columns = [
            "trade",
            "requested_at",
            "venue",
            "account",
            "instrument",
            "edge",
            "direction",
            "state",
            "reason",
            "note",
        ];
        csv(file("requests.csv")?, &columns, trades.iter().map(request))?;
        let (worth, of_the_end) = self.ended();
        let equity = self.equity.iter().chain(&of_the_end);
        csv(file("equity.csv")?, &Valuation::COLUMNS, equity.map(Valuation::cells))?;
        let summary = self.summary();
        fs::write(folder.join("summary.json"), serde_json::to_string_pretty(&summary)? + "\n")?;
        let days = worth.daily.rows();
        let held = self.held_at(&days);
        Ok(fs::write(folder.join("report.html"), html::page(&summary, &days, &held, &trades))?)
    }
}

fn request(trade: &Trade) -> [String; 10] {
    [
        trade.trade.to_string(),
        trade.requested_at.to_string(),
        trade.instrument.venue.to_string(),
        trade.account.name.to_string(),
        trade.instrument.symbol.to_string(),
        trade.edge.to_string(),
        trade.direction.map(|direction| direction.to_string()).unwrap_or_default(),
        trade.state.name().to_owned(),
        trade.reason.unwrap_or_default().to_owned(),
        trade.note.clone(),
    ]
}
