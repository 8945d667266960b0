//! Short commands, with a deadline.

use crate::wait;
use std::{
    io::Read,
    process::{Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

pub(crate) struct Finished {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
}

/// Runs a command to its end and gives what it printed.
///
/// # Panics
/// If it cannot be started, fails, or takes longer than the deadline.
pub(crate) fn output(command: &mut Command, deadline: Duration) -> String {
    let finished = run(command, deadline);
    let Finished { status, out, err } = &finished;
    assert!(status.success(), "{} failed ({status}):\n{out}{err}", name(command));
    finished.out
}

pub(crate) fn run(command: &mut Command, deadline: Duration) -> Finished {
    let name = name(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|e| panic!("{name} cannot be started: {e}"));
    let out = child.stdout.take().map(reader);
    let err = child.stderr.take().map(reader);
    let mut ended = None;
    let in_time = wait::holds_within(deadline, || {
        ended = child.try_wait().unwrap_or_else(|e| panic!("{name}: {e}"));
        ended.is_some()
    });
    if !in_time {
        let _gone_anyway = child.kill();
        let _reaped = child.wait();
    }
    let text = |reader: Option<thread::JoinHandle<String>>| {
        reader.and_then(|reader| reader.join().ok()).unwrap_or_default()
    };
    let (out, err) = (text(out), text(err));
    let status = ended.unwrap_or_else(|| panic!("{name} took longer than {deadline:?}:\n{out}{err}"));
    Finished { status, out, err }
}

fn reader(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _whatever_came = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn name(command: &Command) -> String {
    let first = command.get_args().next().unwrap_or_default();
    format!("{} {}", command.get_program().to_string_lossy(), first.to_string_lossy())
}
