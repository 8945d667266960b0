//! Reading quarantined frames again.

use crate::support::*;
use event_logger::{parse::PARSERS, record, reparse::Reading};
use events::*;
use replica::Recorder;
use tape::{Commit, Entry, Tape};

async fn quarantined(frames: &[&[u8]]) -> Tape {
    let tape = memory().await;
    let recorder = Recorder { unit: event_logger::unit(), tape: TAPE, clock: Clock::Wall };
    for bytes in frames {
        let reading = record::read(&recorder, PARSERS, &raw("a", "text/fills", bytes));
        let entries = reading.facts.into_iter().map(|fact| Entry::wall(fact.draft)).collect();
        tape.append(Commit::new(entries)).await.unwrap();
    }
    tape
}

#[tokio::test]
async fn what_can_be_read_now_is_recorded_and_the_rest_stays() {
    let tape = quarantined(&[b"1\n2", b"nonsense", b"2\n3"]).await;
    let why = "nonsense: invalid digit found in string".to_owned();
    assert_eq!(
        reread(&tape, MENDED, true).await,
        [
            Reading::Readable { events: 2 },
            Reading::Unreadable { why: why.clone() },
            Reading::Readable { events: 2 },
        ]
    );
    assert_eq!(tape.head().await.unwrap().position, 4, "a dry run records nothing");
    assert_eq!(
        reread(&tape, MENDED, false).await,
        [
            Reading::Recorded { events: 2, new: 2, conflicts: 0 },
            Reading::Unreadable { why: why.clone() },
            Reading::Recorded { events: 2, new: 1, conflicts: 0 },
        ]
    );
    assert_eq!(
        kinds(&tape).await[3..],
        ["order.filled", "order.filled", "frame.reparsed", "order.filled", "frame.reparsed"]
    );
    let row = rows(&tape).await.remove(4);
    assert_eq!(row.decode().unwrap().event, fill(1));
    assert!(row.draft.meta.is_some_and(|meta| meta.starts_with(r#"{"replica":"a""#)));
    assert_eq!(reread(&tape, MENDED, false).await, [Reading::Unreadable { why }], "each is read once");
    assert_eq!(tape.head().await.unwrap().position, 9);
}

#[tokio::test]
async fn a_parser_that_is_still_missing_is_named() {
    let tape = quarantined(&[b"1"]).await;
    let readings = reread(&tape, PARSERS, false).await;
    let [Reading::Unreadable { why }] = readings.as_slice() else { panic!("{readings:?}") };
    assert!(why.contains("no parser for 'text/fills'"), "{why}");
}

#[tokio::test]
async fn what_contradicts_the_tape_halts_the_account_here_too() {
    let tape = quarantined(&[b"1"]).await;
    let Event::Order(OrderEvent::Filled(e)) = fill(1) else { panic!("a fill") };
    let recorded: Event = OrderFilled { price: "1".parse().unwrap(), ..e }.into();
    let id = ids::of_fact(TAPE, &recorded).unwrap();
    let draft = Draft::new(id, unit("event-logger"), None, e.at, &recorded);
    tape.append(Commit::new(vec![Entry::wall(draft)])).await.unwrap();
    let conflicts = Reading::Recorded { events: 1, new: 0, conflicts: 1 };
    assert_eq!(reread(&tape, MENDED, false).await, [conflicts]);
    assert_eq!(
        kinds(&tape).await[2..],
        ["tape.conflicted", "control.trading_state_changed", "frame.reparsed"]
    );
}

#[tokio::test]
async fn two_that_read_again_at_once_record_everything_once() {
    let tape = quarantined(&[b"1\n2", b"3"]).await;
    let (one, two) = tokio::join!(reread(&tape, MENDED, false), reread(&tape, MENDED, false));
    assert_eq!((one.len(), two.len().min(2)), (2, two.len()));
    let said = kinds(&tape).await;
    let count = |kind: &str| said.iter().filter(|k| *k == kind).count();
    assert_eq!((count("order.filled"), count("frame.reparsed"), said.len()), (3, 2, 7), "{said:?}");
}
