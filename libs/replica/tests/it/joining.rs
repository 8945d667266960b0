//! Who comes to a tape late, and what of it is answered.

use crate::{asked, stage::Stage};
use events::Clock;
use replica::{IN_TIME, Input};

/// In seconds: longer than a restart takes, and shorter.
const LONG: i64 = IN_TIME.as_secs() as i64 + 60;
const SHORT: i64 = IN_TIME.as_secs() as i64 - 60;

/// A tape with three events, each so many seconds after the one before.
fn history<const LEARNS: bool>(clock: Clock, apart: i64) -> Stage {
    let mut stage = Stage::of::<false, LEARNS>(clock);
    for n in 1..=3 {
        stage.record_after(n * apart, &asked(n as u64));
    }
    stage
}

#[test]
fn who_speaks_in_time_only_learns_all_that_lies_on_a_tape_when_it_joins() {
    let mut stage = history::<true>(Clock::Wall, 1);
    stage.come_back();
    stage.check(&[
        "starts",
        "snapshots 0",
        "read after 0",
        "read after 4",
        "head",
        "read after 0",
        // What was learned counts together with the start that says so.
        "append unit.started cursor 4",
    ]);
    assert_eq!(stage.spoke(), (0, vec![(0, 4)]));
    stage.record_after(4, &asked(4));
    stage.machine.give(Input::Read);
    stage.drain();
    assert_eq!(stage.spoke(), (1, vec![(0, 4)]));
}

#[test]
fn who_is_waited_for_learns_what_is_old_when_it_joins_and_answers_the_rest() {
    let mut stage = history::<false>(Clock::Wall, LONG);
    stage.catches_up();
    assert_eq!(stage.spoke(), (1, vec![(0, 3)]));
    let mut stage = history::<false>(Clock::Wall, 1);
    stage.catches_up();
    assert_eq!(stage.spoke(), (3, vec![(0, 0)]), "a fleet's services start one after the other");
    let mut stage = history::<false>(Clock::Wall, IN_TIME.as_secs() as i64);
    stage.catches_up();
    assert_eq!(stage.spoke(), (2, vec![(0, 2)]), "what is just that old is in time");
}

#[test]
fn who_speaks_in_time_only_says_nothing_of_a_long_absence_and_goes_on_after_a_short_one() {
    for (absence, answers) in [(LONG, 0), (SHORT, 2)] {
        let mut stage = Stage::of::<false, true>(Clock::Wall);
        stage.catches_up();
        let (before, starts) = stage.spoke();
        assert_eq!((before, starts), (0, vec![(0, 1)]));
        stage.record_after(1, &asked(1));
        stage.record_after(1 + absence, &asked(2));
        stage.catches_up();
        let (said, starts) = stage.spoke();
        assert_eq!((said, starts.len()), (answers, if answers == 0 { 2 } else { 1 }), "after {absence} s");
        // The moment is on the tape: another incarnation comes back to the same, and says nothing more of it.
        stage.catches_up();
        assert_eq!(stage.spoke(), (said, starts));
        stage.record_after(2 + absence, &asked(3));
        stage.catches_up();
        assert_eq!(stage.spoke().0, answers + 1);
    }
}

#[test]
fn a_quiet_tape_is_no_absence() {
    let mut stage = Stage::of::<false, true>(Clock::Wall);
    stage.catches_up();
    stage.record_after(LONG, &asked(1));
    stage.catches_up();
    assert_eq!(stage.spoke().0, 1, "it has missed nothing for long");
}

#[test]
fn who_is_waited_for_answers_everything_after_an_absence_of_any_length() {
    let mut stage = Stage::new::<false>(Clock::Wall);
    stage.catches_up();
    for n in 1..=3 {
        stage.record_after(n * LONG, &asked(n as u64));
    }
    stage.catches_up();
    assert_eq!(stage.spoke(), (3, vec![(0, 0)]));
}

#[test]
fn on_its_own_clock_a_market_waits_and_who_missed_more_than_a_step_was_away() {
    for (steps, answers) in [(1, 1), (2, 0)] {
        let mut stage = Stage::of::<false, true>(Clock::Market);
        stage.catches_up();
        for n in 1..=steps {
            stage.record_after(n, &asked(n as u64));
        }
        stage.catches_up();
        assert_eq!(stage.spoke().0, answers, "{steps} steps");
    }
}

#[test]
fn whoever_dies_while_it_learns_has_said_and_saved_nothing() {
    let mut stage = history::<true>(Clock::Wall, 1);
    while stage.machine.leader().is_none() {
        let effect = stage.machine.ask().unwrap().expect("it comes back");
        stage.perform(effect);
    }
    for _ in 0..2 {
        let effect = stage.machine.ask().unwrap().expect("the tape's end, then what lies there");
        stage.perform(effect);
    }
    stage.machine.give(Input::Stop);
    stage.take_over();
    assert_eq!(stage.spoke(), (0, Vec::new()));
    stage.record_after(4, &asked(4));
    stage.catches_up();
    assert_eq!(stage.spoke(), (0, vec![(0, 5)]));
}

#[test]
fn hands_of_a_sink_are_told_of_nothing_that_was_learned() {
    let mut stage = Stage::of::<true, true>(Clock::Wall);
    for n in 1..=3 {
        stage.record_after(n, &asked(n as u64));
    }
    stage.catches_up();
    stage.check(&[
        "starts",
        "snapshots 0",
        "read after 0",
        "read after 4",
        "head",
        "read after 0",
        "append unit.started cursor 4",
        "tell recovered",
        "read after 4",
        "tell unit.started, mine",
        "append cursor 5",
    ]);
}

#[test]
fn who_comes_back_to_a_tape_that_has_not_gone_on_reads_nothing_and_says_nothing() {
    let mut stage = Stage::of::<false, true>(Clock::Wall);
    stage.catches_up();
    let spoke = stage.spoke();
    stage.check(&[
        "starts",
        "snapshots 0",
        "read after 0",
        "read after 1",
        "head",
        "read after 0",
        "append unit.started cursor 1",
        "read after 1",
        "append cursor 2",
    ]);
    stage.take_over();
    stage.come_back();
    stage.check(&[
        "read after 1",
        "read after 1",
        "starts",
        "snapshots 2",
        "read after 0",
        "read after 2",
        "head",
    ]);
    assert_eq!(stage.spoke(), spoke);
}
