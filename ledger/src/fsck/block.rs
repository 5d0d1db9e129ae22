//! What a block says of itself, checked against its own content and its execution.

use crate::derive::Tip;
use probata_types::{
    Header, SealedBlock, ValidatorSet, epoch,
    outcome::{OutcomeLeaf, outcomes_root},
    state::{After, Changes, StateError, StateRead},
};

/// Everything that is wrong, in words.
pub(super) fn check(
    block: &SealedBlock,
    tip: &Tip,
    outcomes: &[OutcomeLeaf],
    next: &ValidatorSet,
) -> Vec<String> {
    let SealedBlock { header, proposal, .. } = block;
    let suite = header.suite;
    let executed = outcomes.iter().map(|leaf| &leaf.outcome);
    let facts = [
        (header.version == Header::VERSION, "the header has an unknown version"),
        (later(header, tip), "its time is not later than that of the block before"),
        (proposal.suite == suite, "proposal and header have different suites"),
        (proposal.chain == header.chain, "proposal and header name different chains"),
        (proposal.height == header.height, "proposal and header have different heights"),
        (proposal.parent == header.parent, "proposal and header have different parents"),
        (proposal.time == header.time, "proposal and header have different times"),
        (proposal.proposer == header.proposer, "proposal and header name different proposers"),
        (
            proposal.submissions.len() == header.submission_count as usize,
            "the header states another number of submissions",
        ),
        (
            proposal.submissions_root() == header.submissions_root,
            "the submissions are not those of the header",
        ),
        (
            proposal.record_count() == header.record_count as usize,
            "the header states another number of records",
        ),
        (block.outcomes.iter().eq(executed), "the outcomes are not those of its execution"),
        (
            outcomes_root(suite, outcomes) == header.outcomes_root,
            "the outcomes root is not that of its execution",
        ),
        (
            header.next_validators == next.hash(suite),
            "the next validators are not those of its execution",
        ),
    ];
    let wrong = facts.into_iter().filter(|(holds, _)| !holds).map(|(_, what)| what.to_owned());
    let submissions = proposal.submissions.iter().filter_map(|submission| {
        let error = submission.clone().verify(&header.chain).err()?;
        Some(format!("submission {}: {error}", submission.id()))
    });
    wrong.chain(submissions).collect()
}

/// The set that seals a block, and the one after it.
pub(super) fn sets(
    state: &dyn StateRead,
    changes: &Changes,
) -> Result<(ValidatorSet, ValidatorSet), StateError> {
    let before = epoch::next(state)?.set;
    let after = epoch::next(&After { state, changes })?.set;
    Ok((before, after))
}

fn later(header: &Header, tip: &Tip) -> bool {
    tip.head.sealed.as_ref().is_none_or(|(before, _)| before.time < header.time)
}
