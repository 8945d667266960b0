//! What is done about what can befall whoever works on a tape.

use domain::UnitName;
use replica::Fault;
use tape::{AppendError, StorageError};

fn unit() -> UnitName {
    UnitName::new("counter").unwrap()
}

#[test]
fn a_cursor_that_would_go_back_under_a_fence_that_holds_is_ones_own_mistake() {
    let backwards = AppendError::Backwards { unit: unit(), given: 3, stored: 5 };
    assert!(matches!(Fault::from(backwards), Fault::Doubt(_)));
    let fenced = AppendError::Fenced { unit: unit(), given: 3, stored: Some(5) };
    assert!(matches!(Fault::from(fenced), Fault::Lost(_)));
}

#[test]
fn a_tape_that_can_only_be_opened_anew_ends_the_process() {
    let tape = "sqlite:tape.db".to_owned();
    for storage in [StorageError::Closed { tape: tape.clone() }, StorageError::ReadOnly { tape }] {
        assert!(matches!(Fault::from(storage), Fault::Fatal(_)));
    }
}

#[test]
fn what_stands_by_again_says_what_is_still_wrong_unless_another_speaks_or_the_process_ends() {
    for fault in [Fault::Doubt("x".into()), Fault::Away("x".into()), Fault::Stuck("x".into())] {
        assert_eq!(fault.standing().as_deref(), Some("x"));
    }
    for fault in [Fault::Lost("x".into()), Fault::Overdue] {
        assert_eq!(fault.standing(), None);
    }
}
