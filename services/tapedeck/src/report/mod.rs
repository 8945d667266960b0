//! What a run amounts to: collected while it plays or from a tape, told as a summary, in files and as a page.
//! `docs/METRICS.md` defines every figure.

mod collector;
mod files;
mod groups;
mod html;
mod summary;
mod svg;
mod worth;

pub use collector::{Collector, HEARS};
pub use groups::{Group, Period};
pub use summary::{Dust, Holding, Summary};
