//! A child process to watch, stop and kill.

use crate::{folder, wait};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        OnceLock,
        mpsc::{Sender, channel, sync_channel},
    },
    thread,
    time::Duration,
};

/// How much of its output is shown when a test fails.
const SHOWN: usize = 40;

/// A running program under a name of the test's choosing.
///
/// Dropping it kills it; if that is because a test fails, the end of what it printed is shown.
/// It dies with the test process, however that dies.
pub struct Process {
    name: String,
    recipe: Recipe,
    /// Without a name in the file system: it cannot be left behind.
    output: File,
    child: Child,
}

/// What to run, so that it can be run again.
struct Recipe {
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, Option<OsString>)>,
    folder: Option<PathBuf>,
}

impl Process {
    /// Runs the command: its program, arguments, variables (added or removed) and folder count, its
    /// other settings do not. Both outputs are captured.
    ///
    /// # Panics
    /// If no process can be made. A program that is not there shows as one that ended at once.
    pub fn start(name: &str, command: &Command) -> Self {
        let recipe = Recipe::of(command);
        let output = tempfile::tempfile().unwrap_or_else(|e| panic!("testkit: {name}: no output file: {e}"));
        let child = recipe.spawn(&output).unwrap_or_else(|e| panic!("testkit: {name}: {e}"));
        Self { name: name.to_owned(), recipe, output, child }
    }

    /// The same command once more, its output behind what there is.
    ///
    /// # Panics
    /// If it still runs, or no process can be made.
    pub fn start_again(&mut self) {
        assert!(!self.is_running(), "testkit: {} still runs", self.name);
        self.child =
            self.recipe.spawn(&self.output).unwrap_or_else(|e| panic!("testkit: {}: {e}", self.name));
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed until now, both outputs in one.
    pub fn output(&self) -> String {
        let mut bytes = Vec::new();
        let mut piece = [0; 8192];
        // Reading at a place of our own: the child writes where the shared one is.
        while let Ok(read @ 1..) = self.output.read_at(&mut piece, bytes.len() as u64) {
            bytes.extend_from_slice(&piece[..read]);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|ended| ended.is_none())
    }

    /// SIGKILL; it is gone on return.
    pub fn kill(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }

    /// SIGTERM; returns at once.
    pub fn terminate(&mut self) {
        self.signal("TERM");
    }

    /// SIGSTOP; it has stopped on return.
    pub fn pause(&mut self) {
        self.signal("STOP");
        let pid = self.pid();
        wait::holds_within(Duration::from_secs(10), || folder::is_stopped(pid) || !self.is_running());
    }

    pub fn resume(&mut self) {
        self.signal("CONT");
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it still runs at the deadline; the message holds the end of its output.
    pub fn wait(&mut self, deadline: Duration) -> ExitStatus {
        let mut ended = None;
        wait::holds_within(deadline, || {
            ended = self.child.try_wait().unwrap_or_else(|e| panic!("testkit: {}: {e}", self.name));
            ended.is_some()
        });
        ended.unwrap_or_else(|| panic!("{} still runs after {deadline:?}\n{}", self.name, self.end()))
    }

    /// Never to a process that has ended: its id may be another's by now.
    fn signal(&mut self, name: &str) {
        if self.is_running() {
            folder::signal(name, &[self.pid()]);
        }
    }

    fn end(&self) -> String {
        let output = self.output();
        let lines: Vec<&str> = output.lines().collect();
        let end = lines[lines.len().saturating_sub(SHOWN)..].join("\n");
        format!("--- the end of what {} printed\n{end}\n", self.name)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprint!("{}", self.end());
        }
    }
}

/// Processes by name.
#[derive(Default)]
pub struct Fleet {
    processes: BTreeMap<String, Process>,
}

impl Fleet {
    pub fn new() -> Self {
        Self::default()
    }

    /// # Panics
    /// If the name is taken, or no process can be made.
    pub fn start(&mut self, name: &str, command: &Command) -> &mut Process {
        assert!(!self.processes.contains_key(name), "testkit: there is a process {name} already");
        self.processes.entry(name.to_owned()).or_insert_with(|| Process::start(name, command))
    }

    /// # Panics
    /// If there is none of this name.
    pub fn get(&mut self, name: &str) -> &mut Process {
        self.processes.get_mut(name).unwrap_or_else(|| panic!("testkit: there is no process {name}"))
    }

    /// In the order of their names.
    pub fn all(&mut self) -> impl Iterator<Item = &mut Process> {
        self.processes.values_mut()
    }

    pub fn names(&self) -> Vec<String> {
        self.processes.keys().cloned().collect()
    }

    /// Asks all to end, then waits for each.
    ///
    /// # Panics
    /// If one still runs at its deadline.
    pub fn terminate(&mut self, deadline: Duration) -> BTreeMap<String, ExitStatus> {
        self.all().for_each(Process::terminate);
        self.processes.iter_mut().map(|(name, process)| (name.clone(), process.wait(deadline))).collect()
    }
}

impl Recipe {
    fn of(command: &Command) -> Self {
        let own = |text: &std::ffi::OsStr| text.to_owned();
        Self {
            program: own(command.get_program()),
            arguments: command.get_args().map(own).collect(),
            environment: command.get_envs().map(|(name, value)| (own(name), value.map(own))).collect(),
            folder: command.get_current_dir().map(PathBuf::from),
        }
    }

    fn spawn(&self, output: &File) -> io::Result<Child> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(&self.program).args(&self.arguments);
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output.try_clone()?);
        spawn_for_life(command)
    }
}

/// Spawns from a thread that lives as long as this process does.
///
/// The signal of a parent's death comes when the *thread* that spawned ends (prctl(2),
/// PR_SET_PDEATHSIG), and the thread of a test, or of a test's helper, ends early.
fn spawn_for_life(command: Command) -> io::Result<Child> {
    type Order = (Command, std::sync::mpsc::SyncSender<io::Result<Child>>);
    static SPAWNER: OnceLock<Sender<Order>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, taken) = channel::<Order>();
        thread::spawn(move || {
            for (mut command, answer) in taken {
                let _asker_gone = answer.send(command.spawn());
            }
        });
        orders
    });
    let (answer, answered) = sync_channel(1);
    spawner.send((command, answer)).map_err(io::Error::other)?;
    answered.recv().map_err(io::Error::other)?
}
