//! What a server allows.

use std::{fs, time::Duration};

/// Deadlines and sizes. None of them is infinite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// From the first byte of a request, or from the connection's beginning, to the end of its head.
    pub head: Duration,
    /// From the head to the end of the body.
    pub body: Duration,
    /// Between two requests.
    pub idle: Duration,
    /// A peer takes nothing of what is sent for so long.
    pub write: Duration,
    /// Bytes.
    pub largest_body: usize,
    /// Connections at the same time.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            write: Duration::from_secs(30),
            largest_body: 64 << 10,
            connections: within_descriptors(64),
        }
    }
}

impl Limits {
    /// At most `wanted` connections, and no more than half of the file descriptors that this process may
    /// have: the rest is for files and for connections of its own.
    pub fn connections(self, wanted: usize) -> Self {
        Self { connections: within_descriptors(wanted), ..self }
    }
}

fn within_descriptors(wanted: usize) -> usize {
    let descriptors = fs::read_to_string("/proc/self/limits").ok().and_then(|limits| descriptors(&limits));
    descriptors.map_or(wanted, |most| wanted.min(most / 2)).max(1)
}

/// The soft limit in Linux's table; `None` where there is none.
fn descriptors(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_of_open_files_is_read() {
        let table = "Limit                     Soft Limit           Hard Limit           Units     \n\
                     Max cpu time              unlimited            unlimited            seconds   \n\
                     Max open files            120                  4096                 files     \n";
        assert_eq!(descriptors(table), Some(120));
        assert_eq!(
            descriptors("Max open files            unlimited            unlimited            files"),
            None
        );
        assert_eq!(descriptors(""), None);
    }
}
