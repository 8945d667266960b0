//! Reading events from SQLite.

use super::{
    Sqlite, packed,
    rows::{self, Binder, columns},
};
use crate::{Cursor, Head, Position, ReadError, StorageError, error::Damage, verify::Answered};
use events::{Row, Uuid};
use futures_util::TryStreamExt;
use sqlx::{Row as _, sqlite::SqliteRow};
use std::collections::BTreeSet;

const AFTER: &str =
    concat!("SELECT ", columns!(), " FROM event WHERE position > ? ORDER BY position LIMIT ?");
const BY_ID: &str = concat!("SELECT ", columns!(), " FROM event WHERE id = ?");
const OF_KIND: &str = concat!("SELECT ", columns!(), " FROM event WHERE kind = ? ORDER BY position");
const OF_TRADE: &str = concat!("SELECT ", columns!(), " FROM event WHERE trade = ? ORDER BY position");
const OF_SUBJECT: &str = concat!("SELECT ", columns!(), " FROM event WHERE subject = ? ORDER BY position");
/// With the very words of the index `event_order`, or SQLite does not see that it fits.
const OF_ORDER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM event WHERE subject = ? AND kind > 'order.' AND kind < 'order/' ORDER BY position"
);
const LATEST: &str =
    concat!("SELECT ", columns!(), " FROM event WHERE kind = ? ORDER BY position DESC LIMIT 1");
const LATEST_ABOUT: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM event WHERE kind = ? AND subject = ? ORDER BY position DESC LIMIT 1"
);
/// From one kind to the next by the index, never over all rows.
const KINDS: &str = "WITH RECURSIVE found(kind) AS (SELECT min(kind) FROM event UNION ALL \
     SELECT (SELECT min(kind) FROM event WHERE kind > found.kind) FROM found WHERE found.kind IS NOT NULL) \
     SELECT kind FROM found WHERE kind IS NOT NULL";
/// Of each source the last event that it has answered, and how far behind one.
const ANSWERED: &str = "SELECT said.source, max(heard.position), max(said.position - heard.position) \
     FROM event said JOIN event heard ON heard.id = said.cause WHERE said.position <= ? GROUP BY said.source";
/// An effect stands behind its cause, so the search starts there.
const CAUSED_BY: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM event WHERE cause = ?1 AND position > coalesce((SELECT position FROM event WHERE id = ?1), 0) ORDER BY position"
);
/// One statement, so all of it is of one moment.
const MARKS: &str = "SELECT head.position, head.hash, head.recorded_at, (SELECT max(position) FROM event), \
     cursor.unit, cursor.position, cursor.fence, cursor.owner, cursor.lease_until, cursor.reach \
     FROM head LEFT JOIN cursor ON true ORDER BY cursor.unit";

/// Everything that stands beside the events, at one moment.
pub(crate) struct Marks {
    pub head: Head,
    /// The last position that there is; the head's, unless something was tampered with.
    pub last: Position,
    pub cursors: Vec<Cursor>,
}

impl Sqlite {
    /// Hands over the rows after `after`, at most `limit`; what we cannot have written as [`Damage`].
    ///
    /// # Errors
    /// The database gives up; the rows until then were handed over.
    pub(crate) async fn after(
        &self,
        after: Position,
        limit: usize,
        take: impl FnMut(Result<Row, Damage>),
    ) -> Result<(), StorageError> {
        self.stream(packed::AFTER, after, limit, packed::read, take).await
    }

    /// As [`Sqlite::after`], looking at the storage class and the length of every value.
    pub(crate) async fn after_strictly(
        &self,
        after: Position,
        limit: usize,
        take: impl FnMut(Result<Row, Damage>),
    ) -> Result<(), StorageError> {
        self.stream(AFTER, after, limit, rows::read, take).await
    }

    async fn stream(
        &self,
        sql: &'static str,
        after: Position,
        limit: usize,
        read: fn(&SqliteRow) -> Result<Row, Damage>,
        mut take: impl FnMut(Result<Row, Damage>),
    ) -> Result<(), StorageError> {
        let mut arguments = Binder::default();
        arguments.count(after).count(limit as u64);
        let failed = |e| self.faults().storage(e);
        let arguments = arguments.done().map_err(failed)?;
        let mut found = sqlx::query_with(sql, arguments).fetch(&self.0.readers);
        while let Some(row) = found.try_next().await.map_err(failed)? {
            take(read(&row));
        }
        Ok(())
    }

    pub(crate) async fn by_id(&self, id: Uuid) -> Result<Option<Row>, ReadError> {
        let mut arguments = Binder::default();
        arguments.add(id.as_bytes().to_vec());
        self.rows(BY_ID, arguments).await.map(|rows| rows.into_iter().next())
    }

    pub(crate) async fn of_kind(&self, kind: &str) -> Result<Vec<Row>, ReadError> {
        let mut arguments = Binder::default();
        arguments.text(kind);
        self.rows(OF_KIND, arguments).await
    }

    pub(crate) async fn of_kind_after(
        &self,
        kind: &str,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Row>, ReadError> {
        self.page(packed::OF_KIND_AFTER, kind, after, limit).await
    }

    pub(crate) async fn of_kind_before(
        &self,
        kind: &str,
        before: Position,
        limit: usize,
    ) -> Result<Vec<Row>, ReadError> {
        self.page(packed::OF_KIND_BEFORE, kind, before, limit).await
    }

    async fn page(
        &self,
        sql: &'static str,
        kind: &str,
        place: Position,
        limit: usize,
    ) -> Result<Vec<Row>, ReadError> {
        let mut arguments = Binder::default();
        arguments.text(kind).count(place).count(limit as u64);
        let found = self.fetch(sql, arguments).await?;
        let rows = found.iter().map(packed::read).collect::<Result<_, _>>();
        rows.map_err(|Damage { position, why }| ReadError::Damaged { position, why })
    }

    pub(crate) async fn of_trade(&self, trade: &str) -> Result<Vec<Row>, ReadError> {
        let mut arguments = Binder::default();
        arguments.text(trade);
        self.rows(OF_TRADE, arguments).await
    }

    pub(crate) async fn of_subject(&self, subject: &str) -> Result<Vec<Row>, ReadError> {
        let mut arguments = Binder::default();
        arguments.text(subject);
        let sql = if subject.starts_with("order:") { OF_ORDER } else { OF_SUBJECT };
        self.rows(sql, arguments).await
    }

    pub(crate) async fn caused_by(&self, id: Uuid) -> Result<Vec<Row>, ReadError> {
        let mut arguments = Binder::default();
        arguments.add(id.as_bytes().to_vec());
        self.rows(CAUSED_BY, arguments).await
    }

    pub(crate) async fn latest(&self, kind: &str, subject: Option<&str>) -> Result<Option<Row>, ReadError> {
        let mut arguments = Binder::default();
        arguments.text(kind);
        let sql = match subject {
            Some(subject) => {
                arguments.text(subject);
                LATEST_ABOUT
            }
            None => LATEST,
        };
        self.rows(sql, arguments).await.map(|rows| rows.into_iter().next())
    }

    pub(crate) async fn kinds(&self) -> Result<BTreeSet<String>, ReadError> {
        let found = self.fetch(KINDS, Binder::default()).await?;
        let names = found.iter().map(|row| Ok(rows::text(row, 0)?.unwrap_or_default().to_owned()));
        names.collect::<Result<_, String>>().map_err(|why| self.faults().corrupt(why).into())
    }

    pub(crate) async fn answered(&self, until: Position) -> Result<Vec<Answered>, ReadError> {
        let mut arguments = Binder::default();
        arguments.count(until);
        let found = self.fetch(ANSWERED, arguments).await?;
        let read = |row| {
            let unit = rows::text(row, 0)?.unwrap_or_default().to_owned();
            let cause = rows::unsigned(rows::integer(row, 1)?, "a position")?;
            Ok(Answered::new(unit, cause, rows::integer(row, 2)?))
        };
        found.iter().map(read).collect::<Result<_, String>>().map_err(|why| self.faults().corrupt(why).into())
    }

    pub(crate) async fn marks(&self) -> Result<Marks, ReadError> {
        let rows = self.fetch(MARKS, Binder::default()).await?;
        let first = rows.first().ok_or_else(|| self.faults().corrupt("the head row is gone"))?;
        let read = || {
            let last = if rows::is_null(first, 3)? { 0 } else { rows::integer(first, 3)? };
            let mut cursors = Vec::new();
            for row in &rows {
                if !rows::is_null(row, 4)? {
                    cursors.push(rows::cursor(row, 4)?);
                }
            }
            Ok(Marks { head: rows::head(first, 0)?, last: rows::unsigned(last, "a position")?, cursors })
        };
        read().map_err(|why: String| self.faults().corrupt(why).into())
    }

    /// What SQLite itself finds wrong with the file, its indexes included; empty if nothing.
    pub(crate) async fn check_file(&self) -> Result<Vec<String>, StorageError> {
        let rows = self.fetch("PRAGMA integrity_check(10)", Binder::default()).await?;
        let lines = rows.iter().map(|row| row.try_get::<String, _>(0)).collect::<Result<Vec<_>, _>>();
        let lines = lines.map_err(|e| self.faults().storage(e))?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }

    async fn rows(&self, sql: &'static str, arguments: Binder) -> Result<Vec<Row>, ReadError> {
        let found = self.fetch(sql, arguments).await?;
        let rows = found.iter().map(rows::read).collect::<Result<_, _>>();
        rows.map_err(|Damage { position, why }| ReadError::Damaged { position, why })
    }
}
