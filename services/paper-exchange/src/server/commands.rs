//! What a stream connection may ask for (`web-socket-streams.md`, "Live Subscribing/Unsubscribing"). Pure.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The state of a stream connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listening {
    pub streams: BTreeSet<String>,
    pub combined: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Method {
    Subscribe,
    Unsubscribe,
    ListSubscriptions,
    SetProperty,
    GetProperty,
}

#[derive(Debug, Deserialize)]
struct Request {
    method: Method,
    #[serde(default)]
    params: Value,
    #[serde(default, deserialize_with = "given")]
    id: Option<Value>,
}

/// Tells `null` from nothing.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A property that there is.
const COMBINED: &str = "combined";

/// What is answered; `listening` is changed as asked. At most `most` streams.
pub fn command(text: &str, listening: &mut Listening, most: usize) -> Value {
    answer(text, listening, most).unwrap_or_else(|error| error)
}

fn answer(text: &str, listening: &mut Listening, most: usize) -> Result<Value, Value> {
    let request: Request = serde_json::from_str(text).map_err(|error| {
        if error.is_data() {
            invalid(&error.to_string())
        } else {
            json!({ "code": 3, "msg": format!("Invalid JSON: {error}") })
        }
    })?;
    let id = request.id.filter(is_id);
    let id = id.ok_or_else(|| invalid("request ID must be an unsigned integer"))?;
    let result = match request.method {
        Method::Subscribe => {
            let streams = names(&request.params)?;
            let all: BTreeSet<String> = listening.streams.union(&streams).cloned().collect();
            if all.len() > most {
                return Err(invalid("too many parameters"));
            }
            listening.streams = all;
            Value::Null
        }
        Method::Unsubscribe => {
            for stream in names(&request.params)? {
                listening.streams.remove(&stream);
            }
            Value::Null
        }
        Method::ListSubscriptions => {
            if request.params.as_array().is_some_and(|params| !params.is_empty()) {
                return Err(invalid("too many parameters"));
            }
            json!(listening.streams)
        }
        Method::SetProperty => {
            let [name, value] = two(&request.params)?;
            known(name, &id)?;
            let Some(combined) = value.as_bool() else {
                return Err(json!({ "code": 1, "msg": "Invalid value type: expected Boolean" }));
            };
            listening.combined = combined;
            Value::Null
        }
        Method::GetProperty => {
            let name = match request.params.as_array().map(Vec::as_slice) {
                Some([name]) => name,
                Some([_, _, ..]) => return Err(invalid("too many parameters")),
                _ => return Err(invalid("property name must be a string")),
            };
            known(name, &id)?;
            listening.combined.into()
        }
    };
    Ok(json!({ "result": result, "id": id }))
}

fn two(params: &Value) -> Result<[&Value; 2], Value> {
    match params.as_array().map(Vec::as_slice) {
        Some([name, value]) => Ok([name, value]),
        Some([_, _, _, ..]) => Err(invalid("too many parameters")),
        Some([name]) if name.is_string() => {
            Err(json!({ "code": 1, "msg": "Invalid value type: expected Boolean" }))
        }
        _ => Err(invalid("property name must be a string")),
    }
}

fn known(name: &Value, id: &Value) -> Result<(), Value> {
    match name.as_str() {
        Some(COMBINED) => Ok(()),
        Some(_) => Err(json!({ "code": 0, "msg": "Unknown property", "id": id })),
        None => Err(invalid("property name must be a string")),
    }
}

/// A 64-bit integer, up to 36 letters and digits (and `-`, as in UUIDs), or null.
fn is_id(id: &Value) -> bool {
    match id {
        Value::Null => true,
        Value::Number(number) => number.is_i64(),
        Value::String(text) => {
            text.len() <= 36 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        }
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

fn names(params: &Value) -> Result<BTreeSet<String>, Value> {
    let wrong = || invalid("stream names must be strings");
    let list = params.as_array().ok_or_else(wrong)?;
    list.iter().map(|name| name.as_str().map(ToOwned::to_owned).ok_or_else(wrong)).collect()
}

fn invalid(why: &str) -> Value {
    json!({ "code": 2, "msg": format!("Invalid request: {why}") })
}
