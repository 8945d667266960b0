//! One suite, every backend. A new backend adds one line to `backends!`.

use crate::support::*;
use domain::Timestamp;
use events::{Draft, Kind, Uuid};
use std::time::Duration;
use tape::{
    AppendError, Commit, Entry, Frame, Head, LeaseError, Memory, OnConflict, Outcome, ReadError, Snapshot,
    Tape, chain, verify,
};

macro_rules! conformance {
    ($($case:ident)*) => {
        mod memory { $(#[tokio::test] async fn $case() { super::$case(super::Tape::memory()).await; })* }
        mod sqlite { $(#[tokio::test] async fn $case() {
            let disk = crate::support::OnDisk::new().await;
            super::$case(disk.tape.clone()).await;
            disk.tape.close().await.unwrap();
        })* }
        mod postgres { $(#[tokio::test] async fn $case() {
            let tape = crate::support::in_database().await;
            super::$case(tape.clone()).await;
            tape.close().await.unwrap();
        })* }
    };
}

conformance! {
    an_empty_tape_has_head_zero
    positions_have_no_gaps_and_follow_the_commits
    what_is_read_is_what_was_written
    not_a_byte_of_odd_values_changes
    the_first_row_tells_whose_tape_it_is
    the_same_fact_again_records_nothing
    the_same_fact_twice_in_one_commit_is_recorded_once
    a_known_id_with_other_content_fails_the_whole_commit
    a_conflict_can_be_left_out_and_reported
    a_fact_in_other_letters_is_the_same_fact
    what_is_not_part_of_the_fact_may_differ
    times_never_run_backwards
    each_row_carries_the_hash_of_all_before_it
    batching_does_not_show
    many_rows_in_one_commit
    a_commit_of_nothing_changes_nothing
    a_cursor_moves_with_what_is_said
    a_lost_fence_records_nothing
    a_unit_that_nobody_acquired_cannot_speak
    a_lost_fence_is_told_before_a_conflict
    a_cursor_never_goes_back_nor_beyond_the_head
    many_cursors_move_in_one_commit_or_none
    the_largest_reach_is_kept
    a_lease_keeps_others_out_until_it_ends
    acquiring_again_voids_the_earlier_fence_also_under_the_same_name
    the_only_writer_may_take_a_lease_by_force
    several_units_are_acquired_together_or_not_at_all
    a_renewed_lease_keeps_its_fence
    a_released_unit_is_free_at_once
    cursors_stand_where_they_were_after_a_new_owner
    rows_are_found_by_id_trade_subject_cause_and_kind
    rows_of_a_kind_are_read_by_pages_from_either_end
    orders_are_found_by_their_subject
    every_kind_is_listed_once_and_the_first_unknown_one_is_found
    the_end_of_a_tape_is_what_was_written_after_each_commit
    the_newest_snapshots_are_kept_and_found
    snapshots_can_be_thrown_away
    a_snapshot_behind_the_end_of_the_tape_is_refused
    frames_are_checked_one_and_all
    frames_are_kept_once_and_found_by_their_hash
    a_frame_under_a_wrong_hash_is_refused
    a_commit_wakes_whoever_watches
    clones_are_the_same_tape
    futures_may_be_sent_between_threads
}

fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

const HOUR: Duration = Duration::from_secs(3_600);

async fn an_empty_tape_has_head_zero(tape: Tape) {
    assert_eq!(tape.head().await.unwrap(), Head::EMPTY);
    assert_eq!(all(&tape).await, []);
    assert_eq!(tape.opened().await.unwrap(), None);
    assert_eq!(tape.cursors().await.unwrap(), []);
    assert_eq!(*tape.watch().borrow(), 0);
}

async fn positions_have_no_gaps_and_follow_the_commits(tape: Tape) {
    let first = tape.append(facts([1, 2, 3])).await.unwrap();
    let second = tape.append(facts([4])).await.unwrap();
    assert_eq!(first.outcomes, [1, 2, 3].map(Outcome::Appended));
    assert_eq!(second.outcomes, [Outcome::Appended(4)]);
    assert_eq!(second.head, tape.head().await.unwrap());
    let positions: Vec<u64> = all(&tape).await.iter().map(|row| row.position).collect();
    assert_eq!(positions, [1, 2, 3, 4]);
}

async fn what_is_read_is_what_was_written(tape: Tape) {
    append(&tape, facts(1..=20)).await;
    assert_eq!(drafts(&tape).await, (1..=20).map(draft).collect::<Vec<_>>());
    let some = tape.read(4, 3).await.unwrap();
    assert_eq!(some.iter().map(|row| row.position).collect::<Vec<_>>(), [5, 6, 7]);
    assert_eq!(some[0].recorded_at, time(5));
    assert_eq!(tape.read(20, 3).await.unwrap(), []);
    assert_eq!(tape.read(u64::MAX, 3).await.unwrap(), []);
    assert_eq!(tape.read(0, 0).await.unwrap(), []);
}

async fn not_a_byte_of_odd_values_changes(tape: Tape) {
    let odd = [
        events::Draft { kind: "".into(), subject: "".into(), body: "".into(), ..draft(1) },
        events::Draft { trade: Some("".into()), meta: Some("".into()), cause: None, ..draft(2) },
        events::Draft { subject: "a\0b".into(), body: "\0".into(), kind: "x\0,1,".into(), ..draft(3) },
        events::Draft { at: Timestamp::from_micros(i64::MIN), schema: u16::MAX, ..draft(4) },
        events::Draft { id: Uuid::max(), cause: Some(Uuid::nil()), body: "x".repeat(1 << 20), ..draft(5) },
    ];
    append(&tape, Commit::new(odd.clone().map(Entry::wall).to_vec())).await;
    assert!(drafts(&tape).await == odd);
    let first = tape.by_id(odd[2].id).await.unwrap().unwrap();
    assert_eq!(first.draft, odd[2]);
    tape::verify::verify_chain(&tape, |_, _| ()).await.unwrap();
}

async fn the_first_row_tells_whose_tape_it_is(tape: Tape) {
    append(&tape, Commit::new(vec![opening()])).await;
    assert_eq!(tape.opened().await.unwrap(), Some(opened()));

    let wrong = Tape::memory();
    append(&wrong, facts([1])).await;
    assert!(matches!(wrong.opened().await, Err(ReadError::Damaged { position: 1, .. })));
}

async fn the_same_fact_again_records_nothing(tape: Tape) {
    append(&tape, facts(1..=12)).await;
    let before = tape.head().await.unwrap();
    assert_eq!(append(&tape, facts([5])).await, [Outcome::Duplicate(5)]);
    assert_eq!(append(&tape, facts(1..=12)).await, (1..=12).map(Outcome::Duplicate).collect::<Vec<_>>());
    assert_eq!(tape.head().await.unwrap(), before);
    // Among new ones it takes no position.
    let mixed = append(&tape, facts([13, 2, 14])).await;
    assert_eq!(mixed, [Outcome::Appended(13), Outcome::Duplicate(2), Outcome::Appended(14)]);
}

async fn the_same_fact_twice_in_one_commit_is_recorded_once(tape: Tape) {
    let outcomes = append(&tape, facts([1, 2, 1])).await;
    assert_eq!(outcomes, [Outcome::Appended(1), Outcome::Appended(2), Outcome::Duplicate(1)]);
    assert_eq!(drafts(&tape).await, [draft(1), draft(2)]);
}

async fn a_known_id_with_other_content_fails_the_whole_commit(tape: Tape) {
    append(&tape, facts([1, 2])).await;
    let commit = Commit::new(vec![Entry::wall(draft(3)), Entry::wall(other(2))]);
    let conflict = AppendError::Conflict { id: Uuid::from_u128(2), position: 2 };
    assert_eq!(refused(&tape, commit).await, conflict);
    assert_eq!(drafts(&tape).await, [draft(1), draft(2)]);
    // Also with itself; and the tape goes on.
    let itself = Commit::new(vec![Entry::wall(draft(3)), Entry::wall(other(3))]);
    let conflict = AppendError::Conflict { id: Uuid::from_u128(3), position: 3 };
    assert_eq!(refused(&tape, itself).await, conflict);
    assert_eq!(append(&tape, facts([3])).await, [Outcome::Appended(3)]);
}

async fn a_conflict_can_be_left_out_and_reported(tape: Tape) {
    append(&tape, facts([1, 2])).await;
    let entries = [draft(3), other(2), draft(4), other(4)].map(Entry::wall).to_vec();
    let commit = Commit { on_conflict: OnConflict::Report, ..Commit::new(entries) };
    let outcomes = append(&tape, commit).await;
    assert_eq!(
        outcomes,
        [Outcome::Appended(3), Outcome::Conflict(2), Outcome::Appended(4), Outcome::Conflict(4)]
    );
    assert_eq!(drafts(&tape).await, (1..=4).map(draft).collect::<Vec<_>>());
}

/// 1.5 is 1.50, whoever may write it so.
async fn a_fact_in_other_letters_is_the_same_fact(tape: Tape) {
    let balance = |id: u128, free: &str| {
        let body = format!(
            r#"{{"account":"binance:main","asset":"USDT","free":"{free}","locked":"0","as_of":"2024-01-01T00:00:00Z"}}"#
        );
        Draft { id: uuid(id), kind: "account.balance_changed".into(), body, trade: None, ..draft(1) }
    };
    let entries = |drafts: Vec<Draft>| drafts.into_iter().map(|d| Entry::market(d, time(9))).collect();
    append(&tape, Commit::new(entries(vec![balance(1, "1.5"), balance(2, "7")]))).await;

    let again =
        || vec![balance(3, "3"), balance(1, "1.50"), balance(4, "4"), balance(2, "7.0"), balance(5, "5")];
    let found = append(&tape, Commit::new(entries(again()))).await;
    let expected = [
        Outcome::Appended(3),
        Outcome::Duplicate(1),
        Outcome::Appended(4),
        Outcome::Duplicate(2),
        Outcome::Appended(5),
    ];
    assert_eq!(found, expected);

    let entries = entries(vec![balance(1, "1.500"), balance(2, "8"), balance(6, "6")]);
    let report = Commit { on_conflict: OnConflict::Report, ..Commit::new(entries) };
    let found = append(&tape, report.clone()).await;
    assert_eq!(found, [Outcome::Duplicate(1), Outcome::Conflict(2), Outcome::Appended(6)]);
    let refused = refused(&tape, Commit { on_conflict: OnConflict::Fail, ..report }).await;
    assert_eq!(refused, AppendError::Conflict { id: uuid(2), position: 2 });
    assert_eq!(drafts(&tape).await[0].body, balance(1, "1.5").body, "what was recorded stands");
}

async fn what_is_not_part_of_the_fact_may_differ(tape: Tape) {
    append(&tape, facts([1])).await;
    for same in [
        events::Draft { meta: Some("the other replica".into()), ..draft(1) },
        // The stream and the answer to a request tell the same fill.
        events::Draft { source: unit("order-gateway"), cause: Some(Uuid::nil()), ..draft(1) },
    ] {
        assert_eq!(append(&tape, Commit::new(vec![Entry::wall(same)])).await, [Outcome::Duplicate(1)]);
    }
    for differs in [
        events::Draft { at: time(2), ..draft(1) },
        events::Draft { subject: "signal:2".into(), ..draft(1) },
        events::Draft { trade: Some("t".into()), ..draft(1) },
        events::Draft { schema: 2, ..draft(1) },
    ] {
        let error = refused(&tape, Commit::new(vec![Entry::wall(differs)])).await;
        assert!(matches!(error, AppendError::Conflict { position: 1, .. }), "{error}");
    }
    assert_eq!(drafts(&tape).await, [draft(1)], "what was said first stands");
}

async fn times_never_run_backwards(tape: Tape) {
    let market = |n, seconds| Entry::market(draft(n), time(seconds));
    append(&tape, Commit::new(vec![market(1, 100), market(2, 50)])).await;
    append(&tape, Commit::new(vec![market(3, 99), market(4, 101)])).await;
    // The machine's clock is later than all of those, and earlier than the last.
    append(&tape, Commit::new(vec![Entry::wall(draft(5)), Entry::wall(draft(6))])).await;
    append(&tape, Commit::new(vec![Entry::market(draft(7), Timestamp::MAX)])).await;
    append(&tape, Commit::new(vec![Entry::wall(draft(8))])).await;
    let times: Vec<Timestamp> = all(&tape).await.iter().map(|row| row.recorded_at).collect();
    assert_eq!(times[..4], [100, 100, 100, 101].map(time));
    assert!(times[4] > time(1_700_000_000) && times[4] == times[5], "{times:?}");
    assert_eq!(times[6..], [Timestamp::MAX; 2]);
    assert_eq!(tape.head().await.unwrap().recorded_at, Timestamp::MAX);
}

async fn each_row_carries_the_hash_of_all_before_it(tape: Tape) {
    append(&tape, facts(1..=15)).await;
    append(&tape, facts([16])).await;
    let mut hash = chain::GENESIS;
    for row in all(&tape).await {
        hash = chain::link(&hash, row.position, row.recorded_at, &row.draft);
        assert_eq!(row.hash, hash, "position {}", row.position);
    }
    assert_eq!(tape.head().await.unwrap().hash, hash);
}

async fn batching_does_not_show(tape: Tape) {
    let singly = Tape::memory();
    for n in 1..=30 {
        append(&singly, facts([n])).await;
    }
    append(&tape, facts(1..=7)).await;
    append(&tape, facts([8])).await;
    append(&tape, facts(9..=30)).await;
    assert_eq!(tape.head().await.unwrap(), singly.head().await.unwrap());
    assert_eq!(all(&tape).await, all(&singly).await);
}

async fn many_rows_in_one_commit(tape: Tape) {
    let outcomes = append(&tape, facts(1..=1_000)).await;
    assert_eq!(outcomes, (1..=1_000).map(Outcome::Appended).collect::<Vec<_>>());
    let outcomes = append(&tape, facts(991..=1_400)).await;
    assert_eq!(outcomes.iter().filter(|o| matches!(o, Outcome::Duplicate(_))).count(), 10);
    assert_eq!(outcomes.last(), Some(&Outcome::Appended(1_400)));
    assert_eq!(drafts(&tape).await, (1..=1_400).map(draft).collect::<Vec<_>>());
}

async fn a_commit_of_nothing_changes_nothing(tape: Tape) {
    append(&tape, facts([1])).await;
    let before = tape.head().await.unwrap();
    let nothing = tape.append(Commit::default()).await.unwrap();
    assert_eq!((nothing.head, nothing.outcomes), (before, vec![]));
}

async fn a_cursor_moves_with_what_is_said(tape: Tape) {
    append(&tape, facts([1, 2, 3])).await;
    let fence = tape.acquire(unit("sizer"), "me", HOUR, false).await.unwrap().fence;
    append(&tape, Commit { cursors: vec![step("sizer", fence, 2)], ..facts([4]) }).await;
    assert_eq!(tape.cursors().await.unwrap()[0].position, 2);
    // A unit that has nothing to say saves its cursor all the same.
    append(&tape, moves([step("sizer", fence, 4)])).await;
    let (head, cursors) = tape.marks().await.unwrap();
    assert_eq!((head.position, cursors[0].position), (4, 4));
    // Its last row may itself be what was heard last.
    append(&tape, Commit { cursors: vec![step("sizer", fence, 20)], ..facts(5..=20) }).await;
    assert_eq!(tape.cursors().await.unwrap()[0].position, 20);
}

async fn a_lost_fence_records_nothing(tape: Tape) {
    append(&tape, facts([1])).await;
    let old = tape.acquire(unit("sizer"), "one", Duration::ZERO, false).await.unwrap().fence;
    let new = tape.acquire(unit("sizer"), "two", HOUR, false).await.unwrap().fence;
    for numbers in [2..2, 2..3, 2..31] {
        let commit = Commit { cursors: vec![step("sizer", old, 1)], ..facts(numbers) };
        let error = refused(&tape, commit).await;
        assert_eq!(error, AppendError::Fenced { unit: unit("sizer"), given: old, stored: Some(new) });
    }
    assert_eq!(tape.head().await.unwrap().position, 1);
    assert_eq!(tape.cursors().await.unwrap()[0].position, 0);
    append(&tape, Commit { cursors: vec![step("sizer", new, 1)], ..facts([2]) }).await;
}

async fn a_unit_that_nobody_acquired_cannot_speak(tape: Tape) {
    let error = refused(&tape, Commit { cursors: vec![step("sizer", 0, 0)], ..facts([1]) }).await;
    assert_eq!(error, AppendError::Fenced { unit: unit("sizer"), given: 0, stored: None });
    assert_eq!(tape.head().await.unwrap(), Head::EMPTY);
}

async fn a_lost_fence_is_told_before_a_conflict(tape: Tape) {
    append(&tape, facts([1])).await;
    let fence = tape.acquire(unit("sizer"), "one", HOUR, false).await.unwrap().fence;
    let entries = vec![Entry::wall(other(1))];
    let commit = Commit { cursors: vec![step("sizer", fence - 1, 0)], ..Commit::new(entries) };
    assert!(matches!(refused(&tape, commit).await, AppendError::Fenced { .. }));
}

async fn a_cursor_never_goes_back_nor_beyond_the_head(tape: Tape) {
    append(&tape, facts(1..=5)).await;
    let fence = tape.acquire(unit("sizer"), "me", HOUR, false).await.unwrap().fence;
    append(&tape, moves([step("sizer", fence, 4)])).await;

    let back = Commit { cursors: vec![step("sizer", fence, 3)], ..facts([6]) };
    let error = AppendError::Backwards { unit: unit("sizer"), given: 3, stored: 4 };
    assert_eq!(refused(&tape, back).await, error);

    let beyond = Commit { cursors: vec![step("sizer", fence, 7)], ..facts([6]) };
    let error = AppendError::Beyond { unit: unit("sizer"), given: 7, head: 6 };
    assert_eq!(refused(&tape, beyond).await, error);

    let far = moves([step("sizer", fence, u64::MAX)]);
    assert!(matches!(refused(&tape, far).await, AppendError::Beyond { .. }));
    assert_eq!(tape.head().await.unwrap().position, 5);
    // Standing still is no step back.
    append(&tape, moves([step("sizer", fence, 4)])).await;
}

async fn many_cursors_move_in_one_commit_or_none(tape: Tape) {
    let units: Vec<_> = (0..12).map(|n| unit(&format!("unit-{n:02}"))).collect();
    let taken = tape.acquire_all(&units, "me", HOUR, false).await.unwrap();
    let steps =
        |to| taken.iter().map(move |c| tape::CursorMove { unit: c.unit, fence: c.fence, to, reach: 0 });
    append(&tape, Commit { cursors: steps(3).collect(), ..facts([1, 2, 3]) }).await;
    append(&tape, Commit { cursors: steps(20).collect(), ..facts(4..=20) }).await;
    assert!(tape.cursors().await.unwrap().iter().all(|c| c.position == 20));

    let mut one_lost: Vec<_> = steps(20).collect();
    one_lost[7].fence += 1;
    assert!(
        matches!(refused(&tape, moves(one_lost)).await, AppendError::Fenced { unit, .. } if unit == units[7])
    );

    // The same unit twice: one step after the other.
    let twice = [step("unit-00", 1, 20), step("unit-00", 1, 21)];
    append(&tape, Commit { cursors: twice.to_vec(), ..facts([21]) }).await;
    let back = [step("unit-00", 1, 21), step("unit-00", 1, 20)];
    assert!(matches!(
        refused(&tape, moves(back)).await,
        AppendError::Backwards { given: 20, stored: 21, .. }
    ));
    assert_eq!(tape.cursors().await.unwrap()[0].position, 21);
}

async fn the_largest_reach_is_kept(tape: Tape) {
    append(&tape, facts(1..=9)).await;
    let fence = tape.acquire(unit("gateway"), "me", HOUR, false).await.unwrap().fence;
    for (reach, kept, entries) in [(3, 3, 0), (7, 7, 1), (2, 7, 20), (8, 8, 20)] {
        let head = tape.head().await.unwrap().position as u128;
        let cursors = vec![tape::CursorMove { unit: unit("gateway"), fence, to: 9, reach }];
        append(&tape, Commit { cursors, ..facts(head + 1..head + 1 + entries) }).await;
        assert_eq!(tape.cursors().await.unwrap()[0].reach, kept);
    }
    assert_eq!(tape.acquire(unit("gateway"), "me", HOUR, false).await.unwrap().reach, 8);
}

async fn a_lease_keeps_others_out_until_it_ends(tape: Tape) {
    let cursor = tape.acquire(unit("sizer"), "one", HOUR, false).await.unwrap();
    assert_eq!((cursor.fence, cursor.owner.as_deref(), cursor.position), (1, Some("one"), 0));
    let error = tape.acquire(unit("sizer"), "two", HOUR, false).await.unwrap_err();
    let LeaseError::Held { owner, until, .. } = &error else { panic!("{error}") };
    assert_eq!((owner.as_str(), Some(*until)), ("one", cursor.lease_until));
    assert!(error.to_string().contains("sizer is run by one until "), "{error}");

    tape.acquire(unit("edge"), "one", Duration::ZERO, false).await.unwrap();
    let taken = tape.acquire(unit("edge"), "two", HOUR, false).await.unwrap();
    assert_eq!((taken.fence, taken.owner.as_deref()), (2, Some("two")));
}

async fn acquiring_again_voids_the_earlier_fence_also_under_the_same_name(tape: Tape) {
    let before = tape.acquire(unit("sizer"), "me", HOUR, false).await.unwrap().fence;
    let after = tape.acquire(unit("sizer"), "me", HOUR, false).await.unwrap().fence;
    assert_eq!(after, before + 1);
    assert!(matches!(refused(&tape, moves([step("sizer", before, 0)])).await, AppendError::Fenced { .. }));
    let lost = tape.renew(unit("sizer"), before, HOUR).await.unwrap_err();
    assert_eq!(lost, LeaseError::Lost { unit: unit("sizer"), given: before, stored: Some(after) });
}

async fn the_only_writer_may_take_a_lease_by_force(tape: Tape) {
    tape.acquire(unit("sizer"), "killed", HOUR, false).await.unwrap();
    let forced = tape.acquire(unit("sizer"), "restarted", HOUR, true).await.unwrap();
    assert_eq!((forced.fence, forced.owner.as_deref()), (2, Some("restarted")));
}

async fn several_units_are_acquired_together_or_not_at_all(tape: Tape) {
    let units = ["a", "b", "c"].map(unit);
    let taken = tape.acquire_all(&units, "me", Duration::ZERO, false).await.unwrap();
    assert_eq!(taken.iter().map(|c| (c.unit, c.fence)).collect::<Vec<_>>(), units.map(|u| (u, 1)));
    tape.acquire(unit("b"), "somebody", HOUR, false).await.unwrap();
    let error = tape.acquire_all(&units, "me", HOUR, false).await.unwrap_err();
    assert!(matches!(error, LeaseError::Held { unit: held, .. } if held == unit("b")));
    let fences: Vec<u64> = tape.cursors().await.unwrap().iter().map(|c| c.fence).collect();
    assert_eq!(fences, [1, 2, 1]);
}

async fn a_renewed_lease_keeps_its_fence(tape: Tape) {
    let first = tape.acquire(unit("sizer"), "me", Duration::ZERO, false).await.unwrap();
    tape.renew(unit("sizer"), first.fence, HOUR).await.unwrap();
    let renewed = tape.cursors().await.unwrap().remove(0);
    assert_eq!(renewed.fence, first.fence);
    assert!(renewed.lease_until > first.lease_until);
    assert!(matches!(tape.acquire(unit("sizer"), "two", HOUR, false).await, Err(LeaseError::Held { .. })));
    let unknown = tape.renew(unit("nobody"), 1, HOUR).await.unwrap_err();
    assert_eq!(unknown, LeaseError::Lost { unit: unit("nobody"), given: 1, stored: None });
}

async fn a_released_unit_is_free_at_once(tape: Tape) {
    let fence = tape.acquire(unit("sizer"), "one", HOUR, false).await.unwrap().fence;
    assert!(matches!(tape.release(unit("sizer"), fence + 1).await, Err(LeaseError::Lost { .. })));
    tape.release(unit("sizer"), fence).await.unwrap();
    assert!(matches!(tape.renew(unit("sizer"), fence, HOUR).await, Err(LeaseError::Lost { .. })));
    let free = tape.cursors().await.unwrap().remove(0);
    assert_eq!((free.owner, free.lease_until), (None, None));
    assert_eq!(tape.acquire(unit("sizer"), "two", HOUR, false).await.unwrap().fence, fence + 1);
}

async fn cursors_stand_where_they_were_after_a_new_owner(tape: Tape) {
    append(&tape, facts(1..=3)).await;
    let fence = tape.acquire(unit("sizer"), "one", Duration::ZERO, false).await.unwrap().fence;
    append(&tape, moves([tape::CursorMove { unit: unit("sizer"), fence, to: 3, reach: 2 }])).await;
    let taken = tape.acquire(unit("sizer"), "two", HOUR, false).await.unwrap();
    assert_eq!((taken.position, taken.reach), (3, 2));
}

async fn rows_are_found_by_id_trade_subject_cause_and_kind(tape: Tape) {
    append(&tape, facts(1..=10)).await;
    let candle = |n| events::Draft { kind: "candle.closed".into(), subject: "candle:x".into(), ..draft(n) };
    append(&tape, Commit::new(vec![Entry::wall(candle(21)), Entry::wall(candle(24))])).await;
    let positions = |rows: Vec<tape::Row>| rows.iter().map(|row| row.position).collect::<Vec<_>>();

    assert_eq!(tape.by_id(Uuid::from_u128(7)).await.unwrap().map(|row| row.position), Some(7));
    assert_eq!(tape.by_id(Uuid::from_u128(99)).await.unwrap(), None);
    assert_eq!(positions(tape.of_trade("trade-2").await.unwrap()), [6]);
    assert_eq!(positions(tape.of_trade("trade").await.unwrap()), [] as [u64; 0]);
    assert_eq!(positions(tape.of_subject("candle:x").await.unwrap()), [11, 12]);
    assert_eq!(positions(tape.caused_by(Uuid::from_u128(4)).await.unwrap()), [5]);
    // The cause of that one is not on this tape.
    assert_eq!(positions(tape.caused_by(Uuid::from_u128(20)).await.unwrap()), [11]);
    let latest = async |kind| tape.latest_of_kind(kind).await.unwrap().map(|row| row.position);
    assert_eq!(latest(Kind::CandleClosed).await, Some(12));
    assert_eq!(latest(Kind::SignalGiven).await, Some(10));
    assert_eq!(latest(Kind::OrderFilled).await, None);
    let about = async |subject| tape.latest_about(Kind::SignalGiven, subject).await.unwrap();
    assert_eq!(about("signal:3").await.map(|row| row.position), Some(3));
    assert_eq!(about("candle:x").await, None);
}

async fn rows_of_a_kind_are_read_by_pages_from_either_end(tape: Tape) {
    append(&tape, facts(1..=4)).await;
    let kind = |n, kind: &'static str| Entry::wall(events::Draft { kind: kind.into(), ..draft(n) });
    append(&tape, Commit::new((21..=29).map(|n| kind(n, "candle.closed")).collect())).await;
    append(&tape, facts(5..=6)).await;
    let positions = |rows: Vec<tape::Row>| rows.iter().map(|row| row.position).collect::<Vec<_>>();
    let after = async |kind, after, limit| positions(tape.of_kind_after(kind, after, limit).await.unwrap());
    let before =
        async |kind, before, limit| positions(tape.of_kind_before(kind, before, limit).await.unwrap());
    let signal = Kind::SignalGiven;
    assert_eq!(after(signal, 0, 100).await, [1, 2, 3, 4, 14, 15]);
    assert_eq!(after(signal, 2, 3).await, [3, 4, 14]);
    assert_eq!(after(signal, 15, 3).await, [] as [u64; 0]);
    assert_eq!(before(signal, u64::MAX, 3).await, [15, 14, 4]);
    assert_eq!(before(signal, 14, 100).await, [4, 3, 2, 1]);
    assert_eq!(before(signal, 1, 100).await, [] as [u64; 0]);
    assert_eq!(after(Kind::OrderFilled, 0, 9).await, [] as [u64; 0]);
    let whole = tape.of_kind_after(Kind::CandleClosed, 0, 100).await.unwrap();
    assert_eq!(whole, tape.of_kind(Kind::CandleClosed).await.unwrap(), "the same rows to the last byte");
}

async fn orders_are_found_by_their_subject(tape: Tape) {
    append(&tape, facts(1..=3)).await;
    let about = |n, kind: &'static str, subject: &str| {
        Entry::wall(events::Draft { kind: kind.into(), subject: subject.into(), ..draft(n) })
    };
    let rows = vec![
        about(31, "order.submitted", "order:a"),
        about(32, "order.filled", "order:ab"),
        about(33, "order.done", "order:a"),
    ];
    append(&tape, Commit::new(rows)).await;
    let found = tape.of_subject("order:a").await.unwrap();
    assert_eq!(found.iter().map(|row| row.position).collect::<Vec<_>>(), [4, 6]);
    assert_eq!(tape.of_subject("order:nope").await.unwrap(), []);
}

async fn the_newest_snapshots_are_kept_and_found(tape: Tape) {
    let snapshot = |name: &str, position| Snapshot {
        unit: unit(name),
        position,
        tag: format!("build {position}"),
        state: vec![0, 1, position as u8],
    };
    append(&tape, facts(1..=30)).await;
    for (name, position) in [("a", 10), ("b", 12), ("a", 20), ("a", 30), ("b", 11), ("a", 5)] {
        tape.save_snapshot(snapshot(name, position)).await.unwrap();
    }
    let found = async |at_most| tape.snapshots(at_most).await.unwrap();
    assert_eq!(found(u64::MAX).await, [snapshot("a", 30), snapshot("b", 12)]);
    assert_eq!(found(29).await, [snapshot("a", 20), snapshot("b", 12)]);
    assert_eq!(found(11).await, [snapshot("b", 11)], "of a unit two are kept");
    assert_eq!(found(0).await, []);

    let newer = Snapshot { tag: "another build".into(), ..snapshot("b", 12) };
    tape.save_snapshot(newer.clone()).await.unwrap();
    assert_eq!(found(12).await, [newer], "the later one of a position stays");
}

async fn a_snapshot_behind_the_end_of_the_tape_is_refused(tape: Tape) {
    append(&tape, facts([1, 2])).await;
    let snapshot = |position| Snapshot { unit: unit("a"), position, tag: "t".into(), state: vec![1] };
    for position in [3, u64::MAX] {
        let refused = tape.save_snapshot(snapshot(position)).await.unwrap_err().to_string();
        assert!(refused.contains("where no event is"), "{refused}");
    }
    tape.save_snapshot(snapshot(2)).await.unwrap();
    assert!(tape.found_snapshots().await.unwrap().iter().all(|found| found.snapshot.is_ok()));
}

async fn frames_are_checked_one_and_all(tape: Tape) {
    let frames: Vec<Frame> = (0..450_u32).map(|n| Frame::new(time(1), n.to_be_bytes().to_vec())).collect();
    tape.keep_frames(frames).await.unwrap();
    assert_eq!(tape::verify::check_frames(&tape).await.unwrap(), (450, vec![]));
}

async fn snapshots_can_be_thrown_away(tape: Tape) {
    append(&tape, facts([1, 2])).await;
    let snapshot = Snapshot { unit: unit("a"), position: 1, tag: String::new(), state: vec![] };
    tape.save_snapshot(snapshot.clone()).await.unwrap();
    assert_eq!(tape.snapshots(1).await.unwrap(), [snapshot]);
    tape.forget_snapshots().await.unwrap();
    assert_eq!(tape.snapshots(1).await.unwrap(), []);
    assert_eq!(all(&tape).await.len(), 2);
}

async fn frames_are_kept_once_and_found_by_their_hash(tape: Tape) {
    let frames: Vec<Frame> =
        (0..300).map(|n| Frame::new(time(n), format!("{{\"e\":{n}}}\0\u{fffd}").into_bytes())).collect();
    tape.keep_frames(frames.clone()).await.unwrap();
    let again = Frame { received_at: time(9_999), ..frames[7].clone() };
    let empty = Frame::new(time(1), Vec::new());
    tape.keep_frames(vec![again.clone(), empty.clone(), again, empty.clone()]).await.unwrap();
    tape.keep_frames(Vec::new()).await.unwrap();
    for frame in frames.iter().chain([&empty]) {
        assert_eq!(tape.frame(&frame.hash).await.unwrap().as_ref(), Some(frame), "the first one stays");
    }
    assert_eq!(tape.frame(&[9; 32]).await.unwrap(), None);
    assert_eq!(tape.head().await.unwrap(), Head::EMPTY, "they stand beside the tape");
}

async fn a_frame_under_a_wrong_hash_is_refused(tape: Tape) {
    let (good, wrong) =
        (Frame::new(time(1), vec![1]), Frame { hash: [7; 32], ..Frame::new(time(1), vec![2]) });
    let error = tape.keep_frames(vec![good.clone(), wrong]).await.unwrap_err().to_string();
    assert!(error.contains("0707") && error.contains("make it by Frame::new"), "{error}");
    assert_eq!((tape.frame(&good.hash).await.unwrap(), tape.frame(&[7; 32]).await.unwrap()), (None, None));
}

async fn a_commit_wakes_whoever_watches(tape: Tape) {
    let mut watch = tape.watch();
    append(&tape, facts([1, 2])).await;
    watch.changed().await.unwrap();
    assert_eq!(*watch.borrow_and_update(), 2);
    append(&tape, facts([1, 2])).await;
    assert!(!watch.has_changed().unwrap(), "nothing new, nobody woken");
}

async fn clones_are_the_same_tape(tape: Tape) {
    let twin = tape.clone();
    append(&twin, facts([1])).await;
    assert_eq!(append(&tape, facts([1, 2])).await, [Outcome::Duplicate(1), Outcome::Appended(2)]);
    assert_eq!(twin.head().await.unwrap(), tape.head().await.unwrap());
}

async fn futures_may_be_sent_between_threads(tape: Tape) {
    let done = tokio::spawn(async move {
        append(&tape, facts([1])).await;
        tape.acquire(unit("a"), "me", HOUR, false).await.unwrap();
        (
            tape.read(0, 10).await.unwrap().len(),
            tape::verify::verify_chain(&tape, |_, _| ()).await.unwrap().position,
        )
    });
    assert_eq!(done.await.unwrap(), (1, 1));
}

/// A simulation steers the clock of the tape in memory.
#[tokio::test]
async fn the_clock_of_a_tape_in_memory_can_be_set() {
    let memory = Memory::default();
    memory.set_clock(time(50));
    let tape = Tape::Memory(memory.clone());
    append(&tape, Commit::new(vec![Entry::wall(draft(1))])).await;
    memory.set_clock(time(40));
    memory.append_now(Commit::new(vec![Entry::wall(draft(2))])).unwrap();
    assert!(memory.look(|rows| rows.iter().all(|row| row.recorded_at == time(50))));

    let minute = Duration::from_secs(60);
    memory.acquire_all_now(&[unit("a")], "one", minute, false).unwrap();
    memory.set_clock(time(99));
    assert!(memory.acquire_all_now(&[unit("a")], "two", minute, false).is_err());
    memory.set_clock(time(100));
    let taken = memory.acquire_all_now(&[unit("a")], "two", minute, false).unwrap();
    assert_eq!((taken[0].fence, taken[0].lease_until), (2, Some(time(160))));
}

async fn every_kind_is_listed_once_and_the_first_unknown_one_is_found(tape: Tape) {
    assert!(tape.kinds().await.unwrap().is_empty());
    append(&tape, Commit::new(vec![opening()])).await;
    append(&tape, facts(1..=20)).await;
    let kinds: Vec<String> = tape.kinds().await.unwrap().into_iter().collect();
    assert_eq!(kinds, ["signal.given", "tape.opened"]);
    assert_eq!(tape.first_unknown().await.unwrap(), None);
    for (n, kind) in [(21, "zebra.seen"), (22, "aardvark.seen"), (23, "zebra.seen"), (24, "signal.\u{e4}")] {
        let draft = Draft { kind: kind.into(), ..draft(n) };
        append(&tape, Commit::new(vec![Entry::market(draft, time(n as i64))])).await;
    }
    let kinds: Vec<String> = tape.kinds().await.unwrap().into_iter().collect();
    assert_eq!(kinds, ["aardvark.seen", "signal.given", "signal.\u{e4}", "tape.opened", "zebra.seen"]);
    let first = tape.first_unknown().await.unwrap().unwrap();
    assert_eq!((first.position, &*first.draft.kind), (22, "zebra.seen"));
}

async fn the_end_of_a_tape_is_what_was_written_after_each_commit(tape: Tape) {
    verify::check_end(&tape).await.unwrap();
    for n in 1..=5 {
        append(&tape, facts([n])).await;
        verify::check_end(&tape).await.unwrap();
    }
}
