//! Snapshots in SQLite. Written between two commits, never within one.

use super::{
    Sqlite,
    rows::{self, Binder},
    writer::Writer,
};
use crate::{
    StorageError,
    snapshot::{self, Stored},
};
use sqlx::sqlite::SqliteRow;

const SAVE: &str = "INSERT INTO snapshot (unit, position, tag, state) VALUES (?, ?, ?, ?) \
     ON CONFLICT (unit, position) DO UPDATE SET tag = excluded.tag, state = excluded.state";

const KEEP_NEWEST: &str = "DELETE FROM snapshot WHERE unit = ?1 AND position NOT IN \
     (SELECT position FROM snapshot WHERE unit = ?1 ORDER BY position DESC LIMIT ?2)";

const DROP: &str = "DELETE FROM snapshot WHERE unit = ? AND position = ?";

const ALL: &str = "SELECT unit, position, tag, state FROM snapshot ORDER BY unit, position DESC";

/// A crash between the two statements leaves one snapshot more than usual.
pub(super) async fn save(writer: &mut Writer, snapshot: Stored) -> Result<(), StorageError> {
    writer.working()?;
    let unit = snapshot.unit.clone();
    let mut arguments = Binder::default();
    arguments.add(snapshot.unit).add(snapshot.position).add(snapshot.tag).add(snapshot.state);
    let arguments = arguments.done().map_err(|e| writer.faults.storage(e))?;
    writer.execute(SAVE, arguments).await?;

    let mut arguments = Binder::default();
    arguments.add(unit).count(snapshot::KEPT as u64);
    let arguments = arguments.done().map_err(|e| writer.faults.storage(e))?;
    writer.execute(KEEP_NEWEST, arguments).await.map(drop)
}

pub(super) async fn drop_one(writer: &mut Writer, unit: String, position: i64) -> Result<(), StorageError> {
    writer.working()?;
    let mut arguments = Binder::default();
    arguments.add(unit).add(position);
    let arguments = arguments.done().map_err(|e| writer.faults.storage(e))?;
    writer.execute(DROP, arguments).await.map(drop)
}

pub(super) async fn forget(writer: &mut Writer) -> Result<(), StorageError> {
    writer.working()?;
    writer.execute("DELETE FROM snapshot", Default::default()).await.map(drop)
}

/// All of them, of each unit the newest first.
pub(super) async fn all(tape: &Sqlite) -> Result<Vec<Stored>, StorageError> {
    let rows = tape.fetch(ALL, Binder::default()).await?;
    let read = rows.iter().map(read).collect::<Result<_, _>>();
    read.map_err(|why| tape.faults().corrupt(format!("a snapshot: {why}; throw all of them away")))
}

fn read(row: &SqliteRow) -> Result<Stored, String> {
    Ok(Stored {
        unit: rows::text(row, 0)?.ok_or("unit is absent")?.to_owned(),
        position: rows::integer(row, 1)?,
        // A tag that cannot be read has no sum.
        tag: rows::text(row, 2).ok().flatten().unwrap_or_default().to_owned(),
        state: rows::blob(row, 3).ok().flatten().unwrap_or_default().to_vec(),
    })
}
