//! What is said when two copies of one fact differ.

pub mod conflict;
