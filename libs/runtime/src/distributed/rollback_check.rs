//! Checks that the tape was not rolled back: what was published of a tape is on it for good, unless the tape was put
//! back to an older copy. Such a copy is not followed, since what was published has been acted upon.

use super::leadership::Leadership;
use bus::{Bus, Hint, NOT_YET};
use events::Uuid;
use replica::Fault;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long the broker is waited for to say what it holds. A stream that holds nothing of the tape
/// says nothing.
const WAIT: Duration = Duration::from_secs(3);
/// Between two looks at whether the broker is away.
const LOOK: Duration = Duration::from_millis(100);

/// Compares the tape with the last that was published of it, before anybody acts on it. A broker that
/// is away proves nothing; it is asked again when it comes back.
///
/// # Errors
/// The tape was put back.
pub(super) async fn confirm(leadership: &Leadership, id: Uuid) -> Result<(), Fault> {
    let Leadership { bus, tape, .. } = leadership;
    if matches!(bus, Bus::InProcess(_)) {
        return Ok(());
    }
    let mut hints = bus.subscribe(id);
    let end = Instant::now() + WAIT;
    let mut look = Instant::now();
    loop {
        look += LOOK;
        let (position, hash) = match timeout_at(look.min(end), hints.next()).await {
            Ok(Some(Hint::Latest { position, hash })) => (position, hash),
            // The rows before the latest prove nothing of it.
            Ok(Some(Hint::Row(_) | Hint::Missed(_))) => continue,
            Ok(None) => return Ok(()),
            Err(_) => {
                let bus = bus.status();
                let away = !bus.connected && bus.why.is_some_and(|why| why != NOT_YET);
                if away || Instant::now() >= end {
                    return Ok(());
                }
                continue;
            }
        };
        let Some(before) = position.checked_sub(1) else { return Ok(()) };
        let there = leadership.insist(|| tape.read(before, 1)).await?.pop();
        if there.is_some_and(|row| row.hash == hash) {
            return Ok(());
        }
        return Err(Fault::put_back(position));
    }
}
