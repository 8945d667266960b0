//! Names that rows are narrowed by: one that the tape does not know is an error, since nothing would be shown for it
//! and nobody would know why.

use super::Then;
use crate::{WrongUse, cli::Narrow, scan};
use domain::Instrument;
use events::{Event, InstrumentEvent, Kind, PositionEvent, SignalEvent, TradeEvent, UnitEvent};
use std::collections::BTreeSet;

/// What tells of instruments and of edges.
const KINDS: &[Kind] = &[
    Kind::UnitStarted,
    Kind::InstrumentListed,
    Kind::SignalGiven,
    Kind::TradeRequested,
    Kind::OrderSubmitted,
    Kind::PositionOpened,
];

/// How many names an error tells.
const SHOWN: usize = 12;

impl Then {
    /// Instruments and edges must be on the tape, though perhaps later than `--until`.
    ///
    /// # Errors
    /// One is not, with those that are; a tape that cannot be read.
    pub(super) async fn check_names(&self, narrow: &Narrow) -> anyhow::Result<()> {
        if narrow.instrument.is_empty() && narrow.edge.is_empty() {
            return Ok(());
        }
        let (mut instruments, mut edges) = (BTreeSet::new(), BTreeSet::new());
        scan::kinds(&self.tape, KINDS, u64::MAX, |event| match &event.event {
            Event::Instrument(InstrumentEvent::Listed(e)) => _ = instruments.insert(e.instrument),
            Event::Signal(SignalEvent::Given(e)) => {
                _ = (instruments.insert(e.instrument), edges.insert(e.edge.to_string()))
            }
            Event::Trade(TradeEvent::Requested(e)) => {
                _ = (instruments.insert(e.instrument), edges.insert(e.edge.to_string()));
            }
            Event::Order(events::OrderEvent::Submitted(e)) => _ = instruments.insert(e.instrument),
            Event::Position(PositionEvent::Opened(e)) => {
                _ = (instruments.insert(e.position.instrument), edges.insert(e.position.owner.to_string()));
            }
            // An edge that has said nothing yet is known by its configuration.
            Event::Unit(UnitEvent::Started(e)) => edges.extend(e.config["edge"].as_str().map(str::to_owned)),
            _ => {}
        })
        .await?;
        for wanted in &narrow.instrument {
            if !instruments.iter().any(|instrument| is_meant(wanted, instrument)) {
                let symbols: BTreeSet<&str> = instruments.iter().map(|i| i.symbol.as_str()).collect();
                return Err(unknown("--instrument", wanted, &symbols).into());
            }
        }
        let edges: BTreeSet<&str> = edges.iter().map(String::as_str).collect();
        match narrow.edge.iter().find(|wanted| !edges.contains(wanted.as_str())) {
            Some(wanted) => Err(unknown("--edge", wanted, &edges).into()),
            None => Ok(()),
        }
    }
}

/// An instrument is asked for by its symbol, in any case, or in full.
pub fn is_meant(wanted: &str, instrument: &Instrument) -> bool {
    wanted.eq_ignore_ascii_case(&instrument.symbol) || wanted.eq_ignore_ascii_case(&instrument.to_string())
}

fn unknown(option: &str, wanted: &str, known: &BTreeSet<&str>) -> WrongUse {
    let shown: Vec<&str> = known.iter().copied().take(SHOWN).collect();
    let there = match known.len().saturating_sub(SHOWN) {
        0 if known.is_empty() => "none is there yet".to_owned(),
        0 => format!("there is: {}", shown.join(", ")),
        more => format!("there is: {} and {more} more", shown.join(", ")),
    };
    let meant = did_you_mean(wanted, known.iter().copied());
    WrongUse(format!("{option} {wanted}: it is not on this tape; {there}{meant}"))
}

/// `; did you mean BTCUSDT?`, or nothing where no name is near.
pub fn did_you_mean<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    /// As clap has it for options.
    const NEAR: f64 = 0.7;
    let lower = wanted.to_lowercase();
    let near = known.into_iter().map(|name| (strsim::jaro_winkler(&lower, &name.to_lowercase()), name));
    match near.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((near, name)) if near > NEAR => format!("; did you mean {name}?"),
        Some(_) | None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_asked_for_and_none_that_is_far() {
        let known = ["ADAUSDT", "BTCUSDT", "ETHUSDT"];
        assert_eq!(did_you_mean("BTCUSD", known), "; did you mean BTCUSDT?");
        assert_eq!(did_you_mean("ethusdt", known), "; did you mean ETHUSDT?");
        assert_eq!(did_you_mean("gold", known), "");
        assert_eq!(did_you_mean("gold", []), "");
    }
}
