//! What a block says of itself: what can be told from the block alone, by whichever thread, and what needs the state.

use crate::{derive::Tip, error::FileError, ledger::decode, log::Place};
use probata_types::{
    Hash, Header, SealedBlock, ValidatorSet, epoch,
    outcome::{OutcomeLeaf, outcomes_root},
    seal::SealError,
    state::{After, Changes, StateError, StateRead},
    submission,
};
use std::sync::Arc;

/// A block, and all that was found out about it without the state.
pub(super) struct Looked {
    pub(super) block: SealedBlock,
    /// In what header and proposal differ.
    contradictions: Vec<&'static str>,
    /// What is wrong with its submissions.
    submissions: Vec<String>,
    /// What it says was decided, and the root of that.
    outcomes: (Vec<OutcomeLeaf>, Hash),
    /// Whether it is sealed by a set, which is likely to be the right one.
    seal: (Arc<ValidatorSet>, Result<(), SealError>),
}

impl Looked {
    /// Looks at the block of the bytes at a place.
    ///
    /// # Errors
    /// [`FileError::Corrupt`] if they are not one.
    pub(super) fn at(
        place: Place,
        bytes: &[u8],
        set: Arc<ValidatorSet>,
    ) -> Result<Self, FileError> {
        let block = decode(place, bytes)?;
        let leaves = block.outcome_leaves();
        let root = outcomes_root(block.header.suite, &leaves);
        let sealed = block.seal.verify(&block.header, &set);
        Ok(Self {
            contradictions: block.contradictions().collect(),
            submissions: submissions(&block),
            outcomes: (leaves, root),
            seal: (set, sealed),
            block,
        })
    }

    /// Whether the set that is the right one sealed it.
    pub(super) fn check_seal(&self, right: &ValidatorSet) -> Result<(), SealError> {
        match &self.seal {
            (set, sealed) if **set == *right => sealed.clone(),
            _ => self.block.seal.verify(&self.block.header, right),
        }
    }

    /// Everything that is wrong, in words, given what its execution decided and which set is the next.
    pub(super) fn check(
        &self,
        tip: &Tip,
        executed: &[OutcomeLeaf],
        next: &ValidatorSet,
    ) -> Vec<String> {
        let SealedBlock { header, outcomes, .. } = &self.block;
        let (claimed, root) = &self.outcomes;
        let root =
            if *claimed == *executed { *root } else { outcomes_root(header.suite, executed) };
        let facts = [
            (
                outcomes.iter().eq(executed.iter().map(|leaf| &leaf.outcome)),
                "the outcomes are not those of its execution",
            ),
            (root == header.outcomes_root, "the outcomes root is not that of its execution"),
            (
                header.next_validators == next.hash(header.suite),
                "the next validators are not those of its execution",
            ),
        ];
        self.with_facts(tip, facts)
    }

    /// Everything that is wrong with a block that cannot be executed, in words.
    pub(super) fn check_unexecuted(&self, tip: Option<&Tip>) -> Vec<String> {
        let SealedBlock { header, outcomes, .. } = &self.block;
        let (claimed, root) = &self.outcomes;
        let complete =
            claimed.len() == outcomes.len() && claimed.len() == header.record_count as usize;
        let facts = [(
            complete && *root == header.outcomes_root,
            "the outcomes are not those that the header names",
        )];
        match tip {
            Some(tip) => self.with_facts(tip, facts),
            None => self.with_facts_alone(true, facts),
        }
    }

    fn with_facts<const N: usize>(&self, tip: &Tip, facts: [(bool, &str); N]) -> Vec<String> {
        let before = tip.head.sealed.as_ref();
        let later = before.is_none_or(|(before, _)| before.time < self.block.header.time);
        self.with_facts_alone(later, facts)
    }

    fn with_facts_alone<const N: usize>(
        &self,
        later: bool,
        facts: [(bool, &str); N],
    ) -> Vec<String> {
        let version = self.block.header.version == Header::VERSION;
        let first = [
            (version, "the header has an unknown version"),
            (later, "its time is not later than that of the block before"),
        ];
        let wrong = |(holds, what): (bool, &str)| (!holds).then(|| what.to_owned());
        let contradictions = self.contradictions.iter().map(|what| (*what).to_owned());
        let first = first.into_iter().filter_map(wrong).chain(contradictions);
        let last = facts.into_iter().filter_map(wrong).chain(self.submissions.iter().cloned());
        first.chain(last).collect()
    }
}

/// What is wrong with the submissions of a block, in words.
fn submissions(block: &SealedBlock) -> Vec<String> {
    let submissions = &block.proposal.submissions;
    let content = submissions.iter().map(|one| one.check_content(&block.header.chain));
    let mut wrong: Vec<Option<String>> =
        content.map(|checked| checked.err().map(|error| error.to_string())).collect();
    let well_formed: Vec<usize> = (0..wrong.len()).filter(|at| wrong[*at].is_none()).collect();
    for at in submission::wrongly_signed(well_formed.iter().map(|at| &submissions[*at])) {
        let error = submission::SubmissionError::Signature;
        wrong[well_formed[at]] = Some(error.to_string());
    }
    let wrong = submissions.iter().zip(wrong).filter_map(|(one, wrong)| Some((one, wrong?)));
    wrong.map(|(one, error)| format!("submission {}: {error}", one.id())).collect()
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
