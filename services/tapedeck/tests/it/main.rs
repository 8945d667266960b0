//! The program from outside: it is started, killed, starved and asked, and what it prints, records and
//! exits with is looked at.

mod address;
mod backtest;
mod cases;
mod configuration;
mod crash;
mod full;
mod help;
mod input;
mod log;
mod recorded;
mod replay;
mod support;
mod synthetic;
mod tamper;
mod versions;
mod views;
mod why;
