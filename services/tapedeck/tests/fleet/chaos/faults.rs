//! The faults, and their healing.

use super::{
    super::{
        Engine, Servers,
        load::{self, Load},
        seed::Seed,
    },
    Report,
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long the broker's alarm lasts, a cut connection stands, a killed server stays away at most.
const ALARM: Duration = Duration::from_secs(5);
const CUT: Duration = Duration::from_secs(12);
const AWAY: u64 = 3_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Any replica of any service.
    Service,
    RabbitMq,
    PostgreSql,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// kill -9.
    Kill(Target),
    /// SIGSTOP, and later SIGCONT: a zombie with an old lease wakes up.
    Stop(Target),
    MemoryAlarm,
    DeleteQueue(&'static str),
    /// Whoever publishes there next has its channel closed by the broker.
    DeleteExchange(&'static str),
    CloseConnections,
    /// Those behind the proxies are connected to nobody.
    HalfOpen,
    Reset,
}

impl Fault {
    pub fn random(seed: &mut Seed) -> Self {
        let target = match seed.below(10) {
            0 => Target::RabbitMq,
            1 => Target::PostgreSql,
            _ => Target::Service,
        };
        if seed.below(4) == 0 { Self::Stop(target) } else { Self::Kill(target) }
    }
}

/// A fleet being harmed.
pub struct Harm {
    pub servers: Servers,
    pub engine: Engine,
    pub load: Load,
    pub report: Report,
    /// The facts that may have been in a queue when it was deleted.
    pub lost_with_queue: Vec<u64>,
    stop: Duration,
    /// What is stopped, by name, and until when.
    stopped: BTreeMap<String, Instant>,
    begun: Instant,
}

const RABBITMQ: &str = "RabbitMQ";
const POSTGRESQL: &str = "PostgreSQL";

impl Harm {
    pub fn new(servers: Servers, engine: Engine, load: Load, stop: Duration) -> Self {
        let (report, stopped) = (Report::default(), BTreeMap::new());
        Self {
            servers,
            engine,
            load,
            report,
            lost_with_queue: Vec::new(),
            stop,
            stopped,
            begun: Instant::now(),
        }
    }

    fn say(&self, what: &str) {
        println!("{:>8.2} s  {what}", self.begun.elapsed().as_secs_f64());
    }

    /// Lets time pass: whoever died is started again, whoever is stopped long enough goes on.
    pub fn wait(&mut self, pause: Duration) {
        let end = Instant::now() + pause;
        loop {
            self.engine.tend();
            let now = Instant::now();
            let due: Vec<String> = self
                .stopped
                .iter()
                .filter(|(_, until)| **until <= now)
                .map(|(name, _)| name.clone())
                .collect();
            due.iter().for_each(|name| self.go_on(name));
            if now >= end {
                return;
            }
            std::thread::sleep(Duration::from_millis(20).min(end - now));
        }
    }

    fn go_on(&mut self, name: &str) {
        self.say(&format!("SIGCONT {name}"));
        match name {
            RABBITMQ => self.servers.rabbit.resume(),
            POSTGRESQL => self.servers.postgres.resume(),
            service => self.engine.get(service).resume(),
        }
        self.stopped.remove(name);
    }

    /// Until whatever is stopped goes on.
    pub fn heal(&mut self) {
        while let Some(until) = self.stopped.values().max().copied() {
            self.wait(until.saturating_duration_since(Instant::now()));
        }
    }

    pub fn inflict(&mut self, fault: Fault, seed: &mut Seed) {
        if self.engine.is_over() {
            self.report.after_the_end += 1;
        }
        match fault {
            Fault::Kill(target) => self.kill(target, seed),
            Fault::Stop(target) => self.stop(target, seed),
            Fault::MemoryAlarm => self.alarm(),
            Fault::DeleteQueue(queue) => self.delete_queue(queue),
            Fault::DeleteExchange(exchange) => self.delete_exchange(exchange),
            Fault::CloseConnections => {
                let vhost = self.servers.vhost().to_owned();
                self.on_broker("all connections closed", &["close_all_connections", "-p", &vhost, "chaos"]);
            }
            Fault::HalfOpen => self.half_open(),
            Fault::Reset => {
                self.say("connections through the proxies are reset");
                self.servers.store_proxy.set(testkit::Fault::Reset);
                self.servers.bus_proxy.set(testkit::Fault::Reset);
            }
        }
    }

    /// A name that is neither stopped nor over; a service's where the server is stopped already.
    fn choose(&self, target: Target, seed: &mut Seed) -> String {
        let server = match target {
            Target::RabbitMq => Some(RABBITMQ),
            Target::PostgreSql => Some(POSTGRESQL),
            Target::Service => None,
        };
        if let Some(server) = server.filter(|server| !self.stopped.contains_key(*server)) {
            return server.to_owned();
        }
        let mut free = self.engine.names();
        free.retain(|name| !self.stopped.contains_key(name) && !self.engine.is_done(name));
        free.swap_remove(seed.below(free.len() as u64) as usize)
    }

    fn kill(&mut self, target: Target, seed: &mut Seed) {
        let name = self.choose(target, seed);
        self.report.hit("kill -9", &name, &self.engine);
        self.say(&format!("kill -9 {name}"));
        let away = Duration::from_millis(seed.below(AWAY));
        match name.as_str() {
            RABBITMQ => {
                self.servers.rabbit.kill();
                self.wait(away);
                self.servers.rabbit.start_again();
                self.say("RabbitMQ takes clients again");
            }
            POSTGRESQL => {
                self.servers.postgres.kill();
                self.wait(away);
                self.servers.postgres.start_again();
                self.say("PostgreSQL takes clients again");
            }
            service => self.engine.kill(service),
        }
    }

    fn stop(&mut self, target: Target, seed: &mut Seed) {
        let name = self.choose(target, seed);
        self.report.hit("SIGSTOP", &name, &self.engine);
        self.say(&format!("SIGSTOP {name}"));
        match name.as_str() {
            RABBITMQ => self.servers.rabbit.pause(),
            POSTGRESQL => self.servers.postgres.pause(),
            service => self.engine.get(service).pause(),
        }
        self.stopped.insert(name, Instant::now() + self.stop);
    }

    /// Has the broker do something; it must be awake for that.
    fn on_broker(&mut self, what: &str, command: &[&str]) {
        self.wait_for(RABBITMQ);
        self.servers.rabbit.ctl(command);
        self.say(what);
    }

    fn wait_for(&mut self, server: &str) {
        if let Some(until) = self.stopped.get(server) {
            self.wait(until.saturating_duration_since(Instant::now()));
        }
    }

    fn alarm(&mut self) {
        self.on_broker("memory alarm", &["set_vm_memory_high_watermark", "0.00001"]);
        self.wait(ALARM);
        self.on_broker("memory alarm over", &["set_vm_memory_high_watermark", "0.4"]);
    }

    fn delete_queue(&mut self, queue: &'static str) {
        self.wait_for(RABBITMQ);
        self.wait_for(POSTGRESQL);
        let recorded = load::recorded(&self.engine.eye().rows());
        let vhost = self.servers.vhost().to_owned();
        self.on_broker(&format!("queue {queue} deleted"), &["delete_queue", "-p", &vhost, queue]);
        if queue == "ingest" {
            // Also one that is being published.
            let waiting = (1..=self.load.confirmed() + 1).filter(|n| !recorded.contains_key(n));
            self.lost_with_queue = waiting.collect();
        }
    }

    fn delete_exchange(&mut self, exchange: &'static str) {
        let vhost = self.servers.vhost();
        let expression = format!(
            "rabbit_exchange:delete(rabbit_misc:r(<<\"{vhost}\">>, exchange, <<\"{exchange}\">>), false, <<\"chaos\">>)."
        );
        self.on_broker(&format!("exchange {exchange} deleted"), &["eval", &expression]);
    }

    fn half_open(&mut self) {
        self.say("connections through the proxies are half open");
        self.servers.store_proxy.set(testkit::Fault::HalfOpen);
        self.servers.bus_proxy.set(testkit::Fault::HalfOpen);
        self.wait(CUT);
        self.servers.store_proxy.set(testkit::Fault::None);
        self.servers.bus_proxy.set(testkit::Fault::None);
        self.say("the proxies pass again");
    }
}
