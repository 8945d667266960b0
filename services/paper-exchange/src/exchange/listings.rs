//! What is traded, by which rules, and whether it is traded now (Binance's `rest-api.md`, "Exchange information";
//! `filters.md`; `enums.md`, "Symbol status").

use super::{
    Exchange,
    ask::{Ask, bad_combination, invalid},
    figure::figure,
    order_params::{SELF_TRADE_MODES, USUAL_SELF_TRADE_MODE},
    reports::Cause,
};
use crate::{params::TimeUnit, refusal::Refusal};
use domain::{ClientOrderId, Decimal, Instrument, InstrumentRules, Listing, Price, rules::PriceRange};
use serde_json::{Value, json};
use venue_paper::engine::{Limits, Market, Owner};

const TRADING: &str = "TRADING";
const STATUSES: &[&str] = &[TRADING, "END_OF_DAY", "HALT", "BREAK", "CANCEL_ONLY"];
/// Permissions that an account or a symbol can have.
const PERMISSIONS: &[&str] = &["SPOT", "MARGIN", "LEVERAGED"];
const ORDER_TYPES: &[&str] =
    &["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"];
/// Of the average price that filters refer to.
const AVERAGE_MINUTES: u32 = 5;
/// What 64 bits hold with 8 decimals: the limit where a symbol has none of its own.
/// Binance's documentation allows 0 for "none", but every symbol of theirs has limits, and clients count on it.
const MOST: i64 = 92_233_720_368;
const SYMBOLS: &str = r#"^\[("[\w\-._&&[^a-z]]{1,50}"(,"[\w\-._&&[^a-z]]{1,50}"){0,}){0,1}\]$"#;

impl Exchange {
    /// By hand: the symbol's status (`TRADING`, `HALT`, `BREAK`, `END_OF_DAY`, `CANCEL_ONLY`).
    /// Orders are taken, and traded, only while it is `TRADING`; cancels always. At `BREAK`, which is how a symbol
    /// is delisted, open orders expire.
    ///
    /// # Errors
    /// There is no such symbol, or no such status.
    pub fn set_status(&mut self, symbol: &str, status: &str) -> Result<(), Refusal> {
        let instrument = self.listed(symbol)?;
        if !STATUSES.contains(&status) {
            return Err(bad_status());
        }
        self.simulator.set_status(instrument, status);
        match status {
            TRADING => self.statuses.remove(&instrument),
            other => self.statuses.insert(instrument, other.to_owned()),
        };
        match status {
            "BREAK" => self.end_all(instrument),
            // The orders that have waited meet what others have on the book by now.
            TRADING => {
                self.refresh(instrument);
                self.publish(instrument);
            }
            _ => {}
        }
        Ok(())
    }

    fn end_all(&mut self, instrument: Instrument) {
        let open = self.archive.open().filter(|order| order.instrument == instrument);
        let open: Vec<(Owner, ClientOrderId)> = open.map(|order| (order.owner, order.id)).collect();
        for (owner, id) in open {
            // Of a list the second order went with the first, and is not found.
            let reports = self.spot.cancel(self.now, owner, instrument, id);
            self.tell(instrument, &reports, Cause::Delisted);
        }
        self.publish(instrument);
    }

    pub(super) fn status(&self, instrument: Instrument) -> &str {
        self.statuses.get(&instrument).map_or(TRADING, String::as_str)
    }

    pub(super) fn is_trading(&self, instrument: Instrument) -> bool {
        !self.statuses.contains_key(&instrument)
    }

    /// # Errors
    /// The symbol is not trading.
    pub(super) fn may_place(&self, instrument: Instrument) -> Result<(), Refusal> {
        match self.status(instrument) {
            TRADING => Ok(()),
            "CANCEL_ONLY" => {
                Err(Refusal::new(-2010, "This order type is not possible in this trading phase."))
            }
            _ => Err(Refusal::new(-1013, "Market is closed.")),
        }
    }

    /// `rateLimits` are the exchange's usual ones; a server that counts by others writes its own there.
    pub(super) fn exchange_info(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        const KNOWN: &[&str] = &["symbol", "symbols", "permissions", "showPermissionSets", "symbolStatus"];
        let ask = ask.only(&[KNOWN])?;
        let listed = self.wanted_listings(ask)?;
        let shows = ask.flag("showPermissionSets")?.unwrap_or(true);
        let row = |instrument: &Instrument| {
            let market = self.spot.exchange.markets.get(instrument)?;
            let mut row = symbol(*instrument, market, self.status(*instrument), &self.spot.limits, shows);
            // Without a book there is nothing to peg a price to.
            let listed = market.rules.listing.as_deref().and_then(|listing| listing.peg_allowed);
            let has_book = self.live || market.outside.is_some();
            row["pegInstructionsAllowed"] = (has_book && listed.unwrap_or(true)).into();
            Some(row)
        };
        let symbols: Vec<Value> = listed.iter().filter_map(row).collect();
        let mut info = json!({
            "timezone": "UTC",
            "serverTime": unit.of(self.now),
            "rateLimits": rate_limits(),
            "exchangeFilters": [],
            "symbols": symbols,
        });
        if let Some(sors) = self.sors_row() {
            info["sors"] = sors;
        }
        Ok(info)
    }

    fn wanted_listings(&self, ask: Ask) -> Result<Vec<Instrument>, Refusal> {
        let ways = ["symbol", "symbols", "permissions"].iter().filter(|way| ask.has(way)).count();
        if ways > 1 || (ask.has("symbolStatus") && (ask.has("symbol") || ask.has("symbols"))) {
            return Err(bad_combination());
        }
        if ask.has("symbol") {
            return Ok(vec![self.instrument(ask)?]);
        }
        if let Some(text) = ask.text("symbols")? {
            return self.symbols(text);
        }
        let wanted = ask.text("permissions")?.map(permissions).transpose()?;
        let status = ask.text("symbolStatus")?;
        if status.is_some_and(|status| !STATUSES.contains(&status)) {
            return Err(bad_status());
        }
        let all = self.spot.exchange.markets.iter().map(|(instrument, _)| *instrument);
        let permitted = |one: &Instrument| wanted.as_ref().is_none_or(|wanted| self.has_any(*one, wanted));
        let all = all.filter(|one| status.is_none_or(|status| self.status(*one) == status));
        Ok(all.filter(permitted).collect())
    }

    /// # Errors
    /// −1100 for what is no array of symbols, −1121 for one that is not listed, −1151 for one that is there twice.
    fn symbols(&self, text: &str) -> Result<Vec<Instrument>, Refusal> {
        let malformed = || {
            Refusal::new(
                -1100,
                format!("Illegal characters found in parameter 'symbols'; legal range is '{SYMBOLS}'."),
            )
        };
        let names: Vec<String> = serde_json::from_str(text).map_err(|_| malformed())?;
        let listed: Vec<Instrument> = names.iter().map(|name| self.listed(name)).collect::<Result<_, _>>()?;
        if listed.iter().enumerate().any(|(at, one)| listed[..at].contains(one)) {
            return Err(Refusal::new(-1151, "Symbol is present multiple times in the list."));
        }
        Ok(listed)
    }

    /// Whether the symbol has any of these permissions; one of which none were recorded has `SPOT`.
    fn has_any(&self, instrument: Instrument, wanted: &[String]) -> bool {
        let sets = self.listing(instrument).and_then(|listing| listing.permission_sets.as_ref());
        match sets {
            Some(sets) => sets.iter().flatten().any(|one| wanted.contains(one)),
            None => wanted.iter().any(|one| one == "SPOT"),
        }
    }

    /// The account's limits on a symbol are the symbol's own.
    pub(super) fn my_filters(&mut self, ask: Ask) -> Result<Value, Refusal> {
        let instrument = self.instrument(ask.only(&[&["symbol"]])?)?;
        let rules = self.spot.exchange.markets.get(&instrument).map(|market| market.rules.clone());
        let limits = self.spot.limits;
        Ok(json!({
            "exchangeFilters": [],
            "symbolFilters": rules.map(|rules| filters(&rules, &limits)).unwrap_or_default(),
            "assetFilters": [],
        }))
    }
}

fn bad_status() -> Refusal {
    Refusal::new(-1122, "Invalid symbolStatus.")
}

/// One permission, or a JSON array of them.
fn permissions(text: &str) -> Result<Vec<String>, Refusal> {
    let names = serde_json::from_str(text).unwrap_or_else(|_| vec![text.to_owned()]);
    let known = |name: &String| PERMISSIONS.contains(&name.as_str()) || name.starts_with("TRD_GRP_");
    if names.iter().all(known) { Ok(names) } else { Err(invalid("permissions")) }
}

fn rate_limits() -> Value {
    json!([
        { "rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6_000 },
        { "rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100 },
        { "rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200_000 },
        { "rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 300_000 },
    ])
}

fn symbol(instrument: Instrument, market: &Market, status: &str, limits: &Limits, shows: bool) -> Value {
    let rules = &market.rules;
    let usual = Listing::default();
    let listing = rules.listing.as_deref().unwrap_or(&usual);
    let yes = |told: Option<bool>| told.unwrap_or(true);
    let mut row = json!({
        "symbol": instrument.symbol.as_str(),
        "status": status,
        "baseAsset": rules.base.as_str(),
        "baseAssetPrecision": rules.base_precision,
        "quoteAsset": rules.quote.as_str(),
        "quotePrecision": listing.quote_precision.unwrap_or(rules.quote_precision),
        "quoteAssetPrecision": rules.quote_precision,
        "baseCommissionPrecision": listing.base_commission_precision.unwrap_or(rules.base_precision),
        "quoteCommissionPrecision": listing.quote_commission_precision.unwrap_or(rules.quote_precision),
        "orderTypes": listing.order_types.as_ref().map_or(json!(ORDER_TYPES), |types| json!(types)),
        "icebergAllowed": yes(listing.iceberg_allowed),
        "ocoAllowed": rules.oco_allowed,
        "otoAllowed": yes(listing.oto_allowed),
        "opoAllowed": yes(listing.opo_allowed),
        "quoteOrderQtyMarketAllowed": rules.quote_quantity_allowed,
        "allowTrailingStop": yes(listing.trailing_stop_allowed),
        "cancelReplaceAllowed": yes(listing.cancel_replace_allowed),
        "amendAllowed": yes(listing.amend_allowed),
        "pegInstructionsAllowed": false,
        "isSpotTradingAllowed": yes(listing.spot_allowed),
        "isMarginTradingAllowed": listing.margin_allowed.unwrap_or(false),
        "filters": filters(rules, limits),
        "permissions": listing.permissions.clone().unwrap_or_default(),
        "defaultSelfTradePreventionMode": listing.self_trade.as_deref().unwrap_or(USUAL_SELF_TRADE_MODE),
        "allowedSelfTradePreventionModes":
            listing.self_trades.as_ref().map_or(json!(SELF_TRADE_MODES), |modes| json!(modes)),
    });
    if shows {
        row["permissionSets"] =
            listing.permission_sets.as_ref().map_or(json!([["SPOT"]]), |sets| json!(sets));
    }
    row
}

/// Those that were recorded of the symbol, in their order; else as most symbols have them.
fn filters(rules: &InstrumentRules, limits: &Limits) -> Vec<Value> {
    let recorded = rules.listing.as_deref().filter(|listing| !listing.filters.is_empty());
    let Some(listing) = recorded else { return usual_filters(rules, limits) };
    let known = usual_filters(rules, &Limits::of(recorded, None).unwrap_or(*limits));
    let row = |name: &String| match name.as_str() {
        "MIN_NOTIONAL" => Some(old_notional(rules)),
        "PERCENT_PRICE" => old_percent_price(rules),
        name => {
            let mut row = known.iter().find(|row| row["filterType"] == name)?.clone();
            if let Some(minutes) = listing.average_minutes.filter(|_| row.get("avgPriceMins").is_some()) {
                row["avgPriceMins"] = minutes.into();
            }
            Some(row)
        }
    };
    listing.filters.iter().filter_map(row).collect()
}

/// `MIN_NOTIONAL`, before there was `NOTIONAL`.
fn old_notional(rules: &InstrumentRules) -> Value {
    json!({
        "filterType": "MIN_NOTIONAL",
        "minNotional": figure(rules.min_notional),
        "applyToMarket": rules.min_notional_applies_to_market,
        "avgPriceMins": minutes(rules),
    })
}

/// `PERCENT_PRICE`, of both sides.
fn old_percent_price(rules: &InstrumentRules) -> Option<Value> {
    let range = rules.buy_price_range?;
    Some(json!({
        "filterType": "PERCENT_PRICE",
        "multiplierUp": range.up.normalize().to_string(),
        "multiplierDown": range.down.normalize().to_string(),
        "avgPriceMins": minutes(rules),
    }))
}

fn minutes(rules: &InstrumentRules) -> u32 {
    rules.listing.as_ref().and_then(|listing| listing.average_minutes).unwrap_or(AVERAGE_MINUTES)
}

fn usual_filters(rules: &InstrumentRules, limits: &Limits) -> Vec<Value> {
    let (zero, most) = (Decimal::ZERO, Decimal::from(MOST));
    let highest = most - most.checked_rem(rules.tick_size).unwrap_or_default();
    let count = |kind: &str, name: &str, most: u32| json!({ "filterType": kind, name: most });
    let mut filters = vec![
        json!({
            "filterType": "PRICE_FILTER",
            "minPrice": figure(rules.min_price.unwrap_or(rules.tick_size)),
            "maxPrice": figure(rules.max_price.unwrap_or(highest)),
            "tickSize": figure(rules.tick_size),
        }),
        json!({
            "filterType": "LOT_SIZE",
            "minQty": figure(rules.min_quantity),
            "maxQty": figure(rules.max_quantity.unwrap_or(most)),
            "stepSize": figure(rules.lot_size),
        }),
        json!({
            "filterType": "MARKET_LOT_SIZE",
            "minQty": figure(rules.market_min_quantity.unwrap_or(zero)),
            "maxQty": figure(rules.market_max_quantity.unwrap_or(most)),
            "stepSize": figure(rules.market_lot_size.unwrap_or(zero)),
        }),
    ];
    filters.extend(limits.iceberg_parts.map(|most| count("ICEBERG_PARTS", "limit", most)));
    filters.extend(limits.trailing_above.zip(limits.trailing_below).map(|(above, below)| {
        json!({
            "filterType": "TRAILING_DELTA",
            "minTrailingAboveDelta": above.0,
            "maxTrailingAboveDelta": above.1,
            "minTrailingBelowDelta": below.0,
            "maxTrailingBelowDelta": below.1,
        })
    }));
    filters.extend(percent_price(rules.buy_price_range, rules.sell_price_range));
    filters.push(json!({
        "filterType": "NOTIONAL",
        "minNotional": figure(rules.min_notional),
        "applyMinToMarket": rules.min_notional_applies_to_market,
        "maxNotional": figure(rules.max_notional.unwrap_or(most)),
        "applyMaxToMarket": rules.max_notional_applies_to_market,
        "avgPriceMins": AVERAGE_MINUTES,
    }));
    filters.extend(rules.max_orders.map(|most| count("MAX_NUM_ORDERS", "maxNumOrders", most)));
    filters.extend(limits.max_lists.map(|most| count("MAX_NUM_ORDER_LISTS", "maxNumOrderLists", most)));
    filters.extend(rules.max_algo_orders.map(|most| count("MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders", most)));
    filters.extend(limits.max_amends.map(|most| count("MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends", most)));
    let icebergs = limits.max_iceberg_orders;
    filters.extend(icebergs.map(|most| count("MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders", most)));
    let position = |most| json!({ "filterType": "MAX_POSITION", "maxPosition": figure(most) });
    filters.extend(rules.max_position.map(position));
    filters
}

fn percent_price(buy: Option<PriceRange>, sell: Option<PriceRange>) -> Option<Value> {
    // A side without bounds may go anywhere.
    let open = PriceRange { down: Decimal::ZERO, up: Price::MOST };
    let (bid, ask) = (buy.unwrap_or(open), sell.unwrap_or(open));
    (buy.is_some() || sell.is_some()).then(|| {
        json!({
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": bid.up.normalize().to_string(),
            "bidMultiplierDown": bid.down.normalize().to_string(),
            "askMultiplierUp": ask.up.normalize().to_string(),
            "askMultiplierDown": ask.down.normalize().to_string(),
            "avgPriceMins": AVERAGE_MINUTES,
        })
    })
}
