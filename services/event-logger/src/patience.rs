//! Waiting: for the tape to come back, for whoever asks to stop, between two tries.

use crate::{
    counters::{Counters, Side, Standing},
    fault::Fault,
    record::Target,
};
use domain::Timestamp;
use std::{
    future::Future,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tape::Tape;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

/// How long the tape may take to answer; its own limits are shorter.
pub const ANSWER: Duration = Duration::from_secs(60);
/// How long something that is under way may go on once stopping is asked for.
pub const GRACE: Duration = Duration::from_secs(1);
/// The first pause before something is tried again; each is twice the one before …
const RETRY: Duration = Duration::from_millis(20);
/// … up to this one.
const SLOWEST_RETRY: Duration = Duration::from_secs(5);
const _: () = assert!(RETRY.as_millis() < SLOWEST_RETRY.as_millis());

/// Whether to stop. Its sender being gone means stop.
#[derive(Clone)]
pub struct Stop(watch::Receiver<bool>);

/// Pauses that double up to a limit.
pub struct Backoff(Duration);

/// Tries until the tape can be reached, and says so meanwhile.
#[derive(Clone)]
pub struct Patience<'a> {
    pub counters: &'a Counters,
    pub standing: &'a Standing,
    pub stop: Stop,
}

impl Patience<'_> {
    /// For what can be asked twice. `None` once asked to stop: what was under way may or may not be
    /// done then.
    ///
    /// # Errors
    /// Anything but [`Fault::Away`].
    pub async fn insist<T, E, F>(&mut self, mut attempt: impl FnMut() -> F) -> Result<Option<T>, Fault>
    where
        F: Future<Output = Result<T, E>>,
        Fault: From<E>,
    {
        let mut backoff = Backoff::new();
        loop {
            let tried = tokio::select! {
                biased;
                tried = timeout(ANSWER, attempt()) => tried,
                () = self.stop.overdue() => return Ok(None),
            };
            let why = match tried {
                Ok(Ok(done)) => {
                    self.better(Side::Tape);
                    return Ok(Some(done));
                }
                Ok(Err(e)) => match Fault::from(e) {
                    Fault::Away(why) => why,
                    other => return Err(other),
                },
                Err(_) => format!("the tape has not answered for {} s", ANSWER.as_secs()),
            };
            self.counters.tape_retries.add(1);
            self.worse(Side::Tape, why);
            if self.stop.or_after(backoff.pause()).await {
                return Ok(None);
            }
        }
    }

    /// The tape's id and clock, once somebody has opened it.
    ///
    /// # Errors
    /// As [`Self::insist`].
    pub async fn target(&mut self, tape: &Tape) -> Result<Option<Target>, Fault> {
        let empty = || Fault::Away("the tape is empty: nobody has opened it yet".to_owned());
        self.insist(|| async { tape.opened().await?.as_ref().map(Target::from).ok_or_else(empty) }).await
    }

    pub fn worse(&self, side: Side, why: String) {
        if self.standing.enter(side, Some(why.clone())) {
            tracing::warn!("waiting: {why}");
        }
    }

    pub fn better(&self, side: Side) {
        if self.standing.enter(side, None) {
            tracing::info!("the {} is back", side.name());
        }
    }
}

impl Side {
    const fn name(self) -> &'static str {
        match self {
            Self::Tape => "tape",
            Self::Bus => "broker",
        }
    }
}

impl Stop {
    pub fn new(asked: watch::Receiver<bool>) -> Self {
        Self(asked)
    }

    pub fn is_asked(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    pub async fn asked(&mut self) {
        // An error means that nobody is left to ask.
        let _ = self.0.wait_for(|asked| *asked).await;
    }

    /// Asked for, and what was under way has had its time.
    pub async fn overdue(&mut self) {
        self.asked().await;
        sleep(GRACE).await;
    }

    /// Whether it was asked for within that time.
    pub async fn or_after(&mut self, pause: Duration) -> bool {
        timeout(pause, self.asked()).await.is_ok()
    }
}

impl Backoff {
    pub fn new() -> Self {
        Self(RETRY)
    }

    pub fn pause(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(SLOWEST_RETRY);
        pause
    }
}

/// This machine's time. Nothing is decided by it where the tape's own time can be known.
pub fn machine_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
