//! What the exchange says, on its way out: past the faults, into the history, to whoever listens.

use super::Actor;
use crate::{
    faults::{On, Then},
    frame::{AccountFrame, MarketFrame},
};
use std::collections::BTreeSet;

/// Account frames that can be asked for again.
const HISTORY: usize = 100_000;

pub enum Outgoing {
    Account(AccountFrame),
    Market(MarketFrame),
    /// What a fault does to all who listen to that stream, or to an account (`None`).
    Strike(Option<String>, Then),
}

/// A frame that comes after the next one of its stream.
pub enum Held {
    Account(AccountFrame),
    Market(MarketFrame),
}

/// Where account frames are held back.
const ACCOUNT: &str = "";

impl Actor {
    /// Takes what the exchange has said. Answers whether any of it was about the account.
    pub(super) fn harvest(&mut self) -> bool {
        let now = self.exchange.now();
        let (frames, closed) = (self.remember(), self.faults.maintenance(now));
        let any = !frames.is_empty();
        for frame in frames {
            self.meter.see(now, &frame);
            if closed {
                continue;
            }
            let then = self.faults.frame(On::AccountFrame, now, event_of(&frame));
            self.route(ACCOUNT, then, || Outgoing::Account(frame.clone()), Held::Account(frame.clone()));
        }
        for frame in self.exchange.take_market_frames() {
            if closed {
                continue;
            }
            let then = self.faults.frame(On::MarketFrame, now, &frame.stream);
            let stream = frame.stream.clone();
            self.route(&stream, then, || Outgoing::Market(frame.clone()), Held::Market(frame.clone()));
        }
        any
    }

    /// Of streams that nobody listens to any more there is no next frame.
    pub(super) fn forget_held(&mut self, wanted: &BTreeSet<String>) {
        self.held.retain(|stream, _| stream == ACCOUNT || wanted.contains(stream));
    }

    /// New account frames, kept for whoever asks again.
    pub(super) fn remember(&mut self) -> Vec<AccountFrame> {
        self.quotes.extend(self.exchange.take_quotes_wanted());
        let frames = self.exchange.take_account_frames();
        for frame in &frames {
            let history = self.history.entry(frame.owner).or_default();
            history.push_back(frame.clone());
            if history.len() > HISTORY {
                history.pop_front();
            }
        }
        frames
    }

    fn route(&mut self, stream: &str, then: Option<Then>, frame: impl Fn() -> Outgoing, held: Held) {
        match then {
            Some(Then::Drop) => return,
            // One that is held already goes out behind this one, whatever the script says of this one.
            Some(Then::Reorder) if !self.held.contains_key(stream) => {
                self.held.insert(stream.to_owned(), held);
                return;
            }
            Some(Then::Duplicate) => self.outgoing.extend([frame(), frame()]),
            Some(then @ (Then::Silent | Then::HalfOpen | Then::Close)) => {
                let whom = (stream != ACCOUNT).then(|| stream.to_owned());
                self.outgoing.push(Outgoing::Strike(whom, then));
                return;
            }
            Some(_) | None => self.outgoing.push(frame()),
        }
        self.outgoing.extend(self.held.remove(stream).map(|held| match held {
            Held::Account(frame) => Outgoing::Account(frame),
            Held::Market(frame) => Outgoing::Market(frame),
        }));
    }

    /// Sends what has gathered; the journal is safe.
    pub(super) fn publish(&mut self) {
        for outgoing in self.outgoing.drain(..) {
            match outgoing {
                Outgoing::Account(frame) => self.listeners.account(&frame),
                Outgoing::Market(frame) => self.listeners.market(&frame),
                Outgoing::Strike(whom, then) => {
                    let ids = match &whom {
                        Some(stream) => self.listeners.listening_to(stream),
                        None => self.listeners.listening_to_account(),
                    };
                    for id in ids {
                        match then {
                            Then::Silent => self.listeners.silence(id),
                            Then::HalfOpen => self.listeners.half_open(id),
                            _ => self.listeners.end(id),
                        }
                    }
                }
            }
        }
    }
}

/// The event's name: `executionReport` and so on.
fn event_of(frame: &AccountFrame) -> &str {
    const FIELD: &str = "\"e\":\"";
    let rest = frame.milli.find(FIELD).map_or("", |at| &frame.milli[at + FIELD.len()..]);
    rest.split('"').next().unwrap_or_default()
}
