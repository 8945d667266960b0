//! A frame as a message on the exchange `ingest`.
//!
//! The body is the frame. Headers: `account` (`venue:name`), `replica`, `stream`, `kind` (`opened`
//! or `account`) and `received_at` (microseconds since 1970 in UTC).

use super::{
    outbox::Message,
    rows::{headers, short, text, time},
};
use crate::{BusFault, FrameKind, IngestFrame, Malformed, topology::INGEST};
use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, FieldTable, ShortString},
};

pub(crate) fn message(frame: &IngestFrame) -> Result<Message, BusFault> {
    let mut headers = FieldTable::default();
    let mut put = |name: &str, value: AMQPValue| {
        headers.insert(name.into(), value);
    };
    let text = |text: &str| AMQPValue::LongString(text.into());
    put("account", text(&frame.account.to_string()));
    put("replica", text(short("replica", &frame.replica)?.as_str()));
    put("stream", text(short("stream", &frame.stream)?.as_str()));
    put("kind", text(frame.kind.as_str()));
    put("received_at", AMQPValue::LongLongInt(frame.received_at.micros()));
    let properties = BasicProperties::default()
        .with_delivery_mode(2)
        .with_content_type(short("content type", &frame.content_type)?)
        .with_message_id(frame.message_id().into())
        .with_headers(headers);
    let routing_key = short("routing key", &frame.routing_key())?;
    Ok(Message { exchange: INGEST, routing_key, properties, body: frame.bytes.clone() })
}

pub(crate) fn frame(delivery: Delivery) -> Result<IngestFrame, Malformed> {
    match parts(&delivery) {
        Ok(frame) => Ok(IngestFrame { bytes: delivery.data, ..frame }),
        Err(missing) => Err(Malformed {
            exchange: delivery.exchange.as_str().to_owned(),
            routing_key: delivery.routing_key.as_str().to_owned(),
            why: format!("its {missing} is missing or cannot be read"),
            bytes: delivery.data,
        }),
    }
}

/// All but the bytes.
fn parts(delivery: &Delivery) -> Result<IngestFrame, &'static str> {
    let table = headers(delivery);
    let content_type = delivery.properties.content_type().as_ref().map(ShortString::as_str);
    Ok(IngestFrame {
        account: text(table, "account").and_then(|a| a.parse().ok()).ok_or("account")?,
        replica: text(table, "replica").ok_or("replica")?.to_owned(),
        stream: text(table, "stream").ok_or("stream")?.to_owned(),
        content_type: content_type.ok_or("content type")?.to_owned(),
        received_at: time(table, "received_at").ok_or("received_at")?,
        bytes: Vec::new(),
        kind: text(table, "kind").and_then(FrameKind::parse).ok_or("kind")?,
    })
}
