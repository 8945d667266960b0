//! `tapedeck tape`: the log itself.

use crate::{
    WrongUse,
    cli::{Export, Global, Import, OnTape, Show, Tail},
    commands::{print_json, progress},
    explain::explain,
    figures::count,
    locate,
};
use anyhow::Context;
use events::{Hash, Kind, Row};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufReader, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};
use tape::{Head, Mode};

/// How often a followed tape is asked for more.
const POLL: Duration = Duration::from_millis(250);
const BATCH: usize = 1_000;

/// # Errors
/// A tape that cannot be read.
pub async fn head(global: &Global, args: OnTape) -> anyhow::Result<ExitCode> {
    let tape = locate::reading(global, &args.tape).await?;
    let head = tape.head().await?;
    if global.json {
        print_json(&head_json(&head))?;
    } else {
        out!("position {}\nhash     {}\nat       {}", head.position, hex(&head.hash), head.recorded_at)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// A tape that cannot be read.
pub async fn show(global: &Global, args: Show) -> anyhow::Result<ExitCode> {
    must_exist(&args.kind)?;
    let tape = locate::reading(global, &args.tape).await?;
    let mut after = args.from.saturating_sub(1);
    if !args.kind.is_empty() {
        let count = usize::try_from(args.count).unwrap_or(usize::MAX);
        let mut rows = Vec::new();
        for kind in named(&args.kind) {
            rows.extend(tape.of_kind_after(kind, after, count).await?);
        }
        rows.sort_by_key(|row| row.position);
        rows.iter().take(count).try_for_each(|row| print_row(row, global.json))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut left = args.count;
    while left > 0 {
        let rows = tape.read(after, BATCH).await?;
        let Some(last) = rows.last() else { break };
        after = last.position;
        for row in rows.iter().take(usize::try_from(left)?) {
            print_row(row, global.json)?;
            left -= 1;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// A tape that cannot be read.
pub async fn tail(global: &Global, args: Tail) -> anyhow::Result<ExitCode> {
    must_exist(&args.kind)?;
    let tape = locate::reading(global, &args.tape).await?;
    let head = tape.head().await?.position;
    let count = usize::try_from(args.count)?;
    let mut shown = Vec::new();
    if args.kind.is_empty() {
        shown = tape.read(head.saturating_sub(args.count), count).await?;
    } else {
        for kind in named(&args.kind) {
            shown.extend(tape.of_kind_before(kind, head + 1, count).await?);
        }
        shown.sort_by_key(|row| row.position);
        shown.drain(..shown.len().saturating_sub(count));
    }
    // What came since then is the follower's.
    for row in shown.iter().filter(|row| row.position <= head) {
        print_row(row, global.json)?;
    }
    if !args.follow {
        return Ok(ExitCode::SUCCESS);
    }
    let mut after = head;
    loop {
        let rows = tape.read(after, BATCH).await?;
        for row in rows.iter().filter(|r| wanted(r, &args.kind)) {
            print_row(row, global.json)?;
        }
        match rows.last() {
            Some(last) => after = last.position,
            None => tokio::time::sleep(POLL).await,
        }
    }
}

/// # Errors
/// A tape that cannot be read, a file that cannot be written.
pub async fn export(global: &Global, args: Export) -> anyhow::Result<ExitCode> {
    let tape = locate::reading(global, &args.tape).await?;
    let bar = progress(tape.head().await?.position, "exporting", global.json);
    let mut out: Box<dyn Write + Send> = match &args.out {
        Some(file) => Box::new(BufWriter::new(File::create_new(file).with_context(|| {
            format!("making {} (an existing file is never overwritten)", file.display())
        })?)),
        None => Box::new(BufWriter::new(io::stdout())),
    };
    let head = tape::archive::export(&tape, &mut out, |position, _| bar.set_position(position)).await?;
    out.flush().context("writing the export")?;
    bar.finish_and_clear();
    if args.out.is_some() {
        report(global, "exported", &head)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// A file that is not a whole export, a tape that is not new.
pub async fn import(global: &Global, args: Import) -> anyhow::Result<ExitCode> {
    let file = locate::file(&args.file)?;
    let begun = Begun::at(&args.tape);
    let url = begun.as_ref().map_or_else(|| args.tape.clone(), Begun::url);
    if let Some(begun) = &begun {
        begun.clear_away().await?;
    }
    let imported = import_into(global, &url, file).await.with_context(|| match &begun {
        Some(_) => format!("importing {}", args.file.display()),
        None if args.tape.starts_with("postgres") => format!(
            "importing {} (a database that held no tape before may now hold a part of it: drop the schema tapedeck there before the next try; a tape that was there before is as it was)",
            args.file.display()
        ),
        None => format!("importing {}", args.file.display()),
    });
    let head = match (imported, begun) {
        (Ok(head), Some(begun)) => begun.keep().map(|()| head)?,
        (Ok(head), None) => head,
        (Err(error), begun) => {
            if let Some(begun) = begun {
                begun.remove();
            }
            return Err(error);
        }
    };
    report(global, "imported", &head)?;
    Ok(ExitCode::SUCCESS)
}

async fn import_into(global: &Global, url: &str, file: fs::File) -> anyhow::Result<Head> {
    let tape = locate::open(url, Mode::Write).await?;
    let bar = progress(0, "importing", global.json);
    let imported =
        tape::archive::import(BufReader::new(file), &tape, |position, _| bar.set_position(position)).await;
    bar.finish_and_clear();
    let closed = tape.close().await;
    let head = imported?;
    closed?;
    Ok(head)
}

/// A tape in a file that is not there yet: it gets its name when it is whole, so that an import that is
/// broken, or killed, leaves no tape behind.
struct Begun {
    whole: PathBuf,
    part: PathBuf,
}

impl Begun {
    /// `None` of a tape that is there, or is no file: that is imported into as it is.
    fn at(url: &str) -> Option<Self> {
        let (_, path) =
            url.split_once(':').filter(|(scheme, path)| *scheme == "sqlite" && !path.is_empty())?;
        let whole = PathBuf::from(path);
        // A path that SQLite understands otherwise, or one in no folder, is refused where it is opened.
        let is_new = !path.starts_with("//") && path != ":memory:" && fs::symlink_metadata(&whole).is_err();
        is_new.then(|| Self { part: PathBuf::from(format!("{path}.importing")), whole })
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.part.display())
    }

    /// Takes away what a killed import left.
    async fn clear_away(&self) -> anyhow::Result<()> {
        if !self.part.exists() {
            return Ok(());
        }
        // Nobody is at it, or this fails.
        locate::open(&self.url(), Mode::Write).await?.close().await?;
        self.remove();
        Ok(())
    }

    fn keep(self) -> anyhow::Result<()> {
        let renamed = fs::rename(&self.part, &self.whole);
        self.remove();
        renamed.with_context(|| format!("naming it {}", self.whole.display()))
    }

    fn remove(&self) {
        for behind in ["", "-wal", "-shm", ".lock"] {
            let _ = fs::remove_file(format!("{}{behind}", self.part.display()));
        }
    }
}

fn report(global: &Global, what: &str, head: &Head) -> anyhow::Result<()> {
    if global.json {
        return print_json(&head_json(head));
    }
    out!("{what} {}, head {}", count(head.position, "event"), hex(&head.hash))?;
    Ok(())
}

/// Nothing is shown of a kind that is misspelt, which looks as if nothing had happened.
fn must_exist(kinds: &[String]) -> Result<(), WrongUse> {
    let known: BTreeSet<&str> =
        Kind::ALL.iter().flat_map(|kind| [kind.name(), family(kind.name())]).collect();
    let Some(wrong) = kinds.iter().find(|kind| !known.contains(kind.as_str())) else { return Ok(()) };
    let alike: Vec<_> =
        known.into_iter().filter(|name| family(name) == family(wrong) && *name != wrong).collect();
    let families: BTreeSet<_> = Kind::ALL.iter().map(|kind| family(kind.name())).collect();
    let hint = if alike.is_empty() { families.into_iter().collect() } else { alike };
    Err(WrongUse(format!("--kind {wrong}: there is no such kind; there is: {}", hint.join(", "))))
}

fn family(kind: &str) -> &str {
    kind.split('.').next().unwrap_or_default()
}

/// The kinds that go by these names, and those of these families.
fn named(names: &[String]) -> Vec<Kind> {
    let is_named = |kind: &&Kind| names.iter().any(|n| n == kind.name() || n == family(kind.name()));
    Kind::ALL.iter().filter(is_named).copied().collect()
}

fn wanted(row: &Row, kinds: &[String]) -> bool {
    let kind = &*row.draft.kind;
    kinds.is_empty() || kinds.iter().any(|k| k == kind || k == family(kind))
}

fn print_row(row: &Row, json: bool) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", row_json(row))?;
        return Ok(());
    }
    let words = match row.decode() {
        Ok(recorded) => explain(&recorded.event),
        Err(error) => error.to_string(),
    };
    writeln!(
        out,
        "{:>8}  {}  {:<26} {:<22} {words}",
        row.position, row.recorded_at, row.draft.kind, row.draft.source
    )?;
    Ok(())
}

/// One row with everything that it holds.
pub fn row_json(row: &Row) -> Value {
    let d = &row.draft;
    let body: Value = serde_json::from_str(&d.body).unwrap_or_else(|_| Value::String(d.body.clone()));
    json!({
        "position": row.position,
        "id": d.id,
        "kind": d.kind,
        "schema": d.schema,
        "subject": d.subject,
        "source": d.source,
        "cause": d.cause,
        "trade": d.trade,
        "at": d.at,
        "recorded_at": row.recorded_at,
        "body": body,
        "meta": d.meta,
        "hash": hex(&row.hash),
    })
}

pub fn head_json(head: &Head) -> Value {
    json!({ "position": head.position, "hash": hex(&head.hash) })
}

pub fn hex(hash: &Hash) -> String {
    hash.iter().map(|b| format!("{b:02x}")).collect()
}
