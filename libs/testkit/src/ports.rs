//! Free TCP ports for servers that come and go.

use crate::chance;
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

const LOWEST: u16 = 10_000;

/// A listener on a port of its own.
///
/// The port lies below those that the kernel gives to outgoing connections.
/// Otherwise, while a killed server is away, a client that keeps trying its port is one day given that
/// very port as its own end: it connects to itself, and the server cannot come back.
pub(crate) fn listen() -> TcpListener {
    let span = first_outgoing() - LOWEST;
    for _ in 0..1_000 {
        let port = LOWEST + u16::try_from(chance::drawn() % u64::from(span)).unwrap_or_default();
        if let Ok(listener) = TcpListener::bind(local(port)) {
            return listener;
        }
    }
    panic!("testkit: a thousand ports between {LOWEST} and {} were tried, none is free", LOWEST + span)
}

/// A port that was free a moment ago; whoever starts on it tries another one on a clash.
pub(crate) fn free() -> u16 {
    listen().local_addr().expect("a listener has an address").port()
}

pub(crate) fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn first_outgoing() -> u16 {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let first = range.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(32_768);
    if first > LOWEST + 1_000 { first } else { u16::MAX }
}
