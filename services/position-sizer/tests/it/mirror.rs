//! Random requests, mirrored, are answered the same.

use crate::script::{World, config, d, stop, with_limits};
use domain::{Decimal, ExitPlan, InstrumentRules};
use position_sizer::{Config, EdgeRules, Limits, Method};
use service::mirror;
use std::cell::RefCell;

/// A small generator, so that a failing seed can be played again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
    fn ratio(&mut self) -> Decimal {
        Decimal::new(self.roll(400) as i64 + 1, 3)
    }
}

fn drawn(dice: &mut Dice) -> Config {
    let method = match dice.roll(2) {
        0 => Method::Fixed { quote: Decimal::from(20 + dice.roll(200)) },
        _ => Method::Risk { max_loss_ratio: Decimal::new(dice.roll(50) as i64 + 1, 3), max_quote: None },
    };
    let exit = match dice.roll(2) {
        0 => stop(&dice.ratio().to_string()),
        _ => ExitPlan::oco(d("0.07"), d("0.15"), dice.ratio()),
    };
    let some = |dice: &mut Dice| (dice.roll(2) == 0).then(|| dice.ratio());
    let limits = Limits {
        max_open_risk_ratio: some(dice),
        max_asset_exposure_ratio: some(dice),
        max_trade_ratio: some(dice),
        max_open_positions: (dice.roll(2) == 0).then_some(2),
        ..Limits::default()
    };
    let edges = vec![EdgeRules { method, exit: Some(exit), ..config().edges.remove(0) }];
    Config { edges, ..with_limits(limits) }
}

fn log(seed: u64) -> Vec<String> {
    let mut dice = Dice(seed);
    let mut world = World::new(drawn(&mut dice));
    // What a stop at a low price is worth has no mirror.
    for coin in ["BTC", "ETH"] {
        let (base, quote) = (coin.parse().unwrap(), "USDT".parse().unwrap());
        world.list(InstrumentRules::open(base, quote, d("0.01"), d("0.001"), d("0.0001")));
    }
    world.play("balance USDT 1000 \n value 1000");
    for n in 1..=20 {
        let coin = ["BTC", "ETH"][dice.roll(2) as usize];
        let trigger = 10 + dice.roll(90) as i64;
        let level = |dice: &mut Dice, word: &str| match dice.roll(3) {
            0 => format!(" {word} {}", 1 + dice.roll(2 * trigger as u64 - 2)),
            _ => String::new(),
        };
        let (below, above) = (level(&mut dice, "stop"), level(&mut dice, "target"));
        let before = world.log.len();
        world.play(&format!("ask {coin} @ {trigger}{below}{above}"));
        if world.log[before].contains("reserves") {
            match dice.roll(4) {
                0 => {}
                1 => world.play(&format!("submit T{n} \n fill T{n} 0.1 @ {trigger} \n cash")),
                2 => world.play(&format!("stop T{n} {} \n cash", 1 + dice.roll(trigger as u64 - 1))),
                _ => world.play(&format!("abort T{n} \n cash")),
            }
        }
    }
    world.log
}

#[test]
fn random_requests_mirrored_are_answered_the_same() {
    thread_local!(static LOGS: RefCell<Vec<Vec<String>>> = const { RefCell::new(Vec::new()) });
    let all: Vec<Vec<String>> = (0..300).map(log).collect();
    mirror::play(|| LOGS.set((0..300).map(log).collect()));
    for (seed, (long, short)) in all.iter().zip(LOGS.take()).enumerate() {
        assert_eq!(&short, long, "seed {seed}");
    }
    let met = |word: &str| all.iter().flatten().filter(|line| line.contains(word)).count();
    for (word, least) in
        [("reserves", 500), ("wrong_side", 200), ("max_open_risk", 50), ("max_asset_exposure", 50)]
    {
        assert!(met(word) >= least, "{word}: {}", met(word));
    }
}
