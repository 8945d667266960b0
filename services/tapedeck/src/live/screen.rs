//! Lines on a terminal that are drawn over and over, at any size of it.

use console::Term;
use std::fmt::Write as _;

pub struct Screen {
    term: Term,
    /// Rows and columns when it was last drawn on.
    size: (u16, u16),
    drawn: usize,
}

/// To the first column of so many rows above.
fn back(rows: usize) -> String {
    if rows == 0 { "\r".to_owned() } else { format!("\r\x1b[{rows}A") }
}

impl Screen {
    pub fn new() -> Self {
        let term = Term::stderr();
        Self { size: term.size(), term, drawn: 0 }
    }

    /// Draws the lines, made for the width that there is, over those that were drawn before. No line
    /// reaches the last column, and there are fewer than the terminal has rows, so nothing wraps or scrolls.
    pub fn draw(&mut self, lines: impl FnOnce(usize) -> Vec<String>) {
        let size = self.term.size();
        let (rows, columns) = (usize::from(size.0.max(2)) - 1, usize::from(size.1.max(2)) - 1);
        let mut text = if size == self.size {
            back(self.drawn)
        } else {
            // The terminal has broken the old lines anew, nobody knows into how many.
            "\x1b[H\x1b[2J".to_owned()
        };
        let lines = lines(columns);
        self.drawn = lines.len().min(rows);
        for line in lines.iter().take(rows) {
            let _ = writeln!(text, "{}\x1b[K", cut(line, columns));
        }
        text += "\x1b[J";
        self.size = size;
        self.write(&text);
    }

    /// Takes the lines away.
    pub fn clear(&mut self) {
        let text = back(self.drawn) + "\x1b[J";
        self.drawn = 0;
        self.write(&text);
    }

    /// A terminal that is gone shows nothing; the run goes on.
    fn write(&self, text: &str) {
        let _ = self.term.write_str(text);
    }
}

/// So many characters at most; what is cut off leaves a sign.
fn cut(line: &str, columns: usize) -> String {
    if line.chars().count() <= columns {
        return line.to_owned();
    }
    line.chars().take(columns.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_never_wider_than_the_terminal() {
        assert_eq!(cut("equity 10000 USDT", 80), "equity 10000 USDT");
        assert_eq!(cut("equity → 10000", 9), "equity →…");
        assert_eq!(cut("abc", 1), "…");
    }
}
