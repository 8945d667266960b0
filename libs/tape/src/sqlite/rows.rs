//! Rows as SQLite holds them, and back.
//!
//! Reading is strict: a value of another storage class, length or range than we write is reported
//! with its position, never coerced, so that `verify` can name what was changed.

use crate::{Cursor, Head, Position, error::Damage};
use domain::{Timestamp, UnitName};
use events::{Draft, Kind, Row, Uuid};
use sqlx::{
    Arguments, Decode, Row as _, Sqlite, TypeInfo as _, ValueRef as _,
    encode::Encode,
    error::BoxDynError,
    sqlite::{SqliteArguments, SqliteRow, SqliteValueRef},
    types::Type,
};
use std::{borrow::Cow, sync::Arc};

/// The columns of an event in the order in which [`read`] takes them and [`Binder::row`] gives them.
macro_rules! columns {
    () => {
        "position, id, kind, schema, subject, source, cause, trade, at, recorded_at, body, meta, hash"
    };
}
pub(super) use columns;

/// How many columns an event has.
pub(super) const WIDTH: usize = 13;

/// Reads an event.
pub(super) fn read(row: &SqliteRow) -> Result<Row, Damage> {
    let position = position(row)?;
    event(row, position).map_err(|why| Damage { position, why })
}

/// Reads the position, which is always the first column.
pub(super) fn position(row: &SqliteRow) -> Result<Position, Damage> {
    let position = integer(row, 0).and_then(|n| unsigned(n, "position"));
    position.map_err(|why| Damage { position: 0, why })
}

fn event(row: &SqliteRow, position: Position) -> Result<Row, String> {
    let draft = Draft {
        id: id(row, 1)?.ok_or("id is absent")?,
        kind: kind(text(row, 2)?.ok_or("kind is absent")?),
        schema: u16::try_from(integer(row, 3)?).map_err(|_| "schema is out of range")?,
        subject: text(row, 4)?.ok_or("subject is absent")?.to_owned(),
        source: unit(text(row, 5)?.ok_or("source is absent")?)?,
        cause: id(row, 6)?,
        trade: text(row, 7)?.map(str::to_owned),
        at: Timestamp::from_micros(integer(row, 8)?),
        body: text(row, 10)?.ok_or("body is absent")?.to_owned(),
        meta: text(row, 11)?.map(str::to_owned),
    };
    let recorded_at = Timestamp::from_micros(integer(row, 9)?);
    Ok(Row { position, recorded_at, hash: hash(row, 12)?, draft })
}

/// Reads `position, hash, recorded_at`, starting at column `from`.
pub(super) fn head(row: &SqliteRow, from: usize) -> Result<Head, String> {
    Ok(Head {
        position: unsigned(integer(row, from)?, "the head's position")?,
        hash: hash(row, from + 1)?,
        recorded_at: Timestamp::from_micros(integer(row, from + 2)?),
    })
}

/// Reads `unit, position, fence, owner, lease_until, reach`, starting at column `from`.
pub(super) fn cursor(row: &SqliteRow, from: usize) -> Result<Cursor, String> {
    let lease_until = match is_null(row, from + 4)? {
        true => None,
        false => Some(Timestamp::from_micros(integer(row, from + 4)?)),
    };
    Ok(Cursor {
        unit: unit(text(row, from)?.ok_or("unit is absent")?)?,
        position: unsigned(integer(row, from + 1)?, "a cursor's position")?,
        fence: unsigned(integer(row, from + 2)?, "a fence")?,
        owner: text(row, from + 3)?.map(str::to_owned),
        lease_until,
        reach: unsigned(integer(row, from + 5)?, "a reach")?,
    })
}

/// A known kind costs no allocation.
pub(super) fn kind(name: &str) -> Cow<'static, str> {
    Kind::parse(name).map_or_else(|| Cow::Owned(name.to_owned()), |kind| Cow::Borrowed(kind.name()))
}

pub(super) fn unit(name: &str) -> Result<UnitName, String> {
    UnitName::new(name).map_err(|e| e.to_string())
}

pub(super) fn unsigned(value: i64, what: &str) -> Result<u64, String> {
    u64::try_from(value).map_err(|_| format!("{what} is negative"))
}

pub(super) fn integer(row: &SqliteRow, index: usize) -> Result<i64, String> {
    let value = column(row, index)?;
    expect(&value, "INTEGER", index)?;
    decode(value, index)
}

pub(super) fn text(row: &SqliteRow, index: usize) -> Result<Option<&str>, String> {
    optional(row, index, "TEXT")
}

pub(super) fn blob(row: &SqliteRow, index: usize) -> Result<Option<&[u8]>, String> {
    optional(row, index, "BLOB")
}

fn id(row: &SqliteRow, index: usize) -> Result<Option<Uuid>, String> {
    let bytes = blob(row, index)?;
    bytes.map(|b| Uuid::from_slice(b).map_err(|e| format!("column {index}: {e}"))).transpose()
}

fn hash(row: &SqliteRow, index: usize) -> Result<events::Hash, String> {
    let bytes = blob(row, index)?.unwrap_or_default();
    bytes.try_into().map_err(|_| format!("the hash has {} bytes instead of 32", bytes.len()))
}

fn optional<'r, T: Decode<'r, Sqlite>>(
    row: &'r SqliteRow,
    index: usize,
    class: &str,
) -> Result<Option<T>, String> {
    let value = column(row, index)?;
    if value.is_null() {
        return Ok(None);
    }
    expect(&value, class, index)?;
    decode(value, index).map(Some)
}

pub(super) fn is_null(row: &SqliteRow, index: usize) -> Result<bool, String> {
    Ok(column(row, index)?.is_null())
}

fn column(row: &SqliteRow, index: usize) -> Result<SqliteValueRef<'_>, String> {
    row.try_get_raw(index).map_err(|e| e.to_string())
}

fn expect(value: &SqliteValueRef<'_>, class: &str, index: usize) -> Result<(), String> {
    let found = value.type_info();
    if value.is_null() || found.name() != class {
        let found = if value.is_null() { "NULL" } else { found.name() };
        return Err(format!("column {index} holds {found} instead of {class}"));
    }
    Ok(())
}

fn decode<'r, T: Decode<'r, Sqlite>>(value: SqliteValueRef<'r>, index: usize) -> Result<T, String> {
    T::decode(value).map_err(|e| format!("column {index}: {e}"))
}

/// Gathers the arguments of a statement, in order.
#[derive(Default)]
pub(super) struct Binder {
    arguments: SqliteArguments,
    failed: Option<BoxDynError>,
}

impl Binder {
    pub(super) fn room(mut self, values: usize) -> Self {
        self.arguments.reserve(values, 0);
        self
    }

    pub(super) fn add<'t, T: Encode<'t, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> &mut Self {
        if let Err(e) = self.arguments.add(value) {
            self.failed.get_or_insert(e);
        }
        self
    }

    /// Positions, fences and the like. None ever comes near the largest integer of SQLite; one given
    /// by a caller that does is no stored one.
    pub(super) fn count(&mut self, value: u64) -> &mut Self {
        self.add(i64::try_from(value).unwrap_or(i64::MAX))
    }

    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        self.add(Arc::<str>::from(value))
    }

    pub(super) fn optional_text(&mut self, value: Option<&str>) -> &mut Self {
        self.add(value.map(Arc::<str>::from))
    }

    pub(super) fn time(&mut self, value: Timestamp) -> &mut Self {
        self.add(value.micros())
    }

    pub(super) fn head(&mut self, head: &Head) -> &mut Self {
        self.count(head.position).add(head.hash.to_vec()).time(head.recorded_at)
    }

    pub(super) fn row(&mut self, place: &crate::sequence::Placed, draft: &Draft) -> &mut Self {
        self.count(place.position)
            .add(draft.id.as_bytes().to_vec())
            .text(&draft.kind)
            .add(i64::from(draft.schema))
            .text(&draft.subject)
            .text(&draft.source)
            .add(draft.cause.map(|id| id.as_bytes().to_vec()))
            .optional_text(draft.trade.as_deref())
            .time(draft.at)
            .time(place.recorded_at)
            .text(&draft.body)
            .optional_text(draft.meta.as_deref())
            .add(place.hash.to_vec())
    }

    pub(super) fn done(self) -> Result<SqliteArguments, sqlx::Error> {
        self.failed.map_or(Ok(self.arguments), |e| Err(sqlx::Error::Encode(e)))
    }
}
