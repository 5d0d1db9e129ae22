//! `GET /v1/flows/{id}` and `GET /v1/search`: pages in the order of the chain.

use super::{
    Api, ApiError, Problem,
    answer::{FlowAnswer, FlowRecord, FoundRecord, OutcomeView, PlaceView, SearchAnswer},
    parameters::{Named, Parameters, page_size, parse},
};
use crate::{evidence::AssembleError, limits};
use axum::{Json, extract::State};
use probata_ledger::{Cursor, LedgerReader, Page, Query};
use probata_types::{
    FlowId, SealedBlock, Timestamp,
    body::RecordType,
    limits::MAX_SAFE_INTEGER,
    state::{StateKey, StateValue},
};
use serde::Deserialize;
use std::sync::Arc;

/// Query parameters of a page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageParameters {
    /// The `next` of the page before.
    after: Option<String>,
    /// Records on the page.
    limit: Option<usize>,
}

/// Query parameters of a search: exactly one criterion.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchParameters {
    flow: Option<String>,
    institution: Option<String>,
    #[serde(rename = "type")]
    record_type: Option<String>,
    /// First block time, in milliseconds since 1970.
    from: Option<u64>,
    /// First block time after, in milliseconds since 1970.
    to: Option<u64>,
    /// SHA-256 of a document.
    document: Option<String>,
    subject: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn flow(
    State(api): State<Arc<Api>>,
    Named(id): Named<FlowId>,
    Parameters(parameters): Parameters<PageParameters>,
) -> Result<Json<FlowAnswer>, ApiError> {
    let limit = page_size(parameters.limit)?;
    let after = cursor(parameters.after.as_deref())?;
    let answer = api
        .read(move |reader| flow_answer(reader, id, after.as_ref(), limit, limits::API_PAGE_BYTES))
        .await?;
    answer.map(Json).ok_or_else(|| {
        ApiError::new(Problem::NotFound, format!("no record of flow {id} is sealed"))
    })
}

pub(super) async fn search(
    State(api): State<Arc<Api>>,
    Parameters(parameters): Parameters<SearchParameters>,
) -> Result<Json<SearchAnswer>, ApiError> {
    let limit = page_size(parameters.limit)?;
    let after = cursor(parameters.after.as_deref())?;
    let query = query(&parameters)?;
    let page = api.read(move |reader| Ok(reader.search(&query, after.as_ref(), limit)?)).await?;
    let Page { entries, next, complete_to } = page;
    let records = entries
        .into_iter()
        .map(|(id, place)| {
            let accepted = place.accepted;
            FoundRecord { id, accepted, place: PlaceView::new(&place) }
        })
        .collect();
    Ok(Json(SearchAnswer { records, next: next.map(|next| next.to_string()), complete_to }))
}

fn cursor(text: Option<&str>) -> Result<Option<Cursor>, ApiError> {
    text.map(|text| parse("after", text)).transpose()
}

fn query(parameters: &SearchParameters) -> Result<Query, ApiError> {
    let mut queries = Vec::new();
    if let Some(text) = &parameters.flow {
        queries.push(Query::Flow(parse("flow", text)?));
    }
    if let Some(text) = &parameters.institution {
        queries.push(Query::Institution(parse("institution", text)?));
    }
    if let Some(text) = &parameters.record_type {
        queries.push(Query::Type(record_type(text)?.number()));
    }
    if let Some(text) = &parameters.document {
        queries.push(Query::Document(parse("document", text)?));
    }
    if let Some(text) = &parameters.subject {
        queries.push(Query::Subject(parse("subject", text)?));
    }
    if parameters.from.is_some() || parameters.to.is_some() {
        let from = time("from", parameters.from.unwrap_or(0))?;
        let to = time("to", parameters.to.unwrap_or(MAX_SAFE_INTEGER))?;
        queries.push(Query::Time { from, to });
    }
    let mut queries = queries.into_iter();
    match (queries.next(), queries.next()) {
        (Some(query), None) => Ok(query),
        _ => Err(ApiError::new(
            Problem::BadParameter,
            "give exactly one of flow, institution, type, document, subject, or from and to",
        )),
    }
}

fn record_type(text: &str) -> Result<RecordType, ApiError> {
    RecordType::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = RecordType::ALL.iter().map(|one| one.name()).collect();
        let message = format!("type must be one of {}", names.join(", "));
        ApiError::new(Problem::BadParameter, message)
    })
}

fn time(name: &str, millis: u64) -> Result<Timestamp, ApiError> {
    if millis <= MAX_SAFE_INTEGER {
        return Ok(Timestamp::new(millis));
    }
    Err(ApiError::new(Problem::BadParameter, format!("{name} is above 2^53 - 1")))
}

/// A page of a flow, of at most `limit` records from at most `max_bytes` of blocks (or one block).
pub(super) fn flow_answer(
    reader: &LedgerReader,
    id: FlowId,
    after: Option<&Cursor>,
    limit: usize,
    max_bytes: usize,
) -> Result<Option<FlowAnswer>, ApiError> {
    let query = Query::Flow(id);
    let page = reader.search(&query, after, limit)?;
    let (state, state_at) = reader.state(&StateKey::Flow(id))?;
    let state = match state {
        Some(StateValue::Flow(state)) => Some(*state),
        _ => None,
    };
    if state.is_none() && page.entries.is_empty() && after.is_none() {
        return Ok(None);
    }
    let records = flow_records(reader, &page, max_bytes)?;
    let next = match records.len() == page.entries.len() {
        true => page.next,
        // The page of so many records ends where they do.
        false => reader.search(&query, after, records.len())?.next,
    };
    let (next, complete_to) = (next.map(|next| next.to_string()), page.complete_to);
    Ok(Some(FlowAnswer { state, state_at, records, next, complete_to }))
}

/// The records of a page, or its first ones if their blocks are too large to read them all at once.
fn flow_records(
    reader: &LedgerReader,
    page: &Page,
    max_bytes: usize,
) -> Result<Vec<FlowRecord>, ApiError> {
    let mut records = Vec::with_capacity(page.entries.len());
    // Neighbours often share a block.
    let mut block: Option<SealedBlock> = None;
    let mut bytes = 0;
    for (id, place) in &page.entries {
        if block.as_ref().is_none_or(|block| block.header.height != place.height) {
            bytes += reader.block_size(place.height)?.map_or(0, |size| size as usize);
            if bytes > max_bytes && !records.is_empty() {
                break;
            }
            block = reader.block(place.height)?;
        }
        let found = block.as_ref().and_then(|block| {
            let submission = block.proposal.submissions.get(place.submission as usize)?;
            let content = submission.records.get(place.index as usize)?;
            Some((block, submission, content, block.outcomes.get(place.leaf as usize)?))
        });
        let Some((block, submission, content, outcome)) = found else {
            return Err(AssembleError::Contradiction("an index names no record").into());
        };
        records.push(FlowRecord {
            id: *id,
            record_type: content.body.record_type().name(),
            institution: submission.head.institution,
            seq: content.seq,
            occurred_at: content.occurred_at,
            time: block.header.time,
            place: PlaceView::new(place),
            outcome: OutcomeView::new(outcome),
        });
    }
    Ok(records)
}
