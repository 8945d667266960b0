//! What must hold of a tape and a broker at the end, whatever happened on the way.

use super::{Engine, compare, load};
use events::{Row, Uuid, ids};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// A recorder takes up what lies in a queue within seconds; this is for a busy machine.
const SETTLING: Duration = Duration::from_secs(90);

/// The tape trades as `one` does, chain and cores verify, and nothing was said twice.
#[track_caller]
pub fn trades_as(engine: &Engine, one: &[Row]) -> Vec<Row> {
    let many = engine.eye().rows();
    if let Some(difference) = compare::difference(one, &many, load::VENUE) {
        panic!("{difference}");
    }
    answers_once(&many);
    engine.run(&["verify"]).well();
    many
}

/// What a unit said on an event is its sayings number 0, 1, 2 … on it, each once.
#[track_caller]
pub fn answers_once(rows: &[Row]) {
    let mut answers: BTreeMap<(Uuid, &str), BTreeSet<Uuid>> = BTreeMap::new();
    let mut known = BTreeSet::new();
    for row in rows {
        assert!(known.insert(row.draft.id), "twice on the tape: {:?}", row.draft);
        if let Some(cause) = row.draft.cause {
            answers.entry((cause, row.draft.source.as_str())).or_default().insert(row.draft.id);
        }
    }
    for ((cause, source), said) in answers {
        let unit = domain::UnitName::new(source).expect("a unit's name");
        let expected: BTreeSet<Uuid> = (0..said.len()).map(|n| ids::said(cause, &unit, n)).collect();
        assert_eq!(said, expected, "{source} on {cause}");
        assert!(known.contains(&cause), "{source} answered what is not on the tape: {cause}");
    }
}

/// No queue keeps messages, none is without a consumer, nothing is missing on the broker.
pub fn broker_is_clean(engine: &mut Engine) {
    let mut last = Value::Null;
    let mut clean = |engine: &mut Engine| {
        let done = engine.run(&["--json", "--log", "off", "topology", "check"]);
        last = serde_json::from_str(&done.said).unwrap_or(Value::String(done.said));
        let queues = last["queues"].as_array().cloned().unwrap_or_default();
        let waiting = |queue: &Value| queue["name"] != "tape" && queue["messages"] != 0;
        done.code == Some(0) && queues.len() == 4 && !queues.iter().any(waiting)
    };
    let end = std::time::Instant::now() + SETTLING;
    while !clean(engine) {
        assert!(std::time::Instant::now() < end, "the broker is not clean: {last:#}");
        engine.tend();
        std::thread::sleep(Duration::from_millis(200));
    }
}
