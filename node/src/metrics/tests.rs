use super::*;
use crate::{
    fixtures::{SUITE, TestLedger},
    network::{NodeId, PeerStats},
};
use probata_types::{
    Hash, Header, Height, List, Proposal, ProposalParts, Seal, Timestamp, ValidatorIndex, View,
};
use std::collections::BTreeMap;

fn status() -> ChainStatus {
    ChainStatus {
        height: Height::new(7),
        history_from: Height::new(3),
        header: None,
        view: View::new(2),
        leader: ValidatorIndex(1),
        me: None,
        changing_view: false,
        view_changes: 3,
        pending_submissions: 4,
        pending_records: 40,
        highest_seen: Height::new(9),
        sealed_at: Timestamp::new(5),
        clock_off_ms: Some(-3_000),
        halted: Some("why".into()),
        faults: Vec::new(),
        faults_on_chain: 2,
        membership: TestLedger::new().membership(),
        peers: BTreeMap::new(),
    }
}

fn mesh() -> MeshStats {
    let lane = LaneStats { sent_frames: 10, dropped_bytes: 3, ..LaneStats::default() };
    let peer = |seed: u8, connected_for| PeerStats {
        node: NodeId::from_secret([seed; 32]),
        validator: true,
        connected_for,
        reconnects: 1,
        violations: 0,
        round_trip: None,
        requests_sent: 0,
        requests_served: 0,
        requests_refused: 0,
        consensus: lane,
        bulk: LaneStats::default(),
    };
    let peers = vec![peer(1, Some(Duration::from_secs(1))), peer(2, None)];
    MeshStats { refused_connections: 6, peers }
}

fn block(outcomes: Vec<Outcome>) -> SealedBlock {
    let zero = Hash::ZERO;
    let header = Header {
        version: 1,
        suite: SUITE,
        chain: zero,
        height: Height::new(1),
        time: Timestamp::new(1),
        parent: zero,
        submission_count: 2,
        submissions_root: zero,
        record_count: u32::try_from(outcomes.len()).unwrap(),
        outcomes_root: zero,
        state_root: zero,
        history_root: zero,
        validators: zero,
        next_validators: zero,
        proposer: ValidatorIndex(0),
    };
    let proposal = Proposal::from(ProposalParts {
        suite: SUITE,
        chain: zero,
        height: header.height,
        parent: zero,
        time: header.time,
        proposer: ValidatorIndex(0),
        submissions: List::empty(),
    });
    let seal = Seal { view: View::ZERO, votes: List::empty() };
    SealedBlock { header, seal, proposal, outcomes: List::new(outcomes).unwrap() }
}

fn page(metrics: &Metrics) -> String {
    let (chain, mesh, ledger) = (status(), mesh(), Counters::default());
    metrics.render(Snapshot { chain: &chain, mesh: &mesh, ledger: &ledger }).unwrap()
}

#[test]
fn what_happens_is_counted_and_what_is_is_read() {
    let metrics = Metrics::new();
    let rejected = || Outcome::Rejected { code: Code(12) };
    let accepted = Outcome::Accepted { findings: List::empty() };
    metrics.sealed(&block(vec![accepted, rejected(), rejected()]), Some(Duration::from_millis(3)));
    metrics.executed(Duration::from_millis(1));
    metrics.committed(Duration::from_millis(2));
    metrics.fault();
    metrics.ignored();
    metrics.journal_synced();
    metrics.refused("quota");
    metrics.refused_frame("bulk_bytes");
    metrics.answered("/v1/records/{id}", 404, Duration::from_millis(1));
    let page = page(&metrics);
    for line in [
        "probata_sealed_blocks_total 1",
        "probata_sealed_submissions_total 2",
        "probata_sealed_records_total 3",
        "probata_rejected_records_total{code=\"12\"} 2",
        "probata_seal_seconds_bucket{le=\"0.004\"} 1",
        "probata_execute_seconds_count 1",
        "probata_commit_seconds_count 1",
        "probata_faults_total 1",
        "probata_faults_on_chain 2",
        "probata_history_from 3",
        "probata_ignored_messages_total 1",
        "probata_journal_syncs_total 1",
        "probata_refused_submissions_total{reason=\"quota\"} 1",
        "probata_refused_frames_total{reason=\"bulk_bytes\"} 1",
        "probata_api_requests_total{route=\"/v1/records/{id}\",status=\"404\"} 1",
        "probata_api_request_seconds_count{route=\"/v1/records/{id}\"} 1",
        "probata_height 7",
        "probata_highest_seen 9",
        "probata_view 2",
        "probata_view_changes_total 3",
        "probata_halted 1",
        "probata_pending_submissions 4",
        "probata_pending_records 40",
        "probata_peers 2",
        "probata_peers_connected 1",
        "probata_mesh_refused_connections_total 6",
        "probata_mesh_reconnects_total 2",
        "probata_mesh_sent_frames_total{lane=\"consensus\"} 20",
        "probata_mesh_dropped_bytes_total{lane=\"bulk\"} 0",
        "probata_ledger_syncs_total 0",
    ] {
        assert!(page.lines().any(|one| one == line), "{line} is missing in\n{page}");
    }
    assert!(page.ends_with("# EOF\n"));
}

#[test]
fn each_name_is_served_once() {
    let page = page(&Metrics::new());
    let mut names: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(names.iter().all(|name| name.starts_with("probata_")));
}
