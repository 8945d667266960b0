//! `tapedeck.toml`, over the embedded default.

use crate::{
    AccountSettings, Books, FeeAsset, Fees, Limits, OnDifference, Orders, Paper, Portfolio, Problem,
    Problems, Settings,
    accounts::accounts,
    brake::brake,
    edges::edges,
    section::{Report, Section, quoted},
    value::{self, Parsed},
};
use domain::{Account, Asset, Decimal};
use service::edge::EdgeKind;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};
use toml::de::{DeTable, DeValue};

/// The commented default, every key in it.
pub fn default_toml() -> &'static str {
    include_str!("default.toml")
}

impl Settings {
    /// Reads a file, or just the default where there is none. `kinds` are the edges that there are.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(path: Option<&Path>, kinds: &[EdgeKind]) -> Result<Self, Problems> {
        let Some(path) = path else { return Self::from_toml("", kinds) };
        let name = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|e| {
            let what = format!("cannot be read: {e}");
            let remedy = "name a readable file, or leave it out to take the default".to_owned();
            Problems::new(&name, vec![Problem { key: String::new(), line: None, what, remedy }])
        })?;
        read(&name, &text, kinds)
    }

    /// Reads the text of a file; what it does not say is taken from [`default_toml`].
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn from_toml(text: &str, kinds: &[EdgeKind]) -> Result<Self, Problems> {
        read("tapedeck.toml", text, kinds)
    }
}

fn read(name: &str, text: &str, kinds: &[EdgeKind]) -> Result<Settings, Problems> {
    let report = Report::new(text);
    let (own, errors) = DeTable::parse_recoverable(text);
    // With broken syntax nobody knows what the rest was to say.
    if !errors.is_empty() {
        for error in errors {
            let line = error.span().map(|span| report.line_at(span.start));
            let remedy = line.and_then(|line| unquoted(text.lines().nth(line - 1)?)).unwrap_or_default();
            report.add("", line, error.message(), remedy);
        }
        return Err(Problems::new(name, report.into_problems()));
    }
    let default = DeTable::parse(default_toml()).unwrap_or_else(|e| unreachable!("the default is TOML: {e}"));
    let settings = settings(Section::root(own.get_ref(), default.get_ref(), &report), kinds);
    match (settings, report.into_problems()) {
        (Some(settings), problems) if problems.is_empty() => Ok(settings),
        (_, problems) => Err(Problems::new(name, problems)),
    }
}

/// What to write for a header whose names need quotes, e.g. `[accounts.binance:main]`.
fn unquoted(line: &str) -> Option<String> {
    let header = line.trim().strip_prefix('[')?.split(']').next()?;
    let is_plain = header.contains(':') && !header.contains(['"', '\'', '[']);
    let names: Vec<String> = header.split('.').map(|name| quoted(name.trim())).collect();
    is_plain.then(|| format!("quote the name: [{}]", names.join(".")))
}

/// Reads everything before anything is given up, so that all problems are found.
fn settings(mut root: Section<'_>, kinds: &[EdgeKind]) -> Option<Settings> {
    let quote = root.read("quote", "write an asset, e.g. \"USDT\"", value::capitals::<Asset>);
    let paper = paper(root.table("paper"));
    let limits = limits(root.table("limits"), None);
    let brake = brake(root.table("brake"), None);
    let portfolio = portfolio(root.table("portfolio"));
    let orders = orders(root.table("orders"));
    let books = books(root.table("books"));
    let accounts = accounts(root.table("accounts"), paper.as_ref(), limits.as_ref(), brake.as_ref());
    let account = account(&mut root, accounts.as_deref());
    let edges = edges(root.table("edges"), account, accounts.as_deref(), kinds);
    root.close();
    Some(Settings {
        account: account?,
        accounts: accounts?,
        quote: quote?,
        paper: paper?,
        limits: limits?,
        brake: brake?,
        portfolio: portfolio?,
        orders: orders?,
        books: books?,
        edges: edges?,
    })
}

const ACCOUNT: &str = "write the name of one of [accounts], e.g. \"binance:paper\"";

/// The account of edges that name none. Where the file names one account and nothing more, that one is meant.
fn account(root: &mut Section<'_>, accounts: Option<&[AccountSettings]>) -> Option<Account> {
    if let Some(table) = root.own_table("account") {
        let mut names = table.keys().map(|name| name.get_ref().as_ref());
        let name = names.find(|name| name.parse::<Account>().is_ok()).unwrap_or("binance:main");
        let remedy = format!("write [accounts.\"{name}\"]");
        root.refuse("account", "is a table, and the tables of accounts are under accounts", &remedy);
        return None;
    }
    let account = root.read("account", ACCOUNT, value::parsed::<Account>);
    match accounts {
        Some([only]) if !root.is_own("account") => Some(only.account),
        Some(several) if !root.is_own("account") && several.iter().all(|of| Some(of.account) != account) => {
            let what = format!("is missing, and there are several accounts: {}", names(several));
            let remedy = format!(
                "write account = \"{}\" at the top, for edges that name none, and account under each edge that trades on another",
                several.first()?.account
            );
            root.refuse("account", what, &remedy);
            None
        }
        _ => account.filter(|account| is_configured(root, *account, accounts)),
    }
}

fn names(accounts: &[AccountSettings]) -> String {
    accounts.iter().map(|of| of.account.to_string()).collect::<Vec<_>>().join(", ")
}

/// Whether an account that is named in `section` under the key `account` is there; reported if not.
pub(crate) fn is_configured(
    section: &mut Section<'_>,
    account: Account,
    accounts: Option<&[AccountSettings]>,
) -> bool {
    // Accounts that cannot be read are a problem of their own.
    let Some(accounts) = accounts else { return true };
    if accounts.iter().any(|known| known.account == account) {
        return true;
    }
    let remedy = format!("write [accounts.\"{account}\"] with its mode, or one of: {}", names(accounts));
    section.refuse("account", format!("{account} is not configured"), &remedy);
    false
}

fn paper(mut section: Section<'_>) -> Option<Paper> {
    let balances = section.read(
        "balances",
        "write amounts from 0 to a million millions by asset, e.g. { USDT = 10000 }",
        balances,
    );
    let fees = fees(&mut section, None);
    let slippage = section.read("slippage", RATIO, value::ratio);
    let participation =
        section.read("participation", "write a ratio above 0 and at most 1, e.g. 0.1", value::part);
    section.close();
    Some(Paper { balances: balances?, fees: fees?, slippage: slippage?, participation: participation? })
}

const RATIO: &str = "write a ratio from 0 to less than 1, e.g. 0.001";

/// `general` is what holds where a key is left out; `None` where every key has to be there.
pub(crate) fn fees(section: &mut Section<'_>, general: Option<Option<Fees>>) -> Option<Fees> {
    let of = |field: fn(Fees) -> Decimal| general.map(|general| general.map(field));
    let ratio = |section: &mut Section<'_>, key| section.read(key, RATIO, value::ratio);
    let maker = section.or_general("maker_fee", of(|fees| fees.maker), ratio);
    let taker = section.or_general("taker_fee", of(|fees| fees.taker), ratio);
    let general = general.map(|general| general.map(|fees| fees.asset));
    let asset = section.or_general("fee_asset", general, |section, key| {
        section.read(key, "write \"received\", \"quote\" or an asset, e.g. \"BNB\"", |value| {
            Ok(match value::text(value)? {
                "received" => FeeAsset::Received,
                "quote" => FeeAsset::Quote,
                _ => FeeAsset::Third(value::capitals(value)?),
            })
        })
    });
    Some(Fees { maker: maker?, taker: taker?, asset: asset? })
}

pub(crate) fn balances(value: &DeValue<'_>) -> Parsed<BTreeMap<Asset, Decimal>> {
    let table = value.as_table().ok_or_else(|| format!("is {}", value::describe(value)))?;
    let entry = |asset: &str, amount: &DeValue<'_>| {
        let asset = value::capitals(&DeValue::String(asset.into()))?;
        let amount = value::balance(amount).map_err(|what| format!("of {asset} {what}"))?;
        Ok((asset, amount))
    };
    table.iter().map(|(asset, amount)| entry(asset.get_ref(), amount.get_ref())).collect()
}

/// `general` is what holds where a key is left out; `None` where every key has to be there.
pub(crate) fn limits(mut section: Section<'_>, general: Option<Option<&Limits>>) -> Option<Limits> {
    type Ratio = Option<Decimal>;
    type Count = Option<u32>;
    let part = |section: &mut Section<'_>, key| {
        section.read_or_none(key, "write a ratio above 0 and at most 1, e.g. 0.1 for 10 %", value::part)
    };
    let count = |section: &mut Section<'_>, key| {
        section.read_or_none(key, "write a whole number from 1", value::count)
    };
    let ratio = |field: fn(&Limits) -> Ratio| general.map(|general| general.map(field));
    let number = |field: fn(&Limits) -> Count| general.map(|general| general.map(field));
    let max_open_positions =
        section.or_general("max_open_positions", number(|l| l.max_open_positions), count);
    let max_open_risk = section.or_general("max_open_risk", ratio(|l| l.max_open_risk), part);
    let max_asset_exposure = section.or_general("max_asset_exposure", ratio(|l| l.max_asset_exposure), part);
    let max_trade = section.or_general("max_trade", ratio(|l| l.max_trade), part);
    let max_unsellable = section.or_general("max_unsellable", ratio(|l| l.max_unsellable), part);
    let max_exit_orders = section.or_general("max_exit_orders", number(|l| l.max_exit_orders), count);
    let prohibited = general.map(|general| general.map(|limits| limits.prohibited.clone()));
    let prohibited = section.or_general("prohibited", prohibited, |section, key| {
        section.read(key, "write a list of assets, e.g. [\"USDC\", \"EUR\"]", assets)
    });
    section.close();
    Some(Limits {
        max_open_positions: max_open_positions?,
        max_open_risk: max_open_risk?,
        max_asset_exposure: max_asset_exposure?,
        max_trade: max_trade?,
        max_unsellable: max_unsellable?,
        max_exit_orders: max_exit_orders?,
        prohibited: prohibited?,
    })
}

fn assets(value: &DeValue<'_>) -> Parsed<BTreeSet<Asset>> {
    let list = value.as_array().ok_or_else(|| format!("is {}, not a list", value::describe(value)))?;
    list.iter().map(|asset| value::capitals(asset.get_ref())).collect()
}

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);
const YEAR: Duration = Duration::from_secs(366 * 86_400);

fn portfolio(mut section: Section<'_>) -> Option<Portfolio> {
    let value_every = section.read("value_every", "write whole seconds up to a year, e.g. \"1d\"", |value| {
        value::span(value, SECOND, YEAR)
    });
    section.close();
    Some(Portfolio { value_every: value_every? })
}

fn books(mut section: Section<'_>) -> Option<Books> {
    let every = section.read("every", "write a duration from 1s to a day, e.g. \"1m\"", |value| {
        value::span(value, SECOND, DAY)
    });
    let remedy = "write \"report\", \"reducing\" or \"halted\"";
    let on_difference = section.read("on_difference", remedy, |value| match value.as_str() {
        Some("report") => Ok(OnDifference::Report),
        Some("reducing") => Ok(OnDifference::Reducing),
        Some("halted") => Ok(OnDifference::Halted),
        _ => Err(format!("is {}, none of these", value::describe(value))),
    });
    section.close();
    Some(Books { every: every?, on_difference: on_difference? })
}

fn orders(mut section: Section<'_>) -> Option<Orders> {
    let millis = Duration::from_millis(1);
    let seconds = "write whole seconds up to a day, e.g. \"60s\"";
    let stuck_after = section.read("stuck_after", seconds, |value| value::span(value, SECOND, DAY));
    let recv_window = section.read("recv_window", "write a duration from 1ms to 60s, e.g. \"5s\"", |value| {
        value::span(value, millis, SECOND * 60)
    });
    let clock_margin =
        section.read("clock_margin", "write a duration from 1ms to 60s, e.g. \"1s\"", |value| {
            value::span(value, millis, SECOND * 60)
        });
    let protect_attempts =
        section.read("protect_attempts", "write a whole number from 1, e.g. 3", value::count);
    let retry = "write a duration from 1ms to a day, e.g. \"1s\"";
    let retry_after = section.read("retry_after", retry, |value| value::span(value, millis, DAY));
    let retry_at_most = section.read("retry_at_most", retry, |value| value::span(value, millis, DAY));
    let remember = section.read("remember", "write whole days up to a year, e.g. \"7d\"", |value| {
        value::span(value, DAY, YEAR)
    });
    if let (Some(first), Some(most)) = (retry_after, retry_at_most)
        && most < first
    {
        section.refuse("retry_at_most", "is shorter than retry_after", "write at least as much");
    }
    section.close();
    Some(Orders {
        stuck_after: stuck_after?,
        recv_window_ms: u32::try_from(recv_window?.as_millis()).ok()?,
        clock_margin: clock_margin?,
        protect_attempts: protect_attempts?,
        retry_after: retry_after?,
        retry_at_most: retry_at_most?,
        remember: remember?,
    })
}
