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

/// What is installed, and what of it speaks to the network: another version another day is another client.
const CLIENTS: [&str; 5] =
    ["ccxt==4.5.90", "python-binance==1.0.37", "aiohttp==3.14.5", "requests==2.34.2", "websockets==17.4"];

/// A machine's proxies are not for this machine.
const PROXIES: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];

#[tokio::test(flavor = "multi_thread")]
async fn ccxt_trades_over_rest() {
    takes_it_for_binance("ccxt_rest.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ccxt_pro_follows_books_and_the_user_stream() {
    takes_it_for_binance("ccxt_pro.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_binance_trades_over_rest_and_the_websocket_api() {
    takes_it_for_binance("binance_rest.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn python_binance_follows_books_and_the_user_stream() {
    takes_it_for_binance("binance_sockets.py").await;
}

async fn takes_it_for_binance(program: &'static str) {
    let start = wall();
    let (paper, keys) = account::read("").expect("the account that is there without a file");
    let config = Config {
        listen: "127.0.0.1:0".parse().expect("an address"),
        pace: Pace::Wall,
        setup: Setup { paper, start },
        street: market::street(start),
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
    let output = spawn_blocking(move || run(program, &url)).await.expect("no panic");
    drop(stop);
    serving.await.expect("no panic").expect("a good end");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{program}: {}\n{said}", output.status);
    assert!(said.lines().filter(|line| line.starts_with("ok ")).count() > 10, "{program} checked little\n{said}");
}

/// It ends by itself, also where it hangs.
fn run(program: &str, url: &str) -> Output {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(program);
    let mut command = Command::new(python_venv(&CLIENTS));
    for proxy in PROXIES {
        command.env_remove(proxy);
    }
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(program).args([url, PAPER_KEY, PAPER_SECRET]);
    command.output().expect("python runs")
}
