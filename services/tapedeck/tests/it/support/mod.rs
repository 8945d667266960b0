//! A folder of one's own, and the program run in it.

mod candles;
mod done;
mod exchange;
mod running;

pub use crate::fleet::seed::Seed;
pub use candles::candles;
pub use done::{Done, Head};
pub use exchange::{Exchange, candles_are_whole, control, recorded};
pub use running::{Running, get, until};

use domain::Timestamp;
use serde_json::Value;
use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
    time::Duration,
};
use tape::{Mode, Tape};
use tempfile::TempDir;

/// No command of any test takes nearly that long; one that does hangs.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// 200 days with two closed trades and two open ones: long enough to look at, short enough to make.
pub const MARKET: &str = "synthetic:1:200";
/// How that market is named where its tape is kept.
const KEPT: &str = "tapedeck-data/synthetic-1-200.tape";

/// The working folder of one test.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A folder in which `up --market synthetic:1:200` has been played to its end.
    pub fn finished() -> Self {
        static TAPE: OnceLock<Vec<u8>> = OnceLock::new();
        let played = TAPE.get_or_init(|| {
            let place = Self::new();
            place.run(&up(MARKET)).well();
            fs::read(place.path(KEPT)).unwrap()
        });
        let place = Self::new();
        place.write(KEPT, played);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and the folders on the way to it.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The program here, in an environment that says nothing, but for a free port to listen on.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tapedeck"));
        self.prepare(&mut command);
        command.args(line.split_whitespace());
        command
    }

    /// Runs a shell script here, in which `tapedeck` is the program.
    pub fn shell(&self, script: &str) -> Done {
        let mut command = Command::new("sh");
        self.prepare(&mut command);
        command.env("program", env!("CARGO_BIN_EXE_tapedeck"));
        command.args(["-c", &format!("tapedeck() {{ \"$program\" \"$@\"; }}\n{script}")]);
        done::wait(command, script)
    }

    fn prepare(&self, command: &mut Command) {
        let ours = |name: &str| {
            name.starts_with("TAPEDECK_")
                || ["STORE_URL", "BUS_URL"].contains(&name)
                || name.starts_with("BINANCE_")
        };
        for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
            command.env_remove(name);
        }
        command.env("TAPEDECK_LISTEN", "127.0.0.1:0");
        command.current_dir(self.0.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    }

    /// Runs a command, its arguments as on the command line, to its end.
    pub fn run(&self, line: &str) -> Done {
        done::wait(self.command(line), line)
    }

    /// Runs a command that was prepared otherwise to its end.
    pub fn wait(&self, command: Command, line: &str) -> Done {
        done::wait(command, line)
    }

    /// Starts a command that goes on by itself.
    pub fn start(&self, line: &str) -> Running {
        Running::of(self.command(line), line)
    }

    /// The end of the newest tape in the data folder, as the program tells it.
    pub fn head(&self) -> Head {
        self.run("tape head --json").well().head()
    }

    /// Every row of the newest tape whose kind or family is one of those.
    pub fn rows(&self, kinds: &[&str]) -> Vec<Value> {
        let wanted: String = kinds.iter().map(|kind| format!(" --kind {kind}")).collect();
        let shown = self.run(&format!("tape show --json -n 1000000{wanted}")).well();
        shown.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The tape in that file, opened by the test itself.
    pub async fn tape(&self, name: &str, mode: Mode) -> Tape {
        Tape::open(&format!("sqlite:{}", self.path(name).display()), mode).await.unwrap()
    }

    /// The one tape in the data folder.
    pub fn kept(&self) -> String {
        let files = fs::read_dir(self.path("tapedeck-data")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let tapes: Vec<_> = names.filter(|name| name.ends_with(".tape")).collect();
        let [tape] = &tapes[..] else { panic!("one tape, not {tapes:?}") };
        format!("tapedeck-data/{tape}")
    }
}

/// The command that plays a market to its end as fast as it goes.
pub fn up(market: &str) -> String {
    format!("up --market {market} --speed max --exit-when-done")
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

pub fn texts<'v>(rows: &'v [Value], field: &str) -> Vec<&'v str> {
    rows.iter().map(|row| text(&row[field])).collect()
}

pub fn time(value: &Value) -> Timestamp {
    text(value).parse().unwrap()
}
