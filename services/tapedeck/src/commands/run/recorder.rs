//! The recorder's loops, each on a seat of its own; without a broker there is nothing to publish.

use super::parts::{Parts, Shared};
use crate::units;
use bus::{Bus, Rabbit};
use domain::UnitName;
use event_logger::{Counters, Fault, Fence, clock, counters::Standing, drain, parse::PARSERS, publish};
use runtime::apart::{
    Trouble, UnitPhase,
    lease::Lease,
    seat::{Seat, Work},
    stop::Stop,
};
use std::{sync::Arc, time::Duration};

/// How often what a loop tells of itself is looked at.
const LOOK: Duration = Duration::from_millis(250);

enum Part {
    Drain,
    Publish(Rabbit),
    Clock,
}

struct Loop {
    part: Part,
    seat: Seat,
    counters: Arc<Counters>,
}

pub(super) fn start(parts: &mut Parts, shared: &Shared, counters: &Arc<Counters>) {
    let drain = (Part::Drain, event_logger::UNIT);
    let clock = (Part::Clock, event_logger::CLOCK);
    let of = match &shared.bus {
        Bus::InProcess(_) => vec![drain, clock],
        Bus::Rabbit(rabbit) => {
            vec![drain, (Part::Publish(rabbit.clone()), event_logger::PUBLISHER), clock]
        }
    };
    for (part, name) in of {
        let unit = UnitName::new(name).unwrap_or_else(|e| unreachable!("a valid name: {e}"));
        let seat = shared.seat(unit, false);
        let status = seat.status.clone();
        let work = Loop { part, seat: seat.clone(), counters: counters.clone() };
        let stop = shared.stop.clone();
        parts.add(status, async move { seat.hold(stop, work).await });
    }
}

impl Work for Loop {
    async fn work(&mut self, lease: &Lease, stop: Stop) -> Result<(), Trouble> {
        tokio::select! {
            ended = self.goes_on(lease, &stop) => ended.map_err(trouble),
            () = self.is_watched() => Ok(()),
        }
    }
}

impl Loop {
    async fn goes_on(&self, lease: &Lease, stop: &Stop) -> Result<(), Fault> {
        let Self { seat, counters, .. } = self;
        let (tape, fence, stop) = (&seat.tape, Fence::of(&lease.cursor, seat.lease), stop.receiver());
        match &self.part {
            Part::Drain => drain::drain(tape, &seat.bus, fence, PARSERS, counters, stop).await,
            Part::Publish(rabbit) => publish::publish(tape, rabbit, fence, counters, stop).await,
            Part::Clock => clock::tell(tape, fence, units::BUILD, counters, stop).await,
        }
    }

    /// Keeps the status as the loop tells it; never ends.
    async fn is_watched(&self) {
        let commits = self.seat.tape.watch();
        let mut look = tokio::time::interval(LOOK);
        loop {
            look.tick().await;
            self.seat.status.enter(self.standing().why().map_or(UnitPhase::Running, UnitPhase::CutOff));
            if matches!(self.part, Part::Publish(_)) {
                self.seat.status.stands_at(self.counters.published_to.get(), *commits.borrow());
            }
        }
    }

    fn standing(&self) -> &Standing {
        match self.part {
            Part::Drain => &self.counters.drain,
            Part::Publish(_) => &self.counters.publish,
            Part::Clock => &self.counters.clock,
        }
    }
}

fn trouble(fault: Fault) -> Trouble {
    match fault {
        Fault::Lost(why) => Trouble::Lost(why),
        Fault::Away(why) => Trouble::Away(why),
        Fault::Stuck(why) => Trouble::Stuck(why),
    }
}
