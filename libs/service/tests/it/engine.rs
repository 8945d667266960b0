use crate::toys::{candle, hosts, unit};
use domain::Timestamp;
use events::{Event, Recorded, UnitEvent, UnitStarted, Uuid};
use service::{Arrival, Bounds, Follower, Host, Journal, Lockstep, Walk, Walked};
use std::collections::VecDeque;

#[derive(Default)]
struct Log(Vec<Recorded>);

impl Journal for Log {
    fn record(&mut self, event: &Recorded) {
        self.0.push(event.clone());
    }
}

const TAPE: Uuid = Uuid::from_u128(7);
const BUILD: &str = "1";

fn now(n: i64) -> Timestamp {
    Timestamp::from_millis((n + 1) * 60_000)
}

/// A tape of `candles` candles, its units' cursors at the head, and their reach.
fn tape(candles: i64, every: u64) -> (Vec<Recorded>, u64) {
    let mut log = Log::default();
    let mut engine = Lockstep::new(hosts(every), Some(TAPE));
    for host in hosts(every) {
        let started = host.started(BUILD, 0, 0);
        engine.feed(host.unit(), now(0), [started.into()], &mut log);
    }
    for n in 0..candles {
        engine.feed(unit("feed"), now(n), [candle(n)], &mut log);
        engine.settle(&mut log);
    }
    let reach = engine.hosts().iter().map(Host::reach).max().unwrap();
    (log.0, reach)
}

fn walk(tape: &[Recorded], cursor: u64, reach: u64, every: u64, walk: Walk) -> Walked {
    let bounds = |host: &Host| Bounds { cursor, reach, build: None, starts: starts(tape, host) };
    let hosts = hosts(every).into_iter().map(|h| (bounds(&h), h)).map(|(b, h)| (h, b)).collect();
    let mut follower = Follower::new(hosts, walk);
    for event in tape {
        follower.push(event.clone());
    }
    follower.finish(BUILD)
}

/// Every start of a unit that is on the tape.
fn starts(tape: &[Recorded], host: &Host) -> Vec<UnitStarted> {
    let of_unit = |event: &Recorded| match &event.event {
        Event::Unit(UnitEvent::Started(started)) if started.unit == host.unit() => Some(started.clone()),
        _ => None,
    };
    tape.iter().filter_map(of_unit).collect()
}

fn states(walked: &Walked) -> Vec<serde_json::Value> {
    walked.units.iter().map(|u| u.host.state()).collect()
}

#[test]
fn positions_have_no_gaps_and_every_saying_names_its_cause() {
    let (tape, _) = tape(9, 3);
    let positions: Vec<u64> = tape.iter().map(|e| e.position).collect();
    assert_eq!(positions, (1..=tape.len() as u64).collect::<Vec<_>>());
    for event in tape.iter().filter(|e| e.cause.is_some()) {
        let cause = tape.iter().find(|c| Some(c.id) == event.cause).expect("on the tape");
        assert!(cause.position < event.position);
        assert_eq!(cause.recorded_at, event.recorded_at);
    }
    assert_eq!(tape.iter().filter(|e| e.source == unit("counter") && e.cause.is_some()).count(), 3);
}

#[test]
fn what_a_position_means_is_arithmetic() {
    let (tape, reach) = tape(3, 3);
    let host = walk(&tape, 2, reach, 3, Walk::Follow).units.remove(0).host;
    assert_eq!(host.arrival(2), Arrival::Duplicate);
    assert_eq!(host.arrival(3), Arrival::Next);
    assert_eq!(host.arrival(5), Arrival::Gap { after: 2 });
}

#[test]
fn a_run_cut_anywhere_and_resumed_says_the_very_same() {
    let (whole, reach) = tape(12, 2);
    // A commit may end after any event that every unit has dealt with: cut the engine there.
    for cut in 2..whole.len() as u64 {
        let head = committed_head(&whole, cut);
        let part = &whole[..head as usize];
        let walked = walk(part, cut, reach, 2, Walk::Follow);
        assert_eq!(walked.pending.len() as u64, head - cut);
        let units = walked.units.into_iter().map(|u| u.host).collect();
        let mut engine = Lockstep::resume(units, Some(TAPE), walked.pending, head);
        let mut log = Log(part.to_vec());
        engine.settle(&mut log);
        let fed = log.0.iter().filter(|e| e.source == unit("feed")).count() as i64;
        for n in fed..12 {
            engine.feed(unit("feed"), now(n), [candle(n)], &mut log);
            engine.settle(&mut log);
        }
        assert_eq!(log.0, whole, "cut after position {cut}");
    }
}

/// Where the tape ends once everything up to `done` has been dealt with, and nothing more.
fn committed_head(whole: &[Recorded], done: u64) -> u64 {
    let last_answer = whole
        .iter()
        .filter(|e| whole[..done as usize].iter().any(|c| Some(c.id) == e.cause))
        .map(|e| e.position)
        .max();
    done.max(last_answer.unwrap_or(0))
}

#[test]
fn following_a_tape_gives_the_state_of_the_run() {
    let (whole, reach) = tape(10, 3);
    let walked = walk(&whole, whole.len() as u64, reach, 3, Walk::Follow);
    assert_eq!(
        states(&walked),
        [serde_json::json!({"candles": 10, "asked": 3}), serde_json::json!({"heard": 3, "own": 3})]
    );
    assert!(walked.units.iter().all(|u| !u.must_start));
}

#[test]
fn a_snapshot_anywhere_gives_the_same_state_as_the_whole_tape() {
    let (whole, reach) = tape(10, 3);
    let head = whole.len() as u64;
    let wanted = states(&walk(&whole, head, reach, 3, Walk::Follow));
    for cut in 1..head {
        let part_head = committed_head(&whole, cut);
        let part = walk(&whole[..part_head as usize], cut, reach, 3, Walk::Follow);
        let restored = hosts(3).into_iter().zip(&part.units).map(|(mut host, unit)| {
            host.restore(&unit.host.snapshot()).expect("its own snapshot");
            let starts = starts(&whole, &host);
            (host, Bounds { cursor: head, reach, build: Some(BUILD.to_owned()), starts })
        });
        let mut follower = Follower::new(restored.collect(), Walk::Follow);
        for event in &whole[follower.starts_after() as usize..] {
            follower.push(event.clone());
        }
        assert_eq!(states(&follower.finish(BUILD)), wanted, "snapshot at {cut}");
    }
}

#[test]
fn a_follower_stops_at_the_units_saved_cursor() {
    let (whole, reach) = tape(10, 3);
    let first_candle = whole.iter().find(|e| e.source == unit("feed")).unwrap().position;
    let walked = walk(&whole, first_candle, reach, 3, Walk::Follow);
    assert_eq!(states(&walked)[0], serde_json::json!({"candles": 1, "asked": 0}));
    assert_eq!(walked.pending.front().map(|e| e.position), Some(first_candle + 1));
}

#[test]
fn verification_finds_nothing_on_a_true_tape() {
    let (whole, reach) = tape(10, 3);
    let walked = walk(&whole, whole.len() as u64, reach, 3, Walk::Verify);
    assert_eq!(walked.differences, []);
}

#[test]
fn verification_names_an_answer_that_was_left_out_or_changed() {
    let (whole, reach) = tape(10, 3);
    let head = whole.len() as u64;
    let answer = whole.iter().position(|e| e.source == unit("counter") && e.cause.is_some()).unwrap();
    let heard = whole.iter().find(|c| Some(c.id) == whole[answer].cause).unwrap().position;

    let mut changed = whole.clone();
    changed[answer].event = candle(3);
    let found = walk(&changed, head, reach, 3, Walk::Verify).differences;
    assert_eq!((found[0].heard, found[0].position), (heard, Some(answer as u64 + 1)));

    let mut silent = whole;
    silent[answer].source = unit("feed");
    silent[answer].cause = None;
    let found = walk(&silent, head, reach, 3, Walk::Verify).differences;
    assert_eq!((found[0].heard, found[0].position), (heard, None));
    assert_eq!(found[0].recorded, "nothing");
}

#[test]
fn another_configuration_must_be_said_first_and_each_stretch_is_verified_under_its_own() {
    let (part, reach) = tape(4, 3);
    let head = part.len() as u64;
    let walked = walk(&part, head, reach, 2, Walk::Follow);
    assert!(walked.units.iter().all(|u| u.must_start));

    let mut log = Log(part);
    let starts: Vec<_> =
        walked.units.iter().map(|u| (u.host.unit(), u.host.config(), u.host.cursor())).collect();
    let units = walked.units.into_iter().map(|u| u.host).collect();
    let mut engine = Lockstep::resume(units, Some(TAPE), VecDeque::new(), head);
    for (name, config, after) in starts {
        let started = UnitStarted {
            unit: name,
            core: "toy".to_owned(),
            build: BUILD.to_owned(),
            config,
            judged: after,
            after,
        };
        engine.feed(name, now(4), [started.into()], &mut log);
    }
    for n in 4..10 {
        engine.feed(unit("feed"), now(n), [candle(n)], &mut log);
        engine.settle(&mut log);
    }
    let answers = log.0.iter().filter(|e| e.source == unit("counter") && e.cause.is_some()).count();
    assert_eq!(answers, 1 + 3);
    let cursor = log.0.len() as u64;
    let walked = walk(&log.0, cursor, reach.max(8), 2, Walk::Verify);
    assert_eq!(walked.differences, []);
    assert!(walked.units.iter().all(|u| !u.must_start));
}

#[test]
fn a_newcomer_learns_its_past_without_judging_it_and_is_verified_so() {
    // The echo joins a tape on which only the counter has spoken.
    let mut log = Log::default();
    let mut engine = Lockstep::new(hosts(3).drain(..1).collect(), Some(TAPE));
    let counter = &hosts(3)[0];
    let started = counter.started(BUILD, 0, 0);
    engine.feed(counter.unit(), now(0), [started.into()], &mut log);
    for n in 0..4 {
        engine.feed(unit("feed"), now(n), [candle(n)], &mut log);
        engine.settle(&mut log);
    }
    let head = log.0.len() as u64;
    let walked = walk(&log.0, head, 8, 3, Walk::Follow);
    let echo = walked.units.iter().find(|u| u.host.unit() == unit("echo")).expect("walked");
    assert!(echo.must_start);
    assert_eq!(echo.host.state(), serde_json::json!({"heard": 1, "own": 0}));

    let config = echo.host.config();
    let mut engine = Lockstep::resume(
        walked.units.into_iter().map(|u| u.host).collect(),
        Some(TAPE),
        VecDeque::new(),
        head,
    );
    let started = UnitStarted {
        unit: unit("echo"),
        core: "toy".to_owned(),
        build: BUILD.to_owned(),
        config,
        judged: 0,
        after: head,
    };
    engine.feed(unit("echo"), now(4), [started.into()], &mut log);
    for n in 4..10 {
        engine.feed(unit("feed"), now(n), [candle(n)], &mut log);
        engine.settle(&mut log);
    }
    let walked = walk(&log.0, log.0.len() as u64, 8, 3, Walk::Verify);
    assert_eq!(walked.differences, []);
    assert_eq!(states(&walked)[1], serde_json::json!({"heard": 3, "own": 2}));
}
