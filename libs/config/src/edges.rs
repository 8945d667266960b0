//! `[edges.NAME]`: what gives signals, how much it may spend, how its trades are left.

use crate::{
    AccountSettings, EdgeSettings, Exit, Sizing,
    file::is_configured,
    section::Section,
    value::{self, Parsed},
};
use domain::{Account, Decimal, EdgeName, EntryPlan, Instrument, InstrumentKind, Symbol};
use service::edge::{EdgeKind, Keys, Of, Signals};
use std::{collections::BTreeSet, time::Duration};
use toml::de::DeValue;

/// Keys that an edge of the owner's own name may leave out: it takes them from the edge that runs by default.
/// What makes a strategy, and what it risks, it must say itself.
const SHARED: &[&str] = &["enabled", "slippage", "max_age"];

/// `account` is that of edges which name none.
pub(crate) fn edges(
    section: Section<'_>,
    account: Option<Account>,
    accounts: Option<&[AccountSettings]>,
    kinds: &[EdgeKind],
) -> Option<Vec<EdgeSettings>> {
    // All are read before any is given up, so that the problems of all are found.
    let all: Vec<Option<EdgeSettings>> =
        section.names().into_iter().map(|name| named(&section, name, account, accounts, kinds)).collect();
    all.into_iter().collect()
}

fn named(
    section: &Section<'_>,
    name: &str,
    account: Option<Account>,
    accounts: Option<&[AccountSettings]>,
    kinds: &[EdgeKind],
) -> Option<EdgeSettings> {
    let mut table = section.child(name);
    if !table.is_in_default() {
        table.fall_back(SHARED, section.default_where("enabled"));
    }
    let edge_name = EdgeName::new(name).map_err(|invalid| section.refuse_name(name, invalid.to_string()));
    if name == EdgeName::manual().as_str() {
        section.refuse_name(name, "is the owner of trades that no edge made");
    }
    if name.contains(':') {
        section.refuse_name(name, "has a ':', which the names of accounts and their units have");
    }
    edge(table, edge_name.ok(), account, accounts, kinds)
}

fn edge(
    mut section: Section<'_>,
    name: Option<EdgeName>,
    account: Option<Account>,
    accounts: Option<&[AccountSettings]>,
    kinds: &[EdgeKind],
) -> Option<EdgeSettings> {
    let enabled = section.read("enabled", "write true or false", value::boolean);
    let account = if section.has("account") {
        let own =
            section.read("account", "write venue:name, e.g. \"binance:paper\"", value::parsed::<Account>);
        own.filter(|own| is_configured(&mut section, *own, accounts))
    } else {
        account
    };
    let instruments = if section.has("instruments") {
        section.read("instruments", INSTRUMENTS, |value| instruments(value, account))
    } else {
        Some(None)
    };
    // With a bad name or bad instruments the rest is read all the same, so that all problems are found.
    let of = Of { edge: name.unwrap_or_else(EdgeName::manual), instruments: instruments.clone().flatten() };
    let signals = signals(&mut section, kinds, of);
    let sizing = sizing(section.table("sizing"));
    let entry = if section.has("entry") { entry(section.table("entry")) } else { Some(EntryPlan::default()) };
    let exit = exit(section.table("exit"));
    let slippage = section.read("slippage", "write a ratio from 0 to less than 1, e.g. 0.005", value::ratio);
    let max_age = section.read("max_age", "write a duration up to a year, e.g. \"26h\"", |value| {
        value::span(value, Duration::from_millis(1), Duration::from_secs(366 * 86_400))
    });
    let cooldown = match section.has("cooldown") {
        true => section.read_or_none("cooldown", "write whole seconds up to a year, e.g. \"6h\"", |value| {
            value::span(value, Duration::from_secs(1), Duration::from_secs(366 * 86_400))
        }),
        false => Some(None),
    };
    section.close();
    let (exit, trailing, time_limit) = exit?;
    Some(EdgeSettings {
        name: name?,
        enabled: enabled?,
        signals: signals?,
        account: account?,
        instruments: instruments?,
        sizing: sizing?,
        entry: entry?,
        exit,
        trailing,
        time_limit,
        slippage: slippage?,
        max_age: max_age?,
        cooldown: cooldown?,
    })
}

const INSTRUMENTS: &str =
    "write \"all\", or a list of symbols at the account's venue, e.g. [\"BTCUSDT\", \"ETHUSDT\"]";

/// `None` is all. A symbol means that of the account's venue, on spot.
fn instruments(value: &DeValue<'_>, account: Option<Account>) -> Parsed<Option<BTreeSet<Instrument>>> {
    if value.as_str() == Some("all") {
        return Ok(None);
    }
    let list = value.as_array().ok_or_else(|| format!("is {}, not a list", value::describe(value)))?;
    if list.is_empty() {
        return Err("is an empty list".to_owned());
    }
    let read = |given: &DeValue<'_>| -> Parsed<Option<Instrument>> {
        let text = value::text(given)?;
        if text.contains(':') {
            let instrument: Instrument = value::parsed(given)?;
            return match account {
                Some(account) if account.venue != instrument.venue => {
                    Err(format!("has {instrument}, which is not at {}", account.venue))
                }
                Some(_) | None => Ok(Some(instrument)),
            };
        }
        let symbol: Symbol = value::capitals(given)?;
        Ok(account.map(|account| Instrument { venue: account.venue, kind: InstrumentKind::Spot, symbol }))
    };
    let read: Vec<Option<Instrument>> =
        list.iter().map(|given| read(given.get_ref())).collect::<Parsed<_>>()?;
    // An account that cannot be read is a problem of its own.
    Ok(Some(read.into_iter().flatten().collect()))
}

/// `Some(None)` is an edge whose trades are asked for from outside.
fn signals(section: &mut Section<'_>, kinds: &[EdgeKind], of: Of) -> Option<Option<Signals>> {
    const EXTERNAL: &str = "external";
    let mut names: Vec<String> = kinds.iter().map(|kind| format!("\"{}\"", kind.name)).collect();
    names.push(format!("\"{EXTERNAL}\""));
    let wanted = format!("write {}", names.join(" or "));
    let kind = section.read("kind", &wanted, |value| match value::text(value)? {
        EXTERNAL => Ok(None),
        name => match kinds.iter().find(|kind| kind.name == name) {
            Some(kind) => Ok(Some(kind)),
            None => Err(format!("'{name}' is no kind of edge")),
        },
    })?;
    match kind {
        Some(kind) => kind.configure(of, section).map(Some),
        None => Some(None),
    }
}

impl Keys for Section<'_> {
    fn has(&mut self, key: &'static str) -> bool {
        Section::has(self, key)
    }

    fn text(&mut self, key: &'static str, wanted: &str) -> Option<String> {
        self.read(key, wanted, |value| value::text(value).map(str::to_owned))
    }

    fn whole(&mut self, key: &'static str, wanted: &str) -> Option<u32> {
        self.read(key, wanted, value::whole)
    }

    fn decimal(&mut self, key: &'static str, wanted: &str) -> Option<Decimal> {
        self.read(key, wanted, value::decimal)
    }

    fn refuse(&mut self, key: &'static str, what: &str, wanted: &str) {
        Section::refuse(self, key, what, wanted);
    }
}

fn sizing(mut section: Section<'_>) -> Option<Sizing> {
    let risk = section.read("method", "write \"fixed\" or \"risk\"", |value| match value::text(value)? {
        "fixed" => Ok(false),
        "risk" => Ok(true),
        other => Err(format!("'{other}' is no such method")),
    });
    let amount = "write an amount above 0, e.g. 100";
    let sizing = match risk? {
        false => {
            let amount = section.read("amount", amount, value::amount);
            amount.map(|amount| Sizing::Fixed { amount })
        }
        true => {
            let max_loss =
                section.read("max_loss", "write a ratio above 0 and at most 1, e.g. 0.01", value::part);
            let max_amount = if section.has("max_amount") {
                section.read_or_none("max_amount", amount, value::amount)
            } else {
                Some(None)
            };
            max_loss.zip(max_amount).map(|(max_loss, max_amount)| Sizing::Risk { max_loss, max_amount })
        }
    };
    section.close();
    sizing
}

const DISTANCE: &str = "write a ratio above 0 and below 1, e.g. 0.15 for 15 %";

fn entry(mut section: Section<'_>) -> Option<EntryPlan> {
    let wanted = "write \"limit\" or \"market\"";
    let plan = section.read("kind", wanted, |value| match value::text(value)? {
        "limit" => Ok(EntryPlan::LimitIoc),
        "market" => Ok(EntryPlan::Market),
        "maker" => Err("is 'maker', and entries with a maker order are not there yet".to_owned()),
        other => Err(format!("'{other}' is no kind of entry")),
    });
    section.close();
    plan
}

/// The orders of the exit, how far behind the market its stop follows, and for how long a trade is held.
type ExitSettings = (Exit, Option<Decimal>, Option<Duration>);

fn exit(mut section: Section<'_>) -> Option<ExitSettings> {
    let oco = section.read("kind", "write \"stop_limit\" or \"oco\"", |value| match value::text(value)? {
        "stop_limit" => Ok(false),
        "oco" => Ok(true),
        other => Err(format!("'{other}' is no kind of exit")),
    })?;
    let exit = if oco { oco_exit(&mut section) } else { stop_limit_exit(&mut section) };
    let trailing = match section.has("trailing") {
        true => section.read_or_none("trailing", DISTANCE, value::distance),
        false => Some(None),
    };
    let time_limit = match section.has("time_limit") {
        true => {
            section.read_or_none("time_limit", "write whole seconds up to ten years, e.g. \"30d\"", |value| {
                value::span(value, Duration::from_secs(1), Duration::from_secs(3_653 * 86_400))
            })
        }
        false => Some(None),
    };
    section.close();
    Some((exit?, trailing?, time_limit?))
}

fn stop_limit_exit(section: &mut Section<'_>) -> Option<Exit> {
    let stop = section.read("stop", DISTANCE, value::distance);
    // Above zero: a stop whose limit is its own price does not fill in a fast market.
    let limit_below = section.read("limit_below", DISTANCE, value::distance);
    Some(Exit::StopLimit { stop: stop?, limit_below: limit_below? })
}

fn oco_exit(section: &mut Section<'_>) -> Option<Exit> {
    let stop = section.read("stop", DISTANCE, value::distance);
    let stop_limit = section.read("stop_limit", DISTANCE, value::distance);
    let take_profit =
        section.read("take_profit", "write an amount above 0, e.g. 0.07 for 7 %", value::amount);
    let (stop, stop_limit) = (stop?, stop_limit?);
    if stop_limit <= stop {
        let what = format!("{stop_limit} does not lie below the stop at {stop}");
        section.refuse("stop_limit", what, "write a ratio larger than stop, e.g. 0.15");
        return None;
    }
    Some(Exit::Oco { stop, stop_limit, take_profit: take_profit? })
}
