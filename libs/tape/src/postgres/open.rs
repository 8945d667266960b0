//! Whose database it is, in which format, and bringing it to ours.

use super::{faults::Faults, session::Server};
use crate::{Mode, OpenError};
use sqlx::{Connection, Executor, PgConnection, Row};
use std::time::Duration;
use tokio::time::timeout;

/// What brings a database from format n to n + 1; the newest format is their number.
const MIGRATIONS: &[&str] = &[include_str!("schema/1.sql")];

const NEWEST: i64 = MIGRATIONS.len() as i64;

/// "TAPEDECK" in ASCII: whoever makes or migrates a tape holds this advisory lock.
const MAKING: i64 = 0x5441_5045_4445_434b;

/// Looking and migrating together, without connecting.
const LIMIT: Duration = Duration::from_secs(20);

const LOOK: &str = "SELECT to_regclass('tapedeck.format') IS NOT NULL, \
     EXISTS (SELECT FROM pg_namespace WHERE nspname = 'tapedeck'), \
     EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace('tapedeck')), \
     current_setting('server_encoding'), current_setting('server_version_num')::integer";

/// A session on a tape in this build's format, which is made or migrated if it is opened to write.
/// In a task of its own, so that whoever opens may be cancelled without a transaction being left.
pub(super) async fn session(server: &Server, mode: Mode) -> Result<PgConnection, OpenError> {
    let own = server.clone();
    let opened = tokio::spawn(async move {
        let mut connection = own.connect().await?;
        let ready = timeout(LIMIT, ready(&mut connection, &own.faults, mode)).await;
        ready.unwrap_or_else(|_| {
            Err(own.faults.away(format!("it was not opened within {} s", LIMIT.as_secs())).into())
        })?;
        Ok(connection)
    });
    opened.await.unwrap_or_else(|_| Err(server.faults.closed().into()))
}

async fn ready(connection: &mut PgConnection, faults: &Faults, mode: Mode) -> Result<(), OpenError> {
    let found = format(connection, faults).await?;
    let path = || faults.tape.to_string();
    match (found, mode) {
        (NEWEST, _) => Ok(()),
        (0, Mode::Read) => Err(OpenError::Missing { path: path() }),
        (found, Mode::Read) => Err(OpenError::Older { path: path(), found, known: NEWEST }),
        (_, Mode::Write) => migrate(connection, faults).await,
    }
}

/// Which format the database has; 0 if there is no tape in it yet. A newer one is an error.
async fn format(connection: &mut PgConnection, faults: &Faults) -> Result<i64, OpenError> {
    let failed = |e| OpenError::from(faults.storage(e));
    let foreign = |why: String| OpenError::Foreign { path: faults.tape.to_string(), why };
    let row = connection.fetch_one(LOOK).await.map_err(failed)?;
    let (made, occupied): (bool, bool) = (row.try_get(0).map_err(failed)?, row.try_get(2).map_err(failed)?);
    let (encoding, version): (String, i32) =
        (row.try_get(3).map_err(failed)?, row.try_get(4).map_err(failed)?);
    if version < 150_000 {
        return Err(foreign(format!("the server is PostgreSQL {}; 15 or later is needed", version / 10_000)));
    }
    if encoding != "UTF8" {
        return Err(foreign(format!("the database's encoding is {encoding}; create one with UTF8")));
    }
    if !made {
        return match occupied {
            true => Err(foreign("its schema 'tapedeck' belongs to another program".to_owned())),
            false => Ok(0),
        };
    }
    let found: i64 = sqlx::query_scalar("SELECT version FROM tapedeck.format")
        .fetch_one(connection)
        .await
        .map_err(failed)?;
    match found > NEWEST {
        true => Err(OpenError::Newer { path: faults.tape.to_string(), found, known: NEWEST }),
        false => Ok(found),
    }
}

/// Many may open a tape at once: one makes it, the others wait and find it made.
async fn migrate(connection: &mut PgConnection, faults: &Faults) -> Result<(), OpenError> {
    let failed = |e| OpenError::from(faults.storage(e));
    let mut change = connection.begin().await.map_err(failed)?;
    let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MAKING);
    lock.execute(&mut *change).await.map_err(failed)?;
    let from = usize::try_from(format(&mut change, faults).await?).unwrap_or_default();
    for (step, sql) in MIGRATIONS.iter().enumerate().skip(from) {
        if step == 0 {
            make_schema(&mut change).await.map_err(failed)?;
        }
        sqlx::raw_sql(*sql).execute(&mut *change).await.map_err(failed)?;
        let mark = "INSERT INTO tapedeck.format (version) VALUES ($1) \
             ON CONFLICT (one) DO UPDATE SET version = excluded.version";
        sqlx::query(mark).bind(step as i64 + 1).execute(&mut *change).await.map_err(failed)?;
    }
    change.commit().await.map_err(failed)
}

/// Somebody who may create schemas may have made it for us, who may not.
async fn make_schema(connection: &mut PgConnection) -> sqlx::Result<()> {
    if !connection.fetch_one(LOOK).await?.try_get::<bool, _>(1)? {
        connection.execute("CREATE SCHEMA tapedeck").await?;
    }
    Ok(())
}

/// What is wrong with the tables themselves; empty if nothing.
pub(super) const CHECK: &str = "SELECT 'the index ' || i.indexrelid::regclass || ' is not valid: REINDEX it' \
     FROM pg_index i WHERE i.indrelid = to_regclass('tapedeck.event') AND NOT (i.indisvalid AND i.indisready) \
     UNION ALL SELECT 'the trigger ' || name || ' that keeps events from being changed is gone or disabled' \
     FROM unnest(ARRAY['event_append_only', 'event_no_truncate']) name WHERE NOT EXISTS \
     (SELECT FROM pg_trigger t WHERE t.tgrelid = to_regclass('tapedeck.event') AND t.tgname = name AND t.tgenabled = 'A') \
     UNION ALL SELECT 'the unique index on ' || name || ' of tapedeck.event is gone' \
     FROM unnest(ARRAY['position', 'id']) name WHERE NOT EXISTS \
     (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
      WHERE i.indrelid = to_regclass('tapedeck.event') AND i.indisunique AND i.indnkeyatts = 1 AND a.attname = name)";
