//! States of units, kept to start sooner. They can be thrown away at any time.

use crate::Position;
use domain::UnitName;

/// How many are kept per unit: the newest, and one before it in case that one cannot be used.
pub const KEPT: usize = 2;

/// What a unit knew at `position`, its cursor then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub unit: UnitName,
    pub position: Position,
    /// Names the build, configuration and format that wrote it; under another one it is useless.
    pub tag: String,
    pub state: Vec<u8>,
}
