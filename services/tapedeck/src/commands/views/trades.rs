//! `tapedeck trades`.

use super::{Shown, Then, check_states};
use crate::{
    cli::{Global, OfRows},
    explain::{percent, show, when},
    figures::{span, tidy},
    projections::{
        self,
        trades::{State, Trade, Trades},
    },
};
use domain::Decimal;
use std::process::ExitCode;

/// # Errors
/// A state that there is none of, an instrument or edge that is not on the tape; a tape that cannot be read.
pub async fn trades(global: &Global, args: OfRows) -> anyhow::Result<ExitCode> {
    check_states(&args.state, &State::ALL.map(State::name))?;
    let then = Then::open(global, &args.look).await?;
    then.check_names(&args.narrow).await?;
    then.tell_trading(global, &args.look).await?;
    let trades = projections::trades::read(&then.tape, then.until).await?;
    let mut rows: Vec<Trade> = trades.all().collect();
    let of = rows.len();
    let stated = |trade: &Trade| args.state.is_empty() || args.state.iter().any(|s| s == trade.state.name());
    rows.retain(|trade| {
        stated(trade)
            && args.narrow.takes(&trade.instrument, Some(&trade.edge))
            && args.span.takes(trade.requested_at)
    });
    args.span.cut(&mut rows);
    let headings =
        ["trade", "state", "opened", "for", "quantity", "entry", "stop", "exit", "profit", "of cost", ""];
    let shown = Shown {
        what: "trades",
        rows: &rows,
        of,
        headings: &headings,
        right: &[4, 5, 6, 7, 8, 9],
        columns: &Trade::COLUMNS,
    };
    shown.print(global, &args.look, |trade| line(trade, &trades), |trade| trade.cells().to_vec())?;
    Ok(ExitCode::SUCCESS)
}

/// Figures of an open trade that hold for now only stand in parentheses.
fn line(trade: &Trade, trades: &Trades) -> Vec<String> {
    let figure = |d: Option<Decimal>| d.map_or_else(|| "–".to_owned(), |d| show(tidy(d)));
    let now = |text: String| if trade.state.is_open() { format!("({text})") } else { text };
    let exit = match trade.last_price {
        Some(price) if trade.state.is_open() => now(show(tidy(price))),
        Some(_) | None => figure(trade.exit_price),
    };
    let end = trade.closed_at.unwrap_or(trades.now());
    let note = match trade.state {
        State::Open if trade.is_naked(trades.now()) => {
            let why = trade.unprotected_because.map(|because| format!(": {because}"));
            let since = trade.unprotected_since.or(trade.opened_at).map(when).unwrap_or_default();
            format!("no stop since {since}{}", why.unwrap_or_default())
        }
        State::Exiting | State::Closed => trade.reason_words().to_owned(),
        State::Requested | State::Sized | State::Refused | State::Aborted | State::Open => trade.note.clone(),
    };
    vec![
        trade.trade.to_string(),
        trade.standing(trades.now()),
        trade.opened_at.map_or_else(|| "–".to_owned(), when),
        trade.opened_at.map_or_else(|| "–".to_owned(), |opened| span(opened, end)),
        figure(trade.quantity),
        figure(trade.entry_price),
        figure(trade.stop),
        exit,
        trade.gain().map_or_else(|| "–".to_owned(), |gain| now(show(gain.round_dp(2)))),
        trade.gain_ratio().map_or_else(|| "–".to_owned(), |ratio| now(percent(ratio))),
        note,
    ]
}
