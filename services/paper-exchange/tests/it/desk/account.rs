//! `rest-api.md`, "Account endpoints"; `user-data-stream.md`, "Account Update" and "Balance Update".

use super::stage::{Stage, assert_fields, assert_has, d};
use paper_exchange::endpoint::Endpoint::{Account, Commission, MyAllocations, TradeFee};
use serde_json::json;
use venue_paper::engine::Owner;

#[test]
fn account_information() {
    let mut stage = Stage::new();
    let account = stage.raw(Account, "").unwrap();
    assert_fields(
        &account,
        "makerCommission takerCommission buyerCommission sellerCommission commissionRates canTrade canWithdraw \
         canDeposit brokered requireSelfTradePrevention preventSor updateTime accountType balances permissions uid",
    );
    assert_has(&account, json!({ "makerCommission": 10, "accountType": "SPOT", "permissions": ["SPOT"] }));
    assert_eq!(
        account["balances"][0],
        json!({ "asset": "BTC", "free": "10.00000000", "locked": "0.00000000" })
    );
    stage.exchange.adjust_balance(Owner::FIRST, "BTC".parse().unwrap(), d("-10")).unwrap();
    let rows = |stage: &mut Stage, query: &str| {
        stage.raw(Account, query).unwrap()["balances"].as_array().unwrap().len()
    };
    assert_eq!((rows(&mut stage, ""), rows(&mut stage, "omitZeroBalances=true")), (2, 1));
}

#[test]
fn balance_update_and_account_update_of_a_deposit() {
    let mut stage = Stage::new();
    stage.exchange.adjust_balance(Owner::FIRST, "BNB".parse().unwrap(), d("2.5")).unwrap();
    let frames = stage.frames();
    assert_has(&frames[0], json!({ "e": "balanceUpdate", "a": "BNB", "d": "2.50000000" }));
    assert_has(
        &frames[1],
        json!({
            "e": "outboundAccountPosition",
            "B": [{ "a": "BNB", "f": "2.50000000", "l": "0.00000000" }],
        }),
    );
    assert!(stage.exchange.adjust_balance(Owner::FIRST, "BNB".parse().unwrap(), d("-3")).is_err());
    assert_eq!(stage.news(), "");
    assert_eq!(stage.balance("BNB"), (d("2.5"), d("0")));
}

#[test]
fn query_commission_rates_and_trade_fee() {
    let mut stage = Stage::new();
    let rates = stage.ok(Commission, "");
    assert_fields(&rates, "symbol standardCommission specialCommission taxCommission discount");
    assert_has(&rates["standardCommission"], json!({ "maker": "0.00100000", "taker": "0.00100000" }));
    let fee = json!([{ "symbol": "BTCUSDT", "makerCommission": "0.001", "takerCommission": "0.001" }]);
    assert_eq!(stage.raw(TradeFee, "").unwrap(), fee);
    assert_eq!(stage.ok(TradeFee, ""), fee);
}

#[test]
fn query_allocations_finds_none() {
    assert_eq!(Stage::new().ok(MyAllocations, "orderId=1"), json!([]));
}
