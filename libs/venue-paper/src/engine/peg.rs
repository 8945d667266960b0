//! Limits that follow from the book (Binance's `faqs/pegged_orders.md`).

use super::{
    Desk, Expiry, Market, OpenOrder, Refusal, Report,
    counter::opposite,
    desk::venue_order,
    order::{time_in_force, with_limit},
};
use domain::{NewOrder, OrderKind, OrderRequest, Price, Side, Size, TimeInForce, Timestamp};
use events::Rejection;
use serde::{Deserialize, Serialize};

/// Where on the book an order's limit lies. It is looked up when the order comes to the book, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peg {
    pub to: PegTo,
    /// How many price levels deeper than the best one.
    pub offset: u32,
    /// The order's own limit, which it never goes beyond, if it has one.
    pub price: Option<Price>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PegTo {
    /// The side of the book on which the order would rest.
    Primary,
    /// The side that it would take from.
    Market,
}

impl Market {
    /// # Errors
    /// There is no book, or it is not as deep as that.
    pub fn pegged(&self, side: Side, peg: &Peg) -> Result<Price, Refusal> {
        let book =
            self.merged_book().ok_or_else(|| refuse("Pegged orders are not supported for this symbol."))?;
        let levels = match peg.to {
            PegTo::Primary => book.of(side),
            PegTo::Market => book.of(opposite(side)),
        };
        let level = usize::try_from(peg.offset).ok().and_then(|offset| levels.get(offset));
        let (found, _) =
            *level.ok_or_else(|| refuse("Order book liquidity is too low for this pegged order."))?;
        Ok(match (peg.price, side) {
            (None, _) => found,
            (Some(own), Side::Buy) => found.min(own),
            (Some(own), Side::Sell) => found.max(own),
        })
    }

    /// The request with the limits of its pegged orders that come to the book at once.
    ///
    /// # Errors
    /// An order that cannot be pegged so, or a book that does not have the price.
    pub fn pegged_request(&self, wanted: &super::Wanted) -> Result<super::Wanted, Refusal> {
        let mut wanted = *wanted;
        let extras = wanted.extras;
        let orders = match &mut wanted.request {
            OrderRequest::Single(order) => [Some(order), None],
            OrderRequest::Oco(oco) => [Some(&mut oco.above), Some(&mut oco.below)],
        };
        for (order, extras) in orders.into_iter().flatten().zip(extras) {
            let Some(peg) = extras.peg else { continue };
            check_shape(order, &peg)?;
            if order.kind.stop().is_none() {
                order.kind = with_limit(order.kind, self.pegged(order.side, &peg)?);
            }
        }
        Ok(wanted)
    }
}

impl Desk<'_> {
    /// A stop that was reached gets its limit from the book; whether the order can go on with it.
    pub fn peg(&mut self, order: &OpenOrder, at: Timestamp) -> bool {
        let Some(peg) = order.special.peg else { return true };
        let found = self.market.pegged(order.side, &peg).ok();
        match found.and_then(|price| self.with_peg(order, price)) {
            Some((pegged, price)) => {
                let before = self.market.held_with(order);
                if let Some(order) = self.market.order_mut(order.number) {
                    *order = pegged;
                }
                self.rehold(order, before);
                let venue_order = venue_order(order.number);
                self.say(Report::Pegged { order: order.id, venue_order, price, at });
                true
            }
            None => {
                self.expire(order.number, Expiry::Rejected, at);
                false
            }
        }
    }

    /// The order with that limit, if the symbol's filters and the account's means allow it.
    fn with_peg(&mut self, order: &OpenOrder, price: Price) -> Option<(OpenOrder, Price)> {
        let (terms, rules) = (self.terms_of(order.owner()), self.market.rules.clone());
        let mut pegged = *order;
        pegged.set_limit(price, &terms, &rules);
        let Size::Base(quantity) = pegged.size else { return None };
        let reference = self.market.reference().map(Price::get);
        let passes = rules.check(pegged.side, &pegged.kind, quantity.get(), reference).is_ok();
        (passes && pegged.held <= self.means(order)).then_some((pegged, price))
    }
}

/// # Errors
/// Orders of that kind have no limit, or may not be pegged to that side of the book.
pub fn check_shape(order: &NewOrder, peg: &Peg) -> Result<(), Refusal> {
    match (order.kind, peg.to) {
        (OrderKind::Market | OrderKind::StopLoss { .. } | OrderKind::TakeProfit { .. }, _) => {
            Err(refuse("This order type may not use pegged price."))
        }
        (OrderKind::LimitMaker { .. }, PegTo::Market) => Err(bad_peg()),
        (OrderKind::Limit { .. }, PegTo::Primary) if time_in_force(&order.kind) != Some(TimeInForce::Gtc) => {
            Err(bad_peg())
        }
        (
            OrderKind::Limit { .. }
            | OrderKind::LimitMaker { .. }
            | OrderKind::StopLossLimit { .. }
            | OrderKind::TakeProfitLimit { .. },
            _,
        ) => Ok(()),
    }
}

fn bad_peg() -> Refusal {
    refuse("This price peg cannot be used with this order type.")
}

fn refuse(text: &str) -> Refusal {
    Refusal::new(Rejection::Other, -2010, text)
}
