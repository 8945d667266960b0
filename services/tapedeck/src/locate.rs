//! Which configuration and which tape are meant.

use crate::{
    WrongUse,
    cli::{Global, TapeUrl},
};
use anyhow::Context;
use settings::Settings;
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};
use tape::{Mode, Tape};

/// The configuration: the file named, else `tapedeck.toml` here, else what is built in.
///
/// # Errors
/// Everything that is wrong with it.
pub fn settings(global: &Global) -> anyhow::Result<Settings> {
    let here = Path::new("tapedeck.toml");
    let file = match &global.config {
        Some(file) => Some(file.as_path()),
        None => here.exists().then_some(here),
    };
    Ok(Settings::load(file)?)
}

/// An existing tape, to be read.
///
/// # Errors
/// There is none, or it cannot be read.
pub async fn reading(global: &Global, given: &TapeUrl) -> anyhow::Result<Tape> {
    let url = match &given.tape {
        Some(url) => url.clone(),
        None => url_of(&newest(&global.data_dir)?),
    };
    Tape::open(&url, Mode::Read).await.with_context(|| format!("opening {url}"))
}

/// The tape of a market, to be written.
///
/// # Errors
/// It cannot be made or opened, or another process writes on it.
pub async fn writing(global: &Global, given: Option<&str>, market: &str) -> anyhow::Result<(Tape, String)> {
    let url = match given {
        Some(url) => url.to_owned(),
        None => {
            fs::create_dir_all(&global.data_dir)
                .with_context(|| format!("making the data folder {}", global.data_dir.display()))?;
            url_of(&global.data_dir.join(format!("{}.tape", slug(market))))
        }
    };
    let tape = Tape::open(&url, Mode::Write).await.with_context(|| format!("opening {url}"))?;
    Ok((tape, url))
}

fn url_of(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

/// `recorded:candles@1f2e` as `recorded-candles-1f2e`.
fn slug(market: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '_' { c } else { '-' };
    market.chars().map(plain).collect()
}

fn newest(folder: &Path) -> anyhow::Result<PathBuf> {
    let none = || {
        WrongUse(format!(
            "there is no tape in {}: run `tapedeck up` first, or say which with --tape sqlite:PATH",
            folder.display()
        ))
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(none().into()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", folder.display())),
    };
    let mut tapes: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        if path.extension().is_some_and(|e| e == "tape") {
            tapes.push((changed(&path, &entry)?, path));
        }
    }
    let (_, path) = tapes.into_iter().max().ok_or_else(none)?;
    Ok(path)
}

/// A tape in use is changed in its write-ahead log first.
fn changed(path: &Path, entry: &fs::DirEntry) -> io::Result<SystemTime> {
    let tape = entry.metadata()?.modified()?;
    let log = fs::metadata(path.with_extension("tape-wal")).and_then(|m| m.modified());
    Ok(log.map_or(tape, |log| log.max(tape)))
}
