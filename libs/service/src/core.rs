//! A service with its state, behind one object-safe face.

use crate::{Late, Own, Service};
use domain::Timestamp;
use events::{Event, Kind};
use serde_json::Value;
use std::any::Any;

/// What a [`crate::Host`] drives. Only [`Held`] implements it.
pub trait Core: Any + Send {
    fn name(&self) -> &'static str;
    fn hears(&self) -> &'static [Kind];
    fn own(&self) -> Own;
    fn late(&self) -> Late;
    fn apply(&mut self, now: Timestamp, event: &Event);
    fn decide(&self, now: Timestamp, heard: &Event) -> Vec<Event>;
    /// Apply, decide, and (for a unit that takes its own at their cause) apply what was said.
    fn hear(&mut self, now: Timestamp, heard: &Event, said: &mut Vec<Event>);
    fn config(&self) -> Value;
    /// Runs under another configuration from here on; the state stays.
    fn configure(&mut self, config: &Value) -> serde_json::Result<()>;
    fn state(&self) -> Value;
    fn state_json(&self) -> Vec<u8>;
    fn restore(&mut self, state: &[u8]) -> serde_json::Result<()>;
    fn reset(&mut self);
}

/// A [`Service`], its configuration and its state.
pub struct Held<S: Service> {
    config: S::Config,
    pub(crate) service: S,
    pub(crate) state: S::State,
}

impl<S: Service> Held<S> {
    pub fn new(config: S::Config) -> Self {
        Self { service: S::new(config.clone()), config, state: S::State::default() }
    }
}

impl<S: Service> Core for Held<S> {
    fn name(&self) -> &'static str {
        S::CORE
    }
    fn hears(&self) -> &'static [Kind] {
        S::HEARS
    }
    fn own(&self) -> Own {
        S::OWN
    }
    fn late(&self) -> Late {
        S::LATE
    }
    fn apply(&mut self, now: Timestamp, event: &Event) {
        self.service.apply(&mut self.state, now, event);
    }
    fn decide(&self, now: Timestamp, heard: &Event) -> Vec<Event> {
        self.service.decide(&self.state, now, heard)
    }
    fn hear(&mut self, now: Timestamp, heard: &Event, said: &mut Vec<Event>) {
        self.service.apply(&mut self.state, now, heard);
        let new = self.service.decide(&self.state, now, heard);
        if S::OWN == Own::AtCause {
            for event in &new {
                self.service.apply(&mut self.state, now, event);
            }
        }
        said.extend(new);
    }
    fn config(&self) -> Value {
        serde_json::to_value(&self.config)
            .unwrap_or_else(|e| unreachable!("a configuration is plain data: {e}"))
    }
    fn configure(&mut self, config: &Value) -> serde_json::Result<()> {
        self.config = serde_json::from_value(config.clone())?;
        self.service = S::new(self.config.clone());
        Ok(())
    }
    fn state(&self) -> Value {
        serde_json::to_value(&self.state).unwrap_or_else(|e| unreachable!("a state is plain data: {e}"))
    }
    fn state_json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.state).unwrap_or_else(|e| unreachable!("a state is plain data: {e}"))
    }
    fn restore(&mut self, state: &[u8]) -> serde_json::Result<()> {
        self.state = serde_json::from_slice(state)?;
        Ok(())
    }
    fn reset(&mut self) {
        self.state = S::State::default();
    }
}
