//! Frames that nobody can read.

use crate::fleet::{Engine, load};
use events::Row;

/// Two poisoned frames among good ones.
pub fn poison(engine: &Engine) {
    let frames = [
        load::raw("a", "application/x-unknown", b"\xff\xfe poison"),
        load::raw("a", event_logger::parse::own::CONTENT_TYPE, b"[{\"kind\":\"order.filled\",\"body\":{}}]"),
    ];
    load::publish(&engine.plan.bus, &frames);
}

/// They are kept with their bytes and the reason, and told by `tape reparse`.
pub fn is_told(engine: &Engine, rows: &[Row]) {
    let quarantined: Vec<&Row> = rows.iter().filter(|row| row.draft.kind == "frame.quarantined").collect();
    assert_eq!(quarantined.len(), 2, "{quarantined:?}");
    let behind = |row: &&Row| row.position > quarantined[1].position && row.draft.kind == "order.filled";
    assert!(rows.iter().filter(behind).count() > 5, "the queue behind them flows");
    let head = engine.eye().head();
    let words = ["still cannot be read", "application/x-unknown", "event 1 of the frame"];
    engine.run(&["tape", "reparse", "--dry-run"]).ends(1, &words);
    assert_eq!(engine.eye().head(), head, "a dry run records nothing");
    engine.run(&["tape", "reparse"]).ends(1, &words);
    let told = engine.run(&["--json", "tape", "reparse"]).ends(1, &[]).json();
    let frames = told["frames"].as_array().expect("a list");
    assert!(
        frames.len() == 2 && frames.iter().all(|frame| frame["outcome"]["unreadable"].is_string()),
        "{told}"
    );
    assert_eq!(engine.eye().head(), head, "what cannot be read is not recorded again");
}
