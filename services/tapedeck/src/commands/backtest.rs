//! `tapedeck backtest`: recorded candles through the whole engine.

use crate::{
    WrongUse,
    cli::{Backtest, Global},
    commands::{print_json, progress},
    data_quality::Asked,
    locate,
    report::Collector,
    start, units,
};
use anyhow::Context;
use events::{CandleEvent, Event, Recorded};
use indicatif::ProgressBar;
use market_data::{Feed, MarketSpec};
use runtime::{
    market::{Market, Pace},
    reached::Reached,
};
use service::Journal;
use settings::Settings;
use std::process::ExitCode;
use tokio::sync::watch;

/// # Errors
/// Wrong configuration, candles or tape; a folder that cannot be written to.
pub async fn run(global: &Global, args: Backtest) -> anyhow::Result<ExitCode> {
    let mut settings = locate::settings(global)?;
    if let Some(edge) = &args.edge {
        only(&mut settings, edge)?;
    }
    let spec = MarketSpec::Recorded(args.candles.clone());
    let market = locate::market(&spec, args.from, args.to)?;
    units::check_accounts(&settings, market.rules.keys())?;
    let known = super::begin(&settings, &market, Asked { from: args.from, to: args.to })?;
    let hosts = units::all(&settings)?;
    let feed = Feed::new(market.market, market.rules, args.from, args.to);
    let tape_id = units::tape_id(&market.describe, &settings);
    let bar = progress(market.candles, "candles", global.json);
    let collector = if args.out.is_some() { Collector::keeping_rows() } else { Collector::default() };
    let mut seen = Seen { collector, bar: bar.clone(), candles: 0 };
    let mut head = None;
    match &args.tape {
        None => {
            let run = sim::backtest::Backtest {
                hosts,
                feed,
                source: units::feed(),
                describe: market.describe,
                tape_id,
                build: units::BUILD.to_owned(),
            };
            tokio::task::block_in_place(|| run.run(&mut seen))?;
        }
        Some(url) => {
            let (tape, _, made) = locate::writing(global, Some(url), &market.describe).await?;
            start::check(&tape, &settings, None).await?;
            made.stays();
            let shown = bar.clone();
            let mut candles = 0;
            let run = Market {
                tape: tape.clone(),
                hosts,
                feed,
                source: units::feed(),
                describe: market.describe,
                tape_id,
                build: units::BUILD.to_owned(),
                owner: format!("backtest-{}", std::process::id()),
                pace: Pace::Max,
                reached: Reached::default(),
                observer: Some(Box::new(move |event| count(&shown, &mut candles, event))),
                external: None,
                hands: None,
            };
            let (_stop, stopped) = watch::channel(false);
            run.run(stopped).await.map_err(super::not_played)?;
            // From the tape, so that a run that was begun before is whole.
            let end = tape.head().await?;
            seen.collector = super::report::collect(&tape, end.position, seen.collector).await?;
            head = Some(end);
            tape.close().await?;
        }
    }
    bar.finish_and_clear();
    seen.collector.know(known);
    let summary = seen.collector.summary();
    if let Some(folder) = &args.out {
        seen.collector.write(folder).with_context(|| format!("writing into {}", folder.display()))?;
    }
    if global.json {
        let mut value = serde_json::to_value(&summary)?;
        if let Some(head) = head {
            value["head"] = super::tape::head_json(&head);
        }
        print_json(&value)?;
    } else {
        out!("{summary}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn only(settings: &mut Settings, edge: &str) -> anyhow::Result<()> {
    let known: Vec<String> = settings.edges.iter().map(|e| e.name.to_string()).collect();
    settings.edges.retain(|e| e.name.as_str() == edge);
    // Asked for by name, it runs even where it is switched off.
    settings.edges.iter_mut().for_each(|e| e.enabled = true);
    if settings.edges.is_empty() {
        let message =
            format!("--edge {edge}: the configuration has no such edge; it has: {}", known.join(", "));
        return Err(WrongUse(message).into());
    }
    Ok(())
}

struct Seen {
    collector: Collector,
    bar: ProgressBar,
    candles: u64,
}

impl Journal for Seen {
    fn record(&mut self, event: &Recorded) {
        count(&self.bar, &mut self.candles, event);
        self.collector.see(event);
    }
}

fn count(bar: &ProgressBar, candles: &mut u64, event: &Recorded) {
    if let Event::Candle(CandleEvent::Closed(_)) = event.event {
        *candles += 1;
        if candles.is_multiple_of(4_096) {
            bar.set_position(*candles);
        }
    }
}
