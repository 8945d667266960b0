//! What must hold once the owner's hand rests.

use super::{
    hand::{Hand, base},
    world::{OpenOrder, World, ours},
};
use domain::{ClientOrderId, Decimal, Instrument, InstrumentRules, Leg, Origin, Side, TradeId, VenueOrderId};
use events::{
    ControlEvent, Event, InstrumentEvent, NakedBecause, OrderEvent, Recorded, Rejection, TradeEvent,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::{Duration, Instant},
};

/// Waits until each held amount is covered or said to be not, and nothing waits for anything.
pub fn comes_to_rest(world: &World, limit: Duration) {
    let end = Instant::now() + limit;
    let mut steady = 0;
    loop {
        let found = at_rest(world);
        match found {
            Ok(()) => steady += 1,
            Err(why) => {
                steady = 0;
                if Instant::now() >= end {
                    panic!("not within {limit:?}: {why}\n{}\n{}", told_of(world, &why), world.last_words());
                }
            }
        }
        if steady == 3 {
            return;
        }
        thread::sleep(Duration::from_millis(1_200));
    }
}

/// What the tape tells of the orders and trades that `why` names.
fn told_of(world: &World, why: &str) -> String {
    let named: Vec<&str> = why.split_whitespace().filter(|word| word.len() > 20).collect();
    let rows = world.tape();
    let about = rows.iter().filter(|row| {
        let body = row.event.body();
        named.iter().any(|name| body.contains(name))
    });
    let lines: Vec<String> = about
        .map(|row| {
            let body = row.event.body();
            format!(
                "{:>6} {} {} {} {body}",
                row.position,
                row.recorded_at,
                row.source,
                row.event.kind().name()
            )
        })
        .collect();
    lines.join("\n")
}

/// A trade as the tape tells it.
#[derive(Default)]
struct Told {
    instrument: Option<Instrument>,
    covered: Option<(ClientOrderId, Decimal)>,
    naked: Option<(NakedBecause, Decimal)>,
    exiting: bool,
    over: bool,
    left: Decimal,
}

fn trades(tape: &[Recorded]) -> BTreeMap<TradeId, Told> {
    let mut trades: BTreeMap<TradeId, Told> = BTreeMap::new();
    for event in tape {
        let Event::Trade(event) = &event.event else { continue };
        match event {
            TradeEvent::Opened(e) => {
                let told = trades.entry(e.trade).or_default();
                *told = Told { instrument: Some(e.instrument), ..Told::default() };
            }
            TradeEvent::Protected(e) => {
                let told = trades.entry(e.trade).or_default();
                (told.covered, told.naked) = (Some((e.order, e.quantity.get())), None);
            }
            TradeEvent::Unprotected(e) => {
                let told = trades.entry(e.trade).or_default();
                told.naked = Some((e.because, e.quantity));
                told.covered =
                    told.covered.zip(e.covered).map(|((order, _), covered)| (order, covered.get()));
            }
            TradeEvent::Exiting(e) => trades.entry(e.trade).or_default().exiting = true,
            TradeEvent::Closed(e) => {
                let told = trades.entry(e.trade).or_default();
                (told.over, told.left) = (true, e.left);
            }
            _ => {}
        }
    }
    trades
}

fn at_rest(world: &World) -> Result<(), String> {
    let open = world.open_orders();
    let tape = world.tape();
    nothing_waits(&tape)?;
    let numbers = ours(&tape);
    let by_order: BTreeMap<ClientOrderId, &OpenOrder> = open
        .iter()
        .filter_map(|order| {
            let found = numbers.iter().find(|((instrument, number), _)| {
                *instrument.symbol == *order.symbol && number.as_str() == order.number.to_string()
            });
            found.map(|(_, ours)| (*ours, order))
        })
        .collect();
    let rules = rules(&tape);
    for (id, told) in trades(&tape) {
        let Some(instrument) = told.instrument.filter(|_| !told.over) else { continue };
        match told.covered {
            Some((order, quantity)) => {
                let Some(works) = by_order.get(&order) else {
                    return Err(format!("{id} is said to be covered by {order}, which does not work"));
                };
                if works.side != "SELL" || works.left != quantity {
                    return Err(format!("{id} is said to be covered for {quantity}, and {} are", works.left));
                }
            }
            None if told.naked.is_none() => return Err(format!("{id} holds, and nobody says how")),
            None => {}
        }
        // What is without a stop must have a reason that the exchange gives.
        if let Some((because, quantity)) = told.naked {
            let (free, _) = world.balance(base(&instrument.symbol));
            let rules = &rules[&instrument];
            let price = world.price(&instrument.symbol);
            let could = free.min(quantity);
            let by_rules =
                rules.floor_quantity(could).is_none() || rules.is_dust(could, price * Decimal::new(6, 1));
            if !by_rules {
                return Err(format!(
                    "{id} rests with {quantity} without a stop ({because:?}), and {free} {} are free",
                    base(&instrument.symbol)
                ));
            }
        } else if told.exiting {
            let rules = &rules[&instrument];
            let held = told.covered.map_or(Decimal::ZERO, |(_, quantity)| quantity);
            let price = world.price(&instrument.symbol);
            if rules.floor_market_quantity(held).is_some() && !rules.is_dust(held, price * Decimal::new(9, 1))
            {
                return Err(format!("{id} is to be left, and is not"));
            }
        }
    }
    // None of the engine's orders works for nobody.
    let legs = legs(&tape);
    for (order, works) in &by_order {
        let trade = legs.get(order).map(|(trade, _)| *trade);
        let over = trade.is_none_or(|trade| trades(&tape).get(&trade).is_none_or(|told| told.over));
        if over {
            return Err(format!("{order} ({} {}) works, and its trade is over", works.kind, works.left));
        }
    }
    Ok(())
}

fn legs(tape: &[Recorded]) -> BTreeMap<ClientOrderId, (TradeId, Leg)> {
    let mut legs = BTreeMap::new();
    for event in tape {
        let Event::Order(OrderEvent::Submitted(e)) = &event.event else { continue };
        for order in e.request.orders() {
            if let Origin::Trade { trade, leg, .. } = order.origin {
                legs.insert(order.id, (trade, leg));
            }
        }
    }
    legs
}

fn rules(tape: &[Recorded]) -> BTreeMap<Instrument, InstrumentRules> {
    let listed = tape.iter().filter_map(|event| match &event.event {
        Event::Instrument(InstrumentEvent::Listed(e)) => Some((e.instrument, (*e.rules).clone())),
        _ => None,
    });
    listed.collect()
}

/// Every order of the engine's is at work or done, and every cancel answered.
fn nothing_waits(tape: &[Recorded]) -> Result<(), String> {
    let (mut sent, mut cancels, mut done) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let numbers = ours(tape);
    for event in tape {
        let Event::Order(event) = &event.event else { continue };
        match event {
            OrderEvent::Submitted(e) => e.request.orders().for_each(|order| _ = sent.insert(order.id)),
            OrderEvent::Accepted(e) => {
                if let Some(order) = numbers.get(&(e.instrument, e.venue_order)) {
                    sent.remove(order);
                }
            }
            OrderEvent::Amended(e) => {
                if let Some(order) = numbers.get(&(e.instrument, e.venue_order)) {
                    sent.remove(order);
                }
            }
            // Asked for before the planner heard that the order is done: there is nothing to cancel.
            OrderEvent::CancelRequested(e) if done.contains(&e.order) => {}
            OrderEvent::CancelRequested(e) => _ = cancels.insert(e.order),
            OrderEvent::CancelRejected(e) => _ = cancels.remove(&e.order),
            OrderEvent::Done(e) if e.origin.is_some() => {
                sent.remove(&e.order);
                cancels.remove(&e.order);
                done.insert(e.order);
            }
            _ => {}
        }
    }
    match (sent.first(), cancels.first()) {
        (Some(order), _) => Err(format!("{order} has no answer")),
        (_, Some(order)) => Err(format!("the cancel of {order} has no answer")),
        (None, None) => Ok(()),
    }
}

/// What must hold of the whole tape; in words, what was traded.
pub fn whole(world: &mut World, hand: &Hand) -> String {
    let tape = world.tape();
    for event in &tape {
        match &event.event {
            Event::Tape(events::TapeEvent::Conflicted(e)) => panic!("two copies of one fact differ: {e:?}"),
            Event::Frame(events::FrameEvent::Quarantined(e)) => {
                panic!("a frame was not understood: {}", e.why)
            }
            Event::Control(ControlEvent::TradingStateChanged(e)) => {
                assert_eq!(e.why, "the owner's hand rests", "something halted by itself: {e:?}");
            }
            _ => {}
        }
    }
    let numbers = ours(&tape);
    let legs = legs(&tape);
    bought_by_its_own_entry(&tape, &numbers, &legs);
    let refusals = tape.iter().filter(|event| is_refusal(&event.event)).count();
    let most = 30 + 8 * hand.actions() as usize;
    assert!(refusals <= most, "{refusals} refusals after {} actions: they do not end", hand.actions());
    let foreign = tape
        .iter()
        .filter(|event| matches!(&event.event, Event::Order(OrderEvent::Done(e)) if e.origin.is_none()));
    let amended =
        tape.iter().filter(|event| matches!(event.event, Event::Order(OrderEvent::Amended(_)))).count();
    let trades = trades(&tape);
    let closed = trades.values().filter(|told| told.over).count();
    let naked = trades.values().filter(|told| !told.over && told.naked.is_some()).count();
    let verified = world.command(&["verify"]);
    assert!(!verified.contains("DIFFERENCE"), "{verified}");
    format!(
        "{} trades ({closed} closed, {naked} with coins that are said to have no stop), {amended} amended, {} foreign orders, {refusals} refusals, {} events",
        trades.len(),
        foreign.count(),
        tape.len()
    )
}

fn is_refusal(event: &Event) -> bool {
    matches!(event, Event::Order(OrderEvent::Rejected(e))
        if matches!(e.reason, Rejection::Filter | Rejection::InsufficientBalance | Rejection::MarketClosed))
}

/// What a trade is said to have bought is what its own entry bought: nobody else's order counts as its own.
fn bought_by_its_own_entry(
    tape: &[Recorded],
    numbers: &BTreeMap<(Instrument, VenueOrderId), ClientOrderId>,
    legs: &BTreeMap<ClientOrderId, (TradeId, Leg)>,
) {
    let mut bought: BTreeMap<TradeId, Decimal> = BTreeMap::new();
    for event in tape {
        match &event.event {
            Event::Order(OrderEvent::Filled(e)) if e.side == Side::Buy => {
                let Some(order) = numbers.get(&(e.instrument, e.venue_order)) else { continue };
                let Some((trade, Leg::Entry)) = legs.get(order) else { continue };
                *bought.entry(*trade).or_default() += e.quantity.get();
            }
            Event::Trade(TradeEvent::Closed(e)) => {
                let own = bought.get(&e.trade).copied().unwrap_or_default();
                assert_eq!(e.quantity, own, "{} is said to have bought what it did not", e.trade);
            }
            _ => {}
        }
    }
}
