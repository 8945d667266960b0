//! The facts of an order's life may come in any order: the end is the same.

use crate::script::{at, fact, name};
use events::{Event, OrderEvent};
use order_tracker::{
    Config, OrderTracker,
    book::{Done, Name},
    order::Order,
};
use service::Solo;
use std::collections::BTreeMap;

/// Every order of `rest` after `first`, each once as it is and once with every fact heard twice:
/// the same state in the end, and the same `OrderDone`, said once.
#[track_caller]
fn check(first: &[&str], rest: &[&str]) {
    let wanted = outcome(first, rest, false);
    assert_eq!(wanted.1.len(), 1, "said once: {:?}", wanted.1);
    let mut lives = 0;
    permute(&mut rest.to_vec(), 0, &mut |rest| {
        for twice in [false, true] {
            let got = outcome(first, rest, twice);
            assert_eq!(got, wanted, "{first:?} {rest:?}, each twice: {twice}");
            lives += 1;
        }
    });
    assert_eq!(lives, 2 * (1..=rest.len()).product::<usize>());
}

/// Every order open and done; which of two legs was done first may differ.
type Books = Vec<(BTreeMap<Name, Order>, BTreeMap<Name, Done>)>;

fn outcome(first: &[&str], rest: &[&str], twice: bool) -> (Books, Vec<Event>) {
    let mut core = Solo::<OrderTracker>::new(Config::default());
    let mut done = Vec::new();
    let again = if twice { rest } else { &[] };
    for line in first.iter().chain(rest).chain(again) {
        done.extend(core.hear(at(0), fact(line, at(0))));
    }
    // What was waited for on the way is forgotten when time passes.
    let later = core.hear(at(3_600), fact("time 3600", at(3_600)));
    assert_eq!(later, [], "nothing is stuck");
    done.retain(|event| matches!(event, Event::Order(OrderEvent::Done(e)) if e.order == name("a")));
    assert_eq!((core.state.waits_since(), core.state.wake), (None, None), "nothing is waited for");
    let books = core.state.books().map(|(_, _, book)| (book.open.clone(), book.done.clone())).collect();
    (books, done)
}

fn permute<'a>(items: &mut Vec<&'a str>, fixed: usize, each: &mut impl FnMut(&[&'a str])) {
    if fixed == items.len() {
        return each(items);
    }
    for next in fixed..items.len() {
        items.swap(fixed, next);
        permute(items, fixed + 1, each);
        items.swap(fixed, next);
    }
}

const FILLS: [&str; 2] = ["fill a #7 t1 0.4 @ 100 fee 0.1 BNB", "fill a #7 t2 0.6 @ 101.25 fee 0.0006 BTC"];

#[test]
fn ours_filled_in_parts() {
    let rest = ["attempt a 1", "accept a #7", FILLS[0], FILLS[1], "end a #7 filled 1"];
    check(&["submit a"], &rest);
}

#[test]
fn ours_unknown_at_first_and_canceled_after_a_part() {
    let rest = ["attempt a 1", "unknown a 1", "accept a #7", FILLS[0], "cancel a", "end a #7 canceled 0.4"];
    check(&["submit a"], &rest);
}

#[test]
fn ours_that_ends_without_a_fill() {
    check(&["submit a"], &["attempt a 1", "accept a #7", "cancel a", "end a #7 expired 0"]);
}

#[test]
fn ours_that_is_rejected() {
    check(&["submit a"], &["attempt a 1", "unknown a 1", "cancel a", "reject a"]);
}

#[test]
fn a_leg_of_an_oco() {
    let rest = ["attempt l 1", "accept a #7", FILLS[0], FILLS[1], "end a #7 filled 1", "end b #8 expired 0"];
    check(&["list l a b"], &rest);
}

#[test]
fn a_foreign_one() {
    check(&[], &["accept a #7", FILLS[0], FILLS[1], "end a #7 filled 1"]);
}

#[test]
fn one_declared_absent_ends_with_its_true_totals_last() {
    let rest = ["absent a", "accept a #7", FILLS[0], FILLS[1], "end a #7 filled 1"];
    let mut core = Solo::<OrderTracker>::new(Config::default());
    let mut wanted = Vec::new();
    for line in ["submit a", FILLS[0], FILLS[1], "end a #7 filled 1"] {
        wanted = core.hear(at(0), fact(line, at(0)));
    }
    permute(&mut rest.to_vec(), 0, &mut |rest| {
        let mut core = Solo::<OrderTracker>::new(Config::default());
        core.hear(at(0), fact("submit a", at(0)));
        let said: Vec<Event> = rest.iter().flat_map(|line| core.hear(at(0), fact(line, at(0)))).collect();
        assert_eq!(said.last(), wanted.last(), "{rest:?}");
        assert_eq!(said.len(), if rest[0] == "absent a" { 2 } else { 1 }, "{rest:?}");
    });
}
