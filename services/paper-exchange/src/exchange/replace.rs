//! Canceling an order and placing another in one request (Binance's `rest-api.md`, "Cancel an Existing Order
//! and Send a New Order").

use super::{
    Exchange,
    archive::{Entry, Status},
    ask::{Ask, invalid},
    events::{News, What},
    order_params::NEW_ORDER,
    orders::{Ready, refused, restriction},
};
use crate::{params::TimeUnit, refusal::Refusal};
use domain::{Amount, Filled};
use serde_json::{Value, json};

const KNOWN: &[&str] = &[
    "symbol",
    "cancelReplaceMode",
    "cancelNewClientOrderId",
    "cancelOrigClientOrderId",
    "cancelOrderId",
    "cancelRestrictions",
    "orderRateLimitExceededMode",
];

impl Exchange {
    pub(super) fn cancel_replace(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        let ask = ask.only(&[KNOWN, NEW_ORDER])?;
        self.instrument(ask)?;
        let listing = self.listing(self.instrument(ask)?);
        if listing.is_some_and(|listing| listing.cancel_replace_allowed == Some(false)) {
            return Err(Refusal::new(-2010, "Order cancel-replace is not supported for this symbol."));
        }
        let stops = stops_on_failure(ask)?;
        let restriction = restriction(ask)?;
        let request = ask.id("cancelNewClientOrderId")?;
        let request = request.unwrap_or_else(|| self.use_spare_id());
        let ready = self.ready(ask)?;
        self.named += 1;
        let old = self.to_replace(ask)?;
        // Filters are looked at before anything is canceled.
        self.may_place(ready.instrument)?;
        self.refresh(ready.instrument);
        self.spot.test(self.now, ready.instrument, &ready.wanted()).map_err(refused)?;

        let canceled = old.and_then(|old| self.cancel_order(old, request, restriction, unit));
        match canceled {
            Err(refusal) if stops => Err(failed("FAILURE", refusal.body(), "NOT_ATTEMPTED", Value::Null)),
            Err(refusal) => match self.place_ready(&ready, unit) {
                Ok(placed) => Err(half("FAILURE", refusal.body(), "SUCCESS", placed)),
                Err(other) => Err(failed("FAILURE", refusal.body(), "FAILURE", other.body())),
            },
            Ok(canceled) => match self.place_ready(&ready, unit) {
                Ok(placed) => Ok(both("SUCCESS", canceled, "SUCCESS", placed)),
                Err(refusal) => {
                    self.tell_rejected(&ready, &refusal);
                    Err(half("SUCCESS", canceled, "FAILURE", refusal.body()))
                }
            },
        }
    }

    /// The order that is to go. That there is none is a failure of the cancel; to name none is one of the request.
    fn to_replace(&self, ask: Ask) -> Result<Result<i64, Refusal>, Refusal> {
        match self.cancelable(ask, "cancelOrderId", "cancelOrigClientOrderId") {
            Ok(number) => Ok(Ok(number)),
            Err(refusal) if matches!(refusal.code, -2011 | -2039) => Ok(Err(refusal)),
            Err(refusal) => Err(refusal),
        }
    }

    /// An order that was never accepted, though the one before it has gone, is told of on the stream.
    fn tell_rejected(&mut self, ready: &Ready, refusal: &Refusal) {
        let reason = match refusal.msg.as_str() {
            "Account has insufficient balance for requested action." => "INSUFFICIENT_BALANCES",
            "Order would trigger immediately." => "STOP_PRICE_WOULD_TRIGGER_IMMEDIATELY",
            "Order would immediately match and take." => "WOULD_MATCH_IMMEDIATELY",
            _ => "NONE",
        };
        let (order, marks) = (ready.asked.order, ready.asked.marks);
        let entry = Entry {
            owner: self.asker,
            number: -1,
            instrument: ready.instrument,
            list: None,
            id: order.id,
            side: order.side,
            kind: order.kind,
            size: order.size,
            marks,
            status: Status::New,
            filled: Filled::default(),
            created: self.now,
            updated: self.now,
            working: None,
            trailing_since: None,
            expiry: None,
            group: None,
            prevented: Amount::ZERO,
            prevented_match: None,
            pegged: None,
            unsized_yet: false,
            floor: None,
        };
        self.executions += 1;
        let (execution, now, what) = (self.executions, self.now, What::Rejected(reason));
        self.say(self.asker, |unit| {
            News { order: &entry, what, request: None, execution, at: now }.json(now, unit)
        });
    }
}

fn stops_on_failure(ask: Ask) -> Result<bool, Refusal> {
    match ask.must_text("cancelReplaceMode")? {
        "STOP_ON_FAILURE" => Ok(true),
        "ALLOW_FAILURE" => Ok(false),
        _ => Err(invalid("cancelReplaceMode")),
    }
}

fn both(cancel: &str, canceled: Value, order: &str, placed: Value) -> Value {
    json!({
        "cancelResult": cancel,
        "newOrderResult": order,
        "cancelResponse": canceled,
        "newOrderResponse": placed,
    })
}

fn half(cancel: &str, canceled: Value, order: &str, placed: Value) -> Refusal {
    let refusal = Refusal::new(-2021, "Order cancel-replace partially failed.").status(409);
    refusal.data(both(cancel, canceled, order, placed))
}

fn failed(cancel: &str, canceled: Value, order: &str, placed: Value) -> Refusal {
    Refusal::new(-2022, "Order cancel-replace failed.").data(both(cancel, canceled, order, placed))
}
