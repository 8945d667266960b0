//! Tells the tests whether Binance's sample messages are at hand: in `$TAPEDECK_DATA`, else in `../shared/data`
//! beside the workspace. Where they are not, the tests that need them are ignored, not passed.

use std::{env, path::PathBuf};

fn main() {
    println!("cargo::rustc-check-cfg=cfg(binance_samples)");
    println!("cargo::rerun-if-env-changed=TAPEDECK_DATA");
    let beside = || Some(PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?).join("../../../shared/data"));
    let folder = env::var_os("TAPEDECK_DATA").map(PathBuf::from).or_else(beside);
    if let Some(samples) = folder.map(|folder| folder.join("binance-samples/samples.jsonl")) {
        println!("cargo::rerun-if-changed={}", samples.display());
        if samples.is_file() {
            println!("cargo::rustc-cfg=binance_samples");
        }
    }
}
