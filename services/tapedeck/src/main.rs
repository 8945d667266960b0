//! `tapedeck`: every service in one binary.

mod cli;
mod commands;
mod explain;
mod live;
mod locate;
mod report;
mod simulate;
mod units;

use clap::Parser;
use cli::{Cli, Command, TapeCommand};
use std::process::ExitCode;

/// Wrong use; clap uses the same for what it refuses itself.
const WRONG_USE: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            let wrong_use = error.is::<WrongUse>() || error.is::<settings::Problems>();
            if wrong_use { ExitCode::from(WRONG_USE) } else { ExitCode::FAILURE }
        }
    }
}

/// The command was asked for something that it cannot be asked for.
#[derive(Debug)]
pub struct WrongUse(pub String);

impl std::fmt::Display for WrongUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongUse {}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let global = cli.global;
    let format = if global.log_json { observe::Format::Json } else { observe::Format::Text };
    observe::init(&global.log, format).map_err(|e| WrongUse(e.to_string()))?;
    match cli.command {
        Command::Up(args) => commands::up::run(&global, args).await,
        Command::Backtest(args) => commands::backtest::run(&global, args).await,
        Command::Replay(args) => commands::replay::run(&global, args).await,
        Command::Verify(args) => commands::verify::run(&global, args).await,
        Command::Why(args) => commands::why::run(&global, args).await,
        Command::Tape(TapeCommand::Head(args)) => commands::tape::head(&global, args).await,
        Command::Tape(TapeCommand::Show(args)) => commands::tape::show(&global, args).await,
        Command::Tape(TapeCommand::Tail(args)) => commands::tape::tail(&global, args).await,
        Command::Tape(TapeCommand::Export(args)) => commands::tape::export(&global, args).await,
        Command::Tape(TapeCommand::Import(args)) => commands::tape::import(&global, args).await,
        Command::Positions(args) => commands::views::positions(&global, args).await,
        Command::Trades(args) => commands::views::trades(&global, args).await,
        Command::Orders(args) => commands::views::orders(&global, args).await,
        Command::Portfolio(args) => commands::views::portfolio(&global, args).await,
        Command::Signals(args) => commands::views::signals(&global, args).await,
        Command::Simulate(args) => commands::simulate::run(&global, &args),
        Command::Doctor(args) => commands::doctor::run(&global, args).await,
    }
}
