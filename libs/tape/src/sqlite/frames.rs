//! Raw frames in SQLite, beside the tape.

use super::{
    Sqlite,
    rows::{self, Binder},
    writer::Writer,
};
use crate::{
    Frame, Hash, ReadError, StorageError,
    frame::{self, Kept, PAGE},
};
use domain::Timestamp;

const KEEP: &str =
    "INSERT INTO frame (hash, received_at, bytes) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING";

const FIND: &str = "SELECT received_at, bytes FROM frame WHERE hash = ?";

const AFTER: &str = "SELECT hash, bytes FROM frame WHERE hash > ? ORDER BY hash LIMIT ?";

/// The frames behind `last`, in the order of their hashes.
pub(super) async fn after(tape: &Sqlite, last: Option<Vec<u8>>) -> Result<Vec<Kept>, StorageError> {
    let mut arguments = Binder::default();
    arguments.add(last.unwrap_or_default()).count(PAGE as u64);
    let rows = tape.fetch(AFTER, arguments).await?;
    let blob = |row, column| rows::blob(row, column).ok().flatten().unwrap_or_default().to_vec();
    Ok(rows.iter().map(|row| Kept { hash: blob(row, 0), bytes: blob(row, 1) }).collect())
}

pub(super) async fn keep(writer: &mut Writer, frames: Vec<Frame>) -> Result<(), StorageError> {
    writer.working()?;
    frame::checked(&writer.faults.tape, &frames)?;
    writer.begin().await?;
    let mut kept = Ok(());
    for frame in frames {
        let mut arguments = Binder::default();
        arguments.add(frame.hash.to_vec()).time(frame.received_at).add(frame.bytes);
        kept = match arguments.done().map_err(|e| writer.faults.storage(e)) {
            Ok(arguments) => writer.execute(KEEP, arguments).await.map(drop),
            Err(e) => Err(e),
        };
        if kept.is_err() {
            break;
        }
    }
    writer.end(kept).await
}

pub(super) async fn find(tape: &Sqlite, hash: &Hash) -> Result<Option<Frame>, ReadError> {
    let mut arguments = Binder::default();
    arguments.add(hash.to_vec());
    let rows = tape.fetch(FIND, arguments).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let read = || {
        Ok(Frame {
            hash: *hash,
            received_at: Timestamp::from_micros(rows::integer(row, 0)?),
            bytes: rows::blob(row, 1)?.ok_or("bytes are absent")?.to_vec(),
        })
    };
    let found = read().map_err(|why: String| tape.faults().corrupt(format!("a frame: {why}")))?;
    Ok(Some(frame::found(&tape.faults().tape, found)?))
}
