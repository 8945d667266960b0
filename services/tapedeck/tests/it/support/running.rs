//! A command that goes on by itself.

use super::PATIENCE;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, ExitStatus},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

/// How often a condition is looked at that nothing tells of.
const LOOK: Duration = Duration::from_millis(2);

pub struct Running {
    asked: String,
    child: Child,
    /// Lines of standard error and of standard output, as they come.
    said: Receiver<String>,
    printed: Receiver<String>,
}

impl Running {
    pub fn of(mut command: Command, asked: &str) -> Self {
        let mut child = command.spawn().unwrap();
        let said = lines(child.stderr.take().unwrap());
        let printed = lines(child.stdout.take().unwrap());
        Self { asked: asked.to_owned(), child, said, printed }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line on standard error that holds `words`.
    pub fn line(&mut self, words: &str) -> String {
        let begun = Instant::now();
        while let Ok(line) = self.said.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
            if line.contains(words) {
                return line;
            }
        }
        panic!("'{}' does not say '{words}'", self.asked)
    }

    /// What it has printed since it was last asked, by lines.
    pub fn printed(&self) -> Vec<String> {
        self.printed.try_iter().collect()
    }

    /// Where health and metrics are served.
    pub fn address(&mut self) -> String {
        let line = self.line("health and metrics on http://");
        line.rsplit('/').next().unwrap().to_owned()
    }

    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end; how it ended, and what it has printed.
    pub fn end(&mut self) -> (ExitStatus, String) {
        let status = until(&format!("'{}' ends", self.asked), || self.child.try_wait().unwrap());
        (status, self.printed.iter().map(|line| line + "\n").collect())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a stream, read so that it never fills up.
fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (tell, told) = channel();
    thread::spawn(move || {
        BufReader::new(from).lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
    });
    told
}

/// Waits for `look` to see it.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE, "it never comes to this: {what}");
        thread::sleep(LOOK);
    }
}

pub fn signal(process: u32, name: &str) {
    let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {process}")).status().unwrap();
    assert!(sent.success(), "SIG{name} to {process}");
}

/// The status and the body that `GET path` gives.
pub fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer}"));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    (status.unwrap_or_else(|| panic!("no status: {head}")), body.to_owned())
}
