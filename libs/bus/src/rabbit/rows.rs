//! A row of the tape as a message on the exchange `tape`: what an outsider reads too.
//!
//! The body is the event's own JSON. `message_id` is the event's id, `type` its kind. Times in the
//! headers are microseconds since 1970 in UTC; hashes are hexadecimal; `cause`, `trade` and `meta`
//! are there if the row has them.

use super::outbox::Message;
use crate::{BusFault, hex, topology::TAPE};
use domain::{Timestamp, UnitName};
use events::{Draft, Hash, Position, Row, Uuid};
use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, FieldTable, MAX_SHORT_STRING_LENGTH, ShortString},
};
use std::borrow::Cow;

/// All headers together have to fit into one frame of the protocol, 128 KiB; only `meta` has no
/// limit of its own. A longer one is left out: it is not part of the fact, and the tape has it.
const META: usize = 64 << 10;

/// What a delivery carries, as far as one has to look to know whether it concerns one.
pub(crate) fn is_of(delivery: &Delivery, tape: &str) -> bool {
    text(headers(delivery), "tape") == Some(tape)
}

pub(crate) fn message(tape: &str, previous: &Hash, row: &Row) -> Result<Message, BusFault> {
    let Row { position, recorded_at, hash, draft } = row;
    let mut headers = FieldTable::default();
    let mut put = |name: &str, value: AMQPValue| {
        headers.insert(name.into(), value);
    };
    let text = |text: &str| AMQPValue::LongString(text.into());
    put("tape", text(tape));
    put("position", AMQPValue::LongLongInt(i64::try_from(*position).unwrap_or(i64::MAX)));
    put("hash", text(&hex::encode(hash)));
    put("previous", text(&hex::encode(previous)));
    put("kind", text(&draft.kind));
    put("schema", AMQPValue::LongInt(i32::from(draft.schema)));
    put("subject", text(&draft.subject));
    put("source", text(&draft.source));
    put("at", AMQPValue::LongLongInt(draft.at.micros()));
    put("recorded_at", AMQPValue::LongLongInt(recorded_at.micros()));
    if let Some(cause) = draft.cause {
        put("cause", text(cause.hyphenated().encode_lower(&mut Uuid::encode_buffer())));
    }
    if let Some(trade) = &draft.trade {
        put("trade", text(trade));
    }
    if let Some(meta) = draft.meta.as_ref().filter(|meta| meta.len() <= META) {
        put("meta", text(meta));
    }
    let properties = BasicProperties::default()
        .with_delivery_mode(2)
        .with_content_type("application/json".into())
        .with_message_id(draft.id.hyphenated().to_string().into())
        .with_type(short("kind", &draft.kind)?)
        .with_headers(headers);
    let routing_key = short("routing key", &row.routing_key())?;
    Ok(Message { exchange: TAPE, routing_key, properties, body: draft.body.clone().into_bytes() })
}

/// The row, whatever its kind is, or what is wrong with it.
pub(crate) fn row(delivery: Delivery) -> Result<Row, &'static str> {
    let (position, hash) = place(&delivery)?;
    let table = headers(&delivery);
    let draft = Draft {
        id: id(delivery.properties.message_id().as_ref().map(ShortString::as_str)).ok_or("message_id")?,
        kind: kind(text(table, "kind").ok_or("kind")?),
        schema: number(table, "schema").and_then(|n| u16::try_from(n).ok()).ok_or("schema")?,
        subject: text(table, "subject").ok_or("subject")?.to_owned(),
        source: text(table, "source").and_then(|s| UnitName::new(s).ok()).ok_or("source")?,
        cause: match text(table, "cause") {
            None => None,
            given => Some(id(given).ok_or("cause")?),
        },
        trade: text(table, "trade").map(str::to_owned),
        at: time(table, "at").ok_or("at")?,
        meta: text(table, "meta").map(str::to_owned),
        body: String::new(),
    };
    let recorded_at = time(table, "recorded_at").ok_or("recorded_at")?;
    let body = String::from_utf8(delivery.data).map_err(|_| "body")?;
    Ok(Row { position, recorded_at, hash, draft: Draft { body, ..draft } })
}

/// Where a row stands, without reading the rest of it.
pub(crate) fn place(delivery: &Delivery) -> Result<(Position, Hash), &'static str> {
    let table = headers(delivery);
    let position = number(table, "position").and_then(|n| Position::try_from(n).ok());
    let hash = text(table, "hash").and_then(|hash| hex::decode(hash.as_bytes()));
    Ok((position.filter(|p| *p > 0).ok_or("position")?, hash.ok_or("hash")?))
}

pub(super) type Headers<'a> = Option<&'a FieldTable>;

pub(super) fn headers(delivery: &Delivery) -> Headers<'_> {
    delivery.properties.headers().as_ref()
}

pub(super) fn text<'a>(headers: Headers<'a>, name: &str) -> Option<&'a str> {
    match headers?.inner().get(name)? {
        AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok(),
        AMQPValue::ShortString(text) => Some(text.as_str()),
        _ => None,
    }
}

/// A whole number of any width: clients in other languages choose the narrowest.
pub(super) fn number(headers: Headers<'_>, name: &str) -> Option<i64> {
    match headers?.inner().get(name)? {
        AMQPValue::LongLongInt(n) => Some(*n),
        AMQPValue::LongInt(n) => Some(i64::from(*n)),
        AMQPValue::LongUInt(n) => Some(i64::from(*n)),
        AMQPValue::ShortInt(n) => Some(i64::from(*n)),
        AMQPValue::ShortUInt(n) => Some(i64::from(*n)),
        AMQPValue::ShortShortInt(n) => Some(i64::from(*n)),
        AMQPValue::ShortShortUInt(n) => Some(i64::from(*n)),
        _ => None,
    }
}

pub(super) fn time(headers: Headers<'_>, name: &str) -> Option<Timestamp> {
    let micros = number(headers, name)?;
    (0..=Timestamp::MAX.micros()).contains(&micros).then(|| Timestamp::from_micros(micros))
}

/// # Errors
/// The protocol carries at most 255 bytes there.
pub(super) fn short(what: &str, text: &str) -> Result<ShortString, BusFault> {
    // Its own conversion panics there.
    if text.len() > MAX_SHORT_STRING_LENGTH {
        return Err(BusFault::Unfit { why: format!("its {what} is longer than 255 bytes: {text}") });
    }
    Ok(text.into())
}

fn kind(name: &str) -> Cow<'static, str> {
    // Known kinds are not copied; a newer build's still come through.
    events::Kind::parse(name).map_or_else(|| Cow::Owned(name.to_owned()), |kind| Cow::Borrowed(kind.name()))
}

fn id(text: Option<&str>) -> Option<Uuid> {
    Uuid::try_parse(text?).ok()
}
