//! What PostgreSQL keeps beside the tape: snapshots and raw frames. None of it takes the head's lock.

use super::{
    Postgres,
    readers::Again,
    rows::{self, Binder},
};
use crate::{Frame, Hash, Position, ReadError, Snapshot, StorageError, frame, snapshot};
use domain::Timestamp;
use sqlx::postgres::{PgBindIterExt, PgRow};

const SAVE: &str = "SELECT tapedeck.save_snapshot($1, $2, $3, $4, $5)";

const NEWEST: &str = "SELECT unit, position, tag, state FROM tapedeck.snapshot AS it WHERE position = \
     (SELECT max(s.position) FROM tapedeck.snapshot s WHERE s.unit = it.unit AND s.position <= $1) ORDER BY unit";

const KEEP: &str = "INSERT INTO tapedeck.frame (hash, received_at, bytes) \
     SELECT * FROM unnest($1, $2, $3) ON CONFLICT (hash) DO NOTHING";

const FIND: &str = "SELECT received_at, bytes FROM tapedeck.frame WHERE hash = $1";

/// Bytes of frames per statement.
const CHUNK: usize = 16 << 20;

impl Postgres {
    pub(crate) async fn save_snapshot(&self, new: Snapshot) -> Result<(), StorageError> {
        self.writable()?;
        let mut arguments = Binder::default();
        arguments.text(&new.unit).count(new.position).text(&new.tag).add(new.state);
        arguments.add(i32::try_from(snapshot::KEPT).unwrap_or(i32::MAX));
        self.ask(SAVE, arguments, Again::Yes).await.map(drop)
    }

    pub(crate) async fn snapshots(&self, at_most: Position) -> Result<Vec<Snapshot>, ReadError> {
        let mut arguments = Binder::default();
        arguments.count(at_most);
        let found = self.ask(NEWEST, arguments, Again::Yes).await?;
        let read = found.iter().map(read_snapshot).collect::<Result<_, _>>();
        read.map_err(|why| self.faults().corrupt(format!("a snapshot: {why}")).into())
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

fn read_snapshot(row: &PgRow) -> Result<Snapshot, String> {
    Ok(Snapshot {
        unit: rows::unit(row, 0)?,
        position: rows::unsigned(rows::integer(row, 1)?, "position")?,
        tag: rows::string(row, 2)?.ok_or("tag is absent")?.into_owned(),
        state: rows::bytes(row, 3)?.ok_or("state is absent")?.to_vec(),
    })
}
