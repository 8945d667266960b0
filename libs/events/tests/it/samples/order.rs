//! Orders, from the intent to their end.

use super::{account, all, at, d, market::btc, one, v};
use crate::every;
use domain::{ClientOrderId, Filled, NewOco, NewOrder, OrderKind, OrderRequest, PositionSide, Side, Size};
use events::*;

pub fn samples(kind: Kind) -> Vec<Event> {
    let (account, instrument, order) = (account(), btc(), id());
    match kind {
        Kind::OrderSubmitted => {
            all(requests(), |request| OrderSubmitted { account, instrument, request: Box::new(request) })
        }
        Kind::OrderAttempted => one(OrderAttempted {
            account,
            instrument,
            request: order,
            attempt: 1,
            timestamp: at(1_000),
            recv_window_ms: 5_000,
        }),
        Kind::OrderAccepted => {
            one(OrderAccepted { account, instrument, order, venue_order: v("28457"), at: at(2_000) })
        }
        Kind::OrderRejected => {
            let rejected = |reason, code| OrderRejected {
                account,
                instrument,
                order,
                reason,
                code,
                text: "Filter failure: PRICE_FILTER".into(),
                at: at(2_000),
            };
            let by_reason = all(every::rejections(), |reason| rejected(reason, Some(-1013)));
            by_reason.into_iter().chain(one(rejected(Rejection::Other, None))).collect()
        }
        Kind::OrderRefused => {
            one(OrderRefused { account, instrument, order, text: "trading is halted".into() })
        }
        Kind::OrderFilled => {
            let fee = Some(Fee { asset: v("BNB"), amount: d("0.00021000") });
            let filled = |(side, fee, maker)| OrderFilled {
                account,
                instrument,
                order,
                venue_order: v("28457"),
                venue_trade: v("56789"),
                side,
                price: v("42000.10"),
                quantity: v("0.00500000"),
                quote: d("210.00050000"),
                fee,
                maker,
                at: at(2_001),
            };
            let kinds = every::sides().into_iter().flat_map(|side| [(side, fee, false), (side, None, true)]);
            all(kinds, filled)
        }
        Kind::OrderEnded => all(every::endings(), |ending| OrderEnded {
            account,
            instrument,
            order,
            venue_order: v("28457"),
            ending,
            filled: filled(),
            at: at(2_002),
        }),
        Kind::OrderAmended => all([id(), v("pe00000000000000000001")], |renamed| OrderAmended {
            account,
            instrument,
            order,
            renamed,
            venue_order: v("28457"),
            execution: 12_345,
            quantity: v("0.00200000"),
            at: at(2_001),
        }),
        Kind::OrderUnknown => one(OrderUnknown {
            account,
            instrument,
            request: order,
            attempt: 2,
            text: "no answer in 10 s".into(),
        }),
        Kind::OrderAbsent => one(OrderAbsent { account, instrument, order }),
        Kind::CancelRequested => one(CancelRequested { account, instrument, order, request: 1 }),
        Kind::CancelAttempted => one(CancelAttempted {
            account,
            instrument,
            order,
            attempt: 1,
            timestamp: at(3_000),
            recv_window_ms: 5_000,
        }),
        Kind::CancelRejected => all([Some(-2011), None], |code| CancelRejected {
            account,
            instrument,
            order,
            code,
            text: "Unknown order sent.".into(),
            at: at(3_001),
        }),
        Kind::OrderDone => dones(),
        Kind::OrderStuck => all(every::waits(), |waiting_for| OrderStuck {
            account,
            instrument,
            order,
            waiting_for,
            since: at(0),
        }),
        other => unreachable!("{} has its samples elsewhere", other.name()),
    }
}

/// Every order type, size, origin, side and position side; and an OCO.
fn requests() -> Vec<OrderRequest> {
    let plain = NewOrder {
        id: id(),
        side: Side::Buy,
        kind: OrderKind::Market,
        size: Size::Base(v("0.005")),
        origin: every::origins()[0],
        reduce_only: false,
        position_side: PositionSide::Net,
    };
    let mut orders = vec![plain];
    orders.extend(every::order_kinds().into_iter().map(|kind| NewOrder { kind, ..plain }));
    orders.extend(every::sizes().into_iter().map(|size| NewOrder { size, ..plain }));
    orders.extend(every::origins().into_iter().map(|origin| NewOrder { origin, ..plain }));
    orders.extend(every::sides().into_iter().map(|side| NewOrder { side, reduce_only: true, ..plain }));
    orders
        .extend(every::position_sides().into_iter().map(|position_side| NewOrder { position_side, ..plain }));
    let [first, second] = [orders[4], orders[5]];
    let oco = NewOco { list: v("td-list"), above: first, below: NewOrder { id: v("td-below"), ..second } };
    orders.into_iter().map(OrderRequest::Single).chain([OrderRequest::Oco(oco)]).collect()
}

fn dones() -> Vec<Event> {
    let done = OrderDone {
        account: account(),
        instrument: btc(),
        order: id(),
        origin: None,
        ending: domain::Ending::Filled,
        filled: filled(),
        fees: vec![
            Fee { asset: v("BNB"), amount: d("0.0002") },
            Fee { asset: v("BTC"), amount: d("0.000005") },
        ],
        rejection: None,
        text: String::new(),
    };
    let nothing = OrderDone { filled: Filled::default(), fees: Vec::new(), ..done.clone() };
    let mut dones = vec![done.clone()];
    dones.extend(every::endings().into_iter().map(|ending| OrderDone { ending, ..done.clone() }));
    dones.extend(
        every::origins().into_iter().map(|origin| OrderDone { origin: Some(origin), ..done.clone() }),
    );
    dones.extend(every::rejections().into_iter().map(|rejection| OrderDone {
        ending: domain::Ending::Rejected,
        rejection: Some(rejection),
        text: "-2010 Stop price would trigger immediately.".into(),
        ..nothing.clone()
    }));
    dones.into_iter().map(Event::from).collect()
}

fn id() -> ClientOrderId {
    v("td0123456789abcdefghijklmnop")
}

fn filled() -> Filled {
    Filled { quantity: d("0.00500000"), quote: d("210.00050000") }
}
