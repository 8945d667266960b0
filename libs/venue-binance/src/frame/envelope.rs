//! The event within its envelope, in one walk over the bytes when its type comes first, as it does.

use super::Message;
use crate::ParseError;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::value::RawValue;
use std::{fmt, marker::PhantomData};

/// Reads a frame and hands what is in it to `handle`, where it lies: a report is large, and copying it costs.
pub fn read<'a, T>(bytes: &'a [u8], handle: impl Fn(Message<'a>) -> T + Copy) -> Result<T, ParseError> {
    let mut from = serde_json::Deserializer::from_slice(bytes);
    let found = Object { wrapped: false, handle, life: PhantomData }.deserialize(&mut from)?;
    from.end()?;
    match found {
        Found::Message(handled) => Ok(handled),
        Found::Unknown(name) => Err(ParseError::UnknownEvent(name)),
        Found::TypeNotFirst => by_type(bytes).map(handle),
        Found::NoEvent => Err(ParseError::Malformed("it has neither `e` nor `event`".to_owned())),
    }
}

enum Found<T> {
    Message(T),
    Unknown(String),
    /// Other fields came before the type: the bytes have to be walked again.
    TypeNotFirst,
    NoEvent,
}

/// The same, whatever the order of the fields.
fn by_type(bytes: &[u8]) -> Result<Message<'_>, ParseError> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        event: Option<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Tagged {
        e: String,
    }
    let inner = match serde_json::from_slice::<Envelope>(bytes)?.event {
        Some(event) => event.get().as_bytes(),
        None => bytes,
    };
    let Tagged { e } = serde_json::from_slice(inner)?;
    let read = message(&e, &mut serde_json::Deserializer::from_slice(inner))?;
    read.ok_or(ParseError::UnknownEvent(e))
}

/// `None` if the type is unknown; nothing is read then.
fn message<'de, D: Deserializer<'de>>(kind: &str, from: D) -> Result<Option<Message<'de>>, D::Error> {
    Ok(Some(match kind {
        "executionReport" => Message::ExecutionReport(Deserialize::deserialize(from)?),
        "outboundAccountPosition" => Message::AccountPosition(Deserialize::deserialize(from)?),
        "balanceUpdate" => Message::BalanceUpdate(Deserialize::deserialize(from)?),
        "listStatus" => Message::ListStatus(Deserialize::deserialize(from)?),
        "externalLockUpdate" => Message::ExternalLockUpdate(Deserialize::deserialize(from)?),
        "eventStreamTerminated" => Message::EventStreamTerminated(Deserialize::deserialize(from)?),
        "serverShutdown" => Message::ServerShutdown(Deserialize::deserialize(from)?),
        "listenKeyExpired" => Message::ListenKeyExpired(Deserialize::deserialize(from)?),
        _ => return Ok(None),
    }))
}

struct Object<'a, F> {
    /// Whether it is the inner one; envelopes are not nested.
    wrapped: bool,
    handle: F,
    life: PhantomData<&'a ()>,
}

impl<'de: 'a, 'a, T, F: Fn(Message<'a>) -> T + Copy> DeserializeSeed<'de> for Object<'a, F> {
    type Value = Found<T>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Found<T>, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de: 'a, 'a, T, F: Fn(Message<'a>) -> T + Copy> Visitor<'de> for Object<'a, F> {
    type Value = Found<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event of a user data stream")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Found<T>, M::Error> {
        let mut first = true;
        let mut found = Found::NoEvent;
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Type if first => {
                    let kind = map.next_value::<crate::wire::Text>()?;
                    return match message(&kind, MapAccessDeserializer::new(&mut map))? {
                        Some(message) => Ok(Found::Message((self.handle)(message))),
                        None => {
                            skip(&mut map)?;
                            Ok(Found::Unknown(kind.to_string()))
                        }
                    };
                }
                Key::Type => {
                    map.next_value::<IgnoredAny>()?;
                    found = Found::TypeNotFirst;
                }
                Key::Event if self.wrapped => return Err(M::Error::custom("an envelope within an envelope")),
                Key::Event => {
                    found = map.next_value_seed(Object { wrapped: true, ..self })?;
                }
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            first = false;
        }
        Ok(found)
    }
}

fn skip<'de, M: MapAccess<'de>>(map: &mut M) -> Result<(), M::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

enum Key {
    Type,
    Event,
    Other,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field")
            }
            fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
                Ok(match key {
                    "e" => Key::Type,
                    "event" => Key::Event,
                    _ => Key::Other,
                })
            }
        }
        from.deserialize_identifier(Reader)
    }
}
