//! Whatever is wrong with what was given is said, with what to do about it, and loses nothing.

use crate::support::*;
use std::fs;

#[test]
fn wrong_use_is_named_and_exits_with_2() {
    let place = Place::new();
    place.write("candles/BTCUSDT-1d.csv", "1704067200000,1,2,0.5,1.5,10\n");
    for (line, words) in [
        ("--nope", &["'--nope'"][..]),
        ("up --sped max", &["'--sped'", "'--speed"]),
        ("fly", &["'fly'"]),
        ("up --market lunar", &["'lunar'", "synthetic[:SEED[:DAYS]]", "recorded:PATH"]),
        ("up --market synthetic:x", &["'synthetic:x'", "whole numbers"]),
        ("up --speed 0", &["'0'", "max"]),
        ("up --from yesterday", &["'yesterday'", "2024-01-15"]),
        (
            "up --from 2024-03-01 --to 2024-02-01",
            &["--from 2024-03-01T00:00:00Z is not before --to 2024-02-01"],
        ),
        ("up --market synthetic:1:10 --from 2030-01-01", &["the market ends at 2024-01-11"]),
        ("up --market synthetic:1:10 --to 2023-01-01", &["the market begins at 2024-01-01"]),
        ("up --market recorded:nowhere", &["nowhere: there is no such file or folder"]),
        ("up --listen here", &["'here'"]),
        ("up --log a=b=c", &["'a=b=c'", "error, warn, info"]),
        ("up --config nowhere.toml", &["nowhere.toml", "cannot be read"]),
        ("backtest", &["--candles"]),
        ("backtest --candles nowhere", &["nowhere: there is no such file or folder"]),
        ("backtest --candles candles --edge edge99", &["edge99", "it has: edge60, edge61, edge62, edge70"]),
        ("tape show --from x", &["'x'"]),
        ("tape show --kind trade.cloesd", &["trade.cloesd", "trade.closed", "trade.opened"]),
        ("tape tail --kind trades", &["trades", "signal, stream, tape, time, trade, unit"]),
        ("tape import nowhere --tape sqlite:new.tape", &["nowhere: there is no such file or folder"]),
        ("simulate --seed 1 --seeds 2", &["'--seed <SEED>'"]),
    ] {
        place.run(line).ends(2, words);
    }
    let made: Vec<_> = fs::read_dir(place.path(".")).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(made, ["candles"], "nothing was made on the way");
}

#[test]
fn a_misspelt_variable_of_the_environment_is_wrong_use() {
    let place = Place::new();
    place
        .shell("TAPEDECK_LISTN=here tapedeck up")
        .ends(2, &["TAPEDECK_LISTN", "did you mean TAPEDECK_LISTEN?"]);
}

#[test]
fn a_tape_that_is_none_is_refused_with_what_to_write() {
    let place = Place::new();
    for command in ["up", "positions", "tape head", "verify", "backtest --candles candles"] {
        place.write("candles/BTCUSDT-1d.csv", "1704067200000,1,2,0.5,1.5,10\n");
        let run = |url: &str| place.run(&format!("{command} --tape {url}"));
        for (url, status, words) in [
            ("mysql://me:secret@host/db", 2, ["mysql:…", "write sqlite:PATH or postgres://"]),
            ("postgres://me:secret@127.0.0.1:1/db", 1, ["postgres://127.0.0.1:1/db", "cannot be reached"]),
        ] {
            let refused = run(url).ends(status, &words);
            assert!(!refused.err.contains("secret"), "a password is nobody's business: {refused:#?}");
        }
        run("my.tape").ends(2, &["write sqlite:my.tape"]);
        run("sqlite:").ends(2, &["the path is missing"]);
        run("sqlite:candles").ends(1, &["it is a folder"]);
        run("sqlite:nowhere/my.tape").ends(1, &["the folder nowhere does not exist: make it first"]);
        place.write("letter", "This is no tape. ".repeat(300));
        run("sqlite:letter").ends(1, &["is not a tape"]);
    }
    assert_eq!(place.read("letter"), "This is no tape. ".repeat(300));
}

#[test]
fn where_there_is_no_tape_readers_say_how_to_make_one() {
    let place = Place::new();
    for command in
        ["positions", "trades", "orders", "portfolio", "signals", "verify", "replay", "why 1", "tape head"]
    {
        place.run(command).ends(2, &["there is no tape in tapedeck-data", "run `tapedeck up` first"]);
        let named = place.run(&format!("{command} --tape sqlite:none.tape"));
        named.ends(2, &["there is no tape at", "none.tape"]);
    }
    assert!(!place.path("none.tape").exists() && !place.path("tapedeck-data").exists());
}

#[test]
fn malformed_candles_are_named_by_file_and_line_and_no_tape_is_touched() {
    let place = Place::new();
    candles(&place, "candles", &["BTCUSDT", "ETHUSDT"], 100);
    place.run(&up("recorded:candles")).well();
    let head = place.head();

    let csv = place.read("candles/ETHUSDT-1d.csv");
    let mut lines: Vec<_> = csv.lines().collect();
    lines[70] = "1646006400000,100.00,high,99.00,100.50,5000.5";
    place.write("candles/ETHUSDT-1d.csv", lines.join("\n"));
    for command in [up("recorded:candles"), "backtest --candles candles --tape sqlite:bt.tape".to_owned()] {
        place
            .run(&command)
            .ends(1, &["candles/ETHUSDT-1d.csv, line 71: high 'high' is not a decimal number"]);
    }
    assert_eq!(place.head(), head);
    assert!(!place.path("bt.tape").exists());

    // Mended, it is the same market as before.
    place.write("candles/ETHUSDT-1d.csv", csv);
    place.run(&up("recorded:candles")).well();
    assert_eq!(place.head(), head);
}

#[test]
fn a_folder_without_candles_says_how_files_are_named() {
    let place = Place::new();
    place.write("notes/todo.txt", "buy low");
    place.write("empty/.keep", "");
    for folder in ["notes", "empty"] {
        place.run(&up(&format!("recorded:{folder}"))).ends(1, &[folder, "<SYMBOL>-<interval>.csv"]);
    }
}

#[test]
fn another_markets_tape_is_refused() {
    let place = Place::finished();
    let (tape, head) = (place.kept(), place.head());
    let refused = place.run(&format!("{} --tape sqlite:{tape}", up("synthetic:2:200")));
    refused.ends(
        2,
        &["this tape plays 'synthetic:1:200', not 'synthetic:2:200'", "choose another tape with --tape"],
    );
    candles(&place, "candles", &["BTCUSDT"], 100);
    let refused = place.run(&format!("backtest --candles candles --tape sqlite:{tape}"));
    refused.ends(2, &["this tape plays 'synthetic:1:200'"]);
    assert_eq!(place.head(), head);
}

#[test]
fn every_problem_of_a_configuration_is_told_at_once() {
    let place = Place::new();
    let config = "quote = 5\n[edges.edge70]\nlong = 0\nsizing = { method = \"fixed\", amount = -1 }\n[limits]\nmax_open_risks = 3\n";
    place.write("tapedeck.toml", config);
    let problems = [
        "tapedeck.toml: 4 problems",
        "line 1: quote",
        "line 3: edges.edge70.long: 0 is out of range",
        "line 4: edges.edge70.sizing.amount: -1 is out of range",
        "line 6: limits.max_open_risks: is no key of this table; did you mean max_open_risk?",
    ];
    place.run(&up("synthetic:1:10")).ends(2, &problems);
    place.run("backtest --candles .").ends(2, &problems);
    let doctor = place.run("doctor");
    assert_eq!(doctor.code, Some(1));
    doctor.says(&["WRONG  configuration"]).says(&problems);

    place.write("tapedeck.toml", "[paper\n");
    place.run(&up("synthetic:1:10")).ends(2, &["tapedeck.toml: 1 problem", "line 1: unclosed table"]);
    place.write("tapedeck.toml", "[accounts.\"mars:main\"]\nmode = \"paper\"\n");
    place.run(&up("synthetic:1:10")).ends(2, &["mars:main", "binance"]);
}

#[test]
fn a_second_writer_is_refused_by_name_and_the_first_goes_on() {
    let place = Place::new();
    let mut first = place.start(&format!("up --market {MARKET} --speed 86400"));
    first.address();
    until("it plays", || (place.head().position > 100).then_some(()));
    let holder = format!("already being written by process {}", first.id());
    place.run(&up(MARKET)).ends(1, &[&holder, "stop that first"]);

    let before = place.head().position;
    until("the first one goes on", || (place.head().position > before).then_some(()));
    first.signal("TERM");
    assert_eq!(first.end().0.code(), Some(0));
    place.run("verify").well();
    place.run(&up(MARKET)).well();
    assert_eq!(place.head(), Place::finished().head());
}

#[test]
fn an_address_in_use_is_named_where_it_was_asked_for() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let place = Place::new();
    let refused = place.run(&format!("{} --listen {address}", up("synthetic:1:10")));
    refused.ends(2, &[&format!("--listen {address}"), "in use", "choose another"]);
}

/// `tapedeck … | head` is no accident.
#[test]
fn a_reader_who_has_seen_enough_is_no_fault() {
    let place = Place::finished();
    for command in ["tape show -n 100000", "trades", "orders --json", "replay", "why 1000"] {
        let done = place.shell(&format!("tapedeck {command} | head -n 1")).well();
        assert_eq!(done.out.lines().count(), 1, "{done:#?}");
        assert_eq!(done.err, "", "{done:#?}");
    }
    let gone = place.shell("tapedeck trades | :");
    assert_eq!(gone.err, "", "{gone:#?}");
}
