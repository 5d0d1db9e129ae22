//! Whether a block's body is the one that its header names, to the last byte. Nothing is executed: what came of the records is
//! in the header as well.

use probata_types::{
    SealedBlock,
    outcome::{OutcomeLeaf, outcomes_root},
};

/// # Errors
/// What is wrong, in words.
pub(crate) fn check(block: &SealedBlock) -> Result<(), String> {
    let SealedBlock { header, proposal, outcomes, .. } = block;
    let same = proposal.submissions_root() == header.submissions_root
        && proposal.submissions.len() == header.submission_count as usize
        && (proposal.chain, proposal.height) == (header.chain, header.height)
        && (proposal.parent, proposal.time) == (header.parent, header.time)
        && (proposal.proposer, proposal.suite) == (header.proposer, header.suite);
    if !same {
        return Err("its submissions are not those that its header names".to_owned());
    }
    for submission in &proposal.submissions {
        let checked = submission.check_content(&header.chain);
        checked.map_err(|error| format!("submission {}: {error}", submission.id()))?;
    }
    let records = proposal.submissions.iter().flat_map(|submission| {
        submission.record_ids().iter().map(|record| (*record, submission.id()))
    });
    let leaves = records.zip(outcomes).map(|((record, submission), outcome)| OutcomeLeaf {
        record,
        submission,
        outcome: outcome.clone(),
    });
    let leaves: Vec<OutcomeLeaf> = leaves.collect();
    let complete = leaves.len() == outcomes.len() && leaves.len() == header.record_count as usize;
    if !complete || outcomes_root(header.suite, &leaves) != header.outcomes_root {
        return Err("its outcomes are not those that its header names".to_owned());
    }
    Ok(())
}
