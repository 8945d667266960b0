//! What happened in a run, for people.

use super::super::{Engine, watch::Seen};
use events::Row;
use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

#[derive(Debug, Default)]
pub struct Report {
    /// By what was done, and to whom.
    hits: BTreeMap<(&'static str, String), u32>,
    /// Whoever spoke for a unit when it was hit: when, which unit, under which fence.
    leaders: Vec<(Instant, String, u64)>,
    /// Faults that found the market over.
    pub after_the_end: u32,
    pub ended_by_themselves: Vec<String>,
    take_overs: Vec<(String, Duration)>,
    pauses: String,
    events: usize,
    facts: u64,
    settled: Duration,
}

impl Report {
    /// Before it is done.
    pub fn hit(&mut self, how: &'static str, name: &str, engine: &Engine) {
        *self.hits.entry((how, kind(name).to_owned())).or_default() += 1;
        let prefix = format!("{name}-");
        let Some((_, cursors)) = engine.try_marks() else { return };
        for cursor in cursors {
            if cursor.owner.as_deref().is_some_and(|owner| owner.starts_with(&prefix)) {
                self.leaders.push((Instant::now(), cursor.unit.as_str().to_owned(), cursor.fence));
            }
        }
    }

    pub fn finish(&mut self, seen: &Seen, rows: &[Row], facts: u64, settled: Duration) {
        let taken = self.leaders.iter().filter_map(|(since, unit, fence)| {
            seen.taken_over(unit, *fence, *since).map(|after| (unit.clone(), after))
        });
        self.take_overs = taken.collect();
        self.pauses = seen.pauses();
        (self.events, self.facts, self.settled) = (rows.len(), facts, settled);
    }

    pub fn kills(&self) -> u32 {
        self.hits.values().sum()
    }
}

/// The service of a replica; a server's own name.
fn kind(name: &str) -> &str {
    name.strip_suffix("-a").or_else(|| name.strip_suffix("-b")).unwrap_or(name)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} kills and stops:", self.kills())?;
        for ((how, target), times) in &self.hits {
            writeln!(f, "  {how:<8} {target:<28} {times:>3}")?;
        }
        if self.after_the_end > 0 {
            writeln!(f, "  {} faults came after the market's end", self.after_the_end)?;
        }
        let mut took: Vec<(Duration, &str)> =
            self.take_overs.iter().map(|(unit, after)| (*after, unit.as_str())).collect();
        took.sort_unstable();
        if let (Some((middle, _)), Some((longest, unit))) = (took.get(took.len() / 2), took.last()) {
            let (count, middle, longest) = (took.len(), middle.as_secs_f64(), longest.as_secs_f64());
            writeln!(f, "take-overs: {count}, {middle:.2} s in the middle, {longest:.2} s for {unit}")?;
        }
        writeln!(f, "longest pause of each unit, the servers' absences included:\n{}", self.pauses)?;
        for death in &self.ended_by_themselves {
            writeln!(f, "ended by itself: {death}")?;
        }
        let settled = self.settled.as_secs_f64();
        writeln!(
            f,
            "{} events, {} facts of the account, settled {settled:.1} s after the last fault",
            self.events, self.facts
        )?;
        write!(f, "same trading, chain and cores verified, every fact once, broker clean")
    }
}
