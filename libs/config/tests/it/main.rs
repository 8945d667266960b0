//! Files and variables in, settings or all their problems out.

mod accounts;
mod environment;
mod file;
mod problems;
