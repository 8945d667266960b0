//! The quotes of a live market: the stream of best prices, and REST for an instrument of which it has told none yet.

use super::{AT_ONCE, LiveError, PAUSE, Quotes};
use domain::{Decimal, Instrument, Price, Quantity};
use events::{BestPrices, Event, Recorded};
use std::collections::{BTreeMap, BTreeSet};
use tokio::{
    sync::mpsc::UnboundedReceiver,
    task::JoinSet,
    time::{Instant, sleep},
};
use venue_binance::{
    market::{self, Level, Message},
    net::{CallError, Delivery, Rest, Streams},
};

/// How deep a book is asked for; the least that Binance weighs.
const DEPTH: u32 = 5;

pub(super) struct Quoting {
    rest: Rest,
    quotes: Quotes,
    /// What comes to the tape.
    heard: UnboundedReceiver<Recorded>,
    streams: Streams,
    /// By symbol.
    instruments: BTreeMap<String, Instrument>,
    asking: JoinSet<Told>,
    under_way: BTreeSet<Instrument>,
    not_before: Instant,
    /// Why no quotes come by stream.
    pub(super) away: Option<String>,
}

type Told = (Instrument, Result<Option<BestPrices>, CallError>);

impl Quoting {
    pub(super) fn open(
        rest: Rest,
        quotes: Quotes,
        heard: UnboundedReceiver<Recorded>,
        traded: impl Iterator<Item = Instrument>,
    ) -> Result<Self, LiveError> {
        // An order may be working on what is not traded any more.
        let instruments: BTreeSet<Instrument> = traded.chain(quotes.working()).collect();
        let name = |instrument: &Instrument| format!("{}@bookTicker", instrument.symbol.to_lowercase());
        let streams = Streams::open(&rest, instruments.iter().map(name).collect())?;
        let instruments =
            instruments.into_iter().map(|instrument| (instrument.symbol.to_string(), instrument));
        Ok(Self {
            rest,
            quotes,
            heard,
            streams,
            instruments: instruments.collect(),
            asking: JoinSet::new(),
            under_way: BTreeSet::new(),
            not_before: Instant::now(),
            away: None,
        })
    }

    /// The next quotes to say; waits for them, or for the stream to come or go. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Result<Vec<Event>, LiveError> {
        loop {
            let due = self.quotes.due(self.rest.clock().now());
            if !due.is_empty() {
                return Ok(due);
            }
            self.ask();
            tokio::select! {
                delivery = self.streams.next() => {
                    let before = self.away.is_some();
                    self.hear(delivery.ok_or(LiveError::Ended)?);
                    if self.away.is_some() != before {
                        return Ok(Vec::new());
                    }
                }
                heard = self.heard.recv() => self.quotes.hear(&heard.ok_or(LiveError::Ended)?),
                Some(told) = self.asking.join_next() => match told {
                    Ok(told) => self.told(told),
                    // It panicked: all are asked for again.
                    Err(_) => self.under_way.clear(),
                },
                // A quote that lasts is said again, and one that could not be told is asked for again.
                () = sleep(PAUSE) => {}
            }
        }
    }

    fn hear(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::Opened(_) => {
                self.away = None;
                self.quotes.interrupted();
            }
            Delivery::Away { why } => {
                tracing::warn!("no quotes come: {why}");
                self.away = Some(format!("no quotes come: {why}"));
                self.quotes.interrupted();
            }
            Delivery::Frame { bytes, .. } => match market::decode(&bytes).map(|frame| frame.message) {
                Ok(Message::BookTicker(told)) => {
                    let prices = best((told.bid.0, told.bid_quantity.0), (told.ask.0, told.ask_quantity.0));
                    let instrument = self.instruments.get(&*told.symbol).copied();
                    if let (Some(instrument), Some(best)) = (instrument, prices) {
                        self.quotes.quoted(instrument, best);
                    }
                }
                Ok(_) => {}
                Err(why) => tracing::warn!("a frame of the quote streams cannot be read: {why}"),
            },
        }
    }

    fn ask(&mut self) {
        if Instant::now() < self.not_before {
            return;
        }
        for instrument in self.quotes.missing() {
            if self.under_way.len() >= AT_ONCE || !self.under_way.insert(instrument) {
                continue;
            }
            let rest = self.rest.clone();
            self.asking.spawn(async move {
                let told = rest.depth(instrument.symbol, DEPTH).await;
                let told = told.map(|book| {
                    let (bid, ask) = (book.bids.first()?, book.asks.first()?);
                    let size = |level: &Level| (level.price.decimal(), level.quantity.decimal());
                    best(size(bid), size(ask))
                });
                (instrument, told)
            });
        }
    }

    fn told(&mut self, (instrument, told): Told) {
        self.under_way.remove(&instrument);
        let why = match told {
            // The stream may have told a newer one meanwhile.
            Ok(Some(best)) if self.quotes.missing().contains(&instrument) => {
                return self.quotes.quoted(instrument, best);
            }
            Ok(Some(_)) => return,
            Ok(None) => "its book has no bid or no ask".to_owned(),
            Err(why) => why.to_string(),
        };
        tracing::warn!("{instrument}: no quote: {why}");
        self.not_before = Instant::now() + PAUSE;
    }
}

/// `None` where one side is empty.
fn best(
    (bid, bid_quantity): (Decimal, Decimal),
    (ask, ask_quantity): (Decimal, Decimal),
) -> Option<BestPrices> {
    Some(BestPrices {
        bid: Price::new(bid).ok()?,
        bid_quantity: Quantity::new(bid_quantity).ok()?,
        ask: Price::new(ask).ok()?,
        ask_quantity: Quantity::new(ask_quantity).ok()?,
    })
}
