//! The crate from outside: files are written, looked through and read back.

mod exchange_info;
mod recorded;
mod store;

use domain::Venue;
use market_store::{Store, StoreError};
use std::{fs, path::PathBuf};
use tempfile::TempDir;

fn binance() -> Venue {
    "binance".parse().unwrap()
}

/// A folder with these files in it.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn open(folder: &TempDir) -> Result<Store, StoreError> {
    Store::open(folder.path(), binance())
}

/// `$TAPEDECK_DATA`, else the folder beside the workspace.
fn data(name: &str) -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var_os("TAPEDECK_DATA").map_or(beside, PathBuf::from).join(name)
}
