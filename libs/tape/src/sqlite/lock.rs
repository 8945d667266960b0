//! One writing process per tape: a lock that the operating system drops with the process, however
//! it ends.

use crate::OpenError;
use std::{
    fs::{self, File, TryLockError},
    io::{ErrorKind, Read, Seek, Write},
    path::Path,
};

/// Held as long as this lives. The file beside the tape, `PATH.lock`, stays; it means nothing by itself.
#[derive(Debug)]
pub(super) struct WriterLock(File);

impl Drop for WriterLock {
    /// Closing alone leaves it to a child that is just being started with a copy of the file. The name goes
    /// first: nobody is to believe it any more.
    fn drop(&mut self) {
        let _ = self.0.set_len(0);
        let _ = self.0.unlock();
    }
}

impl WriterLock {
    /// `path` is the tape's, without symbolic links, so that two names of one file meet here.
    ///
    /// # Errors
    /// [`OpenError::Taken`] names the process that writes the tape.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        let name = format!("{}.lock", path.display());
        let failed = |e: std::io::Error| OpenError::Unwritable { path: name.clone(), why: e.to_string() };
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&name)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = holder(&mut file, Path::new(&name));
                return Err(OpenError::Taken { path: path.display().to_string(), holder });
            }
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        // The name is for people; on a full disk the lock holds without it.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Self(file))
    }
}

fn holder(file: &mut File, lock: &Path) -> String {
    let mut text = String::new();
    let _ = file.read_to_string(&mut text);
    match text.trim().parse::<u32>() {
        Ok(pid) if pid == std::process::id() => "this very process".to_owned(),
        Ok(pid) if has_open(pid, lock) => format!("process {pid}{}", command(pid)),
        // Between its lock and its word, a holder is nameless, and what stands there is of one that was killed.
        Ok(_) | Err(_) => "another process".to_owned(),
    }
}

/// Whether that process has the file open. Where the system does not tell, its word is believed.
fn has_open(pid: u32, lock: &Path) -> bool {
    let Ok(lock) = lock.canonicalize() else { return false };
    match fs::read_dir(format!("/proc/{pid}/fd")) {
        Ok(files) => files.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|to| to == lock)),
        Err(error) if error.kind() == ErrorKind::NotFound => !Path::new("/proc/self/fd").exists(),
        Err(_) => true,
    }
}

/// What that process is, where the system tells.
fn command(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm"))
        .map_or_else(|_| String::new(), |name| format!(" ({})", name.trim()))
}
