//! The documents: what they point to is there.

use super::tree::{files_ending, read, root};

#[test]
fn every_relative_link_leads_somewhere() {
    let mut links = 0;
    for path in files_ending(".", ".md") {
        let folder = root().join(&path).parent().unwrap().to_owned();
        for target in targets(&read(&path)) {
            links += 1;
            let file = target.split('#').next().unwrap_or_default();
            assert!(
                file.is_empty() || folder.join(file).exists(),
                "{path} links to {target}, which is not there"
            );
        }
    }
    assert!(links > 10, "the links were not read");
}

/// Paths in backquotes that name a file of the project by its folder.
#[test]
fn every_file_that_a_document_names_exists() {
    let folders = ["docs/", "types/", "genesis/", "consensus/", "contracts/", "ledger/", "node/"];
    let more = ["client/", "tests/", "examples/"];
    for path in files_ending(".", ".md") {
        for name in backquoted(&read(&path)) {
            let is_path = folders.iter().chain(&more).any(|folder| name.starts_with(folder));
            let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            if is_path && plain {
                assert!(root().join(&name).exists(), "{path} names {name}, which is not there");
            }
        }
    }
}

#[test]
fn the_readme_begins_with_its_two_commands() {
    let readme = read("README.md");
    let lines: Vec<&str> = readme.lines().collect();
    for command in
        ["cargo run --release --bin probata-node -- devnet --once", "cargo test --workspace"]
    {
        assert!(lines.contains(&command), "README.md does not show `{command}` on a line");
    }
}

/// The targets of a text's links, without those to the web.
fn targets(text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for part in prose(text).split("](").skip(1) {
        let target = part.split([')', ' ']).next().unwrap_or_default();
        if !target.contains("://") && !target.starts_with("mailto:") {
            targets.push(target.to_owned());
        }
    }
    targets
}

fn backquoted(text: &str) -> Vec<String> {
    prose(text).split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// A text without its blocks of code.
fn prose(text: &str) -> String {
    let parts = text.split("```").step_by(2);
    parts.collect::<Vec<_>>().join("\n")
}

#[test]
fn links_and_names_are_read_from_prose_only() {
    let text = "[a](b.md) [web](https://x.y) `docs/c.md`\n```\n[d](e.md) `f`\n```\n[g](h.md#i)";
    assert_eq!(targets(text), ["b.md", "h.md#i"]);
    assert_eq!(backquoted(text), ["docs/c.md"]);
}
