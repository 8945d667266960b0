//! One writing process per tape: a lock that the operating system drops with the process, however
//! it ends.

use crate::OpenError;
use std::{
    fs::{self, File, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
};

/// Held as long as this lives. The file beside the tape, `PATH.lock`, stays; it means nothing by itself.
#[derive(Debug)]
pub(super) struct WriterLock(File);

impl Drop for WriterLock {
    /// Closing alone leaves it to a child that is just being started with a copy of the file.
    fn drop(&mut self) {
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
                return Err(OpenError::Taken { path: path.display().to_string(), holder: holder(&mut file) });
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

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    // Between its lock and its word, the holder is nameless; that is all that can go wrong here.
    let _ = file.read_to_string(&mut text);
    match text.trim().parse::<u32>() {
        Ok(pid) if pid == std::process::id() => "this very process".to_owned(),
        Ok(pid) => format!("process {pid}{}", command(pid)),
        Err(_) => "another process".to_owned(),
    }
}

/// What that process is, where the system tells.
fn command(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm"))
        .map_or_else(|_| String::new(), |name| format!(" ({})", name.trim()))
}
