//! From a URL to sessions, each with its limits, on the server and here.
//!
//! The server's limits end what takes too long there. Ours are for a server that answers nothing at
//! all, being stopped or cut off: the connection is thrown away then, never used again.

use super::faults::Faults;
use crate::{Mode, OpenError, StorageError, address};
use sqlx::{ConnectOptions, PgConnection, postgres::PgConnectOptions};
use std::{str::FromStr, time::Duration};
use tokio::time::timeout;

/// From the first packet until the session is there.
pub(super) const CONNECTING: Duration = Duration::from_secs(3);

/// How long a statement may wait for a lock; then it is [`StorageError::Busy`].
const LOCK: Duration = Duration::from_secs(5);

/// How long a statement may take on the server.
const STATEMENT: Duration = Duration::from_secs(6);

/// How long we wait for an answer.
pub(super) const ANSWER: Duration = Duration::from_secs(7);

/// How long whoever asks waits at most, queueing and connecting included.
pub(super) const DEADLINE: Duration = Duration::from_millis(9_500);

// Whoever is nearer to the trouble gives up first, and knows best what it is.
const _: () = assert!(
    LOCK.as_millis() < STATEMENT.as_millis()
        && STATEMENT.as_millis() < ANSWER.as_millis()
        && ANSWER.as_millis() < DEADLINE.as_millis()
);

/// How to reach one database. Shows itself without user and password.
#[derive(Clone)]
pub(super) struct Server {
    options: PgConnectOptions,
    pub(super) faults: Faults,
}

impl Server {
    pub(super) fn new(url: &str, mode: Mode) -> Result<Self, OpenError> {
        let wrong = || OpenError::Url { url: address::without_secrets(url), hint: HINT };
        let options = PgConnectOptions::from_str(url).map_err(|_| wrong())?;
        let place = match options.get_socket() {
            Some(socket) => format!("[{}]", socket.display()),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let database = options.get_database().filter(|name| !name.is_empty()).ok_or_else(wrong)?;
        let tape = format!("postgres://{place}/{database}").into();
        let options = options.application_name("tapedeck").options(limits(mode)).disable_statement_logging();
        Ok(Self { options, faults: Faults { tape } })
    }

    /// # Errors
    /// [`StorageError::Away`], or a server that does not want us.
    pub(super) async fn connect(&self) -> Result<PgConnection, StorageError> {
        match timeout(CONNECTING, self.options.connect()).await {
            Ok(connected) => connected.map_err(|e| self.faults.storage(e)),
            Err(_) => Err(self.faults.away(format!("no connection within {} s", CONNECTING.as_secs()))),
        }
    }

    pub(super) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }
}

const HINT: &str = " (a database has to be named, and @ : / ? in a password be written %40 %3A %2F %3F)";

fn limits(mode: Mode) -> Vec<(&'static str, String)> {
    let millis = |limit: Duration| limit.as_millis().to_string();
    let mut limits = vec![
        ("synchronous_commit", "on".to_owned()),
        ("statement_timeout", millis(STATEMENT)),
        ("lock_timeout", millis(LOCK)),
        ("idle_in_transaction_session_timeout", millis(LOCK)),
        ("default_transaction_isolation", "read committed".to_owned()),
        // Every statement of ours finds its rows by an index. A plan made while the tape was short would
        // read all of it, and be kept while it grows.
        ("plan_cache_mode", "force_generic_plan".to_owned()),
        ("enable_seqscan", "off".to_owned()),
        ("enable_hashjoin", "off".to_owned()),
        ("enable_mergejoin", "off".to_owned()),
        ("jit", "off".to_owned()),
    ];
    if mode == Mode::Read {
        limits.push(("default_transaction_read_only", "on".to_owned()));
    }
    limits
}
