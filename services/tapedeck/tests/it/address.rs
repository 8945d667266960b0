//! What a running process tells of itself: over HTTP, and to the operating system.

use crate::support::*;
use serde_json::Value;
use std::{
    fs,
    time::{Duration, Instant},
};

fn metric(metrics: &str, name: &str) -> f64 {
    let line = metrics.lines().find(|line| line.starts_with(&format!("{name} ")));
    let value =
        line.and_then(|line| line.split(' ').nth(1)).unwrap_or_else(|| panic!("no {name} in {metrics}"));
    value.parse().unwrap()
}

#[test]
fn health_readiness_and_metrics_are_told_while_it_plays() {
    let place = Place::new();
    let begun = Instant::now();
    let mut run = place.start(&format!("up --market {MARKET} --speed 86400"));
    let address = run.address();
    until("it is ready", || (get(&address, "/ready").0 == 200).then_some(()));
    // Under a second when optimised, on a machine that does nothing else.
    assert!(begun.elapsed() < Duration::from_secs(5), "ready after {:?}", begun.elapsed());

    let (status, body) = get(&address, "/health");
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &told["units"][0]["phase"]), (200, &Value::from("running")));
    until("events are committed", || {
        let (status, metrics) = get(&address, "/metrics");
        assert_eq!(status, 200);
        (metric(&metrics, "tapedeck_tape_head_position") > 50.0).then_some(())
    });
    let (_, metrics) = get(&address, "/metrics");
    for name in ["tapedeck_unit_said_total", "tapedeck_unit_handled_total", "tapedeck_tape_head_position"] {
        assert!(metrics.contains(&format!("# HELP {name} ")) && metrics.contains(&format!("# TYPE {name} ")));
    }
    let feed = format!("{{owner=\"up-{}\",unit=\"market-data\"}}", run.id());
    assert!(metric(&metrics, &format!("tapedeck_unit_said_total{feed}")) > 0.0, "{metrics}");
    let market = "2024-01-01".parse::<domain::Timestamp>().unwrap().millis() / 1_000;
    assert!(metric(&metrics, "tapedeck_tape_time_seconds") >= market as f64);
    assert!(metric(&metrics, "tapedeck_tape_head_position") <= place.head().position as f64);
    assert_eq!(get(&address, "/nowhere").0, 404);

    run.signal("TERM");
    assert_eq!(run.end().0.code(), Some(0));
}

/// The names in a JSON, and of metrics, as far as they are of a process without a broker.
fn shape(address: &str) -> (Vec<String>, Vec<String>) {
    let told: Value = serde_json::from_str(&get(address, "/ready").1).unwrap();
    let mut names = Vec::new();
    for of in [&told, &told["tape"], &told["units"][0], &told["trading"][0]] {
        names.extend(of.as_object().unwrap_or_else(|| panic!("{told}")).keys().cloned());
    }
    let metrics = get(address, "/metrics").1;
    let types = metrics.lines().filter(|line| line.starts_with("# TYPE")).map(str::to_owned);
    (names, types.collect())
}

#[test]
fn up_and_a_process_of_run_tell_of_themselves_in_one_shape() {
    let place = Place::new();
    let mut up = place.start(&format!("up --market {MARKET} --speed max"));
    let address = up.address();
    up.line("the market has ended");
    let of_up = shape(&address);
    up.signal("TERM");
    assert_eq!(up.end().0.code(), Some(0));
    let mut run =
        place.start("run portfolio-tracker --tape sqlite:tapedeck-data/synthetic-1-200.tape --log info");
    let address = run.address();
    until("it is ready", || (get(&address, "/ready").0 == 200).then_some(()));
    until("it has read the tape", || {
        get(&address, "/metrics").1.contains("tapedeck_account_equity{").then_some(())
    });
    assert_eq!(shape(&address), of_up);
}

#[test]
fn a_whole_run_at_full_speed_stays_under_64_mib_and_can_be_looked_at_when_it_is_over() {
    let place = Place::new();
    let mut run = place.start("up --market synthetic:1:400 --speed max");
    let address = run.address();
    run.line("the market has ended; press Ctrl-C to leave");
    let status = fs::read_to_string(format!("/proc/{}/status", run.id())).unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kib: u64 = peak.split_whitespace().nth(1).unwrap().parse().unwrap();
    println!("at most {kib} KiB");
    assert!(kib < 64 * 1024, "{peak}");

    let (status, body) = get(&address, "/ready");
    assert_eq!(status, 200);
    assert!(body.contains("the market has ended"), "{body}");
    let head = place.head().position;
    assert_eq!(metric(&get(&address, "/metrics").1, "tapedeck_tape_head_position"), head as f64);

    run.signal("TERM");
    let (status, out) = run.end();
    assert_eq!(status.code(), Some(0));
    assert!(out.contains("(400 days)"), "{out}");
}
