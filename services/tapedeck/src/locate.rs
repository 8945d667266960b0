//! Which configuration and which tape are meant.

use crate::{
    WrongUse,
    cli::{Global, TapeUrl},
    control,
};
use anyhow::Context;
use domain::Timestamp;
use market_data::MarketSpec;
use settings::Settings;
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};
use tape::{Mode, OpenError, Tape};

/// The configuration: the file named, else `tapedeck.toml` here, else what is built in.
///
/// # Errors
/// Everything that is wrong with it.
pub fn settings(global: &Global) -> anyhow::Result<Settings> {
    let here = Path::new("tapedeck.toml");
    let file = match global.config() {
        Some(file) => Some(file),
        None => here.exists().then_some(here),
    };
    Ok(Settings::load(file, crate::units::EDGES)?)
}

/// An existing tape, to be read.
///
/// # Errors
/// There is none, or it cannot be read.
pub async fn reading(global: &Global, given: &TapeUrl) -> anyhow::Result<Tape> {
    open(&existing(global, given)?, Mode::Read).await
}

/// The address of an existing tape: the one that was asked for, else the newest of the data folder.
///
/// # Errors
/// There is none.
pub fn existing(global: &Global, given: &TapeUrl) -> anyhow::Result<String> {
    match global.tape(given) {
        Some(url) => Ok(url.to_owned()),
        None => Ok(url_of(&newest(global.data_dir())?)),
    }
}

/// The address of the tape that a command is for: as [`existing`], but one that an `up` has for itself goes first.
///
/// # Errors
/// There is none, or more than one is running.
pub fn commanded(global: &Global, given: &TapeUrl) -> anyhow::Result<String> {
    if global.tape(given).is_some() {
        return existing(global, given);
    }
    let mut urls: Vec<String> = tapes(global.data_dir())?.iter().map(|(_, path)| url_of(path)).collect();
    urls.retain(|url| control::listens(&control::file(url, global.data_dir(), events::Uuid::nil())));
    urls.sort();
    match &urls[..] {
        [] => existing(global, given),
        [url] => Ok(url.clone()),
        several => Err(WrongUse(format!(
            "{} tapes are running: say which is meant, --tape {}",
            several.len(),
            several.join(" or --tape ")
        ))
        .into()),
    }
}

/// An address without what may be a secret in it.
pub fn shown(url: &str) -> &str {
    match url.split_once(':') {
        Some(("sqlite", path)) => path,
        _ => "in the database",
    }
}

/// The tape at an address.
///
/// # Errors
/// No address of a tape, or one that cannot be opened.
pub async fn open(url: &str, mode: Mode) -> anyhow::Result<Tape> {
    match url.split_once(':') {
        Some(("sqlite" | "memory" | "postgres" | "postgresql", _)) => {}
        // The rest of it may hold a password.
        Some((scheme, _)) => {
            let message =
                format!("--tape {scheme}:…: write sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE");
            return Err(WrongUse(message).into());
        }
        None => return Err(WrongUse(format!("--tape {url}: write sqlite:{url}")).into()),
    }
    Tape::open(url, mode).await.map_err(|error| match error {
        OpenError::Url { .. } | OpenError::Missing { .. } | OpenError::MemoryRead => {
            WrongUse(error.to_string()).into()
        }
        other => anyhow::Error::from(other).context(match url.split_once(':') {
            Some(("sqlite", _)) => format!("opening {url}"),
            _ => "opening the tape".to_owned(),
        }),
    })
}

/// The market to be played, from and to these times.
///
/// # Errors
/// Candles that are missing or malformed; times between which nothing lies.
pub fn market(
    spec: &MarketSpec,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> anyhow::Result<market_data::Opened> {
    if let MarketSpec::Recorded(path) = spec {
        must_exist(path)?;
    }
    let market = market_data::open(spec).context("opening the market")?;
    let wrong = match (from, to) {
        (Some(from), Some(to)) if from >= to => format!("--from {from} is not before --to {to}"),
        (Some(from), _) if from >= market.last => {
            format!("--from {from}: the market ends at {}", market.last)
        }
        (_, Some(to)) if to <= market.first => format!("--to {to}: the market begins at {}", market.first),
        _ => return Ok(market),
    };
    Err(WrongUse(wrong).into())
}

/// A file to be read.
///
/// # Errors
/// There is none, or it cannot be opened.
pub fn file(path: &Path) -> anyhow::Result<fs::File> {
    must_exist(path)?;
    fs::File::open(path).with_context(|| format!("opening {}", path.display()))
}

fn must_exist(path: &Path) -> Result<(), WrongUse> {
    match path.try_exists() {
        Ok(false) => Err(WrongUse(format!("{}: there is no such file or folder", path.display()))),
        // What else is wrong with it shows when it is opened.
        Ok(true) | Err(_) => Ok(()),
    }
}

/// The file of a tape on which nothing was when it was opened for a run: it goes again if the run is refused.
pub struct Made(Option<PathBuf>);

impl Made {
    /// The run has begun.
    pub fn stays(mut self) {
        self.0 = None;
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let Some(path) = &self.0 else { return };
        for end in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{end}", path.display()));
        }
    }
}

/// The tape of a market, to be written.
///
/// # Errors
/// It cannot be made or opened, or another process writes on it.
pub async fn writing(
    global: &Global,
    given: Option<&str>,
    market: &str,
) -> anyhow::Result<(Tape, String, Made)> {
    let url = match given {
        Some(url) => url.to_owned(),
        None => {
            let folder = global.data_dir();
            fs::create_dir_all(folder)
                .with_context(|| format!("making the data folder {}", folder.display()))?;
            url_of(&folder.join(format!("{}.tape", slug(market))))
        }
    };
    let tape = open(&url, Mode::Write).await?;
    // Nobody else can write on it: whoever has it open to write has its lock.
    let is_new = tape.head().await?.position == 0;
    let made = Made(url.strip_prefix("sqlite:").filter(|_| is_new).map(PathBuf::from));
    Ok((tape, url, made))
}

/// Where the paper exchange of a tape writes its inputs down: beside a tape that is a file, else in the
/// data folder.
///
/// # Errors
/// The data folder cannot be made.
pub fn journal(global: &Global, url: &str, tape: events::Uuid) -> anyhow::Result<PathBuf> {
    if let Some(("sqlite", path)) = url.split_once(':') {
        return Ok(PathBuf::from(format!("{path}.exchange")));
    }
    let folder = global.data_dir();
    fs::create_dir_all(folder).with_context(|| format!("making the data folder {}", folder.display()))?;
    Ok(folder.join(format!("{tape}.exchange")))
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
    Ok(tapes(folder)?.into_iter().max().map(|(_, path)| path).unwrap_or_default())
}

/// At least one.
fn tapes(folder: &Path) -> anyhow::Result<Vec<(SystemTime, PathBuf)>> {
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
    if tapes.is_empty() { Err(none().into()) } else { Ok(tapes) }
}

/// A tape in use is changed in its write-ahead log first.
fn changed(path: &Path, entry: &fs::DirEntry) -> io::Result<SystemTime> {
    let tape = entry.metadata()?.modified()?;
    let log = fs::metadata(path.with_extension("tape-wal")).and_then(|m| m.modified());
    Ok(log.map_or(tape, |log| log.max(tape)))
}
