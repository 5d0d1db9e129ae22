//! What docs/SIMULATOR.md says of each mistake, so that it need not be looked for each time.

use probata_types::mutation::Mutation;

const DOCUMENT: &str = include_str!("../../../../docs/SIMULATOR.md");

/// The seed that caught a mistake when the document was written.
pub(super) fn seed_of(mutation: Mutation) -> Option<u64> {
    seed_in(DOCUMENT, mutation.name())
}

/// The fourth cell of the row that begins with a name.
fn seed_in(document: &str, name: &str) -> Option<u64> {
    let start = format!("| `{name}` |");
    let row = document.lines().find(|line| line.starts_with(&start))?;
    row.split('|').nth(4)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_stands_in_the_fourth_cell() {
        let document =
            "Table:\n| `A` | text | P1 | 17 | 18 | words |\n| `B` | text | P1 | - | - | |";
        assert_eq!(seed_in(document, "A"), Some(17));
        assert_eq!(seed_in(document, "B"), None);
        assert_eq!(seed_in(document, "C"), None);
    }
}
