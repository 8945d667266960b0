//! What every process that stays does: it stops when it is told to.

use std::fs;
use tokio::sync::watch;

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
