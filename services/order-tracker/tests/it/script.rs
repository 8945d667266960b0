//! A script of facts about orders, and the log that it must give.

use domain::{
    Account, ClientOrderId, Decimal, Ending, Filled, Instrument, Leg, NewOco, NewOrder, OrderKind,
    OrderRequest, Origin, PositionSide, Side, Size, Timestamp, TradeId,
};
use events::*;
use order_tracker::{Config, OrderTracker};
use service::Solo;

/// Hears `script`, one fact a line, and must say `log`, one event a line:
///
/// - `submit a`, `manual a`, `list l a b`: one of ours by a trade, by hand, an OCO list
/// - `attempt a 1`, `unknown a 1`, `accept a #7`, `reject a`, `refuse a`, `absent a`, `cancel a`
/// - `amend a b #7 0.2`: the order called a is called b from now on
/// - `fill a #7 t1 0.5 @ 100 [fee 0.1 BNB]`, `end a #7 canceled 0.5`
/// - `time 60`: it is now that many seconds after the start; `at 60`: it is so, and nobody is told
#[track_caller]
pub fn check(script: &str, log: &str) {
    let (_, said) = hear(script);
    let wanted: Vec<&str> = log.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(said, wanted);
}

pub fn hear(script: &str) -> (Solo<OrderTracker>, Vec<String>) {
    let mut core = Solo::new(Config { stuck_after_seconds: 60, keep_done_days: 7 });
    let mut now = Timestamp::ZERO;
    let mut said = Vec::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["at" | "time", seconds] = words[..] {
            now = at(seconds.parse().unwrap());
        }
        if words[0] != "at" {
            said.extend(core.hear(now, fact(line, now)).iter().map(written));
        }
    }
    (core, said)
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

pub fn fact(line: &str, now: Timestamp) -> Event {
    let (account, instrument) = home();
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["time", _] => TimePassed { now }.into(),
        ["submit", id] => submitted(OrderRequest::Single(ours(id, Leg::Entry))),
        ["manual", id] => {
            let origin = Origin::Manual { request: TradeId::new("by-hand").unwrap() };
            submitted(OrderRequest::Single(NewOrder { origin, ..ours(id, Leg::Entry) }))
        }
        ["list", list, above, below] => submitted(OrderRequest::Oco(NewOco {
            list: name(list),
            above: ours(above, Leg::TakeProfit),
            below: ours(below, Leg::Stop),
        })),
        ["attempt", id, n] => {
            let (request, attempt) = (name(id), n.parse().unwrap());
            OrderAttempted { account, instrument, request, attempt, timestamp: now, recv_window_ms: 5_000 }
                .into()
        }
        ["unknown", id, n] => {
            let (request, attempt) = (name(id), n.parse().unwrap());
            OrderUnknown { account, instrument, request, attempt, text: "timeout".into() }.into()
        }
        ["accept", id, venue] => OrderAccepted {
            account,
            instrument,
            order: name(id),
            venue_order: venue.parse().unwrap(),
            at: now,
        }
        .into(),
        ["amend", id, renamed, venue, quantity] => OrderAmended {
            account,
            instrument,
            order: name(id),
            renamed: name(renamed),
            venue_order: venue.parse().unwrap(),
            execution: u64::try_from(now.millis()).unwrap(),
            quantity: quantity.parse().unwrap(),
            at: now,
        }
        .into(),
        ["reject", id] => OrderRejected {
            account,
            instrument,
            order: name(id),
            reason: Rejection::InsufficientBalance,
            code: Some(-2010),
            text: "no money".into(),
            at: now,
        }
        .into(),
        ["refuse", id] => OrderRefused { account, instrument, order: name(id), text: "halted".into() }.into(),
        ["absent", id] => OrderAbsent { account, instrument, order: name(id) }.into(),
        ["keep", id, ref code @ ..] => CancelRejected {
            account,
            instrument,
            order: name(id),
            code: code.first().map(|code| code.parse().unwrap()),
            text: String::new(),
            at: now,
        }
        .into(),
        ["cancel", id] => CancelRequested { account, instrument, order: name(id), request: 1 }.into(),
        ["fill", id, venue, trade, quantity, "@", price, ref fee @ ..] => {
            let (price, quantity): (domain::Price, domain::Quantity) =
                (price.parse().unwrap(), quantity.parse().unwrap());
            let fee = match *fee {
                ["fee", amount, asset] => Some(Fee { asset: asset.parse().unwrap(), amount: d(amount) }),
                _ => None,
            };
            OrderFilled {
                account,
                instrument,
                order: name(id),
                venue_order: venue.parse().unwrap(),
                venue_trade: trade.parse().unwrap(),
                side: Side::Buy,
                price,
                quantity,
                quote: price.get() * quantity.get(),
                fee,
                maker: false,
                at: now,
            }
            .into()
        }
        ["end", id, venue, ending, quantity] => OrderEnded {
            account,
            instrument,
            order: name(id),
            venue_order: venue.parse().unwrap(),
            ending: match ending {
                "filled" => Ending::Filled,
                "canceled" => Ending::Canceled,
                "expired" => Ending::Expired,
                other => panic!("no ending: {other}"),
            },
            filled: Filled { quantity: d(quantity), quote: Decimal::ZERO },
            at: now,
        }
        .into(),
        _ => panic!("no fact: {line}"),
    }
}

fn written(event: &Event) -> String {
    match event {
        Event::Order(OrderEvent::Done(e)) => {
            let origin = match e.origin {
                Some(Origin::Trade { leg, .. }) => leg.as_str(),
                Some(Origin::Manual { .. }) => "manual",
                None => "foreign",
            };
            let fees: String =
                e.fees.iter().map(|fee| format!(" fee {} {}", fee.amount, fee.asset)).collect();
            let why = if e.text.is_empty() { String::new() } else { format!(" ({})", e.text) };
            let Filled { quantity, quote } = e.filled;
            format!("done {origin} {} {} {quantity} for {quote}{fees}{why}", e.order, e.ending.as_str())
        }
        Event::Order(OrderEvent::Stuck(e)) => {
            format!("stuck {} {:?} since {}", e.order, e.waiting_for, e.since.millis() / 1_000)
        }
        Event::Time(TimeEvent::WakeAsked(e)) => format!("wake {}", e.at.millis() / 1_000),
        other => panic!("it should not say {other:?}"),
    }
}

pub fn home() -> (Account, Instrument) {
    ("paper:main".parse().unwrap(), "paper:spot:BTCUSDT".parse().unwrap())
}

pub fn submitted(request: OrderRequest) -> Event {
    let (account, instrument) = home();
    OrderSubmitted { account, instrument, request: Box::new(request) }.into()
}

pub fn ours(id: &str, leg: Leg) -> NewOrder {
    NewOrder {
        id: name(id),
        side: Side::Buy,
        kind: OrderKind::Market,
        size: Size::Base("1".parse().unwrap()),
        origin: Origin::Trade { trade: TradeId::new("trade-1").unwrap(), leg, attempt: 1 },
        reduce_only: false,
        position_side: PositionSide::Net,
    }
}

pub fn name(id: &str) -> ClientOrderId {
    ClientOrderId::new(id).unwrap()
}

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}
