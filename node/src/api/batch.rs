//! `POST /v1/batches`: many submissions in one request, each judged and answered for itself, in canonical
//! bytes. What an SDK uses; the shapes are those of [`probata_types::receipt`].

use super::{
    Api, ApiError, Problem, body, guard::COMPLETE_TO, parameters::Parameters, submit,
    submit::Offered,
};
use crate::{
    edge::Encoding,
    evidence::{BlockProofs, ProvenBlock, RecentBlocks},
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
use tokio::time::{Instant, timeout};

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
    submit::check_room(&api).inspect_err(|it| api.context.metrics.refused(it.problem.code()))?;
    let received = body::read(&api, &headers, body, max_bytes).await?;
    let chain = api.context.chain.clone();
    let room = move |records| chain.room_for(records);
    let (checked, room) = api.context.edge.receive_batch(received.bytes, room).await?;
    drop(received.share);
    let deadline = Instant::now() + wait;
    let (mut places, mut submissions) = (Vec::new(), Vec::new());
    let mut became: Vec<Became> = Vec::with_capacity(checked.len());
    for (at, one) in checked.into_iter().enumerate() {
        match one {
            Ok(submission) => {
                places.push((at, submission.id(), submission.head.expires_at));
                submissions.push(submission);
                became.push(Became::Pending);
            }
            Err(error) => became.push(Became::refused(&api, error.into())),
        }
    }
    let admissions = admit(&api, submissions, room).await?;
    let begun = begin(&api, &places, admissions, &mut became);
    for (at, waiting) in begun {
        let (_, id, expires_at) = places[at];
        became[places[at].0] = match submit::wait_for_seal(&api, id, expires_at, waiting, deadline)
            .await
        {
            Ok(Offered::Sealed(_, Some(block))) => Became::Sealed(id, Arc::clone(block.proofs())),
            Ok(Offered::Sealed(_, None)) => Became::SealedBefore(id),
            Ok(Offered::Pending(_)) => Became::Pending,
            Err(error) => Became::refused(&api, error),
        };
    }
    let recent = Arc::clone(&api.context.recent);
    let answer = api.read(move |reader| answer(reader, &recent, became)).await?;
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
    /// It is in this block, sealed while it was waited for.
    Sealed(SubmissionId, Arc<BlockProofs>),
    /// It is in some block.
    SealedBefore(SubmissionId),
    Pending,
    Refused(Fate),
}

impl Became {
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

type Waiting = tokio::sync::oneshot::Receiver<Arc<ProvenBlock>>;

/// Notes what the chain thread said of each submission; gives those to wait for, by their position in `places`.
fn begin(
    api: &Api,
    places: &[(usize, SubmissionId, Timestamp)],
    admissions: Vec<Admission>,
    became: &mut [Became],
) -> Vec<(usize, Waiting)> {
    let mut begun = Vec::new();
    let mut waiting = api.waiting.lock().unwrap_or_else(PoisonError::into_inner);
    for (at, admission) in admissions.into_iter().enumerate() {
        let (place, id, expires_at) = places[at];
        match admission {
            Admission::Sealed(_) => became[place] = Became::SealedBefore(id),
            Admission::Refused(refusal) => became[place] = Became::refused(api, refusal.into()),
            Admission::Pending(sealed) => {
                waiting.insert(id, expires_at);
                begun.push((at, sealed));
            }
        }
    }
    begun
}

/// The answer, with the proofs.
fn answer(
    reader: &LedgerReader,
    recent: &RecentBlocks,
    became: Vec<Became>,
) -> Result<BatchAnswer, ApiError> {
    let complete_to = reader.head().height;
    let mut blocks: BTreeMap<Height, (u32, Arc<BlockProofs>)> = BTreeMap::new();
    let mut fates = Vec::with_capacity(became.len());
    for one in became {
        let (id, block) = match one {
            Became::Refused(fate) => {
                fates.push(fate);
                continue;
            }
            Became::Sealed(id, block) => (id, Some(block)),
            Became::SealedBefore(id) => match before(reader, recent, &id, &blocks) {
                // The others have their answers all the same.
                Err(error) if error.problem == Problem::Archived => {
                    fates.push(refused(&error));
                    continue;
                }
                block => (id, block?),
            },
            Became::Pending => {
                fates.push(Fate::Pending);
                continue;
            }
        };
        let Some(block) = block else {
            fates.push(Fate::Pending);
            continue;
        };
        let next = u32::try_from(blocks.len()).expect("at most one for each submission");
        let (number, block) = blocks.entry(block.height()).or_insert_with(|| (next, block));
        fates.push(Fate::Sealed { block: *number, receipt: block.receipt(&id)? });
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

/// The block of a submission that was sealed before, from the log if it is not at hand.
fn before(
    reader: &LedgerReader,
    recent: &RecentBlocks,
    id: &SubmissionId,
    at_hand: &BTreeMap<Height, (u32, Arc<BlockProofs>)>,
) -> Result<Option<Arc<BlockProofs>>, ApiError> {
    let Some(place) = reader.submission_here(id)? else { return Ok(None) };
    let at_hand = at_hand.get(&place.height).map(|(_, block)| Arc::clone(block));
    if let Some(block) = at_hand.or_else(|| recent.get(place.height)) {
        return Ok(Some(block));
    }
    Ok(reader.block(place.height)?.map(|block| Arc::new(BlockProofs::of(&block))))
}
