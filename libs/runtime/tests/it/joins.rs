//! Units that come to a tape on which much has happened.

use crate::{
    stage::{Backend, Stage, make, until},
    toys::{messenger, unit},
};
use events::{Clock, Event, UnitEvent};
use runtime::distributed::UnitPhase;

/// Events on the tape before anybody joins.
const HISTORY: u64 = 100_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hands_of_a_sink_that_joins_a_tape_of_100_000_events_act_on_none_of_them() {
    let mut stage = Stage::new(Backend::Memory, Clock::Wall).await;
    stage.limits.group = 512;
    stage.feed(1..=HISTORY).await;
    let make = make(messenger);
    let (sink, mut told, bring) = stage.start_with_hands(&make, "a");
    until("it runs", async || sink.is(&UnitPhase::Running) && sink.status.cursor() > HISTORY + 1).await;
    stage.feed([HISTORY + 1]).await;
    // Its own start, the candle, what it said on it: nothing that was there before.
    let mut kinds = Vec::new();
    while kinds.len() < 3 {
        kinds.push(told.recv().await.unwrap().event.event.kind().name());
    }
    assert_eq!(kinds, ["unit.started", "candle.closed", "time.wake_asked"]);
    drop(bring);
    sink.stop().await.unwrap();
    let rows = stage.rows().await;
    let said = rows.iter().filter(|row| row.source == unit("messenger"));
    let events: Vec<&Event> = said.map(|row| &row.event).collect();
    let [Event::Unit(UnitEvent::Started(started)), Event::Time(_)] = events[..] else { panic!("{events:?}") };
    assert_eq!((started.judged, started.after), (0, HISTORY + 1));
    stage.verify(vec![messenger()]).await;
}
