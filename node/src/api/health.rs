//! `/health` and `/metrics`: for those who watch the node.

use super::{Api, ApiError, answer::HealthAnswer, wall_clock};
use crate::{handle::ChainStatus, metrics::Snapshot};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use probata_genesis::Parameters;
use probata_types::{Millis, Timestamp};
use std::sync::Arc;

pub(super) async fn health(State(api): State<Arc<Api>>) -> Response {
    let status = api.context.chain.status();
    let health = judge(&status, api.context.genesis.parameters(), wall_clock());
    let code = if health.healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(health)).into_response()
}

pub(super) async fn metrics(State(api): State<Arc<Api>>) -> Result<Response, ApiError> {
    let (chain, mesh) = (api.context.chain.status(), api.context.mesh.stats());
    let ledger = api.context.reader.counters();
    let now = Snapshot { chain: &chain, mesh: &mesh, ledger: &ledger };
    let page = api.context.metrics.render(now).map_err(|error| ApiError::internal(&error))?;
    let form = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, form)], page).into_response())
}

/// How long a healthy node may go without a seal: the silence of an idle chain, and twice the
/// longest view for a leader that fails and the view change after it.
fn bound(parameters: &Parameters) -> Millis {
    let views = parameters.view_timeout_cap.saturating_add(parameters.view_timeout_cap.get());
    parameters.heartbeat.saturating_add(views.get())
}

/// Whether a node sealed within the bound, is not halted, and has a clock by which it can vote.
fn judge(status: &ChainStatus, parameters: &Parameters, now: Timestamp) -> HealthAnswer {
    let bound_ms = bound(parameters).get();
    let sealed_ms_ago = now.since(status.sealed_at);
    let clock_off_ms = status.clock_off_ms;
    let why = match &status.halted {
        Some(reason) => Some(format!("halted: {reason}")),
        None => clock_off_ms.map(|off| {
            format!(
                "the clock is off by {off} ms (or, if ahead, links are slow): this node follows and does \
                 not vote"
            )
        }),
    };
    // A clock that is off explains a seal that seems old.
    let why = why.or_else(|| {
        (sealed_ms_ago > bound_ms).then(|| {
            format!(
                "no seal for {sealed_ms_ago} ms, where a chain that lives seals every {bound_ms} ms"
            )
        })
    });
    let healthy = why.is_none();
    HealthAnswer { healthy, why, height: status.height, sealed_ms_ago, bound_ms, clock_off_ms }
}
