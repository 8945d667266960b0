//! Random order lists and pegged orders among random books, trades, cancels and amendments, judged by what
//! was asked and what was reported.
//!
//! The seed is printed; `TAPEDECK_SEED` repeats one.

use super::floor::instrument;
use crate::{
    random::{Dice, seeds},
    suite::script::{START, get, new_order},
};
use domain::{
    Amount, Asset, ClientOrderId, Decimal, Ending, InstrumentRules, NewOco, NewOrder, OrderKind,
    OrderRequest, Price, Quantity, Side, Size, TimeInForce, money::floor_to,
};
use events::Candle;
use std::collections::{BTreeMap, BTreeSet};
use venue_paper::engine::{
    Book, Expiry, Extras, Owner, Peg, PegTo, Report, Role, SelfTrade, Spot, Standing, Terms, Trailing,
    Wanted, WantedList,
};

const SEEDS: u64 = 80;
const STEPS: usize = 250;

#[test]
fn pending_orders_come_after_a_full_fill_and_hold_what_is_theirs() {
    let mut tally = Tally::default();
    for seed in seeds(SEEDS) {
        println!("seed {seed}");
        World::new(seed, true).run(&mut tally);
    }
    println!("{tally:?}");
    if seeds(SEEDS).len() == 1 {
        return;
    }
    let Tally { released, refused, went_with, canceled, pegged, paid } = tally;
    let reached = [released, refused, went_with, canceled, pegged, paid];
    assert!(reached.iter().all(|&n| n > 50), "too little happened: {tally:?}");
}

#[test]
fn on_candles_lists_keep_the_same_promises() {
    let mut tally = Tally::default();
    for seed in seeds(SEEDS) {
        println!("seed {seed}");
        World::new(seed, false).run(&mut tally);
    }
    assert!(seeds(SEEDS).len() == 1 || tally.released > 50 && tally.went_with > 20, "{tally:?}");
}

/// How often each thing happened.
#[derive(Debug, Default)]
struct Tally {
    released: u32,
    refused: u32,
    went_with: u32,
    canceled: u32,
    pegged: u32,
    paid: u32,
}

/// What is known of an order.
#[derive(Debug, Clone, Copy)]
struct Known {
    side: Side,
    /// Whether it waits for the working order of its list.
    waits: bool,
    list: Option<ClientOrderId>,
    working: bool,
    paid: bool,
    quantity: Amount,
    filled: Amount,
    /// Base asset that it has brought, less its fees in base.
    bought: Amount,
}

struct World {
    dice: Dice,
    spot: Spot,
    rules: InstrumentRules,
    price: Decimal,
    books: bool,
    named: u32,
    now: domain::Timestamp,
    known: BTreeMap<ClientOrderId, Known>,
    open: BTreeSet<ClientOrderId>,
    totals: BTreeMap<Asset, Amount>,
    /// Lists whose working order is filled, and what it has bought.
    filled: BTreeMap<ClientOrderId, Known>,
}

impl World {
    fn new(seed: u64, books: bool) -> Self {
        let mut dice = Dice(seed);
        let mut terms = Terms::default();
        terms.fees.maker = *dice.pick(&[Decimal::ZERO, get("0.001")]);
        terms.fees.taker = *dice.pick(&[Decimal::ZERO, get("0.001")]);
        let lot = *dice.pick(&["0.001", "0.1"]);
        let mut rules = InstrumentRules::open(get("BTC"), get("USDT"), get("0.01"), get(lot), get("5"));
        rules.market_lot_size = *dice.pick(&[None, Some(get("0.5"))]);
        let mut spot = Spot::new(terms);
        spot.limits.max_lists = Some(60);
        spot.list(instrument(), &rules);
        let mut totals = BTreeMap::new();
        for (asset, amount) in [("USDT", "20000"), ("BTC", *dice.pick(&["0", "50"]))] {
            spot.adjust(START, Owner::FIRST, get(asset), get(amount)).expect("a deposit");
            totals.insert(get(asset), get(amount));
        }
        let (known, open, filled) = Default::default();
        let price = get("100");
        Self { dice, spot, rules, price, books, named: 0, now: START, known, open, totals, filled }
    }

    fn run(mut self, tally: &mut Tally) {
        for step in 0..STEPS {
            self.now = self.now + std::time::Duration::from_secs(1);
            let reports = match self.dice.below(10) {
                _ if step < 3 => self.market(),
                0..=3 => self.market(),
                4..=5 => self.list(),
                6 => self.single(),
                7 => self.amend(),
                8 => self.cancel(),
                _ => self.trade(),
            };
            self.hear(&reports, tally);
            self.agree();
        }
        while let Some(id) = self.open.first().copied() {
            let reports = self.spot.cancel(self.now, Owner::FIRST, instrument(), id);
            self.hear(&reports, tally);
        }
        for (asset, balance) in self.spot.exchange.balances.iter() {
            assert_eq!(balance.locked, Amount::ZERO, "{asset}: nothing is open");
        }
    }

    fn market(&mut self) -> Vec<Report> {
        let moved = self.price * (Decimal::ONE + self.dice.signed(200) / Decimal::from(10_000));
        let before =
            std::mem::replace(&mut self.price, floor_to(moved, self.rules.tick_size).max(Decimal::TEN));
        if !self.books {
            let [open, close] = [before, self.price].map(|p| Price::new(p).expect("a price"));
            let [high, low] = [1, -1].map(|sign| {
                let far =
                    Decimal::ONE + Decimal::from(sign * self.dice.below(100) as i64) / Decimal::from(10_000);
                Price::new(floor_to(self.price * far, self.rules.tick_size)).expect("a price")
            });
            let (high, low) = (high.max(open).max(close), low.min(open).min(close));
            let volume = Decimal::from(10 + self.dice.below(5_000));
            let (interval, open_time) = (domain::Interval::Minute1, self.now);
            let candle =
                Candle { instrument: instrument(), interval, open_time, open, high, low, close, volume };
            self.now = candle.close_time();
            return self.spot.see_candle(self.now, &candle);
        }
        let mut level = |i: i64| {
            let price = Price::new(self.price + Decimal::new(i * 7, 2)).expect("a price");
            let lots = Decimal::from(1 + self.dice.below(3_000));
            (price, Quantity::new(lots * self.rules.lot_size).expect("a quantity"))
        };
        let bids = (1..5).map(|i| level(-i)).collect();
        let asks = (1..5).map(level).collect();
        self.spot.see_book(self.now, instrument(), &Book { bids, asks })
    }

    fn trade(&mut self) -> Vec<Report> {
        let (price, quantity) = (self.near(-60, 60), self.quantity());
        let taker = *self.dice.pick(&[Side::Buy, Side::Sell]);
        if self.books {
            self.spot.see_trade(self.now, instrument(), price, quantity, taker)
        } else {
            self.spot.see_quote_of(self.now, instrument(), price, self.now)
        }
    }

    fn single(&mut self) -> Vec<Report> {
        let side = *self.dice.pick(&[Side::Buy, Side::Sell]);
        let (order, extras) = self.order(side, None);
        self.ask(&order, None, false, false, false);
        let wanted = Wanted {
            owner: Owner::FIRST,
            request: OrderRequest::Single(order),
            extras: [extras, Extras::default()],
        };
        self.spot.place(self.now, instrument(), &wanted)
    }

    fn list(&mut self) -> Vec<Report> {
        let paid = self.dice.below(3) == 0;
        let side = if paid { Side::Buy } else { *self.dice.pick(&[Side::Buy, Side::Sell]) };
        let quantity = self.quantity();
        let time_in_force =
            *self.dice.pick(&[TimeInForce::Gtc, TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok]);
        let price = self.near(-40, 40);
        let working =
            new_order(&self.name("w"), side, Size::Base(quantity), OrderKind::Limit { price, time_in_force });
        let mut extras = self.extras(&working.kind);
        if time_in_force != TimeInForce::Gtc {
            extras.peg = None;
        }
        let other = match side {
            Side::Buy => Side::Sell,
            Side::Sell => *self.dice.pick(&[Side::Buy, Side::Sell]),
        };
        let list = get(&self.name("l"));
        let pending = if self.dice.below(2) == 0 {
            let (order, extras) = self.order(other, Some(quantity));
            Wanted {
                owner: Owner::FIRST,
                request: OrderRequest::Single(order),
                extras: [extras, Extras::default()],
            }
        } else {
            let (above, below) = (self.near(10, 200), self.near(-200, -10));
            let kinds = match other {
                Side::Sell => [OrderKind::LimitMaker { price: above }, OrderKind::StopLoss { stop: below }],
                Side::Buy => [OrderKind::StopLoss { stop: above }, OrderKind::LimitMaker { price: below }],
            };
            let [above, below] = kinds.map(|k| new_order(&self.name("p"), other, Size::Base(quantity), k));
            let extras = [above, below].map(|order| self.extras(&order.kind));
            Wanted { owner: Owner::FIRST, request: OrderRequest::Oco(NewOco { list, above, below }), extras }
        };
        let wanted = WantedList { owner: Owner::FIRST, list, working, extras, pending, paid };
        self.ask(&working, Some(list), false, true, false);
        for (order, _) in wanted.pending.each() {
            self.ask(order, Some(list), true, false, paid);
        }
        self.spot.place_list(self.now, instrument(), &wanted)
    }

    fn order(&mut self, side: Side, quantity: Option<Quantity>) -> (NewOrder, Extras) {
        let quantity = quantity.unwrap_or_else(|| self.quantity());
        let away = match side {
            Side::Buy => (1, 150),
            Side::Sell => (-150, -1),
        };
        let time_in_force = TimeInForce::Gtc;
        let kind = match self.dice.below(5) {
            0 => OrderKind::Market,
            1 => OrderKind::Limit { price: self.near(-100, 100), time_in_force },
            2 => OrderKind::StopLoss { stop: self.near(away.0, away.1) },
            3 => {
                let (stop, price) = (self.near(away.0, away.1), self.near(-100, 100));
                OrderKind::StopLossLimit { stop, price, time_in_force }
            }
            _ => OrderKind::TakeProfit { stop: self.near(-away.1, -away.0) },
        };
        let order = new_order(&self.name("o"), side, Size::Base(quantity), kind);
        let extras = self.extras(&order.kind);
        (order, extras)
    }

    fn extras(&mut self, kind: &OrderKind) -> Extras {
        use SelfTrade::{Decrement, ExpireBoth, ExpireMaker, ExpireTaker, None as Off};
        let self_trade = *self.dice.pick(&[Off, Off, ExpireTaker, ExpireMaker, ExpireBoth, Decrement]);
        let trails = kind.stop().is_some() && self.dice.below(3) == 0;
        let trailing = trails.then(|| Trailing {
            delta_bips: 10 + self.dice.below(90) as u32,
            activated: self.dice.below(2) == 0,
        });
        let pegs = self.books && kind.limit().is_some() && self.dice.below(4) == 0;
        let peg = pegs.then(|| Peg { to: PegTo::Primary, offset: self.dice.below(3) as u32, price: None });
        Extras { trailing, iceberg: None, self_trade, peg }
    }

    fn cancel(&mut self) -> Vec<Report> {
        let open: Vec<_> = self.open.iter().copied().collect();
        if open.is_empty() {
            return Vec::new();
        }
        let id = *self.dice.pick(&open);
        let id = self.known[&id].list.filter(|_| self.dice.below(3) == 0).unwrap_or(id);
        self.spot.cancel(self.now, Owner::FIRST, instrument(), id)
    }

    fn amend(&mut self) -> Vec<Report> {
        let open: Vec<_> = self.open.iter().copied().collect();
        if open.is_empty() {
            return Vec::new();
        }
        let (id, quantity) = (*self.dice.pick(&open), self.quantity());
        self.spot.amend(self.now, Owner::FIRST, instrument(), id, None, quantity)
    }

    fn ask(&mut self, order: &NewOrder, list: Option<ClientOrderId>, waits: bool, working: bool, paid: bool) {
        let Size::Base(quantity) = order.size else { unreachable!("by quantity") };
        let (side, quantity) = (order.side, quantity.get());
        let (filled, bought) = (Amount::ZERO, Amount::ZERO);
        self.known.insert(order.id, Known { side, waits, list, working, paid, quantity, filled, bought });
    }

    fn near(&mut self, from: i64, to: i64) -> Price {
        let bips = from + self.dice.below((to - from) as u64 + 1) as i64;
        let raw = self.price * Decimal::from(10_000 + bips) / Decimal::from(10_000);
        Price::new(floor_to(raw, self.rules.tick_size)).expect("a price")
    }

    fn quantity(&mut self) -> Quantity {
        let most = *self.dice.pick(&[50, 400]);
        let lots = 1 + self.dice.below(most);
        let one = Decimal::ONE.max(self.rules.lot_size);
        Quantity::new(floor_to(one * Decimal::from(lots) / Decimal::from(20), self.rules.lot_size).max(one))
            .expect("a quantity")
    }

    fn name(&mut self, letter: &str) -> String {
        self.named += 1;
        format!("{letter}{}", self.named)
    }
}

/// What was reported.
impl World {
    fn hear(&mut self, reports: &[Report], tally: &mut Tally) {
        for report in reports {
            match report {
                Report::Accepted(e) => assert!(self.open.insert(e.order)),
                Report::Rejected { order, .. } => assert!(!self.open.contains(order)),
                Report::Filled(e) => {
                    let rules = &self.rules;
                    let known = self.known.get_mut(&e.order).expect("asked for");
                    assert!(!known.waits, "{} trades while it waits", e.order);
                    known.filled += e.quantity.get();
                    assert!(known.filled <= known.quantity, "{} is filled beyond its size", e.order);
                    known.bought += e.quantity.get();
                    if let Some(fee) = e.fee {
                        *self.totals.get_mut(&fee.asset).expect("an asset") -= fee.amount;
                        known.bought -= if fee.asset == rules.base { fee.amount } else { Amount::ZERO };
                    }
                    let sign = if e.side == Side::Buy { Decimal::ONE } else { -Decimal::ONE };
                    *self.totals.get_mut(&rules.base).expect("base") += sign * e.quantity.get();
                    *self.totals.get_mut(&rules.quote).expect("quote") -= sign * e.quote;
                }
                Report::Ended(e) => self.end(e, tally),
                Report::Released { order, quantity, .. } => {
                    tally.released += 1;
                    let known = self.known.get_mut(order).expect("asked for");
                    assert!(std::mem::replace(&mut known.waits, false), "{order} is placed twice");
                    let working = &self.filled[&known.list.expect("a list")];
                    assert_eq!(quantity.is_some(), known.paid);
                    if let Some(quantity) = quantity {
                        tally.paid += 1;
                        known.quantity = quantity.get();
                        let step = self.rules.market_lot_size.unwrap_or_default().max(self.rules.lot_size);
                        assert!(known.quantity <= working.filled, "more than was bought");
                        assert!(known.quantity > working.bought - step, "less than could be sold");
                    }
                }
                Report::Pegged { .. } => tally.pegged += 1,
                Report::Amended(e) => {
                    self.known.get_mut(&e.order).expect("asked for").quantity = e.quantity.get();
                }
                Report::Prevented(_)
                | Report::Triggered { .. }
                | Report::Balance { .. }
                | Report::CancelRejected { .. }
                | Report::AmendRejected { .. }
                | Report::QuoteWanted => {}
            }
        }
    }

    fn end(&mut self, e: &venue_paper::engine::End, tally: &mut Tally) {
        assert!(self.open.remove(&e.order), "{} ends twice", e.order);
        let known = self.known[&e.order];
        match (e.ending, e.expiry) {
            (Ending::Filled, _) if known.working => {
                assert_eq!(e.filled.quantity + e.prevented, known.quantity);
                self.filled.insert(known.list.expect("a list"), known);
            }
            (Ending::Filled, _) => assert!(!known.waits),
            (Ending::Canceled, _) => tally.canceled += u32::from(known.list.is_some()),
            (_, Some(Expiry::WorkingExpired)) => {
                tally.went_with += 1;
                assert!(known.waits && !self.filled.contains_key(&known.list.expect("a list")));
            }
            (_, Some(Expiry::Rejected)) => tally.refused += 1,
            _ => {}
        }
    }

    /// What is open, and what it holds.
    fn agree(&self) {
        let exchange = &self.spot.exchange;
        assert_eq!(exchange.open_orders().map(|(_, o)| o.id).collect::<BTreeSet<_>>(), self.open);
        for (asset, balance) in exchange.balances.iter() {
            assert!(balance.free >= Amount::ZERO && balance.locked >= Amount::ZERO, "{asset} {balance:?}");
            assert_eq!(balance.total(), self.totals[asset], "{asset}");
        }
        let mut held: BTreeMap<(bool, ClientOrderId, bool), Amount> = BTreeMap::new();
        for (_, order) in exchange.open_orders() {
            let known = &self.known[&order.id];
            assert_eq!(order.standing == Standing::Pending, known.waits, "{}", order.id);
            if known.waits {
                let working = |o: &&venue_paper::engine::OpenOrder| {
                    o.list == order.list && o.special.role == Role::Working
                };
                let works = exchange.open_orders().map(|(_, o)| o).find(working);
                let works = works.unwrap_or_else(|| panic!("{} waits for nobody", order.id));
                let bought = self.known[&works.id].bought;
                let most = if known.paid { works.filled.quantity } else { Amount::ZERO };
                assert!(order.held <= most && (!known.paid || order.held >= bought), "{}", order.id);
            } else if order.side == Side::Sell {
                assert_eq!(order.held, order.left(), "{}", order.id);
            }
            let waits = known.waits || order.special.role != Role::Working;
            let group = (known.side == Side::Sell, order.list.unwrap_or(order.id), waits);
            let most = held.entry(group).or_default();
            *most = order.held.max(*most);
        }
        for (asset, sells) in [(self.rules.base, true), (self.rules.quote, false)] {
            let wanted: Amount = held.iter().filter(|((s, ..), _)| *s == sells).map(|(_, held)| *held).sum();
            assert_eq!(exchange.balances.of(&asset).locked, wanted, "{asset} locked");
        }
    }
}
