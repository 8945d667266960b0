//! What a start on a tape refuses, and what it tells of: `up`, `run` and `backtest` ask before anything is sent, `doctor`
//! asks the same.

use crate::{WrongUse, scan, units, venue};
use domain::{Account, Asset, Decimal, EdgeName, Instrument, TradeId};
use events::{Event, Kind, Position, TradeEvent, TradeSized, UnitEvent};
use market_data::Series;
use portfolio_tracker::PortfolioTracker;
use service::{Host, Service};
use settings::Settings;
use std::collections::BTreeMap;
use tape::Tape;
use trade_abstraction::gateway::Gateway;
use venue_paper::VenuePaper;

/// Of the tape, read at once.
const ROWS: usize = 1_000;

/// Each with its remedy.
#[derive(Default)]
pub struct Findings {
    pub refused: Vec<String>,
    /// What may surprise, and stops nobody.
    pub told: Vec<String>,
}

/// Goes on with a tape, or does not. `venue` is `None` where no real one is traded at.
///
/// # Errors
/// What [`examine`] finds refused; the tape cannot be read.
pub async fn check(tape: &Tape, settings: &Settings, venue: Option<&str>) -> anyhow::Result<()> {
    let Findings { refused, told } = examine(tape, settings, venue).await?;
    told.iter().for_each(|words| tracing::warn!("{words}"));
    if refused.is_empty() { Ok(()) } else { Err(WrongUse(refused.join("\n")).into()) }
}

/// What was begun on a tape goes on where it was begun: an account's orders and balances are its venue's, a unit's
/// state is its core's, and every open trade is looked after.
///
/// # Errors
/// A configuration that a unit cannot run under; the tape cannot be read.
pub async fn examine(tape: &Tape, settings: &Settings, venue: Option<&str>) -> anyhow::Result<Findings> {
    let mut found = Findings::default();
    let mut began: Option<Option<String>> = None;
    let mut valued: Option<Asset> = None;
    let mut paper: BTreeMap<Account, Vec<(Position, Balances)>> = BTreeMap::new();
    let mut others: BTreeMap<_, String> = BTreeMap::new();
    let hosts = units::at(settings, venue)?;
    for row in tape.of_kind(Kind::UnitStarted).await? {
        let Event::Unit(UnitEvent::Started(started)) = row.decode()?.event else { continue };
        let now = hosts.iter().find(|host| host.unit() == started.unit).map(Host::core_name);
        if let Some(now) = now.filter(|now| *now != started.core) {
            others.insert(started.unit, format!(
                "the unit {} is of the core '{}' on this tape, and of '{now}' by the configuration: an edge of another kind needs another name in tapedeck.toml, or choose another tape with --tape",
                started.unit, started.core
            ));
        } else if started.core == VenuePaper::CORE {
            let then: venue_paper::Config = serde_json::from_value(started.config)?;
            paper.entry(then.account).or_default().push((row.position, then.balances));
        } else if started.core == PortfolioTracker::CORE && valued.is_none() {
            let then: portfolio_tracker::Config = serde_json::from_value(started.config)?;
            valued = Some(then.quote);
        } else if started.core == Gateway::CORE && began.is_none() {
            began = Some(started.config["venue"].as_str().map(str::to_owned));
        }
    }
    found.refused.extend(others.into_values());
    if let Some(then) = valued.filter(|then| *then != settings.quote) {
        found.refused.push(format!(
            "the figures of this tape are in {then}, and quote = \"{}\" in tapedeck.toml: write quote = \"{then}\", or choose another tape with --tape",
            settings.quote
        ));
    }
    for (account, starts) in paper {
        on_paper(tape, settings, venue, account, &starts, &mut found).await?;
    }
    for of in settings.trading().filter(|of| units::is_played(of, venue)) {
        if let Some((_, then)) = venue::last(tape, of.account).await? {
            found.refused.push(format!(
                "this tape trades {account} for real (the venue's account {venue}), and the account is on paper now: its orders at the venue would be forgotten; write mode = \"live\", or choose another tape with --tape",
                account = of.account,
                venue = then.venue_account,
            ));
        }
    }
    if let Some(began) = began.filter(|began| began.as_deref() != venue) {
        let name = |venue: Option<&str>| venue.unwrap_or("venue-paper").to_owned();
        found.refused.push(format!(
            "this tape trades at {}, and this configuration at {}: choose another tape with --tape, or say --venue {} in every process",
            name(began.as_deref()),
            name(venue),
            name(began.as_deref())
        ));
    }
    attended(tape, settings, &mut found).await?;
    Ok(found)
}

type Balances = BTreeMap<Asset, Decimal>;

/// An account that the tape trades on paper. `starts`: under which balances its unit has started, and where.
async fn on_paper(
    tape: &Tape,
    settings: &Settings,
    venue: Option<&str>,
    account: Account,
    starts: &[(Position, Balances)],
    found: &mut Findings,
) -> anyhow::Result<()> {
    let Some(now) = settings.trading().find(|of| of.account == account) else {
        let now: Vec<String> = settings.trading().map(|of| of.account.to_string()).collect();
        found.refused.push(format!(
            "this tape trades the account {account}, the configuration says {}: name that account in an edge (with enabled = false it makes no trade), or choose another tape with --tape",
            now.join(", ")
        ));
        return Ok(());
    };
    if !units::is_played(now, venue) {
        found.refused.push(format!(
            "this tape trades {account} on paper, and the account is live now: choose another tape with --tape, or give real money an account of its own",
        ));
        return Ok(());
    }
    let now = units::paper(settings, account)?.balances;
    if starts.iter().any(|(_, then)| *then != now)
        && let Some(then) = began_with(tape, account, starts).await?.filter(|then| **then != now)
    {
        found.told.push(format!(
            "{account} began on this tape with {}, and the configuration says {}: the tape's figures stand, for money is not added afterwards; to begin with other money choose another tape with --tape",
            amounts(then),
            amounts(&now)
        ));
    }
    Ok(())
}

/// Those of its unit's configuration when it first told them; `None` if it has not yet.
async fn began_with<'a>(
    tape: &Tape,
    account: Account,
    starts: &'a [(Position, Balances)],
) -> anyhow::Result<Option<&'a Balances>> {
    let (subjects, mut after) = (format!("balance:{account}:"), 0);
    loop {
        let rows = tape.of_kind_after(Kind::BalanceChanged, after, ROWS).await?;
        if let Some(first) = rows.iter().find(|row| row.draft.subject.starts_with(&subjects)) {
            return Ok(starts.iter().rev().find(|(at, _)| *at < first.position).map(|(_, then)| then));
        }
        match rows.last() {
            Some(last) if rows.len() == ROWS => after = last.position,
            Some(_) | None => return Ok(None),
        }
    }
}

/// `10000 USDT, 1 BTC`.
pub fn amounts(balances: &Balances) -> String {
    let amounts: Vec<_> = balances.iter().map(|(asset, amount)| format!("{amount} {asset}")).collect();
    if amounts.is_empty() { "nothing".to_owned() } else { amounts.join(", ") }
}

struct Open {
    account: Account,
    instrument: Instrument,
    edge: EdgeName,
}

async fn open_trades(tape: &Tape) -> anyhow::Result<BTreeMap<TradeId, Open>> {
    let mut open = BTreeMap::new();
    scan::kinds(tape, &[Kind::TradeSized, Kind::TradeAborted, Kind::TradeClosed], u64::MAX, |row| match &row
        .event
    {
        Event::Trade(TradeEvent::Sized(sized)) => {
            let TradeSized { account, instrument, edge, .. } = *sized;
            open.insert(sized.trade, Open { account, instrument, edge });
        }
        Event::Trade(TradeEvent::Aborted(aborted)) => _ = open.remove(&aborted.trade),
        Event::Trade(TradeEvent::Closed(closed)) => _ = open.remove(&closed.trade),
        _ => {}
    })
    .await?;
    Ok(open)
}

/// Every trade that is open on the tape is looked after: its account is in use, and its edge still on it and able to
/// end it.
async fn attended(tape: &Tape, settings: &Settings, found: &mut Findings) -> anyhow::Result<()> {
    for (trade, Open { account, instrument, edge }) in open_trades(tape).await? {
        if settings.trading().all(|of| of.account != account) {
            found.refused.push(format!(
                "trade {trade} is open on this tape, and no edge of the configuration is on {account}: nobody would look after it; name the account in an edge (with enabled = false it makes no trade)"
            ));
            continue;
        }
        let why = match settings.edges.iter().find(|of| of.name == edge) {
            Some(of) if of.account != account => {
                found.refused.push(format!(
                    "trade {trade} of {edge} is open on {account}, and {edge} is on {} now: its signals would not end it; leave the edge where it is until `tapedeck close {trade}` has ended it, or give the new account an edge of its own",
                    of.account
                ));
                continue;
            }
            Some(of) if !of.enabled => format!("{edge} does not run"),
            None => format!("{edge} does not run"),
            Some(of) if of.signals.is_none() => format!("nothing here gives the signals of {edge}"),
            Some(of) if of.instruments.as_ref().is_some_and(|all| !all.contains(&instrument)) => {
                format!("instruments of [edges.{edge}] in tapedeck.toml lacks {}", instrument.symbol)
            }
            Some(_) => continue,
        };
        found.told.push(unattended(trade, account, &why));
    }
    Ok(())
}

fn unattended(trade: TradeId, account: Account, why: &str) -> String {
    format!(
        "trade {trade} is open on {account} and {why}: its stop protects it, and no signal ends it; `tapedeck close {trade}` does"
    )
}

/// The open trades that no signal ends on a market of these series, since their edges hear no candles of their
/// instruments there.
///
/// # Errors
/// The tape cannot be read.
pub async fn unheard(tape: &Tape, settings: &Settings, series: &[Series]) -> anyhow::Result<Vec<String>> {
    let mut told = Vec::new();
    for (trade, Open { account, instrument, edge }) in open_trades(tape).await? {
        let of = settings.enabled().find(|of| of.name == edge);
        let Some(wants) = of.and_then(|of| of.signals.as_ref()).map(|signals| &signals.wants) else {
            continue;
        };
        let interval = wants.interval;
        if series.iter().all(|series| (series.instrument, series.interval) != (instrument, interval)) {
            let why = format!("this market has no candles of {} {interval} for {edge}", instrument.symbol);
            told.push(unattended(trade, account, &why));
        }
    }
    Ok(told)
}
