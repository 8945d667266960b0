//! `tapedeck doctor`: what is wrong, and how to mend it.

use crate::{
    cli::{Doctor, Global},
    commands::print_json,
    data_quality::{self, Asked, Candles, DataQuality, Known},
    figures::count,
    locate,
    projections::{
        self,
        books::{Books, Verdict, never_compared},
        trading::Trading,
    },
    start, units, venue,
};
use domain::{Account, Timestamp};
use events::{Clock, Position, TapeOpened};
use market_data::{MarketSpec, Opened, Quality};
use runtime::distributed::machine_clock;
use serde::Serialize;
use settings::{AccountSettings, Mode, Settings};
use std::{
    fs, io,
    path::Path,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};
use tape::Tape;

#[derive(Serialize)]
struct Finding {
    about: &'static str,
    state: State,
    found: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Well,
    Note,
    Wrong,
}

/// # Errors
/// None that is not a finding, but for output that cannot be written.
pub async fn run(global: &Global, args: Doctor) -> anyhow::Result<ExitCode> {
    let mut findings = vec![configuration(global), clock(), folder(global.data_dir())];
    let opened = locate::reading(global, &args.tape).await;
    findings.extend(accounts(global, opened.as_ref().ok()).await);
    findings.extend(tape(global, &args, opened).await);
    let mut of_candles = None;
    if let Some(url) = &global.environment.bus_url {
        findings.extend(broker(url.reveal()).await);
    }
    if let Some(path) = &args.candles {
        let (found, data) = candles(global, path);
        findings.extend(found);
        of_candles = data;
    }
    let ill = findings.iter().any(|f| f.state == State::Wrong);
    if global.json {
        let mut told = serde_json::json!({ "ok": !ill, "findings": findings });
        if let Some(data) = of_candles {
            told["candles"] = serde_json::to_value(data)?;
        }
        print_json(&told)?;
    } else {
        for finding in &findings {
            let mark = match finding.state {
                State::Well => "well ",
                State::Note => "note ",
                State::Wrong => "WRONG",
            };
            out!(
                "{mark}  {:<14} {}",
                finding.about,
                finding.found.replace('\n', "\n                      ")
            )?;
        }
    }
    Ok(if ill { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn finding(about: &'static str, state: State, found: impl Into<String>) -> Finding {
    Finding { about, state, found: found.into() }
}

fn configuration(global: &Global) -> Finding {
    let units = |settings: Settings| units::at(&settings, venue::of(&settings).as_deref());
    match locate::settings(global).and_then(units) {
        Ok(units) => finding(
            "configuration",
            State::Well,
            format!("read; {} to run", count(units.len() as u64, "unit")),
        ),
        Err(error) => finding("configuration", State::Wrong, format!("{error:#}")),
    }
}

/// Each account in use: a live one is asked for at its venue, as a start does before it sends anything.
async fn accounts(global: &Global, tape: Option<&Tape>) -> Vec<Finding> {
    // What is wrong with the configuration is a finding of its own.
    let Ok(settings) = locate::settings(global) else { return Vec::new() };
    let (mut found, mut known) = (Vec::new(), Vec::new());
    for AccountSettings { account, mode, .. } in settings.trading() {
        match mode {
            Mode::Paper { balances } => {
                let owned = start::amounts(balances);
                found.push(finding(
                    "account",
                    State::Well,
                    format!("{account}: on paper, begins with {owned}"),
                ));
            }
            Mode::Live(live) => {
                match venue::examine(*account, live, &global.environment, global.data_dir()).await {
                    Ok(identity) => known.push((*account, &**live, identity)),
                    Err(error) => found.push(finding("account", State::Wrong, format!("{error:#}"))),
                }
            }
        }
    }
    let refused = match venue::refusals(&known, tape).await {
        Ok(refused) => refused,
        Err(error) => {
            found.push(finding("account", State::Wrong, format!("{error:#}")));
            return found;
        }
    };
    found.extend(known.iter().map(|(account, live, identity)| match refused.get(account) {
        Some(why) => finding("account", State::Wrong, why),
        None => finding(
            "account",
            State::Well,
            format!(
                "{account}: live, the venue's account {} at {}",
                identity.account,
                venue::address(live, &global.environment)
            ),
        ),
    }));
    found
}

/// Whether a start under this configuration would go on with the tape: at the venue of its live accounts.
async fn starts(global: &Global, tape: &Tape) -> Vec<Finding> {
    let Ok(settings) = locate::settings(global) else { return Vec::new() };
    match start::examine(tape, &settings, venue::of(&settings).as_deref()).await {
        Ok(start::Findings { refused, told }) if refused.is_empty() && told.is_empty() => {
            vec![finding("start", State::Well, "this configuration goes on with the tape")]
        }
        Ok(start::Findings { refused, told }) => {
            let refused = refused.into_iter().map(|words| finding("start", State::Wrong, words));
            refused.chain(told.into_iter().map(|words| finding("start", State::Note, words))).collect()
        }
        Err(error) => vec![finding("start", State::Wrong, format!("{error:#}"))],
    }
}

/// Signed requests and every record depend on it. 2024-01-01 is before this program was written.
fn clock() -> Finding {
    const WRITTEN: u64 = 1_704_067_200;
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(now) if now.as_secs() >= WRITTEN => {
            let micros = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
            let now = domain::Timestamp::from_millis(micros / 1_000);
            finding("clock", State::Well, format!("{now} (UTC); keep it synchronised, e.g. with chrony"))
        }
        Ok(_) | Err(_) => {
            finding("clock", State::Wrong, "lies in the past: set it, e.g. with chrony or timedatectl")
        }
    }
}

fn folder(path: &Path) -> Finding {
    let probe = path.join(".probe");
    let written = fs::create_dir_all(path)
        .and_then(|()| fs::write(&probe, b"x"))
        .and_then(|()| fs::remove_file(&probe));
    match written {
        Ok(()) => finding("data folder", State::Well, format!("{} can be written to", path.display())),
        Err(error) => finding(
            "data folder",
            State::Wrong,
            format!("{}: {error}; {}", path.display(), remedy(error.kind())),
        ),
    }
}

/// What helps where a folder cannot be written to.
fn remedy(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "make room, or choose another folder with --data-dir"
        }
        io::ErrorKind::PermissionDenied => {
            "give this user the right to write there, or choose another folder with --data-dir"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "the file system is mounted read-only: choose a folder elsewhere with --data-dir"
        }
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            "a file stands where the folder should be: move it away, or choose another with --data-dir"
        }
        _ => "choose another folder with --data-dir",
    }
}

async fn tape(global: &Global, args: &Doctor, opened: anyhow::Result<Tape>) -> Vec<Finding> {
    let url = locate::existing(global, &args.tape).unwrap_or_default();
    let url = locate::shown(&url);
    let tape = match opened {
        Ok(tape) => tape,
        Err(error) if global.tape(&args.tape).is_none() && error.is::<crate::WrongUse>() => {
            return vec![finding("tape", State::Note, "none yet: `tapedeck up` makes one")];
        }
        Err(error) => return vec![finding("tape", State::Wrong, format!("{error:#}"))],
    };
    match tape::verify::verify_chain(&tape, |_, _| {}).await {
        Ok(head) => {
            let mut found = vec![finding(
                "tape",
                State::Well,
                format!("{url}: whole, {}, until {}", count(head.position, "event"), head.recorded_at),
            )];
            found.extend(beside(&tape).await);
            found.extend(starts(global, &tape).await);
            found.extend(trading(&tape, head.recorded_at).await);
            found.extend(books(&tape, head.recorded_at).await);
            found
        }
        Err(error) => {
            vec![finding("tape", State::Wrong, format!("{error}; restore it from a backup or an export"))]
        }
    }
}

/// Whether trading is restricted, at the tape's time.
async fn trading(tape: &Tape, now: domain::Timestamp) -> Vec<Finding> {
    match projections::read::<Trading>(tape, Position::MAX).await.map(|trading| trading.lines(now)) {
        Ok(lines) if lines.is_empty() => {
            vec![finding("trading", State::Well, "active on all accounts")]
        }
        Ok(lines) => lines.into_iter().map(|line| finding("trading", State::Note, line)).collect(),
        Err(error) => vec![finding("trading", State::Wrong, format!("{error:#}"))],
    }
}

/// Whether the books of live accounts were the venue's when they were compared last.
async fn books(tape: &Tape, head: Timestamp) -> Vec<Finding> {
    let is_played = matches!(tape.opened().await, Ok(Some(TapeOpened { clock: Clock::Market, .. })));
    let now = if is_played { head } else { machine_clock() };
    let books = match projections::read::<Books>(tape, Position::MAX).await {
        Ok(books) => books,
        Err(error) => return vec![finding("books", State::Wrong, format!("{error:#}"))],
    };
    let told = |(account, verdict): (&Account, &Option<Verdict>)| match verdict {
        None => finding("books", State::Note, never_compared(account)),
        Some(verdict) => {
            let state = if verdict.differences.is_empty() { State::Well } else { State::Wrong };
            finding("books", state, verdict.words(now))
        }
    };
    books.verdicts.iter().map(told).collect()
}

/// What lies beside the events. `verify` also compares each snapshot with the state that it computes.
async fn beside(tape: &Tape) -> Vec<Finding> {
    let mut found = Vec::new();
    match tape.found_snapshots().await {
        Ok(stored) => {
            let unsound = stored.iter().filter_map(super::verify::unsound);
            found.extend(unsound.map(|why| finding("snapshots", State::Wrong, why)));
        }
        Err(error) => found.push(finding("snapshots", State::Wrong, error.to_string())),
    }
    match tape::verify::check_cursors(tape).await {
        Ok(wrong) => found.extend(wrong.into_iter().map(|why| finding("cursors", State::Wrong, why))),
        Err(error) => found.push(finding("cursors", State::Wrong, error.to_string())),
    }
    match tape::verify::check_frames(tape).await {
        Ok((_, changed)) => found.extend(
            changed.iter().map(|hash| finding("frames", State::Wrong, super::verify::changed_frame(hash))),
        ),
        Err(error) => found.push(finding("frames", State::Wrong, error.to_string())),
    }
    found
}

async fn broker(url: &str) -> Vec<Finding> {
    match bus::topology::check(url).await {
        Ok(found) if found.problems.is_empty() => {
            vec![finding("broker", State::Well, "reached; exchanges and queues are as they should be")]
        }
        Ok(found) => {
            let wrong = |problem: &bus::topology::Problem| {
                let remedy = super::topology::remedy(problem);
                finding("broker", State::Wrong, format!("{problem}: {remedy}"))
            };
            found.problems.iter().map(wrong).collect()
        }
        Err(error) => vec![finding("broker", State::Wrong, error.to_string())],
    }
}

/// With them, the figures of the same name as in a summary, unless the market cannot be read.
fn candles(global: &Global, path: &Path) -> (Vec<Finding>, Option<DataQuality>) {
    let market = match market_data::open(&MarketSpec::Recorded(path.to_owned())) {
        Ok(market) => market,
        Err(error) => return (vec![finding("candles", State::Wrong, error.to_string())], None),
    };
    let (series, instruments) = (market.series.len(), market.rules.len());
    let mut found = vec![finding(
        "candles",
        State::Well,
        format!(
            "{}: {series} series of {}",
            count(market.candles, "candle"),
            count(instruments as u64, "instrument")
        ),
    )];
    found.extend(market.quality.iter().filter_map(of_series));
    found.extend(heard(global, &market));
    let note = |words: String| finding("candles", State::Note, words);
    found.extend(data_quality::ends(&market, Asked::default()).into_iter().map(note));
    found.extend(data_quality::unused(&market).map(note));
    let others: Vec<_> =
        market.ignored.iter().filter(|i| i.why.is_none()).map(|i| i.path.display().to_string()).collect();
    if !others.is_empty() {
        found.push(note(format!("not used: {}", others.join(", "))));
    }
    found.extend(market.assumed.iter().map(|(file, words)| note(format!("{}: {words}", file.display()))));
    found.extend(market_data::quality::told_of_inferred(&market.inferred).map(note));
    (found, Some(Candles::of(&market, known(global, &market)).told()))
}

/// What a run under this configuration would know of the files.
fn known(global: &Global, market: &Opened) -> Known {
    // What is wrong with the configuration is a finding of its own.
    let settings = locate::settings(global).ok();
    let unheard = settings.as_ref().map(|settings| data_quality::unheard(settings, &market.series));
    Known::of(settings.as_ref(), market, Asked::default(), unheard.unwrap_or_default())
}

/// Exchanges have short pauses of their own: what little is missing for them is no fault of the files.
fn of_series(quality: &Quality) -> Option<Finding> {
    const TOLERATED: u64 = 100;
    let (refused, missing) = (quality.tally.refused(), quality.tally.missing.max(quality.left_out.all()));
    if quality.words().is_empty() {
        return None;
    }
    let much = missing * TOLERATED > quality.tally.heard + missing;
    let state = if refused > 0 || much { State::Wrong } else { State::Note };
    let remedy = match state {
        State::Wrong if refused > 0 => "; mend the file, or fetch it again",
        State::Wrong => "; fetch what is missing",
        State::Well | State::Note => "",
    };
    Some(finding("candles", state, format!("{}: {}{remedy}", quality.name(), quality.words())))
}

/// Whether the edges of the configuration hear anything of this market.
fn heard(global: &Global, market: &Opened) -> Vec<Finding> {
    // What is wrong with the configuration is a finding of its own.
    let Ok(settings) = locate::settings(global) else { return Vec::new() };
    let unheard = data_quality::unheard(&settings, &market.series);
    let deaf = unheard.iter().filter(|unheard| unheard.is_deaf).count();
    let all = deaf > 0 && deaf == data_quality::judging(&settings).len();
    let state = if all { State::Wrong } else { State::Note };
    let mut found: Vec<Finding> = unheard.into_iter().map(|u| finding("candles", state, u.words)).collect();
    if let Err(error) = units::check_accounts(&settings, market.rules.keys()) {
        found.push(finding("candles", State::Wrong, error.to_string()));
    }
    match data_quality::quotes(&settings, market) {
        Ok(others) => found.extend(others.map(|words| finding("candles", State::Note, words))),
        Err(error) => found.push(finding("candles", State::Wrong, error.to_string())),
    }
    found
}
