//! A PostgreSQL server of one's own.

use crate::{chance, folder, folder::Folder, ports, run, wait};
use std::{
    env,
    fs::{self, File},
    net::SocketAddr,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Everybody on this machine is this superuser, without a password.
const USER: &str = "tapedeck";
/// The database that `initdb` makes; nothing is kept in it.
const FIRST: &str = "postgres";
/// For a start that recovers from a kill, too.
const STARTING: Duration = Duration::from_secs(60);
const ASKING: Duration = Duration::from_secs(60);
/// How often another port is tried.
const TRIES: u32 = 5;

/// A throw-away server; dropping it stops it and removes its data.
///
/// Its durability is that of a real one (`fsync`, `full_page_writes`, `synchronous_commit` as they
/// come), since tests kill it.
pub struct Postgres {
    folder: Folder,
    port: u16,
    leader: Option<Child>,
}

impl Postgres {
    /// # Panics
    /// If PostgreSQL is not installed or does not start; the message holds the end of its log.
    pub fn start() -> Self {
        let folder = Folder::new("postgres");
        initialize(&folder);
        let mut server = Self { folder, port: 0, leader: None };
        for _ in 0..TRIES {
            server.port = ports::free();
            if server.try_start() {
                return server;
            }
        }
        panic!("testkit: PostgreSQL does not start:\n{}", server.log())
    }

    /// A new empty database: `postgres://tapedeck@127.0.0.1:PORT/NAME`.
    pub fn fresh_database(&self) -> String {
        fresh_database(&self.url(FIRST))
    }

    pub fn address(&self) -> SocketAddr {
        ports::local(self.port)
    }

    /// `kill -9` of the postmaster and all its children; nothing of them is left on return.
    pub fn kill(&mut self) {
        if let Some(mut leader) = self.leader.take() {
            folder::kill(&mut leader, &self.data());
        }
    }

    /// Starts the killed server again on the same data and the same port.
    ///
    /// # Panics
    /// If it runs, or does not start within a minute.
    pub fn start_again(&mut self) {
        assert!(self.leader.is_none(), "testkit: PostgreSQL was not killed before it is started again");
        assert!(self.try_start(), "testkit: PostgreSQL does not start again:\n{}", self.log());
    }

    /// SIGSTOP to the postmaster and all its children: connections stay open, nothing answers.
    pub fn pause(&self) {
        folder::pause(self.running(), &self.data());
    }

    pub fn resume(&self) {
        folder::resume(&self.data());
    }

    /// Runs SQL and gives what it returned: a line per row, columns parted by `|`.
    ///
    /// # Panics
    /// If the server refuses it or does not answer within a minute.
    pub fn psql(&self, url: &str, sql: &str) -> String {
        psql(url, sql)
    }

    /// The address of a database on this server.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@{}/{database}", self.address())
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> String {
        self.folder.ends_of(&["log"])
    }

    fn running(&self) -> &Child {
        self.leader.as_ref().expect("testkit: PostgreSQL was killed and not started again")
    }

    /// True if it is ready; false, with nothing left running, if it ended at once.
    fn try_start(&mut self) -> bool {
        // A server that was killed -9 leaves these behind; a process that has got its id since would
        // keep it from starting.
        let _absent_at_first = fs::remove_file(self.data().join("postmaster.pid"));
        let log = File::options().create(true).append(true).open(self.folder.path().join("log"));
        let log = log.unwrap_or_else(|e| panic!("testkit: the log of PostgreSQL: {e}"));
        let error = log.try_clone().unwrap_or_else(|e| panic!("testkit: the log of PostgreSQL: {e}"));
        let mut command = unprivileged(&program("postgres"));
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300"] {
            command.args(["-c", setting]);
        }
        command.current_dir(self.folder.path()).process_group(0);
        command.stdin(Stdio::null()).stdout(log).stderr(error);
        let leader = command.spawn().unwrap_or_else(|e| panic!("testkit: PostgreSQL cannot be started: {e}"));
        let leader = self.leader.insert(leader);
        let mut ready = false;
        wait::holds_within(STARTING, || {
            ready = is_ready(self.port);
            ready || leader.try_wait().is_ok_and(|ended| ended.is_some())
        });
        // Somebody else's server on that port answers, too.
        let ready = ready && leader.try_wait().is_ok_and(|ended| ended.is_none());
        if !ready {
            self.kill();
        }
        ready
    }
}

impl Drop for Postgres {
    /// Lets the folder's keeper end it in order, so that its shared memory is given back.
    fn drop(&mut self) {
        if let Some(mut leader) = self.leader.take() {
            self.folder.end();
            let _reaped = leader.wait();
        }
    }
}

/// A new database on the server of this database.
pub(crate) fn fresh_database(url: &str) -> String {
    let name = chance::fresh_name();
    psql(url, &format!("CREATE DATABASE {name}"));
    let (server, _) = url.rsplit_once('/').unwrap_or_else(|| panic!("testkit: a URL without a database"));
    format!("{server}/{name}")
}

/// Runs SQL on the database of this address.
pub(crate) fn psql(url: &str, sql: &str) -> String {
    let mut command = client("psql");
    command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]);
    let out = run::output(&mut command, ASKING);
    out.trim_end().to_owned()
}

fn is_ready(port: u16) -> bool {
    let mut command = client("pg_isready");
    command.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string(), "-U", USER, "-d", FIRST]);
    run::run(&mut command, ASKING).status.success()
}

/// A client program that the environment's own settings of PostgreSQL do not reach.
fn client(name: &str) -> Command {
    let mut command = Command::new(program(name));
    for (variable, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
        command.env_remove(variable);
    }
    command.env("PGCONNECT_TIMEOUT", "10");
    command
}

fn initialize(folder: &Folder) {
    let data = folder.make("data");
    if let Some((user, group)) = server_user() {
        for path in [folder.path(), &data] {
            let given = chown(path, Some(user), Some(group));
            given.unwrap_or_else(|e| panic!("{} cannot be given to postgres: {e}", path.display()));
        }
    }
    let mut command = unprivileged(&program("initdb"));
    command.arg("-D").arg(&data).args(["-U", USER, "--no-sync", "-A", "trust"]);
    command.args(["--encoding=UTF8", "--locale=C.UTF-8"]).current_dir(folder.path());
    run::output(&mut command, STARTING);
    let only_here = format!("host all {USER} 127.0.0.1/32 trust\n");
    fs::write(data.join("pg_hba.conf"), only_here).unwrap_or_else(|e| panic!("{}: {e}", data.display()));
}

/// PostgreSQL refuses to serve as root: then it runs as the user that its package made.
fn unprivileged(program: &Path) -> Command {
    if server_user().is_none() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
    command
}

/// User and group, if this process is root.
fn server_user() -> Option<(u32, u32)> {
    let own = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let uid = own.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().nth(1)?;
    if uid != "0" {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let line = users.lines().find_map(|line| line.strip_prefix("postgres:"));
    let line =
        line.unwrap_or_else(|| panic!("testkit: as root, PostgreSQL needs the user postgres; {INSTALL}"));
    let mut ids = line.split(':').skip(1).map(str::parse);
    let (Some(Ok(user)), Some(Ok(group))) = (ids.next(), ids.next()) else {
        panic!("testkit: the user postgres has no number in /etc/passwd");
    };
    Some((user, group))
}

const INSTALL: &str = "install the package postgresql, or let ./test.sh do it";

/// In `$TAPEDECK_POSTGRES_BIN`, else the newest that Debian installed, else in the `PATH`.
fn program(name: &str) -> PathBuf {
    if let Some(folder) = env::var_os("TAPEDECK_POSTGRES_BIN").filter(|folder| !folder.is_empty()) {
        return Path::new(&folder).join(name);
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut installed: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin").join(name)))
        })
        .filter(|(_, program)| program.is_file())
        .collect();
    installed.sort();
    let path = env::var_os("PATH").unwrap_or_default();
    let in_path =
        || env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file());
    let found = installed.pop().map(|(_, program)| program).or_else(in_path);
    found.unwrap_or_else(|| panic!("testkit: there is no {name}; {INSTALL}"))
}
