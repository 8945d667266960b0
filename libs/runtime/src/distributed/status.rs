//! What a replica tells of itself.

use super::machine_clock;
use crate::metrics::Family;
use domain::{Timestamp, UnitName};
use events::Position;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
};
use tape::Head;

/// Shared between a replica and whoever watches it. Cheap to clone and to read.
#[derive(Clone)]
pub struct UnitStatus(Arc<Inner>);

struct Inner {
    unit: UnitName,
    owner: String,
    /// Since when, by this machine's clock.
    phase: Mutex<(UnitPhase, Timestamp)>,
    /// What cannot be reached now, since when and why.
    missing: Mutex<[Option<(Timestamp, String)>; Side::COUNT]>,
    note: Mutex<Option<String>>,
    cursor: AtomicU64,
    cursor_at: AtomicI64,
    head: AtomicU64,
    head_at: AtomicI64,
    counts: [AtomicU64; Count::ALL.len()],
    figures: OnceLock<Figures>,
}

/// What only some units tell of themselves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// Ends in `_total` if it only grows.
    pub name: &'static str,
    pub help: &'static str,
    pub value: f64,
}

/// Asked whenever somebody looks.
type Figures = Box<dyn Fn() -> Vec<Figure> + Send + Sync>;

/// Where a replica is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitPhase {
    /// Another speaks for the unit; this one would take over.
    Standby,
    /// Reading its state back from the tape, or far behind its end.
    Recovering,
    Running,
    /// It cannot go on by itself, or not now: this is why.
    CutOff(String),
    /// Asked to stop; finishing what it has begun.
    Stopping,
}

/// What a unit's work depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Tape,
    Bus,
    Venue,
}

/// What is counted, since the process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    Handled,
    Said,
    Retries,
    GapsRead,
    DuplicatesDropped,
    Snapshots,
}

impl UnitPhase {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Standby => "standby",
            Self::Recovering => "recovering",
            Self::Running => "running",
            Self::CutOff(_) => "cut_off",
            Self::Stopping => "stopping",
        }
    }

    /// Doing its work, which for a replica that stands by is to stand by.
    pub const fn is_ready(&self) -> bool {
        match self {
            Self::Standby | Self::Running => true,
            Self::Recovering | Self::CutOff(_) | Self::Stopping => false,
        }
    }
}

impl Side {
    const COUNT: usize = 3;

    const fn name(self) -> &'static str {
        match self {
            Self::Tape => "tape",
            Self::Bus => "broker",
            Self::Venue => "venue",
        }
    }
}

impl Count {
    pub const ALL: [Self; 6] =
        [Self::Handled, Self::Said, Self::Retries, Self::GapsRead, Self::DuplicatesDropped, Self::Snapshots];

    const fn metric(self) -> (&'static str, &'static str) {
        match self {
            Self::Handled => ("tapedeck_unit_handled_total", "Events that reached the unit's core."),
            Self::Said => ("tapedeck_unit_said_total", "Events that the unit put on the tape."),
            Self::Retries => ("tapedeck_unit_retries_total", "Times that the tape could not be reached."),
            Self::GapsRead => ("tapedeck_unit_gaps_read_total", "Times that the bus missed something."),
            Self::DuplicatesDropped => {
                ("tapedeck_unit_duplicates_dropped_total", "Events that the bus gave again.")
            }
            Self::Snapshots => ("tapedeck_unit_snapshots_total", "Snapshots written."),
        }
    }
}

impl UnitStatus {
    pub fn new(unit: UnitName, owner: &str) -> Self {
        Self(Arc::new(Inner {
            unit,
            owner: owner.to_owned(),
            phase: Mutex::new((UnitPhase::Recovering, machine_clock())),
            missing: Mutex::default(),
            note: Mutex::new(None),
            cursor: AtomicU64::new(0),
            cursor_at: AtomicI64::new(0),
            head: AtomicU64::new(0),
            head_at: AtomicI64::new(0),
            counts: Default::default(),
            figures: OnceLock::new(),
        }))
    }

    pub fn unit(&self) -> UnitName {
        self.0.unit
    }
    pub fn owner(&self) -> &str {
        &self.0.owner
    }
    /// Cut off while something that it depends on cannot be reached.
    pub fn phase(&self) -> UnitPhase {
        self.stands().0
    }
    fn stands(&self) -> (UnitPhase, Timestamp) {
        let missing = self.missing().iter().flatten().next().cloned();
        missing.map_or_else(
            || self.0.phase.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            |(since, why)| (UnitPhase::CutOff(why), since),
        )
    }
    /// The last position that is in the unit's state, and answered on the tape.
    pub fn cursor(&self) -> Position {
        self.0.cursor.load(Relaxed)
    }
    /// Positions between the cursor and the tape's end, as far as that is known.
    pub fn lag(&self) -> u64 {
        self.0.head.load(Relaxed).saturating_sub(self.cursor())
    }
    /// The tape's time between the last event heard and the tape's last one, in seconds.
    pub fn lag_seconds(&self) -> f64 {
        let at = |time: &AtomicI64| Timestamp::from_micros(time.load(Relaxed));
        at(&self.0.head_at).since(at(&self.0.cursor_at)).as_secs_f64()
    }
    pub fn count(&self, count: Count) -> u64 {
        self.0.counts[count as usize].load(Relaxed)
    }

    pub fn enter(&self, phase: UnitPhase) {
        let mut now = self.0.phase.lock().unwrap_or_else(PoisonError::into_inner);
        let since = if now.0.as_str() == phase.as_str() { now.1 } else { machine_clock() };
        *now = (phase, since);
    }
    /// Cut off until it [has](Self::has) that side again.
    pub fn misses(&self, side: Side, why: String) {
        let mut missing = self.missing();
        let since = missing[side as usize].as_ref().map(|(since, _)| *since);
        if since.is_none() {
            tracing::warn!(unit = %self.unit(), "the {} is away, and tried again: {why}", side.name());
        }
        missing[side as usize] = Some((since.unwrap_or_else(machine_clock), why));
    }
    pub fn has(&self, side: Side) {
        if self.missing()[side as usize].take().is_some() {
            tracing::info!(unit = %self.unit(), "the {} is back", side.name());
        }
    }
    /// Nothing is tried any more.
    pub(super) fn gives_up(&self) {
        *self.missing() = Default::default();
    }
    fn missing(&self) -> MutexGuard<'_, [Option<(Timestamp, String)>; Side::COUNT]> {
        self.0.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Something that a person should know, though the unit does its work.
    pub fn note(&self, note: Option<String>) {
        *self.0.note.lock().unwrap_or_else(PoisonError::into_inner) = note;
    }
    /// Tells these figures, too. The first ones given stay.
    pub fn tells(&self, figures: impl Fn() -> Vec<Figure> + Send + Sync + 'static) {
        let _ = self.0.figures.set(Box::new(figures));
    }
    pub fn figures(&self) -> Vec<Figure> {
        self.0.figures.get().map_or_else(Vec::new, |figures| figures())
    }
    pub fn add(&self, count: Count, n: u64) {
        self.0.counts[count as usize].fetch_add(n, Relaxed);
    }
    pub(crate) fn set(&self, count: Count, n: u64) {
        self.0.counts[count as usize].store(n, Relaxed);
    }
    /// The tape's end, as far as it is known here.
    pub fn end(&self) -> (Position, Timestamp) {
        (self.0.head.load(Relaxed), Timestamp::from_micros(self.0.head_at.load(Relaxed)))
    }
    pub(crate) fn heard(&self, place: &Head) {
        self.0.cursor.store(place.position, Relaxed);
        self.0.cursor_at.store(place.recorded_at.micros(), Relaxed);
        if place.position > self.0.head.load(Relaxed) {
            self.head(place);
        }
    }
    /// For a unit whose work is not hosted here: how far it has come, and how far the tape goes.
    pub fn stands_at(&self, position: Position, head: Position) {
        self.0.cursor.store(position, Relaxed);
        self.0.head.store(head.max(position), Relaxed);
    }
    pub(crate) fn head(&self, head: &Head) {
        self.0.head.store(head.position, Relaxed);
        self.0.head_at.store(head.recorded_at.micros(), Relaxed);
    }

    fn report(&self) -> Value {
        let (phase, since) = self.stands();
        let why = match &phase {
            UnitPhase::CutOff(why) => Some(why),
            UnitPhase::Standby | UnitPhase::Recovering | UnitPhase::Running | UnitPhase::Stopping => None,
        };
        json!({
            "unit": self.unit(),
            "owner": self.owner(),
            "phase": phase.as_str(),
            "since": since,
            "why": why,
            "note": self.0.note.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            "cursor": self.cursor(),
            "lag": self.lag(),
            "lag_seconds": self.lag_seconds(),
            "figures": self.figures().into_iter().map(|f| (f.name, f.value)).collect::<BTreeMap<_, _>>(),
        })
    }
}

/// For `/ready`: whether every unit does its work, and what each of them says.
pub fn ready(units: &[UnitStatus]) -> (bool, Value) {
    let ready = units.iter().all(|unit| unit.phase().is_ready());
    let reports: Vec<Value> = units.iter().map(UnitStatus::report).collect();
    (ready, json!({ "ready": ready, "units": reports }))
}

/// For `/metrics`: labelled by unit and owner.
pub fn metrics(units: &[UnitStatus]) -> String {
    // A family without a sample is not told.
    if units.is_empty() {
        return String::new();
    }
    let family = |family: Family, value: &dyn Fn(&UnitStatus) -> String| {
        let with = |family: Family, unit: &UnitStatus| {
            family.with(&[("owner", unit.owner()), ("unit", unit.unit().as_str())], value(unit))
        };
        units.iter().fold(family, with).text()
    };
    let told = |is: bool| u8::from(is).to_string();
    let gauges = [
        family(Family::gauge("tapedeck_unit_ready", "1 while the unit does its work."), &|unit| {
            told(unit.phase().is_ready())
        }),
        family(
            Family::gauge(
                "tapedeck_unit_leads",
                "1 while this replica speaks for the unit, rather than standing by.",
            ),
            &|unit| told(unit.phase() == UnitPhase::Running),
        ),
        family(Family::gauge("tapedeck_unit_cursor_position", "The last position heard."), &|unit| {
            unit.cursor().to_string()
        }),
        family(Family::gauge("tapedeck_unit_lag_positions", "Positions behind the tape's end."), &|unit| {
            unit.lag().to_string()
        }),
        family(Family::gauge("tapedeck_unit_lag_seconds", "Tape time behind the tape's end."), &|unit| {
            unit.lag_seconds().to_string()
        }),
    ];
    let counts = Count::ALL.map(|count| {
        let (name, help) = count.metric();
        family(Family::counter(name, help), &|unit| unit.count(count).to_string())
    });
    gauges.concat() + &counts.concat() + &own_figures(units)
}

fn own_figures(units: &[UnitStatus]) -> String {
    let mut families: BTreeMap<&str, Family> = BTreeMap::new();
    for unit in units {
        for Figure { name, help, value } in unit.figures() {
            let family = families.entry(name).or_insert_with(|| match name.ends_with("_total") {
                true => Family::counter(name, help),
                false => Family::gauge(name, help),
            });
            family.add(&[("owner", unit.owner()), ("unit", unit.unit().as_str())], value);
        }
    }
    families.into_values().map(Family::text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_some_units_are_told_beside_those_of_all() {
        let unit = |owner| UnitStatus::new(UnitName::new("ingestor").unwrap(), owner);
        let (one, two, other) = (unit("a"), unit("b"), unit("c"));
        for (unit, value) in [(&one, 0.5), (&two, 2.0)] {
            let (name, help) = ("tapedeck_test_seconds_total", "Of the test.");
            unit.tells(move || vec![Figure { name, help, value }]);
        }
        let text = metrics(&[one.clone(), two, other.clone()]);
        let told = "# HELP tapedeck_test_seconds_total Of the test.\n\
                    # TYPE tapedeck_test_seconds_total counter\n\
                    tapedeck_test_seconds_total{owner=\"a\",unit=\"ingestor\"} 0.5\n\
                    tapedeck_test_seconds_total{owner=\"b\",unit=\"ingestor\"} 2\n";
        assert!(text.ends_with(told), "{text}");
        assert_eq!(one.report()["figures"], json!({ "tapedeck_test_seconds_total": 0.5 }));
        assert_eq!(other.report()["figures"], json!({}));
    }
}
