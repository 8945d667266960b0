//! Accounts at a venue: whose key it is, and what may not be traded is refused before anything is sent.

use crate::support::*;
use serde_json::Value;

/// Two accounts, and keys that may do too little or too much.
const ACCOUNTS: &str = r#"
[balances]
USDT = "10000"
[[key]]
api_key = "main"
secret = "of main"
[[key]]
api_key = "again"
secret = "of again"
[[key]]
api_key = "reader"
secret = "of reader"
permissions = ["read"]
[[key]]
api_key = "spender"
secret = "of spender"
permissions = ["read", "trade", "withdraw"]
[[accounts]]
account = "binance:second"
[accounts.balances]
USDT = "5000"
[[accounts.key]]
api_key = "second"
secret = "of second"
"#;

struct Rig {
    place: Place,
    urls: [(&'static str, String); 3],
    exchange: Running,
}

impl Rig {
    fn new() -> Self {
        let place = Place::new();
        place.write("account.toml", ACCOUNTS);
        let serve =
            "exchange serve --market synthetic:7:60 --account account.toml --listen 127.0.0.1:0 --json";
        let exchange = place.start(serve);
        let mut printed = String::new();
        let told: Value = until("the exchange serves", || {
            printed.extend(exchange.printed());
            serde_json::from_str(&printed).ok()
        });
        let url = |name: &str| told[name].as_str().unwrap().to_owned();
        let urls = [
            ("BINANCE_REST_URL", url("rest")),
            ("BINANCE_WS_API_URL", url("websocket_api")),
            ("BINANCE_STREAM_URL", url("streams")),
        ];
        Self { place, urls, exchange }
    }

    /// `main` trades under that key; the file may say more.
    fn key(&self, key: &str, more: &str) {
        let config = format!(
            "[accounts.\"binance:main\"]\nmode = \"live\"\napi_key = {{ env = \"THE_KEY\" }}\n\
             api_secret = {{ file = \"secret\" }}\n{more}\n"
        );
        self.place.write("tapedeck.toml", config);
        self.place.write("secret", format!("of {key}\n"));
    }

    fn command(&self, key: &str, line: &str) -> std::process::Command {
        let mut command = self.place.command(line);
        command.envs(self.urls.iter().cloned()).env("THE_KEY", key).env("SECOND_KEY", "again");
        command
    }

    fn run(&self, key: &str, line: &str) -> Done {
        self.place.wait(self.command(key, line), line)
    }

    fn start(&self, key: &str, line: &str) -> Running {
        Running::of(self.command(key, line), line)
    }

    /// `run` and `doctor` say so, and nothing was sent.
    fn is_refused(&self, key: &str, words: &str) {
        self.run(key, RUN).ends(2, &[words]);
        let doctor = self.run(key, "doctor --tape sqlite:a.tape");
        assert_eq!(doctor.code, Some(1), "{doctor:#?}");
        doctor.says(&["WRONG  account", words]);
        let address = self.urls[0].1.trim_start_matches("http://");
        let (status, frames) = get(address, "/control/account-frames?after=0");
        assert!(status == 200 && !frames.contains("executionReport"), "{frames}");
    }
}

const RUN: &str = "run trade-abstraction --venue binance --tape sqlite:a.tape";

/// Asked to stop, it ends well.
fn leaves(process: &mut Running) {
    process.signal("TERM");
    let (status, _) = process.end();
    assert!(status.success(), "{status}");
}

fn has_started(place: &Place) -> bool {
    place
        .run("tape show --json --kind unit.started --tape sqlite:a.tape")
        .well()
        .out
        .contains("order-gateway")
}

fn open() -> Rig {
    let rig = Rig::new();
    rig.place.run("tape open --tape sqlite:a.tape").well();
    rig
}

#[test]
fn a_key_that_may_withdraw_is_refused_unless_it_is_accepted_by_name() {
    let rig = open();
    rig.key("spender", "");
    rig.is_refused("spender", "account binance:main: its key may withdraw: take that right from the key");
    rig.key("spender", "may_withdraw = true");
    rig.run("spender", "doctor").says(&["binance:main: live, the venue's account 1"]);
}

#[test]
fn a_key_that_may_not_trade_or_is_not_known_or_has_another_secret_is_refused() {
    let rig = open();
    rig.key("reader", "");
    rig.is_refused("reader", "account binance:main: its key may not trade");
    rig.key("nobody", "");
    rig.is_refused("nobody", "account binance:main: its key is not accepted");
    rig.key("second", "");
    rig.is_refused("main", "account binance:main: its key is not accepted");
}

#[test]
fn a_key_that_is_not_where_it_should_be_is_refused() {
    let rig = open();
    rig.key("main", "");
    rig.is_refused("", "api_key is to be in the variable THE_KEY, and nothing is there: set it");
    std::fs::remove_file(rig.place.path("secret")).unwrap();
    rig.is_refused("main", "api_secret is to be in the file secret: ");
}

#[test]
fn the_venues_own_account_is_on_the_tape_and_another_key_name_or_mode_is_refused_from_then_on() {
    let rig = open();
    rig.key("main", "");
    let mut gateway = rig.start("main", RUN);
    let on_tape = || {
        let shown = rig.place.run("tape show --json --kind account.identified --tape sqlite:a.tape").well();
        shown.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    };
    until("it works", || has_started(&rig.place).then_some(()));
    until("it is recorded", || on_tape().first().cloned());
    leaves(&mut gateway);
    let body = on_tape()[0]["body"].clone();
    let expected = serde_json::json!({
        "account": "binance:main", "venue_account": "1", "may_trade": true, "may_withdraw": false,
    });
    assert_eq!(body, expected);
    // Another key of the same account goes on, and says nothing anew.
    rig.key("again", "");
    let mut gateway = rig.start("again", &format!("{RUN} --log info"));
    let address = gateway.address();
    until("it works", || get(&address, "/ready").1.contains("\"running\"").then_some(()));
    leaves(&mut gateway);
    assert_eq!(on_tape().len(), 1);
    rig.key("second", "");
    rig.is_refused("second", "its key opens the venue's account 2, and this tape trades 1");
    // Nor does the account go on under another name, or on paper.
    rig.key("main", "");
    let config = rig.place.read("tapedeck.toml");
    rig.place.write("tapedeck.toml", config.replace("binance:main", "binance:other"));
    rig.is_refused("main", "its key opens the venue's account 1, which this tape trades as binance:main");
    rig.place.write("tapedeck.toml", "[accounts.\"binance:main\"]\nmode = \"paper\"\n");
    let words =
        ["this tape trades binance:main for real (the venue's account 1), and the account is on paper now"];
    rig.run("main", "run trade-abstraction --tape sqlite:a.tape").ends(2, &words);
    rig.run("main", "doctor --tape sqlite:a.tape").says(&["WRONG  start"]).says(&words);
}

#[test]
fn two_accounts_that_are_one_at_the_venue_are_refused() {
    let rig = open();
    let second = "[accounts.\"binance:other\"]\nmode = \"live\"\napi_key = { env = \"SECOND_KEY\" }\n\
                  api_secret = { file = \"second\" }\n[edges.edge70]\naccount = \"binance:other\"";
    rig.key("main", second);
    let config = rig.place.read("tapedeck.toml");
    rig.place.write("tapedeck.toml", format!("account = \"binance:main\"\n{config}"));
    rig.place.write("second", "of again");
    rig.is_refused("main", "binance:main and binance:other are one account at the venue (1)");
}

#[test]
fn an_account_on_paper_sends_nothing_and_a_live_one_is_not_played_with() {
    let place = Place::new();
    place.run("tape open --tape sqlite:a.tape").well();
    let run = place.run(RUN);
    run.ends(2, &["account binance:paper is on paper, and --venue binance sends real orders"]);
    place.write(
        "tapedeck.toml",
        "[accounts.\"binance:main\"]\nmode = \"live\"\napi_key = { env = \"K\" }\napi_secret = { env = \"S\" }\n",
    );
    for line in ["up --market synthetic:1:60 --exit-when-done", "run trade-abstraction --tape sqlite:a.tape"]
    {
        let refused = place.run(line);
        refused.ends(
            2,
            &[
                "account binance:main is live, and this would trade on paper",
                "--market binance:SYMBOLS:INTERVALS --venue binance",
            ],
        );
    }
}

#[test]
fn a_venue_that_is_away_is_waited_for_and_nothing_runs_meanwhile() {
    let mut rig = open();
    rig.key("main", "");
    rig.exchange.kill();
    let mut gateway = rig.start("main", RUN);
    gateway.line("whose account binance:main is, is not known yet");
    assert!(!has_started(&rig.place));
    leaves(&mut gateway);
}

#[test]
fn several_accounts_trade_on_paper_each_with_its_own_money() {
    let place = Place::new();
    place.write(
        "tapedeck.toml",
        "account = \"binance:paper\"\n[accounts.\"binance:paper\"]\nmode = \"paper\"\n\
         [accounts.\"binance:small\"]\nmode = \"paper\"\nbalances = { USDT = 500 }\n\
         [edges.edge70]\naccount = \"binance:paper\"\n[edges.second]\nkind = \"edge70\"\naccount = \"binance:small\"\nlong = 20\nshort = 10\n\
         sizing = { method = \"fixed\", amount = 50 }\nexit = { kind = \"stop_limit\", stop = 0.1, limit_below = 0.2 }\n",
    );
    place.run(&up(MARKET)).well();
    let trades = place.run("trades --json").well().json();
    let on = |account: &str| trades.as_array().unwrap().iter().filter(|t| t["account"] == account).count();
    assert!(on("binance:paper") > 0 && on("binance:small") > 0, "{trades:#}");
    let first = |account: &str| {
        let rows = place.rows(&["account.balance_changed"]);
        rows.iter().find(|row| row["body"]["account"] == account).map(|row| row["body"]["free"].clone())
    };
    assert_eq!((first("binance:paper"), first("binance:small")), (Some("10000".into()), Some("500".into())));
    place.run("verify").well();
    // The same tape goes on whichever account stands at the top, and not under another's name.
    let config = place.read("tapedeck.toml");
    place.write("tapedeck.toml", config.replacen("binance:paper", "binance:small", 1));
    place.run(&up(MARKET)).well();
    place.write("tapedeck.toml", "[accounts.\"binance:other\"]\nmode = \"paper\"\n");
    is_refused(
        &place,
        MARKET,
        &["this tape trades the account binance:paper, the configuration says binance:other"],
    );
}

/// `up` refuses to go on, and `doctor` says it as well.
fn is_refused(place: &Place, market: &str, words: &[&str]) {
    place.run(&up(market)).ends(2, words);
    let doctor = place.run("doctor");
    assert_eq!(doctor.code, Some(1), "{doctor:#?}");
    doctor.says(&["WRONG  start"]);
    doctor.says(words);
}

#[test]
fn doctor_names_an_account_that_is_live_now_and_was_on_paper_on_the_tape() {
    let place = Place::new();
    let main =
        |mode: &str| place.write("tapedeck.toml", format!("[accounts.\"binance:main\"]\nmode = {mode}\n"));
    main("\"paper\"");
    place.run(&up("synthetic:1:60")).well();
    place.run("doctor").well().says(&["well   start", "goes on with the tape"]);
    main("\"live\"\napi_key = { env = \"K\" }\napi_secret = { env = \"S\" }");
    let doctor = place.run("doctor");
    assert_eq!(doctor.code, Some(1), "{doctor:#?}");
    doctor.says(&[
        "WRONG  account",
        "nothing is there: set it",
        "WRONG  start",
        "trades binance:main on paper, and the account is live now",
        "this tape trades at venue-paper, and this configuration at binance",
    ]);
}

#[test]
fn balances_that_change_after_the_tape_has_begun_are_told_of_with_both_figures() {
    let place = Place::new();
    let owns = |usdt: u32| {
        let paper =
            format!("[accounts.\"binance:paper\"]\nmode = \"paper\"\nbalances = {{ USDT = {usdt} }}\n");
        place.write("tapedeck.toml", paper);
    };
    owns(10_000);
    place.run(&up("synthetic:1:60")).well();
    for (usdt, told) in [(20_000, true), (30_000, true), (10_000, false)] {
        owns(usdt);
        let words = format!(
            "binance:paper began on this tape with 10000 USDT, and the configuration says {usdt} USDT: the tape's \
             figures stand"
        );
        let doctor = place.run("doctor").well();
        assert_eq!(doctor.out.contains(&format!("note   start          {words}")), told, "{doctor:#?}");
        let up = place.run(&up("synthetic:1:60")).well();
        assert_eq!(up.err.contains(&words), told, "{up:#?}");
    }
}

#[test]
fn where_two_accounts_hold_an_instrument_a_close_says_which_is_meant() {
    let place = Place::new();
    place.write(
        "tapedeck.toml",
        "account = \"binance:one\"\n[accounts.\"binance:one\"]\nmode = \"paper\"\n\
         [accounts.\"binance:two\"]\nmode = \"paper\"\n[edges.edge70]\n[edges.second]\nkind = \"edge70\"\n\
         account = \"binance:two\"\nlong = 59\nshort = 21\nsizing = { method = \"fixed\", amount = 50 }\n\
         exit = { kind = \"stop_limit\", stop = 0.15, limit_below = 0.2 }\n",
    );
    place.run(&format!("up --market {MARKET} --to 2024-07-15 --speed max --exit-when-done")).well();
    let open = place.run("trades --state open --json").well().list();
    let on = |account: &str| open.iter().filter(|t| t["account"] == account).collect::<Vec<_>>();
    let (one, two) = (on("binance:one"), on("binance:two"));
    let both = one.iter().find(|of| two.iter().any(|other| other["instrument"] == of["instrument"]));
    let instrument = text(&both.expect("both hold an instrument")["instrument"]);
    let close = format!("close --instrument {instrument} --json");
    place.run(&close).ends(
        2,
        &[
            "open on binance:one, binance:two",
            "say which account, --account binance:one or --account binance:two",
        ],
    );
    place.run(&format!("{close} --account binance:three")).ends(2, &["this tape knows no such account"]);
    let trade = text(&two[0]["trade"]);
    place
        .run(&format!("close {trade} --account binance:one"))
        .ends(2, &["--account binance:one: ", "is open on binance:two"]);
    let said = place.run(&format!("{close} --account binance:two")).well().list();
    assert_eq!(texts(&said, "account"), ["binance:two"]);
    let said = place.run("close --all --account binance:one --json").well().list();
    assert!(texts(&said, "account").iter().all(|account| *account == "binance:one"), "{said:#?}");
    assert_eq!(said.iter().map(|wish| wish["trades"].as_array().unwrap().len()).sum::<usize>(), one.len());
}

#[test]
fn an_edge_does_not_move_away_from_its_open_trade_and_one_that_is_off_is_told_of() {
    let place = Place::new();
    let edge70_on = |account: &str, more: &str| {
        place.write(
            "tapedeck.toml",
            format!(
                "account = \"binance:one\"\n[accounts.\"binance:one\"]\nmode = \"paper\"\n\
                 [accounts.\"binance:two\"]\nmode = \"paper\"\n\
                 [edges.edge70]\naccount = \"binance:{account}\"\n{more}"
            ),
        );
    };
    let market = "synthetic:1:200";
    let go_on = up(market);
    edge70_on("two", "");
    place.run(&go_on).well();
    let open = place.run("positions --json").well().list();
    assert!(!open.is_empty());
    edge70_on("one", "");
    is_refused(
        &place,
        market,
        &[
            "this tape trades the account binance:two",
            "name that account in an edge",
            "nobody would look after it",
        ],
    );
    edge70_on("one", &OTHER.replace("NAME", "edge60"));
    is_refused(
        &place,
        market,
        &["edge70 is on binance:one now", "its signals would not end it", "tapedeck close"],
    );
    // Switched off, its account stays in use, and somebody is told.
    edge70_on("two", "enabled = false\n");
    let run = place.run(&go_on).well();
    assert!(run.err.contains("edge70 does not run") && run.err.contains("no signal ends it"), "{run:#?}");
    place.run("doctor").well().says(&["note   start", "edge70 does not run"]);
    edge70_on("two", "instruments = [\"BTCUSDT\"]\n");
    let lacked = open.iter().find(|position| !text(&position["instrument"]).ends_with("BTCUSDT")).unwrap();
    let symbol = text(&lacked["instrument"]).rsplit(':').next().unwrap();
    let lacks =
        format!("instruments of [edges.edge70] in tapedeck.toml lacks {symbol}: its stop protects it");
    place.run("doctor").well().says(&["note   start", &lacks]);
    edge70_on("two", "kind = \"external\"\n");
    place.run("doctor").well().says(&["nothing here gives the signals of edge70: its stop protects it"]);
}

#[test]
fn fees_in_an_asset_of_which_the_market_has_no_price_are_told_of() {
    let place = Place::new();
    let paid_in = |asset: &str| {
        place.write("tapedeck.toml", format!("[paper]\nfee_asset = \"{asset}\"\n"));
        place.run(&up("synthetic:1:10")).well().err
    };
    let words = "fee_asset = \"BNB\": this market has no candles of BNBUSDT, so binance:paper pays its fees in what it \
                 receives: add them";
    let told = paid_in("BNB");
    assert!(told.contains(words), "{told}");
    let told = paid_in("ADA");
    assert!(!told.contains("fee_asset"), "{told}");
}

#[test]
fn the_figures_of_a_tape_stay_in_its_quote_asset() {
    let place = Place::new();
    place.run(&up("synthetic:1:60")).well();
    place.write("tapedeck.toml", "quote = \"BTC\"\n");
    let words = ["the figures of this tape are in USDT", "quote = \"BTC\"", "write quote = \"USDT\""];
    let doctor = place.run("doctor");
    assert_eq!(doctor.code, Some(1));
    doctor.says(&[&["WRONG  start"], &words[..]].concat());
    place.write("tapedeck.toml", "quote = \"USDT\"\n");
    place.run(&up("synthetic:1:60")).well();
}

/// On the account of the trade, and never running.
const OTHER: &str = "[edges.NAME]\nenabled = false\naccount = \"binance:two\"\n";
