//! The exchange on sockets: REST, WebSocket API, market streams and control, all on one address.

pub mod account;
pub mod actor;
pub mod clock;
pub mod hints;
pub mod keys;
pub mod limits;
pub mod listeners;
pub mod security;

mod api;
pub mod commands;
mod control;
mod rest;
mod session;
mod socket;
mod streams;
mod tcp;

pub use clock::Pace;
pub use keys::Keys;
pub use limits::Limits;

use crate::{
    exchange::{Exchange, Setup},
    faults::{Faults, Script},
    journal::{self, Header, Journal, JournalError},
    simulator::Simulator,
};
use actor::{Actor, INBOX, Message, Parts};
use axum::{Router, extract::DefaultBodyLimit, routing::any};
use clock::Clock;
use http_server::Limits as SocketLimits;
use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};
use tcp::Wire;
use thiserror::Error;
use tokio::{
    net::TcpSocket,
    sync::{mpsc, watch},
};

/// What is to be served, and how.
pub struct Config {
    pub listen: SocketAddr,
    pub pace: Pace,
    pub setup: Setup,
    /// Empty where the exchange is driven.
    pub simulator: Simulator,
    /// The market in words; a journal of another one is not taken up.
    pub market: String,
    pub keys: Keys,
    pub limits: Limits,
    pub faults: Option<Script>,
    /// With a journal that is there already, `setup.start` is the journal's own ([`journal::header`]).
    pub journal: Option<PathBuf>,
}

#[derive(Debug, Error)]
pub enum ServeError {
    #[error("{address} cannot be listened on: {error}; choose another address")]
    Listen { address: SocketAddr, error: io::Error },
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the exchange's own task has died: {0}")]
    Task(tokio::task::JoinError),
}

/// What every handler knows.
#[derive(Clone)]
struct Shared(Arc<Inner>);

struct Inner {
    inbox: mpsc::Sender<Message>,
    keys: Arc<Keys>,
    limits: Limits,
    /// Becomes true when the server stops.
    stopped: watch::Receiver<bool>,
}

/// Larger requests are refused.
const LARGEST_BODY: usize = 4 << 20;

/// Opens the exchange, reading its journal where there is one, and serves it until `stop` is done. Gives the
/// address (port 0 takes a free one) and the server's own future. Until the exchange stands where it has to, its
/// address is taken but connections are refused: nobody is let in to wait.
///
/// # Errors
/// The address cannot be had, or the journal cannot be taken up.
pub async fn serve(
    config: Config,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(SocketAddr, impl Future<Output = Result<(), ServeError>>), ServeError> {
    let wrong = |error| ServeError::Listen { address: config.listen, error };
    let socket = bound(config.listen).map_err(wrong)?;
    let address = socket.local_addr().map_err(wrong)?;
    let (inbox, messages) = mpsc::channel(INBOX);
    let keys = Arc::new(config.keys);
    let limits = config.limits.clone();
    let recording = Recording { journal: config.journal, market: config.market, pace: config.pace };
    let (setup, simulator) = (config.setup, config.simulator);
    let made =
        Made { limits: config.limits, faults: config.faults, keys: keys.clone(), inbox: inbox.clone() };
    let opening = tokio::task::spawn_blocking(move || opened(recording, setup, simulator, made));
    let actor = opening.await.map_err(ServeError::Task)??;
    let listener = socket.listen(WAITING).map_err(wrong)?;

    let (stopping, stopped) = watch::channel(false);
    let shared = Shared(Arc::new(Inner { inbox, keys, limits, stopped: stopped.clone() }));
    let app = router(shared);
    let mut exchange = tokio::spawn(actor.run(messages, until(stopped.clone())));
    let sockets = SocketLimits { largest_body: LARGEST_BODY, ..SocketLimits::default() };
    let sockets = sockets.connections(CONNECTIONS);
    let server = http_server::serve_dressed(listener, Wire::new, app, sockets, until(stopped));
    let running = async move {
        let mut server = std::pin::pin!(server);
        let mut stop = std::pin::pin!(stop);
        let serves = tokio::select! {
            () = &mut stop => true,
            () = &mut server => false,
            ended = &mut exchange => {
                let _ = stopping.send(true);
                return ended.map_err(ServeError::Task)?;
            }
        };
        let _ = stopping.send(true);
        let exchange = exchange.await.map_err(ServeError::Task)?;
        if serves {
            server.await;
        }
        exchange
    };
    Ok((address, running))
}

/// Connections at the same time, unless the process may not have so many files open.
const CONNECTIONS: usize = 4_096;

/// Connections that wait to be accepted.
const WAITING: u32 = 1_024;

/// Takes the address, so that nobody else does, but does not listen yet.
fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Elsewhere than on Unix this would let another program take it, too.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // A sender that is gone has stopped, too.
    let _ = stopped.wait_for(|stop| *stop).await;
}

struct Recording {
    journal: Option<PathBuf>,
    market: String,
    pace: Pace,
}

struct Made {
    limits: Limits,
    faults: Option<Script>,
    keys: Arc<Keys>,
    inbox: mpsc::Sender<Message>,
}

fn opened(recording: Recording, setup: Setup, simulator: Simulator, made: Made) -> Result<Actor, ServeError> {
    let start = setup.start;
    let header =
        Header { version: journal::VERSION, start, market: recording.market, setup: setup.paper.text() };
    let mut actor = Actor::new(Parts {
        exchange: Exchange::new(setup, simulator),
        clock: Clock::new(Pace::Driven, start),
        limits: made.limits,
        faults: made.faults.map_or_else(|| Faults::none(start), |script| Faults::new(script, start)),
        start,
        keys: made.keys,
        inbox: made.inbox,
    });
    let journal = match recording.journal {
        Some(path) => Some(Journal::open(&path, &header, |input| actor.replay(&input))?),
        None => None,
    };
    let clock = Clock::new(recording.pace, actor.now());
    actor.record(journal, clock)?;
    Ok(actor)
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/", any(api::open))
        .route("/ws-api/v3", any(api::open))
        .route("/ws-api/v3/", any(api::open))
        .route("/ws", any(streams::raw))
        .route("/ws/", any(streams::raw))
        .route("/ws/{*streams}", any(streams::raw))
        .route("/stream", any(streams::combined))
        .nest("/control", control::router())
        .fallback(rest::answer)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(shared)
}
