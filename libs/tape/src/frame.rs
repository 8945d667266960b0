//! Raw frames as venues sent them, kept beside the tape: what was misread can be read again.

use crate::{Hash, StorageError, chain};
use domain::Timestamp;

/// What came over the wire in one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// SHA-256 of `bytes`; the frame is kept once, however often it comes.
    pub hash: Hash,
    pub received_at: Timestamp,
    pub bytes: Vec<u8>,
}

impl Frame {
    pub fn new(received_at: Timestamp, bytes: Vec<u8>) -> Self {
        Self { hash: chain::sha256(&bytes), received_at, bytes }
    }

    /// Whether the bytes are those of the hash.
    pub fn is_whole(&self) -> bool {
        chain::sha256(&self.bytes) == self.hash
    }
}

/// Frames that are read at a time when all of them are checked.
pub(crate) const PAGE: usize = 200;

/// A row of the table, whatever it holds.
pub(crate) struct Kept {
    pub hash: Vec<u8>,
    pub bytes: Vec<u8>,
}

/// Refuses frames under a hash that is not theirs: they would never be found again, or in another's place.
pub(crate) fn checked(tape: &str, frames: &[Frame]) -> Result<(), StorageError> {
    match frames.iter().find(|frame| !frame.is_whole()) {
        None => Ok(()),
        Some(frame) => Err(StorageError::Other {
            tape: tape.to_owned(),
            why: format!(
                "a frame was given under {}, which is not the hash of its bytes: make it by Frame::new",
                chain::hex(&frame.hash)
            ),
        }),
    }
}

/// # Errors
/// The bytes that were found are not those of the hash any more.
pub(crate) fn found(tape: &str, frame: Frame) -> Result<Frame, StorageError> {
    if frame.is_whole() {
        return Ok(frame);
    }
    let why = format!("the frame {} was changed", chain::hex(&frame.hash));
    Err(StorageError::Corrupt { tape: tape.to_owned(), why })
}
