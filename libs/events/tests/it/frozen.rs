//! One file per kind and version, a JSON array of bodies byte for byte as they are on tapes.
//!
//! A file that exists is never written again. `FREEZE=1 cargo test -p events` writes those that are
//! missing: of a new kind, or of a new version of an old one.

use crate::samples::samples;
use events::{Event, Kind};
use serde_json::value::RawValue;
use std::{
    collections::BTreeSet,
    fs,
    io::{ErrorKind, Write},
    path::PathBuf,
    sync::Once,
};

#[test]
fn every_kind_and_version_has_its_file_and_every_file_its_kind() {
    freeze_what_is_missing();
    let wanted: BTreeSet<String> = Kind::ALL
        .iter()
        .flat_map(|kind| (1..=kind.schema()).map(|schema| file_name(*kind, schema)))
        .collect();
    let found: BTreeSet<String> = fs::read_dir(folder())
        .expect("libs/events/frozen is there")
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(found, wanted, "missing files are written by FREEZE=1 cargo test -p events");
}

#[test]
fn what_was_ever_written_decodes_and_today_is_written_as_it_was_frozen() {
    freeze_what_is_missing();
    for kind in Kind::ALL.iter().copied() {
        for schema in 1..=kind.schema() {
            let name = file_name(kind, schema);
            let bodies = frozen(kind, schema);
            assert!(!bodies.is_empty(), "{name} holds bodies");
            for body in &bodies {
                let event = Event::decode(kind.name(), schema, body)
                    .unwrap_or_else(|e| panic!("{name}: {e}: {body}"));
                assert_eq!(event.kind(), kind, "{name}: {body}");
                if schema == kind.schema() {
                    assert_eq!(&event.body(), body, "{name}");
                }
            }
        }
        let today: Vec<String> = samples(kind).iter().map(Event::body).collect();
        assert_eq!(
            today,
            frozen(kind, kind.schema()),
            "{}: a change of the body is a new schema",
            kind.name()
        );
    }
}

#[test]
fn samples_are_of_their_kind_and_decode_to_themselves() {
    for kind in Kind::ALL.iter().copied() {
        let samples = samples(kind);
        assert!(!samples.is_empty(), "{} has samples", kind.name());
        for sample in samples {
            assert_eq!(sample.kind(), kind);
            assert_eq!(
                Event::decode(kind.name(), kind.schema(), &sample.body()),
                Ok(sample),
                "{}",
                kind.name()
            );
        }
    }
}

fn freeze_what_is_missing() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if std::env::var("FREEZE").is_ok_and(|freeze| freeze == "1") {
            fs::create_dir_all(folder()).unwrap();
            Kind::ALL.iter().copied().for_each(freeze);
        }
    });
}

fn freeze(kind: Kind) {
    let path = folder().join(file_name(kind, kind.schema()));
    let bodies: Vec<String> = samples(kind).iter().map(Event::body).collect();
    match fs::File::create_new(&path) {
        Ok(mut file) => {
            file.write_all(format!("[\n{}\n]\n", bodies.join(",\n")).as_bytes()).unwrap();
            println!("frozen: {}", path.display());
        }
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
        Err(e) => panic!("{}: {e}", path.display()),
    }
}

/// The bodies in a file, each with its exact bytes.
fn frozen(kind: Kind, schema: u16) -> Vec<String> {
    let path = folder().join(file_name(kind, schema));
    let text = fs::read_to_string(&path).unwrap_or_else(|e| {
        panic!("{}: {e}; FREEZE=1 cargo test -p events writes a missing file", path.display())
    });
    let bodies: Vec<Box<RawValue>> =
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    bodies.iter().map(|body| body.get().to_owned()).collect()
}

fn file_name(kind: Kind, schema: u16) -> String {
    format!("{}.v{schema}.json", kind.name())
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("frozen")
}
