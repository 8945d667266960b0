//! Rows as PostgreSQL sends them, and back.

use super::text;
use crate::{Cursor, Head, Position, error::Damage};
use domain::{Timestamp, UnitName};
use events::{Draft, Hash, Kind, Row, Uuid};
use sqlx::{
    Arguments, Encode, Postgres, Row as _, Type,
    error::BoxDynError,
    postgres::{PgArguments, PgRow},
};
use std::borrow::Cow;

/// The columns of an event in the order in which [`read`] takes them.
macro_rules! columns {
    () => {
        "position, id, kind, schema, subject, source, cause, trade, at, recorded_at, body, meta, hash"
    };
}
pub(super) use columns;

/// Reads an event.
pub(super) fn read(row: &PgRow) -> Result<Row, Damage> {
    let position = integer(row, 0).and_then(|n| unsigned(n, "position"));
    let position = position.map_err(|why| Damage { position: 0, why })?;
    event(row, position).map_err(|why| Damage { position, why })
}

fn event(row: &PgRow, position: Position) -> Result<Row, String> {
    let draft = Draft {
        id: id(row, 1)?.ok_or("id is absent")?,
        kind: kind(string(row, 2)?.ok_or("kind is absent")?),
        schema: u16::try_from(short(row, 3)?).map_err(|_| "schema is out of range")?,
        subject: string(row, 4)?.ok_or("subject is absent")?.into_owned(),
        source: unit(row, 5)?,
        cause: id(row, 6)?,
        trade: string(row, 7)?.map(Cow::into_owned),
        at: Timestamp::from_micros(integer(row, 8)?),
        body: string(row, 10)?.ok_or("body is absent")?.into_owned(),
        meta: string(row, 11)?.map(Cow::into_owned),
    };
    let recorded_at = Timestamp::from_micros(integer(row, 9)?);
    Ok(Row { position, recorded_at, hash: hash(row, 12)?, draft })
}

/// Reads `position, hash, recorded_at`, starting at column `from`.
pub(super) fn head(row: &PgRow, from: usize) -> Result<Head, String> {
    Ok(Head {
        position: unsigned(integer(row, from)?, "the head's position")?,
        hash: hash(row, from + 1)?,
        recorded_at: Timestamp::from_micros(integer(row, from + 2)?),
    })
}

/// Reads `unit, position, fence, owner, lease_until, reach`, starting at column `from`.
pub(super) fn cursor(row: &PgRow, from: usize) -> Result<Cursor, String> {
    let lease_until = match bytes(row, from + 4)? {
        None => None,
        Some(_) => Some(Timestamp::from_micros(integer(row, from + 4)?)),
    };
    Ok(Cursor {
        unit: unit(row, from)?,
        position: unsigned(integer(row, from + 1)?, "a cursor's position")?,
        fence: unsigned(integer(row, from + 2)?, "a fence")?,
        owner: string(row, from + 3)?.map(Cow::into_owned),
        lease_until,
        reach: unsigned(integer(row, from + 5)?, "a reach")?,
    })
}

/// A known kind costs no allocation.
fn kind(name: Cow<'_, str>) -> Cow<'static, str> {
    Kind::parse(&name).map_or_else(|| Cow::Owned(name.into_owned()), |kind| Cow::Borrowed(kind.name()))
}

pub(super) fn unit(row: &PgRow, index: usize) -> Result<UnitName, String> {
    UnitName::new(&string(row, index)?.ok_or("a unit is absent")?).map_err(|e| e.to_string())
}

pub(super) fn unsigned(value: i64, what: &str) -> Result<u64, String> {
    u64::try_from(value).map_err(|_| format!("{what} is negative"))
}

/// A `bigint`.
pub(super) fn integer(row: &PgRow, index: usize) -> Result<i64, String> {
    fixed(row, index).map(i64::from_be_bytes)
}

/// An `integer`.
fn short(row: &PgRow, index: usize) -> Result<i32, String> {
    fixed(row, index).map(i32::from_be_bytes)
}

pub(super) fn truth(row: &PgRow, index: usize) -> Result<bool, String> {
    fixed(row, index).map(|[byte]| byte != 0)
}

pub(super) fn string(row: &PgRow, index: usize) -> Result<Option<Cow<'_, str>>, String> {
    let Some(bytes) = bytes(row, index)? else { return Ok(None) };
    let stored = std::str::from_utf8(bytes).map_err(|e| format!("column {index}: {e}"))?;
    text::decode(stored).map(Some)
}

pub(super) fn hash(row: &PgRow, index: usize) -> Result<Hash, String> {
    fixed(row, index)
}

fn id(row: &PgRow, index: usize) -> Result<Option<Uuid>, String> {
    match bytes(row, index)? {
        None => Ok(None),
        Some(_) => fixed(row, index).map(Uuid::from_bytes).map(Some),
    }
}

fn fixed<const N: usize>(row: &PgRow, index: usize) -> Result<[u8; N], String> {
    let bytes = bytes(row, index)?.ok_or_else(|| format!("column {index} is absent"))?;
    bytes.try_into().map_err(|_| format!("column {index} has {} bytes instead of {N}", bytes.len()))
}

pub(super) fn bytes(row: &PgRow, index: usize) -> Result<Option<&[u8]>, String> {
    let value = row.try_get_raw(index).map_err(|e| e.to_string())?;
    match sqlx::ValueRef::is_null(&value) {
        true => Ok(None),
        false => value.as_bytes().map(Some).map_err(|e| e.to_string()),
    }
}

/// Gathers the arguments of a statement, in order.
#[derive(Default)]
pub(super) struct Binder {
    arguments: PgArguments,
    failed: Option<BoxDynError>,
}

impl Binder {
    pub(super) fn room(mut self, values: usize, bytes: usize) -> Self {
        self.arguments.reserve(values, bytes);
        self
    }

    pub(super) fn add<'t, T: Encode<'t, Postgres> + Type<Postgres>>(&mut self, value: T) -> &mut Self {
        if let Err(e) = self.arguments.add(value) {
            self.failed.get_or_insert(e);
        }
        self
    }

    pub(super) fn count(&mut self, value: u64) -> &mut Self {
        self.add(count(value))
    }

    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        self.add(text::encode(value))
    }

    pub(super) fn done(self) -> Result<PgArguments, sqlx::Error> {
        self.failed.map_or(Ok(self.arguments), |e| Err(sqlx::Error::Encode(e)))
    }
}

/// Positions, fences and the like. None ever comes near the largest `bigint`; one given by a caller that
/// does is no stored one.
pub(super) fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
