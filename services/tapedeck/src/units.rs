//! Which units run, in which order, under which configuration.
//!
//! The order is part of what a tape is: on a market clock each event reaches the units as listed.

use crate::{WrongUse, cli::RunVenue, deployment};
use anyhow::{Context, anyhow};
use domain::{Account, Decimal, ExitPlan, Instrument, UnitName};
use events::{Event, TradingState, UnitStarted, Uuid, ids};
use position_sizer::BaseFee;
use serde::de::DeserializeOwned;
use service::{
    Host, Service,
    edge::{EdgeKind, Signals},
};
use settings::{AccountSettings, EdgeSettings, Exit, Mode, OnDifference, OnLimit, Settings, Sizing};
use std::{collections::BTreeSet, num::NonZeroU64, time::Duration};
use tape::Tape;
use trade_abstraction::{gateway, planner};

/// What `UnitStarted` calls this build: the version and a digest of the sources.
pub const BUILD: &str = env!("TAPEDECK_BUILD");

/// The edges that there are: a line each.
pub const EDGES: &[EdgeKind] = &[
    EdgeKind::of::<edge70_signals::Edge70>(), // Donchian breakouts
];

/// Who says the market's events.
pub fn feed() -> UnitName {
    name("market-data")
}
/// Who says what was recorded of the venue's account stream.
pub fn recorder() -> UnitName {
    name("event-logger")
}
/// Who tells the time apart from a market.
pub fn clock() -> UnitName {
    name("clock")
}
/// Who says what a person asks for.
pub fn owner() -> UnitName {
    name("owner")
}

fn name(name: &str) -> UnitName {
    UnitName::new(name).unwrap_or_else(|e| unreachable!("a valid name: {e}"))
}

/// The id of a new tape: of the same market under the same configuration it is the same again.
pub fn tape_id(market: &str, settings: &Settings) -> Uuid {
    let config: Vec<String> = all(settings)
        .map(|hosts| hosts.iter().map(|h| format!("{} {}", h.unit(), h.config())).collect())
        .unwrap_or_default();
    ids::fact(Uuid::nil(), "tape", &format!("{market}\n{}", config.join("\n")))
}

/// Every account must be at the venue whose instruments are traded: prices and balances meet there.
///
/// # Errors
/// The first account that is elsewhere.
pub fn check_accounts<'a>(
    settings: &Settings,
    instruments: impl Iterator<Item = &'a Instrument>,
) -> Result<(), WrongUse> {
    for instrument in instruments {
        let mut accounts = settings.trading().map(|settings| settings.account);
        if let Some(account) = accounts.find(|account| account.venue != instrument.venue) {
            return Err(WrongUse(format!(
                "account {account} is not at {venue}, where {symbol} is traded: trade on an account there, e.g. [accounts.\"{venue}:{name}\"], in tapedeck.toml",
                venue = instrument.venue,
                symbol = instrument.symbol,
                name = account.name,
            )));
        }
    }
    Ok(())
}

/// The paper venue of an account: each account has one of its own, so that none trades against another. No other unit
/// has a name with a colon.
fn paper_unit(account: Account) -> UnitName {
    name(&format!("{}:{account}", venue_paper::VenuePaper::CORE))
}

/// Whether a unit is the paper venue of an account.
pub fn is_paper(host: &Host) -> bool {
    host.core_name() == venue_paper::VenuePaper::CORE
}

/// Every unit of a whole engine on paper.
///
/// # Errors
/// A configuration that a unit cannot run under.
pub fn all(settings: &Settings) -> anyhow::Result<Vec<Host>> {
    at(settings, None)
}

/// The same, of an engine that trades at that real venue.
///
/// # Errors
/// As [`all`].
pub fn at(settings: &Settings, venue: Option<&str>) -> anyhow::Result<Vec<Host>> {
    Ok(of_services(settings, venue)?.into_iter().map(|(_, host)| host).collect())
}

/// The same, each with the service that runs it.
///
/// # Errors
/// As [`all`].
pub fn of_services(
    settings: &Settings,
    venue: Option<&str>,
) -> anyhow::Result<Vec<(deployment::Service, Host)>> {
    use deployment::Service as Of;
    let mut hosts = Vec::new();
    for AccountSettings { account, .. } in settings.trading().filter(|of| is_played(of, venue)) {
        let unit = paper_unit(*account);
        hosts.push((Of::VenuePaper, Host::new::<venue_paper::VenuePaper>(unit, paper(settings, *account)?)));
    }
    hosts.extend([
        (Of::TradeAbstraction, Host::new::<gateway::Gateway>(name(GATEWAY), order_gateway(settings, venue))),
        (
            Of::OrderTracker,
            Host::new::<order_tracker::OrderTracker>(name(order_tracker::UNIT), orders(settings)),
        ),
        (
            Of::PositionTracker,
            Host::new::<position_tracker::PositionTracker>(name(position_tracker::UNIT), positions(settings)),
        ),
        (
            Of::PortfolioTracker,
            Host::new::<portfolio_tracker::PortfolioTracker>(
                name(portfolio_tracker::UNIT),
                portfolio(settings)?,
            ),
        ),
    ]);
    let brake = brakes(settings);
    if !brake.accounts.is_empty() {
        hosts.push((Of::Brake, Host::new::<brake::Brake>(name(brake::UNIT), brake)));
    }
    // At the other venues nobody tells it of books.
    if venue == RunVenue::Binance.name() {
        hosts.push((Of::PortfolioVsPositions, comparing(settings)));
    }
    for edge in settings.enabled() {
        let Some(Signals { kind, config, .. }) = &edge.signals else { continue };
        let kind = EDGES.iter().find(|known| known.name == *kind).context("a kind of edge that was read")?;
        // E.g. `edge70-signals` for `edge70`.
        hosts.push((Of::Edges, kind.host(name(&format!("{}-signals", edge.name)), config)?));
    }
    hosts.extend([
        (Of::Bridge, Host::new::<edge_signal_to_tas_bridge::Bridge>(name(BRIDGE), bridge(settings))),
        (
            Of::PositionSizer,
            Host::new::<position_sizer::PositionSizer>(name(position_sizer::UNIT), sizer(settings)),
        ),
        (Of::TradeAbstraction, Host::new::<planner::Planner>(name(PLANNER), plan(settings))),
    ]);
    Ok(hosts)
}

/// Who compares our books with those of a venue that tells them.
pub fn comparing(settings: &Settings) -> Host {
    let unit = name(portfolio_vs_positions::UNIT);
    Host::new::<portfolio_vs_positions::PortfolioVsPositions>(unit, books(settings))
}

const BRIDGE: &str = "edge-signal-to-tas-bridge";
const PLANNER: &str = "trade-planner";
const GATEWAY: &str = "order-gateway";

/// The units that a tape knows, each under the configuration that it first ran under.
///
/// # Errors
/// A unit that this build does not know, or a configuration that it cannot run under.
pub async fn of_tape(tape: &Tape) -> anyhow::Result<Vec<Host>> {
    let mut hosts = Vec::new();
    for cursor in tape.cursors().await? {
        let started = tape.of_subject(&format!("unit:{}", cursor.unit)).await?;
        let Some(first) = started.first() else { continue };
        let Event::Unit(events::UnitEvent::Started(started)) = first.decode()?.event else { continue };
        hosts.push(of_core(&started)?);
    }
    Ok(hosts)
}

/// A unit under the configuration that it started with. Its core decides, whatever the unit is called.
///
/// # Errors
/// A core that this build does not have, or a configuration that it cannot run under.
pub fn of_core(started: &UnitStarted) -> anyhow::Result<Host> {
    let known = [
        host::<venue_paper::VenuePaper>,
        host::<gateway::Gateway>,
        host::<order_tracker::OrderTracker>,
        host::<position_tracker::PositionTracker>,
        host::<portfolio_tracker::PortfolioTracker>,
        host::<brake::Brake>,
        host::<portfolio_vs_positions::PortfolioVsPositions>,
        host::<edge_signal_to_tas_bridge::Bridge>,
        host::<position_sizer::PositionSizer>,
        host::<planner::Planner>,
    ];
    let UnitStarted { unit, core, config, .. } = started;
    if let Some(kind) = EDGES.iter().find(|kind| kind.name == core) {
        return kind.host(*unit, config).with_context(|| not_ours(*unit));
    }
    known.iter().find_map(|of| of(started)).unwrap_or_else(|| {
        Err(anyhow!(
            "the tape knows a unit '{unit}' of a core '{core}' that this build does not have: use a newer one"
        ))
    })
}

/// `None` if it is of another core.
fn host<S: Service>(started: &UnitStarted) -> Option<anyhow::Result<Host>>
where
    S::Config: DeserializeOwned,
{
    (started.core == S::CORE).then(|| {
        let UnitStarted { unit, config, .. } = started;
        let config = serde_json::from_value(config.clone()).with_context(|| not_ours(*unit))?;
        Ok(Host::new::<S>(*unit, config))
    })
}

/// Whether the paper exchange trades for an account: for all where no real venue is traded at.
pub fn is_played(of: &AccountSettings, venue: Option<&str>) -> bool {
    venue.is_none() || of.is_on_paper()
}

fn not_ours(unit: UnitName) -> String {
    format!("the configuration of {unit} on this tape is not one of this build's")
}

/// The paper exchange of an account. A live account that is played with owns what `[paper]` says.
///
/// # Errors
/// A configuration that the paper exchange cannot run under.
pub fn paper(settings: &Settings, account: Account) -> anyhow::Result<venue_paper::Config> {
    use venue_paper::engine::{Fees, PaidIn, Terms, ThirdPrice};
    let paper = &settings.paper;
    let own = settings.settings_of(account);
    let fees = own.map_or(paper.fees, |own| own.fees);
    let balances = match own.map(|own| &own.mode) {
        Some(Mode::Paper { balances }) => balances,
        Some(Mode::Live(_)) | None => &paper.balances,
    };
    let config = venue_paper::Config {
        account,
        balances: balances.clone(),
        terms: Terms {
            fees: Fees {
                maker: fees.maker,
                taker: fees.taker,
                paid_in: match fees.asset {
                    settings::FeeAsset::Received => PaidIn::Received,
                    settings::FeeAsset::Quote => PaidIn::Quote,
                    settings::FeeAsset::Third(asset) => PaidIn::Third { asset, price: ThirdPrice::LastPrice },
                },
            },
            slippage_ratio: paper.slippage,
            participation: paper.participation,
        },
    };
    match config.problems().first() {
        None => Ok(config),
        Some(problem) => Err(anyhow!("[paper] {problem}")),
    }
}

fn order_gateway(settings: &Settings, venue: Option<&str>) -> gateway::Config {
    gateway::Config {
        recv_window_ms: settings.orders.recv_window_ms,
        clock_margin: settings.orders.clock_margin,
        entry_deadline: settings.orders.stuck_after,
        venue: venue.map(str::to_owned),
        on_paper: match venue {
            Some(_) => settings.trading().filter(|of| is_played(of, venue)).map(|of| of.account).collect(),
            None => BTreeSet::new(),
        },
    }
}

/// Of the accounts in use that have a limit.
fn brakes(settings: &Settings) -> brake::Config {
    let of = |of: &AccountSettings| {
        let settings::Brake {
            drawdown, daily_loss, losing_trades, orders_per_minute, rejected_per_hour, ..
        } = of.brake;
        let limits =
            brake::Limits { drawdown, daily_loss, losing_trades, orders_per_minute, rejected_per_hour };
        let state = match of.brake.on_limit {
            OnLimit::Reducing => TradingState::Reducing,
            OnLimit::Halted => TradingState::Halted,
        };
        let release_after_seconds = of.brake.release_after.map(|after| after.as_secs());
        (limits != brake::Limits::default())
            .then_some((of.account, brake::Setting { limits, state, release_after_seconds }))
    };
    brake::Config { accounts: settings.trading().filter_map(of).collect() }
}

fn books(settings: &Settings) -> portfolio_vs_positions::Config {
    use portfolio_vs_positions::Reaction;
    portfolio_vs_positions::Config {
        on_difference: match settings.books.on_difference {
            OnDifference::Report => Reaction::Report,
            OnDifference::Reducing => Reaction::Reduce,
            OnDifference::Halted => Reaction::Halt,
        },
    }
}

fn orders(settings: &Settings) -> order_tracker::Config {
    order_tracker::Config {
        stuck_after_seconds: settings.orders.stuck_after.as_secs(),
        keep_done_days: days(settings.orders.remember),
    }
}

fn positions(settings: &Settings) -> position_tracker::Config {
    position_tracker::Config { keep_days: days(settings.orders.remember) }
}

fn days(length: Duration) -> u64 {
    length.as_secs().div_ceil(86_400)
}

fn portfolio(settings: &Settings) -> anyhow::Result<portfolio_tracker::Config> {
    let every = NonZeroU64::new(settings.portfolio.value_every.as_secs())
        .context("[portfolio] value_every must be at least a second, e.g. \"1d\"")?;
    Ok(portfolio_tracker::Config {
        value_every_seconds: every,
        ..portfolio_tracker::Config::new(settings.quote)
    })
}

fn bridge(settings: &Settings) -> edge_signal_to_tas_bridge::Config {
    let route =
        |edge: &EdgeSettings| edge_signal_to_tas_bridge::Route { edge: edge.name, account: edge.account };
    edge_signal_to_tas_bridge::Config { routes: settings.enabled().map(route).collect() }
}

fn sizer(settings: &Settings) -> position_sizer::Config {
    let edge = |edge: &EdgeSettings| position_sizer::EdgeRules {
        edge: edge.name,
        accounts: [edge.account].into(),
        method: match edge.sizing {
            Sizing::Fixed { amount } => position_sizer::Method::Fixed { quote: amount },
            Sizing::Risk { max_loss, max_amount } => {
                position_sizer::Method::Risk { max_loss_ratio: max_loss, max_quote: max_amount }
            }
        },
        entry: edge.entry,
        exit: Some(exit_plan(edge)),
        slippage_ratio: edge.slippage,
        max_age: edge.max_age,
        cooldown: edge.cooldown,
    };
    let terms = sizing_terms(&settings.limits, settings.paper.fees);
    let own = |of: &AccountSettings| (of.account, sizing_terms(&of.limits, of.fees));
    position_sizer::Config {
        quote: settings.quote,
        edges: settings.enabled().map(edge).collect(),
        own: settings.trading().map(own).filter(|(_, own)| *own != terms).collect(),
        terms,
    }
}

fn sizing_terms(limits: &settings::Limits, fees: settings::Fees) -> position_sizer::Terms {
    let (entry_fee_ratio, base_fee) = match fees.asset {
        settings::FeeAsset::Quote => (fees.taker, BaseFee::None),
        settings::FeeAsset::Received => (Decimal::ZERO, BaseFee::Always(fees.taker)),
        settings::FeeAsset::Third(asset) => (Decimal::ZERO, BaseFee::WithoutEnoughOf(asset, fees.taker)),
    };
    position_sizer::Terms {
        limits: position_sizer::Limits {
            max_open_positions: limits.max_open_positions,
            max_open_risk_ratio: limits.max_open_risk,
            max_asset_exposure_ratio: limits.max_asset_exposure,
            max_trade_ratio: limits.max_trade,
            max_unsellable_ratio: limits.max_unsellable,
            max_exit_orders: limits.max_exit_orders,
            allowed_to_trade_without_stop: false,
            allowed_to_trade_perpetuals: false,
        },
        prohibited: limits.prohibited.clone(),
        entry_fee_ratio,
        base_fee,
    }
}

fn exit_plan(edge: &EdgeSettings) -> ExitPlan {
    let plan = match edge.exit {
        Exit::StopLimit { stop, limit_below } => ExitPlan::stop_limit(stop, limit_below),
        Exit::Oco { stop, stop_limit, take_profit } => ExitPlan::oco(stop, stop_limit, take_profit),
    };
    let time_limit_seconds = edge.time_limit.map(|limit| limit.as_secs());
    ExitPlan { trailing: edge.trailing, time_limit_seconds, ..plan }
}

fn plan(settings: &Settings) -> planner::Config {
    planner::Config {
        protect_attempts: settings.orders.protect_attempts,
        retry_after: settings.orders.retry_after,
        retry_at_most: settings.orders.retry_at_most,
        keep_ended: settings.orders.remember,
    }
}
