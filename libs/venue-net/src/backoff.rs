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
        Self::between(timeouts.first_pause, timeouts.longest_pause)
    }

    pub const fn between(first: Duration, longest: Duration) -> Self {
        Self { next: first, first, longest }
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
    let mut bytes = [0_u8; 2];
    // Without chance, the whole.
    let drawn = SystemRandom::new().fill(&mut bytes).map_or(u16::MAX, |()| u16::from_be_bytes(bytes));
    spread(pause, drawn)
}

/// From a half of the pause, for 0, to the whole of it.
fn spread(pause: Duration, drawn: u16) -> Duration {
    pause.mul_f64(0.5 + f64::from(drawn) / (2.0 * f64::from(u16::MAX)))
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

    #[test]
    fn jitter_takes_from_nothing_to_a_half_of_a_pause() {
        let pause = Duration::from_secs(60);
        assert_eq!(spread(pause, 0), pause / 2);
        assert_eq!(spread(pause, u16::MAX), pause);
        let three_quarters = spread(pause, u16::MAX / 2);
        assert!(three_quarters.abs_diff(pause * 3 / 4) < Duration::from_millis(1), "{three_quarters:?}");
    }

    /// Of 300 clients that lose their server at the same moment, no tenth of the pause sees more than a third again.
    #[test]
    fn clients_of_a_server_that_restarts_come_back_spread_over_half_a_pause() {
        let mut tenths = [0_u32; 5];
        for _ in 0..300 {
            let pause =
                Backoff::between(Duration::from_secs(1), Duration::from_secs(60)).pause(Duration::ZERO);
            let tenth = (pause.as_secs_f64() - 0.5) / 0.1;
            tenths[(tenth as usize).min(4)] += 1;
        }
        assert!(tenths.iter().all(|clients| *clients <= 100), "{tenths:?}");
    }
}
