//! An open order is made smaller and keeps its place (Binance's `faqs/order_amend_keep_priority.md`).

use super::{
    Amendment, Desk, Exchange, Limits, Market, OpenOrder, Owner, Refusal, Report, Terms, admission,
    desk::venue_order,
};
use domain::{ClientOrderId, Instrument, Quantity, Size, Timestamp};
use events::Rejection;

impl Exchange {
    #[expect(clippy::too_many_arguments, reason = "the request's own parameters, and where it comes from")]
    pub(super) fn amended<'a>(
        &'a self,
        terms: &'a Terms,
        limits: &Limits,
        now: Timestamp,
        owner: Owner,
        instrument: &Instrument,
        id: &ClientOrderId,
        new_id: Option<ClientOrderId>,
        quantity: Quantity,
    ) -> Result<Desk<'a>, Refusal> {
        let market = self.markets.get(instrument).ok_or_else(Refusal::unknown_instrument)?;
        let order = market.orders.iter().find(|o| o.id == *id && o.owner() == owner).copied();
        let order = order.ok_or_else(|| refuse("Unknown order sent."))?;
        let listing = market.rules.listing.as_deref();
        if listing.is_some_and(|listing| listing.amend_allowed == Some(false)) {
            return Err(refuse("Order amend is not supported for this symbol."));
        }
        let limits = Limits::of(listing, Some(limits)).unwrap_or(*limits);
        check(market, &limits, &order, quantity)?;
        let twin = market.twin(&order).copied();
        check_left(&[Some(order), twin], quantity)?;
        if new_id.is_some_and(|new| new != order.id && market.named(owner, &new).is_some()) {
            return Err(refuse("Duplicate order sent."));
        }
        let mut desk = Desk::open(self, terms, market, now);
        desk.amend(&order, new_id.unwrap_or(order.id), quantity);
        if let Some(twin) = twin {
            desk.amend(&twin, twin.id, quantity);
        }
        Ok(desk)
    }
}

impl Desk<'_> {
    fn amend(&mut self, order: &OpenOrder, id: ClientOrderId, quantity: Quantity) {
        let Size::Base(was_quantity) = order.size else { return };
        let before = self.market.held_with(order);
        let terms = self.terms_of(order.owner());
        let rules = self.market.rules.clone();
        if let Some(amended) = self.market.order_mut(order.number) {
            amended.amend(id, quantity, &terms, &rules);
        }
        self.rehold(order, before);
        self.say(Report::Amended(Amendment {
            order: id,
            was: order.id,
            venue_order: venue_order(order.number),
            quantity,
            was_quantity,
            filled: order.filled,
            at: self.now(),
        }));
    }
}

fn check(market: &Market, limits: &Limits, order: &OpenOrder, quantity: Quantity) -> Result<(), Refusal> {
    let rules = &market.rules;
    let Size::Base(was) = order.size else { return Err(refuse("Unsupported order combination")) };
    if order.special.received.is_some() {
        return Err(refuse("Order amend (pending OPO order) is not supported."));
    }
    if quantity.get().normalize().scale() > rules.base_precision {
        let text = "Parameter 'newQty' has too much precision.";
        return Err(Refusal::new(Rejection::Filter, -1111, text));
    }
    rules
        .check(order.side, &order.kind, quantity.get(), market.reference().map(|p| p.get()))
        .map_err(admission::filter)?;
    if limits.max_amends.is_some_and(|most| order.special.amends >= most) {
        return Err(refuse("Filter failure: MAX_NUM_ORDER_AMENDS"));
    }
    if quantity > was {
        return Err(refuse("Order amend (quantity increase) is not supported."));
    }
    if quantity == was {
        return Err(refuse("The requested action would change no state; rejecting"));
    }
    Ok(())
}

/// Something must be left of every leg: what ends an order is a cancellation, which this is not.
fn check_left(legs: &[Option<OpenOrder>], quantity: Quantity) -> Result<(), Refusal> {
    let is_left = |order: &OpenOrder| quantity.get() > order.gone().quantity;
    if legs.iter().flatten().all(is_left) {
        return Ok(());
    }
    Err(refuse("The requested action would change no state; rejecting"))
}

/// Binance's `ORDER_AMEND_REJECTED`.
fn refuse(text: &str) -> Refusal {
    Refusal::new(Rejection::Other, -2038, text)
}
