//! The world around the engine: market, venue, network, clock.

use super::{
    Report,
    facts::{TAPE, fact, frame_id, report_id},
    venue::{Venue, order_of, price, rules},
};
use crate::units;
use domain::{ClientOrderId, Decimal, EdgeName, Instrument, Interval, Timestamp, TradeId};
use events::{
    CancelAttempted, Candle, CandleClosed, Clock, CloseRequested, Event, InstrumentListed, OrderAttempted,
    OrderEvent, OrderSubmitted, QuoteEvent, QuoteSeen, Recorded, RequestedBy, StopMoveRequested, TapeOpened,
    TimeEvent, TimePassed, TradingState, TradingStateChanged,
};
use sim::{
    cluster::{Cluster, Faults, News},
    rng::Rng,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use trade_abstraction::gateway::{Answer, Attempt, Effect, Gateway};

const FAULTS: Faults = Faults { crash: 2, sleep: 1, disorder: 20 };
const TICK: i64 = 1;

pub struct World {
    pub cluster: Cluster,
    pub now: Timestamp,
    pub venue: Venue,
    prices: BTreeMap<Instrument, i64>,
    next_candle: Timestamp,
    network: Vec<Message>,
    wakes: BTreeSet<Timestamp>,
    /// How far the recorder has looked for wakes that units asked for.
    seen: u64,
    lost_answers: u64,
    /// Once set, nothing fails and nothing new begins.
    calm: bool,
}

struct Message {
    due: Timestamp,
    what: What,
}

enum What {
    /// To the venue.
    Place {
        from: Hands,
        submitted: OrderSubmitted,
        attempt: Attempt,
    },
    Cancel {
        from: Hands,
        order: ClientOrderId,
        instrument: Instrument,
        attempt: Attempt,
    },
    LookUp {
        from: Hands,
        instrument: Instrument,
        orders: Vec<ClientOrderId>,
    },
    /// To the recorder, from one of two ingestors.
    Frame(Box<Event>),
    /// To the gateway's hands.
    Reply {
        to: Hands,
        reply: Reply,
    },
}

enum Reply {
    Answer(Answer),
    /// What the venue said in its response, and only there.
    Said(Box<Event>),
    /// A lookup or cancel that must be tried again.
    Again(Effect),
}

#[derive(Debug, Clone, Copy)]
struct Hands {
    incarnation: u64,
}

impl World {
    pub fn new(rng: &mut Rng) -> Self {
        let now: Timestamp = Timestamp::from_millis(1_704_067_200_000);
        let oco = rng.chance(50);
        let mut cluster = Cluster::new(move || units::simulated(oco), "sim");
        let opened = TapeOpened { tape: TAPE, clock: Clock::Wall, market: "simulated".to_owned() };
        cluster.record(service::tape_unit(), now, vec![(fact("opened", &0), opened.into())]);
        let mut world = Self {
            cluster,
            now,
            venue: Venue::new(),
            prices: BTreeMap::new(),
            next_candle: now + Interval::Minute1.length(),
            network: Vec::new(),
            wakes: BTreeSet::new(),
            seen: 0,
            lost_answers: 0,
            calm: false,
        };
        for symbol in ["BTCUSDT", "ETHUSDT"] {
            let instrument: Instrument =
                format!("binance:spot:{symbol}").parse().unwrap_or_else(|e| unreachable!("{e}"));
            let rules = Box::new(rules(symbol));
            world.prices.insert(instrument, 10_000);
            let listed: Event = InstrumentListed { instrument, rules }.into();
            world.cluster.record(units::feed(), now, vec![(fact("listed", &instrument), listed.clone())]);
            world.tell_venue(&listed, rng);
        }
        world
    }

    pub fn report(&self) -> Report {
        let count = |wanted: fn(&Event) -> bool| self.venue.truth.iter().filter(|e| wanted(e)).count() as u64;
        let trades =
            self.cluster.tape.look(|rows| rows.iter().filter(|r| r.draft.kind == "trade.opened").count());
        Report {
            events: self.cluster.tape.head_now().position,
            trades: trades as u64,
            orders: count(|e| matches!(e, Event::Order(OrderEvent::Accepted(_)))),
            fills: count(|e| matches!(e, Event::Order(OrderEvent::Filled(_)))),
            lost: self.lost_answers,
            crashes: self.cluster.counts.crashes,
            fenced: self.cluster.counts.fenced,
            duplicates: self.cluster.counts.duplicates,
            gaps: self.cluster.counts.gaps,
        }
    }

    /// One random thing happens.
    pub fn step(&mut self, rng: &mut Rng) {
        match rng.below(100) {
            0..=1 => self.pass_time(rng),
            2..=23 => self.deliver(rng),
            24 if rng.chance(8) => self.meddle(rng),
            _ => self.cluster.act(rng, &FAULTS, self.now),
        }
        self.mind_the_hands(rng);
    }

    /// Time goes on: sometimes a little, sometimes past a request's window.
    fn pass_time(&mut self, rng: &mut Rng) {
        let most = if rng.chance(10) { 60_000 } else { 14_000 };
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
            let passed = TimePassed { now: self.now };
            self.cluster.record(units::clock(), self.now, vec![(fact("wake", &self.now), passed.into())]);
        }
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
        let instruments: Vec<Instrument> = self.prices.keys().copied().collect();
        for instrument in instruments {
            let open = self.prices[&instrument];
            // Mostly small steps, now and then a crash through every stop.
            let swing = if rng.chance(4) { open / 4 } else { open / 50 };
            let drift =
                i64::try_from(rng.below(u64::try_from(2 * swing + 1).unwrap_or(1))).unwrap_or(0) - swing;
            // At the end the market stands still, so that nothing new begins.
            let last = if self.calm { open } else { (open + drift).max(500) };
            let most = if self.calm { 0 } else { u64::try_from(open / 80).unwrap_or(0) };
            let reach = |rng: &mut Rng| i64::try_from(rng.below(most)).unwrap_or(0);
            let (high, low) = (open.max(last) + reach(rng), (open.min(last) - reach(rng)).max(TICK));
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
            self.tell_venue(&closed, rng);
        }
        let passed = TimePassed { now: self.now };
        self.cluster.record(units::clock(), self.now, vec![(fact("time", &close), passed.into())]);
    }

    /// The venue hears something; what it says goes out on the account stream.
    fn tell_venue(&mut self, event: &Event, rng: &mut Rng) -> Vec<Event> {
        // Whatever the venue does, it does at an instant of its own.
        self.now = self.now + Duration::from_micros(1);
        let said = self.venue.hear(self.now, event);
        let mut responses = Vec::new();
        let mut frames: Vec<Event> = Vec::new();
        let mut asked = Vec::new();
        for event in said {
            match &event {
                Event::Order(OrderEvent::Rejected(_) | OrderEvent::CancelRejected(_)) => {
                    responses.push(event)
                }
                Event::Quote(QuoteEvent::Asked(wanted)) => asked.push(wanted.instrument),
                Event::Account(events::AccountEvent::BalanceChanged(new)) => {
                    // One observation per asset and instant, as the venue sends them.
                    frames.retain(|old| {
                        !matches!(old, Event::Account(events::AccountEvent::BalanceChanged(b)) if b.asset == new.asset)
                    });
                    frames.push(event);
                }
                _ => frames.push(event),
            }
        }
        for frame in frames {
            self.venue.truth.push(frame.clone());
            self.publish(frame, rng);
        }
        for instrument in asked {
            let seen = QuoteSeen { instrument, price: price(self.prices[&instrument]), at: self.now };
            self.tell_venue(&seen.into(), rng);
        }
        responses
    }

    /// Two ingestors send the same frame: one of them may lose it, both may be late.
    fn publish(&mut self, frame: Event, rng: &mut Rng) {
        let lost = !self.calm && rng.chance(20);
        for copy in 0..2 {
            if copy == 1 && lost {
                continue;
            }
            let due = self.now + self.delay(rng);
            self.network.push(Message { due, what: What::Frame(Box::new(frame.clone())) });
        }
    }

    fn delay(&self, rng: &mut Rng) -> Duration {
        let most = if self.calm {
            10
        } else if rng.chance(15) {
            9_000
        } else {
            500
        };
        Duration::from_millis(rng.below(most))
    }

    /// One message of those that are due, whichever.
    fn deliver(&mut self, rng: &mut Rng) {
        let due: Vec<usize> = (0..self.network.len()).filter(|&i| self.network[i].due <= self.now).collect();
        if due.is_empty() {
            return;
        }
        let message = self.network.swap_remove(due[rng.index(due.len())]);
        match message.what {
            What::Frame(event) => {
                let id = frame_id(&event);
                self.cluster.record(units::recorder(), self.now, vec![(id, *event)]);
            }
            What::Place { from, submitted, attempt } => self.place(from, &submitted, attempt, rng),
            What::Cancel { from, order, instrument, attempt } => {
                self.cancel(from, order, instrument, attempt, rng)
            }
            What::LookUp { from, instrument, orders } => self.look_up(from, instrument, orders, rng),
            What::Reply { to, reply } => self.reply(to, reply, rng),
        }
    }

    fn place(&mut self, from: Hands, submitted: &OrderSubmitted, attempt: Attempt, rng: &mut Rng) {
        let attempted = OrderAttempted {
            account: submitted.account,
            instrument: submitted.instrument,
            request: submitted.request.id(),
            attempt: attempt.number,
            timestamp: attempt.timestamp,
            recv_window_ms: attempt.recv_window_ms,
        };
        self.venue.hear(self.now, &submitted.clone().into());
        self.venue.arrived.push((*submitted.request, attempt.number));
        let responses = self.tell_venue(&attempted.into(), rng);
        let outside = responses.iter().any(|e| {
            matches!(e, Event::Order(OrderEvent::Rejected(r)) if r.reason == events::Rejection::OutsideWindow)
        });
        let request = submitted.request.id();
        let replies = if outside {
            vec![Reply::Answer(Answer::TryAgain { request, attempt: attempt.number, venue_time: None })]
        } else {
            responses.into_iter().map(|e| Reply::Said(Box::new(e))).collect()
        };
        if !self.calm && rng.chance(15) {
            // The answer is lost on its way, or is −1007.
            self.lost_answers += 1;
            let text = "no answer".to_owned();
            return self.send_reply(
                from,
                Reply::Answer(Answer::Unknown { request, attempt: attempt.number, text }),
                rng,
            );
        }
        for reply in replies {
            self.send_reply(from, reply, rng);
        }
    }

    fn cancel(
        &mut self,
        from: Hands,
        order: ClientOrderId,
        instrument: Instrument,
        attempt: Attempt,
        rng: &mut Rng,
    ) {
        let attempted = CancelAttempted {
            account: units::simulated_account(),
            instrument,
            order,
            attempt: attempt.number,
            timestamp: attempt.timestamp,
            recv_window_ms: attempt.recv_window_ms,
        };
        let responses = self.tell_venue(&attempted.into(), rng);
        let again = Answer::CancelAgain { order, attempt: attempt.number, venue_time: None };
        let outside =
            |e: &Event| matches!(e, Event::Order(OrderEvent::CancelRejected(r)) if r.code == Some(-1021));
        if !self.calm && rng.chance(15) {
            self.lost_answers += 1;
            return self.send_reply(from, Reply::Answer(again), rng);
        }
        for event in responses {
            let reply =
                if outside(&event) { Reply::Answer(again.clone()) } else { Reply::Said(Box::new(event)) };
            self.send_reply(from, reply, rng);
        }
    }

    /// What the venue knows of some orders: their reports once more, or that it knows nothing.
    fn look_up(&mut self, from: Hands, instrument: Instrument, orders: Vec<ClientOrderId>, rng: &mut Rng) {
        if !self.calm && rng.chance(20) {
            let (account, not_before) = (units::simulated_account(), self.now);
            let again = Effect::LookUp { account, instrument, orders, not_before };
            return self.send_reply(from, Reply::Again(again), rng);
        }
        for order in orders {
            let reports: Vec<Event> =
                self.venue.truth.iter().filter(|e| order_of(e) == Some(order)).cloned().collect();
            if reports.is_empty() {
                let answer = Answer::NotFound { order, venue_time: self.now };
                self.send_reply(from, Reply::Answer(answer), rng);
            }
            for report in reports {
                self.publish(report, rng);
            }
        }
    }

    fn send_reply(&mut self, to: Hands, reply: Reply, rng: &mut Rng) {
        let due = self.now + self.delay(rng);
        self.network.push(Message { due, what: What::Reply { to, reply } });
    }

    fn reply(&mut self, to: Hands, reply: Reply, rng: &mut Rng) {
        let unit = units::gateway();
        let now = self.now;
        let taken = match &reply {
            Reply::Answer(answer) => self.cluster.say(&unit, to.incarnation, now, |host| {
                let Some((gateway, state)) = host.held::<Gateway>() else { return Vec::new() };
                gateway.answered(state, now, answer).into_iter().map(|e| (report_id(&e), e)).collect()
            }),
            Reply::Said(event) => {
                self.cluster.say(&unit, to.incarnation, now, |_| vec![(report_id(event), (**event).clone())])
            }
            Reply::Again(effect) => {
                if self.cluster.host_of(&unit, to.incarnation).is_some() {
                    self.send(to, effect.clone(), rng);
                }
                true
            }
        };
        if !taken {
            self.send_reply(to, reply, rng);
        }
    }

    /// The gateway's hands take up what has become theirs to do.
    fn mind_the_hands(&mut self, rng: &mut Rng) {
        for news in self.cluster.take_news() {
            match news {
                News::Heard { unit, incarnation, event, mine } if unit == units::gateway() => {
                    // Also one that has slept and does not know it: the venue's window must refuse it.
                    let effect = self.cluster.host_of(&unit, incarnation).and_then(|host| {
                        let (gateway, state) = host.held::<Gateway>()?;
                        gateway.effect(state, &event.event, mine)
                    });
                    if let Some(effect) = effect {
                        self.send(Hands { incarnation }, effect, rng);
                    }
                }
                News::Recovered { unit, incarnation } if unit == units::gateway() => {
                    let owed = self.cluster.host(&unit).and_then(|(host, _)| {
                        let (gateway, state) = host.held::<Gateway>()?;
                        Some(gateway.owed(state))
                    });
                    for effect in owed.unwrap_or_default() {
                        self.send(Hands { incarnation }, effect, rng);
                    }
                }
                News::Heard { .. } | News::Recovered { .. } => {}
            }
        }
    }

    fn send(&mut self, from: Hands, effect: Effect, rng: &mut Rng) {
        let mut due = self.now + self.delay(rng);
        let lost = !self.calm && rng.chance(8);
        let what = match effect {
            Effect::Send { account, instrument, request, attempt } => {
                if lost {
                    // It never arrives, and nobody knows.
                    self.lost_answers += 1;
                    let request = request.id();
                    let text = "connection lost".to_owned();
                    return self.send_reply(
                        from,
                        Reply::Answer(Answer::Unknown { request, attempt: attempt.number, text }),
                        rng,
                    );
                }
                What::Place { from, submitted: OrderSubmitted { account, instrument, request }, attempt }
            }
            Effect::Cancel { order, instrument, attempt, .. } => {
                What::Cancel { from, order, instrument, attempt }
            }
            Effect::LookUp { instrument, orders, not_before, .. } => {
                due = due.max(not_before);
                What::LookUp { from, instrument, orders }
            }
            // Its frames are late and never lost, so nobody asks.
            Effect::Check { .. } => return,
        };
        self.network.push(Message { due, what });
    }

    /// The owner takes a hand: cancels an order at the venue, or asks for a close, another stop, a halt.
    fn meddle(&mut self, rng: &mut Rng) {
        let account = units::simulated_account();
        let by = RequestedBy::Owner { who: "owner".to_owned() };
        let instruments: Vec<Instrument> = self.prices.keys().copied().collect();
        let instrument = instruments[rng.index(instruments.len())];
        let edge = EdgeName::new("edge70").unwrap_or_else(|e| unreachable!("{e}"));
        let asked: Event = match rng.below(4) {
            0 => return self.cancel_by_hand(rng),
            1 => CloseRequested { account, instrument, edge, by, why: None }.into(),
            2 => {
                let Some(trade) = self.some_trade(rng) else { return };
                let cents = self.prices[&instrument];
                let more = i64::try_from(rng.below(u64::try_from(cents).unwrap_or(1))).unwrap_or(0);
                StopMoveRequested { trade, stop: price(cents / 2 + more), by }.into()
            }
            _ => {
                let (state, until) = (TradingState::Halted, Some(self.now + Duration::from_secs(60)));
                let (who, why) = ("owner".to_owned(), "a storm".to_owned());
                TradingStateChanged { account: None, state, who, why, until }.into()
            }
        };
        let id = fact("owner", &self.now);
        self.cluster.record(units::owner(), self.now, vec![(id, asked)]);
        self.now = self.now + Duration::from_micros(1);
    }

    fn some_trade(&self, rng: &mut Rng) -> Option<TradeId> {
        let trades: Vec<TradeId> = self.cluster.tape.look(|rows| {
            let opened = rows.iter().filter(|r| r.draft.kind == "trade.opened");
            opened.filter_map(|r| r.draft.trade.as_deref()?.parse().ok()).collect()
        });
        (!trades.is_empty()).then(|| trades[rng.index(trades.len())])
    }

    fn cancel_by_hand(&mut self, rng: &mut Rng) {
        let working: Vec<(Instrument, ClientOrderId)> = self.venue.working();
        if working.is_empty() {
            return;
        }
        let (instrument, order) = working[rng.index(working.len())];
        let by_hand = CancelAttempted {
            account: units::simulated_account(),
            instrument,
            order,
            attempt: 1,
            timestamp: self.now,
            recv_window_ms: 5_000,
        };
        self.tell_venue(&by_hand.into(), rng);
    }

    /// No more faults and no more market: until nothing is left to do.
    ///
    /// # Errors
    /// It never comes to rest.
    pub fn come_to_rest(&mut self, rng: &mut Rng) -> Result<(), String> {
        self.calm = true;
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
}

impl World {
    /// Events that are not just the market's passing.
    fn doings(&self) -> usize {
        let passing = ["candle.closed", "time.passed", "portfolio.valued"];
        self.cluster.tape.look(|rows| rows.iter().filter(|r| !passing.contains(&&*r.draft.kind)).count())
    }
}

/// Whether the gateway waits for nothing.
pub fn gateway_is_idle(world: &World) -> bool {
    world
        .cluster
        .host(&units::gateway())
        .and_then(|(host, _)| host.held::<Gateway>())
        .is_some_and(|(_, state)| state.open.is_empty() && state.cancels.is_empty())
}
