//! Published to heard, on a broker of its own: latency at a steady rate, and how much goes at most.
//!
//! `cargo bench -p bus` prints one line for each number of listening processes. Latency counts from
//! when a row was due, not from when it left, so a stall shows. CPU is this process' (publisher and
//! all listeners); the broker's comes on top.

use bus::{Bus, Hint, Rabbit, Subscription, TapePublisher};
use domain::{Timestamp, UnitName};
use events::{Draft, Position, Row, TimePassed, Uuid};
use std::time::{Duration, Instant};
use testkit::RabbitMq;
use tokio::{task::JoinHandle, time::sleep_until};

const TAPE: Uuid = Uuid::from_u128(1);
/// Rows a second at the steady rate, and how they come: a commit each ten milliseconds.
const RATE: u64 = 3_000;
const COMMIT: u64 = 30;
const SECONDS: u64 = 5;

fn main() {
    let server = RabbitMq::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    for listeners in [1, 3, 10] {
        runtime.block_on(steady(&server.fresh_vhost(), listeners));
    }
    runtime.block_on(flat_out(&server.fresh_vhost()));
}

async fn steady(url: &str, listeners: usize) {
    let (mut publisher, heard, _processes) = set_up(url, listeners, RATE * SECONDS).await;
    let began = tokio::time::Instant::now() + Duration::from_millis(20);
    let cpu = cpu();
    for commit in 0..RATE * SECONDS / COMMIT {
        sleep_until(due(began, commit * COMMIT)).await;
        publish(&mut publisher, commit * COMMIT + 1, COMMIT).await;
    }
    let mut late: Vec<Duration> = Vec::new();
    for listener in heard {
        let heard = listener.await.expect("a listener");
        late.extend(heard.iter().map(|(position, at)| {
            at.saturating_duration_since(due(began, (position - 1) / COMMIT * COMMIT).into_std())
        }));
    }
    let cpu = self::cpu() - cpu;
    late.sort_unstable();
    let at = |share: f64| late[((late.len() - 1) as f64 * share) as usize];
    println!(
        "{RATE} rows/s to {listeners:>2} listeners: {:>6} heard, p50 {:?}, p99 {:?}, max {:?}; CPU {:.0}% of a core, {:.1} us a delivery",
        late.len(),
        at(0.5),
        at(0.99),
        at(1.0),
        cpu.as_secs_f64() / SECONDS as f64 * 100.0,
        cpu.as_secs_f64() * 1e6 / late.len() as f64,
    );
}

async fn flat_out(url: &str) {
    let rows = 50_000;
    let (mut publisher, heard, _processes) = set_up(url, 1, rows).await;
    let (began, cpu) = (Instant::now(), cpu());
    for batch in 0..rows / 250 {
        publish(&mut publisher, batch * 250 + 1, 250).await;
    }
    let (published, published_cpu) = (began.elapsed(), self::cpu() - cpu);
    for listener in heard {
        listener.await.expect("a listener");
    }
    let rate = |took: Duration| rows as f64 / took.as_secs_f64();
    println!(
        "flat out: {:.0} rows/s confirmed ({:.1} us CPU a row), {:.0} rows/s heard",
        rate(published),
        published_cpu.as_secs_f64() * 1e6 / rows as f64,
        rate(began.elapsed()),
    );
}

type Heard = JoinHandle<Vec<(Position, Instant)>>;

/// A publisher, and as many listeners, each with connections of its own, as in a process of its own.
async fn set_up(url: &str, listeners: usize, rows: u64) -> (TapePublisher, Vec<Heard>, Vec<Rabbit>) {
    let connect = || Rabbit::connect(url, "bench").expect("a good URL");
    let rabbit = connect();
    let mut publisher = rabbit.tape_publisher();
    while publisher.publish(TAPE, [0; 32], &[row(u64::MAX >> 2)]).await.is_err() {}
    let mut processes = vec![rabbit];
    let mut heard = Vec::new();
    for _ in 0..listeners {
        let rabbit = connect();
        let mut subscription = Bus::Rabbit(rabbit.clone()).subscribe(TAPE);
        while !matches!(subscription.next().await, Some(Hint::Latest { .. })) {}
        processes.push(rabbit);
        heard.push(tokio::spawn(listen(subscription, rows)));
    }
    (publisher, heard, processes)
}

async fn listen(mut subscription: Subscription, last: Position) -> Vec<(Position, Instant)> {
    let mut heard = Vec::new();
    while let Some(hint) = subscription.next().await {
        if let Hint::Row(row) = hint {
            heard.push((row.position, Instant::now()));
            if row.position == last {
                break;
            }
        }
    }
    heard
}

async fn publish(publisher: &mut TapePublisher, first: Position, count: u64) {
    let rows: Vec<Row> = (first..first + count).map(row).collect();
    publisher.publish(TAPE, [0; 32], &rows).await.expect("the broker takes it");
}

fn row(position: Position) -> Row {
    let now = Timestamp::from_millis((position % 1_000_000_000) as i64);
    let id = Uuid::from_u128(u128::from(position));
    let unit = UnitName::new("clock").expect("a good name");
    let mut draft = Draft::new(id, unit, Some(id), now, &TimePassed { now }.into());
    // As long as the usual event.
    draft.meta = Some("x".repeat(400));
    Row { position, recorded_at: now, hash: [7; 32], draft }
}

fn due(began: tokio::time::Instant, row: u64) -> tokio::time::Instant {
    began + Duration::from_micros(row * 1_000_000 / RATE)
}

/// What this process has used so far, user and system: fields 14 and 15 of /proc/self/stat, in
/// hundredths of a second.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("a Linux machine");
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
