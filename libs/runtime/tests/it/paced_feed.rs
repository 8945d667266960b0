//! A market played for distributed units.

use crate::toys::{candle, unit};
use domain::{Instrument, Timestamp};
use events::{CandleEvent, Event, Kind, Uuid};
use runtime::{
    distributed::{Limits, UnitStatus, leadership::Leadership},
    market::Pace,
    paced_feed::PacedFeed,
};
use service::Steps;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tape::Tape;
use tokio::sync::watch;

const STEPS: u64 = 6;

/// One candle a step. As a real feed it goes on in its state when it is asked for the next step.
#[derive(Default)]
struct Toy {
    taken: u64,
    said: (Timestamp, u64),
}

impl Steps for Toy {
    type Error = Infallible;

    fn hears(kind: Kind) -> bool {
        kind == Kind::CandleClosed
    }
    fn apply(&mut self, now: Timestamp, event: &Event) {
        if let Event::Candle(CandleEvent::Closed(_)) = event {
            self.said = if self.said.0 == now { (now, self.said.1 + 1) } else { (now, 1) };
            self.taken = self.taken.max(u64::try_from(now.millis() / 60_000).unwrap());
        }
    }
    fn when(&mut self) -> Result<Option<Timestamp>, Infallible> {
        let next = Timestamp::from_millis((self.taken as i64 + 1) * 60_000);
        Ok((self.taken < STEPS).then_some(next))
    }
    fn next_into(&mut self, events: &mut Vec<Event>) -> Result<Option<Timestamp>, Infallible> {
        events.clear();
        if self.taken == STEPS {
            return Ok(None);
        }
        self.taken += 1;
        events.push(candle(self.taken));
        Ok(Some(Timestamp::from_millis(self.taken as i64 * 60_000)))
    }
    fn goes_on(&mut self, _: Option<Instrument>) -> Result<bool, Infallible> {
        Ok(self.taken < STEPS)
    }
    fn ended(&self) -> usize {
        usize::from(self.taken == STEPS)
    }
    fn said(&self) -> (Timestamp, u64) {
        self.said
    }
    fn snapshot(&self) -> Vec<u8> {
        serde_json::to_vec(&(self.taken, self.said)).unwrap()
    }
    fn restore(&mut self, snapshot: &[u8]) -> serde_json::Result<()> {
        (self.taken, self.said) = serde_json::from_slice(snapshot)?;
        Ok(())
    }
}

/// Plays at a pace, until `enough` says so of the tape's end or the market is over.
async fn play(tape: &Tape, pace: Pace, enough: u64) {
    let feed = unit("feed");
    let leadership = Leadership {
        tape: tape.clone(),
        bus: bus::Bus::in_process(),
        unit: feed,
        owner: "a".to_owned(),
        lease: Duration::from_secs(30),
        status: UnitStatus::new(feed, "a"),
        limits: Limits::default(),
        opens: true,
    };
    let over = watch::Sender::new(false);
    let mut is_over = over.subscribe();
    let paced_feed = PacedFeed {
        leadership,
        make: Arc::new(|| Ok(Toy::default())),
        units: Vec::new(),
        describe: "toy".to_owned(),
        tape_id: Uuid::from_u128(7),
        build: "one".to_owned(),
        pace,
        over,
    };
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(paced_feed.run(stopped));
    let mut commits = tape.watch();
    tokio::select! {
        _ = is_over.wait_for(|over| *over) => {}
        _ = commits.wait_for(|head| *head >= enough) => {}
    }
    stop.send(true).unwrap();
    task.await.unwrap().unwrap();
}

async fn steps(tape: &Tape) -> Vec<(Uuid, Timestamp)> {
    let rows = tape.read(1, usize::MAX).await.unwrap();
    rows.iter().map(|row| (row.draft.id, row.recorded_at)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_was_read_and_not_said_is_said_by_the_next() {
    let whole = Tape::memory();
    play(&whole, Pace::Max, u64::MAX).await;
    let whole = steps(&whole).await;
    assert_eq!(whole.len() as u64, STEPS);

    let tape = Tape::memory();
    // Each is stopped while it waits for the time of a step that it has read.
    for enough in 2..=STEPS {
        play(&tape, Pace::Times(1.0), enough).await;
    }
    play(&tape, Pace::Max, u64::MAX).await;
    assert_eq!(steps(&tape).await, whole, "the same steps, once each, under the same ids");
}
