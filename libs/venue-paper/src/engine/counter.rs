//! What stands against an order: others and our own orders, by price and then by time.

use super::{
    Book, Kin, Market, OpenOrder, Outside, Refusal, SelfTrade, Standing, Terms,
    pricing::{is_beyond, most_for, product},
};
use domain::{Amount, OrderKind, Price, Quantity, Side, Size, money::ceil_to};
use events::Rejection;
use std::collections::BTreeMap;

/// The next one that a taker meets.
pub enum Counter {
    Outside {
        price: Price,
        quantity: Amount,
    },
    /// On the book of another instrument.
    Elsewhere {
        route: usize,
        price: Price,
        quantity: Amount,
    },
    /// The order of that number.
    Own {
        maker: u64,
        price: Price,
    },
}

impl Market {
    /// Who is first in line for an order of that side.
    pub fn best_against(&self, side: Side) -> Option<Counter> {
        let outside = self.outside.as_ref()?.best(opposite(side));
        let own = self.best_own(opposite(side)).and_then(|own| Some((own.kind.limit()?, own)));
        let Some((price, maker)) = own else {
            return outside.map(|(price, quantity)| Counter::Outside { price, quantity });
        };
        let ours = Counter::Own { maker: maker.number, price };
        let Some((at, quantity)) = outside else { return Some(ours) };
        let ahead = maker.special.queue.ahead;
        if at == price && ahead > Amount::ZERO {
            return Some(Counter::Outside { price, quantity: quantity.min(ahead) });
        }
        // Better for the taker is worse for those who wait.
        let others_first = at != price && is_beyond(side, at, price);
        Some(if others_first { Counter::Outside { price: at, quantity } } else { ours })
    }

    /// The best price for a taker of that side, ours and others'.
    pub fn best_price_against(&self, side: Side) -> Option<Price> {
        self.best_against(side).map(|counter| counter.price())
    }

    /// The resting order of that side that is first in line among the accounts'.
    pub fn best_own(&self, side: Side) -> Option<&OpenOrder> {
        self.best_of(side, |_| true)
    }

    fn best_of(&self, side: Side, takes: impl Fn(&OpenOrder) -> bool) -> Option<&OpenOrder> {
        let resting = self.orders.iter().filter(|o| o.side == side && o.standing == Standing::Resting);
        resting
            .filter(|o| takes(o))
            .filter_map(|o| Some((o.kind.limit()?, o)))
            .reduce(|a, b| if comes_first(&a, &b) { a } else { b })
            .map(|(_, o)| o)
    }

    /// What such a taker could get, the best price first; `kin` are those with whom its mode keeps it from
    /// trading. Where prevention would end the taker, that is what stands before the first order of theirs.
    pub fn offers(&self, taker: &OpenOrder, kin: &Kin) -> Box<dyn Iterator<Item = (Price, Amount)> + '_> {
        let side = opposite(taker.side);
        let outside = self.outside.iter().flat_map(move |outside| outside.levels(side));
        let own = |takes: &dyn Fn(&OpenOrder) -> bool| self.own_offers(side, takes);
        match taker.special.self_trade {
            SelfTrade::None => Box::new(merge(side, own(&|_| true), outside)),
            SelfTrade::ExpireMaker => Box::new(merge(side, own(&|o| !kin.has(o.owner())), outside)),
            SelfTrade::ExpireTaker | SelfTrade::ExpireBoth | SelfTrade::Decrement | SelfTrade::Transfer => {
                let first = self.best_of(side, |o| kin.has(o.owner()));
                let stop = first.and_then(|o| Some((o.kind.limit()?, o.special.queue)));
                let before = |o: &OpenOrder| match (stop, o.kind.limit()) {
                    (Some((at, queue)), Some(price)) if price == at => o.special.queue.turn < queue.turn,
                    (Some((at, _)), Some(price)) => by_price(side, price, at).is_lt(),
                    (None, _) | (_, None) => true,
                };
                let outside = outside.map_while(move |(price, quantity)| match stop {
                    None => Some((price, quantity)),
                    Some((at, queue)) if price == at => Some((price, quantity.min(queue.ahead))),
                    Some((at, _)) => by_price(side, price, at).is_lt().then_some((price, quantity)),
                });
                Box::new(merge(side, own(&before), outside))
            }
        }
    }

    /// What rests on that side of the accounts' orders, hidden parts too, the best price first.
    fn own_offers(&self, side: Side, takes: &dyn Fn(&OpenOrder) -> bool) -> Vec<(Price, Amount)> {
        let resting = self.orders.iter().filter(|o| o.side == side && o.standing == Standing::Resting);
        let resting = resting.filter(|o| takes(o));
        let mut own: Vec<_> = resting.filter_map(|o| Some((o.kind.limit()?, o.left()))).collect();
        own.sort_by(|a, b| by_price(side, a.0, b.0));
        own
    }

    /// What a market order takes from the account at once; `None` for others.
    ///
    /// # Errors
    /// A sum finds too little on the book to be spent at all.
    pub fn costs(&self, order: &OpenOrder, terms: &Terms, kin: &Kin) -> Result<Option<Amount>, Refusal> {
        if order.kind != OrderKind::Market {
            return Ok(None);
        }
        let offers = || self.offers(order, kin);
        let rules = &self.rules;
        match (order.size, order.side) {
            (Size::Quote(sum), side) => {
                check_liquidity(self, offers())?;
                Ok((side == Side::Sell).then(|| base_for(sum.get(), offers(), rules.lot_size)))
            }
            (Size::Base(_), Side::Sell) => Ok(None),
            (Size::Base(quantity), Side::Buy) => {
                let cost = quote_for(quantity.get(), offers());
                Ok(Some(cost + terms.fees.on_top(cost, rules)))
            }
        }
    }

    /// What others show and what we show, together.
    pub fn merged_book(&self) -> Option<Book> {
        let outside = self.outside.as_ref()?;
        Some(Book { bids: self.merged(outside, Side::Buy), asks: self.merged(outside, Side::Sell) })
    }

    /// What we show.
    pub fn shown(&self) -> Book {
        let [bids, asks] = [Side::Buy, Side::Sell].map(|side| {
            let mut levels: Vec<_> = self.shown_of(side).into_iter().collect();
            if side == Side::Buy {
                levels.reverse();
            }
            levels.into_iter().filter_map(|(p, q)| Some((p, Quantity::new(q.normalize()).ok()?))).collect()
        });
        Book { bids, asks }
    }

    fn shown_of(&self, side: Side) -> BTreeMap<Price, Amount> {
        let mut ours: BTreeMap<Price, Amount> = BTreeMap::new();
        let resting = self.orders.iter().filter(|o| o.side == side && o.standing == Standing::Resting);
        for (price, shown) in resting.filter_map(|o| Some((o.kind.limit()?, o.visible()))) {
            *ours.entry(price).or_default() += shown;
        }
        ours
    }

    fn merged(&self, outside: &Outside, side: Side) -> Vec<(Price, Quantity)> {
        let ours = self.shown_of(side);
        let mut levels: Vec<(Price, Amount)> = outside.levels(side).collect();
        for (price, shown) in ours {
            match levels.binary_search_by(|(p, _)| by_price(side, *p, price)) {
                Ok(place) => levels[place].1 += shown,
                Err(place) => levels.insert(place, (price, shown)),
            }
        }
        levels.into_iter().filter_map(|(p, q)| Some((p, Quantity::new(q.normalize()).ok()?))).collect()
    }
}

impl Counter {
    pub fn price(&self) -> Price {
        match self {
            Self::Outside { price, .. } | Self::Elsewhere { price, .. } | Self::Own { price, .. } => *price,
        }
    }
}

pub fn opposite(side: Side) -> Side {
    match side {
        Side::Buy => Side::Sell,
        Side::Sell => Side::Buy,
    }
}

/// Whether one resting order of a side has priority over another.
fn comes_first((a, one): &(Price, &OpenOrder), (b, other): &(Price, &OpenOrder)) -> bool {
    by_price(one.side, *a, *b).then(one.special.queue.turn.cmp(&other.special.queue.turn)).is_lt()
}

/// Two sequences of a side as one.
fn merge(
    side: Side,
    one: Vec<(Price, Amount)>,
    other: impl Iterator<Item = (Price, Amount)>,
) -> impl Iterator<Item = (Price, Amount)> {
    let (mut one, mut other) = (one.into_iter().peekable(), other.peekable());
    std::iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some(a), Some(b)) if by_price(side, a.0, b.0).is_lt() => one.next(),
        (Some(_), None) => one.next(),
        (_, _) => other.next(),
    })
}

/// The order of prices on the side where orders of that side rest.
pub fn by_price(side: Side, a: Price, b: Price) -> std::cmp::Ordering {
    match side {
        Side::Buy => b.cmp(&a),
        Side::Sell => a.cmp(&b),
    }
}

pub fn quote_for(quantity: Amount, offers: impl Iterator<Item = (Price, Amount)>) -> Amount {
    let mut left = quantity;
    let mut cost = Amount::ZERO;
    for (price, offered) in offers {
        let taken = left.min(offered);
        cost += product(price.get(), taken).unwrap_or_default();
        left -= taken;
        if left.is_zero() {
            break;
        }
    }
    cost
}

/// What must be sold to get that sum.
fn base_for(sum: Amount, offers: impl Iterator<Item = (Price, Amount)>, lot: Amount) -> Amount {
    let mut left = sum;
    let mut base = Amount::ZERO;
    for (price, offered) in offers {
        let taken = most_for(left, price.get(), lot).min(offered);
        base += taken;
        left -= product(price.get(), taken).unwrap_or_default();
        if taken < offered {
            break;
        }
    }
    ceil_to(base, lot)
}

/// A market order by its sum wants at least the smallest quantity on the book.
fn check_liquidity(market: &Market, offers: impl Iterator<Item = (Price, Amount)>) -> Result<(), Refusal> {
    let rules = &market.rules;
    let least = rules.market_min_quantity.unwrap_or_default().max(rules.min_quantity);
    let mut total = Amount::ZERO;
    for (_, quantity) in offers {
        total += quantity;
        if total >= least {
            break;
        }
    }
    let what = if total.is_zero() {
        "symbol"
    } else if total < rules.min_quantity {
        "LOT_SIZE filter"
    } else if total < least {
        "MARKET_LOT_SIZE filter"
    } else {
        return Ok(());
    };
    let text = format!("Order book liquidity is less than {what} minimum quantity.");
    Err(Refusal::new(Rejection::Other, -2010, text))
}
