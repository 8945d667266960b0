//! `tapedeck topology check`: is the broker as it should be, and does everything on it flow?

use super::{
    Topology,
    declare::{Part, Scratch, parts},
};
use crate::{
    BusError, BusFault,
    rabbit::{Address, Session, ask},
    topology::{DEAD, TAPE, UNROUTABLE},
};
use lapin::{
    Channel,
    options::{ExchangeDeclareOptions, QueueDeclareOptions},
    types::FieldTable,
};
use std::fmt;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    pub queues: Vec<QueueFacts>,
    pub problems: Vec<Problem>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueFacts {
    pub name: &'static str,
    /// Ready to be delivered; for the stream, what it holds.
    pub messages: u32,
    pub consumers: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    Missing {
        what: String,
    },
    /// There, but not as it should be. The reason is the broker's.
    Different {
        what: String,
        why: String,
    },
    /// Messages that something went wrong with.
    Stranded {
        queue: &'static str,
        messages: u32,
    },
    /// Messages that nobody reads.
    Unread {
        queue: &'static str,
        messages: u32,
    },
}

/// Looks at everything on the broker at `url` and changes nothing. AMQP cannot look at bindings:
/// [`super::apply`] makes sure of them.
///
/// # Errors
/// A bad URL, or a broker that cannot be reached.
pub async fn check(url: &str) -> Result<Findings, BusError> {
    let (session, at) = opened(url, "tapedeck topology check").await?;
    let failed = |fault: BusFault| BusError::Refused {
        at: at.clone(),
        what: "checking the topology".into(),
        why: fault.to_string(),
    };
    let mut findings = Findings::default();
    let mut scratch = Scratch::new(&session);
    for part in parts(&Topology::standard()) {
        if matches!(part, Part::Binding(_)) {
            continue;
        }
        let there = scratch.try_on(async |channel| is_there(part, channel).await).await.map_err(failed)?;
        let Ok(facts) = there else {
            findings.problems.push(Problem::Missing { what: part.to_string() });
            continue;
        };
        // It is there, so saying it again makes nothing.
        let same = scratch.try_on(async |channel| part.declare(channel).await).await.map_err(failed)?;
        if let Err(why) = same {
            findings.problems.push(Problem::Different { what: part.to_string(), why });
        }
        findings.look_at(facts);
    }
    scratch.close().await;
    session.close().await;
    Ok(findings)
}

impl Findings {
    fn look_at(&mut self, facts: Option<QueueFacts>) {
        let Some(facts) = facts else { return };
        let QueueFacts { name: queue, messages, consumers } = facts;
        if messages > 0 && [DEAD, UNROUTABLE].contains(&queue) {
            self.problems.push(Problem::Stranded { queue, messages });
        } else if messages > 0 && consumers == 0 && queue != TAPE {
            self.problems.push(Problem::Unread { queue, messages });
        }
        self.queues.push(facts);
    }
}

/// Looks without making. A queue tells how full it is.
pub(super) async fn is_there(part: Part<'_>, channel: &Channel) -> Result<Option<QueueFacts>, BusFault> {
    match part {
        Part::Exchange(exchange) => {
            let options = ExchangeDeclareOptions { passive: true, ..Default::default() };
            let kind = lapin::ExchangeKind::Custom(exchange.kind.as_str().to_owned());
            let looked = channel.exchange_declare(exchange.name.into(), kind, options, FieldTable::default());
            ask("looking for an exchange", looked).await.map(|()| None)
        }
        Part::Queue(queue) => {
            let options = QueueDeclareOptions { passive: true, ..Default::default() };
            let looked = channel.queue_declare(queue.name.into(), options, FieldTable::default());
            let found = ask("looking for a queue", looked).await?;
            let (messages, consumers) = (found.message_count(), found.consumer_count());
            Ok(Some(QueueFacts { name: queue.name, messages, consumers }))
        }
        Part::Binding(_) => Ok(None),
    }
}

/// A connection for one command, with its address for messages.
pub(super) async fn opened(url: &str, name: &str) -> Result<(Session, String), BusError> {
    let address = Address::parse(url)?;
    match Session::open(&address, name).await {
        Ok((session, _events)) => Ok((session, address.to_string())),
        Err(fault) => {
            let why = match fault {
                BusFault::Away { why } => why,
                other => other.to_string(),
            };
            Err(BusError::Unreachable { at: address.to_string(), why })
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { what } => write!(f, "{what} is missing"),
            Self::Different { what, why } => {
                write!(f, "{what} is not as it should be ({why})")
            }
            Self::Stranded { queue, messages } => {
                write!(f, "{messages} messages lie in '{queue}'")
            }
            Self::Unread { queue, messages } => {
                write!(f, "{messages} messages lie in '{queue}' and nobody reads it")
            }
        }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for QueueFacts { name, messages, consumers } in &self.queues {
            writeln!(f, "queue {name:<11} {messages:>9} messages {consumers:>3} consumers")?;
        }
        for problem in &self.problems {
            writeln!(f, "PROBLEM {problem}")?;
        }
        Ok(())
    }
}
