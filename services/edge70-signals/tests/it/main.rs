//! The edge by itself: candles in, signals out.

mod golden;
mod market;
mod policy;
mod restart;
