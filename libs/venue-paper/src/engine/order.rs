//! One open order, and what each price that comes does to it.

use super::{
    Expiry, Extras, Owner, Peg, Quote, Role, SelfTrade, Terms, Trail,
    pricing::{is_beyond, product, slipped, worse},
};
use domain::{
    Amount, ClientOrderId, Filled, InstrumentRules, NewOrder, OrderKind, Price, Quantity, Side, Size,
    TimeInForce, Timestamp, money::ceil_to,
};
use events::Candle;
use serde::{Deserialize, Serialize};

/// Invariant: it is open; an ended order is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OpenOrder {
    /// The venue's number of it; orders are numbered as they are accepted.
    pub number: u64,
    pub id: ClientOrderId,
    /// The order list that it belongs to, as long as another order of it is open too or was.
    pub list: Option<ClientOrderId>,
    pub side: Side,
    pub kind: OrderKind,
    pub size: Size,
    /// It trades only at prices of this time or later: its acceptance, later its last offer.
    pub since: Timestamp,
    pub filled: Filled,
    pub standing: Standing,
    /// The price at which the quote asset that it needs is reckoned: its limit, or an estimate.
    valued_at: Option<Price>,
    /// What it holds of the asset that it gives.
    pub held: Amount,
    /// What the unit's orders never have.
    #[serde(default, skip_serializing_if = "Special::is_none")]
    pub special: Special,
}

/// What only a book, or Binance's interface, gives to an order.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Special {
    /// Whose it is.
    pub owner: Owner,
    pub trail: Option<Trail>,
    /// How much of it is shown at a time.
    pub iceberg: Option<Quantity>,
    pub self_trade: SelfTrade,
    /// Lost to self-trade prevention.
    pub prevented: Filled,
    /// How often it was amended.
    pub amends: u32,
    pub queue: Queue,
    pub role: Role,
    /// Of an order that another one pays for (OPO): what that one has bought, until this one is
    /// placed. Base asset.
    pub received: Option<Amount>,
    /// Its limit follows from the book when its stop is reached, or when it is placed.
    pub peg: Option<Peg>,
}

/// Where a resting order stands among those of its price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Queue {
    /// Ours come in this order.
    pub turn: u64,
    /// What others have before it; base asset.
    pub ahead: Amount,
    /// What is left of the part that an iceberg shows; base asset.
    pub shown: Amount,
}

impl Special {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is placed once the working order of its list is filled.
    Pending,
    /// Its stop has not been reached.
    Dormant,
    /// It takes at the next price.
    Waiting,
    /// On the book at its limit.
    Resting,
    /// The price in hand is offered to it.
    Offered(Offer),
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// Before slippage.
    pub reference: Price,
    pub at: Timestamp,
    /// The candle opened beyond the order's stop, so all of its range came after the trigger.
    pub from_open: bool,
}

impl OpenOrder {
    /// The order as it stands on its acceptance at `at`, when the market stands at `last`.
    pub fn new(
        number: u64,
        new: &NewOrder,
        list: Option<ClientOrderId>,
        at: Timestamp,
        terms: &Terms,
        rules: &InstrumentRules,
        last: Option<Price>,
    ) -> Self {
        let mut order = Self {
            number,
            id: new.id,
            list,
            side: new.side,
            kind: new.kind,
            size: new.size,
            since: at,
            filled: Filled::default(),
            standing: first_standing(&new.kind, new.side, last),
            valued_at: valued_at(&new.kind, new.side, terms, rules, last),
            held: Amount::ZERO,
            special: Special::default(),
        };
        order.held = order.needs(terms, rules).unwrap_or_default();
        order
    }

    /// What it needs of the asset that it gives for what is left of it.
    /// `None` if that is no number of 28 digits.
    pub fn needs(&self, terms: &Terms, rules: &InstrumentRules) -> Option<Amount> {
        if self.standing == Standing::Pending {
            return Some(self.special.received.unwrap_or_default());
        }
        let price = self.valued_at.map(Price::get);
        match (self.side, self.size) {
            (Side::Sell, Size::Base(quantity)) => Some(quantity.get() - self.gone().quantity),
            (Side::Sell, Size::Quote(sum)) => {
                let Some(price) = price else { return Some(Amount::ZERO) };
                let base = (sum.get() - self.gone().quote).checked_div(price)?;
                Some(ceil_to(base, rules.lot_size).max(Amount::ZERO))
            }
            (Side::Buy, size) => {
                let notional = match size {
                    Size::Base(quantity) => match price {
                        Some(price) => product(price, quantity.get() - self.gone().quantity)?,
                        None => Amount::ZERO,
                    },
                    // What it has spent is gone of what it held.
                    Size::Quote(sum) => sum.get(),
                };
                Some(notional + terms.fees.on_top(notional, rules))
            }
        }
    }

    pub fn fill(&mut self, quantity: Amount, quote: Amount, terms: &Terms, rules: &InstrumentRules) {
        self.filled.quantity = (self.filled.quantity + quantity).normalize();
        self.filled.quote = (self.filled.quote + quote).normalize();
        let given = match self.side {
            Side::Buy => quote + terms.fees.at_least_on_top(quote, rules),
            Side::Sell => quantity,
        };
        // At a price worse than the estimate the rest holds less than it needs: more is not the order's to hold.
        self.hold_at_most((self.held - given).max(Amount::ZERO), terms, rules);
    }

    /// That much of it is lost to self-trade prevention.
    pub fn prevent(&mut self, quantity: Amount, quote: Amount, terms: &Terms, rules: &InstrumentRules) {
        let prevented = &mut self.special.prevented;
        prevented.quantity = (prevented.quantity + quantity).normalize();
        prevented.quote = (prevented.quote + quote).normalize();
        self.hold_at_most(self.held, terms, rules);
    }

    /// It goes by another id, and is smaller; an iceberg shows at most what is left.
    pub fn amend(&mut self, id: ClientOrderId, quantity: Quantity, terms: &Terms, rules: &InstrumentRules) {
        self.id = id;
        self.size = Size::Base(quantity);
        self.special.amends += 1;
        self.special.iceberg = self.special.iceberg.map(|part| part.min(quantity));
        self.special.queue.shown = self.special.queue.shown.min(self.left());
        self.hold_at_most(self.held, terms, rules);
    }

    fn hold_at_most(&mut self, most: Amount, terms: &Terms, rules: &InstrumentRules) {
        self.held = self.needs(terms, rules).map_or(most, |needs| needs.min(most));
    }

    /// Filled, or lost to self-trade prevention.
    pub fn gone(&self) -> Filled {
        let Filled { quantity, quote } = self.special.prevented;
        Filled { quantity: self.filled.quantity + quantity, quote: self.filled.quote + quote }
    }

    pub fn owner(&self) -> Owner {
        self.special.owner
    }

    /// The order with what its request carries besides.
    pub fn with(mut self, owner: Owner, extras: &Extras, last: Option<Price>) -> Self {
        let trail = extras.trailing.map(|trailing| trailing.begin(last));
        let Extras { iceberg, self_trade, peg, .. } = *extras;
        let peg = peg.filter(|_| self.kind.stop().is_some());
        self.special = Special { owner, trail, iceberg, self_trade, peg, ..Special::default() };
        self
    }

    /// The order waits for another one, and holds nothing; `paid`: but for what that one buys.
    pub fn pending(mut self, role: Role, paid: bool, extras: &Extras) -> Self {
        self.standing = Standing::Pending;
        self.held = Amount::ZERO;
        self.special.role = role;
        self.special.received = paid.then_some(Amount::ZERO);
        self.special.peg = extras.peg;
        self
    }

    /// The order as it stands where it is placed at `at` after all, when the market stands at `last`.
    pub fn placed(
        mut self,
        at: Timestamp,
        terms: &Terms,
        rules: &InstrumentRules,
        last: Option<Price>,
    ) -> Self {
        if let Some(trail) = self.special.trail.as_mut().filter(|trail| trail.activated) {
            trail.best = last;
        }
        self.since = at;
        self.standing = first_standing(&self.kind, self.side, last);
        self.valued_at = valued_at(&self.kind, self.side, terms, rules, last);
        self.special.received = None;
        self.special.peg = self.special.peg.filter(|_| self.kind.stop().is_some());
        self.held = self.needs(terms, rules).unwrap_or_default();
        self
    }

    /// Its limit is that price from now on.
    pub fn set_limit(&mut self, price: Price, terms: &Terms, rules: &InstrumentRules) {
        self.kind = with_limit(self.kind, price);
        self.valued_at = Some(price);
        self.special.peg = None;
        self.held = self.needs(terms, rules).unwrap_or(self.held);
    }

    /// A market that trades on books keeps nobody waiting, and a market order knows no price there.
    pub fn on_books(mut self, terms: &Terms, rules: &InstrumentRules) -> Self {
        if !matches!(self.standing, Standing::Dormant | Standing::Pending) {
            self.standing = Standing::Resting;
        }
        if self.kind == OrderKind::Market {
            self.valued_at = None;
            self.held = self.needs(terms, rules).unwrap_or_default();
        }
        self
    }

    /// Why what is left of it expires where it can neither trade nor rest.
    pub fn expiry(&self) -> Expiry {
        match time_in_force(&self.kind) {
            Some(TimeInForce::Ioc) => Expiry::UnfilledIoc,
            Some(TimeInForce::Fok) => Expiry::UnfilledFok,
            Some(TimeInForce::Gtc) | None => Expiry::InsufficientLiquidity,
        }
    }

    /// A candle that fills has closed.
    pub fn see_candle(&mut self, candle: &Candle, terms: &Terms, rules: &InstrumentRules) {
        self.leave_offer(terms, rules);
        if self.since > candle.open_time {
            return;
        }
        let at = candle.close_time();
        match self.standing {
            Standing::Waiting => {
                let offer = Offer { reference: candle.open, at, from_open: true };
                self.standing = Standing::Offered(offer);
            }
            Standing::Dormant => {
                let kind = self.kind;
                let triggered = match &mut self.special.trail {
                    Some(trail) => trail.see_candle(&kind, self.side, candle),
                    None => self.triggered_by(candle),
                };
                if let Some((reference, from_open)) = triggered {
                    self.standing = Standing::Offered(Offer { reference, at, from_open });
                }
            }
            Standing::Pending | Standing::Resting | Standing::Offered(_) => {}
        }
    }

    pub fn see_quote(&mut self, quote: &Quote, terms: &Terms, rules: &InstrumentRules) {
        self.leave_offer(terms, rules);
        let reference = quote.taken_by(self.side);
        let takes = match self.standing {
            Standing::Waiting => true,
            Standing::Dormant => quote.best.is_some() && self.is_triggered_at(reference),
            Standing::Pending | Standing::Resting | Standing::Offered(_) => false,
        };
        if takes && self.since <= quote.at {
            self.standing = Standing::Offered(Offer { reference, at: quote.at, from_open: false });
        }
    }

    fn is_triggered_at(&self, price: Price) -> bool {
        let Some(stop) = self.kind.stop() else { return false };
        if falls_to_stop(&self.kind, self.side) { price <= stop } else { price >= stop }
    }

    /// The limit at which it rests, if best prices reach it: somebody is there who would have taken it.
    pub fn reached_by(&self, quote: &Quote) -> Option<Price> {
        let best = quote.best.filter(|_| self.standing == Standing::Resting && self.since <= quote.at)?;
        let limit = self.kind.limit()?;
        (!is_beyond(self.side, limit, best.taken_by(self.side).0)).then_some(limit)
    }

    /// The price that was in hand has gone, and the order is still open.
    fn leave_offer(&mut self, terms: &Terms, rules: &InstrumentRules) {
        if let Standing::Offered(offer) = self.standing {
            let takes_on = match self.kind {
                OrderKind::Limit { .. } | OrderKind::LimitMaker { .. } => false,
                OrderKind::Market | OrderKind::StopLoss { .. } | OrderKind::TakeProfit { .. } => true,
                OrderKind::StopLossLimit { .. } | OrderKind::TakeProfitLimit { .. } => {
                    self.takes_at(offer.reference, terms, rules).is_some()
                }
            };
            self.standing = if takes_on { Standing::Waiting } else { Standing::Resting };
            self.since = offer.at;
        }
    }

    /// The price at which it takes where the market stands at `reference`, if its limit allows that.
    pub fn takes_at(&self, reference: Price, terms: &Terms, rules: &InstrumentRules) -> Option<Price> {
        let price = slipped(rules, terms.slippage_ratio, self.side, reference)?;
        let Some(limit) = self.kind.limit() else { return Some(price) };
        if !is_beyond(self.side, limit, price) {
            return Some(price);
        }
        // The slippage is ours, not the market's: a limit that the market itself is within, trades.
        // A stop that a gap may have left behind is not given the doubt.
        let doubtful = self.kind.stop().is_some();
        (!doubtful && !is_beyond(self.side, limit, reference)).then_some(limit)
    }

    /// As [`Self::takes_at`], of what the price in hand offers: what is left of the `shown` quantity of a
    /// live quote is taken at just that price.
    pub fn takes(
        &self,
        offer: &Offer,
        wanted: Amount,
        shown: Option<Amount>,
        terms: &Terms,
        rules: &InstrumentRules,
    ) -> Option<Price> {
        if shown.is_none_or(|shown| wanted > shown) {
            return self.takes_at(offer.reference, terms, rules);
        }
        let price = offer.reference;
        self.kind.limit().is_none_or(|limit| !is_beyond(self.side, limit, price)).then_some(price)
    }

    /// The limit at which it rests, if the candle traded through it.
    pub fn traded_through(&self, candle: &Candle) -> Option<Price> {
        let limit = self.kind.limit()?;
        match self.side {
            Side::Sell => candle.high > limit,
            Side::Buy => candle.low < limit,
        }
        .then_some(limit)
    }

    /// Whether the candle, which it has seen, has anything for it.
    pub fn acts_in(&self, candle: &Candle) -> bool {
        match self.standing {
            Standing::Offered(_) => true,
            Standing::Resting => self.since <= candle.open_time && self.traded_through(candle).is_some(),
            Standing::Pending | Standing::Waiting | Standing::Dormant => false,
        }
    }

    /// Whether the candle opened where this, the leg of an OCO that gains, trades.
    pub fn is_reached_at_open(&self, candle: &Candle) -> bool {
        let open = candle.open;
        match (self.kind.stop(), self.kind.limit()) {
            (Some(stop), _) if falls_to_stop(&self.kind, self.side) => open <= stop,
            (Some(stop), _) => open >= stop,
            (None, Some(limit)) => open != limit && !is_beyond(self.side, limit, open),
            (None, None) => true,
        }
    }

    pub fn is_stop_loss(&self) -> bool {
        matches!(self.kind, OrderKind::StopLoss { .. } | OrderKind::StopLossLimit { .. })
    }

    /// Whether what is left of it goes on working after it has taken what there was.
    pub fn goes_on(&self) -> bool {
        match self.kind {
            OrderKind::Market => false,
            OrderKind::Limit { time_in_force, .. }
            | OrderKind::StopLossLimit { time_in_force, .. }
            | OrderKind::TakeProfitLimit { time_in_force, .. } => time_in_force == TimeInForce::Gtc,
            OrderKind::LimitMaker { .. } | OrderKind::StopLoss { .. } | OrderKind::TakeProfit { .. } => true,
        }
    }

    pub fn is_all_or_nothing(&self) -> bool {
        match self.kind {
            OrderKind::Limit { time_in_force, .. }
            | OrderKind::StopLossLimit { time_in_force, .. }
            | OrderKind::TakeProfitLimit { time_in_force, .. } => time_in_force == TimeInForce::Fok,
            OrderKind::Market
            | OrderKind::LimitMaker { .. }
            | OrderKind::StopLoss { .. }
            | OrderKind::TakeProfit { .. } => false,
        }
    }

    /// The price at which the candle triggers it, and whether it opened beyond the stop.
    fn triggered_by(&self, candle: &Candle) -> Option<(Price, bool)> {
        let stop = self.kind.stop()?;
        let (touched, from_open) = if falls_to_stop(&self.kind, self.side) {
            (candle.low <= stop, candle.open <= stop)
        } else {
            (candle.high >= stop, candle.open >= stop)
        };
        let reference = if self.is_stop_loss() { worse(self.side, candle.open, stop) } else { stop };
        touched.then_some((reference, from_open))
    }
}

/// Of an order with a limit, but for a pure maker, which has none.
pub fn time_in_force(kind: &OrderKind) -> Option<TimeInForce> {
    match *kind {
        OrderKind::Limit { time_in_force, .. }
        | OrderKind::StopLossLimit { time_in_force, .. }
        | OrderKind::TakeProfitLimit { time_in_force, .. } => Some(time_in_force),
        OrderKind::Market
        | OrderKind::LimitMaker { .. }
        | OrderKind::StopLoss { .. }
        | OrderKind::TakeProfit { .. } => None,
    }
}

/// Whether the price must fall to reach the stop, or else rise.
pub fn falls_to_stop(kind: &OrderKind, side: Side) -> bool {
    let stop_loss = matches!(kind, OrderKind::StopLoss { .. } | OrderKind::StopLossLimit { .. });
    stop_loss == (side == Side::Sell)
}

/// Whether a limit reaches the market where that stands at `last`.
pub fn is_marketable(side: Side, limit: Price, last: Price) -> bool {
    !is_beyond(side, limit, last)
}

/// The same with that limit; what has none stays as it is.
pub fn with_limit(kind: OrderKind, price: Price) -> OrderKind {
    match kind {
        OrderKind::Limit { time_in_force, .. } => OrderKind::Limit { price, time_in_force },
        OrderKind::LimitMaker { .. } => OrderKind::LimitMaker { price },
        OrderKind::StopLossLimit { stop, time_in_force, .. } => {
            OrderKind::StopLossLimit { stop, price, time_in_force }
        }
        OrderKind::TakeProfitLimit { stop, time_in_force, .. } => {
            OrderKind::TakeProfitLimit { stop, price, time_in_force }
        }
        OrderKind::Market | OrderKind::StopLoss { .. } | OrderKind::TakeProfit { .. } => kind,
    }
}

/// The same with that stop; what has none stays as it is.
pub fn with_stop(kind: OrderKind, stop: Price) -> OrderKind {
    match kind {
        OrderKind::StopLoss { .. } => OrderKind::StopLoss { stop },
        OrderKind::TakeProfit { .. } => OrderKind::TakeProfit { stop },
        OrderKind::StopLossLimit { price, time_in_force, .. } => {
            OrderKind::StopLossLimit { stop, price, time_in_force }
        }
        OrderKind::TakeProfitLimit { price, time_in_force, .. } => {
            OrderKind::TakeProfitLimit { stop, price, time_in_force }
        }
        OrderKind::Market | OrderKind::Limit { .. } | OrderKind::LimitMaker { .. } => kind,
    }
}

fn first_standing(kind: &OrderKind, side: Side, last: Option<Price>) -> Standing {
    match *kind {
        OrderKind::Market => Standing::Waiting,
        OrderKind::Limit { time_in_force: TimeInForce::Ioc | TimeInForce::Fok, .. } => Standing::Waiting,
        OrderKind::Limit { price, time_in_force: TimeInForce::Gtc } => {
            let takes = last.is_none_or(|last| is_marketable(side, price, last));
            if takes { Standing::Waiting } else { Standing::Resting }
        }
        OrderKind::LimitMaker { .. } => Standing::Resting,
        OrderKind::StopLoss { .. }
        | OrderKind::StopLossLimit { .. }
        | OrderKind::TakeProfit { .. }
        | OrderKind::TakeProfitLimit { .. } => Standing::Dormant,
    }
}

fn valued_at(
    kind: &OrderKind,
    side: Side,
    terms: &Terms,
    rules: &InstrumentRules,
    last: Option<Price>,
) -> Option<Price> {
    let estimate = |price: Price| slipped(rules, terms.slippage_ratio, side, price);
    match kind.limit() {
        Some(limit) => Some(limit),
        None => kind.stop().or(last).and_then(estimate),
    }
}
