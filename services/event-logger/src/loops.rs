//! The three loops as the work of their units' leaderships.

use crate::{CLOCK, Counters, PUBLISHER, UNIT, clock, drain, parse::PARSERS, publish};
use bus::Bus;
use domain::UnitName;
use runtime::distributed::{
    Fault,
    leadership::{Leadership, Work},
    lease::Lease,
    stop::Stop,
};
use std::{future::Future, sync::Arc, time::Duration};

/// One of the recorder's loops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Drain,
    Publish,
    Clock,
}

impl Part {
    /// Those that there is something to do for on a bus: without a broker nothing is published.
    pub fn on(bus: &Bus) -> &'static [Self] {
        match bus {
            Bus::Rabbit(_) => &[Self::Drain, Self::Publish, Self::Clock],
            Bus::InProcess(_) => &[Self::Drain, Self::Clock],
        }
    }

    /// The unit that it speaks for.
    pub fn unit(self) -> UnitName {
        let name = match self {
            Self::Drain => UNIT,
            Self::Publish => PUBLISHER,
            Self::Clock => CLOCK,
        };
        UnitName::new(name).unwrap_or_else(|e| unreachable!("a valid name: {e}"))
    }
}

/// A loop as the work of its unit's leadership.
pub struct Loop {
    pub part: Part,
    pub leadership: Leadership,
    pub build: String,
    pub counters: Arc<Counters>,
}

impl Work for Loop {
    async fn work(&mut self, lease: &Lease, stop: Stop) -> Result<(), Fault> {
        let Self { part, leadership, build, counters } = self;
        match part {
            Part::Drain => drain::drain(leadership, lease, PARSERS, counters, stop).await,
            Part::Publish => publish::publish(leadership, lease, counters, stop).await,
            Part::Clock => clock::tell(leadership, lease, build, counters, stop).await,
        }
    }
}

/// How long something that is under way may go on once stopping is asked for.
const GRACE: Duration = Duration::from_secs(2);

/// All that is done here may be dropped at any moment: what hangs then is left for whoever comes next.
pub(crate) async fn in_time(stop: &Stop, work: impl Future<Output = Result<(), Fault>>) -> Result<(), Fault> {
    tokio::select! {
        biased;
        ended = work => ended,
        () = stop.clone().overdue(GRACE) => Ok(()),
    }
}
