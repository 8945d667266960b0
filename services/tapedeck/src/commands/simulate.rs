//! `tapedeck simulate`: the whole engine under faults, seed by seed.

use crate::{
    cli::{Global, Simulate},
    commands::{print_json, progress},
    simulate::{self, Report},
};
use serde_json::json;
use std::{
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// # Errors
/// None that is not a broken promise, but for output that cannot be written.
pub fn run(global: &Global, args: &Simulate) -> anyhow::Result<ExitCode> {
    let (from, count) = args.seed.map_or((args.from, args.seeds), |seed| (seed, 1));
    let bar = progress(count, "seeds", global.json);
    let next = AtomicU64::new(from);
    let total = Mutex::new(Report::default());
    let broken: Mutex<Vec<(u64, String)>> = Mutex::new(Vec::new());
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + count {
                        break;
                    }
                    match simulate::run(seed) {
                        Ok(report) => total.lock().unwrap_or_else(PoisonError::into_inner).add(&report),
                        Err(why) => broken.lock().unwrap_or_else(PoisonError::into_inner).push((seed, why)),
                    }
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let total = total.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut broken = broken.into_inner().unwrap_or_else(PoisonError::into_inner);
    broken.sort();
    if global.json {
        let failures: Vec<_> = broken.iter().map(|(seed, why)| json!({ "seed": seed, "why": why })).collect();
        print_json(&json!({ "seeds": count, "met": total, "broken": failures }))?;
    } else {
        out!("{}: {total}", crate::figures::count(count, "seed"))?;
        for (seed, why) in &broken {
            out!("BROKEN by seed {seed}: {why}")?;
            if args.seed.is_none() {
                out!("       run it again with: tapedeck simulate --seed {seed}")?;
            }
        }
        if args.seed.is_some() && !broken.is_empty() {
            for line in simulate::story(from) {
                out!("{line}")?;
            }
        }
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
