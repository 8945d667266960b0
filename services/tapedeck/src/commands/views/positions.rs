//! `tapedeck positions`.

use super::{Shown, Then};
use crate::{
    cli::{Global, OfPositions},
    explain::{show, when},
    figures::tidy,
    projections::positions::Positions,
};
use std::process::ExitCode;

/// # Errors
/// An instrument or edge that is not on the tape; a tape that cannot be read.
pub async fn positions(global: &Global, args: OfPositions) -> anyhow::Result<ExitCode> {
    let then = Then::open(global, &args.look).await?;
    then.check_names(&args.narrow).await?;
    then.tell_trading(global, &args.look).await?;
    let mut rows = then.read::<Positions>().await?.into_rows();
    let of = rows.len();
    rows.retain(|held| args.narrow.takes(&held.key.instrument, Some(&held.key.owner)));
    let shown = Shown {
        what: "positions",
        rows: &rows,
        of,
        headings: &["account", "instrument", "owner", "quantity", "average", "cost", "since"],
        right: &[3, 4, 5],
        columns: &[
            "venue",
            "account",
            "instrument",
            "owner",
            "side",
            "direction",
            "quantity",
            "average",
            "cost",
            "since",
        ],
    };
    shown.print(
        global,
        &args.look,
        |r| {
            vec![
                r.key.account.to_string(),
                r.key.instrument.symbol.to_string(),
                r.key.owner.to_string(),
                show(r.direction.signed(r.quantity)),
                show(tidy(r.average)),
                show(r.cost.round_dp(2)),
                when(r.since),
            ]
        },
        |r| {
            vec![
                r.key.account.venue.to_string(),
                r.key.account.name.to_string(),
                r.key.instrument.symbol.to_string(),
                r.key.owner.to_string(),
                side(r.key.side).to_owned(),
                r.direction.to_string(),
                tidy(r.quantity).to_string(),
                tidy(r.average).to_string(),
                tidy(r.cost).to_string(),
                r.since.to_string(),
            ]
        },
    )?;
    Ok(ExitCode::SUCCESS)
}

const fn side(side: domain::PositionSide) -> &'static str {
    match side {
        domain::PositionSide::Net => "net",
        domain::PositionSide::Long => "long",
        domain::PositionSide::Short => "short",
    }
}
