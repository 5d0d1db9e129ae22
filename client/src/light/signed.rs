//! E1: this key signed this record.

use super::check::Answer;
use probata_types::{Domain, EvidenceFile, Hash, limits, merkle};

/// The signature over the head is valid for the key that the head names.
pub(super) fn submission_signature(file: &EvidenceFile) -> Answer {
    let submission = &file.submission;
    let compared = format!("key {} over submission {}", submission.head.key, submission.head.id());
    Answer::of(compared, submission.head.check_signature(&submission.signature))
}

/// The record stands under the root that the signature covers.
pub(super) fn record_in_submission(file: &EvidenceFile) -> Answer {
    let head = &file.submission.head;
    let id = file.record_id();
    let compared = format!(
        "record {id} as leaf {} of {} under {}",
        file.record_place.index, head.record_count, head.records_root
    );
    if head.record_count as usize > limits::RECORDS_PER_SUBMISSION {
        return Answer::Failed(format!("{compared}: more records than a submission may hold"));
    }
    let leaf = merkle::leaf(head.suite, Domain::Records, id.as_bytes());
    let place =
        merkle::Place { index: file.record_place.index.get(), size: u64::from(head.record_count) };
    let root: &Hash = &head.records_root;
    let path = &file.record_place.path;
    Answer::of(compared, path.check(head.suite, Domain::Records, place, &leaf, root))
}
