//! The recorder's loops, each under a leadership of its own; without a broker there is nothing to publish.

use super::parts::{Parts, Shared};
use crate::units;
use event_logger::{Counters, Loop, Part};
use std::sync::Arc;

pub(super) fn start(parts: &mut Parts, shared: &Shared, counters: &Arc<Counters>) {
    for &part in Part::on(&shared.bus) {
        let leadership = shared.leadership(part.unit(), false);
        let work = Loop {
            part,
            leadership: leadership.clone(),
            build: units::BUILD.to_owned(),
            counters: counters.clone(),
        };
        let stop = shared.stop.clone();
        parts.add(leadership.status.clone(), async move { leadership.hold(stop, work).await });
    }
}
