//! What follows from a tape, for whoever shows it: commands, HTTP, the live view, reports.
//!
//! A projection is pure: fed with the events of its kinds in order it is the same whenever it is made. A process
//! keeps its projections current in memory; a command reads the kinds of one from the tape.

pub mod books;
pub mod orders;
pub mod portfolio;
pub mod positions;
pub mod signals;
pub mod trades;
pub mod trading;

use crate::scan;
use events::{Kind, Position, Recorded};
use tape::Tape;

/// A view of a tape.
pub trait Projection: Default {
    /// The kinds that change it.
    const KINDS: &'static [Kind];

    fn see(&mut self, event: &Recorded);
}

/// The projection of a tape up to a position, read by the index of its kinds.
///
/// # Errors
/// The tape cannot be read, or holds what this build does not know.
pub async fn read<P: Projection>(tape: &Tape, until: Position) -> anyhow::Result<P> {
    let mut projection = P::default();
    scan::kinds(tape, P::KINDS, until, |event| projection.see(event)).await?;
    Ok(projection)
}
