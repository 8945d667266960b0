//! The sizer's no: by which rule, with which figure, against which limit, and in words.

use crate::EdgeRules;
use domain::{
    Asset, Breach, Decimal, InstrumentRules, Price, Quantity, Side, Timestamp, TradeId, exits::Obstacle,
    rules::PriceRange,
};
use events::{SizingRule, TradeRefused, TradeRequested, TradingState, TradingStateChanged};
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    rule: SizingRule,
    figure: Option<Decimal>,
    limit: Option<Decimal>,
    text: String,
}

impl Refusal {
    pub fn of(self, request: &TradeRequested) -> TradeRefused {
        TradeRefused {
            trade: request.trade,
            account: request.account,
            instrument: request.instrument,
            edge: request.edge,
            rule: self.rule,
            figure: self.figure.map(|d| d.normalize()),
            limit: self.limit.map(|d| d.normalize()),
            text: self.text,
        }
    }

    fn plain(rule: SizingRule, text: String) -> Self {
        Self { rule, figure: None, limit: None, text }
    }

    fn beyond(rule: SizingRule, figure: Decimal, limit: Decimal, text: String) -> Self {
        Self { rule, figure: Some(figure), limit: Some(limit), text }
    }
}

/// Who may trade what, and when.
impl Refusal {
    pub fn unknown_edge(request: &TradeRequested) -> Self {
        let text = format!("edge {} is not configured, so it may not trade", request.edge);
        Self::plain(SizingRule::Unauthorised, text)
    }

    pub fn wrong_account(request: &TradeRequested) -> Self {
        let text = format!("edge {} may not trade on account {}", request.edge, request.account);
        Self::plain(SizingRule::Unauthorised, text)
    }

    pub fn unknown_instrument(request: &TradeRequested) -> Self {
        let text = format!("the venue's rules for {} are not known", request.instrument);
        Self::plain(SizingRule::UnknownInstrument, text)
    }

    pub fn not_spot(request: &TradeRequested) -> Self {
        let text = format!("{}: only spot is sized yet", request.instrument);
        Self::plain(SizingRule::UnknownInstrument, text)
    }

    pub fn prohibited(asset: &Asset) -> Self {
        Self::plain(
            SizingRule::ProhibitedAsset,
            format!("{asset} is on the list of assets that are never bought"),
        )
    }

    pub fn other_quote(rules: &InstrumentRules, quote: &Asset) -> Self {
        let text = format!("it is paid in {}, and the portfolio is kept in {quote}", rules.quote);
        Self::plain(SizingRule::ProhibitedAsset, text)
    }

    pub fn short_on_spot(request: &TradeRequested) -> Self {
        let text = format!("{} is spot, of which one cannot be short", request.instrument);
        Self::plain(SizingRule::ShortOnSpot, text)
    }

    pub fn stale(age: Duration, edge: &EdgeRules) -> Self {
        let (age, limit) = (seconds(age), seconds(edge.max_age));
        let text = format!("the signal is {age} s old, entries of {} may be {limit} s old", edge.edge);
        Self::beyond(SizingRule::Stale, age, limit, text)
    }

    pub fn expired(now: Timestamp, until: Timestamp) -> Self {
        let late = seconds(now.since(until));
        let text = format!("the signal was valid until {until}, {late} s ago");
        Self::beyond(SizingRule::Stale, late, Decimal::ZERO, text)
    }

    /// `exit` is the side of the orders that would leave the trade.
    pub fn wrong_stop(exit: Side, stop: Price, trigger: Price) -> Self {
        let where_to = exit.worse_word();
        let text = format!("the signal's stop at {stop} is not {where_to} its price, {trigger}");
        Self::beyond(SizingRule::WrongSide, stop.get(), trigger.get(), text)
    }

    pub fn wrong_target(exit: Side, target: Price, limit: Price) -> Self {
        let where_to = exit.opposite().worse_word();
        let text = format!("the signal's target at {target} is not {where_to} the worst entry, {limit}");
        Self::beyond(SizingRule::WrongSide, target.get(), limit.get(), text)
    }

    pub fn already_in_position(request: &TradeRequested, trade: &TradeId) -> Self {
        let TradeRequested { edge, instrument, account, .. } = request;
        let text = format!("{edge} already has trade {trade} of {instrument} on {account}");
        Self::beyond(SizingRule::AlreadyInPosition, Decimal::TWO, Decimal::ONE, text)
    }

    pub fn cooldown(request: &TradeRequested, since: Duration, cooldown: Duration) -> Self {
        let TradeRequested { edge, instrument, .. } = request;
        let (since, limit) = (seconds(since), seconds(cooldown));
        let text = format!("{edge} was stopped out of {instrument} {since} s ago, and pauses for {limit} s");
        Self::beyond(SizingRule::Cooldown, since, limit, text)
    }

    pub fn trading_state(change: &TradingStateChanged) -> Self {
        let state = match change.state {
            TradingState::Active => "active",
            TradingState::Reducing => "reducing, exits only",
            TradingState::Halted => "halted",
        };
        let text = format!("trading is {state}: {} ({})", change.why, change.who);
        Self::plain(SizingRule::TradingState, text)
    }
}

/// How much.
impl Refusal {
    pub fn max_open_positions(would_be: usize, max: u32) -> Self {
        let text = format!("it would be open position {would_be} of at most {max}");
        Self::beyond(SizingRule::MaxOpenPositions, would_be.into(), max.into(), text)
    }

    pub fn unsupported(edge: &EdgeRules, problem: &str) -> Self {
        let text = format!("edge {}: {problem}", edge.edge);
        Self::plain(SizingRule::Unsupported, text)
    }

    pub fn no_stop(edge: &EdgeRules) -> Self {
        let text = format!("edge {} has no stop, and trading without one is not allowed", edge.edge);
        Self::plain(SizingRule::NoStop, text)
    }

    pub fn no_valuation() -> Self {
        let text = "the portfolio has not been valued yet, so a part of it cannot be risked".to_owned();
        Self::plain(SizingRule::NoValuation, text)
    }

    pub fn cash(free: Decimal, needed: Decimal, quote: &Asset) -> Self {
        let free = free.max(Decimal::ZERO);
        let text =
            format!("{} {quote} are free to spend, {} are needed", free.normalize(), needed.normalize());
        Self::beyond(SizingRule::Cash, free, needed, text)
    }

    pub fn min_notional(notional: Decimal, rules: &InstrumentRules) -> Self {
        let limit = rules.min_notional;
        let (figure, quote) = (notional.normalize(), rules.quote);
        let text = format!("after rounding it is worth {figure} {quote}, the venue takes {limit} or more");
        Self::beyond(SizingRule::MinNotional, notional, limit, text)
    }

    pub fn max_open_risk(would_be: Decimal, limit: Decimal, quote: &Asset) -> Self {
        let (figure, max) = (would_be.normalize(), limit.normalize());
        let text = format!("{figure} {quote} would be lost if all stops were hit, at most {max} may be");
        Self::beyond(SizingRule::MaxOpenRisk, would_be, limit, text)
    }

    pub fn max_asset_exposure(would_be: Decimal, limit: Decimal, base: &Asset, quote: &Asset) -> Self {
        let (figure, max) = (would_be.normalize(), limit.normalize());
        let text = format!("{figure} {quote} would be held in {base}, at most {max} may be");
        Self::beyond(SizingRule::MaxAssetExposure, would_be, limit, text)
    }
}

/// What could not be protected or sold again.
impl Refusal {
    pub fn unprotectable(obstacle: &Obstacle, rules: &InstrumentRules) -> Self {
        let Obstacle { exit, breach, figure, limit } = *obstacle;
        let Some(breach) = breach else {
            let text = format!(
                "{exit} cannot be placed: the venue takes no such orders for {}{}",
                rules.base, rules.quote
            );
            return Self::plain(SizingRule::Filter, text);
        };
        let least = match breach {
            Breach::Notional => format!("{exit} would be worth {} {}", figure.normalize(), rules.quote),
            Breach::LotSize | Breach::MarketLotSize => {
                format!("{exit} would be of {} {}", figure.normalize(), rules.base)
            }
            Breach::PriceFilter | Breach::PercentPrice => {
                format!("{exit} would be at {} {}", figure.normalize(), rules.quote)
            }
            Breach::MaxNumOrders | Breach::MaxNumAlgoOrders | Breach::MaxPosition => {
                format!("{exit} cannot be placed")
            }
        };
        let takes = limit.map_or_else(String::new, |limit| {
            let bound = if figure < limit { "or more" } else { "or less" };
            format!(", the venue takes {} {bound}", limit.normalize())
        });
        let text = format!("{least}{takes} ({breach}): it could not be protected");
        let rule = match breach {
            Breach::Notional if limit == Some(rules.min_notional) => SizingRule::MinNotional,
            Breach::Notional
            | Breach::PriceFilter
            | Breach::PercentPrice
            | Breach::LotSize
            | Breach::MarketLotSize
            | Breach::MaxNumOrders
            | Breach::MaxNumAlgoOrders
            | Breach::MaxPosition => SizingRule::Filter,
        };
        Self { rule, figure: Some(figure), limit, text }
    }

    pub fn unsellable(
        held: Decimal,
        left: Decimal,
        share: Decimal,
        limit: Decimal,
        rules: &InstrumentRules,
    ) -> Self {
        let percent = |ratio: Decimal| (ratio * Decimal::ONE_HUNDRED).round_dp(2).normalize();
        let text = format!(
            "of {} {} that the fee would leave {} are no whole lot of {} and could not be sold: {} %, at most {} % may be; spend more",
            held.normalize(),
            rules.base,
            left.normalize(),
            rules.market_step().normalize(),
            percent(share),
            percent(limit),
        );
        Self::beyond(SizingRule::Unsellable, share.round_dp(6), limit, text)
    }

    pub fn too_many_sales(
        held: Decimal,
        largest: Quantity,
        orders: u32,
        most: u32,
        rules: &InstrumentRules,
    ) -> Self {
        let text = format!(
            "selling {} {base} at market would take {orders} orders of at most {largest} {base}, at most {most} may be needed; spend less",
            held.normalize(),
            base = rules.base,
        );
        Self::beyond(SizingRule::TooManySales, orders.into(), most.into(), text)
    }

    pub fn too_many_orders(breach: Breach, would_be: u32, max: u32) -> Self {
        let text = format!("{breach}: with it {would_be} exit orders would be open of at most {max}");
        Self::beyond(SizingRule::Filter, would_be.into(), max.into(), text)
    }

    pub fn too_many_lists(would_be: u32, max: u32) -> Self {
        let text = format!(
            "Filter failure: MAX_NUM_ORDER_LISTS: with it {would_be} order lists would be open of at most {max}"
        );
        Self::beyond(SizingRule::Filter, would_be.into(), max.into(), text)
    }
}

/// The venue's filters.
impl Refusal {
    pub fn no_price(raw: Decimal, rules: &InstrumentRules) -> Self {
        let text = format!("{}: nothing is left of it after rounding to the tick", Breach::PriceFilter);
        Self::beyond(SizingRule::Filter, raw, rules.tick_size, text)
    }

    pub fn too_little(raw: Decimal, rules: &InstrumentRules) -> Self {
        let text = format!("{}: the budget buys less than the smallest quantity", Breach::LotSize);
        Self::beyond(SizingRule::Filter, raw, rules.min_quantity, text)
    }

    pub fn max_position(would_be: Decimal, limit: Decimal) -> Self {
        Self::beyond(SizingRule::Filter, would_be, limit, Breach::MaxPosition.to_string())
    }

    /// The first filter that the entry order would break.
    pub fn filter(
        breach: Breach,
        rules: &InstrumentRules,
        side: Side,
        trigger: Price,
        quantity: Decimal,
        price: Price,
    ) -> Self {
        let (figure, limit) = match breach {
            Breach::PriceFilter => (price.get(), rules.max_price.or(rules.min_price)),
            Breach::PercentPrice => {
                let bound = |range: PriceRange| if price < trigger { range.down } else { range.up };
                let range = rules.price_range(side);
                (price.get(), range.map(|range| trigger.get().saturating_mul(bound(range))))
            }
            Breach::LotSize | Breach::MarketLotSize => (quantity, rules.max_quantity),
            Breach::Notional => (quantity.saturating_mul(price.get()), rules.max_notional),
            Breach::MaxNumOrders | Breach::MaxNumAlgoOrders | Breach::MaxPosition => (quantity, None),
        };
        Self { rule: SizingRule::Filter, figure: Some(figure), limit, text: breach.to_string() }
    }
}

fn seconds(duration: Duration) -> Decimal {
    let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    Decimal::new(micros, 6).normalize()
}
