//! The client: REST, the WebSocket API and the streams, over real sockets. The rest of this crate is pure; here
//! are its clock, its connections and its tasks.
//!
//! - [`Rest`] is one account's client, and its `venue::Venue`; orders go over REST or a [`WsApi`].
//! - [`UserData`] and [`Streams`] keep connections and give what comes over them.
//! - [`Books`] keeps a local order book.
//!
//! Invariants:
//! - Every wait has an end, every queue a capacity ([`Patience`]).
//! - An order is sent once, with exactly the stamp that was given. What became of it when no answer came is
//!   unknown, unless no connection was made at all.
//! - Each request asks the budget first and tells it afterwards; what the venue says about limits holds for
//!   every connection of this client, new connections too.
//! - Whoever loses a connection makes a new one after a pause that grows until one has held.

mod account;
mod backoff;
mod books;
mod budget;
mod clock;
mod http;
mod info;
mod keep;
mod look_up;
mod market;
mod orders;
mod rest;
mod socket;
mod streams;
mod user_data;
mod whole;
mod ws_api;

pub use account::{Frame, Identity};
pub use books::{Books, Standing};
pub use clock::VenueClock;
pub use keep::{Connected, Delivery};
pub use rest::{CallError, Rest};
pub use streams::{Streams, TooManyStreams};
pub use user_data::UserData;
pub use ws_api::WsApi;

use crate::sign::Signer;
use std::{fmt, net::SocketAddr, path::PathBuf, sync::Once, time::Duration};

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
    pub patience: Patience,
    /// Per cent of every limit that only exits may use.
    pub reserve: u32,
    /// Where exchange info is kept between two runs; in memory only if `None`.
    pub info_file: Option<PathBuf>,
}

impl Setup {
    pub fn new(endpoints: Endpoints, keys: Option<Keys>) -> Self {
        Self { endpoints, keys, patience: Patience::default(), reserve: 20, info_file: None }
    }
}

/// How long to wait for what. The defaults are for Binance; tests have less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// For the whole of an answer, from sending on.
    pub answer: Duration,
    /// How long a query may wait for the limits; one that would have to wait longer is not made.
    pub limits: Duration,
    /// A connection over which nothing comes for so long is dead: Binance pings every 20 s.
    pub silence: Duration,
    /// The pause before the second attempt to connect; it doubles …
    pub first_pause: Duration,
    /// … up to this, and starts anew once a connection has held for so long.
    pub longest_pause: Duration,
    /// A connection of this age is replaced: Binance ends them after 24 hours.
    pub renew: Duration,
    /// How long the old one is still read then.
    pub linger: Duration,
    /// A reading of the venue's clock that took longer is not used: it may be off by half of that.
    pub round_trip: Duration,
    /// How old a reading of the venue's clock may be.
    pub clock: Duration,
    /// How old exchange info may be where nobody wants it fresher.
    pub info: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(10),
            limits: Duration::from_secs(60),
            silence: SILENCE,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(60),
            renew: RENEW,
            linger: Duration::from_secs(2),
            round_trip: Duration::from_secs(2),
            clock: Duration::from_secs(30 * 60),
            info: Duration::from_secs(3_600),
        }
    }
}

/// How often Binance pings, and how long a connection lives at most.
const PINGS: Duration = Duration::from_secs(20);
const LIFE: Duration = Duration::from_secs(24 * 3_600);
const SILENCE: Duration = Duration::from_secs(75);
const RENEW: Duration = Duration::from_secs(23 * 3_600);
/// Two pings may be lost before a connection is given up, and it is replaced before Binance ends it.
const _: () = assert!(SILENCE.as_secs() > 3 * PINGS.as_secs() && RENEW.as_secs() < LIFE.as_secs());

/// Makes rustls use ring, in this whole process; whoever builds a client calls it. Again is harmless.
pub fn tls() {
    static ONCE: Once = Once::new();
    // An error means that somebody else was first, with the only provider in the tree.
    ONCE.call_once(|| _ = rustls::crypto::ring::default_provider().install_default());
}
