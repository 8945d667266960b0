//! The topology for people, and for tools.

use super::{Argument, Topology};
use serde_json::{Value, json as object};
use std::fmt::Write;

/// One line for each exchange, queue and binding.
pub fn show() -> String {
    let Topology { exchanges, queues, bindings } = Topology::standard();
    let mut text = String::new();
    for e in exchanges {
        let _ = writeln!(text, "exchange {:<11} {}{}", e.name, e.kind.as_str(), listed(&e.arguments));
    }
    for q in queues {
        let _ = writeln!(text, "queue    {:<11} durable{}", q.name, listed(&q.arguments));
    }
    for b in bindings {
        let key = if b.key.is_empty() { "(everything)" } else { b.key };
        let _ = writeln!(text, "binding  {:<11} -> {} {key}", b.exchange, b.queue);
    }
    text
}

/// In the form of RabbitMQ's own definition files, without a vhost.
pub fn json() -> Value {
    let Topology { exchanges, queues, bindings } = Topology::standard();
    let exchanges = exchanges.iter().map(|e| {
        object!({
            "name": e.name, "type": e.kind.as_str(), "durable": true, "auto_delete": false,
            "internal": false, "arguments": arguments(&e.arguments),
        })
    });
    let queues = queues.iter().map(|q| {
        object!({
            "name": q.name, "durable": true, "auto_delete": false, "arguments": arguments(&q.arguments),
        })
    });
    let bindings = bindings.iter().map(|b| {
        object!({
            "source": b.exchange, "destination": b.queue, "destination_type": "queue",
            "routing_key": b.key, "arguments": {},
        })
    });
    object!({
        "exchanges": exchanges.collect::<Vec<_>>(),
        "queues": queues.collect::<Vec<_>>(),
        "bindings": bindings.collect::<Vec<_>>(),
    })
}

fn listed(arguments: &[(&str, Argument)]) -> String {
    let each = arguments.iter().map(|(name, value)| match value {
        Argument::Text(text) => format!(" {name}={text}"),
        Argument::Number(number) => format!(" {name}={number}"),
    });
    each.collect()
}

fn arguments(arguments: &[(&str, Argument)]) -> Value {
    let each = arguments.iter().map(|(name, value)| {
        let value = match value {
            Argument::Text(text) => Value::from(*text),
            Argument::Number(number) => Value::from(*number),
        };
        ((*name).to_owned(), value)
    });
    Value::Object(each.collect())
}
