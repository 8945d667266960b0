//! Parses the command line, runs it, and turns what came of it into an exit code.

use clap::Parser;
use std::process::ExitCode;
use tapedeck::{WrongUse, cli::Cli};

/// Wrong use; clap uses the same for what it refuses itself.
const WRONG_USE: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    match tapedeck::run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            let wrong_use = error.is::<WrongUse>() || error.is::<settings::Problems>();
            if wrong_use { ExitCode::from(WRONG_USE) } else { ExitCode::FAILURE }
        }
    }
}
