//! Names the build by its sources, and tells the tests whether real candles are at hand.

use std::{
    collections::hash_map::DefaultHasher,
    env, fs,
    hash::{Hash, Hasher},
    path::{Path, PathBuf},
};

fn main() {
    let Some(here) = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from) else { return };
    name_the_build(&here.join("../.."));
    look_for_candles(&here);
}

/// `TAPEDECK_BUILD` is the version and a digest of every source that can change what a unit says:
/// another build starts with `UnitStarted`, and reads no snapshot of this one.
fn name_the_build(workspace: &Path) {
    println!("cargo::rerun-if-env-changed=TAPEDECK_BUILD");
    if env::var_os("TAPEDECK_BUILD").is_some() {
        return;
    }
    let mut sources = vec![workspace.join("Cargo.lock")];
    for folder in ["libs", "services"] {
        collect(&workspace.join(folder), &mut sources);
    }
    sources.sort();
    let mut digest = DefaultHasher::new();
    for source in &sources {
        println!("cargo::rerun-if-changed={}", source.display());
        source.strip_prefix(workspace).unwrap_or(source).hash(&mut digest);
        fs::read(source).unwrap_or_default().hash(&mut digest);
    }
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    println!("cargo::rustc-env=TAPEDECK_BUILD={version}+{:016x}", digest.finish());
}

/// Sources and configuration below the crates' `src` folders.
fn collect(folder: &Path, sources: &mut Vec<PathBuf>) {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            if !["tests", "benches", "frozen"].iter().any(|other| name == *other) {
                collect(&path, sources);
            }
        } else if path.extension().is_some_and(|e| e == "rs" || e == "toml" || e == "sql") {
            sources.push(path);
        }
    }
}

/// In `$TAPEDECK_DATA`, else in `../shared/data` beside the workspace. Where there are none, the tests
/// that need them are ignored, not passed.
fn look_for_candles(here: &Path) {
    println!("cargo::rustc-check-cfg=cfg(recorded_data)");
    println!("cargo::rerun-if-env-changed=TAPEDECK_DATA");
    let folder =
        env::var_os("TAPEDECK_DATA").map_or_else(|| here.join("../../../shared/data"), PathBuf::from);
    println!("cargo::rerun-if-changed={}", folder.display());
    if folder.join("candles").is_dir() {
        println!("cargo::rustc-cfg=recorded_data");
    }
}
