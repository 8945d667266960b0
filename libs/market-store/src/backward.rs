//! The lines of a file from the last to the first, in constant memory.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

const PART: u64 = 64 * 1024;

/// Lines, without their ends, from the last one up to the one that begins at a given byte.
pub struct Backward {
    file: File,
    /// Where the first line begins that is to be given.
    first: u64,
    /// What lies before is not read yet.
    start: u64,
    /// What lies from `start` on and was not given yet.
    held: Vec<u8>,
    /// Of the line that is given next.
    number: u64,
    done: bool,
}

impl Backward {
    /// # Errors
    /// The file cannot be read.
    pub fn new(mut file: File, first: u64) -> io::Result<Self> {
        let (length, lines) = measure(&mut file)?;
        Ok(Self { file, first, start: length.max(first), held: Vec::new(), number: lines, done: false })
    }

    /// Puts the line before into `line`, and returns its number; `None` behind the first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn next_line(&mut self, line: &mut Vec<u8>, longest: u64) -> io::Result<Option<u64>> {
        if self.done {
            return Ok(None);
        }
        loop {
            let end = self.held.iter().rposition(|b| *b == b'\n');
            // One that is too long is given as it is; whoever asks finds it so.
            let whole = self.start == self.first || self.held.len() as u64 > longest;
            if end.is_none() && !whole {
                self.read_part()?;
                continue;
            }
            line.clear();
            line.extend_from_slice(&self.held[end.map_or(0, |end| end + 1)..]);
            self.held.truncate(end.unwrap_or(0));
            self.done = end.is_none();
            let number = self.number;
            self.number = number.saturating_sub(1);
            return Ok(Some(number));
        }
    }

    fn read_part(&mut self) -> io::Result<()> {
        let length = PART.min(self.start - self.first);
        self.start -= length;
        self.file.seek(SeekFrom::Start(self.start))?;
        let mut part = vec![0; length as usize];
        self.file.read_exact(&mut part)?;
        part.append(&mut self.held);
        self.held = part;
        Ok(())
    }
}

/// The length of a file, and its lines.
fn measure(file: &mut File) -> io::Result<(u64, u64)> {
    file.seek(SeekFrom::Start(0))?;
    let (mut length, mut ends) = (0, 0);
    let mut part = vec![0; PART as usize];
    loop {
        let read = file.read(&mut part)?;
        if read == 0 {
            return Ok((length, ends + 1));
        }
        length += read as u64;
        ends += part[..read].iter().filter(|b| **b == b'\n').count() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn lines(text: &str, first: u64) -> Vec<String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let mut backward = Backward::new(file, first).unwrap();
        let mut line = Vec::new();
        let mut all = Vec::new();
        while let Some(number) = backward.next_line(&mut line, 4_096).unwrap() {
            all.push(format!("{number} {}", String::from_utf8_lossy(&line)));
        }
        all
    }

    #[test]
    fn lines_come_from_the_last_to_the_first_with_their_numbers() {
        assert_eq!(lines("head\na\nb", 5), ["3 b", "2 a"]);
        assert_eq!(lines("head\na\nb\n", 5), ["4 ", "3 b", "2 a"]);
        assert_eq!(lines("", 0), ["1 "]);
        let many: String = (1..=40_000).map(|i| format!("line {i}\n")).collect();
        let back = lines(&many, 0);
        assert_eq!(back.len(), 40_001);
        for (at, line) in back.iter().skip(1).enumerate() {
            let number = 40_000 - at;
            assert_eq!(line, &format!("{number} line {number}"));
        }
    }
}
