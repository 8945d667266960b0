//! Who comes to a tape late: what it learns without judging it, and from where on it speaks.
//!
//! What was decided is on the tape: `UnitStarted` says up to where the unit had judged, and from where on it does
//! again, so replay and verification decide the same.

use domain::Timestamp;
use events::{Clock, Position};
use service::Late;
use std::time::Duration;
use tape::Head;

/// On a wall clock an event is heard in time if it is not older than this, in the tape's time. A restart, an upgrade
/// and a fleet whose services start one after the other take less.
pub const IN_TIME: Duration = Duration::from_secs(600);

/// A unit that takes up what it has not heard.
#[derive(Debug, Clone, Copy)]
pub struct Joining {
    late: Late,
    /// Whether it has run on this tape before.
    ran: bool,
    clock: Clock,
    /// The tape's end as the unit found it: whatever comes behind is heard in time.
    pub head: Head,
    /// When the first event was recorded that it has not heard.
    since: Option<Timestamp>,
}

impl Joining {
    /// `None` if the unit judges everything that it has not heard.
    pub fn new(late: Late, ran: bool, clock: Clock, head: Head) -> Option<Self> {
        let learns = !ran || late == Late::Learns;
        learns.then_some(Self { late, ran, clock, head, since: None })
    }

    /// Whether the next event that it has not heard is learned. Once one is not, none behind it is.
    pub fn learns(&mut self, position: Position, recorded_at: Timestamp) -> bool {
        let since = *self.since.get_or_insert(recorded_at);
        position <= self.head.position
            && match (self.late, self.ran) {
                (Late::Answers, true) => false,
                (Late::Answers, false) => self.is_old(recorded_at),
                (Late::Learns, true) => self.is_old(since),
                (Late::Learns, false) => true,
            }
    }

    /// On its own clock a market waits for every unit of it: who missed more than the last step was none.
    fn is_old(&self, recorded_at: Timestamp) -> bool {
        let age = self.head.recorded_at.since(recorded_at);
        match self.clock {
            Clock::Market => !age.is_zero(),
            Clock::Wall => age > IN_TIME,
        }
    }
}
