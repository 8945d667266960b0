//! The world around the engine: market, venue, clock. What travels between them is the [`network`](super::network).

use super::{
    facts::{TAPE, fact, frame_id},
    network::{Message, What},
    report::{Report, Tally},
    units as simulated,
    venue::{Venue, rules},
    weather::Weather,
};
use crate::units;
use domain::{Account, Decimal, Instrument, Interval, Leg, Origin, Price, Timestamp, UnitName};
use events::{
    AccountEvent, Candle, CandleClosed, Clock, Event, InstrumentListed, OrderEvent, QuoteEvent, QuoteSeen,
    Recorded, TapeOpened, TimeEvent, TimePassed,
};
use replica::Limits;
use service::Service;
use sim::{cluster::Cluster, rng::Rng};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use trade_abstraction::gateway::{self, Effect, Gateway};

const TICK: i64 = 1;
const SYMBOLS: [&str; 3] = ["BTCUSDT", "ETHUSDT", "SOLUSDT"];

pub struct World {
    pub cluster: Cluster<Effect>,
    /// The unit whose hands reach the exchange.
    pub gateway: UnitName,
    pub now: Timestamp,
    /// Each account's part of the exchange.
    pub venues: BTreeMap<Account, Venue>,
    pub prices: BTreeMap<Instrument, i64>,
    pub network: Vec<Message>,
    pub weather: Weather,
    /// What failed in the world.
    pub faults: Tally,
    /// Of each account and instrument, what was ever asked to be sold by hand.
    pub sold_by_hand: BTreeMap<(Account, Instrument), Decimal>,
    next_candle: Timestamp,
    wakes: BTreeSet<Timestamp>,
    /// How far the clock has looked for wakes that units asked for.
    seen: u64,
    /// Once set, nothing fails and nothing new begins.
    calm: bool,
}

impl World {
    pub fn new(rng: &mut Rng) -> Self {
        let now: Timestamp = Timestamp::from_millis(1_704_067_200_000);
        let opened = TapeOpened { tape: TAPE, clock: Clock::Wall, market: "simulated".to_owned() };
        let limits = Limits {
            group: 1 + rng.index(60),
            snapshot_every: 10 + rng.below(400),
            behind: 1 + rng.below(100),
        };
        let units = simulated::all(rng);
        let gateway = units.iter().map(|make| make()).find(|host| host.core_name() == Gateway::CORE);
        let mut world = Self {
            cluster: Cluster::new(units, "sim", opened, now, limits, gateway::due),
            gateway: gateway.unwrap_or_else(|| unreachable!("one of the units")).unit(),
            now,
            venues: simulated::accounts().map(|account| (account, Venue::new(account))).into(),
            prices: BTreeMap::new(),
            network: Vec::new(),
            weather: Weather::draw(rng),
            faults: Tally::default(),
            sold_by_hand: BTreeMap::new(),
            next_candle: now + Interval::Minute1.length(),
            wakes: BTreeSet::new(),
            seen: 0,
            calm: false,
        };
        for symbol in SYMBOLS {
            let instrument: Instrument =
                format!("binance:spot:{symbol}").parse().unwrap_or_else(|e| unreachable!("{e}"));
            world.prices.insert(instrument, 10_000);
            let listed: Event = InstrumentListed { instrument, rules: Box::new(rules(symbol)) }.into();
            world.cluster.record(units::feed(), now, vec![(fact("listed", &instrument), listed.clone())]);
            world.tell_all(&listed, rng);
        }
        world
    }

    /// One random thing happens.
    pub fn step(&mut self, rng: &mut Rng) {
        if rng.often(self.weather.owner) {
            self.meddle(rng);
        }
        match rng.below(100) {
            0 => self.pass_time(rng),
            1..=19 => self.deliver(rng),
            _ => self.cluster.act(rng, &self.weather.faults, self.now),
        }
        self.mind_the_hands(rng);
    }

    /// Time goes on: sometimes a little, sometimes past a request's window.
    fn pass_time(&mut self, rng: &mut Rng) {
        let most = if rng.chance(self.weather.jumps) { 60_000 } else { 14_000 };
        self.advance(Duration::from_millis(1 + rng.below(most)), rng);
    }

    fn advance(&mut self, step: Duration, rng: &mut Rng) {
        self.now = self.now + step;
        self.note_wakes();
        while self.next_candle <= self.now {
            self.close_candles(rng);
        }
        while let Some(at) = self.wakes.first().copied().filter(|at| *at <= self.now) {
            self.wakes.remove(&at);
            self.tell_time(&fact("wake", &self.now));
        }
    }

    fn tell_time(&mut self, id: &events::Uuid) {
        let passed = TimePassed { now: self.now };
        self.cluster.record(units::clock(), self.now, vec![(*id, passed.into())]);
    }

    fn note_wakes(&mut self) {
        let mut wakes = Vec::new();
        self.cluster.tape.look(|rows| {
            for row in rows.iter().skip(usize::try_from(self.seen).unwrap_or(usize::MAX)) {
                if row.draft.kind == "time.wake_asked"
                    && let Ok(Recorded { event: Event::Time(TimeEvent::WakeAsked(asked)), .. }) = row.decode()
                {
                    wakes.push(asked.at);
                }
            }
        });
        self.seen = self.cluster.tape.head_now().position;
        self.wakes.extend(wakes);
    }

    /// One minute of market: the candle is on the tape, and at the venue.
    fn close_candles(&mut self, rng: &mut Rng) {
        let close = self.next_candle;
        self.next_candle = close + Interval::Minute1.length();
        let below = |rng: &mut Rng, most: i64| {
            i64::try_from(rng.below(u64::try_from(most).unwrap_or(0))).unwrap_or(0)
        };
        let instruments: Vec<Instrument> = self.prices.keys().copied().collect();
        for instrument in instruments {
            let open = self.prices[&instrument];
            // Mostly small steps, now and then a crash through every stop.
            let usual = i64::try_from(self.weather.swing).unwrap_or(0);
            let swing = if rng.chance(self.weather.crashes) { open / 4 } else { open * usual / 1_000 };
            let drift = below(rng, 2 * swing + 1) - swing;
            // At the end the market stands still, so that nothing new begins.
            let last = if self.calm { open } else { (open + drift).max(500) };
            let most = if self.calm { 0 } else { open / 80 };
            let (high, low) =
                (open.max(last) + below(rng, most), (open.min(last) - below(rng, most)).max(TICK));
            self.prices.insert(instrument, last);
            let candle = Candle {
                instrument,
                interval: Interval::Minute1,
                open_time: close - Interval::Minute1.length(),
                open: price(open),
                high: price(high),
                low: price(low),
                close: price(last),
                volume: Decimal::from(1 + rng.below(400)),
            };
            let closed: Event = CandleClosed { candle }.into();
            let id = fact("candle", &format!("{instrument}{close}"));
            self.cluster.record(units::feed(), self.now, vec![(id, closed.clone())]);
            self.tell_all(&closed, rng);
        }
        self.tell_time(&fact("time", &close));
    }

    /// Every account's part of the exchange hears something of the market.
    fn tell_all(&mut self, event: &Event, rng: &mut Rng) {
        for account in simulated::accounts() {
            self.tell_venue(account, event, rng);
        }
    }

    /// The venue hears something. What it says goes out on the account stream, and what it says of orders is
    /// given back, as in a response.
    pub fn tell_venue(&mut self, account: Account, event: &Event, rng: &mut Rng) -> Vec<Event> {
        // Whatever the venue does, it does at an instant of its own.
        self.now = self.now + Duration::from_micros(1);
        let Some(venue) = self.venues.get_mut(&account) else { return Vec::new() };
        let said = venue.hear(self.now, event);
        let mut responses = Vec::new();
        let mut frames: Vec<Event> = Vec::new();
        let mut asked = Vec::new();
        for event in said {
            match &event {
                Event::Order(OrderEvent::Rejected(_) | OrderEvent::CancelRejected(_)) => {
                    responses.push(event)
                }
                Event::Quote(QuoteEvent::Asked(wanted)) => asked.push(wanted.instrument),
                Event::Account(AccountEvent::BalanceChanged(new)) => {
                    // One observation per asset and instant, as the venue sends them.
                    frames.retain(|old| {
                        !matches!(old, Event::Account(AccountEvent::BalanceChanged(b)) if b.asset == new.asset)
                    });
                    frames.push(event);
                }
                _ => frames.push(event),
            }
        }
        for frame in frames {
            if matches!(frame, Event::Order(_)) {
                responses.push(frame.clone());
            }
            if let Some(venue) = self.venues.get_mut(&account) {
                venue.truth.push(frame.clone());
            }
            self.publish(frame, rng);
        }
        for instrument in asked {
            let seen =
                QuoteSeen { instrument, price: price(self.prices[&instrument]), at: self.now, best: None };
            responses.extend(self.tell_venue(account, &seen.into(), rng));
        }
        responses
    }

    /// Two ingestors send the same frame: one of them may lose it, both may be late.
    pub fn publish(&mut self, frame: Event, rng: &mut Rng) {
        let lost = rng.chance(self.weather.lost_frames);
        self.faults.add("account frames that one ingestor lost", u64::from(lost));
        for _ in 0..if lost { 1 } else { 2 } {
            let due = self.now + self.delay(rng);
            self.network.push(Message { due, what: What::Frame(Box::new(frame.clone())) });
        }
    }

    pub fn delay(&mut self, rng: &mut Rng) -> Duration {
        let slow = rng.chance(self.weather.slow);
        self.faults.add("messages that took seconds", u64::from(slow));
        let most = match (self.calm, slow) {
            (true, _) => 10,
            (false, true) => 9_000,
            (false, false) => 500,
        };
        Duration::from_millis(rng.below(most))
    }

    /// What the recorder has of the venue.
    pub fn hear_frame(&mut self, event: Event) {
        self.cluster.record(units::recorder(), self.now, vec![(frame_id(&event), event)]);
    }

    /// No more faults and no more market: until nothing is left to do.
    ///
    /// # Errors
    /// It never comes to rest.
    pub fn come_to_rest(&mut self, rng: &mut Rng) -> Result<(), String> {
        self.calm = true;
        self.weather = Weather::still();
        let (mut idle, mut doings) = (0, 0);
        for _ in 0..40_000 {
            self.cluster.catch_up(rng, self.now);
            self.mind_the_hands(rng);
            let busy = !self.network.is_empty() || !self.wakes.is_empty();
            if self.network.iter().any(|m| m.due <= self.now) {
                self.deliver(rng);
            } else {
                self.advance(Duration::from_secs(1), rng);
            }
            let before = std::mem::replace(&mut doings, self.doings());
            idle = if busy || before != doings { 0 } else { idle + 1 };
            // Longer than any retry waits.
            if idle > 100 {
                return Ok(());
            }
        }
        Err("it never comes to rest".to_owned())
    }

    /// Events that are not just the market's passing.
    fn doings(&self) -> usize {
        let passing = ["candle.closed", "time.passed", "portfolio.valued"];
        self.cluster.tape.look(|rows| rows.iter().filter(|r| !passing.contains(&&*r.draft.kind)).count())
    }

    /// All that the venue ever said on its account streams.
    pub fn truth(&self) -> impl Iterator<Item = &Event> {
        self.venues.values().flat_map(|venue| &venue.truth)
    }

    pub fn report(&self) -> Report {
        let mut report = Report { events: self.cluster.tape.head_now().position, ..Report::default() };
        self.cluster.tape.look(|rows| {
            for kind in rows.iter().filter_map(events::Row::kind) {
                report.tape.add(kind.name(), 1);
                report.trades += u64::from(kind == events::Kind::TradeOpened);
            }
        });
        for (request, _) in self.venues.values().flat_map(|venue| &venue.arrived) {
            report.kinds.add("lists of two", u64::from(request.orders().count() > 1));
        }
        let orders: BTreeMap<_, _> = self
            .venues
            .values()
            .flat_map(|venue| &venue.arrived)
            .flat_map(|(request, _)| request.orders())
            .map(|order| (order.id, order.origin))
            .collect();
        for event in self.truth() {
            match event {
                Event::Order(OrderEvent::Accepted(accepted)) => {
                    report.orders += 1;
                    report.kinds.add(
                        match orders.get(&accepted.order) {
                            Some(Origin::Trade { leg: Leg::Entry, .. }) => "entry",
                            Some(Origin::Trade { leg: Leg::Stop, .. }) => "stop",
                            Some(Origin::Trade { leg: Leg::TakeProfit, .. }) => "take profit",
                            Some(Origin::Trade { leg: Leg::Exit, .. }) => "exit",
                            Some(Origin::Manual { .. }) => "by hand",
                            None => "never asked for",
                        },
                        1,
                    );
                }
                Event::Order(OrderEvent::Filled(_)) => report.fills += 1,
                _ => {}
            }
        }
        let counts = &self.cluster.counts;
        report.faults = self.faults.clone();
        for (what, times) in [
            ("deaths with a commit to be recorded", counts.before_commit),
            ("deaths with a commit just recorded", counts.after_commit),
            ("other deaths", counts.crashes),
            ("deaths on the way back from the tape", counts.in_recovery),
            ("recoveries", counts.recoveries),
            ("stops in good order", counts.stopped),
            ("replicas that slept", counts.slept),
            ("replicas that were refused", counts.fenced),
            ("rows that the bus gave again", counts.duplicates),
            ("rows that the bus lost", counts.gaps),
            ("snapshots", counts.snapshots),
        ] {
            report.faults.add(what, times);
        }
        report
    }
}

pub fn price(cents: i64) -> Price {
    Price::new(Decimal::new(cents, 2)).unwrap_or_else(|e| unreachable!("kept positive: {e}"))
}

/// Whether the gateway waits for nothing.
pub fn gateway_is_idle(world: &World) -> bool {
    let held = world.cluster.held::<Gateway>();
    held.is_some_and(|(_, state)| state.open.is_empty() && state.cancels.is_empty())
}
