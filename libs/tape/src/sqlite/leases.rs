//! Cursors in SQLite: who may speak for a unit. Lease times are by this process' clock, since no other
//! process writes here.

use super::{
    rows::{self, Binder},
    writer::Writer,
};
use crate::{Cursor, CursorMove, LeaseError, StorageError, cursor::Claim, machine_clock};
use domain::{Timestamp, UnitName};
use std::time::Duration;

const LOAD: &str = "SELECT unit, position, fence, owner, lease_until, reach FROM cursor WHERE unit = ?";

const STORE: &str = "INSERT INTO place (unit, position, fence, owner, lease_until, reach) \
     VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (unit) DO UPDATE SET position = excluded.position, \
     fence = excluded.fence, owner = excluded.owner, lease_until = excluded.lease_until, reach = excluded.reach";

/// All of `units`, or none.
pub(super) async fn claim(
    writer: &mut Writer,
    units: &[UnitName],
    claim: &Claim,
) -> Result<Vec<Cursor>, LeaseError> {
    let now = machine_clock();
    writer.working()?;
    writer.begin().await?;
    let taken = claim_each(writer, units, claim, now).await;
    writer.end(taken).await
}

async fn claim_each(
    writer: &mut Writer,
    units: &[UnitName],
    claim: &Claim,
    now: Timestamp,
) -> Result<Vec<Cursor>, LeaseError> {
    let mut taken = Vec::with_capacity(units.len());
    for unit in units {
        let mut cursor = load(writer, *unit).await?.unwrap_or_else(|| Cursor::new(*unit));
        cursor.claim(claim, now)?;
        store(writer, &cursor).await?;
        taken.push(cursor);
    }
    Ok(taken)
}

pub(super) async fn renew(
    writer: &mut Writer,
    unit: UnitName,
    fence: u64,
    ttl: Duration,
) -> Result<(), LeaseError> {
    let now = machine_clock();
    update(writer, unit, fence, |cursor| cursor.renew(fence, ttl, now)).await
}

pub(super) async fn release(writer: &mut Writer, unit: UnitName, fence: u64) -> Result<(), LeaseError> {
    update(writer, unit, fence, |cursor| cursor.release(fence)).await
}

/// Reading and storing need no transaction: nobody else writes.
async fn update(
    writer: &mut Writer,
    unit: UnitName,
    fence: u64,
    change: impl FnOnce(&mut Cursor) -> Result<(), LeaseError>,
) -> Result<(), LeaseError> {
    writer.working()?;
    let mut cursor =
        load(writer, unit).await?.ok_or(LeaseError::Lost { unit, given: fence, stored: None })?;
    change(&mut cursor)?;
    Ok(store(writer, &cursor).await?)
}

/// Cursors as another tape had them.
pub(super) async fn restore(writer: &mut Writer, cursors: &[Cursor]) -> Result<(), StorageError> {
    writer.working()?;
    writer.begin().await?;
    let mut stored = Ok(());
    for cursor in cursors {
        stored = store(writer, cursor).await;
        if stored.is_err() {
            break;
        }
    }
    writer.end(stored).await
}

pub(super) async fn load(writer: &mut Writer, unit: UnitName) -> Result<Option<Cursor>, StorageError> {
    let mut arguments = Binder::default();
    arguments.text(&unit);
    let arguments = arguments.done().map_err(|e| writer.faults.storage(e))?;
    let rows = writer.rows(LOAD, arguments).await?;
    rows.first().map(|row| rows::cursor(row, 0)).transpose().map_err(|why| writer.faults.corrupt(why))
}

async fn store(writer: &mut Writer, cursor: &Cursor) -> Result<(), StorageError> {
    let mut arguments = Binder::default();
    arguments
        .text(&cursor.unit)
        .count(cursor.position)
        .count(cursor.fence)
        .optional_text(cursor.owner.as_deref())
        .add(cursor.lease_until.map(Timestamp::micros))
        .count(cursor.reach);
    let arguments = arguments.done().map_err(|e| writer.faults.storage(e))?;
    writer.execute(STORE, arguments).await.map(drop)
}

impl Binder {
    pub(super) fn step(&mut self, step: &CursorMove) -> &mut Self {
        self.text(&step.unit).count(step.fence).count(step.to).count(step.reach)
    }

    /// As many NULLs as [`Binder::step`] has values.
    pub(super) fn no_step(&mut self) -> &mut Self {
        self.optional_text(None).optional_text(None).optional_text(None).optional_text(None)
    }
}
