//! How the engine stands: whether it may trade, which trades are live, what its accounts are worth, what was refused.
//! A process that follows the tape keeps it current.

mod metrics;

use crate::{
    projections::{Projection, books::Books, portfolio::Portfolio, trades::Trades, trading::Trading},
    scan,
};
use domain::{Account, Asset, Decimal, Timestamp};
use events::{Event, FrameEvent, Kind, OrderEvent, PortfolioEvent, Recorded, TapeEvent, TradeEvent};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// All of it, for one tape.
#[derive(Debug)]
pub struct Standing {
    pub trading: Trading,
    accounts: BTreeMap<Account, Figures>,
    /// The live ones.
    pub trades: Trades,
    portfolio: Portfolio,
    pub books: Books,
    alarms: BTreeMap<&'static str, u64>,
    now: Timestamp,
}

impl Default for Standing {
    fn default() -> Self {
        Self::new([])
    }
}

impl Projection for Standing {
    /// What changes anything but the time.
    const KINDS: &'static [Kind] = &scan::joined::<{ scan::count(LISTS) }>(LISTS);

    fn see(&mut self, event: &Recorded) {
        self.now = self.now.max(event.recorded_at);
        self.trading.see(event);
        if let Event::Trade(TradeEvent::Closed(e)) = &event.event
            && let Some(trade) = self.trades.find_live(&e.trade)
        {
            let spells = trade.unstopped.by(e.closed_at);
            self.figures(e.account).unstopped(spells);
        }
        self.trades.see(event);
        self.portfolio.see(event);
        self.books.see(event);
        match &event.event {
            Event::Trade(trade) => self.see_trade(trade),
            Event::Order(OrderEvent::Done(done)) => {
                *self.figures(done.account).ended.entry(done.ending.as_str()).or_default() += 1;
            }
            Event::Order(OrderEvent::Rejected(rejected)) => self.figures(rejected.account).rejected += 1,
            Event::Order(OrderEvent::Stuck(_)) => self.alarm("order_stuck"),
            Event::Portfolio(PortfolioEvent::Valued(valued)) => _ = self.figures(valued.account),
            Event::Tape(TapeEvent::Conflicted(_)) => self.alarm("fact_conflicted"),
            Event::Frame(FrameEvent::Quarantined(_)) => self.alarm("frame_quarantined"),
            _ => {}
        }
    }
}

const LISTS: &[&[Kind]] = &[
    Trading::KINDS,
    Trades::KINDS,
    Portfolio::KINDS,
    Books::KINDS,
    &[Kind::OrderDone, Kind::OrderRejected, Kind::OrderStuck, Kind::EventConflicted, Kind::FrameQuarantined],
];

/// What is known of one account, beside what it is worth.
#[derive(Debug, Clone, Default)]
struct Figures {
    opened: u64,
    closed: u64,
    /// How long trades that are closed were without a stop: in all, and at the longest.
    unstopped: (Duration, Duration),
    /// Of closed trades, in the quote asset of each.
    profit: BTreeMap<Asset, Decimal>,
    /// Orders that are over, by how they ended.
    ended: BTreeMap<&'static str, u64>,
    rejected: u64,
    /// Requests that we refused, by rule.
    refused: BTreeMap<&'static str, u64>,
}

impl Figures {
    fn unstopped(&mut self, (total, longest): (Duration, Duration)) {
        self.unstopped = (self.unstopped.0 + total, self.unstopped.1.max(longest));
    }
}

impl Standing {
    /// Accounts that are known from the start have figures from the start.
    pub fn new(accounts: impl IntoIterator<Item = Account>) -> Self {
        let accounts = accounts.into_iter().map(|account| (account, Figures::default())).collect();
        Self {
            trading: Trading::default(),
            accounts,
            trades: Trades::live_only(),
            portfolio: Portfolio::default(),
            books: Books::default(),
            alarms: BTreeMap::new(),
            now: Timestamp::default(),
        }
    }

    /// Of its kinds the ones that tell which trades are live, and whether trading is allowed.
    pub const OF_TRADES: [Kind; 5] = [
        Kind::TradingStateChanged,
        Kind::TradeSized,
        Kind::TradeOpened,
        Kind::TradeClosed,
        Kind::TradeAborted,
    ];

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
            TradeEvent::Refused(e) => {
                *self.figures(e.account).refused.entry(e.rule.name()).or_default() += 1;
            }
            TradeEvent::Opened(e) => self.figures(e.account).opened += 1,
            TradeEvent::Closed(e) => {
                // Profit is in the quote asset, which the portfolio of the account names.
                let quote = self.portfolio.0.get(&e.account).map(|worth| worth.valuation.quote);
                let figures = self.figures(e.account);
                figures.closed += 1;
                if let Some(quote) = quote {
                    *figures.profit.entry(quote).or_default() += e.profit;
                }
            }
            TradeEvent::Requested(_)
            | TradeEvent::CloseRequested(_)
            | TradeEvent::StopMoveRequested(_)
            | TradeEvent::RequestRepeated(_)
            | TradeEvent::StopMoveRefused(_)
            | TradeEvent::Sized(_)
            | TradeEvent::Protected(_)
            | TradeEvent::Unprotected(_)
            | TradeEvent::Exiting(_)
            | TradeEvent::Aborted(_) => {}
        }
    }
}
