//! `GET /v1/absence/…`: that something did not happen, as a file that proves it.

use super::{
    Api, ApiError, Problem,
    parameters::{Parameters, height, parse},
    records::checkpoints,
    wall_clock,
};
use crate::evidence::{Untrue, assemble_absence};
use axum::{
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use probata_types::evidence::Claim;
use serde::Deserialize;
use std::sync::Arc;

/// Query parameters of a claim that a facility had no guarantee.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GuaranteeParameters {
    flow: String,
    at: u64,
    checkpoints: Option<String>,
}

/// Query parameters of a claim that a document had not been recorded.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DocumentParameters {
    sha256: String,
    before: u64,
    checkpoints: Option<String>,
}

pub(super) async fn guarantees(
    State(api): State<Arc<Api>>,
    Parameters(wanted): Parameters<GuaranteeParameters>,
) -> Result<Response, ApiError> {
    let (flow, at) = (parse("flow", &wanted.flow)?, height("at", wanted.at)?);
    absence(&api, Claim::NoGuarantee { flow, at }, wanted.checkpoints.as_deref()).await
}

pub(super) async fn documents(
    State(api): State<Arc<Api>>,
    Parameters(wanted): Parameters<DocumentParameters>,
) -> Result<Response, ApiError> {
    let (sha256, height) = (parse("sha256", &wanted.sha256)?, height("before", wanted.before)?);
    absence(&api, Claim::NotRecordedBefore { sha256, height }, wanted.checkpoints.as_deref()).await
}

async fn absence(api: &Api, claim: Claim, heights: Option<&str>) -> Result<Response, ApiError> {
    let (checkpoints, genesis) = (checkpoints(heights)?, Arc::clone(&api.context.genesis));
    let read = move |reader: &probata_ledger::LedgerReader| {
        let file = assemble_absence(reader, &genesis, claim, (checkpoints, wall_clock()))?;
        file.to_json().map_err(|error| ApiError::internal(&error))
    };
    let text = api.read(read).await?;
    Ok(([(CONTENT_TYPE, "application/json")], text).into_response())
}

impl From<Untrue> for ApiError {
    fn from(untrue: Untrue) -> Self {
        match untrue {
            Untrue::Assemble(error) => error.into(),
            untrue => Self::new(Problem::NotFound, untrue.to_string()),
        }
    }
}
