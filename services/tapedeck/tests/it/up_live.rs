//! `tapedeck up` on live candles of an exchange of one's own, in one process on a tape that is a file: it trades on
//! paper at quoted prices, or at the exchange; the owner commands it; killed at any moment it goes on.

use crate::{live::FAULTS, support::*};
use serde_json::Value;
use std::process::Command;

/// Short channels on candles of a second: trades come soon.
pub const EDGE: &str = r#"
[edges.edge70]
interval = "1s"
long = 6
short = 4
"#;
pub const LIVE_ACCOUNT: &str = r#"
[accounts."binance:main"]
mode = "live"
api_key = { env = "EXCHANGE_KEY" }
api_secret = { env = "EXCHANGE_SECRET" }
"#;
/// Nothing but money: what the owner holds counts towards the limits.
const MONEY: &str = "[balances]\nUSDT = \"10000\"\n";
pub const MARKET: &str = "binance:BTCUSDT,ETHUSDT,ADAUSDT:1s";
/// What the exchange serves.
const SERVE: [&str; 4] = ["--market", "synthetic:7:60", "--account", "account.toml"];
const KILLS: usize = 10;

/// An engine, and the exchange that it takes for Binance.
pub struct Desk {
    pub place: Place,
    pub exchange: Exchange,
    venue: &'static str,
}

impl Desk {
    /// `more` of `exchange serve`.
    pub fn new(venue: &'static str, configuration: &str, more: &[&str]) -> Self {
        let place = Place::new();
        place.write("tapedeck.toml", configuration);
        place.write("account.toml", MONEY);
        place.write("faults.toml", FAULTS);
        let exchange = Exchange::serve(&place.path(""), &[&SERVE[..], more].concat());
        Self { place, exchange, venue }
    }

    fn on_paper() -> Self {
        Self::new("venue-paper", EDGE, &[])
    }

    fn command(&self, line: &str) -> Command {
        let mut command = self.place.command(line);
        self.exchange.is_meant_by(&mut command);
        command
    }

    pub fn up(&self) -> Running {
        let line = format!("up --market {MARKET} --venue {}", self.venue);
        Running::of(self.command(&line), &line)
    }

    pub fn run(&self, line: &str) -> Done {
        self.place.wait(self.command(line), line)
    }

    pub fn rows(&self, kind: &str) -> Vec<Value> {
        self.place.rows(&[kind])
    }

    pub fn count(&self, kind: &str) -> usize {
        // There is no tape in the first moments.
        let shown = self.run(&format!("tape show --json -n 1000000 --kind {kind}"));
        shown.out.lines().count()
    }

    /// Starts and kills an engine again and again, at any moment of what follows something sent, or of nothing.
    fn is_killed_ten_times(&self, seed: &mut Seed, sent: &str) {
        for round in 0..KILLS {
            let mut up = self.up();
            self.until(sent, round);
            if round % 3 == 2 {
                let fills = self.count("order.filled");
                self.until("order.filled", fills);
            }
            let goal = self.place.head().position + seed.below(6);
            until("the tape goes on", || (self.place.head().position >= goal).then_some(()));
            up.kill();
        }
    }

    pub fn until(&self, kind: &str, more_than: usize) {
        until(&format!("more than {more_than} {kind}"), || (self.count(kind) > more_than).then_some(()));
    }
}

/// Whoever took got the price that was quoted at that instant, and no quote is on the tape that nobody wanted.
fn fills_are_at_quoted_prices(desk: &Desk) {
    let quotes = desk.rows("quote.seen");
    let quoted = |fill: &Value, side: &str| {
        let same = |quote: &&Value| {
            (&quote["body"]["at"], &quote["body"]["instrument"]) == (&fill["at"], &fill["instrument"])
        };
        let quote =
            quotes.iter().find(same).unwrap_or_else(|| panic!("no quote is of the instant of {fill}"));
        let best = &quote["body"]["best"];
        (text(&best[side]).to_owned(), number(&best[format!("{side}_quantity")]))
    };
    let fills = desk.rows("order.filled");
    for fill in fills.iter().map(|row| &row["body"]).filter(|fill| fill["maker"] == false) {
        let (price, shown) = quoted(fill, if fill["side"] == "buy" { "ask" } else { "bid" });
        assert!(text(&fill["price"]) == price || number(&fill["quantity"]) > shown, "{price}: {fill}");
    }
    let orders = desk.count("order.submitted");
    assert!(!fills.is_empty() && quotes.len() <= 3 * orders, "{} quotes, {orders} orders", quotes.len());
}

fn number(value: &Value) -> f64 {
    text(value).parse().unwrap()
}

#[test]
fn live_candles_are_traded_on_paper_without_any_server_and_the_owner_commands_it_meanwhile() {
    let desk = Desk::on_paper();
    desk.run("up --market binance:BTCUSDT,BTCUSTD:1s")
        .ends(2, &["BTCUSTD is not listed at Binance (there is BTCUSDT)", "correct the symbol"]);
    desk.run("trades").ends(2, &["there is no tape"]);
    let mut up = desk.up();
    let address = up.address();
    desk.until("trade.opened", 0);
    until("it is ready", || (get(&address, "/ready").0 == 200).then_some(()));
    assert!(get(&address, "/metrics").1.contains("tapedeck_unit"), "metrics of the units");
    for look in ["positions", "trades", "orders", "portfolio", "signals", "doctor"] {
        desk.run(look).well();
    }
    let trade = desk.run("trades --json").well().list().pop().unwrap();
    desk.run(&format!("why {}", text(&trade["trade"]))).well();

    desk.run("trading halted --why enough --json").well();
    let halted = desk.count("order.submitted");
    desk.run("close --all --json").well();
    until("everything that was open is closed", || {
        desk.run("positions --json").well().list().is_empty().then_some(())
    });
    let entries = || desk.rows("trade.sized").len();
    let before = entries();
    let candles = desk.count("candle.closed");
    desk.until("candle.closed", candles + 12);
    assert_eq!(entries(), before, "trading is halted, and something was entered after {halted} orders");
    desk.run("trading active --why on").well();

    up.signal("TERM");
    let (status, printed) = up.end();
    assert!(status.success(), "{status}");
    assert!(printed.contains("closed"), "a summary: {printed}");
    candles_are_whole(&desk.rows("candle.closed"));
    fills_are_at_quoted_prices(&desk);
    desk.run("verify").well();
}

#[test]
fn an_engine_on_paper_is_not_ready_while_the_exchange_is_away_and_comes_back_by_itself() {
    let mut desk = Desk::on_paper();
    let mut up = desk.up();
    let address = up.address();
    let ready = |code: u16| {
        until(&format!("/ready is {code}"), || {
            let (status, body) = get(&address, "/ready");
            (status == code).then(|| serde_json::from_str::<Value>(&body).unwrap())
        })
    };
    ready(200);
    let away = || {
        let told = ready(503);
        let feed = told["units"].as_array().unwrap().iter().find(|unit| unit["unit"] == "market-data");
        let feed = feed.unwrap_or_else(|| panic!("{told}"));
        assert_eq!(feed["phase"], "cut_off");
        assert!(!text(&feed["why"]).is_empty(), "{told}");
        assert_eq!(get(&address, "/health").0, 200, "it is worth keeping");
    };
    desk.exchange.is_away(away, &SERVE);
    ready(200);
    up.signal("TERM");
    assert!(up.end().0.success());
}

#[test]
fn live_candles_refuse_what_only_a_played_market_has() {
    let place = Place::new();
    for flag in ["--speed max", "--from 2024-01-01", "--to 2024-01-01", "--exit-when-done"] {
        let name = flag.split(' ').next().unwrap();
        place.run(&format!("up --market binance:BTCUSDT:1d {flag}")).ends(2, &[name, "live candles"]);
    }
    place.run("up --market binance:BTCUSDT:1d --venue paper-exchange").ends(2, &["exchange serve"]);
    place.run("up --market synthetic:1:5 --venue binance").ends(2, &["--market binance"]);
    // Real orders need an account that says so.
    place
        .run("up --market binance:BTCUSDT:1d --venue binance")
        .ends(2, &["binance:paper", "mode = \"live\""]);
    place.write("tapedeck.toml", LIVE_ACCOUNT);
    place.run("up --market binance:BTCUSDT:1d").ends(2, &["binance:main", "live"]);
    place.run("up --market binance:BTCUSDT:1d --venue binance").ends(2, &["binance:main", "EXCHANGE_KEY"]);
    // A tape of a market that was played is none for live candles.
    place.write("tapedeck.toml", "");
    let tape = "--tape sqlite:a.tape";
    place.run(&format!("{} {tape}", up("synthetic:1:5"))).well();
    place.run(&format!("up --market binance:BTCUSDT:1d {tape}")).ends(2, &["on its own clock"]);
}

#[test]
fn an_engine_on_paper_that_is_killed_ten_times_loses_nothing_and_says_nothing_twice() {
    let desk = Desk::on_paper();
    let mut seed = Seed::new("up live on paper");
    desk.is_killed_ten_times(&mut seed, "order.submitted");
    let mut up = desk.up();
    let closed = desk.count("trade.closed");
    desk.until("trade.closed", closed + 1);
    up.signal("INT");
    assert!(up.end().0.success());
    candles_are_whole(&desk.rows("candle.closed"));
    let _ = recorded(&desk.rows("order.filled"));
    assert_eq!(desk.count("tape.conflicted"), 0);
    desk.run("verify").well();
    desk.run("doctor").well();
}

#[test]
fn a_tape_goes_on_in_its_quote_asset_and_tells_of_a_trade_of_which_no_candles_come_any_more() {
    let desk = Desk::on_paper();
    // It may be closed again before the engine is killed.
    let open = loop {
        let mut up = desk.up();
        desk.until("trade.opened", desk.count("trade.opened"));
        up.kill();
        let open = desk.run("trades --state open --json").well().list();
        if !open.is_empty() {
            break open;
        }
    };
    let line = format!("up --market {}", MARKET.replace(":1s", ":1m"));
    let mut up = Running::of(desk.command(&line), &line);
    let told = up.line("no signal ends it");
    let trade = texts(&open, "trade").into_iter().find(|trade| told.contains(trade));
    let words = ["this market has no candles of", "1s for edge70", "`tapedeck close"];
    assert!(trade.is_some() && words.iter().all(|words| told.contains(words)), "{told}");
    up.kill();

    desk.place.write("tapedeck.toml", format!("quote = \"BTC\"\n{EDGE}"));
    desk.run(&format!("up --market {MARKET}"))
        .ends(2, &["the figures of this tape are in USDT", "quote = \"BTC\""]);
}

#[test]
fn an_engine_at_the_exchange_that_is_killed_ten_times_loses_no_execution_and_places_nothing_twice() {
    let desk = Desk::new("binance", &format!("{LIVE_ACCOUNT}{EDGE}"), &["--faults", "faults.toml"]);
    let mut seed = Seed::new("up live at the exchange");
    desk.is_killed_ten_times(&mut seed, "order.attempted");
    let mut up = desk.up();
    let closed = desk.count("trade.closed");
    desk.until("trade.closed", closed + 1);
    desk.run("trading halted --why over").well();
    until("all that was executed is recorded", || {
        (desk.exchange.executed() == recorded(&desk.rows("order.filled"))).then_some(())
    });
    up.signal("INT");
    assert!(up.end().0.success());
    assert!(desk.exchange.placed().len() > KILLS);
    candles_are_whole(&desk.rows("candle.closed"));
    assert_eq!(desk.count("tape.conflicted"), 0);
    assert_eq!(desk.count("frame.quarantined"), 0);
    assert!(desk.count("order.unknown") > 0, "every answer came: nothing was tried");
    desk.run("verify").well();

    // Nobody is to forget what is at the exchange: not under another name of the account, and not on paper.
    desk.run("close --all").well();
    let other = format!("{}{EDGE}", LIVE_ACCOUNT.replace("main", "other"));
    desk.place.write("tapedeck.toml", other);
    desk.run(&format!("up --market {MARKET} --venue binance")).ends(2, &["binance:main"]);
    desk.place.write("tapedeck.toml", format!("[accounts.\"binance:main\"]\nmode = \"paper\"\n{EDGE}"));
    desk.run(&format!("up --market {MARKET} --tape sqlite:tapedeck-data/live-binance.tape"))
        .ends(2, &["this tape trades binance:main for real"]);
}

#[test]
fn an_account_on_paper_trades_beside_a_live_one_and_none_of_its_orders_leaves() {
    let second = r#"
account = "binance:main"
[accounts."binance:trial"]
mode = "paper"
balances = { USDT = 1000 }
limits = { max_open_positions = 1 }
[edges.edge60]
enabled = true
account = "binance:trial"
interval = "1s"
long = 6
short = 4
"#;
    let (head, accounts) = second.split_at(second.find("[accounts").unwrap());
    let configuration = format!("{head}{LIVE_ACCOUNT}{accounts}{EDGE}");
    let desk = Desk::new("binance", &configuration, &[]);
    let of = |account: &str, kind: &str| {
        let rows = desk.rows(kind);
        rows.into_iter().filter(|row| row["body"]["account"] == account).collect::<Vec<_>>()
    };
    let both =
        |kind: &str| ["binance:main", "binance:trial"].iter().all(|account| !of(account, kind).is_empty());
    for kind in ["trade.opened", "trade.closed"] {
        let mut up = desk.up();
        desk.until(kind, 0);
        until(&format!("both have {kind}"), || both(kind).then_some(()));
        up.kill();
    }
    let mut up = desk.up();
    desk.run("trading halted --why over").well();
    until("all that was executed is recorded", || {
        (desk.exchange.executed() == recorded(&of("binance:main", "order.filled"))).then_some(())
    });
    up.signal("INT");
    assert!(up.end().0.success());
    let trial = of("binance:trial", "order.submitted");
    assert!(!trial.is_empty());
    let placed = desk.exchange.placed();
    for order in trial.iter().map(|row| row["body"]["request"].to_string()) {
        assert!(!placed.iter().any(|id| order.contains(id)), "{order} was sent to the exchange");
    }
    assert_eq!(desk.count("tape.conflicted"), 0);
    desk.run("verify").well();
    desk.run("doctor").well();

    desk.place.write("tapedeck.toml", format!("{}{EDGE}", LIVE_ACCOUNT.replace("main", "trial")));
    let line = format!("up --market {MARKET} --venue binance");
    desk.run(&line).ends(2, &["this tape trades binance:trial on paper, and the account is live now"]);
}
