//! The server over real sockets, each test named after the section of Binance's documentation it is about.

mod accounts;
mod keys;
mod parameters;
mod requests;
mod rig;
mod socket;
mod tcp;
mod wallet;

mod control;
mod faults;
mod journal;
mod limits;
mod security;
mod stream;
mod user_data;
