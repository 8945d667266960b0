//! The recorder's loops, each on a seat of its own; without a broker there is nothing to publish.

use super::parts::{Parts, Shared};
use crate::units;
use event_logger::{Counters, Loop, Part};
use std::sync::Arc;

pub(super) fn start(parts: &mut Parts, shared: &Shared, counters: &Arc<Counters>) {
    for &part in Part::on(&shared.bus) {
        let seat = shared.seat(part.unit(), false);
        let work =
            Loop { part, seat: seat.clone(), build: units::BUILD.to_owned(), counters: counters.clone() };
        let stop = shared.stop.clone();
        parts.add(seat.status.clone(), async move { seat.hold(stop, work).await });
    }
}
