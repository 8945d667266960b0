//! Our books against the venue's, as scripts: what happens, and what is said of it.

mod desk;
mod differences;
mod verdicts;
