//! What a good file says.

use crate::KINDS;
use config::{EdgeSettings, Exit, FeeAsset, Settings, Sizing, default_toml};
use domain::{Decimal, EntryPlan, Interval};
use edge70_signals::Forward;
use std::{fs, time::Duration};

fn read(text: &str) -> Settings {
    Settings::from_toml(text, KINDS).unwrap_or_else(|problems| panic!("{problems}"))
}

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// What its core is told.
fn edge70_config(edge: &EdgeSettings) -> edge70_signals::Config {
    serde_json::from_value(edge.signals.as_ref().unwrap().config.clone()).unwrap()
}

fn edge<'a>(settings: &'a Settings, name: &str) -> &'a EdgeSettings {
    settings.edges.iter().find(|edge| edge.name.as_str() == name).unwrap()
}

#[test]
fn the_default_trades_edge70_on_paper() {
    let settings = Settings::load(None, KINDS).unwrap();
    assert_eq!(settings.account.to_string(), "binance:paper");
    assert_eq!(settings.quote.as_str(), "USDT");
    assert_eq!(settings.paper.balances["USDT"], d("10000"));
    assert_eq!((settings.paper.fees.maker, settings.paper.fees.taker), (d("0.001"), d("0.001")));
    assert_eq!(settings.paper.fees.asset, FeeAsset::Received);
    let running: Vec<&EdgeSettings> = settings.enabled().collect();
    let [edge70] = running[..] else { panic!("{} edges run", running.len()) };
    assert_eq!(edge70.name.as_str(), "edge70");
    assert_eq!(
        edge70_config(edge70),
        edge70_signals::Config {
            edge: edge70.name,
            instruments: None,
            interval: Interval::Day1,
            long: 59.try_into().unwrap(),
            short: 21.try_into().unwrap(),
            forward: Forward::DirectionFlips,
        }
    );
    assert_eq!(edge70.account, settings.account);
    assert_eq!(edge70.sizing, Sizing::Fixed { amount: d("100") });
    assert_eq!(edge70.exit, Exit::StopLimit { stop: d("0.15"), limit_below: d("0.2") });
    assert_eq!((edge70.slippage, edge70.max_age), (d("0.005"), Duration::from_secs(26 * 3_600)));
}

#[test]
fn the_default_knows_the_amounts_and_exits_of_the_other_edges() {
    let settings = read("");
    let oco = |stop: &str, take_profit: &str| Exit::Oco {
        stop: d(stop),
        stop_limit: d("0.15"),
        take_profit: d(take_profit),
    };
    for (name, amount, exit) in [
        ("edge60", 30, Exit::StopLimit { stop: d("0.07"), limit_below: d("0.2") }),
        ("edge61", 20, oco("0.05", "0.05")),
        ("edge62", 50, oco("0.07", "0.07")),
    ] {
        let edge = edge(&settings, name);
        assert_eq!((&edge.sizing, &edge.exit), (&Sizing::Fixed { amount: amount.into() }, &exit), "{name}");
        assert_eq!(edge.slippage, d("0.005"), "{name}");
        assert!(!edge.enabled, "{name}");
    }
}

#[test]
fn the_default_never_buys_money_or_what_is_pegged_to_it() {
    let prohibited = read("").limits.prohibited;
    for asset in ["USDT", "USDC", "DAI", "PAXG", "EUR", "ZAR", "EGLD"] {
        assert!(prohibited.contains(asset), "{asset}");
    }
    for asset in ["BTC", "ETH", "BNB"] {
        assert!(!prohibited.contains(asset), "{asset}");
    }
}

#[test]
fn the_default_as_a_file_of_ones_own_says_the_same() {
    assert_eq!(read(default_toml()), read(""));
}

#[test]
fn a_file_says_only_what_differs() {
    let settings = read("[paper]\ntaker_fee = 0.00075\n[limits]\nmax_open_positions = \"none\"\n");
    assert_eq!(settings.paper.fees.taker, d("0.00075"));
    assert_eq!(settings.paper.fees.maker, d("0.001"));
    assert_eq!(settings.limits.max_open_positions, None);
    assert_eq!(settings.edges, read("").edges);
}

#[test]
fn amounts_are_exact_whether_written_as_numbers_or_as_text() {
    for written in ["0.1234567890123456789", "\"0.1234567890123456789\""] {
        let settings = read(&format!("[paper]\nslippage = {written}"));
        assert_eq!(settings.paper.slippage.to_string(), "0.1234567890123456789");
    }
    assert_eq!(read("[paper]\nbalances = { USDT = \"0.30\", BTC = 1 }").paper.balances.len(), 2);
}

#[test]
fn once_a_file_names_an_edge_only_its_edges_exist() {
    let settings = read("[edges.edge60]\nenabled = true");
    let names: Vec<&str> = settings.enabled().map(|edge| edge.name.as_str()).collect();
    assert_eq!(names, ["edge60"]);
    assert_eq!(settings.edges.len(), 1);
    assert_eq!(edge(&settings, "edge60").sizing, Sizing::Fixed { amount: 30.into() });
}

#[test]
fn an_edge_of_ones_own_says_what_it_is_and_risks() {
    let settings = read(
        r#"
        account = "paper:main"
        [accounts."paper:main"]
        mode = "paper"
        [accounts."paper:second"]
        mode = "paper"
        [edges.slow]
        kind = "edge70"
        account = "paper:second"
        long = 200
        short = 50
        forward = "all_until_open"
        sizing = { method = "risk", max_loss = 0.01 }
        [edges.slow.exit]
        kind = "oco"
        stop = 0.1
        stop_limit = 0.2
        take_profit = 1.5
        "#,
    );
    let slow = edge(&settings, "slow");
    assert!(slow.enabled);
    assert_eq!(slow.account.to_string(), "paper:second");
    let edge70_signals::Config { interval, long, forward, .. } = edge70_config(slow);
    assert_eq!((interval, long.get(), forward), (Interval::Day1, 200, Forward::AllUntilOpen));
    assert_eq!(slow.sizing, Sizing::Risk { max_loss: d("0.01"), max_amount: None });
    assert_eq!(slow.exit, Exit::Oco { stop: d("0.1"), stop_limit: d("0.2"), take_profit: d("1.5") });
    assert_eq!(slow.max_age, Duration::from_secs(26 * 3_600));
}

#[test]
fn another_method_or_exit_leaves_the_defaults_keys_behind() {
    let settings = read(
        r#"
        [edges.edge70]
        sizing = { method = "risk", max_loss = "0.02", max_amount = 500 }
        exit = { kind = "oco", stop_limit = 0.3, take_profit = 0.5 }
        "#,
    );
    let edge70 = edge(&settings, "edge70");
    assert_eq!(edge70.sizing, Sizing::Risk { max_loss: d("0.02"), max_amount: Some(d("500")) });
    let exit = Exit::Oco { stop: d("0.15"), stop_limit: d("0.3"), take_profit: d("0.5") };
    assert_eq!(edge70.exit, exit, "the stop stays where the default has it");
    assert_eq!(edge70.exit.stop(), d("0.15"));
}

#[test]
fn entry_trailing_stop_and_time_limit_are_an_edges_own() {
    let edge70 = edge(&read(""), "edge70").clone();
    assert_eq!((edge70.entry, edge70.trailing, edge70.time_limit), (EntryPlan::LimitIoc, None, None));
    let settings = read(
        "[edges.edge70]\nentry = { kind = \"market\" }\nexit = { trailing = 0.1, time_limit = \"30d\" }",
    );
    let edge70 = edge(&settings, "edge70");
    assert_eq!(edge70.entry, EntryPlan::Market);
    assert_eq!(edge70.exit, Exit::StopLimit { stop: d("0.15"), limit_below: d("0.2") });
    assert_eq!(edge70.trailing, Some(d("0.1")));
    assert_eq!(edge70.time_limit, Some(Duration::from_secs(30 * 86_400)));
    assert_eq!(edge70.cooldown, None);
    for (text, cooldown) in [("6h", Some(Duration::from_secs(6 * 3_600))), ("none", None)] {
        let settings = read(&format!("[edges.edge70]\ncooldown = \"{text}\""));
        assert_eq!(edge(&settings, "edge70").cooldown, cooldown);
    }
    let none = read("[edges.edge70.exit]\ntrailing = \"none\"\ntime_limit = \"none\"");
    assert_eq!((edge(&none, "edge70").trailing, edge(&none, "edge70").time_limit), (None, None));
}

#[test]
fn an_external_edge_needs_no_channel() {
    let settings = read(
        r#"
        [edges.hand]
        kind = "external"
        sizing = { method = "fixed", amount = 10 }
        exit = { kind = "stop_limit", stop = 0.05, limit_below = 0.1 }
        "#,
    );
    assert_eq!(edge(&settings, "hand").signals, None);
}

#[test]
fn durations_and_fees_are_understood() {
    let settings = read(
        "[paper]\nfee_asset = \"BNB\"\n[portfolio]\nvalue_every = \"1h 30m\"\n[orders]\nrecv_window = \"2500ms\"",
    );
    assert_eq!(settings.paper.fees.asset, FeeAsset::Third("BNB".parse().unwrap()));
    assert_eq!(settings.portfolio.value_every, Duration::from_secs(5_400));
    assert_eq!(settings.orders.recv_window_ms, 2_500);
}

#[test]
fn a_file_is_read_from_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tapedeck.toml");
    fs::write(&path, "quote = \"USDC\"").unwrap();
    assert_eq!(Settings::load(Some(&path), KINDS).unwrap().quote.as_str(), "USDC");
}

#[test]
fn every_key_of_the_default_has_a_comment_before_it() {
    let mut commented = false;
    for line in default_toml().lines().take_while(|line| !line.starts_with("# Further edges")) {
        let starts = line.chars().next();
        match starts {
            Some('#') => commented = true,
            None => commented = false,
            // A second key of the same kind shares the comment above the first.
            Some(c) if c.is_ascii_lowercase() => assert!(commented, "{line}"),
            Some(_) => {}
        }
    }
}

#[test]
fn an_edge_trades_what_the_market_brings_or_a_list_of_its_own() {
    assert_eq!(edge(&read(""), "edge70").instruments, None);
    let settings = read("[edges.edge70]\ninstruments = [\"ETHUSDT\", \"binance:spot:BTCUSDT\"]");
    let listed = edge(&settings, "edge70").instruments.clone().unwrap();
    let listed: Vec<String> = listed.iter().map(ToString::to_string).collect();
    assert_eq!(listed, ["binance:spot:BTCUSDT", "binance:spot:ETHUSDT"]);
}
