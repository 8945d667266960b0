//! Replicas of toy units, each in a task of its own, on tapes in memory and on disk.

mod away;
mod deaths;
mod hands;
mod hints;
mod joins;
mod leases;
mod newer;
mod paced_feed;
mod record;
mod resumed;
mod stage;
mod status;
mod together;
mod toys;
