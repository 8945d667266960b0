//! Live candles onto a wall-clock tape: market-data's seat where its market is an exchange's own.

use super::parts::{Parts, Shared};
use crate::{WrongUse, data_quality, scan, units, venue, watched};
use domain::{Instrument, InstrumentRules, UnitName};
use events::{Clock, Draft, Event, Kind, Position, Recorded, TapeOpened, conflict, ids};
use market_data::{
    Series,
    live::{self, Live, OnTape, Quotes},
};
use runtime::apart::{
    Count, Trouble, UnitPhase, insist,
    lease::Lease,
    seat::{Seat, Work},
    stop::Stop,
};
use settings::{BinanceUrls, Settings};
use std::path::Path;
use tape::{Commit, CursorMove, Entry, OnConflict, Outcome, Row};
use tokio::sync::{
    mpsc::{UnboundedReceiver, unbounded_channel},
    watch,
};
use venue_binance::net::Rest;

/// With how many candles a series begins on a tape that has none: more than the slowest edge looks back.
const HISTORY: u32 = 500;

struct LiveMarket {
    seat: Seat,
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
        let seat = shared.seat(units::feed(), false);
        let status = seat.status.clone();
        let work = LiveMarket { seat: seat.clone(), rest, series, quotes };
        let stop = shared.stop.clone();
        self.add(status, async move { seat.hold(stop, work).await });
        Ok(())
    }
}

impl Work for LiveMarket {
    async fn work(&mut self, lease: &Lease, mut stop: Stop) -> Result<(), Trouble> {
        let Some(opened) = &lease.opened else {
            return Err(Trouble::Away("the tape is empty: run `tapedeck tape open` first".to_owned()));
        };
        if opened.clock != Clock::Wall {
            let why = "this tape plays a market on its own clock: live candles need one opened by `tapedeck tape open`";
            return Err(Trouble::Stuck(why.to_owned()));
        }
        self.seat.status.enter(UnitPhase::Recovering);
        let mut on_tape = self.on_tape().await?;
        let heard = if self.quotes { Some(self.hear(&mut on_tape, stop.receiver()).await?) } else { None };
        let live = Live { rest: self.rest.clone(), series: self.series.clone(), history: HISTORY, heard };
        let recorder =
            Recorder { seat: &self.seat, rest: &self.rest, lease, opened, at: lease.cursor.position };
        self.seat.status.enter(UnitPhase::Running);
        tokio::select! {
            ended = live::run(live, on_tape, recorder) => match ended {
                Ok(()) => Ok(()),
                Err(why @ (live::LiveError::Unlisted(_) | live::LiveError::Streams(_))) => {
                    Err(Trouble::Stuck(why.to_string()))
                }
                Err(why @ (live::LiveError::Tape(_) | live::LiveError::Ended)) => Err(Trouble::Away(why.to_string())),
            },
            () = stop.asked() => {
                self.seat.status.enter(UnitPhase::Stopping);
                Ok(())
            }
        }
    }
}

impl LiveMarket {
    async fn on_tape(&self) -> Result<OnTape, Trouble> {
        let mut known = OnTape::default();
        for series in &self.series {
            let Series { instrument, interval } = *series;
            let subject = format!("candle:{instrument}:{interval}");
            if let Some(row) = latest(&self.seat, Kind::CandleClosed, &subject).await?
                && let Event::Candle(events::CandleEvent::Closed(closed)) = read(&row)?
            {
                known.candles.insert(*series, closed.candle);
            }
            if let Some(rules) = last_rules(&self.seat, instrument).await? {
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
    ) -> Result<UnboundedReceiver<Recorded>, Trouble> {
        let Seat { tape, status, limits, .. } = &self.seat;
        let head = insist(status, limits, || tape.head()).await?.position;
        let past = scan::kinds(tape, &Quotes::HEARS, head, |event| on_tape.quotes.hear(event)).await;
        past.map_err(|why| Trouble::Away(why.to_string()))?;
        let (send, heard) = unbounded_channel();
        let followed = watched::follow(tape.clone(), head, stop, {
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

async fn last_rules(seat: &Seat, instrument: Instrument) -> Result<Option<InstrumentRules>, Trouble> {
    let row = latest(seat, Kind::InstrumentListed, &format!("instrument:{instrument}")).await?;
    Ok(match row.map(|row| read(&row)).transpose()? {
        Some(Event::Instrument(events::InstrumentEvent::Listed(listed))) => Some(*listed.rules),
        Some(_) | None => None,
    })
}

async fn latest(seat: &Seat, kind: Kind, subject: &str) -> Result<Option<Row>, Trouble> {
    let Seat { tape, status, limits, .. } = seat;
    insist(status, limits, || tape.latest_about(kind, subject)).await
}

fn read(row: &Row) -> Result<Event, Trouble> {
    let read = row.decode().map_err(|why| Trouble::Stuck(format!("position {}: {why}", row.position)));
    Ok(read?.event)
}

/// Appends under the fence of the seat.
struct Recorder<'a> {
    seat: &'a Seat,
    rest: &'a Rest,
    lease: &'a Lease,
    opened: &'a TapeOpened,
    at: Position,
}

impl live::Tape for Recorder<'_> {
    type Error = Trouble;

    async fn rules(&mut self, instrument: Instrument) -> Result<Option<InstrumentRules>, Trouble> {
        last_rules(self.seat, instrument).await
    }

    async fn append(&mut self, events: Vec<Event>) -> Result<(), Trouble> {
        let unit = self.lease.unit();
        let facts: Vec<(Draft, Event)> =
            events.into_iter().map(|event| (self.draft(unit, &event), event)).collect();
        let outcomes = self.commit(facts.iter().map(|(draft, _)| draft.clone())).await?;
        let mut differing = Vec::new();
        for ((draft, event), outcome) in facts.iter().zip(outcomes) {
            let Outcome::Conflict(position) = outcome else { continue };
            tracing::error!(position, "two copies of one fact differ: {}", draft.body);
            for (n, said) in conflict::conflict(unit, draft, event, position).into_iter().enumerate() {
                let id = conflict::conflict_id(self.opened.tape, draft, n);
                differing.push(Draft::new(id, unit, Some(draft.id), said.at().unwrap_or(draft.at), &said));
            }
        }
        if !differing.is_empty() {
            self.commit(differing.into_iter()).await?;
        }
        Ok(())
    }
}

impl Recorder<'_> {
    fn draft(&self, unit: UnitName, event: &Event) -> Draft {
        let tape = self.opened.tape;
        let at = event.at().unwrap_or_else(|| self.rest.clock().now());
        // A listing has no time of its own; rules that come back are another one.
        let id = ids::of_fact(tape, event)
            .unwrap_or_else(|| ids::fact(tape, event.kind().name(), &format!("{}/{at}", event.body())));
        Draft::new(id, unit, None, at, event)
    }

    async fn commit(&mut self, drafts: impl Iterator<Item = Draft>) -> Result<Vec<Outcome>, Trouble> {
        let Seat { tape, status, limits, .. } = self.seat;
        let step = CursorMove { unit: self.lease.unit(), fence: self.lease.fence(), to: self.at, reach: 0 };
        let entries: Vec<Entry> = drafts.map(Entry::wall).collect();
        let count = entries.len() as u64;
        let commit = Commit { entries, cursors: vec![step], on_conflict: OnConflict::Report };
        let committed = insist(status, limits, || tape.append(commit.clone())).await?;
        status.add(Count::Said, count);
        self.at = committed.head.position;
        Ok(committed.outcomes)
    }
}
