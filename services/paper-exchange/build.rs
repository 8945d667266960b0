//! Tells the tests whether Binance's sample messages and a recorded book are at hand: in `$TAPEDECK_DATA`, else in `../shared/data`
//! beside the workspace. Where they are not, the tests that need them are ignored, not passed.

use std::{env, path::PathBuf};

fn main() {
    println!("cargo::rustc-check-cfg=cfg(binance_samples)");
    println!("cargo::rustc-check-cfg=cfg(recorded_book)");
    println!("cargo::rerun-if-env-changed=TAPEDECK_DATA");
    let beside = || Some(PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?).join("../../../shared/data"));
    let folder = env::var_os("TAPEDECK_DATA").map(PathBuf::from).or_else(beside);
    let Some(folder) = folder else { return };
    for (file, cfg) in
        [("binance-samples/samples.jsonl", "binance_samples"), ("l2/btcusdt_expected.json", "recorded_book")]
    {
        let file = folder.join(file);
        println!("cargo::rerun-if-changed={}", file.display());
        if file.is_file() {
            println!("cargo::rustc-cfg={cfg}");
        }
    }
}
