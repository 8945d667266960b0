//! Routing keys of whole events and of rows.

use crate::samples::{at, samples};
use domain::UnitName;
use events::{Draft, Event, Kind, Row, Uuid};
use std::borrow::Cow;

fn row(event: &Event) -> Row {
    let draft = Draft::new(Uuid::from_u128(1), UnitName::new("clock").unwrap(), None, at(0), event);
    Row { position: 1, recorded_at: at(0), hash: [0; 32], draft }
}

#[test]
fn every_event_has_a_key_of_five_words_that_begins_with_its_kind() {
    for event in Kind::ALL.iter().flat_map(|kind| samples(*kind)) {
        let key = event.routing_key();
        assert_eq!(key.split('.').count(), 5, "{key}");
        assert!(key.len() <= 255 && key.starts_with(event.kind().name()), "{key}");
        assert!(key.split('.').all(|word| !word.is_empty()), "{key}");
        assert_eq!(row(&event).routing_key(), key);
    }
}

#[test]
fn an_event_goes_by_its_instrument_else_by_its_account() {
    let key = |kind: Kind| samples(kind)[0].routing_key();
    assert_eq!(key(Kind::OrderFilled), "order.filled.binance.spot.BTCUSDT");
    assert_eq!(key(Kind::CandleClosed), "candle.closed.binance.spot.BTCUSDT");
    assert_eq!(key(Kind::BalanceChanged), "account.balance_changed.binance.-.-");
    assert_eq!(key(Kind::FrameQuarantined), "frame.quarantined.binance.-.-");
    assert_eq!(key(Kind::TimePassed), "time.passed.-.-.-");
}

#[test]
fn a_row_of_a_newer_build_goes_by_family_and_kind() {
    let known = row(&samples(Kind::OrderFilled)[0]);
    let with = |change: &dyn Fn(&mut Draft)| {
        let mut row = known.clone();
        change(&mut row.draft);
        row.routing_key()
    };
    assert_eq!(with(&|d| d.schema = 2), "order.filled.-.-.-");
    assert_eq!(with(&|d| d.kind = Cow::Borrowed("moon.risen")), "moon.risen.-.-.-");
    assert_eq!(with(&|d| d.body = "{".into()), "order.filled.-.-.-");
}
