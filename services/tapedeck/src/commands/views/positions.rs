//! `tapedeck positions`.

use super::{Shown, Then};
use crate::{
    cli::{Global, OfPositions},
    explain::{show, when},
    figures::{as_tidy, tidy},
};
use domain::{Decimal, Direction, Timestamp};
use events::{Event, Kind, PositionEvent, PositionKey};
use serde::Serialize;
use std::{collections::BTreeMap, process::ExitCode};

#[derive(Serialize)]
struct Held {
    #[serde(flatten)]
    key: PositionKey,
    direction: Direction,
    #[serde(serialize_with = "as_tidy")]
    quantity: Decimal,
    #[serde(serialize_with = "as_tidy")]
    average: Decimal,
    #[serde(serialize_with = "as_tidy")]
    cost: Decimal,
    since: Timestamp,
}

const KINDS: &[Kind] =
    &[Kind::PositionOpened, Kind::PositionIncreased, Kind::PositionReduced, Kind::PositionClosed];

/// # Errors
/// An instrument or edge that is not on the tape; a tape that cannot be read.
pub async fn positions(global: &Global, args: OfPositions) -> anyhow::Result<ExitCode> {
    let then = Then::open(global, &args.look).await?;
    then.check_names(&args.narrow).await?;
    then.tell_trading(global, &args.look).await?;
    let mut held: BTreeMap<(PositionKey, Direction), Held> = BTreeMap::new();
    then.scan(KINDS, |event| {
        if let Event::Position(position) = &event.event {
            see(&mut held, position, event.recorded_at);
        }
    })
    .await?;
    let of = held.len();
    let rows: Vec<Held> =
        held.into_values().filter(|h| args.narrow.takes(&h.key.instrument, Some(&h.key.owner))).collect();
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

fn see(held: &mut BTreeMap<(PositionKey, Direction), Held>, position: &PositionEvent, at: Timestamp) {
    let (key, direction, quantity, average) = match position {
        PositionEvent::Opened(e) => (e.position, e.direction, e.quantity, e.average),
        PositionEvent::Increased(e) => (e.position, e.direction, e.quantity, e.average),
        // Of the dust of a position that is closed: no position.
        PositionEvent::Reduced(e) if !held.contains_key(&(e.position, e.direction)) => return,
        PositionEvent::Reduced(e) => (e.position, e.direction, e.quantity, e.average),
        PositionEvent::Closed(e) => {
            held.remove(&(e.position, e.direction));
            return;
        }
    };
    let since = held.get(&(key, direction)).map_or(at, |row| row.since);
    let cost = average * quantity;
    held.insert((key, direction), Held { key, direction, quantity, average, cost, since });
}
