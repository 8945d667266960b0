//! Starting the paper exchange beside the engine.

use super::{Control, PaperExchange, State};
use crate::{WrongUse, units};
use anyhow::Context;
use domain::Timestamp;
use events::{Clock, Uuid};
use paper_exchange::{
    exchange::Setup,
    journal,
    server::{self, Config, Keys, Limits, Pace, keys},
    simulator::Simulator,
};
use replica::Recorder;
use runtime::external_venue::ExternalVenue;
use service::{Host, Service};
use settings::Settings;
use std::{fs, net::Ipv4Addr, path::PathBuf};
use tape::Tape;
use tokio::sync::watch;
use trade_abstraction::gateway::Gateway;
use venue_binance::{
    net::{self, Endpoints, Rest, UserData},
    sign::Signer,
};

/// Where and when the exchange stands.
pub struct Place {
    /// When its market begins.
    pub start: Timestamp,
    /// What is traded, in words.
    pub market: String,
    pub tape_id: Uuid,
    /// Its inputs, so that it stands where it stood when everything is started again.
    pub journal: PathBuf,
}

/// Serves an exchange on a free port of this machine until `stop`, and gives the way to it.
///
/// # Errors
/// A configuration that it cannot run under, a journal that is another's, no port to be had.
pub async fn start(
    settings: &Settings,
    tape: &Tape,
    hosts: &[Host],
    place: Place,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<Box<dyn ExternalVenue>> {
    net::tls();
    if let Some(other) = settings.trading().find(|other| other.account != settings.account) {
        let why = format!(
            "--venue paper-exchange serves one account, and an edge trades on {} beside {}: switch that edge off, or use --venue venue-paper",
            other.account, settings.account
        );
        return Err(WrongUse(why).into());
    }
    let Place { start, market, tape_id, journal } = place;
    if tape.head().await?.position == 0 && journal.exists() {
        // It belongs to a tape that is gone.
        let aside = journal.with_extension("exchange.old");
        fs::rename(&journal, &aside)
            .with_context(|| format!("moving {} to {}", journal.display(), aside.display()))?;
        tracing::warn!("the journal of an exchange without a tape was moved to {}", aside.display());
    }
    let start = journal::header(&journal)?.map_or(start, |header| header.start);
    let config = Config {
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        pace: Pace::Driven,
        setup: Setup { paper: units::paper(settings, settings.account)?.into(), start },
        simulator: Simulator::default(),
        market,
        keys: Keys::paper()?,
        limits: Limits::default(),
        faults: None,
        journal: Some(journal),
    };
    let over = async move {
        // An error says that whoever could ask is gone.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let (address, serving) = server::serve(config, over).await.context("starting the paper exchange")?;
    tokio::spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!("the paper exchange has stopped: {error}");
        }
    });

    let gateway = hosts.iter().find(|host| host.core_name() == Gateway::CORE);
    let signer = Signer::hmac(keys::PAPER_SECRET)?;
    let own = net::Keys { api_key: keys::PAPER_KEY.to_owned(), signer };
    let venue = Rest::new(net::Setup::new(Endpoints::local(address), Some(own)))?;
    venue.read_clock().await?;
    Ok(Box::new(PaperExchange {
        control: Control::new(&format!("http://{address}"))?,
        stream: UserData::open(&venue),
        rest: venue.clone(),
        venue,
        tape: tape.clone(),
        recorder: Recorder { unit: event_logger::unit(), tape: tape_id, clock: Clock::Market },
        account: settings.account,
        gateway: gateway.context("there is no gateway to trade at the exchange")?.unit(),
        state: State::default(),
    }))
}
