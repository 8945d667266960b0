//! How much at once, how far behind, and when hands may be judged.

use crate::{
    asked, balance, brings,
    stage::{Stage, fact},
};
use domain::Timestamp;
use events::Clock;
use replica::{Fault, Input, Limits};

fn limited<const SINK: bool>(limits: Limits) -> Stage {
    let mut stage = Stage::led::<SINK>(Clock::Wall);
    stage.limits = limits;
    stage.take_over();
    stage.come_back();
    stage.check(&["read after 1", "read after 1", "starts", "snapshots 2", "read after 0", "read after 2"]);
    stage
}

#[test]
fn behind_a_full_read_it_reads_on_and_has_caught_up_with_the_first_that_is_not() {
    let mut stage = limited::<false>(Limits { group: 2, snapshot_every: 1_000, behind: 1_000 });
    stage.record(&[asked(1), balance(1), asked(2)]);
    assert!(!stage.leader().is_caught_up() && !stage.leader().is_behind());
    stage.machine.give(Input::Read);
    assert!(stage.leader().is_behind());
    let read = stage.machine.ask().unwrap().expect("a read");
    stage.perform(read);
    assert!(stage.leader().is_behind() && !stage.leader().is_caught_up());
    stage.drain();
    stage.check(&[
        "read after 2",
        "append time.wake_asked cursor 4",
        "read after 4",
        // One of the two is its own answer.
        "append time.wake_asked cursor 6",
        "read after 6",
    ]);
    assert!(stage.leader().is_caught_up() && !stage.leader().is_behind());
    // What its core does not hear is not counted, nor its own.
    assert_eq!(stage.machine.take_counts().handled, 2);
    // A full read of one that has caught up changes nothing of that.
    stage.record(&[balance(2), balance(3)]);
    stage.machine.give(Input::Read);
    stage.drain();
    assert!(stage.leader().is_caught_up());
}

#[test]
fn a_look_tells_whether_it_is_far_behind() {
    for (rows, caught_up) in [(0, true), (2, true), (3, false)] {
        let mut stage = limited::<false>(Limits { group: 16, snapshot_every: 1_000, behind: 2 });
        stage.machine.give(Input::Read);
        stage.drain();
        assert!(stage.leader().is_caught_up());
        stage.record(&vec![balance(1); rows]);
        stage.machine.give(Input::Look);
        let look = stage.machine.ask().unwrap().expect("a look");
        stage.perform(look);
        assert_eq!(stage.leader().is_caught_up(), caught_up, "{rows} rows behind");
        // Without a row behind it there is nothing to read.
        assert_eq!(stage.leader().is_behind(), rows > 0);
        stage.drain();
        assert!(stage.leader().is_caught_up());
    }
    // Before its first read it has not caught up, however near the end.
    let mut stage = limited::<false>(Limits { group: 16, snapshot_every: 1_000, behind: 2 });
    stage.machine.give(Input::Look);
    stage.drain();
    assert!(!stage.leader().is_caught_up());
}

#[test]
fn a_snapshot_is_saved_every_so_many_positions_behind_its_cursor() {
    let mut stage = limited::<false>(Limits { group: 16, snapshot_every: 3, behind: 1_000 });
    stage.record(&[balance(1)]);
    stage.machine.give(Input::Read);
    stage.drain();
    stage.check(&["read after 2", "append cursor 3", "save 3"]);
    stage.record(&[balance(1), balance(2)]);
    stage.machine.give(Input::Read);
    stage.drain();
    stage.check(&["read after 3"]);
    stage.record(&[balance(1)]);
    stage.machine.give(Input::Read);
    stage.drain();
    // The cursor did not move by a word, yet it goes before the snapshot.
    stage.check(&["read after 5", "append cursor 6", "save 6"]);
}

#[test]
fn before_a_row_that_cannot_be_read_a_silent_cursor_is_saved_and_no_snapshot() {
    let mut stage = limited::<false>(Limits { group: 16, snapshot_every: 3, behind: 1_000 });
    stage.record(&[balance(1), balance(2)]);
    let mut newer = events::Draft::new(fact("newer"), crate::unit("feed"), None, Timestamp::ZERO, &asked(2));
    newer.schema = 99;
    stage.append(vec![newer]);
    stage.machine.give(Input::Read);
    let trouble = stage.try_drain().expect_err("it cannot go on");
    assert!(matches!(&trouble, Fault::Stuck(why) if why.starts_with("position 5")), "{trouble}");
    stage.check(&["read after 2", "append cursor 4"]);
}

#[test]
fn what_the_bus_holds_as_its_last_is_read_only_if_it_is_not_heard() {
    let mut stage = Stage::led::<false>(Clock::Wall);
    let row = stage.record(&[balance(1)]).remove(0);
    stage.machine.give(Input::Hint(&row));
    stage.machine.give(Input::Latest { position: 3, hash: row.hash });
    stage.drain();
    stage.check(&["read after 2"]);
    assert!(!stage.leader().is_behind());
    // An empty bus tells nothing.
    stage.machine.give(Input::Latest { position: 0, hash: [0; 32] });
    stage.drain();
    stage.check(&[]);
}

#[test]
fn hands_may_be_judged_only_at_rest() {
    let mut stage = Stage::led::<true>(Clock::Market);
    assert!(stage.leader().may_judge());
    // What they bring waits for the tape's time; what comes meanwhile is void.
    let bring = |stage: &mut Stage, name: &str| {
        stage.machine.give(Input::Bring(brings(1, vec![(fact(name), balance(1))]), Timestamp::ZERO));
    };
    bring(&mut stage, "a");
    assert!(!stage.leader().may_judge());
    bring(&mut stage, "b");
    let head = stage.machine.ask().unwrap().expect("the tape's time");
    assert!(!stage.leader().may_judge(), "it awaits an answer");
    bring(&mut stage, "c");
    stage.perform(head);
    assert!(!stage.leader().may_judge(), "something is to be committed");
    bring(&mut stage, "d");
    stage.drain();
    stage.check(&[
        "head",
        "append facts account.balance_changed cursor 2",
        "read after 2",
        "append cursor 3",
        "tell account.balance_changed, mine",
    ]);
    assert!(stage.leader().may_judge());
    assert_eq!(stage.tape.head_now().position, 3);
    stage.machine.give(Input::Stop);
    assert!(!stage.leader().may_judge(), "it stops");
    bring(&mut stage, "e");
    stage.drain();
    stage.check(&["save 3"]);
}

#[test]
fn hands_are_not_judged_before_the_start_is_said_or_behind_what_cannot_be_read() {
    let mut stage = Stage::new::<true>(Clock::Wall);
    while stage.machine.leader().is_none() {
        let effect = stage.machine.ask().unwrap().expect("it comes back");
        stage.perform(effect);
    }
    assert!(!stage.leader().may_judge(), "it has not said its start");
    let head = stage.machine.ask().unwrap().expect("the tape's end");
    stage.perform(head);
    assert!(!stage.leader().may_judge(), "it takes up what lies before it");

    // Nor has a new build that has heard everything.
    let mut stage = Stage::led::<true>(Clock::Wall);
    stage.build = "2";
    stage.take_over();
    while stage.machine.leader().is_none() {
        let effect = stage.machine.ask().unwrap().expect("it comes back");
        stage.perform(effect);
    }
    assert!(!stage.leader().may_judge(), "it has not said its start");
    stage.drain();
    stage.machine.give(Input::Read);
    stage.drain();
    assert!(stage.leader().may_judge());

    let mut stage = Stage::led::<true>(Clock::Wall);
    let mut newer = events::Draft::new(fact("newer"), crate::unit("feed"), None, Timestamp::ZERO, &asked(2));
    newer.schema = 99;
    stage.append(vec![newer]);
    stage.machine.give(Input::Read);
    let read = stage.machine.ask().unwrap().expect("a read");
    stage.perform(read);
    assert!(!stage.leader().may_judge(), "it cannot go on");
}
