//! Ids are derived, never drawn: saying a thing twice says the same thing.

use domain::{Account, ClientOrderId, Leg, TradeId};
use uuid::Uuid;

/// The id of the `n`-th event (from 0) that `unit` says on hearing `cause`.
pub fn said(cause: Uuid, unit: &str, n: usize) -> Uuid {
    let mut name = [0_u8; 48];
    let bytes = unit.as_bytes();
    let len = bytes.len().min(40);
    name[..len].copy_from_slice(&bytes[..len]);
    name[len] = b'/';
    name[len + 1..len + 5].copy_from_slice(&(n as u32).to_be_bytes());
    Uuid::new_v5(&cause, &name[..len + 5])
}

/// The id of a fact of the world, named by what every source of it repeats.
/// `tape` is the namespace, so another tape never repeats an id.
pub fn fact(tape: Uuid, kind: &str, key: &str) -> Uuid {
    Uuid::new_v5(&tape, format!("{kind}|{key}").as_bytes())
}

/// Our id of an order: the same after any crash, different on another tape.
/// 28 characters of `[a-z0-9]`; Binance takes `^[\.A-Z\:/a-z0-9_-]{1,36}$`.
pub fn client_order_id(
    tape: Uuid,
    account: &Account,
    trade: &TradeId,
    leg: &str,
    attempt: u32,
) -> ClientOrderId {
    let name = format!("{account}|{trade}|{leg}|{attempt}");
    let mut rest = Uuid::new_v5(&tape, name.as_bytes()).as_u128();
    let mut text = String::with_capacity(28);
    text.push_str("td");
    for _ in 0..26 {
        text.push(char::from(b"0123456789abcdefghijklmnopqrstuv"[(rest & 31) as usize]));
        rest >>= 5;
    }
    ClientOrderId::new(&text).unwrap_or_else(|e| unreachable!("28 plain characters: {e}"))
}

/// [`client_order_id`] for a leg of a trade.
pub fn leg_id(tape: Uuid, account: &Account, trade: &TradeId, leg: Leg, attempt: u32) -> ClientOrderId {
    client_order_id(tape, account, trade, leg.as_str(), attempt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_order_ids_fit_the_venue_and_never_repeat_on_another_tape() {
        let account = "paper:main".parse().unwrap();
        let trade = TradeId::new("edge70-BTCUSDT-L-20240115T0000").unwrap();
        let one = leg_id(Uuid::from_u128(1), &account, &trade, Leg::Stop, 1);
        assert_eq!(one, leg_id(Uuid::from_u128(1), &account, &trade, Leg::Stop, 1));
        assert_ne!(one, leg_id(Uuid::from_u128(2), &account, &trade, Leg::Stop, 1));
        assert_ne!(one, leg_id(Uuid::from_u128(1), &account, &trade, Leg::Stop, 2));
        assert!(one.len() <= 32 && one.chars().all(|c| c.is_ascii_alphanumeric()));
    }

    #[test]
    fn a_unit_says_different_ids_for_each_event() {
        let cause = Uuid::from_u128(7);
        assert_ne!(said(cause, "a", 0), said(cause, "a", 1));
        assert_ne!(said(cause, "a", 0), said(cause, "b", 0));
    }
}
