//! Sums that must hold to the last digit, whatever is traded.

use crate::script::{World, d, way, written};
use domain::{Decimal, EdgeName};
use events::{Event, PositionEvent};
use std::collections::BTreeMap;

/// A small generator, so that a failing seed can be played again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Prices and quantities that divide badly; every fee; three owners; selling by hand, and more than
/// there is.
#[test]
fn money_and_coins_sum_up_to_the_last_digit() {
    let mut covered = 0;
    for seed in 0..100 {
        let mut dice = Dice(seed);
        let mut world = World::new();
        world.hear("submit a edge70");
        world.hear("submit b edge60");
        let mut books = Books::default();
        for _ in 0..50 {
            let (id, owner) = [("a", "edge70"), ("b", "edge60"), ("web", "manual")][dice.roll(3) as usize];
            let quantity = Decimal::new(dice.roll(3_000_000) as i64 + 1, 6);
            let price = Decimal::new(dice.roll(9_999_999) as i64 + 1, 2);
            let (base_fee, quote_fee, fee) = [
                ("0", "0", ""),
                ("0.000001", "0", "fee 0.000001 BTC"),
                ("0", "0.0123457", "fee 0.0123457 USDT"),
                ("0", "0", "fee 0.0007 BNB"),
            ][dice.roll(4) as usize];
            let verb = ["buys", "sells"][dice.roll(2) as usize];

            let before = held(&world, |_| true);
            let available = held(&world, |other| owner == "manual" || owner == other);
            let said = world.hear(&format!("{id} {verb} {quantity} @ {price} {fee}"));
            let moved = held(&world, |_| true) - before;
            let cash = books.take(&world, &said, seed);

            let at = format!("seed {seed}: {id} {verb} {quantity} @ {price} {fee}");
            if verb == "buys" {
                assert_eq!(moved, (quantity - d(base_fee)).max(Decimal::ZERO), "{at}");
                if !moved.is_zero() {
                    assert_eq!(cash, -(quantity * price + d(quote_fee)), "{at}");
                }
            } else {
                let wanted = quantity + d(base_fee);
                assert_eq!(-moved, wanted.min(available), "{at}");
                if wanted <= available {
                    assert_eq!(cash, quantity * price - d(quote_fee), "{at}");
                    covered += 1;
                }
            }
        }
    }
    assert!(covered > 500, "enough sales were covered to prove something: {covered}");
}

/// The same random fills, of longs on spot and mirrored, of shorts of a perpetual, make the same log.
#[test]
fn random_fills_mirrored_give_the_same_log() {
    fn log(seed: u64) -> Vec<String> {
        let mut dice = Dice(seed);
        let mut world = World::new();
        let mut log = Vec::new();
        world.hear("submit a edge70");
        world.hear("submit b edge60");
        for _ in 0..40 {
            let (id, owner) = [("a", "edge70"), ("b", "edge60"), ("web", "manual")][dice.roll(3) as usize];
            let available = held(&world, |other| owner == "manual" || owner == other);
            let lots = |dice: &mut Dice| Decimal::new(dice.roll(3_000) as i64 + 1, 3);
            let (verb, quantity) = match dice.roll(2) {
                0 => ("buys", lots(&mut dice)),
                _ => ("sells", lots(&mut dice).min(available)),
            };
            let price = Decimal::new(dice.roll(90_000) as i64 + 1, 2);
            let fee = ["", "fee 0.0123 USDT", "fee 0.0007 BNB"][dice.roll(3) as usize];
            if !quantity.is_zero() {
                let said = world.hear(&format!("{id} {verb} {quantity} @ {price} {fee}"));
                log.extend(said.iter().map(written));
            }
        }
        assert!(world.core.state.positions().all(|(_, position)| position.direction == way()));
        log
    }
    thread_local!(static LOGS: std::cell::RefCell<Vec<Vec<String>>> = const { std::cell::RefCell::new(Vec::new()) });
    let all: Vec<Vec<String>> = (0..200).map(log).collect();
    service::mirror::play(|| LOGS.set((0..200).map(log).collect()));
    assert_eq!(LOGS.take(), all);
    assert!(all.iter().flatten().filter(|line| line.contains("closed")).count() > 500);
}

/// Of a perpetual nothing comes from outside the books: every fill counts in full, whichever way it turns what is
/// held.
#[test]
fn money_and_contracts_of_a_perpetual_sum_up_to_the_last_digit() {
    service::mirror::play(|| {
        for seed in 0..100 {
            let mut dice = Dice(seed);
            let mut world = World::new();
            world.hear("submit a edge70");
            let mut books = Books::default();
            for _ in 0..50 {
                let id = ["a", "web"][dice.roll(2) as usize];
                let quantity = Decimal::new(dice.roll(3_000_000) as i64 + 1, 6);
                let price = Decimal::new(dice.roll(99_999) as i64 + 1, 2);
                let (quote_fee, fee) =
                    [("0", ""), ("0.0123457", "fee 0.0123457 USDT")][dice.roll(2) as usize];
                let verb = ["buys", "sells"][dice.roll(2) as usize];
                let before = net(&world);
                let said = world.hear(&format!("{id} {verb} {quantity} @ {price} {fee}"));
                let cash = books.take(&world, &said, seed);
                // Who buys in a script sells at 1000 less its price.
                let paid = (d("1000") - price) * quantity;
                let (base, quote) = if verb == "buys" { (-quantity, paid) } else { (quantity, -paid) };
                let at = format!("seed {seed}: {id} {verb} {quantity} @ {price} {fee}");
                assert_eq!(net(&world) - before, base, "{at}");
                assert_eq!(cash, quote - d(quote_fee), "{at}");
            }
        }
    });
}

/// What is held less what is owed.
fn net(world: &World) -> Decimal {
    let positions = world.core.state.positions();
    positions.map(|(_, position)| position.direction.signed(position.quantity())).sum()
}

/// What the events said, beside what the positions hold.
#[derive(Default)]
struct Books {
    /// Profit said of each owner's open position.
    realised: BTreeMap<EdgeName, Decimal>,
    /// Profit of the positions that were closed.
    closed: Decimal,
    cash: Decimal,
}

impl Books {
    /// Checks one fill's events, and returns by how much they changed the money of all owners.
    fn take(&mut self, world: &World, said: &[Event], seed: u64) -> Decimal {
        for event in said {
            match event {
                Event::Position(PositionEvent::Reduced(e)) => {
                    let is_held = world.core.state.positions().any(|(key, _)| key == e.position);
                    match is_held {
                        true => *self.realised.entry(e.position.owner).or_default() += e.profit,
                        // Dust of a closed position, sold by hand.
                        false => self.closed += e.profit,
                    }
                }
                Event::Position(PositionEvent::Closed(e)) => {
                    assert_eq!(e.entered, e.exited + e.left, "seed {seed}");
                    self.realised.remove(&e.position.owner);
                    self.closed += e.profit;
                }
                _ => {}
            }
        }
        let mut cash = self.closed;
        for (key, position) in world.core.state.positions() {
            assert!(position.quantity() > Decimal::ZERO, "seed {seed}: {key}");
            let realised = self.realised.get(&key.owner).copied().unwrap_or_default();
            assert_eq!(realised, position.profit(), "seed {seed}: {key}");
            cash += position.profit() - position.direction.signed(position.value);
        }
        cash -= world.core.state.dust().map(|(_, dust)| dust.cost).sum::<Decimal>();
        cash - std::mem::replace(&mut self.cash, cash)
    }
}

fn held(world: &World, by: impl Fn(&str) -> bool) -> Decimal {
    let state = &world.core.state;
    let positions = state.positions().map(|(key, position)| (key, position.quantity()));
    let dust = state.dust().map(|(key, dust)| (key, dust.quantity));
    positions.chain(dust).filter(|(key, _)| by(&key.owner)).map(|(_, quantity)| quantity).sum()
}
