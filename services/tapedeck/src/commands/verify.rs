//! `tapedeck verify`: the hash chain, then every core over its inputs again.

use crate::{
    cli::{Global, OnTape},
    commands::{print_json, progress},
    locate, units,
};
use runtime::recover::{self, Plan};
use serde_json::json;
use service::{Difference, Walk};
use std::process::ExitCode;
use tape::verify::VerifyError;

/// # Errors
/// A tape that cannot be opened. A tape that is not as it should be is a finding, not an error.
pub async fn run(global: &Global, args: OnTape) -> anyhow::Result<ExitCode> {
    let tape = locate::reading(global, &args.tape).await?;
    let total = tape.head().await.map_or(0, |head| head.position);
    let bar = progress(total, "chain", global.json);
    let head = match tape::verify::verify_chain(&tape, |position, _| bar.set_position(position)).await {
        Ok(head) => head,
        Err(VerifyError::Broken { position, why }) => {
            bar.finish_and_clear();
            if global.json {
                print_json(&json!({ "ok": false, "broken": { "position": position, "why": why } }))?;
            } else {
                out!("BROKEN at position {position}: {why}")?;
            }
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error.into()),
    };
    // An index that does not match its table would let an id in twice.
    let flaws = tape::verify::check_file(&tape).await?;
    if !flaws.is_empty() {
        bar.finish_and_clear();
        if global.json {
            print_json(&json!({ "ok": false, "head": super::tape::head_json(&head), "file": flaws }))?;
        } else {
            println!("chain   {} events, whole", head.position);
            println!("FILE DAMAGED, though no event is: {}", flaws.join("; "));
            println!("export the tape and import it into a new one");
        }
        return Ok(ExitCode::FAILURE);
    }
    bar.set_position(0);
    bar.set_message("cores");
    let hosts = units::of_tape(&tape).await?;
    let plan = Plan {
        build: units::BUILD,
        walk: Walk::Verify,
        snapshots: false,
        until: Some(head.position),
        learn_until: 0,
    };
    let walked = recover::follow(&tape, hosts, None, &plan, |event| {
        if event.position % 1_024 == 0 {
            bar.set_position(event.position);
        }
    })
    .await?;
    bar.finish_and_clear();
    // Another build may well decide otherwise: that is worth knowing, and no damage.
    let ours = |d: &&Difference| d.build.as_deref().is_none_or(|b| b == units::BUILD);
    let first = walked.differences.iter().find(ours);
    let others: Vec<_> = walked.differences.iter().filter(|d| !ours(d)).collect();
    if global.json {
        print_json(&json!({
            "ok": first.is_none(),
            "head": super::tape::head_json(&head),
            "units": walked.units.iter().map(|u| u.host.unit()).collect::<Vec<_>>(),
            "difference": first.map(difference_json),
            "other_builds": others.iter().map(|d| difference_json(d)).collect::<Vec<_>>(),
        }))?;
    } else {
        out!("chain   {} events, whole, head {}", head.position, super::tape::hex(&head.hash))?;
        match first {
            None => out!("cores   {} units say the same again", walked.units.len())?,
            Some(difference) => out!("cores   DIFFERENCE: {difference}")?,
        }
        for difference in others {
            let build = difference.build.as_deref().unwrap_or("unknown");
            out!("note    recorded by build {build}: {difference}")?;
        }
    }
    Ok(if first.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn difference_json(d: &Difference) -> serde_json::Value {
    json!({
        "unit": d.unit,
        "heard": d.heard,
        "position": d.position,
        "recorded": d.recorded,
        "said": d.said,
        "build": d.build,
    })
}
