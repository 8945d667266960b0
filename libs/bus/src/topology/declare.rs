//! Puts the topology on a broker, or finds out why a part of it cannot be.

use super::{Argument, Binding, Exchange, ExchangeKind, Queue, Topology};
use crate::{
    BusFault,
    rabbit::{Session, ask},
};
use lapin::{
    Channel,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

/// Declares everything. What the broker refuses, because it is there with other arguments or the
/// user may not, is named in the list; the rest is declared all the same, and works.
pub(crate) async fn declare(session: &Session) -> Result<Vec<String>, BusFault> {
    let mut scratch = Scratch::new(session);
    let mut wrong = Vec::new();
    for part in parts(&Topology::standard()) {
        wrong.extend(scratch.try_on(async |channel| part.declare(channel).await).await?.err());
    }
    scratch.close().await;
    Ok(wrong)
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'a> {
    Exchange(&'a Exchange),
    Queue(&'a Queue),
    Binding(&'a Binding),
}

pub(super) fn parts(topology: &Topology) -> impl Iterator<Item = Part<'_>> {
    let exchanges = topology.exchanges.iter().map(Part::Exchange);
    let queues = topology.queues.iter().map(Part::Queue);
    exchanges.chain(queues).chain(topology.bindings.iter().map(Part::Binding))
}

impl Part<'_> {
    pub(super) async fn declare(self, channel: &Channel) -> Result<(), BusFault> {
        match self {
            Self::Exchange(exchange) => {
                let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
                let kind = match exchange.kind {
                    ExchangeKind::Topic => lapin::ExchangeKind::Topic,
                    ExchangeKind::Fanout => lapin::ExchangeKind::Fanout,
                };
                let arguments = table(&exchange.arguments);
                let declared = channel.exchange_declare(exchange.name.into(), kind, options, arguments);
                ask("declaring an exchange", declared).await
            }
            Self::Queue(queue) => {
                let options = QueueDeclareOptions { durable: true, ..Default::default() };
                let declared = channel.queue_declare(queue.name.into(), options, table(&queue.arguments));
                ask("declaring a queue", declared).await.map(drop)
            }
            Self::Binding(Binding { exchange, queue, key }) => {
                let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
                let bound = channel.queue_bind(
                    (*queue).into(),
                    (*exchange).into(),
                    (*key).into(),
                    options,
                    arguments,
                );
                ask("binding a queue", bound).await
            }
        }
    }
}

impl std::fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exchange(exchange) => write!(f, "exchange '{}'", exchange.name),
            Self::Queue(queue) => write!(f, "queue '{}'", queue.name),
            Self::Binding(b) => write!(f, "binding of queue '{}' to exchange '{}'", b.queue, b.exchange),
        }
    }
}

/// A channel to be refused on: the broker closes one at every refusal, so it is opened as needed.
pub(super) struct Scratch<'a> {
    session: &'a Session,
    channel: Option<Channel>,
}

impl<'a> Scratch<'a> {
    pub(super) const fn new(session: &'a Session) -> Self {
        Self { session, channel: None }
    }

    /// What `act` did, or what the broker had against it, in its words.
    ///
    /// # Errors
    /// The connection itself is of no more use.
    pub(super) async fn try_on<T>(
        &mut self,
        act: impl AsyncFnOnce(&Channel) -> Result<T, BusFault>,
    ) -> Result<Result<T, String>, BusFault> {
        let channel = match self.channel.take() {
            Some(channel) => channel,
            None => self.session.channel().await?,
        };
        match act(&channel).await {
            Ok(done) => {
                self.channel = Some(channel);
                Ok(Ok(done))
            }
            Err(BusFault::Away { why }) if self.session.is_up() => Ok(Err(why)),
            Err(fault) => {
                self.session.blame(&fault);
                Err(fault)
            }
        }
    }

    pub(super) async fn close(self) {
        if let Some(channel) = self.channel {
            // It goes with its handle anyway.
            let _ = ask("closing a channel", channel.close(200, "OK".into())).await;
        }
    }
}

fn table(arguments: &[(&'static str, Argument)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in arguments {
        let value = match value {
            Argument::Text(text) => AMQPValue::LongString((*text).into()),
            Argument::Number(number) => AMQPValue::LongLongInt(*number),
        };
        table.insert((*name).into(), value);
    }
    table
}
