//! Tells the tests whether real candles are at hand: in `$TAPEDECK_DATA`, else in `../shared/data`
//! beside the workspace. Where they are not, the tests that need them are ignored, not passed.

use std::{env, path::PathBuf};

fn main() {
    println!("cargo::rustc-check-cfg=cfg(recorded_data)");
    println!("cargo::rerun-if-env-changed=TAPEDECK_DATA");
    let beside = || Some(PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?).join("../../../shared/data"));
    let folder = env::var_os("TAPEDECK_DATA").map(PathBuf::from).or_else(beside);
    if let Some(folder) = folder {
        println!("cargo::rerun-if-changed={}", folder.display());
        if folder.join("candles").is_dir() {
            println!("cargo::rustc-cfg=recorded_data");
        }
    }
}
