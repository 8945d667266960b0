//! Commands that say something on a shared tape.

use crate::{
    WrongUse,
    cli::{Global, OpenTape, Reparse, Republish, TapeUrl},
    commands::print_json,
    figures::count,
    locate, units,
};
use anyhow::Context;
use domain::UnitName;
use event_logger::{open, parse::PARSERS, reparse};
use events::{Clock, Draft, Event, Position, RepublishAsked, TapeOpened, ids};
use serde_json::{Value, json};
use std::{process::ExitCode, time::Duration};
use tape::{Commit, Head, Mode, OnConflict, Outcome, Tape};

/// What a live tape says that it records.
const LIVE: &str = "live";
/// Opening takes one commit.
const LEASE: Duration = Duration::from_secs(10);

/// # Errors
/// A tape of another kind, or one that cannot be written.
pub async fn open(global: &Global, args: OpenTape) -> anyhow::Result<ExitCode> {
    let url = global.tape_or(args.tape.tape.as_deref()).ok_or_else(|| {
        WrongUse(
            "which tape? Say --tape, or set STORE_URL, e.g. postgres://tapedeck@127.0.0.1/tapedeck"
                .to_owned(),
        )
    })?;
    let tape = locate::open(url, Mode::Write).await?;
    let was_open = tape.opened().await?.is_some();
    let opened = opened(&tape).await?;
    tape.close().await?;
    let clock = match opened.clock {
        Clock::Wall => "wall",
        Clock::Market => "market",
    };
    if global.json {
        print_json(&json!({
            "tape": opened.tape, "clock": clock, "market": opened.market, "new": !was_open,
        }))?;
    } else {
        let word = if was_open { "was open already" } else { "is open" };
        out!("tape {} {word}, on the {clock} clock, recording '{}'", opened.tape, opened.market)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The first row of a live tape, said here if the tape is empty.
///
/// # Errors
/// The tape cannot be written.
pub(super) async fn opened(tape: &Tape) -> anyhow::Result<TapeOpened> {
    if let Some(opened) = tape.opened().await? {
        return Ok(opened);
    }
    let recorder = UnitName::new(event_logger::UNIT).context("a valid name")?;
    let owner = format!("tape-open-{}", std::process::id());
    let cursor = tape.acquire(recorder, &owner, LEASE, false).await?;
    let opened = open::open_tape(tape, &cursor, LIVE).await;
    tape.release(recorder, cursor.fence).await?;
    Ok(opened?)
}

/// # Errors
/// A position that is not on the tape, or a tape that cannot be written.
pub async fn republish(global: &Global, args: Republish) -> anyhow::Result<ExitCode> {
    let tape = writing(global, &args.tape).await?;
    let Some(opened) = tape.opened().await? else {
        return Err(WrongUse("the tape is empty: there is nothing to publish".to_owned()).into());
    };
    let head = tape.head().await?;
    if args.from > head.position {
        let message = format!("--from {}: the tape ends at position {}", args.from, head.position);
        return Err(WrongUse(message).into());
    }
    let asked = RepublishAsked { from: args.from, who: units::owner().to_string() };
    let position = say(&tape, &opened, &head, asked.into()).await?;
    tape.close().await?;
    if global.json {
        print_json(&json!({ "from": args.from, "asked_at": position }))?;
    } else {
        out!("asked at position {position}: the recorder publishes everything from {} on again", args.from)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Exit code 1 if some frame cannot be read by this build either.
///
/// # Errors
/// A tape that cannot be read or written.
pub async fn reparse(global: &Global, args: Reparse) -> anyhow::Result<ExitCode> {
    let tape = writing(global, &args.tape).await?;
    let report = reparse::reparse(&tape, PARSERS, args.dry_run).await?;
    tape.close().await?;
    let mut unreadable = 0;
    let mut lines = Vec::new();
    for frame in &report.frames {
        let (outcome, words) = match &frame.outcome {
            reparse::Reading::Recorded { events, new, conflicts } => (
                json!({ "recorded": { "events": events, "new": new, "conflicts": conflicts } }),
                format!(
                    "{}, {new} of them new, {}",
                    count(*events as u64, "event"),
                    count(*conflicts as u64, "conflict")
                ),
            ),
            reparse::Reading::Readable { events } => (
                json!({ "readable": { "events": events } }),
                format!("can be read now: {}", count(*events as u64, "event")),
            ),
            reparse::Reading::Unreadable { why } => {
                unreadable += 1;
                (json!({ "unreadable": why }), format!("still cannot be read: {why}"))
            }
        };
        let (position, account, hash) = (frame.position, frame.account, frame.frame.to_string());
        lines.push(if global.json {
            json!({ "position": position, "account": account, "frame": hash, "outcome": outcome })
        } else {
            Value::String(format!(
                "position {position}  {account}  {}…  {words}",
                &hash[..12.min(hash.len())]
            ))
        });
    }
    if global.json {
        print_json(&json!({ "frames": lines }))?;
    } else if lines.is_empty() {
        out!("no frame is in quarantine")?;
    } else {
        for line in lines.iter().filter_map(Value::as_str) {
            out!("{line}")?;
        }
    }
    Ok(if unreadable == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// As [`say`], at the end of a tape that is open.
pub(super) async fn say_now(tape: &Tape, event: Event) -> anyhow::Result<Position> {
    let opened = tape.opened().await?.context("the tape is empty: nobody has opened it yet")?;
    let head = tape.head().await?;
    say(tape, &opened, &head, event).await
}

/// What the owner says; where it stands. The same said again before anything else happened is said once; a fact of
/// the world is said once whatever happened.
pub(super) async fn say(
    tape: &Tape,
    opened: &TapeOpened,
    head: &Head,
    event: Event,
) -> anyhow::Result<Position> {
    let said_here =
        || ids::fact(opened.tape, event.kind().name(), &format!("{}/{}", head.position, event.body()));
    let id = ids::of_fact(opened.tape, &event).unwrap_or_else(said_here);
    let draft = Draft::new(id, units::owner(), None, head.recorded_at, &event);
    let entry = replica::entry(opened.clock, draft, head.recorded_at);
    let commit = Commit { on_conflict: OnConflict::Report, ..Commit::new(vec![entry]) };
    match tape.append(commit).await?.outcomes.first().copied() {
        Some(Outcome::Conflict(position)) => {
            anyhow::bail!("it was said already, in other words, at position {position}")
        }
        outcome => Ok(outcome.map_or(0, Outcome::position)),
    }
}

/// An existing tape, found as by the commands that only look at it.
async fn writing(global: &Global, given: &TapeUrl) -> anyhow::Result<Tape> {
    locate::open(&locate::existing(global, given)?, Mode::Write).await
}
