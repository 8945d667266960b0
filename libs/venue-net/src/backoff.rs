//! Pauses between attempts to connect: they grow, and no two clients keep in step.

use crate::Timeouts;
use ring::rand::{SecureRandom, SystemRandom};
use std::time::Duration;

#[derive(Debug)]
pub struct Backoff {
    next: Duration,
    first: Duration,
    longest: Duration,
}

impl Backoff {
    pub fn new(timeouts: &Timeouts) -> Self {
        Self { next: timeouts.first_pause, first: timeouts.first_pause, longest: timeouts.longest_pause }
    }

    /// After an attempt that failed, or a connection that held for `lasted`. One that ended soon is no
    /// success: else a server that closes each connection at once would be stormed.
    pub fn pause(&mut self, lasted: Duration) -> Duration {
        if lasted >= self.longest {
            self.next = self.first;
        }
        let pause = self.next;
        self.next = pause.saturating_mul(2).min(self.longest);
        jitter(pause)
    }
}

/// Between a half and the whole of it.
fn jitter(pause: Duration) -> Duration {
    let mut byte = [0_u8];
    // Without chance, the whole.
    let drawn = SystemRandom::new().fill(&mut byte).map_or(255, |()| byte[0]);
    pause.mul_f64(0.5 + f64::from(drawn) / 510.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_a_connection_has_held() {
        let timeouts = Timeouts {
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_millis(350),
            ..Timeouts::DEFAULT
        };
        let mut backoff = Backoff::new(&timeouts);
        let mut check = |lasted: u64, most: u64| {
            let pause = backoff.pause(Duration::from_millis(lasted));
            let most = Duration::from_millis(most);
            assert!(pause >= most / 2 && pause <= most, "{pause:?} is not about {most:?}");
        };
        for (lasted, most) in [(0, 100), (0, 200), (349, 350), (0, 350), (350, 100), (0, 200)] {
            check(lasted, most);
        }
    }
}
