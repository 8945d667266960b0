//! `rest-api.md`, "Trading endpoints" and "Account endpoints": REST tells what the stream tells.

use crate::{account, assert_same_facts};
use domain::Ending;
use events::{AccountEvent, Event, OrderEvent};
use venue_binance::{ParseError, frame, rows};

/// What the stream sent about a market order that was filled in two trades.
fn streamed() -> Vec<Event> {
    let common = r#""e":"executionReport","E":1660801715800,"s":"BTCUSDT","c":"4d96324ff9d44481926157","S":"SELL","o":"MARKET","f":"GTC","q":"0.00847000","p":"0.00000000","g":-1,"C":"","r":"NONE","i":12569099453,"T":1660801715793,"O":1660801715793,"m":false,"V":"NONE""#;
    [
        r#""x":"NEW","X":"NEW","l":"0","z":"0","L":"0","n":"0","N":null,"t":-1,"Z":"0","Y":"0""#,
        r#""x":"TRADE","X":"PARTIALLY_FILLED","l":"0.00635000","z":"0.00635000","L":"23416.10000000","n":"0.00000100","N":"BNB","t":1650422481,"Z":"148.69223500","Y":"148.69223500""#,
        r#""x":"TRADE","X":"FILLED","l":"0.00212000","z":"0.00847000","L":"23416.50000000","n":"0.00000000","N":"BNB","t":1650422482,"Z":"198.33521500","Y":"49.64298000""#,
    ]
    .iter()
    .flat_map(|own| frame::parse(account(), format!("{{{common},{own}}}").as_bytes()).unwrap())
    .collect()
}

const PLACED: &str = r#"{"symbol":"BTCUSDT","orderId":12569099453,"orderListId":-1,"clientOrderId":"4d96324ff9d44481926157","transactTime":1660801715793,"price":"0.00000000","origQty":"0.00847000","executedQty":"0.00847000","cummulativeQuoteQty":"198.33521500","status":"FILLED","timeInForce":"GTC","type":"MARKET","side":"SELL","workingTime":1660801715793,"fills":[{"price":"23416.10000000","qty":"0.00635000","commission":"0.000001","commissionAsset":"BNB","tradeId":1650422481},{"price":"23416.50000000","qty":"0.00212000","commission":"0.000000","commissionAsset":"BNB","tradeId":1650422482}]}"#;

const FOUND: &str = r#"{"order":{"symbol":"BTCUSDT","orderId":12569099453,"orderListId":-1,"clientOrderId":"4d96324ff9d44481926157","price":"0.0","origQty":"0.00847","executedQty":"0.00847","cummulativeQuoteQty":"198.335215","status":"FILLED","timeInForce":"GTC","type":"MARKET","side":"SELL","time":1660801715793,"updateTime":1660801715793,"isWorking":true},"trades":[{"symbol":"BTCUSDT","id":1650422481,"orderId":12569099453,"price":"23416.10000000","qty":"0.00635000","quoteQty":"148.69223500","commission":"0.00000100","commissionAsset":"BNB","time":1660801715793,"isBuyer":false,"isMaker":false,"isBestMatch":true},{"symbol":"BTCUSDT","id":1650422482,"orderId":12569099453,"price":"23416.50000000","qty":"0.00212000","quoteQty":"49.64298000","commission":"0.00000000","commissionAsset":"BNB","time":1660801715793,"isBuyer":false,"isMaker":false,"isBestMatch":true}]}"#;

#[test]
fn new_order_full_states_the_facts_of_the_stream() {
    assert_same_facts(&rows::parse_placed(account(), PLACED.as_bytes()).unwrap(), &streamed());
}

#[test]
fn query_order_with_its_trades_states_the_facts_of_the_stream() {
    assert_same_facts(&rows::parse_order(account(), FOUND.as_bytes()).unwrap(), &streamed());
}

#[test]
fn query_order_in_microseconds_states_the_same_facts() {
    let micros = FOUND.replace("1660801715793", "1660801715793444");
    assert_same_facts(&rows::parse_order(account(), micros.as_bytes()).unwrap(), &streamed());
}

#[test]
fn new_order_ack_is_accepted_and_no_more() {
    let ack = r#"{"symbol":"BTCUSDT","orderId":12569099453,"orderListId":-1,"clientOrderId":"4d96324ff9d44481926157","transactTime":1660801715793}"#;
    assert_same_facts(&rows::parse_placed(account(), ack.as_bytes()).unwrap(), &streamed()[..1]);
}

#[test]
fn new_order_full_leaves_fills_to_the_stream_that_it_cannot_tell_exactly() {
    // More digits than Binance keeps; and a sum that is not the order's.
    for (from, to) in [("23416.10000000", "23416.10000001"), ("198.33521500", "198.33521600")] {
        let told = rows::parse_placed(account(), PLACED.replace(from, to).as_bytes()).unwrap();
        let fills = told.iter().filter(|e| matches!(e, Event::Order(OrderEvent::Filled(_)))).count();
        assert_eq!((told.len(), fills), (2, 0), "{told:?}");
    }
}

#[test]
fn cancel_order_ends_the_order_and_not_the_cancel() {
    let answer = r#"{"symbol":"BTCUSDT","origClientOrderId":"mine","orderId":7,"orderListId":-1,"clientOrderId":"the-cancel","transactTime":1684804350068,"price":"1","origQty":"2","executedQty":"1","cummulativeQuoteQty":"1","status":"CANCELED","timeInForce":"GTC","type":"LIMIT","side":"SELL"}"#;
    let stream = r#"{"e":"executionReport","E":1684804350070,"s":"BTCUSDT","c":"the-cancel","S":"SELL","C":"mine","x":"CANCELED","X":"CANCELED","i":7,"z":"1.00000000","Z":"1.00000000","T":1684804350068,"O":1684804350000}"#;
    let told = rows::parse_canceled(account(), answer.as_bytes()).unwrap();
    let [Event::Order(OrderEvent::Ended(ended))] = &told[..] else { panic!("{told:?}") };
    assert_eq!((ended.order.as_str(), ended.ending), ("mine", Ending::Canceled));
    assert_same_facts(&told, &frame::parse(account(), stream.as_bytes()).unwrap());
}

#[test]
fn cancel_order_tells_the_end_that_the_order_had() {
    let answer = |status: &str| {
        let row = format!(
            r#"{{"symbol":"BTCUSDT","origClientOrderId":"mine","orderId":7,"clientOrderId":"c","transactTime":1,"executedQty":"1","cummulativeQuoteQty":"1","status":"{status}","side":"SELL"}}"#
        );
        rows::parse_canceled(account(), row.as_bytes())
    };
    let check = |status, expected| {
        let told = answer(status).unwrap();
        let [Event::Order(OrderEvent::Ended(ended))] = &told[..] else { panic!("{told:?}") };
        assert_eq!(ended.ending, expected, "{status}");
    };
    check("CANCELED", Ending::Canceled);
    check("EXPIRED", Ending::Expired);
    check("EXPIRED_IN_MATCH", Ending::Expired);
    check("FILLED", Ending::Filled);
    for none in ["NEW", "PENDING_CANCEL", "OF_TOMORROW"] {
        assert!(answer(none).unwrap_err().to_string().contains(none));
    }
}

#[test]
fn account_trade_list_of_another_order_is_refused() {
    let other = FOUND.replacen(
        "\"orderId\":12569099453,\"price\":\"23416.10000000\"",
        "\"orderId\":1,\"price\":\"23416.10000000\"",
        1,
    );
    let error = rows::parse_order(account(), other.as_bytes()).unwrap_err();
    let why = "is 1 in a trade of the order 12569099453".to_owned();
    assert_eq!(error, ParseError::Field { field: "orderId", why });
}

#[test]
fn query_order_whose_quote_is_no_longer_known_is_an_error() {
    let old = FOUND.replacen("\"198.335215\"", "\"-1\"", 1);
    let error = rows::parse_order(account(), old.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("cummulativeQuoteQty"), "{error}");
}

#[test]
fn account_information_states_the_balances_of_the_stream() {
    let rest = r#"{"makerCommission":15,"updateTime":1564034571073,"accountType":"SPOT","balances":[{"asset":"ETH","free":"10000.00000000","locked":"0.00000000"}]}"#;
    let stream = r#"{"e":"outboundAccountPosition","E":1564034571105,"u":1564034571073,"B":[{"a":"ETH","f":"10000.000000","l":"0.000000"}]}"#;
    let rest = rows::parse_account(account(), rest.as_bytes()).unwrap();
    assert_same_facts(&rest, &frame::parse(account(), stream.as_bytes()).unwrap());
}

/// An asset that was sold while nobody listened.
#[test]
fn account_information_states_balances_of_nothing() {
    let rest = r#"{"updateTime":1,"balances":[{"asset":"BTC","free":"0.00000000","locked":"0.00000000"}]}"#;
    let told = rows::parse_account(account(), rest.as_bytes()).unwrap();
    let [Event::Account(AccountEvent::BalanceChanged(balance))] = &told[..] else { panic!("{told:?}") };
    assert_eq!(balance.asset.as_str(), "BTC");
    assert!(balance.free.is_zero() && balance.locked.is_zero());
}
