//! Ingestors against an exchange on sockets and a real broker: restarts, renewals, a broker that is away, kills.

use crate::{
    fleets::program,
    support::{Exchange, control, text},
};
use binance_orders_to_amqp::{Ingestor, SpoolSettings, WAITING};
use bus::{FrameKind, IngestFrame, IngestQueue, Rabbit};
use domain::UnitName;
use runtime::distributed::{UnitPhase, UnitStatus};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};
use tempfile::TempDir;
use testkit::{Fault, Process, Proxy, http_get, wait_for};
use tokio::{runtime::Runtime, sync::watch, task::JoinHandle};
use venue_binance::{
    net::{Endpoints, Keys, Rest, Setup, Timeouts},
    sign::Signer,
};

const LONG: Duration = Duration::from_secs(60);
/// Between two orders: the exchange keeps 100,000 frames, and a busy machine takes its time.
const PACE: Duration = Duration::from_millis(5);
const ACCOUNT: &str = "[balances]\nUSDT = \"1000000\"\nBTC = \"100\"\n";
const CONFIG: &str = r#"
[accounts."binance:main"]
mode = "live"
api_key = { env = "EXCHANGE_KEY" }
api_secret = { env = "EXCHANGE_SECRET" }
"#;
const UNHEARD: &str = "tapedeck_ingest_unheard_seconds_total";
const OPENED: &str = "tapedeck_ingest_streams_opened_total";
const WAITS: &str = "tapedeck_ingest_waiting_frames";
const ADOPTED: &str = "tapedeck_ingest_adopted_frames_total";
const LEFT_OUT: &str = "tapedeck_ingest_left_out_frames_total";

/// An exchange, a broker that can be taken away, and whoever drains the queue.
struct Stage {
    drained: Arc<Mutex<Vec<IngestFrame>>>,
    proxy: Proxy,
    /// Through the proxy.
    broker: String,
    exchange: Exchange,
    folder: TempDir,
    runtime: Runtime,
}

impl Stage {
    fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("account.toml"), ACCOUNT).unwrap();
        fs::write(folder.path().join("tapedeck.toml"), CONFIG).unwrap();
        let serve = ["--market", "synthetic:7:60", "--account", "account.toml", "--limits", "off"];
        let exchange = Exchange::serve(folder.path(), &serve);
        let direct = testkit::rabbitmq();
        let (before, behind) = direct.split_once('@').unwrap();
        let (address, vhost) = behind.split_once('/').unwrap();
        let proxy = Proxy::start(address.parse().unwrap());
        let broker = format!("{before}@{}/{vhost}", proxy.address());
        let runtime = Runtime::new().unwrap();
        let drained = Arc::<Mutex<Vec<IngestFrame>>>::default();
        runtime.spawn(drain(direct, Arc::clone(&drained)));
        Self { drained, proxy, broker, exchange, folder, runtime }
    }

    fn broker_is_away(&self) {
        self.proxy.set(Fault::CutAfter(0));
    }

    fn broker_is_back(&self) {
        self.proxy.set(Fault::None);
    }

    /// Buys or sells a little, at the market.
    fn order(&self, n: u64) {
        order(self.exchange.address(), n);
    }

    /// How many frames the exchange has sent of the account.
    fn sent(&self) -> u64 {
        self.exchange.get("/control/status")["account_frames"].as_u64().unwrap()
    }

    /// The frames behind `after` up to `until`, as the exchange has sent them.
    fn frames(&self, mut after: u64, until: u64) -> Vec<String> {
        let mut sent = Vec::new();
        while after < until {
            let told = self.exchange.get(&format!("/control/account-frames?after={after}"));
            for frame in told["frames"].as_array().unwrap() {
                after = frame["number"].as_u64().unwrap();
                if after <= until {
                    sent.push(canonical(text(&frame["frame"])));
                }
            }
        }
        sent
    }

    fn drained(&self) -> Vec<IngestFrame> {
        self.drained.lock().unwrap().clone()
    }

    /// The events that came over streams, each as often as it came.
    fn came(&self) -> Vec<String> {
        self.drained().iter().filter_map(event).collect()
    }

    #[track_caller]
    fn until_all_came(&self, sent: &[String]) {
        wait_for("every frame is in the queue", LONG, || {
            let came: BTreeSet<String> = self.came().into_iter().collect();
            sent.iter().all(|frame| came.contains(frame))
        });
    }

    fn spool(&self) -> PathBuf {
        self.folder.path().join("tapedeck-data/ingest-spool")
    }

    fn spooled_bytes(&self) -> u64 {
        let lives = fs::read_dir(self.spool()).map_or_else(|_| Vec::new(), |lives| lives.flatten().collect());
        let files = lives.iter().flat_map(|life| fs::read_dir(life.path()).unwrap().flatten());
        files.map(|file| file.metadata().map_or(0, |file| file.len())).sum()
    }

    /// An ingestor in this process.
    fn ingestor(&self, name: &str, timeouts: Timeouts, waiting: u64) -> Replica {
        let _within = self.runtime.enter();
        let keys = Keys {
            api_key: paper_exchange::server::keys::PAPER_KEY.to_owned(),
            signer: Signer::hmac(paper_exchange::server::keys::PAPER_SECRET).unwrap(),
        };
        let setup = Setup { timeouts, ..Setup::new(Endpoints::local(self.exchange.address()), Some(keys)) };
        let status = UnitStatus::new(UnitName::new("binance-orders-to-amqp").unwrap(), name);
        let rabbit = Rabbit::connect(&self.broker, name).unwrap();
        let (stop, stopped) = watch::channel(false);
        let ingestor = Ingestor {
            rest: Rest::new(setup).unwrap(),
            account: "binance:main".parse().unwrap(),
            replica: name.to_owned(),
            publisher: rabbit.ingest_publisher(),
            status: status.clone(),
            spool: Some(SpoolSettings { folder: self.spool(), life: name.to_owned() }),
            waiting,
        };
        let task = self.runtime.spawn(ingestor.run(stopped));
        let replica = Replica { status, stop, task, rabbit, unheard: 0.0 };
        wait_for("the stream is live", LONG, || replica.status.phase() == UnitPhase::Running);
        Replica { unheard: replica.figure(UNHEARD), ..replica }
    }

    fn end(&self, replica: Replica) {
        replica.stop.send(true).unwrap();
        self.runtime.block_on(async {
            replica.task.await.unwrap();
            replica.rabbit.close().await;
        });
    }
}

/// An ingestor in this process.
struct Replica {
    status: UnitStatus,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    rabbit: Rabbit,
    /// Until its stream was live.
    unheard: f64,
}

impl Replica {
    fn figure(&self, name: &str) -> f64 {
        self.status.figures().into_iter().find(|figure| figure.name == name).unwrap().value
    }

    /// Since its stream was live for the first time.
    fn gaps(&self) -> f64 {
        self.figure(UNHEARD) - self.unheard
    }
}

async fn drain(broker: String, drained: Arc<Mutex<Vec<IngestFrame>>>) {
    let rabbit = Rabbit::connect(&broker, "recorder").unwrap();
    let mut consumer = rabbit.ingest_consumer(IngestQueue::Ingest, 2_000);
    loop {
        let Ok(batch) = consumer.next_batch(1_000, Duration::from_millis(5)).await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let frames: Vec<_> = batch.frames.iter().map(|frame| frame.clone().unwrap()).collect();
        drained.lock().unwrap().extend(frames);
        let _comes_again = batch.acknowledge().await;
    }
}

fn order(exchange: SocketAddr, n: u64) {
    let side = if n.is_multiple_of(2) { "BUY" } else { "SELL" };
    let order = json!({"symbol": "BTCUSDT", "side": side, "type": "MARKET", "quantity": "0.001"});
    control(exchange, "order", &order);
}

fn canonical(event: &str) -> String {
    serde_json::from_str::<Value>(event).unwrap().to_string()
}

/// What a frame of the stream tells; `None` of answers over REST, and of a stream that was opened.
fn event(frame: &IngestFrame) -> Option<String> {
    let is_of_stream =
        frame.kind == FrameKind::Account && frame.content_type == venue_binance::content::USER_DATA;
    is_of_stream.then(|| serde_json::from_slice::<Value>(&frame.bytes).unwrap()["event"].to_string())
}

/// Both are restarted one after the other, and streams are renewed all the while, as a day before the venue cuts
/// them.
#[test]
fn restarts_and_renewals_under_load_miss_no_frame_and_leave_no_moment_without_a_live_stream() {
    let stage = Stage::set();
    let timeouts = Timeouts {
        renew: Duration::from_millis(1_500),
        linger: Duration::from_millis(300),
        ..Timeouts::default()
    };
    let start = |name: &str| stage.ingestor(name, timeouts, WAITING);
    let (mut one, mut two) = (start("one-0"), start("two-0"));
    let (first, over) = (stage.sent(), Arc::new(AtomicBool::new(false)));
    let load = thread::spawn({
        let (over, exchange) = (Arc::clone(&over), stage.exchange.address());
        move || {
            let mut n = 0;
            while !over.load(Relaxed) {
                order(exchange, n);
                n += 1;
                thread::sleep(PACE);
            }
            n
        }
    });
    let mut gaps = Vec::new();
    for round in 1..=2 {
        for (name, replica) in [("one", &mut one), ("two", &mut two)] {
            wait_for("its stream was renewed", LONG, || replica.figure(OPENED) >= 3.0);
            // The other one is live, and says so itself: were it not, that would be in its gaps.
            let gap = replica.gaps();
            replica.stop.send(true).unwrap();
            wait_for("it ends", LONG, || replica.task.is_finished());
            stage.runtime.block_on(replica.rabbit.close());
            gaps.push(gap);
            *replica = start(&format!("{name}-{round}"));
        }
    }
    over.store(true, Relaxed);
    let orders = load.join().unwrap();
    let sent = stage.frames(first, stage.sent());
    assert!(orders > 100 && sent.len() as u64 >= orders, "{orders} orders, {} frames", sent.len());
    stage.until_all_came(&sent);
    gaps.extend([one.gaps(), two.gaps()]);
    println!("{orders} orders, {} frames, seconds without a live stream by life: {gaps:?}", sent.len());
    assert!(gaps.iter().all(|gap| *gap == 0.0), "{gaps:?}");
    stage.end(one);
    stage.end(two);
    assert_eq!(stage.spooled_bytes(), 0);
}

#[test]
fn frames_survive_the_brokers_absence_and_kills_during_it() {
    let stage = Stage::set();
    let mut command = program().command(
        stage.folder.path(),
        &[
            &["--log", "info", "run", "binance-orders-to-amqp", "--venue", "binance", "--replica", "a"][..],
            &["--listen", "127.0.0.1:0"],
        ]
        .concat(),
    );
    command.envs([("STORE_URL", testkit::postgres()), ("BUS_URL", stage.broker.clone())]);
    stage.exchange.is_meant_by(&mut command);
    let mut tape = program().command(stage.folder.path(), &["tape", "open"]);
    tape.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    assert!(Process::start("tape open", &tape).wait(LONG).success());
    let mut ingestor = Process::start("ingestor", &command);
    let figure = |ingestor: &Process, name: &str| figure(address(ingestor)?, name);
    let live = |ingestor: &Process| wait_for("it is live", LONG, || figure(ingestor, OPENED) == Some(1.0));
    live(&ingestor);
    stage.order(0);
    let mut sent = Vec::new();
    let mut note = |from: u64| sent.extend(stage.frames(from, stage.sent()));
    // While a stream is live, and the broker away: until the ingestor has heard it all.
    let mut waits = 0.0;
    for life in 0..3_u32 {
        let from = stage.sent();
        if life == 0 {
            wait_for("it is published", LONG, || figure(&ingestor, WAITS) == Some(0.0));
            stage.broker_is_away();
        }
        (0..20).for_each(|n| stage.order(n));
        let count = (stage.sent() - from) as f64;
        assert!(count >= 40.0, "{count}");
        wait_for("all is heard", LONG, || figure(&ingestor, WAITS).is_some_and(|now| now >= waits + count));
        note(from);
        // Not a moment for anything.
        ingestor.kill();
        ingestor.start_again();
        live(&ingestor);
        waits = figure(&ingestor, ADOPTED).unwrap();
        assert!(waits >= count * f64::from(life + 1), "{waits} adopted behind life {life}");
    }
    assert!(stage.spooled_bytes() > 0);
    stage.broker_is_back();
    stage.until_all_came(&sent);
    let mut came = stage.came();
    let mut known = BTreeSet::new();
    came.retain(|frame| sent.contains(frame) && known.insert(frame.clone()));
    assert_eq!(came, sent, "in the order in which they were sent");
    wait_for("the spool is empty", LONG, || figure(&ingestor, "tapedeck_ingest_spool_bytes") == Some(0.0));
    ingestor.terminate();
    assert!(ingestor.wait(LONG).success(), "{}", ingestor.output());
    assert_eq!(stage.spooled_bytes(), 0);
}

/// The address of the present life, once it serves.
fn address(process: &Process) -> Option<SocketAddr> {
    let output = process.output();
    let (_, behind) = output.rsplit_once("health and metrics on http://")?;
    behind.split_whitespace().next()?.parse().ok()
}

fn figure(address: SocketAddr, name: &str) -> Option<f64> {
    let (_, metrics) = http_get(address, "/metrics");
    let line = metrics.lines().find(|line| line.starts_with(&format!("{name}{{")))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[test]
fn a_spool_that_is_full_closes_the_stream_and_says_so_and_the_next_one_tells_of_the_gap() {
    let stage = Stage::set();
    let limit = 64 << 10;
    let replica = stage.ingestor("one", Timeouts::default(), limit);
    wait_for("all is published", LONG, || replica.figure(WAITS) == 0.0);
    stage.broker_is_away();
    let first = stage.sent();
    let is_full = || match replica.status.phase() {
        UnitPhase::CutOff(why) => why.contains("there is no room for more"),
        _ => false,
    };
    for n in 0..2_000 {
        stage.order(n);
        if is_full() {
            break;
        }
    }
    wait_for("it says so", LONG, is_full);
    assert!(replica.figure(LEFT_OUT) >= 1.0 && replica.figure(OPENED) == 1.0);
    wait_for("the gap is counted", LONG, || replica.gaps() > 0.0);
    let kept = stage.spooled_bytes();
    assert!(kept > limit / 2 && kept <= limit, "{kept} bytes on disk");
    stage.order(0);
    stage.broker_is_back();
    wait_for("the stream is opened again", LONG, || replica.figure(OPENED) == 2.0);
    let last = stage.sent();
    stage.order(1);
    let behind = stage.frames(last, stage.sent());
    stage.until_all_came(&behind);
    let drained = stage.drained();
    let again =
        drained.iter().position(|f| f.kind == FrameKind::Opened && f.stream == "user-data/2").unwrap();
    let before: Vec<String> = drained[..again].iter().filter_map(event).collect();
    let sent = stage.frames(first, last);
    let kept = sent.iter().take_while(|frame| before.contains(frame)).count();
    assert!(kept > 50 && kept < sent.len(), "{kept} of {}", sent.len());
    assert!(
        !sent[kept..].iter().any(|frame| before.contains(frame)),
        "what is missing is behind all that came"
    );
    stage.end(replica);
    assert_eq!(stage.spooled_bytes(), 0);
}
