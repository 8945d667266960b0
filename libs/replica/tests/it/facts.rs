//! What is recorded of facts, and of copies that contradict what the tape holds.

use domain::{Decimal, Timestamp};
use events::{BalanceChanged, Clock, Event, TapeOpened, TimePassed, Uuid};
use replica::Recorder;
use tape::Outcome;

fn recorder(tape: u128, clock: Clock) -> Recorder {
    let opened = TapeOpened { tape: Uuid::from_u128(tape), clock, market: "synthetic:1".into() };
    Recorder::new("event-logger".parse().unwrap(), &opened)
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn balance(free: i64) -> Event {
    BalanceChanged {
        account: "paper:main".parse().unwrap(),
        asset: "USDT".parse().unwrap(),
        free: Decimal::from(free),
        locked: Decimal::ZERO,
        as_of: at(5),
    }
    .into()
}

#[test]
fn a_fact_has_one_id_on_its_tape_whoever_brings_it_and_whenever() {
    let here = recorder(7, Clock::Wall);
    let fact = here.fact(balance(1), at(9), Some("frame".into()));
    assert_eq!((fact.event.clone(), fact.draft.source, fact.draft.cause), (balance(1), here.unit, None));
    // Its own time goes before that of the recording.
    assert_eq!((fact.draft.at, fact.draft.meta.as_deref()), (at(5), Some("frame")));
    let again = here.fact(balance(1), at(10), None);
    assert_eq!((again.draft.id, again.draft.meta), (fact.draft.id, None));
    assert_ne!(recorder(8, Clock::Wall).fact(balance(1), at(9), None).draft.id, fact.draft.id);
    let under = here.fact_under(Uuid::from_u128(3), balance(1), at(9), Some("other".into()));
    assert_eq!((under.draft.id, under.draft.meta.as_deref()), (Uuid::from_u128(3), Some("other")));
    // What is no fact of the world is told apart by its content.
    let passed = |now| here.fact(TimePassed { now: at(now) }.into(), at(9), None).draft.id;
    assert!(passed(1) == passed(1) && passed(1) != passed(2));
}

#[test]
fn a_copy_that_contradicts_the_tape_is_kept_and_halts_its_account_and_others_say_nothing() {
    let here = recorder(7, Clock::Wall);
    let facts = [1, 2, 3].map(|free| here.fact(balance(free), at(9), Some(format!("frame {free}"))));
    let outcomes = [Outcome::Appended(1), Outcome::Duplicate(2), Outcome::Conflict(5)];
    let said = here.conflicts(&facts, &outcomes);
    let lines: Vec<_> = said
        .iter()
        .map(|fact| {
            let draft = &fact.draft;
            (&*draft.kind, draft.cause == Some(facts[2].draft.id), draft.at, draft.meta.as_deref())
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("tape.conflicted", true, at(5), Some("frame 3")),
            ("control.trading_state_changed", true, at(5), Some("frame 3")),
        ]
    );
    assert_ne!(said[0].draft.id, said[1].draft.id);
    assert!(said[0].draft.body.contains(r#""refused""#), "{}", said[0].draft.body);
    assert!(said[1].draft.body.contains("position 5"), "{}", said[1].draft.body);
    // Delivered once more it is the same row.
    assert_eq!(here.conflicts(&facts, &outcomes), said);
}

#[test]
fn a_row_is_recorded_at_the_time_of_its_clock() {
    for (clock, recorded_at) in [(Clock::Wall, None), (Clock::Market, Some(at(9)))] {
        let recorder = recorder(7, clock);
        let draft = recorder.fact(balance(1), at(5), None).draft;
        let entry = recorder.entry(draft.clone(), at(9));
        assert_eq!((entry.draft, entry.recorded_at), (draft, recorded_at));
    }
}
