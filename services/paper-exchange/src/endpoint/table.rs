//! The table itself: one row for each request of Binance's documentation that is answered here.

use super::{
    Endpoint::{self as E},
    Security::{self, Key, Nobody, Trade, UserData},
    Spec,
    Target::{self, Exchange},
    Verb::{Delete, Get, Post, Put},
    weight,
};
use crate::exchange::Wallet as W;

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
        params: None,
        changes: false,
    }
}

const fn public(
    endpoint: E,
    rest: &'static [(super::Verb, &'static str)],
    methods: &'static [&'static str],
    weight: fn(&crate::params::Params) -> u32,
    params: &'static [&'static str],
) -> Spec {
    Spec { weight, params: Some(params), ..row(Exchange(endpoint), rest, methods) }
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
    Spec { security: UserData, params: Some(NONE), ..row(target, rest, &[]) }
}

/// A question of the wallet, signed.
const fn asked(
    wallet: W,
    rest: &'static [(super::Verb, &'static str)],
    params: &'static [&'static str],
) -> Spec {
    Spec { security: UserData, params: Some(params), ..row(Exchange(E::Wallet(wallet)), rest, &[]) }
}

/// As [`asked`]; it changes something.
const fn changing(
    wallet: W,
    rest: &'static [(super::Verb, &'static str)],
    params: &'static [&'static str],
) -> Spec {
    Spec { security: Trade, changes: true, ..asked(wallet, rest, params) }
}

const NONE: &[&str] = &[];
const SYMBOL: &[&str] = &["symbol"];
const SYMBOLS: &[&str] = &["symbol", "symbols", "symbolStatus"];
const KLINES: &[&str] = &["symbol", "interval", "startTime", "endTime", "timeZone", "limit"];

#[rustfmt::skip]
pub const ENDPOINTS: &[Spec] = &[
    public(E::Ping, &[(Get, "/api/v3/ping")], &["ping"], weight::one, NONE),
    public(E::Time, &[(Get, "/api/v3/time")], &["time"], weight::one, NONE),
    public(E::ExchangeInfo, &[(Get, "/api/v3/exchangeInfo")], &["exchangeInfo"], weight::twenty,
        &["symbol", "symbols", "permissions", "showPermissionSets", "symbolStatus"]),

    // The book that is answered is published, and its changes are numbered.
    Spec { changes: true, ..public(E::Depth, &[(Get, "/api/v3/depth")], &["depth"], weight::depth,
        &["symbol", "limit", "symbolStatus"]) },
    public(E::Trades, &[(Get, "/api/v3/trades")], &["trades.recent"], weight::twenty_five, &["symbol", "limit"]),
    public(E::HistoricalTrades, &[(Get, "/api/v3/historicalTrades")], &["trades.historical"], weight::twenty_five,
        &["symbol", "limit", "fromId"]),
    public(E::AggTrades, &[(Get, "/api/v3/aggTrades")], &["trades.aggregate"], weight::four,
        &["symbol", "fromId", "startTime", "endTime", "limit"]),
    public(E::Klines, &[(Get, "/api/v3/klines")], &["klines"], weight::two, KLINES),
    public(E::UiKlines, &[(Get, "/api/v3/uiKlines")], &["uiKlines"], weight::two, KLINES),
    public(E::AvgPrice, &[(Get, "/api/v3/avgPrice")], &["avgPrice"], weight::two, SYMBOL),
    public(E::Ticker24hr, &[(Get, "/api/v3/ticker/24hr")], &["ticker.24hr"], weight::day_ticker,
        &["symbol", "symbols", "type", "symbolStatus"]),
    public(E::TickerTradingDay, &[(Get, "/api/v3/ticker/tradingDay")], &["ticker.tradingDay"], weight::rolling_ticker,
        &["symbol", "symbols", "timeZone", "type", "symbolStatus"]),
    public(E::TickerRolling, &[(Get, "/api/v3/ticker")], &["ticker"], weight::rolling_ticker,
        &["symbol", "symbols", "windowSize", "type", "symbolStatus"]),
    public(E::TickerPrice, &[(Get, "/api/v3/ticker/price")], &["ticker.price"], weight::price_ticker, SYMBOLS),
    public(E::TickerBookTicker, &[(Get, "/api/v3/ticker/bookTicker")], &["ticker.book"], weight::price_ticker, SYMBOLS),
    public(E::HistoricalBlockTrades, &[(Get, "/api/v3/historicalBlockTrades")], &["blockTrades.historical"], weight::twenty_five,
        &["symbol", "fromId", "limit"]),
    public(E::ExecutionRules, &[(Get, "/api/v3/executionRules")], &["executionRules"], weight::execution_rules, SYMBOLS),
    public(E::ReferencePrice, &[(Get, "/api/v3/referencePrice")], &["referencePrice"], weight::two, SYMBOL),
    public(E::ReferencePriceCalculation, &[(Get, "/api/v3/referencePrice/calculation")], &["referencePrice.calculation"], weight::two,
        &["symbol", "symbolStatus"]),

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
    trade(E::OtoPlace, &[(Post, "/api/v3/orderList/oto")], &["orderList.place.oto"], 2),
    trade(E::OtocoPlace, &[(Post, "/api/v3/orderList/otoco")], &["orderList.place.otoco"], 3),
    trade(E::OpoPlace, &[(Post, "/api/v3/orderList/opo")], &["orderList.place.opo"], 2),
    trade(E::OpocoPlace, &[(Post, "/api/v3/orderList/opoco")], &["orderList.place.opoco"], 3),
    trade(E::SorPlace, &[(Post, "/api/v3/sor/order")], &["sor.order.place"], 1),
    Spec { security: Trade, weight: weight::test, changes: true,
        ..row(Exchange(E::SorTest), &[(Post, "/api/v3/sor/order/test")], &["sor.order.test"]) },
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
    Spec { params: Some(NONE),
        ..own(E::RateLimitOrder, &[(Get, "/api/v3/rateLimit/order")], &["account.rateLimits.orders"], weight::forty) },

    Spec { params: Some(SYMBOL), ..wallet(Exchange(E::TradeFee), &[(Get, "/sapi/v1/asset/tradeFee")]) },
    Spec { params: Some(NONE), ..row(Target::SystemStatus, &[(Get, "/sapi/v1/system/status")], &[]) },
    wallet(Target::Coins, &[(Get, "/sapi/v1/capital/config/getall")]),
    wallet(Target::ApiRestrictions, &[(Get, "/sapi/v1/account/apiRestrictions")]),
    wallet(Target::AccountStatus, &[(Get, "/sapi/v1/account/status")]),
    Spec { security: Key, weight: weight::hundred,
        params: Some(NONE), ..row(Target::DelistSchedule, &[(Get, "/sapi/v1/spot/delist-schedule")], &[]) },
    asked(W::AccountInfo, &[(Get, "/sapi/v1/account/info")], &[]),
    asked(W::Snapshot, &[(Get, "/sapi/v1/accountSnapshot")], &["type", "startTime", "endTime", "limit"]),
    asked(W::BnbBurn, &[(Get, "/sapi/v1/bnbBurn")], &[]),
    changing(W::SetBnbBurn, &[(Post, "/sapi/v1/bnbBurn")], &["spotBNBBurn", "interestBNBBurn"]),
    asked(W::AssetDetail, &[(Get, "/sapi/v1/asset/assetDetail")], &["asset"]),
    asked(W::DustAssets, &[(Post, "/sapi/v1/asset/dust-btc")], &["accountType"]),
    asked(W::Refused, &[(Post, "/sapi/v1/asset/dust")], &["asset", "accountType", "clientId"]),
    asked(W::Dribblets, &[(Get, "/sapi/v1/asset/dribblet")], &["accountType", "startTime", "endTime"]),
    asked(W::Dividends, &[(Get, "/sapi/v1/asset/assetDividend")], &["asset", "startTime", "endTime", "limit"]),
    asked(W::Deposits, &[(Get, "/sapi/v1/capital/deposit/hisrec")],
        &["includeSource", "coin", "status", "startTime", "endTime", "offset", "limit", "txId"]),
    asked(W::Withdrawals, &[(Get, "/sapi/v1/capital/withdraw/history")],
        &["coin", "withdrawOrderId", "status", "offset", "limit", "idList", "startTime", "endTime"]),
    asked(W::Refused, &[(Get, "/sapi/v1/capital/deposit/address")], &["coin", "network", "amount"]),
    asked(W::Refused, &[(Post, "/sapi/v1/capital/withdraw/apply")],
        &["coin", "withdrawOrderId", "network", "address", "addressTag", "amount", "transactionFeeFlag", "name",
            "walletType"]),
    asked(W::UserAssets, &[(Post, "/sapi/v3/asset/getUserAsset")], &["asset", "needBtcValuation"]),
    asked(W::Balances, &[(Get, "/sapi/v1/asset/wallet/balance")], &["quoteAsset"]),
    asked(W::UserAssets, &[(Post, "/sapi/v1/asset/get-funding-asset")], &["asset", "needBtcValuation"]),
    asked(W::TransferHistory, &[(Get, "/sapi/v1/asset/transfer")],
        &["type", "startTime", "endTime", "current", "size", "fromSymbol", "toSymbol"]),
    asked(W::Refused, &[(Post, "/sapi/v1/asset/transfer")],
        &["type", "asset", "amount", "fromSymbol", "toSymbol"]),
    Spec { security: Security::Nobody,
        ..asked(W::ConvertPairs, &[(Get, "/sapi/v1/convert/exchangeInfo")], &["fromAsset", "toAsset"]) },
    asked(W::ConvertAssets, &[(Get, "/sapi/v1/convert/assetInfo")], &[]),
    asked(W::ConvertHistory, &[(Get, "/sapi/v1/convert/tradeFlow")], &["startTime", "endTime", "limit"]),
    asked(W::Refused, &[(Post, "/sapi/v1/convert/getQuote")],
        &["fromAsset", "toAsset", "fromAmount", "toAmount", "walletType", "validTime"]),
    asked(W::Refused, &[(Post, "/sapi/v1/convert/acceptQuote")], &["quoteId"]),
    asked(W::SubAccounts, &[(Get, "/sapi/v1/sub-account/list")], &["email", "isFreeze", "page", "limit"]),
    asked(W::SubAccountStatus, &[(Get, "/sapi/v1/sub-account/status")], &["email"]),
    asked(W::SubAccountAssets,
        &[(Get, "/sapi/v3/sub-account/assets"), (Get, "/sapi/v4/sub-account/assets")], &["email"]),
    asked(W::SubAccountSummary, &[(Get, "/sapi/v1/sub-account/spotSummary")], &["email", "page", "size"]),
    asked(W::UniversalTransfers, &[(Get, "/sapi/v1/sub-account/universalTransfer")],
        &["fromEmail", "toEmail", "clientTranId", "startTime", "endTime", "page", "limit"]),
    changing(W::UniversalTransfer, &[(Post, "/sapi/v1/sub-account/universalTransfer")],
        &["fromEmail", "toEmail", "fromAccountType", "toAccountType", "clientTranId", "symbol", "asset", "amount"]),
    changing(W::ToMaster, &[(Post, "/sapi/v1/sub-account/transfer/subToMaster")], &["asset", "amount"]),
    changing(W::ToSubAccount, &[(Post, "/sapi/v1/sub-account/transfer/subToSub")], &["toEmail", "asset", "amount"]),
    // Binance asks for a key here, and for nothing that has to be signed.
    Spec { security: Key, params: Some(SYMBOL), ..row(Target::MarginPairs, &[(Get, "/sapi/v1/margin/allPairs")], &[]) },
    Spec { params: Some(SYMBOL),
        ..wallet(Target::MarginPairs, &[(Get, "/sapi/v1/margin/isolated/allPairs")]) },
    wallet(Target::ApiTradingStatus, &[(Get, "/sapi/v1/account/apiTradingStatus")]),

    Spec { weight: weight::two, ..row(
        Target::Gone,
        &[(Post, "/api/v3/userDataStream"), (Put, "/api/v3/userDataStream"), (Delete, "/api/v3/userDataStream")],
        &["userDataStream.start", "userDataStream.ping", "userDataStream.stop"],
    ) },
];
