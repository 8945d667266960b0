//! What documents say is shown by a test must be shown by one.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("libs/service lies two folders down")
        .into()
}

/// All files under a folder that end so; build folders aside.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut all: Vec<PathBuf> = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() && !path.ends_with("target") {
            all.extend(files(&path, end));
        } else if path.to_string_lossy().ends_with(end) {
            all.push(path);
        }
    }
    all
}

/// The functions of files with tests.
fn tests() -> BTreeSet<String> {
    let sources = ["libs", "services"].map(|folder| files(&root().join(folder), ".rs")).concat();
    let mut named = BTreeSet::new();
    for file in sources {
        let source = fs::read_to_string(&file).unwrap();
        if file.iter().any(|part| part == "tests") || source.contains("#[test]") || source.contains("::test]")
        {
            for (_, after) in source.lines().filter_map(|line| line.trim().split_once("fn ")) {
                named.insert(after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect());
            }
        }
    }
    named
}

/// Words in backticks that are names of tests: at least four words with `_` between them.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let is_name = |word: &&str| {
        word.matches('_').count() >= 3
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    text.split('`').skip(1).step_by(2).filter(is_name)
}

#[test]
fn every_test_that_a_document_names_is_there() {
    let tests = tests();
    let mut documents = files(&root().join("missives"), ".md");
    documents.push(root().join("docs/EDGE-CASES.md"));
    let mut names = 0;
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for name in named(&text) {
            assert!(tests.contains(name), "{} names the test {name}, and there is none", document.display());
            names += 1;
        }
    }
    assert!(names > 100, "{names} names were found: the documents were not read");
}

#[test]
fn every_missive_names_its_proof_and_is_in_the_list() {
    let list = fs::read_to_string(root().join("missives/README.md")).unwrap();
    for missive in files(&root().join("missives"), ".md") {
        let name = missive.file_name().unwrap().to_str().unwrap();
        if name == "README.md" {
            continue;
        }
        assert!(list.contains(&format!("({name})")), "{name} is not in missives/README.md");
        let text = fs::read_to_string(&missive).unwrap();
        let (_, proof) =
            text.split_once("\n## Proof\n").unwrap_or_else(|| panic!("{name} has no '## Proof'"));
        assert!(named(proof).count() > 0, "{name} names no test under '## Proof'");
    }
}
