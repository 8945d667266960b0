//! A random venue: whatever the order in which fills and balances are heard, what is promised is there.

use crate::script::{World, config, d, main, usdt};
use domain::{ClientOrderId, Decimal, InstrumentRules, Side, Timestamp};
use events::{BalanceChanged, Event, TradeEvent};
use position_sizer::{Config, EdgeRules, Method};
use std::collections::BTreeMap;

const COINS: [&str; 5] = ["ADA", "BTC", "ETH", "LTC", "TRX"];

/// The venue's own books, and what it has said that the sizer has not yet heard.
struct Venue {
    random: u64,
    seed: u64,
    /// Whether it holds money for orders: for ours while they rest, and for the owner's. Orders that
    /// fill at once or never, as an IOC does, hold none.
    holds: bool,
    clock: i64,
    cash: Decimal,
    locked_by_owner: Decimal,
    /// Entries that can still buy.
    working: BTreeMap<String, Working>,
    fills: Vec<Fill>,
    balances: Vec<BalanceChanged>,
    world: World,
    granted: usize,
    asked: usize,
}

#[derive(Clone)]
struct Working {
    left: Decimal,
    limit: Decimal,
    /// It has arrived, and money is held for it.
    accepted: bool,
}

#[derive(Clone)]
struct Fill {
    order: ClientOrderId,
    trade: String,
    side: Side,
    quantity: Decimal,
    price: Decimal,
    at: Timestamp,
}

#[test]
fn the_sum_of_what_is_granted_never_exceeds_the_cash() {
    let mut granted = 0;
    for seed in 1..=40 {
        granted += run(seed);
    }
    assert!(granted > 350, "the runs must grant something to show anything: {granted}");
}

fn run(seed: u64) -> usize {
    let mut venue = Venue::new(seed);
    venue.say_balance();
    for _ in 0..200 {
        match venue.draw(12) {
            0..=2 => venue.ask(),
            3..=5 => venue.trade(),
            6 => venue.finish(),
            7 => venue.owner_acts(),
            _ => venue.deliver(),
        }
        venue.promises_are_covered();
    }
    venue.nothing_is_left_promised();
    venue.granted
}

impl Venue {
    fn new(seed: u64) -> Self {
        let method = Method::Fixed { quote: 100.into() };
        // Always wants more than there is: it takes the last of the cash.
        let risk = Method::Risk { max_loss_ratio: d("0.5"), max_quote: None };
        let rules = |name: &str, method| EdgeRules {
            edge: name.parse().unwrap(),
            slippage_ratio: d("0.003"),
            method,
            ..config().edges.remove(0)
        };
        let edges = vec![rules("edge70", method), rules("edge60", risk)];
        let mut world = World::new(Config { edges, ..config() });
        for coin in COINS {
            let (base, quote) = (coin.parse().unwrap(), "USDT".parse().unwrap());
            world.list(InstrumentRules::open(base, quote, d("0.01"), d("0.001"), d("5")));
        }
        world.value(400.into());
        Self {
            random: seed,
            seed,
            holds: seed.is_multiple_of(2),
            clock: 1,
            cash: 400.into(),
            locked_by_owner: Decimal::ZERO,
            working: BTreeMap::new(),
            fills: Vec::new(),
            balances: Vec::new(),
            world,
            granted: 0,
            asked: 0,
        }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    fn ask(&mut self) {
        let coin = COINS[self.draw(COINS.len() as u64) as usize];
        let edge = ["edge70", "edge60", "edge60"][self.draw(3) as usize];
        let cents = 1_000 + self.draw(5_000) as i64;
        self.asked += 1;
        let before = self.world.said.len();
        self.world.play(&format!("ask {coin} @ {} by {edge}", Decimal::new(cents, 2)));
        if let [Event::Trade(TradeEvent::Sized(sized))] = &self.world.said[before..] {
            let (left, limit) = (sized.quantity.get(), sized.limit.get());
            let name = format!("T{}", self.asked);
            self.world.play(&format!("submit {name}"));
            self.working.insert(name, Working { left, limit, accepted: false });
            self.granted += 1;
        }
    }

    /// Some entry buys, in one to four pieces of the same instant, at its limit or better.
    fn trade(&mut self) {
        let Some(name) = self.pick_working() else { return };
        self.accept(&name);
        self.clock += self.draw(3) as i64;
        for _ in 0..=self.draw(4) {
            let Working { left, limit, .. } = self.working[&name];
            let lots = u64::try_from((left / d("0.001")).trunc()).unwrap();
            if lots == 0 {
                break;
            }
            let quantity = Decimal::from(1 + self.draw(lots)) * d("0.001");
            let price = limit - Decimal::new(self.draw(50) as i64, 2);
            self.working.insert(name.clone(), Working { left: left - quantity, limit, accepted: true });
            self.cash -= quantity * price;
            let order = format!("{name}-1").parse().unwrap();
            let at = Timestamp::from_millis(self.clock);
            self.fills.push(Fill { order, trade: name.clone(), side: Side::Buy, quantity, price, at });
            self.say_balance();
        }
    }

    /// The venue takes the order, holds its money, and says so.
    fn accept(&mut self, name: &str) {
        let Some(order) = self.working.get_mut(name).filter(|order| !order.accepted) else { return };
        order.accepted = true;
        self.clock += 1;
        self.say_balance();
        self.world.accept(name, Timestamp::from_millis(self.clock));
    }

    /// An entry ends at the venue; it is done once all its fills have been heard.
    fn finish(&mut self) {
        let Some(name) = self.pick_working() else { return };
        while let Some(i) = self.fills.iter().position(|fill| fill.trade == name) {
            self.hear_fill(i);
        }
        self.working.remove(&name);
        self.clock += 1;
        self.say_balance();
        self.world.play(&format!("done {name}"));
        if self.draw(2) == 0 {
            self.world.play(&format!("abort {name}"));
        } else {
            self.world.play(&format!("open {name} 1 for 10 \n close {name}"));
        }
    }

    /// The owner sells something, or locks money in an order of his own and frees it again.
    fn owner_acts(&mut self) {
        self.clock += self.draw(2) as i64;
        let at = Timestamp::from_millis(self.clock);
        match self.draw(6) {
            0..=2 => {
                let (quantity, price) = (Decimal::ONE, Decimal::from(1 + self.draw(200)));
                self.cash += price;
                let order = "owner".parse().unwrap();
                self.fills.push(Fill { order, trade: String::new(), side: Side::Sell, quantity, price, at });
            }
            3 if self.holds => {
                let spare = (self.cash - self.promised() - self.locked_by_owner).max(Decimal::ZERO);
                self.locked_by_owner += spare / Decimal::TWO;
                // The owner must not spend what the engine has promised before the engine hears of it.
                self.say_balance();
                self.hear_everything();
                return;
            }
            _ => self.locked_by_owner = Decimal::ZERO,
        }
        self.say_balance();
    }

    fn deliver(&mut self) {
        let (fills, balances) = (self.fills.len() as u64, self.balances.len() as u64);
        if fills + balances == 0 {
            return;
        }
        let pick = self.draw(fills + balances) as usize;
        if pick < fills as usize {
            self.hear_fill(pick);
        } else {
            self.hear_balance(pick - fills as usize);
        }
    }

    fn hear_everything(&mut self) {
        while !self.fills.is_empty() {
            self.hear_fill(0);
        }
        while !self.balances.is_empty() {
            self.hear_balance(0);
        }
    }

    fn hear_fill(&mut self, i: usize) {
        let Fill { order, side, quantity, price, at, .. } = self.fills.remove(i);
        self.world.fill(usdt("BTC"), order, side, quantity, price, None, at);
    }

    /// Of one instant the balances are heard in their order; otherwise in any.
    fn hear_balance(&mut self, i: usize) {
        let as_of = self.balances[i].as_of;
        let first = self.balances.iter().position(|balance| balance.as_of == as_of).unwrap();
        let balance = self.balances.remove(first);
        self.world.hear(balance);
    }

    fn say_balance(&mut self) {
        let held = self.working.values().filter(|order| order.accepted && self.holds);
        let held: Decimal = held.map(|order| order.left * order.limit).sum();
        let locked = self.locked_by_owner + held;
        self.balances.push(BalanceChanged {
            account: main(),
            asset: "USDT".parse().unwrap(),
            free: self.cash - locked,
            locked,
            as_of: Timestamp::from_millis(self.clock),
        });
    }

    fn pick_working(&mut self) -> Option<String> {
        let count = self.working.len() as u64;
        if count == 0 {
            return None;
        }
        let pick = self.draw(count) as usize;
        self.working.keys().nth(pick).cloned()
    }

    /// When all is heard and all entries are over, all the cash is free again, to the last digit.
    fn nothing_is_left_promised(&mut self) {
        while !self.working.is_empty() {
            self.finish();
        }
        self.hear_everything();
        let free = self.world.sizer.state.cash(&main(), &"USDT".parse().unwrap());
        assert_eq!(free, self.cash - self.locked_by_owner, "seed {}", self.seed);
    }

    fn promised(&self) -> Decimal {
        self.working.values().map(|order| order.left * order.limit).sum()
    }

    /// The venue could fill every granted entry at its limit now.
    fn promises_are_covered(&self) {
        let promised = self.promised();
        let free = self.cash - self.locked_by_owner;
        assert!(promised <= free, "seed {}: {promised} promised of {free}: {:#?}", self.seed, self.world.log);
    }
}
