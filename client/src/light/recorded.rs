//! E2: the consortium recorded and accepted it at this height and time.

use super::{check::Answer, findings::Finding, sets::Sets};
use probata_types::{
    Domain, EvidenceFile, Header, Outcome, Seal, merkle, submission::submission_leaf,
};

/// The signed submission stands in the block.
pub(super) fn submission_in_block(file: &EvidenceFile) -> Answer {
    let (header, submission) = (&file.header, &file.submission);
    let compared = format!(
        "submission {} as leaf {} of {} under {}",
        submission.head.id(),
        submission.place.index,
        header.submission_count,
        header.submissions_root
    );
    let leaf = submission_leaf(file.suite, &submission.head.id(), &submission.signature);
    let place = merkle::Place {
        index: submission.place.index.get(),
        size: u64::from(header.submission_count),
    };
    let path = &submission.place.path;
    let root = &header.submissions_root;
    Answer::of(compared, path.check(file.suite, Domain::Submissions, place, &leaf, root))
}

/// The record, its submission and the decision stand in the block together.
pub(super) fn outcome_in_block(file: &EvidenceFile) -> Answer {
    let header = &file.header;
    let leaf = file.outcome_leaf();
    let compared = format!(
        "record {} with its outcome as leaf {} of {} under {}",
        leaf.record, file.outcome_place.index, header.record_count, header.outcomes_root
    );
    let place = merkle::Place {
        index: file.outcome_place.index.get(),
        size: u64::from(header.record_count),
    };
    let digest = leaf.digest(file.suite);
    let path = &file.outcome_place.path;
    let root = &header.outcomes_root;
    Answer::of(compared, path.check(file.suite, Domain::Outcomes, place, &digest, root))
}

/// The decision is that the record was accepted. A rejected record is provably rejected: its file
/// shows that, and never reads as recorded and accepted.
pub(super) fn outcome_is_accepted(file: &EvidenceFile) -> Answer {
    match &file.outcome {
        Outcome::Accepted { findings } => {
            Answer::Passed(format!("accepted, {} findings", findings.len()))
        }
        Outcome::Rejected { code } => {
            let name = Finding::of(*code).name;
            Answer::Failed(format!("the chain rejected the record with code {code} {name}"))
        }
    }
}

/// The block is not later than the submitter allowed.
pub(super) fn sealed_before_expiry(file: &EvidenceFile) -> Answer {
    let (sealed, expires) = (file.header.time, file.submission.head.expires_at);
    Answer::that(sealed <= expires, format!("block time {sealed}, submission expires at {expires}"))
}

/// A quorum of the set in force at the header's height sealed it in one view.
pub(super) fn seal_holds(sets: &Sets<'_>, header: &Header, seal: &Seal) -> Answer {
    let (set, sealed) = match sets.sealed((header, seal)) {
        Ok(known) => known,
        Err(unknown) => return unknown,
    };
    let compared = format!(
        "{} votes of view {} for header {} at height {}, quorum {} of {}",
        seal.votes.len(),
        seal.view,
        header.hash(),
        header.height,
        set.quorum(),
        set.size()
    );
    Answer::of(compared, sealed)
}
