//! The folder of a throw-away server, and the processes that work in it.
//!
//! A server's processes are told by their working directory, which lies in the server's folder.
//! That needs no list of process ids, which would miss a child or name a stranger who got the id later.

use crate::{run, wait};
use std::{
    fs,
    io::{self, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Long enough for a busy machine; a kill takes milliseconds.
const DEADLINE: Duration = Duration::from_secs(30);

/// A new folder with a keeper beside it: when this is dropped, or the process dies in any way, the
/// keeper kills whatever works in the folder and removes it.
pub(crate) struct Folder {
    path: PathBuf,
    keeper: Child,
}

impl Folder {
    pub fn new(name: &str) -> Self {
        let made = tempfile::Builder::new().prefix(&format!("tapedeck-{name}-")).tempdir();
        let kept = made.unwrap_or_else(|e| panic!("testkit: no temporary folder: {e}")).keep();
        let path = kept.canonicalize().unwrap_or_else(|e| panic!("{}: {e}", kept.display()));
        let keeper = start_keeper(&path);
        let keeper = keeper.unwrap_or_else(|e| panic!("testkit: no keeper for {}: {e}", path.display()));
        Self { path, keeper }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a folder below this one.
    pub fn make(&self, name: &str) -> PathBuf {
        let path = self.path.join(name);
        fs::create_dir_all(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        path
    }

    /// Lets the keeper do its work, and waits for it.
    pub fn end(&mut self) {
        drop(self.keeper.stdin.take());
        let _reaped = self.keeper.wait();
    }

    /// The last lines of the text files given, for a message.
    pub fn ends_of(&self, files: &[&str]) -> String {
        files.iter().map(|file| end_of(&self.path.join(file), 40)).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.end();
    }
}

fn start_keeper(folder: &Path) -> io::Result<Child> {
    let mut keeper = Command::new("sh")
        .args(["-s", "testkit-keeper"])
        .arg(folder)
        .current_dir("/")
        .process_group(0) // Ctrl-C must not reach it
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(input) = &mut keeper.stdin {
        input.write_all(include_bytes!("keeper.sh"))?;
    }
    Ok(keeper)
}

/// Kills -9 everything that works in the folder; the leader first, because it alone makes children.
pub(crate) fn kill(leader: &mut Child, folder: &Path) {
    let _gone_already = leader.kill();
    leader.wait().unwrap_or_else(|e| panic!("testkit: process {} cannot be reaped: {e}", leader.id()));
    wait::wait_for(&format!("the end of what runs in {}", folder.display()), DEADLINE, || {
        let left = working_in(folder);
        signal("KILL", &left);
        left.is_empty()
    });
}

/// Stops everything that works in the folder, as it is; returns when all of it has stopped.
pub(crate) fn pause(leader: &Child, folder: &Path) {
    signal("STOP", &[leader.id()]);
    wait::wait_for(&format!("the stop of what runs in {}", folder.display()), DEADLINE, || {
        let moving: Vec<u32> = working_in(folder).into_iter().filter(|pid| !is_stopped(*pid)).collect();
        signal("STOP", &moving);
        moving.is_empty()
    });
}

pub(crate) fn resume(folder: &Path) {
    wait::wait_for(&format!("the going on of what runs in {}", folder.display()), DEADLINE, || {
        let still: Vec<u32> = working_in(folder).into_iter().filter(|pid| is_stopped(*pid)).collect();
        signal("CONT", &still);
        still.is_empty()
    });
}

/// The ids of the living processes whose working directory is this folder or lies in it.
pub(crate) fn working_in(folder: &Path) -> Vec<u32> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &u32| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| is_in(&cwd, folder)))
        .collect()
}

/// Also below another root, where a server has one; the folder's name is nobody else's.
fn is_in(cwd: &Path, folder: &Path) -> bool {
    let parts: Vec<_> = folder.components().skip(1).collect();
    let cwd: Vec<_> = cwd.components().collect();
    cwd.windows(parts.len().max(1)).any(|some| some == parts)
}

/// Sends a signal by name; a process that is gone already is no error.
pub(crate) fn signal(name: &str, pids: &[u32]) {
    if pids.is_empty() {
        return;
    }
    let mut kill = Command::new("sh");
    kill.args(["-c", "signal=$1; shift; kill -s \"$signal\" \"$@\" 2>/dev/null", "kill", name]);
    kill.args(pids.iter().map(ToString::to_string));
    run::run(&mut kill, DEADLINE);
}

/// By the letter of its state in `/proc/PID/stat`, after the name in brackets (proc(5)).
pub(crate) fn is_stopped(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['T', 't']))
}

/// The last lines of a file under its name, for a message.
pub(crate) fn end_of(file: &Path, lines: usize) -> String {
    let bytes = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().collect();
    let end = all[all.len().saturating_sub(lines)..].join("\n");
    format!("--- the end of {}\n{end}\n", file.display())
}
