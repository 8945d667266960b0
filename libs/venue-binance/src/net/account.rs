//! The account's books, as they came: for whoever compares them with ours.

use super::{
    look_up::{PAGE, elements, number, together},
    rest::{CallError, Rest},
};
use crate::{ParseError, content, request, wire::wire};
use domain::{Symbol, Timestamp};
use std::{collections::BTreeMap, time::Duration};

/// The venue's own bytes and what reads them ([`content::PARSERS`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

/// Whose account a key opens, and what the key may do there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The venue's own id of the account, its `uid`.
    pub account: String,
    pub may_trade: bool,
    /// `None` where the venue does not tell: its test network has no wallet.
    pub may_withdraw: Option<bool>,
}

wire! {
    pub struct OfAccount {
        uid "uid": must i64,
        can_trade "canTrade": must bool,
    }
}
wire! {
    pub struct OfKey {
        trades "enableSpotAndMarginTrading": must bool,
        withdraws "enableWithdrawals": must bool,
    }
}

/// The longest span of one question about fills.
const DAY: Duration = Duration::from_secs(24 * 3_600);

impl Rest {
    /// Balances.
    ///
    /// # Errors
    /// No answer, or a failure.
    pub async fn account(&self) -> Result<Frame, CallError> {
        let bytes = self.ask(&request::account()).await?;
        Ok(Frame { content_type: content::ACCOUNT, bytes })
    }

    /// What the account holds and which of its orders work, in one frame. The two are asked for one after the other.
    /// `complete`: until when everything that a stream may have missed was published.
    ///
    /// # Errors
    /// As [`Self::account`].
    pub async fn books(&self, complete: Option<Timestamp>) -> Result<Frame, CallError> {
        self.freshen_clock().await?;
        let complete = complete.map(|until| format!(",\"completeUntil\":{}", until.millis()));
        let as_of = format!("{}{}", self.clock().now().millis(), complete.unwrap_or_default());
        let orders = self.ask(&request::open_orders(None)).await?;
        let account = self.ask(&request::account()).await?;
        let parts =
            [b"{\"asOf\":", as_of.as_bytes(), b",\"account\":", &account, b",\"orders\":", &orders, b"}"];
        Ok(Frame { content_type: content::BOOKS, bytes: parts.concat() })
    }

    /// Whose account the key opens, and what the key may do (`GET /api/v3/account`, `GET
    /// /sapi/v1/account/apiRestrictions`).
    ///
    /// # Errors
    /// No answer, or a failure.
    pub async fn identity(&self) -> Result<Identity, CallError> {
        let read: OfAccount =
            serde_json::from_slice(&self.ask(&request::account()).await?).map_err(ParseError::from)?;
        let rights = match self.ask(&request::restrictions()).await {
            Ok(bytes) => Some(serde_json::from_slice::<OfKey>(&bytes).map_err(ParseError::from)?),
            Err(CallError::Told(failure)) if failure.status == 404 => None,
            Err(other) => return Err(other),
        };
        Ok(Identity {
            account: read.uid.to_string(),
            may_trade: read.can_trade && rights.as_ref().is_none_or(|rights| rights.trades),
            may_withdraw: rights.map(|rights| rights.withdraws),
        })
    }

    /// The rows of all orders that work, of one symbol or of all.
    ///
    /// # Errors
    /// As [`Self::account`].
    pub async fn open_orders(&self, symbol: Option<Symbol>) -> Result<Vec<Frame>, CallError> {
        let rows = elements(&self.ask(&request::open_orders(symbol)).await?)?;
        Ok(rows.iter().map(|row| order_frame(together(row, &[], &[], &[]))).collect())
    }

    /// One order by the venue's number, whosever it is, with its executions.
    ///
    /// # Errors
    /// As [`Self::account`].
    pub async fn order_by_number(&self, symbol: Symbol, order: i64) -> Result<Frame, CallError> {
        let row = self.ask(&request::order_by_number(symbol, order)).await?;
        let amendments = self.amendments_of(symbol, order).await?;
        Ok(order_frame(self.with_executions(symbol, row, &amendments).await?))
    }

    /// Everything about orders on a symbol that a stream may have missed: the orders from a number on, if one is
    /// given, with their fills since a time, and other orders that were filled since.
    ///
    /// # Errors
    /// As [`Self::account`]; nothing is told then.
    pub async fn orders_since(
        &self,
        symbol: Symbol,
        from: Option<i64>,
        since: Timestamp,
    ) -> Result<Vec<Frame>, CallError> {
        let mut orders = match from {
            Some(from) => self.all_orders(symbol, from).await?,
            None => BTreeMap::new(),
        };
        let mut fills: BTreeMap<i64, Vec<Vec<u8>>> = BTreeMap::new();
        for fill in self.fills_since(symbol, since).await? {
            fills.entry(order_of(&fill)?).or_default().push(fill);
        }
        for order in fills.keys() {
            if !orders.contains_key(order) {
                let row = self.ask(&request::order_by_number(symbol, *order)).await?;
                orders.insert(*order, row);
            }
        }
        let none = Vec::new();
        let frame = |(number, row): (&i64, &Vec<u8>)| {
            order_frame(together(row, fills.get(number).unwrap_or(&none), &[], &[]))
        };
        Ok(orders.iter().map(frame).collect())
    }

    /// Rows of orders by their numbers.
    async fn all_orders(&self, symbol: Symbol, from: i64) -> Result<BTreeMap<i64, Vec<u8>>, CallError> {
        let (mut orders, mut from) = (BTreeMap::new(), from);
        loop {
            let page = elements(&self.ask(&request::all_orders(symbol, from)).await?)?;
            let full = page.len() >= PAGE;
            for row in page {
                orders.insert(order_of(&row)?, row);
            }
            match orders.last_key_value() {
                Some((last, _)) if full && *last >= from => from = last + 1,
                _ => return Ok(orders),
            }
        }
    }

    /// Rows of fills, the oldest first, each once. One question for each day, and for each thousand.
    ///
    /// # Errors
    /// As [`Self::account`].
    pub async fn fills_since(&self, symbol: Symbol, since: Timestamp) -> Result<Vec<Vec<u8>>, CallError> {
        self.freshen_clock().await?;
        let (now, mut from) = (self.clock().now(), since);
        let mut fills = Fills::new();
        while from <= now {
            let page = elements(&self.ask(&request::fills_since(symbol, from)).await?)?;
            let is_full = page.len() >= PAGE;
            keep(&mut fills, page)?;
            if let Some((last, _)) = fills.last_key_value().filter(|_| is_full) {
                // Numbers go on without regard to days.
                let from = last + 1;
                self.fills_from(symbol, from, &mut fills).await?;
                break;
            }
            from = from + DAY;
        }
        Ok(fills.into_values().collect())
    }

    /// From that number to the last one.
    async fn fills_from(&self, symbol: Symbol, from: i64, fills: &mut Fills) -> Result<(), CallError> {
        let mut from = from;
        loop {
            let page = elements(&self.ask(&request::fills_from(symbol, from)).await?)?;
            let is_full = page.len() >= PAGE;
            keep(fills, page)?;
            match fills.last_key_value() {
                Some((last, _)) if is_full && *last >= from => from = last + 1,
                _ => return Ok(()),
            }
        }
    }
}

/// Rows by their numbers.
type Fills = BTreeMap<i64, Vec<u8>>;

fn keep(fills: &mut Fills, page: Vec<Vec<u8>>) -> Result<(), ParseError> {
    for fill in page {
        fills.insert(number(&fill)?, fill);
    }
    Ok(())
}

fn order_frame(bytes: Vec<u8>) -> Frame {
    Frame { content_type: content::ORDER, bytes }
}

wire! {
    pub struct OfOrder {
        order "orderId": must i64,
    }
}

fn order_of(row: &[u8]) -> Result<i64, ParseError> {
    let read: OfOrder = serde_json::from_slice(row)?;
    Ok(read.order)
}
