//! One connection, from its greeting to its end. Whoever sees it fail says so, and the supervisor
//! replaces it: nothing of it is ever repaired.

use super::{
    Address,
    limits::{ASK, CLOSE, CONNECT, TICK, within},
};
use crate::BusFault;
use futures_util::{Stream, StreamExt};
use lapin::{
    Channel, Connection, ConnectionProperties, Event,
    tcp::{AsyncTcpStream, TLSConfig},
};
use std::{
    io,
    net::{Shutdown, TcpStream},
    os::fd::AsFd,
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::timeout};

pub(crate) struct Session {
    connection: Connection,
    trouble: watch::Sender<Trouble>,
    _socket: Socket,
}

/// A second handle of the connection's socket, shut down when dropped. That ends lapin's thread
/// whatever it waits for; it has no limit of its own for an answer to its greeting or its goodbye.
struct Socket(TcpStream);

#[derive(Debug, Clone, Default)]
struct Trouble {
    blocked: Option<String>,
    broken: Option<String>,
}

type Events = Pin<Box<dyn Stream<Item = Event> + Send>>;

impl Session {
    pub(crate) async fn open(address: &Address, name: &str) -> Result<(Self, Events), BusFault> {
        let runtime = lapin::runtime::default_runtime().map_err(away("the runtime"))?;
        let found = within(CONNECT, "looking up its host", async {
            Ok(tokio::net::lookup_host(address.host()).await?.collect::<Vec<_>>())
        });
        let found = found.await?;
        let connecting = async { Ok(AsyncTcpStream::connect(&runtime, found).await?) };
        let mut stream = within(CONNECT, "connecting", connecting).await?;
        let AsyncTcpStream::Plain(plain) = &stream else {
            return Err(BusFault::Away { why: "connecting: not a plain socket".into() });
        };
        let second = plain.get_ref().as_fd().try_clone_to_owned();
        let socket = Socket(second.map_err(|e| away("its socket")(e.into()))?.into());
        if address.is_tls() {
            let tls = async { Ok(stream.into_tls(address.host().0, TLSConfig::default()).await?) };
            stream = within(CONNECT, "agreeing on TLS", tls).await?;
            if matches!(stream, AsyncTcpStream::Plain(_)) {
                return Err(BusFault::Away { why: "this build has no TLS".into() });
            }
        }
        let once = Mutex::new(Some(stream));
        let hand_over = async move |_, _| {
            let stream = once.lock().unwrap_or_else(PoisonError::into_inner).take();
            stream.ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected).into())
        };
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let greeting = Connection::connector(address.uri.clone(), runtime, hand_over, properties);
        let connection = within(CONNECT, "logging in", greeting).await?;
        let events: Events = Box::pin(connection.events_listener());
        Ok((Self { connection, trouble: watch::Sender::default(), _socket: socket }, events))
    }

    /// A channel with nothing on it. One purpose each: any error on it ends it for all.
    pub(crate) async fn channel(&self) -> Result<Channel, BusFault> {
        let opened = within(ASK, "opening a channel", self.connection.create_channel()).await;
        opened.inspect_err(|fault| self.blame(fault))
    }

    /// What stalls on one channel stalls on all: a fault of time ends the session.
    pub(crate) fn blame(&self, fault: &BusFault) {
        if matches!(fault, BusFault::TimedOut { .. }) && self.blocked().is_none() {
            self.fail(&fault.to_string());
        }
    }

    pub(crate) fn fail(&self, why: &str) {
        self.trouble.send_if_modified(|trouble| {
            let first = trouble.broken.is_none();
            trouble.broken.get_or_insert_with(|| why.to_owned());
            first
        });
    }

    pub(crate) fn is_up(&self) -> bool {
        self.trouble.borrow().broken.is_none() && self.connection.status().connected()
    }

    /// Why the broker reads nothing from this connection now, if so.
    pub(crate) fn blocked(&self) -> Option<String> {
        self.trouble.borrow().blocked.clone()
    }

    /// Waits until the broker reads again.
    pub(crate) async fn flowing(&self, limit: Duration) -> Result<(), BusFault> {
        let mut trouble = self.trouble.subscribe();
        let flows = trouble.wait_for(|now| now.blocked.is_none() || now.broken.is_some());
        match timeout(limit, flows).await {
            Ok(_) => Ok(()),
            Err(_) => Err(BusFault::Blocked { why: self.blocked().unwrap_or_default() }),
        }
    }

    /// Follows the connection until it is of no more use, and says why.
    pub(crate) async fn until_broken(&self, mut events: Events) -> String {
        let mut trouble = self.trouble.subscribe();
        let mut tick = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(Event::ConnectionBlocked(why)) => self.set_blocked(Some(why)),
                    Some(Event::ConnectionUnblocked) => self.set_blocked(None),
                    // A channel's error comes this way too, and is its user's affair.
                    Some(Event::Error(error)) if !self.connection.status().connected() => {
                        return error.to_string();
                    }
                    Some(_) => {}
                    None => return "the connection ended".to_owned(),
                },
                _ = trouble.changed() => {}
                _ = tick.tick() => {}
            }
            if let Some(why) = trouble.borrow_and_update().broken.clone() {
                return why;
            }
            if !self.connection.status().connected() {
                return "the connection was closed".to_owned();
            }
        }
    }

    /// Says goodbye, so that the broker takes back at once what was not acknowledged.
    pub(crate) async fn close(&self) {
        if self.is_up() && self.blocked().is_none() {
            let _ = timeout(CLOSE, self.connection.close(200, "OK".into())).await;
        }
        self.fail("it was closed");
    }

    fn set_blocked(&self, blocked: Option<String>) {
        self.trouble.send_modify(|trouble| trouble.blocked = blocked);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // An error means that it is gone already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

fn away(what: &'static str) -> impl Fn(lapin::Error) -> BusFault {
    move |error| BusFault::Away { why: format!("{what}: {error}") }
}
