//! The live summary of a run: a few lines that redraw themselves on a terminal, plain lines elsewhere.

mod screen;
mod view;

use crate::{
    projections::{Projection, trades::Trades},
    scan,
};
use domain::{Decimal, Instrument, Timestamp};
use events::{CandleEvent, Event, Kind, QuoteEvent, Recorded};
use runtime::reached::Reached;
use screen::Screen;
use std::{
    collections::{BTreeMap, VecDeque},
    io::IsTerminal,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    time::{Duration, Instant},
};
use tape::Tape;
use tokio::{sync::watch, task::JoinHandle};
use view::{Progress, View};

/// How often the lines are redrawn.
const REDRAW: Duration = Duration::from_millis(150);
/// Over how long a rate is taken, so that it can be read.
const RATE_OVER: Duration = Duration::from_secs(5);

/// What is shown, or needed for it; prices come apart.
const SHOWN: &[Kind] = &scan::joined::<{ scan::count(LISTS) }>(LISTS);

const LISTS: &[&[Kind]] = &[
    Trades::KINDS,
    &[
        Kind::EventConflicted,
        Kind::BooksDisagree,
        Kind::SignalGiven,
        Kind::CloseRequested,
        Kind::StopMoveRequested,
        Kind::StopMoveRefused,
        Kind::OrderRejected,
        Kind::OrderStuck,
        Kind::PortfolioValued,
        Kind::TradingStateChanged,
    ],
];

pub struct Live {
    news: Sender<Recorded>,
    prices: Prices,
    done: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// The last price of each instrument. Candles are too many to be handed over one by one.
type Prices = Arc<Mutex<BTreeMap<Instrument, (Timestamp, Decimal)>>>;

impl Live {
    /// Shows what the tape already holds, and from then on whatever the observer is given.
    ///
    /// # Errors
    /// The tape cannot be read.
    pub async fn start(
        tape: &Tape,
        reached: &Reached,
        candles: u64,
        quiet: bool,
        line_every: Duration,
    ) -> anyhow::Result<Self> {
        let (news, heard) = channel();
        let (done, finished) = watch::channel(false);
        let prices = Prices::default();
        let showing = Showing {
            tape: tape.clone(),
            until: tape.head().await?.position,
            heard,
            prices: prices.clone(),
            reached: reached.clone(),
            candles,
            quiet,
            line_every,
        };
        let task = tokio::spawn(showing.run(finished));
        Ok(Self { news, prices, done, task })
    }

    /// Takes what is worth showing.
    pub fn observer(&self) -> Box<dyn FnMut(&Recorded) + Send> {
        let (news, prices) = (self.news.clone(), self.prices.clone());
        Box::new(move |event| {
            let (instrument, at, price) = match &event.event {
                Event::Candle(CandleEvent::Closed(e)) => {
                    (e.candle.instrument, e.candle.close_time(), e.candle.close)
                }
                Event::Quote(QuoteEvent::Seen(e)) => (e.instrument, e.at, e.price),
                other => {
                    if is_shown(other) {
                        // Nobody is left to look: no harm.
                        let _ = news.send(event.clone());
                    }
                    return;
                }
            };
            lock(&prices).insert(instrument, (at, price.get()));
        })
    }

    pub async fn finish(self) {
        let _ = self.done.send(true);
        let _ = self.task.await;
    }
}

fn is_shown(event: &Event) -> bool {
    SHOWN.contains(&event.kind())
}

struct Showing {
    tape: Tape,
    until: u64,
    heard: Receiver<Recorded>,
    prices: Prices,
    reached: Reached,
    candles: u64,
    quiet: bool,
    /// How often a plain line is printed.
    line_every: Duration,
}

impl Showing {
    async fn run(self, mut finished: watch::Receiver<bool>) {
        let view = Arc::new(Mutex::new(View::default()));
        // What is on the tape already; a tape that cannot be read is the engine's to report.
        let past = view.clone();
        let _ = scan::kinds(&self.tape, SHOWN, self.until, |event| lock(&past).see(event)).await;
        let mut screen = (!self.quiet && std::io::stderr().is_terminal()).then(Screen::new);
        let mut rate = Rate::default();
        let mut last_line = Instant::now();
        let mut coming: VecDeque<Recorded> = VecDeque::new();
        loop {
            let over = tokio::select! {
                () = tokio::time::sleep(REDRAW) => false,
                _ = finished.wait_for(|f| *f) => true,
            };
            let mut view = lock(&view);
            coming.extend(self.heard.try_iter());
            // What is not on the tape yet may never be: on a full disk, say.
            while let Some(event) = coming.pop_front_if(|event| event.position <= self.reached.head()) {
                view.see(&event);
            }
            for (instrument, (at, price)) in lock(&self.prices).iter() {
                view.trades.price(*instrument, *at, *price);
            }
            let progress = Progress {
                now: self.reached.time(),
                position: self.reached.head(),
                candles: self.reached.candles(),
                of: self.candles,
                per_second: rate.see(Instant::now(), self.reached.candles()),
            };
            view.pass_to(progress.now);
            let begun = progress.position > 0;
            match &mut screen {
                Some(screen) => screen.draw(|width| view.lines(&progress, width)),
                None if begun && !self.quiet && (over || last_line.elapsed() >= self.line_every) => {
                    last_line = Instant::now();
                    tell!("{}", view.line(&progress));
                }
                None => {}
            }
            if over {
                break;
            }
        }
        if let Some(screen) = &mut screen {
            screen.clear();
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Candles a second over the last seconds, told anew once a second.
#[derive(Default)]
struct Rate {
    seen: VecDeque<(Instant, u64)>,
    told: u64,
}

impl Rate {
    fn see(&mut self, now: Instant, count: u64) -> u64 {
        let due = self.seen.back().is_none_or(|(at, _)| now.duration_since(*at) >= Duration::from_secs(1));
        if !due {
            return self.told;
        }
        self.seen.push_back((now, count));
        while self.seen.len() > 2
            && self.seen.front().is_some_and(|(at, _)| now.duration_since(*at) > RATE_OVER)
        {
            self.seen.pop_front();
        }
        if let Some((at, before)) = self.seen.front() {
            let seconds = now.duration_since(*at).as_secs_f64();
            if seconds > 0.0 {
                self.told = (count.saturating_sub(*before) as f64 / seconds).round() as u64;
            }
        }
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_whole_number_that_stands_still_for_a_second() {
        let (mut rate, begun) = (Rate::default(), Instant::now());
        let at = |ms: u64| begun + Duration::from_millis(ms);
        assert_eq!(rate.see(at(0), 0), 0);
        assert_eq!(rate.see(at(1_000), 865), 865);
        assert_eq!(rate.see(at(1_150), 9_000), 865, "not yet");
        assert_eq!(rate.see(at(2_000), 1_711), 856);
        assert_eq!(rate.see(at(30_000), 1_711), 0, "it stands still");
    }
}
