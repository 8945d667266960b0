//! One series, whatever the order of arrival.

use super::{candle, machine, minute, series, word};
use domain::Timestamp;
use events::{Candle, Event};
use market_data::live::Sequence;
use std::{collections::BTreeSet, time::Duration};

/// `s5` the stream tells the close of 5; `r3-5` REST is asked in 5's minute and has 3 to 5, the last one unfinished;
/// `!` a fault in it. `from` is the last minute on the tape.
fn check(from: i64, script: &str, expected: &str) {
    let mut sequence = Sequence::new(series(), Some(candle(from)), Timestamp::ZERO);
    let mut said = Vec::new();
    for step in script.split_whitespace() {
        play(&mut sequence, step, &mut said);
    }
    let said: Vec<String> = said.iter().map(word).collect();
    assert_eq!(said.join(" / "), expected, "{script}");
}

fn play(sequence: &mut Sequence, step: &str, said: &mut Vec<Event>) {
    let (kind, rest) = step.split_at(1);
    match kind {
        "s" => {
            let n: i64 = rest.trim_end_matches('!').parse().unwrap();
            let mut told = candle(n);
            if rest.ends_with('!') {
                std::mem::swap(&mut told.high, &mut told.low);
            }
            sequence.heard(minute(n + 1), told, said);
        }
        "d" => {
            let n: i64 = rest.parse().unwrap();
            sequence.heard(minute(n + 1), Candle { volume: 7_777.into(), ..candle(n) }, said);
        }
        // Early: the venue cannot have closed it.
        "e" => {
            let n: i64 = rest.parse().unwrap();
            sequence.heard(minute(n), candle(n), said);
        }
        "r" => {
            let (first, last) = rest.split_once('-').unwrap();
            let (first, last): (i64, i64) = (first.parse().unwrap(), last.parse().unwrap());
            let unfinished = Candle { volume: 0.into(), ..candle(last) };
            let rows = (first..last).map(candle).chain([unfinished]);
            sequence.fetched(minute(last) + Duration::from_secs(30), rows.collect(), said);
        }
        other => panic!("{other}"),
    }
}

#[test]
fn candles_are_said_once_and_in_order() {
    check(4, "s5 s6 s7", "5 / 6 / 7");
    check(4, "s5 s5 s6 s5 s6 s4", "5 / 6");
    check(4, "s5 d5 s6", "5 / differs 5 / 6");
    check(4, "s6", "");
    check(4, "s6 s5", "5 / 6");
    check(4, "s6 s8 r5-7 s7", "5 / 6 / 7 / 8");
    check(4, "s6 r5-7", "5 / 6");
    check(4, "r5-7 s5 s6 s7", "5 / 6 / 7");
    check(4, "s5 r5-7 s6 s7", "5 / 6 / 7");
}

#[test]
fn a_candle_is_missing_only_if_rest_knows_a_later_one() {
    // REST tells nothing of 5: it may not know it yet.
    check(4, "s6 r5-5 s7", "");
    check(4, "s6 r6-7", "missing 5..6 / 6");
    check(4, "r7-9", "missing 5..7 / 7 / 8");
    // It knows of 6, but not that 7 is none.
    check(4, "s8 r6-7", "missing 5..6 / 6");
}

#[test]
fn what_is_wrong_is_said_once_and_missing_then() {
    check(4, "s5! s5! s6 r6-7", "refused 5 Inconsistent / missing 5..6 / 6");
    check(4, "s5! r5-7", "refused 5 Inconsistent / 5 / 6");
    check(4, "e5 e5 s5", "refused 5 Partial / 5");
    check(4, "e9 s5", "refused 9 Partial / 5");
}

/// A candle that has only just closed may lack its last trades in REST's copy.
#[test]
fn rests_copy_is_taken_when_it_is_settled() {
    let mut sequence = Sequence::new(series(), Some(candle(4)), Timestamp::ZERO);
    let mut said = Vec::new();
    let just_closed = minute(6) + Duration::from_millis(1_999);
    sequence.fetched(just_closed, vec![Candle { volume: 1.into(), ..candle(5) }], &mut said);
    assert_eq!(said, []);
    sequence.heard(just_closed, candle(5), &mut said);
    sequence.fetched(minute(7) + Duration::from_secs(2), vec![candle(6), candle(7)], &mut said);
    assert_eq!(said.iter().map(word).collect::<Vec<_>>(), ["5", "6"]);
}

#[test]
fn rest_is_asked_when_the_stream_is_late_and_ever_more_seldom() {
    let mut sequence = Sequence::new(series(), Some(candle(4)), Timestamp::ZERO);
    assert_eq!(sequence.ask_at(), Timestamp::ZERO, "at the beginning, at once");
    let mut said = Vec::new();
    sequence.heard(minute(6), candle(5), &mut said);
    assert_eq!(sequence.ask_at(), minute(7) + Duration::from_secs(3), "a while after the next one's close");
    let mut pauses = Vec::new();
    for _ in 0..7 {
        let now = sequence.ask_at();
        sequence.asked(now);
        pauses.push(sequence.ask_at().since(now).as_secs());
    }
    assert_eq!(pauses, [3, 6, 12, 24, 48, 60, 60]);
    // Nothing is known to be missing until the next one should have been told.
    sequence.asked(minute(6));
    assert_eq!(sequence.ask_at(), minute(7) + Duration::from_secs(3));
    sequence.heard(minute(8), candle(7), &mut said);
    sequence.asked(minute(6));
    assert_eq!(sequence.ask_at(), minute(7), "6 is known to be missing");
    sequence.interrupted();
    assert_eq!(sequence.ask_at(), Timestamp::ZERO);
}

/// The stream drops, doubles and reorders, REST comes at odd times, is behind, or has holes of its own: in the end
/// everything that the venue has was said, once, in order, and everything that it has not was said to be missing.
#[test]
fn whatever_the_order_of_arrival_the_sequence_is_whole() {
    let told = std::env::var("TAPEDECK_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = told.unwrap_or(machine().micros() as u64);
    println!("TAPEDECK_SEED={seed}");
    let mut random = Random(seed | 1);
    for _ in 0..2_000 {
        let last = 5 + random.below(40) as i64;
        let holes: BTreeSet<i64> = (1..last).filter(|_| random.below(10) == 0).collect();
        let mut sequence = Sequence::new(series(), Some(candle(0)), Timestamp::ZERO);
        let mut said = Vec::new();
        let mut stream: Vec<i64> = (1..=last).filter(|n| !holes.contains(n)).collect();
        for _ in 0..random.below(6) {
            let (a, b) =
                (random.below(stream.len() as u64) as usize, random.below(stream.len() as u64) as usize);
            match random.below(3) {
                0 => stream.swap(a, b),
                1 => stream.insert(a, stream[b]),
                _ => _ = stream.remove(a),
            }
            if stream.is_empty() {
                break;
            }
        }
        let rest = |now: i64, from: i64| -> Vec<Candle> {
            (from..=now).filter(|n| !holes.contains(n)).map(candle).collect()
        };
        for n in stream {
            sequence.heard(minute(n + 1), candle(n), &mut said);
            if random.below(4) == 0 {
                // Of a server that may be behind.
                let now = n + 1 - random.below(3) as i64;
                let from = sequence.next_open().millis() / 60_000 - super::START;
                sequence.fetched(minute(now) + Duration::from_secs(30), rest(now, from), &mut said);
            }
        }
        let from = sequence.next_open().millis() / 60_000 - super::START;
        sequence.fetched(minute(last + 1) + Duration::from_secs(30), rest(last + 1, from), &mut said);
        let said: Vec<String> = said.iter().map(word).collect();
        assert_eq!(said, expected(last, &holes), "TAPEDECK_SEED={seed}");
    }
}

fn expected(last: i64, holes: &BTreeSet<i64>) -> Vec<String> {
    let mut said = Vec::new();
    let mut before = 0;
    for n in (1..=last).filter(|n| !holes.contains(n)) {
        if before + 1 < n {
            said.push(format!("missing {}..{n}", before + 1));
        }
        said.push(n.to_string());
        before = n;
    }
    said
}

struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most.max(1)
    }
}
