//! `tapedeck orders`.

use super::{Shown, Then, check_states};
use crate::{
    cli::{Global, OfRows},
    explain::{show, when},
    figures::tidy,
    projections::orders::{Order, Orders, STUCK, SUBMITTED, WORKING},
};
use domain::Ending;
use std::process::ExitCode;

/// # Errors
/// A state that there is none of, an instrument or edge that is not on the tape; a tape that cannot be read.
pub async fn orders(global: &Global, args: OfRows) -> anyhow::Result<ExitCode> {
    let ends = [
        Ending::Filled,
        Ending::Canceled,
        Ending::Expired,
        Ending::Rejected,
        Ending::Absent,
        Ending::Refused,
    ];
    let states: Vec<&str> = [SUBMITTED, WORKING, STUCK].into_iter().chain(ends.map(Ending::as_str)).collect();
    check_states(&args.state, &states)?;
    let then = Then::open(global, &args.look).await?;
    then.check_names(&args.narrow).await?;
    let mut rows = then.read::<Orders>().await?.into_rows();
    let of = rows.len();
    rows.retain(|o| {
        args.narrow.takes(&o.instrument, o.edge.as_deref())
            && (args.state.is_empty() || args.state.iter().any(|state| state == o.state))
            && args.span.takes(o.at)
    });
    args.span.cut(&mut rows);
    let shown = Shown {
        what: "orders",
        rows: &rows,
        of,
        headings: &["at", "order", "instrument", "what", "stop", "limit", "filled", "state", ""],
        right: &[4, 5, 6],
        columns: &[
            "at",
            "order",
            "trade",
            "edge",
            "venue",
            "instrument",
            "side",
            "type",
            "stop",
            "limit",
            "filled",
            "quote",
            "state",
            "note",
        ],
    };
    shown.print(global, &args.look, line, cells)?;
    Ok(ExitCode::SUCCESS)
}

fn line(r: &Order) -> Vec<String> {
    let what = r.what.as_ref();
    let state = if r.state == STUCK { "STUCK" } else { r.state };
    vec![
        when(r.at),
        r.order.to_string(),
        r.instrument.symbol.to_string(),
        what.map(|o| format!("{} {}", o.side, o.kind.name())).unwrap_or_default(),
        what.and_then(|o| o.kind.stop()).map(|p| p.to_string()).unwrap_or_default(),
        what.and_then(|o| o.kind.limit()).map(|p| p.to_string()).unwrap_or_default(),
        show(r.filled),
        state.to_owned(),
        r.note.clone(),
    ]
}

fn cells(r: &Order) -> Vec<String> {
    let what = r.what.as_ref();
    vec![
        r.at.to_string(),
        r.order.to_string(),
        r.trade.map(|t| t.to_string()).unwrap_or_default(),
        r.edge.map(|e| e.to_string()).unwrap_or_default(),
        r.instrument.venue.to_string(),
        r.instrument.symbol.to_string(),
        what.map(|o| o.side.to_string()).unwrap_or_default(),
        what.map(|o| o.kind.name().to_lowercase()).unwrap_or_default(),
        what.and_then(|o| o.kind.stop()).map(|p| tidy(p.get()).to_string()).unwrap_or_default(),
        what.and_then(|o| o.kind.limit()).map(|p| tidy(p.get()).to_string()).unwrap_or_default(),
        tidy(r.filled).to_string(),
        tidy(r.quote).to_string(),
        r.state.to_owned(),
        r.note.clone(),
    ]
}
