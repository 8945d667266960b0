//! The side of a command.

use super::{Refused, Request, Taken, Way};
use crate::WrongUse;
use anyhow::{Context, bail};
use reqwest::StatusCode;
use std::{fs, io::ErrorKind, net::TcpStream, path::Path, time::Duration};

/// A process that is reading its state back takes a command after that.
const ANSWER: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(3);

/// What came of asking.
#[derive(Debug)]
pub enum Asked {
    /// It is on the tape, there.
    Taken(u64),
    /// Nobody listens there: no such process, or no longer.
    Nobody,
}

/// Whether somebody listens where `file` leads to.
pub fn listens(file: &Path) -> bool {
    let way = fs::read(file).ok().and_then(|text| serde_json::from_slice::<Way>(&text).ok());
    way.is_some_and(|way| TcpStream::connect_timeout(&way.address, CONNECT).is_ok())
}

/// Asks the process that `file` leads to.
///
/// # Errors
/// [`WrongUse`] if it does not take the request; anything else if that is unknown.
pub async fn ask(file: &Path, request: &Request) -> anyhow::Result<Asked> {
    let text = match fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Asked::Nobody),
        Err(error) => return Err(error).with_context(|| format!("reading {}", file.display())),
    };
    // A file of zero length is one that is being written.
    let Ok(way) = serde_json::from_slice::<Way>(&text) else { return Ok(Asked::Nobody) };
    venue_binance::net::tls();
    let http = reqwest::Client::builder().no_proxy().connect_timeout(CONNECT).timeout(ANSWER).build()?;
    let sent = http
        .post(format!("http://{}/control", way.address))
        .bearer_auth(&way.token)
        .body(serde_json::to_vec(request)?)
        .send()
        .await;
    let answer = match sent {
        Ok(answer) => answer,
        Err(error) if error.is_connect() => return Ok(Asked::Nobody),
        Err(error) => {
            return Err(error).with_context(|| {
                format!(
                    "process {} did not say whether it took it: look with `tapedeck tape tail --kind control --kind trade`",
                    way.pid
                )
            });
        }
    };
    let status = answer.status();
    let body = answer.bytes().await.with_context(|| format!("the answer of process {}", way.pid))?;
    if status == StatusCode::OK {
        let taken: Taken = serde_json::from_slice(&body).context("an answer that cannot be read")?;
        return Ok(Asked::Taken(taken.position));
    }
    let why = serde_json::from_slice(&body).map_or_else(|_| status.to_string(), |Refused { error }| error);
    match status {
        StatusCode::CONFLICT | StatusCode::BAD_REQUEST => Err(WrongUse(why).into()),
        _ => bail!("process {}: {why}", way.pid),
    }
}
