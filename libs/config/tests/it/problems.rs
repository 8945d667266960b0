//! What a bad file gets to hear: everything at once, with key, line and remedy.

use crate::KINDS;
use config::{Problems, Settings};
use std::{fs, path::Path};

fn problems(text: &str) -> Problems {
    match Settings::from_toml(text, KINDS) {
        Ok(_) => panic!("no problem was found in\n{text}"),
        Err(problems) => problems,
    }
}

fn lines(text: &str) -> Vec<String> {
    problems(text).list.iter().map(ToString::to_string).collect()
}

/// One problem, as it is told.
fn one(text: &str, told: &str) {
    assert_eq!(lines(text), [told], "\n{text}");
}

#[test]
fn all_problems_are_reported_at_once_in_the_order_of_the_file() {
    let text = r#"
account = "nowhere"
quota = "USDT"

[paper]
taker_fee = 1.5
participation = 0

[limits]
max_open_risk = "much"

[edges.edge70]
max_age = "26"
exit = { kind = "stop_limit", stop = 0.15, limit_below = 0 }
"#;
    let keys: Vec<(Option<usize>, String)> =
        problems(text).list.iter().map(|problem| (problem.line, problem.key.clone())).collect();
    let expected = [
        (2, "account"),
        (3, "quota"),
        (6, "paper.taker_fee"),
        (7, "paper.participation"),
        (10, "limits.max_open_risk"),
        (13, "edges.edge70.max_age"),
        (14, "edges.edge70.exit.limit_below"),
    ];
    assert_eq!(keys, expected.map(|(line, key)| (Some(line), key.to_owned())));
    let told = problems(text).to_string();
    assert!(told.starts_with("tapedeck.toml: 7 problems\n  line 2: account: "), "{told}");
}

#[test]
fn an_unknown_key_is_a_problem_with_the_one_that_was_meant() {
    one(
        "[paper]\ntaker_fe = 0.1",
        "line 2: paper.taker_fe: is no key of this table; did you mean taker_fee?",
    );
    one(
        "[portfolio]\nleverage = 3",
        "line 2: portfolio.leverage: is no key of this table; known here: value_every",
    );
    one("[limit]\n", "line 1: limit: is no key of this table; did you mean limits?");
}

#[test]
fn a_key_of_another_variant_is_unknown_here() {
    one(
        "[edges.edge61]\nlong = 5",
        "line 2: edges.edge61.long: is no key of this table; known here: account, cooldown, enabled, entry, exit, instruments, kind, max_age, sizing, slippage",
    );
    one(
        "[edges.edge70]\nsizing = { method = \"risk\", max_loss = 0.01, amount = 3 }",
        "line 2: edges.edge70.sizing.amount: is no key of this table; known here: max_amount, max_loss, method",
    );
}

#[test]
fn ratios_are_parts_of_one() {
    for (section, key, value) in [
        ("paper", "maker_fee", "1"),
        ("paper", "taker_fee", "-0.001"),
        ("paper", "slippage", "5"),
        ("paper", "participation", "0"),
        ("paper", "participation", "1.1"),
        ("limits", "max_open_risk", "0"),
        ("limits", "max_asset_exposure", "20"),
        ("limits", "max_trade", "-1"),
        ("limits", "max_unsellable", "2"),
        ("edges.edge70", "slippage", "0.5e-2"),
        ("edges.edge70.exit", "stop", "15"),
        ("edges.edge70.exit", "stop", "0"),
        ("edges.edge70.exit", "limit_below", "1"),
        ("edges.edge70.exit", "limit_below", "0"),
    ] {
        let problems = problems(&format!("[{section}]\n{key} = {value}"));
        let [problem] = &problems.list[..] else { panic!("{problems}") };
        assert_eq!((problem.key.as_str(), problem.line), (&*format!("{section}.{key}"), Some(2)));
        assert!(problem.remedy.contains("ratio"), "{problem}");
    }
}

#[test]
fn a_plan_that_this_build_does_not_carry_out_is_refused() {
    one(
        "[edges.edge70]\nentry = { kind = \"maker\" }",
        "line 2: edges.edge70.entry.kind: is 'maker', and entries with a maker order are not there yet; write \"limit\" or \"market\"",
    );
    one(
        "[edges.edge70]\nentry = { kind = \"limit\", price = 3 }",
        "line 2: edges.edge70.entry.price: is no key of this table; known here: kind",
    );
    one(
        "[edges.edge70.exit]\ntrailing = 15",
        "line 2: edges.edge70.exit.trailing: 15 is out of range; write a ratio above 0 and below 1, e.g. 0.15 for 15 %, or \"none\"",
    );
}

#[test]
fn a_stops_limit_lies_below_the_stop() {
    one(
        "[edges.edge61.exit]\nstop = 0.05\nstop_limit = 0.04",
        "line 3: edges.edge61.exit.stop_limit: 0.04 does not lie below the stop at 0.05; write a ratio larger than stop, e.g. 0.15",
    );
    one(
        "[edges.edge61.exit]\nstop = 0.2",
        "line 1: edges.edge61.exit.stop_limit: 0.15 does not lie below the stop at 0.2; write a ratio larger than stop, e.g. 0.15",
    );
}

#[test]
fn counts_lookbacks_amounts_and_durations_have_ranges() {
    for text in [
        "[limits]\nmax_open_positions = 0",
        "[limits]\nmax_exit_orders = 0",
        "[limits]\nmax_open_positions = 2.5",
        "[limits]\nmax_open_positions = 99999999999",
        "[orders]\nprotect_attempts = 0",
        "[orders]\nrecv_window = \"61s\"",
        "[orders]\nstuck_after = \"500ms\"",
        "[orders]\nremember = \"36h\"",
        "[orders]\nretry_at_most = \"500ms\"",
        "[portfolio]\nvalue_every = \"0s\"",
        "[portfolio]\nvalue_every = 60",
        "[edges.edge70]\nlong = 0",
        "[edges.edge70]\nshort = 100001",
        "[edges.edge70]\ninterval = \"1y\"",
        "[edges.edge70]\nmax_age = \"\"",
        "[edges.edge70]\nsizing = { amount = 0 }",
        "[edges.edge70]\nsizing = { amount = 1_000_000_000_001 }",
        "[paper]\nbalances = { USDT = -1 }",
        "[paper]\nbalances = { \"U SDT\" = 1 }",
        "[paper]\nbalances = 10000",
        "[paper]\nfee_asset = \"B/NB\"",
        "[limits]\nprohibited = [\"EUR\", 7]",
        "[limits]\nprohibited = \"EUR\"",
        "[edges.edge70]\nenabled = \"yes\"",
        "[edges.edge70]\nkind = \"edge71\"",
        "[edges.edge70]\nforward = \"all\"",
        "[edges.edge70]\nsizing = { method = \"half\" }",
        "[edges.edge70]\nexit = { kind = \"trailing\" }",
    ] {
        let problems = problems(text);
        let [problem] = &problems.list[..] else { panic!("{text}\n{problems}") };
        assert_eq!(problem.line, Some(2), "{problem}");
        assert!(!problem.what.is_empty() && problem.remedy.starts_with("write "), "{problem}");
    }
}

#[test]
fn what_makes_an_edge_of_ones_own_must_be_said() {
    let keys: Vec<String> =
        problems("\n[edges.mine]\nenabled = true").list.into_iter().map(|problem| problem.key).collect();
    assert_eq!(keys, ["edges.mine.kind", "edges.mine.sizing.method", "edges.mine.exit.kind"]);
    one(
        "[edges.mine]\nkind = \"edge70\"\nshort = 5\nsizing = { method = \"fixed\", amount = 1 }\nexit = { kind = \"stop_limit\", stop = 0.1, limit_below = 0.1 }",
        "line 1: edges.mine.long: is missing; write a whole number of candles from 1 to 100000, e.g. 59",
    );
}

#[test]
fn the_name_of_an_edge_is_short_plain_and_not_manual() {
    let body = "\nkind = \"external\"\nsizing = { method = \"fixed\", amount = 1 }\nexit = { kind = \"stop_limit\", stop = 0.1, limit_below = 0.1 }";
    for name in ["manual", "a-name-of-more-than-sixteen", "\"with blank\"", "\"venue-paper:x\""] {
        let problems = problems(&format!("\n[edges.{name}]{body}"));
        let [problem] = &problems.list[..] else { panic!("{problems}") };
        assert_eq!((problem.line, problem.remedy.as_str()), (Some(2), "choose another name"));
    }
}

#[test]
fn a_table_that_is_none_is_reported_once() {
    one("limits = 5", "line 1: limits: is the number 5, not a table; write [limits]");
}

#[test]
fn broken_syntax_is_reported_with_its_lines() {
    let problems = problems("quote = \"USDT\"\n[paper\ntaker_fee = = 1\n");
    assert!(problems.list.iter().any(|problem| problem.line == Some(2)), "{problems}");
    assert!(problems.list.iter().any(|problem| problem.line == Some(3)), "{problems}");
}

#[test]
fn a_key_given_twice_is_reported() {
    let problems = problems("quote = \"USDT\"\nquote = \"USDC\"");
    assert!(problems.to_string().contains("line 2"), "{problems}");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let problems = Settings::load(Some(Path::new("no/such/tapedeck.toml")), KINDS).unwrap_err();
    assert!(
        problems.to_string().starts_with("no/such/tapedeck.toml: 1 problem\n  cannot be read: "),
        "{problems}"
    );

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    fs::write(&path, "quote = 5").unwrap();
    let problems = Settings::load(Some(&path), KINDS).unwrap_err();
    assert_eq!(problems.source_name, path.display().to_string());
}

#[test]
fn an_edges_instruments_are_a_list_of_symbols_at_its_venue() {
    let remedy =
        "write \"all\", or a list of symbols at the account's venue, e.g. [\"BTCUSDT\", \"ETHUSDT\"]";
    for (written, what) in [
        ("\"BTCUSDT\"", "is the text 'BTCUSDT', not a list"),
        ("[]", "is an empty list"),
        ("[3]", "is the number 3, not text"),
        ("[\"bybit:spot:BTCUSDT\"]", "has bybit:spot:BTCUSDT, which is not at binance"),
    ] {
        one(
            &format!("[edges.edge70]\ninstruments = {written}"),
            &format!("line 2: edges.edge70.instruments: {what}; {remedy}"),
        );
    }
}
