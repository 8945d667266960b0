//! The promises, checked against what the venue really did.

use super::{
    facts::frame_id,
    units,
    venue::assets,
    world::{World, gateway_is_idle},
};
use domain::{
    Account, Asset, ClientOrderId, Decimal, EdgeName, Instrument, Leg, Origin, Side, Size, Timestamp,
    TradeId, VenueTradeId,
};
use events::{AccountEvent, CandleEvent, Event, OrderEvent, PositionEvent, Recorded, TradeEvent, Uuid};
use position_sizer::PositionSizer;
use position_tracker::PositionTracker;
use std::collections::{BTreeMap, BTreeSet};

/// # Errors
/// The first broken promise, in words.
pub fn all(world: &World) -> Result<(), String> {
    let tape: Vec<Recorded> = world
        .cluster
        .tape
        .look(|rows| rows.iter().map(events::Row::decode).collect::<Result<_, _>>())
        .map_err(|e| e.to_string())?;
    no_order_twice(world, &tape)?;
    nothing_lost(world, &tape)?;
    if !gateway_is_idle(world) {
        return Err("the gateway still waits for something that will never come".to_owned());
    }
    balances_conserved(world, &tape)?;
    positions_true(world)?;
    nothing_reserved(world, &tape)?;
    protected_or_said(world, &tape)?;
    times_are_the_venues(world, &tape)?;
    says_the_same_again(world)
}

/// Each order was taken once, no trade was entered twice, and no edge ever sold more of an instrument than it
/// had bought: a trade may take up the dust of the one before.
fn no_order_twice(world: &World, tape: &[Recorded]) -> Result<(), String> {
    let mut attempts = BTreeSet::new();
    for (request, attempt) in world.venues.values().flat_map(|venue| &venue.arrived) {
        if !attempts.insert((request.id(), *attempt)) {
            return Err(format!("attempt {attempt} of {} reached the venue twice", request.id()));
        }
    }
    let mut accepted: BTreeSet<ClientOrderId> = BTreeSet::new();
    let legs = legs(world);
    let edges = edges(tape);
    let mut held: BTreeMap<(Account, Instrument, EdgeName), Decimal> = BTreeMap::new();
    let mut entries: BTreeMap<TradeId, u32> = BTreeMap::new();
    for event in world.truth() {
        match event {
            Event::Order(OrderEvent::Accepted(e)) => {
                if !accepted.insert(e.order) {
                    return Err(format!("order {} was accepted twice", e.order));
                }
                if let Some((trade, Leg::Entry, _)) = legs.get(&e.order) {
                    *entries.entry(*trade).or_default() += 1;
                }
            }
            Event::Order(OrderEvent::Filled(e)) => {
                let Some((trade, _, _)) = legs.get(&e.order) else { continue };
                let Some(edge) = edges.get(trade) else { return Err(format!("nobody granted {trade}")) };
                let held = held.entry((e.account, e.instrument, *edge)).or_default();
                *held += if e.side == Side::Buy { e.quantity.get() } else { -e.quantity.get() };
                if *held < Decimal::ZERO {
                    return Err(format!("with trade {trade} edge {edge} sold {held} that it had not bought"));
                }
            }
            _ => {}
        }
    }
    if let Some((trade, n)) = entries.iter().find(|(_, n)| **n > 1) {
        return Err(format!("trade {trade} was entered {n} times"));
    }
    Ok(())
}

/// Whose trade each is.
fn edges(tape: &[Recorded]) -> BTreeMap<TradeId, EdgeName> {
    let granted = tape.iter().filter_map(|event| match &event.event {
        Event::Trade(TradeEvent::Sized(sized)) => Some((sized.trade, sized.edge)),
        _ => None,
    });
    granted.collect()
}

/// The orders that reached the venue: trade, leg, quantity.
fn legs(world: &World) -> BTreeMap<ClientOrderId, (TradeId, Leg, Decimal)> {
    let arrived = world.venues.values().flat_map(|venue| &venue.arrived);
    let orders = arrived.flat_map(|(request, _)| request.orders());
    orders
        .filter_map(|order| match (order.origin, order.size) {
            (Origin::Trade { trade, leg, .. }, Size::Base(quantity)) => {
                Some((order.id, (trade, leg, quantity.get())))
            }
            _ => None,
        })
        .collect()
}

/// Everything that the venue said on its stream is on the tape, once.
fn nothing_lost(world: &World, tape: &[Recorded]) -> Result<(), String> {
    let mut seen: BTreeMap<Uuid, u32> = BTreeMap::new();
    for event in tape {
        *seen.entry(event.id).or_default() += 1;
    }
    for event in world.truth() {
        match seen.get(&frame_id(event)) {
            Some(1) => {}
            Some(n) => return Err(format!("{n} times on the tape: {event:?}")),
            None => return Err(format!("not on the tape: {event:?}")),
        }
    }
    Ok(())
}

/// What each account owns is what it started with and what its fills made of it, to the last digit.
fn balances_conserved(world: &World, tape: &[Recorded]) -> Result<(), String> {
    let mut latest = BTreeMap::new();
    for event in tape {
        if let Event::Account(AccountEvent::BalanceChanged(b)) = &event.event {
            let newest = latest.entry((b.account, b.asset)).or_insert(*b);
            if b.as_of >= newest.as_of {
                *newest = *b;
            }
        }
    }
    for (account, venue) in &world.venues {
        let mut expected = venue.owned();
        *expected.entry(units::quote()).or_default() += units::cash();
        for ((_, asset), balance) in latest.iter().filter(|((of, _), _)| of == account) {
            let wanted = expected.get(asset).copied().unwrap_or_default();
            let has = balance.free + balance.locked;
            if has != wanted {
                return Err(format!("{account}: the venue holds {has} {asset}, the fills make {wanted}"));
            }
        }
    }
    Ok(())
}

/// The tracker's positions, and the dust of those that it closed, are what the venue's fills made.
fn positions_true(world: &World) -> Result<(), String> {
    let (_, state) = world.cluster.held::<PositionTracker>().ok_or("the position tracker does not run")?;
    let mut tracked: BTreeMap<(Account, Asset), Decimal> = BTreeMap::new();
    for (key, position) in state.positions() {
        *tracked.entry((key.account, assets(&key.instrument).0)).or_default() += position.quantity();
    }
    for (key, dust) in state.dust() {
        *tracked.entry((key.account, assets(&key.instrument).0)).or_default() += dust.quantity;
    }
    for (account, venue) in &world.venues {
        for (asset, really) in venue.owned() {
            let tracked = tracked.get(&(*account, asset)).copied().unwrap_or_default();
            if asset != units::quote() && tracked != really {
                return Err(format!(
                    "{account}: positions and their dust are {tracked} {asset}, the fills made {really}"
                ));
            }
        }
    }
    Ok(())
}

/// At rest no entry is under way: the sizer sets money aside for nobody, and counts the trades that are open.
fn nothing_reserved(world: &World, tape: &[Recorded]) -> Result<(), String> {
    let (_, state) = world.cluster.held::<PositionSizer>().ok_or("the sizer does not run")?;
    let mut open = BTreeSet::new();
    for event in tape {
        match &event.event {
            Event::Trade(TradeEvent::Opened(e)) => _ = open.insert(e.trade),
            Event::Trade(TradeEvent::Closed(e)) => _ = open.remove(&e.trade),
            Event::Trade(TradeEvent::Aborted(e)) => _ = open.remove(&e.trade),
            _ => {}
        }
    }
    for (trade, reserved) in state.reserved() {
        if !reserved.is_zero() || !open.contains(&trade) {
            return Err(format!("the sizer keeps trade {trade} with {reserved} set aside, at rest"));
        }
    }
    Ok(())
}

/// At rest each open trade has a stop at the venue for all that can be sold, or is said to have none.
fn protected_or_said(world: &World, tape: &[Recorded]) -> Result<(), String> {
    let mut cover: BTreeMap<TradeId, bool> = BTreeMap::new();
    for event in tape {
        let Event::Trade(trade) = &event.event else { continue };
        let Some(id) = event.event.trade() else { continue };
        match trade {
            TradeEvent::Protected(_) => {
                cover.insert(id, true);
            }
            TradeEvent::Unprotected(_) => {
                cover.insert(id, false);
            }
            TradeEvent::Closed(_) | TradeEvent::Aborted(_) => {
                cover.remove(&id);
            }
            TradeEvent::Opened(_) => {
                cover.entry(id).or_insert(false);
            }
            _ => {}
        }
    }
    let legs = legs(world);
    let mut working: BTreeMap<TradeId, Decimal> = BTreeMap::new();
    for venue in world.venues.values() {
        for (_, order) in venue.working() {
            if let Some((trade, Leg::Stop, quantity)) = legs.get(&order) {
                *working.entry(*trade).or_default() += quantity - venue.traded(&order);
            }
        }
    }
    for (trade, (held, price)) in holdings(tape, &legs) {
        // What the venue would not take as an order, at the price at which it was last traded.
        let lots = held - held % Decimal::new(1, 3);
        if lots * price < Decimal::from(5) {
            continue;
        }
        let covered = working.get(&trade).copied().unwrap_or_default();
        match cover.get(&trade) {
            None => return Err(format!("trade {trade} holds {held} and nobody says so")),
            Some(true) if covered < lots => {
                return Err(format!("trade {trade} is said to be protected; {covered} of {lots} are"));
            }
            // While an exit is tried again and again nothing is at rest.
            Some(false) => return Err(format!("trade {trade} rests with {held} and without a stop")),
            Some(true) => {}
        }
    }
    Ok(())
}

/// A trade is open since its first fill at the venue and closed when its position was; nothing is without a stop since
/// before that, or since later than it is said.
fn times_are_the_venues(world: &World, tape: &[Recorded]) -> Result<(), String> {
    let legs = legs(world);
    let mut opened: BTreeMap<TradeId, Timestamp> = BTreeMap::new();
    let mut left: BTreeMap<TradeId, (Account, Instrument, VenueTradeId)> = BTreeMap::new();
    let mut ended = Vec::new();
    let mut positions: BTreeMap<(Account, Instrument, VenueTradeId), Timestamp> = BTreeMap::new();
    for event in tape {
        match &event.event {
            Event::Order(OrderEvent::Filled(f)) => match legs.get(&f.order) {
                Some((trade, Leg::Entry, _)) => {
                    let first = opened.entry(*trade).or_insert(f.at);
                    *first = f.at.min(*first);
                }
                Some((trade, _, _)) => _ = left.insert(*trade, (f.account, f.instrument, f.venue_trade)),
                None => {}
            },
            Event::Position(PositionEvent::Closed(e)) => {
                positions.insert((e.position.account, e.position.instrument, e.fill), e.closed_at);
            }
            Event::Trade(TradeEvent::Unprotected(e)) => {
                let since = opened.get(&e.trade).is_some_and(|opened| *opened <= e.since);
                if !since || e.since > event.at {
                    return Err(format!(
                        "at {} trade {} is without a stop since {}",
                        event.at, e.trade, e.since
                    ));
                }
            }
            Event::Trade(TradeEvent::Closed(e)) => {
                let first = opened.get(&e.trade);
                if first != Some(&e.opened_at) || e.closed_at < e.opened_at {
                    let (from, to) = (e.opened_at, e.closed_at);
                    return Err(format!(
                        "trade {} lasted from {from} to {to}, its first fill is of {first:?}",
                        e.trade
                    ));
                }
                if let Some(exit) = left.get(&e.trade) {
                    ended.push((e.trade, *exit, e.closed_at));
                }
            }
            _ => {}
        }
    }
    for (trade, exit, at) in ended {
        if let Some(closed) = positions.get(&exit).filter(|closed| **closed != at) {
            return Err(format!("trade {trade} was closed at {at}, its position at {closed}"));
        }
    }
    Ok(())
}

fn holdings(
    tape: &[Recorded],
    legs: &BTreeMap<ClientOrderId, (TradeId, Leg, Decimal)>,
) -> BTreeMap<TradeId, (Decimal, Decimal)> {
    // Each with the price of its last fill, and the lowest close since then until it was closed.
    let mut held: BTreeMap<TradeId, (Instrument, Decimal, Decimal, Decimal)> = BTreeMap::new();
    let mut closed = BTreeSet::new();
    for event in tape {
        match &event.event {
            Event::Order(OrderEvent::Filled(f)) => {
                let Some((trade, _, _)) = legs.get(&f.order) else { continue };
                let (base, _) = assets(&f.instrument);
                let sign = if f.side == Side::Buy { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
                let fee = f.fee.filter(|fee| fee.asset == base).map_or(Decimal::ZERO, |fee| fee.amount);
                let zero = Decimal::ZERO;
                let (_, quantity, price, low) =
                    held.entry(*trade).or_insert((f.instrument, zero, zero, zero));
                *quantity += sign * f.quantity.get() - fee;
                (*price, *low) = (f.price.get(), f.price.get());
            }
            // A trade is closed with what the market then makes too little for an order.
            Event::Candle(CandleEvent::Closed(e)) => {
                for (trade, (instrument, _, _, low)) in &mut held {
                    if *instrument == e.candle.instrument && !closed.contains(trade) {
                        *low = e.candle.close.get().min(*low);
                    }
                }
            }
            Event::Trade(TradeEvent::Closed(e)) => _ = closed.insert(e.trade),
            _ => {}
        }
    }
    let price = |trade, price, low| if closed.contains(&trade) { low } else { price };
    let held = held.into_iter();
    held.map(|(trade, (_, quantity, last, low))| (trade, (quantity, price(trade, last, low)))).collect()
}

/// Every core over its inputs again.
fn says_the_same_again(world: &World) -> Result<(), String> {
    match world.cluster.verify().differences.first() {
        None => Ok(()),
        Some(difference) => Err(difference.to_string()),
    }
}
