//! Trades and best prices.

use crate::wire::{Number, Stamp, Text, wire};

wire! {
    /// `trade`: one trade of one buyer with one seller.
    pub struct PublicTrade<'a> {
        event_time "E": may Stamp,
        symbol "s": must Text<'a>,
        trade "t": must i64,
        price "p": must Number,
        quantity "q": must Number,
        time "T": must Stamp,
        /// Whether the seller took.
        buyer_is_maker "m": must bool,
    }
}

wire! {
    /// `aggTrade`: the trades of one taker at one price.
    pub struct AggregateTrade<'a> {
        event_time "E": may Stamp,
        symbol "s": must Text<'a>,
        aggregate "a": must i64,
        price "p": must Number,
        quantity "q": must Number,
        first_trade "f": must i64,
        last_trade "l": must i64,
        time "T": must Stamp,
        buyer_is_maker "m": must bool,
    }
}

wire! {
    /// `bookTicker`: the best bid and ask, as of the book's update `u`.
    pub struct BookTicker<'a> {
        update "u": must u64,
        symbol "s": must Text<'a>,
        bid "b": must Number,
        bid_quantity "B": must Number,
        ask "a": must Number,
        ask_quantity "A": must Number,
    }
}

wire! {
    /// `24hrMiniTicker`: the last 24 hours, rolling.
    pub struct MiniTicker<'a> {
        event_time "E": must Stamp,
        symbol "s": must Text<'a>,
        close "c": must Number,
        open "o": must Number,
        high "h": must Number,
        low "l": must Number,
        volume "v": must Number,
        quote_volume "q": must Number,
    }
}
