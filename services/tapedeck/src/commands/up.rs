//! `tapedeck up`: the whole engine in one process, on paper.

use crate::{
    abroad,
    cli::{Global, Up, UpVenue},
    commands::{print_json, report, serving},
    data_quality::Known,
    live::Live,
    locate,
    report::Collector,
    units,
};
use market_data::Feed;
use runtime::{
    abroad::Abroad,
    market::{Ended, Market},
    status::Status,
};
use std::{io::IsTerminal, process::ExitCode};
use tokio::sync::watch;

/// # Errors
/// Wrong configuration, market or tape; a run that could not go on.
pub async fn run(global: &Global, args: Up) -> anyhow::Result<ExitCode> {
    let settings = locate::settings(global)?;
    let market = locate::market(&args.market, args.from, args.to)?;
    units::check_accounts(&settings, market.rules.keys())?;
    let known = super::begin(&settings, &market)?;
    let mut hosts = units::all(&settings)?;
    let tape_id = units::tape_id(&market.describe, &settings);
    let describe = match args.venue {
        UpVenue::VenuePaper => market.describe.clone(),
        // The same market, and another venue: one tape cannot go on as the other.
        UpVenue::PaperExchange => format!("{} at paper-exchange", market.describe),
    };
    let (tape, url) = locate::writing(global, global.tape_or(args.tape.tape.as_deref()), &describe).await?;
    units::check_same_account(&tape, &settings).await?;

    let (stop, stopped) = watch::channel(false);
    let status = Status::new();
    let listen = args.listen.or(global.environment.listen);
    let server = serving::serve(listen, status.clone(), stopped.clone()).await?;
    tokio::spawn(serving::signals(stop.clone()));

    // The exchange is there for as long as anybody may ask it.
    let run_over = watch::Sender::new(false);
    let abroad: Option<Box<dyn Abroad>> = match args.venue {
        UpVenue::VenuePaper => None,
        UpVenue::PaperExchange => {
            hosts.retain(|host| host.unit().as_str() != venue_paper::UNIT);
            let id = tape.opened().await?.map_or(tape_id, |opened| opened.tape);
            let journal = locate::journal(global, &url, id)?;
            let at = abroad::Place { start: market.first, market: describe.clone(), tape_id: id, journal };
            Some(abroad::start(&settings, &tape, at, run_over.subscribe()).await?)
        }
    };

    let live = Live::start(&tape, &status, market.candles, global.json).await?;
    if !global.json {
        eprintln!("tape {url}");
        if let Some(address) = server {
            eprintln!("health and metrics on http://{address}");
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
        owner: format!("up-{}", std::process::id()),
        pace: args.speed.0,
        status: status.clone(),
        observer: Some(live.observer()),
        abroad,
    };
    let ended = run.run(stopped.clone()).await;
    live.finish().await;
    let _ = run_over.send(true);
    let ended = match ended {
        Ok(ended) => ended,
        Err(error) => {
            // What was committed is safe either way; this only tidies the file up.
            let _ = tape.close().await;
            return Err(error.into());
        }
    };
    summarize(global, &tape, known).await?;
    if ended == Ended::MarketOver && !args.exit_when_done && !*stopped.borrow() {
        eprintln!("the market has ended; press Ctrl-C to leave");
        let mut stopped = stopped.clone();
        // The sender lives in this function: it cannot be gone.
        let _ = stopped.wait_for(|stop| *stop).await;
    }
    let _ = stop.send(true);
    tape.close().await?;
    Ok(ExitCode::SUCCESS)
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
