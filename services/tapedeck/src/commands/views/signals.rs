//! `tapedeck signals`.

use super::{Shown, Then};
use crate::{
    cli::{Global, OfSignals},
    explain::when,
    figures::tidy,
    projections::signals::Signals,
};
use domain::Price;
use events::{Evidence, SignalGiven};
use std::process::ExitCode;

/// The columns of `signals.csv`, too.
pub const COLUMNS: [&str; 10] =
    ["at", "venue", "instrument", "edge", "direction", "price", "evidence", "stop", "target", "test"];

/// # Errors
/// An instrument or edge that is not on the tape; a tape that cannot be read.
pub async fn signals(global: &Global, args: OfSignals) -> anyhow::Result<ExitCode> {
    let then = Then::open(global, &args.look).await?;
    then.check_names(&args.narrow).await?;
    let mut given = then.read::<Signals>().await?.0;
    let of = given.len();
    given.retain(|s| args.narrow.takes(&s.instrument, Some(&s.edge)) && args.span.takes(s.at));
    args.span.cut(&mut given);
    let shown = Shown {
        what: "signals",
        rows: &given,
        of,
        headings: &["at", "edge", "instrument", "direction", "price", "evidence"],
        right: &[4],
        columns: &COLUMNS,
    };
    shown.print(
        global,
        &args.look,
        |s| {
            vec![
                when(s.at),
                s.edge.to_string(),
                s.instrument.symbol.to_string(),
                format!("{}{}", s.direction, if s.test { " (test)" } else { "" }),
                s.price.to_string(),
                evidence(s.evidence.as_ref()),
            ]
        },
        |s| cells(s).to_vec(),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// One cell a column of [`COLUMNS`].
pub fn cells(s: &SignalGiven) -> [String; 10] {
    [
        s.at.to_string(),
        s.instrument.venue.to_string(),
        s.instrument.symbol.to_string(),
        s.edge.to_string(),
        s.direction.to_string(),
        tidy(s.price.get()).to_string(),
        evidence(s.evidence.as_ref()),
        price(s.stop),
        price(s.target),
        s.test.to_string(),
    ]
}

/// The figures that made it, each with its name.
fn evidence(evidence: Option<&Evidence>) -> String {
    match evidence {
        Some(Evidence::Breakout(breakout)) => format!("channel {}", tidy(breakout.channel.get())),
        Some(Evidence::Figures(figures)) => {
            let shown: Vec<_> =
                figures.iter().map(|(name, figure)| format!("{name} {}", tidy(*figure))).collect();
            shown.join(", ")
        }
        None => String::new(),
    }
}

/// Empty where there is none.
fn price(price: Option<Price>) -> String {
    price.map_or_else(String::new, |price| tidy(price.get()).to_string())
}
