//! A frame as a message on the exchange `ingest`.
//!
//! The body is the frame. Headers: `account` (`venue:name`), `replica`, `stream`, `kind` (`opened`
//! or `account`) and `received_at` (microseconds since 1970 in UTC).
//!
//! An ingestor that speaks AMQP 1.0 sends the frame as a data section. RabbitMQ gives any other body to
//! consumers of 0.9.1 as it is encoded, under the type `amqp-1.0`; a text or binary value is taken out of its
//! encoding here.

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
    let is_encoded = delivery.properties.kind().as_ref().is_some_and(|kind| kind.as_str() == AMQP_1);
    let bytes = match is_encoded {
        true => value(&delivery.data),
        false => Ok(None),
    };
    let parts = parts(&delivery).map_err(|missing| format!("its {missing} is missing or cannot be read"));
    match parts.and_then(|frame| bytes.map(|bytes| (frame, bytes))) {
        Ok((frame, bytes)) => Ok(IngestFrame { bytes: bytes.unwrap_or(delivery.data), ..frame }),
        Err(why) => Err(Malformed {
            exchange: delivery.exchange.as_str().to_owned(),
            routing_key: delivery.routing_key.as_str().to_owned(),
            why,
            bytes: delivery.data,
        }),
    }
}

/// The type that RabbitMQ gives a message whose body is no data section.
const AMQP_1: &str = "amqp-1.0";

/// What a body in AMQP 1.0's encoding holds: the bytes of an `amqp-value` section that is a text or a binary
/// (OASIS AMQP 1.0, 1.6.19, 1.6.20 and 3.2.8). `None` if it is not encoded at all.
///
/// # Errors
/// Another kind of value or section, or half of one.
fn value(body: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let what = |what: &str| {
        Err(format!(
            "it was sent over AMQP 1.0 as {what}: send the frame as a data section (or a text or binary value)"
        ))
    };
    let section = match body {
        // A descriptor: a small unsigned long, or a long one.
        [0x00, 0x53, code, rest @ ..] => (u64::from(*code), rest),
        [0x00, 0x80, long @ ..] => match long.split_first_chunk::<8>() {
            Some((code, rest)) => (u64::from_be_bytes(*code), rest),
            None => return what("half a section"),
        },
        _ => return Ok(None),
    };
    let encoded = match section {
        (0x77, encoded) => encoded,
        (0x76, _) => return what("a sequence"),
        _ => return what("a section that is no value"),
    };
    // Binaries and texts, each with a length of one byte or of four.
    let (length, bytes) = match encoded {
        [0xa0 | 0xa1, length, bytes @ ..] => (usize::from(*length), bytes),
        [0xb0 | 0xb1, a, b, c, d, bytes @ ..] => {
            (usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX), bytes)
        }
        _ => return what("a value that is neither a text nor a binary"),
    };
    if bytes.len() != length {
        return what("a value of another length than it says");
    }
    Ok(Some(bytes.to_vec()))
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

#[cfg(test)]
mod tests {
    use super::value;

    fn found(body: &[u8]) -> Vec<u8> {
        value(body).unwrap().unwrap()
    }

    #[test]
    fn a_text_or_binary_value_is_taken_out_of_its_encoding() {
        let long = [b'x'; 300];
        for code in [0xa0, 0xa1] {
            assert_eq!(found(&[&[0, 0x53, 0x77, code, 2][..], b"{}"].concat()), b"{}");
            assert_eq!(found(&[0, 0x53, 0x77, code, 0]), b"");
        }
        for code in [0xb0, 0xb1] {
            assert_eq!(found(&[&[0, 0x53, 0x77, code, 0, 0, 1, 44][..], &long].concat()), long);
        }
        let descriptor = [&[0, 0x80][..], &0x77_u64.to_be_bytes()].concat();
        assert_eq!(found(&[&descriptor[..], &[0xa1, 1, b'7']].concat()), b"7");
    }

    #[test]
    fn what_is_not_encoded_stays_as_it_is() {
        for body in [&b"{\"e\":1}"[..], b"", b"\0", b"\0\0"] {
            assert_eq!(value(body), Ok(None));
        }
    }

    #[test]
    fn what_is_something_else_is_called_by_its_name_with_the_remedy() {
        for (body, what) in [
            (&[0, 0x53, 0x77, 0x71, 0, 0, 0, 1][..], "neither a text nor a binary"),
            (&[0, 0x53, 0x77, 0xa1, 9, b'x'], "another length"),
            (&[0, 0x53, 0x77, 0xb1, 0, 0], "neither a text nor a binary"),
            (&[0, 0x53, 0x77], "neither a text nor a binary"),
            (&[0, 0x53, 0x76, 0x45], "a sequence"),
            (&[0, 0x53, 0x75, 0xa0, 0], "no value"),
            (&[0, 0x80, 0, 0], "half a section"),
        ] {
            let why = value(body).unwrap_err();
            assert!(
                why.contains(what) && why.contains("send the frame as a data section"),
                "{body:?}: {why}"
            );
        }
    }
}
