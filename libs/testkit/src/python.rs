//! Python environments, for tests against clients that are not ours.

use crate::run;
use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// Packages may have to be fetched over a slow line; freqtrade alone takes minutes.
const INSTALLING: Duration = Duration::from_secs(1_200);

/// The `python` of an environment with these packages, e.g. `["aio-pika==9.5.7"]`.
///
/// It lies below cargo's target folder, is made once and found again later; tests that ask at the same
/// time, in whatever process, wait for the one that makes it.
///
/// # Panics
/// If it cannot be made, with what pip said. Debian has it in the package python3-venv.
pub fn python_venv(packages: &[&str]) -> PathBuf {
    let shelf = target().join("python");
    fs::create_dir_all(&shelf).unwrap_or_else(|e| panic!("testkit: {}: {e}", shelf.display()));
    let place = shelf.join(name_of(packages));
    let python = place.join("bin/python");
    let complete = place.join("complete");
    let lock = File::create(place.with_extension("lock")).and_then(|lock| lock.lock().map(|()| lock));
    let _held = lock.unwrap_or_else(|e| panic!("testkit: the lock of {}: {e}", place.display()));
    if complete.is_file() && runs(&python) {
        return python;
    }
    let _absent_at_first = fs::remove_dir_all(&place);
    run::output(Command::new("python3").args(["-m", "venv"]).arg(&place), INSTALLING);
    if !packages.is_empty() {
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
        run::output(&mut pip, INSTALLING);
    }
    File::create(&complete).unwrap_or_else(|e| panic!("testkit: {}: {e}", complete.display()));
    python
}

/// Not after the system's Python was replaced by a newer one, for example.
fn runs(python: &Path) -> bool {
    python.is_file() && run::run(Command::new(python).args(["-c", "pass"]), INSTALLING).status.success()
}

fn name_of(packages: &[&str]) -> String {
    let mut sorted = packages.to_vec();
    sorted.sort_unstable();
    // No dot: the lock's ending would replace what follows it.
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-=+".contains(c) { c } else { '_' };
    format!("with+{}", sorted.join("+")).chars().map(plain).collect()
}

/// The folder in which cargo built this test.
fn target() -> PathBuf {
    let own = env::current_exe().unwrap_or_default();
    let marked = own.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    marked.map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), Path::to_owned)
}
