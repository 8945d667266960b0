//! The exchange's orders and account, each test named after the section of Binance's documentation it is about.

mod account;
mod accounts;
mod driven;
mod errors;
mod exchange_info;
mod facts;
mod filters;
mod frames;
mod listed;
mod lists;
mod live;
mod one_book;
mod orders;
mod oto;
mod pegged;
mod replace;
mod sor;
mod stage;
mod triggers;
mod uncrossed;
