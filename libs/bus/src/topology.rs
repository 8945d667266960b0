//! What is on the broker: exchanges, queues, bindings, as data. Declaring, showing, applying and
//! checking all follow from it.
//!
//! Works on RabbitMQ 3.10 and is written for 3.13 and 4.x: only durable exchanges, quorum queues and
//! a stream, every argument explicit, nothing that later versions take away.

mod apply;
mod check;
mod declare;
mod show;

pub use apply::{Applied, apply};
pub use check::{Findings, Problem, QueueFacts, check};
pub(crate) use declare::declare;
pub use show::{json, show};

/// Where ingestors publish, and the queue that the recorder drains.
pub const INGEST: &str = "ingest";
/// Where the recorder publishes, and the stream that services attach to.
pub const TAPE: &str = "tape";
/// What was returned to `ingest` too often.
pub const DEAD: &str = "dead";
/// What no queue took.
pub const UNROUTABLE: &str = "unroutable";

/// Everything that one engine has on its vhost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    pub exchanges: Vec<Exchange>,
    pub queues: Vec<Queue>,
    pub bindings: Vec<Binding>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    pub name: &'static str,
    pub kind: ExchangeKind,
    pub arguments: Vec<(&'static str, Argument)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExchangeKind {
    Topic,
    Fanout,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    pub name: &'static str,
    pub arguments: Vec<(&'static str, Argument)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    Text(&'static str),
    Number(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    pub exchange: &'static str,
    pub queue: &'static str,
    pub key: &'static str,
}

use Argument::{Number, Text};

/// Returns after which `ingest` gives a frame to `dead`. It is what 4.x takes by itself; −1 drops
/// messages on 3.10.
const RETURNS: i64 = 20;
/// A queue whose messages must never go: no limit can be said on every version, so one out of reach.
const NEVER: i64 = 1_000_000_000;
/// Bytes that a queue holds before it refuses more: the publisher then keeps them.
const QUEUE_BYTES: i64 = 4_000_000_000;
/// The stream is a hint: it keeps what a long weekend missed, within this much disk.
const STREAM_AGE: &str = "7D";
const STREAM_BYTES: i64 = 10_000_000_000;
/// Old messages go a segment at a time.
const SEGMENT_BYTES: i64 = 100_000_000;
const _: () = assert!(SEGMENT_BYTES * 10 <= STREAM_BYTES);

impl Topology {
    pub fn standard() -> Self {
        let spare = ("alternate-exchange", Text(UNROUTABLE));
        Self {
            // What others refer to comes first.
            exchanges: vec![
                Exchange { name: UNROUTABLE, kind: ExchangeKind::Fanout, arguments: vec![] },
                Exchange { name: DEAD, kind: ExchangeKind::Fanout, arguments: vec![] },
                Exchange { name: INGEST, kind: ExchangeKind::Topic, arguments: vec![spare] },
                Exchange { name: TAPE, kind: ExchangeKind::Topic, arguments: vec![spare] },
            ],
            queues: vec![
                Queue { name: UNROUTABLE, arguments: quorum(NEVER) },
                Queue { name: DEAD, arguments: quorum(NEVER) },
                Queue {
                    name: INGEST,
                    arguments: [
                        quorum(RETURNS),
                        vec![
                            ("x-dead-letter-exchange", Text(DEAD)),
                            ("x-dead-letter-strategy", Text("at-least-once")),
                        ],
                    ]
                    .concat(),
                },
                Queue {
                    name: TAPE,
                    arguments: vec![
                        ("x-queue-type", Text("stream")),
                        ("x-max-age", Text(STREAM_AGE)),
                        ("x-max-length-bytes", Number(STREAM_BYTES)),
                        ("x-stream-max-segment-size-bytes", Number(SEGMENT_BYTES)),
                    ],
                },
            ],
            bindings: vec![
                Binding { exchange: UNROUTABLE, queue: UNROUTABLE, key: "" },
                Binding { exchange: DEAD, queue: DEAD, key: "" },
                Binding { exchange: INGEST, queue: INGEST, key: "#" },
                Binding { exchange: TAPE, queue: TAPE, key: "#" },
            ],
        }
    }
}

/// `reject-publish`: a full queue refuses, and so never drops; at-least-once dead letters need it.
fn quorum(delivery_limit: i64) -> Vec<(&'static str, Argument)> {
    vec![
        ("x-queue-type", Text("quorum")),
        ("x-delivery-limit", Number(delivery_limit)),
        ("x-overflow", Text("reject-publish")),
        ("x-max-length-bytes", Number(QUEUE_BYTES)),
    ]
}

impl ExchangeKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Fanout => "fanout",
        }
    }
}
