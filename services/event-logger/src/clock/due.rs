//! Which instants are due: a pure function of what is on the tape.

use domain::Timestamp;
use events::{Event, TimeEvent};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, time::Duration};

const MINUTE: i64 = 60_000_000;
const INSTANT: Duration = Duration::from_micros(1);

/// What was asked for and not said yet.
///
/// Invariant: every instant in `asked` lies after `said`, so no instant is said twice, and whoever
/// asked hears one that was recorded after the asking.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    asked: BTreeSet<Timestamp>,
    /// The latest instant that was said.
    said: Option<Timestamp>,
}

impl Due {
    /// Hears the next event of the tape. An instant that has passed when it is asked for is due at
    /// the next one that has not been said.
    ///
    /// `recorded_at` is the tape's time, by which everybody judges whether an instant has come: one
    /// that was said before the tape's clock had reached it is still pending.
    pub fn hear(&mut self, recorded_at: Timestamp, event: &Event) {
        match event {
            Event::Time(TimeEvent::WakeAsked(e)) => self.ask(e.at),
            Event::Time(TimeEvent::Passed(e)) => self.pass(e.now, recorded_at),
            _ => {}
        }
    }

    fn ask(&mut self, at: Timestamp) {
        self.asked.insert(self.said.map_or(at, |said| at.max(said + INSTANT)));
    }

    fn pass(&mut self, now: Timestamp, recorded_at: Timestamp) {
        self.said = self.said.max(Some(now));
        let asked = std::mem::take(&mut self.asked);
        let answered = now.min(recorded_at);
        asked.into_iter().filter(|at| *at > answered).for_each(|at| self.ask(at));
    }

    /// What is to be said at `now`, in order, at most `limit`: every instant asked for, and the last
    /// whole minute. Minutes that nobody was there to say are not made up for.
    pub fn at(&self, now: Timestamp, limit: usize) -> Vec<Timestamp> {
        let mut due: BTreeSet<Timestamp> = self.asked.range(..=now).copied().collect();
        due.extend(Some(minute(now)).filter(|minute| self.said.is_none_or(|said| *minute > said)));
        due.into_iter().take(limit).collect()
    }

    /// When there is something to say next; after `now`, if [`Due::at`] has nothing left then.
    pub fn next(&self, now: Timestamp) -> Timestamp {
        let minute = minute(now) + Duration::from_micros(MINUTE.unsigned_abs());
        self.asked.first().map_or(minute, |first| minute.min(*first))
    }
}

/// The whole minute at or before.
fn minute(now: Timestamp) -> Timestamp {
    Timestamp::from_micros(now.micros() - now.micros().rem_euclid(MINUTE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{TimePassed, WakeAsked};

    fn s(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    /// `ask 5`, `pass 60`, or `pass 60 @59`: recorded when the tape's clock showed 59. Seconds.
    fn heard(script: &str) -> Due {
        let mut due = Due::default();
        for line in script.split(" / ").filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split(' ').collect();
            let at = s(words[1].parse().unwrap());
            let recorded_at = words.get(2).map_or(at, |w| s(w.trim_start_matches('@').parse().unwrap()));
            let event: Event = match words[0] {
                "ask" => WakeAsked { at }.into(),
                "pass" => TimePassed { now: at }.into(),
                other => panic!("{other}"),
            };
            due.hear(recorded_at, &event);
        }
        due
    }

    fn check(script: &str, now: i64, due: &[f64]) {
        let wanted: Vec<Timestamp> =
            due.iter().map(|s| Timestamp::from_micros((s * 1e6).round() as i64)).collect();
        assert_eq!(heard(script).at(s(now), 100), wanted, "'{script}' at {now}");
    }

    #[test]
    fn the_last_whole_minute_is_said_once() {
        check("", 125, &[120.0]);
        check("pass 120", 125, &[]);
        check("pass 120", 180, &[180.0]);
        check("pass 60", 3_725, &[3_720.0]);
    }

    #[test]
    fn every_instant_asked_for_is_said_in_order_and_once() {
        check("pass 60 / ask 70 / ask 65 / ask 70 / ask 90", 80, &[65.0, 70.0]);
        check("pass 60 / ask 70 / ask 65 / pass 65 / pass 70", 80, &[]);
        check("pass 60 / ask 65", 130, &[65.0, 120.0]);
        check("pass 60 / ask 65 / pass 120", 130, &[]);
    }

    #[test]
    fn who_asks_too_late_hears_the_next_instant_that_was_not_said() {
        check("pass 60 / ask 30", 61, &[60.000_001]);
        check("pass 60 / ask 60", 61, &[60.000_001]);
        check("pass 60 / ask 30 / ask 60", 61, &[60.000_001]);
        check("ask 30", 61, &[30.0, 60.0]);
    }

    #[test]
    fn what_was_said_before_the_tapes_clock_reached_it_is_still_owed() {
        check("pass 60 / ask 65 / pass 65 @64", 66, &[65.000_001]);
        check("pass 60 / ask 65 / pass 65 @64 / pass 66", 66, &[]);
    }

    #[test]
    fn it_knows_when_there_is_something_to_say_next() {
        assert_eq!(heard("pass 60").next(s(61)), s(120));
        assert_eq!(heard("pass 60 / ask 70").next(s(61)), s(70));
        assert_eq!(heard("pass 60 / ask 170").next(s(61)), s(120));
        assert_eq!(heard("").next(s(-1)), s(0));
    }

    #[test]
    fn a_state_is_read_back_and_a_limit_is_kept() {
        let due = heard("pass 60 / ask 70 / ask 65");
        let json = serde_json::to_string(&due).unwrap();
        assert_eq!(serde_json::from_str::<Due>(&json).unwrap(), due);
        assert_eq!(due.at(s(80), 1), [s(65)]);
        assert_eq!(due.at(s(80), 2), [s(65), s(70)]);
    }
}
