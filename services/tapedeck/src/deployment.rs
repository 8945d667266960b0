//! The services by name, and the units of each: what `tapedeck run` is asked for.

use crate::{cli::RunVenue, units};
use domain::UnitName;
use service::{Host, Own};
use settings::Settings;
use std::{collections::BTreeSet, fmt, str::FromStr, sync::Arc};

/// What can run in a process of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    EventLogger,
    MarketData,
    VenuePaper,
    BinanceOrdersToAmqp,
    Edges,
    Bridge,
    PositionSizer,
    TradeAbstraction,
    OrderTracker,
    PositionTracker,
    PortfolioTracker,
    PortfolioVsPositions,
    Brake,
}

/// What a service is: one row.
pub struct Row {
    pub service: Service,
    pub name: &'static str,
    /// Where a fleet at that venue needs it.
    pub venues: &'static [RunVenue],
    /// What it runs beside its cores ([`units::of_services`]).
    pub source: Option<Source>,
    /// Whether its sinks have hands that reach a real venue.
    pub hands: bool,
}

/// Who says what no core says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The loops of the recorder.
    Recorder,
    Market,
    /// The streams of live accounts.
    Ingestors,
    /// What the venues of live accounts have in their books.
    Books,
}

const ANYWHERE: &[RunVenue] = &[RunVenue::VenuePaper, RunVenue::Binance];
const BINANCE: &[RunVenue] = &[RunVenue::Binance];

/// The deployment: `run` and `up` on live candles take it from here.
pub const ROWS: [Row; 13] = [
    Row { source: Some(Source::Recorder), ..cores(Service::EventLogger, "event-logger") },
    Row { source: Some(Source::Market), ..cores(Service::MarketData, "market-data") },
    cores(Service::VenuePaper, "venue-paper"),
    Row {
        venues: BINANCE,
        source: Some(Source::Ingestors),
        ..cores(Service::BinanceOrdersToAmqp, "binance-orders-to-amqp")
    },
    cores(Service::Edges, "edge-signals"),
    cores(Service::Bridge, "edge-signal-to-tas-bridge"),
    cores(Service::PositionSizer, "position-sizer"),
    Row { hands: true, ..cores(Service::TradeAbstraction, "trade-abstraction") },
    cores(Service::OrderTracker, "order-tracker"),
    cores(Service::PositionTracker, "position-tracker"),
    cores(Service::PortfolioTracker, "portfolio-tracker"),
    cores(Service::Brake, "brake"),
    Row {
        venues: BINANCE,
        source: Some(Source::Books),
        ..cores(Service::PortfolioVsPositions, "portfolio-vs-positions")
    },
];

/// A service of cores alone, that every fleet needs.
const fn cores(service: Service, name: &'static str) -> Row {
    Row { service, name, venues: ANYWHERE, source: None, hands: false }
}

impl Row {
    /// Whether it sends orders or hears accounts, for which it needs their keys; nobody else should have them.
    pub fn needs_keys(&self) -> bool {
        self.hands || matches!(self.source, Some(Source::Ingestors | Source::Books))
    }
}

impl Service {
    /// Those that a fleet at that venue needs.
    pub fn all(venue: RunVenue) -> BTreeSet<Self> {
        ROWS.iter().filter(|row| row.venues.contains(&venue)).map(|row| row.service).collect()
    }

    pub fn row(self) -> &'static Row {
        ROWS.iter().find(|row| row.service == self).unwrap_or_else(|| unreachable!("{self:?} has a row"))
    }

    pub fn name(self) -> &'static str {
        self.row().name
    }

    pub fn serves(self, venue: RunVenue) -> bool {
        self.row().venues.contains(&venue)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Service {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        ROWS.iter().find(|row| row.name == given).map(|row| row.service).ok_or_else(|| {
            let known: Vec<_> = ROWS.iter().map(|row| row.name).collect();
            format!("there is no such service; there is: all, {}", known.join(", "))
        })
    }
}

/// Makes a unit anew, at the beginning of the tape.
pub type Make = Arc<dyn Fn() -> Host + Send + Sync>;

/// A unit that is a core.
pub struct Core {
    pub unit: UnitName,
    /// Whether its service's hands do what it says.
    pub hands: bool,
    pub make: Make,
}

/// The cores of these services under a configuration.
///
/// # Errors
/// A configuration that a unit cannot run under.
pub fn cores_of(
    settings: &Settings,
    services: &BTreeSet<Service>,
    venue: RunVenue,
) -> anyhow::Result<Vec<Core>> {
    let hosts = units::of_services(settings, venue.name())?.into_iter();
    let chosen = hosts.filter(|(service, _)| services.contains(service));
    let core = |(service, host): (Service, Host)| Core {
        unit: host.unit(),
        hands: service.row().hands && host.own() == Own::InPlace,
        make: maker(settings.clone(), host.unit(), venue),
    };
    Ok(chosen.map(core).collect())
}

fn maker(settings: Settings, unit: UnitName, venue: RunVenue) -> Make {
    Arc::new(move || {
        let hosts = units::at(&settings, venue.name()).ok();
        let host = hosts.and_then(|hosts| hosts.into_iter().find(|host| host.unit() == unit));
        host.unwrap_or_else(|| unreachable!("{unit} was made of this very configuration before"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use service::Service as _;
    use trade_abstraction::gateway::Gateway;

    #[test]
    fn the_cores_of_all_services_are_those_of_an_engine_in_its_order() {
        let settings = Settings::load(None, units::EDGES).unwrap();
        let all = units::all(&settings).unwrap();
        let services = ROWS.iter().map(|row| row.service).collect();
        let cores = cores_of(&settings, &services, RunVenue::VenuePaper).unwrap();
        assert_eq!(
            all.iter().map(Host::unit).collect::<Vec<_>>(),
            cores.iter().map(|core| core.unit).collect::<Vec<_>>()
        );
        for Core { unit, hands, make } in cores {
            let host = make();
            assert_eq!(host.unit(), unit);
            assert_eq!(hands, host.core_name() == Gateway::CORE, "the gateway is the one sink: {unit}");
        }
    }

    /// An account may be called as the edges' units are, an edge as the paper exchange is.
    #[test]
    fn no_two_units_have_one_name_and_the_order_of_accounts_names_none() {
        let names = |first: &str| {
            let text = format!(
                "account = \"binance:{first}\"\n[accounts.\"binance:signals\"]\nmode = \"paper\"\n\
                 [accounts.\"binance:x-signals\"]\nmode = \"paper\"\n[edges.edge70]\naccount = \"binance:signals\"\n\
                 [edges.venue-paper]\nkind = \"edge70\"\naccount = \"binance:x-signals\"\nlong = 9\nshort = 9\n\
                 sizing = {{ method = \"fixed\", amount = 50 }}\n\
                 exit = {{ kind = \"stop_limit\", stop = 0.1, limit_below = 0.2 }}\n"
            );
            let settings = Settings::from_toml(&text, units::EDGES).unwrap();
            let hosts = units::all(&settings).unwrap();
            (hosts.len(), hosts.iter().map(Host::unit).collect::<BTreeSet<_>>())
        };
        let (count, one) = names("signals");
        assert_eq!(one.len(), count, "{one:?}");
        assert_eq!(names("x-signals"), (count, one));
    }

    #[test]
    fn a_service_is_known_by_its_name_alone() {
        for row in &ROWS {
            assert_eq!(row.name.parse(), Ok(row.service));
            assert_eq!(row.service.row().name, row.name);
        }
        assert!("position-tracer".parse::<Service>().unwrap_err().contains("position-tracker"));
    }
}
