//! A feed that is rebuilt from the tape goes on with exactly the steps that are still to come.

use crate::script::{START, instrument, price, rules};
use domain::{Decimal, Interval, Timestamp};
use events::{Candle, CandleEvent, Event, QuoteAsked, TimeEvent, TimePassed, WakeAsked};
use market_data::{Feed, Market, Memory};
use service::Steps;
use std::{collections::BTreeMap, time::Duration};

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

const SYMBOLS: [&str; 3] = ["ADA", "BTC", "ETH"];

/// Some series with every fault that recorded candles have been seen to have.
fn market(seed: u64) -> Memory {
    let mut random = Random(seed);
    let mut candles = Vec::new();
    for symbol in SYMBOLS {
        for interval in [Interval::Hour1, Interval::Hour2, Interval::Hour6] {
            if random.below(3) > 0 {
                candles.extend(series(symbol, interval, &mut random));
            }
        }
    }
    candles.extend(series("BTC", Interval::Hour4, &mut random));
    Memory::new(candles)
}

fn series(symbol: &str, interval: Interval, random: &mut Random) -> Vec<Candle> {
    let mut out: Vec<Candle> = Vec::new();
    let mut open_time = START + interval.length() * random.below(4) as u32;
    for _ in 0..5 + random.below(9) {
        let open = 100 + random.below(50) as i64;
        let candle = Candle {
            instrument: instrument(symbol),
            interval,
            open_time,
            open: price(open),
            high: price(open + 5),
            low: price(open - 5),
            close: price(open + 1),
            volume: Decimal::ONE,
        };
        open_time = candle.close_time();
        match random.below(12) {
            0 => open_time = open_time + interval.length() * (1 + random.below(5) as u32),
            1 => out.push(Candle { high: price(1), ..candle }),
            2 => out.extend([candle, candle]),
            3 => out.extend([candle, Candle { close: price(open + 2), ..candle }]),
            4 => out.push(Candle { open_time: candle.open_time + Duration::from_secs(60), ..candle }),
            5 if !out.is_empty() => {
                let old = out[random.below(out.len() as u64) as usize];
                out.extend([candle, old]);
            }
            _ => out.push(candle),
        }
    }
    out
}

/// What the units say in answer to the `step`-th step, which is the same after any crash.
fn reactions(seed: u64, step: usize, now: Timestamp) -> Vec<Event> {
    let mut random = Random(seed ^ (step as u64).wrapping_mul(0x5851_f42d_4c95_7f2d));
    (0..random.below(3))
        .map(|_| match random.below(4) {
            0 => WakeAsked { at: now + Duration::from_secs(600 * random.below(40)) }.into(),
            // A wake in the past is rare, or time would never go on.
            1 if random.below(4) == 0 => WakeAsked { at: now - Duration::from_secs(60) }.into(),
            _ => QuoteAsked { instrument: instrument(SYMBOLS[random.below(3) as usize]) }.into(),
        })
        .collect()
}

/// An event of the tape, and the step to which it belongs.
type Tape = Vec<(usize, Timestamp, Event)>;

#[derive(Clone, Copy)]
struct Run {
    seed: u64,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    /// Whether the feed also hears what it has said itself.
    echo: bool,
}

impl Run {
    fn feed(&self) -> Feed {
        let rules = SYMBOLS.iter().map(|s| (instrument(s), rules(s))).collect();
        Feed::new(Box::new(market(self.seed)), rules, self.from, self.to)
    }

    /// Lets the units finish what they say in answer to the tape's last step, then plays to the end.
    fn play(&self, mut feed: Feed, mut tape: Tape) -> Tape {
        let mut events = Vec::new();
        let mut step = tape.last().map_or(0, |(step, _, _)| *step);
        let mut own = tape.iter().filter(|(s, _, e)| *s == step && !is_reaction(e)).count();
        loop {
            if step > 0 {
                let now = tape.last().map_or(START, |(_, now, _)| *now);
                let said = tape.iter().filter(|(s, _, _)| *s == step).count() - own;
                for event in reactions(self.seed, step, now).into_iter().skip(said) {
                    feed.apply(now, &event);
                    tape.push((step, now, event));
                }
            }
            let when = feed.when().unwrap();
            let Some(now) = feed.next_into(&mut events).unwrap() else {
                assert_eq!(when, None);
                return tape;
            };
            assert_eq!(when, Some(now));
            step += 1;
            own = events.len();
            for event in events.drain(..) {
                if self.echo {
                    feed.apply(now, &event);
                }
                tape.push((step, now, event));
            }
        }
    }
}

fn is_reaction(event: &Event) -> bool {
    matches!(event, Event::Time(TimeEvent::WakeAsked(_)) | Event::Quote(events::QuoteEvent::Asked(_)))
}

/// Places at which a run may have been cut: a step is one commit, what units say are others.
fn cuts(tape: &Tape) -> Vec<usize> {
    (0..=tape.len())
        .filter(|at| match (at.checked_sub(1).and_then(|before| tape.get(before)), tape.get(*at)) {
            (Some((before, _, _)), Some((after, _, event))) => before != after || is_reaction(event),
            _ => true,
        })
        .collect()
}

fn runs() -> impl Iterator<Item = Run> {
    (1..=50).map(|seed| {
        let at = |hours: u64| START + Duration::from_secs(1_800 * hours);
        let from = (seed % 3 == 0).then(|| at(seed % 17));
        let to = (seed % 4 == 0).then(|| at(20 + seed));
        Run { seed, from, to, echo: seed % 2 == 0 }
    })
}

#[test]
fn a_feed_rebuilt_from_the_tape_at_any_cut_gives_the_same_steps() {
    for run in runs() {
        let whole = run.play(run.feed(), Tape::new());
        for cut in cuts(&whole) {
            let mut feed = run.feed();
            whole[..cut].iter().for_each(|(_, now, event)| feed.apply(*now, event));
            let resumed = run.play(feed, whole[..cut].to_vec());
            assert!(resumed == whole, "seed {}, cut at {cut} of {}", run.seed, whole.len());
        }
    }
}

#[test]
fn a_feed_restored_from_its_state_gives_the_same_steps() {
    for run in runs() {
        let whole = run.play(run.feed(), Tape::new());
        let mut followed = run.feed();
        for cut in 0..=whole.len() {
            if cuts(&whole).binary_search(&cut).is_ok() {
                let mut feed = run.feed();
                feed.restore(&followed.snapshot()).unwrap();
                let resumed = run.play(feed, whole[..cut].to_vec());
                assert!(resumed == whole, "seed {}, cut at {cut} of {}", run.seed, whole.len());
            }
            if let Some((_, now, event)) = whole.get(cut) {
                followed.apply(*now, event);
            }
        }
    }
}

#[test]
fn what_is_no_snapshot_of_a_feed_is_refused_and_teaches_nothing() {
    let run = runs().next().unwrap();
    let mut feed = run.feed();
    assert!(feed.restore(b"{}").is_err());
    assert!(feed.restore(b"rubbish").is_err());
    assert!(run.play(feed, Tape::new()) == run.play(run.feed(), Tape::new()));
}

#[test]
fn a_standby_that_follows_the_tape_takes_over_at_any_step() {
    for run in runs() {
        let whole = run.play(run.feed(), Tape::new());
        for cut in cuts(&whole).into_iter().filter(|cut| *cut > 0) {
            // It has looked at the market before it began to follow.
            let mut standby = run.feed();
            standby.next_step().unwrap();
            whole[..cut].iter().for_each(|(_, now, event)| standby.apply(*now, event));
            let resumed = run.play(standby, whole[..cut].to_vec());
            assert!(resumed == whole, "seed {}, cut at {cut} of {}", run.seed, whole.len());
        }
    }
}

#[test]
fn time_never_runs_backwards_and_no_candle_is_lost_doubled_or_early() {
    for run in runs() {
        let tape = run.play(run.feed(), Tape::new());
        let mut clock = Timestamp::ZERO;
        let mut last: BTreeMap<_, Timestamp> = BTreeMap::new();
        let mut judged = 0;
        for (_, now, event) in &tape {
            match event {
                Event::Time(TimeEvent::Passed(TimePassed { now: passed })) => {
                    assert_eq!(passed, now);
                    assert!(*passed >= clock, "seed {}", run.seed);
                    clock = *passed;
                }
                Event::Candle(CandleEvent::Closed(closed)) => {
                    let series = (closed.candle.instrument, closed.candle.interval);
                    let before = last.insert(series, closed.candle.open_time);
                    assert!(
                        before.is_none_or(|before| before < closed.candle.open_time),
                        "seed {}",
                        run.seed
                    );
                    assert_eq!(closed.candle.close_time(), *now, "seed {}", run.seed);
                    judged += 1;
                }
                Event::Candle(CandleEvent::Refused(_) | CandleEvent::Differs(_)) => judged += 1,
                _ => {}
            }
            assert!(run.to.is_none_or(|to| *now <= to), "seed {}", run.seed);
        }
        if run.from.is_none() && run.to.is_none() {
            assert_eq!(judged, raw_candles(run.seed), "seed {}", run.seed);
        }
    }
}

fn raw_candles(seed: u64) -> usize {
    let mut market = market(seed);
    (0..market.series().len()).map(|index| std::iter::from_fn(|| market.next(index).unwrap()).count()).sum()
}
