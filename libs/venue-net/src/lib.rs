//! What every venue's client needs of a network, and no venue's own words: adapters are built on it, never on each
//! other.
//!
//! - [`Access`] is what all connections of one client share: the venue's clock, its limits, the time limits of waits.
//! - [`Reconnecting`] keeps a WebSocket connection; [`Socket`] is one of them, [`Http`] makes requests.
//! - [`budget`] counts what may still be sent. It is pure, and there without the feature `net`.
//!
//! Invariants:
//! - Every wait has an end, every queue a capacity ([`Timeouts`]).
//! - A request is sent once. [`NoAnswer`] tells whether it was certainly not sent or perhaps executed.
//! - Each request asks the budget first and tells it afterwards, dropped or not ([`Leave`]).
//! - A connection that is lost is made again after a pause that grows until one has held ([`Backoff`]).

pub mod budget;

#[cfg(feature = "net")]
mod access;
#[cfg(feature = "net")]
mod backoff;
#[cfg(feature = "net")]
mod clock;
#[cfg(feature = "net")]
mod http;
#[cfg(feature = "net")]
mod reconnecting;
#[cfg(feature = "net")]
mod socket;
#[cfg(feature = "net")]
mod timeouts;
#[cfg(feature = "net")]
mod unheard;

#[cfg(feature = "net")]
pub use self::{
    access::{Access, Held, Leave},
    backoff::Backoff,
    clock::VenueClock,
    http::{Answer, Http, Method, NoAnswer, Request},
    reconnecting::{CAPACITY, Connected, Delivery, Farewell, NotOpen, Open, Opener, Reconnecting},
    socket::{NoSocket, Socket},
    timeouts::Timeouts,
    unheard::Unheard,
};

/// Makes rustls use ring, in this whole process; whoever builds a client calls it. Again is harmless.
#[cfg(feature = "net")]
pub fn tls() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    // An error means that somebody else was first, with the only provider in the tree.
    ONCE.call_once(|| _ = rustls::crypto::ring::default_provider().install_default());
}
