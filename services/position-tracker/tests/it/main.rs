//! The position tracker as scripts: what it hears, line by line, and the log of what it says.

mod positions;
mod script;
mod sums;
