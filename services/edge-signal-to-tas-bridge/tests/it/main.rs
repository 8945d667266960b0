//! Signals in, requests out.

use domain::{Direction, Timestamp};
use edge_signal_to_tas_bridge::{Bridge, Config, Route};
use events::{Event, RequestedBy, SignalDirection, SignalGiven, TradeEvent};
use service::Solo;

fn route(edge: &str, account: &str) -> Route {
    Route { edge: edge.parse().unwrap(), account: account.parse().unwrap() }
}

fn signal(edge: &str, instrument: &str, direction: SignalDirection, at: &str) -> SignalGiven {
    let price = "42000.5".parse().unwrap();
    SignalGiven {
        edge: edge.parse().unwrap(),
        instrument: instrument.parse().unwrap(),
        direction,
        price,
        at: at.parse().unwrap(),
        previous: None,
        evidence: None,
        stop: None,
        target: None,
        strength: None,
        valid_until: None,
        test: false,
    }
}

fn btc(direction: SignalDirection) -> SignalGiven {
    signal("edge70", "binance:spot:BTCUSDT", direction, "2024-01-15T00:00:00Z")
}

/// What a bridge with these routes says on that signal, an hour after it was given.
fn said(routes: &[Route], signal: SignalGiven) -> Vec<Event> {
    let now = signal.at + std::time::Duration::from_secs(3_600);
    Solo::<Bridge>::new(Config { routes: routes.to_vec() }).hear(now, signal)
}

fn check(routes: &[Route], signal: SignalGiven, log: &[&str]) {
    let lines: Vec<String> = said(routes, signal)
        .iter()
        .map(|event| match event {
            Event::Trade(TradeEvent::Requested(r)) => format!("{} {} on {}", r.trade, r.direction, r.account),
            Event::Trade(TradeEvent::CloseRequested(r)) => {
                let way = r.direction.map_or_else(String::new, |way| format!(" {way}"));
                format!("close{way} {} {} on {}", r.edge, r.instrument, r.account)
            }
            other => format!("unexpected {}", other.kind().name()),
        })
        .collect();
    assert_eq!(lines, log);
}

#[test]
fn a_long_signal_asks_for_a_trade_at_the_signals_price_and_time() {
    let said = said(&[route("edge70", "paper:main")], btc(SignalDirection::Long));
    let [Event::Trade(TradeEvent::Requested(request))] = &said[..] else { panic!("{said:?}") };
    assert_eq!(request.trade.as_str(), "edge70-BTCUSDT-L-20240115T0000-paper:main");
    assert_eq!(request.account.to_string(), "paper:main");
    assert_eq!(request.trigger.to_string(), "42000.5");
    assert_eq!(request.signal_at, "2024-01-15".parse::<Timestamp>().unwrap());
    assert_eq!((request.direction, &request.by), (Direction::Long, &RequestedBy::Edge));
}

#[test]
fn stop_target_and_end_of_a_signal_go_with_the_request() {
    let (stop, target) = ("41000".parse().unwrap(), "45000".parse().unwrap());
    let until = "2024-01-16".parse().unwrap();
    let own = SignalGiven {
        stop: Some(stop),
        target: Some(target),
        valid_until: Some(until),
        ..btc(SignalDirection::Long)
    };
    let said = said(&[route("edge70", "paper:main")], own);
    let [Event::Trade(TradeEvent::Requested(request))] = &said[..] else { panic!("{said:?}") };
    assert_eq!((request.stop, request.target, request.valid_until), (Some(stop), Some(target), Some(until)));
}

#[test]
fn a_short_or_flat_signal_closes_what_the_edge_holds() {
    for direction in [SignalDirection::Short, SignalDirection::Flat] {
        check(
            &[route("edge70", "paper:main")],
            btc(direction),
            &["close edge70 binance:spot:BTCUSDT on paper:main"],
        );
    }
}

#[test]
fn on_a_perpetual_a_signal_leaves_the_other_direction_and_enters_its_own() {
    let perpetual = |direction| signal("edge70", "binance:linear_perpetual:BTCUSDT", direction, "2024-01-15");
    let routes = [route("edge70", "paper:main")];
    let close = |way: &str| format!("close{way} edge70 binance:linear_perpetual:BTCUSDT on paper:main");
    check(
        &routes,
        perpetual(SignalDirection::Short),
        &[&close(" long"), "edge70-BTCUSDT.P-S-20240115T0000-paper:main short on paper:main"],
    );
    check(
        &routes,
        perpetual(SignalDirection::Long),
        &[&close(" short"), "edge70-BTCUSDT.P-L-20240115T0000-paper:main long on paper:main"],
    );
    check(&routes, perpetual(SignalDirection::Flat), &[&close("")]);
}

#[test]
fn a_test_signal_never_trades() {
    let routes = [route("edge70", "paper:main")];
    for direction in [SignalDirection::Long, SignalDirection::Short, SignalDirection::Flat] {
        check(&routes, SignalGiven { test: true, ..btc(direction) }, &[]);
    }
}

#[test]
fn a_signal_of_an_edge_without_a_route_is_not_traded() {
    check(&[route("edge60", "paper:main")], btc(SignalDirection::Long), &[]);
    check(&[], btc(SignalDirection::Short), &[]);
}

#[test]
fn each_routed_account_gets_a_trade_of_its_own_name() {
    let routes =
        [route("edge70", "binance:main"), route("edge60", "binance:other"), route("edge70", "binance:small")];
    check(
        &routes,
        btc(SignalDirection::Long),
        &[
            "edge70-BTCUSDT-L-20240115T0000-binance:main long on binance:main",
            "edge70-BTCUSDT-L-20240115T0000-binance:small long on binance:small",
        ],
    );
}

#[test]
fn accounts_of_the_same_name_at_two_venues_are_told_apart() {
    let routes = [route("edge70", "binance:main"), route("edge70", "bybit:main")];
    check(
        &routes,
        btc(SignalDirection::Long),
        &[
            "edge70-BTCUSDT-L-20240115T0000-binance:main long on binance:main",
            "edge70-BTCUSDT-L-20240115T0000-bybit:main long on bybit:main",
        ],
    );
}

#[test]
fn parts_of_a_name_that_could_be_read_in_two_ways_make_two_names() {
    let name = |edge: &str, symbol: &str| {
        let instrument = format!("binance:spot:{symbol}");
        let said = said(
            &[route(edge, "paper:main")],
            signal(edge, &instrument, SignalDirection::Long, "2024-01-15"),
        );
        said[0].trade().unwrap().to_string()
    };
    let (one, other) = (name("a-B", "C"), name("a", "B-C"));
    assert_ne!(one, other);
    assert!(one.starts_with("a-B-C-L-20240115T0000-paper:main-"), "{one}");
    assert_eq!(name("a-B", "C"), one, "the same signal has the same name");
}

#[test]
fn a_route_given_twice_trades_once() {
    let twice = [route("edge70", "paper:main"), route("edge70", "paper:main")];
    check(
        &twice,
        btc(SignalDirection::Long),
        &["edge70-BTCUSDT-L-20240115T0000-paper:main long on paper:main"],
    );
}

#[test]
fn signals_within_one_minute_and_of_a_perpetual_make_other_trades() {
    let routes = [route("edge70", "paper:main")];
    let name = |instrument: &str, at: &str| {
        let said = said(&routes, signal("edge70", instrument, SignalDirection::Long, at));
        let Some(Event::Trade(TradeEvent::Requested(request))) = said.last() else { panic!("{said:?}") };
        request.trade.to_string()
    };
    let spot = "binance:spot:BTCUSDT";
    assert_eq!(name(spot, "2024-01-15T00:00:07Z"), "edge70-BTCUSDT-L-20240115T000007-paper:main");
    assert_eq!(
        name("binance:linear_perpetual:BTCUSDT", "2024-01-15"),
        "edge70-BTCUSDT.P-L-20240115T0000-paper:main"
    );
}

#[test]
fn a_name_too_long_to_be_an_id_is_shortened_and_stays_unique() {
    let accounts = ["a-long-venuename:a-long-name-here", "b-long-venuename:a-long-name-here"];
    let routes = accounts.map(|account| route("a-very-long-edge", account));
    let symbol = format!("binance:spot:{}", "X".repeat(40));
    let said = said(&routes, signal("a-very-long-edge", &symbol, SignalDirection::Long, "2024-01-15"));
    let names: Vec<String> = said.iter().filter_map(|event| event.trade()).map(|t| t.to_string()).collect();
    assert_eq!(names.len(), 2);
    assert_ne!(names[0], names[1]);
    assert!(names.iter().all(|name| name.starts_with("a-very-long-edge-") && name.len() == 49), "{names:?}");
}
