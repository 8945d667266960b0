//! Differences made by hand: each is named to the asset, the amount and what it looks like.

use crate::desk::*;
use domain::Side;
use events::*;

/// What is said of two reports after `happens`.
#[track_caller]
fn is_told(happens: impl FnOnce(&mut Desk), words: &str) {
    let mut desk = Desk::begun();
    happens(&mut desk);
    assert_eq!(desk.rounds(), [format!("disagree: {words}")]);
}

fn buys(desk: &mut Desk) -> OrderFilled {
    desk.trades(Side::Buy, "1", ["BTC", "USDT"], "100", fee("0.1", "USDT"))
}

#[test]
fn a_fill_that_is_missing() {
    is_told(
        |desk| _ = buys(desk),
        "BTC 3 for 2, Buy of 1 BTCUSDT is missing; USDT 899.9 for 1000, Buy of 1 BTCUSDT is missing",
    );
    is_told(
        |desk| _ = desk.trades(Side::Sell, "0.5", ["BTC", "USDT"], "50", fee("0.05", "USDT")),
        "BTC 1.5 for 2, Sell of 0.5 BTCUSDT is missing; USDT 1049.95 for 1000, Sell of 0.5 BTCUSDT is missing",
    );
}

#[test]
fn a_part_of_an_order_that_is_missing() {
    let all = |desk: &mut Desk| {
        let first = buys(desk);
        desk.hear(first);
        buys(desk);
    };
    is_told(
        all,
        "BTC 4 for 3, Buy of 1 BTCUSDT is missing; USDT 799.8 for 899.9, Buy of 1 BTCUSDT is missing",
    );
}

#[test]
fn a_fill_that_was_counted_twice() {
    let twice = |desk: &mut Desk| {
        let fill = buys(desk);
        desk.hear(fill);
        desk.hear(OrderFilled { venue_trade: get("99"), ..fill });
    };
    is_told(
        twice,
        "BTC 3 for 4, Sell of 1 BTCUSDT is missing; USDT 899.9 for 799.8, Sell of 1 BTCUSDT is missing",
    );
}

#[test]
fn a_fill_with_another_price() {
    let other = |desk: &mut Desk| {
        let fill = buys(desk);
        desk.hear(OrderFilled { quote: get("90"), ..fill });
    };
    is_told(other, "USDT 899.9 for 909.9, Withdrawal");
}

#[test]
fn a_deposit_an_airdrop_and_a_withdrawal() {
    is_told(|desk| desk.changes("USDT", "250"), "USDT 1250 for 1000, Deposit");
    is_told(|desk| desk.changes("PEPE", "77"), "PEPE 77 for 0, Deposit");
    is_told(|desk| desk.changes("BTC", "-2"), "BTC 0 for 2, Withdrawal");
    is_told(|desk| desk.changes("USDT", "-0.00000001"), "USDT 999.99999999 for 1000, Withdrawal");
}

#[test]
fn a_phantom_balance() {
    let phantom = |desk: &mut Desk| {
        let entry = desk.ledger("BTC", "0", LedgerReason::Other);
        desk.hear(LedgerEntry { delta: get("0.25"), ..entry });
    };
    is_told(phantom, "BTC 2 for 2.25, Withdrawal");
}

#[test]
fn a_fee_in_an_asset_in_which_fees_are_paid() {
    let unheard = |desk: &mut Desk| {
        let fill = desk.trades(Side::Buy, "1", ["BTC", "USDT"], "100", fee("0.001", "BNB"));
        desk.hear(fill);
        desk.changes("BNB", "-0.002");
    };
    is_told(unheard, "BNB 0.997 for 0.999, Fee");
    let unknown = |desk: &mut Desk| {
        let fill = desk.trades(Side::Buy, "1", ["BTC", "USDT"], "100", fee("0.001", "BNB"));
        desk.hear(OrderFilled { fee: None, ..fill });
    };
    is_told(unknown, "BNB 0.999 for 1, Withdrawal");
}

#[test]
fn dust_that_was_converted() {
    let converted = |desk: &mut Desk| {
        for asset in ["DOGE", "PEPE"] {
            let entry = desk.ledger(asset, "0.5", LedgerReason::Deposit);
            desk.hear(entry);
        }
        assert!(desk.rounds().is_empty());
        desk.changes("DOGE", "-0.5");
        desk.changes("PEPE", "-0.5");
        desk.changes("BNB", "0.0001");
    };
    is_told(
        converted,
        "BNB 1.0001 for 1, DustConversion; DOGE 0 for 0.5, DustConversion; PEPE 0 for 0.5, DustConversion",
    );
}

#[test]
fn an_order_by_hand_that_nobody_heard_of() {
    is_told(|desk| desk.places(8, "by-hand", "BTCUSDT", false), "8 by-hand is not known");
}

#[test]
fn an_order_that_was_canceled_or_expired_unheard() {
    let gone = |desk: &mut Desk| {
        desk.places(8, "limit", "BTCUSDT", true);
        assert!(desk.rounds().is_empty());
        desk.ends(8, false);
    };
    is_told(gone, "8 limit does not work");
}

#[test]
fn an_order_that_filled_unheard_is_told_with_its_amounts() {
    let filled = |desk: &mut Desk| {
        desk.places(8, "limit", "BTCUSDT", true);
        assert!(desk.rounds().is_empty());
        desk.ends(8, false);
        buys(desk);
    };
    is_told(
        filled,
        "BTC 3 for 2, Buy of 1 BTCUSDT is missing; USDT 899.9 for 1000, Buy of 1 BTCUSDT is missing; 8 limit does not work",
    );
}

#[test]
fn an_asset_belongs_to_one_missing_fill_at_most() {
    let mut desk = Desk::begun();
    desk.lists("BTC", "BNB");
    desk.changes("BTC", "1");
    desk.changes("USDT", "-100");
    desk.changes("BNB", "-0.5");
    let told = desk.rounds().concat();
    assert_eq!(told.matches("Buy of 1 BTCBNB is missing").count(), 2, "{told}");
    assert!(told.contains("USDT 900 for 1000, Withdrawal"), "{told}");
}

/// Undisturbed trading: random trades, orders, deposits, each heard before or after the venue tells its books.
#[test]
fn nothing_is_told_of_random_trading_that_is_heard() {
    for seed in 1..=40_u64 {
        let mut chance = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut below = move |n: u64| {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            chance % n
        };
        let mut desk = Desk::begun();
        let mut number = 100;
        for round in 0..250 {
            let mut late: Vec<Event> = Vec::new();
            for _ in 0..below(4) {
                let side = if below(2) == 0 { Side::Buy } else { Side::Sell };
                let asset = ["USDT", "BTC", "BNB"][usize::try_from(below(3)).unwrap()];
                let event: Event = match below(4) {
                    0 => {
                        number += 1;
                        desk.places(number, &format!("o{number}"), "BTCUSDT", true);
                        continue;
                    }
                    1 if desk.orders.contains_key(&number) => {
                        desk.ends(number, true);
                        continue;
                    }
                    2 => desk.ledger(asset, "0.125", LedgerReason::Deposit).into(),
                    _ => desk.trades(side, "0.001", ["BTC", "USDT"], "0.1", fee("0.000001", asset)).into(),
                };
                if below(2) == 0 { late.push(event) } else { assert!(desk.hear(event).is_empty()) }
            }
            let told = desk.round();
            assert!(told.is_empty(), "seed {seed}, round {round}: {told:?}");
            for event in late {
                desk.hear(event);
            }
        }
        desk.waits(std::time::Duration::from_secs(3_600));
        let told = desk.rounds();
        assert!(
            told.iter().all(|words| words.starts_with("agree")) && told.len() == 1,
            "seed {seed}: {told:?}"
        );
    }
}
