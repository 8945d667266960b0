//! Scripts and their expected logs.

mod desk;
mod gateway;
mod hands;
mod owners_hand;
mod planner;
mod rule_changes;
