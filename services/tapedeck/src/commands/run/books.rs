//! What the venues of live accounts have in their books, and what their streams may have missed: asked for by one
//! replica of all, and published raw, so that the recorder reads it as it reads what the streams tell.
//!
//! Behind each connection of a stream, and when books disagree, the venue is asked for the fills since the last time
//! that everything was known, and for the orders that work; then `stream.completed` is said with the books.

use super::parts::{Parts, Shared};
use crate::{WrongUse, deployment::Service, process, scan, venue::Accounts};
use bus::{BusFault, FrameKind, IngestFrame, IngestPublisher};
use domain::{Account, Asset, Instrument, InstrumentRules, Symbol, Timestamp, UnitName, VenueOrderId};
use events::{
    BooksEvent, Difference, Event, InstrumentEvent, Kind, OrderEvent, Recorded, Rejection, StreamEvent,
    TapeEvent,
};
use runtime::distributed::{
    Count, Fault, Side, UnitPhase,
    leadership::{Leadership, Work},
    lease::Lease,
    stop::Stop,
};
use settings::Settings;
use std::{collections::BTreeSet, time::Duration};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::{Instant, sleep, timeout_at},
};
use venue_binance::{
    errors::{Failure, Verdict},
    net::{CallError, Frame, Rest},
};

/// Between two reports that are compared: longer than a frame of the stream takes to the tape.
const CONFIRM: Duration = Duration::from_secs(5);
/// After a failure.
const AGAIN: Duration = Duration::from_secs(5);
/// Before the last time at which everything was known, for clocks that differ.
const MARGIN: Duration = Duration::from_secs(60);
/// On a tape of which it never was, fills since its beginning are asked for, and none that are older than this.
const AT_MOST: Duration = Duration::from_secs(7 * 24 * 3_600);

/// What the tape says that the questions depend on.
const HEARS: [Kind; 8] = [
    Kind::TapeOpened,
    Kind::InstrumentListed,
    Kind::OrderAccepted,
    Kind::OrderFilled,
    Kind::StreamOpened,
    Kind::StreamComplete,
    Kind::BooksAgree,
    Kind::BooksDisagree,
];

/// # Errors
/// No account whose venue could be asked.
pub(super) fn start(
    parts: &mut Parts,
    shared: &Shared,
    settings: &Settings,
    accounts: Option<&Accounts>,
) -> anyhow::Result<()> {
    let Some(accounts) = accounts else {
        return Err(WrongUse("portfolio-vs-positions needs --venue binance".to_owned()).into());
    };
    for (account, rest) in accounts.each() {
        let unit = UnitName::new(&format!("{}-reports:{account}", Service::PortfolioVsPositions.name()))?;
        let leadership = shared.leadership(unit, false);
        let work = Reports {
            leadership: leadership.clone(),
            publisher: shared.bus.ingest_publisher(),
            rest: rest.clone(),
            account,
            every: settings.books.every,
        };
        let stop = shared.stop.clone();
        parts.add(leadership.status.clone(), async move { leadership.hold(stop, work).await });
    }
    Ok(())
}

struct Reports {
    leadership: Leadership,
    publisher: IngestPublisher,
    rest: Rest,
    account: Account,
    every: Duration,
}

/// What is on the tape of one account.
#[derive(Debug, Default)]
struct Known {
    /// When the tape was opened: what was before is none of its own.
    began: Timestamp,
    instruments: BTreeSet<Instrument>,
    /// Of which the listed ones are made.
    assets: BTreeSet<Asset>,
    /// Until when everything is on the tape.
    complete: Option<Timestamp>,
    /// Whether something may be missing.
    is_wanted: bool,
    /// In what the books differ by the last verdict.
    differ: Vec<Difference>,
}

impl Known {
    fn hear(&mut self, account: Account, heard: &Recorded) {
        match &heard.event {
            Event::Tape(TapeEvent::Opened(_)) => self.began = heard.recorded_at,
            Event::Instrument(InstrumentEvent::Listed(e)) => {
                self.instruments.insert(e.instrument);
                self.assets.extend([e.rules.base, e.rules.quote]);
            }
            _ => {}
        }
        if heard.event.account() != Some(account) {
            return;
        }
        match &heard.event {
            Event::Order(OrderEvent::Accepted(e)) => _ = self.instruments.insert(e.instrument),
            Event::Order(OrderEvent::Filled(e)) => _ = self.instruments.insert(e.instrument),
            Event::Stream(StreamEvent::Opened(_)) => self.is_wanted = true,
            Event::Stream(StreamEvent::Complete(e)) => self.complete = self.complete.max(Some(e.until)),
            Event::Books(BooksEvent::Agree(_)) => self.differ.clear(),
            Event::Books(BooksEvent::Disagree(e)) => {
                self.is_wanted |= !e.confirmed;
                self.differ.clone_from(&e.differences);
            }
            _ => {}
        }
    }
}

impl Work for Reports {
    async fn work(&mut self, _: &Lease, mut stop: Stop) -> Result<(), Fault> {
        self.leadership.status.enter(UnitPhase::Recovering);
        let mut known = Known { is_wanted: true, ..Known::default() };
        let mut heard = self.hear(&mut known, &stop).await?;
        known.is_wanted = true;
        self.leadership.status.enter(UnitPhase::Running);
        loop {
            tokio::select! {
                pause = self.round(&mut known) => self.wait(pause, &mut heard, &mut known, &mut stop).await,
                () = stop.asked() => {}
            }
            if stop.is_asked() {
                self.leadership.status.enter(UnitPhase::Stopping);
                return Ok(());
            }
        }
    }
}

impl Reports {
    /// What the tape says until now, and from now on.
    async fn hear(&self, known: &mut Known, stop: &Stop) -> Result<UnboundedReceiver<Recorded>, Fault> {
        let Leadership { tape, .. } = &self.leadership;
        let head = self.leadership.insist(|| tape.head()).await?.position;
        let past = scan::kinds(tape, &HEARS, head, |event| known.hear(self.account, event)).await;
        past.map_err(|why| Fault::Away(why.to_string()))?;
        let (send, heard) = unbounded_channel();
        let followed = process::follow(tape.clone(), head, stop.receiver(), {
            let send = send.clone();
            move |rows| {
                let wanted = rows.iter().filter(|row| row.kind().is_some_and(|kind| HEARS.contains(&kind)));
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

    /// Asks, and publishes what is told; how long to wait before the next time.
    async fn round(&self, known: &mut Known) -> Duration {
        match self.ask(known).await {
            Ok(()) => {
                self.leadership.status.has(Side::Venue);
                self.every
            }
            Err(why) => {
                tracing::warn!("the books of {} are not told: {why}", self.account);
                self.leadership.status.misses(Side::Venue, why);
                AGAIN
            }
        }
    }

    async fn ask(&self, known: &mut Known) -> Result<(), String> {
        let complete = if known.is_wanted { self.fill_in(known).await? } else { None };
        let books = self.rest.books(complete).await.map_err(|why| why.to_string())?;
        self.publish(books).await;
        known.is_wanted &= complete.is_none();
        sleep(CONFIRM).await;
        let books = self.rest.books(None).await.map_err(|why| why.to_string())?;
        self.publish(books).await;
        Ok(())
    }

    /// Publishes what the stream may have missed; until when that is everything, unless the venue refused to tell some
    /// of it.
    async fn fill_in(&self, known: &Known) -> Result<Option<Timestamp>, String> {
        let told = |why: CallError| why.to_string();
        self.rest.freshen_clock().await.map_err(told)?;
        let now = self.rest.clock().now();
        let since = known.complete.map_or(now - AT_MOST, |complete| complete - MARGIN).max(known.began);
        let mut is_all = true;
        // What is not there any more has nothing to tell.
        let mut refused = |what: String, failure: Failure, is_gone: bool| {
            is_all &= is_gone;
            tracing::warn!("{}: the venue does not tell {what}: {failure}", self.account);
        };
        for frame in self.rest.open_orders(None).await.map_err(told)? {
            self.publish(frame).await;
        }
        for symbol in self.symbols(known).await.map_err(told)? {
            match self.rest.orders_since(symbol, None, since).await {
                Ok(frames) => {
                    for frame in frames {
                        self.publish(frame).await;
                    }
                }
                Err(CallError::Told(failure)) if is_refusal(&failure) => {
                    let is_gone = failure.verdict == Verdict::Refused(Rejection::UnknownInstrument);
                    refused(format!("the fills of {symbol}"), failure, is_gone);
                }
                Err(why) => return Err(why.to_string()),
            }
        }
        for (symbol, order) in missing(known) {
            match self.rest.order_by_number(symbol, order).await {
                Ok(frame) => self.publish(frame).await,
                Err(CallError::Told(failure)) if is_refusal(&failure) => {
                    let is_gone = failure.verdict == Verdict::NotFound;
                    refused(format!("of order {order} of {symbol}"), failure, is_gone);
                }
                Err(why) => return Err(why.to_string()),
            }
        }
        Ok(is_all.then_some(now))
    }

    /// Those of the tape, and those in which an asset that differs is traded for another one that is known.
    async fn symbols(&self, known: &Known) -> Result<BTreeSet<Symbol>, CallError> {
        let mut symbols: BTreeSet<Symbol> =
            known.instruments.iter().map(|instrument| instrument.symbol).collect();
        let differ: BTreeSet<Asset> = known.differ.iter().filter_map(asset).collect();
        if !differ.is_empty() {
            let info = self.rest.exchange_info().await?;
            let is_known = |asset: &Asset| differ.contains(asset) || known.assets.contains(asset);
            let is_of = |InstrumentRules { base, quote, .. }: &InstrumentRules| {
                (differ.contains(base) && is_known(quote)) || (is_known(base) && differ.contains(quote))
            };
            let listed = info.listings.iter().filter(|(_, listing)| is_of(&listing.rules));
            symbols.extend(listed.map(|(symbol, _)| *symbol));
        }
        Ok(symbols)
    }

    async fn publish(&self, Frame { content_type, bytes }: Frame) {
        let frame = IngestFrame {
            account: self.account,
            replica: self.leadership.owner.clone(),
            stream: "books".to_owned(),
            content_type: content_type.to_owned(),
            received_at: self.rest.clock().now(),
            bytes,
            kind: FrameKind::Account,
        };
        loop {
            match self.publisher.publish(std::slice::from_ref(&frame)).await {
                Ok(()) => return self.leadership.status.add(Count::Said, 1),
                Err(BusFault::Unfit { why }) => {
                    tracing::error!("a report of {} cannot be published: {why}", self.account);
                    return;
                }
                Err(fault) => {
                    self.leadership.status.note(Some(format!("a report waits for the broker: {fault}")));
                    sleep(AGAIN).await;
                }
            }
        }
    }

    /// Until the next round: after the pause, or as soon as something may be missing.
    async fn wait(
        &self,
        pause: Duration,
        heard: &mut UnboundedReceiver<Recorded>,
        known: &mut Known,
        stop: &mut Stop,
    ) {
        let until = Instant::now() + pause;
        loop {
            tokio::select! {
                () = stop.asked() => return,
                event = timeout_at(until, heard.recv()) => match event {
                    Ok(Some(event)) => known.hear(self.account, &event),
                    Ok(None) | Err(_) => return,
                },
            }
            // More may be on its way: a connection and what follows from it come together.
            if known.is_wanted && heard.is_empty() && pause > AGAIN {
                return;
            }
        }
    }
}

const fn is_refusal(failure: &Failure) -> bool {
    matches!(failure.verdict, Verdict::Refused(_) | Verdict::Rejected(_) | Verdict::NotFound)
}

const fn asset(difference: &Difference) -> Option<Asset> {
    match difference {
        Difference::Balance { asset, .. } => Some(*asset),
        Difference::UnknownOrder { .. } | Difference::MissingOrder { .. } => None,
    }
}

/// Orders that the venue has ended, and we do not know of it.
fn missing(known: &Known) -> BTreeSet<(Symbol, i64)> {
    let number = |number: &VenueOrderId| number.as_str().parse().ok();
    let order = |difference: &Difference| match difference {
        Difference::MissingOrder { order, .. } => {
            Some((order.instrument.symbol, number(&order.venue_order)?))
        }
        Difference::Balance { .. } | Difference::UnknownOrder { .. } => None,
    };
    known.differ.iter().filter_map(order).collect()
}
