//! Exchange info: fetched once a day, and the last good copy is kept through failures.

use super::rest::{CallError, Rest};
use crate::{
    request,
    rules::{self, ExchangeInfo},
};
use std::{
    io,
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use tokio::sync::Mutex;

/// What is known, and when to ask again. The lock is held while asking, so that it is asked once.
#[derive(Default)]
pub struct Info(Mutex<Known>);

#[derive(Default)]
struct Known {
    last_good: Option<Arc<ExchangeInfo>>,
    /// `None`: at once.
    ask_at: Option<Instant>,
}

/// After a failure; the weight is 20 of 6,000 a minute.
const AGAIN: Duration = Duration::from_secs(5 * 60);

impl Rest {
    /// The rules of everything that is listed; at most a day old while the venue answers, else the last good ones.
    ///
    /// # Errors
    /// The venue does not tell, and there is no copy.
    pub async fn exchange_info(&self) -> Result<Arc<ExchangeInfo>, CallError> {
        let mut known = self.0.info.0.lock().await;
        if let (Some(info), Some(at)) = (&known.last_good, known.ask_at)
            && Instant::now() < at
        {
            return Ok(Arc::clone(info));
        }
        if known.last_good.is_none() {
            self.load(&mut known).await;
            if let (Some(info), Some(_)) = (&known.last_good, known.ask_at) {
                return Ok(Arc::clone(info));
            }
        }
        match self.fetch_info().await {
            Ok(info) => {
                known.ask_at = Instant::now().checked_add(self.patience().info);
                known.last_good = Some(Arc::clone(&info));
                Ok(info)
            }
            Err(why) => match &known.last_good {
                Some(info) => {
                    tracing::warn!("exchange info: {why}; the last good copy is used");
                    let info = Arc::clone(info);
                    known.ask_at = Instant::now().checked_add(AGAIN.min(self.patience().info));
                    Ok(info)
                }
                None => Err(why),
            },
        }
    }

    async fn fetch_info(&self) -> Result<Arc<ExchangeInfo>, CallError> {
        let bytes = self.ask(&request::exchange_info(None)).await?;
        let info = read(&bytes)?;
        self.0.budget.lock().set_limits(&info.limits);
        if let Some(file) = &self.0.setup.info_file
            && let Err(why) = write(file, &bytes).await
        {
            tracing::warn!("exchange info is not kept in {}: {why}", file.display());
        }
        Ok(info)
    }

    /// A copy that is fresh enough is as good as an answer; an older one is better than none.
    async fn load(&self, known: &mut Known) {
        let Some(file) = &self.0.setup.info_file else { return };
        let Ok(bytes) = tokio::fs::read(file).await else { return };
        match read(&bytes) {
            Ok(info) => {
                self.0.budget.lock().set_limits(&info.limits);
                known.last_good = Some(info);
                let left = age(file).await.and_then(|age| self.patience().info.checked_sub(age));
                known.ask_at = left.and_then(|left| Instant::now().checked_add(left));
            }
            Err(why) => tracing::warn!("{} is no exchange info: {why}", file.display()),
        }
    }
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

async fn age(file: &Path) -> Option<Duration> {
    let written = tokio::fs::metadata(file).await.ok()?.modified().ok()?;
    SystemTime::now().duration_since(written).ok()
}

/// Whole or not at all.
async fn write(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    tokio::fs::write(&beside, bytes).await?;
    tokio::fs::rename(&beside, file).await
}
