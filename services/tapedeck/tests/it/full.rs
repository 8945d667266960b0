//! A disk without room: the run fails and says so, and once there is room it ends as if there always
//! had been.

use crate::support::*;

/// What the first run said, and the head once the second one was through.
fn assert_recovered(done: &Done, script: &str) {
    assert_eq!(done.code, Some(0), "{script}: {done:#?}");
    for words in ["error: ", "the disk of the tape", "is full", "make room", "the tape is whole"] {
        assert!(done.err.contains(words), "'{words}' is not in: {done:#?}");
    }
    assert!(!done.err.contains("panicked"), "{done:#?}");
    done.says(&["full ended 1\n", "full verified 0\n", "roomy ended 0\n", "roomy verified 0\n"]);
    let head = done.out.split("head ").last().unwrap();
    let whole = Place::finished().head();
    assert!(head.contains(&whole.hash), "it ends with another head than {whole:?}: {done:#?}");
}

/// A limit on the size of a file, which every user may set.
#[test]
fn a_file_that_may_not_grow_stops_the_run_and_loses_nothing() {
    let place = Place::new();
    let script = format!(
        "trap '' XFSZ
        (ulimit -f 6000; tapedeck {up}; echo full ended $?)
        tapedeck verify; echo full verified $?
        tapedeck {up}; echo roomy ended $?
        tapedeck verify; echo roomy verified $?
        echo head $(tapedeck tape head --json)",
        up = up(MARKET)
    );
    let done = place.shell(&script);
    assert_recovered(&done, &script);
}

/// A whole disk of its own, where one may be mounted.
#[test]
fn a_full_disk_stops_the_run_and_loses_nothing() {
    let place = Place::new();
    let inside = format!(
        r#"mkdir tapedeck-data && mount -t tmpfs -o size=5m tmpfs tapedeck-data || exit 77
        "$program" {up}; echo full ended $?
        "$program" verify; echo full verified $?
        mount -o remount,size=100m tapedeck-data
        "$program" {up}; echo roomy ended $?
        "$program" verify; echo roomy verified $?
        echo head $("$program" tape head --json)"#,
        up = up(MARKET)
    );
    let script =
        format!("if [ $(id -u) = 0 ]; then as=; else as=-r; fi; unshare $as -m sh -c '{inside}' || exit 77");
    let done = place.shell(&script);
    if done.code == Some(77) {
        println!("no disk can be mounted here ({}): only the test above shows it", done.err.trim());
        return;
    }
    assert_recovered(&done, &script);
}

#[test]
fn without_room_for_a_tape_none_is_begun() {
    let place = Place::new();
    let done = place.shell(&format!("trap '' XFSZ; ulimit -f 0; tapedeck {}", up(MARKET)));
    done.ends(1, &["opening sqlite:tapedeck-data/synthetic-1-200.tape", "is full", "make room"]);
    place.run(&up(MARKET)).well();
    assert_eq!(place.head(), Place::finished().head());
}
