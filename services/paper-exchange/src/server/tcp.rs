//! TCP connections that can be made to fail: cut off, or left half open.

use futures_util::task::AtomicWaker;
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::Notify,
};

/// Where a connection's fate is set. Clones are the same switch.
#[derive(Clone)]
pub struct Switch(Arc<State>);

struct State {
    state: AtomicU8,
    reader: AtomicWaker,
    writer: AtomicWaker,
    cut: Notify,
    peer: SocketAddr,
}

const WHOLE: u8 = 0;
const HALF_OPEN: u8 = 1;
const CUT: u8 = 2;

impl Switch {
    fn new(peer: SocketAddr) -> Self {
        Self(Arc::new(State {
            state: AtomicU8::new(WHOLE),
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
            cut: Notify::new(),
            peer,
        }))
    }

    pub fn peer(&self) -> SocketAddr {
        self.0.peer
    }

    /// Ends the connection without a word.
    pub fn cut(&self) {
        self.set(CUT);
        self.0.cut.notify_waiters();
    }

    /// From now on nothing arrives, either way, and nobody is told.
    pub fn half_open(&self) {
        self.set(HALF_OPEN);
    }

    /// Done as soon as the connection is cut off.
    pub async fn cut_off(&self) {
        let cut = self.0.cut.notified();
        tokio::pin!(cut);
        // Listens before it looks, so that no cut is missed between the two.
        cut.as_mut().enable();
        if !self.is(CUT) {
            cut.await;
        }
    }

    pub fn is_half_open(&self) -> bool {
        self.is(HALF_OPEN)
    }

    fn set(&self, state: u8) {
        self.0.state.fetch_max(state, Ordering::AcqRel);
        self.0.reader.wake();
        self.0.writer.wake();
    }

    fn is(&self, state: u8) -> bool {
        self.0.state.load(Ordering::Acquire) == state
    }
}

/// A connection with its switch.
pub struct Wire {
    stream: TcpStream,
    switch: Switch,
}

impl Wire {
    pub fn new(stream: TcpStream, peer: SocketAddr) -> (Self, Switch) {
        let switch = Switch::new(peer);
        (Self { stream, switch: switch.clone() }, switch)
    }
}

fn is_cut() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionReset)
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.switch.0.reader.register(cx.waker());
        match this.switch.0.state.load(Ordering::Acquire) {
            WHOLE => Pin::new(&mut this.stream).poll_read(cx, buf),
            HALF_OPEN => Poll::Pending,
            _ => Poll::Ready(Err(is_cut())),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.switch.0.writer.register(cx.waker());
        match this.switch.0.state.load(Ordering::Acquire) {
            WHOLE => Pin::new(&mut this.stream).poll_write(cx, buf),
            HALF_OPEN => Poll::Ready(Ok(buf.len())),
            _ => Poll::Ready(Err(is_cut())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
