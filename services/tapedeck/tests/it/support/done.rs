//! What came of a command, and what a test says of it.

use super::{PATIENCE, running, text};
use serde_json::Value;
use std::{process::Command, sync::mpsc, thread};

/// What came of a command.
#[derive(Debug)]
pub struct Done {
    #[expect(dead_code, reason = "shown where a test fails")]
    asked: String,
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// The end of a tape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub position: u64,
    pub hash: String,
}

impl Done {
    /// It ended well.
    pub fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// It ended with that code, and said all those words on standard error, the first line of which
    /// names the mistake.
    pub fn ends(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(self.err.lines().any(|line| line.starts_with("error: ")), "{self:#?}");
        assert!(!self.err.contains("panicked"), "{self:#?}");
        for word in words {
            assert!(self.err.contains(word), "'{word}' is not in: {self:#?}");
        }
        self
    }

    /// It ended with that code and the help text.
    pub fn explains(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(self.err.contains("Usage: tapedeck"), "{self:#?}");
        self
    }

    /// As [`Done::ends`] with 2, where the command line itself is refused.
    #[track_caller]
    pub fn ends_with_usage(&self, words: &[&str]) {
        assert_eq!(self.code, Some(2), "{self:#?}");
        self.tells(words).tells(&["error: ", "--help"]);
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("no JSON ({e}): {self:#?}"))
    }

    pub fn list(&self) -> Vec<Value> {
        match self.json() {
            Value::Array(list) => list,
            other => panic!("no list: {other}"),
        }
    }

    /// Of `tape head --json`, or the `head` in the summary of a run.
    pub fn head(&self) -> Head {
        let told = self.json();
        let head = told.get("head").unwrap_or(&told);
        Head { position: head["position"].as_u64().unwrap(), hash: text(&head["hash"]).to_owned() }
    }

    /// As [`Done::says`], on standard error.
    #[track_caller]
    pub fn tells(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(self.err.contains(word), "'{word}' is not in: {self:#?}");
        }
        self
    }

    #[track_caller]
    pub fn says(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(self.out.contains(word), "'{word}' is not in: {self:#?}");
        }
        self
    }
}

/// Runs a command to its end.
pub fn wait(mut command: Command, asked: &str) -> Done {
    let child = command.spawn().unwrap();
    let id = child.id();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(child.wait_with_output()));
    let Ok(output) = told.recv_timeout(PATIENCE) else {
        running::signal(id, "KILL");
        panic!("'{asked}' does not end");
    };
    let output = output.unwrap();
    Done {
        asked: asked.to_owned(),
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
