//! Watching from beside: how long each unit stood still, and when it changed hands.

use super::look::Eye;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tape::Mode;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Units whose cursor does not follow the tape: on a market clock the clock has nothing to do, the
/// recorder's drain hears queues, and the feed stands behind what it says until the next step.
const STILL: [&str; 3] = ["clock", event_logger::UNIT, "market-data"];

pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// Of each unit the longest time during which the tape was ahead of its cursor and that did not move.
    pub pauses: BTreeMap<String, Duration>,
    /// Each change of hands: when, which unit, its new fence.
    pub fences: Vec<(Instant, String, u64)>,
}

impl Watch {
    pub fn start(store: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (told, store) = (stop.clone(), store.to_owned());
        let thread = thread::spawn(move || {
            let mut watcher = Watcher::default();
            let mut eye = None;
            while !told.load(SeqCst) {
                thread::sleep(LOOK);
                let Some(eye) = eye.get_or_insert_with(|| Eye::try_open(&store, Mode::Read).ok()) else {
                    eye = None;
                    continue;
                };
                watcher.look(eye);
            }
            watcher.seen
        });
        Self { stop, thread }
    }

    pub fn end(self) -> Seen {
        self.stop.store(true, SeqCst);
        self.thread.join().expect("the watcher")
    }
}

#[derive(Default)]
struct Watcher {
    seen: Seen,
    /// Of each unit: its fence, its cursor, and since when it stands there with the tape ahead.
    units: BTreeMap<String, (u64, u64, Option<Instant>)>,
}

impl Watcher {
    fn look(&mut self, eye: &Eye) {
        let Some((head, cursors)) = eye.marks() else { return };
        let now = Instant::now();
        for cursor in cursors {
            let name = cursor.unit.as_str().to_owned();
            let unit = self.units.entry(name.clone()).or_insert((cursor.fence, cursor.position, None));
            if unit.0 != cursor.fence {
                self.seen.fences.push((now, name.clone(), cursor.fence));
            }
            let moved = unit.1 != cursor.position;
            let since = unit.2;
            let ahead = head.position > cursor.position && !STILL.contains(&name.as_str());
            *unit = (cursor.fence, cursor.position, if moved { None } else { since });
            // Also the look at which it moves ends a pause.
            if let Some(since) = since {
                let pause = self.seen.pauses.entry(name).or_default();
                *pause = (*pause).max(now - since);
            }
            unit.2 = if ahead { unit.2.or(Some(now)) } else { None };
        }
    }
}

impl Seen {
    /// How long after `since` that unit was taken over, if it was.
    pub fn taken_over(&self, unit: &str, fence: u64, since: Instant) -> Option<Duration> {
        let after = self.fences.iter().find(|(_, name, new)| name == unit && *new > fence)?;
        Some(after.0.saturating_duration_since(since))
    }

    /// For a report, the longest first.
    pub fn pauses(&self) -> String {
        let mut pauses: Vec<_> = self.pauses.iter().collect();
        pauses.sort_by(|one, other| other.1.cmp(one.1));
        let line =
            |(unit, pause): (&String, &Duration)| format!("  {unit:<28} {:>6.2} s", pause.as_secs_f64());
        pauses.into_iter().map(line).collect::<Vec<_>>().join("\n")
    }
}
