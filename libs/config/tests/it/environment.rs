//! Environment variables.

use config::{Environment, Problems};
use std::path::Path;

fn read(vars: &[(&str, &str)]) -> Result<Environment, Problems> {
    Environment::read(vars.iter().map(|(name, value)| (name.to_string(), value.to_string())))
}

#[test]
fn an_environment_without_our_variables_leaves_everything_open() {
    let environment = read(&[("PATH", "/bin"), ("HOME", "/root")]).unwrap();
    assert_eq!((environment.config, environment.store_url, environment.listen), (None, None, None));
}

#[test]
fn every_variable_is_read() {
    let environment = read(&[
        ("TAPEDECK_CONFIG", "my.toml"),
        ("TAPEDECK_LOG", "debug"),
        ("TAPEDECK_DATA_DIR", "data"),
        ("TAPEDECK_LISTEN", "127.0.0.1:8080"),
        ("TAPEDECK_INGEST_SPOOL_MIB", "256"),
        ("STORE_URL", "sqlite:tape.db"),
    ])
    .unwrap();
    assert_eq!(environment.config.as_deref(), Some(Path::new("my.toml")));
    assert_eq!(environment.log.as_deref(), Some("debug"));
    assert_eq!(environment.data_dir.as_deref(), Some(Path::new("data")));
    assert_eq!(environment.listen.unwrap().port(), 8_080);
    assert_eq!(environment.ingest_spool_mib, Some(256));
    assert_eq!(environment.store_url.unwrap().reveal(), "sqlite:tape.db");
}

#[test]
fn every_variable_is_described() {
    let names: Vec<&str> = Environment::VARIABLES.iter().map(|variable| variable.name).collect();
    assert_eq!(
        names,
        [
            "TAPEDECK_CONFIG",
            "TAPEDECK_LOG",
            "TAPEDECK_DATA_DIR",
            "TAPEDECK_LISTEN",
            "TAPEDECK_INGEST_SPOOL_MIB",
            "STORE_URL",
            "BUS_URL",
            "BINANCE_REST_URL",
            "BINANCE_WS_API_URL",
            "BINANCE_STREAM_URL",
        ]
    );
    assert!(Environment::VARIABLES.iter().all(|variable| variable.about.ends_with('.')));
}

#[test]
fn all_problems_are_reported_at_once() {
    let problems = read(&[
        ("TAPEDECK_CONFG", "x"),
        ("TAPEDECK_LEVERAGE", "3"),
        ("TAPEDECK_LISTEN", "here"),
        ("STORE_URL", "mysql://user:hunter2@host"),
    ])
    .unwrap_err();
    let told: Vec<String> = problems.list.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "TAPEDECK_CONFG: is no variable of Tapedeck's; did you mean TAPEDECK_CONFIG?",
            "TAPEDECK_LEVERAGE: is no variable of Tapedeck's; known: TAPEDECK_CONFIG, TAPEDECK_LOG, TAPEDECK_DATA_DIR, TAPEDECK_LISTEN, TAPEDECK_INGEST_SPOOL_MIB, STORE_URL, BUS_URL, BINANCE_REST_URL, BINANCE_WS_API_URL, BINANCE_STREAM_URL",
            "TAPEDECK_LISTEN: 'here' is no address; write host:port, e.g. 127.0.0.1:8080",
            "STORE_URL: is no address of that kind; write sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE",
        ]
    );
    assert!(!problems.to_string().contains("hunter2"), "a password is never repeated");
}

#[test]
fn a_spool_without_a_size_is_refused() {
    for given in ["0", "-1", "64 MiB", "16385"] {
        let problems = read(&[("TAPEDECK_INGEST_SPOOL_MIB", given)]).unwrap_err();
        let told: Vec<String> = problems.list.iter().map(ToString::to_string).collect();
        let words = "is no size of a spool; write mebibytes from 1 to 16384, e.g. 64";
        assert_eq!(told, [format!("TAPEDECK_INGEST_SPOOL_MIB: '{given}' {words}")]);
    }
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    assert_eq!(read(&[("STORE_URL", ""), ("TAPEDECK_LISTEN", "")]).unwrap(), Environment::default());
}

#[test]
fn the_variable_of_the_tests_is_let_be() {
    assert_eq!(read(&[("TAPEDECK_DATA", "../data")]).unwrap().data_dir, None);
}

#[test]
fn an_address_with_a_password_is_not_shown_by_accident() {
    let environment = read(&[("STORE_URL", "sqlite://user:hunter2@host/db")]).unwrap();
    let shown = format!("{environment:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("sqlite:…"), "{shown}");
}

#[test]
fn where_binance_is_and_what_accounts_name_is_read_and_no_secret_is_shown() {
    let environment = read(&[
        ("MAIN_KEY", "vmPU"),
        ("MAIN_SECRET", "hun:ter2"),
        ("EMPTY_KEY", ""),
        ("BINANCE_REST_URL", "http://127.0.0.1:9000/"),
        ("BINANCE_WS_API_URL", "ws://127.0.0.1:9000/ws-api/v3"),
    ])
    .unwrap();
    let shown = format!("{environment:?}");
    assert!(!shown.contains("vmPU") && !shown.contains("hun") && !shown.contains("ter2"), "{shown}");
    assert_eq!(environment.binance.rest_url.as_deref(), Some("http://127.0.0.1:9000"));
    assert_eq!(environment.binance.ws_api_url.as_deref(), Some("ws://127.0.0.1:9000/ws-api/v3"));
    assert_eq!(environment.binance.stream_url, None);
    assert_eq!(environment.named("MAIN_SECRET").unwrap().reveal(), "hun:ter2");
    assert_eq!(environment.named("EMPTY_KEY"), None);
    // A variable with a meaning of its own is nobody's key.
    assert_eq!(environment.named("BINANCE_REST_URL"), None);
}

#[test]
fn addresses_that_are_none_are_explained() {
    let problems = read(&[
        ("BINANCE_REST_URL", "api.binance.com"),
        ("BINANCE_STREAM_URL", "https://stream.binance.com"),
    ])
    .unwrap_err();
    let told: Vec<String> = problems.list.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "BINANCE_REST_URL: is no such address; write https://HOST, or http://127.0.0.1:PORT for a server here",
            "BINANCE_STREAM_URL: is no such address; write wss://HOST, or ws://127.0.0.1:PORT for a server here",
        ]
    );
}
