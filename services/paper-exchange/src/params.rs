//! The parameters of a request, decoded, in the order in which they came.

use crate::refusal::Refusal;

/// Invariant: no name twice (the server refuses that with −1101), values percent-decoded.
/// `signature`, `timestamp`, `recvWindow` and `apiKey` have been taken out by the server.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Params {
    pub pairs: Vec<(String, String)>,
    /// How many parameters the server has taken out: Binance counts them where it refuses unknown ones.
    pub envelope: usize,
}

/// In which unit times are written into an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum TimeUnit {
    #[default]
    Milli,
    Micro,
}

impl Params {
    /// Of a request whose envelope nobody counts any more.
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        Self { pairs, envelope: 0 }
    }

    /// # Errors
    /// −1104 if there is a parameter besides `known` ones; −1101 where none at all is expected.
    pub fn only(&self, known: &[&[&str]]) -> Result<(), Refusal> {
        let sent = self.pairs.len() + self.envelope;
        if known.iter().all(|names| names.is_empty()) && self.envelope == 0 && sent > 0 {
            let text = format!("Too many parameters; expected '0' and received '{sent}'.");
            return Err(Refusal::new(-1101, text));
        }
        let is_known = |name: &str| known.iter().any(|names| names.contains(&name));
        let read = self.envelope + self.pairs.iter().filter(|(name, _)| is_known(name)).count();
        if read == sent {
            return Ok(());
        }
        let text =
            format!("Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'.");
        Err(Refusal::new(-1104, text))
    }

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
