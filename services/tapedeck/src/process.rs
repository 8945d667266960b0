//! What a process of services tells of itself.

use bus::{Bus, BusStatus};
use event_logger::{Counters, counters::Metric};
use runtime::{
    distributed::{UnitStatus, metrics, ready},
    http::Report,
};
use serde_json::{Value, json};
use std::{
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
};

/// Shared between the services of a process and whoever watches it. Cheap to clone.
#[derive(Clone)]
pub struct Process(Arc<Inner>);

struct Inner {
    bus: Bus,
    /// Why the tape is not open yet.
    opening: Mutex<Option<String>>,
    units: Mutex<Vec<UnitStatus>>,
    /// Where this process runs the recorder.
    recorder: Option<Arc<Counters>>,
}

impl Process {
    pub fn new(bus: Bus, records: bool) -> Self {
        let recorder = records.then(Arc::default);
        let opening = Mutex::new(Some("opening the tape".to_owned()));
        Self(Arc::new(Inner { bus, opening, units: Mutex::default(), recorder }))
    }

    pub fn cannot_open(&self, why: String) {
        *self.0.opening.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    pub fn runs(&self, units: Vec<UnitStatus>) {
        *self.0.units.lock().unwrap_or_else(PoisonError::into_inner) = units;
        *self.0.opening.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The counters of the recorder.
    pub fn recorder(&self) -> Arc<Counters> {
        self.0.recorder.clone().unwrap_or_default()
    }

    fn opening(&self) -> Option<String> {
        self.0.opening.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn units(&self) -> Vec<UnitStatus> {
        self.0.units.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// `None` without a broker.
    fn bus(&self) -> Option<BusStatus> {
        match &self.0.bus {
            Bus::InProcess(_) => None,
            Bus::Rabbit(_) => Some(self.0.bus.status()),
        }
    }

    fn report(&self) -> (bool, Value) {
        let bus = self.bus();
        let bus_is_well = bus.as_ref().is_none_or(|bus| bus.connected && !bus.blocked);
        let (units_are_ready, mut report) = ready(&self.units());
        let opening = self.opening();
        let ready = opening.is_none() && units_are_ready && bus_is_well;
        report["ready"] = ready.into();
        report["tape"] = json!({ "open": opening.is_none(), "why": opening });
        report["bus"] = bus.map_or(Value::Null, |bus| {
            json!({
                "connected": bus.connected,
                "blocked": bus.blocked,
                "why": bus.why,
                "topology": bus.topology,
                "reconnects": bus.reconnects,
            })
        });
        (ready, report)
    }
}

impl Report for Process {
    /// A process that cannot go on ends by itself; one that answers is worth keeping.
    fn health(&self) -> (bool, Value) {
        (true, self.report().1)
    }

    fn ready(&self) -> (bool, Value) {
        self.report()
    }

    fn metrics(&self) -> String {
        let mut text = metrics(&self.units());
        if let Some(bus) = self.bus() {
            gauge(&mut text, "tapedeck_bus_connected", "1 while the broker is connected.", bus.connected);
            gauge(&mut text, "tapedeck_bus_blocked", "1 while the broker takes no messages.", bus.blocked);
            for (name, help, value) in [
                ("reconnects", "Connections made after the first.", bus.reconnects),
                ("published", "Messages handed to the broker.", bus.published),
                ("confirmed", "Messages that the broker has confirmed.", bus.confirmed),
                ("refused", "Messages that the broker has refused.", bus.refused),
                ("returned", "Messages that no queue took.", bus.returned),
                ("received", "Messages that the broker has delivered.", bus.received),
                ("foreign", "Hints of another tape.", bus.foreign),
                ("malformed", "Hints that cannot be read.", bus.malformed),
                ("overflowed", "Hints for which a listener had no room.", bus.overflowed),
            ] {
                counter(&mut text, &format!("tapedeck_bus_{name}_total"), help, value);
            }
        }
        if let Some(recorder) = &self.0.recorder {
            for Metric { name, help, value } in recorder.list() {
                let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
                sample(&mut text, name, help, kind, value);
            }
        }
        text
    }
}

fn counter(text: &mut String, name: &str, help: &str, value: u64) {
    sample(text, name, help, "counter", value);
}

fn gauge(text: &mut String, name: &str, help: &str, value: bool) {
    sample(text, name, help, "gauge", value.into());
}

/// In Prometheus' text format, without labels.
fn sample(text: &mut String, name: &str, help: &str, kind: &str, value: u64) {
    // Writing to memory cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
}
