//! The host, the lockstep engine and the follower, driven by two toy services.

mod engine;
mod toys;
