//! The parameters of a request, decoded, in the order in which they came.

/// Invariant: no name twice (the server refuses that with −1101), values percent-decoded.
/// `signature`, `timestamp`, `recvWindow` and `apiKey` have been taken out by the server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Params {
    pub pairs: Vec<(String, String)>,
}

/// In which unit times are written into an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum TimeUnit {
    #[default]
    Milli,
    Micro,
}

impl Params {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

impl TimeUnit {
    /// The number that stands for `at` in an answer.
    pub fn of(self, at: domain::Timestamp) -> i64 {
        match self {
            Self::Milli => at.millis(),
            Self::Micro => at.micros(),
        }
    }
}
