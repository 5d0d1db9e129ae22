//! `POST /v1/submissions`: ask once, get the answer. `GET /v1/submissions/{id}`: where one stands.

use super::{
    Api, ApiError, Problem,
    answer::{DecidedRecord, OutcomeView, SubmissionAnswer},
    body,
    guard::COMPLETE_TO,
    parameters::{Named, NoParameters, Parameters},
    wall_clock,
};
use crate::{
    edge::EdgeError,
    evidence::{self, Checkpoints, Options, ProvenBlock},
    handle::{Admission, Room},
    limits,
};
use axum::{
    Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use probata_ledger::LedgerReader;
use probata_types::{Height, Submission, SubmissionId, Timestamp, Verified};
use serde::Deserialize;
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout, timeout_at},
};

/// Query parameters of a submission.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubmitParameters {
    /// Longest wait for the seal, in milliseconds.
    wait_ms: Option<u64>,
    /// Whether the answer shall hold the evidence files.
    evidence: Option<WithEvidence>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WithEvidence {
    All,
    None,
}

pub(super) async fn submit(
    State(api): State<Arc<Api>>,
    Parameters(parameters): Parameters<SubmitParameters>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let wait = wait_time(parameters.wait_ms)?;
    let result = offer(&api, &headers, body, wait).await;
    let sealed = match result {
        Ok(sealed) => sealed,
        Err(error) => {
            api.context.metrics.refused(error.problem.code());
            return Err(error);
        }
    };
    match sealed {
        Offered::Sealed(id, _) => {
            let with = parameters.evidence.unwrap_or(WithEvidence::All);
            let answer = sealed_answer(&api, id, with).await?;
            Ok(answer.ok_or_else(|| not_here(&id))?.into_response())
        }
        Offered::Pending(id) => Ok(pending_answer(&api, id, StatusCode::ACCEPTED)),
    }
}

pub(super) async fn submission(
    State(api): State<Arc<Api>>,
    Named(id): Named<SubmissionId>,
    Parameters(NoParameters {}): Parameters<NoParameters>,
) -> Result<Response, ApiError> {
    let expiry = api.waiting.lock().unwrap_or_else(PoisonError::into_inner).expiry(&id);
    // Looked at before the ledger is: what has expired then and is not sealed now never will be.
    let has_expired = expiry.is_some_and(|expires_at| has_expired(&api, expires_at));
    let sealed = match sealed_answer(&api, id, WithEvidence::None).await {
        // What was taken here is in no block of before.
        Err(error) if expiry.is_some() && error.problem == Problem::HistoryIncomplete => None,
        sealed => sealed?,
    };
    match sealed {
        Some(answer) => Ok(answer.into_response()),
        None if has_expired => Err(expired(&id)),
        None if expiry.is_some() => Ok(pending_answer(&api, id, StatusCode::OK)),
        None => Err(not_here(&id)),
    }
}

/// What became of a submission within the wait.
pub(super) enum Offered {
    /// It is sealed; the block is at hand if that was waited for.
    Sealed(SubmissionId, Option<Arc<ProvenBlock>>),
    Pending(SubmissionId),
}

/// Checks a submission, offers it to the chain thread, and waits for its seal.
async fn offer(
    api: &Api,
    headers: &HeaderMap,
    body: Body,
    wait: Duration,
) -> Result<Offered, ApiError> {
    let received = body::read(api, headers, body, |it| Some(it.max_bytes())).await?;
    let edge = &api.context.edge;
    let submission = edge.read(received.encoding, received.bytes).await?;
    let (id, expires_at) = (submission.id(), submission.head.expires_at);
    if api.context.recent.holding(&submission).is_some() {
        return Ok(Offered::Sealed(id, None));
    }
    let room = api.context.chain.room_for(submission.records.len()).await?;
    let checked = edge.receive(vec![submission]).await?.pop();
    let submission = checked.unwrap_or(Err(EdgeError::Unfinished))?;
    drop(received.share);
    let deadline = Instant::now() + wait;
    match admit(api, submission, room).await? {
        Admission::Sealed(_) => Ok(Offered::Sealed(id, None)),
        Admission::Refused(refusal) => Err(refusal.into()),
        Admission::Pending(sealed) => {
            api.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id, expires_at);
            wait_for_seal(api, id, expires_at, sealed, deadline).await
        }
    }
}

/// Asks the chain thread; it answers between two blocks.
async fn admit(
    api: &Api,
    submission: Verified<Submission>,
    room: Room,
) -> Result<Admission, ApiError> {
    let offered = api.context.chain.submit(vec![submission], room);
    let busy = || ApiError::new(Problem::Busy, "the chain thread is busy");
    let admissions = timeout(limits::API_ADMISSION_TIME, offered).await.map_err(|_| busy())?;
    admissions.into_iter().next().ok_or_else(busy)
}

/// Waits until a submission that the chain thread took is sealed.
pub(super) async fn wait_for_seal(
    api: &Api,
    id: SubmissionId,
    expires_at: Timestamp,
    sealed: oneshot::Receiver<Arc<ProvenBlock>>,
    deadline: Instant,
) -> Result<Offered, ApiError> {
    match timeout_at(deadline, sealed).await {
        Ok(Ok(block)) => {
            api.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            Ok(Offered::Sealed(id, Some(block)))
        }
        // Nobody will tell: the submission expired, too many wait for it, or the chain thread
        // ended.
        Ok(Err(_)) => {
            let has_expired = has_expired(api, expires_at);
            if api.read(move |reader| Ok(reader.submission_here(&id)?.is_some())).await? {
                Ok(Offered::Sealed(id, None))
            } else if has_expired {
                Err(expired(&id))
            } else {
                Ok(Offered::Pending(id))
            }
        }
        Err(_) => Ok(Offered::Pending(id)),
    }
}

/// Whether no later block can hold a submission that expires then. Block times only rise, so the
/// last one decides. This machine's clock does not: a proposal of before may still be sealed.
fn has_expired(api: &Api, expires_at: Timestamp) -> bool {
    let header = api.context.chain.status().header;
    header.is_some_and(|header| header.time > expires_at)
}

/// The answer about a sealed submission; `None` if it is not sealed.
async fn sealed_answer(
    api: &Api,
    id: SubmissionId,
    with: WithEvidence,
) -> Result<Option<SealedAnswer>, ApiError> {
    let genesis = Arc::clone(&api.context.genesis);
    api.read(move |reader| {
        let complete_to = reader.head().height;
        let decided = match with {
            WithEvidence::None => outcomes(reader, &id)?,
            WithEvidence::All => {
                let options = Options {
                    events: false,
                    checkpoints: Checkpoints::default(),
                    made_at: wall_clock(),
                };
                evidence::assemble_submission(reader, &genesis, &id, options)?.map(|made| {
                    let records = made.files.into_iter().map(|file| DecidedRecord {
                        record: file.record_id(),
                        outcome: OutcomeView::new(&file.outcome),
                        evidence: Some(file),
                    });
                    (made.height, records.collect())
                })
            }
        };
        Ok(decided.map(|(height, records)| {
            let (status, height) = ("sealed", Some(height));
            SealedAnswer(SubmissionAnswer { submission: id, status, height, complete_to, records })
        }))
    })
    .await
}

/// The decisions on a submission's records, without proofs.
fn outcomes(
    reader: &LedgerReader,
    id: &SubmissionId,
) -> Result<Option<(Height, Vec<DecidedRecord>)>, ApiError> {
    let Some(place) = reader.submission(id)? else { return Ok(None) };
    let Some(part) = reader.part(place.height, place.index as usize)? else {
        return Err(evidence::AssembleError::Contradiction("an index names no submission").into());
    };
    let first = reader.leaves(&part)?.first;
    let ids = part.submission.record_ids().iter().copied();
    let decided = ids.zip(part.outcomes.iter().skip(first));
    let records = decided.map(|(record, outcome)| DecidedRecord {
        record,
        outcome: OutcomeView::new(outcome),
        evidence: None,
    });
    Ok(Some((place.height, records.collect())))
}

/// An answer whose height may be above the head when the request came.
struct SealedAnswer(SubmissionAnswer);

impl IntoResponse for SealedAnswer {
    fn into_response(self) -> Response {
        let complete_to = [(COMPLETE_TO, self.0.complete_to.to_string())];
        (complete_to, Json(self.0)).into_response()
    }
}

fn pending_answer(api: &Api, submission: SubmissionId, status: StatusCode) -> Response {
    let answer = SubmissionAnswer {
        submission,
        status: "pending",
        height: None,
        complete_to: api.head(),
        records: Vec::new(),
    };
    (status, Json(answer)).into_response()
}

pub(super) fn wait_time(wait_ms: Option<u64>) -> Result<Duration, ApiError> {
    let max = limits::API_WAIT_MAX;
    match wait_ms {
        None => Ok(limits::API_WAIT_DEFAULT),
        Some(ms) if Duration::from_millis(ms) <= max => Ok(Duration::from_millis(ms)),
        Some(ms) => {
            let message = format!("wait_ms is {ms} and must be at most {}", max.as_millis());
            Err(ApiError::new(Problem::BadParameter, message))
        }
    }
}

fn not_here(id: &SubmissionId) -> ApiError {
    let message = format!("submission {id} is neither sealed nor waiting at this node");
    ApiError::new(Problem::NotFound, message)
}

fn expired(id: &SubmissionId) -> ApiError {
    ApiError::new(Problem::Expired, format!("submission {id} expired before it was sealed"))
}
