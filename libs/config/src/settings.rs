//! What `tapedeck.toml` says, checked. Ratios are parts of one.

use domain::{Account, Asset, Decimal, EdgeName, EntryPlan, Instrument};
use serde::Serialize;
use service::edge::Signals;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
    time::Duration,
};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settings {
    /// The account of edges that name none; one of `accounts`.
    pub account: Account,
    /// Each account once.
    pub accounts: Vec<AccountSettings>,
    /// What everything is paid with and measured in.
    pub quote: Asset,
    pub paper: Paper,
    /// The limits of accounts that do not say their own.
    pub limits: Limits,
    /// The brake of accounts that do not say their own.
    pub brake: Brake,
    pub portfolio: Portfolio,
    pub orders: Orders,
    pub books: Books,
    /// By name, each name once; those that are switched off included.
    pub edges: Vec<EdgeSettings>,
}

impl Settings {
    /// The edges that run.
    pub fn enabled(&self) -> impl Iterator<Item = &EdgeSettings> {
        self.edges.iter().filter(|edge| edge.enabled)
    }

    /// The accounts in use, each once: the one at the top, then those of the edges. An edge that is switched off
    /// may have trades open, which are looked after to their end.
    pub fn trading(&self) -> impl Iterator<Item = &AccountSettings> {
        let mut seen = BTreeSet::new();
        let used = [self.account].into_iter().chain(self.edges.iter().map(|edge| edge.account));
        used.filter(move |account| seen.insert(*account)).filter_map(|account| self.settings_of(account))
    }

    /// `None` is an account that is not configured.
    pub fn settings_of(&self, account: Account) -> Option<&AccountSettings> {
        self.accounts.iter().find(|settings| settings.account == account)
    }
}

/// An account, and where its orders go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountSettings {
    pub account: Account,
    pub mode: Mode,
    pub limits: Limits,
    pub brake: Brake,
    pub fees: Fees,
}

impl AccountSettings {
    /// Whether its orders never leave Tapedeck.
    pub fn is_on_paper(&self) -> bool {
        matches!(self.mode, Mode::Paper { .. })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Orders never leave Tapedeck.
    Paper {
        /// What the account owns at the start; none is negative.
        balances: BTreeMap<Asset, Decimal>,
    },
    /// Orders go to the venue, signed with the account's key.
    Live(Box<Live>),
}

/// The way to an account at a venue. Addresses have no slash at the end; `None` is the environment's, else the
/// venue's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Live {
    pub api_key: KeySource,
    /// Of the HMAC secret, or of a private key as PEM.
    pub api_secret: KeySource,
    pub rest_url: Option<String>,
    pub ws_api_url: Option<String>,
    pub stream_url: Option<String>,
    /// Whether a key that may withdraw is accepted.
    pub may_withdraw: bool,
}

/// Where a key or a secret is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// An environment variable.
    Variable(String),
    File(PathBuf),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "the variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
        }
    }
}

/// The paper exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paper {
    /// The balances at the start of an account that does not say them itself; none is negative.
    pub balances: BTreeMap<Asset, Decimal>,
    /// The fees of accounts that do not say their own.
    pub fees: Fees,
    pub slippage: Decimal,
    /// Above zero, at most one.
    pub participation: Decimal,
}

/// The fees of an account: ratios of what is traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Fees {
    /// The ratio for an order that waited in the book.
    pub maker: Decimal,
    /// The ratio for an order that took what was there.
    pub taker: Decimal,
    pub asset: FeeAsset,
}

/// Which asset fees are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeAsset {
    Received,
    Quote,
    Third(Asset),
}

/// The limits of one account; `None` is no limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Limits {
    pub max_open_positions: Option<u32>,
    pub max_open_risk: Option<Decimal>,
    pub max_asset_exposure: Option<Decimal>,
    pub max_trade: Option<Decimal>,
    /// Of what a buy leaves after its fee: the most that may be too little to sell.
    pub max_unsellable: Option<Decimal>,
    /// The most market orders that leaving a trade may take.
    pub max_exit_orders: Option<u32>,
    pub prohibited: BTreeSet<Asset>,
}

/// At which figures an account stops; `None` is no limit. Ratios are of what the account is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Brake {
    pub drawdown: Option<Decimal>,
    pub daily_loss: Option<Decimal>,
    pub losing_trades: Option<u32>,
    pub orders_per_minute: Option<u32>,
    pub rejected_per_hour: Option<u32>,
    pub on_limit: OnLimit,
    /// Whole seconds; `None` is when a person resumes the account.
    pub release_after: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLimit {
    Reducing,
    Halted,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Portfolio {
    /// Whole seconds, at least one.
    pub value_every: Duration,
}

/// The comparison of our books with those of a live account's venue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Books {
    pub every: Duration,
    pub on_difference: OnDifference,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDifference {
    Report,
    Reducing,
    Halted,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Orders {
    pub stuck_after: Duration,
    /// From 1 to 60,000.
    pub recv_window_ms: u32,
    pub clock_margin: Duration,
    /// At least one.
    pub protect_attempts: u32,
    pub retry_after: Duration,
    /// Not less than `retry_after`.
    pub retry_at_most: Duration,
    /// Whole days, at least one.
    pub remember: Duration,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EdgeSettings {
    pub name: EdgeName,
    pub enabled: bool,
    /// What gives its signals; `None` where its trades are asked for from outside of the engine.
    pub signals: Option<Signals>,
    pub account: Account,
    /// The instruments that it trades; `None` is whatever the market brings.
    pub instruments: Option<BTreeSet<Instrument>>,
    pub sizing: Sizing,
    /// How its trades are entered.
    pub entry: EntryPlan,
    pub exit: Exit,
    /// Its stop follows the market this far behind, as a ratio of its price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trailing: Option<Decimal>,
    /// For how long a trade is held at most. Whole seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_limit: Option<Duration>,
    /// How much worse than the trigger it may enter.
    pub slippage: Decimal,
    /// Entries on older signals are refused.
    pub max_age: Duration,
    /// For so long after a stop was hit, that instrument is not entered again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cooldown: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sizing {
    Fixed { amount: Decimal },
    Risk { max_loss: Decimal, max_amount: Option<Decimal> },
}

/// Ratios of the average entry price. Invariant: a stop's limit lies below the stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// `limit_below` is a ratio of the stop's price.
    StopLimit {
        stop: Decimal,
        limit_below: Decimal,
    },
    Oco {
        stop: Decimal,
        stop_limit: Decimal,
        take_profit: Decimal,
    },
}

impl Exit {
    /// How far below the entry the stop lies.
    pub fn stop(&self) -> Decimal {
        match self {
            Self::StopLimit { stop, .. } | Self::Oco { stop, .. } => *stop,
        }
    }
}
