//! Requests over the WebSocket API: one connection, each request signed by itself, answers by their ids.

use super::answer::Answer;
use crate::{
    frame::{self, Message},
    reply::Reply,
    request::{Call, Signing},
};
use std::{collections::BTreeMap, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};
use venue_net::{Backoff, NoAnswer, NoSocket, Socket, Timeouts, budget::Usage};

/// A connection for requests. It is made when first needed, and ends when this is dropped.
pub struct WsApi {
    requests: mpsc::Sender<Request>,
    answer: Duration,
    task: JoinHandle<()>,
}

struct Request {
    id: String,
    text: String,
    answer: oneshot::Sender<Result<Answer, NoAnswer>>,
    /// Nobody waits for it after that.
    until: Instant,
}

/// Of requests that wait to be sent: limits allow few at a time.
const CAPACITY: usize = 64;

impl WsApi {
    /// Needs a runtime to be in.
    pub fn open(url: &str, timeouts: Timeouts) -> Self {
        let (requests, received) = mpsc::channel(CAPACITY);
        let task = tokio::spawn(run(url.to_owned(), timeouts, received));
        Self { requests, answer: timeouts.answer, task }
    }

    pub(super) async fn send(&self, call: &Call, signing: &Signing<'_>) -> Result<Answer, NoAnswer> {
        let id = fresh_id();
        let unsent = |why: &str| NoAnswer::Unsent(why.to_owned());
        let Some(text) = call.ws(&id, signing) else {
            return Err(unsent("the WebSocket API has no such request"));
        };
        let (answer, answered) = oneshot::channel();
        let until = Instant::now() + self.answer;
        let request = Request { id, text, answer, until };
        if self.requests.try_send(request).is_err() {
            return Err(unsent("too many requests wait for the connection"));
        }
        match timeout(self.answer, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(NoAnswer::Lost("the connection is gone".to_owned())),
            Err(_) => Err(NoAnswer::Lost(format!("no answer in {:?}", self.answer))),
        }
    }
}

impl Drop for WsApi {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Pending = BTreeMap<String, (oneshot::Sender<Result<Answer, NoAnswer>>, Instant)>;

async fn run(url: String, timeouts: Timeouts, mut requests: mpsc::Receiver<Request>) {
    let mut backoff = Backoff::new(&timeouts);
    let mut not_before = Instant::now();
    while let Some(first) = requests.recv().await {
        if Instant::now() < not_before {
            refuse(first, "the connection broke a moment ago");
            continue;
        }
        match Socket::open(&url, &timeouts).await {
            Ok(socket) => {
                let since = Instant::now();
                let why = serve(socket, first, &timeouts, &mut requests).await;
                tracing::debug!("the WebSocket API's connection ended: {why}");
                not_before = Instant::now() + backoff.pause(since.elapsed());
            }
            Err(why) => {
                not_before = Instant::now() + backoff.pause(Duration::ZERO);
                let why = match why {
                    NoSocket::Unreached(why) => why,
                    NoSocket::Refused { status: status @ (403 | 418 | 429), body, retry_after } => {
                        // The caller's budget obeys it, as it obeys any answer.
                        let usage = Usage::default();
                        _ = first.answer.send(Ok(Answer { status, body, usage, retry_after }));
                        continue;
                    }
                    NoSocket::Refused { status, .. } => format!("the handshake was answered with {status}"),
                };
                refuse(first, &why);
            }
        }
    }
}

/// Certainly not sent.
fn refuse(request: Request, why: &str) {
    _ = request.answer.send(Err(NoAnswer::Unsent(why.to_owned())));
}

/// Until the connection ends; why. What was sent and not answered is lost then.
async fn serve(
    mut socket: Socket,
    first: Request,
    timeouts: &Timeouts,
    requests: &mut mpsc::Receiver<Request>,
) -> String {
    let mut pending = Pending::new();
    let mut next = Some(first);
    // No more requests on this one: a new connection is made for them.
    let mut leaving = false;
    let why = loop {
        if let Some(request) = next.take() {
            // Who asked has gone: an order that is sent now would be a surprise.
            if request.answer.is_closed() || Instant::now() >= request.until {
                continue;
            }
            pending.insert(request.id, (request.answer, request.until));
            if let Err(why) = socket.send(request.text).await {
                break why;
            }
            continue;
        }
        leaving |= socket.opened.elapsed() >= timeouts.renew;
        if leaving && pending.is_empty() {
            break "it was about to end".to_owned();
        }
        let deadline = pending.values().map(|(_, until)| *until).min();
        tokio::select! {
            heard = socket.next() => match heard {
                Ok(bytes) => match Reply::read(&bytes) {
                    Some(reply) => answer(&mut pending, &reply),
                    None => leaving |= is_farewell(&bytes),
                },
                Err(why) => break why,
            },
            request = requests.recv(), if !leaving => match request {
                Some(request) => next = Some(request),
                None => break "nobody asks any more".to_owned(),
            },
            // One that answers nothing may be half open: the next request deserves another.
            () = sleep_until(deadline.unwrap_or_else(|| Instant::now() + timeouts.answer)) => {
                if deadline.is_some() {
                    break format!("no answer in {:?}", timeouts.answer);
                }
            }
        }
    };
    for (answer, _) in std::mem::take(&mut pending).into_values() {
        _ = answer.send(Err(NoAnswer::Lost(why.clone())));
    }
    why
}

/// Events are not for us, but one.
fn answer(pending: &mut Pending, reply: &Reply) {
    // One without an id could be about any: those time out, and are looked up.
    let Some((answer, _)) = reply.id.as_deref().and_then(|id| pending.remove(id)) else { return };
    let (body, usage) = (reply.body().to_vec(), reply.usage());
    _ = answer.send(Ok(Answer { status: reply.status, body, usage, retry_after: None }));
}

/// The server goes away within minutes.
fn is_farewell(bytes: &[u8]) -> bool {
    matches!(frame::decode(bytes), Ok(Message::ServerShutdown(_)))
}

/// Counts requests of this process: an id has to be unique on its connection only.
fn fresh_id() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("r{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
