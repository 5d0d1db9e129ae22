//! From records to a signed submission.

use super::{error::ClientError, flow::Author, random, signer::Signer};
use probata_types::{
    Hash, List, Record, Submission, SubmissionHead, Timestamp, limits::RECORDS_PER_SUBMISSION,
    submission::records_root,
};
use std::time::Duration;

/// Signs records as one submission of `author`, to be sealed within `lifetime` of `now`. It has a
/// fresh idempotency key and has passed every check that needs no state.
///
/// # Errors
/// [`ClientError::Submission`] if the records break a limit; [`ClientError::Signer`] without a
/// signature; [`ClientError::Random`] without randomness.
pub fn sign(
    records: Vec<Record>,
    author: &Author,
    signer: &dyn Signer,
    now: Timestamp,
    lifetime: Duration,
) -> Result<Submission, ClientError> {
    let Author { suite, chain, institution } = *author;
    let ids: Vec<_> = records.iter().map(|record| record.id(suite, &chain, &institution)).collect();
    let got = records.len();
    let too_many = || ClientError::TooMany { got, max: RECORDS_PER_SUBMISSION };
    let lifetime = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
    let head = SubmissionHead {
        version: SubmissionHead::VERSION,
        suite,
        chain,
        institution,
        key: signer.public(),
        idempotency_key: random::idempotency_key()?,
        submitted_at: now,
        expires_at: now.saturating_add(lifetime),
        record_count: u32::try_from(got).map_err(|_| too_many())?,
        records_root: records_root(suite, &ids),
    };
    let signature = signer.sign(&Hash(head.id().0))?;
    let records = List::new(records).map_err(|_| too_many())?;
    let submission = Submission::new(head, signature, records);
    Ok(submission.verify(&chain)?.into_inner())
}
