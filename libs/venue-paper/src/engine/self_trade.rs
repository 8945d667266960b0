//! Self-trade prevention (Binance's `faqs/stp_faq.md`), within an account and within a group of accounts.

use super::{Desk, Expiry, OpenOrder, Prevention, Report, SelfTrade, desk::venue_order, pricing::product};
use domain::{Amount, Price, Side};

impl Desk<'_> {
    /// The taker, of which `wanted` is left, has met another order of its account or group.
    /// Whether that leaves it free to go on.
    pub fn prevent(&mut self, taker: &OpenOrder, maker: &OpenOrder, price: Price, wanted: Amount) -> bool {
        let mode = effective(taker, maker);
        let mut quantity = wanted.min(maker.visible());
        let changes_hands = mode == SelfTrade::Transfer && taker.owner() != maker.owner();
        if changes_hands {
            // As in a trade nobody gives more than there is.
            quantity = self.payable(taker, price, quantity);
            if quantity <= Amount::ZERO {
                return false;
            }
        }
        let (taker_prevented, maker_prevented) = match mode {
            SelfTrade::None => return true,
            SelfTrade::ExpireTaker => (Some(wanted), None),
            SelfTrade::ExpireMaker => (None, Some(maker.left())),
            SelfTrade::ExpireBoth => (Some(wanted), Some(maker.left())),
            SelfTrade::Decrement | SelfTrade::Transfer => (Some(quantity), Some(quantity)),
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
        if changes_hands {
            self.hand_over(taker, maker, price, quantity);
        }
        true
    }

    /// What the two did not trade changes hands all the same, without a fee.
    fn hand_over(&mut self, taker: &OpenOrder, maker: &OpenOrder, price: Price, quantity: Amount) {
        let quote = product(price.get(), quantity).unwrap_or_default();
        let (gives, gets) = (self.gives(taker.side), self.gets(taker.side));
        let (given, got) = match taker.side {
            Side::Buy => (quote, quantity),
            Side::Sell => (quantity, quote),
        };
        self.pass_on(taker.owner(), maker.owner(), gives, given);
        self.pass_on(maker.owner(), taker.owner(), gets, got);
    }

    /// The order can trade that much less.
    fn lose(&mut self, order: &OpenOrder, lost: Amount, price: Price) {
        let before = self.market.held_with(order);
        let terms = self.terms_of(order.owner());
        self.market.prevent(order.number, lost, product(price.get(), lost).unwrap_or_default(), &terms);
        self.rehold(order, before);
    }

    fn expire_in_match(&mut self, order: &OpenOrder) {
        self.expire(order.number, Expiry::SelfTrade, self.now());
        self.expire_twin(order, self.now());
    }
}

/// The taker's mode; for `TRANSFER` the maker must say so, too.
fn effective(taker: &OpenOrder, maker: &OpenOrder) -> SelfTrade {
    match (taker.special.self_trade, maker.special.self_trade) {
        (SelfTrade::Transfer, SelfTrade::Transfer) => SelfTrade::Transfer,
        (SelfTrade::Transfer, _) => SelfTrade::Decrement,
        (mode, _) => mode,
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
