//! Events in bulk: each as one value instead of thirteen.
//!
//! The client copies every column of every row apart, which costs more than all the rest of reading.
//! So the database puts a row into one value, and it is taken apart here, in half the time.
//! `verify` reads column by column instead, with an eye on each.
//!
//! Layout: id (16 bytes), hash (32), nine decimal numbers each with a comma behind it — schema, at,
//! recorded_at, then the lengths in bytes of kind, subject, source, cause, trade, meta (-1 where
//! absent) — then those six, then the body to the end.

use super::rows;
use crate::error::Damage;
use domain::Timestamp;
use events::{Draft, Hash, Position, Row, Uuid};
use sqlx::sqlite::SqliteRow;

/// The start of a statement: each event as a position and one value.
macro_rules! packed {
    () => {
        "SELECT position, CAST(id || hash || format('%d,%d,%d,%d,%d,%d,%d,%d,%d,', \
     schema, at, recorded_at, octet_length(kind), octet_length(subject), octet_length(source), \
     coalesce(octet_length(cause), -1), coalesce(octet_length(trade), -1), coalesce(octet_length(meta), -1)) \
     || kind || subject || source || coalesce(cause, '') || coalesce(trade, '') || coalesce(meta, '') || body \
     AS BLOB) FROM event "
    };
}

pub(super) const AFTER: &str = concat!(packed!(), "WHERE position > ? ORDER BY position LIMIT ?");
pub(super) const OF_KIND_AFTER: &str =
    concat!(packed!(), "WHERE kind = ? AND position > ? ORDER BY position LIMIT ?");
pub(super) const OF_KIND_BEFORE: &str =
    concat!(packed!(), "WHERE kind = ? AND position < ? ORDER BY position DESC LIMIT ?");

/// Reads a row of these statements.
pub(super) fn read(row: &SqliteRow) -> Result<Row, Damage> {
    let position = rows::position(row)?;
    let unpacked = rows::blob(row, 1).and_then(|packed| unpack(position, packed.unwrap_or_default()));
    unpacked.map_err(|why| Damage { position, why })
}

fn unpack(position: Position, packed: &[u8]) -> Result<Row, String> {
    let mut rest = Rest(packed);
    let id = rest.id(16)?;
    let hash = Hash::try_from(rest.take(32)?).map_err(|e| e.to_string())?;
    let schema = u16::try_from(rest.number()?).map_err(|_| "schema is out of range")?;
    let at = Timestamp::from_micros(rest.number()?);
    let recorded_at = Timestamp::from_micros(rest.number()?);
    let mut lengths = [0; 6];
    for length in &mut lengths {
        *length = rest.number()?;
    }
    let [kind, subject, source, cause, trade, meta] = lengths;
    let draft = Draft {
        id,
        kind: rows::kind(rest.text(kind)?),
        schema,
        subject: rest.text(subject)?.to_owned(),
        source: rows::unit(rest.text(source)?)?,
        cause: if cause < 0 { None } else { Some(rest.id(cause)?) },
        trade: if trade < 0 { None } else { Some(rest.text(trade)?.to_owned()) },
        meta: if meta < 0 { None } else { Some(rest.text(meta)?.to_owned()) },
        at,
        body: rest.text(rest.0.len() as i64)?.to_owned(),
    };
    Ok(Row { position, recorded_at, hash, draft })
}

/// What is left of a packed row.
struct Rest<'p>(&'p [u8]);

impl<'p> Rest<'p> {
    fn take(&mut self, length: i64) -> Result<&'p [u8], String> {
        let length = usize::try_from(length).map_err(|e| e.to_string())?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or("a value is cut short")?;
        self.0 = rest;
        Ok(taken)
    }

    fn text(&mut self, length: i64) -> Result<&'p str, String> {
        std::str::from_utf8(self.take(length)?).map_err(|e| e.to_string())
    }

    fn id(&mut self, length: i64) -> Result<Uuid, String> {
        Uuid::from_slice(self.take(length)?).map_err(|e| e.to_string())
    }

    fn number(&mut self) -> Result<i64, String> {
        let end = self.0.iter().position(|byte| *byte == b',').ok_or("a number is missing")?;
        let digits = self.text(end as i64)?;
        self.0 = &self.0[1..];
        digits.parse().map_err(|e| format!("'{digits}': {e}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_row_that_is_cut_anywhere_is_reported() {
        let mut whole = vec![7; 48];
        whole.extend_from_slice(b"1,-5,9,2,1,3,16,-1,0,abcdef");
        whole.extend_from_slice(&[8; 16]);
        let row = unpack(3, &whole).unwrap();
        assert_eq!((row.draft.at, &*row.draft.source), (Timestamp::from_micros(-5), "def"));
        assert_eq!((row.draft.cause, row.draft.trade), (Some(Uuid::from_bytes([8; 16])), None));
        assert_eq!((row.draft.meta.as_deref(), row.draft.body.as_str()), (Some(""), ""));
        for length in 0..whole.len() {
            assert!(unpack(3, &whole[..length]).is_err(), "{length} bytes");
        }
        whole.push(0xff);
        assert!(unpack(3, &whole).is_err(), "the body is no UTF-8");
    }
}
