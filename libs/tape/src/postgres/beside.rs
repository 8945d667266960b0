//! What PostgreSQL keeps beside the tape: snapshots and raw frames. None of it takes the head's lock.

use super::{
    Postgres,
    readers::Again,
    rows::{self, Binder},
};
use crate::{
    Frame, Hash, ReadError, StorageError,
    frame::{self, Kept, PAGE},
    snapshot::{self, Stored},
};
use domain::Timestamp;
use sqlx::postgres::{PgBindIterExt, PgRow};

const SAVE: &str = "SELECT tapedeck.save_snapshot($1, $2, $3, $4, $5)";

const ALL: &str = "SELECT unit, position, tag, state FROM tapedeck.snapshot ORDER BY unit, position DESC";

const DROP: &str = "DELETE FROM tapedeck.snapshot WHERE unit = $1 AND position = $2";

const KEEP: &str = "INSERT INTO tapedeck.frame (hash, received_at, bytes) \
     SELECT * FROM unnest($1, $2, $3) ON CONFLICT (hash) DO NOTHING";

const FIND: &str = "SELECT received_at, bytes FROM tapedeck.frame WHERE hash = $1";

const AFTER: &str = "SELECT hash, bytes FROM tapedeck.frame WHERE hash > $1 ORDER BY hash LIMIT $2";

/// Bytes of frames per statement.
const CHUNK: usize = 16 << 20;

impl Postgres {
    pub(crate) async fn save_snapshot(&self, new: Stored) -> Result<(), StorageError> {
        self.writable()?;
        let mut arguments = Binder::default();
        arguments.text(&new.unit).add(new.position).text(&new.tag).add(new.state);
        arguments.add(i32::try_from(snapshot::KEPT).unwrap_or(i32::MAX));
        self.ask(SAVE, arguments, Again::Yes).await.map(drop)
    }

    /// All of them, of each unit the newest first.
    pub(crate) async fn snapshots(&self) -> Result<Vec<Stored>, StorageError> {
        let found = self.ask(ALL, Binder::default(), Again::Yes).await?;
        let read = found.iter().map(read_snapshot).collect::<Result<_, _>>();
        read.map_err(|why| self.faults().corrupt(format!("a snapshot: {why}; throw all of them away")))
    }

    /// Does nothing where the tape was opened for reading.
    pub(crate) async fn drop_snapshot(&self, unit: String, position: i64) -> Result<(), StorageError> {
        if self.writable().is_err() {
            return Ok(());
        }
        let mut arguments = Binder::default();
        arguments.text(&unit).add(position);
        self.ask(DROP, arguments, Again::Yes).await.map(drop)
    }

    pub(crate) async fn forget_snapshots(&self) -> Result<(), StorageError> {
        self.writable()?;
        self.ask("DELETE FROM tapedeck.snapshot", Binder::default(), Again::Yes).await.map(drop)
    }

    /// In order of their hashes, as everybody does, so that two who keep the same ones do not wait for each
    /// other in a circle.
    pub(crate) async fn keep_frames(&self, mut frames: Vec<Frame>) -> Result<(), StorageError> {
        self.writable()?;
        frame::checked(&self.faults().tape, &frames)?;
        frames.sort_by_key(|frame| frame.hash);
        let mut left = &frames[..];
        while !left.is_empty() {
            let mut size = 0;
            let fits = left.iter().take_while(|frame| {
                size += frame.bytes.len();
                size <= CHUNK
            });
            let (now, later) = left.split_at(fits.count().max(1));
            left = later;
            let mut arguments = Binder::default();
            arguments
                .add(now.iter().map(|frame| &frame.hash[..]).bind_iter())
                .add(now.iter().map(|frame| frame.received_at.micros()).bind_iter())
                .add(now.iter().map(|frame| &frame.bytes[..]).bind_iter());
            self.ask(KEEP, arguments, Again::Yes).await?;
        }
        Ok(())
    }

    /// The frames behind `last`, in the order of their hashes.
    pub(crate) async fn frames_after(&self, last: Option<Vec<u8>>) -> Result<Vec<Kept>, StorageError> {
        let mut arguments = Binder::default();
        arguments.add(last.unwrap_or_default()).add(PAGE as i64);
        let found = self.ask(AFTER, arguments, Again::Yes).await?;
        let bytes = |row, column| rows::bytes(row, column).ok().flatten().unwrap_or_default().to_vec();
        Ok(found.iter().map(|row| Kept { hash: bytes(row, 0), bytes: bytes(row, 1) }).collect())
    }

    pub(crate) async fn frame(&self, hash: &Hash) -> Result<Option<Frame>, ReadError> {
        let mut arguments = Binder::default();
        arguments.add(&hash[..]);
        let found = self.ask(FIND, arguments, Again::Yes).await?;
        let Some(row) = found.first() else { return Ok(None) };
        let read = || {
            Ok(Frame {
                hash: *hash,
                received_at: Timestamp::from_micros(rows::integer(row, 0)?),
                bytes: rows::bytes(row, 1)?.ok_or("bytes are absent")?.to_vec(),
            })
        };
        let found = read().map_err(|why: String| self.faults().corrupt(format!("a frame: {why}")))?;
        Ok(Some(frame::found(&self.faults().tape, found)?))
    }
}

fn read_snapshot(row: &PgRow) -> Result<Stored, String> {
    Ok(Stored {
        unit: rows::string(row, 0)?.ok_or("unit is absent")?.into_owned(),
        position: rows::integer(row, 1)?,
        // A tag that cannot be read has no sum.
        tag: rows::string(row, 2).ok().flatten().unwrap_or_default().into_owned(),
        state: rows::bytes(row, 3)?.unwrap_or_default().to_vec(),
    })
}
