//! Exchange info: as fresh as whoever asks wants it, and the last good copy is kept through failures.

use super::rest::{CallError, Rest};
use crate::{
    request,
    rules::{self, ExchangeInfo},
};
use domain::Symbol;
use events::Rejection;
use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Mutex;
use venue::Listing;

/// What is known. The locks are held while asking, so that it is asked once.
#[derive(Default)]
pub struct Info {
    all: Mutex<Known>,
    of_one: Mutex<BTreeMap<Symbol, Asked>>,
}

#[derive(Default)]
struct Known {
    last_good: Option<Arc<ExchangeInfo>>,
    /// When the last good copy was fetched by this process.
    fetched_at: Option<Instant>,
    /// When it was asked for last, and failed.
    failed_at: Option<Instant>,
}

/// One symbol, as it was told when it was asked for last.
struct Asked {
    at: Instant,
    told: Result<Listing, String>,
}

/// After a failure; the weight is 20 of 6,000 a minute.
const AGAIN: Duration = Duration::from_secs(60);
/// A symbol is not asked for more often, whoever asks.
const SHORTEST: Duration = Duration::from_millis(500);

impl Rest {
    /// The rules of everything that is listed; at most [`Setup::info_age`](super::Setup) old while the venue
    /// answers, else the last good ones, of an earlier run too.
    ///
    /// # Errors
    /// The venue does not tell, and there is no copy.
    pub async fn exchange_info(&self) -> Result<Arc<ExchangeInfo>, CallError> {
        self.exchange_info_within(self.0.setup.info_age).await
    }

    /// The same, not older than that while the venue answers.
    ///
    /// # Errors
    /// As [`Self::exchange_info`].
    pub async fn exchange_info_within(&self, at_most: Duration) -> Result<Arc<ExchangeInfo>, CallError> {
        let mut known = self.0.info.all.lock().await;
        let within = |at: Option<Instant>, time: Duration| at.is_some_and(|at| at.elapsed() < time);
        if let Some(info) = &known.last_good
            && (within(known.fetched_at, at_most)
                || within(known.failed_at, AGAIN.min(self.0.setup.info_age)))
        {
            return Ok(Arc::clone(info));
        }
        match self.fetch_info().await {
            Ok(info) => {
                *known = Known {
                    last_good: Some(Arc::clone(&info)),
                    fetched_at: Some(Instant::now()),
                    failed_at: None,
                };
                Ok(info)
            }
            Err(why) => {
                if known.last_good.is_none() {
                    known.last_good = self.load().await;
                }
                let Some(info) = &known.last_good else { return Err(why) };
                tracing::warn!("exchange info: {why}; the last good copy is used");
                let info = Arc::clone(info);
                known.failed_at = Some(Instant::now());
                Ok(info)
            }
        }
    }

    /// How old exchange info may be where nobody wants it fresher.
    pub fn info_age(&self) -> Duration {
        self.0.setup.info_age
    }

    /// The rules of these symbols as they are now. One that is not listed is the venue's refusal of all.
    ///
    /// # Errors
    /// The venue does not tell.
    pub async fn exchange_info_of(&self, symbols: &[Symbol]) -> Result<Arc<ExchangeInfo>, CallError> {
        let bytes = self.ask(&request::exchange_info(symbols)).await?;
        read(&bytes)
    }

    /// One symbol, not older than that.
    ///
    /// # Errors
    /// The venue does not tell.
    pub(super) async fn listing_of(&self, symbol: Symbol, at_most: Duration) -> Result<Listing, String> {
        let mut asked = self.0.info.of_one.lock().await;
        if let Some(known) = asked.get(&symbol)
            && known.at.elapsed() < at_most.max(SHORTEST)
        {
            return known.told.clone();
        }
        let told = match self.ask(&request::exchange_info(&[symbol]).protective()).await {
            Ok(bytes) => of_one(&bytes, symbol),
            Err(CallError::Told(failure))
                if failure.verdict.rejection() == Some(Rejection::UnknownInstrument) =>
            {
                Ok(Listing::Unlisted)
            }
            Err(why) => Err(why.to_string()),
        };
        asked.insert(symbol, Asked { at: Instant::now(), told: told.clone() });
        told
    }

    async fn fetch_info(&self) -> Result<Arc<ExchangeInfo>, CallError> {
        let bytes = self.ask(&request::exchange_info(&[])).await?;
        let info = read(&bytes)?;
        self.0.access.budget().set_limits(&info.limits);
        if let Some(file) = &self.0.setup.info_file
            && let Err(why) = write(file, &bytes).await
        {
            tracing::warn!("exchange info is not kept in {}: {why}", file.display());
        }
        Ok(info)
    }

    /// The copy that an earlier run kept: better than none where the venue does not answer.
    async fn load(&self) -> Option<Arc<ExchangeInfo>> {
        let file = self.0.setup.info_file.as_ref()?;
        let bytes = tokio::fs::read(file).await.ok()?;
        match read(&bytes) {
            Ok(info) => {
                self.0.access.budget().set_limits(&info.limits);
                Some(info)
            }
            Err(why) => {
                tracing::warn!("{} is no exchange info: {why}", file.display());
                None
            }
        }
    }
}

fn of_one(bytes: &[u8], symbol: Symbol) -> Result<Listing, String> {
    let mut info = rules::parse(bytes).map_err(|why| why.to_string())?;
    if let Some(why) = info.refused.get(symbol.as_str()) {
        return Err(format!("the rules of {symbol} cannot be read: {why}"));
    }
    let Some(listing) = info.listings.remove(&symbol) else { return Ok(Listing::Unlisted) };
    let (trading, rules) = (listing.is_trading(), Box::new(listing.rules));
    Ok(if trading { Listing::Trading(rules) } else { Listing::Paused { rules, status: listing.status } })
}

/// An answer without a single symbol is no good copy.
fn read(bytes: &[u8]) -> Result<Arc<ExchangeInfo>, CallError> {
    let info = rules::parse(bytes)?;
    if info.listings.is_empty() {
        return Err(crate::ParseError::field("symbols", "has no symbol that can be read").into());
    }
    for (symbol, why) in &info.refused {
        tracing::warn!("exchange info: {symbol} cannot be traded: {why}");
    }
    Ok(Arc::new(info))
}

/// Whole or not at all.
async fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    tokio::fs::write(&beside, bytes).await?;
    tokio::fs::rename(&beside, file).await
}
