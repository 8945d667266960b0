//! The host, the lockstep engine and the follower, driven by two toy services; and the rule that
//! every crate of the workspace keeps.

mod architecture;
mod documents;
mod engine;
mod purity;
mod toys;
