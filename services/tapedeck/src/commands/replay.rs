//! `tapedeck replay`: every service's state as it was then.

use crate::{
    WrongUse,
    cli::{Global, Replay},
    commands::{print_json, progress},
    locate, scan, units,
};
use runtime::recover::{self, Plan};
use serde_json::{Map, json};
use service::Walk;
use std::process::ExitCode;

/// # Errors
/// No such tape or unit; a tape that cannot be read.
pub async fn run(global: &Global, args: Replay) -> anyhow::Result<ExitCode> {
    let tape = locate::reading(global, &args.tape).await?;
    let until = scan::until(&tape, args.until).await?;
    let hosts = units::of_tape(&tape).await?;
    let bar = progress(until, "replaying", global.json);
    let plan = Plan {
        build: units::BUILD,
        walk: Walk::Follow,
        snapshots: false,
        until: Some(until),
        learn: &[],
        checkpoints: &[],
    };
    let walked = recover::follow(&tape, hosts, None, &plan, |event| {
        if event.position % 1_024 == 0 {
            bar.set_position(event.position);
        }
    })
    .await?;
    bar.finish_and_clear();
    let mut states = Map::new();
    for unit in &walked.units {
        let name = unit.host.unit().to_string();
        if args.unit.as_ref().is_none_or(|wanted| *wanted == name) {
            states.insert(name, unit.host.state());
        }
    }
    if let (Some(wanted), true) = (&args.unit, states.is_empty()) {
        let known: Vec<_> = walked.units.iter().map(|u| u.host.unit().to_string()).collect();
        return Err(WrongUse(format!("--unit {wanted}: the tape knows {}", known.join(", "))).into());
    }
    if global.json {
        print_json(&json!({ "position": until, "units": states }))?;
    } else {
        out!("position {until}")?;
        for (name, state) in &states {
            out!("\n{name}\n{}", serde_json::to_string_pretty(state)?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
