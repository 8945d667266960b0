//! Replicas of toy units, each in a task of its own, on tapes in memory and on disk.

mod away;
mod deaths;
mod hands;
mod hints;
mod leases;
mod newer;
mod record;
mod resumed;
mod stage;
mod status;
mod stepped;
mod together;
mod toys;
