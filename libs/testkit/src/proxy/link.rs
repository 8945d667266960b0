//! One connection through the proxy: two sockets and two pumps.

use super::{Fault, shared::Shared};
use socket2::SockRef;
use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const CONNECTING: Duration = Duration::from_secs(5);
/// After it a pump that cannot write looks whether the fault is another one by now.
const WRITING: Duration = Duration::from_millis(20);
const PIECE: usize = 16 * 1024;

pub(super) struct Link {
    client: TcpStream,
    server: OnceLock<TcpStream>,
    ended: AtomicBool,
    shared: Arc<Shared>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToServer,
    ToClient,
}

/// What has passed towards the server under the fault of one era.
#[derive(Default)]
struct Passed {
    era: u64,
    bytes: u64,
}

impl Link {
    pub fn new(client: TcpStream, shared: Arc<Shared>) -> Self {
        Self { client, server: OnceLock::new(), ended: AtomicBool::new(false), shared }
    }

    /// Connects to the target and passes data until both directions have ended.
    pub fn run(link: Arc<Self>, target: SocketAddr) {
        if link.gate(Instant::now()).is_none() {
            return;
        }
        let Ok(server) = TcpStream::connect_timeout(&target, CONNECTING) else {
            link.reset();
            return;
        };
        let server = link.server.get_or_init(|| server);
        for socket in [&link.client, server] {
            let set = socket.set_nodelay(true).and_then(|()| socket.set_write_timeout(Some(WRITING)));
            if set.is_err() {
                link.reset();
            }
        }
        // A reset while it connected did not see the second socket.
        if link.has_ended() {
            link.reset();
        }
        thread::scope(|scope| {
            scope.spawn(|| link.pump(&link.client, server, Direction::ToServer));
            link.pump(server, &link.client, Direction::ToClient);
        });
    }

    /// Both ends get a reset as soon as the connection's thread has let go of the sockets, at once.
    pub fn reset(&self) {
        self.mark_ended();
        for socket in self.sockets() {
            let _closed_already = SockRef::from(socket).set_linger(Some(Duration::ZERO));
            // Closing the reading side tells the peer nothing, and wakes the pump.
            let _closed_already = socket.shutdown(Shutdown::Read);
        }
    }

    fn close(&self) {
        self.mark_ended();
        for socket in self.sockets() {
            let _closed_already = socket.shutdown(Shutdown::Both);
        }
    }

    fn mark_ended(&self) {
        self.shared.change(|_| self.ended.store(true, Ordering::SeqCst));
    }

    fn sockets(&self) -> impl Iterator<Item = &TcpStream> {
        [Some(&self.client), self.server.get()].into_iter().flatten()
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    fn gate(&self, came: Instant) -> Option<u64> {
        self.shared.gate(came, || self.has_ended())
    }

    fn pump(&self, mut from: &TcpStream, to: &TcpStream, direction: Direction) {
        let mut piece = vec![0; PIECE];
        let mut passed = Passed::default();
        loop {
            let read = from.read(&mut piece);
            let came = Instant::now();
            match read {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                // A close and a reset pass as late as data does.
                Ok(0) => {
                    if self.gate(came).is_some() {
                        let _closed_already = to.shutdown(Shutdown::Write);
                    }
                    return;
                }
                Ok(n) => {
                    if self.pass(&piece[..n], to, came, direction, &mut passed).is_err() {
                        return;
                    }
                }
                Err(_) => {
                    if self.gate(came).is_some() {
                        self.reset();
                    }
                    return;
                }
            }
        }
    }

    /// Writes all of it, as the fault allows; an error if the connection has ended.
    fn pass(
        &self,
        mut left: &[u8],
        mut to: &TcpStream,
        came: Instant,
        direction: Direction,
        passed: &mut Passed,
    ) -> io::Result<()> {
        while !left.is_empty() {
            let era = self.gate(came).ok_or(ErrorKind::ConnectionAborted)?;
            let Some(right) = self.shared.pass(era) else { continue };
            let allowed = self.allowed(direction, era, passed);
            let now = left.len().min(usize::try_from(allowed).unwrap_or(usize::MAX));
            let written = match to.write(&left[..now]) {
                Ok(written) => written,
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
                Err(e) if e.kind() == ErrorKind::Interrupted => 0,
                Err(e) => {
                    self.reset();
                    return Err(e);
                }
            };
            drop(right);
            passed.bytes += written as u64;
            left = &left[written..];
            if written as u64 == allowed {
                self.close();
                return Err(ErrorKind::ConnectionAborted.into());
            }
        }
        Ok(())
    }

    /// How many bytes may pass before the cut.
    fn allowed(&self, direction: Direction, era: u64, passed: &mut Passed) -> u64 {
        if passed.era != era {
            *passed = Passed { era, bytes: 0 };
        }
        match self.shared.lock().fault {
            Fault::CutAfter(bytes) if direction == Direction::ToServer => bytes.saturating_sub(passed.bytes),
            Fault::None
            | Fault::Delay(_)
            | Fault::HalfOpen
            | Fault::Refuse
            | Fault::CutAfter(_)
            | Fault::Reset => u64::MAX,
        }
    }
}
