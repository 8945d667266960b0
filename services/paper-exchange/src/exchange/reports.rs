//! What the engine reports becomes history, and is told to whoever listens to the account.

use super::{
    Exchange,
    archive::{Amendment, Entry, List, Prevented, Status, Trade},
    events::{self, News, What},
    order_params::{Asked, Stage},
};
use crate::{frame::AccountFrame, params::TimeUnit};
use domain::{
    Amount, Asset, ClientOrderId, Ending, Filled, Instrument, Price, Quantity, Side, Size, Timestamp,
    VenueOrderId,
};
use std::collections::{BTreeMap, BTreeSet};
use venue_paper::engine::{self, Acceptance, End, Execution, Expiry, Owner, Prevention, Report};

/// Why something happened.
#[derive(Clone, Copy)]
pub enum Cause<'a> {
    Market,
    /// Orders, and the list that they make, with its contingency type.
    Placed(&'a [Asked], Option<(ClientOrderId, &'static str)>),
    /// A cancel, by the name that it gave itself.
    Canceled(ClientOrderId),
    /// The exchange itself ends what is open.
    Delisted,
}

/// `workingFloor`: where a routed order was active last.
const SOR: &str = "SOR";
const EXCHANGE: &str = "EXCHANGE";

/// What is told once the reports of the orders themselves are: lists, then balances.
#[derive(Default)]
struct Later {
    lists: Vec<(i64, &'static str)>,
    /// Prices of pegged orders that are about to be accepted.
    pegged: BTreeMap<i64, Price>,
    balances: Vec<(Owner, (Asset, Amount, Amount))>,
    as_of: Timestamp,
}

impl Exchange {
    /// Balances that changed without any order.
    pub(super) fn tell_all(&mut self, reports: &[Report]) {
        // They are of no market in particular.
        let any = self.spot.exchange.markets.iter().next().map(|(instrument, _)| *instrument);
        if let Some(instrument) = any {
            self.tell(instrument, reports, Cause::Market);
        }
    }

    /// Everything that one input did, in order. What refuses is left to the caller.
    pub(super) fn tell(&mut self, instrument: Instrument, reports: &[Report], cause: Cause) {
        let mut later = Later::default();
        self.as_placed.clear();
        for (at, report) in reports.iter().enumerate() {
            if !matches!(report, Report::Balance { .. }) {
                self.tell_balances(&mut later);
            }
            self.tell_one(instrument, report, &reports[at + 1..], cause, &mut later);
            let accepts = |report: &Report| matches!(report, Report::Accepted(_));
            if accepts(report) && !reports.get(at + 1).is_some_and(accepts) {
                // A list has begun before its orders trade.
                self.tell_lists(&mut later);
            }
        }
        self.tell_lists(&mut later);
        self.tell_balances(&mut later);
    }

    fn tell_one(
        &mut self,
        instrument: Instrument,
        report: &Report,
        rest: &[Report],
        cause: Cause,
        later: &mut Later,
    ) {
        match report {
            Report::Accepted(accepted) => self.admit(instrument, accepted, cause, later),
            Report::Filled(fill) => {
                self.keep_as_placed(fill, cause);
                self.fill(instrument, fill, is_last(fill, rest));
            }
            Report::Ended(end) => self.end(end, cause, later),
            Report::Balance { owner, asset, free, locked, as_of } => {
                self.tell_lists(later);
                later.balances.push((*owner, (*asset, *free, *locked)));
                later.as_of = *as_of;
            }
            Report::QuoteWanted => _ = self.quotes_wanted.insert(instrument),
            Report::Triggered { venue_order, at, .. } => self.trigger(venue_order, *at),
            Report::Pegged { venue_order, price, .. } => self.peg(number_of(venue_order), *price, later),
            Report::Released { venue_order, quantity, at, .. } => {
                self.release(number_of(venue_order), *quantity, *at, cause);
            }
            Report::Amended(amendment) => self.amended(amendment, later),
            Report::Prevented(prevention) => self.prevent(instrument, prevention, rest),
            Report::Rejected { .. } | Report::CancelRejected { .. } | Report::AmendRejected { .. } => {}
        }
    }

    fn admit(&mut self, instrument: Instrument, accepted: &Acceptance, cause: Cause, later: &mut Later) {
        let Cause::Placed(asked, list_id) = cause else { return };
        let Some(asked) = asked.iter().find(|asked| asked.order.id == accepted.order) else { return };
        let number = number_of(&accepted.venue_order);
        let owner = self.asker;
        let list = list_id.map(|named| self.join(instrument, named, number, accepted.at, later));
        let Asked { order, marks, stage, .. } = *asked;
        let pending = stage != Stage::AtOnce;
        let waits = pending || order.kind.stop().is_some();
        self.archive.add(Entry {
            owner,
            number,
            instrument,
            list,
            id: order.id,
            side: order.side,
            kind: order.kind,
            size: order.size,
            marks,
            status: if pending { Status::PendingNew } else { Status::New },
            filled: Filled::default(),
            created: accepted.at,
            updated: accepted.at,
            working: (!waits).then_some(accepted.at),
            trailing_since: marks
                .trailing_delta
                .filter(|_| marks.without_stop && !pending)
                .map(|_| accepted.at),
            expiry: None,
            group: self.spot.exchange.group_of(owner),
            prevented: Amount::ZERO,
            prevented_match: None,
            pegged: later.pegged.remove(&number),
            unsized_yet: stage == Stage::Paid,
            floor: marks.sor.then_some(EXCHANGE),
        });
        self.report(number, What::New, None, accepted.at);
    }

    /// The list that the order belongs to; its first order makes it.
    fn join(
        &mut self,
        instrument: Instrument,
        (id, contingency): (ClientOrderId, &'static str),
        order: i64,
        at: Timestamp,
        later: &mut Later,
    ) -> i64 {
        let owner = self.asker;
        match self.archive.named_list(owner, instrument, id).filter(|list| !list.done).map(|list| list.number)
        {
            Some(number) => {
                self.archive.change_list(number, |list| list.orders.push(order));
                number
            }
            None => {
                let number = self.archive.next_list();
                self.archive.add_list(List {
                    owner,
                    number,
                    instrument,
                    id,
                    contingency,
                    orders: vec![order],
                    done: false,
                    at,
                });
                later.lists.push((number, "EXEC_STARTED"));
                number
            }
        }
    }

    /// The price that an order's limit is pegged to.
    fn peg(&mut self, number: i64, price: Price, later: &mut Later) {
        if self.archive.change(number, |order| order.pegged = Some(price)).is_none() {
            later.pegged.insert(number, price);
        }
    }

    /// The working order of its list is filled: the order has been placed. Who asked for it just now is told how
    /// it stood before.
    fn release(&mut self, number: i64, quantity: Option<Quantity>, at: Timestamp, cause: Cause) {
        if let (Cause::Placed(..), Some(order)) = (cause, self.archive.order(number)) {
            self.as_placed.entry(number).or_insert_with(|| order.clone());
        }
        self.archive.change(number, |order| {
            order.status = Status::New;
            order.size = quantity.map_or(order.size, Size::Base);
            order.unsized_yet = false;
            order.working = order.kind.stop().is_none().then_some(at);
            order.trailing_since =
                order.marks.trailing_delta.filter(|_| order.marks.without_stop).map(|_| at);
            order.updated = at;
        });
        self.report(number, What::New, None, at);
    }

    /// An order that sets off a stop may be what that stop then takes. The answer to it is given before.
    fn keep_as_placed(&mut self, fill: &Execution, cause: Cause) {
        let is_new =
            matches!(cause, Cause::Placed(asked, _) if asked.iter().any(|a| a.order.id == fill.order));
        let order = self.archive.order(number_of(&fill.venue_order));
        if let Some(order) = order.filter(|o| is_new && fill.maker && o.owner == self.asker) {
            self.as_placed.entry(order.number).or_insert_with(|| order.clone());
        }
    }

    fn fill(&mut self, instrument: Instrument, fill: &Execution, is_last: bool) {
        let number = number_of(&fill.venue_order);
        let allocation = fill.allocation.and_then(|allocation| i64::try_from(allocation.number).ok());
        let id = match fill.allocation {
            Some(allocation) => {
                self.public_trade(allocation.from, fill);
                -1
            }
            None => self.public_trade(instrument, fill),
        };
        let changed = self.archive.change(number, |order| {
            order.filled.quantity = (order.filled.quantity + fill.quantity.get()).normalize();
            order.filled.quote = (order.filled.quote + fill.quote).normalize();
            order.status = if is_last { Status::Filled } else { Status::PartiallyFilled };
            order.working = order.working.or(Some(fill.at));
            order.floor = order.floor.map(|_| if allocation.is_some() { SOR } else { EXCHANGE });
            order.updated = order.updated.max(fill.at);
        });
        let Some((owner, list)) = changed.map(|order| (order.owner, order.list)) else { return };
        let trade = Trade {
            owner,
            id,
            order: number,
            list,
            side: fill.side,
            price: fill.price,
            quantity: fill.quantity,
            quote: fill.quote,
            fee: fill.fee,
            received: self.received(instrument, fill.side),
            maker: fill.maker,
            at: fill.at,
            allocation,
        };
        match allocation {
            Some(_) => self.archive.allocate(instrument, trade),
            None => self.archive.add_trade(instrument, trade),
        }
        self.report(number, What::Traded(&trade), None, fill.at);
    }

    fn end(&mut self, end: &End, cause: Cause, later: &mut Later) {
        let number = number_of(&end.venue_order);
        let Some(order) = self.archive.order(number) else { return };
        let list = order.list;
        match end.ending {
            // Told with its last fill.
            Ending::Filled => {}
            Ending::Canceled if matches!(cause, Cause::Delisted) => {
                self.expire(&End { ending: Ending::Expired, ..*end }, Some("EXCHANGE_CANCELED"));
            }
            Ending::Canceled => {
                let request = if let Cause::Canceled(request) = cause { Some(request) } else { None };
                self.archive.change(number, |order| {
                    order.status = Status::Canceled;
                    order.updated = end.at;
                });
                self.report(number, What::Canceled, request, end.at);
            }
            Ending::Expired | Ending::Rejected | Ending::Absent | Ending::Refused => {
                self.expire(end, end.expiry.and_then(reason));
            }
        }
        if let Some(list) = list.filter(|list| end.ending != Ending::Filled || !self.works_for(number, *list))
        {
            self.finish(list, end.at, later);
        }
    }

    /// Whether other orders of the list wait for this one.
    fn works_for(&self, number: i64, list: i64) -> bool {
        self.archive.list(list).is_some_and(|l| l.contingency == "OTO" && l.orders.first() == Some(&number))
    }

    fn expire(&mut self, end: &End, reason: Option<&'static str>) {
        let number = number_of(&end.venue_order);
        let prevented = end.expiry == Some(Expiry::SelfTrade);
        let changed = self.archive.change(number, |order| {
            order.status = if prevented { Status::ExpiredInMatch } else { Status::Expired };
            order.expiry = reason;
            order.updated = end.at;
        });
        let Some(instrument) = changed.map(|order| order.instrument) else { return };
        let concerns = |p: &&Prevented| p.taker == number || p.maker == number;
        match self.archive.prevented(instrument).iter().rev().find(concerns).copied().filter(|_| prevented) {
            Some(prevented) => _ = self.report(number, What::Prevented(&prevented), None, end.at),
            None => _ = self.report(number, What::Expired, None, end.at),
        }
    }

    /// The order takes from now on, or lies on the book.
    fn trigger(&mut self, order: &VenueOrderId, at: Timestamp) {
        let number = number_of(order);
        self.archive.change(number, |order| {
            order.working = Some(at);
            order.trailing_since = order.trailing_since.or(order.marks.trailing_delta.map(|_| at));
            order.updated = at;
        });
        self.report(number, What::New, None, at);
    }

    fn prevent(&mut self, instrument: Instrument, report: &Prevention, rest: &[Report]) {
        let (taker, maker) = (number_of(&report.taker_order), number_of(&report.maker_order));
        let owner = |number| self.archive.order(number).map(|order| order.owner).unwrap_or_default();
        let prevented = Prevented {
            owners: [owner(taker), owner(maker)],
            group: self.spot.exchange.group_of(owner(taker)),
            id: i64::try_from(report.number).unwrap_or(i64::MAX),
            taker,
            maker,
            mode: report.mode.name(),
            price: report.price,
            taker_quantity: report.taker_prevented,
            maker_quantity: report.maker_prevented,
            at: report.at,
        };
        self.archive.prevent(instrument, prevented);
        let sides =
            [(report.maker_order, prevented.maker_quantity), (report.taker_order, prevented.taker_quantity)];
        for (order, lost) in sides {
            let Some(lost) = lost else { continue };
            let number = number_of(&order);
            self.archive.change(number, |order| {
                order.prevented = (order.prevented + lost).normalize();
                order.prevented_match = Some(prevented.id);
                order.updated = report.at;
            });
            if !ends_by_it(&order, rest) {
                self.report(number, What::Prevented(&prevented), None, report.at);
            }
        }
    }

    fn amended(&mut self, report: &engine::Amendment, later: &mut Later) {
        let number = number_of(&report.venue_order);
        let changed = self.archive.change(number, |order| {
            order.id = report.order;
            order.size = Size::Base(report.quantity);
            order.updated = report.at;
        });
        let list = changed.and_then(|order| order.list);
        let execution = self.report(number, What::Replaced(report.was), None, report.at);
        self.archive.amend(
            number,
            Amendment {
                execution,
                old_id: report.was,
                new_id: report.order,
                old_quantity: report.was_quantity.get(),
                new_quantity: report.quantity.get(),
                at: report.at,
            },
        );
        if let Some(list) = list.filter(|_| report.order != report.was) {
            self.archive.change_list(list, |list| list.at = report.at);
            later.lists.push((list, "UPDATED"));
        }
    }

    /// A list is done as soon as one of its orders is, but for one that others wait for: what works on does so alone.
    fn finish(&mut self, list: i64, at: Timestamp, later: &mut Later) {
        if self.archive.list(list).is_some_and(|list| !list.done) {
            self.archive.change_list(list, |list| {
                list.done = true;
                list.at = at;
            });
            later.lists.push((list, "ALL_DONE"));
        }
    }

    fn tell_lists(&mut self, later: &mut Later) {
        for (number, status) in std::mem::take(&mut later.lists) {
            let Some(list) = self.archive.list(number).cloned() else { continue };
            let orders = self.orders_of(&list);
            let now = self.now;
            self.say(list.owner, |unit| events::list_status(&list, status, &orders, now, unit));
        }
    }

    /// When an account changed now: each time in a millisecond of its own, for whoever reads those would take
    /// two changes at one time for one.
    fn changed_at(&mut self, owner: Owner, as_of: Timestamp) -> Timestamp {
        let last = self.last_change(owner);
        // What is told first follows on nothing.
        let later = !self.frames_sent.contains_key(&owner) || as_of.millis() > last.millis();
        let changed = if later { as_of } else { Timestamp::from_millis(last.millis() + 1) };
        self.changed.insert(owner, changed);
        changed
    }

    /// When the account changed last.
    pub(super) fn last_change(&self, owner: Owner) -> Timestamp {
        self.changed.get(&owner).copied().unwrap_or(self.start)
    }

    fn tell_balances(&mut self, later: &mut Later) {
        let balances = std::mem::take(&mut later.balances);
        let owners: BTreeSet<Owner> = balances.iter().map(|(owner, _)| *owner).collect();
        for owner in owners {
            let own: Vec<_> = balances.iter().filter(|(of, _)| *of == owner).map(|(_, row)| *row).collect();
            let (as_of, now) = (self.changed_at(owner, later.as_of), self.now);
            self.say(owner, |unit| events::account_position(&own, as_of, now, unit));
        }
    }

    /// The list's orders with their names.
    pub(super) fn orders_of(&self, list: &List) -> Vec<(i64, ClientOrderId)> {
        let named = |number: &i64| self.archive.order(*number).map(|order| (*number, order.id));
        list.orders.iter().filter_map(named).collect()
    }

    /// Tells the news of an order.
    pub(super) fn report(
        &mut self,
        number: i64,
        what: What,
        request: Option<ClientOrderId>,
        at: Timestamp,
    ) -> i64 {
        self.executions += 1;
        let (execution, now) = (self.executions, self.now);
        let Some(order) = self.archive.order(number) else { return execution };
        let (owner, news) = (order.owner, News { order, what, request, execution, at });
        let [milli, micro] = [TimeUnit::Milli, TimeUnit::Micro].map(|unit| news.json(now, unit));
        self.push(owner, milli, micro);
        execution
    }

    pub(super) fn say(&mut self, owner: Owner, json: impl Fn(TimeUnit) -> String) {
        self.push(owner, json(TimeUnit::Milli), json(TimeUnit::Micro));
    }

    pub(super) fn push(&mut self, owner: Owner, milli: String, micro: String) {
        let number = self.frames_sent.entry(owner).or_default();
        *number += 1;
        let number = *number;
        self.account_frames.push(AccountFrame { owner, number, at: self.now, milli, micro });
    }

    fn received(&self, instrument: Instrument, side: Side) -> Asset {
        let rules = self.spot.exchange.markets.get(&instrument).map(|market| &market.rules);
        match (rules, side) {
            (Some(rules), Side::Buy) => rules.base,
            (Some(rules), Side::Sell) => rules.quote,
            (None, _) => unreachable!("a trade on a market that is not listed"),
        }
    }
}

/// Whether no more fills of the order will come: it ends filled before there is another.
fn is_last(fill: &Execution, rest: &[Report]) -> bool {
    rest.iter()
        .find_map(|report| match report {
            Report::Filled(next) if next.venue_order == fill.venue_order => Some(false),
            Report::Ended(end) if end.venue_order == fill.venue_order => Some(end.ending == Ending::Filled),
            _ => None,
        })
        .unwrap_or(false)
}

/// Whether the order ends by the prevented match that was just reported.
fn ends_by_it(order: &VenueOrderId, rest: &[Report]) -> bool {
    let same_match = rest.iter().take_while(|report| !matches!(report, Report::Prevented(_)));
    same_match.into_iter().any(|report| match report {
        Report::Ended(end) => end.venue_order == *order && end.expiry == Some(Expiry::SelfTrade),
        _ => false,
    })
}

/// In Binance's words; of self-trade prevention the order's status tells.
fn reason(expiry: Expiry) -> Option<&'static str> {
    match expiry {
        Expiry::OcoTrigger => Some("OCO_TRIGGER"),
        Expiry::UnfilledIoc => Some("UNFILLED_IOC_QUANTITY_EXPIRED"),
        Expiry::UnfilledFok => Some("UNFILLED_FOK_ORDER_EXPIRED"),
        Expiry::InsufficientLiquidity => Some("INSUFFICIENT_LIQUIDITY"),
        Expiry::WorkingExpired => Some("OTO_PHASE_ONE_EXPIRED"),
        Expiry::Rejected => Some("REJECTED"),
        Expiry::SelfTrade => None,
    }
}

/// The engine's are plain numbers.
pub(super) fn number_of(order: &VenueOrderId) -> i64 {
    order.parse().unwrap_or(-1)
}
