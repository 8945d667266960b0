//! What every tape does is shown once, in `conformance`, and holds for each backend; what only one of
//! them does stands beside it.

mod archive;
mod conformance;
mod end;
mod interrupted;
mod model;
mod postgres;
mod sealed;
mod sqlite;
mod support;
mod verify;
