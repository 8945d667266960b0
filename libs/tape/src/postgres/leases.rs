//! Cursors in PostgreSQL: who may speak for a unit. Lease times are by the database's clock, since
//! processes on many machines compare them. None of this waits for an append that waits its turn.

use super::{
    Postgres,
    readers::Again,
    rows::{self, Binder, count},
};
use crate::{Cursor, LeaseError, StorageError, cursor::Claim};
use domain::{Timestamp, UnitName};
use sqlx::postgres::{PgBindIterExt, PgRow};
use std::time::Duration;

const CLAIM: &str = "SELECT unit, position, fence, owner, lease_until, reach, held \
     FROM tapedeck.claim($1, $2, $3, $4)";

const RENEW: &str = "WITH done AS (UPDATE tapedeck.cursor SET lease_until = tapedeck.now() + $3 \
     WHERE unit = $1 AND fence = $2 AND owner IS NOT NULL RETURNING fence) \
     SELECT EXISTS (SELECT FROM done), (SELECT fence FROM tapedeck.cursor WHERE unit = $1)";

const RELEASE: &str = "WITH done AS (UPDATE tapedeck.cursor SET owner = NULL, lease_until = NULL \
     WHERE unit = $1 AND fence = $2 AND owner IS NOT NULL RETURNING fence) \
     SELECT EXISTS (SELECT FROM done), (SELECT fence FROM tapedeck.cursor WHERE unit = $1)";

const RESTORE: &str = "INSERT INTO tapedeck.cursor (unit, position, fence, owner, lease_until, reach) \
     SELECT * FROM unnest($1, $2, $3, $4, $5, $6) ON CONFLICT (unit) DO UPDATE SET \
     position = excluded.position, fence = greatest(cursor.fence, excluded.fence), owner = excluded.owner, \
     lease_until = excluded.lease_until, reach = excluded.reach";

/// Centuries: added to a time of today it is still a time.
const LONGEST: i64 = 1 << 60;

impl Postgres {
    pub(crate) async fn claim(&self, units: Vec<UnitName>, claim: Claim) -> Result<Vec<Cursor>, LeaseError> {
        self.writable()?;
        let mut arguments = Binder::default();
        arguments
            .add(units.iter().map(|unit| &**unit).bind_iter())
            .text(&claim.owner)
            .add(micros(claim.ttl))
            .add(claim.force);
        // Twice is no harm: the later fence counts, and it is the one that is told.
        let found = self.ask(CLAIM, arguments, Again::Yes).await?;
        let mut taken = Vec::with_capacity(found.len());
        for row in &found {
            let (cursor, held) = self.claimed(row)?;
            if held {
                let until = cursor.lease_until.unwrap_or(Timestamp::ZERO);
                return Err(LeaseError::Held {
                    unit: cursor.unit,
                    owner: cursor.owner.unwrap_or_default(),
                    until,
                });
            }
            taken.push(cursor);
        }
        Ok(taken)
    }

    fn claimed(&self, row: &PgRow) -> Result<(Cursor, bool), StorageError> {
        let read = || Ok((rows::cursor(row, 0)?, rows::truth(row, 6)?));
        read().map_err(|why: String| self.faults().corrupt(why))
    }

    pub(crate) async fn renew(&self, unit: UnitName, fence: u64, ttl: Duration) -> Result<(), LeaseError> {
        let mut arguments = Binder::default();
        arguments.text(&unit).count(fence).add(micros(ttl));
        self.owned(RENEW, arguments, Again::Yes, unit, fence).await
    }

    pub(crate) async fn release(&self, unit: UnitName, fence: u64) -> Result<(), LeaseError> {
        let mut arguments = Binder::default();
        arguments.text(&unit).count(fence);
        // The second time it would be lost.
        self.owned(RELEASE, arguments, Again::No, unit, fence).await
    }

    async fn owned(
        &self,
        sql: &'static str,
        arguments: Binder,
        again: Again,
        unit: UnitName,
        given: u64,
    ) -> Result<(), LeaseError> {
        self.writable()?;
        let found = self.ask(sql, arguments, again).await?;
        let row = found.first().ok_or_else(|| self.faults().corrupt("a lease was answered by nothing"))?;
        let read = || {
            let stored = match rows::bytes(row, 1)? {
                None => None,
                Some(_) => Some(rows::unsigned(rows::integer(row, 1)?, "a fence")?),
            };
            Ok((rows::truth(row, 0)?, stored))
        };
        match read().map_err(|why: String| self.faults().corrupt(why))? {
            (true, _) => Ok(()),
            (false, stored) => Err(LeaseError::Lost { unit, given, stored }),
        }
    }

    /// Cursors as another tape had them.
    pub(crate) async fn restore(&self, cursors: Vec<Cursor>) -> Result<(), StorageError> {
        self.writable()?;
        let mut arguments = Binder::default();
        arguments
            .add(cursors.iter().map(|c| &*c.unit).bind_iter())
            .add(cursors.iter().map(|c| count(c.position)).bind_iter())
            .add(cursors.iter().map(|c| count(c.fence)).bind_iter())
            .add(cursors.iter().map(|c| c.owner.as_deref().map(super::text::encode)).bind_iter())
            .add(cursors.iter().map(|c| c.lease_until.map(Timestamp::micros)).bind_iter())
            .add(cursors.iter().map(|c| count(c.reach)).bind_iter());
        self.ask(RESTORE, arguments, Again::Yes).await.map(drop)
    }
}

fn micros(ttl: Duration) -> i64 {
    i64::try_from(ttl.as_micros()).unwrap_or(LONGEST).min(LONGEST)
}
