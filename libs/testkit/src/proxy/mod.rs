//! A TCP proxy that misbehaves on demand.

mod link;
mod shared;

use crate::{ports, wait};
use link::Link;
use shared::{Open, Shared};
use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

/// What goes wrong between a client and its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Every piece of data is held back this long, in each direction.
    Delay(Duration),
    /// Connections, open ones and new ones, stand, and nothing passes, not even a close.
    /// What was sent meanwhile passes when the fault ends.
    HalfOpen,
    /// New connections are refused; open ones live on.
    Refuse,
    /// Each connection passes this many more bytes towards the server; then both ends see it closed.
    CutAfter(u64),
    /// Every open connection is reset (RST) now; from then on all is well.
    Reset,
}

/// Stands between clients and one server; dropping it resets every connection.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
    /// One change at a time.
    setting: Mutex<()>,
}

impl Proxy {
    /// # Panics
    /// If no port is free.
    pub fn start(target: SocketAddr) -> Self {
        let listener = ports::listen();
        let address = listener.local_addr().expect("testkit: a listener has an address");
        let shared = Arc::new(Shared::default());
        let acceptor = Acceptor { address, target, shared: Arc::clone(&shared) };
        let acceptor = Some(thread::spawn(move || acceptor.run(listener)));
        Self { address, shared, acceptor, setting: Mutex::new(()) }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Holds for open connections and new ones; it has taken effect on return.
    pub fn set(&self, fault: Fault) {
        let _alone = self.setting.lock().unwrap_or_else(PoisonError::into_inner);
        let lasting = if fault == Fault::Reset { Fault::None } else { fault };
        self.shared.set(lasting);
        if fault == Fault::Reset {
            reset(self.shared.take_open());
        }
        let refuse = lasting == Fault::Refuse;
        if refuse {
            self.wake_acceptor();
        }
        drop(self.shared.wait(|state| state.refusing == refuse));
    }

    /// How many connections are open now.
    pub fn connections(&self) -> usize {
        self.shared.lock().open.iter().filter(|open| open.is_open()).count()
    }

    fn wake_acceptor(&self) {
        let _refused_if_it_refuses = TcpStream::connect(self.address);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.change(|state| state.stopping = true);
        self.wake_acceptor();
        if let Some(acceptor) = self.acceptor.take() {
            let _ended = acceptor.join();
        }
        reset(self.shared.take_open());
    }
}

/// Returns when both ends of each have been told.
fn reset(open: Vec<Open>) {
    for one in &open {
        if let Some(link) = one.link.upgrade() {
            link.reset();
        }
    }
    for one in open {
        let _ended = one.thread.join();
    }
}

struct Acceptor {
    address: SocketAddr,
    target: SocketAddr,
    shared: Arc<Shared>,
}

impl Acceptor {
    fn run(&self, listener: TcpListener) {
        let mut listener = Some(listener);
        while !self.shared.lock().stopping {
            if self.shared.lock().fault == Fault::Refuse {
                drop(listener.take());
                self.shared.change(|state| state.refusing = true);
                drop(self.shared.wait(|state| state.fault != Fault::Refuse));
                continue;
            }
            let Some(bound) = listener.take().or_else(|| self.bind_again()) else { continue };
            self.shared.change(|state| state.refusing = false);
            if let Ok((client, _)) = bound.accept() {
                self.take(client);
            }
            listener = Some(bound);
        }
    }

    /// Nothing if somebody else has the port at the moment.
    fn bind_again(&self) -> Option<TcpListener> {
        let mut bound = None;
        wait::holds_within(Duration::from_millis(100), || {
            bound = TcpListener::bind(self.address).ok();
            bound.is_some()
        });
        bound
    }

    fn take(&self, client: TcpStream) {
        let mut state = self.shared.lock();
        if state.stopping || state.fault == Fault::Refuse {
            return;
        }
        let link = Arc::new(Link::new(client, Arc::clone(&self.shared)));
        let weak = Arc::downgrade(&link);
        let target = self.target;
        let thread = thread::spawn(move || Link::run(link, target));
        state.open.retain(Open::is_open);
        state.open.push(Open { link: weak, thread });
    }
}
