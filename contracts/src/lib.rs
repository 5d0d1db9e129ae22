//! Judge records: turn an ordered block and a state into outcomes and changes.
//!
//! [`execute`] is a pure function: the same proposal on the same state gives the same outcomes and
//! the same changes on every machine. It knows no clock but the block's time, no chance, no I/O but
//! [`StateRead`], and its only error is that the state could not be read.
//!
//! **Two levels of judgement.** A *hard* rule rejects the record: it is malformed, unauthorised, or
//! its sums are impossible. A *soft* rule accepts it and stamps a finding: to refuse evidence of
//! bad behaviour would destroy it. All codes are in [`probata_types::catalogue`]. Numbers of the
//! law come from the rule pack in the state, never from constants here.
//!
//! **Where a rule is.** `submission` judges what holds for a whole submission, `envelope` what
//! holds for every record, and one file for each type (its module doc has the state diagram) what
//! holds for that type. A new type is one new file and one new line in `table`.
//!
//! **Atomic.** Records are judged in order, and each sees what those before it did. A rejected
//! record leaves no trace but its outcome.
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

mod case;
mod compliance;
mod envelope;
mod facility;
mod governance;
mod limits;
mod overlay;
mod pii;
mod submission;
mod table;

pub use submission::{Rejection, Screening, may_sign};

use overlay::Overlay;
use probata_types::{
    Hash, Height, List, Proposal, Submission, Suite, Timestamp,
    outcome::{Code, Outcome, OutcomeLeaf},
    rule_pack::RulePack,
    state::{Changes, StateError, StateKey, StateRead, StateValue},
};

/// What the rules may know of the block that a record stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockContext {
    /// The algorithms.
    pub suite: Suite,
    /// The chain.
    pub chain: Hash,
    /// The height.
    pub height: Height,
    /// Block time.
    pub time: Timestamp,
}

/// What a proposal comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// One outcome for each record of each submission, in order.
    pub outcomes: Vec<OutcomeLeaf>,
    /// The objects that changed, with their new values.
    pub changes: Changes,
}

/// Judges every record of a proposal on the state before it. The signatures of the submissions have
/// been checked before.
///
/// # Errors
/// [`StateError`] if the state cannot be read or is not one that this crate has built.
pub fn execute(proposal: &Proposal, state: &dyn StateRead) -> Result<Execution, StateError> {
    let block = BlockContext {
        suite: proposal.suite,
        chain: proposal.chain,
        height: proposal.height,
        time: proposal.time,
    };
    let pack = rule_pack(state)?;
    let mut overlay = Overlay::new(state);
    let mut outcomes = Vec::with_capacity(proposal.record_count());
    for submission in &proposal.submissions {
        judge_submission(&block, &pack, submission, &mut overlay, &mut outcomes)?;
    }
    assert_eq!(outcomes.len(), proposal.record_count(), "every record has one outcome");
    let mut changes = overlay.into_changes();
    governance::end_of_block(block.height, state, &mut changes)?;
    Ok(Execution { outcomes, changes })
}

fn rule_pack(state: &dyn StateRead) -> Result<RulePack, StateError> {
    match state.get(&StateKey::RulePack)? {
        Some(StateValue::RulePack(pack)) => Ok(pack),
        _ => Err(StateError("there is no rule pack; genesis sets one".to_owned())),
    }
}

fn judge_submission(
    block: &BlockContext,
    pack: &RulePack,
    submission: &Submission,
    overlay: &mut Overlay<'_>,
    outcomes: &mut Vec<OutcomeLeaf>,
) -> Result<(), StateError> {
    let institution = overlay.institution(&submission.head.institution)?;
    let place = (block.height, block.time);
    let verdict = submission::check(&submission.head, institution.as_ref(), overlay, place)?;
    let id = submission.id();
    for (record, record_id) in
        submission.records.iter().zip(submission.record_ids().iter().copied())
    {
        let judged = match (&institution, &verdict) {
            (Some(institution), Ok(())) => {
                let case = case::Case {
                    block,
                    pack,
                    head: &submission.head,
                    institution,
                    record,
                    id: record_id,
                    state: overlay,
                    findings: std::collections::BTreeSet::new(),
                };
                table::judge(case)
            }
            (_, Err(rejection)) => Err(rejection.code.into()),
            (None, Ok(())) => unreachable!("an unknown institution is a rejection"),
        };
        let outcome = match judged {
            Ok(findings) => {
                overlay.keep();
                accepted(findings)
            }
            Err(case::Stop::Rejected(code)) => {
                overlay.forget();
                Outcome::Rejected { code }
            }
            Err(case::Stop::State(error)) => return Err(error),
        };
        outcomes.push(OutcomeLeaf { record: record_id, submission: id, outcome });
    }
    Ok(())
}

fn accepted(findings: impl IntoIterator<Item = Code>) -> Outcome {
    let findings = List::new(findings.into_iter().collect());
    Outcome::Accepted { findings: findings.expect("no type has so many soft rules") }
}

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;
