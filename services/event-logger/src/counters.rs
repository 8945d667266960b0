//! What the recorder has done since it started.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number that is read by others while it is counted.
#[derive(Debug, Default)]
pub struct Figure(AtomicU64);

/// One number with its name and meaning, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    pub name: &'static str,
    pub help: &'static str,
    pub value: u64,
}

macro_rules! counters {
    ($($(#[$doc:meta])* $field:ident $name:literal $help:literal;)*) => {
        /// Shared by the recorder's three loops in a process.
        #[derive(Debug, Default)]
        pub struct Counters {
            $(pub $field: Figure,)*
        }

        impl Counters {
            /// Names that end in `_total` only grow; the others are what stands now.
            pub fn list(&self) -> Vec<Metric> {
                vec![$(Metric { name: $name, help: $help, value: self.$field.get() },)*]
            }
        }
    };
}

counters! {
    frames "tapedeck_recorder_frames_total" "Messages taken from the queues and recorded.";
    dead_frames "tapedeck_recorder_dead_frames_total" "Those of them that came from the dead-letter queue.";
    astray "tapedeck_recorder_astray_total" "Messages that no queue took when they came, frames and rows of the tape: a queue was missing.";
    recorded "tapedeck_recorder_recorded_total" "Events recorded from account frames.";
    duplicates "tapedeck_recorder_duplicates_total" "Facts that were on the tape already.";
    conflicts "tapedeck_recorder_conflicts_total" "Facts that contradict what is on the tape: somebody must look.";
    quarantined "tapedeck_recorder_quarantined_total" "Frames that no parser of this build can read: somebody must look.";
    malformed "tapedeck_recorder_malformed_total" "Messages in a queue that are no account frames: somebody must look.";
    returned "tapedeck_recorder_returned_total" "Batches that were recorded and could not be acknowledged; they come again.";
    published "tapedeck_publisher_published_total" "Rows published, repetitions included.";
    published_to "tapedeck_publisher_position" "The last position that was published in order.";
    republished "tapedeck_publisher_rewinds_total" "Times that it went back: on demand, or because the stream had lost its end.";
    time_said "tapedeck_clock_said_total" "Instants said by the clock.";
    bus_retries "tapedeck_recorder_bus_retries_total" "Times that the broker could not be reached or refused.";
}

impl Figure {
    pub fn add(&self, n: usize) {
        self.0.fetch_add(n as u64, Relaxed);
    }
    pub fn set(&self, value: u64) {
        self.0.store(value, Relaxed);
    }
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_listed_under_a_name_of_its_own() {
        let counters = Counters::default();
        counters.frames.add(2);
        counters.published_to.set(7);
        let list = counters.list();
        let mut names: Vec<&str> = list.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), list.len());
        let value = |name| list.iter().find(|metric| metric.name == name).map(|metric| metric.value);
        assert_eq!(value("tapedeck_recorder_frames_total"), Some(2));
        assert_eq!(value("tapedeck_publisher_position"), Some(7));
        assert!(list.iter().all(|metric| metric.help.ends_with('.')));
    }
}
