//! What is done is kept for a while, and then is not.

use crate::script::{at, fact, hear, home};
use domain::Timestamp;
use order_tracker::{Config, OrderTracker};
use service::Service;

const DAY: i64 = 86_400;

#[test]
fn a_late_duplicate_is_harmless_for_as_long_as_the_order_is_kept() {
    let life = "submit a\n fill a #7 t1 1 @ 100\n end a #7 filled 1\n";
    let next = "submit b\n reject b\n";
    let late = "end a #7 filled 1";
    let (_, said) = hear(&format!("{life} at {}\n {next} {late}", 7 * DAY - 1));
    assert_eq!(said.len(), 2, "still known: {said:?}");
    let (_, said) = hear(&format!("{life} at {}\n {next} {late}\n fill a #7 t1 1 @ 100", 7 * DAY));
    assert_eq!(said[2], "done foreign a filled 1 for 100", "forgotten, and so taken for a foreign one");
}

#[test]
fn done_orders_do_not_pile_up() {
    let tracker = OrderTracker::new(Config::default());
    let mut state = Default::default();
    let mut kept_most = 0;
    for n in 0..3_000 {
        // One an hour: 168 in seven days.
        let now = at(n * 3_600);
        for line in [
            format!("submit o{n}"),
            format!("fill o{n} #{n} t{n} 1 @ 100"),
            format!("end o{n} #{n} filled 1"),
        ] {
            hear_bare(&tracker, &mut state, now, &line);
        }
        hear_bare(&tracker, &mut state, now, "time 0");
        let done: usize = state.books().map(|(_, _, book)| book.done.len()).sum();
        kept_most = kept_most.max(done);
    }
    assert_eq!(kept_most, 7 * 24);
    assert_eq!(state.open().count(), 0);
    assert_eq!(
        state.books().map(|(account, instrument, _)| (account, instrument)).collect::<Vec<_>>(),
        [home()]
    );
}

fn hear_bare(tracker: &OrderTracker, state: &mut order_tracker::State, now: Timestamp, line: &str) {
    let event = fact(line, now);
    tracker.apply(state, now, &event);
    for said in tracker.decide(state, now, &event) {
        tracker.apply(state, now, &said);
    }
}
