//! HTTP on sockets that a slow or half-sent request cannot hold.
//!
//! hyper does the protocol; here are the deadlines, the cap on connections and the patience with
//! `accept` that `axum::serve` does not have.

mod limits;
mod wire;

pub use limits::Limits;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderValue, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, error::Error, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::{Instant, sleep, timeout, timeout_at},
};
use tower_service::Service;
use wire::{Watch, Wire};

/// For what is under way when the server stops.
const CLOSING: Duration = Duration::from_secs(5);
/// Connections over the cap that are told so at the same time; more are closed without a word.
const TOLD_AT_ONCE: usize = 16;
/// For telling one of them.
const TELLING: Duration = Duration::from_secs(1);
/// Between two attempts to accept, while there is no file descriptor left, say.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Serves `app` on plain TCP until `stop` is done. Handlers may extract `ConnectInfo<SocketAddr>`.
pub async fn serve(listener: TcpListener, app: Router, limits: Limits, stop: impl Future<Output = ()>) {
    serve_dressed(listener, |stream, peer| (stream, peer), app, limits, stop).await;
}

/// As [`serve`], where each connection is made into something else first, and handlers may extract
/// `ConnectInfo<C>`.
pub async fn serve_dressed<I, C>(
    listener: TcpListener,
    dress: impl Fn(TcpStream, SocketAddr) -> (I, C),
    app: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    C: Clone + Send + Sync + 'static,
{
    let mut stop = std::pin::pin!(stop);
    let (stopping, stopped) = watch::channel(false);
    // Each connection holds one end, until it is over or is something else than HTTP.
    let (under_way, mut over) = mpsc::channel::<()>(1);
    let seats = Arc::new(Semaphore::new(limits.connections));
    let told = Arc::new(Semaphore::new(TOLD_AT_ONCE));
    let mut pause = SHORTEST_PAUSE;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if of_one_connection(&error) => continue,
            Err(error) => {
                tracing::warn!("no connection can be accepted now: {error}; trying again");
                tokio::select! {
                    () = sleep(pause) => {}
                    () = &mut stop => break,
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
        };
        pause = SHORTEST_PAUSE;
        // Small answers must not wait for more.
        let _ = stream.set_nodelay(true);
        match (seats.clone().try_acquire_owned(), told.clone().try_acquire_owned()) {
            (Ok(seat), _) => {
                let (io, info) = dress(stream, peer);
                let (app, limits, stopped) = (app.clone(), limits.clone(), stopped.clone());
                let under_way = under_way.clone();
                tokio::spawn(async move {
                    converse(io, info, app, limits, seat, stopped).await;
                    drop(under_way);
                });
            }
            (Err(_), Ok(turn)) => {
                tokio::spawn(tell_full(stream, limits.connections, turn));
            }
            (Err(_), Err(_)) => drop(stream),
        }
    }
    drop((listener, under_way));
    stopping.send_replace(true);
    // What does not end in time is dropped with the process.
    let _ = timeout(CLOSING, over.recv()).await;
}

/// The peer has gone before it was accepted: nothing is wrong here.
fn of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// One connection, to its end or to its first missed deadline.
async fn converse<I, C>(
    io: I,
    info: C,
    app: Router,
    limits: Limits,
    seat: OwnedSemaphorePermit,
    mut stopped: watch::Receiver<bool>,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    C: Clone + Send + Sync + 'static,
{
    let watch = Watch::new();
    let wire = Wire::new(io, watch.clone(), seat);
    let (seen, allowed) = (watch.clone(), limits.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let (mut app, watch, limits, info) = (app.clone(), seen.clone(), allowed.clone(), info.clone());
        watch.request_is_here();
        async move {
            let response = match with_body(request, &limits).await {
                Ok(mut request) => {
                    request.extensions_mut().insert(ConnectInfo(info));
                    // A router never waits before it takes a request.
                    app.call(request).await.unwrap_or_else(|never: Infallible| match never {})
                }
                Err(response) => response,
            };
            watch.request_is_answered();
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Of a connection that rests between two requests; the wire itself ends half a head sooner.
        .header_read_timeout(limits.idle)
        .serve_connection(TokioIo::new(wire), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let mut overdue = std::pin::pin!(watch.overdue(&limits));
    let mut stops = false;
    loop {
        tokio::select! {
            // Whatever ends it, the peer knows best.
            _ = &mut connection => return,
            why = &mut overdue => return tracing::debug!("a connection is closed: {why}"),
            _ = stopped.wait_for(|stop| *stop), if !stops => {
                stops = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// The request with its whole body, or the answer to give instead.
async fn with_body(request: Request<Incoming>, limits: &Limits) -> Result<Request<Body>, Response> {
    let (parts, body) = request.into_parts();
    if hyper::body::Body::is_end_stream(&body) {
        return Ok(Request::from_parts(parts, Body::empty()));
    }
    let read = to_bytes(Body::new(body), limits.largest_body);
    match timeout_at(Instant::now() + limits.body, read).await {
        Ok(Ok(bytes)) => Ok(Request::from_parts(parts, Body::from(bytes))),
        Ok(Err(error)) if is_of_the_wire(&error) => {
            Err(last(StatusCode::BAD_REQUEST, "the body is malformed or was cut off"))
        }
        Ok(Err(_)) => {
            let why = format!("the body is too large: {} bytes at most", limits.largest_body);
            Err(last(StatusCode::PAYLOAD_TOO_LARGE, &why))
        }
        Err(_) => Err(last(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")),
    }
}

/// Whether the body itself could not be read, as opposed to one that is larger than allowed.
fn is_of_the_wire(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<hyper::Error>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// An answer behind which the connection ends.
fn last(status: StatusCode, why: &str) -> Response {
    let mut response =
        (status, [(header::CONTENT_TYPE, "application/json")], format!("{{\"error\":\"{why}\"}}\n"))
            .into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Says that there is no room, whatever was asked, and listens until the peer has heard it: closing with
/// unread bytes would take the answer away again.
async fn tell_full(mut stream: TcpStream, limit: usize, _turn: OwnedSemaphorePermit) {
    let body = format!(
        "{{\"error\":\"{limit} connections are open, which is the limit: close some, or try again later\"}}\n"
    );
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         retry-after: 10\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = timeout(TELLING, async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        let mut rest = [0; 1_024];
        while stream.read(&mut rest).await? > 0 {}
        io::Result::Ok(())
    })
    .await;
}
