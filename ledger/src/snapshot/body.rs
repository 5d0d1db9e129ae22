//! Whether a block's body is the one that its header names, to the last byte. Nothing is executed: what came of the records is
//! in the header as well.

use probata_types::{SealedBlock, outcome::outcomes_root};

/// # Errors
/// What is wrong, in words.
pub(crate) fn check(block: &SealedBlock) -> Result<(), String> {
    let SealedBlock { header, outcomes, .. } = block;
    block.check_submissions().map_err(|error| error.to_string())?;
    let leaves = block.outcome_leaves();
    let complete = leaves.len() == outcomes.len() && leaves.len() == header.record_count as usize;
    if !complete || outcomes_root(header.suite, &leaves) != header.outcomes_root {
        return Err("its outcomes are not those that its header names".to_owned());
    }
    Ok(())
}
