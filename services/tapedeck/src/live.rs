//! The live summary of a run: a few lines that redraw themselves on a terminal, plain lines elsewhere.

use crate::explain::{explain, percent, show, when};
use domain::{Decimal, TradeId};
use events::{Event, OrderEvent, PortfolioEvent, Recorded, SignalEvent, TapeEvent, TradeEvent};
use indicatif::{ProgressBar, ProgressStyle};
use runtime::status::Status;
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

/// How often the lines are redrawn.
const REDRAW: Duration = Duration::from_millis(150);
/// How often a plain line is printed.
const LINE_EVERY: Duration = Duration::from_secs(5);
const NEWS: usize = 6;
const TRADES: usize = 8;

pub struct Live {
    news: Sender<Recorded>,
    done: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// What is shown.
#[derive(Default)]
struct View {
    worth: Option<String>,
    drawdown: Decimal,
    open: BTreeMap<TradeId, Line>,
    closed: u64,
    won: u64,
    profit: Decimal,
    refused: u64,
    news: VecDeque<String>,
}

struct Line {
    what: String,
    stop: Option<String>,
}

impl Live {
    /// Shows what the tape already holds, and from then on whatever the observer is given.
    ///
    /// # Errors
    /// The tape cannot be read.
    pub async fn start(tape: &Tape, status: &Status, candles: u64, quiet: bool) -> anyhow::Result<Self> {
        let (news, heard) = channel();
        let (done, finished) = watch::channel(false);
        let until = tape.head().await?.position;
        let task =
            tokio::spawn(show_all(tape.clone(), until, heard, finished, status.clone(), candles, quiet));
        Ok(Self { news, done, task })
    }

    /// Takes what is worth showing.
    pub fn observer(&self) -> Box<dyn FnMut(&Recorded) + Send> {
        let news = self.news.clone();
        Box::new(move |event| {
            if is_shown(&event.event) {
                // Nobody is left to look: no harm.
                let _ = news.send(event.clone());
            }
        })
    }

    pub async fn finish(self) {
        let _ = self.done.send(true);
        let _ = self.task.await;
    }
}

fn is_shown(event: &Event) -> bool {
    matches!(
        event,
        Event::Trade(_)
            | Event::Portfolio(_)
            | Event::Signal(_)
            | Event::Control(_)
            | Event::Tape(TapeEvent::Conflicted(_))
            | Event::Order(OrderEvent::Rejected(_) | OrderEvent::Stuck(_))
    )
}

async fn show_all(
    tape: Tape,
    until: u64,
    heard: Receiver<Recorded>,
    mut finished: watch::Receiver<bool>,
    status: Status,
    candles: u64,
    quiet: bool,
) {
    let view = Arc::new(Mutex::new(View::default()));
    // What is on the tape already; a tape that cannot be read is the engine's to report.
    let past = view.clone();
    let _ = crate::commands::views::scan_until(&tape, until, |event| {
        if is_shown(&event.event) {
            lock(&past).see(event);
        }
    })
    .await;
    let fancy = !quiet && std::io::stderr().is_terminal();
    let bar = if fancy { bar(candles) } else { ProgressBar::hidden() };
    let mut last_line = Instant::now();
    loop {
        let over = tokio::select! {
            () = tokio::time::sleep(REDRAW) => false,
            _ = finished.wait_for(|f| *f) => true,
        };
        let mut view = lock(&view);
        for event in heard.try_iter() {
            view.see(&event);
        }
        bar.set_position(status.candles());
        bar.set_message(view.lines(&status));
        let begun = status.head() > 0;
        if begun && !fancy && !quiet && (over || last_line.elapsed() >= LINE_EVERY) {
            last_line = Instant::now();
            eprintln!("{}", view.line(&status));
        }
        if over {
            break;
        }
    }
    bar.finish_and_clear();
}

fn lock(view: &Arc<Mutex<View>>) -> std::sync::MutexGuard<'_, View> {
    view.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bar(candles: u64) -> ProgressBar {
    let bar = ProgressBar::new(candles);
    let style = ProgressStyle::with_template("{wide_bar} {human_pos}/{human_len} candles, {per_sec}\n{msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

impl View {
    fn see(&mut self, event: &Recorded) {
        match &event.event {
            Event::Portfolio(PortfolioEvent::Valued(v)) => {
                self.worth = Some(format!("{} {}", show(v.equity.round_dp(2)), v.quote));
                self.drawdown = v.drawdown;
                return;
            }
            Event::Trade(trade) => self.see_trade(trade),
            Event::Signal(SignalEvent::Possible(_) | SignalEvent::Ambiguous(_)) => return,
            _ => {}
        }
        if self.news.len() == NEWS {
            self.news.pop_front();
        }
        self.news.push_back(format!("{}  {}", when(event.recorded_at), explain(&event.event)));
    }

    fn see_trade(&mut self, event: &TradeEvent) {
        match event {
            TradeEvent::Opened(e) => {
                let what = format!("{} at {}", show(e.quantity), show(e.price));
                self.open.insert(e.trade, Line { what, stop: None });
            }
            TradeEvent::Protected(e) => {
                if let Some(line) = self.open.get_mut(&e.trade) {
                    line.stop = Some(e.stop.to_string());
                }
            }
            TradeEvent::Unprotected(e) => {
                if let Some(line) = self.open.get_mut(&e.trade) {
                    line.stop = None;
                }
            }
            TradeEvent::Closed(e) => {
                self.open.remove(&e.trade);
                self.closed += 1;
                self.won += u64::from(e.profit > Decimal::ZERO);
                self.profit += e.profit;
            }
            TradeEvent::Refused(_) => self.refused += 1,
            TradeEvent::Requested(_)
            | TradeEvent::CloseRequested(_)
            | TradeEvent::StopMoveRequested(_)
            | TradeEvent::StopMoveRefused(_)
            | TradeEvent::Sized(_)
            | TradeEvent::Exiting(_)
            | TradeEvent::Aborted(_) => {}
        }
    }

    fn line(&self, status: &Status) -> String {
        format!(
            "{}  position {}  equity {}  drawdown {}  open {}  closed {} ({} won)  profit {}",
            when(status.market_time()),
            status.head(),
            self.worth.as_deref().unwrap_or("–"),
            percent(self.drawdown),
            self.open.len(),
            self.closed,
            self.won,
            show(self.profit.round_dp(2)),
        )
    }

    fn lines(&self, status: &Status) -> String {
        let mut text = self.line(status);
        for (id, line) in self.open.iter().rev().take(TRADES) {
            let stop = line.stop.as_ref().map_or_else(|| "UNPROTECTED".to_owned(), |s| format!("stop {s}"));
            text += &format!("\n  {id}  {}  {stop}", line.what);
        }
        if self.open.len() > TRADES {
            text += &format!("\n  … and {} more", self.open.len() - TRADES);
        }
        for news in &self.news {
            text += &format!("\n{news}");
        }
        text
    }
}
