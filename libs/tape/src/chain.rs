//! The hash chain: one link per row, so that a changed byte is found and its row named.
//!
//! `hash = SHA-256(tag, previous hash, position, recorded_at, content)`, where
//!
//! | part | bytes |
//! |---|---|
//! | tag | `tapedeck.tape.row.1`, 19 bytes of ASCII: no other hash of ours starts like this |
//! | previous hash | 32; zeros for the first row ([`GENESIS`]) |
//! | position | 8, big-endian |
//! | recorded_at | 8, big-endian two's complement, microseconds since 1970 UTC |
//! | content | 32: SHA-256(id, kind, schema, subject, source, cause, trade, at, body) |
//!
//! Of the content, each field is its length in 8 bytes, big-endian, then its bytes.
//! An absent field (no cause, no trade) is the length `2⁶⁴ - 1` and nothing else.
//! Texts are UTF-8, ids their 16 bytes, `schema` 2 bytes big-endian, `at` as `recorded_at`.
//! `meta` is not hashed: it is not part of the fact, and two replicas write different ones.
//!
//! Two levels, because a database that assigns positions links rows under its lock: it is given the
//! contents, hashed before, and adds 99 bytes to hash per row, however long the body.

use crate::{Hash, Position};
use domain::Timestamp;
use events::{Draft, Row};
use ring::digest;

/// The hash before the first row.
pub const GENESIS: Hash = [0; 32];

const TAG: &[u8] = b"tapedeck.tape.row.1";

/// The hash of the row that `draft` becomes at `position`.
pub fn link(previous: &Hash, position: Position, recorded_at: Timestamp, draft: &Draft) -> Hash {
    link_content(previous, position, recorded_at, &content(draft))
}

/// As [`link`], of a draft whose [`content`] is known.
pub fn link_content(previous: &Hash, position: Position, recorded_at: Timestamp, content: &Hash) -> Hash {
    let mut bytes = [0; 99];
    let parts: [&[u8]; 5] =
        [TAG, previous, &position.to_be_bytes(), &recorded_at.micros().to_be_bytes(), content];
    let mut at = 0;
    for part in parts {
        bytes[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    sha256(&bytes)
}

/// The hash of everything that a row states, wherever it comes to stand.
pub fn content(draft: &Draft) -> Hash {
    let text = draft.kind.len()
        + draft.subject.len()
        + draft.body.len()
        + draft.trade.as_ref().map_or(0, String::len);
    let mut bytes = Vec::with_capacity(text + 192);
    field(&mut bytes, Some(draft.id.as_bytes()));
    field(&mut bytes, Some(draft.kind.as_bytes()));
    field(&mut bytes, Some(&draft.schema.to_be_bytes()));
    field(&mut bytes, Some(draft.subject.as_bytes()));
    field(&mut bytes, Some(draft.source.as_bytes()));
    field(&mut bytes, draft.cause.as_ref().map(|id| &id.as_bytes()[..]));
    field(&mut bytes, draft.trade.as_ref().map(|t| t.as_bytes()));
    field(&mut bytes, Some(&draft.at.micros().to_be_bytes()));
    field(&mut bytes, Some(draft.body.as_bytes()));
    sha256(&bytes)
}

/// SHA-256, as everywhere here.
pub fn sha256(bytes: &[u8]) -> Hash {
    let mut hash = GENESIS;
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// Whether `row` carries the hash that follows from `previous`.
pub fn holds(previous: &Hash, row: &Row) -> bool {
    link(previous, row.position, row.recorded_at, &row.draft) == row.hash
}

pub(crate) fn field(bytes: &mut Vec<u8>, value: Option<&[u8]>) {
    bytes.extend_from_slice(&value.map_or(u64::MAX, |v| v.len() as u64).to_be_bytes());
    bytes.extend_from_slice(value.unwrap_or_default());
}

/// A hash as people and files write it: 64 lower-case hexadecimal digits.
pub fn hex(hash: &Hash) -> String {
    let mut text = String::with_capacity(64);
    for byte in hash {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    text
}

/// Reads what [`hex`] wrote; nothing else.
pub fn parse_hex(text: &str) -> Option<Hash> {
    let digits = text.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut hash = GENESIS;
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |d: u8| char::from(d).to_digit(16).filter(|_| !d.is_ascii_uppercase());
        *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::UnitName;
    use events::Uuid;

    fn draft() -> Draft {
        Draft {
            id: Uuid::from_u128(1),
            kind: "time.passed".into(),
            schema: 1,
            subject: "time".into(),
            source: UnitName::new("clock").unwrap(),
            cause: None,
            trade: None,
            at: Timestamp::from_micros(7),
            body: "{}".into(),
            meta: None,
        }
    }

    fn hash(change: impl FnOnce(&mut Draft)) -> Hash {
        let mut d = draft();
        change(&mut d);
        link(&GENESIS, 1, Timestamp::from_micros(9), &d)
    }

    /// Computed apart, from the layout in the module's documentation: a tape once written must
    /// verify for ever, so this value never changes.
    #[test]
    fn the_layout_is_the_documented_one() {
        assert_eq!(hex(&hash(|_| ())), "205cb2fcf6968eac3c21da41da9e8388ac82f7cd3ee541c7606878bf940e01fc");
    }

    #[test]
    fn every_field_but_meta_changes_the_hash() {
        let plain = hash(|_| ());
        let mut seen = vec![
            plain,
            hash(|d| d.id = Uuid::from_u128(2)),
            hash(|d| d.kind = "time.passe".into()),
            hash(|d| d.schema = 2),
            hash(|d| d.subject = "tim".into()),
            hash(|d| d.source = UnitName::new("cloc").unwrap()),
            hash(|d| d.cause = Some(Uuid::nil())),
            hash(|d| d.trade = Some(String::new())),
            hash(|d| d.at = Timestamp::from_micros(8)),
            hash(|d| d.body = "{ }".into()),
            link(&[1; 32], 1, Timestamp::from_micros(9), &draft()),
            link(&GENESIS, 2, Timestamp::from_micros(9), &draft()),
            link(&GENESIS, 1, Timestamp::from_micros(10), &draft()),
        ];
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 13, "each change gives another hash");
        assert_eq!(hash(|d| d.meta = Some("replica 2".into())), plain);
    }

    #[test]
    fn bytes_cannot_move_from_one_field_to_the_next() {
        let one = hash(|d| (d.kind, d.subject) = ("ab".into(), "c".into()));
        let other = hash(|d| (d.kind, d.subject) = ("a".into(), "bc".into()));
        assert_ne!(one, other);
    }

    #[test]
    fn hex_reads_back_and_nothing_else_does() {
        let hash = hash(|_| ());
        assert_eq!(parse_hex(&hex(&hash)), Some(hash));
        assert_eq!(parse_hex(&hex(&hash).to_uppercase()), None);
        assert_eq!(parse_hex("00"), None);
        assert_eq!(parse_hex(&"é".repeat(32)), None);
    }
}
