//! What can go wrong on the way to the broker, and what to do about it.

use thiserror::Error;

/// Why a broker cannot be used at all: somebody has to mend the configuration.
/// No message shows a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BusError {
    #[error("the bus URL {why}; write amqp://USER:PASSWORD@HOST:5672/VHOST (amqps:// for TLS)")]
    Url { why: String },
    #[error(
        "RabbitMQ at {at} cannot be reached: {why}; is it running, and are user, password and vhost right?"
    )]
    Unreachable { at: String, why: String },
    #[error("RabbitMQ at {at}: {what} failed: {why}")]
    Refused { at: String, what: String, why: String },
}

/// Why something was not done on the bus this time. All of them pass: the supervisor connects anew
/// for ever, so back off, begin again from what is known to be done, and say so in health.
///
/// After any of them it is unknown how much of what was published the broker has taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BusFault {
    #[error("RabbitMQ is away: {why}")]
    Away { why: String },
    #[error("RabbitMQ takes no messages now: {why}; free memory or disk on its host")]
    Blocked { why: String },
    /// Within a process: the recorder does not keep up, or does not run.
    #[error("{waiting} frames wait for the recorder, and there is no room for more")]
    Full { waiting: usize },
    #[error("RabbitMQ did not answer in time: {what}")]
    TimedOut { what: &'static str },
    #[error("RabbitMQ refused {count} of the messages (is the queue full? see `tapedeck topology check`)")]
    Refused { count: usize },
    #[error(
        "RabbitMQ returned {} of the messages: no queue takes them; run `tapedeck topology apply`", ids.len()
    )]
    Returned {
        /// The `message_id`s of those that no queue took.
        ids: Vec<String>,
    },
    /// The deliveries were given back: the channel that they came on is gone. They will come again.
    #[error("the deliveries were returned to RabbitMQ before they could be acknowledged, and come again")]
    Lost,
    /// This message can be published by nobody: it is too long for the protocol.
    #[error("the message cannot be sent: {why}")]
    Unfit { why: String },
}
