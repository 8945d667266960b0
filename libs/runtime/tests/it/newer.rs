//! Events that only a newer build can read.

use crate::stage::{Backend, Running, SHORT, Stage, fed, make, makes, now, until};
use crate::toys::{counter, unit};
use events::{Clock, Draft, Uuid};
use runtime::distributed::{UnitPhase, ready};

/// A kind that the counter hears, in a version that it does not know.
fn newer_candle() -> Draft {
    Draft { id: Uuid::from_u128(99), schema: 99, body: "{\"shape\":\"new\"}".to_owned(), ..fed(99) }
}

fn unheard_of() -> Draft {
    Draft { id: Uuid::from_u128(98), kind: "candle.dreamt".into(), ..newer_candle() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_schema_of_what_it_hears_makes_a_unit_unready_and_it_does_not_move_past() {
    let mut stage = Stage::new(Backend::Memory, Clock::Wall).await;
    stage.lease = SHORT;
    let units: Vec<Running> = makes(1).iter().map(|make| stage.start(make, "a")).collect();
    stage.feed([1]).await;
    stage.quiet(3).await;
    // In one commit, so that what comes before it is heard in one piece with it.
    let rows = stage.append(vec![fed(2), fed(3), newer_candle(), fed(4)], now(4)).await;
    let newer = rows[2].position;
    until("it is cut off", async || units[0].trouble().is_some()).await;
    let why = units[0].trouble().unwrap_or_default();
    assert!(why.contains(&format!("position {newer}:")) && why.contains("upgrade"), "{why}");
    // What came before is answered, what came after is not.
    until("the others have heard on", async || {
        let (echo, adder) = (stage.cursor("echo").await, stage.cursor("adder").await);
        echo.position == stage.head().await && adder.position == stage.head().await
    })
    .await;
    let rows = stage.tape.read(0, 1_000).await.unwrap();
    assert_eq!(
        rows.iter().filter(|r| r.draft.source == unit("counter") && r.draft.cause.is_some()).count(),
        3
    );
    assert_eq!(stage.cursor("counter").await.position, newer - 1);
    assert!(units[1].is(&UnitPhase::Running) && units[2].is(&UnitPhase::Running));

    // It stays alive and asks again, but never gets further; anybody may take its place.
    let status: Vec<_> = units.iter().map(|unit| unit.status.clone()).collect();
    assert!(!ready(&status).0);
    let fence = stage.cursor("counter").await.fence;
    until("it has tried again", async || stage.cursor("counter").await.fence > fence + 2).await;
    assert_eq!(stage.cursor("counter").await.position, newer - 1);
    until("a newer build gets the lease", async || {
        stage.tape.acquire(unit("counter"), "newer", crate::stage::LONG, false).await.is_ok()
    })
    .await;
    until("it is cut off still", async || {
        units[0].trouble().is_some_and(|why| why.contains("upgrade"))
            && stage.cursor("counter").await.owner.as_deref() == Some("newer")
    })
    .await;
    for unit in units {
        unit.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_unit_does_not_hear_need_not_be_understood_now_or_in_recovery() {
    let stage = Stage::new(Backend::Memory, Clock::Wall).await;
    stage.feed(1..=3).await;
    stage.append(vec![unheard_of()], now(3)).await;
    stage.feed(4..=6).await;
    let make = make(|| counter(1));
    let live = stage.start(&make, "a");
    stage.quiet(1).await;
    live.kill().await;
    stage.tape.forget_snapshots().await.unwrap();
    let recovered = stage.start(&make, "a");
    stage.feed(7..=9).await;
    stage.quiet(1).await;
    assert!(recovered.is(&UnitPhase::Running));
    let rows = stage.tape.read(0, 1_000).await.unwrap();
    let mut said = rows.iter().filter(|r| r.draft.source == unit("counter") && r.draft.cause.is_some());
    let last = said.next_back().unwrap().decode().unwrap().event.body();
    // Nine candles, and eight times said before: nothing was forgotten.
    assert!(last.contains("\"count\":9") && last.contains("00.008Z"), "{last}");
}
