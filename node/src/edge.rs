//! Bytes from outside become checked values here, and nowhere else.
//!
//! ```text
//! bytes -> size -> nesting (JSON) -> types -> content -> signature -> Verified<Submission>
//! ```
//!
//! All of it costs processor time, so it runs on worker threads, a bounded number at once, unless it is little. What comes
//! together has its signatures checked together, at a third of the price. A submission that waits in the
//! mempool was checked before, and its signature is not checked again when it comes back in a proposal;
//! that the records are those that the head commits to is checked each time.

use crate::{bodies::Bodies, limits};
use probata_types::{
    Hash, Proposal, Submission, Verified,
    codec::{self, CodecError},
    receipt::Batch,
    submission::{self, SubmissionError},
};
use std::{num::NonZeroUsize, sync::Arc};
use tokio::sync::Semaphore;

/// How the bytes of a submission are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// JSON, for people and scripts. It is rebuilt canonically before anything is checked.
    Json,
    /// The canonical bytes themselves.
    Canonical,
}

impl Encoding {
    /// The encoding that a `Content-Type` names; `None` for any other.
    pub fn of_content_type(value: &str) -> Option<Self> {
        let (media_type, _parameters) = value.split_once(';').unwrap_or((value, ""));
        match media_type.trim().to_ascii_lowercase().as_str() {
            "application/json" => Some(Self::Json),
            "application/octet-stream" => Some(Self::Canonical),
            _ => None,
        }
    }

    /// Most bytes of one submission in this encoding.
    pub const fn max_bytes(self) -> usize {
        match self {
            Self::Json => limits::SUBMISSION_JSON_BYTES,
            Self::Canonical => limits::SUBMISSION_CANONICAL_BYTES,
        }
    }
}

/// Why something from outside was refused. Nothing of it is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EdgeError {
    /// More bytes than a submission may have.
    #[error("{got} bytes are more than the {max} that a submission may have")]
    TooLarge {
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// JSON nested deeper than any submission is.
    #[error("the JSON is nested deeper than {max} levels")]
    TooDeep {
        /// Levels allowed.
        max: usize,
    },
    /// Not the JSON of a submission.
    #[error("not the JSON of a submission: {0}")]
    Json(String),
    /// Not the canonical bytes of a submission.
    #[error("not the canonical bytes of a submission: {0}")]
    Canonical(CodecError),
    /// A submission that is not well-formed, for another chain, or not signed by its key.
    #[error(transparent)]
    Submission(#[from] SubmissionError),
    /// A submission of a proposal or block that is not well-formed or not signed by its key.
    #[error("submission {index} of the proposal: {error}")]
    Proposal {
        /// Its place.
        index: usize,
        /// What is wrong with it.
        error: SubmissionError,
    },
    /// The worker ended without an answer: a defect of this software, or the node is stopping.
    #[error("the check was not finished")]
    Unfinished,
}

/// Checks what comes from outside. One for each node, shared.
#[derive(Debug)]
pub struct Edge {
    chain: Hash,
    bodies: Arc<Bodies>,
    workers: Arc<Semaphore>,
    threads: usize,
}

impl Edge {
    /// The edge of a node of `chain`, whose mempool holds `bodies`.
    pub fn new(chain: Hash, bodies: Arc<Bodies>) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            chain,
            bodies,
            workers: Arc::new(Semaphore::new((threads / 2).clamp(1, limits::EDGE_WORKERS))),
            threads: threads.min(limits::CHECK_THREADS),
        }
    }

    /// Makes a submission of bytes. Nothing of it is checked yet.
    ///
    /// # Errors
    /// [`EdgeError`] if the bytes are not a submission.
    pub async fn read(
        self: &Arc<Self>,
        encoding: Encoding,
        bytes: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<Submission, EdgeError> {
        self.decode(bytes, move |bytes| parse(encoding, bytes).inspect(digest)).await
    }

    /// Makes submissions of the canonical bytes of a batch. Nothing of them is checked yet.
    ///
    /// # Errors
    /// [`EdgeError`] if the bytes are not a batch.
    pub async fn read_batch(
        self: &Arc<Self>,
        bytes: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<Vec<Submission>, EdgeError> {
        let decode = |bytes: &[u8]| {
            let batch = codec::decode::<Batch>(bytes, limits::BATCH_CANONICAL_BYTES);
            let submissions = batch.map_err(EdgeError::Canonical)?.submissions.into_vec();
            submissions.iter().for_each(digest);
            Ok(submissions)
        };
        self.decode(bytes, decode).await
    }

    /// Computes the digests of submissions that another node handed on.
    ///
    /// # Errors
    /// [`EdgeError::Unfinished`].
    pub async fn digested(
        self: &Arc<Self>,
        submissions: Vec<Submission>,
    ) -> Result<Vec<Submission>, EdgeError> {
        let bytes = submissions.iter().map(Submission::size).sum();
        let digest_each = || {
            submissions.iter().for_each(digest);
            Ok(submissions)
        };
        self.work_on(bytes, digest_each).await
    }

    /// Decodes bytes.
    async fn decode<T: Send + 'static>(
        self: &Arc<Self>,
        bytes: impl AsRef<[u8]> + Send + 'static,
        decode: impl FnOnce(&[u8]) -> Result<T, EdgeError> + Send + 'static,
    ) -> Result<T, EdgeError> {
        self.work_on(bytes.as_ref().len(), move || decode(bytes.as_ref())).await
    }

    /// Works on bytes: on few of them here, on many on a worker thread.
    async fn work_on<T: Send + 'static>(
        self: &Arc<Self>,
        bytes: usize,
        work: impl FnOnce() -> Result<T, EdgeError> + Send + 'static,
    ) -> Result<T, EdgeError> {
        if bytes <= limits::DECODED_AT_ONCE { work() } else { self.work(move |_| work()).await }
    }

    /// Checks submissions on a worker thread, each for itself.
    ///
    /// # Errors
    /// [`EdgeError::Unfinished`].
    pub async fn receive(
        self: &Arc<Self>,
        submissions: Vec<Submission>,
    ) -> Result<Vec<Result<Verified<Submission>, EdgeError>>, EdgeError> {
        self.work(move |edge| Ok(edge.check_each(submissions))).await
    }

    /// Checks a submission on this thread.
    ///
    /// # Errors
    /// [`EdgeError::Submission`].
    pub fn check(&self, submission: Submission) -> Result<Verified<Submission>, EdgeError> {
        self.check_each(vec![submission]).pop().unwrap_or(Err(EdgeError::Unfinished))
    }

    /// Checks submissions on this thread, each for itself.
    pub fn check_each(
        &self,
        submissions: Vec<Submission>,
    ) -> Vec<Result<Verified<Submission>, EdgeError>> {
        let content = submissions.iter().map(|one| one.check_content(&self.chain));
        let mut errors: Vec<Option<SubmissionError>> = content.map(Result::err).collect();
        let well_formed = |at: &usize| errors[*at].is_none();
        let well_formed: Vec<usize> = (0..submissions.len()).filter(well_formed).collect();
        for at in self.wrongly_signed(&submissions, well_formed) {
            errors[at] = Some(SubmissionError::Signature);
        }
        let checked = submissions.into_iter().zip(errors);
        checked
            .map(|(submission, error)| match error {
                None => Ok(Verified::assume(submission)),
                Some(error) => Err(error.into()),
            })
            .collect()
    }

    /// Checks every submission of a proposal, on this thread and, for a large one, a few helpers.
    /// Where the submissions stand, and whether one stands twice or was sealed before, is for the
    /// chain to judge.
    ///
    /// # Errors
    /// [`EdgeError::Proposal`]: the first submission that is wrong.
    pub fn check_proposal(&self, proposal: &Proposal) -> Result<(), EdgeError> {
        let submissions: &[Submission] = &proposal.submissions;
        let share = submissions.len().div_ceil(self.threads).max(limits::CHECK_SHARE);
        let results: Vec<Result<(), EdgeError>> = std::thread::scope(|scope| {
            let mut parts = submissions.chunks(share).zip((0..).step_by(share));
            let own = parts.next();
            let others: Vec<_> =
                parts.map(|(part, at)| scope.spawn(move || self.check_part(part, at))).collect();
            let own = own.map(|(part, at)| self.check_part(part, at));
            let others =
                others.into_iter().map(|other| other.join().unwrap_or(Err(EdgeError::Unfinished)));
            own.into_iter().chain(others).collect()
        });
        results.into_iter().collect()
    }

    /// Checks the submissions from place `first` on.
    fn check_part(&self, part: &[Submission], first: usize) -> Result<(), EdgeError> {
        let wrong = |at: usize, error| EdgeError::Proposal { index: first + at, error };
        for (at, submission) in part.iter().enumerate() {
            submission.check_content(&self.chain).map_err(|error| wrong(at, error))?;
        }
        match self.wrongly_signed(part, (0..part.len()).collect()).first() {
            None => Ok(()),
            Some(at) => Err(wrong(*at, SubmissionError::Signature)),
        }
    }

    /// Which of the submissions at these places are not signed by the key that they name.
    fn wrongly_signed(&self, submissions: &[Submission], places: Vec<usize>) -> Vec<usize> {
        let known = self.bodies.hold(places.iter().map(|at| &submissions[*at]));
        let unknown = places.into_iter().zip(known).filter(|(_, known)| !known);
        let unknown: Vec<usize> = unknown.map(|(at, _)| at).collect();
        let wrong = submission::wrongly_signed(unknown.iter().map(|at| &submissions[*at]));
        wrong.into_iter().map(|at| unknown[at]).collect()
    }

    async fn work<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, EdgeError> + Send + 'static,
    ) -> Result<T, EdgeError> {
        let workers = Arc::clone(&self.workers);
        let permit = workers.acquire_owned().await.map_err(|_| EdgeError::Unfinished)?;
        let edge = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&edge);
            drop(permit);
            result
        });
        done.await.unwrap_or(Err(EdgeError::Unfinished))
    }
}

/// Records of all these submissions.
pub(crate) fn records_of(submissions: &[Submission]) -> usize {
    submissions.iter().map(|one| one.records.len()).sum()
}

/// Computes the digests of a submission, which it remembers: where it is decoded, and not where they are asked for.
fn digest(submission: &Submission) {
    submission.id();
}

fn parse(encoding: Encoding, bytes: &[u8]) -> Result<Submission, EdgeError> {
    let (got, max) = (bytes.len(), encoding.max_bytes());
    if got > max {
        return Err(EdgeError::TooLarge { got, max });
    }
    match encoding {
        Encoding::Json => {
            let max = limits::SUBMISSION_JSON_DEPTH;
            if nesting(bytes) > max {
                return Err(EdgeError::TooDeep { max });
            }
            serde_json::from_slice(bytes).map_err(|error| EdgeError::Json(error.to_string()))
        }
        Encoding::Canonical => codec::decode(bytes, max).map_err(EdgeError::Canonical),
    }
}

/// The deepest nesting of arrays and objects in a JSON text; of something else any number.
fn nesting(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests;
