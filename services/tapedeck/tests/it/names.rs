//! Names and markets that are not there: what is said of them, and with which exit code.

use crate::support::*;

#[test]
fn an_instrument_that_is_not_on_the_tape_is_an_error_that_names_the_nearest() {
    let place = Place::finished();
    for view in ["trades", "orders", "positions", "signals"] {
        place.run(&format!("{view} --instrument BTCUSD")).ends(
            2,
            &["--instrument BTCUSD", "not on this tape", "ADAUSDT, BTCUSDT", "did you mean BTCUSDT?"],
        );
        place
            .run(&format!("{view} --instrument BTCUSDT,DOGEUSDT --json"))
            .ends(2, &["--instrument DOGEUSDT"]);
        // On the tape, though nothing of it is shown.
        place.run(&format!("{view} --instrument btcusdt --until 3")).well();
        // As the views print times, and with a space after the comma.
        let mut command = place.command(view);
        command.args(["--instrument", "BTCUSDT, ETHUSDT", "--until", "2024-01-15 12:00"]);
        place.wait(command, view).well();
    }
}

#[test]
fn an_edge_that_is_not_on_the_tape_is_an_error_that_names_those_there_are() {
    let place = Place::finished();
    for view in ["trades", "orders", "positions", "signals"] {
        let refused = place.run(&format!("{view} --edge edge60"));
        refused.ends(2, &["--edge edge60", "not on this tape", "there is: edge70", "did you mean edge70?"]);
        place.run(&format!("{view} --edge edge70")).well();
    }
    place.run("trades --state opne").ends(2, &["did you mean open?"]);
    // An edge that runs and has said nothing yet is known.
    let place = Place::new();
    place.run(&up("synthetic:1:10")).well();
    place.run("signals --edge edge70").well().says(&["no signals"]);
}

#[test]
fn a_market_that_cannot_be_played_is_refused_with_those_that_can() {
    let place = Place::new();
    for command in ["up", "exchange serve --listen 127.0.0.1:0"] {
        let foo = place.run(&format!("{command} --market foo"));
        foo.ends_with_usage(&["synthetic[:SEED[:DAYS]]", "recorded:PATH"]);
        // Live candles can be traded, and not be made a market of.
        assert_eq!(foo.err.contains("binance"), command == "up", "{foo:#?}");
    }
    let live = place.run("exchange serve --listen 127.0.0.1:0 --market binance:BTCUSDT:1d");
    live.ends_with_usage(&["recorded:PATH", "live candles are for"]);
}

#[test]
fn a_run_without_a_signal_says_what_a_signal_needs() {
    let place = Place::new();
    let run = place.run(&up("synthetic:1:40")).well();
    run.says(&["edge70 gave no signal: it needs 59 candles of 1d", "the longest series had 40 in all"]);
    candles(&place, "candles", &["BTCUSDT"], 50);
    let run = place.run("backtest --candles candles").well();
    run.says(&["edge70 gave no signal", "the longest series had 50 in all"]);
    let traded = place.run("backtest --candles candles --json").well();
    assert_eq!(traded.json()["signals"], 0);
    candles(&place, "more", &["BTCUSDT"], 300);
    let traded = place.run("backtest --candles more").well();
    assert!(!traded.out.contains("gave no signal"), "{traded:#?}");
}

#[test]
fn commands_that_write_on_a_tape_find_that_of_the_data_folder() {
    let place = Place::finished();
    place.run("tape reparse --dry-run").well().says(&["no frame is in quarantine"]);
    place.run("tape republish --from 1000000").ends(2, &["--from 1000000: the tape ends at position"]);
    let elsewhere = Place::new();
    elsewhere.run("tape reparse").ends(2, &["there is no tape in tapedeck-data"]);
    elsewhere.write("kept/synthetic-1-200.tape", std::fs::read(place.path(&place.kept())).unwrap());
    elsewhere.run("tape reparse --data-dir kept").well().says(&["no frame is in quarantine"]);
}

#[test]
fn gaps_of_the_synthetic_market_are_told() {
    let place = Place::new();
    let run = place.run(&up("synthetic:1:200")).well();
    let report = place.run("report --json").well().json();
    let missing = report["candles_missing"].as_u64().unwrap();
    assert!(missing > 0, "its outages are on purpose: {report}");
    run.says(&["candles     BTCUSDT 1h: ", " missing, longest gap "]);
}

#[test]
fn a_close_without_a_word_for_its_reason_is_refused_even_where_nothing_is_open() {
    let place = Place::new();
    place.run(&up("synthetic:1:40")).well();
    place.shell("tapedeck close --all --why ''").ends_with_usage(&["--why", "say why, in a few words"]);
    place.shell("tapedeck close --instrument BTCUSDT --why '  '").ends_with_usage(&["--why", "say why"]);
    place
        .run("close --all --why done")
        .well()
        .says(&["there is no open trade on the tape ", "nothing is to be closed"]);
    place.run("close --instrument BTCUSDT --why done").ends(2, &["no trade of it is open"]);
}
