//! The client: REST, the WebSocket API and the streams, over real sockets. The rest of this crate is pure; here
//! are its connections and its tasks, on [`venue_net`].
//!
//! - [`Rest`] is one account's client, and its `venue::Venue`; orders go over REST or a [`WsApi`].
//! - [`UserData`] and [`Streams`] keep connections and give what comes over them.
//! - [`Books`] keeps a local order book.
//!
//! Invariants:
//! - Every wait has an end, every queue a capacity ([`Timeouts`]).
//! - An order is sent once, with exactly the stamp that was given. What became of it when no answer came is
//!   unknown, unless no connection was made at all.
//! - Each request asks the budget first and tells it afterwards; what the venue says about limits holds for
//!   every connection of this client, new connections too.
//! - Whoever loses a connection makes a new one after a pause that grows until one has held.

mod account;
mod answer;
mod books;
mod complete_fills;
mod info;
mod look_up;
mod market;
mod orders;
mod rest;
mod streams;
mod user_data;
mod ws_api;

pub use account::{Frame, Identity};
pub use books::{Books, Standing};
pub use rest::{CallError, Rest};
pub use streams::{Streams, TooManyStreams};
pub use user_data::UserData;
pub use venue_net::{Backoff, Connected, Delivery, Timeouts, Unheard, tls};
pub use ws_api::WsApi;

use crate::sign::Signer;
use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

/// Where a venue is. Base URLs, without a slash at their end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    pub rest: String,
    /// Whole, with its path.
    pub ws_api: String,
    /// `/stream` is added.
    pub streams: String,
}

impl Endpoints {
    pub fn production() -> Self {
        Self {
            rest: "https://api.binance.com".to_owned(),
            ws_api: "wss://ws-api.binance.com:443/ws-api/v3".to_owned(),
            streams: "wss://stream.binance.com:9443".to_owned(),
        }
    }

    /// Binance's spot test network: keys of its own, balances of no worth.
    pub fn testnet() -> Self {
        Self {
            rest: "https://testnet.binance.vision".to_owned(),
            ws_api: "wss://ws-api.testnet.binance.vision/ws-api/v3".to_owned(),
            streams: "wss://stream.testnet.binance.vision".to_owned(),
        }
    }

    /// An exchange of our own, everything on one port and without TLS.
    pub fn local(address: SocketAddr) -> Self {
        Self {
            rest: format!("http://{address}"),
            ws_api: format!("ws://{address}/ws-api/v3"),
            streams: format!("ws://{address}"),
        }
    }
}

/// An API key with its secret half. Neither is ever shown.
pub struct Keys {
    pub api_key: String,
    pub signer: Signer,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({:?})", self.signer)
    }
}

/// How a client is set up.
#[derive(Debug)]
pub struct Setup {
    pub endpoints: Endpoints,
    /// `None` for market data alone.
    pub keys: Option<Keys>,
    pub timeouts: Timeouts,
    /// How old exchange info may be where nobody wants it fresher: a minute, for a rule that keeps a trade from being
    /// left may be gone again. The weight is 20 of 6,000 a minute.
    pub info_age: Duration,
    /// Per cent of every limit that only exits may use.
    pub reserve: u32,
    /// Where exchange info is kept between two runs; in memory only if `None`.
    pub info_file: Option<PathBuf>,
}

impl Setup {
    pub fn new(endpoints: Endpoints, keys: Option<Keys>) -> Self {
        let (timeouts, info_age) = (Timeouts::DEFAULT, Duration::from_secs(60));
        Self { endpoints, keys, timeouts, info_age, reserve: 20, info_file: None }
    }
}

/// How often Binance pings, and how long a connection lives at most.
const PINGS: Duration = Duration::from_secs(20);
const LIFE: Duration = Duration::from_secs(24 * 3_600);
/// Two pings may be lost before a connection is given up, and it is replaced before Binance ends it.
const _: () = assert!(
    Timeouts::DEFAULT.silence.as_secs() > 3 * PINGS.as_secs()
        && Timeouts::DEFAULT.renew.as_secs() < LIFE.as_secs()
);
