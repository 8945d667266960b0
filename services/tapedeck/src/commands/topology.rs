//! `tapedeck topology`: what the broker must hold.

use crate::{
    WrongUse,
    cli::{Global, OnBus},
    commands::print_json,
};
use bus::{
    BusError,
    topology::{self, Problem},
};
use serde_json::{Value, json};
use settings::Secret;
use std::process::ExitCode;

/// # Errors
/// Standard output is gone.
pub fn show(global: &Global) -> anyhow::Result<ExitCode> {
    if global.json {
        print_json(&topology::json())?;
    } else {
        out!("{}", topology::show().trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// A broker that cannot be reached.
pub async fn apply(global: &Global, args: OnBus) -> anyhow::Result<ExitCode> {
    let applied = topology::apply(&url(global, args)?).await.map_err(wrong)?;
    if global.json {
        let refused: Vec<Value> =
            applied.refused.iter().map(|(what, why)| json!({ "what": what, "why": why })).collect();
        print_json(&json!({ "made": applied.made, "kept": applied.kept, "refused": refused }))?;
    } else {
        for what in &applied.made {
            out!("made  {what}")?;
        }
        for what in &applied.kept {
            out!("kept  {what}")?;
        }
        for (what, why) in &applied.refused {
            out!("REFUSED  {what}: {why}\n         drain it, delete it, and apply again")?;
        }
    }
    Ok(if applied.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Exit code 1 if anything is wrong.
///
/// # Errors
/// A broker that cannot be reached.
pub async fn check(global: &Global, args: OnBus) -> anyhow::Result<ExitCode> {
    let findings = topology::check(&url(global, args)?).await.map_err(wrong)?;
    if global.json {
        let queues: Vec<Value> = findings
            .queues
            .iter()
            .map(|q| json!({ "name": q.name, "messages": q.messages, "consumers": q.consumers }))
            .collect();
        let problems: Vec<Value> = findings
            .problems
            .iter()
            .map(|problem| json!({ "problem": problem.to_string(), "remedy": remedy(problem) }))
            .collect();
        print_json(&json!({ "queues": queues, "problems": problems }))?;
    } else {
        for q in &findings.queues {
            out!("queue {:<11} {:>9} messages {:>4} consumers", q.name, q.messages, q.consumers)?;
        }
        for problem in &findings.problems {
            out!("WRONG  {problem}\n       {}", remedy(problem))?;
        }
        if findings.problems.is_empty() {
            out!("all is as it should be")?;
        }
    }
    Ok(if findings.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What to do about it.
pub fn remedy(problem: &Problem) -> &'static str {
    match problem {
        Problem::Missing { .. } => "run `tapedeck topology apply`",
        Problem::Different { .. } => "drain it, delete it, then run `tapedeck topology apply`",
        Problem::Stranded { .. } => {
            "a running event-logger takes them up; if they stay, see docs/OPERATIONS.md"
        }
        Problem::Unread { .. } => "start `tapedeck run event-logger`",
    }
}

fn url(global: &Global, args: OnBus) -> anyhow::Result<String> {
    let given =
        args.bus.or_else(|| global.environment.bus_url.as_ref().map(|url| Secret::reveal(url).to_owned()));
    let missing = "which broker? Set BUS_URL, or say --bus amqp://USER:PASSWORD@HOST:5672/VHOST";
    given.ok_or_else(|| WrongUse(missing.to_owned()).into())
}

fn wrong(error: BusError) -> anyhow::Error {
    match error {
        BusError::Url { .. } => WrongUse(error.to_string()).into(),
        BusError::Unreachable { .. } | BusError::Refused { .. } => error.into(),
    }
}
