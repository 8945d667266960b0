//! The processes of a fleet, and whoever starts again those that died.

use super::{Market, PATIENCE, Program, look::Eye, market};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    path::Path,
    process::ExitStatus,
    time::{Duration, Instant},
};
use tapedeck::{cli::RunVenue, deployment::Service};
use tempfile::TempDir;
use testkit::{Fleet, Process, http_get, wait_for};

/// A stop that takes longer is a fault: the limit of a unit is 10 s.
const STOPPING: Duration = Duration::from_secs(30);

/// What is to run.
pub struct Plan {
    pub program: Program,
    pub store: String,
    pub bus: String,
    pub market: Market,
    /// As `--speed`.
    pub speed: String,
    /// Replicas of each service: `a`, `b` …
    pub replicas: u8,
    /// Those who reach the servers by another way: replica, STORE_URL, BUS_URL.
    pub detours: Vec<(String, String, String)>,
}

/// All services of an engine, each replica in a process of its own.
pub struct Engine {
    pub plan: Plan,
    pub folder: TempDir,
    processes: Fleet,
    /// Processes that ended though nobody had asked or killed them: which, how, and their last words.
    pub deaths: Vec<String>,
    /// Killed by the test.
    killed: BTreeSet<String>,
    /// Of the market, over.
    done: BTreeSet<String>,
}

impl Engine {
    /// Sets the broker up and starts every replica; returns before they are ready.
    pub fn start(plan: Plan) -> Self {
        let mut engine = Self::prepare(plan);
        engine.start_all();
        engine
    }

    /// Sets the broker up; nothing runs yet.
    pub fn prepare(plan: Plan) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("tapedeck.toml"), market::CONFIG).expect("the configuration");
        let engine = Self {
            plan,
            folder,
            processes: Fleet::new(),
            deaths: Vec::new(),
            killed: BTreeSet::new(),
            done: BTreeSet::new(),
        };
        engine.run(&["topology", "apply"]).well();
        engine
    }

    pub fn start_all(&mut self) {
        for service in Service::all(RunVenue::VenuePaper) {
            for replica in 0..self.plan.replicas {
                self.add(service, &format!("{service}-{}", char::from(b'a' + replica)));
            }
        }
    }

    fn add(&mut self, service: Service, name: &str) {
        let mut arguments = vec!["--log", "info", "run", service.name(), "--replica", name];
        arguments.extend(["--listen", "127.0.0.1:0"]);
        let market = self.plan.market.arguments();
        if service == Service::MarketData {
            arguments.extend(market.iter().map(String::as_str));
            arguments.extend(["--speed", &self.plan.speed, "--exit-when-done"]);
        }
        let mut command = self.plan.program.command(self.folder.path(), &arguments);
        let detour = self.plan.detours.iter().find(|detour| detour.0 == name);
        let (store, bus) = detour.map_or((&self.plan.store, &self.plan.bus), |detour| (&detour.1, &detour.2));
        command.env("STORE_URL", store).env("BUS_URL", bus);
        self.processes.start(name, &command);
    }

    /// A command of the program on this tape and broker.
    pub fn run(&self, arguments: &[&str]) -> super::program::Done {
        let mut command = self.plan.program.command(self.folder.path(), arguments);
        command.env("STORE_URL", &self.plan.store).env("BUS_URL", &self.plan.bus);
        let mut process = Process::start(&format!("tapedeck {}", arguments.join(" ")), &command);
        let status = process.wait(PATIENCE);
        super::program::Done { code: status.code(), said: process.output() }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn names(&self) -> Vec<String> {
        self.processes.names()
    }

    pub fn get(&mut self, name: &str) -> &mut Process {
        self.processes.get(name)
    }

    /// Of a replica of the feed: it has seen the market's end.
    pub fn is_done(&self, name: &str) -> bool {
        self.done.contains(name)
    }

    /// The market has begun to be played.
    pub fn is_trading(&self) -> bool {
        self.try_marks().is_some_and(|(head, _)| head.position > 50)
    }

    /// `None` while the tape cannot be reached, or is not there yet.
    pub fn try_marks(&self) -> Option<(tape::Head, Vec<tape::Cursor>)> {
        Eye::try_open(&self.plan.store, tape::Mode::Read).ok()?.marks()
    }

    pub fn eye(&self) -> Eye {
        Eye::open(&self.plan.store)
    }

    /// kill -9; [`Engine::tend`] starts it again.
    pub fn kill(&mut self, name: &str) {
        self.killed.insert(name.to_owned());
        self.get(name).kill();
    }

    /// Asks it to end, sees it end well, starts it again.
    pub fn restart(&mut self, name: &str) {
        let process = self.get(name);
        process.terminate();
        let status = process.wait(STOPPING);
        assert!(status.success(), "{name} ended with {status} when asked to stop:\n{}", last_words(process));
        process.start_again();
    }

    /// As a supervisor: starts again what has ended, but for a market that is over.
    pub fn tend(&mut self) {
        for process in self.processes.all() {
            let name = process.name().to_owned();
            if process.is_running() || self.done.contains(&name) {
                continue;
            }
            let status = process.wait(Duration::ZERO);
            if name.starts_with(Service::MarketData.name()) && status.success() {
                self.done.insert(name);
                continue;
            }
            if !self.killed.remove(&name) {
                self.deaths.push(format!("{name}: {status}\n{}", last_words(process)));
            }
            process.start_again();
        }
    }

    /// The market was played to its end, as every replica of the feed has seen.
    pub fn is_over(&self) -> bool {
        self.done.len() == usize::from(self.plan.replicas)
    }

    /// Tends the fleet until that holds.
    pub fn until(&mut self, what: &str, limit: Duration, mut holds: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + limit;
        while !holds(self) {
            if Instant::now() > end {
                panic!("not within {limit:?}: {what}\n{}", self.state());
            }
            self.tend();
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn until_over(&mut self, limit: Duration) {
        self.until("the market is over", limit, |engine| engine.is_over());
    }

    /// Everything that is on the tape went out on the bus, and every replica is ready.
    pub fn until_settled(&mut self, limit: Duration) {
        let eye = self.eye();
        self.until("all is published", limit, |_| {
            let Some((head, cursors)) = eye.marks() else { return false };
            let publisher = cursors.iter().find(|cursor| cursor.unit.as_str() == event_logger::PUBLISHER);
            publisher.is_some_and(|cursor| cursor.position == head.position)
        });
        self.until_ready(limit);
    }

    pub fn until_ready(&mut self, limit: Duration) {
        self.until("every replica is ready", limit, |engine| {
            let names = engine.names();
            names.iter().all(|name| engine.done.contains(name) || engine.ready(name).0 == 200)
        });
    }

    /// Where a replica serves health and metrics, once it says so.
    pub fn address(&mut self, name: &str) -> Option<SocketAddr> {
        let output = self.get(name).output();
        let line = output.lines().rfind(|line| line.contains("health and metrics on http://"))?;
        line.rsplit('/').next()?.trim().parse().ok()
    }

    /// Status and report; 0 where nobody answers.
    pub fn ready(&mut self, name: &str) -> (u16, Value) {
        let Some(address) = self.address(name) else { return (0, Value::Null) };
        let (status, body) = http_get(address, "/ready");
        (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }

    /// Asks all to end, and sees them end well; commands can still be run.
    pub fn end(mut self) -> Self {
        self.tend();
        let ended: BTreeMap<String, ExitStatus> = self.processes.terminate(STOPPING);
        for (name, status) in ended {
            assert!(status.success(), "{name} ended with {status}:\n{}", last_words(self.get(&name)));
        }
        assert!(self.deaths.is_empty(), "some ended by themselves:\n{}", self.deaths.join("\n"));
        self.has_not_panicked();
        self
    }

    pub fn has_not_panicked(&mut self) {
        for process in self.processes.all() {
            let output = process.output();
            assert!(!output.contains("panicked at"), "{} panicked:\n{output}", process.name());
        }
    }

    /// For a message: the tape, and what each replica says of itself.
    pub fn state(&mut self) -> String {
        let mut text = String::new();
        if let Ok(eye) = Eye::try_open(&self.plan.store, tape::Mode::Read)
            && let Some((head, cursors)) = eye.marks()
        {
            text += &format!("the tape ends at {}\n", head.position);
            for cursor in cursors {
                text += &format!("  {} at {} by {:?}\n", cursor.unit, cursor.position, cursor.owner);
            }
        }
        for name in self.names() {
            let (status, report) = self.ready(&name);
            text += &format!("{name}: {status} {report}\n");
        }
        text
    }

    /// Waits for one replica's readiness to say that.
    pub fn until_one_says(&mut self, name: &str, status: u16, words: &str, limit: Duration) {
        let mut last = (0, Value::Null);
        let end = Instant::now() + limit;
        while Instant::now() < end {
            last = self.ready(name);
            if last.0 == status && last.1.to_string().contains(words) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{name} does not come to say {status} '{words}' within {limit:?} but {last:?}");
    }
}

pub fn last_words(process: &Process) -> String {
    let output = process.output();
    let lines: Vec<&str> = output.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// Waits for the tape to reach a position.
pub fn until_at(eye: &Eye, position: u64, limit: Duration) {
    wait_for(&format!("position {position}"), limit, || {
        eye.marks().is_some_and(|(head, _)| head.position >= position)
    });
}
