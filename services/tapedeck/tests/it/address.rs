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
    assert_eq!((status, &told["status"]), (200, &Value::from("running")));
    until("events are committed", || {
        let (status, metrics) = get(&address, "/metrics");
        assert_eq!(status, 200);
        (metric(&metrics, "tapedeck_events_committed_total") > 50.0).then_some(())
    });
    let (_, metrics) = get(&address, "/metrics");
    for name in ["tapedeck_events_committed_total", "tapedeck_commits_total", "tapedeck_tape_head_position"] {
        assert!(metrics.contains(&format!("# HELP {name} ")) && metrics.contains(&format!("# TYPE {name} ")));
        assert!(metric(&metrics, name) > 0.0, "{name}");
    }
    let market = "2024-01-01".parse::<domain::Timestamp>().unwrap().millis() / 1_000;
    assert!(metric(&metrics, "tapedeck_market_time_seconds") >= market as f64);
    assert!(metric(&metrics, "tapedeck_tape_head_position") <= place.head().position as f64);
    assert_eq!(get(&address, "/nowhere").0, 404);

    run.signal("TERM");
    assert_eq!(run.end().0.code(), Some(0));
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
    assert!(body.contains("\"ended\""), "{body}");
    let head = place.head().position;
    assert_eq!(metric(&get(&address, "/metrics").1, "tapedeck_tape_head_position"), head as f64);
    assert_eq!(metric(&get(&address, "/metrics").1, "tapedeck_events_committed_total"), head as f64);

    run.signal("TERM");
    let (status, out) = run.end();
    assert_eq!(status.code(), Some(0));
    assert!(out.contains("(400 days)"), "{out}");
}
