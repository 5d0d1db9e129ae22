//! `GET /v1/faults`: validators that contradicted themselves, each with the file that proves it.

use super::{
    Api, ApiError,
    answer::{FaultView, FaultsAnswer},
    parameters::{Parameters, page_size},
    search::{self, Held, PageParameters},
};
use crate::{evidence::AssembleError, limits};
use axum::{Json, extract::State};
use probata_ledger::{Cursor, LedgerReader, Query};
use probata_types::{
    body::{Body, RecordType},
    epoch,
    fault::{Fault, FaultFile},
    state::{FaultPlace, StateError, StateKey, StateRead, StateValue},
};
use std::sync::Arc;

pub(super) async fn faults(
    State(api): State<Arc<Api>>,
    Parameters(parameters): Parameters<PageParameters>,
) -> Result<Json<FaultsAnswer>, ApiError> {
    let limit = page_size(parameters.limit)?;
    let after = search::cursor(parameters.after.as_deref())?;
    let proven = api.context.chain.status().faults;
    api.read(move |reader| answer(reader, &proven, after.as_ref(), limit)).await.map(Json)
}

/// A page of the faults that the chain has recorded; after the last of them those that this node has
/// proven and that are not recorded yet.
fn answer(
    reader: &LedgerReader,
    proven: &[Arc<Fault>],
    after: Option<&Cursor>,
    limit: usize,
) -> Result<FaultsAnswer, ApiError> {
    let query = Query::Type(RecordType::Fault.number());
    let page = reader.search(&query, after, limit)?;
    let complete_to = page.complete_to;
    let recorded = |held: Held<'_>| match &held.record.body {
        Body::Fault(fault) if held.outcome.is_accepted() => {
            Some(((**fault).clone(), held.id, held.place.height))
        }
        _ => None,
    };
    let bytes = limits::API_PAGE_BYTES;
    let (found, next) = search::read_page(reader, (&query, after, page), bytes, recorded)?;
    let mut faults = Vec::new();
    for (fault, record, height) in found.into_iter().flatten() {
        let file = file(reader, &fault)?;
        faults.push(FaultView { file, record: Some(record), height: Some(height) });
    }
    if next.is_none() {
        for fault in proven {
            if reader.state(&StateKey::Fault(FaultPlace::of(fault)))?.0.is_none() {
                let file = file(reader, fault)?;
                faults.push(FaultView { file, record: None, height: None });
            }
        }
    }
    Ok(FaultsAnswer { faults, next: next.map(|next| next.to_string()), complete_to })
}

/// The fault with the institution whose validator it was.
fn file(reader: &LedgerReader, fault: &Fault) -> Result<FaultFile, ApiError> {
    let epoch = epoch::at(&Newest(reader), fault.height).map_err(|e| ApiError::internal(&e))?;
    let seat = epoch.set.get(fault.validator);
    let seat = seat.ok_or(AssembleError::Contradiction("a fault names no validator"))?;
    Ok(FaultFile::new(fault, seat.institution))
}

/// The newest state.
struct Newest<'a>(&'a LedgerReader);

impl StateRead for Newest<'_> {
    fn get(&self, key: &StateKey) -> Result<Option<StateValue>, StateError> {
        let read = self.0.state(key).map_err(|error| StateError(error.to_string()))?;
        Ok(read.0)
    }
}
