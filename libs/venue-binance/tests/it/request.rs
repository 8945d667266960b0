//! `rest-api.md`, "Trading endpoints" and "Account endpoints"; `web-socket-api.md`, the same.

use crate::{d, ms};
use domain::{
    ClientOrderId, NewOco, NewOrder, OrderKind, OrderRequest, Origin, PositionSide, Price, Quantity, Side,
    Size, Symbol, TimeInForce, TradeId,
};
use serde_json::{Value, json};
use venue_binance::{
    request::{self, Call, Cost, Lane, RequestError, Signing},
    sign::Signer,
};

fn id(text: &str) -> ClientOrderId {
    text.parse().unwrap()
}

fn btc() -> Symbol {
    "BTCUSDT".parse().unwrap()
}

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn quantity(text: &str) -> Quantity {
    text.parse().unwrap()
}

fn order(name: &str, side: Side, kind: OrderKind) -> NewOrder {
    NewOrder {
        id: id(name),
        side,
        kind,
        size: Size::Base(quantity("0.5")),
        origin: Origin::Manual { request: TradeId::new("t").unwrap() },
        reduce_only: false,
        position_side: PositionSide::Net,
    }
}

fn query(call: &Call) -> String {
    format!("{} {}?{}", call.method.as_str(), call.path, call.params.query())
}

fn placed(order: NewOrder) -> String {
    query(&request::place(btc(), &OrderRequest::Single(order)).unwrap())
}

const GTC: TimeInForce = TimeInForce::Gtc;

#[test]
fn new_order_sends_the_mandatory_parameters_of_each_type_in_order() {
    let (stop, limit) = (price("95.5"), price("95"));
    for (kind, wanted) in [
        (OrderKind::Market, "type=MARKET&quantity=0.5&newClientOrderId=a"),
        (
            OrderKind::Limit { price: limit, time_in_force: TimeInForce::Ioc },
            "type=LIMIT&timeInForce=IOC&quantity=0.5&price=95&newClientOrderId=a",
        ),
        (OrderKind::LimitMaker { price: limit }, "type=LIMIT_MAKER&quantity=0.5&price=95&newClientOrderId=a"),
        (OrderKind::StopLoss { stop }, "type=STOP_LOSS&quantity=0.5&newClientOrderId=a&stopPrice=95.5"),
        (
            OrderKind::StopLossLimit { stop, price: limit, time_in_force: GTC },
            "type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=0.5&price=95&newClientOrderId=a&stopPrice=95.5",
        ),
        (OrderKind::TakeProfit { stop }, "type=TAKE_PROFIT&quantity=0.5&newClientOrderId=a&stopPrice=95.5"),
        (
            OrderKind::TakeProfitLimit { stop, price: limit, time_in_force: TimeInForce::Fok },
            "type=TAKE_PROFIT_LIMIT&timeInForce=FOK&quantity=0.5&price=95&newClientOrderId=a&stopPrice=95.5",
        ),
    ] {
        let sent = placed(order("a", Side::Sell, kind));
        assert_eq!(
            sent,
            format!("POST /api/v3/order?symbol=BTCUSDT&side=SELL&{wanted}&newOrderRespType=FULL")
        );
    }
}

#[test]
fn new_order_market_may_spend_an_amount_of_quote() {
    let quote =
        NewOrder { size: Size::Quote(quantity("100.25")), ..order("a", Side::Buy, OrderKind::Market) };
    assert!(placed(quote).contains("&type=MARKET&quoteOrderQty=100.25&newClientOrderId=a"));
    let wrong = NewOrder { kind: OrderKind::LimitMaker { price: price("1") }, ..quote };
    let error = request::place(btc(), &OrderRequest::Single(wrong)).unwrap_err();
    assert_eq!(error, RequestError::QuoteSize(id("a")));
}

fn oco() -> NewOco {
    NewOco {
        list: id("list"),
        above: order("tp", Side::Sell, OrderKind::LimitMaker { price: price("110") }),
        below: order(
            "sl",
            Side::Sell,
            OrderKind::StopLossLimit { stop: price("90"), price: price("89"), time_in_force: GTC },
        ),
    }
}

#[test]
fn new_order_list_oco() {
    let call = request::place(btc(), &OrderRequest::Oco(oco())).unwrap();
    assert_eq!(
        query(&call),
        "POST /api/v3/orderList/oco?symbol=BTCUSDT&listClientOrderId=list&side=SELL&quantity=0.5\
         &aboveType=LIMIT_MAKER&aboveClientOrderId=tp&abovePrice=110\
         &belowType=STOP_LOSS_LIMIT&belowClientOrderId=sl&belowPrice=89&belowStopPrice=90&belowTimeInForce=GTC\
         &newOrderRespType=FULL"
    );
    assert_eq!((call.ws_method, call.cost), (Some("orderList.place.oco"), Cost { weight: 1, orders: 2 }));
}

#[test]
fn new_order_list_oco_that_cannot_be_is_refused_here() {
    let refused = |oco: NewOco| request::place(btc(), &OrderRequest::Oco(oco)).unwrap_err();
    let other = NewOrder { size: Size::Base(quantity("0.4")), ..oco().below };
    assert_eq!(refused(NewOco { below: other, ..oco() }), RequestError::Uneven(id("list")));
    let market = NewOrder { kind: OrderKind::Market, ..oco().below };
    assert_eq!(refused(NewOco { below: market, ..oco() }), RequestError::NoLeg(id("sl"), "MARKET"));
    let hedged = NewOrder { position_side: PositionSide::Long, ..oco().above };
    assert_eq!(refused(NewOco { above: hedged, ..oco() }), RequestError::Hedged(id("tp")));
}

#[test]
fn what_reduces_a_position_goes_first() {
    let lane = |reduce_only| {
        let order = NewOrder { reduce_only, ..order("a", Side::Sell, OrderKind::Market) };
        request::place(btc(), &OrderRequest::Single(order)).unwrap().lane
    };
    assert_eq!((lane(true), lane(false)), (Lane::Protective, Lane::Ordinary));
    for call in
        [request::cancel(btc(), id("a")), request::cancel_by_number(btc(), 7), request::order(btc(), id("a"))]
    {
        assert_eq!((call.lane, call.cost.orders), (Lane::Protective, 0));
    }
    assert_eq!(request::exchange_info(&[]).lane, Lane::Ordinary);
}

#[test]
fn an_order_is_canceled_by_its_client_id_or_by_its_number() {
    assert_eq!(
        query(&request::cancel(btc(), id("x-1~2"))),
        "DELETE /api/v3/order?symbol=BTCUSDT&origClientOrderId=x-1%2F2"
    );
    assert_eq!(query(&request::cancel_by_number(btc(), 7)), "DELETE /api/v3/order?symbol=BTCUSDT&orderId=7");
}

#[test]
fn queries_and_their_weights() {
    let since = ms(1_700_000_000_000);
    for (call, wanted, weight) in [
        (request::order(btc(), id("a")), "GET /api/v3/order?symbol=BTCUSDT&origClientOrderId=a", 4),
        (request::open_orders(None), "GET /api/v3/openOrders?", 80),
        (request::open_orders(Some(btc())), "GET /api/v3/openOrders?symbol=BTCUSDT", 6),
        (request::all_orders(btc(), 7), "GET /api/v3/allOrders?symbol=BTCUSDT&orderId=7&limit=1000", 20),
        (request::fills_of(btc(), 7), "GET /api/v3/myTrades?symbol=BTCUSDT&orderId=7&limit=1000", 5),
        (request::fills_from(btc(), 7), "GET /api/v3/myTrades?symbol=BTCUSDT&fromId=7&limit=1000", 20),
        (
            request::fills_since(btc(), since),
            "GET /api/v3/myTrades?symbol=BTCUSDT&startTime=1700000000000&limit=1000",
            20,
        ),
        (request::account(), "GET /api/v3/account?omitZeroBalances=false", 20),
        (request::depth(btc(), 5_000), "GET /api/v3/depth?symbol=BTCUSDT&limit=5000", 250),
        (request::time(), "GET /api/v3/time?", 1),
    ] {
        assert_eq!((query(&call).as_str(), call.cost.weight), (wanted, weight));
    }
}

fn signed(call: &Call) -> (String, Value) {
    let signer = Signer::hmac("secret").unwrap();
    let timestamp = ms(1_660_801_715_431);
    let signing = Signing { api_key: "key", signer: &signer, timestamp, recv_window_ms: 5_000 };
    let rest = call.rest(&signing).target;
    let ws = call.ws("56374a46", &signing).unwrap();
    (rest, serde_json::from_str(&ws).unwrap())
}

#[test]
fn signed_requests_carry_exactly_the_timestamp_and_window_that_were_committed() {
    let (rest, ws) = signed(&request::cancel(btc(), id("a")));
    let payload = "symbol=BTCUSDT&origClientOrderId=a&recvWindow=5000&timestamp=1660801715431";
    let signer = Signer::hmac("secret").unwrap();
    assert_eq!(rest, format!("/api/v3/order?{payload}&signature={}", signer.sign(payload)));
    let payload = "apiKey=key&origClientOrderId=a&recvWindow=5000&symbol=BTCUSDT&timestamp=1660801715431";
    let params = json!({
        "symbol": "BTCUSDT", "origClientOrderId": "a", "recvWindow": 5000, "timestamp": 1_660_801_715_431_i64,
        "apiKey": "key", "signature": signer.sign(payload),
    });
    assert_eq!(ws, json!({ "id": "56374a46", "method": "order.cancel", "params": params }));
}

#[test]
fn open_requests_are_not_signed() {
    let (rest, ws) = signed(&request::exchange_info(&["币安人生USDT".parse().unwrap()]));
    assert_eq!(rest, "/api/v3/exchangeInfo?symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT");
    assert_eq!(ws["params"], json!({ "symbol": "币安人生USDT" }));
    let several = request::exchange_info(&["BTCUSDT", "ETHUSDT"].map(|symbol| symbol.parse().unwrap()));
    let (rest, _) = signed(&several);
    assert_eq!(rest, "/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22%2C%22ETHUSDT%22%5D");
    let (rest, ws) = signed(&request::time());
    assert_eq!((rest.as_str(), ws), ("/api/v3/time", json!({ "id": "56374a46", "method": "time" })));
}

#[test]
fn subscribe_to_user_data_stream_through_signature() {
    let signer = Signer::hmac("secret").unwrap();
    let signing =
        Signing { api_key: "key", signer: &signer, timestamp: ms(1_747_385_641_636), recv_window_ms: 5_000 };
    let sent: Value = serde_json::from_str(&request::subscribe_user_data("1", &signing)).unwrap();
    let signature = signer.sign("apiKey=key&recvWindow=5000&timestamp=1747385641636");
    assert_eq!(sent["method"], "userDataStream.subscribe.signature");
    assert_eq!(sent["params"]["signature"], signature);
}

#[test]
fn amounts_are_written_plainly() {
    let tiny = NewOrder {
        size: Size::Base(Quantity::new(d("0.00000001")).unwrap()),
        ..order("a", Side::Buy, OrderKind::Market)
    };
    assert!(placed(tiny).contains("&quantity=0.00000001&"));
    let huge = NewOrder { size: Size::Base(Quantity::new(d("100000000000000")).unwrap()), ..tiny };
    assert!(placed(huge).contains("&quantity=100000000000000&"));
}
