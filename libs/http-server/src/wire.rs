//! A connection that knows how long something has been awaited on it.

use crate::Limits;
use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep_until},
};

/// What one connection waits for. Clones are the same.
#[derive(Clone)]
pub struct Watch(Arc<Mutex<Waits>>);

struct Waits {
    /// Since when the head of a request is awaited: the connection is new, or its first byte is here.
    head: Option<Instant>,
    /// Requests that are being answered; what comes meanwhile is a body, or waits its turn.
    answering: u32,
    /// Since when the peer takes nothing.
    blocked: Option<Instant>,
}

impl Watch {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Waits { head: Some(Instant::now()), answering: 0, blocked: None })))
    }

    pub fn request_is_here(&self) {
        let mut waits = self.waits();
        waits.head = None;
        waits.answering += 1;
    }

    pub fn request_is_answered(&self) {
        let mut waits = self.waits();
        waits.answering = waits.answering.saturating_sub(1);
    }

    /// Done once something is overdue; says what.
    pub async fn overdue(&self, limits: &Limits) -> &'static str {
        loop {
            let now = Instant::now();
            let (head, blocked) = {
                let waits = self.waits();
                (waits.head.map(|since| since + limits.head), waits.blocked.map(|since| since + limits.write))
            };
            if head.is_some_and(|end| end <= now) {
                return "the head of its request did not come in time";
            }
            if blocked.is_some_and(|end| end <= now) {
                return "it takes nothing of what is sent";
            }
            // What begins to run meanwhile does not end before that.
            let look = now + limits.head.min(limits.write);
            let next = head.into_iter().chain(blocked).fold(look, Instant::min);
            sleep_until(next).await;
        }
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn received(&self) {
        let mut waits = self.waits();
        if waits.answering == 0 && waits.head.is_none() {
            waits.head = Some(Instant::now());
        }
    }

    fn sent<T>(&self, poll: Poll<T>) -> Poll<T> {
        let mut waits = self.waits();
        match poll {
            Poll::Pending => _ = waits.blocked.get_or_insert_with(Instant::now),
            Poll::Ready(_) => waits.blocked = None,
        }
        poll
    }
}

/// Holds its seat until it is dropped, also after an upgrade.
pub struct Wire<I> {
    io: I,
    watch: Watch,
    _seat: OwnedSemaphorePermit,
}

impl<I> Wire<I> {
    pub fn new(io: I, watch: Watch, seat: OwnedSemaphorePermit) -> Self {
        Self { io, watch, _seat: seat }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Wire<I> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let read = Pin::new(&mut this.io).poll_read(cx, buf);
        if read.is_ready() && buf.filled().len() > before {
            this.watch.received();
        }
        read
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Wire<I> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let sent = Pin::new(&mut this.io).poll_write(cx, buf);
        this.watch.sent(sent)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let sent = Pin::new(&mut this.io).poll_write_vectored(cx, bufs);
        this.watch.sent(sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
