//! A peer that opens a WebSocket and then neither answers nor listens.

use super::rig::TIMEOUT;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

pub struct Mute(TcpStream);

impl Mute {
    pub async fn open(address: SocketAddr, path: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            timeout(TIMEOUT, stream.read_exact(&mut byte)).await.expect("in time").expect("an answer");
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        Self(stream)
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("sent");
    }

    /// Reads, answering nothing, until the other side ends it.
    pub async fn ends(&mut self) -> bool {
        let mut sink = vec![0; 65_536];
        let read = async { while matches!(self.0.read(&mut sink).await, Ok(count) if count > 0) {} };
        timeout(TIMEOUT, read).await.is_ok()
    }
}
