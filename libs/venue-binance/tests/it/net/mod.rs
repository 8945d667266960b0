//! The client against a scripted server on 127.0.0.1.

mod account;
mod books;
mod clock;
mod exchange;
mod info;
mod limits;
mod look_up;
mod orders;
mod server;
mod streams;
mod user_data;
mod ws_api;

use domain::{
    Account, ClientOrderId, Instrument, NewOco, NewOrder, OrderKind, OrderRequest, Origin, PositionSide,
    Side, Size, TimeInForce, Timestamp, TradeId,
};
use events::{Event, OrderEvent};
use server::Server;
use std::{
    future::Future,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use venue::{Outcome, Stamp};
use venue_binance::{
    net::{Endpoints, Keys, Rest, Setup, Timeouts},
    sign::Signer,
};

const SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";

/// Short, so that what waits for a deadline is quick, and long enough for a machine that is busy.
fn timeouts() -> Timeouts {
    Timeouts {
        connect: Duration::from_secs(2),
        answer: Duration::from_secs(2),
        limits: Duration::from_secs(5),
        silence: Duration::from_secs(5),
        first_pause: Duration::from_millis(10),
        longest_pause: Duration::from_millis(200),
        linger: Duration::from_millis(100),
        ..Timeouts::default()
    }
}

fn setup(server: &Server) -> Setup {
    let keys = Keys { api_key: "key".to_owned(), signer: Signer::from_secret(SECRET).unwrap() };
    Setup { timeouts: timeouts(), ..Setup::new(Endpoints::local(server.address), Some(keys)) }
}

fn client(server: &Server) -> Rest {
    Rest::new(setup(server)).unwrap()
}

/// With a deadline for everything.
fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let deadline = Duration::from_secs(60);
    runtime.block_on(async { tokio::time::timeout(deadline, test).await.expect("within a minute") })
}

fn account() -> Account {
    "binance:main".parse().unwrap()
}

fn btc() -> Instrument {
    "binance:spot:BTCUSDT".parse().unwrap()
}

fn id(text: &str) -> ClientOrderId {
    text.parse().unwrap()
}

fn machine() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_micros(since.as_micros() as i64)
}

fn stamp() -> Stamp {
    Stamp { timestamp: machine(), recv_window_ms: 5_000 }
}

fn order(name: &str) -> NewOrder {
    NewOrder {
        id: id(name),
        side: Side::Buy,
        kind: OrderKind::Limit { price: "100".parse().unwrap(), time_in_force: TimeInForce::Gtc },
        size: Size::Base("0.5".parse().unwrap()),
        origin: Origin::Manual { request: TradeId::new("t").unwrap() },
        reduce_only: false,
        position_side: PositionSide::Net,
    }
}

fn single() -> OrderRequest {
    OrderRequest::Single(order("a"))
}

fn oco() -> OrderRequest {
    let leg = |name, kind| NewOrder { side: Side::Sell, kind, ..order(name) };
    OrderRequest::Oco(NewOco {
        list: id("list"),
        above: leg("above", OrderKind::LimitMaker { price: "120".parse().unwrap() }),
        below: leg("below", OrderKind::StopLoss { stop: "80".parse().unwrap() }),
    })
}

/// An outcome in one line.
fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Facts(events) => events.iter().map(fact).collect::<Vec<_>>().join(" / "),
        Outcome::NotFound { .. } => "not found".to_owned(),
        Outcome::TryAgain { after, .. } => format!("try again after {} s", after.as_secs_f64().round()),
        Outcome::Unknown { .. } => "unknown".to_owned(),
        Outcome::Fatal { .. } => "fatal".to_owned(),
    }
}

fn text(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::TryAgain { text, .. } | Outcome::Unknown { text } | Outcome::Fatal { text } => text,
        Outcome::Facts(_) | Outcome::NotFound { .. } => "",
    }
}

fn fact(event: &Event) -> String {
    let Event::Order(event) = event else { return format!("{event:?}") };
    match event {
        OrderEvent::Accepted(e) => format!("{} accepted as {}", e.order, e.venue_order),
        OrderEvent::Amended(e) => format!("{} amended to {} {}", e.order, e.renamed, e.quantity),
        OrderEvent::Rejected(e) => format!("{} rejected {:?} {:?} {}", e.order, e.reason, e.code, e.text),
        OrderEvent::Filled(e) => format!("{} filled {} @ {}", e.order, e.quantity, e.price),
        OrderEvent::Ended(e) => format!("{} {} with {}", e.order, e.ending.as_str(), e.filled.quantity),
        OrderEvent::CancelRejected(e) => format!("{} cancel rejected {:?} {}", e.order, e.code, e.text),
        other => format!("{other:?}"),
    }
}
