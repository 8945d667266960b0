//! The unit around the exchange: requests, windows, whose orders they are, and what it forgets.

use crate::suite::script::{Run, START, Setup, account, check, get, new_order, rules, spot};
use domain::{Decimal, Filled, OrderKind, OrderRequest, Side, Size};
use events::{
    CancelAttempted, Event, InstrumentListed, OrderAbsent, OrderAttempted, OrderRefused, OrderSubmitted,
};
use service::{Service, Solo};
use venue_paper::{VenuePaper, engine::Standing};

#[test]
fn a_request_reaches_the_venue_when_it_is_attempted_not_when_it_is_submitted() {
    check(
        "submit buy 2 limit 90
         candle 1h 100 100 80 100
         send o1
         → o1 accepted
         open o1",
    );
}

#[test]
fn a_request_outside_its_window_has_no_effect_and_may_come_again() {
    check(
        "submit buy 2 limit 90
         send o1 late 5001ms
         → o1 rejected -1021 outside_window: Timestamp for this request is outside of the recvWindow.
         open
         send o1 ahead 1s
         → o1 rejected -1021 outside_window: Timestamp for this request was 1000ms ahead of the server's time.
         send o1 late 5s
         → o1 accepted
         = USDT 820+180",
    );
}

#[test]
fn an_oco_outside_its_window_is_rejected_leg_by_leg_and_may_come_again() {
    check(
        "submit oco sell 1 above maker 110 below stop 95
         send l1 late 6s
         → o1 rejected -1021 outside_window: Timestamp for this request is outside of the recvWindow. / o2 rejected -1021 outside_window: Timestamp for this request is outside of the recvWindow.
         send l1
         → o1 accepted / o2 accepted",
    );
}

#[test]
fn a_request_that_arrives_twice_is_told_so_and_executed_once() {
    check(
        "buy 2 limit 90
         → o1 accepted
         send o1
         → o1 rejected -2010 duplicate_id: Duplicate order sent.
         candle 1h 100 100 89 100
         → o1 filled 2 @ 90 maker / o1 ended filled 2 for 180
         send o1
         → o1 rejected - other: no request of this id is waiting to be sent",
    );
}

#[test]
fn a_request_that_will_never_be_sent_is_forgotten() {
    check(
        "submit buy 2 limit 90
         refuse o1
         send o1
         → o1 rejected - other: no request of this id is waiting to be sent
         submit oco sell 1 above maker 110 below stop 95
         submit buy 2 limit 80
         absent o3
         send l1
         → l1 rejected - other: no request of this id is waiting to be sent
         # The other one waits as before.
         send o4
         → o4 accepted",
    );
}

#[test]
fn a_late_cancel_has_no_effect() {
    let mut solo = market();
    hear_order(&mut solo, new_limit_buy());
    let cancel = CancelAttempted {
        account: account(),
        instrument: spot("BTCUSDT"),
        order: get("x"),
        attempt: 1,
        timestamp: START - std::time::Duration::from_secs(6),
        recv_window_ms: 5_000,
    };
    let said = solo.hear(START, cancel);
    let [Event::Order(events::OrderEvent::CancelRejected(e))] = &said[..] else { panic!("{said:?}") };
    assert_eq!(e.code, Some(-1021));
    assert_eq!(solo.state.exchange.open_orders().count(), 1);
}

#[test]
fn orders_of_another_account_are_none_of_its_business() {
    let mut solo = market();
    let other = get("binance:real");
    let request = OrderRequest::Single(new_limit_buy());
    let (instrument, id) = (spot("BTCUSDT"), request.id());
    let submitted = OrderSubmitted { account: other, instrument, request: Box::new(request) };
    assert_eq!(solo.hear(START, submitted), []);
    let attempted = OrderAttempted {
        account: other,
        instrument,
        request: id,
        attempt: 1,
        timestamp: START,
        recv_window_ms: 5_000,
    };
    assert_eq!(solo.hear(START, attempted), []);
    // An order of that id of its own is neither put there nor taken away by them.
    let ours = |solo: &mut Solo<VenuePaper>| {
        let said = solo.hear(START, OrderAttempted { account: account(), ..attempted });
        said.iter().filter_map(crate::suite::script::written).collect::<Vec<_>>()
    };
    assert_eq!(ours(&mut solo), ["x rejected - other: no request of this id is waiting to be sent"]);
    let request = Box::new(OrderRequest::Single(new_limit_buy()));
    solo.hear(START, OrderSubmitted { account: account(), instrument, request });
    solo.hear(START, attempted);
    solo.hear(START, OrderRefused { account: other, instrument, order: id, text: "halted".to_owned() });
    solo.hear(START, OrderAbsent { account: other, instrument, order: id });
    assert_eq!(ours(&mut solo), ["x accepted", "quote?"]);
    let cancel = CancelAttempted {
        account: other,
        instrument,
        order: id,
        attempt: 1,
        timestamp: START,
        recv_window_ms: 5_000,
    };
    assert_eq!(solo.hear(START, cancel), []);
    assert_eq!(solo.state.exchange.open_orders().count(), 1);
}

#[test]
fn an_order_without_a_stop_is_not_refused_for_too_many_stops() {
    let mut run = Run::new(Setup::default().config);
    let most = |max_algo_orders| domain::InstrumentRules { max_algo_orders, ..rules("BTC", "USDT") };
    run.list("BTCUSDT", most(Some(2)));
    run.line("candle 1h 100 100 100 100");
    run.line("sell 1 stop 90");
    run.line("sell 1 stop 90");
    run.list("BTCUSDT", most(Some(1)));
    assert_eq!(run.line("buy 1 limit 90"), ["o3 accepted"]);
}

#[test]
fn the_legs_of_an_oco_are_of_one_side_and_quantity() {
    for (side, quantity) in [(Side::Buy, "1"), (Side::Sell, "2")] {
        let mut run = Run::new(Setup::default().config);
        run.list("BTCUSDT", rules("BTC", "USDT"));
        run.line("candle 1h 100 100 100 100");
        let above =
            new_order("a", Side::Sell, Size::Base(get("1")), OrderKind::LimitMaker { price: get("110") });
        let below = new_order("b", side, Size::Base(get(quantity)), OrderKind::StopLoss { stop: get("95") });
        run.submit(OrderRequest::Oco(domain::NewOco { list: get("l"), above, below }));
        let text = "rejected - other: both legs of an OCO must have the same side and quantity";
        assert_eq!(run.send(get("l"), run.now), [format!("a {text}"), format!("b {text}")]);
    }
}

#[test]
fn perpetuals_are_not_traded_here() {
    let mut solo = Solo::<VenuePaper>::new(Setup::default().config);
    let instrument = "binance:linear_perpetual:BTCUSDT".parse().unwrap();
    solo.hear(START, InstrumentListed { instrument, rules: Box::new(rules("BTC", "USDT")) });
    assert!(solo.state.exchange.markets.get(&instrument).is_none());
}

#[test]
fn acceptance_comes_first_then_fills_then_the_end_and_each_balance_behind_what_changed_it() {
    let mut solo = market();
    let said = hear_order(&mut solo, new_limit_buy());
    let kinds = |said: &[Event]| said.iter().map(|e| e.kind().name()).collect::<Vec<_>>();
    assert_eq!(kinds(&said), ["order.accepted", "account.balance_changed", "quote.asked"]);
    let quote = events::QuoteSeen { instrument: spot("BTCUSDT"), price: get("99"), at: START, best: None };
    assert!(solo.hear(START, quote).is_empty(), "beyond its limit it rests");
    let interval = domain::Interval::Hour1;
    let [open, high, low, close] = ["99", "99", "80", "99"].map(get);
    let volume = get("1000");
    let candle = events::Candle {
        instrument: spot("BTCUSDT"),
        interval,
        open_time: START,
        open,
        high,
        low,
        close,
        volume,
    };
    assert_eq!(
        kinds(&solo.hear(candle.close_time(), events::CandleClosed { candle })),
        ["order.filled", "order.ended", "account.balance_changed", "account.balance_changed"]
    );
}

#[test]
fn what_is_on_the_tape_wins_over_what_the_code_would_say() {
    // Replayed by `apply` alone, its own sayings included, the state is the same.
    let mut solo = market();
    let mut tape: Vec<Event> = Vec::new();
    let service = VenuePaper::new(Setup::default().config);
    let before = solo.state.clone();
    let mut replayed = before.clone();
    let request = OrderRequest::Single(new_limit_buy());
    let (instrument, id) = (spot("BTCUSDT"), request.id());
    for heard in [
        Event::from(OrderSubmitted { account: account(), instrument, request: Box::new(request) }),
        Event::from(OrderAttempted {
            account: account(),
            instrument,
            request: id,
            attempt: 1,
            timestamp: START,
            recv_window_ms: 5_000,
        }),
    ] {
        let said = solo.hear(START, heard.clone());
        tape.push(heard);
        tape.extend(said);
    }
    for event in &tape {
        service.apply(&mut replayed, START, event);
    }
    assert_eq!(replayed, solo.state);
    assert_ne!(replayed.exchange.markets, before.exchange.markets);
}

fn market() -> Solo<VenuePaper> {
    let mut solo = Solo::new(Setup::default().config);
    solo.hear(START, InstrumentListed { instrument: spot("BTCUSDT"), rules: Box::new(rules("BTC", "USDT")) });
    solo
}

fn new_limit_buy() -> domain::NewOrder {
    let kind = OrderKind::Limit { price: get("90"), time_in_force: domain::TimeInForce::Gtc };
    new_order("x", Side::Buy, Size::Base(get("1")), kind)
}

fn hear_order(solo: &mut Solo<VenuePaper>, order: domain::NewOrder) -> Vec<Event> {
    let request = Box::new(OrderRequest::Single(order));
    let (account, instrument) = (account(), spot("BTCUSDT"));
    solo.hear(START, OrderSubmitted { account, instrument, request });
    let (request, timestamp) = (order.id, START);
    solo.hear(
        START,
        OrderAttempted { account, instrument, request, attempt: 1, timestamp, recv_window_ms: 5_000 },
    )
}

#[test]
fn an_open_order_shows_its_fields() {
    let mut run = Run::new(Setup::default().config);
    run.list("BTCUSDT", rules("BTC", "USDT"));
    run.line("candle 1h 100 100 100 100");
    run.line("buy 5 limit 90");
    run.line("candle 1h 95 96 89 95 vol 20");
    let open: Vec<_> = run.stage.0.state.exchange.open_orders().collect();
    let [(instrument, order)] = open[..] else { panic!("one order is open") };
    assert_eq!(*instrument, spot("BTCUSDT"));
    assert_eq!((order.number, order.id.as_str()), (1, "o1"));
    assert_eq!(order.standing, Standing::Resting);
    assert_eq!(order.filled, Filled { quantity: get("2"), quote: get("180") });
    assert_eq!(order.held, get::<Decimal>("270"));
}

#[test]
fn a_closed_order_leaves_nothing_behind() {
    let mut run = Run::new(Setup::default().config);
    run.list("BTCUSDT", rules("BTC", "USDT"));
    run.line("candle 1h 100 100 100 100");
    let mut size = None;
    for i in 0..300 {
        run.line("buy 0.1 market");
        run.line("quote 100");
        run.line("sell 0.1 limit 100 ioc");
        run.line("quote 100");
        run.line("oco sell 1 above maker 105 below stop 95");
        run.line(&format!("cancel l{}", i + 1));
        run.line("candle 1h 100 100 100 100");
        let now = serde_json::to_string(&run.stage.0.state).unwrap().len();
        if i == 30 {
            size = Some(now);
        }
        // Only counters and the account's decimals grow.
        assert!(size.is_none_or(|size| now < size + 40), "the state has grown to {now} after {i} rounds");
    }
}

/// What no client of ours can ask for.
#[test]
fn legs_of_the_wrong_kind_are_named() {
    for (legs, code, text) in [
        ("sell 1 above limit 110 below stop 95", -1158, "Order type not supported in OCO."),
        ("sell 1 above maker 110 below market", -1158, "Order type not supported in OCO."),
        ("sell 1 above maker 110 below maker 95", -1168, "At least one OCO order must be contingent."),
        ("sell 1 above stop 110 below maker 95", -1166, "A limit order in a sell OCO must be above."),
        ("sell 1 above stop 110 below profit 95", -1199, "A take profit order in a sell OCO must be above."),
        ("sell 1 above stop 110 below stop 95", -1197, "A stop loss order in a sell OCO must be below."),
        ("buy 1 above maker 110 below stop 95", -1165, "A limit order in a buy OCO must be below."),
        ("buy 1 above profit 110 below stop 95", -1198, "A take profit order in a buy OCO must be below."),
        ("buy 1 above stop 110 below stop 95", -1196, "A stop loss order in a buy OCO must be above."),
    ] {
        check(&format!("oco {legs}\n→ o1 rejected {code} other: {text} / o2 rejected {code} other: {text}"));
    }
}

#[test]
fn a_list_can_be_canceled_by_its_own_id_or_by_its_second_leg() {
    check(
        "oco sell 2 above maker 110 below stop 95
         → o1 accepted / o2 accepted
         cancel l1
         → o1 ended canceled / o2 ended canceled
         oco sell 2 above maker 110 below stop 95
         → o3 accepted / o4 accepted
         cancel o4
         → o4 ended canceled / o3 ended canceled
         open",
    );
}

#[test]
fn a_size_in_quote_is_for_market_orders() {
    check(
        "buy for 100 limit 90
         → o1 rejected -1102 other: Mandatory parameter 'quantity' was not sent, was empty/null, or malformed.",
    );
}

#[test]
fn an_account_that_comes_after_the_listings_begins_with_the_next_candle() {
    let mut run = Run::new(Setup::default().config);
    run.line("candle 1m 100 100 100 100");
    run.line("= USDT 1000+0, BTC 10+0");
    run.balances.clear();
    run.line("candle 1m 100 100 100 100");
    assert!(run.balances.is_empty(), "they are said once");
}
