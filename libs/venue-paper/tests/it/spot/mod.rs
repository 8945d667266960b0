//! The exchange as `Spot`, mostly on books; see [`floor`] for the words of its scripts.
//!
//! Files named after a document of Binance's repository hold that document's examples.

mod accounts;
mod candles;
mod costs;
mod filters;
mod floor;
mod listing;
mod market_orders_faq;
mod order_amend_keep_priority;
mod order_lists;
mod order_types;
mod outside;
mod pegged_orders;
mod queue;
mod random;
mod random_lists;
mod sor_faq;
mod stp_faq;
mod trailing_stop_faq;
