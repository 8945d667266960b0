//! What travels between the gateway's hands, the venue and the recorder, late or never.

use super::world::World;
use domain::{Account, ClientOrderId, Instrument, Timestamp};
use events::{CancelAttempted, Event, OrderAttempted, OrderEvent, OrderSubmitted, Rejection};
use service::Back;
use sim::{cluster::Standing, rng::Rng};
use trade_abstraction::{
    gateway::{Answer, Attempt, Effect},
    hands::{self, Brought},
};

pub struct Message {
    pub due: Timestamp,
    pub what: What,
}

pub enum What {
    /// To the venue, from the hands of that incarnation.
    Ask(u64, Effect),
    /// To the recorder, from one of two ingestors.
    Frame(Box<Event>),
    /// To the gateway, from the hands of that incarnation.
    Reply(u64, Vec<Brought>),
}

impl World {
    /// One message of those that are due, whichever.
    pub fn deliver(&mut self, rng: &mut Rng) {
        let due: Vec<usize> = (0..self.network.len()).filter(|&i| self.network[i].due <= self.now).collect();
        if due.is_empty() {
            return;
        }
        let message = self.network.swap_remove(due[rng.index(due.len())]);
        match message.what {
            What::Frame(event) => self.hear_frame(*event),
            What::Ask(from, effect) => self.arrive(from, effect, rng),
            What::Reply(to, brought) => self.reply(to, brought, rng),
        }
    }

    /// The gateway's hands take up what has become theirs to do. Also those of an incarnation that has slept
    /// and does not know it: the venue's window must refuse it.
    pub fn mind_the_hands(&mut self, rng: &mut Rng) {
        for (fence, effect) in self.cluster.take_due() {
            self.send(fence, effect, rng);
        }
    }

    fn send(&mut self, from: u64, effect: Effect, rng: &mut Rng) {
        let mut due = self.now + self.delay(rng);
        match &effect {
            Effect::Send { request, attempt, .. } if rng.chance(self.weather.lost_requests) => {
                // It never arrives, and nobody knows.
                self.faults.add("requests that never arrived", 1);
                let (request, attempt) = (request.id(), attempt.number);
                let text = "connection lost".to_owned();
                return self.answer(from, Answer::Unknown { request, attempt, text }, rng);
            }
            Effect::LookUp { not_before, .. } => due = due.max(*not_before),
            Effect::Send { .. } | Effect::Cancel { .. } | Effect::Check { .. } => {}
        }
        self.network.push(Message { due, what: What::Ask(from, effect) });
    }

    fn arrive(&mut self, from: u64, effect: Effect, rng: &mut Rng) {
        match effect {
            Effect::Send { account, instrument, request, attempt } => {
                self.place(from, &OrderSubmitted { account, instrument, request }, attempt, rng);
            }
            Effect::Cancel { account, instrument, order, attempt, .. } => {
                self.cancel(from, account, instrument, order, attempt, rng);
            }
            Effect::LookUp { account, orders, .. } if !rng.chance(self.weather.failed_look_ups) => {
                orders.into_iter().for_each(|order| self.look_up(from, account, order, rng));
            }
            again @ Effect::LookUp { .. } => {
                self.faults.add("lookups that failed", 1);
                if self.cluster.standing(&self.gateway, from) != Standing::Gone {
                    self.send(from, again, rng);
                }
            }
            // Its frames are late and never lost, so nobody asks.
            Effect::Check { .. } => {}
        }
    }

    fn place(&mut self, from: u64, submitted: &OrderSubmitted, attempt: Attempt, rng: &mut Rng) {
        let &OrderSubmitted { account, instrument, ref request } = submitted;
        let attempted = OrderAttempted {
            account,
            instrument,
            request: request.id(),
            attempt: attempt.number,
            timestamp: attempt.timestamp,
            recv_window_ms: attempt.recv_window_ms,
        };
        self.tell_venue(account, &submitted.clone().into(), rng);
        if let Some(venue) = self.venues.get_mut(&account) {
            venue.arrived.push((**request, attempt.number));
        }
        let responses = self.tell_venue(account, &attempted.into(), rng);
        let (request, attempt) = (request.id(), attempt.number);
        if self.answer_is_lost(rng) {
            // Or is −1007.
            let text = "no answer".to_owned();
            return self.answer(from, Answer::Unknown { request, attempt, text }, rng);
        }
        let outside = responses.iter().any(
            |e| matches!(e, Event::Order(OrderEvent::Rejected(r)) if r.reason == Rejection::OutsideWindow),
        );
        if outside {
            self.faults.add("requests outside their window", 1);
            return self.answer(from, Answer::TryAgain { request, attempt, venue_time: None }, rng);
        }
        self.send_reply(from, facts(responses), rng);
    }

    fn cancel(
        &mut self,
        from: u64,
        account: Account,
        instrument: Instrument,
        order: ClientOrderId,
        attempt: Attempt,
        rng: &mut Rng,
    ) {
        let Attempt { number, timestamp, recv_window_ms } = attempt;
        let attempted =
            CancelAttempted { account, instrument, order, attempt: number, timestamp, recv_window_ms };
        let responses = self.tell_venue(account, &attempted.into(), rng);
        let again = Answer::CancelAgain { order, attempt: number, venue_time: None };
        if self.answer_is_lost(rng) {
            return self.answer(from, again, rng);
        }
        let outside =
            |e: &Event| matches!(e, Event::Order(OrderEvent::CancelRejected(r)) if r.code == Some(-1021));
        if responses.iter().any(outside) {
            self.faults.add("cancels outside their window", 1);
            return self.answer(from, again, rng);
        }
        self.send_reply(from, facts(responses), rng);
    }

    fn answer_is_lost(&mut self, rng: &mut Rng) -> bool {
        let lost = rng.chance(self.weather.lost_answers);
        self.faults.add("answers that never came", u64::from(lost));
        lost
    }

    /// What the venue knows of an order: its reports once more, or that it knows nothing.
    fn look_up(&mut self, from: u64, account: Account, order: ClientOrderId, rng: &mut Rng) {
        let reports = self.venues.get(&account).map(|venue| venue.reports(&order)).unwrap_or_default();
        if reports.is_empty() {
            self.faults.add("lookups that found nothing", 1);
            return self.answer(from, Answer::NotFound { order, venue_time: self.now }, rng);
        }
        self.send_reply(from, facts(reports), rng);
    }

    fn answer(&mut self, to: u64, answer: Answer, rng: &mut Rng) {
        self.send_reply(to, vec![Brought::Answer(answer)], rng);
    }

    fn send_reply(&mut self, to: u64, brought: Vec<Brought>, rng: &mut Rng) {
        let due = self.now + self.delay(rng);
        self.network.push(Message { due, what: What::Reply(to, brought) });
    }

    /// Judged by the incarnation that asked, once it can; void if it is gone.
    fn reply(&mut self, to: u64, brought: Vec<Brought>, rng: &mut Rng) {
        match self.cluster.standing(&self.gateway, to) {
            Standing::Gone => {}
            Standing::Busy => self.send_reply(to, brought, rng),
            Standing::Ready => {
                self.cluster.bring(&self.gateway, Back { fence: to, judge: hands::judge(brought) }, self.now);
            }
        }
    }
}

fn facts(events: Vec<Event>) -> Vec<Brought> {
    events.into_iter().map(|event| Brought::Fact(Box::new(event))).collect()
}
