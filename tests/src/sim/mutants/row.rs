//! One line of the table: a mistake, and what showed it.

use crate::sim::{Report, Verdict};
use probata_types::mutation::Mutation;
use serde::Serialize;
use std::{fmt, ops::Range};

/// Characters of a reason that the table shows; `sim` tells all of it.
const REASON: usize = 100;

/// The head of the table, which is Markdown, so that it can be put in a document as it is.
pub(super) const HEADER: &str = "\
| mistake | what goes wrong | rule | seed | took | what is seen |\n\
| --- | --- | --- | --- | --- | --- |";

#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// `None`: nothing was broken.
    mistake: Option<&'static str>,
    rule: Option<&'static str>,
    text: &'static str,
    /// The first seed whose world fails.
    seed: Option<u64>,
    /// Worlds up to and with that one, from the first seed on.
    took: u64,
    #[serde(flatten)]
    verdict: Verdict,
}

impl Row {
    pub(super) fn new(
        mutation: Option<Mutation>,
        seeds: &Range<u64>,
        failure: Option<Report>,
    ) -> Self {
        let seed = failure.as_ref().map(|report| report.seed);
        Self {
            mistake: mutation.map(Mutation::name),
            rule: mutation.map(Mutation::rule),
            text: mutation.map_or("nothing", Mutation::text),
            seed,
            took: seed.map_or(seeds.end, |seed| seed + 1) - seeds.start,
            verdict: failure.map_or(Verdict::Pass, |report| report.verdict),
        }
    }

    /// Whether a world failed.
    pub(super) const fn is_caught(&self) -> bool {
        self.seed.is_some()
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seed = self.seed.map_or_else(|| "-".to_owned(), |seed| seed.to_string());
        let name = self.mistake.map_or_else(|| "none".to_owned(), |name| format!("`{name}`"));
        let (rule, text, took) = (self.rule.unwrap_or("-"), self.text, self.took);
        write!(f, "| {name} | {text} | {rule} | {seed} | {took} | {} |", shortened(&self.verdict))
    }
}

/// A verdict and the beginning of its reason.
fn shortened(verdict: &Verdict) -> String {
    let words = verdict.to_string().replace('|', "/");
    if words.chars().count() <= REASON {
        return words;
    }
    let mut words: String = words.chars().take(REASON).collect();
    words.push('…');
    words
}
