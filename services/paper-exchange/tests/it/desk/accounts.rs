//! Accounts of one exchange in one book.

use super::stage::{Stage, btc, d, params, rules, setup};
use paper_exchange::{
    endpoint::Endpoint::{self, MyTrades, OpenOrders, OrderPlace},
    exchange::{Accounts, Exchange, Other, Setup},
    journal::{self, Input},
    params::TimeUnit,
    simulator::Simulator,
};
use serde_json::{Value, json};
use venue_paper::engine::{Fees, Owner, PaidIn};

const COPIER: Owner = Owner(1);

fn accounts() -> Accounts {
    let fees = Fees { maker: d("0"), taker: d("0.002"), paid_in: PaidIn::Received };
    let other = Other {
        account: "binance:copier".parse().unwrap(),
        balances: [("USDT".parse().unwrap(), d("1000"))].into(),
        fees,
        group: None,
    };
    Accounts { others: vec![other], ..setup().paper }
}

/// Two accounts, and nobody else on the book.
fn stage() -> Stage {
    let mut stage = Stage::silent(rules());
    stage.exchange = Exchange::new(Setup { paper: accounts(), ..setup() }, Simulator::default());
    let listed = events::InstrumentListed { instrument: btc(), rules: Box::new(rules()) };
    stage.exchange.hear(stage.now, &listed.into());
    stage.trade("100", "1", domain::Side::Buy);
    stage.book("", "");
    stage.exchange.take_account_frames();
    stage
}

fn ask(stage: &mut Stage, owner: Owner, endpoint: Endpoint, query: &str) -> Value {
    stage.tick();
    let answer = stage.exchange.call_as(owner, endpoint, &params(query), TimeUnit::Milli);
    answer.unwrap_or_else(|no| panic!("{query}: {no:?}"))
}

fn limit(side: &str, quantity: &str, price: &str) -> String {
    format!("symbol=BTCUSDT&side={side}&type=LIMIT&timeInForce=GTC&quantity={quantity}&price={price}")
}

#[test]
fn accounts_trade_with_each_other_and_each_hears_its_own_side() {
    let mut stage = stage();
    ask(&mut stage, Owner::FIRST, OrderPlace, &(limit("SELL", "1", "101") + "&newClientOrderId=same"));
    let bought = ask(&mut stage, COPIER, OrderPlace, &(limit("BUY", "2", "102") + "&newClientOrderId=same"));
    assert_eq!(
        (&bought["status"], &bought["executedQty"]),
        (&json!("PARTIALLY_FILLED"), &json!("1.00000000"))
    );
    assert_eq!(bought["fills"][0]["commission"], "0.00200000", "its own fee");
    let frames = stage.exchange.take_account_frames();
    let of = |owner: Owner| -> Vec<String> {
        let own = frames.iter().filter(|frame| frame.owner == owner);
        own.map(|frame| serde_json::from_str::<Value>(&frame.milli).unwrap())
            .map(|event| format!("{} {}", event["x"].as_str().unwrap_or("balances"), event["m"]))
            .collect()
    };
    assert_eq!(of(Owner::FIRST), ["NEW false", "balances null", "TRADE true", "balances null"]);
    assert_eq!(of(COPIER), ["NEW false", "TRADE false", "balances null"]);
    let numbers: Vec<u64> = frames.iter().filter(|f| f.owner == COPIER).map(|f| f.number).collect();
    assert_eq!(numbers.windows(2).filter(|pair| pair[1] != pair[0] + 1).count(), 0, "{numbers:?}");
    for (owner, maker) in [(Owner::FIRST, true), (COPIER, false)] {
        let trades = ask(&mut stage, owner, MyTrades, "symbol=BTCUSDT");
        assert_eq!(trades.as_array().unwrap().len(), 1, "{trades}");
        assert_eq!(trades[0]["isMaker"], maker);
        assert_eq!(trades[0]["id"], bought["fills"][0]["tradeId"], "one public trade");
    }
    assert_eq!(ask(&mut stage, Owner::FIRST, OpenOrders, ""), json!([]));
    assert_eq!(ask(&mut stage, COPIER, OpenOrders, "").as_array().unwrap().len(), 1);
}

#[test]
fn inputs_of_several_accounts_come_out_the_same_again() {
    let call = |owner: u16, query: String| Input::Call {
        at: None,
        owner: Owner(owner),
        endpoint: "order.place".to_owned(),
        params: params(&query).pairs,
        envelope: 2,
        micro: false,
    };
    let usdt = || "USDT".parse().unwrap();
    let inputs = [
        call(0, limit("SELL", "1", "101")),
        call(1, limit("BUY", "2", "102")),
        Input::Transfer { from: COPIER, to: Owner::FIRST, asset: usdt(), amount: d("10") },
        Input::Balance { owner: COPIER, asset: usdt(), delta: d("5") },
        call(0, limit("SELL", "0.5", "99")),
    ];
    let lines: Vec<String> = inputs.iter().map(|input| serde_json::to_string(input).unwrap()).collect();
    assert!(!lines[0].contains("owner"), "the first account's need not say so: {}", lines[0]);
    let run = || {
        let mut stage = stage();
        let read = lines.iter().map(|line| serde_json::from_str::<Input>(line).unwrap());
        read.for_each(|input| _ = journal::apply(&mut stage.exchange, &input).unwrap());
        stage.exchange.take_account_frames()
    };
    let told = run();
    assert_eq!(told, run());
    assert!(told.iter().filter(|frame| frame.owner == COPIER).count() > 5);
}
