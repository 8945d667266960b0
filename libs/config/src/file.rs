//! `tapedeck.toml`, over the embedded default.

use crate::{
    AccountSettings, FeeAsset, Limits, Orders, Paper, Portfolio, Problem, Problems, Settings,
    accounts::accounts,
    edges::edges,
    section::{Report, Section},
    value::{self, Parsed},
};
use domain::{Account, Asset, Decimal};
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
    /// Reads a file, or just the default where there is none.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(path: Option<&Path>) -> Result<Self, Problems> {
        let Some(path) = path else { return Self::from_toml("") };
        let name = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|e| {
            let what = format!("cannot be read: {e}");
            let remedy = "name a readable file, or leave it out to take the default".to_owned();
            Problems::new(&name, vec![Problem { key: String::new(), line: None, what, remedy }])
        })?;
        read(&name, &text)
    }

    /// Reads the text of a file; what it does not say is taken from [`default_toml`].
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn from_toml(text: &str) -> Result<Self, Problems> {
        read("tapedeck.toml", text)
    }
}

fn read(name: &str, text: &str) -> Result<Settings, Problems> {
    let report = Report::new(text);
    let (own, errors) = DeTable::parse_recoverable(text);
    // With broken syntax nobody knows what the rest was to say.
    if !errors.is_empty() {
        for error in errors {
            let line = error.span().map(|span| report.line_at(span.start));
            report.add("", line, error.message(), "");
        }
        return Err(Problems::new(name, report.into_problems()));
    }
    let default = DeTable::parse(default_toml()).unwrap_or_else(|e| unreachable!("the default is TOML: {e}"));
    let settings = settings(Section::root(own.get_ref(), default.get_ref(), &report));
    match (settings, report.into_problems()) {
        (Some(settings), problems) if problems.is_empty() => Ok(settings),
        (_, problems) => Err(Problems::new(name, problems)),
    }
}

/// Reads everything before anything is given up, so that all problems are found.
fn settings(mut root: Section<'_>) -> Option<Settings> {
    let quote = root.read("quote", "write an asset, e.g. \"USDT\"", value::parsed::<Asset>);
    let paper = paper(root.table("paper"));
    let limits = limits(root.table("limits"));
    let portfolio = portfolio(root.table("portfolio"));
    let orders = orders(root.table("orders"));
    let accounts = accounts(root.table("accounts"), paper.as_ref().map(|paper| &paper.balances));
    let account = account(&mut root, accounts.as_deref());
    let edges = edges(root.table("edges"), account, accounts.as_deref());
    root.close();
    Some(Settings {
        account: account?,
        accounts: accounts?,
        quote: quote?,
        paper: paper?,
        limits: limits?,
        portfolio: portfolio?,
        orders: orders?,
        edges: edges?,
    })
}

const ACCOUNT: &str = "write the name of one of [accounts], e.g. \"binance:paper\"";

/// The account of edges that name none. Where the file names one account and nothing more, that one is meant.
fn account(root: &mut Section<'_>, accounts: Option<&[AccountSettings]>) -> Option<Account> {
    let only = match accounts {
        Some([only]) if !root.is_own("account") => Some(only.account),
        _ => None,
    };
    let account = root.read("account", ACCOUNT, value::parsed::<Account>);
    if only.is_some() {
        return only;
    }
    let account = account?;
    is_configured(root, account, accounts).then_some(account)
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
    let known: Vec<String> = accounts.iter().map(|known| known.account.to_string()).collect();
    let remedy = format!("write [accounts.\"{account}\"] with its mode, or one of: {}", known.join(", "));
    section.refuse("account", format!("{account} is not configured"), &remedy);
    false
}

fn paper(mut section: Section<'_>) -> Option<Paper> {
    let ratio = "write a ratio from 0 to less than 1, e.g. 0.001";
    let balances = section.read(
        "balances",
        "write amounts from 0 to a million millions by asset, e.g. { USDT = 10000 }",
        balances,
    );
    let maker_fee = section.read("maker_fee", ratio, value::ratio);
    let taker_fee = section.read("taker_fee", ratio, value::ratio);
    let fee_asset =
        section.read("fee_asset", "write \"received\", \"quote\" or an asset, e.g. \"BNB\"", |value| {
            Ok(match value::text(value)? {
                "received" => FeeAsset::Received,
                "quote" => FeeAsset::Quote,
                _ => FeeAsset::Third(value::parsed(value)?),
            })
        });
    let slippage = section.read("slippage", ratio, value::ratio);
    let participation =
        section.read("participation", "write a ratio above 0 and at most 1, e.g. 0.1", value::part);
    section.close();
    Some(Paper {
        balances: balances?,
        maker_fee: maker_fee?,
        taker_fee: taker_fee?,
        fee_asset: fee_asset?,
        slippage: slippage?,
        participation: participation?,
    })
}

pub(crate) fn balances(value: &DeValue<'_>) -> Parsed<BTreeMap<Asset, Decimal>> {
    let table = value.as_table().ok_or_else(|| format!("is {}", value::describe(value)))?;
    let entry = |asset: &str, amount: &DeValue<'_>| {
        let asset = Asset::new(asset).map_err(|invalid| invalid.to_string())?;
        let amount = value::balance(amount).map_err(|what| format!("of {asset} {what}"))?;
        Ok((asset, amount))
    };
    table.iter().map(|(asset, amount)| entry(asset.get_ref(), amount.get_ref())).collect()
}

fn limits(mut section: Section<'_>) -> Option<Limits> {
    let part = "write a ratio above 0 and at most 1, e.g. 0.1 for 10 %";
    let max_open_positions =
        section.read_or_none("max_open_positions", "write a whole number from 1", value::count);
    let max_open_risk = section.read_or_none("max_open_risk", part, value::part);
    let max_asset_exposure = section.read_or_none("max_asset_exposure", part, value::part);
    let max_trade = section.read_or_none("max_trade", part, value::part);
    let max_unsellable = section.read_or_none("max_unsellable", part, value::part);
    let max_exit_orders =
        section.read_or_none("max_exit_orders", "write a whole number from 1", value::count);
    let prohibited = section.read("prohibited", "write a list of assets, e.g. [\"USDC\", \"EUR\"]", assets);
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
    list.iter().map(|asset| value::parsed(asset.get_ref())).collect()
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
