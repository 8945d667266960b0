//! A WebSocket connection that reconnects: when it breaks, before the venue cuts it, and never in a storm.

use crate::{Access, Backoff, Socket, Unheard};
use domain::Timestamp;
use std::{future::Future, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};

/// What a reconnecting socket gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Connected, again or for the first time: what happened before, and did not come, may be missing.
    Opened(Connected),
    /// A frame, its bytes as they came; when, by the venue's clock.
    Frame { bytes: Vec<u8>, received_at: Timestamp },
    /// There is no connection; another is being made. Everything since its last frame may be missing.
    Away { why: String },
}

/// Which connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// Counts the connections of this process, from 1.
    pub connection: u64,
    /// The venue's number of the subscription, where it has one.
    pub subscription: Option<i64>,
    pub at: Timestamp,
}

/// Of frames that nobody has taken yet. When it is full no more are read, and the venue waits or gives us up.
pub const CAPACITY: usize = 4_096;

/// Opens connections of one kind.
pub trait Opener: Send + Sync + 'static {
    /// A connection that is subscribed, with the subscription's number, and frames that came meanwhile.
    fn open(&self) -> impl Future<Output = Result<Open, NotOpen>> + Send;
    /// Whether with this frame the connection takes its leave.
    fn farewell(&self, frame: &[u8]) -> Option<Farewell>;
}

/// How a connection takes its leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// Its server goes away soon: it is read until another is there.
    Leaving,
    /// Its subscription is over: it stays open, and nothing comes over it any more.
    Deaf,
}

/// A connection that is subscribed.
#[derive(Debug)]
pub struct Open {
    pub socket: Socket,
    /// The venue's number of the subscription, where it has one.
    pub subscription: Option<i64>,
    /// Frames that came before the subscription was answered.
    pub early: Vec<Vec<u8>>,
}

/// Why not, and how long at least to leave it.
#[derive(Debug)]
pub struct NotOpen {
    pub why: String,
    pub wait: Duration,
}

impl From<String> for NotOpen {
    fn from(why: String) -> Self {
        Self { why, wait: Duration::ZERO }
    }
}

/// The receiving end. The connection ends when it is dropped.
#[derive(Debug)]
pub struct Reconnecting {
    deliveries: mpsc::Receiver<Delivery>,
    unheard: Unheard,
    task: JoinHandle<()>,
}

impl Reconnecting {
    /// Starts connecting. Needs a runtime to be in.
    pub fn start<O: Opener>(access: Arc<Access>, opener: O) -> Self {
        Self::start_counting(access, opener, Unheard::default())
    }

    /// As [`Self::start`], for whoever has counted the time without a connection before.
    pub fn start_counting<O: Opener>(access: Arc<Access>, opener: O, unheard: Unheard) -> Self {
        let (sender, deliveries) = mpsc::channel(CAPACITY);
        let opener = Arc::new(opener);
        let connector = Connector { access, opener, sender, unheard: unheard.clone(), connections: 0 };
        Self { deliveries, unheard, task: tokio::spawn(connector.run()) }
    }

    /// What comes next; waits for it. `None` never, but at the process's end. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.deliveries.recv().await
    }

    /// What has come already.
    pub fn try_next(&mut self) -> Option<Delivery> {
        self.deliveries.try_recv().ok()
    }
}

impl Drop for Reconnecting {
    fn drop(&mut self) {
        self.task.abort();
        self.unheard.begin(Instant::now());
    }
}

struct Connector<O> {
    access: Arc<Access>,
    opener: Arc<O>,
    sender: mpsc::Sender<Delivery>,
    unheard: Unheard,
    connections: u64,
}

/// A connection that is being made. It borrows nothing, so that others are read meanwhile.
type Opening = Pin<Box<dyn Future<Output = Result<Open, NotOpen>> + Send>>;

/// Nobody listens any more.
struct Over;

impl<O: Opener> Connector<O> {
    async fn run(mut self) {
        let mut backoff = Backoff::new(&self.access.timeouts);
        loop {
            let (why, lasted, wait) = match self.open().await {
                Err(NotOpen { why, wait }) => (why, Duration::ZERO, wait),
                Ok(open) => {
                    let since = open.socket.opened;
                    match self.listen(open).await {
                        Ok(why) => (why, since.elapsed(), Duration::ZERO),
                        Err(Over) => return,
                    }
                }
            };
            tracing::debug!("a stream is away: {why}");
            if self.deliver(Delivery::Away { why }).await.is_err() {
                return;
            }
            let pause = backoff.pause(lasted).max(wait).max(self.access.quiet_for());
            tokio::select! {
                () = sleep(pause) => {}
                () = self.sender.closed() => return,
            }
        }
    }

    /// No handshake in a ban, which it would only make longer.
    fn open(&self) -> Opening {
        let (access, opener) = (Arc::clone(&self.access), Arc::clone(&self.opener));
        Box::pin(async move {
            access.not_quiet()?;
            opener.open().await
        })
    }

    /// Until there is no connection left, or none that hears; why.
    ///
    /// A connection is replaced by one that is subscribed already; both are read while the new one is made, and for
    /// [`linger`](crate::Timeouts::linger) behind that.
    async fn listen(&mut self, open: Open) -> Result<String, Over> {
        let mut socket = self.opened(open).await?;
        let mut old: Option<(Socket, Instant)> = None;
        let mut renew_at = socket.opened + self.access.timeouts.renew;
        let mut renewal: Option<Opening> = None;
        let mut backoff = Backoff::new(&self.access.timeouts);
        let mut leaving = false;
        loop {
            let mut over = None;
            tokio::select! {
                heard = socket.next() => match heard {
                    Ok(bytes) => {
                        let farewell = self.opener.farewell(&bytes);
                        self.frame(bytes).await?;
                        match farewell {
                            Some(Farewell::Deaf) => over = Some("the venue ended the subscription".to_owned()),
                            Some(Farewell::Leaving) if !leaving => {
                                // With a pause: the next server may be going away as well.
                                leaving = true;
                                renew_at = Instant::now() + backoff.pause(socket.opened.elapsed());
                            }
                            Some(Farewell::Leaving) | None => {}
                        }
                    }
                    Err(why) => over = Some(why),
                },
                heard = of_old(&mut old) => match heard {
                    Some(bytes) => self.frame(bytes).await?,
                    None => if let Some((socket, _)) = old.take() { socket.close().await },
                },
                () = sleep_until(renew_at), if renewal.is_none() => renewal = Some(self.open()),
                opened = of_renewal(&mut renewal) => {
                    renewal = None;
                    match opened {
                        Ok(open) => {
                            let linger = Instant::now() + self.access.timeouts.linger;
                            let new = self.opened(open).await?;
                            old = Some((std::mem::replace(&mut socket, new), linger));
                            renew_at = socket.opened + self.access.timeouts.renew;
                            leaving = false;
                        }
                        Err(NotOpen { why, wait }) => {
                            tracing::warn!("a stream could not be renewed yet: {why}");
                            let pause = backoff.pause(Duration::ZERO).max(wait);
                            renew_at = Instant::now() + pause.max(self.access.quiet_for());
                        }
                    }
                }
                () = self.sender.closed() => return Err(Over),
            }
            let Some(why) = over else { continue };
            if let Some((before, _)) = old.take() {
                // The one that was replaced still hears.
                tracing::debug!("a stream that was renewed a moment ago is away: {why}");
                socket = before;
                renew_at = Instant::now() + backoff.pause(Duration::ZERO);
                continue;
            }
            self.unheard.begin(socket.heard_until());
            let Some(opening) = renewal.take() else { return Ok(why) };
            // Another one is being made already.
            self.deliver(Delivery::Away { why }).await?;
            match opening.await {
                Ok(open) => {
                    socket = self.opened(open).await?;
                    renew_at = socket.opened + self.access.timeouts.renew;
                    leaving = false;
                }
                Err(NotOpen { why, .. }) => return Ok(why),
            }
        }
    }

    async fn opened(&mut self, open: Open) -> Result<Socket, Over> {
        self.connections += 1;
        self.unheard.end(Instant::now());
        let (connection, at) = (self.connections, self.access.clock.now());
        let connected = Connected { connection, subscription: open.subscription, at };
        self.deliver(Delivery::Opened(connected)).await?;
        for bytes in open.early {
            self.frame(bytes).await?;
        }
        Ok(open.socket)
    }

    async fn frame(&self, bytes: Vec<u8>) -> Result<(), Over> {
        self.deliver(Delivery::Frame { bytes, received_at: self.access.clock.now() }).await
    }

    async fn deliver(&self, delivery: Delivery) -> Result<(), Over> {
        self.sender.send(delivery).await.map_err(|_| Over)
    }
}

/// What the connection that was replaced still has to say; `None` when that is over. Never, without one.
async fn of_old(old: &mut Option<(Socket, Instant)>) -> Option<Vec<u8>> {
    match old {
        None => std::future::pending().await,
        Some((socket, until)) => {
            tokio::select! {
                heard = socket.next() => heard.ok(),
                () = sleep_until(*until) => None,
            }
        }
    }
}

/// A connection that is being made; never, without one.
async fn of_renewal(renewal: &mut Option<Opening>) -> Result<Open, NotOpen> {
    match renewal {
        None => std::future::pending().await,
        Some(opening) => opening.await,
    }
}

impl Access {
    /// Whether a handshake may be made.
    ///
    /// # Errors
    /// The venue has asked for silence.
    pub fn not_quiet(&self) -> Result<(), NotOpen> {
        match self.quiet_for() {
            Duration::ZERO => Ok(()),
            wait => Err(NotOpen { why: format!("the venue told us to wait for {wait:?} more"), wait }),
        }
    }
}
