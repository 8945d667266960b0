//! Reading events from PostgreSQL.

use super::{
    Postgres, open,
    readers::Again,
    rows::{self, Binder, columns},
};
use crate::{Cursor, Head, Position, ReadError, StorageError, error::Damage, verify::Answered};
use events::{Row, Uuid};
use sqlx::postgres::PgRow;
use std::collections::BTreeSet;

/// Rows per statement.
const PAGE: usize = 2_000;

/// Positions that one statement looks through where no index helps, so that none takes long.
const STRETCH: Position = 200_000;

const AFTER: &str =
    concat!("SELECT ", columns!(), " FROM tapedeck.event WHERE position > $1 ORDER BY position LIMIT $2");
const BY_ID: &str = concat!("SELECT ", columns!(), " FROM tapedeck.event WHERE id = $1");
const OF_KIND: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM tapedeck.event WHERE kind = $1 AND position > $2 ORDER BY position LIMIT $3"
);
const OF_KIND_BEFORE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM tapedeck.event WHERE kind = $1 AND position < $2 ORDER BY position DESC LIMIT $3"
);
/// With the very words of the index `event_order`.
const OF_ORDER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM tapedeck.event WHERE subject = $1 AND kind > 'order.' AND kind < 'order/' AND position > $2 ORDER BY position LIMIT $3"
);
const OF_TRADE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM tapedeck.event WHERE trade = $1 AND position > $2 ORDER BY position LIMIT $3"
);
const OF_SUBJECT: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM tapedeck.event WHERE subject = $1 AND position > $2 AND position <= $3 ORDER BY position"
);
const CAUSED_BY: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM tapedeck.event WHERE cause = $1 AND position > $2 AND position <= $3 ORDER BY position"
);
const LATEST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM tapedeck.event WHERE kind = $1 ORDER BY kind DESC, position DESC LIMIT 1"
);
const LATEST_ABOUT: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM tapedeck.event WHERE kind = $1 AND subject = $2 ORDER BY kind DESC, position DESC LIMIT 1"
);
/// From one kind to the next by the index, never over all rows.
const KINDS: &str = "WITH RECURSIVE found(kind) AS (SELECT min(kind) FROM tapedeck.event UNION ALL \
     SELECT (SELECT min(kind) FROM tapedeck.event WHERE kind > found.kind) FROM found WHERE found.kind IS NOT NULL) \
     SELECT kind FROM found WHERE kind IS NOT NULL";
/// Of each source the last event that it has answered, and how far behind one.
const ANSWERED: &str = "SELECT said.source, max(heard.position), max(said.position - heard.position) \
     FROM tapedeck.event said JOIN tapedeck.event heard ON heard.id = said.cause \
     WHERE said.position <= $1 GROUP BY said.source";
/// One statement, so all of it is of one moment.
const MARKS: &str = "SELECT h.position, h.hash, h.recorded_at, (SELECT max(position) FROM tapedeck.event), \
     c.unit, c.position, c.fence, c.owner, c.lease_until, c.reach \
     FROM tapedeck.head h LEFT JOIN tapedeck.cursor c ON true ORDER BY c.unit";

/// Everything that stands beside the events, at one moment.
pub(crate) struct Marks {
    pub head: Head,
    /// The last position that there is; the head's, unless something was tampered with.
    pub last: Position,
    pub cursors: Vec<Cursor>,
}

impl Postgres {
    /// Hands over the rows after `after`, at most `limit`; what we cannot have written as [`Damage`].
    ///
    /// # Errors
    /// The database gives up; the rows until then were handed over.
    pub(crate) async fn after(
        &self,
        mut after: Position,
        mut limit: usize,
        mut take: impl FnMut(Result<Row, Damage>),
    ) -> Result<(), StorageError> {
        while limit > 0 {
            let mut arguments = Binder::default();
            arguments.count(after).count(limit.min(PAGE) as u64);
            let found = self.fetch(AFTER, arguments).await?;
            for row in &found {
                let row = rows::read(row);
                after = row.as_ref().map_or_else(|damage| damage.position, |row| row.position).max(after);
                take(row);
            }
            limit = if found.len() < PAGE { 0 } else { limit - found.len() };
        }
        Ok(())
    }

    pub(crate) async fn by_id(&self, id: Uuid) -> Result<Option<Row>, ReadError> {
        let mut arguments = Binder::default();
        arguments.add(id);
        one(self.fetch(BY_ID, arguments).await?)
    }

    pub(crate) async fn of_kind(&self, kind: &str) -> Result<Vec<Row>, ReadError> {
        self.pages(OF_KIND, kind).await
    }

    pub(crate) async fn of_kind_after(
        &self,
        kind: &str,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Row>, ReadError> {
        self.page(OF_KIND, kind, after, limit).await
    }

    pub(crate) async fn of_kind_before(
        &self,
        kind: &str,
        before: Position,
        limit: usize,
    ) -> Result<Vec<Row>, ReadError> {
        self.page(OF_KIND_BEFORE, kind, before, limit).await
    }

    async fn page(
        &self,
        sql: &'static str,
        kind: &str,
        place: Position,
        limit: usize,
    ) -> Result<Vec<Row>, ReadError> {
        let (mut arguments, mut rows) = (Binder::default(), Vec::new());
        arguments.text(kind).count(place).count(limit as u64);
        decode(&self.fetch(sql, arguments).await?, &mut rows)?;
        Ok(rows)
    }

    pub(crate) async fn of_trade(&self, trade: &str) -> Result<Vec<Row>, ReadError> {
        self.pages(OF_TRADE, trade).await
    }

    pub(crate) async fn of_subject(&self, subject: &str) -> Result<Vec<Row>, ReadError> {
        if subject.starts_with("order:") {
            return self.pages(OF_ORDER, subject).await;
        }
        let wanted = |arguments: &mut Binder| {
            arguments.text(subject);
        };
        self.look_through(OF_SUBJECT, 0, wanted).await
    }

    /// An effect stands behind its cause, so the search starts there.
    pub(crate) async fn caused_by(&self, cause: Uuid) -> Result<Vec<Row>, ReadError> {
        let from = self.by_id(cause).await?.map_or(0, |row| row.position);
        let wanted = |arguments: &mut Binder| {
            arguments.add(cause);
        };
        self.look_through(CAUSED_BY, from, wanted).await
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
        one(self.fetch(sql, arguments).await?)
    }

    pub(crate) async fn kinds(&self) -> Result<BTreeSet<String>, ReadError> {
        let found = self.fetch(KINDS, Binder::default()).await?;
        let names = found.iter().map(|row| Ok(rows::string(row, 0)?.unwrap_or_default().into_owned()));
        names.collect::<Result<_, String>>().map_err(|why| self.faults().corrupt(why).into())
    }

    pub(crate) async fn answered(&self, until: Position) -> Result<Vec<Answered>, ReadError> {
        let mut arguments = Binder::default();
        arguments.count(until);
        let found = self.fetch(ANSWERED, arguments).await?;
        let read = |row| {
            let unit = rows::string(row, 0)?.unwrap_or_default().into_owned();
            let cause = rows::unsigned(rows::integer(row, 1)?, "a position")?;
            Ok(Answered::new(unit, cause, rows::integer(row, 2)?))
        };
        found.iter().map(read).collect::<Result<_, String>>().map_err(|why| self.faults().corrupt(why).into())
    }

    pub(crate) async fn marks(&self) -> Result<Marks, ReadError> {
        let found = self.fetch(MARKS, Binder::default()).await?;
        let first = found.first().ok_or_else(|| self.faults().corrupt("the head row is gone"))?;
        let read = || {
            let last = if rows::bytes(first, 3)?.is_none() { 0 } else { rows::integer(first, 3)? };
            let mut cursors = Vec::new();
            for row in &found {
                if rows::bytes(row, 4)?.is_some() {
                    cursors.push(rows::cursor(row, 4)?);
                }
            }
            Ok(Marks { head: rows::head(first, 0)?, last: rows::unsigned(last, "a position")?, cursors })
        };
        read().map_err(|why: String| self.faults().corrupt(why).into())
    }

    pub(crate) async fn check(&self) -> Result<Vec<String>, StorageError> {
        let found = self.fetch(open::CHECK, Binder::default()).await?;
        let lines =
            found.iter().map(|row| rows::string(row, 0).map(|text| text.unwrap_or_default().into_owned()));
        lines.collect::<Result<_, _>>().map_err(|why| self.faults().corrupt(why))
    }

    async fn pages(&self, sql: &'static str, wanted: &str) -> Result<Vec<Row>, ReadError> {
        let mut all: Vec<Row> = Vec::new();
        loop {
            let mut arguments = Binder::default();
            arguments.text(wanted).count(all.last().map_or(0, |row| row.position)).count(PAGE as u64);
            let found = self.fetch(sql, arguments).await?;
            decode(&found, &mut all)?;
            if found.len() < PAGE {
                return Ok(all);
            }
        }
    }

    async fn look_through(
        &self,
        sql: &'static str,
        mut after: Position,
        wanted: impl Fn(&mut Binder),
    ) -> Result<Vec<Row>, ReadError> {
        let (mut all, end) = (Vec::new(), self.marks().await?.last);
        while after < end {
            let mut arguments = Binder::default();
            wanted(&mut arguments);
            arguments.count(after).count(after + STRETCH);
            decode(&self.fetch(sql, arguments).await?, &mut all)?;
            after += STRETCH;
        }
        Ok(all)
    }

    async fn fetch(&self, sql: &'static str, arguments: Binder) -> Result<Vec<PgRow>, StorageError> {
        self.ask(sql, arguments, Again::Yes).await
    }
}

fn decode(found: &[PgRow], into: &mut Vec<Row>) -> Result<(), ReadError> {
    for row in found {
        into.push(rows::read(row).map_err(|Damage { position, why }| ReadError::Damaged { position, why })?);
    }
    Ok(())
}

fn one(found: Vec<PgRow>) -> Result<Option<Row>, ReadError> {
    let mut rows = Vec::with_capacity(1);
    decode(&found, &mut rows)?;
    Ok(rows.into_iter().next())
}
