//! What is listed of a symbol beside its filters: served as it was recorded, and kept; and what production lists
//! of its symbols, where nothing was recorded.

use super::stage::{Stage, assert_has, rules};
use domain::{InstrumentRules, Listing, Side};
use market_store::parse_exchange_info;
use paper_exchange::endpoint::Endpoint::{
    ExchangeInfo, MyPreventedMatches, OcoPlace, OpoPlace, OrderAmend, OrderCancelReplace, OrderPlace,
    OrderQuery, OtoPlace,
};
use serde_json::{Value, json};

/// A symbol as an exchange info of 2021 and one of 2025 might have it, in unusual ways.
const RECORDED: &str = r#"{"symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","baseAssetPrecision":8,
    "quoteAsset":"USDT","quotePrecision":7,"quoteAssetPrecision":8,"baseCommissionPrecision":6,
    "quoteCommissionPrecision":5,"orderTypes":["LIMIT","MARKET","STOP_LOSS_LIMIT","TAKE_PROFIT_LIMIT","LIMIT_MAKER"],
    "icebergAllowed":true,"ocoAllowed":true,"otoAllowed":false,"opoAllowed":false,"pegInstructionsAllowed":false,"quoteOrderQtyMarketAllowed":false,"allowTrailingStop":true,
    "cancelReplaceAllowed":false,"amendAllowed":false,"isSpotTradingAllowed":true,"isMarginTradingAllowed":true,
    "permissions":[],"permissionSets":[["SPOT","TRD_GRP_004"]],"defaultSelfTradePreventionMode":"NONE",
    "allowedSelfTradePreventionModes":["NONE","EXPIRE_TAKER"],"filters":[
        {"filterType":"PRICE_FILTER","minPrice":"0.01000000","maxPrice":"1000000.00000000","tickSize":"0.01000000"},
        {"filterType":"PERCENT_PRICE","multiplierUp":"2","multiplierDown":"0.5","avgPriceMins":3},
        {"filterType":"LOT_SIZE","minQty":"0.00001000","maxQty":"9000.00000000","stepSize":"0.00001000"},
        {"filterType":"MIN_NOTIONAL","minNotional":"10.00000000","applyToMarket":true,"avgPriceMins":3},
        {"filterType":"ICEBERG_PARTS","limit":3},
        {"filterType":"TRAILING_DELTA","minTrailingAboveDelta":20,"maxTrailingAboveDelta":300,
            "minTrailingBelowDelta":30,"maxTrailingBelowDelta":400},
        {"filterType":"MAX_NUM_ORDER_LISTS","maxNumOrderLists":1},
        {"filterType":"MAX_NUM_ICEBERG_ORDERS","maxNumIcebergOrders":1}]}]}"#;

fn recorded() -> InstrumentRules {
    let info = parse_exchange_info(RECORDED).unwrap();
    info.rules["BTCUSDT"].clone()
}

fn stage(rules: InstrumentRules) -> Stage {
    let mut stage = Stage::silent(rules);
    stage.trade("100", "1", Side::Buy);
    stage.book("99.9 100", "100.1 100");
    stage.frames();
    stage
}

#[test]
fn a_recorded_symbol_is_listed_as_it_was_recorded() {
    let mut stage = stage(recorded());
    let info = stage.raw(ExchangeInfo, "symbol=BTCUSDT").unwrap();
    let given: Value = serde_json::from_str(RECORDED).unwrap();
    assert_has(&info["symbols"][0], given["symbols"][0].clone());
    let of = |stage: &mut Stage, query: &str| {
        stage.raw(ExchangeInfo, query).unwrap()["symbols"].as_array().unwrap().len()
    };
    assert_eq!(of(&mut stage, "permissions=TRD_GRP_004"), 1);
    assert_eq!(of(&mut stage, "permissions=TRD_GRP_005"), 0);
}

#[test]
fn lists_and_pegs_that_a_recorded_symbol_does_not_take_are_refused() {
    let mut stage = stage(recorded());
    let working =
        "workingType=LIMIT&workingSide=BUY&workingPrice=99&workingQuantity=2&workingTimeInForce=GTC";
    let pending = "pendingType=LIMIT&pendingSide=SELL&pendingPrice=110&pendingTimeInForce=GTC";
    assert_eq!(
        stage.refused(OtoPlace, &format!("{working}&{pending}&pendingQuantity=2")),
        "-1013 OTO orders are not supported for this symbol."
    );
    assert_eq!(
        stage.refused(OpoPlace, &format!("{working}&{pending}")),
        "-1013 OPO orders are not supported for this symbol."
    );
    let peg = "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&pegPriceType=PRIMARY_PEG";
    assert_eq!(stage.refused(OrderPlace, peg), "-2010 Pegged orders are not supported for this symbol.");
}

#[test]
fn what_a_recorded_symbol_does_not_take_is_refused_in_binances_words() {
    let mut stage = stage(recorded());
    let limit = "side=SELL&type=LIMIT&timeInForce=GTC";
    for (query, text) in [
        (
            "side=SELL&type=STOP_LOSS&quantity=1&stopPrice=90".to_owned(),
            "-1013 Stop loss orders are not supported for this symbol.",
        ),
        (
            "side=SELL&type=TAKE_PROFIT&quantity=1&stopPrice=110".to_owned(),
            "-1013 Take profit orders are not supported for this symbol.",
        ),
        (
            "side=BUY&type=MARKET&quoteOrderQty=100".to_owned(),
            "-1013 Quote order qty market orders are not support for this symbol.",
        ),
        (format!("{limit}&quantity=1&price=201"), "-1013 Filter failure: PERCENT_PRICE"),
        (format!("{limit}&quantity=0.09&price=101"), "-1013 Filter failure: MIN_NOTIONAL"),
        (format!("{limit}&quantity=1&price=101&icebergQty=0.25"), "-1013 Filter failure: ICEBERG_PARTS"),
        (
            "side=SELL&type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=1&price=95&trailingDelta=29".to_owned(),
            "-1013 Filter failure: TRAILING_DELTA",
        ),
        (
            format!("{limit}&quantity=1&price=101&selfTradePreventionMode=EXPIRE_MAKER"),
            "-1013 This symbol does not allow the specified self-trade prevention mode.",
        ),
    ] {
        assert_eq!(stage.refused(OrderPlace, &query), text, "{query}");
    }
    let kept = stage.place(&format!("{limit}&quantity=1&price=101&icebergQty=0.5&newClientOrderId=kept"));
    assert_eq!(kept["selfTradePreventionMode"], "NONE", "the symbol's own");
    assert_eq!(
        stage.refused(OrderPlace, &format!("{limit}&quantity=1&price=102&icebergQty=0.5")),
        "-1013 Filter failure: MAX_NUM_ICEBERG_ORDERS"
    );
    assert_eq!(
        stage.refused(OrderAmend, "origClientOrderId=kept&newQty=0.5"),
        "-2038 Order amend is not supported for this symbol."
    );
    let replace = format!(
        "{limit}&quantity=1&price=103&cancelReplaceMode=STOP_ON_FAILURE&cancelOrigClientOrderId=kept"
    );
    assert_eq!(
        stage.refused(OrderCancelReplace, &replace),
        "-2010 Order cancel-replace is not supported for this symbol."
    );
    let oco = "side=SELL&quantity=1&aboveType=LIMIT_MAKER&abovePrice=110&belowType=STOP_LOSS_LIMIT&belowStopPrice=90\
               &belowPrice=89&belowTimeInForce=GTC";
    stage.ok(OcoPlace, oco);
    assert_eq!(stage.refused(OcoPlace, oco), "-1013 Filter failure: MAX_NUM_ORDER_LISTS");
}

#[test]
fn nothing_but_the_recorded_filters_limits_a_recorded_symbol() {
    let listing = Listing { filters: vec!["PRICE_FILTER".to_owned()], ..Listing::default() };
    let open = InstrumentRules {
        max_orders: None,
        max_algo_orders: None,
        listing: Some(Box::new(listing)),
        ..rules()
    };
    let mut stage = stage(open);
    let parts = "side=SELL&type=LIMIT&timeInForce=GTC&quantity=2&price=101&icebergQty=0.01";
    stage.place(parts);
    let info = stage.raw(ExchangeInfo, "symbol=BTCUSDT").unwrap();
    let filters = info["symbols"][0]["filters"].as_array().unwrap();
    assert_eq!(filters.iter().map(|row| &row["filterType"]).collect::<Vec<_>>(), ["PRICE_FILTER"]);
}

#[test]
fn without_a_mode_the_maker_expires_in_the_match_as_in_production() {
    let mut stage = stage(InstrumentRules { listing: None, ..rules() });
    let info = stage.raw(ExchangeInfo, "symbol=BTCUSDT").unwrap();
    assert_has(
        &info["symbols"][0],
        json!({
            "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
            "allowedSelfTradePreventionModes":
                ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER"],
        }),
    );
    let limit = |side: &str, quantity: &str, price: &str| {
        format!("side={side}&type=LIMIT&timeInForce=GTC&quantity={quantity}&price={price}")
    };
    let none = limit("SELL", "1", "100") + "&selfTradePreventionMode=NONE";
    assert_eq!(
        stage.refused(OrderPlace, &none),
        "-1013 This symbol does not allow the specified self-trade prevention mode."
    );
    let maker = stage.place(&limit("SELL", "1", "100"));
    let taker = stage.place(&limit("BUY", "0.5", "100"));
    assert_eq!(
        (&taker["status"], &taker["selfTradePreventionMode"]),
        (&json!("NEW"), &json!("EXPIRE_MAKER"))
    );
    let query = format!("orderId={}", maker["orderId"]);
    let found = stage.ok(OrderQuery, &query);
    assert_has(&found, json!({ "status": "EXPIRED_IN_MATCH", "preventedQuantity": "1.00000000" }));
    let matches = stage.ok(MyPreventedMatches, &query);
    assert_has(
        &matches[0],
        json!({ "makerPreventedQuantity": "1.00000000", "selfTradePreventionMode": "EXPIRE_MAKER", "tradeGroupId": -1 }),
    );
}

#[test]
fn transfer_is_taken_and_within_an_account_decrements() {
    let mut stage = stage(InstrumentRules { listing: None, ..rules() });
    let limit = |side: &str, quantity: &str| {
        format!(
            "side={side}&type=LIMIT&timeInForce=GTC&quantity={quantity}&price=100&selfTradePreventionMode=TRANSFER"
        )
    };
    let maker = stage.place(&limit("SELL", "1"));
    assert_eq!(maker["selfTradePreventionMode"], "TRANSFER");
    let taker = stage.place(&limit("BUY", "3"));
    assert_has(
        &taker,
        json!({ "status": "NEW", "preventedQuantity": "1.00000000", "executedQty": "0.00000000" }),
    );
    let found = stage.ok(OrderQuery, &format!("orderId={}", maker["orderId"]));
    assert_has(&found, json!({ "status": "EXPIRED_IN_MATCH", "preventedQuantity": "1.00000000" }));
}
