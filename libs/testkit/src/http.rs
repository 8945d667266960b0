//! One HTTP request, without a client library.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

const DEADLINE: Duration = Duration::from_secs(5);

/// Status and body; status 0 and the reason where nobody answered in five seconds, so that a poll goes
/// on while a process is away.
pub fn http_get(address: SocketAddr, path: &str) -> (u16, String) {
    let answer = match ask(address, path) {
        Ok(answer) => answer,
        Err(e) => return (0, format!("no answer from {address}: {e}")),
    };
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.split_whitespace().nth(1).and_then(|status| status.parse().ok()) {
        Some(status) => (status, body.to_owned()),
        None => (0, format!("no HTTP from {address}: {head}")),
    }
}

/// HTTP/1.0, so that the answer is neither chunked nor kept open.
fn ask(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    // In one piece: a server may answer and close when it has read the first.
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
