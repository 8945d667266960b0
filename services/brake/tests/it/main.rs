//! What is measured, at which figure it stops an account, and what lets it trade again.

use brake::{Brake, Config, Limits, Setting};
use domain::{
    Account, ClientOrderId, Decimal, Direction, Instrument, NewOrder, OrderKind, OrderRequest, Origin,
    PositionSide, Side, Size, Timestamp,
};
use events::*;
use service::Solo;
use std::{collections::BTreeMap, time::Duration};

fn get<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|e| panic!("'{text}': {e:?}"))
}

fn account() -> Account {
    get("binance:main")
}

fn instrument() -> Instrument {
    get("binance:spot:BTCUSDT")
}

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

struct Desk {
    core: Solo<Brake>,
    now: Timestamp,
}

impl Desk {
    fn new(limits: Limits) -> Self {
        Self::with(Setting { limits, state: TradingState::Reducing, release_after_seconds: None })
    }

    fn with(setting: Setting) -> Self {
        let accounts = BTreeMap::from([(account(), setting)]);
        Self { core: Solo::new(Config { accounts }), now: get("2026-03-01T00:00:00Z") }
    }

    fn waits(&mut self, span: Duration) {
        self.now = self.now + span;
    }

    /// What it says, in words.
    fn hear(&mut self, event: impl Into<Event>) -> Option<String> {
        let said = self.core.hear(self.now, event);
        let word = |event: &Event| match event {
            Event::Control(ControlEvent::TradingStateChanged(e)) => {
                assert_eq!((e.account, e.who.as_str()), (Some(account()), "brake"));
                let until = e.until.map_or_else(String::new, |until| format!(" until {until}"));
                format!("{:?}{until}: {}", e.state, e.why)
            }
            other => panic!("{other:?}"),
        };
        assert!(said.len() <= 1);
        said.first().map(word)
    }

    fn valued(&mut self, equity: &str, peak: &str) -> Option<String> {
        let (equity, peak): (Decimal, Decimal) = (get(equity), get(peak));
        self.hear(PortfolioValued {
            account: account(),
            quote: get("USDT"),
            equity,
            cash: equity,
            exposure: Decimal::ZERO,
            peak,
            drawdown: Decimal::ONE - equity / peak,
            holdings: Vec::new(),
        })
    }

    fn closed(&mut self, profit: &str) -> Option<String> {
        self.hear(closed(account(), profit, self.now))
    }

    fn ordered(&mut self) -> Option<String> {
        let order: ClientOrderId = get("o1");
        let request = Box::new(OrderRequest::Single(NewOrder {
            id: order,
            side: Side::Buy,
            kind: OrderKind::Market,
            size: Size::Base(get("1")),
            origin: Origin::Manual { request: get("trade-1") },
            reduce_only: false,
            position_side: PositionSide::Net,
        }));
        self.hear(OrderSubmitted { account: account(), instrument: instrument(), request })
    }

    fn rejected(&mut self) -> Option<String> {
        let (account, instrument, order) = (account(), instrument(), get("o1"));
        let (reason, text, at) = (Rejection::Other, "no".to_owned(), self.now);
        self.hear(OrderRejected { account, instrument, order, reason, code: None, text, at })
    }

    fn owner(&mut self, state: TradingState, until: Option<Timestamp>) -> Option<String> {
        let (account, who, why) = (Some(account()), "owner".to_owned(), "test".to_owned());
        self.hear(TradingStateChanged { account, state, who, why, until })
    }
}

fn closed(account: Account, profit: &str, at: Timestamp) -> TradeClosed {
    TradeClosed {
        trade: get("edge70-BTCUSDT-L-20260301T0000"),
        account,
        instrument: instrument(),
        edge: get("edge70"),
        direction: Direction::Long,
        reason: ExitReason::StopHit,
        quantity: get("1"),
        entry_price: get("100"),
        exit_price: get("100"),
        cost: get("100"),
        proceeds: get::<Decimal>("100") + get::<Decimal>(profit),
        profit: get(profit),
        fees: Vec::new(),
        left: Decimal::ZERO,
        left_cost: Decimal::ZERO,
        left_worth: Decimal::ZERO,
        carried: Decimal::ZERO,
        carried_cost: Decimal::ZERO,
        opened_at: at,
        closed_at: at,
    }
}

fn drawdown() -> Limits {
    Limits { drawdown: Some(get("0.2")), ..Limits::default() }
}

#[test]
fn a_drawdown_stops_at_its_figure_and_not_before_and_says_it_once() {
    let mut desk = Desk::new(drawdown());
    assert_eq!(desk.valued("1000", "1000"), None);
    assert_eq!(desk.valued("800.01", "1000"), None);
    let said = desk.valued("800", "1000");
    assert_eq!(said.as_deref(), Some("Reducing: a drawdown of 20 % (limit: 20 %)"));
    assert_eq!(desk.valued("700", "1000"), None);
}

#[test]
fn what_is_paid_in_or_out_is_no_drawdown() {
    let mut desk = Desk::new(drawdown());
    assert_eq!(desk.valued("1000", "1000"), None);
    assert_eq!(desk.valued("450", "500"), None, "the portfolio scales the peak with a withdrawal");
    assert_eq!(desk.valued("2000", "2000"), None);
    assert!(desk.valued("1600", "2000").is_some());
}

#[test]
fn after_a_person_has_resumed_it_the_drawdown_counts_from_there() {
    let mut desk = Desk::new(drawdown());
    desk.valued("1000", "1000");
    assert!(desk.valued("790", "1000").is_some());
    assert_eq!(desk.owner(TradingState::Active, None), None);
    assert_eq!(desk.valued("640", "1000"), None, "19 % from 790");
    // It has gone up since, and 20 % from there are 640.
    assert_eq!(desk.valued("800", "1000"), None);
    assert_eq!(desk.valued("640.1", "1000"), None);
    let said = desk.valued("640", "1000");
    assert_eq!(said.as_deref(), Some("Reducing: a drawdown of 20 % (limit: 20 %)"));
}

#[test]
fn the_loss_of_a_day_is_that_of_its_closed_trades() {
    let limits = Limits { daily_loss: Some(get("0.05")), ..Limits::default() };
    let mut desk = Desk::new(limits);
    assert_eq!(desk.closed("-500"), None, "nobody knows yet of how much");
    assert!(desk.valued("500", "1000").is_some(), "half of it is gone");
    desk.owner(TradingState::Active, None);
    desk.waits(24 * HOUR);
    desk.valued("1000", "1000");
    assert_eq!(desk.closed("-49.99"), None);
    desk.valued("950.01", "1000");
    assert_eq!(desk.closed("10"), None);
    assert_eq!(desk.closed("-10"), None);
    let said = desk.closed("-0.01");
    assert_eq!(said.as_deref(), Some("Reducing: today's trades have lost 5 % of the account (limit: 5 %)"));
    desk.owner(TradingState::Active, None);
    assert_eq!(desk.closed("-47.4"), None, "from when it was resumed, of what it is worth since");
    assert!(desk.closed("-0.2").is_some(), "5 % of 950.01");
    desk.owner(TradingState::Active, None);
    desk.waits(24 * HOUR);
    assert_eq!(desk.valued("900", "1000"), None, "another day");
    assert_eq!(desk.closed("-44.99"), None);
    assert!(desk.closed("-0.01").is_some(), "5 % of 900");
}

#[test]
fn losing_trades_count_in_a_row() {
    let limits = Limits { losing_trades: Some(3), ..Limits::default() };
    let mut desk = Desk::new(limits);
    for profit in ["-1", "-1", "1", "-1", "0", "-1"] {
        assert_eq!(desk.closed(profit), None);
    }
    let said = desk.closed("-0.01");
    assert_eq!(said.as_deref(), Some("Reducing: 3 losing trades in a row (limit: 3)"));
    desk.owner(TradingState::Active, None);
    assert_eq!(desk.closed("-1"), None);
    assert_eq!(desk.closed("-1"), None);
    assert!(desk.closed("-1").is_some());
}

#[test]
fn orders_count_within_a_minute_and_rejections_within_an_hour() {
    let limits = Limits { orders_per_minute: Some(3), rejected_per_hour: Some(2), ..Limits::default() };
    let mut desk = Desk::new(limits);
    assert_eq!((desk.ordered(), desk.ordered()), (None, None));
    desk.waits(60 * SECOND);
    assert_eq!((desk.ordered(), desk.ordered()), (None, None), "the first two are a minute old");
    desk.waits(59 * SECOND);
    let said = desk.ordered();
    assert_eq!(said.as_deref(), Some("Reducing: 3 orders within a minute (limit: 3)"));
    desk.owner(TradingState::Active, None);
    assert_eq!(desk.rejected(), None);
    desk.waits(HOUR);
    assert_eq!(desk.rejected(), None);
    desk.waits(HOUR - SECOND);
    let said = desk.rejected();
    assert_eq!(said.as_deref(), Some("Reducing: 2 rejected orders within an hour (limit: 2)"));
}

#[test]
fn it_may_let_go_by_itself_and_counts_anew_then() {
    let setting = Setting {
        limits: Limits { losing_trades: Some(2), ..Limits::default() },
        state: TradingState::Halted,
        release_after_seconds: Some(3_600),
    };
    let mut desk = Desk::with(setting);
    assert_eq!(desk.closed("-1"), None);
    let said = desk.closed("-1");
    let words = "Halted until 2026-03-01T01:00:00Z: 2 losing trades in a row (limit: 2)";
    assert_eq!(said.as_deref(), Some(words));
    desk.waits(HOUR - SECOND);
    assert_eq!(desk.closed("-1"), None, "it is said");
    desk.waits(SECOND);
    assert_eq!(desk.closed("-1"), None, "one since");
    assert!(desk.closed("-1").is_some());
}

#[test]
fn it_never_makes_another_word_weaker() {
    let mut desk = Desk::new(drawdown());
    desk.valued("1000", "1000");
    desk.owner(TradingState::Halted, None);
    assert_eq!(desk.valued("700", "1000"), None);
    desk.owner(TradingState::Active, None);
    assert_eq!(desk.valued("700", "1000"), None, "whoever resumed it has seen that");
    assert!(desk.valued("560", "1000").is_some());

    let setting = Setting { limits: drawdown(), state: TradingState::Halted, release_after_seconds: None };
    let mut desk = Desk::with(setting);
    desk.valued("1000", "1000");
    desk.owner(TradingState::Reducing, None);
    assert!(
        desk.valued("700", "1000").is_some_and(|said| said.starts_with("Halted")),
        "and makes it stronger"
    );
}

#[test]
fn accounts_without_limits_are_left_alone() {
    let mut desk = Desk::new(Limits { losing_trades: Some(1), ..Limits::default() });
    assert_eq!(desk.hear(closed(get("binance:other"), "-1", desk.now)), None);
    let mut desk = Desk::new(Limits::default());
    desk.valued("1000", "1000");
    for _ in 0..100 {
        assert_eq!((desk.closed("-9"), desk.ordered(), desk.rejected()), (None, None, None));
    }
    assert_eq!(desk.valued("1", "1000"), None);
}
