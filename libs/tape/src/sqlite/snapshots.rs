//! Snapshots in SQLite. Written between two commits, never within one.

use super::{
    Sqlite,
    rows::{self, Binder},
    writer::Writer,
};
use crate::{Position, ReadError, Snapshot, StorageError, snapshot};
use sqlx::sqlite::SqliteRow;

const SAVE: &str = "INSERT INTO snapshot (unit, position, tag, state) VALUES (?, ?, ?, ?) \
     ON CONFLICT (unit, position) DO UPDATE SET tag = excluded.tag, state = excluded.state";

const KEEP_NEWEST: &str = "DELETE FROM snapshot WHERE unit = ?1 AND position NOT IN \
     (SELECT position FROM snapshot WHERE unit = ?1 ORDER BY position DESC LIMIT ?2)";

const NEWEST: &str = "SELECT unit, position, tag, state FROM snapshot AS it WHERE position = \
     (SELECT max(position) FROM snapshot WHERE unit = it.unit AND position <= ?) ORDER BY unit";

/// A crash between the two statements leaves one snapshot more than usual.
pub(super) async fn save(writer: &mut Writer, snapshot: Snapshot) -> Result<(), StorageError> {
    writer.working()?;
    let unit = snapshot.unit;
    let mut arguments = Binder::default();
    arguments.text(&unit).count(snapshot.position).add(snapshot.tag).add(snapshot.state);
    let arguments = arguments.done().map_err(|e| writer.faults.storage(e))?;
    writer.execute(SAVE, arguments).await?;

    let mut arguments = Binder::default();
    arguments.text(&unit).count(snapshot::KEPT as u64);
    let arguments = arguments.done().map_err(|e| writer.faults.storage(e))?;
    writer.execute(KEEP_NEWEST, arguments).await.map(drop)
}

pub(super) async fn forget(writer: &mut Writer) -> Result<(), StorageError> {
    writer.working()?;
    writer.execute("DELETE FROM snapshot", Default::default()).await.map(drop)
}

pub(super) async fn newest(tape: &Sqlite, at_most: Position) -> Result<Vec<Snapshot>, ReadError> {
    let mut arguments = Binder::default();
    arguments.count(at_most);
    let rows = tape.fetch(NEWEST, arguments).await?;
    let read = rows.iter().map(read).collect::<Result<_, _>>();
    read.map_err(|why| tape.faults().corrupt(format!("a snapshot: {why}")).into())
}

fn read(row: &SqliteRow) -> Result<Snapshot, String> {
    Ok(Snapshot {
        unit: rows::unit(rows::text(row, 0)?.ok_or("unit is absent")?)?,
        position: rows::unsigned(rows::integer(row, 1)?, "position")?,
        tag: rows::text(row, 2)?.ok_or("tag is absent")?.to_owned(),
        state: rows::blob(row, 3)?.ok_or("state is absent")?.to_vec(),
    })
}
