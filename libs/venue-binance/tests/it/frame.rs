//! `user-data-stream.md`.

use crate::{account, assert_same_facts, d, ms};
use domain::{Ending, Filled, Side};
use events::{
    AccountEvent, Event, Fee, LedgerReason, OrderAccepted, OrderEnded, OrderEvent, OrderFilled, Rejection,
};
use venue_binance::{
    ParseError,
    frame::{self, Message},
};

/// An executionReport with what these fields say instead, or besides.
fn report(fields: &[(&str, &str)]) -> String {
    let mut all = vec![
        ("e", "\"executionReport\""),
        ("E", "1499405658658"),
        ("s", "\"ETHBTC\""),
        ("c", "\"mine\""),
        ("S", "\"BUY\""),
        ("o", "\"LIMIT\""),
        ("f", "\"GTC\""),
        ("q", "\"1.00000000\""),
        ("p", "\"0.10264410\""),
        ("P", "\"0.00000000\""),
        ("F", "\"0.00000000\""),
        ("g", "-1"),
        ("C", "\"\""),
        ("x", "\"NEW\""),
        ("X", "\"NEW\""),
        ("r", "\"NONE\""),
        ("i", "4293153"),
        ("l", "\"0.00000000\""),
        ("z", "\"0.00000000\""),
        ("L", "\"0.00000000\""),
        ("n", "\"0\""),
        ("N", "null"),
        ("T", "1499405658657"),
        ("t", "-1"),
        ("I", "8641984"),
        ("w", "true"),
        ("m", "false"),
        ("M", "false"),
        ("O", "1499405658600"),
        ("Z", "\"0.00000000\""),
        ("Y", "\"0.00000000\""),
        ("Q", "\"0.00000000\""),
        ("W", "1499405658657"),
        ("V", "\"NONE\""),
    ];
    for (name, value) in fields {
        match all.iter_mut().find(|(known, _)| known == name) {
            Some(known) => known.1 = value,
            None => all.push((name, value)),
        }
    }
    let fields: Vec<String> =
        all.iter().filter(|(_, v)| !v.is_empty()).map(|(n, v)| format!("\"{n}\":{v}")).collect();
    format!("{{{}}}", fields.join(","))
}

const TRADE: &[(&str, &str)] = &[
    ("x", "\"TRADE\""),
    ("X", "\"PARTIALLY_FILLED\""),
    ("l", "\"0.25000000\""),
    ("z", "\"0.75000000\""),
    ("L", "\"0.10000000\""),
    ("n", "\"0.00025000\""),
    ("N", "\"ETH\""),
    ("t", "28457"),
    ("Y", "\"0.02500000\""),
    ("Z", "\"0.07500000\""),
];

fn with<'a>(base: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> String {
    report(&[base, more].concat())
}

fn parse(frame: &str) -> Result<Vec<Event>, ParseError> {
    frame::parse(account(), frame.as_bytes())
}

fn told(frame: &str) -> Vec<Event> {
    parse(frame).unwrap_or_else(|e| panic!("{e}: {frame}"))
}

fn ended(ending: Ending, quantity: &str, quote: &str) -> Event {
    OrderEnded {
        account: account(),
        instrument: "binance:spot:ETHBTC".parse().unwrap(),
        order: "mine".parse().unwrap(),
        venue_order: "4293153".parse().unwrap(),
        ending,
        filled: Filled { quantity: d(quantity), quote: d(quote) },
        at: ms(1_499_405_658_657),
    }
    .into()
}

fn fill() -> OrderFilled {
    OrderFilled {
        account: account(),
        instrument: "binance:spot:ETHBTC".parse().unwrap(),
        order: "mine".parse().unwrap(),
        venue_order: "4293153".parse().unwrap(),
        venue_trade: "28457".parse().unwrap(),
        side: Side::Buy,
        price: "0.1".parse().unwrap(),
        quantity: "0.25".parse().unwrap(),
        quote: d("0.025"),
        fee: Some(Fee { asset: "ETH".parse().unwrap(), amount: d("0.00025") }),
        maker: false,
        at: ms(1_499_405_658_657),
    }
}

#[test]
fn order_update_new_is_accepted_at_its_creation() {
    let accepted = OrderAccepted {
        account: account(),
        instrument: "binance:spot:ETHBTC".parse().unwrap(),
        order: "mine".parse().unwrap(),
        venue_order: "4293153".parse().unwrap(),
        at: ms(1_499_405_658_600),
    };
    assert_eq!(told(&report(&[])), [accepted.into()]);
    // A stop that triggers, or the pending leg of a list that is released, reports NEW again, later.
    let triggered = told(&report(&[("T", "1499405699999"), ("w", "true")]));
    assert_same_facts(&triggered, &[accepted.into()]);
    assert_same_facts(&told(&report(&[("X", "\"PENDING_NEW\"")])), &[accepted.into()]);
}

#[test]
fn order_update_trade_is_a_fill() {
    assert_eq!(told(&with(TRADE, &[])), [fill().into()]);
    let sold = told(&with(TRADE, &[("S", "\"SELL\""), ("m", "true")]));
    assert_eq!(sold, [OrderFilled { side: Side::Sell, maker: true, ..fill() }.into()]);
}

#[test]
fn order_update_trade_that_fills_ends_the_order_behind_the_fill() {
    let all = told(&with(TRADE, &[("X", "\"FILLED\""), ("z", "\"1.0\""), ("Z", "\"0.1\"")]));
    assert_eq!(all, [fill().into(), ended(Ending::Filled, "1", "0.1")]);
}

#[test]
fn order_update_fee_of_nothing_is_no_fee_with_or_without_its_asset() {
    for asset in ["null", "\"BNB\"", ""] {
        let free = told(&with(TRADE, &[("n", "\"0.00000000\""), ("N", asset)]));
        assert_eq!(free, [OrderFilled { fee: None, ..fill() }.into()]);
    }
    let error = parse(&with(TRADE, &[("N", "null")])).unwrap_err();
    assert_eq!(error, ParseError::Field { field: "commissionAsset", why: "is missing".into() });
}

#[test]
fn order_update_canceled_names_the_order_and_not_the_cancel() {
    let canceled = [("x", "\"CANCELED\""), ("X", "\"CANCELED\""), ("z", "\"0.75\""), ("Z", "\"0.075\"")];
    let by_us = told(&with(&canceled, &[("c", "\"91fe37ce9e69c90d6358c0\""), ("C", "\"mine\"")]));
    assert_eq!(by_us, [ended(Ending::Canceled, "0.75", "0.075")]);
    for none in ["\"\"", "\"null\"", "null"] {
        assert_eq!(told(&with(&canceled, &[("C", none)])), by_us);
    }
}

#[test]
fn order_update_expired_keeps_what_was_filled() {
    // A partly filled IOC, a market order on a thin book, the other leg of an OCO.
    for reason in ["\"UNFILLED_IOC_QUANTITY_EXPIRED\"", "3", "null"] {
        let expired = report(&[
            ("x", "\"EXPIRED\""),
            ("X", "\"EXPIRED\""),
            ("z", "\"0.4\""),
            ("Z", "\"0.04\""),
            ("eR", reason),
        ]);
        assert_eq!(told(&expired), [ended(Ending::Expired, "0.4", "0.04")]);
    }
}

#[test]
fn order_update_trade_prevention_ends_the_order_only_if_it_says_so() {
    let prevented = [("x", "\"TRADE_PREVENTION\""), ("v", "3"), ("A", "\"3.000000\""), ("B", "\"3.000000\"")];
    let ends = told(&with(&prevented, &[("X", "\"EXPIRED_IN_MATCH\"")]));
    assert_eq!(ends, [ended(Ending::Expired, "0", "0")]);
    assert_eq!(told(&with(&prevented, &[("X", "\"NEW\"")])), []);
}

#[test]
fn order_reject_reason_is_kept() {
    for (reason, meant) in [
        ("INSUFFICIENT_BALANCES", Rejection::InsufficientBalance),
        ("STOP_PRICE_WOULD_TRIGGER_IMMEDIATELY", Rejection::WouldTrigger),
        ("WOULD_MATCH_IMMEDIATELY", Rejection::WouldTrigger),
        ("OCO_BAD_PRICES", Rejection::Other),
        ("A_REASON_OF_TOMORROW", Rejection::Other),
    ] {
        let quoted = format!("\"{reason}\"");
        let said = told(&report(&[("x", "\"REJECTED\""), ("X", "\"REJECTED\""), ("r", &quoted)]));
        let [Event::Order(OrderEvent::Rejected(rejected))] = &said[..] else { panic!("{said:?}") };
        assert_eq!((rejected.reason, &*rejected.text), (meant, reason));
    }
}

#[test]
fn execution_types_that_no_event_tells_are_errors_that_name_the_order() {
    for (execution, status) in [("REPLACED", "CANCELED"), ("CALCULATED", "NEW"), ("NEW", "REJECTED")] {
        let (x, s) = (format!("\"{execution}\""), format!("\"{status}\""));
        let error = parse(&report(&[("x", &x), ("X", &s)])).unwrap_err();
        let order = 4_293_153;
        let (execution, status) = (execution.to_owned(), status.to_owned());
        assert_eq!(error, ParseError::UnknownExecution { order, execution, status });
    }
    // A fill is told even where the status is new to us.
    assert_eq!(told(&with(TRADE, &[("X", "\"A_STATUS_OF_TOMORROW\"")])), [fill().into()]);
}

#[test]
fn conditional_fields_are_all_read() {
    let all = [
        ("d", "4"),
        ("D", "1668680518494"),
        ("j", "1"),
        ("J", "1000000"),
        ("v", "3"),
        ("A", "\"3.000000\""),
        ("B", "\"3.000000\""),
        ("u", "1"),
        ("U", "37"),
        ("Cs", "\"BTCUSDT\""),
        ("pl", "\"2.123456\""),
        ("pL", "\"0.10000001\""),
        ("pY", "\"0.21234562\""),
        ("b", "\"ONE_PARTY_TRADE_REPORT\""),
        ("a", "1234"),
        ("k", "\"SOR\""),
        ("uS", "true"),
        ("gP", "\"PRIMARY_PEG\""),
        ("gOT", "\"PRICE_LEVEL\""),
        ("gOV", "5"),
        ("gp", "\"1.00000000\""),
        ("eR", "\"OCO_TRIGGER\""),
        ("zz", "{\"a\":[1,2]}"),
    ];
    let frame = report(&all);
    let Message::ExecutionReport(r) = frame::decode(frame.as_bytes()).unwrap() else { panic!("{frame}") };
    assert_eq!((r.trailing_delta, r.trailing_time), (Some(4), Some(1_668_680_518_494)));
    assert_eq!((r.strategy, r.strategy_type), (Some(1), Some(1_000_000)));
    assert_eq!(r.expiry_reason.as_deref(), Some("OCO_TRIGGER"));
    assert_eq!((r.prevented_match, r.trade_group, r.counter_order), (Some(3), Some(1), Some(37)));
    assert_eq!((r.allocation, r.used_sor, r.pegged_offset), (Some(1234), Some(true), Some(5)));
    for (kept, given) in [
        (&r.prevented_quantity, "3.000000"),
        (&r.last_prevented_quantity, "3.000000"),
        (&r.counter_symbol, "BTCUSDT"),
        (&r.prevented_execution_quantity, "2.123456"),
        (&r.prevented_execution_price, "0.10000001"),
        (&r.prevented_execution_quote, "0.21234562"),
        (&r.match_type, "ONE_PARTY_TRADE_REPORT"),
        (&r.working_floor, "SOR"),
        (&r.pegged_price_type, "PRIMARY_PEG"),
        (&r.pegged_offset_type, "PRICE_LEVEL"),
        (&r.pegged_price, "1.00000000"),
    ] {
        assert_eq!(kept.as_deref(), Some(given));
    }
}

#[test]
fn fields_that_no_event_needs_do_not_make_a_frame_unreadable() {
    let odd = [("W", "-1"), ("Q", "0.5"), ("V", "7"), ("eR", "3"), ("F", "\"\""), ("p", "null"), ("r", "0")];
    assert_eq!(told(&with(TRADE, &odd)), [fill().into()]);
}

#[test]
fn sor_allocations_are_fills_under_their_own_numbers() {
    let allocated = told(&with(TRADE, &[("t", "-1"), ("a", "28457"), ("b", "\"ONE_PARTY_TRADE_REPORT\"")]));
    assert_eq!(
        allocated,
        [OrderFilled { venue_trade: "allocation-28457".parse().unwrap(), ..fill() }.into()]
    );
    let error = parse(&with(TRADE, &[("t", "-1")])).unwrap_err();
    assert_eq!(error, ParseError::Field { field: "tradeId", why: "is missing".into() });
}

#[test]
fn account_update_is_a_balance_of_each_asset() {
    let frame = r#"{"e":"outboundAccountPosition","E":1564034571105,"u":1564034571073,"B":[
        {"a":"ETH","f":"10000.000000","l":"0.000000"},{"a":"币安人生","f":"1","l":"0.5"}]}"#;
    let said = told(frame);
    let balances: Vec<String> = said
        .iter()
        .map(|event| match event {
            Event::Account(AccountEvent::BalanceChanged(b)) => {
                format!("{} {} {} {}", b.asset, b.free, b.locked, b.as_of)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(balances, ["ETH 10000 0 2019-07-25T06:02:51.073Z", "币安人生 1 0.5 2019-07-25T06:02:51.073Z"]);
}

#[test]
fn balance_update_is_a_ledger_entry() {
    let frame = r#"{"e":"balanceUpdate","E":1573200697110,"a":"BTC","d":"-100.00000000","T":1573200697068}"#;
    let said = told(frame);
    let [Event::Account(AccountEvent::LedgerEntered(entry))] = &said[..] else { panic!("{said:?}") };
    assert_eq!(
        (entry.delta, entry.reason, entry.at),
        (d("-100"), LedgerReason::Other, ms(1_573_200_697_068))
    );
}

#[test]
fn frames_about_the_connection_say_nothing_about_the_account() {
    for frame in [
        r#"{"subscriptionId":0,"event":{"e":"eventStreamTerminated","E":1728973001334}}"#,
        r#"{"event":{"e":"serverShutdown","E":1770123456789}}"#,
        r#"{"e":"listenKeyExpired","E":"1699596037418","listenKey":"Ofy"}"#,
        r#"{"e":"externalLockUpdate","E":1581557507324,"a":"NEO","d":"10.00000000","T":1581557507268}"#,
    ] {
        assert_eq!(told(frame), [], "{frame}");
    }
    let lock =
        br#"{"e":"externalLockUpdate","E":1581557507324,"a":"NEO","d":"10.00000000","T":1581557507268}"#;
    let Message::ExternalLockUpdate(lock) = frame::decode(lock).unwrap() else { panic!("no lock") };
    assert_eq!((&*lock.asset, lock.delta.0), ("NEO", d("10")));
}

#[test]
fn envelopes_and_the_order_of_fields_do_not_matter() {
    let bare = with(TRADE, &[]);
    let other_order = format!(
        "{{{},\"e\":\"executionReport\"}}",
        &bare[1..bare.len() - 1].replacen("\"e\":\"executionReport\",", "", 1)
    );
    for frame in [
        format!("{{\"subscriptionId\":0,\"event\":{bare}}}"),
        format!("{{\"event\":{bare},\"subscriptionId\":7,\"new\":[]}}"),
        format!(" {{ \"event\" : {other_order} }} "),
        other_order,
    ] {
        assert_eq!(told(&frame), [fill().into()], "{frame}");
    }
}

#[test]
fn microseconds_and_milliseconds_are_one_fact() {
    let micros = [("T", "1499405658657123"), ("O", "1499405658600999"), ("E", "1499405658658001")];
    assert_same_facts(&told(&with(TRADE, &micros)), &told(&with(TRADE, &[])));
    assert_same_facts(&told(&report(&micros)), &told(&report(&[])));
}

#[test]
fn symbols_outside_ascii_and_ids_of_other_programs_are_harmless() {
    let frame = with(TRADE, &[("s", "\"币安人生USDT\""), ("c", "\"x-1/2:a.b\"")]);
    let said = told(&frame);
    let [Event::Order(OrderEvent::Filled(fill))] = &said[..] else { panic!("{said:?}") };
    assert_eq!(fill.instrument.to_string(), "binance:spot:币安人生USDT");
    assert_eq!(fill.order.as_str(), "x-1~2:a.b");
    assert_eq!(frame::venue_client_order(fill.order), "x-1/2:a.b");
    let escaped = with(TRADE, &[("s", r#""\u5e01\u5b89\u4eba\u751fUSDT""#), ("c", "\"x-1/2:a.b\"")]);
    assert_eq!(told(&escaped), said);
}

#[test]
fn what_does_not_parse_names_the_field() {
    for (fields, named) in [
        ([("l", "\"a lot\"")], "field `l`: invalid value: string \"a lot\""),
        ([("T", "\"soon\"")], "field `T`"),
        ([("T", "-5")], "field `T`"),
        ([("T", "")], "missing field `T`"),
        ([("i", "\"12\"")], "field `i`"),
        ([("i", "-1")], "the field `orderId` is -1"),
        ([("l", "\"0\"")], "the field `quantity` is no quantity '0'"),
        ([("L", "\"-1\"")], "the field `price` is no price '-1'"),
        ([("L", "\"99999999999999999999999999999999\"")], "field `L`"),
        ([("L", "")], "the field `L` is missing"),
        ([("Y", "")], "the field `Y` is missing"),
        ([("m", "null")], "the field `m` is missing"),
        ([("S", "\"HOLD\"")], "the field `side` is 'HOLD'"),
        ([("s", "\"A SYMBOL\"")], "the field `symbol` is no symbol 'A SYMBOL'"),
        ([("c", "\"\"")], "the field `clientOrderId` is no client order id ''"),
    ] {
        let error = parse(&with(TRADE, &fields)).unwrap_err().to_string();
        assert!(error.contains(named), "{fields:?}: {error}");
    }
    for (frame, named) in [
        ("", "EOF"),
        ("[]", "an event of a user data stream"),
        ("{}", "neither `e` nor `event`"),
        ("{\"e\":5}", "'5' is no event"),
        ("{\"e\":[]}", "expected a text"),
        ("{\"e\":\"orderTradeUpdate\",\"o\":{}}", "'orderTradeUpdate' is no event"),
        ("{\"event\":{\"event\":{\"e\":\"serverShutdown\"}}}", "an envelope within an envelope"),
        ("{\"e\":\"serverShutdown\",\"E\":1} {}", "trailing characters"),
    ] {
        let error = parse(frame).unwrap_err().to_string();
        assert!(error.contains(named), "{frame}: {error}");
    }
}

/// `c` is what the order is called from now on, `C` what it was called; the number stays.
#[test]
fn an_amendment_tells_the_new_quantity_and_both_names() {
    let amended = |status: &str, old: &str| {
        let (status, old) = (format!("\"{status}\""), format!("\"{old}\""));
        told(&report(&[
            ("x", "\"REPLACED\""),
            ("X", &status),
            ("c", "\"web_1\""),
            ("C", &old),
            ("q", "\"0.50000000\""),
            ("I", "77"),
        ]))
    };
    for status in ["NEW", "PARTIALLY_FILLED"] {
        let said = amended(status, "tdours");
        let [Event::Order(OrderEvent::Amended(e))] = &said[..] else { panic!("{said:?}") };
        assert_eq!(
            (e.order.as_str(), e.renamed.as_str(), e.venue_order.as_str()),
            ("tdours", "web_1", "4293153")
        );
        assert_eq!((e.quantity.to_string(), e.execution), ("0.5".to_owned(), 77));
    }
    // Where the owner keeps the name it may be told once.
    let said = amended("NEW", "");
    let [Event::Order(OrderEvent::Amended(e))] = &said[..] else { panic!("{said:?}") };
    assert_eq!(e.order, e.renamed);
    let error = parse(&report(&[("x", "\"REPLACED\""), ("X", "\"NEW\""), ("I", "-1")])).unwrap_err();
    assert!(error.to_string().contains("executionId"), "{error}");
}
