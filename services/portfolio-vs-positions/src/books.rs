//! What the books of one account say, ours and the venue's.

use crate::cause;
use domain::{
    Asset, ClientOrderId, Decimal, Instrument, InstrumentRules, Side, Timestamp, TradeId, VenueOrderId,
};
use events::{
    BooksReported, Difference, LedgerEntry, OrderAccepted, OrderAmended, OrderEnded, OrderFilled,
    WorkingOrder,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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

    /// The instrument that trades one for the other.
    pub fn between(&self, base: Asset, quote: Asset) -> Option<Instrument> {
        self.0.iter().find(|(_, assets)| **assets == (base, quote)).map(|(instrument, _)| *instrument)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Books {
    /// Once they have begun: the venue's time of the first amounts, which have everything from before in them.
    begun: Option<Timestamp>,
    /// Of each asset the first amount and all changes since.
    amounts: BTreeMap<Asset, Decimal>,
    #[serde(with = "service::pairs")]
    working: BTreeMap<VenueOrderId, WorkingOrder>,
    /// The numbers of orders that ended before they were heard of.
    ended: BTreeSet<VenueOrderId>,
    stops: BTreeMap<ClientOrderId, TradeId>,
    /// Assets in which fees were paid.
    fees: BTreeSet<Asset>,
    /// Fills of instruments whose assets nobody has told yet.
    unlisted: Vec<OrderFilled>,
    last: Option<BooksReported>,
    /// Whether anything has happened since the last report.
    has_moved: bool,
    /// What follows from the last report, and when the one before it was made.
    verdict: Option<(Timestamp, Verdict)>,
    said: Option<Said>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Ours begin with what the venue says.
    Begin,
    Agree,
    Disagree(Vec<Difference>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Said {
    at: Timestamp,
    since: Option<Timestamp>,
    differences: Vec<Difference>,
}

impl Books {
    pub fn moved(&mut self) {
        self.has_moved = true;
    }

    pub fn accepted(&mut self, e: &OrderAccepted) {
        self.moved();
        if !self.ended.remove(&e.venue_order) {
            let order = WorkingOrder { venue_order: e.venue_order, order: e.order, instrument: e.instrument };
            self.working.insert(e.venue_order, order);
        }
    }

    pub fn amended(&mut self, e: &OrderAmended) {
        self.moved();
        if let Some(order) = self.working.get_mut(&e.venue_order) {
            if let Some(trade) = self.stops.get(&order.order).copied() {
                self.stops.insert(e.renamed, trade);
            }
            order.order = e.renamed;
        }
    }

    pub fn ended(&mut self, e: &OrderEnded) {
        self.moved();
        match self.working.remove(&e.venue_order) {
            Some(order) => _ = self.stops.remove(&order.order),
            None => _ = self.ended.insert(e.venue_order),
        }
        if self.ended.len() > ENDS {
            self.ended.pop_first();
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
            self.working = report.orders.iter().map(|order| (order.venue_order, *order)).collect();
            return Verdict::Begin;
        }
        for fill in std::mem::take(&mut self.unlisted) {
            match assets.of(&fill.instrument).or_else(|| by_symbol(&fill.instrument, report)) {
                Some(assets) => self.count(&fill, assets),
                None => self.unlisted.push(fill),
            }
        }
        let mut differences = self.amounts_that_differ(report, assets);
        differences.extend(self.orders_that_differ(report));
        if differences.is_empty() { Verdict::Agree } else { Verdict::Disagree(differences) }
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
        let there: BTreeSet<VenueOrderId> = report.orders.iter().map(|order| order.venue_order).collect();
        let unknown = report.orders.iter().filter(|order| !self.working.contains_key(&order.venue_order));
        let missing = self.working.values().filter(move |order| !there.contains(&order.venue_order));
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
        let differences: &[Difference] = match verdict {
            Verdict::Begin | Verdict::Agree => &[],
            Verdict::Disagree(differences) => differences,
        };
        self.said.as_ref().is_none_or(|said| said.differences != differences)
    }

    pub fn said_at(&self) -> Option<Timestamp> {
        self.said.as_ref().map(|said| said.at)
    }

    pub fn do_disagree(&self) -> bool {
        self.said.as_ref().is_some_and(|said| said.since.is_some())
    }

    /// When the differences of the last report began.
    pub fn differ_since(&self) -> Timestamp {
        let found = self.verdict.as_ref().map_or(Timestamp::ZERO, |(since, _)| *since);
        self.said.as_ref().and_then(|said| said.since).unwrap_or(found)
    }

    pub fn said(&mut self, at: Timestamp, differ: Option<(Timestamp, &[Difference])>) {
        let (since, differences) = differ.unzip();
        self.said = Some(Said { at, since, differences: differences.unwrap_or_default().to_vec() });
    }

    /// How many assets there are in either books.
    pub fn assets(&self) -> usize {
        self.amounts.values().filter(|amount| !amount.is_zero()).count()
    }
}

/// Of an instrument that was never listed: its symbol ends with an asset that the account holds.
fn by_symbol(instrument: &Instrument, report: &BooksReported) -> Option<(Asset, Asset)> {
    let quotes =
        report.balances.iter().map(|held| held.asset).filter(|quote| {
            instrument.symbol.len() > quote.len() && instrument.symbol.ends_with(quote.as_str())
        });
    let quote = quotes.max_by_key(|quote| quote.len())?;
    let base = instrument.symbol.strip_suffix(quote.as_str())?.parse().ok()?;
    Some((base, quote))
}
