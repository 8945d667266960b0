//! Parses the command line, runs it, and turns what came of it into an exit code.

use clap::Parser;
use std::{io, process::ExitCode};
use tapedeck::{WrongUse, cli::Cli};

/// Wrong use; clap uses the same for what it refuses itself.
const WRONG_USE: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    match tapedeck::run(Cli::parse()).await {
        Ok(code) => code,
        // Whoever reads has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {}", in_words(&error));
            let wrong_use = error.is::<WrongUse>() || error.is::<settings::Problems>();
            if wrong_use { ExitCode::from(WRONG_USE) } else { ExitCode::FAILURE }
        }
    }
}

/// The error and its causes, each said once.
fn in_words(error: &anyhow::Error) -> String {
    let mut words = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !words.contains(&cause) {
            words = format!("{words}: {cause}");
        }
    }
    words
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = |cause: &(dyn std::error::Error + 'static)| match cause.downcast_ref::<serde_json::Error>() {
        Some(json) => json.io_error_kind(),
        None => cause.downcast_ref::<io::Error>().map(io::Error::kind),
    };
    error.chain().any(|cause| kind(cause) == Some(io::ErrorKind::BrokenPipe))
}
