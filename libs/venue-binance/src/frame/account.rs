//! The other frames of a user data stream.

use crate::wire::{Number, Stamp, Text, wire};

wire! {
    /// `outboundAccountPosition`: balances that may have changed.
    pub struct AccountPosition<'a> {
        event_time "E": may Stamp,
        updated "u": must Stamp,
        balances "B": must Vec<Balance<'a>>,
    }
}

wire! {
    pub struct Balance<'a> {
        asset "a": must Text<'a>,
        free "f": must Number,
        locked "l": must Number,
    }
}

wire! {
    /// `balanceUpdate`: a deposit, a withdrawal, a transfer.
    pub struct BalanceUpdate<'a> {
        event_time "E": may Stamp,
        asset "a": must Text<'a>,
        delta "d": must Number,
        cleared "T": must Stamp,
    }
}

wire! {
    /// `externalLockUpdate`: a part of the wallet was locked or released by another system.
    pub struct ExternalLockUpdate<'a> {
        event_time "E": may Stamp,
        asset "a": must Text<'a>,
        delta "d": must Number,
        transaction_time "T": must Stamp,
    }
}

wire! {
    /// `listStatus`: news of an order list as a whole.
    pub struct ListStatus<'a> {
        event_time "E": may Stamp,
        symbol "s": must Text<'a>,
        order_list "g": must i64,
        contingency "c": must Text<'a>,
        status_type "l": must Text<'a>,
        order_status "L": must Text<'a>,
        reject_reason "r": may Text<'a>,
        list_client_order "C": must Text<'a>,
        transaction_time "T": must Stamp,
        orders "O": must Vec<ListOrder<'a>>,
    }
}

wire! {
    pub struct ListOrder<'a> {
        symbol "s": must Text<'a>,
        order "i": must i64,
        client_order "c": must Text<'a>,
    }
}

wire! {
    /// An event that says nothing but when.
    pub struct Moment {
        event_time "E": must Stamp,
    }
}

wire! {
    pub struct ListenKeyExpired<'a> {
        event_time "E": must Stamp,
        listen_key "listenKey": may Text<'a>,
    }
}
