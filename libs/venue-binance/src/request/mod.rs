//! Requests: what they are called on REST and on the WebSocket API, their parameters, what they cost, and how
//! they are signed. One [`Call`] renders for both.

mod orders;
mod queries;

pub use orders::{RequestError, cancel, cancel_by_number, place};
pub use queries::*;
pub use venue_net::budget::{Cost, Lane};

use crate::{
    params::{Params, percent_encode},
    sign::Signer,
};
use domain::Timestamp;
use serde_json::{Map, Value, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Delete,
}

/// Who may ask (Binance's `rest-api.md`, "Endpoint security type").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    Open,
    /// With the API key and a signature.
    Signed,
}

/// One request, neither signed nor sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub method: Method,
    /// On REST, e.g. `/api/v3/order`.
    pub path: &'static str,
    /// On the WebSocket API, e.g. `order.place`; `None` where it has no such method.
    pub ws_method: Option<&'static str>,
    pub security: Security,
    pub params: Params,
    /// `REQUEST_WEIGHT` and `ORDERS` (since 2026-04-02 a successful order or cancel has no weight; a failed one has).
    pub cost: Cost,
    pub lane: Lane,
}

/// With what a request is signed.
#[derive(Clone, Copy)]
pub struct Signing<'a> {
    pub api_key: &'a str,
    pub signer: &'a Signer,
    /// Exactly this time, and this window, are signed.
    pub timestamp: Timestamp,
    /// In milliseconds, 60,000 at most.
    pub recv_window_ms: u32,
}

/// A REST request, ready to be sent.
#[derive(Clone, PartialEq)]
pub struct RestRequest {
    pub method: Method,
    /// With its query, to stand behind the base URL.
    pub target: String,
    /// For the header `X-MBX-APIKEY`.
    pub api_key: Option<String>,
}

impl Call {
    /// For an endpoint that anybody may ask.
    fn open(method: Method, path: &'static str, ws_method: Option<&'static str>, weight: u32) -> Self {
        let cost = Cost { weight, orders: 0 };
        let (security, params, lane) = (Security::Open, Params::default(), Lane::Ordinary);
        Self { method, path, ws_method, security, params, cost, lane }
    }

    fn signed(method: Method, path: &'static str, ws_method: &'static str, weight: u32) -> Self {
        Self { security: Security::Signed, ..Self::open(method, path, Some(ws_method), weight) }
    }

    fn params(self, params: Params) -> Self {
        Self { params, ..self }
    }

    /// The same, served first.
    #[must_use]
    pub fn protective(self) -> Self {
        Self { lane: Lane::Protective, ..self }
    }

    /// The request on REST; everything stands in the query, percent-encoded before it is signed.
    pub fn rest(&self, signing: &Signing) -> RestRequest {
        let (query, api_key) = match self.security {
            Security::Open => (self.params.query(), None),
            Security::Signed => {
                let query = self.stamped(signing).query();
                let mut signed = format!("{query}&signature=");
                percent_encode(&signing.signer.sign(&query), &mut signed);
                (signed, Some(signing.api_key.to_owned()))
            }
        };
        let target = if query.is_empty() { self.path.to_owned() } else { format!("{}?{query}", self.path) };
        RestRequest { method: self.method, target, api_key }
    }

    /// The request on the WebSocket API, each signed by itself; `None` where there is no such method.
    pub fn ws(&self, id: &str, signing: &Signing) -> Option<String> {
        let params = match self.security {
            Security::Open => self.params.object(),
            Security::Signed => {
                let params = self.stamped(signing).with("apiKey", signing.api_key);
                signed_object(&params, signing.signer)
            }
        };
        Some(ws_request(id, self.ws_method?, params))
    }

    fn stamped(&self, signing: &Signing) -> Params {
        stamp(&self.params, signing.timestamp, signing.recv_window_ms)
    }
}

/// Subscribes a connection to the user data stream of a key of any kind, without a session.
pub fn subscribe_user_data(id: &str, signing: &Signing) -> String {
    authenticated(id, "userDataStream.subscribe.signature", signing)
}

fn authenticated(id: &str, method: &str, signing: &Signing) -> String {
    let params = Params::default().with("apiKey", signing.api_key);
    let params = stamp(&params, signing.timestamp, signing.recv_window_ms);
    ws_request(id, method, signed_object(&params, signing.signer))
}

/// `timestamp` in milliseconds: every server takes those.
fn stamp(params: &Params, timestamp: Timestamp, recv_window_ms: u32) -> Params {
    params.clone().with("recvWindow", recv_window_ms).with("timestamp", timestamp.millis())
}

fn signed_object(params: &Params, signer: &Signer) -> Map<String, Value> {
    let mut object = params.object();
    object.insert("signature".to_owned(), signer.sign(&params.sorted()).into());
    object
}

fn ws_request(id: &str, method: &str, params: Map<String, Value>) -> String {
    if params.is_empty() {
        json!({ "id": id, "method": method }).to_string()
    } else {
        json!({ "id": id, "method": method, "params": params }).to_string()
    }
}

impl Method {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// Without the key and the signature.
impl std::fmt::Debug for RestRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = self.target.split("&signature=").next().unwrap_or_default();
        write!(f, "{} {shown}", self.method.as_str())
    }
}
