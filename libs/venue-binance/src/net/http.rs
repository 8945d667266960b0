//! One HTTP exchange.

use super::Patience;
use crate::{
    budget::Usage,
    errors::{self, Failure},
    request::{Method, RestRequest},
};
use reqwest::{Client, Response, header::HeaderValue, redirect::Policy};
use std::{error::Error, time::Duration};

/// What came back, over REST or the WebSocket API.
pub struct Answer {
    pub status: u16,
    /// Of the WebSocket API, its `result` or `error`.
    pub body: Vec<u8>,
    pub usage: Usage,
    pub retry_after: Option<String>,
}

/// Nothing came back.
#[derive(Debug, Clone)]
pub enum NoAnswer {
    /// No connection was made: certainly not executed.
    Unsent(String),
    /// Perhaps executed.
    Lost(String),
}

pub struct Http {
    client: Client,
    base: String,
}

/// Exchange info is the largest of answers, at some 20 MB.
const LARGEST_ANSWER: usize = 128 << 20;
/// Shorter than that of any server, so that a request rarely meets a connection that is just being closed.
const IDLE: Duration = Duration::from_secs(20);

impl Http {
    /// # Errors
    /// TLS cannot be set up; as a rule the machine has no certificates.
    pub fn new(base: &str, patience: &Patience) -> Result<Self, String> {
        super::tls();
        let client = Client::builder()
            .connect_timeout(patience.connect)
            .timeout(patience.answer)
            .pool_idle_timeout(IDLE)
            .tcp_nodelay(true)
            // An answer from elsewhere is no answer of the venue's; a request is sent once.
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .user_agent("tapedeck")
            .build()
            .map_err(|e| format!("{}; are CA certificates installed?", told(e)))?;
        Ok(Self { client, base: base.trim_end_matches('/').to_owned() })
    }

    pub async fn send(&self, request: RestRequest) -> Result<Answer, NoAnswer> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut built = self.client.request(method, format!("{}{}", self.base, request.target));
        if let Some(key) = &request.api_key {
            let mut key = HeaderValue::from_str(key)
                .map_err(|_| NoAnswer::Unsent("the API key has characters that no key has".to_owned()))?;
            key.set_sensitive(true);
            built = built.header("X-MBX-APIKEY", key);
        }
        let response = built.send().await.map_err(no_answer)?;
        read(response).await
    }
}

async fn read(mut response: Response) -> Result<Answer, NoAnswer> {
    let headers = response.headers();
    let text = |value: &HeaderValue| value.to_str().ok().map(ToOwned::to_owned);
    let usage = Usage::from_headers(
        headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))),
    );
    let retry_after = headers.get("Retry-After").and_then(text);
    let status = response.status().as_u16();
    let mut body = Vec::new();
    // From here on the venue has had the request: whatever breaks, it is lost, not unsent. But a limit is told by
    // the head alone, and has to be obeyed.
    match read_body(&mut response, &mut body).await {
        Err(_) if matches!(status, 403 | 418 | 429) => {}
        read => read.map_err(NoAnswer::Lost)?,
    }
    Ok(Answer { status, body, usage, retry_after })
}

/// As far as it comes.
async fn read_body(response: &mut Response, body: &mut Vec<u8>) -> Result<(), String> {
    while let Some(chunk) = response.chunk().await.map_err(told)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(format!("the answer is longer than {LARGEST_ANSWER} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(())
}

fn no_answer(e: reqwest::Error) -> NoAnswer {
    // Of these alone it is certain that not a byte of the request was written.
    if e.is_connect() || e.is_builder() { NoAnswer::Unsent(told(e)) } else { NoAnswer::Lost(told(e)) }
}

/// With its causes, without the address: its query is signed.
fn told(e: reqwest::Error) -> String {
    let e = e.without_url();
    let mut text = e.to_string();
    let mut source = e.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl Answer {
    /// `None` if it is a success.
    pub fn failure(&self) -> Option<Failure> {
        let retry_after = self.retry_after.as_deref();
        (!(200..300).contains(&self.status)).then(|| errors::read(self.status, &self.body, retry_after))
    }
}
