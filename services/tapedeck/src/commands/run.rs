//! `tapedeck run`: some services in a process of their own, beside others like it.

use crate::{
    WrongUse,
    cli::{Global, Run},
    commands::serving,
    deployment::Service,
    locate,
    process::{self, Process},
    venue,
};
use bus::{Bus, Rabbit};
use clap::ValueEnum;
use parts::{Plan, Shared};
use settings::Secret;
use std::{collections::BTreeSet, process::ExitCode, time::Duration};
use tape::{Mode, OpenError, StorageError, Tape};
use tokio::sync::watch;

mod books;
mod live;
pub mod parts;
mod recorder;

/// Between two attempts to open the tape.
const REOPEN: Duration = Duration::from_secs(1);

/// # Errors
/// Wrong configuration, market or tape; a service that could not go on.
pub async fn run(global: &Global, args: Run) -> anyhow::Result<ExitCode> {
    let settings = locate::settings(global)?;
    let plan = Plan {
        services: args.services(),
        venue: args.venue,
        market: args.market.clone(),
        pace: args.speed.0,
        from: args.from,
        to: args.to,
        exit_when_done: args.exit_when_done,
    };
    let services = &plan.services;
    if let Some(foreign) = services.iter().find(|service| !service.serves(plan.venue)) {
        let at = plan.venue.to_possible_value().map_or_else(String::new, |v| v.get_name().to_owned());
        return Err(WrongUse(format!("{foreign} is not needed with --venue {at}: leave it out")).into());
    }
    venue::check_modes(&settings, plan.venue.name().is_some())?;
    let url = global.tape_or(args.tape.tape.as_deref()).ok_or_else(|| {
        WrongUse("which tape? Set STORE_URL, e.g. postgres://tapedeck@127.0.0.1/tapedeck".to_owned())
    })?;
    let accounts = plan.accounts(global, &settings)?;
    let owner = parts::owner(args.replica.as_deref().unwrap_or("run"));
    let bus = connect(global, services, &owner)?;
    // Whoever values the account tells of it.
    let figures = services.contains(&Service::PortfolioTracker);
    let follows = figures.then(|| settings.trading().map(|settings| settings.account).collect());
    let process = Process::new(bus.clone(), services.contains(&Service::EventLogger), follows);

    let (stop, mut stopped) = watch::channel(false);
    tokio::spawn(serving::signals(stop.clone()));
    let listen = args.listen.or(global.environment.listen);
    if let Some(address) = process.serve(listen, stopped.clone()).await? {
        tracing::info!("health and metrics on http://{address}");
    }

    let Some(tape) = open(url, &process, &mut stopped).await? else { return Ok(ExitCode::SUCCESS) };
    let shared = Shared { tape: tape.clone(), bus: bus.clone(), owner, stop: stopped.clone() };
    let started = plan.start(global, &settings, accounts.as_ref(), &shared, &process, &stop).await?;
    let Some(parts) = started else {
        tape.close().await?;
        return Ok(ExitCode::SUCCESS);
    };
    if figures {
        tokio::spawn(process::follow(tape.clone(), 0, stopped, move |rows| process.see_rows(rows)));
    }
    let ended = parts.end(&stop).await;
    if let Bus::Rabbit(rabbit) = &bus {
        rabbit.close().await;
    }
    let closed = tape.close().await;
    ended?;
    closed?;
    Ok(ExitCode::SUCCESS)
}

fn connect(global: &Global, services: &BTreeSet<Service>, owner: &str) -> anyhow::Result<Bus> {
    match global.environment.bus_url.as_ref().map(Secret::reveal) {
        Some(url) => {
            let rabbit = Rabbit::connect(url, &format!("tapedeck {owner}"));
            let rabbit = rabbit.map_err(|e| WrongUse(format!("BUS_URL: {e}")))?;
            rabbit.begin();
            Ok(Bus::Rabbit(rabbit))
        }
        None if services.contains(&Service::EventLogger)
            || services.contains(&Service::BinanceOrdersToAmqp) =>
        {
            let message = "event-logger and binance-orders-to-amqp meet at the broker: set BUS_URL, e.g. \
                           amqp://user:password@127.0.0.1:5672/%2f";
            Err(WrongUse(message.to_owned()).into())
        }
        None => {
            tracing::warn!("BUS_URL is not set: the tape alone tells what others say, which is slower");
            Ok(Bus::in_process())
        }
    }
}

/// Waits for a database that is away; `None` once asked to stop.
async fn open(
    url: &str,
    process: &Process,
    stop: &mut watch::Receiver<bool>,
) -> anyhow::Result<Option<Tape>> {
    loop {
        let why = match locate::open(url, Mode::Write).await {
            Ok(tape) => return Ok(Some(tape)),
            Err(error) => match error.downcast_ref::<OpenError>() {
                Some(OpenError::Storage(away @ (StorageError::Away { .. } | StorageError::Busy { .. }))) => {
                    away.to_string()
                }
                _ => return Err(error),
            },
        };
        tracing::warn!("{why}");
        process.cannot_open(why);
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return Ok(None),
            () = tokio::time::sleep(REOPEN) => {}
        }
    }
}
