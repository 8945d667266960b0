//! Live candles onto a wall-clock tape: market-data's leadership where its market is an exchange's own.

use super::parts::{Parts, Shared};
use crate::{WrongUse, data_quality, process, scan, units, venue};
use domain::{Instrument, InstrumentRules};
use events::{Clock, Event, Kind, Position, Recorded, ids};
use market_data::{
    Series,
    live::{self, Live, OnTape, Quotes},
};
use replica::{Fact, Recorder};
use runtime::distributed::{
    Count, Fault, Side, UnitPhase,
    leadership::{Leadership, Work},
    lease::Lease,
    record_facts,
    stop::Stop,
};
use settings::{BinanceUrls, Settings};
use std::path::Path;
use tape::Row;
use tokio::sync::{
    mpsc::{UnboundedReceiver, unbounded_channel},
    watch,
};
use venue_binance::net::Rest;

/// With how many candles a series begins on a tape that has none: more than the slowest edge looks back.
const HISTORY: u32 = 500;

struct LiveMarket {
    leadership: Leadership,
    rest: Rest,
    series: Vec<Series>,
    /// Whether orders are traded on paper, at prices that are quoted.
    quotes: bool,
}

impl Parts {
    /// # Errors
    /// A client cannot be made, or accounts are elsewhere.
    pub(super) fn live_market(
        &mut self,
        shared: &Shared,
        settings: &Settings,
        series: Vec<Series>,
        urls: &BinanceUrls,
        data_dir: &Path,
        quotes: bool,
    ) -> anyhow::Result<()> {
        units::check_accounts(settings, series.iter().map(|series| &series.instrument))?;
        if series.is_empty() {
            return Err(WrongUse(
                "--market binance: name symbols and intervals, e.g. binance:BTCUSDT:1d".to_owned(),
            )
            .into());
        }
        for unheard in data_quality::unheard(settings, &series) {
            tracing::warn!("{}", unheard.words);
        }
        let rest = venue::market(urls, data_dir)?;
        let leadership = shared.leadership(units::feed(), false);
        let status = leadership.status.clone();
        let work = LiveMarket { leadership: leadership.clone(), rest, series, quotes };
        let stop = shared.stop.clone();
        self.add(status, async move { leadership.hold(stop, work).await });
        Ok(())
    }
}

impl Work for LiveMarket {
    async fn work(&mut self, lease: &Lease, mut stop: Stop) -> Result<(), Fault> {
        let opened = lease.opened()?;
        if opened.clock != Clock::Wall {
            let why = "this tape plays a market on its own clock: live candles need one opened by `tapedeck tape open`";
            return Err(Fault::Stuck(why.to_owned()));
        }
        self.leadership.status.enter(UnitPhase::Recovering);
        let mut on_tape = self.on_tape().await?;
        let heard = if self.quotes { Some(self.hear(&mut on_tape, stop.receiver()).await?) } else { None };
        let live = Live { rest: self.rest.clone(), series: self.series.clone(), history: HISTORY, heard };
        let recorder = Recorder::new(lease.unit(), opened);
        let onto = Onto {
            leadership: &self.leadership,
            rest: &self.rest,
            lease,
            recorder,
            at: lease.cursor.position,
        };
        self.leadership.status.enter(UnitPhase::Running);
        tokio::select! {
            ended = live::run(live, on_tape, onto) => match ended {
                Ok(()) => Ok(()),
                Err(why @ (live::LiveError::Unlisted(_) | live::LiveError::Streams(_))) => {
                    Err(Fault::Stuck(why.to_string()))
                }
                Err(why @ (live::LiveError::Tape(_) | live::LiveError::Ended)) => Err(Fault::Away(why.to_string())),
            },
            () = stop.asked() => {
                self.leadership.status.enter(UnitPhase::Stopping);
                Ok(())
            }
        }
    }
}

impl LiveMarket {
    async fn on_tape(&self) -> Result<OnTape, Fault> {
        let mut known = OnTape::default();
        for series in &self.series {
            let Series { instrument, interval } = *series;
            let subject = format!("candle:{instrument}:{interval}");
            if let Some(row) = latest(&self.leadership, Kind::CandleClosed, &subject).await?
                && let Event::Candle(events::CandleEvent::Closed(closed)) = read(&row)?
            {
                known.candles.insert(*series, closed.candle);
            }
            if let Some(rules) = last_rules(&self.leadership, instrument).await? {
                known.rules.insert(instrument, rules);
            }
        }
        Ok(known)
    }

    /// What the tape says of orders and quotes: until now, and from now on.
    async fn hear(
        &self,
        on_tape: &mut OnTape,
        stop: watch::Receiver<bool>,
    ) -> Result<UnboundedReceiver<Recorded>, Fault> {
        let Leadership { tape, .. } = &self.leadership;
        let head = self.leadership.insist(|| tape.head()).await?.position;
        let past = scan::kinds(tape, Quotes::PAST, head, |event| on_tape.quotes.hear(event)).await;
        past.map_err(|why| Fault::Away(why.to_string()))?;
        let (send, heard) = unbounded_channel();
        let followed = process::follow(tape.clone(), head, stop, {
            let send = send.clone();
            move |rows| {
                let wanted = rows.iter().filter(|row| row.kind().is_some_and(|k| Quotes::HEARS.contains(&k)));
                // A row of a newer build is for others to tell of.
                for event in wanted.filter_map(|row| row.decode().ok()) {
                    let _ = send.send(event);
                }
            }
        });
        tokio::spawn(async move {
            tokio::select! {
                () = followed => send.closed().await,
                () = send.closed() => {}
            }
        });
        Ok(heard)
    }
}

async fn last_rules(
    leadership: &Leadership,
    instrument: Instrument,
) -> Result<Option<InstrumentRules>, Fault> {
    let row = latest(leadership, Kind::InstrumentListed, &format!("instrument:{instrument}")).await?;
    Ok(match row.map(|row| read(&row)).transpose()? {
        Some(Event::Instrument(events::InstrumentEvent::Listed(listed))) => Some(*listed.rules),
        Some(_) | None => None,
    })
}

async fn latest(leadership: &Leadership, kind: Kind, subject: &str) -> Result<Option<Row>, Fault> {
    leadership.insist(|| leadership.tape.latest_about(kind, subject)).await
}

fn read(row: &Row) -> Result<Event, Fault> {
    Ok(row.decode().map_err(|why| Fault::undecodable(row.position, &why))?.event)
}

/// Appends under the fence of the leadership.
struct Onto<'a> {
    leadership: &'a Leadership,
    rest: &'a Rest,
    lease: &'a Lease,
    recorder: Recorder,
    at: Position,
}

impl live::Tape for Onto<'_> {
    type Error = Fault;

    async fn rules(&mut self, instrument: Instrument) -> Result<Option<InstrumentRules>, Fault> {
        last_rules(self.leadership, instrument).await
    }

    fn venue_away(&mut self, why: Option<&str>) {
        match why {
            Some(why) => self.leadership.status.misses(Side::Venue, why.to_owned()),
            None => self.leadership.status.has(Side::Venue),
        }
    }

    async fn append(&mut self, events: Vec<Event>) -> Result<(), Fault> {
        let facts: Vec<Fact> = events.into_iter().map(|event| self.fact(event)).collect();
        let (leadership, step) = (self.leadership, [self.lease.step(self.at)]);
        let told =
            leadership.insist(|| record_facts(&leadership.tape, &self.recorder, &facts, &step)).await?;
        leadership.status.add(Count::Said, facts.len() as u64);
        self.at = told.head.max(self.at);
        Ok(())
    }
}

impl Onto<'_> {
    fn fact(&self, event: Event) -> Fact {
        let (recorder, now) = (&self.recorder, self.rest.clock().now());
        if ids::of_fact(recorder.tape, &event).is_some() {
            return recorder.fact(event, now, None);
        }
        // A listing has no time of its own; rules that come back are another one.
        let key = format!("{}/{}", event.body(), event.at().unwrap_or(now));
        recorder.fact_under(ids::fact(recorder.tape, event.kind().name(), &key), event, now, None)
    }
}
