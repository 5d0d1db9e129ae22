//! What the API answers when it cannot do what was asked: a stable code, what is wrong, what to do.

use super::{answer::CodeView, edge_problem};
use crate::{edge::EdgeError, handle::Refusal, limits};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use probata_ledger::{FileError, LedgerError};
use probata_types::catalogue::failure;
use serde::Serialize;

/// The kinds of failure. Each has one code, one status and one advice, all listed in `docs/API.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// The body is not a submission.
    Malformed,
    /// A path or query parameter is unknown, missing, doubled or out of range.
    BadParameter,
    /// The submission is not signed by the key that it names.
    SignatureInvalid,
    /// The institution or its key may not submit now.
    Forbidden,
    /// No such route.
    NoSuchRoute,
    /// Nothing of this name is sealed here.
    NotFound,
    /// The route does not take this method.
    MethodNotAllowed,
    /// The idempotency key was used for another submission.
    IdempotencyConflict,
    /// The body is too large.
    TooLarge,
    /// Neither JSON nor canonical bytes.
    UnsupportedMediaType,
    /// The submission is for another chain.
    WrongChain,
    /// The submission's time is over, or its lifetime too long.
    Expired,
    /// The contracts refuse the submission as a whole.
    Rejected,
    /// Too many submissions of the institution wait.
    Quota,
    /// This node's mempool is full.
    PoolFull,
    /// Too many requests are under way.
    Busy,
    /// The request took too long.
    TooSlow,
    /// Blocks that could hold it are still to come to this node.
    HistoryIncomplete,
    /// The block that holds it is in the archive, which cannot be read now.
    Archived,
    /// The node is stopping, or halted for people to look at.
    Halted,
    /// A defect of this software, or a broken disk.
    Internal,
}

impl Problem {
    /// All kinds.
    pub const ALL: [Self; 21] = [
        Self::Malformed,
        Self::BadParameter,
        Self::SignatureInvalid,
        Self::Forbidden,
        Self::NoSuchRoute,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::IdempotencyConflict,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::WrongChain,
        Self::Expired,
        Self::Rejected,
        Self::Quota,
        Self::PoolFull,
        Self::Busy,
        Self::TooSlow,
        Self::HistoryIncomplete,
        Self::Archived,
        Self::Halted,
        Self::Internal,
    ];

    /// The stable code and the HTTP status.
    const fn name(self) -> (&'static str, StatusCode) {
        use StatusCode as S;
        match self {
            Self::Malformed => ("malformed", S::BAD_REQUEST),
            Self::BadParameter => ("bad_parameter", S::BAD_REQUEST),
            Self::SignatureInvalid => ("signature_invalid", S::FORBIDDEN),
            Self::Forbidden => ("forbidden", S::FORBIDDEN),
            Self::NoSuchRoute => ("no_such_route", S::NOT_FOUND),
            Self::NotFound => ("not_found", S::NOT_FOUND),
            Self::MethodNotAllowed => ("method_not_allowed", S::METHOD_NOT_ALLOWED),
            Self::IdempotencyConflict => ("idempotency_conflict", S::CONFLICT),
            Self::TooLarge => ("too_large", S::PAYLOAD_TOO_LARGE),
            Self::UnsupportedMediaType => ("unsupported_media_type", S::UNSUPPORTED_MEDIA_TYPE),
            Self::WrongChain => ("wrong_chain", S::UNPROCESSABLE_ENTITY),
            Self::Expired => ("expired", S::UNPROCESSABLE_ENTITY),
            Self::Rejected => ("rejected", S::UNPROCESSABLE_ENTITY),
            Self::Quota => ("quota", S::TOO_MANY_REQUESTS),
            Self::PoolFull => ("pool_full", S::SERVICE_UNAVAILABLE),
            Self::Busy => ("busy", S::SERVICE_UNAVAILABLE),
            Self::TooSlow => ("too_slow", S::SERVICE_UNAVAILABLE),
            Self::HistoryIncomplete => ("history_incomplete", S::SERVICE_UNAVAILABLE),
            Self::Archived => ("archived", S::SERVICE_UNAVAILABLE),
            Self::Halted => ("halted", S::SERVICE_UNAVAILABLE),
            Self::Internal => ("internal", S::INTERNAL_SERVER_ERROR),
        }
    }

    /// The stable code.
    pub const fn code(self) -> &'static str {
        self.name().0
    }

    /// The HTTP status.
    pub const fn status(self) -> StatusCode {
        self.name().1
    }

    /// What to do about it.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Malformed => "correct the body; docs/FORMAT.md tells its form",
            Self::BadParameter => "correct the parameter; docs/API.md lists them",
            Self::SignatureInvalid => {
                "sign the submission's head with the key that it names, and change nothing after"
            }
            Self::Forbidden => "use an institution and a key that the chain admits at this height",
            Self::NoSuchRoute => "docs/API.md lists the routes",
            Self::NotFound => {
                "check the identifier; if it is new, ask again once complete_to has grown"
            }
            Self::MethodNotAllowed => "docs/API.md lists the methods",
            Self::IdempotencyConflict => {
                "draw a new idempotency key for new content; send the same bytes to retry"
            }
            Self::TooLarge => "split the records over several submissions",
            Self::UnsupportedMediaType => {
                "send application/json, or application/octet-stream for canonical bytes"
            }
            Self::WrongChain => {
                "compare your genesis document with /v1/genesis of a node that you trust"
            }
            Self::Expired => "nothing was or will be sealed: sign it again with a later expires_at",
            Self::Rejected => "correct what the failure names, sign again",
            Self::Quota => "wait for your earlier submissions, then send the same bytes again",
            Self::PoolFull => "wait, then send the same bytes again",
            Self::Busy => "wait, then ask the same again",
            Self::TooSlow => "ask for less, or ask the same again later",
            Self::HistoryIncomplete => {
                "use another node, or ask again once history_from of /v1/status has fallen"
            }
            Self::Archived => {
                "use another node, or ask again later; the operator of this one must make its archive reachable"
            }
            Self::Halted => {
                "use another node; the operator of this one finds why in /v1/status and the log"
            }
            Self::Internal => "use another node and tell the operator",
        }
    }

    /// Seconds after which to try again, where that helps.
    pub const fn retry_after(self) -> Option<u32> {
        match self {
            Self::Quota | Self::PoolFull | Self::Busy | Self::TooSlow => {
                Some(limits::RETRY_AFTER_SECONDS)
            }
            Self::HistoryIncomplete => Some(limits::RETRY_HISTORY_SECONDS),
            Self::Archived => Some(limits::RETRY_ARCHIVED_SECONDS),
            Self::Halted => Some(limits::RETRY_HALTED_SECONDS),
            _ => None,
        }
    }
}

/// An answer that says what went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The kind.
    pub problem: Problem,
    /// What is wrong in this case.
    pub message: String,
    /// The rule that was broken, where the contracts said no.
    pub failure: Option<CodeView>,
}

#[derive(Serialize)]
struct Body<'a> {
    error: BodyError<'a>,
}

#[derive(Serialize)]
struct BodyError<'a> {
    code: &'static str,
    message: &'a str,
    action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a CodeView>,
}

impl ApiError {
    /// A failure of a kind, in words.
    pub fn new(problem: Problem, message: impl Into<String>) -> Self {
        Self { problem, message: message.into(), failure: None }
    }

    /// The body of the answer.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.body()).expect("an error has a JSON form")
    }

    fn body(&self) -> Body<'_> {
        let (message, failure) = (self.message.as_str(), self.failure.as_ref());
        let (code, action) = (self.problem.code(), self.problem.action());
        Body { error: BodyError { code, message, action, failure } }
    }

    /// A defect or a broken disk: the details go to the log, not to the client.
    pub fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(Problem::Internal, "the node failed to answer; its log says why")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.problem.status(), Json(self.body())).into_response();
        if let Some(seconds) = self.problem.retry_after() {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<EdgeError> for ApiError {
    fn from(error: EdgeError) -> Self {
        Self::new(edge_problem(&error), error.to_string())
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Quota { .. } => Self::new(Problem::Quota, message),
            Refusal::PoolFull => Self::new(Problem::PoolFull, message),
            Refusal::Busy => Self::new(Problem::Busy, message),
            Refusal::IdempotencyConflict { .. } => Self::new(Problem::IdempotencyConflict, message),
            Refusal::Expiry { .. } => Self::new(Problem::Expired, message),
            Refusal::History { .. } => Self::new(Problem::HistoryIncomplete, message),
            Refusal::Halted => Self::new(Problem::Halted, message),
            Refusal::Rejected { code } => {
                let view = CodeView::new(code);
                let problem = match code {
                    failure::UNKNOWN_INSTITUTION
                    | failure::INSTITUTION_INACTIVE
                    | failure::KEY_NOT_VALID
                    | failure::ROLE => Problem::Forbidden,
                    failure::EXPIRED => Problem::Expired,
                    _ => Problem::Rejected,
                };
                Self { problem, message: view.en.to_owned(), failure: Some(view) }
            }
        }
    }
}

impl From<LedgerError> for ApiError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Cursor => Self::new(Problem::BadParameter, error.to_string()),
            LedgerError::NotHere { .. } => Self::new(Problem::HistoryIncomplete, error.to_string()),
            LedgerError::File(FileError::Archived { first, last, ref reason, .. }) => {
                tracing::warn!(%first, %last, reason, "the archive cannot be read");
                let what = format!(
                    "the blocks {first} to {last} are in this node's archive, which cannot be read now"
                );
                Self::new(Problem::Archived, what)
            }
            other => Self::internal(&other),
        }
    }
}

impl From<crate::evidence::AssembleError> for ApiError {
    fn from(error: crate::evidence::AssembleError) -> Self {
        match error {
            crate::evidence::AssembleError::Ledger(error) => error.into(),
            ahead @ crate::evidence::AssembleError::CheckpointAhead { .. } => {
                Self::new(Problem::NotFound, ahead.to_string())
            }
            other => Self::internal(&other),
        }
    }
}
