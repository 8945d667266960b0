//! The requests themselves.

use super::*;

impl Step<'_> {
    pub(super) fn entry(&self) -> Event {
        let t = self.trade;
        let kind = match t.entry_plan {
            EntryPlan::Market => OrderKind::Market,
            // Of a plan that this build does not carry out nothing is asked.
            EntryPlan::LimitIoc | EntryPlan::Maker { .. } => {
                OrderKind::Limit { price: t.limit, time_in_force: TimeInForce::Ioc }
            }
        };
        let order = NewOrder {
            side: t.direction.entry(),
            reduce_only: false,
            ..self.order(Leg::Entry, kind, t.quantity)
        };
        self.submit(OrderRequest::Single(order))
    }

    /// The request that protects what is held, as the edge is configured.
    pub(super) fn protection(&self) -> Option<Event> {
        let ExitOrders { quantity, stop, take_profit, .. } = self.exit_orders().ok()?;
        let stop = self.order(Leg::Stop, stop, quantity);
        let request = match take_profit {
            None => OrderRequest::Single(stop),
            Some(price) => {
                let target = self.order(Leg::TakeProfit, OrderKind::LimitMaker { price }, quantity);
                let (above, below) = match self.trade.direction {
                    Direction::Long => (target, stop),
                    Direction::Short => (stop, target),
                };
                let list = ids::client_order_id(
                    self.tape,
                    &self.trade.account,
                    &self.trade.id,
                    "oco",
                    self.trade.next_attempt(Leg::Stop),
                );
                OrderRequest::Oco(NewOco { list, above, below })
            }
        };
        Some(self.submit(request))
    }

    pub(super) fn order(&self, leg: Leg, kind: OrderKind, quantity: Quantity) -> NewOrder {
        let t = self.trade;
        let attempt = t.next_attempt(leg);
        NewOrder {
            id: ids::leg_id(self.tape, &t.account, &t.id, leg, attempt),
            side: t.direction.exit(),
            kind,
            size: Size::Base(quantity),
            origin: Origin::Trade { trade: t.id, leg, attempt },
            reduce_only: true,
            position_side: PositionSide::Net,
        }
    }

    pub(super) fn submit(&self, request: OrderRequest) -> Event {
        let t = self.trade;
        OrderSubmitted { account: t.account, instrument: t.instrument, request: Box::new(request) }.into()
    }

    pub(super) fn wake(&self, said: &mut Vec<Event>) {
        if let Some(at) = self.trade.retry_at {
            self.wake_at(at, said);
        }
    }

    pub(super) fn wake_at(&self, at: Timestamp, said: &mut Vec<Event>) {
        let asked = Event::from(WakeAsked { at });
        if at > self.now && !self.asked.contains(&at) && !said.contains(&asked) {
            said.push(asked);
        }
    }
}
