//! What comes back of a request, over REST or the WebSocket API, and what a refusal means for those after it.

use super::Rest;
use crate::{
    budget,
    errors::{self, Failure, Verdict},
    request::{Method, RestRequest},
};
use std::time::Duration;
use venue_net::{Http, NoAnswer, NoSocket, NotOpen, Request, budget::Usage};

pub struct Answer {
    pub status: u16,
    /// Of the WebSocket API, its `result` or `error`.
    pub body: Vec<u8>,
    pub usage: Usage,
    pub retry_after: Option<String>,
}

/// Sends it over REST, once.
pub async fn send(http: &Http, request: RestRequest) -> Result<Answer, NoAnswer> {
    let method = match request.method {
        Method::Get => venue_net::Method::GET,
        Method::Post => venue_net::Method::POST,
        Method::Delete => venue_net::Method::DELETE,
    };
    let headers = request.api_key.map(|key| ("X-MBX-APIKEY", key)).into_iter().collect();
    let answer = http.send(Request { method, target: request.target, headers }).await?;
    let usage = budget::used_by_headers(answer.headers());
    let retry_after = answer.header("Retry-After").map(ToOwned::to_owned);
    Ok(Answer { status: answer.status, body: answer.body, usage, retry_after })
}

impl Answer {
    /// `None` if it is a success.
    pub fn failure(&self) -> Option<Failure> {
        let retry_after = self.retry_after.as_deref();
        (!(200..300).contains(&self.status)).then(|| errors::read(self.status, &self.body, retry_after))
    }
}

impl Rest {
    /// What the venue's refusal of a handshake means: limits are obeyed by everybody.
    pub(super) fn refused(&self, e: NoSocket) -> NotOpen {
        match e {
            NoSocket::Unreached(why) => why.into(),
            NoSocket::Refused { status, body, retry_after } => {
                self.not_open(&errors::read(status, &body, retry_after.as_deref()))
            }
        }
    }

    /// What an answer on a connection means for the next one.
    pub(super) fn not_open(&self, failure: &Failure) -> NotOpen {
        if let Some(pause) = budget::pause(failure) {
            self.0.access.obey(pause);
        }
        let wait = match failure.verdict {
            Verdict::Retry(why) => self.pause_after(why, failure),
            // A key that is refused is refused again; it may be mended meanwhile.
            Verdict::Fatal => self.timeouts().longest_pause,
            _ => Duration::ZERO,
        };
        NotOpen { why: failure.to_string(), wait }
    }
}
