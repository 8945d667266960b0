//! Makers on a book: where they stand, and what others' trades and books do to them.

use super::{
    Book, Desk, Exchange, Last, Market, OpenOrder, Outside, Standing, Terms, counter::opposite,
    pricing::is_beyond, trailing::reached,
};
use domain::{Amount, Ending, Instrument, Price, Quantity, Side, Size, Timestamp};

impl Exchange {
    /// Others have that on the book now.
    pub(super) fn saw_book<'a>(
        &'a self,
        terms: &'a Terms,
        now: Timestamp,
        instrument: &Instrument,
        book: &Book,
    ) -> Option<Desk<'a>> {
        let market = self.markets.get(instrument)?;
        let mut desk = Desk::open(self, terms, market, now);
        let begins = desk.market.outside.is_none();
        desk.market.outside = Some(Outside::new(book.clone()));
        desk.see_outside(begins);
        Some(desk)
    }

    /// Others have traded, and have on the book by now what the market holds already: what these trades trigger
    /// meets that book, and not the one before them. `begins` if it is the first book.
    pub(super) fn saw_market<'a>(
        &'a self,
        terms: &'a Terms,
        now: Timestamp,
        instrument: &Instrument,
        trades: &[(Price, Quantity, Side)],
        begins: bool,
    ) -> Option<Desk<'a>> {
        let market = self.markets.get(instrument)?;
        let mut desk = Desk::open(self, terms, market, now);
        for &(price, quantity, taker) in trades {
            let left = desk.hit(opposite(taker), price, quantity.get());
            desk.pass(taker, price, left);
            desk.prints.push(price);
        }
        desk.see_outside(begins);
        Some(desk)
    }

    /// Others have traded, the later of them on the side `taker`.
    pub(super) fn saw_trade<'a>(
        &'a self,
        terms: &'a Terms,
        now: Timestamp,
        instrument: &Instrument,
        price: Price,
        quantity: Quantity,
        taker: Side,
    ) -> Option<Desk<'a>> {
        let market = self.markets.get(instrument)?;
        let mut desk = Desk::open(self, terms, market, now);
        let left = desk.hit(opposite(taker), price, quantity.get());
        desk.pass(taker, price, left);
        desk.prints.push(price);
        desk.echo();
        Some(desk)
    }
}

impl Desk<'_> {
    /// The book has changed.
    fn see_outside(&mut self, begins: bool) {
        self.market.queue_behind();
        if begins {
            self.begin_books();
        }
        self.cross(Side::Buy);
        self.cross(Side::Sell);
        self.echo();
    }

    /// Orders that candles and quotes have left open come to the book.
    fn begin_books(&mut self) {
        let waiting = |o: &&OpenOrder| !matches!(o.standing, Standing::Dormant | Standing::Pending);
        let numbers: Vec<u64> = self.market.orders.iter().filter(waiting).map(|o| o.number).collect();
        for number in numbers {
            if let Some(order) = self.market.order_mut(number) {
                order.standing = Standing::Resting;
                self.work(number);
            }
        }
    }

    /// Others' orders have come that reach ours of that side: ours trade at their own price.
    fn cross(&mut self, side: Side) {
        while let Some(maker) = self.market.best_own(side).copied() {
            let best = self.market.outside.as_ref().and_then(|outside| outside.best(opposite(side)));
            let (Some(limit), Some((price, quantity))) = (maker.kind.limit(), best) else { return };
            let quantity = quantity.min(maker.visible());
            if is_beyond(side, limit, price) || !self.make_on_book(&maker, limit, quantity) {
                return;
            }
            self.market.outside_gives(opposite(side), price, quantity);
        }
    }

    /// Others traded that much at `price` with makers of that side: first with those of ours that
    /// offered more, then with what stood before ours at that price, then with ours there. What is
    /// left they traded among themselves.
    fn hit(&mut self, side: Side, price: Price, quantity: Amount) -> Amount {
        let mut left = quantity;
        while left > Amount::ZERO {
            let Some((maker, limit)) = self.first_within(side, price) else { break };
            let ahead = maker.special.queue.ahead.min(left);
            if limit == price && ahead > Amount::ZERO {
                self.market.move_up(side, price, ahead);
                left -= ahead;
                continue;
            }
            let quantity = left.min(maker.visible());
            if !self.make_on_book(&maker, limit, quantity) {
                break;
            }
            left -= quantity;
        }
        left
    }

    /// Others traded beyond our prices on their own taker's side too: whoever was to be had there
    /// would have met ours first.
    fn pass(&mut self, side: Side, price: Price, quantity: Amount) {
        let mut left = quantity;
        while left > Amount::ZERO {
            let first = self.first_within(side, price).filter(|(_, limit)| *limit != price);
            let Some((maker, limit)) = first else { return };
            let quantity = left.min(maker.visible());
            if !self.make_on_book(&maker, limit, quantity) {
                return;
            }
            left -= quantity;
        }
    }

    /// Our first resting order of that side, if its limit reaches `price`.
    fn first_within(&self, side: Side, price: Price) -> Option<(OpenOrder, Price)> {
        let maker = self.market.best_own(side).copied()?;
        let limit = maker.kind.limit()?;
        (!is_beyond(side, limit, price)).then_some((maker, limit))
    }

    fn make_on_book(&mut self, maker: &OpenOrder, price: Price, quantity: Amount) -> bool {
        self.expire_twin(maker, self.now());
        let filled = self.fill(maker, price, quantity, true, self.now());
        if filled {
            self.after_making(maker.number, quantity);
            self.prints.push(price);
        }
        filled
    }

    /// A maker that has traded that much is filled, or shows its next part.
    pub fn after_making(&mut self, number: u64, quantity: Amount) {
        let Some(order) = self.market.order_mut(number) else { return };
        if order.left() <= Amount::ZERO {
            return self.end(number, Ending::Filled, self.now());
        }
        if order.special.iceberg.is_some() {
            order.special.queue.shown -= quantity;
            if order.special.queue.shown <= Amount::ZERO {
                self.market.line_up(number);
            }
        }
    }
}

impl Market {
    /// The order goes to the end of the queue at its limit, and an iceberg shows a part.
    pub fn line_up(&mut self, number: u64) {
        let Some(order) = self.order(number) else { return };
        let side = order.side;
        let ahead = match (&self.outside, order.kind.limit()) {
            (Some(outside), Some(limit)) => outside.at(side, limit),
            _ => Amount::ZERO,
        };
        self.counts.turns += 1;
        let turn = self.counts.turns;
        if let Some(order) = self.order_mut(number) {
            let shown = order.special.iceberg.map_or(Amount::ZERO, |part| part.get().min(order.left()));
            order.special.queue = super::Queue { turn, ahead, shown };
        }
    }

    /// Others have given that much at the best price of their side.
    pub fn outside_gives(&mut self, side: Side, price: Price, quantity: Amount) {
        if let Some(outside) = &mut self.outside {
            outside.take(side, quantity);
        }
        self.move_up(side, price, quantity);
    }

    /// Of what stood before ours at that price, that much is gone.
    pub fn move_up(&mut self, side: Side, price: Price, quantity: Amount) {
        let at_price = |o: &&mut OpenOrder| o.side == side && o.kind.limit() == Some(price);
        for order in self.orders.iter_mut().filter(at_price) {
            let queue = &mut order.special.queue;
            queue.ahead = (queue.ahead - quantity).max(Amount::ZERO);
        }
    }

    /// A trade at that price has been made: the stops that it reaches, in the order of acceptance.
    pub fn see_print(&mut self, price: Price, at: Timestamp) -> Vec<u64> {
        self.last = Some(Last { price, at });
        let mut due = Vec::new();
        for order in self.orders.iter_mut().filter(|o| o.standing == Standing::Dormant) {
            let (kind, side) = (order.kind, order.side);
            let triggered = match (&mut order.special.trail, kind.stop()) {
                (Some(trail), _) => trail.see_trade(&kind, side, price),
                (None, Some(stop)) => reached(&kind, side, stop, price),
                (None, None) => false,
            };
            if triggered {
                due.push(order.number);
            }
        }
        due
    }

    /// What has gone from before our orders is gone; what comes at their price stands behind them.
    fn queue_behind(&mut self) {
        let Some(outside) = &self.outside else { return };
        for order in &mut self.orders {
            if let Some(limit) = order.kind.limit() {
                let queue = &mut order.special.queue;
                queue.ahead = queue.ahead.min(outside.at(order.side, limit));
            }
        }
    }
}

impl OpenOrder {
    /// What can still be traded of it; zero for one whose size is a sum. Base asset.
    pub fn left(&self) -> Amount {
        match self.size {
            Size::Base(quantity) => quantity.get() - self.gone().quantity,
            Size::Quote(_) => Amount::ZERO,
        }
    }

    /// What of it stands on the book for all to see.
    pub fn visible(&self) -> Amount {
        match self.special.iceberg {
            Some(_) => self.special.queue.shown,
            None => self.left(),
        }
    }
}
