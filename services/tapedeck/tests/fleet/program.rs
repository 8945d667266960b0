//! The program, and running it to its end.

use super::PATIENCE;
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use testkit::Process;

/// How `tapedeck` is started.
#[derive(Debug, Clone)]
pub struct Program {
    pub path: PathBuf,
    /// Stands before its arguments, for a program that is `tapedeck` among other things.
    pub role: Option<&'static str>,
}

/// What came of a command.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    /// Both outputs in one.
    pub said: String,
}

impl Program {
    /// In an environment that says nothing of Tapedeck.
    pub fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        let ours = |name: &str| name.starts_with("TAPEDECK_") || ["STORE_URL", "BUS_URL"].contains(&name);
        for (name, _) in std::env::vars().filter(|(name, _)| ours(name)) {
            command.env_remove(name);
        }
        command.current_dir(folder).args(self.role).args(arguments);
        command
    }

    /// Runs it to its end.
    pub fn run(&self, folder: &Path, arguments: &[&str]) -> Done {
        let command = self.command(folder, arguments);
        let mut process = Process::start(&format!("tapedeck {}", arguments.join(" ")), &command);
        let status = process.wait(PATIENCE);
        Done { code: status.code(), said: process.output() }
    }
}

impl Done {
    #[track_caller]
    pub fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.said);
        self
    }

    /// It ended with that code, and said all those words.
    #[track_caller]
    pub fn ends(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.said);
        for word in words {
            assert!(self.said.contains(word), "'{word}' is not in: {}", self.said);
        }
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        let begin = self.said.find(['{', '[']).unwrap_or(0);
        let json = serde_json::from_str(&self.said[begin..]);
        json.unwrap_or_else(|e| panic!("no JSON ({e}): {}", self.said))
    }
}
