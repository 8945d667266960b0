//! The answer to a cancel-replace: two outcomes in one (Binance's `rest-api.md`, "Cancel an Existing Order and
//! Send a New Order"; errors -2021 and -2022).

use super::{Failure, Verdict, read};
use crate::{
    ParseError,
    wire::{Raw, Text, wire},
};

/// What became of the cancel and of the new order.
#[derive(Debug)]
pub struct Replaced<'a> {
    pub cancel: Half<'a>,
    pub order: Half<'a>,
}

#[derive(Debug)]
pub enum Half<'a> {
    /// The answer as it would be to a request of its own.
    Done(&'a [u8]),
    Failed(Failure),
    NotAttempted,
    /// It does not say: look it up.
    Unknown,
}

wire! {
    pub struct Answer<'a> {
        cancel_result "cancelResult": may Text<'a>,
        order_result "newOrderResult": may Text<'a>,
        cancel "cancelResponse": may Raw<'a>,
        order "newOrderResponse": may Raw<'a>,
        /// Where it is an error.
        data "data": may Raw<'a>,
    }
}

impl<'a> Replaced<'a> {
    /// Reads the answer, a success (200) or an error (400, 409); of the WebSocket API, its `result` or `error`.
    ///
    /// # Errors
    /// No such answer: both halves are unknown, then.
    pub fn read(status: u16, body: &'a [u8]) -> Result<Self, ParseError> {
        let mut answer: Answer = serde_json::from_slice(body)?;
        if let Some(data) = answer.data {
            answer = serde_json::from_slice(data.bytes())?;
        }
        let result = answer.cancel_result.as_deref().ok_or_else(|| ParseError::missing("cancelResult"))?;
        let cancel = Half::of(status, result, answer.cancel);
        let result = answer.order_result.as_deref().ok_or_else(|| ParseError::missing("newOrderResult"))?;
        Ok(Self { cancel, order: Half::of(status, result, answer.order) })
    }
}

impl<'a> Half<'a> {
    fn of(status: u16, result: &str, response: Option<Raw<'a>>) -> Self {
        let response = response.map(Raw::bytes);
        match (result, response) {
            ("SUCCESS", Some(answer)) => Self::Done(answer),
            ("NOT_ATTEMPTED", _) => Self::NotAttempted,
            ("FAILURE", Some(error)) => {
                // The whole has a status of its own, 409; each half is an error like any other.
                let failure = read(if status == 409 { 400 } else { status }, error, None);
                if failure.verdict == Verdict::Unknown { Self::Unknown } else { Self::Failed(failure) }
            }
            _ => Self::Unknown,
        }
    }
}
