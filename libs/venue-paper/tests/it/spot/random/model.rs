//! What must be true, whatever happened.

use super::{Tally, instrument};
use crate::random::Dice;
use domain::{
    Amount, Asset, ClientOrderId, Decimal, Ending, Filled, InstrumentRules, NewOrder, OrderKind, Price,
    Quantity, Side, Size,
};
use std::collections::{BTreeMap, BTreeSet};
use venue_paper::engine::{
    Amendment, Book, End, Execution, Expiry, Extras, PaidIn, Prevention, Report, SelfTrade, Spot, Standing,
    Terms, Wanted,
};

pub struct Model {
    rules: InstrumentRules,
    terms: Terms,
    /// What there must be of each asset.
    totals: BTreeMap<Asset, Amount>,
    /// Sent and not answered yet.
    sent: BTreeMap<ClientOrderId, (NewOrder, Extras, Option<ClientOrderId>)>,
    open: BTreeMap<ClientOrderId, Known>,
    ended: BTreeSet<ClientOrderId>,
    /// What others have left on the book: bids, asks.
    outside: [BTreeMap<Price, Amount>; 2],
    /// The trade of others in hand, and what may still be given to it.
    others: Option<(Price, Side, Amount)>,
    /// A book is in hand: it may cross ours.
    crossing: bool,
    last: Option<Price>,
    trades: u64,
    prevented: u64,
    /// Orders that a prevented match may end.
    doomed: BTreeSet<ClientOrderId>,
    came: u64,
}

struct Known {
    order: NewOrder,
    extras: Extras,
    list: Option<ClientOrderId>,
    filled: Filled,
    prevented: Amount,
    /// When it came to the book, by count; `None` for a stop that sleeps.
    came: Option<u64>,
}

impl Known {
    fn quantity(&self) -> Option<Amount> {
        match self.order.size {
            Size::Base(quantity) => Some(quantity.get()),
            Size::Quote(_) => None,
        }
    }
    fn left(&self) -> Amount {
        self.quantity().map_or(Amount::ZERO, |quantity| quantity - self.filled.quantity - self.prevented)
    }
}

/// What is done to the market.
impl Model {
    pub fn new(rules: InstrumentRules, terms: Terms) -> Self {
        Self {
            rules,
            terms,
            totals: BTreeMap::new(),
            sent: BTreeMap::new(),
            open: BTreeMap::new(),
            ended: BTreeSet::new(),
            outside: [BTreeMap::new(), BTreeMap::new()],
            others: None,
            crossing: false,
            last: None,
            trades: 0,
            prevented: 0,
            doomed: BTreeSet::new(),
            came: 0,
        }
    }

    pub fn deposit(&mut self, asset: Asset, delta: Amount) {
        *self.totals.entry(asset).or_default() += delta;
    }

    pub fn see_book(&mut self, book: &Book) {
        let side = |levels: &[(Price, Quantity)]| levels.iter().map(|(p, q)| (*p, q.get())).collect();
        self.outside = [side(&book.bids), side(&book.asks)];
        self.crossing = true;
    }

    pub fn see_trade(&mut self, price: Price, quantity: Quantity, taker: Side) {
        self.others = Some((price, taker, quantity.get()));
        self.last = Some(price);
    }

    pub fn place(&mut self, wanted: &Wanted) {
        let list = venue_paper::engine::list_of(&wanted.request);
        for (order, extras) in wanted.each() {
            self.sent.insert(order.id, (*order, extras, list));
        }
    }

    pub fn any_open(&self, dice: &mut Dice) -> Option<ClientOrderId> {
        let count = self.open.len() as u64;
        (count > 0).then(|| dice.below(count) as usize).and_then(|i| self.open.keys().nth(i).copied())
    }
}

/// What was reported of it.
impl Model {
    pub fn hear(&mut self, reports: &[Report], tally: &mut Tally) {
        let others = self.others.map(|(price, ..)| price);
        for (i, report) in reports.iter().enumerate() {
            match report {
                Report::Accepted(e) => self.accept(e.order),
                Report::Rejected { order, .. } => {
                    self.sent.remove(order).expect("it was sent");
                    tally.rejected += 1;
                }
                Report::Triggered { order, .. } => {
                    self.came += 1;
                    let known = self.open.get_mut(order).expect("it is open");
                    assert!(known.came.replace(self.came).is_none(), "{order} is triggered twice");
                    tally.triggered += 1;
                    // From here on it is a taker of its own.
                    (self.others, self.crossing) = (None, false);
                }
                Report::Filled(e) => self.fill(e, &reports[i + 1..], tally),
                Report::Ended(e) => self.end(e, tally),
                Report::Prevented(e) => self.prevent(e, tally),
                Report::Amended(e) => self.amend(e, tally),
                Report::Balance { .. } | Report::CancelRejected { .. } | Report::AmendRejected { .. } => {}
                Report::QuoteWanted => panic!("there are books"),
                Report::Pegged { .. } | Report::Released { .. } => panic!("nobody asked for it"),
            }
        }
        // The trade of others came last, unless it set something off.
        let last_of = |reports: &[Report]| {
            reports.iter().rev().find_map(|r| match r {
                Report::Filled(e) => Some(e.price),
                _ => None,
            })
        };
        let triggered = reports.iter().position(|r| matches!(r, Report::Triggered { .. }));
        let (before, after) = reports.split_at(triggered.unwrap_or(reports.len()));
        self.last = last_of(after).or(others).or(last_of(before)).or(self.last);
        assert!(self.sent.is_empty(), "unanswered: {:?}", self.sent.keys());
        assert!(self.doomed.is_empty(), "prevented, and not ended: {:?}", self.doomed);
        (self.others, self.crossing) = (None, false);
    }

    fn accept(&mut self, id: ClientOrderId) {
        let (order, extras, list) = self.sent.remove(&id).expect("it was sent");
        let sleeps = order.kind.stop().is_some();
        self.came += u64::from(!sleeps);
        let came = (!sleeps).then_some(self.came);
        let known = Known { order, extras, list, filled: Filled::default(), prevented: Amount::ZERO, came };
        assert!(self.open.insert(id, known).is_none(), "{id} is accepted twice");
    }

    fn fill(&mut self, e: &Execution, later: &[Report], tally: &mut Tally) {
        let twin = |report: &Report| matches!(report, Report::Filled(n) if n.venue_trade == e.venue_trade);
        let trade: u64 = e.venue_trade.parse().expect("a number");
        assert!(trade == self.trades + 1 || (e.maker && trade == self.trades), "trades are numbered on");
        let second = trade == self.trades;
        self.trades = trade;
        assert_eq!(e.quote, e.price.get() * e.quantity.get());
        self.check_priority(e);
        let with_self = second || later.iter().any(twin);
        match (e.maker, with_self) {
            (true, true) => tally.with_self += 1,
            (true, false) => {
                tally.made += 1;
                self.give_to_others(e);
            }
            (false, true) => {
                let mode = self.open[&e.order].extras.self_trade;
                assert_eq!(mode, SelfTrade::None, "{} trades with ours", e.order);
            }
            (false, false) => {
                tally.taken += 1;
                self.take_from_others(e);
            }
        }
        self.move_money(e);
        let known = self.open.get_mut(&e.order).expect("only open orders fill");
        known.filled.quantity += e.quantity.get();
        known.filled.quote += e.quote;
        match known.order.size {
            Size::Base(_) => assert!(known.left() >= Amount::ZERO, "{} is filled beyond its size", e.order),
            Size::Quote(sum) => {
                assert!(known.filled.quote <= sum.get(), "{} takes more than its sum", e.order)
            }
        }
    }

    /// No fill beyond a limit; and nobody is passed over.
    fn check_priority(&self, e: &Execution) {
        let known = &self.open[&e.order];
        assert_eq!(known.order.side, e.side);
        if let Some(limit) = known.order.kind.limit() {
            assert!(!is_better(e.side, e.price, limit), "{} trades beyond its limit", e.order);
            assert!(!e.maker || e.price == limit, "a maker trades at its own price");
        }
        let came = known.came.expect("a sleeping stop does not trade");
        let makers =
            self.open.iter().filter(|(id, o)| **id != e.order && o.came.is_some_and(|c| c < self.came + 1));
        for (id, other) in makers {
            let Some(limit) = other.order.kind.limit().filter(|_| other.came.is_some()) else { continue };
            if e.maker && other.order.side == e.side {
                assert!(
                    !is_better(e.side, limit, e.price) || came_later(other, came, self),
                    "{id} had the better price"
                );
                let plain = other.extras.iceberg.is_none() && known.extras.iceberg.is_none();
                let first = other.came.is_some_and(|c| c < came);
                assert!(!(plain && first && limit == e.price), "{id} was there before {}", e.order);
            }
            if !e.maker && other.order.side != e.side {
                let better = is_better(other.order.side, limit, e.price);
                assert!(!better, "{} should have met {id} first", e.order);
            }
        }
    }

    fn take_from_others(&mut self, e: &Execution) {
        let levels = &mut self.outside[usize::from(e.side == Side::Buy)];
        let best = if e.side == Side::Buy { levels.first_key_value() } else { levels.last_key_value() };
        let (price, left) = best.map(|(p, q)| (*p, *q)).expect("there is nobody to trade with");
        assert_eq!(price, e.price, "others offer better");
        assert!(e.quantity.get() <= left, "others do not have that much");
        take(levels, price, e.quantity.get());
    }

    /// A maker trades with a trade of others, or with a new book.
    fn give_to_others(&mut self, e: &Execution) {
        if let Some((price, taker, left)) = &mut self.others {
            assert!(*taker != e.side || *price != e.price, "the taker was on our side");
            assert!(!is_better(e.side, *price, e.price), "others did not trade through {}", e.price);
            *left -= e.quantity.get();
            assert!(*left >= Amount::ZERO, "others did not trade that much");
            return;
        }
        assert!(self.crossing, "{} trades with nobody", e.order);
        let levels = &mut self.outside[usize::from(e.side == Side::Buy)];
        let best = if e.side == Side::Buy { levels.first_key_value() } else { levels.last_key_value() };
        let (price, left) = best.map(|(p, q)| (*p, *q)).expect("there is nobody to trade with");
        assert!(price == e.price || !is_better(e.side, price, e.price), "the book does not cross");
        assert!(e.quantity.get() <= left, "others do not have that much");
        take(levels, price, e.quantity.get());
    }

    fn move_money(&mut self, e: &Execution) {
        let (base, quote) = (self.rules.base, self.rules.quote);
        let sign = if e.side == Side::Buy { Decimal::ONE } else { -Decimal::ONE };
        self.deposit(base, sign * e.quantity.get());
        self.deposit(quote, -sign * e.quote);
        if let Some(fee) = e.fee {
            self.deposit(fee.asset, -fee.amount);
        }
    }

    fn prevent(&mut self, e: &Prevention, tally: &mut Tally) {
        tally.prevented += 1;
        assert_eq!(e.number, self.prevented);
        self.prevented += 1;
        assert_ne!(e.mode, SelfTrade::None);
        assert_eq!(e.mode, self.open[&e.taker].extras.self_trade, "the taker's mode counts");
        assert_eq!(self.open[&e.maker].order.kind.limit(), Some(e.price));
        for (id, lost) in [(e.taker, e.taker_prevented), (e.maker, e.maker_prevented)] {
            let Some(lost) = lost else { continue };
            let known = self.open.get_mut(&id).expect("it is open");
            known.prevented += lost;
            assert!(lost > Amount::ZERO);
            let ends = known.quantity().is_none() || known.left() <= Amount::ZERO;
            if ends && (known.quantity().is_some() || e.mode != SelfTrade::Decrement) {
                self.doomed.insert(id);
            }
        }
        let lost = (e.taker_prevented.is_some(), e.maker_prevented.is_some());
        let wanted = match e.mode {
            SelfTrade::None => (false, false),
            SelfTrade::ExpireTaker => (true, false),
            SelfTrade::ExpireMaker => (false, true),
            SelfTrade::ExpireBoth | SelfTrade::Decrement | SelfTrade::Transfer => (true, true),
        };
        assert_eq!(lost, wanted);
    }

    fn end(&mut self, e: &End, tally: &mut Tally) {
        let known = self.open.remove(&e.order).unwrap_or_else(|| panic!("{} is not open", e.order));
        assert!(self.ended.insert(e.order));
        assert_eq!((e.filled, e.prevented), (known.filled, known.prevented));
        if known.quantity().is_some() {
            assert_eq!(e.ending == Ending::Filled, known.left().is_zero() && e.expiry.is_none());
        }
        let in_match = self.doomed.remove(&e.order);
        if known.quantity().is_some() {
            assert_eq!(e.expiry == Some(Expiry::SelfTrade), in_match);
        }
        assert_eq!(e.expiry.is_some(), e.ending == Ending::Expired);
        tally.expired += u32::from(e.ending == Ending::Expired);
    }

    fn amend(&mut self, e: &Amendment, tally: &mut Tally) {
        let mut known = self.open.remove(&e.was).expect("it is open");
        assert_eq!(known.order.size, Size::Base(e.was_quantity));
        assert!(e.quantity < e.was_quantity);
        known.order.size = Size::Base(e.quantity);
        known.order.id = e.order;
        assert!(known.left() > Amount::ZERO);
        self.open.insert(e.order, known);
        tally.amended += 1;
    }
}

/// Its books and the exchange's.
impl Model {
    pub fn agree(&self, spot: &Spot) {
        let exchange = &spot.exchange;
        let open: BTreeSet<_> = exchange.open_orders().map(|(_, o)| o.id).collect();
        assert_eq!(open, self.open.keys().copied().collect());
        for (asset, balance) in exchange.balances.iter() {
            assert!(balance.free >= Amount::ZERO && balance.locked >= Amount::ZERO, "{asset} {balance:?}");
            assert_eq!(balance.total(), self.totals[asset], "{asset}");
            assert_eq!(balance.locked, self.locked(*asset, spot), "{asset} locked");
        }
        let book = spot.book(instrument()).expect("a book");
        if let (Some((bid, _)), Some((ask, _))) = (book.bids.first(), book.asks.first()) {
            assert!(bid < ask, "the book is crossed: {bid} {ask}");
        }
        self.compare_levels(&book.bids, Side::Buy, spot);
        self.compare_levels(&book.asks, Side::Sell, spot);
        for (_, order) in exchange.open_orders().filter(|(_, o)| o.standing == Standing::Dormant) {
            let (Some(last), None) = (self.last, order.special.trail) else { continue };
            let known = &self.open[&order.id].order;
            let falls = matches!(known.kind, OrderKind::StopLoss { .. } | OrderKind::StopLossLimit { .. })
                == (known.side == Side::Sell);
            let stop = known.kind.stop().expect("a stop");
            assert!(if falls { last > stop } else { last < stop }, "{} sleeps at {last}", order.id);
        }
    }

    /// The published side is what others have left and what ours show.
    fn compare_levels(&self, shown: &[(Price, Quantity)], side: Side, spot: &Spot) {
        let mut wanted = self.outside[usize::from(side == Side::Sell)].clone();
        for (id, known) in self.open.iter().filter(|(_, o)| o.order.side == side && o.came.is_some()) {
            let Some(limit) = known.order.kind.limit() else { continue };
            let order = spot.exchange.open_orders().find(|(_, o)| o.id == *id).expect("open").1;
            let left = match known.extras.iceberg {
                None => known.left(),
                Some(part) => {
                    let seen = order.visible();
                    assert!(seen > Amount::ZERO && seen <= part.get() && seen <= known.left());
                    seen
                }
            };
            *wanted.entry(limit).or_default() += left;
        }
        let mut wanted: Vec<_> = wanted.into_iter().collect();
        if side == Side::Buy {
            wanted.reverse();
        }
        assert_eq!(shown.iter().map(|(p, q)| (*p, q.get())).collect::<Vec<_>>(), wanted);
    }

    fn locked(&self, asset: Asset, spot: &Spot) -> Amount {
        let mut single = Amount::ZERO;
        let mut lists: BTreeMap<ClientOrderId, Amount> = BTreeMap::new();
        for known in self.open.values() {
            let held = self.held(asset, known, spot);
            match known.list {
                None => single += held,
                Some(list) => {
                    let most = lists.entry(list).or_default();
                    *most = held.max(*most);
                }
            }
        }
        single + lists.values().sum::<Amount>()
    }

    fn held(&self, asset: Asset, known: &Known, spot: &Spot) -> Amount {
        match known.order.side {
            Side::Sell if asset == self.rules.base => known.left(),
            Side::Buy if asset == self.rules.quote => match known.order.kind.limit() {
                Some(limit) => {
                    let notional = limit.get() * known.left();
                    let rate = match self.terms.fees.paid_in {
                        PaidIn::Quote => self.terms.fees.maker.max(self.terms.fees.taker),
                        PaidIn::Received | PaidIn::Third { .. } => Decimal::ZERO,
                    };
                    let step = Decimal::new(1, self.rules.quote_precision);
                    notional + domain::money::ceil_to(notional * rate, step)
                }
                // A stop without a limit holds an estimate.
                None => spot
                    .exchange
                    .open_orders()
                    .find(|(_, o)| o.id == known.order.id)
                    .map_or(Amount::ZERO, |(_, o)| o.held),
            },
            _ => Amount::ZERO,
        }
    }
}

/// Whether one price of a maker of that side is better for takers than another.
fn is_better(side: Side, one: Price, other: Price) -> bool {
    match side {
        Side::Buy => one > other,
        Side::Sell => one < other,
    }
}

/// A stop that was triggered after the trade in hand stands behind it.
fn came_later(other: &Known, came: u64, model: &Model) -> bool {
    other.came.is_some_and(|c| c > came && c == model.came && other.order.kind.stop().is_some())
}

fn take(levels: &mut BTreeMap<Price, Amount>, price: Price, quantity: Amount) {
    let left = levels.get_mut(&price).expect("a level");
    *left -= quantity;
    if left.is_zero() {
        levels.remove(&price);
    }
}
