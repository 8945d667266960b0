//! Publishing so that one knows: every message confirmed, none returned, or a fault.

use super::{
    Session,
    limits::{CONFIRM, CONNECT_WAIT, REDECLARE, WINDOW, ask, within},
    link::Link,
};
use crate::{BusFault, status::add};
use lapin::{
    BasicProperties, Channel, Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::ShortString,
};
use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Instant,
};

pub(crate) struct Outbox {
    link: Arc<Link>,
    open: Option<Open>,
}

pub(crate) struct Message {
    pub(crate) exchange: &'static str,
    pub(crate) routing_key: ShortString,
    pub(crate) properties: BasicProperties,
    pub(crate) body: Vec<u8>,
}

/// A channel with confirms, for one publisher.
struct Open {
    session: Arc<Session>,
    channel: Channel,
    declared: Instant,
}

type Confirming = Pin<Box<dyn Future<Output = lapin::Result<Confirmation>> + Send>>;

/// What came of the messages that were sent.
#[derive(Default)]
struct Outcome {
    refused: usize,
    returned: Vec<String>,
}

impl Outbox {
    pub(crate) const fn new(link: Arc<Link>) -> Self {
        Self { link, open: None }
    }

    /// Sends in the given order on one channel, at most [`WINDOW`] without their confirmation.
    ///
    /// # Errors
    /// Any of them leaves it unknown which messages the broker has; nothing more of them is sent.
    pub(crate) async fn publish(
        &mut self,
        messages: impl IntoIterator<Item = Result<Message, BusFault>>,
    ) -> Result<(), BusFault> {
        // Out of its place for the while: a call that is cancelled half-way leaves its channel, with
        // whatever is still to be confirmed on it, to nobody.
        let mut open = self.take().await?;
        let outcome = open.send(messages, &self.link).await.inspect_err(|fault| open.session.blame(fault))?;
        self.open = Some(open);
        let counters = self.link.counters();
        add(&counters.refused, outcome.refused);
        add(&counters.returned, outcome.returned.len());
        if !outcome.returned.is_empty() {
            return Err(BusFault::Returned { ids: outcome.returned });
        }
        match outcome.refused {
            0 => Ok(()),
            count => Err(BusFault::Refused { count }),
        }
    }

    async fn take(&mut self) -> Result<Open, BusFault> {
        let usable = |open: &Open| open.session.is_up() && open.channel.status().connected();
        if let Some(mut open) = self.open.take().filter(usable) {
            open.session.flowing(CONNECT_WAIT).await?;
            if open.declared.elapsed() > REDECLARE {
                // Somebody may have deleted the queue: nobody tells who only publishes.
                self.link.declare(&open.session).await?;
                open.declared = Instant::now();
            }
            return Ok(open);
        }
        let session = self.link.session().await?;
        session.flowing(CONNECT_WAIT).await?;
        let opened = async {
            self.link.declare(&session).await?;
            let channel = session.channel().await?;
            ask("asking for confirms", channel.confirm_select(ConfirmSelectOptions::default())).await?;
            Ok(channel)
        };
        let channel = opened.await.inspect_err(|fault| session.blame(fault))?;
        Ok(Open { session, channel, declared: Instant::now() })
    }
}

impl Open {
    async fn send(
        &mut self,
        messages: impl IntoIterator<Item = Result<Message, BusFault>>,
        link: &Link,
    ) -> Result<Outcome, BusFault> {
        let mut outcome = Outcome::default();
        let mut in_flight: VecDeque<Confirming> = VecDeque::new();
        for message in messages {
            if in_flight.len() == WINDOW {
                self.settle(&mut in_flight, &mut outcome, link).await?;
            }
            if outcome.refused > 0 || !outcome.returned.is_empty() {
                break;
            }
            let mut confirming = self.hand_over(message?);
            add(&link.counters().published, 1);
            // The first look at it is what sends it; so they leave in order.
            match poll_fn(|context| Poll::Ready(confirming.as_mut().poll(context))).await {
                Poll::Ready(Ok(confirmed)) => outcome.note(confirmed, link),
                Poll::Ready(Err(error)) => {
                    return Err(BusFault::Away { why: format!("publishing: {error}") });
                }
                Poll::Pending => in_flight.push_back(confirming),
            }
        }
        while !in_flight.is_empty() {
            self.settle(&mut in_flight, &mut outcome, link).await?;
        }
        Ok(outcome)
    }

    fn hand_over(&self, message: Message) -> Confirming {
        let channel = self.channel.clone();
        Box::pin(async move {
            let Message { exchange, routing_key, properties, body } = message;
            // An alternate exchange takes what no queue takes; `mandatory` tells when it does not.
            let options = BasicPublishOptions { mandatory: true, immediate: false };
            channel.basic_publish(exchange.into(), routing_key, options, &body, properties).await?.await
        })
    }

    /// Waits for the oldest confirmation.
    async fn settle(
        &self,
        in_flight: &mut VecDeque<Confirming>,
        outcome: &mut Outcome,
        link: &Link,
    ) -> Result<(), BusFault> {
        let Some(oldest) = in_flight.pop_front() else { return Ok(()) };
        match within(CONFIRM, "confirming what was published", oldest).await {
            Ok(confirmed) => outcome.note(confirmed, link),
            // The messages may still be sent when it flows again. Everybody drops what comes twice.
            Err(BusFault::TimedOut { .. }) if self.session.blocked().is_some() => {
                return Err(BusFault::Blocked { why: self.session.blocked().unwrap_or_default() });
            }
            Err(fault) => return Err(fault),
        }
        Ok(())
    }
}

impl Outcome {
    /// lapin hands a returned message to whichever confirmation comes next, so only the message
    /// itself says which one it was.
    fn note(&mut self, confirmed: Confirmation, link: &Link) {
        let returned = match confirmed {
            Confirmation::Ack(None) => {
                add(&link.counters().confirmed, 1);
                return;
            }
            Confirmation::Ack(Some(returned)) => returned,
            Confirmation::Nack(Some(returned)) => {
                self.refused += 1;
                returned
            }
            // `NotRequested` would be a channel without confirms: nothing is known, so nothing is done.
            Confirmation::Nack(None) | Confirmation::NotRequested => {
                self.refused += 1;
                return;
            }
        };
        let id = returned.delivery.properties.message_id().as_ref();
        self.returned.push(id.map_or_else(String::new, |id| id.as_str().to_owned()));
    }
}
