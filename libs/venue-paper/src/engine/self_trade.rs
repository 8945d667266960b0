//! Self-trade prevention (Binance's `faqs/stp_faq.md`), on one account.

use super::{Desk, Expiry, OpenOrder, Prevention, Report, SelfTrade, desk::venue_order, pricing::product};
use domain::{Amount, Price};

impl Desk<'_> {
    /// The taker, of which `wanted` is left, has met another order of the account.
    pub fn prevent(&mut self, taker: &OpenOrder, maker: &OpenOrder, price: Price, wanted: Amount) {
        let mode = taker.special.self_trade;
        let quantity = wanted.min(maker.visible());
        let (taker_prevented, maker_prevented) = match mode {
            SelfTrade::None => return,
            SelfTrade::ExpireTaker => (Some(wanted), None),
            SelfTrade::ExpireMaker => (None, Some(maker.left())),
            SelfTrade::ExpireBoth => (Some(wanted), Some(maker.left())),
            SelfTrade::Decrement => (Some(quantity), Some(quantity)),
        };
        let number = self.market.counts.prevented;
        self.market.counts.prevented += 1;
        self.say(Report::Prevented(Prevention {
            number,
            mode,
            taker: taker.id,
            taker_order: venue_order(taker.number),
            maker: maker.id,
            maker_order: venue_order(maker.number),
            price,
            quantity: quantity.normalize(),
            taker_prevented: taker_prevented.map(|q| q.normalize()),
            maker_prevented: maker_prevented.map(|q| q.normalize()),
            at: self.now(),
        }));
        if let Some(lost) = maker_prevented {
            self.lose(maker, lost, price);
            match self.market.order(maker.number) {
                Some(left) if left.left() <= Amount::ZERO => self.expire_in_match(maker),
                _ => self.after_making(maker.number, lost),
            }
        }
        if let Some(lost) = taker_prevented {
            self.lose(taker, lost, price);
            if lost == wanted {
                self.expire_in_match(taker);
            }
        }
    }

    /// The order can trade that much less.
    fn lose(&mut self, order: &OpenOrder, lost: Amount, price: Price) {
        let before = self.market.held_with(order.number, order.list);
        self.market.prevent(order.number, lost, product(price.get(), lost).unwrap_or_default(), self.terms);
        self.rehold(order, before);
    }

    fn expire_in_match(&mut self, order: &OpenOrder) {
        self.expire(order.number, Expiry::SelfTrade, self.now());
        self.expire_twin(order, self.now());
    }
}

impl super::Market {
    fn prevent(&mut self, number: u64, quantity: Amount, quote: Amount, terms: &super::Terms) {
        let rules = self.rules.clone();
        if let Some(order) = self.order_mut(number) {
            order.prevent(quantity, quote, terms, &rules);
        }
    }
}
