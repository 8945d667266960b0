//! One account's part of the exchange of the simulation, away from the tape, and what it really did.

use super::units as simulated;
use domain::{Account, Asset, ClientOrderId, Decimal, Instrument, InstrumentRules, OrderRequest, Timestamp};
use events::{Event, OrderEvent};
use service::{Core, Held, Service};
use std::collections::BTreeMap;
use venue_paper::VenuePaper;

/// The exchange, away from the tape.
pub struct Venue {
    core: Held<VenuePaper>,
    /// All that it ever said on its account stream, in order.
    pub truth: Vec<Event>,
    /// Requests that reached it, by their id.
    pub arrived: Vec<(OrderRequest, u32)>,
}

impl Venue {
    pub fn new(account: Account) -> Self {
        Self { core: Held::new(simulated::venue(account)), truth: Vec::new(), arrived: Vec::new() }
    }

    /// What it says on hearing a request, or of its market.
    pub fn hear(&mut self, now: Timestamp, event: &Event) -> Vec<Event> {
        if !VenuePaper::HEARS.contains(&event.kind()) {
            return Vec::new();
        }
        let mut said = Vec::new();
        self.core.hear(now, event, &mut said);
        said
    }

    /// Accepted and not ended.
    pub fn working(&self) -> Vec<(Instrument, ClientOrderId)> {
        let mut working = Vec::new();
        for event in &self.truth {
            match event {
                Event::Order(OrderEvent::Accepted(e)) => working.push((e.instrument, e.order)),
                Event::Order(OrderEvent::Ended(e)) => working.retain(|(_, order)| *order != e.order),
                _ => {}
            }
        }
        working
    }

    /// What it said of an order.
    pub fn reports(&self, order: &ClientOrderId) -> Vec<Event> {
        self.truth.iter().filter(|event| order_of(event) == Some(*order)).cloned().collect()
    }

    /// How much of an order has been traded.
    pub fn traded(&self, order: &ClientOrderId) -> Decimal {
        let fills = self.truth.iter().filter_map(|event| match event {
            Event::Order(OrderEvent::Filled(fill)) if fill.order == *order => Some(fill.quantity.get()),
            _ => None,
        });
        fills.sum()
    }

    /// Base asset bought less sold less taken as fees, by asset, starting from nothing.
    pub fn owned(&self) -> BTreeMap<Asset, Decimal> {
        let mut owned: BTreeMap<Asset, Decimal> = BTreeMap::new();
        for event in &self.truth {
            let Event::Order(OrderEvent::Filled(fill)) = event else { continue };
            let (base, quote) = assets(&fill.instrument);
            let sign = if fill.side == domain::Side::Buy { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
            *owned.entry(base).or_default() += sign * fill.quantity.get();
            *owned.entry(quote).or_default() -= sign * fill.quote;
            if let Some(fee) = fill.fee {
                *owned.entry(fee.asset).or_default() -= fee.amount;
            }
        }
        owned
    }
}

pub fn assets(instrument: &Instrument) -> (Asset, Asset) {
    let rules = rules(instrument.symbol.as_str());
    (rules.base, rules.quote)
}

pub fn rules(symbol: &str) -> InstrumentRules {
    let base = symbol.strip_suffix("USDT").unwrap_or(symbol);
    let asset = |name: &str| Asset::new(name).unwrap_or_else(|e| unreachable!("{e}"));
    InstrumentRules::open(
        asset(base),
        asset("USDT"),
        Decimal::new(1, 2),
        Decimal::new(1, 3),
        Decimal::from(5),
    )
}

fn order_of(event: &Event) -> Option<ClientOrderId> {
    match event {
        Event::Order(OrderEvent::Accepted(e)) => Some(e.order),
        Event::Order(OrderEvent::Filled(e)) => Some(e.order),
        Event::Order(OrderEvent::Ended(e)) => Some(e.order),
        _ => None,
    }
}
