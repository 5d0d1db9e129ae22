//! Bytes from outside become checked values here, and nowhere else.
//!
//! ```text
//! bytes -> size -> nesting (JSON) -> types -> content -> signature -> Verified<Submission>
//! ```
//!
//! All of it costs processor time, so it runs on worker threads, a bounded number at once. A
//! signature that was found valid is remembered: a submission that came by the API or the mesh is
//! not checked again when it comes back in a proposal, then in a block. What is remembered is the
//! signature over the head; that the records are those that the head commits to is checked each
//! time.

use crate::limits;
use probata_types::{
    Hash, Proposal, Signature, Submission, Verified,
    codec::{self, CodecError},
    key::{self, Signed},
    submission::{SubmissionError, SubmissionId},
};
use std::{
    collections::{HashSet, VecDeque},
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};
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
    known: Mutex<KnownSignatures>,
    workers: Arc<Semaphore>,
    threads: usize,
}

impl Edge {
    /// The edge of a node of `chain`.
    pub fn new(chain: Hash) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            chain,
            known: Mutex::new(KnownSignatures::default()),
            workers: Arc::new(Semaphore::new(limits::EDGE_WORKERS)),
            threads: threads.min(limits::CHECK_THREADS),
        }
    }

    /// Makes a checked submission of bytes, on a worker thread.
    ///
    /// # Errors
    /// [`EdgeError`], the first thing wrong.
    pub async fn receive(
        self: &Arc<Self>,
        encoding: Encoding,
        bytes: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<Verified<Submission>, EdgeError> {
        self.work(move |edge| edge.check(parse(encoding, bytes.as_ref())?)).await
    }

    /// Makes a checked submission of one that another node handed on, on a worker thread.
    ///
    /// # Errors
    /// [`EdgeError`], the first thing wrong.
    pub async fn receive_handed_on(
        self: &Arc<Self>,
        submission: Submission,
    ) -> Result<Verified<Submission>, EdgeError> {
        self.work(move |edge| edge.check(submission)).await
    }

    /// Checks a submission on this thread.
    ///
    /// # Errors
    /// [`EdgeError::Submission`].
    pub fn check(&self, submission: Submission) -> Result<Verified<Submission>, EdgeError> {
        submission.check_content(&self.chain)?;
        let mark = (submission.id(), submission.signature);
        if !self.is_known(&mark) {
            submission.head.check_signature(&submission.signature)?;
            self.remember([mark]);
        }
        Ok(Verified::assume(submission))
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
        let mut unknown = Vec::new();
        for (at, submission) in part.iter().enumerate() {
            submission.check_content(&self.chain).map_err(|error| wrong(at, error))?;
            let id = submission.id();
            if !self.is_known(&(id, submission.signature)) {
                let (key, signature) = (submission.head.key, submission.signature);
                unknown.push((at, Signed { key, digest: Hash(id.0), signature }));
            }
        }
        let batch: Vec<Signed> = unknown.iter().map(|(_, signed)| *signed).collect();
        if key::verify_batch(&batch).is_err() {
            let (at, _) = unknown
                .iter()
                .find(|(_, one)| key::verify(&one.key, &one.digest, &one.signature).is_err())
                .expect("batch and single verification agree");
            return Err(wrong(*at, SubmissionError::Signature));
        }
        self.remember(batch.iter().map(|one| (SubmissionId(one.digest.0), one.signature)));
        Ok(())
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

    fn is_known(&self, mark: &Mark) -> bool {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).marks.contains(mark)
    }

    fn remember(&self, marks: impl IntoIterator<Item = Mark>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for mark in marks {
            known.insert(mark);
        }
    }
}

/// A submission's head, by its digest, with a signature over it.
type Mark = (SubmissionId, Signature);

/// The newest signatures that were found valid.
#[derive(Debug, Default)]
struct KnownSignatures {
    marks: HashSet<Mark>,
    /// Oldest first.
    order: VecDeque<Mark>,
}

impl KnownSignatures {
    fn insert(&mut self, mark: Mark) {
        if !self.marks.insert(mark) {
            return;
        }
        self.order.push_back(mark);
        if self.order.len() > limits::KNOWN_SIGNATURES {
            let oldest = self.order.pop_front().expect("it is longer than its bound");
            self.marks.remove(&oldest);
        }
        assert_eq!(self.marks.len(), self.order.len(), "every mark stands once in the order");
    }
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
