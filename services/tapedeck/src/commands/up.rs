//! `tapedeck up`: the whole engine in one process.

use crate::{
    WrongUse,
    cli::{Global, Up, UpVenue},
    commands::{print_json, report, serving},
    control::{self, Door},
    data_quality::{Asked, Known},
    external_venue,
    live::Live,
    locate,
    process::Process,
    report::Collector,
    start, units, venue,
};
use bus::Bus;
use events::Event;
use market_data::Feed;
use runtime::{
    distributed::UnitStatus,
    external_venue::ExternalVenue,
    market::{Ended, Market, OVER, Observer, Pace, Spoken},
    reached::Reached,
};
use service::Host;
use std::{io::IsTerminal, process::ExitCode, time::Duration};
use tape::Tape;
use tokio::sync::watch;

mod live;

/// How often a plain line is printed.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// A week of a played market in a second.
const PACE: Pace = Pace::Times(604_800.0);
/// Whoever plays a market knows what comes next.
pub(super) const PLAYED_AT_BINANCE: &str =
    "a market that is played cannot be traded at a real exchange: say --market binance:SYMBOLS:INTERVALS";

/// # Errors
/// Wrong configuration, market or tape; a run that could not go on.
pub async fn run(global: &Global, args: Up) -> anyhow::Result<ExitCode> {
    if let Some(series) = args.market.live() {
        return live::run(global, args, &series).await;
    }
    let settings = locate::settings(global)?;
    venue::check_modes(&settings, false)?;
    let market = locate::market(&args.market, args.from, args.to)?;
    units::check_accounts(&settings, market.rules.keys())?;
    let known = super::begin(&settings, &market, Asked { from: args.from, to: args.to })?;
    let mut hosts = units::all(&settings)?;
    let tape_id = units::tape_id(&market.describe, &settings);
    let describe = match args.venue {
        UpVenue::VenuePaper => market.describe.clone(),
        // The same market, and another venue: one tape cannot go on as the other.
        UpVenue::PaperExchange => format!("{} at paper-exchange", market.describe),
        UpVenue::Binance => return Err(WrongUse(PLAYED_AT_BINANCE.to_owned()).into()),
    };
    let (tape, url, made) =
        locate::writing(global, global.tape_or(args.tape.tape.as_deref()), &describe).await?;
    start::check(&tape, &settings, None).await?;

    let (stop, stopped) = watch::channel(false);
    let trading = settings.trading().map(|settings| settings.account).collect();
    let process = Process::new(Bus::in_process(), false, Some(trading));
    process.read(&tape).await?;
    let listen = args.listen.or(global.environment.listen);
    let server = process.serve(listen, stopped.clone()).await?;
    tokio::spawn(serving::signals(stop.clone()));
    let id = tape.opened().await?.map_or(tape_id, |opened| opened.tape);
    let door = Door::open(control::file(&url, global.data_dir(), id), process.standing(), stopped.clone());
    let door = door.await?;

    // The exchange is there for as long as anybody may ask it.
    let run_over = watch::Sender::new(false);
    let external: Option<Box<dyn ExternalVenue>> = match args.venue {
        UpVenue::VenuePaper | UpVenue::Binance => None,
        UpVenue::PaperExchange => {
            hosts.retain(|host| !units::is_paper(host));
            hosts.push(units::comparing(&settings));
            let journal = locate::journal(global, &url, id)?;
            let at =
                external_venue::Place { start: market.first, market: describe.clone(), tape_id: id, journal };
            Some(external_venue::start(&settings, &tape, &hosts, at, run_over.subscribe()).await?)
        }
    };

    let owner = format!("up-{}", std::process::id());
    let units: Vec<UnitStatus> = hosts
        .iter()
        .map(Host::unit)
        .chain([units::feed()])
        .map(|unit| UnitStatus::new(unit, &owner))
        .collect();
    process.runs(units.clone());
    let reached = Reached::of(units);
    let live = Live::start(&tape, &reached, market.candles, global.json, LINE_EVERY).await?;
    if !global.json {
        tell!("tape {url}");
        if let Some(address) = server {
            tell!("health and metrics on http://{address}");
        }
    }
    let run = Market {
        tape: tape.clone(),
        hosts,
        feed: Feed::new(market.market, market.rules, args.from, args.to),
        source: units::feed(),
        tape_id,
        describe,
        build: units::BUILD.to_owned(),
        owner,
        pace: args.speed.map_or(PACE, |speed| speed.0),
        reached,
        observer: Some(both(live.observer(), process.observer())),
        external,
        hands: Some(door.hands()),
    };
    made.stays();
    let ended = run.run(stopped.clone()).await;
    live.finish().await;
    let _ = run_over.send(true);
    let ended = match ended {
        Ok(ended) => ended,
        Err(error) => {
            // What was committed is safe either way; this only tidies the file up.
            let _ = tape.close().await;
            return Err(super::not_played(error));
        }
    };
    // Whoever reads may have gone, with the terminal; the tape is closed all the same.
    let summarized = summarize(global, &tape, known).await;
    if ended == Ended::MarketOver {
        door.market_is_over();
        let stays = !args.exit_when_done && !*stopped.borrow();
        if stays {
            tell!("the market has ended; press Ctrl-C to leave");
        }
        stay(&tape, &door, &process, stays.then(|| stopped.clone())).await?;
    }
    let _ = stop.send(true);
    drop(door);
    tape.close().await?;
    summarized?;
    Ok(ExitCode::SUCCESS)
}

/// Nothing is played any more, and the owner may still say whether trading is allowed: until `stop`, or as
/// far as it is said already.
async fn stay(
    tape: &Tape,
    door: &Door,
    process: &Process,
    mut stop: Option<watch::Receiver<bool>>,
) -> anyhow::Result<()> {
    let hands = door.hands();
    loop {
        let spoken = match &mut stop {
            Some(stop) => tokio::select! {
                // The sender lives in the caller: it cannot be gone.
                _ = stop.wait_for(|stop| *stop) => None,
                spoken = hands.next() => spoken,
            },
            None => hands.waiting().await,
        };
        let Some(Spoken { event, reply, .. }) = spoken else { return Ok(()) };
        if let Event::Trade(_) = event {
            let _ = reply.send(Err(OVER.to_owned()));
            continue;
        }
        let position = super::record::say_now(tape, event).await?;
        for row in tape.read(position - 1, 1).await? {
            process.see(&row.decode()?);
        }
        let _ = reply.send(Ok(position));
    }
}

/// One observer of two.
fn both(mut one: Observer, mut other: Observer) -> Observer {
    Box::new(move |event| {
        one(event);
        other(event);
    })
}

async fn summarize(global: &Global, tape: &tape::Tape, known: Known) -> anyhow::Result<()> {
    let head = tape.head().await?;
    let mut collector = report::collect(tape, head.position, Collector::default()).await?;
    collector.know(known);
    let summary = collector.summary();
    if global.json {
        let mut value = serde_json::to_value(&summary)?;
        value["head"] = super::tape::head_json(&head);
        print_json(&value)
    } else {
        if std::io::stdout().is_terminal() {
            out!()?;
        }
        Ok(out!("{summary}")?)
    }
}
