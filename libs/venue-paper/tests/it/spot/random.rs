//! Random orders, books and trades, judged by a model that knows only what it did and was told.
//!
//! The seed is printed; `TAPEDECK_SEED` repeats one.

mod model;

use super::floor::instrument;
use crate::{
    random::{Dice, seeds},
    suite::script::{START, get, new_order},
};
use domain::{
    Amount, Decimal, InstrumentRules, NewOco, OrderKind, OrderRequest, Price, Quantity, Side, Size,
    TimeInForce, Timestamp, money::floor_to,
};
use model::Model;
use std::time::Duration;
use venue_paper::engine::{
    Book, Exchange, Extras, Owner, PaidIn, Report, SelfTrade, Spot, Terms, ThirdPrice, Trailing, Wanted,
};

const SEEDS: u64 = 60;
const STEPS: usize = 250;

#[test]
fn money_and_priority_are_kept_under_any_sequence() {
    let mut tally = Tally::default();
    for seed in seeds(SEEDS) {
        println!("seed {seed}");
        World::new(seed).run(&mut tally);
    }
    println!("{tally:?}");
    if seeds(SEEDS).len() == 1 {
        return;
    }
    // A generator that never reaches something proves nothing about it.
    let Tally { taken, made, with_self, prevented, triggered, amended, expired, rejected } = tally;
    let reached = [taken, made, with_self, prevented, triggered, amended, expired, rejected];
    assert!(reached.iter().all(|&n| n > 100), "too little happened: {reached:?}");
}

#[test]
fn the_same_seed_gives_the_same_reports() {
    for seed in [1, 2, 3] {
        println!("seed {seed}");
        let run = || World::new(seed).run(&mut Tally::default());
        assert_eq!(run(), run());
    }
}

/// How often each thing happened.
#[derive(Debug, Default)]
pub struct Tally {
    pub taken: u32,
    pub made: u32,
    pub with_self: u32,
    pub prevented: u32,
    pub triggered: u32,
    pub amended: u32,
    pub expired: u32,
    pub rejected: u32,
}

struct World {
    dice: Dice,
    spot: Spot,
    model: Model,
    rules: InstrumentRules,
    now: Timestamp,
    /// About where the market stands.
    price: Decimal,
    named: u32,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let mut terms = Terms::default();
        terms.fees.maker = *dice.pick(&[Decimal::ZERO, get("0.001")]);
        terms.fees.taker = *dice.pick(&[Decimal::ZERO, get("0.001"), get("0.0004")]);
        let third = PaidIn::Third { asset: get("BNB"), price: ThirdPrice::Fixed(get("300")) };
        terms.fees.paid_in = *dice.pick(&[PaidIn::Received, PaidIn::Received, PaidIn::Quote, third]);
        let tick = *dice.pick(&["0.01", "0.5", "1"]);
        let lot = *dice.pick(&["0.001", "0.1"]);
        let mut rules = InstrumentRules::open(get("BTC"), get("USDT"), get(tick), get(lot), get("0"));
        (rules.max_orders, rules.max_algo_orders) = (Some(25), Some(12));
        let mut spot = Spot::new(terms);
        spot.limits.iceberg_parts = Some(1000);
        spot.list(instrument(), &rules);
        let mut model = Model::new(rules.clone(), terms);
        for (asset, amount) in [("USDT", "30000"), ("BTC", "200"), ("BNB", "0.05")] {
            let (asset, amount) = (get(asset), get(amount));
            spot.adjust(START, Owner::FIRST, asset, amount).expect("a deposit");
            model.deposit(asset, amount);
        }
        Self { dice, spot, model, rules, now: START, price: get("100"), named: 0 }
    }

    /// Everything that was reported.
    fn run(mut self, tally: &mut Tally) -> Vec<Report> {
        let mut all = Vec::new();
        for step in 0..STEPS {
            self.now = self.now + Duration::from_millis(self.dice.below(300));
            let reports = match self.dice.below(13) {
                _ if step < 3 => self.book(),
                0..=2 => self.book(),
                3..=4 => self.trade(),
                5..=9 => self.place(),
                10 => self.cancel(),
                11 => self.amend(),
                _ => self.adjust(),
            };
            self.model.hear(&reports, tally);
            self.model.agree(&self.spot);
            all.extend(reports);
        }
        let written = serde_json::to_string(&self.spot.exchange).expect("it can be written");
        let read: Exchange = serde_json::from_str(&written).expect("it can be read");
        assert_eq!(read, self.spot.exchange);
        all
    }

    fn book(&mut self) -> Vec<Report> {
        let moved = self.price * (Decimal::ONE + self.dice.signed(150) / Decimal::from(10_000));
        self.price = floor_to(moved, self.rules.tick_size).max(Decimal::TEN);
        let (mut bids, mut asks) = (Vec::new(), Vec::new());
        for (side, step) in [(&mut bids, -self.rules.tick_size), (&mut asks, self.rules.tick_size)] {
            let mut price = self.price + step;
            for _ in 0..self.dice.below(6) {
                price += step * Decimal::from(self.dice.below(3));
                let lots = Decimal::from(1 + self.dice.below(3_000));
                side.push((price, lots * self.rules.lot_size));
                price += step;
            }
        }
        let book = Book { bids: levels(&bids), asks: levels(&asks) };
        self.model.see_book(&book);
        self.spot.see_book(self.now, instrument(), &book)
    }

    fn trade(&mut self) -> Vec<Report> {
        let (price, quantity) = (self.near(-150, 150), self.quantity());
        let taker = *self.dice.pick(&[Side::Buy, Side::Sell]);
        self.model.see_trade(price, quantity, taker);
        self.spot.see_trade(self.now, instrument(), price, quantity, taker)
    }

    fn place(&mut self) -> Vec<Report> {
        let side = *self.dice.pick(&[Side::Buy, Side::Sell]);
        let wanted = if self.dice.below(5) == 0 { self.oco(side) } else { self.single(side) };
        self.model.place(&wanted);
        self.spot.place(self.now, instrument(), &wanted)
    }

    fn single(&mut self, side: Side) -> Wanted {
        let kind = self.kind(side);
        let quantity = self.quantity();
        let by_sum = kind == OrderKind::Market && self.dice.below(3) == 0;
        let size = if by_sum { Size::Quote(self.sum(quantity)) } else { Size::Base(quantity) };
        let order = new_order(&self.name("o"), side, size, kind);
        let extras = [self.extras(&order.kind, quantity), Extras::default()];
        Wanted { owner: Owner::FIRST, request: OrderRequest::Single(order), extras }
    }

    fn oco(&mut self, side: Side) -> Wanted {
        let quantity = self.quantity();
        let (above, below) = (self.near(20, 300), self.near(-300, -20));
        let kinds = match side {
            Side::Sell => [OrderKind::LimitMaker { price: above }, OrderKind::StopLoss { stop: below }],
            Side::Buy => [OrderKind::StopLoss { stop: above }, OrderKind::LimitMaker { price: below }],
        };
        let [above, below] = kinds.map(|kind| new_order(&self.name("o"), side, Size::Base(quantity), kind));
        let extras = [above, below].map(|order| self.extras(&order.kind, quantity));
        let list = get(&self.name("l"));
        Wanted { owner: Owner::FIRST, request: OrderRequest::Oco(NewOco { list, above, below }), extras }
    }

    fn kind(&mut self, side: Side) -> OrderKind {
        let gtc = TimeInForce::Gtc;
        let time_in_force = *self.dice.pick(&[gtc, gtc, gtc, TimeInForce::Ioc, TimeInForce::Fok]);
        let (gain, loss) = match side {
            Side::Buy => ((-300, -1), (1, 300)),
            Side::Sell => ((1, 300), (-300, -1)),
        };
        match self.dice.below(9) {
            0 | 1 => OrderKind::Market,
            2..=4 => OrderKind::Limit { price: self.near(-200, 200), time_in_force },
            5 => OrderKind::LimitMaker { price: self.near(gain.0, gain.1) },
            6 => OrderKind::StopLoss { stop: self.near(loss.0, loss.1) },
            7 => {
                let (stop, price) = (self.near(loss.0, loss.1), self.near(-300, 300));
                OrderKind::StopLossLimit { stop, price, time_in_force }
            }
            _ => OrderKind::TakeProfit { stop: self.near(gain.0, gain.1) },
        }
    }

    fn extras(&mut self, kind: &OrderKind, quantity: Quantity) -> Extras {
        use SelfTrade::{Decrement, ExpireBoth, ExpireMaker, ExpireTaker, None as Off};
        let self_trade = *self.dice.pick(&[Off, Off, Off, ExpireTaker, ExpireMaker, ExpireBoth, Decrement]);
        let part = floor_to(quantity.get() / Decimal::from(3), self.rules.lot_size);
        let iceberg = Quantity::new(part).ok().filter(|_| self.dice.below(5) == 0);
        let trails = kind.stop().is_some() && self.dice.below(3) == 0;
        let delta_bips = 10 + self.dice.below(300) as u32;
        let trailing = trails.then(|| Trailing { delta_bips, activated: self.dice.below(2) == 0 });
        Extras { trailing, iceberg, self_trade, peg: None }
    }

    fn cancel(&mut self) -> Vec<Report> {
        let Some(id) = self.model.any_open(&mut self.dice) else { return Vec::new() };
        self.spot.cancel(self.now, Owner::FIRST, instrument(), id)
    }

    fn amend(&mut self) -> Vec<Report> {
        let Some(id) = self.model.any_open(&mut self.dice) else { return Vec::new() };
        let new_id = (self.dice.below(2) == 0).then(|| get(&self.name("a")));
        let quantity = self.quantity();
        self.spot.amend(self.now, Owner::FIRST, instrument(), id, new_id, quantity)
    }

    fn adjust(&mut self) -> Vec<Report> {
        let (asset, most) = *self.dice.pick(&[("USDT", 400), ("BTC", 5)]);
        let (asset, delta) = (get(asset), self.dice.signed(most));
        let Ok(reports) = self.spot.adjust(self.now, Owner::FIRST, asset, delta) else { return Vec::new() };
        self.model.deposit(asset, delta);
        reports
    }

    /// So many hundredths of a percent from where the market is, on the tick.
    fn near(&mut self, from: i64, to: i64) -> Price {
        let bips = from + self.dice.below((to - from) as u64 + 1) as i64;
        let raw = self.price * Decimal::from(10_000 + bips) / Decimal::from(10_000);
        Price::new(floor_to(raw, self.rules.tick_size).max(self.rules.tick_size)).expect("a price")
    }

    fn quantity(&mut self) -> Quantity {
        let most = *self.dice.pick(&[20, 400, 4_000]);
        let lots = 1 + self.dice.below(most);
        Quantity::new(Decimal::from(lots) * self.rules.lot_size).expect("a quantity")
    }

    fn sum(&self, quantity: Quantity) -> Quantity {
        Quantity::new((quantity.get() * self.price).round_dp(3).max(Amount::ONE)).expect("a sum")
    }

    fn name(&mut self, letter: &str) -> String {
        self.named += 1;
        format!("{letter}{}", self.named)
    }
}

fn levels(given: &[(Decimal, Decimal)]) -> Vec<(Price, Quantity)> {
    let positive = given.iter().filter(|(price, _)| *price > Decimal::ZERO);
    positive
        .map(|(p, q)| (Price::new(*p).expect("a price"), Quantity::new(*q).expect("a quantity")))
        .collect()
}
