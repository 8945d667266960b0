//! The services by name, and the units of each: what `tapedeck run` is asked for.

use crate::{WrongUse, cli::RunVenue, units};
use domain::UnitName;
use service::Host;
use settings::Settings;
use std::{collections::BTreeSet, fmt, str::FromStr, sync::Arc};

/// What can run in a process of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    EventLogger,
    MarketData,
    VenuePaper,
    BinanceOrdersToAmqp,
    Edge70Signals,
    Bridge,
    PositionSizer,
    TradeAbstraction,
    OrderTracker,
    PositionTracker,
    PortfolioTracker,
}

impl Service {
    pub const ALL: [Self; 11] = [
        Self::EventLogger,
        Self::MarketData,
        Self::VenuePaper,
        Self::BinanceOrdersToAmqp,
        Self::Edge70Signals,
        Self::Bridge,
        Self::PositionSizer,
        Self::TradeAbstraction,
        Self::OrderTracker,
        Self::PositionTracker,
        Self::PortfolioTracker,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::EventLogger => "event-logger",
            Self::MarketData => "market-data",
            Self::VenuePaper => "venue-paper",
            Self::BinanceOrdersToAmqp => "binance-orders-to-amqp",
            Self::Edge70Signals => "edge70-signals",
            Self::Bridge => "edge-signal-to-tas-bridge",
            Self::PositionSizer => "position-sizer",
            Self::TradeAbstraction => "trade-abstraction",
            Self::OrderTracker => "order-tracker",
            Self::PositionTracker => "position-tracker",
            Self::PortfolioTracker => "portfolio-tracker",
        }
    }

    /// Whether a fleet at that venue needs it.
    pub const fn serves(self, venue: RunVenue) -> bool {
        match self {
            Self::VenuePaper => matches!(venue, RunVenue::VenuePaper),
            Self::BinanceOrdersToAmqp => matches!(venue, RunVenue::Binance),
            Self::EventLogger
            | Self::MarketData
            | Self::Edge70Signals
            | Self::Bridge
            | Self::PositionSizer
            | Self::TradeAbstraction
            | Self::OrderTracker
            | Self::PositionTracker
            | Self::PortfolioTracker => true,
        }
    }

    /// The service that a core belongs to.
    fn of(unit: UnitName) -> Option<Self> {
        let own = Self::ALL.into_iter().find(|service| service.name() == unit.as_str());
        own.or(match unit.as_str() {
            "order-gateway" | "trade-planner" => Some(Self::TradeAbstraction),
            _ if units::is_paper(unit) => Some(Self::VenuePaper),
            other if other.ends_with("-signals") => Some(Self::Edge70Signals),
            _ => None,
        })
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
        Self::ALL.into_iter().find(|service| service.name() == given).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|service| service.name()).collect();
            format!("there is no such service; there is: all, {}", known.join(", "))
        })
    }
}

/// Makes a unit anew, at the beginning of the tape.
pub type Make = Arc<dyn Fn() -> Host + Send + Sync>;

/// The cores of these services under a configuration.
///
/// # Errors
/// A configuration that a unit cannot run under.
pub fn cores(
    settings: &Settings,
    services: &BTreeSet<Service>,
    venue: RunVenue,
) -> anyhow::Result<Vec<(UnitName, Make)>> {
    let mut cores = Vec::new();
    for host in units::at(settings, venue.name())? {
        let unit = host.unit();
        let Some(service) = Service::of(unit) else {
            return Err(WrongUse(format!("{unit} belongs to no service")).into());
        };
        if services.contains(&service) {
            cores.push((unit, maker(settings.clone(), unit, venue)));
        }
    }
    Ok(cores)
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

    #[test]
    fn every_unit_belongs_to_a_service() {
        let settings = Settings::load(None).unwrap();
        let all = units::all(&settings).unwrap();
        let cores = cores(&settings, &Service::ALL.into(), RunVenue::VenuePaper).unwrap();
        assert_eq!(
            all.iter().map(Host::unit).collect::<Vec<_>>(),
            cores.iter().map(|c| c.0).collect::<Vec<_>>()
        );
        for (unit, make) in cores {
            assert_eq!(make().unit(), unit);
        }
    }

    #[test]
    fn a_service_is_known_by_its_name_alone() {
        for service in Service::ALL {
            assert_eq!(service.name().parse(), Ok(service));
        }
        assert!("position-tracer".parse::<Service>().unwrap_err().contains("position-tracker"));
    }
}
