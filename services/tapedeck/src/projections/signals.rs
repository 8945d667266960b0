//! What edges have signalled.

use super::Projection;
use events::{Event, Kind, Recorded, SignalEvent, SignalGiven};

/// Every signal, the oldest first.
#[derive(Debug, Default)]
pub struct Signals(pub Vec<SignalGiven>);

impl Projection for Signals {
    const KINDS: &'static [Kind] = &[Kind::SignalGiven];

    fn see(&mut self, event: &Recorded) {
        if let Event::Signal(SignalEvent::Given(signal)) = &event.event {
            self.0.push(signal.clone());
        }
    }
}
