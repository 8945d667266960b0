use crate::stage::{Backend, Stage, make, until};
use crate::toys::{counter, echo, unit};
use events::Clock;
use runtime::distributed::{UnitPhase, UnitStatus, metrics, ready};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ready_is_every_unit_that_runs_or_stands_by() {
    let stage = Stage::new(Backend::Memory, Clock::Wall).await;
    let running = stage.start(&make(|| counter(1)), "a");
    until("it runs", async || running.is(&UnitPhase::Running)).await;
    let waiting = stage.start(&make(|| counter(1)), "b");
    stage.feed(1..=3).await;
    stage.quiet(1).await;
    until("it has heard", async || running.status.lag() == 0 && running.status.cursor() > 4).await;
    let (well, told) = ready(&[running.status.clone(), waiting.status.clone()]);
    assert!(well);
    assert_eq!(told["units"][0]["phase"], "running");
    assert_eq!(told["units"][0]["lag"], 0);
    assert_eq!(told["units"][1]["phase"], "standby");
    assert_eq!(told["units"][1]["owner"], "b");

    // A tape that nobody has opened.
    let empty = Stage::unopened(Backend::Memory, Clock::Wall).await;
    let cut_off = empty.start(&make(echo), "c");
    until("it says why", async || cut_off.trouble().is_some()).await;
    let (well, told) = ready(&[running.status.clone(), cut_off.status.clone()]);
    assert!(!well, "{told}");
    assert_eq!(told["units"][1]["phase"], "cut_off");
    assert!(told["units"][1]["why"].as_str().unwrap().contains("opened"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_gone_is_not_ready() {
    let stage = Stage::new(Backend::Memory, Clock::Wall).await;
    let unit = stage.start(&make(|| counter(1)), "a");
    until("it runs", async || unit.is(&UnitPhase::Running)).await;
    let status = unit.status.clone();
    unit.kill().await;
    assert!(!ready(&[status]).0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_name_unit_and_owner() {
    let stage = Stage::new(Backend::Memory, Clock::Wall).await;
    let running = stage.start(&make(|| counter(2)), "a");
    stage.feed(1..=4).await;
    stage.quiet(1).await;
    let idle = UnitStatus::new(unit("echo"), "b");
    until("it has heard", async || running.status.cursor() == stage.head().await).await;
    let text = metrics(&[running.status.clone(), idle]);
    for line in [
        "tapedeck_unit_handled_total{owner=\"a\",unit=\"counter\"} 4",
        "tapedeck_unit_said_total{owner=\"a\",unit=\"counter\"} 3",
        "tapedeck_unit_handled_total{owner=\"b\",unit=\"echo\"} 0",
        "tapedeck_unit_lag_positions{owner=\"a\",unit=\"counter\"} 0",
        "tapedeck_unit_ready{owner=\"b\",unit=\"echo\"} 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
    }
    assert_eq!(metrics(&[]), "");
}
