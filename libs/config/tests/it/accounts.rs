//! Accounts: which are there, where each trades, and what of that is refused.

use crate::KINDS;
use config::{Brake, FeeAsset, KeySource, Limits, Mode, OnLimit, Settings};
use std::{path::PathBuf, time::Duration};

const LIVE: &str = r#"
[accounts."binance:main"]
mode = "live"
api_key = { env = "MAIN_KEY" }
api_secret = { file = "main.pem" }
"#;

fn read(text: &str) -> Settings {
    Settings::from_toml(text, KINDS).unwrap_or_else(|problems| panic!("{problems}"))
}

fn told(text: &str) -> Vec<String> {
    let problems = Settings::from_toml(text, KINDS).expect_err(text);
    problems.list.iter().map(ToString::to_string).collect()
}

fn one(text: &str, expected: &str) {
    assert_eq!(told(text), [expected], "\n{text}");
}

fn trading(settings: &Settings) -> Vec<String> {
    settings.trading().map(|settings| settings.account.to_string()).collect()
}

#[test]
fn the_default_has_one_account_on_paper() {
    let settings = read("");
    assert_eq!(trading(&settings), ["binance:paper"]);
    let [account] = &settings.accounts[..] else { panic!("{:?}", settings.accounts) };
    assert_eq!(account.mode, Mode::Paper { balances: settings.paper.balances.clone() });
}

#[test]
fn a_live_account_says_where_its_key_is_and_takes_what_it_leaves_out() {
    let settings = read(LIVE);
    assert_eq!(trading(&settings), ["binance:main"], "the only account is meant by every edge");
    let Mode::Live(live) = &settings.accounts[0].mode else { panic!("{:?}", settings.accounts) };
    assert_eq!(live.api_key, KeySource::Variable("MAIN_KEY".to_owned()));
    assert_eq!(live.api_secret, KeySource::File(PathBuf::from("main.pem")));
    assert_eq!((&live.rest_url, &live.ws_api_url, &live.stream_url), (&None, &None, &None));
    assert!(!live.may_withdraw);
}

#[test]
fn an_account_has_limits_and_fees_of_its_own_and_takes_the_others_from_all() {
    let settings = read(
        r#"
account = "binance:careful"
[accounts."binance:careful"]
mode = "paper"
taker_fee = 0.00075
fee_asset = "BNB"
limits = { max_open_positions = 3, max_trade = "none", prohibited = ["DOGE"] }
[accounts."binance:usual"]
mode = "paper"
[limits]
max_open_risk = 0.05
[paper]
maker_fee = 0.0002
"#,
    );
    let [careful, usual] = &settings.accounts[..] else { panic!("{:?}", settings.accounts) };
    assert_eq!(
        (careful.fees.maker, careful.fees.taker, careful.fees.asset),
        ("0.0002".parse().unwrap(), "0.00075".parse().unwrap(), FeeAsset::Third("BNB".parse().unwrap()))
    );
    let limits = Limits {
        max_open_positions: Some(3),
        max_trade: None,
        prohibited: ["DOGE".parse().unwrap()].into(),
        ..settings.limits.clone()
    };
    assert_eq!((&careful.limits, limits.max_open_risk), (&limits, Some("0.05".parse().unwrap())));
    assert_eq!((&usual.limits, usual.fees), (&settings.limits, settings.paper.fees));
}

#[test]
fn an_account_may_have_a_brake_of_its_own_and_takes_the_rest_from_the_general_one() {
    let settings = read(
        r#"
account = "binance:careful"
[accounts."binance:careful"]
mode = "paper"
brake = { drawdown = 0.1, losing_trades = "none", on_limit = "halted" }
[accounts."binance:usual"]
mode = "paper"
[brake]
drawdown = 0.25
losing_trades = 4
release_after = "12h"
"#,
    );
    let [careful, usual] = &settings.accounts[..] else { panic!("{:?}", settings.accounts) };
    let general = Brake {
        drawdown: Some("0.25".parse().unwrap()),
        daily_loss: None,
        losing_trades: Some(4),
        orders_per_minute: None,
        rejected_per_hour: None,
        on_limit: OnLimit::Reducing,
        release_after: Some(Duration::from_secs(12 * 3_600)),
    };
    let own = Brake {
        drawdown: Some("0.1".parse().unwrap()),
        losing_trades: None,
        on_limit: OnLimit::Halted,
        ..general.clone()
    };
    assert_eq!((&settings.brake, &usual.brake, &careful.brake), (&general, &general, &own));
}

#[test]
fn what_is_wrong_with_a_brake_is_told() {
    for (text, told) in [
        (
            "drawdown = 1.5",
            "drawdown: 1.5 is out of range; write a ratio above 0 and at most 1, e.g. 0.1 for 10 %, or \"none\"",
        ),
        (
            "daily_loss = 0",
            "daily_loss: 0 is out of range; write a ratio above 0 and at most 1, e.g. 0.1 for 10 %, or \"none\"",
        ),
        ("losing_trades = 0", "losing_trades: 0 is out of range; write a whole number from 1, or \"none\""),
        (
            "on_limit = \"stop\"",
            "on_limit: is the text 'stop', none of these; write \"reducing\" or \"halted\"",
        ),
        (
            "release_after = \"0s\"",
            "release_after: '0s' is out of range; write whole seconds up to a year, e.g. \"12h\", or \"none\"",
        ),
        ("max_drawdown = 0.1", "max_drawdown: is no key of this table; did you mean drawdown?"),
    ] {
        one(&format!("[brake]\n{text}"), &format!("line 2: brake.{told}"));
    }
}

#[test]
fn what_is_wrong_with_an_accounts_limits_is_told_once_and_at_its_line() {
    let account = "[accounts.\"binance:paper\"]\nmode = \"paper\"\n";
    one(
        &format!("{account}limits = {{ max_trade = 2 }}"),
        "line 3: accounts.\"binance:paper\".limits.max_trade: 2 is out of range; write a ratio above 0 and at most 1, e.g. 0.1 for 10 %, or \"none\"",
    );
    one(
        &format!("{account}limits = {{ max_trades = 2 }}"),
        "line 3: accounts.\"binance:paper\".limits.max_trades: is no key of this table; did you mean max_trade?",
    );
    one(
        &format!("{account}[limits]\nmax_trade = 2"),
        "line 4: limits.max_trade: 2 is out of range; write a ratio above 0 and at most 1, e.g. 0.1 for 10 %, or \"none\"",
    );
}

#[test]
fn a_name_of_an_account_without_quotes_is_told_with_them() {
    for (header, quoted) in [
        ("[accounts.binance:main]", "[accounts.\"binance:main\"]"),
        ("[accounts.binance:main.limits]", "[accounts.\"binance:main\".limits]"),
    ] {
        let told = told(&format!("{header}\nmode = \"paper\"\n"));
        let remedy = format!("; quote the name: {quoted}");
        assert!(told.iter().any(|told| told.starts_with("line 1: ") && told.ends_with(&remedy)), "{told:#?}");
    }
}

#[test]
fn a_table_of_accounts_under_account_is_told_with_the_right_name() {
    one(
        "[account.\"binance:main\"]\nmode = \"paper\"\n",
        "line 1: account: is a table, and the tables of accounts are under accounts; write [accounts.\"binance:main\"]",
    );
}

#[test]
fn where_several_accounts_are_there_the_file_says_which_is_that_of_edges_that_name_none() {
    let two = "[accounts.\"binance:one\"]\nmode = \"paper\"\n[accounts.\"binance:two\"]\nmode = \"paper\"\n";
    one(
        two,
        "account: is missing, and there are several accounts: binance:one, binance:two; write account = \"binance:one\" at the top, for edges that name none, and account under each edge that trades on another",
    );
    read(&format!("account = \"binance:one\"\n{two}"));
}

#[test]
fn what_is_to_be_a_table_is_told_as_a_header_that_can_be_written() {
    let paper = "[accounts.\"binance:paper\"]\nmode = \"paper\"\n";
    one(
        &format!("{paper}limits = 3"),
        "line 3: accounts.\"binance:paper\".limits: is the number 3, not a table; write [accounts.\"binance:paper\".limits]",
    );
    read(&format!("{paper}[accounts.\"binance:paper\".limits]"));
}

#[test]
fn the_account_of_an_edge_that_is_switched_off_is_in_use_for_what_it_left_open() {
    let settings = read(
        "account = \"binance:one\"\n[accounts.\"binance:one\"]\nmode = \"paper\"\n\
         [accounts.\"binance:two\"]\nmode = \"paper\"\n[accounts.\"binance:three\"]\nmode = \"paper\"\n\
         [edges.edge70]\nenabled = false\naccount = \"binance:two\"",
    );
    assert_eq!(trading(&settings), ["binance:one", "binance:two"]);
}

#[test]
fn an_account_has_addresses_and_balances_of_its_own() {
    let settings = read(
        r#"
account = "binance:main"
[accounts."binance:main"]
mode = "live"
api_key = { env = "MAIN_KEY" }
api_secret = { env = "MAIN_SECRET" }
rest_url = "http://127.0.0.1:9000/"
ws_api_url = "ws://127.0.0.1:9000/ws-api/v3"
stream_url = "ws://127.0.0.1:9000"
may_withdraw = true
[accounts."binance:second"]
mode = "paper"
balances = { USDC = 5 }
[edges.edge70]
account = "binance:second"
"#,
    );
    let Mode::Live(live) = &settings.accounts[0].mode else { panic!("{:?}", settings.accounts) };
    assert_eq!(live.rest_url.as_deref(), Some("http://127.0.0.1:9000"));
    assert!(live.may_withdraw);
    let Mode::Paper { balances } = &settings.accounts[1].mode else { panic!("{:?}", settings.accounts) };
    assert_eq!(balances["USDC"], 5.into());
    assert_eq!(trading(&settings), ["binance:main", "binance:second"]);
}

#[test]
fn an_account_that_nobody_trades_on_is_not_in_use() {
    let settings =
        read(&format!("account = \"binance:paper\"\n[accounts.\"binance:paper\"]\nmode = \"paper\"\n{LIVE}"));
    assert_eq!(settings.accounts.len(), 2);
    assert_eq!(trading(&settings), ["binance:paper"]);
}

#[test]
fn real_money_under_a_name_that_says_paper_is_refused() {
    for name in ["paper", "my-Paper", "demo2", "sim_1", "dry.run"] {
        let [problem] = &told(&LIVE.replace("main", name))[..] else { panic!("{name}") };
        let begins = format!("line 2: accounts.\"binance:{name}\": is live, and its name says '");
        assert!(problem.starts_with(&begins), "{problem}");
    }
    // Letters within another word say nothing.
    read(&LIVE.replace("main", "simone"));
}

#[test]
fn real_money_under_a_name_of_a_test_network_is_refused() {
    one(
        &LIVE.replace("main", "testnet"),
        "line 2: accounts.\"binance:testnet\": is live, its name says 'testnet', and it has no address of a test network; set rest_url, ws_api_url and stream_url of the test network, or choose another name",
    );
    read(&format!("{}rest_url = \"https://testnet.binance.vision\"\n", LIVE.replace("main", "testnet")));
}

#[test]
fn a_key_itself_is_refused_and_never_repeated() {
    let key = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";
    for written in
        [format!("\"{key}\""), format!("{{ env = \"{key}\" }}"), format!("{{ value = \"{key}\" }}")]
    {
        let text = LIVE.replace("{ env = \"MAIN_KEY\" }", &written);
        let [problem] = &told(&text)[..] else { panic!("{written}") };
        assert!(problem.starts_with("line 4: accounts.\"binance:main\".api_key: "), "{problem}");
        assert!(problem.contains("never the key itself") && !problem.contains(&key[..8]), "{problem}");
    }
}

#[test]
fn an_account_says_its_mode_and_where_its_secret_is() {
    one(
        "[accounts.\"binance:main\"]\nbalances = { USDT = 1 }",
        "line 1: accounts.\"binance:main\".mode: is missing; write \"paper\" or \"live\"",
    );
    one(
        &LIVE.replace("api_secret = { file = \"main.pem\" }\n", ""),
        "line 2: accounts.\"binance:main\".api_secret: is missing; write where it is found, { env = \"VARIABLE\" } or { file = \"PATH\" }, never the key itself",
    );
    one(
        &format!("{LIVE}balances = {{ USDT = 1 }}"),
        "line 6: accounts.\"binance:main\".balances: is no key of this table; known here: api_key, api_secret, brake, fee_asset, limits, maker_fee, may_withdraw, mode, rest_url, stream_url, taker_fee, ws_api_url",
    );
}

#[test]
fn an_edge_or_a_file_that_names_an_account_which_is_not_there_is_refused() {
    one(
        "account = \"binance:sub1\"",
        "line 1: account: binance:sub1 is not configured; write [accounts.\"binance:sub1\"] with its mode, or one of: binance:paper",
    );
    one(
        "[edges.edge70]\naccount = \"binance:sub1\"",
        "line 2: edges.edge70.account: binance:sub1 is not configured; write [accounts.\"binance:sub1\"] with its mode, or one of: binance:paper",
    );
}

#[test]
fn two_accounts_under_one_key_are_refused() {
    one(
        &format!("account = \"binance:main\"\n{LIVE}{}", LIVE.replace("main", "second")),
        "line 8: accounts.\"binance:second\": has the same api_key as binance:main; give each account a key of its own",
    );
}

#[test]
fn a_live_account_is_at_a_venue_that_can_be_reached() {
    one(
        &LIVE.replace("binance:", "bybit:"),
        "line 2: accounts.\"bybit:main\": there is no adapter for bybit; live accounts can be at: binance",
    );
    one(
        &format!("{LIVE}rest_url = \"api.binance.com\""),
        "line 6: accounts.\"binance:main\".rest_url: is no such address; write https://HOST, or http://127.0.0.1:PORT for a server here",
    );
}
