//! `/health`, `/ready` and `/metrics`.

use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use http_server::Limits;
use serde_json::Value;
use std::{future::Future, io, net::SocketAddr, sync::Arc};
use tokio::net::TcpListener;

/// What a process tells whoever watches it.
pub trait Report: Send + Sync + 'static {
    /// Alive: worth keeping. False only of a process that had better be started anew.
    fn health(&self) -> (bool, Value);
    /// Caught up and working; if not, why.
    fn ready(&self) -> (bool, Value);
    /// In Prometheus' text format.
    fn metrics(&self) -> String;
}

/// Serves until `stop` is done. Returns the address that it listens on (port 0 takes a free one)
/// and the server's own future.
///
/// # Errors
/// The address cannot be listened on.
pub async fn serve(
    listen: SocketAddr,
    report: impl Report,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<(SocketAddr, impl Future<Output = ()>)> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let app = router(Arc::new(report));
    Ok((address, http_server::serve(listener, app, Limits::default(), stop)))
}

type Shared = Arc<dyn Report>;

fn router(report: Shared) -> Router {
    Router::new()
        .route("/health", get(|State(report): State<Shared>| async move { answer(report.health()) }))
        .route("/ready", get(|State(report): State<Shared>| async move { answer(report.ready()) }))
        .route("/metrics", get(|State(report): State<Shared>| async move { report.metrics() }))
        .with_state(report)
}

fn answer((well, body): (bool, Value)) -> impl IntoResponse {
    let code = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(body))
}
