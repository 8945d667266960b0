//! A client that is not ours: Python with aio-pika, a queue of its own on the exchange `tape`.

use crate::fleet::{PATIENCE, engine::last_words};
use events::Row;
use serde_json::Value;
use std::process::Command;
use testkit::{Process, python_venv, wait_for};

/// What it binds to.
const KEYS: [&str; 2] = ["order.#", "candle.closed.binance.spot.*"];

/// Prints a line of JSON for each event, in the order of their coming.
const SCRIPT: &str = r#"
import asyncio, json, sys
import aio_pika

async def main(url, keys):
    connection = await aio_pika.connect(url)
    channel = await connection.channel()
    exchange = await channel.get_exchange("tape")
    queue = await channel.declare_queue(exclusive=True)
    for key in keys:
        await queue.bind(exchange, routing_key=key)
    print("bound", flush=True)
    async with queue.iterator() as messages:
        async for message in messages:
            async with message.process():
                print(json.dumps({
                    "position": message.headers["position"], "id": message.message_id,
                    "kind": message.type, "key": message.routing_key, "body": message.body.decode(),
                }), flush=True)

asyncio.run(main(sys.argv[1], sys.argv[2:]))
"#;

pub struct Outsider(Process);

impl Outsider {
    /// Bound when this returns.
    pub fn start(bus: &str) -> Self {
        let mut command = Command::new(python_venv(&["aio-pika==10.2.1"]));
        command.args(["-c", SCRIPT, bus]).args(KEYS);
        let mut process = Process::start("outsider", &command);
        wait_for("the outsider's queue is bound", PATIENCE, || {
            assert!(process.is_running(), "{}", last_words(&process));
            process.output().contains("bound")
        });
        Self(process)
    }

    fn heard(&self) -> Vec<Value> {
        let output = self.0.output();
        // The last line may still be being written.
        output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// It has heard exactly what it asked for, in order, word for word.
    pub fn has_heard(&mut self, tape: &[Row]) {
        let wanted = |row: &&Row| {
            let key = row.routing_key();
            key.starts_with("order.") || key.starts_with("candle.closed.binance.spot.")
        };
        let expected: Vec<&Row> = tape.iter().filter(wanted).collect();
        assert!(expected.len() > 100, "there was something to hear");
        wait_for("the outsider has heard everything", PATIENCE, || {
            assert!(self.0.is_running(), "{}", last_words(&self.0));
            self.heard().len() >= expected.len()
        });
        // Publishing again is allowed; the first time counts.
        let mut heard = self.heard();
        let mut last = 0;
        heard.retain(|event| {
            let position = event["position"].as_u64().expect("a position");
            let new = position > last;
            last = last.max(position);
            new
        });
        assert_eq!(heard.len(), expected.len());
        for (event, row) in heard.iter().zip(expected) {
            assert_eq!(event["position"], row.position);
            assert_eq!(event["id"], row.draft.id.to_string());
            assert_eq!(event["kind"], &*row.draft.kind);
            assert_eq!(event["key"], row.routing_key());
            assert_eq!(event["body"], row.draft.body);
        }
    }
}
