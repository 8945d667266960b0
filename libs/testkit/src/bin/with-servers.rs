//! `with-servers COMMAND…`: starts a PostgreSQL and a RabbitMQ server, runs the command with the
//! variables that name them, stops both, and ends as the command ended.

use std::{
    env,
    os::unix::process::ExitStatusExt,
    process::{Command, ExitCode, ExitStatus},
    thread,
};
use testkit::{Postgres, RabbitMq};

fn main() -> ExitCode {
    let command: Vec<_> = env::args_os().skip(1).collect();
    if command.is_empty() {
        eprintln!("usage: with-servers COMMAND [ARGUMENT…]");
        return ExitCode::from(2);
    }
    let rabbitmq = thread::spawn(RabbitMq::start);
    let postgres = Postgres::start();
    let Ok(rabbitmq) = rabbitmq.join() else { return ExitCode::FAILURE };
    // The command ends with this process, whatever ends it.
    let mut run = Command::new("setpriv");
    run.args(["--pdeathsig", "TERM", "--"]).args(&command);
    match run.envs(testkit::variables(&postgres, &rabbitmq)).status() {
        Ok(status) => as_ours(status),
        Err(e) => {
            eprintln!("with-servers: {} cannot be started: {e}", command[0].to_string_lossy());
            ExitCode::from(127)
        }
    }
}

/// A death by signal as shells tell it.
fn as_ours(status: ExitStatus) -> ExitCode {
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}
