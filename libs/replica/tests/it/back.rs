//! The way back from the tape: by which snapshot, and where what was said stands.

use crate::{
    asked, balance,
    stage::{NOW, Stage, fact, unit},
};
use domain::Timestamp;
use events::{Clock, Draft, Uuid, WakeAsked};
use replica::{Effect, Fault, Input};
use tape::{Commit, CursorMove};

#[test]
fn a_snapshot_of_another_build_is_not_used_and_the_new_build_says_its_start() {
    let mut stage = Stage::led::<false>(Clock::Wall);
    stage.record(&[asked(1)]);
    stage.machine.give(Input::Read);
    stage.drain();
    stage.machine.give(Input::Stop);
    stage.drain();
    stage.check(&["read after 2", "append time.wake_asked cursor 3", "save 3"]);
    for (build, came) in [
        ("1", &["read after 2", "read after 2", "starts", "snapshots 3", "read after 3", "read after 4"][..]),
        (
            "2",
            &[
                "read after 2",
                "read after 2",
                "starts",
                "snapshots 3",
                "read after 0",
                "read after 4",
                "head",
                "append unit.started cursor 3",
            ],
        ),
    ] {
        stage.build = build;
        stage.take_over();
        stage.come_back();
        stage.check(came);
    }
    assert_eq!(stage.spoke(), (1, vec![(0, 0), (3, 3)]));
}

#[test]
fn a_unit_whose_cursor_is_lost_knows_by_its_start_that_it_has_run() {
    let mut stage = Stage::new::<false>(Clock::Wall);
    stage.catches_up();
    for n in 1..=3 {
        stage.record_after(n * 10_000, &asked(n as u64));
    }
    stage.copy(5);
    stage.catches_up();
    assert_eq!(stage.spoke().0, 3, "it learns nothing, for it was away and is not new");
}

/// While its answer was under way others recorded more than the cursor's reach allows for, and it died before it
/// could save a greater one.
#[test]
fn an_answer_that_lies_farther_behind_than_the_cursor_knows_is_found() {
    let mut stage = Stage::led::<false>(Clock::Wall);
    stage.record(&[asked(1)]);
    stage.machine.give(Input::Read);
    let read = stage.machine.ask().unwrap().expect("a read");
    stage.perform(read);
    let append = stage.machine.ask().unwrap().expect("an answer");
    let Effect::Append(commit) = &append else { panic!("{append:?}") };
    // Its start knew of this much: 256 of others that come between, the start itself and the row before it.
    assert_eq!(commit.cursors[0].reach, 258);
    stage.record(&vec![balance(1); 300]);
    stage.perform(append);
    stage.check(&["read after 2", "append time.wake_asked cursor 3"]);
    let answered = stage.tape.head_now().position;
    assert_eq!(answered, 304);
    let late = stage.incarnation();
    stage.machine = late;
    stage.come_back();
    stage.check(&[
        "read after 2",
        "read after 2",
        "starts",
        "snapshots 3",
        "read after 0",
        "read after 304",
        "read after 303",
        "by id",
        "starts",
        "snapshots 3",
        "read after 0",
        "read after 304",
    ]);
    stage.machine.give(Input::Read);
    stage.drain();
    assert_eq!(stage.spoke().0, 1, "it is answered once");
    // What it has learned of its reach is saved with the next cursor.
    stage.record(&[asked(2)]);
    stage.machine.give(Input::Read);
    stage.drain();
    stage.machine.give(Input::Stop);
    stage.drain();
    assert_eq!(stage.spoke().0, 2);
}

#[test]
fn a_cursor_knows_how_far_behind_the_oldest_question_the_answers_may_lie() {
    let mut stage = Stage::led::<false>(Clock::Wall);
    stage.record(&[balance(1), asked(1), balance(2), asked(2), asked(3)]);
    stage.machine.give(Input::Read);
    let read = stage.machine.ask().unwrap().expect("a read");
    stage.perform(read);
    let append = stage.machine.ask().unwrap().expect("an answer");
    let Effect::Append(commit) = &append else { panic!("{append:?}") };
    // The tape ends at 7 and the first question stands at 4: 256 of others, and the three answers.
    assert_eq!(commit.cursors[0].reach, 7 - 4 + 256 + 3);
    stage.perform(append);
    stage.drain();
    stage.check(&["read after 2", "append time.wake_asked time.wake_asked time.wake_asked cursor 7"]);
}

/// One that lives on saves it at once.
#[test]
fn a_reach_that_was_too_small_is_saved_at_once() {
    let mut stage = Stage::led::<false>(Clock::Wall);
    stage.record(&[asked(1)]);
    stage.machine.give(Input::Read);
    let read = stage.machine.ask().unwrap().expect("a read");
    stage.perform(read);
    let append = stage.machine.ask().unwrap().expect("an answer");
    stage.record(&vec![balance(1); 300]);
    stage.perform(append);
    let again = stage.machine.ask().unwrap().expect("the cursor");
    let Effect::Append(commit) = &again else { panic!("{again:?}") };
    assert_eq!((commit.entries.len(), commit.cursors[0].to, commit.cursors[0].reach), (0, 3, 301));
    stage.perform(again);
    assert!(stage.machine.ask().unwrap().is_none());
}

#[test]
fn a_saying_whose_cause_is_not_on_the_tape_stops_the_unit_and_is_no_sign_of_another() {
    let mut stage = Stage::led::<false>(Clock::Wall);
    let said = WakeAsked { at: Timestamp::ZERO }.into();
    stage.append(vec![Draft::new(fact("said"), unit("toy"), Some(Uuid::from_u128(99)), NOW, &said)]);
    stage.take_over();
    let trouble = stage.try_drain().expect_err("nobody knows what it answers");
    assert!(
        matches!(&trouble, Fault::Stuck(why) if why.starts_with("position 3 was said by toy")),
        "{trouble}"
    );
}

#[test]
fn on_the_way_back_a_row_that_cannot_be_read_counts_only_if_it_is_heard() {
    // An event of a kind that a newer build knows, and one that is heard, of a newer schema.
    for (name, stuck) in [("future.kind", false), ("candle.missing", true)] {
        let mut stage = Stage::led::<false>(Clock::Wall);
        let mut newer = Draft::new(fact("newer"), unit("feed"), None, NOW, &asked(2));
        newer.schema = 99;
        newer.kind = name.into();
        stage.append(vec![newer]);
        stage.record(&[asked(1)]);
        stage.machine.give(Input::Read);
        let heard = stage.try_drain();
        assert_eq!(heard.is_err(), stuck, "{name}");
        stage.take_over();
        assert!(stage.try_drain().is_ok(), "what lies behind the cursor is not judged on the way back");
        assert!(stage.machine.leader().is_some());
    }
}

/// An older build has heard it, or the unit has said it; without it the state is another.
#[test]
fn on_the_way_back_a_row_that_the_unit_has_heard_or_said_must_be_readable() {
    for (source, kind, stuck) in
        [("feed", "candle.missing", true), ("feed", "future.kind", false), ("toy", "future.kind", true)]
    {
        let mut stage = Stage::led::<false>(Clock::Wall);
        let mut newer = Draft::new(fact("newer"), unit(source), None, NOW, &asked(2));
        (newer.schema, newer.kind) = (99, kind.into());
        stage.append(vec![newer]);
        let step = CursorMove { unit: unit("toy"), fence: 1, to: 3, reach: 300 };
        let commit = Commit { cursors: vec![step], ..Commit::new(Vec::new()) };
        stage.tape.append_now(commit).unwrap();
        stage.take_over();
        let back = stage.try_drain();
        assert_eq!(
            matches!(&back, Err(Fault::Stuck(why)) if why.starts_with("position 3")),
            stuck,
            "{back:?}"
        );
    }
}
