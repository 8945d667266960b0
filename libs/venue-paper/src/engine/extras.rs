//! What a request to an exchange on books can carry beyond what [`OrderRequest`] says.

use super::{
    Market, Owner, Peg, Refusal,
    admission::filter,
    order::{falls_to_stop, time_in_force},
};
use domain::{
    Breach, InstrumentRules, Listing, NewOrder, OrderKind, OrderRequest, Price, Quantity, Size, TimeInForce,
    money::floor_to,
};
use events::Rejection;
use serde::{Deserialize, Serialize};

/// A request with everything that Binance's interface knows of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// Who asks.
    pub owner: Owner,
    pub request: OrderRequest,
    /// One for each of `request.orders()`, in that order; the second is not looked at for a single order.
    pub extras: [Extras; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extras {
    /// Of a stop-loss or take-profit: `trailingDelta`.
    pub trailing: Option<Trailing>,
    /// How much of a resting order is shown at a time: `icebergQty`.
    pub iceberg: Option<Quantity>,
    pub self_trade: SelfTrade,
    /// Its limit follows from the book: `pegPriceType`. The limit of its kind is then not looked at.
    pub peg: Option<Peg>,
}

/// Without an activation price it is `activated` from its acceptance, and the stop of its kind is
/// then the last price; else that stop is the activation price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailing {
    /// In hundredths of a percent.
    pub delta_bips: u32,
    pub activated: bool,
}

/// What is done where an order would trade with another one of its account or trade group; the taker's mode decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelfTrade {
    /// They trade.
    #[default]
    None,
    ExpireTaker,
    ExpireMaker,
    ExpireBoth,
    /// Both lose what they would have traded; the smaller one expires.
    Decrement,
    /// As [`Self::Decrement`]; between two accounts of a group, of which both say so, what was prevented
    /// changes hands besides.
    Transfer,
}

/// The rarer filters: those of a symbol's listing, else as Binance sends them for most symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `TRAILING_DELTA` of orders whose trigger lies above the market: smallest and largest.
    pub trailing_above: Option<(u32, u32)>,
    /// `TRAILING_DELTA` of orders whose trigger lies below the market.
    pub trailing_below: Option<(u32, u32)>,
    /// `ICEBERG_PARTS`
    pub iceberg_parts: Option<u32>,
    /// `MAX_NUM_ICEBERG_ORDERS`
    pub max_iceberg_orders: Option<u32>,
    /// `MAX_NUM_ORDER_AMENDS`
    pub max_amends: Option<u32>,
    /// `MAX_NUM_ORDER_LISTS`
    pub max_lists: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            trailing_above: Some((10, 2000)),
            trailing_below: Some((10, 2000)),
            iceberg_parts: Some(100),
            max_iceberg_orders: None,
            max_amends: Some(10),
            max_lists: Some(20),
        }
    }
}

impl Limits {
    /// Those that were recorded of a symbol, where a filter that is not there limits nothing; else `usual`.
    pub fn of(listing: Option<&Listing>, usual: Option<&Self>) -> Option<Self> {
        let Some(listing) = listing.filter(|listing| !listing.filters.is_empty()) else {
            return usual.copied();
        };
        Some(Self {
            trailing_above: listing.trailing_above,
            trailing_below: listing.trailing_below,
            iceberg_parts: listing.iceberg_parts,
            max_iceberg_orders: listing.max_iceberg_orders,
            max_amends: listing.max_amends,
            max_lists: listing.max_lists,
        })
    }
}

impl From<OrderRequest> for Wanted {
    fn from(request: OrderRequest) -> Self {
        Self { owner: Owner::FIRST, request, extras: [Extras::default(); 2] }
    }
}

impl SelfTrade {
    /// Binance's name of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::ExpireTaker => "EXPIRE_TAKER",
            Self::ExpireMaker => "EXPIRE_MAKER",
            Self::ExpireBoth => "EXPIRE_BOTH",
            Self::Decrement => "DECREMENT",
            Self::Transfer => "TRANSFER",
        }
    }
}

impl Trailing {
    /// The tracking of it, as it starts where the market stands at `last`.
    pub(super) fn begin(self, last: Option<Price>) -> super::Trail {
        let best = if self.activated { last } else { None };
        super::Trail { delta_bips: self.delta_bips, activated: self.activated, best }
    }
}

/// The filters of what an order carries besides its kind.
pub fn check_extras(
    limits: &Limits,
    rules: &InstrumentRules,
    order: &NewOrder,
    extras: &Extras,
) -> Result<(), Refusal> {
    if let Some(part) = extras.iceberg {
        check_iceberg(limits, rules, order, part)?;
    }
    if let Some(trailing) = extras.trailing {
        if order.kind.stop().is_none() {
            return Err(unsupported());
        }
        let within = if falls_to_stop(&order.kind, order.side) {
            limits.trailing_below
        } else {
            limits.trailing_above
        };
        if within.is_some_and(|(least, most)| !(least..=most).contains(&trailing.delta_bips)) {
            return Err(failure("TRAILING_DELTA"));
        }
    }
    Ok(())
}

/// Orders with icebergs, and lists.
pub fn check_more_counts<'a>(
    limits: &Limits,
    market: &Market,
    owner: Owner,
    extras: impl Iterator<Item = &'a Extras>,
    adds_list: bool,
) -> Result<(), Refusal> {
    let icebergs = extras.filter(|extras| extras.iceberg.is_some()).count();
    let own = market.orders.iter().filter(|o| o.owner() == owner);
    let open = own.filter(|o| o.special.iceberg.is_some()).count();
    if icebergs > 0 && limits.max_iceberg_orders.is_some_and(|max| open + icebergs > max as usize) {
        return Err(failure("MAX_NUM_ICEBERG_ORDERS"));
    }
    if adds_list && limits.max_lists.is_some_and(|max| market.lists(owner) >= max as usize) {
        return Err(failure("MAX_NUM_ORDER_LISTS"));
    }
    Ok(())
}

/// What the symbol takes at all (`errors.md`, "Messages for -1010, -2010 …").
pub fn check_listing(listing: &Listing, order: &NewOrder, extras: &Extras) -> Result<(), Refusal> {
    let refuse = |what: &str| {
        let text = format!("{what} orders are not supported for this symbol.");
        Err(Refusal::new(Rejection::Other, -1013, text))
    };
    if extras.iceberg.is_some() && listing.iceberg_allowed == Some(false) {
        return refuse("Iceberg");
    }
    if extras.trailing.is_some() && listing.trailing_stop_allowed == Some(false) {
        return refuse("Trailing stop");
    }
    if extras.peg.is_some() && listing.peg_allowed == Some(false) {
        let text = "Pegged orders are not supported for this symbol.".to_owned();
        return Err(Refusal::new(Rejection::Other, -2010, text));
    }
    if listing.takes(&order.kind) {
        return Ok(());
    }
    refuse(match order.kind {
        OrderKind::Market => "Market",
        OrderKind::Limit { .. } => "Limit",
        OrderKind::LimitMaker { .. } => "Limit maker",
        OrderKind::StopLoss { .. } => "Stop loss",
        OrderKind::StopLossLimit { .. } => "Stop loss limit",
        OrderKind::TakeProfit { .. } => "Take profit",
        OrderKind::TakeProfitLimit { .. } => "Take profit limit",
    })
}

/// Older filters fail under their own names.
pub fn named_as_listed(listing: &Listing, refusal: Refusal) -> Refusal {
    const NAMES: [(&str, &str); 2] =
        [("PERCENT_PRICE_BY_SIDE", "PERCENT_PRICE"), ("NOTIONAL", "MIN_NOTIONAL")];
    for (new, old) in NAMES {
        if refusal.text == format!("Filter failure: {new}")
            && listing.has_filter(old)
            && !listing.has_filter(new)
        {
            return Refusal { text: format!("Filter failure: {old}"), ..refusal };
        }
    }
    refusal
}

fn check_iceberg(
    limits: &Limits,
    rules: &InstrumentRules,
    order: &NewOrder,
    part: Quantity,
) -> Result<(), Refusal> {
    let rests = match order.kind {
        OrderKind::LimitMaker { .. } => true,
        _ => time_in_force(&order.kind) == Some(TimeInForce::Gtc),
    };
    let Size::Base(quantity) = order.size else { return Err(unsupported()) };
    if !rests {
        return Err(unsupported());
    }
    let part = part.get();
    if part.normalize().scale() > rules.base_precision {
        let text = "Parameter 'icebergQty' has too much precision.";
        return Err(Refusal::new(Rejection::Filter, -1111, text));
    }
    if part < rules.min_quantity || floor_to(part, rules.lot_size) != part {
        return Err(filter(Breach::LotSize));
    }
    if part > quantity.get() {
        return Err(Refusal::new(Rejection::Other, -2010, "IcebergQty exceeds QTY."));
    }
    let parts = quantity.get().checked_div(part).map(|parts| parts.ceil());
    if parts.is_none_or(|parts| limits.iceberg_parts.is_some_and(|most| parts > most.into())) {
        return Err(failure("ICEBERG_PARTS"));
    }
    Ok(())
}

fn unsupported() -> Refusal {
    Refusal::new(Rejection::Other, -1014, "Unsupported order combination.")
}

fn failure(name: &str) -> Refusal {
    Refusal::new(Rejection::Filter, -1013, format!("Filter failure: {name}"))
}
