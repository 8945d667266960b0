//! `executionReport`, with every documented field.

use crate::wire::{Number, Stamp, Text, wire};

wire! {
    /// An order's news. Amounts and prices that no event carries are kept as they were written.
    pub struct ExecutionReport<'a> {
        event_time "E": may Stamp,
        symbol "s": must Text<'a>,
        /// The order's own, but of a cancel or an amendment that request's.
        client_order "c": must Text<'a>,
        side "S": must Text<'a>,
        order_type "o": may Text<'a>,
        time_in_force "f": may Text<'a>,
        quantity "q": may Text<'a>,
        price "p": may Text<'a>,
        stop_price "P": may Text<'a>,
        iceberg_quantity "F": may Text<'a>,
        /// −1 if it is in no list.
        order_list "g": may i64,
        /// The order's own id where `c` is that of a cancel; else empty.
        original_client_order "C": may Text<'a>,
        execution "x": must Text<'a>,
        status "X": must Text<'a>,
        reject_reason "r": may Text<'a>,
        order "i": must i64,
        last_quantity "l": may Number,
        filled_quantity "z": may Number,
        last_price "L": may Number,
        fee "n": may Number,
        fee_asset "N": may Text<'a>,
        transaction_time "T": must Stamp,
        /// −1 if nothing was traded, or by an allocation.
        trade "t": may i64,
        prevented_match "v": may i64,
        execution_id "I": may i64,
        is_working "w": may bool,
        is_maker "m": may bool,
        created "O": may Stamp,
        filled_quote "Z": may Number,
        last_quote "Y": may Number,
        quote_order_quantity "Q": may Text<'a>,
        /// As it was written; −1 where it does not work yet.
        working_time "W": may i64,
        self_trade_prevention "V": may Text<'a>,
        trailing_delta "d": may i64,
        trailing_time "D": may i64,
        strategy "j": may i64,
        strategy_type "J": may i64,
        prevented_quantity "A": may Text<'a>,
        last_prevented_quantity "B": may Text<'a>,
        trade_group "u": may i64,
        counter_order "U": may i64,
        counter_symbol "Cs": may Text<'a>,
        prevented_execution_quantity "pl": may Text<'a>,
        prevented_execution_price "pL": may Text<'a>,
        prevented_execution_quote "pY": may Text<'a>,
        match_type "b": may Text<'a>,
        allocation "a": may i64,
        working_floor "k": may Text<'a>,
        used_sor "uS": may bool,
        pegged_price_type "gP": may Text<'a>,
        pegged_offset_type "gOT": may Text<'a>,
        pegged_offset "gOV": may i64,
        pegged_price "gp": may Text<'a>,
        /// Why it expired; since 2026-03-26.
        expiry_reason "eR": may Text<'a>,
    }
}
