//! `[accounts."venue:name"]`: where an account trades, and where its key is found.

use crate::{
    AccountSettings, Brake, KeySource, Limits, Live, Mode, Paper,
    brake::brake,
    file::{balances, fees, limits},
    section::Section,
    value::{self, Parsed},
};
use domain::Account;
use std::path::PathBuf;
use toml::de::DeValue;

/// Words of a name under which no real money is traded.
const PAPER: &[&str] = &[
    "paper",
    "papertrading",
    "sim",
    "simulated",
    "simulation",
    "demo",
    "mock",
    "fake",
    "virtual",
    "dry",
    "backtest",
];
/// Words of a name that belongs to a test network.
const TEST: &[&str] = &["test", "testing", "testnet", "sandbox"];
/// The venues that have an adapter.
const VENUES: &[&str] = &["binance"];

/// Reads the accounts, and whether each could trade as it says. `paper` and the general ones hold where an account does not
/// say something itself; `None` was reported.
pub(crate) fn accounts(
    section: Section<'_>,
    paper: Option<&Paper>,
    general: Option<&Limits>,
    general_brake: Option<&Brake>,
) -> Option<Vec<AccountSettings>> {
    // All are read before any is given up, so that the problems of all are found.
    let all: Vec<Option<AccountSettings>> = section
        .names()
        .into_iter()
        .map(|name| named(&section, name, paper, general, general_brake))
        .collect();
    let all: Vec<AccountSettings> = all.into_iter().collect::<Option<_>>()?;
    one_key_each(&section, &all).then_some(all)
}

fn named(
    section: &Section<'_>,
    name: &str,
    paper: Option<&Paper>,
    general: Option<&Limits>,
    general_brake: Option<&Brake>,
) -> Option<AccountSettings> {
    let mut table = section.child(name);
    let account = name.parse::<Account>().map_err(|invalid| {
        section.refuse_entry(
            name,
            invalid.to_string(),
            "write [accounts.\"venue:name\"], e.g. [accounts.\"binance:main\"]",
        );
    });
    let live = table.read("mode", "write \"paper\" or \"live\"", |value| match value::text(value)? {
        "paper" => Ok(false),
        "live" => Ok(true),
        other => Err(format!("'{other}' is no such mode")),
    });
    let mode = match live {
        Some(false) => table
            .or_general("balances", Some(paper.map(|paper| paper.balances.clone())), |table, key| {
                table.read(key, "write amounts by asset, e.g. { USDT = 10000 }", balances)
            })
            .map(|balances| Mode::Paper { balances }),
        Some(true) => way(&mut table).map(|way| Mode::Live(Box::new(way))),
        None => None,
    };
    let fees = fees(&mut table, Some(paper.map(|paper| paper.fees)));
    let limits = limits(table.table("limits"), Some(general));
    let brake = brake(table.table("brake"), Some(general_brake));
    if live.is_some() {
        table.close();
    }
    let (account, mode, limits, brake, fees) = (account.ok()?, mode?, limits?, brake?, fees?);
    let settings = AccountSettings { account, mode, limits, brake, fees };
    is_honest(section, name, &settings).then_some(settings)
}

fn way(table: &mut Section<'_>) -> Option<Live> {
    let api_key = table.read("api_key", SOURCE, source);
    let api_secret = table.read("api_secret", SOURCE, source);
    let rest_url = url(table, "rest_url", ["https", "http"]);
    let ws_api_url = url(table, "ws_api_url", ["wss", "ws"]);
    let stream_url = url(table, "stream_url", ["wss", "ws"]);
    let may_withdraw = if table.has("may_withdraw") {
        table.read("may_withdraw", "write true or false", value::boolean)
    } else {
        Some(false)
    };
    Some(Live {
        api_key: api_key?,
        api_secret: api_secret?,
        rest_url: rest_url?,
        ws_api_url: ws_api_url?,
        stream_url: stream_url?,
        may_withdraw: may_withdraw?,
    })
}

const SOURCE: &str =
    "write where it is found, { env = \"VARIABLE\" } or { file = \"PATH\" }, never the key itself";

/// The error never repeats what stands there: it may be the key.
fn source(value: &DeValue<'_>) -> Parsed<KeySource> {
    let table = value.as_table().ok_or("is not a table that says where it is found")?;
    let text = |key: &str| table.get(key).and_then(|value| value.get_ref().as_str());
    match (table.len(), text("env"), text("file")) {
        (1, Some(variable), None) if is_variable(variable) => Ok(KeySource::Variable(variable.to_owned())),
        (1, Some(_), None) => {
            Err("does not name a variable (capital letters, digits and _, at most 60)".to_owned())
        }
        (1, None, Some(file)) if !file.is_empty() => Ok(KeySource::File(PathBuf::from(file))),
        _ => Err("does not say one of env and file".to_owned()),
    }
}

/// A Binance key has 64 letters, small ones too: it does not pass for a name.
fn is_variable(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    name.len() <= 60 && name.starts_with(|c: char| !c.is_ascii_digit()) && name.chars().all(plain)
}

/// `Some(None)` where it is left out.
fn url(table: &mut Section<'_>, key: &'static str, schemes: [&str; 2]) -> Option<Option<String>> {
    if !table.has(key) {
        return Some(None);
    }
    let read = |value| value::base_url(value::text(value)?, schemes);
    table.read(key, &value::wanted_url(schemes), read).map(Some)
}

/// The name and the venue must agree with the mode; `false` was reported.
fn is_honest(section: &Section<'_>, name: &str, settings: &AccountSettings) -> bool {
    let Mode::Live(live) = &settings.mode else { return true };
    let account = settings.account;
    let words = account.name.as_str().split(|c: char| !c.is_ascii_alphabetic());
    let words: Vec<String> = words.map(str::to_ascii_lowercase).collect();
    let says = |list: &[&str]| words.iter().find(|word| list.contains(&word.as_str()));
    let (what, remedy) = if !VENUES.contains(&account.venue.as_str()) {
        let known = VENUES.join(", ");
        (format!("there is no adapter for {}", account.venue), format!("live accounts can be at: {known}"))
    } else if let Some(word) = says(PAPER) {
        let remedy =
            "give real money a name of its own, e.g. [accounts.\"binance:main\"], or write mode = \"paper\"";
        (format!("is live, and its name says '{word}'"), remedy.to_owned())
    } else if let Some(word) = says(TEST).filter(|_| live.rest_url.is_none()) {
        let remedy =
            "set rest_url, ws_api_url and stream_url of the test network, or choose another name".to_owned();
        (format!("is live, its name says '{word}', and it has no address of a test network"), remedy)
    } else {
        return true;
    };
    section.refuse_entry(name, what, &remedy);
    false
}

/// Two accounts under one key are one account at the venue.
fn one_key_each(section: &Section<'_>, all: &[AccountSettings]) -> bool {
    let mut seen: Vec<(&KeySource, Account)> = Vec::new();
    let mut alone = true;
    for settings in all {
        let Mode::Live(live) = &settings.mode else { continue };
        if let Some((_, other)) = seen.iter().find(|(key, _)| *key == &live.api_key) {
            let what = format!("has the same api_key as {other}");
            section.refuse_entry(&settings.account.to_string(), what, "give each account a key of its own");
            alone = false;
        }
        seen.push((&live.api_key, settings.account));
    }
    alone
}
