//! `tapedeck report`: what a tape amounts to.

use crate::{
    cli::{Global, Report},
    commands::print_json,
    locate,
    report::{Collector, HEARS},
    scan,
};
use anyhow::Context;
use std::process::ExitCode;
use tape::Tape;

/// # Errors
/// A tape that cannot be read, a folder that cannot be written to.
pub async fn run(global: &Global, args: Report) -> anyhow::Result<ExitCode> {
    let tape = locate::reading(global, &args.tape).await?;
    let until = scan::until(&tape, args.until).await?;
    let rows = if args.out.is_some() { Collector::keeping_rows() } else { Collector::default() };
    let collector = collect(&tape, until, rows).await?;
    if let Some(folder) = &args.out {
        collector.write(folder).with_context(|| format!("writing into {}", folder.display()))?;
    }
    let summary = collector.summary();
    if global.json {
        print_json(&summary)?;
    } else {
        out!("{summary}{}", summary.tables())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Everything up to a position, counted.
///
/// # Errors
/// The tape cannot be read.
pub async fn collect(tape: &Tape, until: u64, mut into: Collector) -> anyhow::Result<Collector> {
    scan::kinds(tape, HEARS, until, |event| into.see(event)).await?;
    into.of_so_many_events(until);
    Ok(into)
}
