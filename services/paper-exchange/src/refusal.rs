//! A no in Binance's words (its `errors.md`).

use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// HTTP's status: 400 mostly, 409 of a cancel-replace that failed by half, 404, 401, 403, 429, 418, 5xx.
    pub status: u16,
    pub code: i64,
    pub msg: String,
    /// Of a cancel-replace both halves; of a limit when it ends.
    pub data: Option<Value>,
}

impl Refusal {
    pub fn new(code: i64, msg: impl Into<String>) -> Self {
        Self { status: 400, code, msg: msg.into(), data: None }
    }

    #[must_use]
    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    #[must_use]
    pub fn data(self, data: Value) -> Self {
        Self { data: Some(data), ..self }
    }

    /// −1102, of a parameter that must be there.
    pub fn mandatory(name: &str) -> Self {
        Self::new(-1102, format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed."))
    }

    /// −1100, of a number that is none.
    pub fn no_number(name: &str) -> Self {
        let text = "Illegal characters found in parameter";
        Self::new(-1100, format!("{text} '{name}'; legal range is '^[0-9]{{1,20}}$'."))
    }

    /// −2014: not even the form of an API key.
    pub fn key_format() -> Self {
        Self::new(-2014, "API-key format invalid.").status(401)
    }

    /// −2015: a key that is not known, or may not do this.
    pub fn key_rights() -> Self {
        Self::new(-2015, "Invalid API-key, IP, or permissions for action.").status(401)
    }

    pub fn signature() -> Self {
        Self::new(-1022, "Signature for this request is not valid.")
    }

    /// As Binance writes it: the body of a REST answer, the `error` of a WebSocket API answer.
    pub fn body(&self) -> Value {
        let mut body = json!({ "code": self.code, "msg": self.msg });
        if let Some(data) = &self.data {
            body["data"] = data.clone();
        }
        body
    }
}
