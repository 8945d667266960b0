//! The exchange as one deterministic state machine: the same setup and the same inputs at the same times
//! give the same answers, frames and state. It reads no clock and draws nothing.
//!
//! | module | does |
//! |---|---|
//! | `ask`, `order_params`, `list_params` | read what a request says, and refuse what Binance refuses before its engine |
//! | `orders`, `replace`, `amend`, `lists` | the trading endpoints, on `venue_paper::engine` |
//! | `reports` | turns the engine's reports into history and frames |
//! | `archive` | every order, trade, list, prevented match and amendment |
//! | `sor` | orders that take from several books |
//! | `account`, `listings` | the account's endpoints, `exchangeInfo`, a symbol's status |
//! | `rows`, `events`, `figure` | JSON as Binance writes it |
//! | `market` | what the market does to the account, and the account to the market |

mod account;
mod accounts;
mod amend;
mod archive;
mod ask;
mod events;
mod figure;
mod list_params;
mod listings;
mod lists;
mod market;
mod order_params;
mod orders;
mod replace;
mod reports;
mod rows;
mod rule_change;
mod sor;
mod wallet;

use crate::{
    answer::Answer,
    endpoint::Endpoint,
    frame::{AccountFrame, MarketFrame},
    params::{Params, TimeUnit},
    refusal::Refusal,
    simulator::Simulator,
};
use accounts::Transfer;
pub use accounts::{Accounts, Other};
use archive::{Archive, Entry};
use ask::Ask;
use domain::{Amount, Asset, ClientOrderId, Instrument, Timestamp, VenueTradeId};
use list_params::Kind;
pub use rule_change::RuleChange;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use venue_paper::engine::{Owner, Spot};
pub use wallet::Wallet;

pub struct Exchange {
    simulator: Simulator,
    now: Timestamp,
    accounts: Accounts,
    /// Whose request is in hand.
    asker: Owner,
    spot: Spot,
    archive: Archive,
    /// Statuses of symbols that are not `TRADING`.
    statuses: BTreeMap<Instrument, String>,
    /// Whether the market goes on by itself; driven from outside, the facts that are told are all there are.
    live: bool,
    quotes_wanted: BTreeSet<Instrument>,
    /// Where orders are open, so that every move of the market matters.
    watched: BTreeSet<Instrument>,
    /// The last fill, by the engine's number and the public's.
    last_public: Option<(Instrument, VenueTradeId, i64)>,
    /// Orders of the request in hand as they stood before they were filled as makers.
    as_placed: BTreeMap<i64, Entry>,
    account_frames: Vec<AccountFrame>,
    /// How many account frames there have been.
    frames_sent: BTreeMap<Owner, u64>,
    /// How many executions there have been: `I` of the last.
    executions: i64,
    /// How many names have been given to what had none.
    named: u64,
    /// When each account changed last; at the start, where it has not.
    changed: BTreeMap<Owner, Timestamp>,
    start: Timestamp,
    /// Transfers between accounts, in order.
    transfers: Vec<Transfer>,
}

/// What the account file and the command line say.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Balances, fees, slippage, participation.
    pub paper: Accounts,
    pub start: Timestamp,
}

impl Exchange {
    /// `simulator` is empty (lists nothing) where the market is driven from outside.
    pub fn new(setup: Setup, simulator: Simulator) -> Self {
        let Setup { paper: accounts, start } = setup;
        let mut exchange = Self {
            simulator,
            now: start,
            spot: accounts.open(),
            accounts,
            asker: Owner::FIRST,
            archive: Archive::default(),
            statuses: BTreeMap::new(),
            live: false,
            quotes_wanted: BTreeSet::new(),
            watched: BTreeSet::new(),
            last_public: None,
            as_placed: BTreeMap::new(),
            account_frames: Vec::new(),
            frames_sent: BTreeMap::new(),
            executions: 0,
            named: 0,
            changed: BTreeMap::new(),
            start,
            transfers: Vec::new(),
        };
        exchange.open_simulator();
        exchange
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Instruments for which orders wait for the next price since this was last asked. Driven only.
    pub fn take_quotes_wanted(&mut self) -> BTreeSet<Instrument> {
        std::mem::take(&mut self.quotes_wanted)
    }

    /// As [`Self::call_as`], of the first account.
    ///
    /// # Errors
    /// What Binance would refuse, with its number and text.
    pub fn call(&mut self, endpoint: Endpoint, params: &Params, unit: TimeUnit) -> Result<Value, Refusal> {
        self.call_as(Owner::FIRST, endpoint, params, unit)
    }

    /// Answers an account's request at the exchange's present time. The server has authenticated it where its
    /// security type asks for that.
    ///
    /// # Errors
    /// What Binance would refuse, with its number and text.
    pub fn call_as(
        &mut self,
        owner: Owner,
        endpoint: Endpoint,
        params: &Params,
        unit: TimeUnit,
    ) -> Result<Value, Refusal> {
        self.answer_as(owner, endpoint, params, unit).map(Answer::into_value)
    }

    /// As [`Self::call_as`]; what is large comes as text.
    ///
    /// # Errors
    /// What Binance would refuse, with its number and text.
    pub fn answer_as(
        &mut self,
        owner: Owner,
        endpoint: Endpoint,
        params: &Params,
        unit: TimeUnit,
    ) -> Result<Answer, Refusal> {
        if endpoint == Endpoint::Depth {
            return self.depth(params).map(Answer::Text);
        }
        self.asker = owner;
        self.value_of(endpoint, params, unit).map(Answer::Value)
    }

    fn value_of(&mut self, endpoint: Endpoint, params: &Params, unit: TimeUnit) -> Result<Value, Refusal> {
        let ask = Ask(params);
        match endpoint {
            Endpoint::Ping => Ok(json!({})),
            Endpoint::Time => Ok(json!({ "serverTime": unit.of(self.now) })),
            Endpoint::ExchangeInfo => self.exchange_info(ask, unit),
            Endpoint::Depth
            | Endpoint::Trades
            | Endpoint::HistoricalTrades
            | Endpoint::AggTrades
            | Endpoint::Klines
            | Endpoint::UiKlines
            | Endpoint::AvgPrice
            | Endpoint::Ticker24hr
            | Endpoint::TickerTradingDay
            | Endpoint::TickerRolling
            | Endpoint::TickerPrice
            | Endpoint::TickerBookTicker
            | Endpoint::HistoricalBlockTrades
            | Endpoint::ExecutionRules
            | Endpoint::ReferencePrice
            | Endpoint::ReferencePriceCalculation => self.simulator.call(endpoint, params, unit),
            Endpoint::OrderPlace => self.place(ask, unit),
            Endpoint::OrderTest => self.test(ask),
            Endpoint::OrderQuery => self.query(ask, unit),
            Endpoint::OrderCancel => self.cancel(ask, unit),
            Endpoint::OrderCancelReplace => self.cancel_replace(ask, unit),
            Endpoint::OrderAmend => self.amend(ask, unit),
            Endpoint::OpenOrders => self.open_orders(ask, unit),
            Endpoint::OpenOrdersCancel => self.cancel_all(ask, unit),
            Endpoint::AllOrders => self.all_orders(ask, unit),
            Endpoint::OcoPlace => self.place_oco(ask, unit),
            Endpoint::OcoPlaceOld => self.place_old_oco(ask, unit),
            Endpoint::OtoPlace => self.place_then(ask, Kind::Oto, unit),
            Endpoint::OtocoPlace => self.place_then(ask, Kind::Otoco, unit),
            Endpoint::OpoPlace => self.place_then(ask, Kind::Opo, unit),
            Endpoint::OpocoPlace => self.place_then(ask, Kind::Opoco, unit),
            Endpoint::SorPlace => self.place_routed(ask, unit),
            Endpoint::SorTest => self.test_routed(ask),
            Endpoint::ListQuery => self.query_list(ask, unit),
            Endpoint::ListCancel => self.cancel_list(ask, unit),
            Endpoint::ListsOpen => self.open_lists(ask, unit),
            Endpoint::ListsAll => self.all_lists(ask, unit),
            Endpoint::Account => self.account(ask, unit),
            Endpoint::MyTrades => self.my_trades(ask, unit),
            Endpoint::MyPreventedMatches => self.my_prevented_matches(ask, unit),
            Endpoint::MyAllocations => self.my_allocations(ask, unit),
            Endpoint::MyFilters => self.my_filters(ask),
            Endpoint::OrderAmendments => self.order_amendments(ask, unit),
            Endpoint::Commission => self.commission(ask),
            Endpoint::TradeFee => self.trade_fee(ask),
            Endpoint::Wallet(wallet) => self.wallet(wallet, params),
            Endpoint::RateLimitOrder => Err(Refusal::new(-1020, "This operation is not supported.")),
        }
    }

    /// By hand (fault scripts, control endpoint): a deposit or withdrawal; a `balanceUpdate` follows.
    ///
    /// # Errors
    /// More would be taken than is free.
    pub fn adjust_balance(&mut self, owner: Owner, asset: Asset, delta: Amount) -> Result<(), Refusal> {
        let reports = self.spot.adjust(self.now, owner, asset, delta).map_err(orders::refused)?;
        let now = self.now;
        self.say(owner, |unit| events::balance_update(asset, delta, now, unit));
        self.tell_all(&reports);
        Ok(())
    }

    /// What has been said of the account since this was last asked, in order.
    pub fn take_account_frames(&mut self) -> Vec<AccountFrame> {
        std::mem::take(&mut self.account_frames)
    }

    /// What has been said on market streams since this was last asked, in order; only of streams in `wanted`,
    /// which the server keeps up to date.
    pub fn take_market_frames(&mut self) -> Vec<MarketFrame> {
        self.simulator_frames()
    }

    /// The streams that anybody listens to.
    pub fn want_streams(&mut self, wanted: BTreeSet<String>) {
        self.simulator.want_streams(wanted);
    }

    /// The `n`-th next name for what comes without one, as long as Binance's own.
    fn spare_id(&self, n: u64) -> ClientOrderId {
        let text = format!("pe{:020}", self.named + n);
        ClientOrderId::new(&text).unwrap_or_else(|e| unreachable!("22 plain characters: {e}"))
    }

    fn use_spare_id(&mut self) -> ClientOrderId {
        let id = self.spare_id(1);
        self.named += 1;
        id
    }
}
