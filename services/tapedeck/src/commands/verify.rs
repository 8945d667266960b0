//! `tapedeck verify`: the hash chain, what lies beside it, then every core over its inputs again.
//!
//! Beside the chain lie frames, which must have the hash that they are kept under, snapshots, which must
//! be the states that the walk along the tape makes, and cursors, which must stand behind what their units
//! have answered.

use crate::{
    cli::{Global, OnTape},
    commands::{print_json, progress},
    locate, units,
};
use runtime::recover::{self, Plan};
use serde_json::json;
use service::{Checkpoint, Difference, Walk};
use std::process::ExitCode;
use tape::{Found, Snapshot, verify::VerifyError};

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
    let (frames, changed) = tape::verify::check_frames(&tape).await?;
    let found = tape.found_snapshots().await?;
    let mut beside: Vec<String> = changed.iter().map(|hash| changed_frame(hash)).collect();
    beside.extend(found.iter().filter_map(unsound));
    beside.extend(tape::verify::check_cursors(&tape).await?);
    let checkpoints: Vec<Checkpoint> = found.iter().filter_map(comparable).collect();
    bar.set_position(0);
    bar.set_message("cores");
    let hosts = units::of_tape(&tape).await?;
    let plan = Plan {
        build: units::BUILD,
        walk: Walk::Verify,
        snapshots: false,
        until: Some(head.position),
        learn: &[],
        checkpoints: &checkpoints,
    };
    let walked = recover::follow(&tape, hosts, None, &plan, |event| {
        if event.position % 1_024 == 0 {
            bar.set_position(event.position);
        }
    })
    .await?;
    bar.finish_and_clear();
    beside.extend(walked.departures.iter().map(|departure| format!("{departure}; {REMEDY}")));
    for unit in &walked.units {
        if let Some(position) = unit.unmatched {
            let unit = unit.host.unit();
            beside.push(format!(
                "the cursor of {unit} was changed: it stands before what {unit} answered at position {position}; restore the tape from a copy"
            ));
        }
    }
    // Another build may well decide otherwise: that is worth knowing, and no damage.
    let ours = |d: &&Difference| d.build.as_deref().is_none_or(|b| b == units::BUILD);
    let first = walked.differences.iter().find(ours);
    let others: Vec<_> = walked.differences.iter().filter(|d| !ours(d)).collect();
    if global.json {
        print_json(&json!({
            "ok": first.is_none() && beside.is_empty(),
            "head": super::tape::head_json(&head),
            "units": walked.units.iter().map(|u| u.host.unit()).collect::<Vec<_>>(),
            "frames": frames,
            "snapshots": found.len(),
            "beside": beside,
            "difference": first.map(difference_json),
            "other_builds": others.iter().map(|d| difference_json(d)).collect::<Vec<_>>(),
        }))?;
    } else {
        out!("chain   {} events, whole, head {}", head.position, super::tape::hex(&head.hash))?;
        match first {
            None => out!("cores   {} units say the same again", walked.units.len())?,
            Some(difference) => out!("cores   DIFFERENCE: {difference}")?,
        }
        for wrong in &beside {
            out!("beside  WRONG: {wrong}")?;
        }
        if beside.is_empty() {
            out!(
                "beside  {} and {} as they were written",
                count(found.len() as u64, "snapshot"),
                count(frames, "frame")
            )?;
        }
        for difference in others {
            let build = difference.build.as_deref().unwrap_or("unknown");
            out!("note    recorded by build {build}: {difference}")?;
        }
    }
    Ok(if first.is_none() && beside.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What to do about a snapshot that is not what was written.
const REMEDY: &str =
    "no event is wrong, and the next start makes the state of the tape; find out who changed it";

/// `doctor` says so, too.
pub(super) fn changed_frame(hash: &str) -> String {
    format!("the frame {hash} was changed: restore it from a copy; what was read from it is on the tape")
}

/// Why a stored snapshot is not what was written. `doctor` says so, too.
pub(super) fn unsound(found: &Found) -> Option<String> {
    let why = found.snapshot.as_ref().err()?;
    let Found { unit, position, .. } = found;
    Some(format!("the snapshot of {unit} at position {position} was changed: {why}; {REMEDY}"))
}

/// Another build's state may look different and be right.
fn comparable(found: &Found) -> Option<Checkpoint> {
    let Snapshot { unit, position, tag, state } = found.snapshot.as_ref().ok()?;
    let ours = tag.strip_prefix(units::BUILD).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    ours.then(|| Checkpoint { unit: *unit, position: *position, state: state.clone() })
}

fn count(n: impl Into<u64>, what: &str) -> String {
    let n = n.into();
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
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
