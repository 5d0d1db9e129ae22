//! `GET /v1/flows/{id}` and `GET /v1/search`: pages in the order of the chain.

use super::{
    Api, ApiError, Problem,
    answer::{FlowAnswer, FlowRecord, FoundRecord, OutcomeView, PlaceView, SearchAnswer},
    parameters::{Named, Parameters, page_size, parse},
};
use crate::{evidence::AssembleError, limits};
use axum::{Json, extract::State};
use probata_ledger::{Cursor, LedgerReader, Page, Query, RecordPlace};
use probata_types::{
    FlowId, Outcome, Record, RecordId, SealedBlock, Submission, Timestamp,
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
    pub(super) after: Option<String>,
    /// Records on the page.
    pub(super) limit: Option<usize>,
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

pub(super) fn cursor(text: Option<&str>) -> Result<Option<Cursor>, ApiError> {
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
    let complete_to = page.complete_to;
    let (records, next) = read_page(reader, (&query, after, page), max_bytes, flow_record)?;
    let next = next.map(|next| next.to_string());
    Ok(Some(FlowAnswer { state, state_at, records, next, complete_to }))
}

fn flow_record(held: Held<'_>) -> FlowRecord {
    let Held { id, place, block, submission, record, outcome } = held;
    FlowRecord {
        id,
        record_type: record.body.record_type().name(),
        institution: submission.head.institution,
        seq: record.seq,
        occurred_at: record.occurred_at,
        time: block.header.time,
        place: PlaceView::new(place),
        outcome: OutcomeView::new(outcome),
    }
}

/// A record that was found, where it is sealed.
pub(super) struct Held<'a> {
    pub(super) id: RecordId,
    pub(super) place: &'a RecordPlace,
    pub(super) block: &'a SealedBlock,
    pub(super) submission: &'a Submission,
    pub(super) record: &'a Record,
    pub(super) outcome: &'a Outcome,
}

/// What is made of the records of a page, or of its first ones if their blocks have more than `max_bytes`;
/// and where to go on.
pub(super) fn read_page<T>(
    reader: &LedgerReader,
    (query, after, page): (&Query, Option<&Cursor>, Page),
    max_bytes: usize,
    make: impl Fn(Held<'_>) -> T,
) -> Result<(Vec<T>, Option<Cursor>), ApiError> {
    let mut made = Vec::with_capacity(page.entries.len());
    // Neighbours often share a block.
    let mut block: Option<SealedBlock> = None;
    let mut bytes = 0;
    for (id, place) in &page.entries {
        if block.as_ref().is_none_or(|block| block.header.height != place.height) {
            bytes += reader.block_size(place.height)?.map_or(0, |size| size as usize);
            if bytes > max_bytes && !made.is_empty() {
                break;
            }
            block = reader.block(place.height)?;
        }
        let held = block.as_ref().and_then(|block| {
            let submission = block.proposal.submissions.get(place.submission as usize)?;
            let record = submission.records.get(place.index as usize)?;
            let outcome = block.outcomes.get(place.leaf as usize)?;
            Some(Held { id: *id, place, block, submission, record, outcome })
        });
        let held = held.ok_or(AssembleError::Contradiction("an index names no record"))?;
        made.push(make(held));
    }
    let next = match made.len() == page.entries.len() {
        true => page.next,
        // The page of so many records ends where they do.
        false => reader.search(query, after, made.len())?.next,
    };
    Ok((made, next))
}
