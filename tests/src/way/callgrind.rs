//! Reads what callgrind wrote: how many instructions were spent in functions, and in those that they called.

use std::collections::BTreeMap;

/// Instructions by function, what it called included.
#[derive(Debug, Default)]
pub(super) struct Profile {
    inclusive: BTreeMap<String, u64>,
}

impl Profile {
    /// From the text of a `callgrind.out` file. Every line of costs in the part of a function is its own or that of
    /// a call, so their sum is what it cost; for one that calls itself that would be too much.
    pub(super) fn parse(text: &str) -> Self {
        let mut names: BTreeMap<&str, String> = BTreeMap::new();
        let mut profile = Self::default();
        let mut current = String::new();
        for line in text.lines() {
            if let Some(function) = line.strip_prefix("fn=") {
                current = name_of(function, &mut names);
            } else if let Some(function) = line.strip_prefix("cfn=") {
                // A name may be told first where the function is called.
                name_of(function, &mut names);
            } else if let Some(cost) = cost_of(line) {
                *profile.inclusive.entry(current.clone()).or_default() += cost;
            }
        }
        profile
    }

    /// What functions cost together; `None` if one of them was never called, or is not called so.
    pub(super) fn of(&self, functions: &[&str]) -> Option<u64> {
        functions.iter().map(|name| self.inclusive.get(*name).copied()).sum()
    }
}

/// The name of `(ID) NAME`, or of `(ID)` alone, which was told before. The hash that the compiler adds is left
/// away.
fn name_of<'a>(text: &'a str, names: &mut BTreeMap<&'a str, String>) -> String {
    let (id, name) = text.split_once(") ").unwrap_or((text.trim_end_matches(')'), ""));
    if !name.is_empty() {
        names.insert(id, without_hash(name).to_owned());
    }
    names.get(id).cloned().unwrap_or_default()
}

fn without_hash(name: &str) -> &str {
    let hash = |it: &str| {
        it.len() == 17 && it.starts_with('h') && it[1..].chars().all(|c| c.is_ascii_hexdigit())
    };
    name.rsplit_once("::").filter(|(_, last)| hash(last)).map_or(name, |(name, _)| name)
}

/// The cost of a line of them: where in the source, and how many.
fn cost_of(line: &str) -> Option<u64> {
    let mut words = line.split_ascii_whitespace();
    let place = words.next()?;
    if !place.starts_with(|c: char| c.is_ascii_digit() || "+-*".contains(c)) {
        return None;
    }
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# callgrind format
version: 1
positions: line
events: Ir
summary: 175

ob=(1) /bin/way
fl=(1) a.rs
fn=(1) a::outer
10 20
+2 5
cfi=(2) b.rs
cfn=(2) b::inner::h0123456789abcdef
calls=2 30
* 100
-1 50

fl=(2)
fn=(2)
30 60
31 40

fn=(1)
12 3
totals: 175
";

    #[test]
    fn a_function_costs_what_it_does_and_what_it_calls() {
        let profile = Profile::parse(TEXT);
        assert_eq!(profile.of(&["a::outer"]), Some(20 + 5 + 100 + 50 + 3));
        assert_eq!(profile.of(&["b::inner"]), Some(100));
        assert_eq!(profile.of(&["a::outer", "b::inner"]), Some(278));
        assert_eq!(profile.of(&["b::inner", "c"]), None);
        assert_eq!(Profile::parse("no profile").of(&["a"]), None);
    }
}
