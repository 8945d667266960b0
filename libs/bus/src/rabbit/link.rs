//! A connection that is there again whenever it can be: its supervisor connects, declares the
//! topology, waits for the end of it, and begins again, for ever, with a pause that grows to five
//! seconds. lapin's own recovery is not used: after two kills of the broker its consumers were gone.

use super::{
    Address, Session,
    limits::{ASK, BACKOFF, CONNECT_WAIT},
};
use crate::{
    BusFault, BusStatus,
    status::{Counters, add},
    topology,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio::{
    runtime::Handle,
    sync::watch,
    time::{sleep, timeout},
};

/// Said of a connection until the first attempt to make it has failed or succeeded.
pub const NOT_YET: &str = "not connected yet";

pub(crate) struct Link {
    shared: Arc<Shared>,
    /// Turns true when it shall close; dropped, it means the same.
    closing: watch::Sender<bool>,
}

struct Shared {
    address: Arc<Address>,
    name: String,
    session: watch::Sender<Option<Arc<Session>>>,
    finished: watch::Sender<bool>,
    said: Mutex<Said>,
    counters: Arc<Counters>,
}

/// For the status.
#[derive(Default)]
struct Said {
    why: Option<String>,
    topology: Option<String>,
}

impl Link {
    pub(crate) fn start(
        runtime: &Handle,
        address: Arc<Address>,
        name: String,
        counters: Arc<Counters>,
    ) -> Self {
        let shared = Arc::new(Shared {
            address,
            name,
            session: watch::Sender::default(),
            finished: watch::Sender::default(),
            said: Mutex::new(Said { why: Some(NOT_YET.into()), topology: None }),
            counters,
        });
        let (closing, close) = watch::channel(false);
        runtime.spawn(shared.clone().supervise(close));
        Self { shared, closing }
    }

    /// The connection, when there is one within [`CONNECT_WAIT`].
    pub(crate) async fn session(&self) -> Result<Arc<Session>, BusFault> {
        let mut session = self.shared.session.subscribe();
        let up = session.wait_for(|s| s.as_ref().is_some_and(|s| s.is_up()));
        match timeout(CONNECT_WAIT, up).await {
            Ok(Ok(up)) => up.clone().ok_or(BusFault::Lost),
            Ok(Err(_)) | Err(_) => Err(BusFault::Away { why: self.why() }),
        }
    }

    pub(crate) fn is_closing(&self) -> bool {
        *self.closing.borrow()
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    pub(crate) fn tell(&self, status: &mut BusStatus) {
        let session = self.shared.session.borrow().clone();
        let up = session.as_ref().is_some_and(|s| s.is_up());
        status.connected &= up;
        if !up {
            status.why = Some(self.why());
        }
        if let Some(why) = session.and_then(|s| s.blocked()) {
            status.blocked = true;
            status.why.get_or_insert(why);
        }
        status.topology = status.topology.take().or_else(|| self.shared.said().topology.clone());
    }

    /// Makes sure again that everything is on the broker, and remembers what cannot be so.
    pub(crate) async fn declare(&self, session: &Session) -> Result<(), BusFault> {
        self.shared.declare(session).await
    }

    pub(crate) fn begin_closing(&self) {
        self.closing.send_replace(true);
    }

    pub(crate) async fn close(&self) {
        self.begin_closing();
        let mut finished = self.shared.finished.subscribe();
        // It ends by itself: the limit is for a runtime that no longer runs it.
        let _ = timeout(super::CLOSE * 2, finished.wait_for(|done| *done)).await;
    }

    fn why(&self) -> String {
        self.shared.said().why.clone().unwrap_or_else(|| "it is being connected anew".into())
    }
}

impl Shared {
    async fn supervise(self: Arc<Self>, mut close: watch::Receiver<bool>) {
        let mut pause = BACKOFF.0;
        let mut met = false;
        loop {
            let began = Instant::now();
            let why = tokio::select! {
                why = self.one_session(&mut met) => why,
                _ = close.wait_for(|now| *now) => break,
            };
            self.session.send_replace(None);
            tracing::warn!(at = %self.address, connection = self.name, why, "RabbitMQ is away");
            self.said().why = Some(why);
            if began.elapsed() > BACKOFF.1 {
                pause = BACKOFF.0;
            }
            tokio::select! {
                () = sleep(pause) => pause = (pause * 2).min(BACKOFF.1),
                _ = close.wait_for(|now| *now) => break,
            }
        }
        let last = self.session.send_replace(None);
        self.said().why = Some("it was closed".into());
        if let Some(session) = last {
            session.close().await;
        }
        self.finished.send_replace(true);
    }

    /// Connects and stays until that breaks. Gives why.
    async fn one_session(&self, met: &mut bool) -> String {
        let (session, events) = match Session::open(&self.address, &self.name).await {
            Ok((session, events)) => (Arc::new(session), events),
            Err(fault) => return fault.to_string(),
        };
        let watching = session.until_broken(events);
        tokio::pin!(watching);
        let declared = tokio::select! {
            declared = self.declare(&session) => declared,
            why = &mut watching => return why,
        };
        if let Err(fault) = declared {
            return fault.to_string();
        }
        if std::mem::replace(met, true) {
            add(&self.counters.reconnects, 1);
        }
        tracing::info!(at = %self.address, connection = self.name, "RabbitMQ is connected");
        self.said().why = None;
        self.session.send_replace(Some(session.clone()));
        watching.await
    }

    async fn declare(&self, session: &Session) -> Result<(), BusFault> {
        let declared = timeout(ASK, topology::declare(session)).await;
        let wrong = declared
            .unwrap_or(Err(BusFault::TimedOut { what: "declaring the topology" }))
            .inspect_err(|fault| session.blame(fault))?;
        let wrong = (!wrong.is_empty()).then(|| wrong.join("; "));
        let mut said = self.said();
        if said.topology != wrong
            && let Some(wrong) = &wrong
        {
            tracing::error!(
                at = %self.address, wrong, "RabbitMQ is not set up as it should be: see `tapedeck topology check`"
            );
        }
        said.topology = wrong;
        Ok(())
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
