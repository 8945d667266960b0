//! A tape, a bus, a driver that says candles, and replicas on them.

use crate::toys::{candle, hosts, unit};
use bus::Bus;
use domain::{Timestamp, UnitName};
use events::{Clock, Draft, Event, Position, Recorded, Row, TapeOpened, Uuid, ids};
use runtime::{
    distributed::{
        Count, Limits, Replica, UnitError, UnitPhase, UnitStatus, hands::Hands, leadership::Leadership, run,
    },
    recover::{self, Plan},
};
use service::{Back, Heard, Host, Journal, Lockstep, News, Walk};
use std::{
    future::Future,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tape::{Commit, Cursor, Entry, Head, Mode, Tape, verify::verify_chain};
use tempfile::TempDir;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};

pub const TAPE: Uuid = Uuid::from_u128(7);
pub const BUILD: &str = "1";
/// How long anything may take; a test that is right needs a small part of it.
const DEADLINE: Duration = Duration::from_secs(30);
/// Long enough never to run out by itself in a test.
pub const LONG: Duration = Duration::from_secs(600);
/// As short as the machine's pauses allow.
pub const SHORT: Duration = Duration::from_millis(150);

pub type Make = Arc<dyn Fn() -> Host + Send + Sync>;

pub struct Stage {
    pub tape: Tape,
    pub bus: Bus,
    pub lease: Duration,
    pub limits: Limits,
    clock: Clock,
    _folder: Option<TempDir>,
}

/// A replica at work.
pub struct Running {
    pub status: UnitStatus,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), UnitError>>,
}

#[derive(Debug, Clone, Copy)]
pub enum Backend {
    Memory,
    Sqlite,
}

pub const BACKENDS: [Backend; 2] = [Backend::Memory, Backend::Sqlite];

impl Stage {
    pub async fn new(backend: Backend, clock: Clock) -> Self {
        let stage = Self::unopened(backend, clock).await;
        stage.open().await;
        stage
    }

    /// With nothing on the tape yet.
    pub async fn unopened(backend: Backend, clock: Clock) -> Self {
        let (tape, folder) = match backend {
            Backend::Memory => (Tape::memory(), None),
            Backend::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite:{}", folder.path().join("tape.db").display());
                (Tape::open(&url, Mode::Write).await.unwrap(), Some(folder))
            }
        };
        let limits = Limits {
            poll: Duration::from_millis(10),
            save: Duration::from_millis(10),
            group: 16,
            snapshot_every: 40,
            retry: Duration::from_millis(1),
            slowest_retry: Duration::from_millis(20),
            stuck: Duration::from_millis(30),
            ..Limits::default()
        };
        Self { tape, bus: Bus::in_process(), lease: LONG, limits, clock, _folder: folder }
    }

    pub async fn open(&self) {
        let opened = TapeOpened { tape: TAPE, clock: self.clock, market: "toys".to_owned() };
        let now = now(0);
        let draft = Draft::new(TAPE, service::tape_unit(), None, now, &opened.into());
        self.append(vec![draft], now).await;
    }

    pub fn replica(&self, make: &Make, owner: &str) -> Replica {
        let unit = make().unit();
        let leadership = Leadership {
            tape: self.tape.clone(),
            bus: self.bus.clone(),
            unit,
            owner: owner.to_owned(),
            lease: self.lease,
            status: UnitStatus::new(unit, owner),
            limits: self.limits.clone(),
            opens: false,
        };
        Replica { leadership, make: make.clone(), build: BUILD.to_owned(), hands: None }
    }

    pub fn start(&self, make: &Make, owner: &str) -> Running {
        Running::new(self.replica(make, owner))
    }

    /// Hands that note what they hear, and bring what they are given.
    pub fn start_with_hands(
        &self,
        make: &Make,
        owner: &str,
    ) -> (Running, mpsc::Receiver<Heard>, mpsc::Sender<Back>) {
        let (tell, told) = mpsc::channel(64);
        let (bring, back) = mpsc::channel(16);
        let note = move |_: &Host, news| {
            if let News::Heard(heard) = news {
                tell.try_send(*heard).unwrap();
            }
        };
        let hands = Hands { told: Arc::new(note), back: Arc::new(tokio::sync::Mutex::new(back)) };
        (Running::new(Replica { hands: Some(hands), ..self.replica(make, owner) }), told, bring)
    }

    /// Two replicas of every toy.
    pub fn start_all(&self, every: u64) -> Vec<Running> {
        let pair = |make: &Make| ["a", "b"].map(|owner| self.start(make, owner));
        makes(every).iter().flat_map(pair).collect()
    }

    /// Candles `numbers`, in one commit, as hints too.
    pub async fn feed(&self, numbers: impl IntoIterator<Item = u64>) {
        let drafts: Vec<Draft> = numbers.into_iter().map(fed).collect();
        let last = drafts.last().expect("some candles").at;
        let rows = self.append(drafts, last).await;
        self.bus.publish(rows);
    }

    /// Appends without a word on the bus.
    pub async fn append(&self, drafts: Vec<Draft>, now: Timestamp) -> Vec<Row> {
        let entry = |draft| match self.clock {
            Clock::Market => Entry::market(draft, now),
            Clock::Wall => Entry::wall(draft),
        };
        let count = drafts.len();
        let commit = Commit::new(drafts.into_iter().map(entry).collect());
        let committed = self.tape.append(commit).await.unwrap();
        self.tape.read(committed.outcomes[0].position() - 1, count).await.unwrap()
    }

    pub async fn head(&self) -> Position {
        self.tape.head().await.unwrap().position
    }

    pub async fn cursor(&self, name: &str) -> Cursor {
        let cursors = self.tape.cursors().await.unwrap();
        cursors.into_iter().find(|c| c.unit == unit(name)).unwrap_or_else(|| panic!("{name} has no cursor"))
    }

    /// Until one read shows every unit's cursor at the head.
    pub async fn quiet(&self, units: usize) {
        until("every unit is at the head", async || {
            let (head, cursors): (Head, _) = self.tape.marks().await.unwrap();
            cursors.len() == units && cursors.iter().all(|c| c.position == head.position)
        })
        .await;
    }

    pub async fn rows(&self) -> Vec<Recorded> {
        let rows = self.tape.read(0, usize::MAX).await.unwrap();
        rows.iter().map(|row| row.decode().unwrap()).collect()
    }

    /// What is on the tape is what the same cores say in lockstep, no more, no less; and every core
    /// says so again.
    pub async fn check(&self, candles: u64, every: u64) {
        let rows = self.rows().await;
        for host in hosts(every) {
            let unit = host.unit();
            assert_eq!(answers(&rows, unit), answers(&lockstep(candles, every), unit), "what {unit} said");
        }
        self.verify(hosts(every)).await;
    }

    pub async fn verify(&self, hosts: Vec<Host>) {
        verify_chain(&self.tape, |_, _| {}).await.unwrap();
        let plan = Plan {
            build: BUILD,
            walk: Walk::Verify,
            snapshots: false,
            until: None,
            learn: &[],
            checkpoints: &[],
        };
        let walked = recover::follow(&self.tape, hosts, None, &plan, |_| {}).await.unwrap();
        assert_eq!(walked.differences, []);
        let unmatched: Vec<_> = walked.units.iter().filter_map(|u| u.unmatched).collect();
        assert_eq!(unmatched, [] as [Position; 0]);
    }
}

impl Running {
    pub fn new(replica: Replica) -> Self {
        let (stop, stopped) = watch::channel(false);
        let status = replica.leadership.status.clone();
        Self { status, stop, task: tokio::spawn(run(replica, stopped)) }
    }

    /// A death: at whatever it was doing.
    pub async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.is_err_and(|e| e.is_cancelled()), "it had ended before");
    }

    pub async fn stop(self) -> Result<(), UnitError> {
        self.stop.send_replace(true);
        timeout(DEADLINE, self.task).await.expect("it stops").expect("no panic")
    }

    /// Its end, which comes by itself.
    pub async fn ended(self) -> Result<(), UnitError> {
        timeout(DEADLINE, self.task).await.expect("it ends").expect("no panic")
    }

    pub fn is(&self, phase: &UnitPhase) -> bool {
        self.status.phase() == *phase
    }

    pub fn count(&self, count: Count) -> u64 {
        self.status.count(count)
    }

    /// Why it is cut off, if it is.
    pub fn trouble(&self) -> Option<String> {
        match self.status.phase() {
            UnitPhase::CutOff(why) => Some(why),
            _ => None,
        }
    }
}

/// A replica in a runtime of its own, which can stand still without holding up the others.
pub struct Elsewhere {
    pub status: UnitStatus,
    stop: watch::Sender<bool>,
    thread: thread::JoinHandle<Result<(), UnitError>>,
}

impl Elsewhere {
    pub fn start(replica: Replica) -> Self {
        let (stop, stopped) = watch::channel(false);
        let status = replica.leadership.status.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { status, stop, thread: thread::spawn(move || runtime.block_on(run(replica, stopped))) }
    }
    pub fn stop(self) {
        self.stop.send_replace(true);
        self.thread.join().unwrap().unwrap();
    }
}

pub fn make(host: impl Fn() -> Host + Send + Sync + 'static) -> Make {
    Arc::new(host)
}

pub fn makes(every: u64) -> [Make; 3] {
    [make(move || crate::toys::counter(every)), make(crate::toys::echo), make(crate::toys::adder)]
}

pub fn now(n: u64) -> Timestamp {
    Timestamp::from_millis((n as i64 + 1) * 60_000)
}

pub fn fed(n: u64) -> Draft {
    Draft::new(ids::fact(TAPE, "candle", &n.to_string()), unit("feed"), None, now(n), &candle(n))
}

/// Asks again and again, until it is so or far too late.
pub async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < DEADLINE, "it never came to be that {what}");
        sleep(Duration::from_millis(1)).await;
    }
}

/// What a unit said on hearing what, in order.
pub fn answers(rows: &[Recorded], unit: UnitName) -> Vec<(String, String)> {
    let describe = |event: &Event| format!("{} {}", event.kind().name(), event.body());
    let of_unit = rows.iter().filter(|r| r.source == unit && r.cause.is_some());
    let answer = |r: &Recorded| {
        let cause = rows.iter().find(|c| Some(c.id) == r.cause).expect("on the tape");
        assert!(cause.position < r.position);
        (describe(&cause.event), describe(&r.event))
    };
    of_unit.map(answer).collect()
}

/// The whole tape, if one task does everything in order.
pub fn lockstep(candles: u64, every: u64) -> Vec<Recorded> {
    let mut log = Log(Vec::new());
    let mut engine = Lockstep::new(hosts(every), Some(TAPE));
    for n in 1..=candles {
        engine.feed(unit("feed"), now(n), [candle(n)], &mut log);
        engine.settle(&mut log);
    }
    log.0
}

struct Log(Vec<Recorded>);

impl Journal for Log {
    fn record(&mut self, event: &Recorded) {
        self.0.push(event.clone());
    }
}

/// Numbers drawn from a seed that is printed.
pub struct Rng(u64);

impl Rng {
    /// From `TAPEDECK_SEED`, or a new one.
    pub fn new() -> Self {
        let drawn = Uuid::new_v4().as_u64_pair().0;
        let seed = std::env::var("TAPEDECK_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(drawn);
        println!("TAPEDECK_SEED={seed}");
        Self(seed | 1)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
