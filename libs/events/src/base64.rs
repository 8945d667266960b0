//! Base64 with padding (RFC 4648 §4), for the few bytes that are no text.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let at = |n: usize| u32::from(group.get(n).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for n in 0..4 {
            let digit = char::from(ALPHABET[(bits >> (18 - 6 * n) & 63) as usize]);
            text.push(if n <= group.len() { digit } else { '=' });
        }
    }
    text
}

/// Reads what [`encode`] wrote; nothing else.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in text.as_bytes().chunks(4) {
        let digits = group.iter().take_while(|d| **d != b'=').count();
        let mut bits = 0;
        for digit in &group[..digits] {
            bits = bits << 6 | u32::try_from(ALPHABET.iter().position(|a| a == digit)?).ok()?;
        }
        let whole = digits.checked_sub(1)?;
        bits <<= 6 * (4 - digits);
        bytes.extend_from_slice(bits.to_be_bytes().get(1..=whole)?);
    }
    (encode(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of RFC 4648 §10.
    #[test]
    fn written_as_the_standard_says_and_read_back() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in vectors {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()));
        }
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all)), Some(all));
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in ["Z", "Zg", "Zg=", "Zh==", "====", "Zg==Zg==", "Z g=", "Zm9v\n", "Zm9é"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }
}
