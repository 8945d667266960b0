//! Texts as PostgreSQL can hold them: any but those with U+0000 in them.
//!
//! No event of ours has one, but whatever is a text elsewhere must be one here. So U+0000 and the
//! mark that stands for it, U+0001, are written as the mark and a letter; all others as they are.

use std::borrow::Cow;

const MARK: char = '\u{1}';

pub(super) fn encode(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte > 1) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(MARK, "\u{1}b").replace('\0', "\u{1}a"))
}

/// # Errors
/// A mark that [`encode`] never writes.
pub(super) fn decode(stored: &str) -> Result<Cow<'_, str>, String> {
    if !stored.as_bytes().contains(&1) {
        return Ok(Cow::Borrowed(stored));
    }
    let mut text = String::with_capacity(stored.len());
    let mut letters = stored.chars();
    while let Some(letter) = letters.next() {
        match (letter, letter == MARK) {
            (plain, false) => text.push(plain),
            (_, true) => text.push(match letters.next() {
                Some('a') => '\0',
                Some('b') => MARK,
                _ => return Err("a text has U+0001 where nothing of ours has it".to_owned()),
            }),
        }
    }
    Ok(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back() {
        for text in ["", "a", "\0", "\u{1}", "\u{1}a", "a\0\u{1}\0b", "ä€𝄞\u{2}", "\u{1}\u{1}b"] {
            let stored = encode(text);
            assert!(!stored.contains('\0'));
            assert_eq!(decode(&stored).unwrap(), text);
        }
        assert!(matches!(encode("plain"), Cow::Borrowed(_)));
        assert!(decode("\u{1}").is_err() && decode("\u{1}c").is_err());
    }
}
