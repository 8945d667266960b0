//! A process may end at any moment, and the next one goes on as if nothing had happened.

use crate::support::*;
use std::time::{Duration, Instant};
use tape::{Mode, Tape};

/// Long enough that snapshots are written on the way.
const LONG: &str = "synthetic:3:700";
const TAPE: &str = "tapedeck-data/synthetic-3-700.tape";

/// How often the process is killed: `TAPEDECK_KILLS`, else a few times.
fn kills() -> usize {
    std::env::var("TAPEDECK_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(8)
}

#[tokio::test]
async fn a_run_that_is_killed_at_random_moments_ends_with_the_head_of_one_undisturbed() {
    let calm = Place::new();
    let begun = Instant::now();
    calm.run(&up(LONG)).well();
    let (took, whole) = (begun.elapsed(), calm.head());
    let mut seed = Seed::new("kills");
    let mut left = kills();
    while left > 0 {
        let place = Place::new();
        let life = Life { place: &place, end: whole.position, took };
        let landed = life.kill(&mut seed, left).await;
        assert_eq!(place.run(&(up(LONG) + " --json")).well().head(), whole);
        assert_eq!(place.run("verify --json").well().head(), whole);
        left -= landed;
        println!("{landed} kills landed in the middle of the run, {left} are left");
    }
}

#[test]
fn a_tape_that_is_killed_while_it_is_being_made_is_made_after_all() {
    let place = Place::new();
    let mut seed = Seed::new("kills at the beginning");
    for _ in 0..12 {
        let mut run = place.start(&up(MARKET));
        std::thread::sleep(Duration::from_micros(seed.below(40_000)));
        run.kill();
    }
    assert_eq!(place.run(&(up(MARKET) + " --json")).well().head(), Place::finished().head());
    place.run("verify").well();
}

#[tokio::test]
async fn a_changed_configuration_is_taken_up_once_whenever_it_is_killed() {
    let begun = || {
        let place = Place::new();
        place.run(&format!("{} --to 2025-01-01", up(LONG))).well();
        place.write("tapedeck.toml", "[edges.edge70]\nlong = 40\n[edges.edge60]\nenabled = true\n");
        place
    };
    let (calm, place) = (begun(), begun());
    let begun = Instant::now();
    calm.run(&up(LONG)).well();
    let (took, whole) = (begun.elapsed(), calm.head());
    let life = Life { place: &place, end: whole.position, took };
    life.kill(&mut Seed::new("kills under another configuration"), 3).await;
    assert_eq!(place.run(&(up(LONG) + " --json")).well().head(), whole);
}

/// One tape from its beginning to its end.
struct Life<'a> {
    place: &'a Place,
    /// The last position of an undisturbed run, and how long that took.
    end: u64,
    took: Duration,
}

impl Life<'_> {
    /// Kills the run up to `most` times and starts it again; how many of the kills came before its end.
    /// One in four comes soon after the start, in the middle of recovery; the others come when the
    /// tape has reached a position taken by chance, and a moment more.
    async fn kill(&self, seed: &mut Seed, most: usize) -> usize {
        let (mut landed, mut position) = (0, self.position().await);
        let left = (self.end - position) * 9 / 10;
        let mut moments: Vec<u64> = (0..most).map(|_| position + seed.below(left)).collect();
        moments.sort_unstable();
        for moment in moments {
            let mut run = self.place.start(&up(LONG));
            let longest = if seed.below(4) == 0 {
                self.took / 5
            } else {
                self.reach(moment.max(position + 1), &mut run).await;
                self.took / 20
            };
            let pause = Duration::from_micros(seed.below(longest.as_micros() as u64 + 1));
            tokio::time::sleep(pause).await;
            run.kill();
            let before = std::mem::replace(&mut position, self.position().await);
            assert!(before <= position && position <= self.end, "{before}, then {position}");
            println!("killed at position {position} of {}", self.end);
            landed += usize::from(position < self.end);
        }
        landed
    }

    /// Until the tape has come that far, or the run is over.
    async fn reach(&self, moment: u64, run: &mut Running) {
        let tape = loop {
            match self.open().await {
                Some(tape) => break tape,
                None if run.is_over() => return,
                None => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        };
        while tape.head().await.unwrap().position < moment && !run.is_over() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tape.close().await.unwrap();
    }

    /// 0 where no tape was made yet.
    async fn position(&self) -> u64 {
        let Some(tape) = self.open().await else { return 0 };
        let position = tape.head().await.unwrap().position;
        tape.close().await.unwrap();
        position
    }

    async fn open(&self) -> Option<Tape> {
        Tape::open(&format!("sqlite:{}", self.place.path(TAPE).display()), Mode::Read).await.ok()
    }
}

#[test]
fn a_run_that_is_asked_to_stop_ends_in_good_order_and_the_next_one_finishes_it() {
    let whole = Place::finished().head();
    for (speed, asked) in [("max", "TERM"), ("86400", "TERM"), ("86400", "INT")] {
        let place = Place::new();
        let mut run = place.start(&format!("up --market {MARKET} --speed {speed}"));
        let address = run.address();
        until("it plays", || (get(&address, "/ready").0 == 200).then_some(()));
        let begun = Instant::now();
        run.signal(asked);
        let (status, out) = run.end();
        assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?} to end", begun.elapsed());
        assert_eq!(status.code(), Some(0));
        assert!(out.contains("drawdown "), "it tells what came of it so far: {out}");
        let stopped_at = place.head().position;
        assert!(speed == "max" || stopped_at < whole.position, "it was stopped on the way");
        assert_eq!(place.run(&(up(MARKET) + " --json")).well().head(), whole, "speed {speed}");
    }
}

/// Beside a process that plays, everybody may read, and what they read is whole.
#[test]
fn readers_are_welcome_while_it_plays() {
    let place = Place::new();
    let mut run = place.start(&format!("up --market {MARKET} --speed 500000"));
    run.address();
    until("it plays", || (place.head().position > 500).then_some(()));
    for command in ["verify", "positions", "trades", "portfolio", "replay --json", "doctor"] {
        place.run(command).well();
    }
    let before = place.head().position;
    until("it goes on", || (place.head().position > before).then_some(()));
}
