//! What every process that stays does: it serves health and metrics, and stops when it is told to.

use crate::WrongUse;
use runtime::http::{self, Report};
use std::net::SocketAddr;
use tokio::sync::watch;

/// Where health and metrics are served unless told otherwise.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7070);

/// Health and metrics; an address that was not asked for is given up where it is taken.
///
/// # Errors
/// The address that was asked for cannot be had.
pub async fn serve(
    listen: Option<SocketAddr>,
    report: impl Report,
    mut stopped: watch::Receiver<bool>,
) -> anyhow::Result<Option<SocketAddr>> {
    let until = async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    match http::serve(listen.unwrap_or(LISTEN), report, until).await {
        Ok((address, server)) => {
            tokio::spawn(server);
            Ok(Some(address))
        }
        Err(error) => match listen {
            Some(address) => {
                Err(WrongUse(format!("--listen {address}: {error}; choose another address")).into())
            }
            None => {
                tracing::warn!("no health and metrics: {LISTEN}: {error}; choose an address with --listen");
                Ok(None)
            }
        },
    }
}

/// Ctrl-C and SIGTERM stop the run at the next step; a second one at once.
pub async fn signals(stop: watch::Sender<bool>) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    for again in [false, true] {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        if again {
            std::process::exit(1);
        }
        let _ = stop.send(true);
    }
}
