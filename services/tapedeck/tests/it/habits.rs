//! What a process leaves behind, and how it ends.

use crate::support::*;
use std::{
    fs,
    io::Write,
    net::TcpStream,
    process::{Command, Stdio},
    time::Instant,
};

const LOCK: &str = "tapedeck-data/synthetic-1-200.tape.lock";
const SLOW: &str = "up --market synthetic:1:200 --speed 300000";

const PROGRAM: &str = env!("CARGO_BIN_EXE_tapedeck");

/// A shell that becomes the program.
fn shell(place: &Place, script: &str) -> Running {
    let mut command = Command::new("sh");
    command.current_dir(place.path("")).env("TAPEDECK_LISTEN", "127.0.0.1:0").args(["-c", script]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Running::of(command, script)
}

#[test]
fn a_start_that_is_refused_leaves_no_tape_behind() {
    let place = Place::new();
    // An address of nobody's.
    place.run(&format!("{} --listen 192.0.2.1:1", up(MARKET))).ends(2, &["choose another address"]);
    place.run("trades").ends(2, &["there is no tape"]);
    // One that is there stays.
    place.run(&up(MARKET)).well();
    let head = place.head();
    place.run(&format!("{} --listen 192.0.2.1:1", up(MARKET))).ends(2, &["choose another address"]);
    assert_eq!(place.head(), head);
}

#[test]
fn the_lock_names_the_process_while_it_runs_and_nobody_afterwards() {
    let place = Place::new();
    let mut run = place.start(SLOW);
    run.line("tape sqlite:");
    assert_eq!(place.read(LOCK), run.id().to_string());
    run.signal("TERM");
    assert_eq!(run.end().0.code(), Some(0));
    assert_eq!(place.read(LOCK), "", "a script would kill a stranger");

    let mut killed = place.start(SLOW);
    killed.line("tape sqlite:");
    killed.kill();
    // The number of a stranger that lives, as after a kill and a reboot.
    fs::write(place.path(LOCK), std::process::id().to_string()).unwrap();
    let mut next = place.start(SLOW);
    next.line("tape sqlite:");
    assert_eq!(place.read(LOCK), next.id().to_string());
    fs::write(place.path(LOCK), std::process::id().to_string()).unwrap();
    let second = place.run("up --market synthetic:1:200 --exit-when-done");
    assert!(!second.err.contains(&std::process::id().to_string()), "a stale name is believed: {second:#?}");
    second.ends(1, &["already being written by another process"]);
}

#[test]
fn the_end_of_the_terminal_ends_up_and_the_exchange_cleanly() {
    let place = Place::new();
    // Also where these tests themselves run under nohup.
    let mut run = shell(&place, &format!("exec env --default-signal=HUP {PROGRAM} {SLOW}"));
    run.line("tape sqlite:");
    run.signal("HUP");
    let (status, printed) = run.end();
    assert_eq!(status.code(), Some(0));
    assert!(printed.contains("equity"), "the summary: {printed}");
    place.run("verify").well();

    let mut exchange = shell(
        &place,
        &format!("exec env --default-signal=HUP {PROGRAM} exchange serve --listen 127.0.0.1:0"),
    );
    until("it serves", || exchange.printed().iter().any(|line| line.contains("REST")).then_some(()));
    exchange.signal("HUP");
    assert_eq!(exchange.end().0.code(), Some(0));
}

#[test]
fn under_nohup_the_end_of_the_terminal_ends_nothing() {
    let place = Place::new();
    let mut run = shell(&place, &format!("trap '' HUP; exec {PROGRAM} {SLOW}"));
    run.line("tape sqlite:");
    let head = || (place.run("tape head --json").code == Some(0)).then(|| place.head().position);
    let before = until("it records", head);
    run.signal("HUP");
    until("it goes on", || head().filter(|position| *position > before));
    assert!(!run.is_over());
    run.signal("TERM");
    assert_eq!(run.end().0.code(), Some(0));
}

#[test]
fn a_broken_import_leaves_nothing_behind() {
    let place = Place::finished();
    place.run("tape export --out whole.jsonl").well();
    let export = place.read("whole.jsonl");
    let half: String = export.lines().take(5_000).map(|line| format!("{line}\n")).collect();
    let cut = &half[..half.len() - 40];
    place.write("half.jsonl", &half);
    place.write("cut.jsonl", cut);
    place.write("foreign.jsonl", "{\"some\":\"thing else\"}\n");
    for file in ["half.jsonl", "cut.jsonl", "foreign.jsonl"] {
        place.run(&format!("tape import {file} --tape sqlite:new.tape")).ends(1, &[file, "line"]);
        let left: Vec<_> = fs::read_dir(place.path(""))
            .unwrap()
            .flatten()
            .map(|f| f.file_name().into_string().unwrap())
            .collect();
        assert!(!left.iter().any(|name| name.starts_with("new.tape")), "{file}: {left:?}");
    }
    // What a killed import left is no hindrance either.
    place.write("new.tape.importing-wal", "");
    place.run("tape import whole.jsonl --tape sqlite:new.tape").well();
    assert_eq!(place.run("tape head --json --tape sqlite:new.tape").well().head(), place.head());
    let left: Vec<_> = fs::read_dir(place.path(""))
        .unwrap()
        .flatten()
        .map(|f| f.file_name().into_string().unwrap())
        .collect();
    assert!(!left.iter().any(|name| name.contains("importing")), "{left:?}");
}

/// On a full disk the tape ends before the market does.
#[test]
fn no_time_is_told_that_is_not_on_the_tape() {
    let place = Place::new();
    let script = "trap '' XFSZ; ulimit -f 6000; tapedeck up --market synthetic:1:200 --speed 40000000 --exit-when-done";
    let done = place.shell(script);
    assert_eq!(done.code, Some(1), "{done:#?}");
    let last =
        done.err.lines().rfind(|line| line.contains("  position ")).unwrap_or_else(|| panic!("{done:#?}"));
    let (_, rest) = last.split_once("  position ").unwrap();
    let told = &last[.."2024-01-01 00:00".len()];
    let position: u64 = rest.split_whitespace().next().unwrap().parse().unwrap();
    let row = place.run(&format!("tape show --json --from {position} -n 1")).well();
    let recorded = time(
        &row.out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()).next().unwrap()
            ["recorded_at"],
    );
    assert!(told.replace(' ', "T") <= recorded.to_string(), "{told} is told, {position} is of {recorded}");
    assert!(position <= place.head().position);
}

/// 230 of them, where a process may have 120 files open.
#[test]
fn half_sent_requests_keep_nobody_from_up_and_the_exchange() {
    for serve in [SLOW, "exchange serve --listen 127.0.0.1:0"] {
        let place = Place::new();
        let mut run = shell(&place, &format!("ulimit -n 120; exec {PROGRAM} {serve}"));
        let (address, path) = if serve == SLOW {
            (run.address(), "/health")
        } else {
            let line = until("it serves", || run.printed().into_iter().find(|line| line.starts_with("REST")));
            (line.rsplit('/').next().unwrap().to_owned(), "/api/v3/ping")
        };
        let held: Vec<TcpStream> = (0..230)
            .filter_map(|_| {
                let mut stream = TcpStream::connect(&address).ok()?;
                // One for which there is no room may be answered and closed by now.
                let _ = write!(stream, "GET {path} HTTP/1.1\r\nX: ");
                Some(stream)
            })
            .collect();
        assert!(held.len() > 100);
        let began = Instant::now();
        until("it answers again", || {
            let mut stream = TcpStream::connect(&address).ok()?;
            write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
            let mut answer = String::new();
            std::io::Read::read_to_string(&mut stream, &mut answer).ok()?;
            answer.starts_with("HTTP/1.1 200").then_some(())
        });
        assert!(began.elapsed().as_secs() < 60, "{serve}: {:?}", began.elapsed());
        assert!(!run.is_over());
        run.signal("TERM");
        assert_eq!(run.end().0.code(), Some(0), "{serve}");
    }
}
