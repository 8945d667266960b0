//! How the engine stands: whether it may trade, what its accounts are worth, what was refused.
//!
//! Pure projections of the tape: fed with every event in order they are the same whenever they are made.

mod metrics;

use crate::explain::when;
use domain::{Account, Asset, Decimal, EdgeName, Instrument, Timestamp, TradeId};
use events::{
    ControlEvent, Event, FrameEvent, Kind, OrderEvent, PortfolioEvent, PortfolioValued, Recorded, TapeEvent,
    TradeEvent, TradingState, TradingStateChanged,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tape::Tape;

/// Whether trading is allowed: the latest word for all accounts and for each one.
///
/// The stricter of the two holds, as for the units that obey it.
#[derive(Debug, Clone, Default)]
pub struct Trading {
    everywhere: Option<Word>,
    accounts: BTreeMap<Account, Word>,
}

/// What was said of trading, and when.
#[derive(Debug, Clone)]
pub struct Word {
    pub at: Timestamp,
    pub change: TradingStateChanged,
}

impl Trading {
    /// What a tape says.
    ///
    /// # Errors
    /// The tape cannot be read.
    pub async fn of(tape: &Tape) -> anyhow::Result<Self> {
        let mut trading = Self::default();
        for row in tape.of_kind(Kind::TradingStateChanged).await? {
            trading.see(&row.decode()?);
        }
        Ok(trading)
    }

    pub fn see(&mut self, event: &Recorded) {
        let Event::Control(ControlEvent::TradingStateChanged(change)) = &event.event else { return };
        let word = Word { at: event.recorded_at, change: change.clone() };
        match change.account {
            None => self.everywhere = Some(word),
            Some(account) => _ = self.accounts.insert(account, word),
        }
    }

    /// What forbids entries on the account at `now`; `None` where it may trade.
    pub fn forbids(&self, account: &Account, now: Timestamp) -> Option<&Word> {
        [self.everywhere.as_ref(), self.accounts.get(account)]
            .into_iter()
            .flatten()
            .filter(|word| word.holds(now))
            .max_by_key(|word| word.change.state)
    }

    pub fn state(&self, account: &Account, now: Timestamp) -> TradingState {
        self.forbids(account, now).map_or(TradingState::Active, |word| word.change.state)
    }

    /// A line for each restriction that holds at `now`; empty where everybody may trade.
    pub fn lines(&self, now: Timestamp) -> Vec<String> {
        let words = self.everywhere.iter().chain(self.accounts.values());
        words.filter(|word| word.holds(now)).map(Word::line).collect()
    }

    /// For JSON, of each account.
    pub fn json<'a>(&self, accounts: impl IntoIterator<Item = &'a Account>, now: Timestamp) -> Value {
        let of = |account: &Account| {
            let word = self.forbids(account, now);
            json!({
                "account": account,
                "state": self.state(account, now),
                "since": word.map(|word| word.at),
                "who": word.map(|word| &word.change.who),
                "why": word.map(|word| &word.change.why),
                "until": word.and_then(|word| word.change.until),
            })
        };
        accounts.into_iter().map(of).collect()
    }
}

impl Word {
    fn holds(&self, now: Timestamp) -> bool {
        self.change.state != TradingState::Active && self.change.until.is_none_or(|until| now < until)
    }

    fn line(&self) -> String {
        let TradingStateChanged { account, state, who, why, until } = &self.change;
        let until = until.map_or_else(String::new, |until| format!(", until {until}"));
        let on = account.map_or_else(|| "all accounts".to_owned(), |account| account.to_string());
        format!("trading is {} on {on} since {} by {who}: {why}{until}", in_words(*state), when(self.at))
    }
}

/// A state as people say it.
pub const fn in_words(state: TradingState) -> &'static str {
    match state {
        TradingState::Active => "active",
        TradingState::Reducing => "reducing (exits only)",
        TradingState::Halted => "halted",
    }
}

/// A trade that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveTrade {
    pub account: Account,
    pub instrument: Instrument,
    pub edge: EdgeName,
    /// Something is held; before that it is being entered.
    pub open: bool,
    /// Something is held and no stop works.
    pub unprotected: bool,
}

/// All of it, for one tape.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    pub trading: Trading,
    accounts: BTreeMap<Account, Figures>,
    trades: BTreeMap<TradeId, LiveTrade>,
    alarms: BTreeMap<&'static str, u64>,
    now: Timestamp,
}

/// What is known of one account.
#[derive(Debug, Clone, Default)]
struct Figures {
    worth: Option<(Timestamp, PortfolioValued)>,
    opened: u64,
    closed: u64,
    /// Of closed trades, in the quote asset of each.
    profit: BTreeMap<Asset, Decimal>,
    /// Orders that are over, by how they ended.
    ended: BTreeMap<&'static str, u64>,
    rejected: u64,
    /// Requests that we refused, by rule.
    refused: BTreeMap<String, u64>,
}

impl Standing {
    /// Accounts that are known from the start have figures from the start.
    pub fn new(accounts: impl IntoIterator<Item = Account>) -> Self {
        let accounts = accounts.into_iter().map(|account| (account, Figures::default())).collect();
        Self { accounts, ..Self::default() }
    }

    /// What changes anything but the time.
    pub const KINDS: [Kind; 14] = [
        Kind::TradingStateChanged,
        Kind::TradeSized,
        Kind::TradeRefused,
        Kind::TradeOpened,
        Kind::TradeProtected,
        Kind::TradeUnprotected,
        Kind::TradeClosed,
        Kind::TradeAborted,
        Kind::PortfolioValued,
        Kind::OrderDone,
        Kind::OrderRejected,
        Kind::OrderStuck,
        Kind::EventConflicted,
        Kind::FrameQuarantined,
    ];
    /// Of those the ones that tell which trades are open, and whether trading is allowed.
    pub const OF_TRADES: [Kind; 5] = [
        Kind::TradingStateChanged,
        Kind::TradeSized,
        Kind::TradeOpened,
        Kind::TradeClosed,
        Kind::TradeAborted,
    ];

    pub fn see(&mut self, event: &Recorded) {
        self.now = self.now.max(event.recorded_at);
        match &event.event {
            Event::Control(_) => self.trading.see(event),
            Event::Trade(trade) => self.see_trade(trade),
            Event::Portfolio(PortfolioEvent::Valued(valued)) => {
                self.figures(valued.account).worth = Some((event.recorded_at, valued.clone()));
            }
            Event::Order(OrderEvent::Done(done)) => {
                *self.figures(done.account).ended.entry(done.ending.as_str()).or_default() += 1;
            }
            Event::Order(OrderEvent::Rejected(rejected)) => self.figures(rejected.account).rejected += 1,
            Event::Order(OrderEvent::Stuck(_)) => self.alarm("order_stuck"),
            Event::Tape(TapeEvent::Conflicted(_)) => self.alarm("fact_conflicted"),
            Event::Frame(FrameEvent::Quarantined(_)) => self.alarm("frame_quarantined"),
            _ => {}
        }
    }

    /// Time has passed until then.
    pub fn pass(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    /// The tape's time, as far as it was seen.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.keys()
    }

    pub fn trades(&self) -> &BTreeMap<TradeId, LiveTrade> {
        &self.trades
    }

    /// For `/ready` and `/health`.
    pub fn json(&self) -> Value {
        self.trading.json(self.accounts.keys(), self.now)
    }

    /// As [`Self::json`], at another time.
    pub fn json_at(&self, now: Timestamp) -> Value {
        self.trading.json(self.accounts.keys(), now)
    }

    fn figures(&mut self, account: Account) -> &mut Figures {
        self.accounts.entry(account).or_default()
    }

    fn alarm(&mut self, kind: &'static str) {
        *self.alarms.entry(kind).or_default() += 1;
    }

    fn see_trade(&mut self, event: &TradeEvent) {
        match event {
            TradeEvent::Sized(e) => {
                let trade = LiveTrade {
                    account: e.account,
                    instrument: e.instrument,
                    edge: e.edge,
                    open: false,
                    unprotected: false,
                };
                self.trades.insert(e.trade, trade);
            }
            TradeEvent::Refused(e) => {
                let rule = serde_json::to_value(e.rule).ok();
                let rule = rule.and_then(|rule| rule.as_str().map(str::to_owned)).unwrap_or_default();
                *self.figures(e.account).refused.entry(rule).or_default() += 1;
            }
            TradeEvent::Opened(e) => {
                self.figures(e.account).opened += 1;
                if let Some(trade) = self.trades.get_mut(&e.trade) {
                    trade.open = true;
                }
            }
            TradeEvent::Protected(e) => {
                if let Some(trade) = self.trades.get_mut(&e.trade) {
                    trade.unprotected = false;
                }
            }
            TradeEvent::Unprotected(e) => {
                if let Some(trade) = self.trades.get_mut(&e.trade) {
                    trade.unprotected = true;
                }
            }
            TradeEvent::Closed(e) => {
                self.trades.remove(&e.trade);
                let figures = self.figures(e.account);
                figures.closed += 1;
                // Profit is in the quote asset, which the portfolio of the account names.
                if let Some(quote) = figures.worth.as_ref().map(|(_, valued)| valued.quote) {
                    *figures.profit.entry(quote).or_default() += e.profit;
                }
            }
            TradeEvent::Aborted(e) => _ = self.trades.remove(&e.trade),
            TradeEvent::Requested(_)
            | TradeEvent::CloseRequested(_)
            | TradeEvent::StopMoveRequested(_)
            | TradeEvent::RequestRepeated(_)
            | TradeEvent::StopMoveRefused(_)
            | TradeEvent::Exiting(_) => {}
        }
    }
}
