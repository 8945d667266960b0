//! Figures of money on `/metrics`, the same after a restart and in a fleet.

use crate::support::*;
use std::collections::BTreeMap;

/// Of each sample its value.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
            (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("no number: {line}")))
        })
        .collect()
}

fn of_money(samples: BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let ours = ["account_", "trades_", "orders_", "requests_", "alarms_", "trading_"];
    samples
        .into_iter()
        .filter(|(name, _)| ours.iter().any(|word| name.starts_with(&format!("tapedeck_{word}"))))
        .collect()
}

#[test]
fn figures_of_money_are_those_of_the_summary_and_the_same_after_a_restart() {
    let place = Place::new();
    let mut run = place.start("up --market synthetic:1:200 --speed max");
    let address = run.address();
    run.line("the market has ended");
    let told = get(&address, "/metrics").1;
    let figures = of_money(samples(&told));
    let account = "account=\"binance:paper\"";
    let portfolio = place.run("portfolio --json").well().json();
    let equity = format!("tapedeck_account_equity{{{account},asset=\"USDT\"}}");
    let worth: f64 = text_of(&portfolio, "equity").parse().unwrap();
    assert!((figures[&equity] - worth).abs() < 1e-9, "{figures:#?} {portfolio}");
    let trades = place.run("trades --json").well().list();
    let closed: Vec<_> = trades.iter().filter(|t| text_is(t, "state", "closed")).collect();
    let open = trades.iter().filter(|t| text(&t["state"]).starts_with("open")).count();
    assert!(!closed.is_empty());
    assert_eq!(figures[&format!("tapedeck_trades_closed_total{{{account}}}")], closed.len() as f64);
    assert_eq!(figures[&format!("tapedeck_trades_open{{{account}}}")], open as f64);
    assert_eq!(figures[&format!("tapedeck_trades_unprotected{{{account}}}")], 0.0);
    let profit: f64 = closed.iter().map(|t| text(&t["profit"]).parse::<f64>().unwrap()).sum();
    let realised = figures[&format!("tapedeck_trades_realised_profit{{{account},asset=\"USDT\"}}")];
    assert!((realised - profit).abs() < 1e-6, "{realised} {profit}");
    let done: f64 = figures
        .iter()
        .filter(|(name, _)| name.starts_with("tapedeck_orders_done_total"))
        .map(|(_, n)| n)
        .sum();
    assert_eq!(done, place.rows(&["order.done"]).len() as f64);
    for name in ["cash", "exposure", "peak_equity"] {
        assert!(
            figures.contains_key(&format!("tapedeck_account_{name}{{{account},asset=\"USDT\"}}")),
            "{name}"
        );
    }
    for name in [
        "tapedeck_account_drawdown_ratio",
        "tapedeck_account_valued_timestamp_seconds",
        "tapedeck_orders_rejected_total",
    ] {
        assert!(figures.contains_key(&format!("{name}{{{account}}}")), "{name}");
    }
    assert_eq!(figures["tapedeck_alarms_total{kind=\"order_stuck\"}"], 0.0);
    run.kill();

    let mut again = place.start("up --market synthetic:1:200 --speed max");
    let address = again.address();
    again.line("the market has ended");
    assert_eq!(of_money(samples(&get(&address, "/metrics").1)), figures, "after a restart");
}

fn text_of(value: &serde_json::Value, field: &str) -> String {
    let value = value.get(field).unwrap_or_else(|| &value[0][field]);
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn text_is(value: &serde_json::Value, field: &str, wanted: &str) -> bool {
    text(&value[field]) == wanted
}
