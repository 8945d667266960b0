//! What a price does to the orders that wait for it. The rule is in the crate's documentation.

use super::{
    Desk, Exchange, Offer, OpenOrder, Quote, Report, Standing, Terms,
    pricing::{most_for, product},
};
use domain::{Amount, Decimal, Ending, Instrument, Price, Side, Size, Timestamp, money::floor_to};
use events::Candle;

impl Exchange {
    /// What the candle, which has been seen, makes the orders do.
    pub fn trade_candle(&self, terms: &Terms, now: Timestamp, candle: &Candle) -> Vec<Report> {
        self.traded_candle(terms, now, candle).map(Desk::close).unwrap_or_default()
    }

    /// What the quote, which has been seen, makes the orders do.
    pub fn trade_quote(
        &self,
        terms: &Terms,
        now: Timestamp,
        instrument: &Instrument,
        quote: &Quote,
    ) -> Vec<Report> {
        self.traded_quote(terms, now, instrument, quote).map(Desk::close).unwrap_or_default()
    }

    pub(super) fn traded_candle<'a>(
        &'a self,
        terms: &'a Terms,
        now: Timestamp,
        candle: &Candle,
    ) -> Option<Desk<'a>> {
        let market = self.markets.get(&candle.instrument)?;
        if !market.fills || !market.orders.iter().any(|order| order.acts_in(candle)) {
            return None;
        }
        let mut desk = Desk::open(self, terms, market, now);
        let mut done = 0;
        while let Some(order) = desk.market.next_after(done).copied() {
            let twin = desk.market.twin(&order).copied();
            done = twin.map_or(order.number, |twin| twin.number.max(order.number));
            let [first, second] = in_turn(order, twin, candle);
            desk.trade_on_candle(first, candle);
            if let Some(second) = second.filter(|leg| desk.market.order(leg.number).is_some()) {
                // The first leg did nothing, or it would have ended this one.
                desk.trade_on_candle(Some(second), candle);
            }
            desk.release();
            desk.report_balances();
        }
        Some(desk)
    }

    pub(super) fn traded_quote<'a>(
        &'a self,
        terms: &'a Terms,
        now: Timestamp,
        instrument: &Instrument,
        quote: &Quote,
    ) -> Option<Desk<'a>> {
        let market = self.markets.get(instrument)?;
        if market.orders.is_empty() || market.outside.is_some() {
            return None;
        }
        let mut desk = Desk::open(self, terms, market, now);
        let mut done = 0;
        while let Some(order) = desk.market.next_after(done).copied() {
            done = order.number;
            if let Standing::Offered(offer) = order.standing {
                desk.take(&order, offer, None);
            } else if let Some(limit) = order.reached_by(quote) {
                desk.make(&order, limit, quote.at);
            } else {
                continue;
            }
            desk.release();
            desk.report_balances();
        }
        // An order that came after this quote was seen still needs one.
        let wants = |o: &OpenOrder| o.standing == Standing::Waiting && o.kind.stop().is_none();
        if desk.market.orders.iter().any(wants) {
            desk.want_quote();
        }
        Some(desk)
    }
}

/// Which of two legs the candle comes to first: the stop, which is the worse for us, unless the
/// candle opened beyond the other leg.
fn in_turn(order: OpenOrder, twin: Option<OpenOrder>, candle: &Candle) -> [Option<OpenOrder>; 2] {
    let Some(twin) = twin else { return [Some(order), None] };
    let (stop, gain) = if order.is_stop_loss() { (order, twin) } else { (twin, order) };
    if gain.is_reached_at_open(candle) { [Some(gain), Some(stop)] } else { [Some(stop), Some(gain)] }
}

impl Desk<'_> {
    fn trade_on_candle(&mut self, order: Option<OpenOrder>, candle: &Candle) {
        let Some(order) = order.filter(|order| order.acts_in(candle)) else { return };
        match order.standing {
            Standing::Offered(offer) => self.take(&order, offer, Some(candle)),
            Standing::Resting => self.make_on_candle(&order, candle),
            Standing::Pending | Standing::Waiting | Standing::Dormant => {}
        }
    }

    /// The order takes what the price in hand offers it.
    fn take(&mut self, order: &OpenOrder, offer: Offer, candle: Option<&Candle>) {
        if order.kind.stop().is_some() {
            self.expire_twin(order, offer.at);
        }
        let rules = self.market.rules.clone();
        let on_offer = self.on_offer(order.side);
        let wanted = self.wanted(order, offer.reference).min(on_offer);
        let shown = self.market.liquidity.shown_left(order.side);
        let Some(price) = order.takes(&offer, wanted, shown, self.terms, &rules) else {
            return self.rest(order, offer, candle);
        };
        let wanted = self.wanted(order, price);
        let on_offer = wanted.min(on_offer);
        let payable = self.payable(order, price, on_offer);
        if order.is_all_or_nothing() && payable < wanted {
            return self.expire(order.number, order.expiry(), offer.at);
        }
        // Of nothing there is no fill.
        if self.fill(order, price, payable, false, offer.at) && payable == wanted {
            self.end(order.number, Ending::Filled, offer.at);
        } else if !order.goes_on() || payable < on_offer {
            // Nobody sells to an account that cannot pay.
            self.expire(order.number, order.expiry(), offer.at);
        }
    }

    /// The price in hand is beyond the order's limit.
    fn rest(&mut self, order: &OpenOrder, offer: Offer, candle: Option<&Candle>) {
        if !order.goes_on() {
            return self.expire(order.number, order.expiry(), offer.at);
        }
        if let Some(candle) = candle.filter(|_| offer.from_open) {
            self.make_on_candle(order, candle);
        }
    }

    /// The order is on the book, and the candle may have traded through it.
    fn make_on_candle(&mut self, order: &OpenOrder, candle: &Candle) {
        if let Some(limit) = order.traded_through(candle) {
            self.make(order, limit, candle.close_time());
        }
    }

    /// The order trades at its limit.
    fn make(&mut self, order: &OpenOrder, limit: Price, at: Timestamp) {
        let wanted = self.wanted(order, limit);
        let quantity = wanted.min(self.on_offer(order.side));
        if quantity <= Amount::ZERO {
            return;
        }
        self.expire_twin(order, at);
        if self.fill(order, limit, quantity, true, at) && quantity == wanted {
            self.end(order.number, Ending::Filled, at);
        }
    }

    /// Whole lots that the price in hand still offers to an order of that side.
    fn on_offer(&self, side: Side) -> Amount {
        floor_to(self.market.liquidity.left(side, self.terms.participation), self.market.rules.lot_size)
    }

    /// What is left of the order in base asset, where it trades at `price`.
    pub fn wanted(&self, order: &OpenOrder, price: Price) -> Amount {
        match order.size {
            Size::Base(quantity) => quantity.get() - order.gone().quantity,
            Size::Quote(sum) => {
                let rules = &self.market.rules;
                let step = rules.market_lot_size.unwrap_or(rules.lot_size).max(rules.lot_size);
                most_for(sum.get() - order.gone().quote, price.get(), step)
            }
        }
    }

    /// How much of `quantity` the account can pay for. More than it holds is needed only where
    /// the price turned out worse than the estimate under which the order was accepted.
    pub fn payable(&mut self, order: &OpenOrder, price: Price, quantity: Amount) -> Amount {
        let means = self.means(order);
        match order.side {
            Side::Sell => quantity.min(floor_to(means, self.market.rules.lot_size)),
            Side::Buy => {
                let cost = product(price.get(), quantity);
                let fees = self.terms_of(order.owner()).fees;
                let whole = cost.is_some_and(|cost| cost + fees.on_top(cost, &self.market.rules) <= means);
                if whole {
                    return quantity;
                }
                let ratio = Decimal::ONE + fees.ratio_on_top();
                let each = price.get().checked_mul(ratio).unwrap_or(Decimal::MAX);
                quantity.min(most_for(means, each, self.market.rules.lot_size))
            }
        }
    }
}
