//! Random orders, cancels, candles and quotes against a model that knows only what was heard and said.
//!
//! The model keeps its own books: it adds up fills and fees, reckons what open orders must hold, and
//! judges every fill by the candle or quote in hand. A failing seed is named; it fails again, alone with `TAPEDECK_SEED`.

mod books;
mod driven;

use crate::{
    stage::base,
    suite::script::{START, account, get, new_order, spot},
};
use domain::{
    Amount, Asset, ClientOrderId, Decimal, Filled, Instrument, InstrumentRules, NewOco, NewOrder, OrderKind,
    OrderRequest, Price, Quantity, Side, Size, TimeInForce, Timestamp, money::floor_to,
};
use events::{
    CancelAttempted, Candle, CandleClosed, Event, InstrumentListed, OrderAttempted, OrderRefused,
    OrderSubmitted, QuoteSeen,
};
use service::{Service, Solo};
use std::{collections::BTreeMap, time::Duration};
use venue_paper::{
    Config, VenuePaper,
    engine::{Balance, PaidIn, Spot, ThirdPrice},
};

const SEEDS: u64 = 50;
const STEPS: usize = 150;

#[test]
fn money_orders_and_time_are_kept_under_any_sequence() {
    let mut totals = Tally::default();
    for seed in seeds(SEEDS) {
        println!("seed {seed}");
        World::new(seed).run(&mut totals);
    }
    println!("{totals:?}");
    if seeds(SEEDS).len() == 1 {
        return;
    }
    // A generator that never reaches something proves nothing about it.
    let Tally { fills, maker, filled, canceled, expired, rejected, ocos } = totals;
    let reached = [fills, maker, filled, canceled, expired, rejected, ocos];
    assert!(reached.iter().all(|&n| n > 200), "too little happened: {reached:?}");
}

/// The first so many seeds, or the one that `TAPEDECK_SEED` names.
pub fn seeds(count: u64) -> Vec<u64> {
    match std::env::var("TAPEDECK_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => vec![seed],
        None => (1..=count).collect(),
    }
}

#[derive(Debug, Default)]
struct Tally {
    fills: u32,
    maker: u32,
    filled: u32,
    canceled: u32,
    expired: u32,
    rejected: u32,
    ocos: u32,
}

struct World {
    dice: Dice,
    config: Config,
    solo: Solo<VenuePaper>,
    /// The same exchange, driven as another program does; see [`driven`].
    spot: Spot,
    now: Timestamp,
    tape: Vec<(Timestamp, Event)>,
    markets: BTreeMap<Instrument, Seen>,
    balances: BTreeMap<Asset, Balance>,
    /// What must be there of each asset: the start, and every fill and fee since.
    totals: BTreeMap<Asset, Amount>,
    orders: BTreeMap<ClientOrderId, Known>,
    submitted: BTreeMap<ClientOrderId, (Instrument, OrderRequest)>,
    named: u32,
}

/// What the model knows of an instrument.
struct Seen {
    rules: InstrumentRules,
    last: Option<(Timestamp, Price)>,
    price: Decimal,
    covered_until: Timestamp,
    hours_end: Timestamp,
    /// Of the last candle that could fill, and what quotes have given since.
    volume: Amount,
    quoted: Amount,
}

struct Known {
    instrument: Instrument,
    order: NewOrder,
    list: Option<ClientOrderId>,
    accepted_at: Timestamp,
    /// The price at which what it needs was reckoned.
    valued_at: Option<Decimal>,
    /// It never holds more than it held before less what it gave.
    most: Amount,
    filled: Filled,
    fills: u32,
    ended: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let mut config = Config::new(account());
        config.balances =
            [("USDT", "20000"), ("BTC", "50"), ("BNB", "0.5")].map(|(a, b)| (get(a), get(b))).into();
        let terms = &mut config.terms;
        terms.fees.maker = *dice.pick(&[Decimal::ZERO, get("0.001"), get("0.00075")]);
        terms.fees.taker = *dice.pick(&[get("0.001"), get("0.0004")]);
        terms.slippage_ratio = *dice.pick(&[Decimal::ZERO, get("0.0005"), get("0.01")]);
        terms.participation = *dice.pick(&[get("0.1"), get("1"), get("0.003")]);
        let third = |price| PaidIn::Third { asset: get("BNB"), price };
        terms.fees.paid_in = *dice.pick(&[
            PaidIn::Received,
            PaidIn::Quote,
            third(ThirdPrice::Fixed(get("300"))),
            third(ThirdPrice::LastPrice),
        ]);
        let mut world = Self {
            dice,
            solo: Solo::new(config.clone()),
            spot: Spot::new(config.terms),
            totals: config.balances.clone(),
            config,
            now: START,
            tape: Vec::new(),
            markets: BTreeMap::new(),
            balances: BTreeMap::new(),
            orders: BTreeMap::new(),
            submitted: BTreeMap::new(),
            named: 0,
        };
        world.list("BTC", "USDT", "100");
        world.list("BNB", "USDT", "300");
        world.list("BNB", "BTC", "3");
        world
    }

    fn list(&mut self, coin: &str, quote: &str, price: &str) {
        let tick = *self.dice.pick(&["0.01", "0.05", "0.00001"]);
        let lot = *self.dice.pick(&["0.001", "0.5", "0.00001"]);
        let mut rules = InstrumentRules::open(get(coin), get(quote), get(tick), get(lot), get("0.5"));
        rules.max_algo_orders = Some(8);
        rules.max_orders = Some(15);
        let instrument = spot(&format!("{coin}{quote}"));
        let (last, covered_until, hours_end) = (None, Timestamp::ZERO, START);
        let (volume, quoted) = (Decimal::ZERO, Decimal::ZERO);
        let seen =
            Seen { rules: rules.clone(), last, price: get(price), covered_until, hours_end, volume, quoted };
        self.markets.insert(instrument, seen);
        self.hear(InstrumentListed { instrument, rules: Box::new(rules) }, &mut Tally::default());
    }

    fn run(mut self, tally: &mut Tally) {
        for _ in 0..STEPS {
            match self.dice.below(12) {
                0..=3 => self.candle(tally),
                4..=5 => self.quote(tally),
                6..=9 => self.order(tally),
                10 => self.cancel(tally),
                _ => self.give_up(tally),
            }
        }
        self.replay();
    }

    /// Heard and said applied in order make the same state as deciding did.
    fn replay(&self) {
        let service = VenuePaper::new(self.config.clone());
        let mut state = venue_paper::State::default();
        for (now, event) in &self.tape {
            service.apply(&mut state, *now, event);
        }
        assert_eq!(state, self.solo.state);
        let written = serde_json::to_string(&state).expect("a state can be written");
        for word in ["special", "outside", "average", "counts"] {
            assert!(!written.contains(word), "the unit's state tells of its {word}");
        }
    }

    fn candle(&mut self, tally: &mut Tally) {
        let instrument = self.instrument();
        let market = &self.markets[&instrument];
        let (price, tick, hours_end) = (market.price, market.rules.tick_size, market.hours_end);
        let price_near = |dice: &mut Dice, percent: i64| {
            let moved = price * (Decimal::ONE + dice.signed(percent * 100) / Decimal::from(10_000));
            Price::new(floor_to(moved, tick).max(tick)).unwrap()
        };
        let dice = &mut self.dice;
        // A gap or, once in a while, a coarser candle that ends with the hour.
        let skipped = if dice.below(8) == 0 { dice.below(3) } else { 0 };
        let mut open_time = hours_end + Duration::from_secs(3_600 * skipped);
        let mut interval = domain::Interval::Hour1;
        if dice.below(8) == 0 {
            interval = domain::Interval::Hour4;
            open_time = open_time - Duration::from_secs(3_600 * dice.below(4));
        }
        let (open, close) = (price_near(dice, 3), price_near(dice, 4));
        let (one, two) = (price_near(dice, 6), price_near(dice, 6));
        let (low, high) = (open.min(close).min(one).min(two), open.max(close).max(one).max(two));
        let volume = *dice.pick(&["0", "0.7", "12", "400", "100000"]);
        let candle = Candle { instrument, interval, open_time, open, high, low, close, volume: get(volume) };
        let market = self.markets.get_mut(&instrument).unwrap();
        market.price = close.get();
        if interval == domain::Interval::Hour1 {
            market.hours_end = candle.close_time();
        }
        self.now = self.now.max(candle.close_time());
        self.hear(CandleClosed { candle }, tally);
    }

    fn quote(&mut self, tally: &mut Tally) {
        let instrument = self.instrument();
        let market = &self.markets[&instrument];
        let moved = market.price * (Decimal::ONE + self.dice.signed(200) / Decimal::from(10_000));
        let price = Price::new(floor_to(moved, market.rules.tick_size).max(market.rules.tick_size)).unwrap();
        let age = if self.dice.below(5) == 0 { 1 } else { 0 };
        self.hear(
            QuoteSeen { instrument, price, at: self.now - Duration::from_secs(age), best: None },
            tally,
        );
    }

    fn order(&mut self, tally: &mut Tally) {
        let instrument = self.instrument();
        let side = *self.dice.pick(&[Side::Buy, Side::Sell]);
        let request = if self.dice.below(4) == 0 {
            let size = self.size(&instrument, side, false);
            let [above, below] = self.oco_kinds(&instrument, side);
            let (above, below) = (self.new_order(side, size, above), self.new_order(side, size, below));
            self.named += 1;
            let list = get(&format!("l{}", self.named));
            OrderRequest::Oco(NewOco { list, above, below })
        } else {
            let kind = self.kind(&instrument, side);
            let size = self.size(&instrument, side, kind == OrderKind::Market);
            OrderRequest::Single(self.new_order(side, size, kind))
        };
        let submitted = OrderSubmitted { account: account(), instrument, request: Box::new(request) };
        self.submitted.insert(request.id(), (instrument, request));
        self.hear(submitted, tally);
        if self.dice.below(20) > 0 {
            self.now = self.now + Duration::from_millis(self.dice.below(1_500));
            let (account, request, attempt, recv_window_ms) = (account(), request.id(), 1, 1_000);
            let timestamp = self.now - Duration::from_millis(self.dice.below(1_050));
            self.hear(
                OrderAttempted { account, instrument, request, attempt, timestamp, recv_window_ms },
                tally,
            );
        }
    }

    fn cancel(&mut self, tally: &mut Tally) {
        let ids: Vec<_> = self.orders.iter().filter(|(_, o)| !o.ended || o.fills > 0).collect();
        if ids.is_empty() {
            return;
        }
        let (&order, known) = ids[self.dice.below(ids.len() as u64) as usize];
        let (account, instrument, attempt, timestamp) = (account(), known.instrument, 1, self.now);
        let order = known.list.filter(|_| self.dice.below(2) == 0).unwrap_or(order);
        self.hear(
            CancelAttempted { account, instrument, order, attempt, timestamp, recv_window_ms: 1 },
            tally,
        );
    }

    fn give_up(&mut self, tally: &mut Tally) {
        if let Some((&order, &(instrument, _))) = self.submitted.first_key_value() {
            self.submitted.remove(&order);
            self.hear(OrderRefused { account: account(), instrument, order, text: String::new() }, tally);
        }
    }

    fn instrument(&mut self) -> Instrument {
        let at = self.dice.below(self.markets.len() as u64) as usize;
        *self.markets.keys().nth(at).unwrap()
    }

    fn new_order(&mut self, side: Side, size: Size, kind: OrderKind) -> NewOrder {
        self.named += 1;
        new_order(&format!("o{}", self.named), side, size, kind)
    }

    fn size(&mut self, instrument: &Instrument, side: Side, may_be_quote: bool) -> Size {
        let rules = &self.markets[instrument].rules;
        let given = if side == Side::Buy { rules.quote } else { rules.base };
        let free = self.balances.get(&given).map_or(Decimal::ZERO, |b| b.free);
        let part = Decimal::from(self.dice.below(60)) / Decimal::from(100);
        let price = self.markets[instrument].price;
        let in_base = if side == Side::Buy { free * part / price } else { free * part };
        if may_be_quote && self.dice.below(3) == 0 {
            return Size::Quote(Quantity::new((in_base * price).round_dp(4).max(get("1"))).unwrap());
        }
        base(floor_to(in_base, rules.lot_size).max(rules.lot_size))
    }

    /// A price so many basis points from the last one, on the tick.
    fn price(&mut self, instrument: &Instrument, from: i64, to: i64) -> Price {
        let market = &self.markets[instrument];
        let points = from + self.dice.below((to - from) as u64) as i64;
        let raw = market.price * (Decimal::from(10_000 + points)) / Decimal::from(10_000);
        Price::new(floor_to(raw, market.rules.tick_size).max(market.rules.tick_size)).unwrap()
    }

    fn kind(&mut self, i: &Instrument, side: Side) -> OrderKind {
        let time_in_force =
            *self.dice.pick(&[TimeInForce::Gtc, TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok]);
        let (below, above) = ((-400, -10), (10, 400));
        let (gain, loss) = if side == Side::Buy { (below, above) } else { (above, below) };
        match self.dice.below(8) {
            0 | 1 => OrderKind::Market,
            2 | 3 => OrderKind::Limit { price: self.price(i, -300, 300), time_in_force },
            4 => OrderKind::LimitMaker { price: self.price(i, gain.0, gain.1) },
            5 => OrderKind::StopLoss { stop: self.price(i, loss.0, loss.1) },
            6 => self.stop_limit(i, side, loss, time_in_force),
            _ if self.dice.below(2) == 0 => OrderKind::TakeProfit { stop: self.price(i, gain.0, gain.1) },
            _ => {
                let (stop, price) = (self.price(i, gain.0, gain.1), self.price(i, -300, 300));
                OrderKind::TakeProfitLimit { stop, price, time_in_force }
            }
        }
    }

    fn stop_limit(
        &mut self,
        i: &Instrument,
        side: Side,
        loss: (i64, i64),
        time_in_force: TimeInForce,
    ) -> OrderKind {
        let further = if side == Side::Buy { (0, 900) } else { (-900, 0) };
        let (stop, price) = (self.price(i, loss.0, loss.1), self.price(i, further.0, further.1));
        OrderKind::StopLossLimit { stop, price, time_in_force }
    }

    fn oco_kinds(&mut self, i: &Instrument, side: Side) -> [OrderKind; 2] {
        let (below, above) = ((-400, -10), (10, 400));
        let (gain, loss) = if side == Side::Buy { (below, above) } else { (above, below) };
        let gain = match self.dice.below(3) {
            0 => OrderKind::LimitMaker { price: self.price(i, gain.0, gain.1) },
            1 => OrderKind::TakeProfit { stop: self.price(i, gain.0, gain.1) },
            _ => {
                let (stop, price) = (self.price(i, gain.0, gain.1), self.price(i, -300, 300));
                OrderKind::TakeProfitLimit { stop, price, time_in_force: TimeInForce::Gtc }
            }
        };
        let loss = match self.dice.below(2) {
            0 => OrderKind::StopLoss { stop: self.price(i, loss.0, loss.1) },
            _ => self.stop_limit(i, side, loss, TimeInForce::Gtc),
        };
        if side == Side::Buy { [loss, gain] } else { [gain, loss] }
    }
}

/// SplitMix64.
pub struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
    /// From −n to n.
    pub fn signed(&mut self, n: i64) -> Decimal {
        Decimal::from(self.below(2 * n as u64 + 1) as i64 - n)
    }
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }
}
