//! One HTTP exchange.

use crate::Timeouts;
use reqwest::{
    Client, Response,
    header::{HeaderMap, HeaderValue},
    redirect::Policy,
};
use std::{error::Error, time::Duration};

pub use reqwest::Method;

/// What is asked. Without `Debug`: its query and its headers are signed.
pub struct Request {
    pub method: Method,
    /// With its query, to stand behind the base URL.
    pub target: String,
    pub headers: Vec<(&'static str, String)>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    headers: HeaderMap,
}

/// Nothing came back.
#[derive(Debug, Clone)]
pub enum NoAnswer {
    /// No connection was made: certainly not executed.
    Unsent(String),
    /// Perhaps executed.
    Lost(String),
}

/// A venue's HTTP API; connections are kept and shared.
#[derive(Debug)]
pub struct Http {
    client: Client,
    base: String,
}

/// The rules of all instruments are the largest of answers, at some 20 MB.
const LARGEST_ANSWER: usize = 128 << 20;
/// Shorter than that of any server, so that a request rarely meets a connection that is just being closed.
const IDLE: Duration = Duration::from_secs(20);

impl Http {
    /// # Errors
    /// TLS cannot be set up; as a rule the machine has no certificates.
    pub fn new(base: &str, timeouts: &Timeouts) -> Result<Self, String> {
        crate::tls();
        let client = Client::builder()
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.answer)
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

    /// Sends it once.
    ///
    /// # Errors
    /// No answer; whether the request was sent.
    pub async fn send(&self, request: Request) -> Result<Answer, NoAnswer> {
        let mut built = self.client.request(request.method, format!("{}{}", self.base, request.target));
        for (name, value) in request.headers {
            let mut value = HeaderValue::from_str(&value).map_err(|_| {
                NoAnswer::Unsent(format!("the header {name} has characters that no header has"))
            })?;
            value.set_sensitive(true);
            built = built.header(name, value);
        }
        read(built.send().await.map_err(no_answer)?).await
    }
}

async fn read(mut response: Response) -> Result<Answer, NoAnswer> {
    let headers = std::mem::take(response.headers_mut());
    let status = response.status().as_u16();
    let mut body = Vec::new();
    // From here on the venue has had the request: whatever breaks, it is lost, not unsent. But a limit is told by
    // the head alone, and has to be obeyed.
    match read_body(&mut response, &mut body).await {
        Err(_) if matches!(status, 403 | 418 | 429) => {}
        read => read.map_err(NoAnswer::Lost)?,
    }
    Ok(Answer { status, body, headers })
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
    /// Names are in small letters; values that are no text are left out.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
