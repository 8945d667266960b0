//! The paper exchange's control endpoint: what the market does, and how much it has said of the account.

use domain::{Instrument, Timestamp};
use events::{Position, Recorded};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use std::{fmt, time::Duration};

/// For one answer; everything is on this machine.
const ANSWER: Duration = Duration::from_secs(30);
/// Facts told in one request.
const MOST: usize = 500;

/// A client of it.
pub struct Control {
    http: reqwest::Client,
    base: String,
}

/// How the exchange stands after what it was told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Standing {
    /// Its clock, in microseconds.
    time: i64,
    /// The position of the last fact that it has heard.
    pub heard: Position,
    /// How much it has said of the account in all.
    pub account_frames: u64,
    /// Orders wait for the next price of these.
    pub quotes_wanted: Vec<Instrument>,
}

/// What it has said of the account, as it lay on the stream.
#[derive(Debug, Deserialize)]
pub struct Said {
    pub number: u64,
    /// Exactly as it was sent.
    pub frame: String,
}

impl Standing {
    pub fn time(&self) -> Timestamp {
        Timestamp::from_micros(self.time)
    }
}

#[derive(Serialize)]
struct Told<'a> {
    after: Position,
    events: Vec<Fact<'a>>,
}

#[derive(Serialize)]
struct Fact<'a> {
    position: Position,
    /// In microseconds.
    at: i64,
    kind: &'a str,
    schema: u16,
    body: Box<RawValue>,
}

#[derive(Deserialize)]
struct Frames {
    frames: Vec<Said>,
}

/// Why it did not answer as it should.
#[derive(Debug)]
pub struct ControlError(String);

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the paper exchange's control endpoint: {}", self.0)
    }
}

impl std::error::Error for ControlError {}

impl Control {
    /// # Errors
    /// No HTTP client can be made here.
    pub fn new(base: &str) -> Result<Self, ControlError> {
        let http = reqwest::Client::builder().timeout(ANSWER).no_proxy().build();
        Ok(Self { http: http.map_err(|e| ControlError(e.to_string()))?, base: base.to_owned() })
    }

    /// # Errors
    /// It does not answer.
    pub async fn standing(&self) -> Result<Standing, ControlError> {
        read(self.http.get(format!("{}/control/status", self.base))).await
    }

    /// Tells what the market did behind position `after`, in order; what the exchange knows already it
    /// passes over. Returns how it stands then.
    ///
    /// # Errors
    /// It does not answer, or has heard something else.
    pub async fn tell(&self, mut after: Position, facts: &[Recorded]) -> Result<Standing, ControlError> {
        let mut standing = None;
        for some in facts.chunks(MOST) {
            let told = Told { after, events: some.iter().map(fact).collect() };
            let body = serde_json::to_vec(&told).map_err(|e| ControlError(e.to_string()))?;
            let request = self.http.post(format!("{}/control/market", self.base));
            let request = request.header("content-type", "application/json").body(body);
            let stands: Standing = read(request).await?;
            after = stands.heard;
            standing = Some(stands);
        }
        match standing {
            Some(standing) => Ok(standing),
            None => self.standing().await,
        }
    }

    /// What it has said of the account behind that number.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn said(&self, after: u64) -> Result<Vec<Said>, ControlError> {
        let request = self.http.get(format!("{}/control/account-frames?after={after}", self.base));
        Ok(read::<Frames>(request).await?.frames)
    }
}

fn fact(told: &Recorded) -> Fact<'_> {
    let kind = told.event.kind();
    let body = RawValue::from_string(told.event.body()).unwrap_or_else(|e| unreachable!("JSON: {e}"));
    let at = told.recorded_at.micros();
    Fact { position: told.position, at, kind: kind.name(), schema: kind.schema(), body }
}

async fn read<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, ControlError> {
    let wrong = |e: reqwest::Error| ControlError(e.to_string());
    let answer = request.send().await.map_err(wrong)?;
    let status = answer.status();
    let body = answer.bytes().await.map_err(wrong)?;
    if !status.is_success() {
        return Err(ControlError(format!("{status}: {}", String::from_utf8_lossy(&body))));
    }
    serde_json::from_slice(&body).map_err(|e| ControlError(format!("an answer that cannot be read: {e}")))
}
