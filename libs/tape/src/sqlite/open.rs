//! From a path to connections: whose file it is, in which format, and how it may be opened.

use super::{
    faults::{self, Faults},
    lock::WriterLock,
};
use crate::{OpenError, StorageError};
use events::Uuid;
use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Marks a SQLite file as a tape: "TAPE" in ASCII.
const APPLICATION_ID: i64 = 0x5441_5045;

/// What brings a file from format n to n + 1; the newest format is their number.
const MIGRATIONS: &[&str] = &[include_str!("schema/1.sql")];

const NEWEST: i64 = MIGRATIONS.len() as i64;

/// How many connections read at the same time; more wait for their turn.
const READERS: u32 = 4;

/// Rows that a connection may be ahead of whoever reads them.
const ROWS_AHEAD: usize = 512;

/// Memory for pages that are not on the disk yet, in KiB (negative by SQLite's convention). Ids are
/// random, so a batch touches many pages of their index; the default of 2,000 spills halfway through.
const WRITER_CACHE: &str = "-16000";

/// Opens a tape for its one writer, making or migrating the file if need be.
pub(super) async fn writer(
    path: &Path,
    faults: &Faults,
) -> Result<(SqliteConnection, SqlitePool, WriterLock), OpenError> {
    let lock = WriterLock::take(path)?;
    let format = match fs::metadata(path) {
        Ok(file) if file.len() > 0 => match format(path, &options(path).read_only(true), faults).await {
            // Killed while the file was made: whoever may write undoes the change by opening it.
            Err(OpenError::Storage(_) | OpenError::Foreign { .. }) if interrupted(path) => {
                undone(path, faults).await?
            }
            found => found?,
        },
        // A file that was cut to nothing has nothing to be undone.
        Ok(_) if interrupted(path) => undone(path, faults).await?,
        _ => 0,
    };
    let options = options(path);
    let writing = options
        .clone()
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("wal_autocheckpoint", "4000")
        .pragma("cache_size", WRITER_CACHE);
    let mut connection = writing.connect().await.map_err(|e| faults.storage(e))?;
    migrate(&mut connection, format).await.map_err(|e| faults.storage(e))?;
    Ok((connection, pool(options.read_only(true)), lock))
}

/// Opens a tape for reading, beside a writer or without one.
pub(super) async fn reader(path: &Path, faults: &Faults) -> Result<SqlitePool, OpenError> {
    let shown = path.display().to_string();
    if !path.is_file() {
        return Err(OpenError::Missing { path: shown });
    }
    let mut options = options(path).read_only(true);
    if interrupted(path) && format(path, &options, faults).await.is_err() {
        // Only whoever may write can undo the change; of whom the file is shows behind it.
        return match undone(path, faults).await {
            Ok(_) => Err(OpenError::Interrupted { path: shown }),
            Err(error) => Err(error),
        };
    }
    let format = match format(path, &options, faults).await {
        Err(OpenError::Storage(StorageError::Other { .. })) if !unfinished(path) => {
            // A reader of a write-ahead log needs a file of shared memory beside it, and cannot make
            // one in a folder that it may not write. Nothing is in the log, so nobody writes.
            options = options.immutable(true);
            format(path, &options, faults).await?
        }
        Err(OpenError::Storage(StorageError::Other { .. })) => {
            return Err(OpenError::Unfinished { path: shown });
        }
        other => other?,
    };
    if format == 0 {
        return Err(OpenError::Foreign { path: shown, why: "nothing was ever recorded in it".to_owned() });
    }
    if format < NEWEST {
        return Err(OpenError::Older { path: shown, found: format, known: NEWEST });
    }
    Ok(pool(options))
}

/// The path without symbolic links, so that one tape has one name; the file itself may be missing.
///
/// # Errors
/// A folder that is not there, or a path that names no file.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, OpenError> {
    let failed = |why: String| OpenError::Unwritable { path: path.display().to_string(), why };
    if let Ok(whole) = path.canonicalize() {
        return if whole.is_dir() {
            Err(failed("it is a folder; name a file in it".into()))
        } else {
            Ok(whole)
        };
    }
    let name = path.file_name().ok_or_else(|| failed("it names no file".into()))?;
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let folder = folder.canonicalize().map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => {
            failed(format!("the folder {} does not exist: make it first", folder.display()))
        }
        _ => failed(e.to_string()),
    })?;
    Ok(folder.join(name))
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(5))
        .row_buffer_size(ROWS_AHEAD)
        .disable_statement_logging()
}

fn pool(options: SqliteConnectOptions) -> SqlitePool {
    SqlitePoolOptions::new().max_connections(READERS).test_before_acquire(false).connect_lazy_with(options)
}

/// Which format the file has; 0 if it holds nothing yet.
async fn format(path: &Path, options: &SqliteConnectOptions, faults: &Faults) -> Result<i64, OpenError> {
    let shown = || path.display().to_string();
    let foreign = |why: &str| OpenError::Foreign { path: shown(), why: why.to_owned() };
    let read = async {
        let mut connection = options.connect().await?;
        let application: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut connection).await?;
        let format: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut connection).await?;
        let tables: i64 =
            sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok((application, format, tables))
    };
    match read.await {
        Ok((0, 0, 0)) => Ok(0),
        Ok((APPLICATION_ID, format, _)) if format > NEWEST => {
            Err(OpenError::Newer { path: shown(), found: format, known: NEWEST })
        }
        Ok((APPLICATION_ID, format, _)) => Ok(format),
        Ok(_) => Err(foreign("it is the database of another program")),
        // "file is not a database"
        Err(e) if faults::code(&e) == Some(26) => Err(foreign("it is no SQLite file")),
        Err(e) => Err(faults.storage(e).into()),
    }
}

/// Whether a rollback journal with anything in it lies beside the file. A tape has one only while it is made:
/// from then on it has a write-ahead log.
fn interrupted(path: &Path) -> bool {
    fs::metadata(journal(path)).is_ok_and(|journal| journal.len() > 0)
}

fn journal(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}-journal", path.display()))
}

/// The largest file that can be a tape in the making.
const MAKING: u64 = 1 << 20;

/// Which format the file has once the change that was cut off is undone. That is found out on a copy: a file of
/// another program is not touched.
async fn undone(path: &Path, faults: &Faults) -> Result<i64, OpenError> {
    let shown = || path.display().to_string();
    let failed = |e: io::Error| OpenError::Unwritable { path: shown(), why: e.to_string() };
    let size = |path: &Path| fs::metadata(path).map(|file| file.len());
    if size(path).map_err(failed)? > MAKING || size(&journal(path)).map_err(failed)? > MAKING {
        let why = "it is the database of another program, in the middle of a change".to_owned();
        return Err(OpenError::Foreign { path: shown(), why });
    }
    let folder = std::env::temp_dir().join(format!("tapedeck-{}-{}", std::process::id(), Uuid::new_v4()));
    fs::create_dir(&folder).map_err(failed)?;
    let copy = folder.join("copy");
    let copied = fs::copy(path, &copy).and_then(|_| fs::copy(journal(path), journal(&copy)));
    let found = match copied {
        Ok(_) => format(&copy, &options(&copy), faults).await,
        Err(e) => Err(failed(e)),
    };
    let _ = fs::remove_dir_all(&folder);
    match found {
        // It names the copy.
        Err(OpenError::Foreign { why, .. }) => Err(OpenError::Foreign { path: shown(), why }),
        Err(OpenError::Newer { found, known, .. }) => Err(OpenError::Newer { path: shown(), found, known }),
        found => found,
    }
}

/// Each step and the number of the format are one transaction.
async fn migrate(connection: &mut SqliteConnection, from: i64) -> sqlx::Result<()> {
    let done = usize::try_from(from).unwrap_or_default();
    for (step, sql) in MIGRATIONS.iter().enumerate().skip(done) {
        let mut change = connection.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::raw_sql(*sql).execute(&mut *change).await?;
        let mark = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}", step + 1);
        sqlx::raw_sql(sqlx::AssertSqlSafe(mark)).execute(&mut *change).await?;
        change.commit().await?;
    }
    Ok(())
}

/// Whether a write-ahead log with anything in it lies beside the tape.
fn unfinished(path: &Path) -> bool {
    fs::metadata(format!("{}-wal", path.display())).is_ok_and(|log| log.len() > 0)
}
