//! Which words in a source file make it impure. Comments, texts and unit tests do not count.

/// Found at word boundaries. A path is found by its last parts however it was imported.
const FORBIDDEN: &[&str] = &[
    // The clock.
    "SystemTime",
    "Instant",
    "Utc::now",
    "Local::now",
    // Chance.
    "rand",
    "fastrand",
    "getrandom",
    "new_v4",
    "now_v7",
    "RandomState",
    // What goes through it differs from one run to the next.
    "HashMap",
    "HashSet",
    // The environment and the rest of the machine.
    "std::env",
    "env::",
    "std::fs",
    "fs::",
    "std::net",
    "std::process",
    "process::",
    "std::thread",
    "thread::",
    // Other people's time.
    "tokio",
    "async",
    "await",
    // Logs.
    "tracing",
    // A variable may be called `log`; a path that begins so is a logger's.
    "log::",
    "println!",
    "print!",
    "eprintln!",
    "eprint!",
    "dbg!",
];

/// Line (from 1) and word.
pub fn forbidden(source: &str) -> Vec<(usize, &'static str)> {
    let code = without_tests(&code_of(source));
    let mut found = Vec::new();
    for (n, line) in code.lines().enumerate() {
        found.extend(FORBIDDEN.iter().filter(|word| names(line, word)).map(|word| (n + 1, *word)));
    }
    found
}

fn names(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(part_of_word) && (word.ends_with(':') || !after.is_some_and(part_of_word))
    })
}

/// The source with comments and texts blanked, line by line as it was.
fn code_of(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = raw_text(rest, code.chars().next_back()) {
            length
        } else if first == '"' {
            text(rest)
        } else if first == '\'' {
            character(rest)
        } else {
            0
        };
        if skipped == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
            code.push(' ');
            rest = &rest[skipped..];
        }
    }
    code
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let pair = rest.as_bytes().get(at..at + 2).unwrap_or_default();
        match pair {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn text(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `r"…"`, `r#"…"#`, unless the `r` ends a word.
fn raw_text(rest: &str, before: Option<char>) -> Option<usize> {
    if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let body = rest.strip_prefix('r')?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    body[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = 1 + hashes + 1;
    Some(rest[start..].find(&end).map_or(rest.len(), |at| start + at + end.len()))
}

/// The length of a character literal; 0 for a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some(_)) => chars.find(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// Blanks `#[cfg(test)] mod tests { … }`, which rustfmt ends with a brace of its own at the margin.
fn without_tests(code: &str) -> String {
    let mut kept = String::with_capacity(code.len());
    let mut lines = code.lines().peekable();
    while let Some(line) = lines.next() {
        let is_module = |next: &&str| next.trim_start().starts_with("mod ");
        if line.trim() == "#[cfg(test)]" && lines.peek().is_some_and(is_module) {
            kept.push('\n');
            for skipped in lines.by_ref() {
                kept.push('\n');
                let elsewhere = skipped.starts_with("mod ") && skipped.ends_with(';');
                if elsewhere || skipped == "}" {
                    break;
                }
            }
        } else {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[test]
fn words_are_found_in_code_only() {
    let found = |source: &str| forbidden(source);
    assert_eq!(found("let now = SystemTime::now();"), [(1, "SystemTime")]);
    assert_eq!(found("use std::{\n    collections::HashMap,\n};"), [(2, "HashMap")]);
    assert_eq!(found("use std::env;\nenv::var(\"A\")"), [(1, "std::env"), (2, "env::")]);
    assert_eq!(found("tracing::info!(\"x\"); // tokio"), [(1, "tracing")]);
    assert_eq!(found("log::warn!()"), [(1, "log::")]);
    assert_eq!(found("/*/ HashMap\n /* rand */ HashMap */ rand::random()"), [(2, "rand")]);
    for clean in [
        "//! No SystemTime here.",
        "let operand = MyHashMap::new();",
        "let log = self.log;",
        "\"a \\\" HashMap\"",
        "r#\"a \" HashMap\"#",
        "let quote = '\"'; // HashMap \"",
        "fn f<'a>(x: &'a str) {} // rand",
        "'\\'' /* rand */",
        "#[cfg(test)]\nmod tests {\n    use rand;\n}\n",
    ] {
        assert_eq!(found(clean), [], "{clean}");
    }
    assert_eq!(found("#[cfg(test)]\nmod tests {\n    use rand;\n}\nuse rand;\n"), [(5, "rand")]);
    assert_eq!(found("#[cfg(test)]\nmod tests;\nuse rand;\n"), [(3, "rand")]);
}
