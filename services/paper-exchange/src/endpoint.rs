//! Every request that the exchange knows, by REST path and by WebSocket API method.

mod table;
mod weight;

pub use table::ENDPOINTS;

use crate::{exchange::Wallet, params::Params};

/// A request, whichever way it came. Session methods (`session.*`, `userDataStream.*`) are the server's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    // Answered by the exchange's `general` part.
    Ping,
    Time,
    ExchangeInfo,
    // Market data: answered by the simulated market.
    Depth,
    Trades,
    HistoricalTrades,
    AggTrades,
    Klines,
    UiKlines,
    AvgPrice,
    Ticker24hr,
    TickerTradingDay,
    TickerRolling,
    TickerPrice,
    TickerBookTicker,
    /// Binance trades large amounts apart from the book; here nobody does.
    HistoricalBlockTrades,
    /// Rules about prices at execution: there are none.
    ExecutionRules,
    /// No symbol has one.
    ReferencePrice,
    ReferencePriceCalculation,
    // Orders: the desk's.
    OrderPlace,
    OrderTest,
    OrderQuery,
    OrderCancel,
    OrderCancelReplace,
    OrderAmend,
    OpenOrders,
    OpenOrdersCancel,
    AllOrders,
    OcoPlace,
    /// The deprecated `POST /api/v3/order/oco`.
    OcoPlaceOld,
    OtoPlace,
    OtocoPlace,
    OpoPlace,
    OpocoPlace,
    SorPlace,
    SorTest,
    ListQuery,
    ListCancel,
    ListsOpen,
    ListsAll,
    // Account: the desk's.
    Account,
    MyTrades,
    MyPreventedMatches,
    MyAllocations,
    MyFilters,
    OrderAmendments,
    Commission,
    /// `/sapi/v1/asset/tradeFee`
    TradeFee,
    Wallet(Wallet),
    /// Answered by the server, which counts.
    RateLimitOrder,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Exchange(Endpoint),
    /// `/sapi/v1/system/status`: neither at work nor closed for maintenance.
    SystemStatus,
    /// `/sapi/v1/capital/config/getall`: the account's assets; there is no network to withdraw them to.
    Coins,
    /// `/sapi/v1/account/apiRestrictions`: what the key may do.
    ApiRestrictions,
    AccountStatus,
    ApiTradingStatus,
    /// Pairs to trade on margin: there are none.
    MarginPairs,
    /// Symbols that the script of faults will take to `BREAK`.
    DelistSchedule,
    /// Listen keys: gone since 2026-02-20.
    Gone,
}

/// Who may ask, and how that is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    Nobody,
    /// An API key; nothing has to be signed.
    Key,
    /// An API key and a signature.
    UserData,
    /// As [`Self::UserData`], of a key that may trade.
    Trade,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Get,
    Post,
    Put,
    Delete,
}

/// One row of Binance's documentation.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    pub target: Target,
    pub rest: &'static [(Verb, &'static str)],
    /// Names of WebSocket API methods.
    pub methods: &'static [&'static str],
    pub security: Security,
    pub weight: fn(&Params) -> u32,
    /// A success costs no weight (orders and cancels, since 2026-04-02).
    pub free_when_done: bool,
    /// How many orders it places, if it succeeds.
    pub orders: u32,
    /// Its parameters, where the server itself refuses others; `None` where whoever answers does.
    pub params: Option<&'static [&'static str]>,
    /// Whether it may change the exchange; what does not is neither numbered nor recorded.
    pub changes: bool,
}

impl Spec {
    /// What it is called in fault scripts and journals: its first method, else its first path.
    pub fn name(&self) -> &'static str {
        self.methods.first().copied().or(self.rest.first().map(|(_, path)| *path)).unwrap_or_default()
    }
}

/// What lies at a path.
#[derive(Debug, Clone, Copy)]
pub enum Found {
    Spec(&'static Spec),
    /// The path is known, the verb is not.
    WrongVerb,
    Nothing,
}

pub fn by_path(verb: Verb, path: &str) -> Found {
    let mut found = Found::Nothing;
    for spec in ENDPOINTS {
        for (known, at) in spec.rest {
            if *at == path {
                if *known == verb {
                    return Found::Spec(spec);
                }
                found = Found::WrongVerb;
            }
        }
    }
    found
}

/// `v3/order.place` is `order.place`.
pub fn by_method(method: &str) -> Option<&'static Spec> {
    let method = method.strip_prefix("v3/").unwrap_or(method);
    ENDPOINTS.iter().find(|spec| spec.methods.contains(&method))
}

/// The row of that name that changes something, if there is one: of a path that is both read and written it is the
/// one that is taken down.
pub fn by_name(name: &str) -> Option<&'static Spec> {
    let named = || ENDPOINTS.iter().filter(|spec| spec.name() == name);
    named().find(|spec| spec.changes).or_else(|| named().next())
}

pub fn of(endpoint: Endpoint) -> Option<&'static Spec> {
    ENDPOINTS.iter().find(|spec| spec.target == Target::Exchange(endpoint))
}
