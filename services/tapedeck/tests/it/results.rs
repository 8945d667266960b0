//! What came of a run, in files, views and the report: nothing is left out because it is not over.

use crate::support::*;
use domain::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;

/// Fees in money, so that whole lots are held and nothing is left over as dust.
const IN_MONEY: &str = "[paper]\nfee_asset = \"quote\"\n";
const FILES: [&str; 6] =
    ["signals.csv", "requests.csv", "trades.csv", "equity.csv", "summary.json", "report.html"];

fn market(config: &str) -> Place {
    let place = Place::new();
    candles(&place, "candles", &["BTCUSDT", "ETHUSDT"], 365);
    place.write("tapedeck.toml", config);
    place
}

/// The rows of a file by their columns. No cell of these tests holds a comma.
fn table(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = text.lines().map(|line| line.split(','));
    let columns: Vec<_> = lines.next().unwrap().collect();
    lines
        .map(|cells| columns.iter().map(|c| (*c).to_owned()).zip(cells.map(str::to_owned)).collect())
        .collect()
}

fn number(cell: &str) -> Decimal {
    cell.parse().unwrap_or_else(|e| panic!("'{cell}': {e}"))
}

/// Figures are told with eight decimals, so a sum of them may differ a little from the sum that is told.
fn near(a: Decimal, b: Decimal) -> bool {
    (a - b).abs() < Decimal::new(1, 6)
}

fn amount(value: &Value) -> Decimal {
    number(text(value))
}

fn summary(place: &Place, folder: &str) -> Value {
    serde_json::from_str(&place.read(&format!("{folder}/summary.json"))).unwrap()
}

#[test]
fn trades_that_are_open_at_the_end_are_in_the_files_with_what_they_are_worth() {
    let place = market("");
    let told = place.run("backtest --candles candles --out bt").well();
    let trades = table(&place.read("bt/trades.csv"));
    let open: Vec<_> = trades.iter().filter(|t| t["state"] == "open").collect();
    let closed = trades.iter().filter(|t| t["state"] == "closed").count();
    let summary = summary(&place, "bt");
    assert!(!open.is_empty() && closed > 0, "{trades:?}");
    assert_eq!(summary["trades_open"], open.len());
    assert_eq!(summary["trades_closed"], closed);
    let closes = place.read("candles/BTCUSDT-1d.csv");
    let last_close = number(closes.lines().last().unwrap().split(',').nth(4).unwrap());
    for trade in &open {
        if trade["instrument"] == "BTCUSDT" {
            assert_eq!(number(&trade["last_price"]), last_close);
        }
        let (held, price, cost) =
            (number(&trade["held"]), number(&trade["last_price"]), number(&trade["cost"]));
        assert!(near(number(&trade["value"]), held * price), "{trade:?}");
        assert!(near(number(&trade["unrealised_profit"]), held * price - cost), "{trade:?}");
        // The fee was taken from the coins, so that fewer are held than were paid for.
        let (fee, asset) = trade["fees"].split_once(' ').unwrap();
        assert_eq!(asset, trade["instrument"].trim_end_matches("USDT"));
        let entry = number(&trade["entry_price"]);
        assert!(number(fee) > Decimal::ZERO && held * entry < cost, "{trade:?}");
        assert_eq!([trade["profit"].as_str(), &trade["closed_at"], &trade["reason"]], ["", "", ""]);
        assert_eq!(trade["protected"], "true");
    }
    let sum = |column: &str| open.iter().map(|t| number(&t[column])).sum::<Decimal>();
    for (key, column) in
        [("open_cost", "cost"), ("open_value", "value"), ("unrealised_profit", "unrealised_profit")]
    {
        assert!(near(amount(&summary[key]), sum(column)), "{key}");
    }
    let listed = summary["open"].as_array().unwrap();
    assert_eq!(texts(listed, "trade"), open.iter().map(|t| t["trade"].as_str()).collect::<Vec<_>>());
    told.says(&["open        ", "worth ", "unrealised "]);
}

/// As above, where everything adds up to the last digit.
#[test]
fn closed_and_open_profit_are_the_change_of_equity() {
    let place = market(IN_MONEY);
    place.run("backtest --candles candles --out bt").well();
    let s = summary(&place, "bt");
    assert!(s["trades_open"].as_u64() > Some(0) && s["trades_closed"].as_u64() > Some(0), "{s}");
    let gained = amount(&s["equity"]) - amount(&s["starting_equity"]);
    assert_eq!(amount(&s["profit"]) + amount(&s["unrealised_profit"]), gained);
    let trades = table(&place.read("bt/trades.csv"));
    let fees = trades.iter().map(|t| number(t["fees"].strip_suffix(" USDT").unwrap())).sum::<Decimal>();
    assert_eq!(amount(&s["fees"]["USDT"]), fees, "fees of open trades count");
}

/// A market that ends between two midnights: the equity is that of its end, as the open trades' worth is.
#[test]
fn a_market_that_ends_within_a_day_is_valued_at_its_end() {
    const FOUR_HOURS: i64 = 4 * 3_600_000;
    let place = Place::new();
    place.write(
        "tapedeck.toml",
        format!("{IN_MONEY}[edges.edge70]\ninterval = \"4h\"\nlong = 5\nshort = 3\n"),
    );
    let row = |(i, close): (i64, i64)| {
        format!(
            "{},{},{},{},{close}.00,1000000.1234\n",
            1_704_067_200_000 + i * FOUR_HOURS,
            close - 1,
            close + 1,
            close - 2
        )
    };
    // Down, up, down, and up until 04:00.
    let closes = (101..=140).rev().chain(100..140).chain((101..140).rev()).chain(100..138);
    let rows: String = (0..).zip(closes).map(row).collect();
    let rows = format!("open_time,open,high,low,close,volume\n{rows}");
    place.write("candles/BTCUSDT-4h.csv", &rows);
    place.run("backtest --candles candles --out bt").well();
    let s = summary(&place, "bt");
    assert!(s["trades_open"] == 1 && s["trades_closed"].as_u64() > Some(0), "{s}");
    assert!(text(&s["to"]).contains("T04:00"), "{s}");
    let gained = amount(&s["equity"]) - amount(&s["starting_equity"]);
    assert_eq!(amount(&s["profit"]) + amount(&s["unrealised_profit"]), gained);
    let equity = table(&place.read("bt/equity.csv"));
    let end = equity.last().unwrap();
    assert_eq!((end["at"].as_str(), number(&end["equity"])), (text(&s["to"]), amount(&s["equity"])));
    // The same of a tape, and of its beginning.
    place.run("backtest --candles candles --tape sqlite:a.tape --out again").well();
    place.run("report --tape sqlite:a.tape --until 2024-01-11T04:00:00Z --out part").well();
    let s = summary(&place, "part");
    assert_eq!(s["trades_open"], 1, "{s}");
    let gained = amount(&s["equity"]) - amount(&s["starting_equity"]);
    assert_eq!(amount(&s["profit"]) + amount(&s["unrealised_profit"]), gained);
}

/// With fees in coins little is left of each sale: it has its worth, and is no loss.
#[test]
fn profits_dust_and_open_trades_are_the_change_of_equity() {
    let place = market("");
    place.run("backtest --candles candles --out bt").well();
    let s = summary(&place, "bt");
    let gained = amount(&s["equity"]) - amount(&s["starting_equity"]);
    let dust = amount(&s["dust_worth"]) - amount(&s["dust_cost"]);
    let told = amount(&s["profit"]) + amount(&s["unrealised_profit"]) + dust;
    assert!(near(told, gained), "{told} for {gained}: {s}");
    for trade in table(&place.read("bt/trades.csv")).iter().filter(|t| t["state"] == "closed") {
        assert_eq!(number(&trade["left"]).is_zero(), number(&trade["left_worth"]).is_zero(), "{trade:?}");
    }
}

#[test]
fn requests_that_became_no_trade_are_told_with_their_reason() {
    let place = market("[limits]\nprohibited = [\"ETH\"]\n");
    let told = place.run("backtest --candles candles --out bt --tape sqlite:bt.tape").well();
    let requests = place.read("bt/requests.csv");
    let refused = requests.lines().filter(|line| line.contains(",refused,prohibited_asset,")).count();
    assert!(refused > 0, "{requests}");
    let s = summary(&place, "bt");
    assert_eq!(s["refused"]["prohibited_asset"], refused);
    assert_eq!(s["requests"], requests.lines().count() - 1);
    told.says(&[&format!("refused {refused} ({refused} prohibited asset)")]);
    let trades = place.run("trades --state refused --json --tape sqlite:bt.tape").well().list();
    assert_eq!(trades.len(), refused);
    assert!(trades.iter().all(|t| t["reason"] == "prohibited_asset"), "{trades:?}");
}

/// An entry that finds the market far above its limit.
#[test]
fn entries_that_did_not_fill_are_told_with_their_reason() {
    let place = market("");
    place.run("backtest --candles candles --out bt").well();
    let first = table(&place.read("bt/trades.csv")).remove(0);
    let file = format!("candles/{}-1d.csv", first["instrument"]);
    let entered = time(&first["opened_at"]).millis().to_string();
    let leap = |line: &str| match line.split(',').collect::<Vec<_>>()[..] {
        [at, _, _, low, close, volume] if at == entered => format!("{at},190,195,{low},{close},{volume}\n"),
        _ => format!("{line}\n"),
    };
    let leaping: String = place.read(&file).lines().map(leap).collect();
    place.write(&file, leaping);
    place.run("backtest --candles candles --out bt").well();
    let requests = place.read("bt/requests.csv");
    let unfilled = requests.lines().filter(|line| line.contains(",aborted,entry_unfilled,")).count();
    assert!(unfilled > 0, "{requests}");
    let s = summary(&place, "bt");
    assert_eq!(s["aborted"]["entry_unfilled"], unfilled);
    assert_eq!(s["entries_unfilled"], unfilled);
}

#[test]
fn a_reason_has_one_spelling_in_all_data() {
    let place = market("");
    place.run("backtest --candles candles --out bt --tape sqlite:bt.tape").well();
    let json = place.run("trades --json --tape sqlite:bt.tape").well().list();
    let csv = table(&place.run("trades --csv --tape sqlite:bt.tape").well().out);
    let file = table(&place.read("bt/trades.csv"));
    assert_eq!(csv, file, "no request of this market is refused");
    for (json, csv) in json.iter().zip(&csv) {
        for (column, cell) in csv {
            let value = match (column.as_str(), &json[column]) {
                ("fees", _) => continue,
                ("venue", _) => "binance".to_owned(),
                ("account", _) => "paper".to_owned(),
                ("instrument", full) => text(full).rsplit(':').next().unwrap().to_owned(),
                (_, Value::Null) => String::new(),
                (_, Value::String(text)) => text.clone(),
                (_, other) => other.to_string(),
            };
            assert_eq!(&value, cell, "{column}");
        }
    }
    let s = summary(&place, "bt");
    let reasons = texts(s["by_reason"].as_array().unwrap(), "name");
    assert!(csv.iter().all(|t| t["reason"].is_empty() || reasons.contains(&t["reason"].as_str())));
    for trade in csv.iter().filter(|t| t["state"] == "closed") {
        let (opened, closed) = (time(&trade["opened_at"]), time(&trade["closed_at"]));
        assert_eq!(trade["duration_seconds"], closed.since(opened).as_secs().to_string());
        let ratio = number(&trade["profit"]) / number(&trade["cost"]);
        assert!(near(number(&trade["profit_ratio"]), ratio), "{trade:?}");
    }
}

fn time(cell: &str) -> domain::Timestamp {
    cell.parse().unwrap()
}

#[test]
fn every_view_can_be_had_of_a_past_moment() {
    let place = Place::finished();
    let row = |kind: &str| place.rows(&[kind]).remove(0);
    let closed = row("trade.closed");
    let id = text(&closed["body"]["trade"]).to_owned();
    let before = closed["position"].as_u64().unwrap() - 1;
    let of = |line: &str| place.run(line).well().list();
    let trade = |line: &str| of(line).into_iter().find(|t| t["trade"] == id.as_str()).unwrap();
    assert_eq!(trade("trades --json")["state"], "closed");
    let then = trade(&format!("trades --json --until {before}"));
    assert!(["open", "exiting"].contains(&text(&then["state"])), "{then}");
    assert!(amount(&then["value"]) > Decimal::ZERO, "with the price of that moment: {then}");

    let opened = text(&row("trade.opened")["recorded_at"]).to_owned();
    let held = of(&format!("positions --json --until {opened}"));
    assert_eq!(texts(&held, "owner"), ["edge70"], "one trade was open then");
    let orders = of(&format!("orders --json --until {opened}"));
    assert!(orders.len() < of("orders --json").len() && orders.iter().any(|o| o["state"] == "working"));
    let signals = of(&format!("signals --json --until {opened}"));
    assert!(!signals.is_empty() && signals.len() < of("signals --json").len());
    let worth = of(&format!("portfolio --json --until {opened}"));
    assert_eq!(worth[0]["at"], opened.as_str());
    let report = place.run(&format!("report --json --until {before}")).well().json();
    assert_eq!(report["events"], before);

    let head = place.head().position;
    for view in ["positions", "trades", "orders", "portfolio", "signals", "report"] {
        place.run(&format!("{view} --until {}", head + 1)).ends(2, &["--until", "ends at position"]);
        place.run(&format!("{view} --until yesterday")).ends(2, &["--until", "2024-01-15"]);
        place.run(&format!("{view} --until 2000-01-01")).well();
    }
}

#[test]
fn views_are_narrowed_by_instrument_edge_time_state_and_count() {
    let place = Place::finished();
    let all = place.run("trades --json").well().list();
    let of = |line: &str| place.run(line).well().list();
    let symbol = |t: &Value| text(&t["instrument"]).rsplit(':').next().unwrap().to_owned();
    let first = symbol(&all[0]);
    let kept: Vec<_> = all.iter().filter(|t| symbol(t) == first).cloned().collect();
    assert_eq!(of(&format!("trades --json --instrument {}", first.to_lowercase())), kept);
    assert_eq!(of(&format!("trades --json --instrument binance:spot:{first}")), kept);
    assert_eq!(of("trades --json --edge edge70"), all);
    assert_eq!(of("trades --json --state open,exiting").len(), 2);
    assert_eq!(of("trades --json --last 3"), all[1..]);
    let third = text(&all[2]["requested_at"]);
    assert_eq!(of(&format!("trades --json --from {third}")), all[2..]);
    assert_eq!(of(&format!("trades --json --to {third}")), all[..2]);
    assert_eq!(of(&format!("signals --json --instrument {first} -n 1")).len(), 1);
    assert_eq!(
        of("orders --json --state filled,working").len(),
        of("orders --json --state filled").len() + 2
    );
    assert_eq!(of(&format!("positions --json --instrument {}", symbol(&all[3]))).len(), 1);
    assert_eq!(of("portfolio --json --history -n 5").len(), 5);
    place.run("trades --edge edge70 --state refused").well().says(&["none of 4 trades is as asked for"]);
    place.run("trades --state opne").ends(2, &["opne", "open", "closed"]);
    place.run("trades --csv --json").ends(2, &["--csv", "--json"]);
}

#[test]
fn every_view_gives_comma_separated_values_from_any_tape() {
    let place = Place::finished();
    for view in ["trades", "orders", "positions", "signals", "portfolio", "portfolio --history"] {
        let csv = place.run(&format!("{view} --csv")).well().out;
        let rows = table(&csv);
        assert!(rows.len() > 1, "{view}: {csv}");
        let count = place.run(&format!("{view} --json")).well().list().len();
        assert!(view == "portfolio" || rows.len() == count, "{view}");
        assert!(csv.lines().all(|line| !line.ends_with(' ')));
    }
    let place = Place::new();
    place.run(&up("synthetic:1:10")).well();
    assert_eq!(place.run("trades --csv").well().out.lines().count(), 1, "a header, and no word");
}

#[test]
fn lists_are_taken_with_commas_wherever_a_list_is_taken() {
    let place = Place::finished();
    let tail = |args: &str| place.run(&format!("tape tail --json -n 30 {args}")).well().out;
    assert_eq!(tail("--kind trade,order"), tail("--kind trade --kind order"));
    let show = |args: &str| place.run(&format!("tape show --json -n 30 {args}")).well().out;
    assert_eq!(show("--kind signal.given,trade.opened"), show("--kind signal.given --kind trade.opened"));
    assert!(show("--kind signal.given,trade.opened").contains("trade.opened"));
    place.run("tape tail --kind trade,ordre").ends(2, &["ordre", "order"]);
}

/// A row that only a newer build can read stands between what is asked for.
#[tokio::test]
async fn a_view_reads_only_the_kinds_that_it_needs() {
    let place = Place::finished();
    let before = place.run("trades --json").well().out;
    let tape = place.tape(&place.kept(), tape::Mode::Write).await;
    let id = events::Uuid::from_u128(7);
    let instrument = "binance:spot:BTCUSDT".parse().unwrap();
    let event = events::Event::from(events::QuoteAsked { instrument });
    let mut draft = events::Draft::new(id, "clock".parse().unwrap(), None, domain::Timestamp::ZERO, &event);
    // Whoever read it would fail.
    draft.body = "{}".into();
    tape.append(tape::Commit::new(vec![tape::Entry::wall(draft)])).await.unwrap();
    tape.close().await.unwrap();
    let after = place.run("trades --json").well();
    let states = |text: &str| texts(&serde_json::from_str::<Vec<Value>>(text).unwrap(), "state").join(" ");
    assert_eq!(states(&after.out), states(&before));
    for command in ["positions", "orders", "portfolio", "signals", "report"] {
        place.run(command).well();
    }
}

#[test]
fn the_report_of_a_tape_is_the_summary_of_its_run() {
    let place = market("");
    place.run("backtest --candles candles --out bt --tape sqlite:bt.tape").well();
    let told = place.run("report --json --out again --tape sqlite:bt.tape").well();
    // What only the files of candles tell is not on a tape.
    let of_files = ["rules_inferred", "edges_without_candles", "rows_left_out"];
    let mut told_by_run = summary(&place, "bt");
    let mut told_by_tape = told.json();
    for key in of_files {
        told_by_run.as_object_mut().unwrap().remove(key);
        told_by_tape.as_object_mut().unwrap().remove(key);
    }
    for series in told_by_run["candles_by_series"].as_array_mut().unwrap() {
        assert_eq!(series.as_object_mut().unwrap().remove("left_out"), Some(serde_json::json!({})));
    }
    assert_eq!(told_by_tape, told_by_run);
    assert_eq!(told.out, place.run("summary --json --tape sqlite:bt.tape").well().out);
    for name in FILES.iter().filter(|name| **name != "summary.json") {
        assert!(place.read(&format!("bt/{name}")) == place.read(&format!("again/{name}")), "{name} differs");
    }
    let words = place.run("report --tape sqlite:bt.tape").well();
    words.says(&[
        "Sharpe",
        "Calmar",
        "instrument",
        "BTCUSDT",
        "month",
        "2022-06",
        "year",
        "exit requested",
        "held instead",
    ]);
}

#[test]
fn ratios_are_those_of_the_daily_equity() {
    let place = market(IN_MONEY);
    place.run("backtest --candles candles --out bt").well();
    let s = summary(&place, "bt");
    // The last valuation of each midnight, recomputed by hand from the file.
    let mut days: BTreeMap<String, f64> = BTreeMap::new();
    for row in table(&place.read("bt/equity.csv")) {
        assert!(row["at"].ends_with("T00:00:00Z"));
        days.insert(row["at"].clone(), row["equity"].parse().unwrap());
    }
    let equity: Vec<f64> = days.into_values().collect();
    let returns: Vec<f64> = equity.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
    let n = returns.len() as f64;
    let mean = returns.iter().sum::<f64>() / n;
    let deviation = (returns.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let below = (returns.iter().map(|r| r.min(0.0).powi(2)).sum::<f64>() / n).sqrt();
    let cagr = (equity[equity.len() - 1] / equity[0]).powf(365.0 / n) - 1.0;
    let is = |key: &str, figure: f64| {
        let told: f64 = text(&s[key]).parse().unwrap();
        assert!((told - figure).abs() < 1e-6, "{key}: {told} for {figure}");
    };
    assert_eq!(s["sampled_days"], returns.len());
    is("cagr", cagr);
    is("volatility", deviation * 365f64.sqrt());
    is("sharpe", mean / deviation * 365f64.sqrt());
    is("sortino", mean / below * 365f64.sqrt());
    is("calmar", cagr / fall(&place));
    let months = s["by_month"].as_array().unwrap();
    let grown: f64 = months
        .iter()
        .filter_map(|m| m["return_ratio"].as_str())
        .map(|r| 1.0 + r.parse::<f64>().unwrap())
        .product();
    assert!((grown - equity[equity.len() - 1] / equity[0]).abs() < 1e-4, "months make up the whole: {grown}");
    for list in ["by_instrument", "by_edge", "by_reason", "by_month", "by_year"] {
        let profit: Decimal = s[list].as_array().unwrap().iter().map(|g| amount(&g["profit"])).sum();
        assert!(near(profit, amount(&s["profit"])), "{list}");
    }
}

/// The deepest fall of all valuations.
fn fall(place: &Place) -> f64 {
    let (mut peak, mut fall) = (0.0_f64, 0.0_f64);
    for row in table(&place.read("bt/equity.csv")) {
        let equity: f64 = row["equity"].parse().unwrap();
        peak = peak.max(equity);
        fall = fall.max(1.0 - equity / peak);
    }
    fall
}

/// So little is traded that the drawdown has one digit left when it is told.
#[test]
fn figures_are_made_of_exact_ones_however_small_they_are() {
    let little = "[paper]\nfee_asset = \"quote\"\nbalances = { USDT = 1000000 }\n[edges.edge70]\nsizing = { method = \"fixed\", amount = 20 }\n";
    let place = market(little);
    place.run("backtest --candles candles --out bt").well();
    let s = summary(&place, "bt");
    let exact = fall(&place);
    let told: f64 = text(&s["max_drawdown"]).parse().unwrap();
    assert!(
        exact > 0.0 && (told / exact - 1.0).abs() > 1e-3,
        "the rounded one is another: {told} for {exact}"
    );
    let days = table(&place.read("bt/equity.csv"));
    let (first, last): (f64, f64) =
        (days[0]["equity"].parse().unwrap(), days[days.len() - 1]["equity"].parse().unwrap());
    let n = s["sampled_days"].as_f64().unwrap();
    let calmar = ((last / first).powf(365.0 / n) - 1.0) / exact;
    let told: f64 = text(&s["calmar"]).parse().unwrap();
    assert!((told - calmar).abs() < 1e-4 * calmar.abs().max(1.0), "{told} for {calmar}");
    let (profit, cost) = (amount(&s["unrealised_profit"]), amount(&s["open_cost"]));
    assert!((amount(&s["unrealised_ratio"]) - profit / cost).abs() <= Decimal::new(1, 6), "{s}");
}

#[test]
fn a_trade_has_one_quantity_from_its_opening_on() {
    let place = Place::finished();
    let closed = place.rows(&["trade.closed"]).remove(0);
    let before = closed["position"].as_u64().unwrap() - 1;
    let of = |line: &str| {
        let rows = place.run(line).well().list();
        rows.into_iter().find(|t| t["trade"] == closed["body"]["trade"]).unwrap()
    };
    let (then, now) = (of(&format!("trades --json --until {before}")), of("trades --json"));
    assert!(then["state"] != "closed" && now["state"] == "closed", "{then} {now}");
    for name in ["quantity", "granted", "entry_price"] {
        assert_eq!(then[name], now[name], "{name}");
    }
    assert_eq!(amount(&now["quantity"]), amount(&closed["body"]["quantity"]));
    assert!(now["held"].is_null(), "{now}");
    // The fee of an open trade was taken from the coins.
    for open in place.run("trades --json --state open").well().list() {
        assert!(amount(&open["held"]) != amount(&open["quantity"]), "{open}");
    }
}

#[test]
fn files_hold_what_the_views_write() {
    let place = market("");
    place.run("backtest --candles candles --out bt --tape sqlite:bt.tape").well();
    let view = |name: &str| place.run(&format!("{name} --csv --tape sqlite:bt.tape")).well().out;
    assert_eq!(view("signals"), place.read("bt/signals.csv"));
    assert_eq!(view("portfolio --history"), place.read("bt/equity.csv"));
    assert_eq!(view("trades --state open,exiting,closed"), place.read("bt/trades.csv"));
    let requests = table(&place.read("bt/requests.csv"));
    for (request, trade) in requests.iter().zip(table(&view("trades"))) {
        assert!(request.iter().all(|(column, cell)| trade[column] == *cell), "{request:?} {trade:?}");
    }
}

#[test]
fn the_page_needs_nothing_from_outside() {
    let place = market("");
    place.run("backtest --candles candles --out bt").well();
    let page = place.read("bt/report.html");
    assert!(page.starts_with("<!doctype html>") && page.matches("<svg").count() == 2, "{page}");
    for outside in ["http://", "https://", "<script", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "'{outside}' in the page");
    }
    for words in ["Sharpe", "Open trades", "By instrument", "Returns by month", "exit requested", "BTCUSDT"] {
        assert!(page.contains(words), "'{words}' is not in the page");
    }
    assert!(!page.contains("NaN") && !page.contains("inf"), "a figure that is none");
}

#[test]
fn nothing_traded_has_figures_that_are_null() {
    let place = Place::new();
    candles(&place, "candles", &["BTCUSDT"], 10);
    let told = place.run("backtest --candles candles --out bt").well();
    let s = summary(&place, "bt");
    for key in ["sharpe", "sortino", "calmar", "win_ratio", "profit_factor", "payoff", "expectancy"] {
        assert!(s[key].is_null(), "{key}: {}", s[key]);
    }
    assert_eq!(s["open"], Value::Array(Vec::new()));
    told.says(&["(10 days)", "Sharpe –", "1 instrument instead:"]);
    assert!(place.read("bt/report.html").contains("Equity"));
}
