//! Orders per second through the core alone, from two thousand to a million: there must be no slope.
//!
//! `cargo bench -p position-tracker`. A buy and a sale by turns, three facts an order, 100 orders a
//! minute, so that all of a million fall within seven days and are kept.

use domain::{
    Decimal, Ending, Filled, InstrumentRules, Leg, NewOrder, OrderKind, OrderRequest, Origin, PositionSide,
    Price, Quantity, Side, Size, Timestamp, TradeId,
};
use events::*;
use position_tracker::{Config, PositionTracker, State};
use service::Service;
use std::time::{Duration, Instant};

fn main() {
    // `cargo test --all-targets` runs this without `--bench`: then it only has to work.
    let full = std::env::args().any(|arg| arg == "--bench");
    let sizes: &[u32] = if full { &[2_000, 10_000, 100_000, 1_000_000] } else { &[100] };
    println!("{:>9}  {:>12}  {:>12}  {:>16}", "orders", "events/s", "orders/s", "last 1,000: /s");
    for &orders in sizes {
        let (took, last) = run(orders);
        let per_second = |n: f64, took: Duration| n / took.as_secs_f64();
        println!(
            "{orders:>9}  {:>12.0}  {:>12.0}  {:>16.0}",
            per_second(f64::from(orders) * 4.0, took),
            per_second(f64::from(orders), took),
            per_second(f64::from(orders.min(1_000)), last),
        );
    }
}

/// The time that the core took for all orders, and for the last thousand.
fn run(orders: u32) -> (Duration, Duration) {
    let tracker = PositionTracker::new(Config::default());
    let mut state = State::default();
    tracker.apply(&mut state, Timestamp::ZERO, &listed());
    let (mut took, mut last) = (Duration::ZERO, Duration::ZERO);
    for n in 0..orders {
        let now = Timestamp::from_millis(i64::from(n) * 600);
        let life = life(n, now);
        let mut said_in_all = 0;
        let start = Instant::now();
        for event in &life {
            tracker.apply(&mut state, now, event);
            for said in tracker.decide(&state, now, event) {
                tracker.apply(&mut state, now, &said);
                said_in_all += 1;
            }
        }
        let spent = start.elapsed();
        assert_eq!(said_in_all, 1);
        took += spent;
        if n + 1_000 >= orders {
            last += spent;
        }
    }
    (took, last)
}

fn listed() -> Event {
    let rules = InstrumentRules::open(
        "BTC".parse().unwrap(),
        "USDT".parse().unwrap(),
        Decimal::new(1, 2),
        Decimal::new(1, 5),
        Decimal::from(5),
    );
    InstrumentListed { instrument: "paper:spot:BTCUSDT".parse().unwrap(), rules: Box::new(rules) }.into()
}

fn life(n: u32, now: Timestamp) -> Vec<Event> {
    let account = "paper:main".parse().unwrap();
    let instrument = "paper:spot:BTCUSDT".parse().unwrap();
    let trade = TradeId::new(&format!("edge70-BTCUSDT-L-{n}")).unwrap();
    let order = ids::leg_id(Uuid::from_u128(1), &account, &trade, Leg::Entry, 1);
    let venue_order = n.to_string().parse().unwrap();
    let (price, quantity): (Price, Quantity) = ("100.25".parse().unwrap(), "0.5".parse().unwrap());
    let quote = price.get() * quantity.get();
    let side = if n.is_multiple_of(2) { Side::Buy } else { Side::Sell };
    let origin = Origin::Trade { trade, leg: Leg::Entry, attempt: 1 };
    let intent = NewOrder {
        id: order,
        side,
        kind: OrderKind::Market,
        size: Size::Base(quantity),
        origin,
        reduce_only: false,
        position_side: PositionSide::Net,
    };
    let fill = OrderFilled {
        account,
        instrument,
        order,
        venue_order,
        venue_trade: n.to_string().parse().unwrap(),
        side,
        price,
        quantity,
        quote,
        fee: Some(Fee { asset: "BNB".parse().unwrap(), amount: Decimal::new(1, 4) }),
        maker: false,
        at: now,
    };
    let done = OrderDone {
        account,
        instrument,
        order,
        origin: Some(origin),
        ending: Ending::Filled,
        filled: Filled { quantity: quantity.get(), quote },
        fees: Vec::new(),
        rejection: None,
        text: String::new(),
    };
    let submitted = OrderSubmitted { account, instrument, request: Box::new(OrderRequest::Single(intent)) };
    vec![submitted.into(), fill.into(), done.into()]
}
