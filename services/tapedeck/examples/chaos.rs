//! Kills, stops and cuts off the services, the broker and the database of a trading fleet at random
//! moments, and proves afterwards that nothing was lost or doubled.
//!
//! `cargo run --release -p tapedeck --example chaos -- --kills 100 --runs 5 --seed 7`

#[path = "../tests/fleet/mod.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod fleet;

use clap::Parser;
use fleet::{
    Program, Servers,
    chaos::{self, Options},
    seed::Seed,
};
use std::{
    env,
    process::ExitCode,
    time::{Duration, Instant},
};

/// The first argument with which this program is `tapedeck` itself: so the services are always of the
/// same build as the test.
const ROLE: &str = "tapedeck";

/// Trade a recorded market on two replicas of every service, on a broker and a database of its own,
/// while any of them is killed (kill -9) or stopped (SIGSTOP, later SIGCONT) at random moments.
///
/// Besides, once a run each: a memory alarm of the broker, a deleted queue (ingest and tape in turn), a
/// deleted exchange, which closes the channel of whoever publishes there, all connections closed by the
/// broker, half-open connections and resets for those replicas that stand behind a proxy.
///
/// After each run the market must have been played to its end, the trades, orders and fills must be
/// those of one process, the chain and every core must verify, each account frame that two ingestors
/// published must be recorded once, and no queue may keep a message.
/// The exit code is 0 if all of it holds; otherwise it panics with what does not.
#[derive(Parser)]
#[command(name = "chaos")]
struct Arguments {
    /// Kills and stops in total
    #[arg(long, default_value_t = 100)]
    kills: u32,
    /// Markets to be played, each on a new tape and vhost
    #[arg(long, default_value_t = 5)]
    runs: u32,
    /// Repeats the same faults; their moments depend on the machine too [default: drawn, and printed]
    #[arg(long, env = "TAPEDECK_SEED")]
    seed: Option<u64>,
    /// Days of the market in each run
    #[arg(long, default_value_t = 500)]
    days: u32,
    /// Seconds that whoever is stopped stays so
    #[arg(long, default_value_t = 30)]
    stop: u64,
    /// The longest pause between two faults, in seconds
    #[arg(long, default_value_t = 6)]
    gap: u64,
    /// Seconds after which a market that has not ended is a failure
    #[arg(long, default_value_t = 600)]
    patience: u64,
}

fn main() -> ExitCode {
    if env::args().nth(1).as_deref() == Some(ROLE) {
        return tapedeck();
    }
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(|| {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        u64::from(now.subsec_micros())
    });
    println!("seed {seed}");
    let path = env::current_exe().expect("the path of this program");
    let program = Program { path, role: Some(ROLE) };
    let (mut chance, begun) = (Seed::of(seed), Instant::now());
    let mut servers = Servers::start();
    let mut kills = 0;
    for run in 0..arguments.runs {
        println!("\nrun {} of {}, seed {seed}", run + 1, arguments.runs);
        let left = arguments.kills.saturating_sub(kills);
        let options = Options {
            kills: left / (arguments.runs - run),
            gap: Duration::from_secs(arguments.gap),
            stop: Duration::from_secs(arguments.stop),
            days: arguments.days,
            run,
            all: true,
            patience: Duration::from_secs(arguments.patience),
        };
        let (report, same) = chaos::run(&program, servers, &options, &mut chance);
        println!("{report}");
        kills += options.kills;
        servers = same.anew();
    }
    println!("\n{kills} kills and stops in {} runs: all is well, {:.0?}", arguments.runs, begun.elapsed());
    ExitCode::SUCCESS
}

fn tapedeck() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    match runtime.block_on(tapedeck::run(tapedeck::cli::Cli::parse_from(env::args().skip(1)))) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
