//! The books that the model keeps of its own.

use super::{Known, Tally, World};
use crate::{stage::base, suite::script::get};
use domain::{
    Amount, Asset, ClientOrderId, Decimal, Ending, Filled, InstrumentRules, OrderKind, OrderRequest, Side,
    Size, TimeInForce, Timestamp,
    money::{ceil_to, floor_to},
};
use events::{AccountEvent, CandleEvent, Event, OrderEvent, OrderFilled, QuoteEvent};
use std::collections::BTreeMap;
use venue_paper::engine::{Balance, Fees, PaidIn};

impl World {
    pub fn hear(&mut self, event: impl Into<Event>, tally: &mut Tally) {
        let heard = event.into();
        let offer = self.observe(&heard);
        let said = self.solo.hear(self.now, heard.clone());
        self.drive(&heard, &said);
        self.tape.push((self.now, heard.clone()));
        let mut taken = Decimal::ZERO;
        for event in &said {
            self.tape.push((self.now, event.clone()));
            match event {
                Event::Account(AccountEvent::BalanceChanged(e)) => {
                    self.balances.insert(e.asset, Balance { free: e.free, locked: e.locked });
                }
                Event::Order(OrderEvent::Accepted(e)) => self.accept(e.order, e.at, tally),
                Event::Order(OrderEvent::Filled(e)) => {
                    taken += e.quantity.get();
                    self.fill(e, &heard, tally);
                }
                Event::Order(OrderEvent::Ended(e)) => {
                    let known = self.orders.get_mut(&e.order).expect("only accepted orders end");
                    assert!(!known.ended, "{} ends twice", e.order);
                    known.ended = true;
                    assert_eq!(e.filled, known.filled);
                    if let Size::Base(quantity) = known.order.size {
                        assert_eq!(e.ending == Ending::Filled, known.filled.quantity == quantity.get());
                    }
                    match e.ending {
                        Ending::Filled => tally.filled += 1,
                        Ending::Canceled => tally.canceled += 1,
                        Ending::Expired => tally.expired += 1,
                        other => panic!("{} ends {other:?}", e.order),
                    }
                }
                Event::Order(OrderEvent::Rejected(_)) => tally.rejected += 1,
                Event::Order(OrderEvent::CancelRejected(_)) | Event::Quote(QuoteEvent::Asked(_)) => {}
                other => panic!("a paper exchange does not say {other:?}"),
            }
        }
        if let Some(offer) = offer {
            assert!(taken <= offer.max(Decimal::ZERO), "{taken} were traded where {offer} were to be had");
        }
        if let Event::Quote(QuoteEvent::Seen(e)) = &heard {
            self.markets.get_mut(&e.instrument).unwrap().quoted += taken;
        }
        self.agree();
    }

    /// Takes the event into the model; how much may be traded on it, if it is a price.
    fn observe(&mut self, heard: &Event) -> Option<Amount> {
        match heard {
            Event::Candle(CandleEvent::Closed(e)) => {
                let candle = &e.candle;
                let market = self.markets.get_mut(&candle.instrument)?;
                let at = candle.close_time();
                if market.last.is_none_or(|(since, _)| since < at) {
                    market.last = Some((at, candle.close));
                }
                if candle.open_time < market.covered_until {
                    return Some(Decimal::ZERO);
                }
                market.covered_until = at;
                let offer = self.config.terms.participation * candle.volume - market.quoted;
                (market.volume, market.quoted) = (candle.volume, Decimal::ZERO);
                Some(offer)
            }
            Event::Quote(QuoteEvent::Seen(e)) => {
                let market = self.markets.get_mut(&e.instrument)?;
                if market.last.is_none_or(|(since, _)| since <= e.at) {
                    market.last = Some((e.at, e.price));
                }
                Some(self.config.terms.participation * market.volume - market.quoted)
            }
            _ => None,
        }
    }

    fn accept(&mut self, id: ClientOrderId, at: Timestamp, tally: &mut Tally) {
        let of = |r: &OrderRequest| r.orders().find(|o| o.id == id).copied();
        let (instrument, request, order) =
            self.submitted.values().find_map(|(i, r)| of(r).map(|o| (*i, *r, o))).expect("it was submitted");
        let list = match request {
            OrderRequest::Single(_) => None,
            OrderRequest::Oco(oco) => Some(oco.list),
        };
        tally.ocos += u32::from(list.is_some());
        let market = &self.markets[&instrument];
        let slip = self.config.terms.slippage_ratio;
        let estimate = |price: Decimal| match order.side {
            Side::Buy => ceil_to(price * (Decimal::ONE + slip), market.rules.tick_size),
            Side::Sell => floor_to(price * (Decimal::ONE - slip), market.rules.tick_size),
        };
        let valued_at = match (order.kind.limit(), order.kind.stop(), market.last) {
            (Some(limit), _, _) => Some(limit.get()),
            (None, Some(stop), _) => Some(estimate(stop.get())),
            (None, None, last) => last.map(|(_, price)| estimate(price.get())),
        };
        let (filled, fills, ended) = (Filled::default(), 0, false);
        let most = Amount::MAX;
        let known = Known { instrument, order, list, accepted_at: at, valued_at, most, filled, fills, ended };
        assert!(self.orders.insert(id, known).is_none(), "{id} is accepted twice");
    }

    fn fill(&mut self, e: &OrderFilled, heard: &Event, tally: &mut Tally) {
        let known = self.orders.get_mut(&e.order).expect("only accepted orders are filled");
        let rules = &self.markets[&known.instrument].rules;
        assert!(!known.ended, "{} is filled after its end", e.order);
        assert_eq!((e.instrument, e.side), (known.instrument, known.order.side));
        assert_eq!(e.quote, e.price.get() * e.quantity.get());
        let price = e.price.get();
        let (low, high) = match heard {
            Event::Candle(CandleEvent::Closed(c)) => {
                let candle = &c.candle;
                assert!(candle.open_time >= known.accepted_at, "{} fills from the past", e.order);
                assert_eq!(e.at, candle.close_time());
                (candle.low.get(), candle.high.get())
            }
            Event::Quote(QuoteEvent::Seen(q)) => {
                assert!(q.at >= known.accepted_at, "{} fills from the past", e.order);
                assert_eq!(e.at, q.at);
                assert!(!e.maker);
                (q.price.get(), q.price.get())
            }
            other => panic!("{} fills on {:?}", e.order, other.kind()),
        };
        // Never better than the market was; a gap may leave it worse.
        match e.side {
            Side::Buy => assert!(price >= low, "bought at {price}, below {low}"),
            Side::Sell => assert!(price <= high, "sold at {price}, above {high}"),
        }
        match (known.order.side, known.order.kind.limit()) {
            (Side::Buy, Some(limit)) => assert!(e.price <= limit),
            (Side::Sell, Some(limit)) => assert!(e.price >= limit),
            (_, None) => assert!(!e.maker),
        }
        if let OrderKind::LimitMaker { .. } = known.order.kind {
            assert!(e.maker);
        }

        let fees = &self.config.terms.fees;
        let given = match (e.side, fees.paid_in) {
            (Side::Sell, _) => e.quantity.get(),
            (Side::Buy, PaidIn::Quote) => {
                e.quote + floor_to(e.quote * fees.maker.max(fees.taker), get("0.00000001"))
            }
            (Side::Buy, PaidIn::Received | PaidIn::Third { .. }) => e.quote,
        };
        known.most = (known.need(fees, rules) - given).max(Amount::ZERO);
        known.fills += 1;
        known.filled.quantity += e.quantity.get();
        known.filled.quote += e.quote;
        match known.order.size {
            Size::Base(quantity) => assert!(known.filled.quantity <= quantity.get(), "{} overfills", e.order),
            Size::Quote(sum) => assert!(known.filled.quote <= sum.get(), "{} overspends", e.order),
        }
        let fok = |tif| tif == TimeInForce::Fok;
        if let OrderKind::Limit { time_in_force, .. }
        | OrderKind::StopLossLimit { time_in_force, .. }
        | OrderKind::TakeProfitLimit { time_in_force, .. } = known.order.kind
            && fok(time_in_force)
        {
            assert_eq!(known.order.size, base(e.quantity.get()), "{} is filled in part", e.order);
        }
        tally.fills += 1;
        tally.maker += u32::from(e.maker);

        let sign = if e.side == Side::Buy { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
        *self.totals.entry(rules.base).or_default() += sign * e.quantity.get();
        *self.totals.entry(rules.quote).or_default() -= sign * e.quote;
        if let Some(fee) = e.fee {
            assert!(fee.amount > Decimal::ZERO);
            *self.totals.entry(fee.asset).or_default() -= fee.amount;
        }
    }

    /// The exchange's books and the model's are the same.
    fn agree(&self) {
        for (asset, balance) in &self.balances {
            assert!(balance.free >= Decimal::ZERO, "{asset}: {balance:?}");
            assert!(balance.locked >= Decimal::ZERO, "{asset}: {balance:?}");
            assert_eq!(balance.total(), self.totals[asset], "total of {asset}");
            assert_eq!(balance.locked, self.needed(asset), "locked of {asset}");
            assert_eq!(*balance, self.solo.state.exchange.balances.of(asset));
        }
        let open: Vec<_> = self.solo.state.exchange.open_orders().map(|(_, o)| o.id).collect();
        let mut open = open;
        open.sort();
        let known: Vec<_> = self.orders.iter().filter(|(_, o)| !o.ended).map(|(id, _)| *id).collect();
        assert_eq!(open, known);
    }

    /// What the open orders need of an asset; the legs of an OCO need only as much as the dearer one.
    fn needed(&self, asset: &Asset) -> Amount {
        let mut sum = Decimal::ZERO;
        let mut lists: BTreeMap<ClientOrderId, Amount> = BTreeMap::new();
        for known in self.orders.values().filter(|o| !o.ended) {
            let rules = &self.markets[&known.instrument].rules;
            let given = if known.order.side == Side::Buy { rules.quote } else { rules.base };
            if given != *asset {
                continue;
            }
            let need = known.need(&self.config.terms.fees, rules);
            match known.list {
                None => sum += need,
                Some(list) => {
                    let dearer = lists.entry(list).or_default();
                    *dearer = need.max(*dearer);
                }
            }
        }
        sum + lists.into_values().sum::<Decimal>()
    }
}

impl Known {
    fn need(&self, fees: &Fees, rules: &InstrumentRules) -> Amount {
        let left = |size: Size| match size {
            Size::Base(quantity) => quantity.get() - self.filled.quantity,
            Size::Quote(sum) => sum.get() - self.filled.quote,
        };
        let left = left(self.order.size);
        let need = match (self.order.side, self.order.size, self.valued_at) {
            (Side::Sell, Size::Base(_), _) => left,
            (Side::Sell, Size::Quote(_), price) => {
                price.map_or(Decimal::ZERO, |p| ceil_to(left / p, rules.lot_size))
            }
            (Side::Buy, size, price) => {
                let notional = match size {
                    Size::Base(_) => price.unwrap_or_default() * left,
                    Size::Quote(_) => left,
                };
                let on_top = match fees.paid_in {
                    PaidIn::Quote => ceil_to(notional * fees.maker.max(fees.taker), get("0.00000001")),
                    PaidIn::Received | PaidIn::Third { .. } => Decimal::ZERO,
                };
                notional + on_top
            }
        };
        need.min(self.most)
    }
}
