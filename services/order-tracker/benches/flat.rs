//! Orders per second through the core alone, from two thousand to a million: there must be no slope.
//!
//! `cargo bench -p order-tracker`. Four facts and one `OrderDone` an order, 100 orders a minute, so
//! that all of a million fall within seven days and are kept.

use domain::{
    Ending, Filled, Leg, NewOrder, OrderKind, OrderRequest, Origin, PositionSide, Side, Size, Timestamp,
    TradeId,
};
use events::*;
use order_tracker::{Config, OrderTracker};
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
            per_second(f64::from(orders) * 5.0, took),
            per_second(f64::from(orders), took),
            per_second(f64::from(orders.min(1_000)), last),
        );
    }
}

/// The time that the core took for all orders, and for the last thousand.
fn run(orders: u32) -> (Duration, Duration) {
    let tracker = OrderTracker::new(Config::default());
    let mut state = Default::default();
    let (mut took, mut last) = (Duration::ZERO, Duration::ZERO);
    for n in 0..orders {
        let now = Timestamp::from_millis(i64::from(n) * 600);
        let mut life = life(n, now);
        life.extend(n.is_multiple_of(100).then(|| TimePassed { now }.into()));
        let mut done = 0;
        let start = Instant::now();
        for event in &life {
            tracker.apply(&mut state, now, event);
            for said in tracker.decide(&state, now, event) {
                tracker.apply(&mut state, now, &said);
                done += 1;
            }
        }
        let spent = start.elapsed();
        assert_eq!(done, 1);
        took += spent;
        if n + 1_000 >= orders {
            last += spent;
        }
    }
    (took, last)
}

fn life(n: u32, now: Timestamp) -> Vec<Event> {
    let account = "paper:main".parse().unwrap();
    let instrument = "paper:spot:BTCUSDT".parse().unwrap();
    let trade = TradeId::new(&format!("edge70-BTCUSDT-L-{n}")).unwrap();
    let order = ids::leg_id(Uuid::from_u128(1), &account, &trade, Leg::Entry, 1);
    let venue_order = n.to_string().parse().unwrap();
    let (price, quantity) =
        ("100.25".parse::<domain::Price>().unwrap(), "0.5".parse::<domain::Quantity>().unwrap());
    let quote = price.get() * quantity.get();
    let intent = NewOrder {
        id: order,
        side: Side::Buy,
        kind: OrderKind::Market,
        size: Size::Base(quantity),
        origin: Origin::Trade { trade, leg: Leg::Entry, attempt: 1 },
        reduce_only: false,
        position_side: PositionSide::Net,
    };
    vec![
        OrderSubmitted { account, instrument, request: Box::new(OrderRequest::Single(intent)) }.into(),
        OrderAccepted { account, instrument, order, venue_order, at: now }.into(),
        OrderFilled {
            account,
            instrument,
            order,
            venue_order,
            venue_trade: n.to_string().parse().unwrap(),
            side: Side::Buy,
            price,
            quantity,
            quote,
            fee: Some(Fee { asset: "BNB".parse().unwrap(), amount: "0.0001".parse().unwrap() }),
            maker: false,
            at: now,
        }
        .into(),
        OrderEnded {
            account,
            instrument,
            order,
            venue_order,
            ending: Ending::Filled,
            filled: Filled { quantity: quantity.get(), quote },
            at: now,
        }
        .into(),
    ]
}
