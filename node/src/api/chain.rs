//! Headers, validators, status, peers, genesis, catalogue: the chain itself.

use super::{
    Api, ApiError, Problem,
    answer::{
        CatalogueAnswer, CodeView, EpochsAnswer, HeaderAnswer, HeadersAnswer, PeerView,
        PeersAnswer, SealedHeader, StatusAnswer, ValidatorView, ValidatorsAnswer,
    },
    parameters::{self, Named, NoParameters, Parameters, page_size},
};
use crate::{evidence::set_changes, network::NodeId};
use axum::{
    Json,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use probata_genesis::{Genesis, Name};
use probata_ledger::LedgerReader;
use probata_types::{
    InstitutionId, PublicKey,
    body::Profile,
    catalogue::{failure, finding},
    state::{StateKey, StateValue},
};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Query parameters of a page of headers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeadersParameters {
    /// The first height; 1 if left out.
    from: Option<u64>,
    /// Headers on the page.
    limit: Option<usize>,
}

pub(super) async fn headers(
    State(api): State<Arc<Api>>,
    Parameters(wanted): Parameters<HeadersParameters>,
) -> Result<Json<HeadersAnswer>, ApiError> {
    let from = parameters::height("from", wanted.from.unwrap_or(1).max(1))?;
    let limit = page_size(wanted.limit)?;
    let answer = api.read(move |reader| {
        let complete_to = reader.head().height;
        let mut headers = Vec::new();
        let mut height = from;
        while height <= complete_to && headers.len() < limit {
            // A height up to the head is sealed.
            let Some(sealed) = reader.sealed_header(height)? else { break };
            headers.push(SealedHeader::new(sealed));
            height = height.next();
        }
        let next = (height <= complete_to).then_some(height);
        Ok(HeadersAnswer { headers, next, complete_to })
    });
    answer.await.map(Json)
}

pub(super) async fn header(
    State(api): State<Arc<Api>>,
    Named(height): Named<u64>,
    Parameters(NoParameters {}): Parameters<NoParameters>,
) -> Result<Json<HeaderAnswer>, ApiError> {
    let height = parameters::height("the height", height)?;
    let answer = api.read(move |reader| {
        let complete_to = reader.head().height;
        let sealed = reader.sealed_header(height)?.map(SealedHeader::new);
        Ok(sealed.map(|sealed| HeaderAnswer { sealed, complete_to }))
    });
    answer.await?.map(Json).ok_or_else(|| {
        ApiError::new(Problem::NotFound, format!("no block of height {height} is sealed"))
    })
}

pub(super) async fn validators(
    State(api): State<Arc<Api>>,
    Parameters(NoParameters {}): Parameters<NoParameters>,
) -> Result<Json<ValidatorsAnswer>, ApiError> {
    let membership = api.context.chain.status().membership;
    let complete_to = api.head();
    let genesis = Arc::clone(&api.context.genesis);
    let answer = api.read(move |reader| {
        let set = membership.set();
        let mut names = BTreeMap::new();
        for (_, validator) in set.iter() {
            let id = validator.institution;
            names.extend(name(&genesis, reader, &id)?.map(|name| (id, name)));
        }
        Ok(ValidatorsAnswer {
            epoch: membership.epoch.number,
            first: membership.epoch.first,
            n: set.size(),
            f: set.faulty(),
            q: set.quorum(),
            hash: membership.hash,
            validators: ValidatorView::all(set, |id| names.get(id).cloned()),
            next: membership.next.clone(),
            complete_to,
        })
    });
    answer.await.map(Json)
}

pub(super) async fn epochs(
    State(api): State<Arc<Api>>,
    Parameters(NoParameters {}): Parameters<NoParameters>,
) -> Result<Json<EpochsAnswer>, ApiError> {
    let answer = api.read(move |reader| {
        let complete_to = reader.head().height;
        let changes = set_changes(reader, complete_to).map_err(|e| ApiError::internal(&e))?;
        Ok(EpochsAnswer { changes, complete_to })
    });
    answer.await.map(Json)
}

/// What an institution is called: by genesis, or by the motion that admitted it.
fn name(
    genesis: &Genesis,
    reader: &LedgerReader,
    id: &InstitutionId,
) -> Result<Option<Name>, ApiError> {
    if let Some(entry) = genesis.institution(id) {
        return Ok(Some(entry.name.clone()));
    }
    let (value, _) = reader.state(&StateKey::Profile(*id))?;
    Ok(match value {
        Some(StateValue::Profile(profile)) => {
            let Profile { zh, en, .. } = *profile;
            Some(Name { zh, en })
        }
        _ => None,
    })
}

pub(super) async fn status(
    State(api): State<Arc<Api>>,
    Parameters(NoParameters {}): Parameters<NoParameters>,
) -> Json<StatusAnswer> {
    let complete_to = api.head();
    let status = api.context.chain.status();
    let (genesis, mesh) = (&api.context.genesis, &api.context.mesh);
    let header = status.header.as_ref();
    Json(StatusAnswer {
        chain: genesis.chain(),
        chain_name: genesis.chain_name().to_string(),
        version: env!("CARGO_PKG_VERSION"),
        height: status.height,
        history_from: status.history_from,
        header: header.map_or(genesis.chain(), |header| header.hash()),
        state_root: header.map(|header| header.state_root),
        time: header.map(|header| header.time),
        sealed_at: status.sealed_at,
        highest_seen: status.highest_seen,
        view: status.view,
        changing_view: status.changing_view,
        view_changes: status.view_changes,
        leader: ValidatorView::all(status.membership.set(), |id| {
            genesis.institution(id).map(|entry| entry.name.clone())
        })
        .into_iter()
        .find(|one| one.index == status.leader),
        me: status.me,
        node: PublicKey(*mesh.node().as_bytes()),
        peers_connected: mesh.connected().len(),
        peers: mesh.stats().peers.len(),
        pending: status.pending_submissions,
        clock_off_ms: status.clock_off_ms,
        halted: status.halted,
        complete_to,
    })
}

pub(super) async fn peers(
    State(api): State<Arc<Api>>,
    Parameters(NoParameters {}): Parameters<NoParameters>,
) -> Json<PeersAnswer> {
    let status = api.context.chain.status();
    let nodes: BTreeMap<NodeId, InstitutionId> =
        status.membership.nodes().map(|member| (member.node, member.institution)).collect();
    let peers = api.context.mesh.stats().peers.into_iter().map(|peer| PeerView {
        node: PublicKey(*peer.node.as_bytes()),
        institution: nodes.get(&peer.node).copied(),
        height: status.peers.get(&peer.node).copied(),
        validator: peer.validator,
        connected_ms: peer.connected_for.map(|length| whole(length.as_millis())),
        round_trip_us: peer.round_trip.map(|length: Duration| whole(length.as_micros())),
        reconnects: peer.reconnects,
        dropped_frames: peer.consensus.dropped_frames + peer.bulk.dropped_frames,
    });
    Json(PeersAnswer { peers: peers.collect(), complete_to: api.head() })
}

pub(super) async fn genesis(
    State(api): State<Arc<Api>>,
    Parameters(NoParameters {}): Parameters<NoParameters>,
) -> Response {
    ([(CONTENT_TYPE, "application/json")], api.context.genesis.to_json()).into_response()
}

pub(super) async fn catalogue(
    Parameters(NoParameters {}): Parameters<NoParameters>,
) -> Json<CatalogueAnswer> {
    Json(CatalogueAnswer {
        failures: failure::ALL.iter().map(CodeView::of_entry).collect(),
        findings: finding::ALL.iter().map(CodeView::of_entry).collect(),
    })
}

/// A length of time as JSON holds it.
fn whole(length: u128) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
