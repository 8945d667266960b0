//! `tapedeck tape`: the log itself is looked at, followed and moved.

use crate::support::*;
use serde_json::Value;

#[test]
fn show_and_tail_choose_by_position_number_and_kind() {
    let place = Place::finished();
    let shown = place.run("tape show --from 3 -n 5").well();
    let positions: Vec<_> = shown.out.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(positions, ["3", "4", "5", "6", "7"]);
    let first: Value = serde_json::from_str(&place.run("tape show --json -n 1").well().out).unwrap();
    assert_eq!((&first["position"], &first["kind"]), (&Value::from(1), &Value::from("tape.opened")));
    assert_eq!(first["body"]["market"], MARKET);

    let head = place.head();
    let last = place.run("tape tail --json -n 3").well();
    let last: Vec<Value> = last.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(last.len(), 3);
    assert_eq!((last[2]["position"].as_u64(), text(&last[2]["hash"])), (Some(head.position), &*head.hash));
    let closed = place.run("tape tail -n 9 --kind trade.closed").well();
    assert_eq!(closed.out.lines().count(), 2);
    assert_eq!(place.run("tape show -n 9 --kind trade.closed").well().out, closed.out);
    let mixed = place.rows(&["trade.closed", "signal"]);
    assert!(
        mixed.iter().all(|row| row["kind"] == "trade.closed" || text(&row["kind"]).starts_with("signal."))
    );
    assert_eq!(place.run("tape show --from 99999999").well().out, "");
    let told = place.run("tape head").well();
    told.says(&[&format!("position {}", head.position), &head.hash]);
}

#[test]
fn tail_follows_what_is_added() {
    let place = Place::new();
    place.run(&format!("{} --to 2024-02-01", up(MARKET))).well();
    let head = place.head();
    let mut tail = place.start("tape tail --follow --json -n 1");
    place.run(&format!("{} --to 2024-02-02", up(MARKET))).well();
    let more = place.head().position - head.position;
    assert!(more > 100);
    // A while for the last of them to be polled; then it is ended, and what it said is counted.
    let mut rows = Vec::new();
    until("it has followed to the end", || {
        rows.extend(tail.printed());
        (rows.len() as u64 > more).then_some(())
    });
    tail.kill();
    let positions: Vec<u64> = rows
        .iter()
        .map(|row| serde_json::from_str::<Value>(row).unwrap()["position"].as_u64().unwrap())
        .collect();
    assert_eq!(positions, (head.position..=head.position + more).collect::<Vec<_>>());
}

#[test]
fn an_export_imported_is_the_same_tape() {
    let place = Place::finished();
    let head = place.head();
    let exported = place.run("tape export --out tape.jsonl --json").well();
    assert_eq!(exported.head(), head);
    let imported = place.run("tape import tape.jsonl --tape sqlite:copy.tape --json").well();
    assert_eq!(imported.head(), head);
    assert!(!place.path("copy.tape-wal").exists(), "it is whole in its one file");
    assert_eq!(place.run("verify --json --tape sqlite:copy.tape").well().head(), head);
    for command in ["positions", "trades", "orders", "portfolio", "replay --json"] {
        let copy = place.run(&format!("{command} --tape sqlite:copy.tape")).well();
        assert!(copy.out == place.run(command).well().out, "{command}");
    }
    // It goes on from there as the original would, and is exported the same again.
    assert_eq!(place.run(&format!("{} --tape sqlite:copy.tape --json", up(MARKET))).well().head(), head);
    let again = place.run("tape export").well().out;
    assert!(again == place.read("tape.jsonl"));

    place.run("tape export --out tape.jsonl").ends(1, &["tape.jsonl", "never overwritten"]);
    place.run("tape import tape.jsonl --tape sqlite:copy.tape").ends(1, &["import into a new one"]);
    let cut = &again[..again.len() / 2];
    place.write("cut.jsonl", cut);
    place.run("tape import cut.jsonl --tape sqlite:cut.tape").ends(1, &["cut.jsonl", "line "]);
}

#[test]
fn the_newest_tape_is_meant_where_none_is_named() {
    let place = Place::new();
    place.run(&up("synthetic:1:10")).well();
    let newer = place.run(&(up("synthetic:2:20") + " --json")).well().head();
    assert_eq!(place.head(), newer);
    let mut command = place.command("tape head --json");
    command.env("STORE_URL", "sqlite:tapedeck-data/synthetic-1-10.tape");
    let older = serde_json::from_slice::<Value>(&command.output().unwrap().stdout).unwrap();
    assert_ne!(older["hash"], newer.hash.as_str());
}
