//! What the books of one account say, ours and the venue's.

use crate::cause;
use domain::{
    Asset, ClientOrderId, Decimal, Instrument, InstrumentRules, Side, Timestamp, TradeId, VenueOrderId,
};
use events::{
    BooksReported, Difference, LedgerEntry, OrderAccepted, OrderAmended, OrderEnded, OrderFilled,
    TradingState, TradingStateChanged, WorkingOrder,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Ends that are remembered until their acceptance is heard.
const ENDS: usize = 1_000;

/// What each instrument is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assets(#[serde(with = "service::pairs")] BTreeMap<Instrument, (Asset, Asset)>);

impl Assets {
    pub fn list(&mut self, instrument: Instrument, rules: &InstrumentRules) {
        self.0.insert(instrument, (rules.base, rules.quote));
    }

    /// Base and quote asset.
    pub fn of(&self, instrument: &Instrument) -> Option<(Asset, Asset)> {
        self.0.get(instrument).copied()
    }

    fn knows(&self, asset: Asset) -> bool {
        self.0.values().any(|(base, quote)| *base == asset || *quote == asset)
    }

    /// The instrument that trades one for the other.
    pub fn between(&self, base: Asset, quote: Asset) -> Option<Instrument> {
        self.0.iter().find(|(_, assets)| **assets == (base, quote)).map(|(instrument, _)| *instrument)
    }
}

/// An order as the venue names it. Some venues number the orders of each instrument by itself.
type Number = (Instrument, VenueOrderId);

/// What differs, however the amounts move by what both books have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Matter {
    /// By how much the venue has more.
    Amount(Asset, Decimal),
    Order(Number),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Books {
    /// Once they have begun: the venue's time of the first amounts, which have everything from before in them.
    begun: Option<Timestamp>,
    /// Of each asset the first amount and all changes since.
    amounts: BTreeMap<Asset, Decimal>,
    #[serde(with = "service::pairs")]
    working: BTreeMap<Number, WorkingOrder>,
    /// Orders that ended before they were heard of, the oldest first.
    ended: VecDeque<Number>,
    stops: BTreeMap<ClientOrderId, TradeId>,
    /// Assets in which fees were paid.
    fees: BTreeSet<Asset>,
    /// Fills of instruments whose assets nobody has told yet.
    unlisted: Vec<OrderFilled>,
    last: Option<BooksReported>,
    /// Whether anything has happened since the last report.
    has_moved: bool,
    /// Until when everything that the venue has recorded was heard.
    complete: Timestamp,
    /// What follows from the last report, and when the one before it was made.
    verdict: Option<(Timestamp, Verdict)>,
    /// Of each difference of the last verdict, the first report of it.
    #[serde(with = "service::pairs")]
    matters: BTreeMap<Matter, Timestamp>,
    /// Those for which the account was reduced or halted.
    acted_on: BTreeSet<Matter>,
    said: Option<Said>,
    /// The last word on whether the account may trade.
    trading: Option<TradingStateChanged>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Ours begin with what the venue says.
    Begin,
    Agree,
    Disagree {
        differences: Vec<Difference>,
        /// Whether everything that may have been missed was heard since they began.
        confirmed: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Said {
    at: Timestamp,
    verdict: Verdict,
    /// When the books began to differ.
    since: Option<Timestamp>,
}

impl Books {
    pub fn moved(&mut self) {
        self.has_moved = true;
    }

    pub fn accepted(&mut self, e: &OrderAccepted) {
        self.moved();
        let number = (e.instrument, e.venue_order);
        match self.ended.iter().position(|ended| *ended == number) {
            Some(at) => _ = self.ended.remove(at),
            None => {
                let (instrument, venue_order) = number;
                self.working.insert(number, WorkingOrder { venue_order, order: e.order, instrument });
            }
        }
    }

    pub fn amended(&mut self, e: &OrderAmended) {
        self.moved();
        if let Some(order) = self.working.get_mut(&(e.instrument, e.venue_order)) {
            if let Some(trade) = self.stops.remove(&order.order) {
                self.stops.insert(e.renamed, trade);
            }
            order.order = e.renamed;
        }
    }

    pub fn ended(&mut self, e: &OrderEnded) {
        self.moved();
        let number = (e.instrument, e.venue_order);
        match self.working.remove(&number) {
            Some(order) => _ = self.stops.remove(&order.order),
            None if self.ended.contains(&number) => {}
            None => self.ended.push_back(number),
        }
        if self.ended.len() > ENDS {
            self.ended.pop_front();
        }
    }

    pub fn protects(&mut self, order: ClientOrderId, trade: TradeId) {
        if self.working.values().any(|working| working.order == order) {
            self.stops.insert(order, trade);
        }
    }

    pub fn filled(&mut self, e: &OrderFilled, assets: &Assets) {
        self.moved();
        if let Some(fee) = &e.fee {
            self.fees.insert(fee.asset);
        }
        match assets.of(&e.instrument) {
            Some(assets) => self.count(e, assets),
            None => self.unlisted.push(*e),
        }
    }

    fn count(&mut self, e: &OrderFilled, (base, quote): (Asset, Asset)) {
        let (bought, paid) = match e.side {
            Side::Buy => (e.quantity.get(), -e.quote),
            Side::Sell => (-e.quantity.get(), e.quote),
        };
        self.change(base, bought, e.at);
        self.change(quote, paid, e.at);
        if let Some(fee) = &e.fee {
            self.change(fee.asset, -fee.amount, e.at);
        }
    }

    pub fn entered(&mut self, e: &LedgerEntry) {
        self.moved();
        self.change(e.asset, e.delta, e.at);
    }

    /// However late it is heard, what happened before ours began is in the venue's first amounts.
    fn change(&mut self, asset: Asset, delta: Decimal, at: Timestamp) {
        if self.begun.is_some_and(|begun| at >= begun) {
            let amount = self.amounts.entry(asset).or_default();
            *amount = amount.saturating_add(delta);
        }
    }

    /// The venue has told its books. They are compared where it told the same before, and nothing happened since.
    pub fn reported(&mut self, report: &BooksReported, assets: &Assets) {
        let before = self.last.as_ref().filter(|last| {
            let same = (&last.balances, &last.orders) == (&report.balances, &report.orders);
            same && last.as_of < report.as_of && !self.has_moved
        });
        self.verdict = before.map(|last| last.as_of).map(|since| (since, self.judge(since, report, assets)));
        self.last = Some(report.clone());
        self.has_moved = false;
    }

    fn judge(&mut self, since: Timestamp, report: &BooksReported, assets: &Assets) -> Verdict {
        if self.begun.is_none() {
            // Nothing happened between the two reports: clocks may differ by half of that.
            self.begun = Some(since + report.as_of.since(since) / 2);
            self.unlisted.clear();
            self.amounts = report.balances.iter().map(|held| (held.asset, held.free + held.locked)).collect();
            self.working = report.orders.iter().map(|order| (number(order), *order)).collect();
            return Verdict::Begin;
        }
        for fill in std::mem::take(&mut self.unlisted) {
            match assets.of(&fill.instrument).or_else(|| self.by_symbol(&fill.instrument, report, assets)) {
                Some(assets) => self.count(&fill, assets),
                None => self.unlisted.push(fill),
            }
        }
        let mut differences = self.amounts_that_differ(report, assets);
        differences.extend(self.orders_that_differ(report));
        let seen = |of: &Difference| {
            let matter = Matter::of(of);
            (matter, self.matters.get(&matter).copied().unwrap_or(since))
        };
        self.matters = differences.iter().map(seen).collect();
        self.acted_on.retain(|matter| self.matters.contains_key(matter));
        if differences.is_empty() {
            return Verdict::Agree;
        }
        let confirmed = self.matters.values().all(|since| self.complete >= *since);
        Verdict::Disagree { differences, confirmed }
    }

    /// Of an instrument that was never listed: its symbol is two assets that are known, or ends with one.
    fn by_symbol(
        &self,
        instrument: &Instrument,
        report: &BooksReported,
        assets: &Assets,
    ) -> Option<(Asset, Asset)> {
        let knows = |asset: Asset| {
            self.amounts.contains_key(&asset)
                || report.balances.iter().any(|held| held.asset == asset)
                || assets.knows(asset)
        };
        let symbol = instrument.symbol.as_str();
        // The longest quote comes first.
        let split = |at: usize| {
            let (base, quote) = symbol.split_at_checked(at)?;
            Some((base.parse::<Asset>().ok()?, quote.parse::<Asset>().ok()?))
        };
        let splits = || (1..symbol.len()).filter_map(split).filter(|(_, quote)| knows(*quote));
        splits().find(|(base, _)| knows(*base)).or_else(|| splits().next())
    }

    fn amounts_that_differ(&self, report: &BooksReported, assets: &Assets) -> Vec<Difference> {
        let venue: BTreeMap<Asset, Decimal> =
            report.balances.iter().map(|held| (held.asset, held.free.saturating_add(held.locked))).collect();
        let of = |all: &BTreeMap<Asset, Decimal>, asset| all.get(asset).copied().unwrap_or_default();
        let all: BTreeSet<Asset> = venue.keys().chain(self.amounts.keys()).copied().collect();
        let differ = all.iter().map(|asset| cause::Differs {
            asset: *asset,
            ours: of(&self.amounts, asset),
            venue: of(&venue, asset),
        });
        cause::explain(&differ.filter(|of| of.ours != of.venue).collect::<Vec<_>>(), &self.fees, assets)
    }

    fn orders_that_differ<'a>(&'a self, report: &'a BooksReported) -> impl Iterator<Item = Difference> + 'a {
        let there: BTreeSet<Number> = report.orders.iter().map(number).collect();
        let unknown = report.orders.iter().filter(|order| !self.working.contains_key(&number(order)));
        let missing = self.working.values().filter(move |order| !there.contains(&number(order)));
        unknown.map(|order| Difference::UnknownOrder { order: *order }).chain(missing.map(|order| {
            Difference::MissingOrder { order: *order, stop_of: self.stops.get(&order.order).copied() }
        }))
    }

    /// What follows from the last report.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref().map(|(_, verdict)| verdict)
    }

    /// Whether it is another one than was said last.
    pub fn is_news(&self, verdict: &Verdict) -> bool {
        self.said.as_ref().is_none_or(|said| said.verdict != *verdict)
    }

    pub fn said_at(&self) -> Option<Timestamp> {
        self.said.as_ref().map(|said| said.at)
    }

    /// When the differences of the last report began.
    pub fn differ_since(&self) -> Timestamp {
        let found = self.verdict.as_ref().map_or(Timestamp::ZERO, |(since, _)| *since);
        self.said.as_ref().and_then(|said| said.since).unwrap_or(found)
    }

    pub fn said(&mut self, at: Timestamp, verdict: Verdict, since: Option<Timestamp>) {
        self.said = Some(Said { at, verdict, since });
    }

    /// Whether a confirmed difference asks for `state`: it has not yet, and the account may do more than that.
    pub fn wants(&self, state: TradingState, now: Timestamp) -> bool {
        let is_new = self.matters.keys().any(|matter| !self.acted_on.contains(matter));
        let holds = |word: &&TradingStateChanged| word.until.is_none_or(|until| now < until);
        let may = self.trading.as_ref().filter(holds).map_or(TradingState::Active, |word| word.state);
        let is_confirmed = matches!(self.verdict(), Some(Verdict::Disagree { confirmed: true, .. }));
        is_confirmed && is_new && may < state
    }

    /// Its word on trading; `ours`: because of what differs now.
    pub fn trading_changed(&mut self, e: &TradingStateChanged, ours: bool) {
        if ours {
            self.acted_on = self.matters.keys().copied().collect();
        }
        self.trading = Some(e.clone());
    }

    pub fn is_complete(&mut self, until: Timestamp) {
        self.complete = self.complete.max(until);
    }

    /// How many assets there are in either books.
    pub fn assets(&self) -> usize {
        self.amounts.values().filter(|amount| !amount.is_zero()).count()
    }
}

const fn number(order: &WorkingOrder) -> Number {
    (order.instrument, order.venue_order)
}

impl Matter {
    fn of(difference: &Difference) -> Self {
        match difference {
            Difference::Balance { asset, ours, venue, .. } => {
                Self::Amount(*asset, venue.saturating_sub(*ours).normalize())
            }
            Difference::UnknownOrder { order } | Difference::MissingOrder { order, .. } => {
                Self::Order(number(order))
            }
        }
    }
}
