//! Count what the node does. Every name that `/metrics` serves stands in this file.
//!
//! What happens is counted where it happens, by one method for each kind of event. What merely *is*
//! (height, peers, queues) is read when somebody asks, from the status of the chain and of the
//! mesh.

use crate::{
    handle::ChainStatus,
    limits,
    network::{LaneStats, MeshStats, NodeId},
};
use probata_ledger::Counters;
use probata_types::{Height, Outcome, SealedBlock, outcome::Code};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use std::{fmt, time::Duration};

/// Before every name.
const PREFIX: &str = "probata";

/// The counters of a node. Shared by its threads; every method is cheap.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    blocks: Counter,
    submissions: Counter,
    records: Counter,
    rejected: Family<CodeLabel, Counter>,
    seal_time: Histogram,
    execute_time: Histogram,
    commit_time: Histogram,
    faults: Counter,
    ignored: Counter,
    journal_syncs: Counter,
    asked_for: Counter,
    snapshots: Counter,
    snapshots_failed: Counter,
    snapshot_height: Gauge,
    refused_peers: Family<PeerLabel, Counter>,
    refused: Family<ReasonLabel, Counter>,
    refused_frames: Family<ReasonLabel, Counter>,
    requests: Family<RequestLabel, Counter>,
    request_time: Family<RouteLabel, Histogram, fn() -> Histogram>,
}

/// How the parts of the node fare; read when `/metrics` is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot<'a> {
    /// The chain thread.
    pub chain: &'a ChainStatus,
    /// The mesh.
    pub mesh: &'a MeshStats,
    /// The ledger.
    pub ledger: &'a Counters,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PeerLabel {
    peer: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabel {
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LaneLabel {
    lane: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All counters at zero.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix(PREFIX),
            blocks: Counter::default(),
            submissions: Counter::default(),
            records: Counter::default(),
            rejected: Family::default(),
            seal_time: seconds(),
            execute_time: seconds(),
            commit_time: seconds(),
            faults: Counter::default(),
            ignored: Counter::default(),
            journal_syncs: Counter::default(),
            asked_for: Counter::default(),
            snapshots: Counter::default(),
            snapshots_failed: Counter::default(),
            snapshot_height: Gauge::default(),
            refused_peers: Family::default(),
            refused: Family::default(),
            refused_frames: Family::default(),
            requests: Family::default(),
            request_time: Family::new_with_constructor(seconds),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let all = &mut self.registry;
        all.register("sealed_blocks", "Blocks sealed since the start", self.blocks.clone());
        all.register(
            "sealed_submissions",
            "Submissions sealed since the start",
            self.submissions.clone(),
        );
        all.register("sealed_records", "Records sealed since the start", self.records.clone());
        all.register(
            "rejected_records",
            "Sealed records that a rule rejected, by its code",
            self.rejected.clone(),
        );
        let help = "From the parent's seal, or the first waiting submission if later, to the seal";
        all.register("seal_seconds", help, self.seal_time.clone());
        all.register("execute_seconds", "Time to execute a proposal", self.execute_time.clone());
        let help = "Time to append, sync and apply a block";
        all.register("commit_seconds", help, self.commit_time.clone());
        all.register("faults", "Provable misdeeds of validators seen", self.faults.clone());
        let help = "Consensus messages that changed nothing";
        all.register("ignored_messages", help, self.ignored.clone());
        let help = "Syncs of the journal, each before something is promised";
        all.register("journal_syncs", help, self.journal_syncs.clone());
        let help = "Submissions that a proposal named, were not here, and were asked for";
        all.register("asked_for_submissions", help, self.asked_for.clone());
        self.register_history();
        let all = &mut self.registry;
        let help = "Submissions that were not taken, by reason";
        all.register("refused_submissions", help, self.refused.clone());
        let help = "What peers sent and nobody can use, by what is wrong";
        all.register("refused_frames", help, self.refused_frames.clone());
        let help = "Requests to the HTTP API, by route and status";
        all.register("api_requests", help, self.requests.clone());
        let help = "Time to answer a request to the HTTP API, by route";
        all.register("api_request_seconds", help, self.request_time.clone());
    }

    /// What is about snapshots and older blocks.
    fn register_history(&mut self) {
        let all = &mut self.registry;
        all.register("snapshots_written", "Snapshots written", self.snapshots.clone());
        let help = "Snapshots that could not be written";
        all.register("snapshots_failed", help, self.snapshots_failed.clone());
        let help = "Height of the newest snapshot that was written since the start";
        all.register("snapshot_height", help, self.snapshot_height.clone());
        let help = "Peers that handed over parts of snapshots or older blocks that do not hold";
        all.register("refused_peers", help, self.refused_peers.clone());
    }

    /// A block was sealed. `waited` is the time from when its oldest submission could have been
    /// sealed, or from the seal before if that is later; `None` for a block that was fetched or is
    /// empty.
    pub fn sealed(&self, block: &SealedBlock, waited: Option<Duration>) {
        self.blocks.inc();
        self.submissions.inc_by(u64::from(block.header.submission_count));
        self.records.inc_by(u64::from(block.header.record_count));
        for outcome in &block.outcomes {
            if let Outcome::Rejected { code: Code(code) } = outcome {
                self.rejected.get_or_create(&CodeLabel { code: *code }).inc();
            }
        }
        if let Some(waited) = waited {
            self.seal_time.observe(waited.as_secs_f64());
        }
    }

    /// A proposal was executed.
    pub fn executed(&self, took: Duration) {
        self.execute_time.observe(took.as_secs_f64());
    }

    /// A block was appended, synced and applied.
    pub fn committed(&self, took: Duration) {
        self.commit_time.observe(took.as_secs_f64());
    }

    /// A validator's provable misdeed was seen.
    pub fn fault(&self) {
        self.faults.inc();
    }

    /// What was promised was synced.
    pub fn journal_synced(&self) {
        self.journal_syncs.inc();
    }

    /// A consensus message changed nothing.
    pub fn ignored(&self) {
        self.ignored.inc();
    }

    /// A proposal named so many submissions that were not here and were asked for.
    pub fn asked_for_submissions(&self, count: usize) {
        self.asked_for.inc_by(count as u64);
    }

    /// A snapshot of this height was written.
    pub fn snapshot_written(&self, height: Height) {
        self.snapshots.inc();
        self.snapshot_height.set(height.get().cast_signed());
    }

    /// A snapshot could not be written.
    pub fn snapshot_failed(&self) {
        self.snapshots_failed.inc();
    }

    /// A peer handed over what does not hold, and is not asked again.
    pub fn refused_peer(&self, peer: &NodeId) {
        self.refused_peers.get_or_create(&PeerLabel { peer: peer.to_string() }).inc();
    }

    /// A submission was not taken; `reason` is a code of the API's errors.
    pub fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// What a peer sent was refused.
    pub fn refused_frame(&self, reason: &'static str) {
        self.refused_frames.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// A request was answered. `route` is the route's pattern, never what the client wrote.
    pub fn answered(&self, route: &str, status: u16, took: Duration) {
        let route = route.to_owned();
        let label = RequestLabel { route: route.clone(), status };
        self.requests.get_or_create(&label).inc();
        self.request_time.get_or_create(&RouteLabel { route }).observe(took.as_secs_f64());
    }

    /// What has happened so far, without what merely is.
    #[cfg(test)]
    pub(crate) fn events(&self) -> String {
        let mut page = String::new();
        text::encode_registry(&mut page, &self.registry).unwrap();
        page
    }

    /// Everything in the OpenMetrics text format.
    ///
    /// # Errors
    /// [`fmt::Error`] only if a metric cannot be written as text, which none of these does.
    pub fn render(&self, now: Snapshot<'_>) -> Result<String, fmt::Error> {
        let mut page = String::new();
        text::encode_registry(&mut page, &self.registry)?;
        text::encode_registry(&mut page, &gauges(now))?;
        text::encode_eof(&mut page)?;
        Ok(page)
    }
}

/// From 1 ms to 33 s.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, limits::HISTOGRAM_BUCKETS))
}

/// What is now, as a registry that is made for one answer.
fn gauges(now: Snapshot<'_>) -> Registry {
    let mut all = Registry::with_prefix(PREFIX);
    let Snapshot { chain, mesh, ledger } = now;
    let mut gauge = |name: &str, help: &str, value: u64| {
        all.register(name, help, ConstGauge::new(value.cast_signed()));
    };
    gauge("height", "Last sealed height", chain.height.get());
    gauge("history_from", "First block that is here", chain.history_from.get());
    gauge("highest_seen", "Highest height that a peer has spoken of", chain.highest_seen.get());
    gauge("view", "View of this node", chain.view.get());
    gauge("leader", "Position of the leader of the next height", u64::from(chain.leader.0));
    gauge("changing_view", "1 between two views", u64::from(chain.changing_view));
    gauge("halted", "1 if the node no longer votes or follows", u64::from(chain.halted.is_some()));
    gauge("clock_is_off", "1 if a quorum sealed what this clock refused", {
        u64::from(chain.clock_off_ms.is_some())
    });
    let help = "When this node last sealed, in milliseconds since 1970";
    gauge("sealed_at_milliseconds", help, chain.sealed_at.get());
    gauge("pending_submissions", "Submissions that wait", chain.pending_submissions as u64);
    gauge("pending_records", "Records of these", chain.pending_records as u64);
    let connected = mesh.peers.iter().filter(|peer| peer.connected_for.is_some()).count();
    gauge("faults_on_chain", "Faults that the chain has recorded", chain.faults_on_chain);
    gauge("peers", "Nodes that genesis names, without this one", mesh.peers.len() as u64);
    gauge("peers_connected", "Nodes that are connected", connected as u64);
    let help = "This node's clock beyond a quorum's, in milliseconds; 0 within what genesis allows";
    let off = ConstGauge::new(chain.clock_off_ms.unwrap_or_default());
    all.register("clock_off_milliseconds", help, off);
    let mut counter = |name: &str, help: &str, value: u64| {
        all.register(name, help, ConstCounter::new(value));
    };
    counter("view_changes", "Views left without a seal", chain.view_changes);
    let help = "Connections from outside that were refused";
    counter("mesh_refused_connections", help, mesh.refused_connections);
    let reconnects = mesh.peers.iter().map(|peer| peer.reconnects).sum();
    counter("mesh_reconnects", "Peers connected again after they were lost", reconnects);
    let violations = mesh.peers.iter().map(|peer| peer.violations).sum();
    counter("mesh_violations", "Times that a peer broke the framing", violations);
    let help = "Blocks appended to the log, each with one sync";
    counter("ledger_syncs", help, ledger.blocks);
    counter("ledger_bytes", "Bytes appended to the log", ledger.bytes);
    counter("ledger_checkpoints", "Checkpoints of what is derived", ledger.checkpoints);
    let help = "Older blocks that a node fetched which began from a snapshot";
    counter("ledger_older_blocks", help, ledger.older);
    lanes(&mut all, mesh);
    all
}

/// The two lanes of the mesh, each summed over all peers.
fn lanes(all: &mut Registry, mesh: &MeshStats) {
    type Read = fn(&LaneStats) -> u64;
    let counters: [(&str, &str, Read); 6] = [
        ("mesh_sent_frames", "Frames handed to connections", |lane| lane.sent_frames),
        ("mesh_sent_bytes", "Bytes of those frames", |lane| lane.sent_bytes),
        ("mesh_received_frames", "Frames received whole", |lane| lane.received_frames),
        ("mesh_received_bytes", "Bytes of those frames", |lane| lane.received_bytes),
        ("mesh_dropped_frames", "Frames accepted and not sent", |lane| lane.dropped_frames),
        ("mesh_dropped_bytes", "Bytes of those frames", |lane| lane.dropped_bytes),
    ];
    for (name, help, read) in counters {
        let family = Family::<LaneLabel, Counter>::default();
        let consensus = mesh.peers.iter().map(|peer| read(&peer.consensus)).sum();
        let bulk = mesh.peers.iter().map(|peer| read(&peer.bulk)).sum();
        family.get_or_create(&LaneLabel { lane: "consensus" }).inc_by(consensus);
        family.get_or_create(&LaneLabel { lane: "bulk" }).inc_by(bulk);
        all.register(name, help, family);
    }
}

#[cfg(test)]
mod tests;
