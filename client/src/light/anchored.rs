//! E3: a seal of the anchor's date covers the record; nobody has rewritten it until then.

use super::{check::Answer, recorded::seal_holds, sets::Sets};
use probata_types::{Domain, EvidenceFile, block, merkle};

/// The anchor is sealed. Without a later anchor the block's own seal is the anchor's.
pub(super) fn anchor_seal(file: &EvidenceFile, sets: &Sets<'_>) -> Answer {
    match &file.anchor {
        Some(anchor) => seal_holds(sets, &anchor.header, &anchor.seal),
        None => seal_holds(sets, &file.header, &file.seal),
    }
}

/// The anchor's history holds the record's block.
pub(super) fn history_path(file: &EvidenceFile) -> Answer {
    let height = file.header.height;
    let Some(anchor) = &file.anchor else {
        return Answer::Passed(format!("the record's own block, height {height}, is the anchor"));
    };
    let hash = file.header.hash();
    let compared = format!(
        "header {hash} as leaf {height} of {} under the history root {} of the anchor",
        anchor.header.height, anchor.header.history_root
    );
    let place = merkle::Place { index: height.get(), size: anchor.header.height.get() };
    let leaf = block::history_leaf(file.suite, &hash);
    let root = &anchor.header.history_root;
    let path = &anchor.history_path;
    Answer::of(compared, path.check(file.suite, Domain::History, place, &leaf, root))
}
