//! The exchange as `Spot`, mostly on books; see [`floor`] for the words of its scripts.
//!
//! Files named after a document of Binance's repository hold that document's examples.

mod accounts;
mod filters;
mod floor;
mod market_orders_faq;
mod order_amend_keep_priority;
mod order_types;
mod queue;
mod random;
mod stp_faq;
mod trailing_stop_faq;
