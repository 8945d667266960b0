//! Fees in what is received, in quote, in a third asset.

use crate::suite::script::{Run, Setup, get, rules};
use venue_paper::engine::{PaidIn, ThirdPrice};

fn charging(paid_in: PaidIn) -> Setup {
    Setup::default().with(|s| {
        s.config.terms.fees.maker = get("0.001");
        s.config.terms.fees.taker = get("0.002");
        s.config.terms.fees.paid_in = paid_in;
        s.config.terms.slippage_ratio = get("0");
    })
}

fn in_bnb(price: ThirdPrice) -> PaidIn {
    PaidIn::Third { asset: get("BNB"), price }
}

#[test]
fn a_buy_pays_in_base_and_a_sale_in_quote() {
    charging(PaidIn::Received).check(
        "buy 2 market
         → o1 accepted / quote?
         quote 100
         → o1 filled 2 @ 100 fee 0.004 BTC / o1 ended filled 2 for 200
         = USDT 800+0, BTC 11.996+0
         sell 1 limit 110
         → o2 accepted
         candle 1h 100 111 100 110
         → o2 filled 1 @ 110 fee 0.11 USDT maker / o2 ended filled 1 for 110
         = USDT 909.89+0, BTC 10.996+0",
    );
}

#[test]
fn fees_in_quote_are_held_on_top_of_a_buy() {
    charging(PaidIn::Quote).check(
        "buy 2 limit 90
         → o1 accepted
         # at the dearer of the two rates
         = USDT 819.64+180.36
         candle 1h 100 100 89 90
         → o1 filled 2 @ 90 fee 0.18 USDT maker / o1 ended filled 2 for 180
         = USDT 819.82+0, BTC 12+0
         sell 1 market
         → o2 accepted / quote?
         quote 100
         → o2 filled 1 @ 100 fee 0.2 USDT / o2 ended filled 1 for 100
         = USDT 919.62+0, BTC 11+0
         # all of it goes into the coin and its fee, and a lot too little is left
         buy for 917.5 market
         → o3 accepted / quote?
         quote 100
         → o3 filled 9.175 @ 100 fee 1.835 USDT / o3 ended filled 9.175 for 917.5
         = USDT 0.285+0, BTC 20.175+0",
    );
}

#[test]
fn fees_in_quote_count_in_whether_a_buy_can_be_paid() {
    charging(PaidIn::Quote).check(
        "buy 10 limit 100
         → o1 rejected -2010 insufficient_balance: Account has insufficient balance for requested action.
         buy 9.98 limit 100
         → o2 accepted / quote?
         = USDT 0.004+999.996",
    );
}

#[test]
fn a_buy_at_a_worse_price_than_estimated_leaves_enough_for_its_fee_in_quote() {
    charging(PaidIn::Quote).check(
        "buy 9.5 market
         → o1 accepted / quote?
         = USDT 48.1+951.9
         quote 111
         # 8.991 at 111 and two thousandths of it are 999.996
         → o1 filled 8.991 @ 111 fee 1.996002 USDT / o1 ended expired with 8.991 for 998.001
         = USDT 0.002998+0, BTC 18.991+0",
    );
    charging(PaidIn::Quote).check(
        "buy 9.5 market
         → o1 accepted / quote?
         # The coins could be paid without their fee.
         quote 105.2
         → o1 filled 9.486 @ 105.2 fee 1.9958544 USDT / o1 ended expired with 9.486 for 997.9272",
    );
}

#[test]
fn fees_in_a_third_asset_at_a_fixed_price() {
    charging(in_bnb(ThirdPrice::Fixed(get("250"))))
        .with(|s| {
            s.config.balances.insert(get("BNB"), get("0.002"));
        })
        .check(
            "buy 2 market
             → o1 accepted / quote?
             quote 100
             → o1 filled 2 @ 100 fee 0.0016 BNB / o1 ended filled 2 for 200
             = USDT 800+0, BTC 12+0, BNB 0.0004+0
             # there is not enough left: the whole fee is taken from what is received
             sell 2 market
             → o2 accepted / quote?
             quote 100
             → o2 filled 2 @ 100 fee 0.4 USDT / o2 ended filled 2 for 200
             = USDT 999.6+0, BTC 10+0, BNB 0.0004+0",
        );
}

#[test]
fn fees_in_a_third_asset_at_its_last_price() {
    let setup = charging(in_bnb(ThirdPrice::LastPrice));
    let mut config = setup.config;
    config.balances.insert(get("BNB"), get("1"));
    let mut run = Run::new(config);
    run.list("BTCUSDT", rules("BTC", "USDT"));
    run.list("BNBUSDT", rules("BNB", "USDT"));
    run.line("candle 1h 100 100 100 100");
    run.line("buy 1 market");
    // No price of BNB is known yet.
    assert_eq!(run.line("quote 100")[0], "o1 filled 1 @ 100 fee 0.002 BTC");
    run.line("on BNBUSDT");
    run.line("candle 1h 300 300 300 300");
    run.line("on BTCUSDT");
    run.line("candle 1h 100 100 100 100");
    run.line("buy 1 market");
    // 0.2 USDT / 300, rounded up at the eighth decimal.
    assert_eq!(run.line("quote 100")[0], "o2 filled 1 @ 100 fee 0.00066667 BNB");
    run.line("= BNB 0.99933333+0, BTC 11.998+0");
}

#[test]
fn the_third_asset_may_itself_be_what_is_traded() {
    let setup = charging(in_bnb(ThirdPrice::LastPrice));
    let mut run = Run::new(setup.config);
    run.list("BNBUSDT", rules("BNB", "USDT"));
    run.line("on BNBUSDT");
    run.line("candle 1h 100 100 100 100");
    run.line("buy 1 market");
    assert_eq!(run.line("quote 100")[0], "o1 filled 1 @ 100 fee 0.002 BNB");
    run.line("= BNB 0.998+0, USDT 900+0");
    // Of what a sale by its sum does not need the fee is paid.
    run.line("sell for 50 market");
    assert_eq!(run.line("quote 100")[0], "o2 filled 0.5 @ 100 fee 0.001 BNB");
    run.line("sell 0.497 market");
    // Nothing is left of it to pay with.
    assert_eq!(run.line("quote 100")[0], "o3 filled 0.497 @ 100 fee 0.0994 USDT");
}

#[test]
fn a_sale_by_its_sum_at_a_better_price_frees_what_its_fee_needs() {
    let mut setup = charging(in_bnb(ThirdPrice::LastPrice));
    setup.config.balances.insert(get("BNB"), get("0.5"));
    let mut run = Run::new(setup.config);
    run.list("BNBUSDT", rules("BNB", "USDT"));
    run.line("on BNBUSDT");
    run.line("candle 1h 100 100 100 100");
    run.line("sell for 50 market");
    run.line("= BNB 0+0.5");
    assert_eq!(run.line("quote 110")[0], "o1 filled 0.454 @ 110 fee 0.000908 BNB");
    run.line("= BNB 0.045092+0");
}

#[test]
fn fees_are_rounded_up_to_the_last_decimal_of_their_asset() {
    charging(PaidIn::Received)
        .with(|s| {
            s.config.terms.fees.taker = get("0.00075");
            s.rules.quote_precision = 2;
            s.rules.base_precision = 3;
        })
        .check(
            "sell 1.001 market
             → o1 accepted / quote?
             quote 100
             → o1 filled 1.001 @ 100 fee 0.08 USDT / o1 ended filled 1.001 for 100.1
             buy 1 market
             → o2 accepted / quote?
             quote 100
             → o2 filled 1 @ 100 fee 0.001 BTC / o2 ended filled 1 for 100",
        );
}
