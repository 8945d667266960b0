//! The first row of a live tape.

use events::{Clock, Draft, TapeOpened, Uuid, ids};
use runtime::distributed::{Fault, machine_clock};
use tape::{Commit, Cursor, CursorMove, Entry, OnConflict, Tape};

/// What stands at position 1. On an empty tape this says it: a tape on a wall clock, with an id drawn
/// now, once and for all. `lease` is the cursor of the unit `event-logger`, so of two that try only one can.
///
/// # Errors
/// A tape of another market, a lost fence, or a tape that is away: try again then.
pub async fn open_tape(tape: &Tape, lease: &Cursor, market: &str) -> Result<TapeOpened, Fault> {
    let opened = match tape.opened().await? {
        Some(opened) => opened,
        None => {
            let opened = TapeOpened { tape: Uuid::new_v4(), clock: Clock::Wall, market: market.to_owned() };
            tape.append(opening(&opened, lease)).await?;
            tracing::info!(tape = %opened.tape, market, "the tape was opened");
            opened
        }
    };
    if opened.market != market {
        return Err(Fault::Stuck(format!(
            "this tape records '{}', not '{market}': choose another tape, or that market",
            opened.market
        )));
    }
    Ok(opened)
}

fn opening(opened: &TapeOpened, lease: &Cursor) -> Commit {
    let event = opened.clone().into();
    let id = ids::fact(opened.tape, "tape.opened", "1");
    let draft = Draft::new(id, service::tape_unit(), None, machine_clock(), &event);
    let step = CursorMove { unit: lease.unit, fence: lease.fence, to: lease.position, reach: 0 };
    Commit { entries: vec![Entry::wall(draft)], cursors: vec![step], on_conflict: OnConflict::Fail }
}
