//! Scripts and their expected logs.

mod desk;
mod gateway;
mod hands;
mod planner;
