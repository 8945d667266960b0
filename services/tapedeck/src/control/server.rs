//! The side of the process that writes the tape.

use super::{Refused, Request, Taken, Way};
use crate::{standing::Standing, units};
use anyhow::Context;
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use events::Event;
use http_server::Limits;
use runtime::market::{Hands, OVER, Spoken};
use std::{
    fs,
    io::{ErrorKind, Write},
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tape::chain;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot, watch},
};

/// Requests that may wait to be taken; one more is told to come again.
const WAITING: usize = 16;
/// At the same time: people, not programs.
const CONNECTIONS: usize = 16;

/// An open door. The file that tells the way to it goes with it.
pub struct Door {
    file: PathBuf,
    hands: Hands,
    over: Arc<AtomicBool>,
}

struct Inside {
    way: Way,
    standing: Arc<Mutex<Standing>>,
    requests: mpsc::Sender<Spoken>,
    /// Whether no candle follows, so that no trade can be closed any more.
    over: Arc<AtomicBool>,
}

impl Door {
    /// Listens on a free port of this machine until `stop`, and says so in `file`.
    ///
    /// # Errors
    /// No port, or a file that cannot be written.
    pub async fn open(
        file: PathBuf,
        standing: Arc<Mutex<Standing>>,
        mut stop: watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("opening the control address")?;
        let way = Way { address: listener.local_addr()?, token: token(), pid: std::process::id() };
        write(&file, &way).with_context(|| format!("writing {}", file.display()))?;
        let (requests, taken) = mpsc::channel(WAITING);
        let over = Arc::new(AtomicBool::new(false));
        let inside = Arc::new(Inside { way, standing, requests, over: over.clone() });
        let app = Router::new().route("/control", post(take)).with_state(inside);
        let limits = Limits::default().connections(CONNECTIONS);
        tokio::spawn(http_server::serve(listener, app, limits, async move {
            let _ = stop.wait_for(|stop| *stop).await;
        }));
        Ok(Self { file, hands: Hands::new(taken), over })
    }

    /// From now on nobody is told that a trade may still be closed, not even while the process ends.
    pub fn market_is_over(&self) {
        self.over.store(true, Ordering::Release);
    }

    /// What comes in by the door.
    pub fn hands(&self) -> Hands {
        self.hands.clone()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

/// 244 random bits.
fn token() -> String {
    let part = || events::Uuid::new_v4().simple().to_string();
    part() + &part()
}

/// A file that was left by a killed process is replaced, never written into: it may be another's.
fn write(file: &Path, way: &Way) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        Ok(()) | Err(_) => {}
    }
    let mut open = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    open.write_all(&serde_json::to_vec(way)?)?;
    Ok(())
}

async fn take(State(inside): State<Arc<Inside>>, headers: HeaderMap, body: String) -> Response {
    if let Err(why) = inside.admit(&headers) {
        return refused(StatusCode::FORBIDDEN, why.to_owned());
    }
    let request: Request = match serde_json::from_str(&body) {
        Ok(request) => request,
        Err(error) => return refused(StatusCode::BAD_REQUEST, format!("not a command: {error}")),
    };
    let event = {
        let standing = inside.standing.lock().unwrap_or_else(PoisonError::into_inner);
        request.event(&standing, standing.now())
    };
    let event = match event {
        Ok(event) => event,
        Err(why) => return refused(StatusCode::CONFLICT, why),
    };
    let closes = matches!(event, Event::Trade(_));
    if closes && inside.over.load(Ordering::Acquire) {
        return refused(StatusCode::CONFLICT, OVER.to_owned());
    }
    let (reply, position) = oneshot::channel();
    let spoken = Spoken { source: units::owner(), event, reply };
    if inside.requests.try_send(spoken).is_err() {
        let why = "too many commands wait, or the process is ending: try again";
        return refused(StatusCode::SERVICE_UNAVAILABLE, why.to_owned());
    }
    match position.await {
        Ok(Ok(position)) => Json(Taken { position }).into_response(),
        Ok(Err(why)) => refused(StatusCode::CONFLICT, why),
        Err(_) if closes && inside.over.load(Ordering::Acquire) => {
            refused(StatusCode::CONFLICT, OVER.to_owned())
        }
        Err(_) => {
            let why = "the process ended before it was on the tape: look with `tapedeck tape tail`, and say it again";
            refused(StatusCode::SERVICE_UNAVAILABLE, why.to_owned())
        }
    }
}

impl Inside {
    /// Whether it is a command of this machine's owner, and no page in a browser.
    fn admit(&self, headers: &HeaderMap) -> Result<(), &'static str> {
        let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
        let host: Option<SocketAddr> = text(header::HOST).and_then(|host| host.parse().ok());
        if host != Some(self.way.address) {
            return Err("wrong Host: this is no address for a browser");
        }
        if headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site") {
            return Err("a web page may not command: leave Origin out");
        }
        let token = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        // Of the hashes, so that the time of the comparison tells nothing.
        let same = |given: &str| chain::sha256(given.as_bytes()) == chain::sha256(self.way.token.as_bytes());
        match token {
            Some(given) if same(given) => Ok(()),
            _ => Err("wrong token: it is in the file beside the tape"),
        }
    }
}

fn refused(status: StatusCode, error: String) -> Response {
    (status, Json(Refused { error })).into_response()
}
