//! `POST /v1/batches`: many submissions in one request, each judged and answered for itself, in canonical
//! bytes. What an SDK uses; the shapes are those of [`probata_types::receipt`].

use super::{
    Api, ApiError, Problem, body, guard::COMPLETE_TO, parameters::Parameters, submit,
    submit::Offered,
};
use crate::{
    edge::{Encoding, records_of},
    evidence::{BlockProofs, ProvenBlock},
    handle::{Admission, Room},
    limits,
};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use probata_ledger::LedgerReader;
use probata_types::{
    Height, List, Submission, SubmissionId, Text, Timestamp, Verified, codec,
    receipt::{BatchAnswer, Fate},
};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
};
use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};

/// Query parameters of a batch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchParameters {
    /// Longest wait for the seals, in milliseconds.
    wait_ms: Option<u64>,
}

pub(super) async fn batch(
    State(api): State<Arc<Api>>,
    Parameters(parameters): Parameters<BatchParameters>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let wait = submit::wait_time(parameters.wait_ms)?;
    let received = body::read(&api, &headers, body, max_bytes).await?;
    let submissions = api.context.edge.read_batch(received.bytes).await?;
    let (mut became, new) = sealed_of_late(&api, submissions);
    let begun = take(&api, new, &mut became).await?;
    drop(received.share);
    let deadline = Instant::now() + wait;
    for Begun { place, id, expires_at, sealed } in begun {
        became[place] = match submit::wait_for_seal(&api, id, expires_at, sealed, deadline).await {
            Ok(Offered::Sealed(_, Some(block))) => Became::Sealed(id, Arc::clone(block.proofs())),
            Ok(Offered::Sealed(_, None)) => Became::sealed_before(&api, id),
            Ok(Offered::Pending(_)) => Became::Pending,
            Err(error) => Became::refused(&api, error),
        };
    }
    let became = look_up(&api, became).await?;
    let complete_to = api.head();
    let answer = tokio::task::spawn_blocking(move || answer(complete_to, became));
    let answer = answer.await.map_err(|error| ApiError::internal(&error))??;
    let complete_to = [(COMPLETE_TO, answer.complete_to.to_string())];
    let bytes = codec::encode(&answer);
    Ok((complete_to, [(CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

/// A batch has no JSON.
const fn max_bytes(encoding: Encoding) -> Option<usize> {
    match encoding {
        Encoding::Json => None,
        Encoding::Canonical => Some(limits::BATCH_CANONICAL_BYTES),
    }
}

/// What became of a submission.
enum Became {
    /// It is in this block.
    Sealed(SubmissionId, Arc<BlockProofs>),
    /// It is in some block, which is not at hand.
    SealedBefore(SubmissionId),
    Pending,
    Refused(Fate),
}

impl Became {
    fn sealed_before(api: &Api, id: SubmissionId) -> Self {
        match api.context.recent.with(&id) {
            Some(block) => Self::Sealed(id, block),
            None => Self::SealedBefore(id),
        }
    }

    fn refused(api: &Api, error: ApiError) -> Self {
        api.context.metrics.refused(error.problem.code());
        Self::Refused(refused(&error))
    }
}

fn refused(error: &ApiError) -> Fate {
    let text = Text::new(error.to_json());
    // What a submission says of itself is no part of a message, so every problem is a fair text.
    let problem = text.unwrap_or_default();
    Fate::Refused {
        status: error.problem.status().as_u16(),
        retry_after: error.problem.retry_after(),
        problem,
    }
}

/// Of each submission whether it was sealed of late; the others with their places. Who sends again what is sealed costs
/// nothing more.
fn sealed_of_late(
    api: &Api,
    submissions: Vec<Submission>,
) -> (Vec<Became>, Vec<(usize, Submission)>) {
    let (mut became, mut new) = (Vec::with_capacity(submissions.len()), Vec::new());
    for (place, submission) in submissions.into_iter().enumerate() {
        match api.context.recent.holding(&submission) {
            Some(block) => became.push(Became::Sealed(submission.id(), block)),
            None => {
                became.push(Became::Pending);
                new.push((place, submission));
            }
        }
    }
    (became, new)
}

/// A submission that the chain thread took.
struct Begun {
    /// Where it stands in its batch.
    place: usize,
    id: SubmissionId,
    expires_at: Timestamp,
    sealed: oneshot::Receiver<Arc<ProvenBlock>>,
}

/// Checks submissions, offers them to the chain thread, and notes what it says of each; gives those to wait for. Where there
/// is no room for them, those that are sealed have their answers all the same.
async fn take(
    api: &Api,
    new: Vec<(usize, Submission)>,
    became: &mut [Became],
) -> Result<Vec<Begun>, ApiError> {
    let (places, submissions): (Vec<usize>, Vec<Submission>) = new.into_iter().unzip();
    let all_are_new = places.len() == became.len();
    match take_new(api, (&places, submissions), became).await {
        Err(error) if all_are_new => {
            api.context.metrics.refused(error.problem.code());
            Err(error)
        }
        Err(error) => {
            for place in places {
                became[place] = Became::refused(api, error.clone());
            }
            Ok(Vec::new())
        }
        begun => begun,
    }
}

async fn take_new(
    api: &Api,
    (places, submissions): (&[usize], Vec<Submission>),
    became: &mut [Became],
) -> Result<Vec<Begun>, ApiError> {
    if submissions.is_empty() {
        return Ok(Vec::new());
    }
    let room = api.context.chain.room_for(records_of(&submissions)).await?;
    let (mut offered, mut checked) = (Vec::new(), Vec::new());
    let received = api.context.edge.receive(submissions).await?;
    for (place, one) in places.iter().copied().zip(received) {
        match one {
            Ok(submission) => {
                offered.push((place, submission.id(), submission.head.expires_at));
                checked.push(submission);
            }
            Err(error) => became[place] = Became::refused(api, error.into()),
        }
    }
    let admissions = admit(api, checked, room).await?;
    let mut begun = Vec::new();
    let mut waiting = api.waiting.lock().unwrap_or_else(PoisonError::into_inner);
    for ((place, id, expires_at), admission) in offered.into_iter().zip(admissions) {
        match admission {
            Admission::Sealed(_) => became[place] = Became::sealed_before(api, id),
            Admission::Refused(refusal) => became[place] = Became::refused(api, refusal.into()),
            Admission::Pending(sealed) => {
                waiting.insert(id, expires_at);
                begun.push(Begun { place, id, expires_at, sealed });
            }
        }
    }
    Ok(begun)
}

/// Asks the chain thread; it answers between two blocks.
async fn admit(
    api: &Api,
    submissions: Vec<Verified<Submission>>,
    room: Room,
) -> Result<Vec<Admission>, ApiError> {
    let offered = api.context.chain.submit(submissions, room);
    let admissions = timeout(limits::API_ADMISSION_TIME, offered).await;
    admissions.map_err(|_| ApiError::new(Problem::Busy, "the chain thread is busy"))
}

/// Reads the blocks that are not at hand.
async fn look_up(api: &Api, mut became: Vec<Became>) -> Result<Vec<Became>, ApiError> {
    if !became.iter().any(|one| matches!(one, Became::SealedBefore(_))) {
        return Ok(became);
    }
    let look_up = move |reader: &LedgerReader| {
        let mut read = BTreeMap::new();
        for one in &mut became {
            let Became::SealedBefore(id) = one else { continue };
            *one = match before(reader, id, &mut read) {
                Ok(Some(block)) => Became::Sealed(*id, block),
                Ok(None) => Became::Pending,
                // The others have their answers all the same.
                Err(error) if error.problem == Problem::Archived => {
                    Became::Refused(refused(&error))
                }
                Err(error) => return Err(error),
            };
        }
        Ok(became)
    };
    api.read(look_up).await
}

/// The block of a submission that was sealed before, each read once.
fn before(
    reader: &LedgerReader,
    id: &SubmissionId,
    read: &mut BTreeMap<Height, Arc<BlockProofs>>,
) -> Result<Option<Arc<BlockProofs>>, ApiError> {
    let Some(place) = reader.submission_here(id)? else { return Ok(None) };
    if let Some(block) = read.get(&place.height) {
        return Ok(Some(Arc::clone(block)));
    }
    let block = reader.block(place.height)?.map(|block| Arc::new(BlockProofs::of(&block)));
    Ok(block.inspect(|block| drop(read.insert(place.height, Arc::clone(block)))))
}

/// The answer, with the proofs.
fn answer(complete_to: Height, became: Vec<Became>) -> Result<BatchAnswer, ApiError> {
    let mut blocks: BTreeMap<Height, (u32, Arc<BlockProofs>)> = BTreeMap::new();
    let mut fates = Vec::with_capacity(became.len());
    for one in became {
        fates.push(match one {
            Became::Refused(fate) => fate,
            Became::Pending | Became::SealedBefore(_) => Fate::Pending,
            Became::Sealed(id, block) => {
                let next = u32::try_from(blocks.len()).expect("at most one for each submission");
                let (number, block) = blocks.entry(block.height()).or_insert_with(|| (next, block));
                Fate::Sealed { block: *number, receipt: block.receipt(&id)? }
            }
        });
    }
    let mut shown: Vec<_> = blocks.into_values().collect();
    shown.sort_by_key(|(number, _)| *number);
    let shown = shown.iter().map(|(_, block)| block.sealed_header().clone()).collect();
    Ok(BatchAnswer {
        complete_to,
        blocks: List::new(shown).expect("at most one for each submission"),
        fates: List::new(fates).expect("one for each submission"),
    })
}
