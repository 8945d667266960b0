//! Clients of Binance that others wrote, unmodified, at this exchange: the programs in `tests/clients`.
//!
//! Each test has an exchange of its own on a socket, and runs one program, which ends with an error at the
//! first fact that does not hold.
//! The environment with the pinned clients is made once, below cargo's target folder; making it needs PyPI.

mod market;

use paper_exchange::{
    exchange::Setup,
    server::{
        self, Config, Limits, Pace, account,
        clock::wall,
        hints,
        keys::{PAPER_KEY, PAPER_SECRET},
    },
};
use std::{
    future::IntoFuture,
    path::Path,
    process::{Command, Output},
};
use testkit::python_venv;
use tokio::{sync::oneshot, task::spawn_blocking};

/// Each with what of it speaks to the network: another version another day is another client.
const CLIENTS: [&str; 5] =
    ["ccxt==4.5.90", "python-binance==1.0.37", "aiohttp==3.14.5", "requests==2.34.2", "websockets==17.4"];
/// A bot that many use; it brings its own ccxt.
const FREQTRADE: [&str; 1] = ["freqtrade==2026.9"];
/// Binance's own; it cannot be installed beside python-binance's modules of the same name.
const SDK: [&str; 4] =
    ["binance-sdk-spot==13.2.0", "binance-common==4.6.0", "aiohttp==3.14.5", "requests==2.34.2"];

/// RFC 8032's first key pair, known to everybody; an API key of the form that Binance gives.
const ED25519_KEY: &str = "Ed25519Ed25519Ed25519Ed25519Ed25519Ed25519Ed25519Ed25519Ed255190";
const ED25519_PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
";
const ED25519_ACCOUNT: &str = r#"
[balances]
USDT = "100000"
BTC = "2"
[[key]]
api_key = "Ed25519Ed25519Ed25519Ed25519Ed25519Ed25519Ed25519Ed25519Ed255190"
public_key = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
"""
"#;

/// A machine's proxies are not for this machine.
const PROXIES: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];

#[tokio::test(flavor = "multi_thread")]
async fn ccxt_trades_over_rest() {
    takes_it_for_binance("ccxt_rest.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_that_serve_prints_work_in_plain_ccxt_and_in_ccxt_pro() {
    takes_it_for_binance("ccxt_lines.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ccxt_pro_follows_books_and_the_user_stream() {
    takes_it_for_binance("ccxt_pro.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_binance_trades_over_rest_and_the_websocket_api() {
    takes_it_for_binance("python_binance_rest.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_binance_follows_books_and_the_user_stream() {
    takes_it_for_binance("python_binance_sockets.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn binances_own_sdk_logs_on_and_trades() {
    let key = [ED25519_KEY, ED25519_PRIVATE];
    let program = Program { name: "binance_sdk.py", packages: &SDK, key, pace: Pace::Wall };
    run(program, ED25519_ACCOUNT).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "installs freqtrade, which takes minutes and 750 MB: ./test.sh --long freqtrade"]
async fn freqtrade_warms_up_at_once_and_trades() {
    let key = [PAPER_KEY, PAPER_SECRET];
    run(Program { name: "freqtrade_bot.py", packages: &FREQTRADE, key, pace: Pace::Wall }, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ccxt_is_not_shut_out_where_time_goes_twenty_times_as_fast() {
    let key = [PAPER_KEY, PAPER_SECRET];
    run(Program { name: "ccxt_fast.py", packages: &CLIENTS, key, pace: Pace::Times(20.0) }, "").await;
}

async fn takes_it_for_binance(name: &'static str) {
    // The account that is there without a file.
    let key = [PAPER_KEY, PAPER_SECRET];
    run(Program { name, packages: &CLIENTS, key, pace: Pace::Wall }, "").await;
}

/// A file of `tests/clients`, what it needs, and the key and secret that it is to use.
struct Program {
    name: &'static str,
    packages: &'static [&'static str],
    key: [&'static str; 2],
    pace: Pace,
}

async fn run(program: Program, account: &str) {
    let start = wall();
    let (paper, keys) = account::read(account).expect("an account");
    let config = Config {
        listen: "127.0.0.1:0".parse().expect("an address"),
        pace: program.pace,
        setup: Setup { paper, start },
        simulator: market::simulator(start),
        market: "clients".to_owned(),
        keys,
        limits: Limits::default(),
        faults: None,
        journal: None,
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let until = async {
        let _ = stopped.await;
    };
    let (address, server) = server::serve(config, until).await.expect("an exchange");
    let serving = tokio::spawn(server.into_future());
    let url = format!("http://{address}");
    let name = program.name;
    let output = spawn_blocking(move || program.run(&url)).await.expect("no panic");
    drop(stop);
    serving.await.expect("no panic").expect("a good end");
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name}: {}\n{said}{errors}", output.status);
    let checked = said.lines().filter(|line| line.starts_with("ok ")).count();
    assert!(checked > 10, "{name} has checked next to nothing:\n{said}");
}

impl Program {
    /// It ends by itself, also where it hangs.
    fn run(&self, url: &str) -> Output {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(self.name);
        let mut command = Command::new(python_venv(self.packages));
        for proxy in PROXIES {
            command.env_remove(proxy);
        }
        command.env("CCXT_LINES", hints::ccxt(url.trim_start_matches("http://")));
        command.env("PYTHONDONTWRITEBYTECODE", "1").arg(file).arg(url).args(self.key);
        command.output().expect("python runs")
    }
}
