//! `tapedeck`: every service in one binary, by name.
//!
//! A library too, so that tests and benchmarks run the very engine that the binary runs.

/// `eprintln!` that does not panic: the terminal may have gone.
macro_rules! tell {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr().lock(), $($words)*);
    }};
}

pub mod cli;
mod commands;
mod control;
mod data_quality;
pub mod deployment;
pub mod explain;
mod external_venue;
pub mod figures;
mod live;
mod locate;
mod process;
pub mod projections;
pub mod report;
mod scan;
pub mod simulate;
pub mod standing;
mod start;
pub mod units;
mod venue;

use cli::{Cli, Command, ExchangeCommand, TapeCommand, TopologyCommand};
use settings::Environment;
use std::process::ExitCode;

/// The command was asked for something that it cannot be asked for.
#[derive(Debug)]
pub struct WrongUse(pub String);

impl std::fmt::Display for WrongUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongUse {}

/// Does what the command line says.
///
/// # Errors
/// [`WrongUse`] or [`settings::Problems`] for what the user can set right, anything else for what failed.
pub async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let mut global = cli.global;
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    global.environment = Environment::read(variables)?;
    let format = if global.log_json { observe::Format::Json } else { observe::Format::Text };
    observe::init(global.log(), format).map_err(|e| WrongUse(e.to_string()))?;
    match cli.command {
        Command::Up(args) => commands::up::run(&global, args).await,
        Command::Run(args) => commands::run::run(&global, args).await,
        Command::Topology(TopologyCommand::Show) => commands::topology::show(&global),
        Command::Topology(TopologyCommand::Apply(args)) => commands::topology::apply(&global, args).await,
        Command::Topology(TopologyCommand::Check(args)) => commands::topology::check(&global, args).await,
        Command::Backtest(args) => commands::backtest::run(&global, args).await,
        Command::Replay(args) => commands::replay::run(&global, args).await,
        Command::Verify(args) => commands::verify::run(&global, args).await,
        Command::Why(args) => commands::why::run(&global, args).await,
        Command::Tape(TapeCommand::Head(args)) => commands::tape::head(&global, args).await,
        Command::Tape(TapeCommand::Show(args)) => commands::tape::show(&global, args).await,
        Command::Tape(TapeCommand::Tail(args)) => commands::tape::tail(&global, args).await,
        Command::Tape(TapeCommand::Export(args)) => commands::tape::export(&global, args).await,
        Command::Tape(TapeCommand::Import(args)) => commands::tape::import(&global, args).await,
        Command::Tape(TapeCommand::Open(args)) => commands::record::open(&global, args).await,
        Command::Tape(TapeCommand::Republish(args)) => commands::record::republish(&global, args).await,
        Command::Tape(TapeCommand::Reparse(args)) => commands::record::reparse(&global, args).await,
        Command::Positions(args) => commands::views::positions(&global, args).await,
        Command::Trades(args) => commands::views::trades(&global, args).await,
        Command::Orders(args) => commands::views::orders(&global, args).await,
        Command::Portfolio(args) => commands::views::portfolio(&global, args).await,
        Command::Signals(args) => commands::views::signals::signals(&global, args).await,
        Command::Simulate(args) => commands::simulate::run(&global, &args),
        Command::Trading(args) => commands::hand::trading(&global, args).await,
        Command::Close(args) => commands::hand::close(&global, args).await,
        Command::Flatten(args) => commands::hand::flatten(&global, args).await,
        Command::Books(args) => commands::hand::books(&global, args).await,
        Command::Report(args) => commands::report::run(&global, args).await,
        Command::Doctor(args) => commands::doctor::run(&global, args).await,
        Command::Exchange(ExchangeCommand::Serve(args)) => commands::exchange::serve(&global, args).await,
    }
}
