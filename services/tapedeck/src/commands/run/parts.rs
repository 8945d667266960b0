//! The parts of a process: its units, sources and hands, each a task on one tape and one bus.

use super::{books, recorder};
use crate::{
    WrongUse,
    cli::{Global, RunVenue},
    commands::up::PLAYED_AT_BINANCE,
    data_quality::{self, Asked},
    deployment::{self, Core, Service, Source},
    locate,
    process::Process,
    start, units,
    venue::{self, Accounts},
};
use binance_orders_to_amqp::{Ingestor, SpoolSettings, WAITING};
use bus::Bus;
use domain::{Timestamp, UnitName};
use market_data::{Feed, MarketSpec};
use runtime::{
    distributed::{self, Limits, Replica, UnitError, UnitStatus, hands::Hands, leadership::Leadership},
    market::Pace,
    paced_feed::PacedFeed,
};
use settings::Settings;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tape::Tape;
use tokio::{sync::watch, task::JoinSet};
use trade_abstraction::hands;

/// How long a lease lasts unless it is renewed. Another takes over at most 0.5 s after it has run out,
/// and must be at work within 10 s of a death.
pub const LEASE: Duration = Duration::from_secs(5);
/// What a process runs.
pub struct Plan {
    pub services: BTreeSet<Service>,
    pub venue: RunVenue,
    /// What market-data plays, or brings live.
    pub market: Option<MarketSpec>,
    pub pace: Pace,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub exit_when_done: bool,
}

/// Everything that the parts of this process share.
#[derive(Clone)]
pub struct Shared {
    pub tape: Tape,
    pub bus: Bus,
    pub owner: String,
    pub stop: watch::Receiver<bool>,
}

impl Shared {
    pub(super) fn leadership(&self, unit: UnitName, opens: bool) -> Leadership {
        Leadership {
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
pub struct Parts {
    tasks: JoinSet<Result<(), UnitError>>,
    statuses: Vec<UnitStatus>,
    /// The units that are cores.
    pub cores: Vec<UnitName>,
}

impl Plan {
    /// The accounts whose keys this process needs: whoever sends orders or hears an account does, and nobody else
    /// should have them.
    ///
    /// # Errors
    /// A key that is missing or cannot be used.
    pub fn accounts(&self, global: &Global, settings: &Settings) -> anyhow::Result<Option<Accounts>> {
        Ok(match self.venue {
            RunVenue::Binance if self.services.iter().any(|service| service.row().needs_keys()) => {
                Some(Accounts::of(settings, &global.environment, global.data_dir())?)
            }
            RunVenue::Binance | RunVenue::VenuePaper => None,
        })
    }

    /// Starts everything on an open tape; `None` once asked to stop before that.
    ///
    /// # Errors
    /// A tape, an account or a market that is another one; a configuration that a unit cannot run under.
    pub async fn start(
        &self,
        global: &Global,
        settings: &Settings,
        accounts: Option<&Accounts>,
        shared: &Shared,
        process: &Process,
        stop: &watch::Sender<bool>,
    ) -> anyhow::Result<Option<Parts>> {
        start::check(&shared.tape, settings, self.venue.name()).await?;
        let mut parts = Parts::default();
        if let Some(accounts) = accounts {
            let mut stopped = shared.stop.clone();
            if venue::identify(accounts, &shared.tape, process, &mut stopped).await?.is_none() {
                return Ok(None);
            }
            for (_, rest) in accounts.each() {
                let rest = rest.clone();
                tokio::spawn(async move { rest.keep_clock().await });
            }
        }
        for Core { unit, hands, make } in deployment::cores_of(settings, &self.services, self.venue)? {
            let hands = accounts.filter(|_| hands);
            parts.core(shared, unit, make, hands.map(|accounts| hands::at(Arc::new(accounts.clone()))));
        }
        for source in self.services.iter().filter_map(|service| service.row().source) {
            match source {
                Source::Recorder => recorder::start(&mut parts, shared, &process.recorder()),
                Source::Market => parts.market(global, shared, settings, self, stop)?,
                Source::Ingestors => parts.ingestors(global, shared, accounts)?,
                Source::Books => books::start(&mut parts, shared, settings, accounts)?,
            }
        }
        if parts.statuses.is_empty() {
            let services: Vec<_> = self.services.iter().map(|service| service.name()).collect();
            return Err(WrongUse(format!(
                "{} has nothing to do under this configuration: leave it out, or configure what it is for",
                services.join(", ")
            ))
            .into());
        }
        process.runs(parts.statuses.clone());
        Ok(Some(parts))
    }
}

/// No two replicas may have the same name, also if one of them is an earlier life of the other: a
/// lease that is left behind runs out by itself.
pub fn owner(replica: &str) -> String {
    let life = events::Uuid::new_v4().simple().to_string();
    format!("{replica}-{}-{}", std::process::id(), &life[..8])
}

impl Parts {
    pub(super) fn add(
        &mut self,
        status: UnitStatus,
        task: impl Future<Output = Result<(), UnitError>> + Send + 'static,
    ) {
        self.statuses.push(status);
        self.tasks.spawn(task);
    }

    fn core(&mut self, shared: &Shared, unit: UnitName, make: deployment::Make, hands: Option<Hands>) {
        self.cores.push(unit);
        let leadership = shared.leadership(unit, false);
        let status = leadership.status.clone();
        let replica = Replica { leadership, make, build: units::BUILD.to_owned(), hands };
        self.add(status, distributed::run(replica, shared.stop.clone()));
    }

    /// One for each account.
    fn ingestors(
        &mut self,
        global: &Global,
        shared: &Shared,
        accounts: Option<&Accounts>,
    ) -> anyhow::Result<()> {
        let Some(accounts) = accounts else {
            return Err(WrongUse("binance-orders-to-amqp needs --venue binance".to_owned()).into());
        };
        let unit = UnitName::new(Service::BinanceOrdersToAmqp.name())?;
        for (n, (account, rest)) in accounts.each().enumerate() {
            // As of one unit and one owner, the metrics of two would be the same.
            let status = UnitStatus::new(unit, &format!("{}/{account}", shared.owner));
            // Within one process a kill takes the queue as well, so a spool beside it would save nothing.
            let spool = matches!(shared.bus, Bus::Rabbit(_)).then(|| SpoolSettings {
                folder: global.data_dir().join("ingest-spool"),
                life: format!("{}-{n}", shared.owner),
            });
            let ingestor = Ingestor {
                rest: rest.clone(),
                account,
                replica: shared.owner.clone(),
                publisher: shared.bus.ingest_publisher(),
                status: status.clone(),
                spool,
                waiting: global.environment.ingest_spool_mib.map_or(WAITING, |mib| u64::from(mib) << 20),
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
        plan: &Plan,
        stop: &watch::Sender<bool>,
    ) -> anyhow::Result<()> {
        let Some(spec) = plan.market.clone() else {
            let message = "market-data: which market? Say --market synthetic[:SEED], recorded:PATH or binance:SYMBOLS:INTERVALS";
            return Err(WrongUse(message.to_owned()).into());
        };
        if let Some(series) = spec.live() {
            data_quality::surprises(settings, &series).iter().for_each(|words| tracing::warn!("{words}"));
            return self.live_market(
                shared,
                settings,
                series,
                &global.environment.binance,
                global.data_dir(),
                venue::plays(settings),
            );
        }
        if plan.venue != RunVenue::VenuePaper {
            return Err(WrongUse(PLAYED_AT_BINANCE.to_owned()).into());
        }
        let (from, to) = (plan.from, plan.to);
        let market = locate::market(&spec, from, to)?;
        units::check_accounts(settings, market.rules.keys())?;
        let quotes = data_quality::quotes(settings, &market)?.into_iter();
        let surprises = data_quality::surprises(settings, &market.series).into_iter();
        surprises
            .chain(quotes)
            .chain(data_quality::warnings(&market, Asked { from, to }))
            .for_each(|warning| tracing::warn!("{warning}"));
        let make = move || {
            let market = market_data::open(&spec).map_err(|e| format!("the market cannot be read: {e}"))?;
            Ok(Feed::new(market.market, market.rules, from, to))
        };
        let leadership = shared.leadership(units::feed(), true);
        let status = leadership.status.clone();
        let over = watch::Sender::new(false);
        let (mut is_over, stop, exits) = (over.subscribe(), stop.clone(), plan.exit_when_done);
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
        let paced_feed = PacedFeed {
            leadership,
            make: Arc::new(make),
            units: units::all(settings)?.iter().map(service::Host::unit).collect(),
            tape_id: units::tape_id(&market.describe, settings),
            describe: market.describe,
            build: units::BUILD.to_owned(),
            pace: plan.pace,
            over,
        };
        let stopped = shared.stop.clone();
        self.add(status, async move { paced_feed.run(stopped).await });
        Ok(())
    }

    /// Until all have ended; the first that cannot go on ends the others in good order.
    pub async fn end(mut self, stop: &watch::Sender<bool>) -> anyhow::Result<()> {
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
