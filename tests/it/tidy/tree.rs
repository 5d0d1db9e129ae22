//! The files of the project, as a reader of it finds them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// What is made by tools and is no part of the project; in a worktree `.git` is a file.
const MADE: [&str; 4] = ["target", ".git", "devnet", "node_modules"];

/// The project's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A file of the project as text, by its path from the root.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file under a folder, by its path from the root, sorted.
pub(crate) fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    walk(&root(), &root().join(folder), &mut found);
    found.sort();
    found
}

/// Every file under a folder whose name ends so.
pub(crate) fn files_ending(folder: &str, end: &str) -> Vec<String> {
    let mut found = files(folder);
    found.retain(|path| path.ends_with(end));
    found
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if MADE.contains(&&*name) {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, found);
        } else if !name.ends_with(".log") {
            found.push(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
        }
    }
}

/// Whether a source file holds nothing but tests or what they stand on.
pub(crate) fn is_test_file(path: &str) -> bool {
    let inside = |folder: &str| path.contains(&format!("/{folder}/"));
    let named = |name: &str| path.ends_with(&format!("/{name}.rs"));
    inside("tests")
        || inside("fixtures")
        || inside("benches")
        || named("tests")
        || named("fixtures")
        || named("rig")
}

/// What a source file says to the compiler of a release: without its comments and its tests.
pub(crate) fn code(path: &str) -> String {
    let text = read(path);
    let shipped = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = shipped.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The code that a crate ships, with its comments: what cites the rules.
pub(crate) fn shipped_sources(crate_name: &str) -> Vec<String> {
    let mut found = files_ending(&format!("{crate_name}/src"), ".rs");
    found.retain(|path| !is_test_file(path));
    found
}

/// Whether a word stands in a text by itself, not as a part of a longer one.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !is_part(before) && !is_part(after)
    })
}
