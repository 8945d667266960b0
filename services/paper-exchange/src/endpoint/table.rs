//! The table itself: one row for each request of Binance's documentation that is answered here.

use super::{
    Endpoint::{self as E},
    Security::{Nobody, Trade, UserData},
    Spec,
    Target::{self, Exchange},
    Verb::{Delete, Get, Post, Put},
    weight,
};

const fn row(
    target: Target,
    rest: &'static [(super::Verb, &'static str)],
    methods: &'static [&'static str],
) -> Spec {
    Spec {
        target,
        rest,
        methods,
        security: Nobody,
        weight: weight::one,
        free_when_done: false,
        orders: 0,
        changes: false,
    }
}

const fn public(
    endpoint: E,
    rest: &'static [(super::Verb, &'static str)],
    methods: &'static [&'static str],
    weight: fn(&crate::params::Params) -> u32,
) -> Spec {
    Spec { weight, ..row(Exchange(endpoint), rest, methods) }
}

const fn own(
    endpoint: E,
    rest: &'static [(super::Verb, &'static str)],
    methods: &'static [&'static str],
    weight: fn(&crate::params::Params) -> u32,
) -> Spec {
    Spec { security: UserData, weight, ..row(Exchange(endpoint), rest, methods) }
}

/// Places `orders`, or ends some; costs nothing if it succeeds.
const fn trade(
    endpoint: E,
    rest: &'static [(super::Verb, &'static str)],
    methods: &'static [&'static str],
    orders: u32,
) -> Spec {
    Spec {
        security: Trade,
        free_when_done: true,
        orders,
        changes: true,
        ..row(Exchange(endpoint), rest, methods)
    }
}

const fn wallet(target: Target, rest: &'static [(super::Verb, &'static str)]) -> Spec {
    Spec { security: UserData, ..row(target, rest, &[]) }
}

#[rustfmt::skip]
pub const ENDPOINTS: &[Spec] = &[
    public(E::Ping, &[(Get, "/api/v3/ping")], &["ping"], weight::one),
    public(E::Time, &[(Get, "/api/v3/time")], &["time"], weight::one),
    public(E::ExchangeInfo, &[(Get, "/api/v3/exchangeInfo")], &["exchangeInfo"], weight::twenty),

    // The book that is answered is published, and its changes are numbered.
    Spec { changes: true, ..public(E::Depth, &[(Get, "/api/v3/depth")], &["depth"], weight::depth) },
    public(E::Trades, &[(Get, "/api/v3/trades")], &["trades.recent"], weight::twenty_five),
    public(E::HistoricalTrades, &[(Get, "/api/v3/historicalTrades")], &["trades.historical"], weight::twenty_five),
    public(E::AggTrades, &[(Get, "/api/v3/aggTrades")], &["trades.aggregate"], weight::four),
    public(E::Klines, &[(Get, "/api/v3/klines")], &["klines"], weight::two),
    public(E::UiKlines, &[(Get, "/api/v3/uiKlines")], &["uiKlines"], weight::two),
    public(E::AvgPrice, &[(Get, "/api/v3/avgPrice")], &["avgPrice"], weight::two),
    public(E::Ticker24hr, &[(Get, "/api/v3/ticker/24hr")], &["ticker.24hr"], weight::day_ticker),
    public(E::TickerTradingDay, &[(Get, "/api/v3/ticker/tradingDay")], &["ticker.tradingDay"], weight::rolling_ticker),
    public(E::TickerRolling, &[(Get, "/api/v3/ticker")], &["ticker"], weight::rolling_ticker),
    public(E::TickerPrice, &[(Get, "/api/v3/ticker/price")], &["ticker.price"], weight::price_ticker),
    public(E::TickerBookTicker, &[(Get, "/api/v3/ticker/bookTicker")], &["ticker.book"], weight::price_ticker),
    public(E::HistoricalBlockTrades, &[(Get, "/api/v3/historicalBlockTrades")], &["blockTrades.historical"], weight::twenty_five),
    public(E::ExecutionRules, &[(Get, "/api/v3/executionRules")], &["executionRules"], weight::execution_rules),
    public(E::ReferencePrice, &[(Get, "/api/v3/referencePrice")], &["referencePrice"], weight::two),
    public(E::ReferencePriceCalculation, &[(Get, "/api/v3/referencePrice/calculation")], &["referencePrice.calculation"], weight::two),

    trade(E::OrderPlace, &[(Post, "/api/v3/order")], &["order.place"], 1),
    // It looks at the book, and who trades next finds the book as it was seen.
    Spec { security: Trade, weight: weight::test, changes: true,
        ..row(Exchange(E::OrderTest), &[(Post, "/api/v3/order/test")], &["order.test"]) },
    own(E::OrderQuery, &[(Get, "/api/v3/order")], &["order.status"], weight::four),
    trade(E::OrderCancel, &[(Delete, "/api/v3/order")], &["order.cancel"], 0),
    trade(E::OrderCancelReplace, &[(Post, "/api/v3/order/cancelReplace")], &["order.cancelReplace"], 1),
    Spec { weight: weight::four,
        ..trade(E::OrderAmend, &[(Put, "/api/v3/order/amend/keepPriority")], &["order.amend.keepPriority"], 0) },
    own(E::OpenOrders, &[(Get, "/api/v3/openOrders")], &["openOrders.status"], weight::open_orders),
    trade(E::OpenOrdersCancel, &[(Delete, "/api/v3/openOrders")], &["openOrders.cancelAll"], 0),
    own(E::AllOrders, &[(Get, "/api/v3/allOrders")], &["allOrders"], weight::twenty),
    trade(E::OcoPlace, &[(Post, "/api/v3/orderList/oco")], &["orderList.place.oco"], 2),
    trade(E::OcoPlaceOld, &[(Post, "/api/v3/order/oco")], &["orderList.place"], 2),
    own(E::ListQuery, &[(Get, "/api/v3/orderList")], &["orderList.status"], weight::four),
    trade(E::ListCancel, &[(Delete, "/api/v3/orderList")], &["orderList.cancel"], 0),
    own(E::ListsOpen, &[(Get, "/api/v3/openOrderList")], &["openOrderLists.status"], weight::six),
    own(E::ListsAll, &[(Get, "/api/v3/allOrderList")], &["allOrderLists"], weight::twenty),

    own(E::Account, &[(Get, "/api/v3/account")], &["account.status"], weight::twenty),
    own(E::MyTrades, &[(Get, "/api/v3/myTrades")], &["myTrades"], weight::my_trades),
    own(E::MyPreventedMatches, &[(Get, "/api/v3/myPreventedMatches")], &["myPreventedMatches"], weight::prevented),
    own(E::MyAllocations, &[(Get, "/api/v3/myAllocations")], &["myAllocations"], weight::twenty),
    own(E::MyFilters, &[(Get, "/api/v3/myFilters")], &["myFilters"], weight::forty),
    own(E::OrderAmendments, &[(Get, "/api/v3/order/amendments")], &["order.amendments"], weight::four),
    own(E::Commission, &[(Get, "/api/v3/account/commission")], &["account.commission"], weight::twenty),
    own(E::RateLimitOrder, &[(Get, "/api/v3/rateLimit/order")], &["account.rateLimits.orders"], weight::forty),

    wallet(Exchange(E::TradeFee), &[(Get, "/sapi/v1/asset/tradeFee")]),
    row(Target::SystemStatus, &[(Get, "/sapi/v1/system/status")], &[]),
    wallet(Target::Coins, &[(Get, "/sapi/v1/capital/config/getall")]),
    wallet(Target::ApiRestrictions, &[(Get, "/sapi/v1/account/apiRestrictions")]),
    wallet(Target::AccountStatus, &[(Get, "/sapi/v1/account/status")]),
    // Binance asks for a key here, and for nothing that has to be signed.
    row(Target::MarginPairs, &[(Get, "/sapi/v1/margin/allPairs")], &[]),
    wallet(Target::MarginPairs, &[(Get, "/sapi/v1/margin/isolated/allPairs")]),
    wallet(Target::ApiTradingStatus, &[(Get, "/sapi/v1/account/apiTradingStatus")]),

    Spec { weight: weight::two, ..row(
        Target::Gone,
        &[(Post, "/api/v3/userDataStream"), (Put, "/api/v3/userDataStream"), (Delete, "/api/v3/userDataStream")],
        &["userDataStream.start", "userDataStream.ping", "userDataStream.stop"],
    ) },
];
