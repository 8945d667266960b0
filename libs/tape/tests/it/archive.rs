//! Export and import: the same tape, wherever it lies.

use crate::support::*;
use std::time::Duration;
use tape::{
    CursorMove, Tape,
    archive::{ImportError, export, import},
};

/// 2,500 rows, more than one stretch, and two cursors.
async fn some() -> Tape {
    let tape = Tape::memory();
    append(&tape, facts(1..=2_500)).await;
    let taken = tape.acquire_all(&[unit("a"), unit("b")], "me", Duration::from_secs(9), false).await.unwrap();
    append(&tape, moves([CursorMove { unit: unit("b"), fence: taken[1].fence, to: 2_000, reach: 3 }])).await;
    tape
}

async fn exported(tape: &Tape) -> String {
    let mut file = Vec::new();
    export(tape, &mut file, |_, _| ()).await.unwrap();
    String::from_utf8(file).unwrap()
}

async fn import_into_new(file: &str) -> Result<Tape, ImportError> {
    let tape = Tape::memory();
    import(file.as_bytes(), &tape, |_, _| ()).await.map(|_| tape)
}

#[tokio::test]
async fn a_tape_is_the_same_after_export_and_import() {
    let memory = some().await;
    let disk = OnDisk::new().await;
    let file = exported(&memory).await;
    let mut told = Vec::new();
    let head = import(file.as_bytes(), &disk.tape, |done, of| told.push((done, of))).await.unwrap();
    assert_eq!(told, [0, 1_000, 2_000, 2_500].map(|done| (done, 2_500)));
    assert_eq!(head, memory.head().await.unwrap());
    assert_eq!(disk.tape.head().await.unwrap(), head);
    assert_eq!(all(&disk.tape).await, all(&memory).await, "meta included");
    let places = |cursors: Vec<tape::Cursor>| {
        cursors.into_iter().map(|c| (c.unit, c.position, c.fence, c.reach)).collect::<Vec<_>>()
    };
    assert_eq!(places(disk.tape.cursors().await.unwrap()), places(memory.cursors().await.unwrap()));
    assert_eq!(exported(&disk.tape).await, file, "and the file is the same again");
}

#[tokio::test]
async fn an_empty_tape_is_exported_and_imported() {
    let file = exported(&Tape::memory()).await;
    assert_eq!(file.lines().count(), 1);
    let tape = import_into_new(&file).await.unwrap();
    assert_eq!(tape.head().await.unwrap(), tape::Head::EMPTY);
}

#[tokio::test]
async fn a_tape_with_events_is_not_imported_into() {
    let tape = some().await;
    let file = exported(&tape).await;
    let error = import(file.as_bytes(), &tape, |_, _| ()).await.unwrap_err();
    assert!(matches!(error, ImportError::NotEmpty(2_500)), "{error}");
}

#[tokio::test]
async fn a_line_that_was_changed_is_named() {
    let file = exported(&some().await).await;
    let lines: Vec<&str> = file.lines().collect();
    let with = |line: usize, text: &str| {
        let mut lines = lines.clone();
        lines[line - 1] = text;
        lines.join("\n")
    };
    let without = |line: usize| {
        let mut lines = lines.clone();
        lines.remove(line - 1);
        lines.join("\n")
    };
    let changed = lines[7].replace("signal:7", "signal:8");
    let early = lines[7].replace(r#""recorded_at":7000000"#, r#""recorded_at":1"#);
    assert_ne!(early, lines[7]);
    let cases = [
        (with(8, &changed), 8, "hash does not follow"),
        (with(8, &early), 8, "time is before"),
        (with(8, lines[6]), 8, "position 7 is missing, 6 came instead"),
        (with(8, "{"), 8, "EOF"),
        (with(8, r#"{"position":7}"#), 8, "missing field"),
        (without(8), 8, "position 7 is missing, 8 came instead"),
        (without(2_501), 2_500, "the file ends at position 2499, its first line says 2500"),
        (with(1, &lines[0].replace("tapedeck-tape", "a-tape")), 1, "its format is 'a-tape'"),
        (with(1, &lines[0].replace(r#""version":1"#, r#""version":2"#)), 1, "its version is 2"),
        (with(1, &lines[0].replace("2000,", "3000,")), 1, "the cursor of b stands behind the tape's end"),
        (String::new(), 1, "the file is empty"),
        (lines[1].to_owned(), 1, "unknown field"),
    ];
    for (file, wanted, why) in cases {
        match import_into_new(&file).await {
            Err(ImportError::Line { line, why: said }) => {
                assert!(line == wanted && said.contains(why), "line {line}: {said}; wanted {wanted}: {why}");
            }
            other => panic!("wanted line {wanted}, {why}; got {other:?}"),
        }
    }
}

/// A service that waits on the empty tape would speak as soon as the first rows are there.
#[tokio::test]
async fn nobody_else_may_be_on_the_tape_that_is_imported_into() {
    let file = exported(&some().await).await;
    let waiting = Tape::memory();
    waiting.acquire(unit("event-logger"), "another", Duration::from_secs(9), false).await.unwrap();
    let refused = import(file.as_bytes(), &waiting, |_, _| ()).await.unwrap_err();
    assert!(matches!(refused, ImportError::Spoken { .. }), "{refused}");
    assert_eq!(waiting.head().await.unwrap().position, 0);

    let disturbed = Tape::memory();
    let other = disturbed.clone();
    // Between two stretches of the file somebody says something.
    let progress = |done, _| {
        if done == 1_000
            && let Tape::Memory(tape) = &other
        {
            tape.append_now(facts([9_999])).unwrap();
        }
    };
    let refused = import(file.as_bytes(), &disturbed, progress).await.unwrap_err();
    assert!(matches!(refused, ImportError::Disturbed(2_001)), "{refused}");
}
