//! The paper exchange as the venue: real sockets, real signatures, and the same trading.

use crate::support::*;
use serde_json::Value;
use std::{fs, thread::sleep, time::Duration};

fn at_the_exchange() -> String {
    up(MARKET) + " --venue paper-exchange"
}

/// What trading is: each event's kind and body, for ids follow from who said the fills, and within a step the
/// signal of one instrument may stand before or after the fill of another.
fn trading(place: &Place) -> Vec<(String, String)> {
    let rows = place.rows(&["signal", "trade", "order", "position"]);
    let told = |row: Value| (text(&row["kind"]).to_owned(), row["body"].to_string());
    let mut rows: Vec<_> = rows.into_iter().map(told).collect();
    rows.sort();
    rows
}

#[test]
fn an_engine_trades_at_the_exchange_as_it_does_with_the_paper_venue_among_its_units() {
    let place = Place::new();
    place.run(&at_the_exchange()).well();
    let traded = trading(&place);
    assert!(traded.iter().any(|(kind, _)| kind == "trade.closed"), "nothing was traded: {traded:?}");
    assert_eq!(traded, trading(&Place::finished()));
    books_agree(&place);
    place.run("verify").well();
}

/// From the first to the last report, which is behind everything that was traded.
fn books_agree(place: &Place) {
    let verdicts = place.rows(&["books.agreed", "books.disagreed"]);
    assert!(verdicts.iter().all(|row| row["kind"] == "books.agreed"), "{verdicts:#?}");
    assert!(verdicts.len() >= 2 && verdicts[0]["body"]["begin"] == true, "{verdicts:#?}");
    let position = |row: Option<&Value>| row.and_then(|row| row["position"].as_u64()).unwrap();
    assert!(position(verdicts.last()) > position(place.rows(&["order.filled"]).last()));
    let told = place.run("books").well();
    told.says(&["agree with the venue's", "(as of 2024-"]);
    assert!(!told.out.contains("nothing was compared"), "{told:#?}");
    place.run("doctor").says(&["well   books"]);
}

#[test]
fn an_engine_that_is_killed_with_its_exchange_goes_on_with_it() {
    let place = Place::new();
    let mut seed = Seed::new("kills at the exchange");
    for _ in 0..5 {
        let mut run = place.start(&at_the_exchange());
        sleep(Duration::from_millis(200 + seed.below(1_500)));
        run.kill();
    }
    place.run(&at_the_exchange()).well();
    assert_eq!(trading(&place), trading(&Place::finished()));
    books_agree(&place);
    place.run("verify").well();
}

#[test]
fn a_tape_goes_on_at_the_venue_that_it_was_made_for() {
    let place = Place::new();
    let short = |venue: &str| format!("{} --tape sqlite:a.tape --venue {venue}", up("synthetic:7:5"));
    place.run(&short("paper-exchange")).well();
    place.run(&short("venue-paper")).ends(2, &["at paper-exchange"]);
    // An exchange whose tape is gone does not go on with another.
    fs::remove_file(place.path("a.tape")).unwrap();
    place.run(&short("paper-exchange")).well();
    place.run("verify --tape sqlite:a.tape").well();
}
