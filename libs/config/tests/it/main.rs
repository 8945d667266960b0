//! Files and variables in, settings or all their problems out.

mod accounts;
mod environment;
mod file;
mod problems;

/// The kinds of edges that the default names.
const KINDS: &[service::edge::EdgeKind] = &[service::edge::EdgeKind::of::<edge70_signals::Edge70>()];
