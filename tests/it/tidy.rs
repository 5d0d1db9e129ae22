//! Rules of the house that a machine can read: what each crate may know, how long files are, that
//! what the documents name is there.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod dependencies;
mod documents;
mod tree;

use probata_types::{
    Domain,
    catalogue::{failure, finding},
};
use std::collections::BTreeSet;
use tree::{code, files, files_ending, has_word, is_test_file, read, root, shipped_sources};

/// Lines of one source file.
const FILE_LINES: usize = 600;

#[test]
fn every_source_file_fits_its_bound() {
    for path in files_ending(".", ".rs") {
        let lines = read(&path).lines().count();
        assert!(lines <= FILE_LINES, "{path} has {lines} lines: split it by what it is about");
    }
}

#[test]
fn no_source_is_unfinished() {
    let unfinished = [
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("#[ig", "nore"),
        concat!("d", "bg!("),
    ];
    for path in files_ending(".", ".rs") {
        let text = read(&path);
        for word in unfinished {
            assert!(!text.contains(word), "{path} has {word}");
        }
    }
}

/// Every path that a stranger reads must be one that a stranger has.
#[test]
fn nothing_names_a_place_outside_the_project() {
    let outside = [concat!("..", "/shared"), concat!("/wo", "rk/")];
    for path in files(".") {
        let Ok(text) = std::fs::read_to_string(root().join(&path)) else { continue };
        for place in outside {
            assert!(!text.contains(place), "{path} names {place}");
        }
    }
}

/// A rule that nobody cites is one that nobody keeps; one that no test is named after, nobody would
/// miss; and a test of a rule that is not stated tests what nobody was promised.
#[test]
fn every_rule_of_the_protocol_is_stated_kept_and_tested() {
    let rules = numbers_after(&read("docs/PROTOCOL.md"), "\n**P", " ");
    assert!(!rules.is_empty(), "the rules were not read");
    assert!(rules.iter().copied().eq(1..=rules.len()), "rules count from P1 up: {rules:?}");
    let source: String = shipped_sources("consensus").iter().map(|path| read(path)).collect();
    let tests: String = files_ending("consensus", ".rs")
        .iter()
        .filter(|path| is_test_file(path))
        .map(|path| read(path))
        .collect();
    for number in &rules {
        assert!(has_word(&source, &format!("P{number}")), "no source of consensus cites P{number}");
    }
    let tested: BTreeSet<usize> = numbers_after(&tests, "#[test]\nfn p", "_").into_iter().collect();
    let stated: BTreeSet<usize> = rules.into_iter().collect();
    assert_eq!(
        stated, tested,
        "left the rules, right those that tests of consensus are named after"
    );
}

/// The numbers in a text that stand between two marks.
fn numbers_after(text: &str, before: &str, after: &str) -> Vec<usize> {
    let starts = text.split(before).skip(1);
    starts.filter_map(|rest| rest.split_once(after)?.0.parse().ok()).collect()
}

#[test]
fn every_domain_tag_is_its_own_and_described() {
    let source = read("types/src/hash.rs");
    let description = read("docs/FORMAT.md");
    let tags: Vec<&str> = source
        .lines()
        .filter_map(|line| line.split_once(" => \"")?.1.strip_suffix("\","))
        .collect();
    assert!(tags.contains(&Domain::Genesis.tag()) && tags.len() > 20, "the list was not read");
    let distinct: BTreeSet<&str> = tags.iter().copied().collect();
    assert_eq!(distinct.len(), tags.len(), "two uses share a tag");
    for tag in tags {
        assert!(tag.starts_with("probata."), "{tag} could be another program's");
        assert!(description.contains(&format!("| `{tag}` |")), "docs/FORMAT.md lacks {tag}");
    }
}

/// A code that nothing raises is a promise to the reader of a report that is not kept.
#[test]
fn every_code_of_the_catalogue_is_raised_and_worded_in_both_languages() {
    let rules: String = shipped_sources("contracts").iter().map(|path| code(path)).collect();
    for (list, module) in [(failure::ALL, "failure"), (finding::ALL, "finding")] {
        assert!(!list.is_empty());
        for entry in list {
            let name = format!("{module}::{}", entry.name);
            assert!(has_word(&rules, &name), "contracts never raise {name}");
            assert!(!entry.zh.is_ascii(), "{name} has no Chinese text");
            assert!(entry.en.len() > 10 && entry.en.is_ascii(), "{name} has no English text");
        }
    }
}

#[test]
fn the_words_of_a_text_are_told_apart() {
    assert!(has_word("(P1, P2)", "P1") && has_word("P10: P1.", "P1"));
    assert!(!has_word("P10 P11 xP1", "P1"));
}
