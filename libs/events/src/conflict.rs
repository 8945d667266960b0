//! Two copies of one fact that differ: recorded, and trading on the account concerned stops.

use crate::{Draft, Event, EventConflicted, Position, TradingState, TradingStateChanged, Uuid, ids};
use domain::UnitName;

/// What to record when `refused` came under an id that the tape already holds, at `recorded`, with
/// other content. `event` is what `refused` encodes, and `who` records it.
///
/// The first event keeps the refused body, for the recorded one stands.
/// If the fact concerns an account, a second one halts it: whoever reads its books now may be
/// reading the wrong copy, and only a person can tell which is right.
/// A fact without an account (a candle, a listing) halts nobody.
pub fn conflict(who: UnitName, refused: &Draft, event: &Event, recorded: Position) -> Vec<Event> {
    let account = event.account();
    let conflicted = EventConflicted {
        id: refused.id,
        kind: refused.kind.to_string(),
        source: refused.source,
        account,
        refused: refused.body.clone(),
    };
    let halted = account.map(|account| TradingStateChanged {
        account: Some(account),
        state: TradingState::Halted,
        who: who.to_string(),
        why: format!(
            "{} {} of '{}' is recorded at position {recorded} with other content; compare the two and resume by hand",
            refused.kind, refused.id, refused.source,
        ),
        until: None,
    });
    std::iter::once(Event::from(conflicted)).chain(halted.map(Event::from)).collect()
}

/// The id of the `n`-th event (from 0) that [`conflict`] makes of `refused` on this `tape`.
///
/// It depends on the refused content, and not on when or how often it came: a copy that is
/// delivered again is recorded once, and a third, different copy is recorded as well.
pub fn conflict_id(tape: Uuid, refused: &Draft, n: usize) -> Uuid {
    let copy = ids::fact(tape, &refused.kind, &format!("{}|{}|{}", refused.id, refused.source, refused.body));
    ids::said(copy, "event-logger", n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BalanceChanged, TimePassed};
    use domain::{Account, Decimal, Timestamp};

    const TAPE: Uuid = Uuid::from_u128(9);

    fn unit() -> UnitName {
        UnitName::new("event-logger").unwrap()
    }
    fn main_account() -> Account {
        "paper:main".parse().unwrap()
    }
    fn balance(free: i64) -> Event {
        Event::from(BalanceChanged {
            account: main_account(),
            asset: "USDT".parse().unwrap(),
            free: Decimal::from(free),
            locked: Decimal::ZERO,
            as_of: Timestamp::ZERO,
        })
    }
    fn draft(event: &Event) -> Draft {
        Draft::new(Uuid::from_u128(1), unit(), None, Timestamp::ZERO, event)
    }

    #[test]
    fn a_second_copy_that_differs_is_kept_and_halts_its_account() {
        let event = balance(7);
        let said = conflict(unit(), &draft(&event), &event, 42);
        let why = "account.balance_changed 00000000-0000-0000-0000-000000000001 of 'event-logger' \
                   is recorded at position 42 with other content; compare the two and resume by hand";
        assert_eq!(
            said,
            [
                Event::from(EventConflicted {
                    id: Uuid::from_u128(1),
                    kind: "account.balance_changed".to_owned(),
                    source: unit(),
                    account: Some(main_account()),
                    refused: event.body(),
                }),
                Event::from(TradingStateChanged {
                    account: Some(main_account()),
                    state: TradingState::Halted,
                    who: "event-logger".to_owned(),
                    why: why.to_owned(),
                    until: None,
                }),
            ]
        );
    }

    #[test]
    fn a_conflict_of_no_account_is_recorded_and_halts_nobody() {
        let event = Event::from(TimePassed { now: Timestamp::ZERO });
        let said = conflict(unit(), &draft(&event), &event, 42);
        assert_eq!(said.iter().map(|e| e.kind().name()).collect::<Vec<_>>(), ["tape.conflicted"]);
    }

    #[test]
    fn a_refused_copy_is_recorded_once_and_a_third_one_again() {
        let (second, third) = (draft(&balance(7)), draft(&balance(8)));
        assert_eq!(conflict_id(TAPE, &second, 0), conflict_id(TAPE, &second, 0));
        assert_ne!(conflict_id(TAPE, &second, 0), conflict_id(TAPE, &third, 0));
        assert_ne!(conflict_id(TAPE, &second, 0), conflict_id(TAPE, &second, 1));
        assert_ne!(conflict_id(TAPE, &second, 0), conflict_id(Uuid::from_u128(8), &second, 0));
    }
}
