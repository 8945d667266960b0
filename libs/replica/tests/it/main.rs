//! The machine as scripts: what it is given, and what it then asks for.

mod back;
mod facts;
mod faults;
mod joining;
mod limits;
mod stage;

use domain::{Interval, Timestamp};
use events::{BalanceChanged, CandleMissing, Clock, Draft, Event, Kind, Uuid, ids};
use replica::{Fault, Input, Reply};
use service::Back;
use stage::{Stage, fact, unit};

fn asked(n: u64) -> Event {
    let (from, until) = (Timestamp::ZERO, Timestamp::ZERO);
    let instrument = "binance:spot:BTCUSDT".parse().unwrap();
    CandleMissing { instrument, interval: Interval::Minute1, from, until, count: n }.into()
}

fn balance(free: u64) -> Event {
    let (account, asset) = ("binance:main".parse().unwrap(), "BTC".parse().unwrap());
    BalanceChanged { account, asset, free: free.into(), locked: 0.into(), as_of: Timestamp::ZERO }.into()
}

fn brings(fence: u64, facts: Vec<(Uuid, Event)>) -> Back {
    Back { fence, judge: Box::new(move |_, _, _| facts) }
}

#[test]
fn a_new_unit_comes_back_and_says_its_start_before_it_hears() {
    let mut stage = Stage::new::<false>(Clock::Wall);
    stage.record(&[asked(1)]);
    stage.come_back();
    stage.check(&[
        "starts",
        "snapshots 0",
        "read after 0",
        "read after 2",
        "head",
        "read after 0",
        // The sink's alone are told anything.
        "append unit.started time.wake_asked cursor 2",
    ]);
    stage.machine.give(Input::Read);
    stage.drain();
    stage.check(&["read after 2"]);
    assert!(stage.leader().is_caught_up());
    stage.drain();
    stage.check(&[]);
}

#[test]
fn rows_that_come_together_are_answered_in_one_commit() {
    let mut stage = Stage::led::<false>(Clock::Wall);
    let rows = stage.record(&[asked(1), asked(2), asked(3)]);
    rows.iter().for_each(|row| stage.machine.give(Input::Hint(row)));
    stage.drain();
    stage.check(&["append time.wake_asked time.wake_asked time.wake_asked cursor 5"]);
}

#[test]
fn a_row_given_again_is_dropped_and_one_given_early_is_read_from_the_tape() {
    let mut stage = Stage::led::<false>(Clock::Wall);
    let rows = stage.record(&[asked(1), asked(2)]);
    stage.machine.give(Input::Hint(&rows[0]));
    stage.machine.give(Input::Hint(&rows[0]));
    stage.drain();
    stage.check(&["append time.wake_asked cursor 3"]);
    assert_eq!(stage.machine.take_counts().duplicates, 1);
    let rows = stage.record(&[asked(3)]);
    stage.machine.give(Input::Hint(&rows[0]));
    stage.drain();
    stage.check(&["read after 3", "append time.wake_asked time.wake_asked cursor 6"]);
    assert_eq!(stage.machine.take_counts().gaps, 1);
}

#[test]
fn a_row_of_another_copy_of_the_tape_is_not_heard() {
    let mut stage = Stage::led::<false>(Clock::Wall);
    let mut row = stage.record(&[asked(1)]).remove(0);
    row.draft.body = row.draft.body.replace(":1", ":7");
    stage.machine.give(Input::Hint(&row));
    assert_eq!(stage.machine.known().position, 2);
    stage.drain();
    stage.check(&["read after 2", "append time.wake_asked cursor 3"]);
}

#[test]
fn nothing_is_asked_for_or_heard_while_an_answer_is_awaited() {
    let mut stage = Stage::led::<false>(Clock::Wall);
    let rows = stage.record(&[asked(1), asked(2)]);
    stage.machine.give(Input::Hint(&rows[0]));
    let append = stage.machine.ask().unwrap().expect("a commit");
    assert!(stage.machine.ask().unwrap().is_none());
    stage.machine.give(Input::Hint(&rows[1]));
    assert!(!stage.leader().may_judge() && stage.leader().settled_at().is_none());
    stage.perform(append);
    stage.drain();
    stage.check(&["append time.wake_asked cursor 3", "read after 3", "append time.wake_asked cursor 5"]);
}

#[test]
fn an_answer_that_was_not_asked_for_ends_the_incarnation() {
    let mut stage = Stage::led::<false>(Clock::Wall);
    let ended = stage.machine.reply(Reply::Saved, Timestamp::ZERO);
    assert!(matches!(ended, Err(Fault::Doubt(_))), "{ended:?}");
    let mut stage = Stage::new::<false>(Clock::Wall);
    let ended = stage.machine.reply(Reply::Snapshots(Vec::new()), Timestamp::ZERO);
    assert!(matches!(ended, Err(Fault::Doubt(_))), "{ended:?}");
}

#[test]
fn before_a_row_that_cannot_be_read_everything_is_committed() {
    let mut stage = Stage::led::<false>(Clock::Wall);
    stage.record(&[asked(1)]);
    let mut newer = Draft::new(fact("newer"), unit("feed"), None, Timestamp::ZERO, &asked(2));
    newer.schema = 99;
    stage.append(vec![newer]);
    stage.record(&[asked(3)]);
    stage.machine.give(Input::Read);
    let trouble = stage.try_drain().expect_err("it cannot go on");
    assert!(matches!(&trouble, Fault::Stuck(why) if why.starts_with("position 4")), "{trouble}");
    stage.check(&["read after 2", "append time.wake_asked cursor 3"]);
}

#[test]
fn a_silent_cursor_is_saved_at_a_tick_and_at_once_on_a_market_clock() {
    let mut stage = Stage::led::<false>(Clock::Wall);
    let rows = stage.record(&[balance(1)]);
    stage.machine.give(Input::Hint(&rows[0]));
    stage.drain();
    stage.check(&[]);
    stage.machine.give(Input::Tick);
    stage.drain();
    stage.check(&["append cursor 3"]);
    let mut stage = Stage::led::<false>(Clock::Market);
    let rows = stage.record(&[balance(1)]);
    stage.machine.give(Input::Hint(&rows[0]));
    stage.drain();
    stage.check(&["append cursor 3"]);
}

#[test]
fn a_look_finds_what_the_bus_did_not_tell_and_a_tape_that_ends_too_early() {
    let mut stage = Stage::led::<false>(Clock::Wall);
    stage.record(&[asked(1)]);
    stage.machine.give(Input::Look);
    stage.drain();
    stage.check(&["head", "read after 2", "append time.wake_asked cursor 3"]);
    stage.cut();
    stage.machine.give(Input::Look);
    assert!(matches!(stage.try_drain(), Err(Fault::Stuck(_))));
}

#[test]
fn the_last_row_on_the_bus_must_be_on_the_tape() {
    let mut stage = Stage::led::<false>(Clock::Wall);
    let row = stage.record(&[asked(1)]).remove(0);
    stage.machine.give(Input::Latest { position: 3, hash: row.hash });
    stage.drain();
    stage.check(&["read after 2", "read after 2", "append time.wake_asked cursor 3"]);
    stage.machine.give(Input::Latest { position: 3, hash: [7; 32] });
    let trouble = stage.try_drain().expect_err("put back");
    assert!(trouble.to_string().contains("older copy"), "{trouble}");
}

#[test]
fn hands_are_told_once_everything_is_committed_and_what_is_theirs() {
    let mut stage = Stage::new::<true>(Clock::Wall);
    stage.come_back();
    stage.check(&[
        "starts",
        "snapshots 0",
        "read after 0",
        "read after 1",
        "head",
        "read after 0",
        "append unit.started cursor 1",
        "tell recovered",
    ]);
    stage.record(&[asked(1)]);
    stage.machine.give(Input::Read);
    stage.drain();
    stage.check(&[
        "read after 1",
        "append time.wake_asked cursor 3",
        "tell unit.started, mine",
        "tell candle.missing",
    ]);
    assert!(!stage.leader().may_judge(), "its own is not heard yet");
    stage.machine.give(Input::Read);
    stage.drain();
    stage.check(&["read after 3", "tell time.wake_asked, mine"]);
    assert!(stage.leader().may_judge());
}

#[test]
fn what_hands_bring_is_recorded_by_the_incarnation_that_sent_them_only() {
    let mut stage = Stage::led::<true>(Clock::Wall);
    stage.machine.give(Input::Bring(brings(9, vec![(fact("a"), balance(1))]), Timestamp::ZERO));
    stage.drain();
    stage.check(&[]);
    stage.machine.give(Input::Bring(brings(1, vec![(fact("a"), balance(1))]), Timestamp::ZERO));
    stage.drain();
    stage.check(&[
        "append facts account.balance_changed cursor 2",
        "read after 2",
        "tell account.balance_changed, mine",
    ]);
    // They are told of which tape they judge.
    let judge = |_: &_, tape, _| vec![(ids::fact(tape, "fact", "b"), balance(2))];
    stage.machine.give(Input::Bring(Back { fence: 1, judge: Box::new(judge) }, Timestamp::ZERO));
    stage.drain();
    assert!(stage.tape.by_id_now(fact("b")).is_some());
    stage.check(&[
        "append facts account.balance_changed cursor 3",
        "read after 3",
        "tell account.balance_changed, mine",
    ]);
    // The same again is no news, and nobody's own.
    stage.machine.give(Input::Bring(brings(1, vec![(fact("a"), balance(1))]), Timestamp::ZERO));
    stage.drain();
    stage.check(&["append facts account.balance_changed cursor 4", "read after 4"]);
}

#[test]
fn a_fact_that_stands_there_otherwise_is_recorded_as_a_conflict_and_halts_the_account() {
    let mut stage = Stage::led::<true>(Clock::Wall);
    let id = fact("a");
    stage.append(vec![Draft::new(id, unit("x"), None, Timestamp::ZERO, &balance(77))]);
    stage.machine.give(Input::Bring(brings(1, vec![(id, balance(5))]), Timestamp::ZERO));
    stage.drain();
    stage.check(&[
        "append facts account.balance_changed cursor 2",
        "append facts tape.conflicted control.trading_state_changed cursor 2",
        "read after 2",
        "tell tape.conflicted, mine",
        "tell control.trading_state_changed, mine",
    ]);
}

#[test]
fn of_a_conflict_that_stands_there_otherwise_nothing_more_is_told() {
    let conflicting = |before: Vec<Draft>| {
        let mut stage = Stage::led::<true>(Clock::Wall);
        stage.append(vec![Draft::new(fact("a"), unit("x"), None, Timestamp::ZERO, &balance(77))]);
        stage.append(before);
        stage.machine.give(Input::Bring(brings(1, vec![(fact("a"), balance(5))]), Timestamp::ZERO));
        stage.drain();
        stage
    };
    let first = conflicting(Vec::new());
    let id = first.tape.of_kind_after_now(Kind::EventConflicted, 0, 9).remove(0).draft.id;
    let mut second = conflicting(vec![Draft::new(id, unit("x"), None, Timestamp::ZERO, &balance(78))]);
    second.check(&[
        "append facts account.balance_changed cursor 2",
        "append facts tape.conflicted control.trading_state_changed cursor 2",
        "read after 2",
        "tell control.trading_state_changed, mine",
    ]);
}

#[test]
fn on_a_market_clock_hands_are_judged_at_the_tapes_time() {
    let mut stage = Stage::led::<true>(Clock::Market);
    stage.machine.give(Input::Bring(brings(1, vec![(fact("a"), balance(1))]), Timestamp::from_millis(99)));
    stage.drain();
    stage.check(&[
        "head",
        "append facts account.balance_changed cursor 2",
        "read after 2",
        "append cursor 3",
        "tell account.balance_changed, mine",
    ]);
    let last = stage.tape.of_kind_after_now(Kind::BalanceChanged, 0, 9).remove(0);
    assert_eq!(last.recorded_at, stage::NOW);
}

#[test]
fn a_stop_saves_the_cursor_and_a_snapshot_and_then_wants_nothing() {
    let mut stage = Stage::led::<false>(Clock::Wall);
    let rows = stage.record(&[balance(1)]);
    stage.machine.give(Input::Hint(&rows[0]));
    stage.machine.give(Input::Stop);
    stage.machine.give(Input::Read);
    stage.drain();
    stage.check(&["append cursor 3", "save 3"]);
    // The next one begins there, and says no start.
    stage.record(&[asked(1)]);
    stage.take_over();
    stage.come_back();
    stage.check(&["read after 2", "read after 2", "starts", "snapshots 3", "read after 3", "read after 4"]);
    stage.machine.give(Input::Read);
    stage.drain();
    stage.check(&["read after 3", "append time.wake_asked cursor 4"]);
}

#[test]
fn a_stop_on_the_way_back_is_at_once() {
    let mut stage = Stage::new::<false>(Clock::Wall);
    stage.machine.give(Input::Stop);
    stage.drain();
    stage.check(&[]);
}

/// While it was on its way another took over, and answered what stands behind the cursor.
#[test]
fn one_that_was_overtaken_on_its_way_back_is_lost_and_nothing_is_damaged() {
    let mut stage = Stage::led::<false>(Clock::Wall);
    stage.record(&[asked(1)]);
    let late = stage.incarnation();
    stage.take_over();
    stage.come_back();
    stage.machine.give(Input::Read);
    stage.drain();
    stage.machine = late;
    let trouble = stage.try_drain().expect_err("another speaks");
    assert!(matches!(trouble, Fault::Lost(_)), "{trouble}");
}

#[test]
fn what_was_heard_before_must_still_be_there() {
    let mut stage = Stage::led::<false>(Clock::Wall);
    stage.record(&[asked(1)]);
    stage.machine.give(Input::Read);
    stage.drain();
    stage.cut();
    stage.take_over();
    let trouble = stage.try_drain().expect_err("put back");
    assert!(matches!(&trouble, Fault::Stuck(why) if why.starts_with("position 3")), "{trouble}");
}
