//! `/health`, `/ready` and `/metrics`.

use crate::status::{Phase, Status};
use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use serde_json::json;
use std::{future::Future, io, net::SocketAddr};
use tokio::net::TcpListener;

/// Serves until `stop` is done. Returns the address that it listens on (port 0 takes a free one)
/// and the server's own future.
///
/// # Errors
/// The address cannot be listened on.
pub async fn serve(
    listen: SocketAddr,
    status: Status,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<(SocketAddr, impl Future<Output = io::Result<()>>)> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let server = axum::serve(listener, router(status)).with_graceful_shutdown(stop);
    Ok((address, async move { server.await }))
}

fn router(status: Status) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(|State(status): State<Status>| async move { status.metrics() }))
        .with_state(status)
}

/// Alive: worth keeping. Only a process that cannot go on says no.
async fn health(State(status): State<Status>) -> impl IntoResponse {
    answer(&status, status.phase() != Phase::Failed)
}

/// Ready: caught up and working.
async fn ready(State(status): State<Status>) -> impl IntoResponse {
    answer(&status, matches!(status.phase(), Phase::Running | Phase::Ended))
}

fn answer(status: &Status, well: bool) -> impl IntoResponse + use<> {
    let code = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "status": status.phase().as_str(),
        "position": status.head(),
        "market_time": status.market_time(),
    });
    (code, Json(body))
}
