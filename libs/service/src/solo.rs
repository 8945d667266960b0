//! One core by itself, for tests: a script of events in, the log of what it said out.

use crate::{Own, Service};
use domain::Timestamp;
use events::Event;

/// Drives a core as a host does, and on every step also writes its state to JSON and reads it back,
/// so that a state that a snapshot would lose shows up in any test.
pub struct Solo<S: Service> {
    pub service: S,
    pub state: S::State,
}

impl<S: Service> Solo<S> {
    pub fn new(config: S::Config) -> Self {
        Self { service: S::new(config), state: S::State::default() }
    }

    /// What the core says on hearing `event` at `now`.
    /// A kind that the core does not hear is a mistake of the test.
    pub fn hear(&mut self, now: Timestamp, event: impl Into<Event>) -> Vec<Event> {
        let event = event.into();
        assert!(S::HEARS.contains(&event.kind()), "the core does not hear {}", event.kind().name());
        self.service.apply(&mut self.state, now, &event);
        let said = self.service.decide(&self.state, now, &event);
        for own in &said {
            if S::OWN == Own::AtCause {
                self.service.apply(&mut self.state, now, own);
            }
        }
        let json = serde_json::to_string(&self.state).expect("a state is written as JSON");
        self.state = serde_json::from_str(&json).expect("a state is read back from its JSON");
        said
    }
}
