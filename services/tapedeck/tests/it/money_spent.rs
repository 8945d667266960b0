//! What is bought can be protected and sold again; what cannot be sold is told, kept and sold later.

use crate::support::*;
use domain::{Decimal, Instrument, InstrumentRules, Interval, Price, Timestamp, rules::PriceRange};
use events::{Candle, Event, OrderEvent, PortfolioEvent, Recorded, TradeEvent};
use market_data::{Feed, Memory};
use service::Journal;
use settings::Settings;
use sim::backtest::Backtest;
use std::{collections::BTreeMap, path::PathBuf};
use tapedeck::units;

#[derive(Default)]
struct Log(Vec<String>);

impl Journal for Log {
    fn record(&mut self, event: &Recorded) {
        let n = |d: Decimal| d.normalize().to_string();
        self.0.push(match &event.event {
            Event::Trade(TradeEvent::Refused(e)) => {
                let rule = serde_json::to_value(e.rule).unwrap();
                let figures = [e.figure, e.limit].map(|d| d.map_or_else(|| "-".to_owned(), n));
                format!("refused {} {} of {}", rule.as_str().unwrap(), figures[0], figures[1])
            }
            Event::Trade(TradeEvent::Opened(e)) => format!("opened {}", n(e.quantity)),
            Event::Trade(TradeEvent::Protected(e)) => format!("protected {} at {}", e.quantity, e.stop),
            Event::Trade(TradeEvent::Closed(e)) => format!(
                "closed {:?} profit {} left {} of cost {} carried {}",
                e.reason,
                n(e.profit),
                n(e.left),
                n(e.left_cost),
                n(e.carried)
            ),
            Event::Order(OrderEvent::Rejected(e)) => format!("rejected {}", e.text),
            Event::Portfolio(PortfolioEvent::Valued(e)) => {
                format!("{} worth {}", event.recorded_at.day(), n(e.equity))
            }
            _ => return,
        });
    }
}

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Ticks of a cent; without slippage.
fn rules(lot: &str) -> InstrumentRules {
    InstrumentRules::open("LTC".parse().unwrap(), "USDT".parse().unwrap(), d("0.01"), d(lot), d("5"))
}

/// Days around these closes through a channel of three and two candles; what is spent, and where the
/// fee is taken.
fn play(rules: InstrumentRules, amount: u32, fee: &str, exit: &str, closes: &[i64]) -> Vec<String> {
    let settings = Settings::from_toml(
        &format!(
            "[paper]\nslippage = 0\nfee_asset = \"{fee}\"\nbalances = {{ USDT = 10000, BNB = 1 }}
         [limits]\nmax_asset_exposure = \"none\"\nmax_open_risk = \"none\"
         [edges.edge70]\nlong = 3\nshort = 2\nsizing = {{ method = \"fixed\", amount = {amount} }}\n{exit}"
        ),
        units::EDGES,
    )
    .unwrap();
    let instrument: Instrument = "binance:spot:LTCUSDT".parse().unwrap();
    let price = |n: i64| Price::new(Decimal::from(n)).unwrap();
    let opens = [closes[0]].into_iter().chain(closes.iter().copied());
    let candles = opens.zip(closes).enumerate().map(|(day, (open, &close))| Candle {
        instrument,
        interval: Interval::Day1,
        open_time: Timestamp::from_millis(i64::try_from(day).unwrap() * 86_400_000),
        open: price(open),
        high: price(open.max(close)),
        low: price(open.min(close)),
        close: price(close),
        volume: Decimal::from(1_000_000_000),
    });
    let feed = Feed::new(Box::new(Memory::new(candles)), BTreeMap::from([(instrument, rules)]), None, None);
    let mut log = Log::default();
    let run = Backtest {
        hosts: units::all(&settings).unwrap(),
        feed,
        source: units::feed(),
        describe: "made".to_owned(),
        tape_id: units::tape_id("made", &settings),
        build: units::BUILD.to_owned(),
    };
    run.run(&mut log).unwrap();
    log.0
}

fn of<'a>(log: &'a [String], words: &[&str]) -> Vec<&'a str> {
    log.iter().filter(|line| words.iter().any(|word| line.starts_with(word))).map(String::as_str).collect()
}

/// Turns short on the fifth day and long on the eighth, falls by 30 % on the tenth.
const CRASH: &[i64] = &[100, 100, 100, 100, 90, 100, 100, 110, 111, 78, 78];

#[test]
fn a_stop_day_is_valued_after_its_stop_and_once() {
    let log = play(rules("0.001"), 1_000, "quote", "", CRASH);
    let worth = of(&log, &["9 worth", "10 worth", "11 worth"]);
    // 1,000 buy 9.045 at the worst price of 110.55; bought at 110, and sold at the stop of 93.5, each with
    // a fee of a thousandth.
    let after = d("10000") - d("9.045") * d("110") * d("1.001") + d("9.045") * d("93.5") * d("0.999");
    let before = d("10000") - d("9.045") * d("110") * d("1.001") + d("9.045") * d("111");
    let n = |d: Decimal| d.normalize().to_string();
    assert_eq!(
        worth,
        [
            format!("9 worth {}", n(before)),
            format!("10 worth {}", n(after)),
            format!("11 worth {}", n(after))
        ]
    );
}

#[test]
fn an_entry_is_valued_in_its_own_instant() {
    let log = play(rules("0.001"), 1_000, "quote", "", &CRASH[..9]);
    // 9.045 bought at the open of the ninth day, which is the close of the eighth: the fee is gone.
    assert_eq!(of(&log, &["8 worth"]), ["8 worth 9999.00505"]);
}

/// Case 3 and F6: a fee in coins leaves less than a lot.
#[test]
fn one_lot_of_which_the_fee_leaves_none_is_not_bought() {
    for (lot, share) in [("1", "1"), ("0.2", "0.199199"), ("0.02", "0.019019")] {
        let log = play(rules(lot), 111, "received", "", CRASH);
        let traded = of(&log, &["refused", "opened"]);
        if d(share) > d("0.02") {
            assert_eq!(traded, [format!("refused unsellable {share} of 0.02")], "lots of {lot}");
        } else {
            assert_eq!(traded.len(), 1, "lots of {lot}");
            assert!(traded[0].starts_with("opened"), "lots of {lot}: {traded:?}");
        }
        // Without a fee in coins all of it can be sold.
        let log = play(rules(lot), 111, "quote", "", CRASH);
        assert!(
            of(&log, &["refused"]).is_empty() && of(&log, &["opened"]).len() == 1,
            "lots of {lot}: {log:?}"
        );
        let log = play(rules(lot), 111, "BNB", "", CRASH);
        assert_eq!(
            of(&log, &["opened"]).len(),
            usize::from(d(share) < d("0.02")),
            "BNB without a price, lots of {lot}"
        );
    }
}

/// Case 6: the stop's limit is too far below the price for the venue.
#[test]
fn a_stop_that_the_price_filter_will_not_take_is_raised_or_the_trade_refused() {
    let ranged = |down: &str, up: &str| {
        let sell_price_range = Some(PriceRange { down: d(down), up: d(up) });
        InstrumentRules { sell_price_range, ..rules("0.001") }
    };
    let log = play(ranged("0.8", "5"), 100, "received", "", CRASH);
    assert!(of(&log, &["rejected"]).is_empty(), "{log:?}");
    let trade = of(&log, &["opened", "protected", "closed"]);
    assert_eq!(trade[1], "protected 0.903 at 93.5");
    assert!(trade[2].starts_with("closed StopHit profit -15.083359929429 "), "{trade:?}");

    let log = play(ranged("0.9", "5"), 100, "received", "", CRASH);
    assert_eq!(of(&log, &["refused", "opened", "rejected"]), ["refused filter 92.56 of 98.01"]);

    let oco = "exit = { kind = \"oco\", stop = 0.05, stop_limit = 0.15, take_profit = 0.2 }";
    let log = play(ranged("0.2", "1.1"), 100, "received", oco, CRASH);
    assert_eq!(of(&log, &["refused", "opened", "rejected"]), ["refused filter 130.68 of 119.79"]);
    let no_oco = InstrumentRules { oco_allowed: false, ..rules("0.001") };
    let log = play(no_oco, 100, "received", oco, CRASH);
    assert_eq!(of(&log, &["refused", "opened", "rejected"]), ["refused filter - of -"]);
    let market = InstrumentRules { market_min_quantity: Some(d("2")), ..rules("0.001") };
    let log = play(market, 100, "received", "", CRASH);
    assert_eq!(of(&log, &["refused", "opened"]), ["refused filter 0.903096 of 2"]);
}

/// F6: what an exit leaves keeps its cost, and the next trade of that edge sells it.
#[test]
fn dust_is_no_loss_and_is_sold_with_the_next_exit() {
    // Long each time that it reaches 110; sold when it falls to 90, below the channel.
    let wave = [110, 120, 90, 100, 100, 100];
    let closes = [&[100, 100, 100, 100, 90, 100, 100][..], &wave, &wave, &wave].concat();
    let exit = "exit = { kind = \"stop_limit\", stop = 0.3, limit_below = 0.2 }";
    let log = play(rules("0.1"), 1_000, "received", exit, &closes);
    // 9 bought at 110, 8.991 held: 8.9 are sold at 90, and with 0.091 of before 9 of 9.082. A sale costs
    // its share of what all that was held has cost: 990 · 8.9 / 8.991, then 1000.02 · 9 / 9.082.
    assert_eq!(
        of(&log, &["opened", "protected", "closed"]),
        [
            "opened 8.991",
            "protected 8.9 at 77",
            "closed Requested profit -179.78097997998 left 0.091 of cost 10.02002002002 carried 0",
            "opened 9.082",
            "protected 9 at 77",
            "closed Requested profit -181.800990990991 left 0.082 of cost 9.029029029029 carried 0.091",
            "opened 9.073",
            "protected 9 at 77",
            "closed Requested profit -181.800990990991 left 0.073 of cost 8.038038038038 carried 0.082",
        ],
        "{log:#?}"
    );
}

/// The venue caps what a sale at market may be worth, and the price has risen since the entry.
#[test]
fn an_exit_of_a_risen_trade_is_sold_in_parts_that_the_venue_takes() {
    let capped = InstrumentRules {
        max_notional: Some(d("1000")),
        max_notional_applies_to_market: true,
        ..rules("0.001")
    };
    let closes = [100, 100, 100, 100, 90, 100, 100, 110, 200, 300, 200, 190, 190, 190];
    let log = play(capped, 1_000, "quote", "", &closes);
    // 9.045 bought at 110 and sold at 190, each with a fee of a thousandth.
    let profit = d("9.045") * (d("190") * d("0.999") - d("110") * d("1.001"));
    assert_eq!(
        of(&log, &["rejected", "opened", "closed"]),
        [
            "opened 9.045".to_owned(),
            format!("closed Requested profit {} left 0 of cost 0 carried 0", profit.normalize())
        ],
        "{log:#?}"
    );
}

/// A coin of which the venue lets one market order sell a lot or two.
#[test]
fn a_trade_that_would_take_hundreds_of_sales_to_leave_is_not_entered() {
    for (most, log) in [
        ("0.06", "refused too_many_sales 151 of 20"),
        ("0.4", "refused too_many_sales 23 of 20"),
        ("0.5", "opened 9.045"),
    ] {
        let rules = InstrumentRules { market_max_quantity: Some(d(most)), ..rules("0.001") };
        assert_eq!(of(&play(rules, 1_000, "quote", "", CRASH), &["refused", "opened"]), [log]);
    }
}

/// The folder of shared data; the reported cases lie beside it.
fn data() -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var_os("TAPEDECK_DATA").map_or(beside, PathBuf::from)
}

/// F1 on real candles: the days and figures that were found wrong.
#[test]
#[cfg_attr(not(recorded_data), ignore = "needs real data: set TAPEDECK_DATA")]
fn a_recorded_stop_day_is_worth_what_its_fill_brought() {
    let place = Place::new();
    let candles = |symbol: &str| data().join(format!("candles/{symbol}-1d.csv.gz")).display().to_string();
    place.run(&format!("backtest --candles {} --to 2018-09-01 --out o", candles("BTCUSDT"))).well();
    let equity = place.read("o/equity.csv");
    let mut rows = equity.lines();
    let column = rows.next().unwrap().split(',').position(|name| name == "equity").unwrap();
    let row = rows.find(|line| line.starts_with("2018-08-09")).unwrap();
    assert_eq!(d(row.split(',').nth(column).unwrap()).round_dp(2), d("10074.77"), "{row}");

    place.write(
        "link.toml",
        "[limits]\nmax_asset_exposure = \"none\"\nmax_open_risk = \"none\"\n\
         [edges.edge70]\nsizing = { method = \"fixed\", amount = 2000 }\n",
    );
    let link = candles("LINKUSDT");
    let run = format!("backtest --config link.toml --candles {link} --to 2020-03-13 --json");
    let summary = place.run(&run).well().json();
    let number = |key: &str| d(summary[key].as_str().unwrap());
    assert_eq!((&summary["trades_open"], summary["trades_closed"].as_u64() > Some(0)), (&0.into(), true));
    assert_eq!((number("profit").round_dp(2), number("equity").round_dp(2)), (d("4650.83"), d("14650.83")));
    let gained = number("profit") + number("dust_worth") - number("dust_cost");
    assert_eq!((number("equity") - d("10000")).round_dp(6), gained.round_dp(6), "{summary}");
    assert_eq!(number("max_drawdown").round_dp(4), d("0.3156"), "{summary}");
}

/// The very files of cases 3 and 6.
#[test]
#[cfg_attr(not(recorded_data), ignore = "needs real data: set TAPEDECK_DATA")]
fn the_reported_coarse_lot_and_price_filter_cost_nothing() {
    let place = Place::new();
    let run = |name: &str| {
        let folder = data().join("../cases/2026-11").join(name);
        place.run(&format!("backtest --candles {} --json", folder.display())).well().json()
    };
    let figures = |summary: &serde_json::Value| {
        ["requests", "entries", "trades_closed", "trades_open", "alarms"]
            .map(|key| summary[key].as_u64().unwrap_or_else(|| panic!("{key}: {summary}")))
    };
    let one_lot = run("one-lot");
    assert_eq!(figures(&one_lot), [2, 0, 0, 0, 0]);
    assert_eq!(one_lot["refused"]["unsellable"], 2, "{one_lot}");
    assert_eq!(one_lot["equity"], one_lot["starting_equity"]);
    // As without the filter: the stop's limit is raised.
    let percent = run("percent-price");
    assert_eq!(figures(&percent), [2, 2, 1, 1, 0]);
    // 0.985 bought at 101.1 and sold at 147.9, each with slippage and a fee: about 46.
    let profit = d(percent["profit"].as_str().unwrap());
    assert!((d("45")..d("47")).contains(&profit), "{profit}");
}
