//! The program from outside: it is started, killed, starved and asked, and what it prints, records and
//! exits with is looked at.

mod accounts;
mod address;
mod away;
mod backtest;
mod books;
mod brake;
mod candles_told;
mod cases;
mod chaos;
mod configuration;
mod control;
mod control_ended;
mod crash;
mod data_told;
mod distributed;
mod exchange;
#[path = "../fleet/mod.rs"]
#[allow(dead_code, reason = "the example chaos uses the rest")]
mod fleet;
mod fleets;
mod full;
mod habits;
mod help;
mod ingestors;
mod input;
mod live;
mod log;
mod markets;
mod metrics;
mod money;
mod money_spent;
mod moved;
mod names;
mod outsider;
mod owner;
mod quarantine;
mod recorded;
mod renamed;
mod replay;
mod restored;
mod results;
mod rolling;
mod support;
mod synthetic;
mod tamper;
mod up_live;
mod upgrade;
mod versions;
mod views;
mod why;
mod words;
