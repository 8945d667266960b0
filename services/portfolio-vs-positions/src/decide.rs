//! The core: reports of the venue and facts of the account in, verdicts out.

use crate::books::{Books, Verdict};
use domain::{Account, Timestamp};
use events::{
    AccountEvent, BooksAgree, BooksDisagree, BooksEvent, BooksReported, ControlEvent, Event, InstrumentEvent,
    Kind, OrderEvent, StreamEvent, TradeEvent, TradingState, TradingStateChanged,
};
use serde::{Deserialize, Serialize};
use service::{Late, Service};
use std::{collections::BTreeMap, time::Duration};

/// Between two words on books that are as they were.
const AGAIN: Duration = Duration::from_secs(3_600);

#[derive(Debug, Clone, PartialEq)]
pub struct PortfolioVsPositions {
    config: Config,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub on_difference: Reaction,
}

/// What the account does when a difference is confirmed. A person has it go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// Says so.
    #[default]
    Report,
    /// Enters nothing any more.
    Reduce,
    /// Sends nothing but what protects.
    Halt,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    accounts: BTreeMap<Account, Books>,
    assets: crate::books::Assets,
}

impl Service for PortfolioVsPositions {
    type Config = Config;
    type State = State;

    const CORE: &'static str = "portfolio-vs-positions";
    const HEARS: &'static [Kind] = &[
        Kind::InstrumentListed,
        Kind::OrderAccepted,
        Kind::OrderFilled,
        Kind::OrderAmended,
        Kind::OrderEnded,
        Kind::BalanceChanged,
        Kind::LedgerEntry,
        Kind::TradeProtected,
        Kind::StreamComplete,
        Kind::BooksReported,
        Kind::TradingStateChanged,
    ];
    const LATE: Late = Late::Answers;

    fn new(config: Config) -> Self {
        Self { config }
    }

    fn apply(&self, state: &mut State, _now: Timestamp, event: &Event) {
        if let Event::Instrument(InstrumentEvent::Listed(e)) = event {
            state.assets.list(e.instrument, &e.rules);
            return;
        }
        // A trade's stop is an order of its account, known by its acceptance before it can protect.
        if let Event::Trade(TradeEvent::Protected(e)) = event {
            state.accounts.values_mut().for_each(|books| books.protects(e.order, e.trade));
            return;
        }
        let Some(account) = event.account() else { return };
        let (books, assets) = (state.accounts.entry(account).or_default(), &state.assets);
        match event {
            Event::Order(OrderEvent::Accepted(e)) => books.accepted(e),
            Event::Order(OrderEvent::Filled(e)) => books.filled(e, assets),
            Event::Order(OrderEvent::Amended(e)) => books.amended(e),
            Event::Order(OrderEvent::Ended(e)) => books.ended(e),
            Event::Account(AccountEvent::BalanceChanged(_)) => books.moved(),
            Event::Account(AccountEvent::LedgerEntered(e)) => books.entered(e),
            Event::Books(BooksEvent::Reported(e)) => books.reported(e, assets),
            Event::Stream(StreamEvent::Complete(e)) => books.is_complete(e.until),
            Event::Books(BooksEvent::Agree(e)) => books.said(e.as_of, Verdict::Agree, None),
            Event::Books(BooksEvent::Disagree(e)) => {
                let verdict =
                    Verdict::Disagree { differences: e.differences.clone(), confirmed: e.confirmed };
                books.said(e.as_of, verdict, Some(e.since));
            }
            Event::Control(ControlEvent::TradingStateChanged(e)) => {
                books.trading_changed(e, e.who == Self::CORE);
            }
            _ => {}
        }
    }

    fn decide(&self, state: &State, now: Timestamp, heard: &Event) -> Vec<Event> {
        let Event::Books(BooksEvent::Reported(report)) = heard else { return Vec::new() };
        let Some(books) = state.accounts.get(&report.account) else { return Vec::new() };
        let Some(verdict) = books.verdict() else { return Vec::new() };
        let is_news = books.is_news(verdict) || books.said_at().is_none_or(|at| at + AGAIN <= report.as_of);
        let (account, as_of) = (report.account, report.as_of);
        let word = match verdict {
            Verdict::Begin | Verdict::Agree => agree(report, books, *verdict == Verdict::Begin).into(),
            Verdict::Disagree { differences, confirmed: is_confirmed } => {
                let (since, differences) = (books.differ_since(), differences.clone());
                BooksDisagree { account, as_of, since, differences, confirmed: *is_confirmed }.into()
            }
        };
        let state = self.config.on_difference.state().filter(|state| books.wants(*state, now));
        let reaction = state.map(|state| reaction(account, state).into());
        Some(word).filter(|_| is_news).into_iter().chain(reaction).collect()
    }
}

fn agree(report: &BooksReported, books: &Books, begin: bool) -> BooksAgree {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    BooksAgree {
        account: report.account,
        as_of: report.as_of,
        assets: count(books.assets()),
        orders: count(report.orders.len()),
        begin,
    }
}

fn reaction(account: Account, state: TradingState) -> TradingStateChanged {
    let who = PortfolioVsPositions::CORE.to_owned();
    let why = "the venue's books differ from ours: tapedeck books".to_owned();
    TradingStateChanged { account: Some(account), state, who, why, until: None }
}

impl Reaction {
    const fn state(self) -> Option<TradingState> {
        match self {
            Self::Report => None,
            Self::Reduce => Some(TradingState::Reducing),
            Self::Halt => Some(TradingState::Halted),
        }
    }
}
