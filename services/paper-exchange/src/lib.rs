//! A spot exchange that speaks Binance's REST and WebSocket API, on this machine, with paper money.
//!
//! [`exchange`] is the whole of it as one deterministic state machine; [`simulator`] is the rest of the
//! market around the account; [`server`] puts both on sockets, and [`faults`] tells it how to misbehave.

pub mod answer;
pub mod endpoint;
pub mod exchange;
pub mod faults;
pub mod frame;
pub mod journal;
pub mod params;
pub mod recording;
pub mod refusal;
pub mod server;
pub mod simulator;
