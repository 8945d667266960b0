use super::*;
use events::{
    CandleClosed, ExitReason, NakedBecause, PortfolioValued, TradeClosed, TradeExiting, TradeOpened,
    TradeProtected, TradeRequested, TradeUnprotected, TradingState, TradingStateChanged, Uuid,
};
use std::time::Duration;

const TRADE: &str = "edge70-BTCUSDT-L-20240115T0000";

fn at(seconds: u64) -> Timestamp {
    "2024-01-15".parse::<Timestamp>().unwrap() + Duration::from_secs(seconds)
}

fn say(view: &mut View, seconds: u64, event: impl Into<Event>) {
    let source = "test".parse().unwrap();
    let recorded = Recorded {
        position: 1,
        id: Uuid::nil(),
        source,
        cause: None,
        at: at(seconds),
        recorded_at: at(seconds),
        event: event.into(),
    };
    view.see(&recorded);
}

fn opened(view: &mut View) {
    let (account, instrument, edge) = (
        "binance:paper".parse().unwrap(),
        "binance:spot:BTCUSDT".parse().unwrap(),
        "edge70".parse().unwrap(),
    );
    let trade = TRADE.parse().unwrap();
    let requested = TradeRequested {
        trade,
        account,
        instrument,
        edge,
        direction: domain::Direction::Long,
        trigger: "100".parse().unwrap(),
        signal_at: at(0),
        stop: None,
        target: None,
        valid_until: None,
        by: events::RequestedBy::Edge,
    };
    say(view, 0, requested);
    let opened = TradeOpened {
        trade,
        account,
        instrument,
        edge,
        direction: domain::Direction::Long,
        quantity: "0.5".parse().unwrap(),
        price: "100".parse().unwrap(),
        value: "50".parse().unwrap(),
    };
    say(view, 0, opened);
}

fn unprotected(because: NakedBecause) -> TradeUnprotected {
    TradeUnprotected {
        trade: TRADE.parse().unwrap(),
        since: at(0),
        quantity: "0.5".parse().unwrap(),
        because,
        covered: None,
    }
}

fn protected() -> TradeProtected {
    TradeProtected {
        trade: TRADE.parse().unwrap(),
        order: "stop1".parse().unwrap(),
        stop: "85".parse().unwrap(),
        quantity: "0.5".parse().unwrap(),
        without_take_profit: false,
    }
}

fn price(view: &mut View, seconds: u64, price: &str) {
    let price = price.parse().unwrap();
    let candle = events::Candle {
        instrument: "binance:spot:BTCUSDT".parse().unwrap(),
        interval: domain::Interval::ALL[0],
        open_time: at(seconds),
        open: price,
        high: price,
        low: price,
        close: price,
        volume: Decimal::ONE,
    };
    say(view, seconds, CandleClosed { candle });
}

fn shown(view: &View, seconds: u64) -> String {
    let progress = Progress { now: at(seconds), position: 7, candles: 50, of: 200, per_second: 865 };
    view.lines(&progress, 120).join("\n")
}

#[test]
fn an_open_trade_tells_its_price_now_and_its_profit_beside_entry_and_stop() {
    let mut view = View::default();
    opened(&mut view);
    say(&mut view, 0, protected());
    price(&mut view, 3_600, "130");
    let text = shown(&view, 3_600);
    assert!(text.contains("now 130  profit 15 (30 %)  stop 85  0.5 at 100  1h"), "{text}");
    price(&mut view, 7_200, "90");
    assert!(shown(&view, 7_200).contains("now 90  profit -5 (-10 %)  stop 85  0.5 at 100  2h"));
}

#[test]
fn no_stop_for_an_instant_is_not_shouted() {
    let mut view = View::default();
    opened(&mut view);
    say(&mut view, 0, unprotected(NakedBecause::Entered));
    view.pass_to(at(5));
    assert!(shown(&view, 5).contains("no stop yet"));
    say(&mut view, 5, protected());
    view.pass_to(at(100));
    let text = shown(&view, 100);
    assert!(!text.contains("UNPROTECTED") && text.contains("stop 85"), "{text}");
}

#[test]
fn no_stop_that_lasts_is_shouted_once() {
    let mut view = View::default();
    opened(&mut view);
    say(&mut view, 0, unprotected(NakedBecause::Entered));
    for seconds in [11, 12, 13] {
        view.pass_to(at(seconds));
    }
    let text = shown(&view, 13);
    assert_eq!(text.matches("UNPROTECTED since 2024-01-15 00:00").count(), 1, "{text}");
    assert!(text.contains("now –  profit – (–)  UNPROTECTED"), "{text}");
}

#[test]
fn a_refused_stop_is_shouted_at_once() {
    let mut view = View::default();
    opened(&mut view);
    say(&mut view, 0, unprotected(NakedBecause::StopRejected));
    let text = shown(&view, 0);
    assert!(text.contains("UNPROTECTED since") && text.contains("the venue refused the stop"), "{text}");
}

#[test]
fn trading_is_shown_as_it_is() {
    let mut view = View::default();
    assert!(shown(&view, 0).contains("trading active"));
    let mut change = TradingStateChanged {
        account: None,
        state: TradingState::Halted,
        who: "owner".to_owned(),
        why: "test".to_owned(),
        until: Some(at(3_600)),
    };
    say(&mut view, 0, change.clone());
    let text = shown(&view, 10);
    assert!(text.contains("trading HALTED until 2024-01-15 01:00"), "{text}");
    assert!(shown(&view, 3_600).contains("trading active"), "until then, and active again from there on");
    change.account = Some("binance:paper".parse().unwrap());
    (change.state, change.until) = (TradingState::Reducing, None);
    say(&mut view, 0, change);
    assert!(shown(&view, 10).contains("trading REDUCING on binance:paper"));
}

#[test]
fn what_is_over_is_counted_and_taken_away() {
    let mut view = View::default();
    opened(&mut view);
    let trade = TRADE.parse().unwrap();
    say(&mut view, 1, TradeExiting { trade, reason: ExitReason::Requested, at_most: None });
    assert!(shown(&view, 1).contains("leaving"));
    let hundred = Decimal::ONE_HUNDRED;
    let closed = TradeClosed {
        trade,
        account: "binance:paper".parse().unwrap(),
        instrument: "binance:spot:BTCUSDT".parse().unwrap(),
        edge: "edge70".parse().unwrap(),
        direction: domain::Direction::Long,
        reason: ExitReason::Requested,
        quantity: Decimal::ONE,
        entry_price: hundred,
        exit_price: hundred,
        cost: hundred,
        proceeds: hundred,
        profit: "2.5".parse().unwrap(),
        fees: Vec::new(),
        left: Decimal::ZERO,
        left_cost: Decimal::ZERO,
        left_worth: Decimal::ZERO,
        carried: Decimal::ZERO,
        carried_cost: Decimal::ZERO,
        opened_at: at(0),
        closed_at: at(1),
    };
    say(&mut view, 1, closed);
    let text = shown(&view, 2);
    assert!(text.contains("open 0  closed 1 (1 won)  profit 2.5  position 7"), "{text}");
    assert!(!text.contains("0.5 at 100"), "{text}");
}

fn valued(account: &str, quote: &str, equity: u32, drawdown: &str) -> PortfolioValued {
    PortfolioValued {
        account: account.parse().unwrap(),
        quote: quote.parse().unwrap(),
        equity: equity.into(),
        cash: equity.into(),
        exposure: Decimal::ZERO,
        peak: equity.into(),
        drawdown: drawdown.parse().unwrap(),
        holdings: Vec::new(),
    }
}

#[test]
fn the_equity_is_that_of_all_accounts() {
    let mut view = View::default();
    assert!(shown(&view, 0).contains("equity –  drawdown 0 %"));
    say(&mut view, 0, valued("binance:paper", "USDT", 900, "0.1"));
    assert!(shown(&view, 0).contains("equity 900 USDT  drawdown 10 %"));
    say(&mut view, 1, valued("binance:main", "USDT", 100, "0"));
    assert!(shown(&view, 1).contains("equity 1000 USDT on 2 accounts  drawdown 10 % at worst"));
    say(&mut view, 2, valued("binance:small", "BTC", 2, "0.25"));
    let text = shown(&view, 2);
    assert!(text.contains("equity 2 BTC + 1000 USDT on 3 accounts  drawdown 25 % at worst"), "{text}");
}

#[test]
fn it_fits_a_terminal_of_any_width() {
    let mut view = View::default();
    say(&mut view, 0, valued("binance:paper", "USDT", 100, "0"));
    let progress = Progress { now: at(0), position: 7, candles: 50, of: 200, per_second: 865 };
    assert_eq!(view.lines(&progress, 20)[0], " 50/200 candles,     865/s");
    let wide = &view.lines(&progress, 120)[0];
    assert_eq!(wide.chars().count(), 120, "{wide}");
    assert_eq!(wide.matches('█').count(), 23, "{wide}");
}

#[test]
fn the_status_line_is_broken_where_the_terminal_is_narrow_and_whole_where_it_is_wide() {
    let view = View::default();
    let progress = Progress { now: at(0), position: 5, candles: 1, of: 0, per_second: 0 };
    let line = view.line(&progress);
    for width in [200, line.chars().count()] {
        assert_eq!(view.lines(&progress, width)[1], line);
    }
    for width in [40, 79] {
        let lines = view.lines(&progress, width);
        assert!(lines.len() > 2 && lines.iter().all(|line| line.chars().count() <= width), "{lines:?}");
        let shown = lines[1..].iter().map(|line| line.trim()).collect::<Vec<_>>().join("  ");
        assert_eq!(shown, line, "nothing is cut off");
    }
}
