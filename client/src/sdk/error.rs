//! What can go wrong for a caller, and what to do about it.

use super::{
    draft::DraftError, openings::OpeningError, random::RandomError, signer::SignerError,
    spool::SpoolError,
};
use probata_types::submission::{SubmissionError, SubmissionId};
use std::fmt;

/// Why a call of the SDK has no verified answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The configuration cannot work.
    #[error("the client's configuration is wrong: {0}")]
    Config(String),
    /// The deadline passed and no node gave an answer that holds.
    #[error("no node gave a verified answer before the deadline{}", trials(.0))]
    Unreachable(Vec<Trial>),
    /// The deadline passed while the submission was on its way. It may still be sealed.
    #[error("submission {id} was not sealed before the deadline{}", trials(tried))]
    Pending {
        /// The submission; sending the same bytes again is safe.
        id: SubmissionId,
        /// What each node said last.
        tried: Vec<Trial>,
    },
    /// Every node refused the request for a reason that waiting does not change.
    #[error("refused by {}: {} ({}, HTTP {})", .0.node, .0.message, .0.code, .0.status)]
    Refused(Box<Refusal>),
    /// No node has what was asked for.
    #[error("no node has {0}")]
    NotFound(String),
    /// An evidence file that was given does not hold.
    #[error("the evidence file does not hold: {0}")]
    Evidence(String),
    /// More records than a submission holds.
    #[error("{got} records are more than the {max} of one submission")]
    TooMany {
        /// Records given.
        got: usize,
        /// Records allowed.
        max: usize,
    },
    /// The records cannot be made into a submission.
    #[error("the submission cannot be built: {0}")]
    Submission(#[from] SubmissionError),
    /// A draft does not describe a record.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// The openings do not fit the record.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// The spool on the local disk failed.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// No signature.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A file could not be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: String,
        /// Why.
        error: std::io::Error,
    },
}

impl ClientError {
    /// A file that could not be read or written.
    pub fn file(path: &std::path::Path, error: impl Into<std::io::Error>) -> Self {
        Self::File { path: path.display().to_string(), error: error.into() }
    }

    /// What the caller can do.
    pub fn action(&self) -> &str {
        match self {
            Self::Config(_) => "correct the configuration; nothing was sent",
            Self::Unreachable(tried) if tried.iter().any(Trial::lied) => {
                "tell the operator of the lying node and the other members; ask other nodes, and \
                 check that the genesis document is the one of this chain"
            }
            Self::Unreachable(_) => {
                "check the addresses of the nodes and the network, then try again"
            }
            Self::Pending { .. } => {
                "send the same submission again (`resume` does it from the spool): it is answered \
                 with the first answer and never recorded twice"
            }
            Self::Refused(refusal) => &refusal.action,
            Self::NotFound(_) => {
                "check the identifier; a record is found once its submission is sealed"
            }
            Self::Evidence(_) => "examine it with `probata verify`; nothing can be built on it",
            Self::TooMany { .. } => "split the records over several submissions; nothing was sent",
            Self::Submission(_) | Self::Draft(_) => {
                "correct the record as the message says; nothing was sent"
            }
            Self::Opening(_) => "name fields that the record commits to, as its openings file does",
            Self::Spool(_) => "check the spool folder's disk and permissions",
            Self::Signer(_) => "check the key file or the signing device; nothing was sent",
            Self::Random(_) => "repair the system's random source; no salt can be drawn without it",
            Self::File { .. } => "check the path and its permissions",
        }
    }

    /// Whether the same call may succeed later, unchanged.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Pending { .. })
    }
}

/// What one node last answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Its address.
    pub node: String,
    /// What it did.
    pub what: Failing,
}

impl Trial {
    /// Whether the node gave an answer that does not verify.
    pub const fn lied(&self) -> bool {
        matches!(self.what, Failing::Lying(_))
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.node, self.what)
    }
}

/// How a node failed to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failing {
    /// No connection, or it broke, or it took too long.
    Unreachable(String),
    /// It asks to come back later.
    Busy(String),
    /// It took the submission, which is not sealed yet.
    Pending,
    /// It refuses for good.
    Refused(String),
    /// It answered something that does not verify. Tell its operator, and the other members.
    Lying(String),
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "unreachable ({why})"),
            Self::Busy(why) => write!(f, "busy ({why})"),
            Self::Pending => f.write_str("took it, not sealed yet"),
            Self::Refused(why) => write!(f, "refused ({why})"),
            Self::Lying(why) => write!(f, "LYING: its answer does not verify ({why})"),
        }
    }
}

/// A node's refusal, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The node's address.
    pub node: String,
    /// HTTP status.
    pub status: u16,
    /// Stable code.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub action: String,
}

fn trials(trials: &[Trial]) -> String {
    trials.iter().map(|trial| format!("; {trial}")).collect()
}
