//! A raw frame of an account stream, on its way from an ingestor to the recorder.

use domain::{Account, Timestamp};
use ring::digest::{Context, SHA256};
use thiserror::Error;

/// What an ingestor heard, byte for byte. It understands nothing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IngestFrame {
    pub account: Account,
    /// Which of the redundant ingestors heard it.
    pub replica: String,
    /// The stream's name on the venue's side, or the request that the rows answer.
    pub stream: String,
    pub content_type: String,
    /// When the replica had it, by its own clock.
    pub received_at: Timestamp,
    pub bytes: Vec<u8>,
    pub kind: FrameKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FrameKind {
    /// The stream was opened, or opened again: what came before may have been missed.
    Opened,
    /// A frame of the account stream.
    Account,
}

/// A message in an ingest queue that is no frame. Acknowledge it once it is on record: it will
/// never become one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a message from exchange '{exchange}' with key '{routing_key}' is no account frame: {why}")]
pub struct Malformed {
    pub exchange: String,
    pub routing_key: String,
    pub why: String,
    pub bytes: Vec<u8>,
}

impl IngestFrame {
    /// The same for each time that this replica publishes this frame, 32 hexadecimal digits:
    /// the first half of SHA-256 over everything in it, each part led by its length.
    pub fn message_id(&self) -> String {
        let mut context = Context::new(&SHA256);
        let received = self.received_at.micros().to_be_bytes();
        let account = self.account.to_string();
        for part in [
            b"tapedeck/ingest/1".as_slice(),
            account.as_bytes(),
            self.replica.as_bytes(),
            self.stream.as_bytes(),
            self.content_type.as_bytes(),
            self.kind.as_str().as_bytes(),
            &received,
            &self.bytes,
        ] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        crate::hex::encode(&context.finish().as_ref()[..16])
    }

    /// `<venue>.<account name>.<kind>`: always three words, a dot inside one being written `%2E`.
    pub fn routing_key(&self) -> String {
        let word = |text: &str| text.replace('%', "%25").replace('.', "%2E");
        let Account { venue, name } = &self.account;
        format!("{}.{}.{}", word(venue), word(name), self.kind.as_str())
    }
}

impl FrameKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Account => "account",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Opened, Self::Account].into_iter().find(|kind| kind.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: &[u8]) -> IngestFrame {
        IngestFrame {
            account: "binance:main".parse().unwrap(),
            replica: "a".into(),
            stream: "user".into(),
            content_type: "application/json".into(),
            received_at: Timestamp::from_millis(1),
            bytes: bytes.to_vec(),
            kind: FrameKind::Account,
        }
    }

    #[test]
    fn a_repeated_frame_has_the_same_id_and_any_other_has_another() {
        let one = frame(b"x");
        assert_eq!(one.message_id(), frame(b"x").message_id());
        assert_eq!(one.message_id().len(), 32);
        let others = [
            frame(b"y"),
            IngestFrame { replica: "b".into(), ..frame(b"x") },
            IngestFrame { received_at: Timestamp::from_millis(2), ..frame(b"x") },
            IngestFrame { kind: FrameKind::Opened, ..frame(b"x") },
            IngestFrame { replica: "au".into(), stream: "ser".into(), ..frame(b"x") },
        ];
        for other in others {
            assert_ne!(one.message_id(), other.message_id(), "{other:?}");
        }
    }

    #[test]
    fn a_routing_key_has_three_words_whatever_the_account_is_called() {
        assert_eq!(frame(b"").routing_key(), "binance.main.account");
        let dotted = IngestFrame { account: "binance:a.b%".parse().unwrap(), ..frame(b"") };
        assert_eq!(dotted.routing_key(), "binance.a%2Eb%25.account");
    }
}
