//! The accounts at real exchanges: how they are reached, whose they are, and which tapes are their own.

use crate::{WrongUse, process::Process, units};
use anyhow::Context;
use domain::{Account, ClientOrderId, Instrument, OrderRequest, Timestamp, VenueOrderId};
use events::{AccountEvent, AccountIdentified, Draft, Event, Kind, TapeOpened, ids};
use settings::{AccountSettings, BinanceUrls, Environment, KeySource, Live, Mode, Secret, Settings};
use std::{collections::BTreeMap, fs, path::Path, time::Duration};
use tape::{Commit, Entry, OnConflict, Row, Tape};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use venue::{Listing, Outcome, Stamp, Venue};
use venue_binance::{
    net::{CallError, Endpoints, Identity, Keys, Rest, Setup},
    sign::Signer,
};

/// Between two questions to a venue that does not answer.
const AGAIN: Duration = Duration::from_secs(2);
/// How long `doctor` waits for an answer.
const SHORT: Duration = Duration::from_secs(10);

/// The live accounts of an engine, each with its own key, connection and limits. Cheap to clone.
#[derive(Clone)]
pub struct Accounts(BTreeMap<Account, Way>);

#[derive(Clone)]
struct Way {
    live: Live,
    rest: Rest,
}

impl Accounts {
    /// Those that are in use.
    ///
    /// # Errors
    /// An account that is on paper; a key or secret that is missing or cannot be used.
    pub fn of(settings: &Settings, environment: &Environment, data_dir: &Path) -> anyhow::Result<Self> {
        check_modes(settings, true)?;
        let mut ways = BTreeMap::new();
        for (account, live) in live(settings) {
            let rest = client(account, live, environment, data_dir)?;
            ways.insert(account, Way { live: live.clone(), rest });
        }
        Ok(Self(ways))
    }

    pub fn each(&self) -> impl Iterator<Item = (Account, &Rest)> {
        self.0.iter().map(|(account, way)| (*account, &way.rest))
    }

    fn rest(&self, account: Account) -> Option<&Rest> {
        self.0.get(&account).map(|way| &way.rest)
    }
}

/// Orders go to the account that they name, and to no other.
impl Venue for Accounts {
    async fn submit(
        &self,
        account: Account,
        instrument: Instrument,
        request: &OrderRequest,
        stamp: Stamp,
    ) -> Outcome {
        match self.rest(account) {
            Some(rest) => rest.submit(account, instrument, request, stamp).await,
            None => unknown(account),
        }
    }

    async fn cancel(
        &self,
        account: Account,
        instrument: Instrument,
        order: ClientOrderId,
        number: Option<VenueOrderId>,
        stamp: Stamp,
    ) -> Outcome {
        match self.rest(account) {
            Some(rest) => rest.cancel(account, instrument, order, number, stamp).await,
            None => unknown(account),
        }
    }

    async fn look_up(
        &self,
        account: Account,
        instrument: Instrument,
        order: ClientOrderId,
        not_before: Timestamp,
    ) -> Outcome {
        match self.rest(account) {
            Some(rest) => rest.look_up(account, instrument, order, not_before).await,
            None => unknown(account),
        }
    }

    async fn standing(
        &self,
        account: Account,
        instrument: Instrument,
        order: ClientOrderId,
        number: VenueOrderId,
    ) -> Outcome {
        match self.rest(account) {
            Some(rest) => rest.standing(account, instrument, order, number).await,
            None => unknown(account),
        }
    }

    async fn listing(
        &self,
        account: Account,
        instrument: Instrument,
        at_most: Duration,
    ) -> Result<Listing, String> {
        match self.rest(account) {
            Some(rest) => rest.listing(account, instrument, at_most).await,
            None => Err(not_configured(account)),
        }
    }

    fn time(&self, account: Account) -> Option<Timestamp> {
        self.rest(account)?.time(account)
    }
}

/// Nothing was sent, and nothing will be until the account is back in the configuration.
fn unknown(account: Account) -> Outcome {
    Outcome::Fatal { text: not_configured(account) }
}

fn not_configured(account: Account) -> String {
    format!("{account} is not a live account of this process: configure it in [accounts]")
}

fn live(settings: &Settings) -> impl Iterator<Item = (Account, &Live)> {
    settings.trading().filter_map(|AccountSettings { account, mode, .. }| match mode {
        Mode::Live(live) => Some((*account, &**live)),
        Mode::Paper { .. } => None,
    })
}

/// Whether every account in use may trade there: real orders are sent only for accounts that say so, and what
/// is real is not played with. At a real venue accounts on paper trade beside live ones.
///
/// # Errors
/// A live account where nothing is real, or none where real orders are sent.
pub fn check_modes(settings: &Settings, at_a_real_venue: bool) -> Result<(), WrongUse> {
    let live = live(settings).next();
    match (live, at_a_real_venue) {
        (None, false) | (Some(_), true) => Ok(()),
        (None, true) => {
            let account = settings.account;
            Err(WrongUse(format!(
                "account {account} is on paper, and --venue {venue} sends real orders: trade on an account with mode = \"live\", e.g. [accounts.\"{venue}:main\"], or leave --venue out",
                venue = account.venue,
            )))
        }
        (Some((account, _)), false) => Err(WrongUse(format!(
            "account {account} is live, and this would trade on paper: say `--market {venue}:SYMBOLS:INTERVALS --venue {venue}` to send real orders for it, or give paper trading an account of its own, e.g. [accounts.\"{venue}:paper\"] with mode = \"paper\"",
            venue = account.venue,
        ))),
    }
}

/// Where the live accounts in use trade; `None` where all are on paper.
pub fn of(settings: &Settings) -> Option<domain::Venue> {
    live(settings).next().map(|(account, _)| account.venue)
}

/// Whether any account in use is on paper there.
pub fn plays(settings: &Settings) -> bool {
    settings.trading().any(AccountSettings::is_on_paper)
}

/// A client for market data alone, which needs no key.
///
/// # Errors
/// It cannot be made.
pub fn market(urls: &BinanceUrls, data_dir: &Path) -> anyhow::Result<Rest> {
    made(Setup::new(endpoints(urls, None), None), data_dir, "binance-exchange-info.json")
}

fn client(account: Account, live: &Live, environment: &Environment, data_dir: &Path) -> anyhow::Result<Rest> {
    let keys = keys(account, live, environment)?;
    let setup = Setup::new(endpoints(&environment.binance, Some(live)), Some(keys));
    made(setup, data_dir, &format!("binance-exchange-info-{}.json", account.name))
        .with_context(|| format!("account {account}"))
}

/// Where requests of that account go.
pub fn address(live: &Live, environment: &Environment) -> String {
    endpoints(&environment.binance, Some(live)).rest
}

fn made(mut setup: Setup, data_dir: &Path, info: &str) -> anyhow::Result<Rest> {
    venue_binance::net::tls();
    fs::create_dir_all(data_dir).with_context(|| format!("making the folder {}", data_dir.display()))?;
    setup.info_file = Some(data_dir.join(info));
    Rest::new(setup).context("making a client of Binance")
}

/// The account's own addresses, else the environment's, else Binance's.
fn endpoints(urls: &BinanceUrls, live: Option<&Live>) -> Endpoints {
    let mut endpoints = Endpoints::production();
    for (own, given, used) in [
        (live.and_then(|live| live.rest_url.as_ref()), &urls.rest_url, &mut endpoints.rest),
        (live.and_then(|live| live.ws_api_url.as_ref()), &urls.ws_api_url, &mut endpoints.ws_api),
        (live.and_then(|live| live.stream_url.as_ref()), &urls.stream_url, &mut endpoints.streams),
    ] {
        if let Some(given) = own.or(given.as_ref()) {
            used.clone_from(given);
        }
    }
    endpoints
}

fn keys(account: Account, live: &Live, environment: &Environment) -> anyhow::Result<Keys> {
    let api_key = secret(account, "api_key", &live.api_key, environment)?;
    let secret = secret(account, "api_secret", &live.api_secret, environment)?;
    let signer = Signer::from_secret(&secret).map_err(|e| {
        WrongUse(format!("account {account}: the secret in {} cannot be signed with: {e}", live.api_secret))
    })?;
    Ok(Keys { api_key, signer })
}

fn secret(
    account: Account,
    key: &str,
    source: &KeySource,
    environment: &Environment,
) -> anyhow::Result<String> {
    let text = match source {
        KeySource::Variable(name) => environment.named(name).map(Secret::reveal).map(str::to_owned),
        KeySource::File(path) => Some(
            fs::read_to_string(path)
                .map_err(|e| WrongUse(format!("account {account}: {key} is to be in {source}: {e}")))?,
        ),
    };
    let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    text.ok_or_else(|| {
        WrongUse(format!("account {account}: {key} is to be in {source}, and nothing is there: set it"))
            .into()
    })
}

/// Asks each venue whose account a key opens, until it tells, and has it recorded; `None` once asked to stop.
/// Nothing may be sent before.
///
/// # Errors
/// A key that opens another account than the tape's, that may not trade, or that may withdraw; two accounts that
/// are one at the venue.
pub async fn identify(
    accounts: &Accounts,
    tape: &Tape,
    process: &Process,
    stop: &mut watch::Receiver<bool>,
) -> anyhow::Result<Option<()>> {
    let mut known = Vec::new();
    for (&account, Way { live, rest }) in &accounts.0 {
        let identity = loop {
            match rest.identity().await {
                Ok(identity) => break identity,
                Err(why) if is_final(&why) => return Err(refused(account, &why).into()),
                Err(why) => {
                    let why = format!("whose account {account} is, is not known yet: {why}");
                    tracing::warn!("{why}");
                    process.cannot_open(why);
                }
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return Ok(None),
                () = sleep(AGAIN) => {}
            }
        };
        known.push((account, live, identity));
    }
    if let Some((_, why)) = refusals(&known, Some(tape)).await?.into_iter().next() {
        return Err(WrongUse(why).into());
    }
    for (account, _, identity) in known {
        tokio::spawn(record(tape.clone(), account, identity, stop.clone()));
    }
    Ok(Some(()))
}

/// Whose account a key opens, asked once; for `doctor`.
///
/// # Errors
/// A key or secret that is missing, cannot be used or is not accepted; a venue that does not answer.
pub async fn examine(
    account: Account,
    live: &Live,
    environment: &Environment,
    data_dir: &Path,
) -> anyhow::Result<Identity> {
    let rest = client(account, live, environment, data_dir)?;
    let why = match timeout(SHORT, rest.identity()).await {
        Ok(Ok(identity)) => return Ok(identity),
        Ok(Err(why)) if is_final(&why) => return Err(refused(account, &why).into()),
        Ok(Err(why)) => format!("account {account}: {why}"),
        Err(_) => format!("account {account}: the venue did not answer within {} s", SHORT.as_secs()),
    };
    Err(WrongUse(why).into())
}

/// Which of these accounts may not be traded, and why: [`identify`] refuses the first, `doctor` names all.
///
/// # Errors
/// The tape cannot be read.
pub async fn refusals(
    known: &[(Account, &Live, Identity)],
    tape: Option<&Tape>,
) -> anyhow::Result<BTreeMap<Account, String>> {
    let mut refused = BTreeMap::new();
    let mut seen: BTreeMap<&str, Account> = BTreeMap::new();
    for (account, live, identity) in known {
        let twice = seen.insert(&identity.account, *account).map(|other| {
            format!(
                "{other} and {account} are one account at the venue ({}): give one of them the key of another account, or leave it out",
                identity.account
            )
        });
        let mut why = twice.or_else(|| without_rights(*account, live, identity));
        if let (None, Some(tape)) = (&why, tape) {
            why = anothers(tape, *account, identity).await?;
        }
        refused.extend(why.map(|why| (*account, why)));
    }
    Ok(refused)
}

/// A key that no waiting makes good.
fn is_final(why: &CallError) -> bool {
    match why {
        CallError::Told(failure) => matches!(failure.code, Some(-1022 | -2008 | -2014 | -2015)),
        CallError::NoKey | CallError::Setup(_) => true,
        CallError::Held { .. }
        | CallError::Unreached(_)
        | CallError::NoAnswer(_)
        | CallError::Unreadable(_)
        | CallError::Incomplete { .. }
        | CallError::SlowClock { .. } => false,
    }
}

fn refused(account: Account, why: &CallError) -> WrongUse {
    WrongUse(format!(
        "account {account}: its key is not accepted ({why}): see that api_key and api_secret belong together, are of this venue, and that the venue lets this machine's address use the key"
    ))
}

fn without_rights(account: Account, live: &Live, identity: &Identity) -> Option<String> {
    if !identity.may_trade {
        return Some(format!(
            "account {account}: its key may not trade: allow spot trading for the key at the venue"
        ));
    }
    let why = match identity.may_withdraw {
        Some(false) => return None,
        Some(true) | None if live.may_withdraw => return None,
        Some(true) => "its key may withdraw: take that right from the key at the venue",
        None => "the venue does not tell whether its key may withdraw, as its test network does not",
    };
    Some(format!(
        "account {account}: {why}, or accept it with may_withdraw = true under [accounts.\"{account}\"]"
    ))
}

/// Where the tape trades another account of the venue under that name, or this one under another.
async fn anothers(tape: &Tape, account: Account, identity: &Identity) -> anyhow::Result<Option<String>> {
    for row in tape.of_kind(Kind::AccountIdentified).await? {
        let Event::Account(AccountEvent::Identified(then)) = row.decode()?.event else { continue };
        if then.account != account
            && then.account.venue == account.venue
            && then.venue_account == identity.account
        {
            return Ok(Some(format!(
                "account {account}: its key opens the venue's account {}, which this tape trades as {}: keep that name, or choose another tape with --tape",
                identity.account, then.account
            )));
        }
    }
    let then = last(tape, account).await?.map(|(_, then)| then.venue_account);
    Ok(then.filter(|then| *then != identity.account).map(|then| {
        format!(
            "account {account}: its key opens the venue's account {}, and this tape trades {then}: use that account's key, or another tape",
            identity.account
        )
    }))
}

/// Whose account it was at the venue when the tape last heard of it.
pub async fn last(tape: &Tape, account: Account) -> anyhow::Result<Option<(Row, AccountIdentified)>> {
    let Some(row) = tape.latest_about(Kind::AccountIdentified, &format!("account:{account}")).await? else {
        return Ok(None);
    };
    match row.decode()?.event {
        Event::Account(AccountEvent::Identified(identified)) => Ok(Some((row, identified))),
        _ => Ok(None),
    }
}

/// Puts it onto the tape once that is open, unless it says the same already.
async fn record(tape: Tape, account: Account, identity: Identity, mut stop: watch::Receiver<bool>) {
    loop {
        match say(&tape, account, &identity).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(why) => tracing::warn!("whose account {account} is, is not recorded yet: {why:#}"),
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = sleep(AGAIN) => {}
        }
    }
}

/// `false` while the tape is not open.
async fn say(tape: &Tape, account: Account, identity: &Identity) -> anyhow::Result<bool> {
    let Some(TapeOpened { tape: id, .. }) = tape.opened().await? else { return Ok(false) };
    let Identity { account: venue_account, may_trade, may_withdraw } = identity.clone();
    let identified = AccountIdentified { account, venue_account, may_trade, may_withdraw };
    let before = last(tape, account).await?;
    if before.as_ref().is_some_and(|(_, then)| *then == identified) {
        return Ok(true);
    }
    let event = Event::from(identified);
    // The same rights may return after others.
    let follows = before.map_or(0, |(row, _)| row.position);
    let id = ids::fact(id, event.kind().name(), &format!("{follows}/{}", event.body()));
    let draft = Draft::new(id, units::recorder(), None, tape.head().await?.recorded_at, &event);
    // Another process may have said it a moment ago: then it stands there.
    let commit = Commit { on_conflict: OnConflict::Report, ..Commit::new(vec![Entry::wall(draft)]) };
    tape.append(commit).await?;
    Ok(true)
}
