//! `GET /v1/records/{id}` and its evidence file.

use super::{
    Api, ApiError, Problem,
    answer::{OutcomeView, PlaceView, RecordAnswer},
    parameters::{Named, NoParameters, Parameters, height, parse},
    wall_clock,
};
use crate::evidence::{self, AssembleError, Checkpoints, Options};
use axum::{
    Json,
    extract::State,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use probata_ledger::LedgerReader;
use probata_types::{RecordId, evidence::EvidenceError};
use serde::Deserialize;
use std::sync::Arc;

/// Query parameters of an evidence file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EvidenceParameters {
    /// Whether the file shall list every accepted record of the flow.
    events: Option<bool>,
    /// Heights of checkpoints, parted by commas, that the file shall be linked to.
    checkpoints: Option<String>,
}

pub(super) async fn record(
    State(api): State<Arc<Api>>,
    Named(id): Named<RecordId>,
    Parameters(NoParameters {}): Parameters<NoParameters>,
) -> Result<Json<RecordAnswer>, ApiError> {
    let answer = api.read(move |reader| record_answer(reader, &id)).await?;
    answer.map(Json).ok_or_else(|| not_sealed(&id))
}

pub(super) async fn evidence(
    State(api): State<Arc<Api>>,
    Named(id): Named<RecordId>,
    Parameters(parameters): Parameters<EvidenceParameters>,
) -> Result<Response, ApiError> {
    let genesis = Arc::clone(&api.context.genesis);
    let events = parameters.events.unwrap_or(false);
    let checkpoints = checkpoints(parameters.checkpoints.as_deref())?;
    let text = api
        .read(move |reader| {
            let options = Options { events, checkpoints, made_at: wall_clock() };
            let file = evidence::assemble(reader, &genesis, &id, options)?;
            file.map(|file| file.to_json().map_err(|error| too_long(&error))).transpose()
        })
        .await?;
    let text = text.ok_or_else(|| not_sealed(&id))?;
    let name = format!("attachment; filename=\"{id}.evidence.json\"");
    let headers = [(CONTENT_TYPE, "application/json".to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, text).into_response())
}

/// Heights of checkpoints that a query names, parted by commas.
pub(super) fn checkpoints(heights: Option<&str>) -> Result<Checkpoints, ApiError> {
    let mut checkpoints = Checkpoints::default();
    for (at, text) in heights.into_iter().flat_map(|text| text.split(',')).enumerate() {
        let max = checkpoints.len();
        let place = checkpoints.get_mut(at).ok_or_else(|| {
            let message = format!("checkpoints names more than the {max} that a file is linked to");
            ApiError::new(Problem::BadParameter, message)
        })?;
        *place = Some(height("checkpoints", parse("checkpoints", text)?)?);
    }
    Ok(checkpoints)
}

fn record_answer(reader: &LedgerReader, id: &RecordId) -> Result<Option<RecordAnswer>, ApiError> {
    let complete_to = reader.head().height;
    let Some(place) = reader.record(id)? else { return Ok(None) };
    let part = reader.part(place.height, place.submission as usize)?;
    let found = part.as_ref().and_then(|part| {
        let record = part.submission.records.get(place.index as usize)?;
        Some((part, record, part.outcomes.get(place.leaf as usize)?))
    });
    let Some((part, record, outcome)) = found else {
        return Err(AssembleError::Contradiction("an index names no record").into());
    };
    Ok(Some(RecordAnswer {
        id: *id,
        institution: part.submission.head.institution,
        submission: part.submission.head.id(),
        place: PlaceView::new(&place),
        time: part.header.time,
        header: part.header.hash(),
        outcome: OutcomeView::new(outcome),
        record: record.clone(),
        complete_to,
    }))
}

fn not_sealed(id: &RecordId) -> ApiError {
    ApiError::new(Problem::NotFound, format!("record {id} is not sealed"))
}

/// The only long part of a file is the list of events, which a second request can leave out.
fn too_long(error: &EvidenceError) -> ApiError {
    let message = format!("{error}; ask for it without events");
    ApiError::new(Problem::BadParameter, message)
}
