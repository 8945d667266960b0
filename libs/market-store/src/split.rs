//! A line taken apart into its fields (RFC 4180, by the parser of the `csv` crate).

/// Takes lines apart; kept from line to line, so that none allocates.
#[derive(Default)]
pub struct Splitter {
    text: Vec<u8>,
    ends: Vec<usize>,
}

/// The fields of one line, without the quotes around them.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    text: &'a [u8],
    ends: &'a [usize],
}

impl Splitter {
    /// # Errors
    /// A quote that is not closed on this line.
    pub fn split(&mut self, line: &[u8], delimiter: u8) -> Result<Fields<'_>, String> {
        if line.iter().filter(|b| **b == b'"').count() % 2 == 1 {
            return Err("has a quote (\") that is not closed".to_owned());
        }
        self.text.resize(self.text.len().max(line.len() + 1), 0);
        self.ends.resize(self.ends.len().max(line.len() + 2), 0);
        let mut reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        let (_, _, written, fields) = reader.read_record(line, &mut self.text, &mut self.ends);
        // Nothing follows, which ends the last field.
        let (_, _, more, last) = reader.read_record(&[], &mut self.text[written..], &mut self.ends[fields..]);
        Ok(Fields { text: &self.text[..written + more], ends: &self.ends[..fields + last] })
    }
}

impl<'a> Fields<'a> {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Empty where there is none, and where it is no UTF-8.
    pub fn get(&self, index: usize) -> &'a str {
        let start = index.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        let field =
            start.zip(self.ends.get(index).copied()).and_then(|(start, end)| self.text.get(start..end));
        field.and_then(|field| std::str::from_utf8(field).ok()).unwrap_or_default().trim()
    }

    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let fields = *self;
        (0..fields.len()).map(move |index| fields.get(index))
    }
}

/// The delimiter of a line that has five of it at least, quoted ones not counted; else a comma.
pub fn delimiter(line: &[u8]) -> u8 {
    const LEAST: usize = 5;
    let mut counts = [(b';', 0), (b'\t', 0), (b'|', 0), (b',', 0)];
    let mut quoted = false;
    for byte in line {
        quoted ^= *byte == b'"';
        if let Some((_, count)) = counts.iter_mut().find(|(known, _)| known == byte && !quoted) {
            *count += 1;
        }
    }
    counts.iter().find(|(_, count)| *count >= LEAST).map_or(b',', |(delimiter, _)| *delimiter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_apart_as_spreadsheets_do() {
        let mut splitter = Splitter::default();
        for (line, delimiter, expected) in [
            ("a,b,c", b',', "a|b|c"),
            ("\"a\",\"b,c\",\"d\"\"e\"", b',', "a|b,c|d\"e"),
            ("a;b;", b';', "a|b|"),
            (" a , b ", b',', "a|b"),
            ("", b',', ""),
            ("one", b',', "one"),
        ] {
            let fields: Vec<&str> = splitter.split(line.as_bytes(), delimiter).unwrap().iter().collect();
            assert_eq!(fields.join("|"), expected, "{line}");
        }
        assert!(splitter.split(b"1,\"2,3", b',').is_err());
    }

    #[test]
    fn the_delimiter_is_what_stands_often_enough() {
        assert_eq!(delimiter(b"1;2,5;3,5;4,5;5,5;6"), b';');
        assert_eq!(delimiter(b"1,2,3,4,5,6"), b',');
        assert_eq!(delimiter(b"1\t2\t3\t4\t5\t6"), b'\t');
        assert_eq!(delimiter(b"\"1;2;3;4;5;6\",2"), b',');
    }
}
