//! Every code of an outcome: its stable number, name, severity, texts and the article behind it.
//!
//! Failures (1 to 999) reject a record, findings (1000 to 1999) are stamped on an accepted one. A
//! number is never given a second meaning; a retired one stays out of use. The texts are for people
//! who are not programmers; statute wording is to be checked by a lawyer before it is relied on.

pub mod failure;
pub mod finding;

use crate::outcome::Code;

/// How much a code weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// For the reader's attention.
    Notice,
    /// A rule of conduct or form is broken.
    Warning,
    /// Bears on what can be claimed, or on a person's rights.
    Serious,
    /// The record was rejected.
    Failure,
}

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The number.
    pub code: Code,
    /// The name, such as `RATE_CAP`.
    pub name: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// What it means, in Chinese.
    pub zh: &'static str,
    /// What it means, in English.
    pub en: &'static str,
    /// The article behind it, or the rule of this chain.
    pub article: &'static str,
}

/// The entry of a code; `None` for a number that this software does not know.
pub fn entry(code: Code) -> Option<&'static Entry> {
    let list = if code.0 < 1_000 { failure::ALL } else { finding::ALL };
    list.binary_search_by_key(&code, |entry| entry.code).ok().map(|at| &list[at])
}

/// The entry of a name.
pub fn named(name: &str) -> Option<&'static Entry> {
    failure::ALL.iter().chain(finding::ALL).find(|entry| entry.name == name)
}

/// Declares the constants of codes and the list of their entries.
macro_rules! codes {
    ($($number:literal $name:ident $severity:ident $article:literal $zh:literal $en:literal;)*) => {
        $(
            #[doc = $en]
            pub const $name: crate::outcome::Code = crate::outcome::Code($number);
        )*

        /// All entries, by ascending code.
        pub const ALL: &[crate::catalogue::Entry] = &[$(
            crate::catalogue::Entry {
                code: $name,
                name: stringify!($name),
                severity: crate::catalogue::Severity::$severity,
                zh: $zh,
                en: $en,
                article: $article,
            },
        )*];
    };
}
use codes;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_in_its_range_and_named_once() {
        for (list, range) in [(failure::ALL, 1..1_000), (finding::ALL, 1_000..2_000)] {
            assert!(list.is_sorted_by(|a, b| a.code < b.code));
            for one in list {
                assert!(range.contains(&one.code.0), "{}", one.name);
                assert_eq!(entry(one.code), Some(one));
                assert_eq!(named(one.name), Some(one));
                assert_eq!(one.severity == Severity::Failure, one.code.0 < 1_000);
                assert!(!one.zh.is_ascii() && one.en.is_ascii() && !one.article.is_empty());
            }
        }
        assert_eq!(entry(Code(0)), None);
        assert_eq!(entry(Code(999)), None);
        assert_eq!(entry(Code(u16::MAX)), None);
    }
}
