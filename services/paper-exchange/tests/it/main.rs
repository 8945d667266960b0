//! The exchange from outside: each part by its own modules.

mod clients;
mod desk;
mod server;
mod simulator;
mod stage;
/// What every venue must do, here through `venue-binance` over sockets.
#[path = "../../../../libs/venue-paper/tests/suite/mod.rs"]
mod suite;
