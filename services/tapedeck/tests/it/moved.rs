//! A tape moved from PostgreSQL to SQLite and back.

use crate::{fleet::Engine, support::Head};
use std::fs;

/// Same positions, same hashes, and each verifies.
pub fn there_and_back(engine: &Engine) {
    let head = head(engine, &engine.plan.store);
    engine.run(&["tape", "export", "--out", "first"]).well();
    engine.run(&["tape", "import", "first", "--tape", "sqlite:copy.tape"]).well();
    engine.run(&["tape", "export", "--tape", "sqlite:copy.tape", "--out", "second"]).well();
    let back = testkit::postgres();
    engine.run(&["tape", "import", "second", "--tape", &back]).well();
    for tape in ["sqlite:copy.tape", &back] {
        assert_eq!(self::head(engine, tape), head, "{tape}");
        engine.run(&["verify", "--tape", tape]).well();
    }
    let read = |name| fs::read(engine.folder().join(name)).unwrap();
    assert!(read("first") == read("second"), "what is exported again is the same file");
}

fn head(engine: &Engine, tape: &str) -> Head {
    let told = engine.run(&["--json", "tape", "head", "--tape", tape]).well().json();
    Head { position: told["position"].as_u64().unwrap(), hash: told["hash"].as_str().unwrap().to_owned() }
}
