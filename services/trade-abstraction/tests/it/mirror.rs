//! Random facts, mirrored, lead a short trade through the same steps as a long one.

use crate::desk::{Desk, d, oco, stop_limit};
use domain::Ending::{Absent, Canceled, Expired, Filled, Rejected};
use events::Rejection;
use service::mirror;
use std::cell::RefCell;

/// A small generator, so that a failing seed can be played again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Everything is entered at 100, nothing is left twice, and what an order is worth keeps it from nothing.
fn log(seed: u64) -> Vec<String> {
    let mut dice = Dice(seed);
    let mut desk = Desk::new(if dice.roll(2) == 0 { stop_limit() } else { oco() });
    desk.list("0.01", "0.001", "0.0001");
    let mut log = vec![desk.size()];
    for _ in 0..60 {
        let names = desk.names();
        // The latest orders are most often meant.
        let back = dice.roll(names.len() as u64).min(dice.roll(names.len() as u64)) as usize;
        let name = &names[names.len() - 1 - back];
        let price = if name.starts_with("entry") { 100 } else { 70 + dice.roll(60) };
        let fee = [None, Some(("0.01", "USDT")), Some(("0.001", "BNB"))][dice.roll(3) as usize];
        log.push(match dice.roll(14) {
            0 | 1 => desk.accept(name),
            2 | 3 => {
                let quantity = d(["0.5", "1", "0.25", "2"][dice.roll(4) as usize]).min(desk.fillable(name));
                if quantity.is_zero() {
                    continue;
                }
                desk.fill(name, &quantity.to_string(), &price.to_string(), fee)
            }
            4 | 5 => desk.done(name, [Filled, Canceled, Expired, Absent][dice.roll(4) as usize]),
            6 => {
                let reasons = [
                    Rejection::Filter,
                    Rejection::WouldTrigger,
                    Rejection::RateLimited,
                    Rejection::InsufficientBalance,
                    Rejection::Other,
                ];
                desk.done_as(name, Rejected, Some(reasons[dice.roll(5) as usize]))
            }
            7 => desk.move_stop(&(70 + dice.roll(60)).to_string()),
            8 => desk.amend(name, ["0.5", "0.2", "2"][dice.roll(3) as usize]),
            9 => desk.cancel_rejected(name),
            10 => desk.pass(60),
            11 => desk.candle(&(70 + dice.roll(60)).to_string()),
            12 if dice.roll(3) == 0 => desk.close(),
            _ => desk.quote(&(70 + dice.roll(60)).to_string()),
        });
    }
    log
}

#[test]
fn random_facts_mirrored_lead_through_the_same_steps() {
    thread_local!(static LOGS: RefCell<Vec<Vec<String>>> = const { RefCell::new(Vec::new()) });
    let all: Vec<Vec<String>> = (0..1_000).map(log).collect();
    mirror::play(|| LOGS.set((0..1_000).map(log).collect()));
    for (seed, (long, short)) in all.iter().zip(LOGS.take()).enumerate() {
        for (step, (long, short)) in long.iter().zip(&short).enumerate() {
            assert_eq!(short, long, "seed {seed}, step {step}");
        }
    }
    let met = |word: &str| all.iter().flatten().filter(|said| said.contains(word)).count();
    for (word, least) in
        [("closed", 200), ("protected", 300), ("oco", 300), ("exiting", 300), ("refused", 100)]
    {
        assert!(met(word) >= least, "{word}: {}", met(word));
    }
}
