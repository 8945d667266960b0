//! Scripts and their expected logs.

mod beside;
mod desk;
mod dust;
mod gateway;
mod hands;
mod leaving;
mod market_price;
mod memory;
mod mirror;
mod money;
mod owners_hand;
mod planner;
mod plans;
mod rule_changes;
mod stop_alone;
mod venue_time;
