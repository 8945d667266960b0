//! `tapedeck run`: some services in a process of their own, beside others like it.

use crate::{
    WrongUse,
    cli::{Global, Run, RunVenue},
    commands::serving,
    data_quality::{self, Asked},
    deployment::{self, Service},
    locate,
    process::Process,
    units,
    venue::{self, Accounts},
    watched::{self, Watched},
};
use binance_orders_to_amqp::Ingestor;
use bus::{Bus, Rabbit};
use clap::ValueEnum;
use domain::UnitName;
use event_logger::Counters;
use market_data::Feed;
use runtime::{
    apart::{self, Limits, Replica, UnitError, UnitStatus, hands::Hands, seat::Seat},
    stepped::Stepped,
};
use settings::{Secret, Settings};
use std::{collections::BTreeSet, process::ExitCode, sync::Arc, time::Duration};
use tape::{Mode, OpenError, StorageError, Tape};
use tokio::{sync::watch, task::JoinSet};
use trade_abstraction::hands;

mod live;
mod recorder;

/// How long a lease lasts unless it is renewed. Another takes over at most 0.5 s after it has run out,
/// and must be at work within 10 s of a death.
const LEASE: Duration = Duration::from_secs(5);
/// Between two attempts to open the tape.
const REOPEN: Duration = Duration::from_secs(1);

/// Everything that the parts of this process share.
#[derive(Clone)]
struct Shared {
    tape: Tape,
    bus: Bus,
    owner: String,
    stop: watch::Receiver<bool>,
}

impl Shared {
    fn seat(&self, unit: UnitName, opens: bool) -> Seat {
        Seat {
            tape: self.tape.clone(),
            bus: self.bus.clone(),
            unit,
            owner: self.owner.clone(),
            lease: LEASE,
            status: UnitStatus::new(unit, &self.owner),
            limits: Limits::default(),
            opens,
        }
    }
}

/// The tasks of a process, and what each tells of itself.
#[derive(Default)]
struct Parts {
    tasks: JoinSet<Result<(), UnitError>>,
    statuses: Vec<UnitStatus>,
}

/// # Errors
/// Wrong configuration, market or tape; a service that could not go on.
pub async fn run(global: &Global, args: Run) -> anyhow::Result<ExitCode> {
    let settings = locate::settings(global)?;
    let services = args.services();
    if let Some(foreign) = services.iter().find(|service| !service.serves(args.venue)) {
        let at = args.venue.to_possible_value().map_or_else(String::new, |v| v.get_name().to_owned());
        return Err(WrongUse(format!("{foreign} is not needed with --venue {at}: leave it out")).into());
    }
    venue::check_modes(&settings, args.venue.name().is_some())?;
    let url = global.tape_or(args.tape.tape.as_deref()).ok_or_else(|| {
        WrongUse("which tape? Set STORE_URL, e.g. postgres://tapedeck@127.0.0.1/tapedeck".to_owned())
    })?;
    // Whoever sends orders or hears the account needs its key; nobody else should have it.
    let needs_keys = [Service::TradeAbstraction, Service::BinanceOrdersToAmqp];
    let accounts = match args.venue {
        RunVenue::Binance if needs_keys.iter().any(|service| services.contains(service)) => {
            Some(Accounts::of(&settings, &global.environment, global.data_dir())?)
        }
        RunVenue::Binance | RunVenue::VenuePaper => None,
    };
    let owner = owner(args.replica.as_deref());
    let bus = connect(global, &services, &owner)?;
    let recorder = services.contains(&Service::EventLogger).then(|| Arc::new(Counters::default()));
    let process = Process::new(bus.clone(), recorder.clone());

    let (stop, mut stopped) = watch::channel(false);
    tokio::spawn(serving::signals(stop.clone()));
    let listen = args.listen.or(global.environment.listen);
    // Whoever values the account tells of it.
    let figures = services.contains(&Service::PortfolioTracker);
    let watched = Watched::new(
        process.clone(),
        settings.trading().filter(|_| figures).map(|settings| settings.account),
    );
    let server = if figures {
        serving::serve(listen, watched.clone(), stopped.clone()).await?
    } else {
        serving::serve(listen, process.clone(), stopped.clone()).await?
    };
    if let Some(address) = server {
        tracing::info!("health and metrics on http://{address}");
    }

    let Some(tape) = open(url, &process, &mut stopped).await? else { return Ok(ExitCode::SUCCESS) };
    units::check_same_account(&tape, &settings).await?;
    venue::check_same(&tape, args.venue.name()).await?;
    if figures {
        tokio::spawn(watched::follow(watched, tape.clone(), stopped.clone()));
    }
    let shared = Shared { tape: tape.clone(), bus: bus.clone(), owner, stop: stopped.clone() };
    let mut parts = Parts::default();
    if let Some(accounts) = &accounts {
        if venue::identify(accounts, &tape, &process, &mut stopped).await?.is_none() {
            tape.close().await?;
            return Ok(ExitCode::SUCCESS);
        }
        for (_, rest) in accounts.each() {
            let rest = rest.clone();
            tokio::spawn(async move { rest.keep_clock().await });
        }
    }
    for (unit, make) in deployment::cores(&settings, &services, args.venue)? {
        let hands = accounts.clone().filter(|_| unit == units::gateway());
        parts.core(&shared, unit, make, hands.map(|accounts| hands::at(Arc::new(accounts))));
    }
    if services.contains(&Service::BinanceOrdersToAmqp) {
        parts.ingestors(&shared, accounts.as_ref())?;
    }
    if services.contains(&Service::MarketData) {
        parts.market(global, &shared, &settings, &args, &stop)?;
    }
    if let (Some(counters), Bus::Rabbit(rabbit)) = (recorder, &bus) {
        recorder::start(&mut parts, &shared, rabbit, &counters);
    }
    process.runs(parts.statuses.clone());
    let ended = parts.end(&stop).await;
    if let Bus::Rabbit(rabbit) = &bus {
        rabbit.close().await;
    }
    let closed = tape.close().await;
    ended?;
    closed?;
    Ok(ExitCode::SUCCESS)
}

/// No two replicas may have the same name, also if one of them is an earlier life of the other: a
/// lease that is left behind runs out by itself.
fn owner(replica: Option<&str>) -> String {
    let life = events::Uuid::new_v4().simple().to_string();
    format!("{}-{}-{}", replica.unwrap_or("run"), std::process::id(), &life[..8])
}

fn connect(global: &Global, services: &BTreeSet<Service>, owner: &str) -> anyhow::Result<Bus> {
    match global.environment.bus_url.as_ref().map(Secret::reveal) {
        Some(url) => {
            let rabbit = Rabbit::connect(url, &format!("tapedeck {owner}"));
            let rabbit = rabbit.map_err(|e| WrongUse(format!("BUS_URL: {e}")))?;
            rabbit.begin();
            Ok(Bus::Rabbit(rabbit))
        }
        None if services.contains(&Service::EventLogger) => {
            let message = "event-logger records what comes by the broker: set BUS_URL, e.g. \
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

impl Parts {
    fn add(
        &mut self,
        status: UnitStatus,
        task: impl Future<Output = Result<(), UnitError>> + Send + 'static,
    ) {
        self.statuses.push(status);
        self.tasks.spawn(task);
    }

    fn core(&mut self, shared: &Shared, unit: UnitName, make: deployment::Make, hands: Option<Hands>) {
        let status = UnitStatus::new(unit, &shared.owner);
        let replica = Replica {
            tape: shared.tape.clone(),
            bus: shared.bus.clone(),
            make,
            build: units::BUILD.to_owned(),
            owner: shared.owner.clone(),
            lease: LEASE,
            status: status.clone(),
            hands,
            limits: Limits::default(),
        };
        self.add(status, apart::run(replica, shared.stop.clone()));
    }

    /// One for each account.
    fn ingestors(&mut self, shared: &Shared, accounts: Option<&Accounts>) -> anyhow::Result<()> {
        let (Some(accounts), Bus::Rabbit(rabbit)) = (accounts, &shared.bus) else {
            let message = "binance-orders-to-amqp needs --venue binance and a broker: set BUS_URL, e.g. \
                           amqp://user:password@127.0.0.1:5672/%2f";
            return Err(WrongUse(message.to_owned()).into());
        };
        let unit = UnitName::new(Service::BinanceOrdersToAmqp.name())?;
        for (account, rest) in accounts.each() {
            // As of one unit and one owner, the metrics of two would be the same.
            let status = UnitStatus::new(unit, &format!("{}/{account}", shared.owner));
            let ingestor = Ingestor {
                rest: rest.clone(),
                account,
                replica: shared.owner.clone(),
                publisher: rabbit.ingest_publisher(),
                status: status.clone(),
            };
            let stop = shared.stop.clone();
            self.add(status, async move {
                ingestor.run(stop).await;
                Ok(())
            });
        }
        Ok(())
    }

    fn market(
        &mut self,
        global: &Global,
        shared: &Shared,
        settings: &Settings,
        args: &Run,
        stop: &watch::Sender<bool>,
    ) -> anyhow::Result<()> {
        let Some(spec) = args.market.clone() else {
            let message = "market-data: which market? Say --market synthetic[:SEED], recorded:PATH or binance:SYMBOLS:INTERVALS";
            return Err(WrongUse(message.to_owned()).into());
        };
        if let Some(series) = spec.live() {
            return self.live_market(
                shared,
                settings,
                series,
                &global.environment.binance,
                global.data_dir(),
            );
        }
        if args.venue != RunVenue::VenuePaper {
            let message = "a market that is played cannot be traded at a real exchange: say --market binance:SYMBOLS:INTERVALS";
            return Err(WrongUse(message.to_owned()).into());
        }
        let (from, to) = (args.from, args.to);
        let market = locate::market(&spec, from, to)?;
        units::check_accounts(settings, market.rules.keys())?;
        for unheard in data_quality::unheard(settings, &market.series) {
            tracing::warn!("{}", unheard.words);
        }
        let quotes = data_quality::quotes(settings, &market)?.into_iter();
        quotes
            .chain(data_quality::warnings(&market, Asked { from, to }))
            .for_each(|warning| tracing::warn!("{warning}"));
        let make = move || {
            let market = market_data::open(&spec).map_err(|e| format!("the market cannot be read: {e}"))?;
            Ok(Feed::new(market.market, market.rules, from, to))
        };
        let seat = shared.seat(units::feed(), true);
        let status = seat.status.clone();
        let over = watch::Sender::new(false);
        let (mut is_over, stop, exits) = (over.subscribe(), stop.clone(), args.exit_when_done);
        tokio::spawn(async move {
            if is_over.wait_for(|over| *over).await.is_err() {
                return;
            }
            if exits {
                let _ = stop.send(true);
            } else {
                tell!("the market has ended; press Ctrl-C to leave");
            }
        });
        let stepped = Stepped {
            seat,
            make: Arc::new(make),
            units: units::all(settings)?.iter().map(service::Host::unit).collect(),
            tape_id: units::tape_id(&market.describe, settings),
            describe: market.describe,
            build: units::BUILD.to_owned(),
            pace: args.speed.0,
            over,
        };
        let stopped = shared.stop.clone();
        self.add(status, async move { stepped.run(stopped).await });
        Ok(())
    }

    /// Until all have ended; the first that cannot go on ends the others in good order.
    async fn end(mut self, stop: &watch::Sender<bool>) -> anyhow::Result<()> {
        let mut ended = Ok(());
        while let Some(task) = self.tasks.join_next().await {
            let failed = match task {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => anyhow::Error::from(error),
                Err(panic) => anyhow::anyhow!("a service has failed: {panic}; start it again"),
            };
            tracing::error!("{failed:#}");
            let _ = stop.send(true);
            if ended.is_ok() {
                ended = Err(failed);
            }
        }
        ended
    }
}
