//! The recorder's side of the exchange `tape`.

use super::{
    limits::{CONFIRM, CREDIT, EMPTY, QUIET, ask},
    link::Link,
    outbox::Outbox,
    rows,
};
use crate::{BusFault, topology::TAPE};
use events::{Hash, Position, Row, Uuid};
use futures_util::StreamExt;
use lapin::{
    Channel,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use std::{fmt, sync::Arc};
use tokio::time::{Instant, timeout_at};

/// Publishes committed rows, in order. One per tape and time: who it is, a fence on the tape decides.
pub struct TapePublisher {
    outbox: Outbox,
    consume: Arc<Link>,
}

impl TapePublisher {
    pub(super) fn new(publish: Arc<Link>, consume: Arc<Link>) -> Self {
        Self { outbox: Outbox::new(publish), consume }
    }

    /// Publishes `rows`, whose positions follow each other; `previous` is the hash of the row before
    /// the first. Returns once the broker has confirmed each of them.
    ///
    /// # Errors
    /// It is unknown how far it came, and there may be gaps. Begin again from what is known: rows that
    /// come twice are dropped by everybody.
    pub async fn publish(&mut self, tape: Uuid, previous: Hash, rows: &[Row]) -> Result<(), BusFault> {
        let tape = tape.hyphenated().to_string();
        let before = std::iter::once(&previous).chain(rows.iter().map(|row| &row.hash));
        let messages = rows.iter().zip(before).map(|(row, before)| rows::message(&tape, before, row));
        // Collected: a future that holds borrowing closures can be sent to no other thread.
        let messages: Vec<_> = messages.collect();
        self.outbox.publish(messages).await
    }

    /// The last message of the stream, if it is a row of `tape`; `None` if it is another tape's, or
    /// there is none at all.
    ///
    /// A reader over AMQP is given the last chunk whole and is not told where it ends, so this takes
    /// the message after which nothing more came for a moment. A stream that holds messages and gives
    /// none in time is a fault, never `None`.
    pub async fn last(&mut self, tape: Uuid) -> Result<Option<(Position, Hash)>, BusFault> {
        let session = self.consume.session().await?;
        let read = async {
            self.consume.declare(&session).await?;
            let channel = session.channel().await?;
            let last = last_delivery(&channel).await?;
            // Closed rather than cancelled, and its deliveries go with it.
            ask("closing a channel", channel.close(200, "OK".into())).await?;
            Ok(last)
        };
        let last = read.await.inspect_err(|fault| session.blame(fault))?;
        let tape = tape.hyphenated().to_string();
        Ok(last.filter(|delivery| rows::is_of(delivery, &tape)).and_then(|d| rows::place(&d).ok()))
    }
}

async fn last_delivery(channel: &Channel) -> Result<Option<Delivery>, BusFault> {
    let looking = QueueDeclareOptions { passive: true, ..Default::default() };
    let found = channel.queue_declare(TAPE.into(), looking, FieldTable::default());
    // The broker counts a stream's messages every few seconds only.
    let perhaps_empty = ask("looking at the stream", found).await?.message_count() == 0;
    let mut consumer = attach(channel).await?;
    let mut last: Option<Delivery> = None;
    let mut unacknowledged = 0;
    let end = Instant::now() + CONFIRM;
    let empty_at = Instant::now() + if perhaps_empty { EMPTY } else { CONFIRM };
    loop {
        let next_by = if last.is_some() { end.min(Instant::now() + QUIET) } else { empty_at };
        match timeout_at(next_by, consumer.next()).await {
            Ok(Some(Ok(delivery))) => {
                unacknowledged += 1;
                if unacknowledged * 2 >= CREDIT {
                    let all = BasicAckOptions { multiple: true };
                    let tag = delivery.delivery_tag;
                    ask("acknowledging", channel.basic_ack(tag, all)).await?;
                    unacknowledged = 0;
                }
                last = Some(delivery);
            }
            Ok(Some(Err(error))) => {
                return Err(BusFault::Away { why: format!("reading the stream: {error}") });
            }
            Ok(None) => return Err(BusFault::Away { why: "the stream was deleted".into() }),
            Err(_) if last.is_some() && Instant::now() < end => return Ok(last),
            Err(_) if last.is_none() && perhaps_empty => return Ok(None),
            Err(_) => return Err(BusFault::TimedOut { what: "reading the end of the stream" }),
        }
    }
}

/// Reads the stream from its last chunk on. A stream wants a credit to be named.
pub(super) async fn attach(channel: &Channel) -> Result<lapin::Consumer, BusFault> {
    ask("asking for credit", channel.basic_qos(CREDIT, BasicQosOptions::default())).await?;
    let mut arguments = FieldTable::default();
    arguments.insert("x-stream-offset".into(), AMQPValue::LongString("last".into()));
    let options = BasicConsumeOptions::default();
    ask("reading the stream", channel.basic_consume(TAPE.into(), "".into(), options, arguments)).await
}

impl fmt::Debug for TapePublisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TapePublisher").finish_non_exhaustive()
    }
}
