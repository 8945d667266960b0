//! The services as processes, on PostgreSQL and RabbitMQ servers of their own: how long an order takes
//! from its candle, and how many events a second the whole set keeps up with.
//!
//! Run with `cargo bench -p tapedeck --bench fleet`. The time from candle to order is printed beside
//! its floor: as many commits and notifications in a row, by bare clients of the same database in the
//! same run.

use bus::{FrameKind, IngestFrame, Rabbit};
use domain::{Account, Asset, Decimal, Instrument, InstrumentRules, Interval, Price, Timestamp, UnitName};
use events::{BalanceChanged, Candle, CandleClosed, Draft, Event, InstrumentListed, Kind, OrderEvent, ids};
use sqlx::{Connection, PgConnection, postgres::PgListener};
use std::{
    process::Command,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tape::{Commit, CursorMove, Entry, Mode, Tape};
use testkit::{Fleet, Postgres, RabbitMq};

const CONFIG: &str = r#"
[paper]
balances = { USDT = 100000000000 }
[limits]
max_open_positions = "none"
max_open_risk = "none"
max_asset_exposure = "none"
[edges.edge70]
interval = "1m"
long = 3
short = 2
max_age = "26h"
"#;

const SERVICES: [&str; 9] = [
    "event-logger",
    "venue-paper",
    "edge-signals",
    "edge-signal-to-tas-bridge",
    "position-sizer",
    "trade-abstraction",
    "order-tracker",
    "position-tracker",
    "portfolio-tracker",
];

/// Orders whose time is taken, and those before them that only warm up.
const ORDERS: usize = 300;
const WARM_UP: usize = 30;
/// Candle, signal, request, size, order, attempt: what must be committed one after the other.
const COMMITS: usize = 6;
/// Events a second that are tried, and for how long.
const RATES: [u64; 3] = [1_000, 3_000, 4_500];
const SUSTAINED: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() {
    let (postgres, rabbit) = (Postgres::start(), RabbitMq::start());
    let (store, bus) = (postgres.fresh_database(), rabbit.fresh_vhost());
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("tapedeck.toml");
    std::fs::write(&config, CONFIG).expect("a file");
    let tapedeck = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tapedeck"));
        command.args(arguments).arg("--config").arg(&config);
        command.env("STORE_URL", &store).env("BUS_URL", &bus).current_dir(folder.path());
        command
    };
    for arguments in [&["topology", "apply"][..], &["tape", "open"][..]] {
        assert!(tapedeck(arguments).output().expect("started").status.success(), "{arguments:?}");
    }
    let mut fleet = Fleet::new();
    for service in SERVICES {
        for replica in ["a", "b"] {
            let name = format!("{service}-{replica}");
            fleet.start(&name, &tapedeck(&["run", service, "--replica", &name, "--listen", "127.0.0.1:0"]));
        }
    }
    let market = Market::open(&store).await;
    market.settle("every service to start").await;

    latency(&market, &store).await;
    throughput(&market, &bus).await;

    let ended = fleet.terminate(Duration::from_secs(30));
    assert!(ended.values().all(std::process::ExitStatus::success), "{ended:?}");
    let verified = tapedeck(&["verify"]).output().expect("started");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    println!("verify               {}", String::from_utf8_lossy(&verified.stdout).replace('\n', "; "));
}

/// The one who says candles.
struct Market {
    tape: Tape,
    id: events::Uuid,
    unit: UnitName,
    fence: u64,
}

impl Market {
    async fn open(store: &str) -> Self {
        let tape = Tape::open(store, Mode::Write).await.expect("a tape");
        let unit = UnitName::new("market-data").expect("a name");
        let fence =
            tape.acquire(unit, "bench", Duration::from_secs(3_600), true).await.expect("a lease").fence;
        let id = tape.opened().await.expect("read").expect("opened").tape;
        Self { tape, id, unit, fence }
    }

    async fn say(&self, events: Vec<Event>) {
        let entry = |event: &Event| {
            let id = ids::fact(self.id, event.kind().name(), &event.body());
            Entry::wall(Draft::new(id, self.unit, None, event.at().unwrap_or(now()), event))
        };
        let entries = events.iter().map(entry).collect();
        let step = CursorMove { unit: self.unit, fence: self.fence, to: 0, reach: 0 };
        let commit = Commit { entries, cursors: vec![step], ..Commit::default() };
        self.tape.append(commit).await.expect("appended");
    }

    /// How far the last of the services is behind.
    async fn lag(&self) -> (u64, u64) {
        let (head, cursors) = self.tape.marks().await.expect("read");
        let units = cursors.iter().filter(|c| c.unit != self.unit && c.unit.as_str() != "clock");
        let behind = |c: &tape::Cursor| c.unit.as_str() != "event-logger";
        let lags = units.filter(|c| behind(c)).map(|c| head.position.saturating_sub(c.position));
        (head.position, lags.max().unwrap_or(head.position))
    }

    /// Until all have heard everything.
    async fn settle(&self, what: &str) {
        let begun = Instant::now();
        let mut quiet = 0;
        while quiet < 3 {
            assert!(begun.elapsed() < Duration::from_secs(120), "waited too long for {what}");
            tokio::time::sleep(Duration::from_millis(400)).await;
            let (_, cursors) = self.tape.marks().await.expect("read");
            let (_, lag) = self.lag().await;
            quiet = if lag < 8 && cursors.len() >= 10 { quiet + 1 } else { 0 };
        }
    }
}

async fn latency(market: &Market, store: &str) {
    let begun = now() - Duration::from_secs(12 * 3_600);
    let instruments: Vec<Instrument> = (0..ORDERS + WARM_UP)
        .map(|n| format!("binance:spot:B{n}USDT").parse().expect("an instrument"))
        .collect();
    for some in instruments.chunks(50) {
        let mut events = Vec::new();
        for &instrument in some {
            let rules = InstrumentRules::open(
                format!("{}", instrument.symbol).trim_end_matches("USDT").parse().expect("an asset"),
                usdt(),
                "0.01".parse().expect("a tick"),
                "0.00001".parse().expect("a lot"),
                Decimal::from(5),
            );
            events.push(InstrumentListed { instrument, rules: Box::new(rules) }.into());
            // Quiet, then down: the next that goes up turns the edge.
            let path = [100, 100, 100, 100, 100, 90, 90];
            events.extend((0..).zip(path).map(|(n, close)| closed(instrument, begun, n, close)));
        }
        market.say(events).await;
    }
    market.settle("the candles before").await;

    let (mut floor, mut path) = (Vec::new(), Vec::new());
    let mut bare = Bare::open(store).await;
    for (n, instrument) in instruments.into_iter().enumerate() {
        let floor_now = bare.chain().await;
        let path_now = order(market, closed(instrument, begun, 7, 120), instrument).await;
        if n >= WARM_UP {
            floor.push(floor_now);
            path.push(path_now);
        }
    }
    let ((f50, f99), (p50, p99)) = (percentiles(floor), percentiles(path));
    println!("floor, 6 commits and notifications p50 {f50:>6.2} ms  p99 {f99:>6.2} ms");
    println!("candle in to order out             p50 {p50:>6.2} ms  p99 {p99:>6.2} ms");
    println!("ratio to the floor                 p50 {:>6.2}     p99 {:>6.2}", p50 / f50, p99 / f99);
}

/// From before the candle is committed until the order gateway's attempt is seen on the tape: then it
/// would be sent.
async fn order(market: &Market, candle: Event, instrument: Instrument) -> Duration {
    let mut commits = market.tape.watch();
    let mut after = market.tape.head().await.expect("read").position;
    let begun = Instant::now();
    market.say(vec![candle]).await;
    loop {
        let rows = market.tape.read(after, 500).await.expect("read");
        for row in &rows {
            after = row.position;
            let kind = row.kind();
            if kind == Some(Kind::OrderAttempted)
                && let Event::Order(OrderEvent::Attempted(e)) = row.decode().expect("an event").event
                && e.instrument == instrument
            {
                let took = begun.elapsed();
                // What follows from it is not to weigh on the next.
                tokio::time::sleep(Duration::from_millis(40)).await;
                return took;
            }
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "no order for {instrument}");
        let _ =
            tokio::time::timeout(Duration::from_millis(250), commits.wait_for(|head| *head > after)).await;
    }
}

/// Two clients who answer each other.
struct Bare {
    ends: [(PgConnection, PgListener); 2],
}

impl Bare {
    async fn open(store: &str) -> Self {
        let mut first = PgConnection::connect(store).await.expect("connected");
        sqlx::query("CREATE TABLE bare (n bigserial PRIMARY KEY, body text)")
            .execute(&mut first)
            .await
            .expect("made");
        let second = PgConnection::connect(store).await.expect("connected");
        let mut listeners = Vec::new();
        for channel in ["bare0", "bare1"] {
            let mut listener = PgListener::connect(store).await.expect("connected");
            listener.listen(channel).await.expect("listening");
            listeners.push(listener);
        }
        let (b, a) = (listeners.pop().expect("two"), listeners.pop().expect("two"));
        Self { ends: [(first, a), (second, b)] }
    }

    async fn chain(&mut self) -> Duration {
        let begun = Instant::now();
        for n in 0..COMMITS {
            let here = n % 2;
            let told = if here == 0 { "bare1" } else { "bare0" };
            let body = "x".repeat(400);
            let sql = "WITH new AS (INSERT INTO bare (body) VALUES ($1) RETURNING n) SELECT pg_notify($2, n::text) FROM new";
            sqlx::query(sql).bind(body).bind(told).execute(&mut self.ends[here].0).await.expect("inserted");
            let note = self.ends[1 - here].1.recv().await.expect("told");
            let n: i64 = note.payload().parse().expect("a number");
            let read = sqlx::query("SELECT body FROM bare WHERE n = $1").bind(n);
            read.fetch_one(&mut self.ends[1 - here].0).await.expect("read");
        }
        begun.elapsed()
    }
}

async fn throughput(market: &Market, bus: &str) {
    let rabbit = Rabbit::connect(bus, "bench").expect("a broker");
    let ingest = rabbit.ingest_publisher();
    let account: Account = "binance:paper".parse().expect("an account");
    let mut serial = 0_u64;
    for rate in RATES {
        market.settle("the last rate").await;
        let (before, _) = market.lag().await;
        let begun = Instant::now();
        let mut lags = Vec::new();
        let mut sent = 0;
        let mut looked = begun;
        while begun.elapsed() < SUSTAINED {
            let due = (begun.elapsed().as_secs_f64() * rate as f64) as u64;
            let frames: Vec<IngestFrame> =
                (sent..due.min(sent + 250)).map(|_| frame(account, &mut serial)).collect();
            if frames.is_empty() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            } else {
                sent += frames.len() as u64;
                ingest.publish(&frames).await.expect("confirmed");
            }
            if looked.elapsed() >= Duration::from_secs(1) {
                looked = Instant::now();
                lags.push(market.lag().await.1);
            }
        }
        let published = sent as f64 / begun.elapsed().as_secs_f64();
        market.settle("the rate's end").await;
        let caught_up = begun.elapsed();
        let (after, _) = market.lag().await;
        println!(
            "{rate:>5} events/s asked for: {published:>5.0}/s published, {} recorded, lag each second {lags:?}, \
             all heard {:.1} s after the last",
            after - before,
            (caught_up - SUSTAINED).as_secs_f64() - 1.2
        );
    }
    rabbit.close().await;
}

fn frame(account: Account, serial: &mut u64) -> IngestFrame {
    *serial += 1;
    let as_of = now() + Duration::from_micros(*serial);
    let event = Event::from(BalanceChanged {
        account,
        asset: "BENCH".parse().expect("an asset"),
        free: Decimal::from(*serial),
        locked: Decimal::ZERO,
        as_of,
    });
    let bytes = format!(r#"[{{"kind":"{}","body":{}}}]"#, event.kind().name(), event.body()).into_bytes();
    IngestFrame {
        account,
        replica: "a".to_owned(),
        stream: "bench".to_owned(),
        content_type: "application/vnd.tapedeck.events+json".to_owned(),
        received_at: as_of,
        bytes,
        kind: FrameKind::Account,
    }
}

fn closed(instrument: Instrument, begun: Timestamp, n: i64, close: i64) -> Event {
    let minute = begun.millis() / 60_000 + n;
    let price = |value: i64| -> Price { value.to_string().parse().expect("a price") };
    CandleClosed {
        candle: Candle {
            instrument,
            interval: Interval::Minute1,
            open_time: Timestamp::from_millis(minute * 60_000),
            open: price(close),
            high: price(close + 1),
            low: price(close - 1),
            close: price(close),
            volume: Decimal::from(1_000),
        },
    }
    .into()
}

fn usdt() -> Asset {
    "USDT".parse().expect("an asset")
}

fn percentiles(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1_000.0;
    (at(0.5), at(0.99))
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Timestamp::from_micros(i64::try_from(since.as_micros()).expect("small"))
}
