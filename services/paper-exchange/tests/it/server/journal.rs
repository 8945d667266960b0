//! The journal: what is written, that it is enough, and what is never written over.

use super::{
    rig::{Make, Rig, TIMEOUT, instrument, rules, simulator},
    socket::Socket,
};
use domain::{Interval, Timestamp};
use events::Candle;
use paper_exchange::{
    answer::Answer,
    endpoint::Endpoint,
    exchange::{Exchange, Setup},
    faults::Script,
    journal::{self, Header, Input, Journal, JournalError, VERSION},
    params::{Params, TimeUnit},
    server::{self, Config, Limits, Pace, ServeError, account, clock::wall},
    simulator::{Simulator, Source},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    net::TcpStream,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};
use venue_paper::engine::Owner;

/// Fast enough that much happens in a moment.
const FAST: Pace = Pace::Times(50.0);

fn with(journal: &Path, pace: Pace) -> Make {
    Make { pace, journal: Some(journal.to_owned()), ..Make::default() }
}

fn lines(journal: &Path) -> Vec<Value> {
    let text = fs::read_to_string(journal).expect("a journal");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

async fn frames(rig: &Rig) -> Vec<String> {
    let all = rig.get("/control/account-frames", "after=0").await.ok();
    let frames = all["frames"].as_array().expect("frames");
    frames.iter().map(|frame| frame["frame"].as_str().expect("a text").to_owned()).collect()
}

async fn time(rig: &Rig) -> i64 {
    rig.status().await["time"].as_i64().expect("a time")
}

async fn order(rig: &Rig, id: &str, fields: Value) {
    let mut order = json!({ "symbol": "BTCUSDT", "side": "BUY", "quantity": "0.01", "newClientOrderId": id });
    let fields = fields.as_object().expect("fields").clone();
    order.as_object_mut().expect("an object").extend(fields);
    rig.control("order", order).await.ok();
}

/// What a journal makes of an exchange again, and what came of each input. `cut` says in what steps, in
/// microseconds, the time before an input passes.
fn replayed(journal: &Path, cut: Option<i64>) -> (Exchange, Vec<(Input, Value)>) {
    let header = journal::header(journal).expect("readable").expect("a header");
    let (paper, _) = account::read("").expect("an account");
    let start = header.start;
    let mut exchange = Exchange::new(Setup { paper, start }, simulator(start));
    let mut outcomes = Vec::new();
    Journal::open(journal, &header, |input| {
        if let (Some(cut), Input::Advance { to: at } | Input::Call { at: Some(at), .. }) = (cut, &input) {
            while exchange.now().micros() + cut < *at {
                exchange.advance(Timestamp::from_micros(exchange.now().micros() + cut));
            }
        }
        let outcome =
            journal::apply(&mut exchange, &input).map_or_else(|refusal| refusal.body(), Answer::into_value);
        outcomes.push((input, outcome));
    })
    .expect("a journal");
    (exchange, outcomes)
}

#[tokio::test]
async fn the_same_inputs_give_the_same_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("journal");
    let rig = with(&journal, FAST).start().await;
    let mut depths = Vec::new();
    for round in 0..4 {
        depths.push(rig.get("/api/v3/depth", "symbol=BTCUSDT&limit=20").await.ok());
        order(&rig, &format!("taken{round}"), json!({ "type": "MARKET" })).await;
        order(
            &rig,
            &format!("resting{round}"),
            json!({ "type": "LIMIT", "timeInForce": "GTC", "price": "40000" }),
        )
        .await;
        // None of this is written down.
        for path in ["ticker/bookTicker", "ticker/24hr", "avgPrice"] {
            rig.get(&format!("/api/v3/{path}"), "symbol=BTCUSDT").await.ok();
        }
        rig.get("/api/v3/klines", "symbol=BTCUSDT&interval=1m").await.ok();
        let mut socket = Socket::open(&rig, "/ws/btcusdt@depth@100ms/btcusdt@bookTicker").await;
        socket.until(|told| told["e"] == "depthUpdate").await;
        depths.push(rig.get("/api/v3/depth", "symbol=BTCUSDT&limit=20").await.ok());
        rig.control("balance", json!({ "asset": "USDT", "delta": "1" })).await.ok();
        socket.until(|told| told["e"] == "depthUpdate").await;
        // Finer and coarser lots in turn.
        let step = if round % 2 == 0 { "0.001" } else { "0.0001" };
        rig.control("rules", json!({ "symbol": "BTCUSDT", "step_size": step, "min_qty": step })).await.ok();
    }
    depths.push(rig.get("/api/v3/depth", "symbol=BTCUSDT&limit=20").await.ok());
    // What a kill leaves.
    let left = folder.path().join("left");
    fs::copy(&journal, &left).expect("a copy");
    let told = frames(&rig).await;
    let now = time(&rig).await;
    let past = format!("symbol=BTCUSDT&interval=1s&limit=200&endTime={}", now / 1_000 - 1_000);
    let klines = rig.get("/api/v3/klines", &past).await.ok();
    rig.stop().await;

    for cut in [None, Some(37_000), Some(7_001)] {
        let (mut exchange, outcomes) = replayed(&left, cut);
        let answered: Vec<&Value> = outcomes
            .iter()
            .filter(|(input, _)| matches!(input, Input::Call { endpoint, .. } if endpoint == "depth"))
            .map(|(_, outcome)| outcome)
            .collect();
        assert_eq!(answered, depths.iter().collect::<Vec<_>>());
        exchange.advance(Timestamp::from_micros(now));
        let again: Vec<String> =
            exchange.take_account_frames().into_iter().map(|frame| frame.milli).take(told.len()).collect();
        assert_eq!(again, told);
        let pairs = past.split('&').filter_map(|pair| pair.split_once('='));
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let rows = exchange.call(Endpoint::Klines, &Params::new(pairs), TimeUnit::Milli).expect("klines");
        assert_eq!(rows, klines);
    }
}

#[tokio::test]
async fn time_that_passes_is_not_written_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("journal");
    let rig = with(&journal, Pace::Wall).start().await;
    let (before, began) = (lines(&journal).len(), time(&rig).await);
    let deadline = Instant::now() + TIMEOUT;
    while time(&rig).await < began + 1_000_000 {
        assert!(Instant::now() < deadline, "time passes");
        tokio::task::yield_now().await;
    }
    assert_eq!(lines(&journal).len(), before);
    rig.control("balance", json!({ "asset": "USDT", "delta": "1" })).await.ok();
    let now = lines(&journal);
    assert_eq!(now.len(), before + 2, "when, and what: {now:?}");
    assert!(now[before]["advance"]["to"].as_i64() >= Some(began + 500_000), "{now:?}");
    let passed = time(&rig).await + 300_000;
    while time(&rig).await < passed {
        assert!(Instant::now() < deadline, "time passes");
        tokio::task::yield_now().await;
    }
    rig.stop().await;
    let all = lines(&journal);
    assert_eq!(all.len(), before + 3, "a clean stop tells how late it was: {all:?}");
    assert!(all[before + 2]["advance"]["to"].as_i64() > all[before]["advance"]["to"].as_i64());
}

/// A fill that time has brought, and that was told, is in the journal before it is told.
#[tokio::test]
async fn what_the_account_was_told_stays_true() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("journal");
    let rig = with(&journal, FAST).start().await;
    let best = rig.get("/api/v3/ticker/bookTicker", "symbol=BTCUSDT").await.ok();
    // Whichever way the price goes, one of them is filled.
    for (side, price) in [("BUY", "bidPrice"), ("SELL", "askPrice")] {
        let fields = json!({ "type": "LIMIT", "timeInForce": "GTC", "side": side, "price": best[price] });
        order(&rig, side, fields).await;
    }
    let filled = |frames: &[String]| frames.iter().any(|frame| frame.contains("\"X\":\"FILLED\""));
    let deadline = Instant::now() + TIMEOUT;
    let told = loop {
        let told = frames(&rig).await;
        if filled(&told) {
            break told;
        }
        assert!(Instant::now() < deadline, "somebody trades");
        tokio::task::yield_now().await;
    };
    let left = folder.path().join("left");
    fs::copy(&journal, &left).expect("a copy");
    rig.stop().await;
    let (mut exchange, _) = replayed(&left, None);
    let again: Vec<String> = exchange.take_account_frames().into_iter().map(|frame| frame.milli).collect();
    assert_eq!(again[..told.len()], told[..]);
}

fn setup() -> String {
    let (paper, _) = account::read("").expect("an account");
    paper.text()
}

fn header(start: Timestamp) -> Header {
    Header { version: VERSION, start, market: "test".to_owned(), setup: setup() }
}

#[test]
fn what_is_not_ours_is_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let ours = header(wall());
    let whole = serde_json::to_string(&ours).expect("JSON");
    let others = serde_json::to_string(&Header { market: "x".to_owned(), ..ours.clone() }).expect("JSON");
    let notes =
        ["secret", "{", "{\"version\":1,\"name\":\"package\"}", "{\"version\":1,\"start\":\"yesterday"];
    let notes =
        notes.into_iter().map(str::to_owned).chain([others, format!("{whole} "), "\u{0}\u{ff}".repeat(9)]);
    for text in notes.filter(|text| !whole.starts_with(text.as_str())) {
        fs::write(&path, &text).expect("written");
        let refused = Journal::open(&path, &ours, |_| {}).err().expect("refused");
        assert!(matches!(refused, JournalError::Malformed { line: 1, .. }), "{text}: {refused}");
        assert_eq!(fs::read_to_string(&path).expect("a file"), text);
    }
    fs::write(&path, [0xff_u8, 0xfe, 0]).expect("written");
    assert!(matches!(journal::header(&path), Err(JournalError::Malformed { .. })));
}

/// A journal of five inputs, each with a figure in it, and its header.
fn written(path: &Path) -> Header {
    let header = header(Timestamp::from_micros(1_700_000_000_123_456));
    let mut journal = Journal::open(path, &header, |_| {}).expect("a journal");
    for n in 1..=5 {
        let delta = format!("0.000{n}").parse().expect("an amount");
        journal
            .add(&Input::Balance { owner: Owner::FIRST, asset: "BTC".parse().expect("an asset"), delta })
            .expect("added");
    }
    journal.flush().expect("flushed");
    header
}

fn open_error(path: &Path, header: &Header) -> JournalError {
    Journal::open(path, header, |_| {}).err().expect("refused")
}

#[test]
fn a_changed_figure_is_refused_by_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let header = written(&path);
    let whole = fs::read_to_string(&path).expect("a journal");
    let lines: Vec<&str> = whole.lines().collect();
    for at in 1..=5 {
        let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        changed[at] = changed[at].replace(&format!("0.000{at}"), "0.0009");
        fs::write(&path, changed.join("\n") + "\n").expect("written");
        match open_error(&path, &header) {
            JournalError::Changed { line, .. } => assert_eq!(line, at as u64 + 1),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn any_changed_byte_a_missing_a_doubled_and_a_foreign_line_are_refused_by_their_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, other) = (folder.path().join("journal"), folder.path().join("other"));
    let header = written(&path);
    let whole = fs::read(&path).expect("a journal");
    for at in (0..whole.len() - 1).filter(|at| whole[*at] != b'\n') {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        let line = 1 + whole[..at].iter().filter(|byte| **byte == b'\n').count() as u64;
        fs::write(&path, &changed).expect("written");
        match open_error(&path, &header) {
            JournalError::Changed { line: told, .. } | JournalError::Malformed { line: told, .. } => {
                assert!(told == line || told == line - 1, "byte {at} of line {line}: {told}");
            }
            JournalError::Other { .. } | JournalError::OtherForm { .. } => assert_eq!(line, 1),
            JournalError::Io { .. } | JournalError::InUse { .. } => panic!("byte {at}"),
        }
        assert_eq!(fs::read(&path).expect("a file"), changed, "a file that is refused is left as it is");
    }
    let text = String::from_utf8(whole).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    let refused = |lines: &[&str]| {
        fs::write(&path, lines.join("\n") + "\n").expect("written");
        match open_error(&path, &header) {
            JournalError::Changed { line, .. } => line,
            other => panic!("{other}"),
        }
    };
    assert_eq!(refused(&[&lines[..2], &lines[3..]].concat()), 3, "a line is missing");
    assert_eq!(refused(&[&lines[..3], &lines[2..]].concat()), 4, "a line is there twice");
    written(&other);
    let mut journal = Journal::open(&other, &header, |_| {}).expect("a journal");
    journal.add(&Input::Heard { until: 4 }).expect("added");
    journal.flush().expect("flushed");
    drop(journal);
    let foreign = fs::read_to_string(&other).expect("a journal");
    let foreign = foreign.lines().last().expect("a line");
    assert_eq!(refused(&[&lines[..5], &[foreign]].concat()), 6, "a line of another journal");
}

#[test]
fn a_last_line_that_was_cut_off_is_mended() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let header = written(&path);
    let whole = fs::read(&path).expect("a journal");
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("lines") + 1;
    for length in last..whole.len() {
        fs::write(&path, &whole[..length]).expect("written");
        let mut inputs = 0;
        let mut journal = Journal::open(&path, &header, |_| inputs += 1).expect("mended");
        assert_eq!(inputs, 4);
        let (asset, delta) = ("BTC".parse().expect("an asset"), "0.0005".parse().expect("an amount"));
        journal.add(&Input::Balance { owner: Owner::FIRST, asset, delta }).expect("added");
        journal.flush().expect("flushed");
        assert_eq!(fs::read(&path).expect("a journal"), whole, "it goes on as if nothing had been cut off");
    }
}

#[test]
fn a_journal_of_the_form_without_sums_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let header = header(Timestamp::from_micros(1_700_000_000_123_456));
    let old = serde_json::to_string(&Header { version: 1, ..header.clone() }).expect("JSON");
    fs::write(&path, format!("{old}\n{{\"n\":1,\"advance\":{{\"to\":1700000001123456}}}}\n"))
        .expect("written");
    let refused = open_error(&path, &header);
    assert!(matches!(refused, JournalError::OtherForm { found: 1, .. }), "{refused}");
    for words in ["form 1 of another build", "go on with the build that wrote it, or start on another file"] {
        assert!(refused.to_string().contains(words), "{refused}");
    }
}

/// Killed while the first line was written, and started again later.
#[test]
fn a_first_line_that_was_only_begun_is_written_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    drop(Journal::open(&path, &header(Timestamp::from_micros(1_700_000_000_123_456)), |_| {}).expect("new"));
    let before = fs::read_to_string(&path).expect("a line");
    let before = before.strip_suffix('\n').expect("one line");
    let now = header(wall());
    for length in 0..=before.len() {
        fs::write(&path, &before[..length]).expect("written");
        assert_eq!(journal::header(&path).expect("a beginning"), None, "{length}");
        drop(Journal::open(&path, &now, |_| {}).unwrap_or_else(|error| panic!("{length}: {error}")));
        assert_eq!(journal::header(&path).expect("a journal").as_ref(), Some(&now));
    }
}

/// Hourly candles without end; each time one is asked for, somebody tries to connect.
struct Knocking {
    next: i64,
    address: std::net::SocketAddr,
    let_in: Arc<AtomicUsize>,
    knocked: Arc<AtomicUsize>,
}

impl Iterator for Knocking {
    type Item = Candle;

    fn next(&mut self) -> Option<Candle> {
        self.knocked.fetch_add(1, Ordering::Relaxed);
        if TcpStream::connect(self.address).is_ok() {
            self.let_in.fetch_add(1, Ordering::Relaxed);
        }
        let open_time = Timestamp::from_micros(self.next);
        self.next += 3_600_000_000;
        let number = |text: &str| text.parse().expect("a price");
        Some(Candle {
            instrument: instrument(),
            interval: Interval::Hour1,
            open_time,
            open: number("50000"),
            high: number("50100"),
            low: number("49900"),
            close: number("50000"),
            volume: "1000".parse().expect("a volume"),
        })
    }
}

#[tokio::test]
async fn nobody_is_let_in_before_it_stands_where_it_stood() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    let hour = 3_600_000_000;
    let start = Timestamp::from_micros(wall().micros() - 9 * hour);
    let mut journal = Journal::open(&path, &header(start), |_| {}).expect("a journal");
    journal.add(&Input::Advance { to: start.micros() + 4 * hour }).expect("written");
    journal.flush().expect("flushed");
    drop(journal);

    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = free.local_addr().expect("an address");
    drop(free);
    let (let_in, knocked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let first = (start.micros() / hour - 24) * hour;
    let candles = Knocking { next: first, address, let_in: let_in.clone(), knocked: knocked.clone() };
    let simulator = Simulator::new(Source {
        rules: BTreeMap::from([(instrument(), rules())]),
        candles: Box::new(candles),
        seed: 7,
        shift: 0,
        start,
    });
    let before = knocked.load(Ordering::Relaxed);
    let (paper, keys) = account::read("").expect("an account");
    let config = Config {
        listen: address,
        pace: Pace::Wall,
        setup: Setup { paper, start },
        simulator,
        market: "test".to_owned(),
        keys,
        limits: Limits::default(),
        faults: None::<Script>,
        journal: Some(path),
    };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let until = async {
        let _ = stopped.await;
    };
    let (at, running) = server::serve(config, until).await.expect("an exchange");
    assert_eq!(at, address);
    let during = knocked.load(Ordering::Relaxed) - before;
    assert!(during >= 8, "replayed and made up for: {during}");
    assert_eq!(let_in.load(Ordering::Relaxed), 0);
    let running = tokio::spawn(running);
    let client = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build().expect("a client");
    let answer = client.get(format!("http://{at}/api/v3/ping")).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200);
    let _ = stop.send(());
    running.await.expect("no panic").expect("a good end");
}

#[tokio::test]
async fn an_address_in_use_is_named_before_anything_is_read() {
    let rig = super::rig::live().await;
    let (paper, keys) = account::read("").expect("an account");
    let config = Config {
        listen: rig.address,
        pace: Pace::Driven,
        setup: Setup { paper, start: wall() },
        simulator: Simulator::default(),
        market: String::new(),
        keys,
        limits: Limits::default(),
        faults: None,
        journal: None,
    };
    let refused = server::serve(config, std::future::pending()).await.err().expect("taken");
    assert!(matches!(refused, ServeError::Listen { .. }), "{refused}");
    rig.stop().await;
}
