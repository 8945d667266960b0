//! The order tracker as scripts: what it hears, line by line, and the log of what it says.

mod any_order;
mod flat;
mod life;
mod script;
