//! Requests and facts in, grants and refusals out.

mod borders;
mod grants;
mod ids;
mod limits;
mod mirror;
mod money;
mod property;
mod refusals;
mod script;
