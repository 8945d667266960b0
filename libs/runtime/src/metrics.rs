//! Prometheus' text format.

use std::fmt::{Display, Write};

/// One metric with all its samples.
pub struct Family {
    text: String,
    name: &'static str,
}

impl Family {
    /// It may fall.
    pub fn gauge(name: &'static str, help: &str) -> Self {
        Self { text: format!("# HELP {name} {help}\n# TYPE {name} gauge\n"), name }
    }

    /// It only grows; its name ends in `_total`.
    pub fn counter(name: &'static str, help: &str) -> Self {
        Self { text: format!("# HELP {name} {help}\n# TYPE {name} counter\n"), name }
    }

    #[must_use]
    pub fn with(mut self, labels: &[(&str, &str)], value: impl Display) -> Self {
        self.add(labels, value);
        self
    }

    pub fn add(&mut self, labels: &[(&str, &str)], value: impl Display) {
        let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<_> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        // Writing to memory cannot fail.
        let _ = writeln!(self.text, "{}{labels} {value}", self.name);
    }

    pub fn text(self) -> String {
        self.text
    }
}
