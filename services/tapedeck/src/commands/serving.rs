//! What every process that stays does: it serves health and metrics, and stops when it is told to.

use crate::WrongUse;
use runtime::http::{self, Report};
use std::{fs, net::SocketAddr};
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

/// Ctrl-C, SIGTERM and the end of the terminal (SIGHUP) stop the run at the next step; a second one at
/// once. Where SIGHUP was ignored when the program started, as `nohup` does, it stays so.
pub async fn signals(stop: watch::Sender<bool>) {
    use tokio::signal::unix::{SignalKind, signal};
    let ignored = fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hangup(&status));
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    let mut hangup = if ignored { None } else { signal(SignalKind::hangup()).ok() };
    for again in [false, true] {
        let hung_up = async {
            match &mut hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
            _ = hung_up => {}
        }
        if again {
            std::process::exit(1);
        }
        let _ = stop.send(true);
    }
}

/// Whether the mask of ignored signals in Linux's `/proc/PID/status` has SIGHUP, the first one.
fn ignores_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::ignores_hangup;

    #[test]
    fn an_ignored_hangup_is_seen() {
        assert!(ignores_hangup("SigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n"));
        assert!(!ignores_hangup("SigIgn:\t0000000000001000\n"));
        assert!(!ignores_hangup(""));
    }
}
