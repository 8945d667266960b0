//! `tapedeck up` on live candles: what `run all` does on a broker and a shared database, here in one process on a tape
//! that is a file. Orders are traded on paper, or go to a real exchange.

use super::summarize;
use crate::{
    WrongUse,
    cli::{Global, RunVenue, Up, UpVenue},
    commands::{
        record,
        run::parts::{self, LEASE, Plan, Shared},
        serving,
    },
    control::{self, Door},
    data_quality::{self, Known},
    deployment::Service,
    live::Live,
    locate,
    process::{self, Process},
    start, venue,
};
use bus::Bus;
use domain::{Symbol, UnitName};
use events::{Clock, Kind, Row};
use market_data::Series;
use runtime::{
    market::{Hands, Pace, Spoken},
    reached::Reached,
};
use settings::{AccountSettings, Mode, Settings};
use std::{process::ExitCode, time::Duration};
use tape::{Head, Tape};
use tokio::{sync::watch, time::timeout};

/// How long the venue is waited for before anything is started.
const ANSWER: Duration = Duration::from_secs(5);
/// How often a plain line is printed: it goes on for days.
const LINE_EVERY: Duration = Duration::from_secs(60);

/// # Errors
/// Wrong use, a tape that is another's, an account that may not trade; a part that could not go on.
pub async fn run(global: &Global, args: Up, series: &[Series]) -> anyhow::Result<ExitCode> {
    let venue = venue_of(&args)?;
    let settings = locate::settings(global)?;
    venue::check_modes(&settings, venue.name().is_some())?;
    let plan = Plan {
        services: Service::all(venue),
        venue,
        market: Some(args.market.clone()),
        pace: Pace::Max,
        from: None,
        to: None,
        exit_when_done: false,
    };
    let accounts = plan.accounts(global, &settings)?;
    let known = Known::live(&settings, data_quality::unheard(&settings, series));

    let name = venue.name().unwrap_or("venue-paper");
    let given = global.tape_or(args.tape.tape.as_deref());
    let (tape, url, made) = locate::writing(global, given, &format!("live {name}")).await?;
    let opened = record::opened(&tape).await?;
    if opened.clock != Clock::Wall {
        return Err(WrongUse(format!(
            "this tape plays '{}' on its own clock: choose another for live candles with --tape",
            opened.market
        ))
        .into());
    }
    check_listed(global, &tape, series).await?;
    start::unheard(&tape, &settings, series).await?.iter().for_each(|words| tracing::warn!("{words}"));
    let bus = Bus::in_process();
    let trading = settings.trading().map(|settings| settings.account).collect();
    let process = Process::new(bus.clone(), true, Some(trading));
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(serving::signals(stop.clone()));
    // Before anything is started, so that what follows is shown from here.
    let from = process.read(&tape).await?;
    let listen = args.listen.or(global.environment.listen);
    let server = process.serve(listen, stopped.clone()).await?;
    let reached = Reached::default();
    let screen = Live::start(&tape, &reached, 0, global.json, LINE_EVERY).await?;
    if !global.json {
        tell!("tape {url}");
        if let Some(address) = server {
            tell!("health and metrics on http://{address}");
        }
        tell!("{}", what(venue, global, &settings, series));
    }

    free_leases(&tape).await?;
    let shared =
        Shared { tape: tape.clone(), bus: bus.clone(), owner: parts::owner("up"), stop: stopped.clone() };
    let started = plan.start(global, &settings, accounts.as_ref(), &shared, &process, &stop).await?;
    let Some(parts) = started else {
        tape.close().await?;
        return Ok(ExitCode::SUCCESS);
    };
    made.stays();
    let file = control::file(&url, global.data_dir(), opened.tape);
    let door = Door::open(file, process.standing(), stopped.clone()).await?;
    let owner = tokio::spawn(answer(tape.clone(), door.hands()));
    let (speakers, mut observer) = (parts.cores.clone(), screen.observer());
    let following = tokio::spawn(process::follow(tape.clone(), from, stopped, move |rows| {
        // A core's own task tells the others what it says; they wait for nobody else's word.
        bus.publish(rows.iter().filter(|row| !speakers.contains(&row.draft.source)).cloned());
        rows.iter().filter_map(|row| row.decode().ok()).for_each(|event| observer(&event));
        process.see_rows(rows);
        show(&reached, rows);
    }));
    let ended = parts.end(&stop).await;
    let _ = stop.send(true);
    owner.abort();
    let _ = following.await;
    screen.finish().await;
    drop(door);
    let summarized = summarize(global, &tape, known).await;
    tape.close().await?;
    ended?;
    summarized?;
    Ok(ExitCode::SUCCESS)
}

/// Where orders go, if live candles can be traded there.
fn venue_of(args: &Up) -> Result<RunVenue, WrongUse> {
    for (given, flag) in [
        (args.speed.is_some(), "--speed"),
        (args.from.is_some(), "--from"),
        (args.to.is_some(), "--to"),
        (args.exit_when_done, "--exit-when-done"),
    ] {
        if given {
            let why = "is for a market that is played; live candles come when they close: leave it out";
            return Err(WrongUse(format!("{flag} {why}")));
        }
    }
    match args.venue {
        UpVenue::VenuePaper => Ok(RunVenue::VenuePaper),
        UpVenue::Binance => Ok(RunVenue::Binance),
        UpVenue::PaperExchange => Err(WrongUse(
            "--venue paper-exchange plays a market, it has no live candles: leave it out to trade them on paper, or \
             start `tapedeck exchange serve` and say its addresses in BINANCE_REST_URL, BINANCE_WS_API_URL and \
             BINANCE_STREAM_URL"
                .to_owned(),
        )),
    }
}

/// What this run does, in a line.
fn what(venue: RunVenue, global: &Global, settings: &Settings, series: &[Series]) -> String {
    let series: Vec<String> = series.iter().map(Series::name).collect();
    let (played, real): (Vec<_>, Vec<_>) = settings.trading().partition(|of| of.is_on_paper());
    let names =
        |of: &[&AccountSettings]| of.iter().map(|of| of.account.to_string()).collect::<Vec<_>>().join(", ");
    let words = match venue.name() {
        None => vec![format!("{} trades on paper: no order leaves this process", names(&played))],
        Some(venue) => {
            let way = |of: &&AccountSettings| match &of.mode {
                Mode::Live(live) => {
                    Some(format!("{} ({})", of.account, venue::address(live, &global.environment)))
                }
                Mode::Paper { .. } => None,
            };
            let ways: Vec<_> = real.iter().filter_map(way).collect();
            let real = format!("{} trades at {venue}: orders are real", ways.join(", "));
            let beside =
                (!played.is_empty()).then(|| format!("{} trades on paper beside it", names(&played)));
            [real].into_iter().chain(beside).collect()
        }
    };
    format!("live candles of {}; {}", series.join(", "), words.join("; "))
}

/// A misspelt symbol shows at once, if the venue answers; while it does not, the market waits for it.
async fn check_listed(global: &Global, tape: &Tape, series: &[Series]) -> anyhow::Result<()> {
    let rest = venue::market(&global.environment.binance, global.data_dir())?;
    let Ok(Ok(info)) = timeout(ANSWER, rest.exchange_info()).await else { return Ok(()) };
    for Series { instrument, .. } in series {
        // One that was delisted since keeps its rules, and its trades their stops.
        let known = tape.latest_about(Kind::InstrumentListed, &format!("instrument:{instrument}")).await?;
        if !info.listings.contains_key(&instrument.symbol) && known.is_none() {
            let symbol = instrument.symbol;
            // E.g. what else is traded of the same coin.
            let alike = |other: &&Symbol| symbol.get(..3).is_some_and(|start| other.starts_with(start));
            let alike: Vec<&str> = info.listings.keys().filter(alike).take(8).map(Symbol::as_str).collect();
            let alike =
                if alike.is_empty() { String::new() } else { format!(" (there is {})", alike.join(", ")) };
            return Err(WrongUse(format!(
                "--market: {symbol} is not listed at Binance{alike}: correct the symbol"
            ))
            .into());
        }
    }
    Ok(())
}

/// Whoever has a file's lock is alone on it: a lease that stands there is of a process that was killed.
async fn free_leases(tape: &Tape) -> anyhow::Result<()> {
    let Tape::Sqlite(_) = tape else { return Ok(()) };
    let held = tape.cursors().await?.into_iter().filter(|cursor| cursor.owner.is_some());
    let units: Vec<UnitName> = held.map(|cursor| cursor.unit).collect();
    for cursor in tape.acquire_all(&units, "up", LEASE, true).await? {
        tape.release(cursor.unit, cursor.fence).await?;
    }
    Ok(())
}

/// Says what comes by the door.
async fn answer(tape: Tape, hands: Hands) {
    while let Some(Spoken { event, reply, .. }) = hands.next().await {
        let said = record::say_now(&tape, event).await;
        // Whoever has gone finds it on the tape.
        let _ = reply.send(said.map_err(|why| format!("the tape did not take it: {why:#}")));
    }
}

fn show(reached: &Reached, rows: &[Row]) {
    let Some(Row { position, hash, recorded_at, .. }) = rows.last().cloned() else { return };
    for _ in rows.iter().filter(|row| row.kind() == Some(Kind::CandleClosed)) {
        reached.heard_candle();
    }
    reached.committed(&Head { position, hash, recorded_at });
}
