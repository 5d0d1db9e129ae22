//! The client: several nodes, one deadline, and no answer that was not checked.

use super::{
    answer,
    error::{ClientError, Failing, Refusal, Trial},
    http::{Ask, Reply, Transport},
    limits, random,
    seals::KnownSeals,
    sets::{Doubt, NotBelieved, ProvenSets},
    spool::Spool,
    together::Line,
};
use probata_genesis::Genesis;
use probata_types::{
    Checkpoint, Height, RecordId, evidence::EvidenceFile, object::FlowState, record::FlowId,
};
use std::{
    collections::BTreeMap,
    future::Future,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// What a client needs to know.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// Addresses of nodes' APIs, such as `http://127.0.0.1:7101`; tried in this order, and the one
    /// that works is kept.
    pub nodes: Vec<String>,
    /// The genesis document: the only thing that the client trusts.
    pub genesis: Genesis,
    /// Time for a call to have its verified answer; [`limits::DEADLINE`] if nothing speaks against
    /// it.
    pub deadline: Duration,
    /// Folder in which submissions wait from before they are sent until their receipt is verified.
    /// Without one, a crash may leave the caller not knowing what was recorded.
    pub spool: Option<PathBuf>,
}

/// Submits and reads. Clones share connections; calls may run at the same time.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    nodes: Vec<String>,
    genesis: Arc<Genesis>,
    deadline: Duration,
    spool: Option<Spool>,
    transport: Transport,
    preferred: AtomicUsize,
    /// What is on its way to each node.
    lines: Vec<Arc<Line>>,
    /// Nodes that asked for time before more is submitted to them, and until when.
    resting: Mutex<BTreeMap<usize, Instant>>,
    sets: RwLock<Arc<ProvenSets>>,
    seals: Arc<KnownSeals>,
}

impl Client {
    /// A client; nothing is sent yet.
    ///
    /// # Errors
    /// [`ClientError::Config`] without a usable node address, [`ClientError::Spool`] if the spool
    /// cannot be opened.
    pub fn new(config: ClientConfig) -> Result<Self, ClientError> {
        let nodes = config.nodes.iter().map(|node| address(node)).collect::<Result<Vec<_>, _>>()?;
        if nodes.is_empty() || nodes.len() > limits::NODES {
            let (got, max) = (nodes.len(), limits::NODES);
            return Err(ClientError::Config(format!("{got} nodes are named; name 1 to {max}")));
        }
        let spool = config.spool.as_deref().map(Spool::open).transpose()?;
        let sets = RwLock::new(Arc::new(ProvenSets::of_genesis(&config.genesis)));
        let lines = nodes.iter().map(|_| Arc::default()).collect();
        let inner = Inner {
            nodes,
            lines,
            sets,
            genesis: Arc::new(config.genesis),
            deadline: config.deadline,
            spool,
            transport: Transport::new().map_err(ClientError::Config)?,
            preferred: AtomicUsize::new(0),
            resting: Mutex::default(),
            seals: Arc::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The genesis document that this client trusts.
    pub fn genesis(&self) -> &Genesis {
        &self.inner.genesis
    }

    pub(super) fn genesis_shared(&self) -> Arc<Genesis> {
        Arc::clone(&self.inner.genesis)
    }

    pub(super) fn seals(&self) -> Arc<KnownSeals> {
        Arc::clone(&self.inner.seals)
    }

    pub(super) fn deadline(&self) -> Duration {
        self.inner.deadline
    }

    pub(super) fn nodes(&self) -> &[String] {
        &self.inner.nodes
    }

    /// The nodes with their places, the one first that answered last.
    pub(super) fn nodes_in_turn(&self) -> impl Iterator<Item = (usize, &str)> {
        let (nodes, first) = (&self.inner.nodes, self.inner.preferred.load(Ordering::Relaxed));
        (0..nodes.len()).map(move |step| {
            let at = (first + step) % nodes.len();
            (at, nodes[at].as_str())
        })
    }

    /// Notes that a node answered well.
    pub(super) fn prefer(&self, at: usize) {
        self.inner.preferred.store(at, Ordering::Relaxed);
    }

    /// What is on its way to a node.
    pub(super) fn line(&self, at: usize) -> &Arc<Line> {
        &self.inner.lines[at]
    }

    /// How much longer a node wants no submissions.
    pub(super) fn rest_of(&self, at: usize) -> Option<Duration> {
        let resting = self.inner.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let left = resting.get(&at)?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Notes that a node wants no submissions for so long, from no call of this client.
    pub(super) fn let_rest(&self, at: usize, time: Duration) {
        let mut resting = self.inner.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting.insert(at, Instant::now() + time);
    }

    /// The evidence file of a record, verified up to the validators that genesis leads to. With
    /// `events`, it lists every accepted record of the flow.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn evidence(
        &self,
        record: &RecordId,
        events: bool,
    ) -> Result<EvidenceFile, ClientError> {
        self.evidence_from(record, events, Vec::new()).await
    }

    /// The same, agreeing with at most two checkpoints, which it can be held against ever after.
    ///
    /// # Errors
    /// [`ClientError`]; of what a node tells that does not agree with them, that it is a lie.
    pub async fn evidence_from(
        &self,
        record: &RecordId,
        events: bool,
        checkpoints: Vec<Checkpoint>,
    ) -> Result<EvidenceFile, ClientError> {
        let mut path = format!("/v1/records/{record}/evidence?events={events}");
        for (at, checkpoint) in checkpoints.iter().enumerate() {
            let before = if at == 0 { "&checkpoints=" } else { "," };
            path += &format!("{before}{}", checkpoint.header.height);
        }
        let (genesis, record) = (Arc::clone(&self.inner.genesis), *record);
        self.ask(Ask::Read(path), move |bytes| {
            let file = answer::evidence((&genesis, &checkpoints), bytes)?;
            answer::is_of(&file, &record)?;
            Ok(file)
        })
        .await
    }

    /// A flow as it stands, proven under a sealed state root; `None` if no node has it.
    ///
    /// # Errors
    /// [`ClientError`]. The absence of a flow is what nodes say, not proven.
    pub async fn flow_state(&self, flow: &FlowId) -> Result<Option<FlowState>, ClientError> {
        let Some(record) = self.newest_in(flow).await? else { return Ok(None) };
        let file = self.evidence(&record, false).await?;
        if file.record.flow != *flow {
            let what = format!("flow {flow}: the node named a record of another flow");
            return Err(ClientError::NotFound(what));
        }
        Ok(file.state.map(|state| state.flow.value))
    }

    /// The records of a flow as a node lists them, in order. A list alone proves nothing; the
    /// evidence file of any of them, with events, proves that it is complete.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn flow(&self, flow: &FlowId) -> Result<Vec<serde_json::Value>, ClientError> {
        self.pages(&format!("/v1/flows/{flow}?"), "records").await
    }

    /// Records by one criterion, such as `type=loan_contract`, as a node lists them: hints, to be
    /// believed after their evidence.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn search(&self, criterion: &str) -> Result<Vec<serde_json::Value>, ClientError> {
        self.pages(&format!("/v1/search?{criterion}&"), "records").await
    }

    /// A node's word about itself and the chain. Nothing of it is proven.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn status(&self) -> Result<serde_json::Value, ClientError> {
        self.json("/v1/status".to_owned()).await
    }

    /// Sealed headers from a height on, their seals checked against the validators that genesis leads to.
    /// What the client knows of the validator set it learns from such answers: until one shows it a change,
    /// whoever holds the keys of a quorum of the set before can still deceive it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn headers(
        &self,
        from: Height,
        limit: usize,
    ) -> Result<Vec<answer::SealedHeader>, ClientError> {
        let path = format!("/v1/headers?from={from}&limit={limit}");
        let chain = self.genesis().chain();
        let believe =
            move |bytes: &[u8], sets: &ProvenSets| answer::headers((chain, sets), from, bytes);
        self.ask_with_sets(Ask::Read(path), believe).await
    }

    /// The faults of validators that a node shows, each proven: whose the seat was follows from genesis.
    ///
    /// # Errors
    /// [`ClientError`]. That there are no others is what nodes say, not proven.
    pub async fn faults(&self) -> Result<Vec<answer::FoundFault>, ClientError> {
        let (mut found, mut after) = (Vec::new(), String::new());
        for _ in 0..limits::PAGES {
            let path = format!("/v1/faults?limit={}{after}", limits::PAGE);
            let chain = self.genesis().chain();
            let believe =
                move |bytes: &[u8], sets: &ProvenSets| answer::faults((chain, sets), bytes);
            let (faults, next) = self.ask_with_sets(Ask::Read(path), believe).await?;
            found.extend(faults);
            match next {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        Ok(found)
    }

    /// The validator sets that are proven so far.
    pub(super) fn sets(&self) -> Arc<ProvenSets> {
        Arc::clone(&self.inner.sets.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps a walk that agrees with the one that is known, if it goes further.
    pub(super) fn keep_sets(&self, sets: ProvenSets) {
        let mut known = self.inner.sets.write().unwrap_or_else(PoisonError::into_inner);
        if sets.is_longer_than(&known) {
            *known = Arc::new(sets);
        }
    }

    /// What one node answers until `end`, not yet believed.
    pub(super) async fn ask_node(
        &self,
        node: &str,
        ask: &Ask,
        end: Instant,
    ) -> Result<Reply, String> {
        let left = end.saturating_duration_since(Instant::now());
        in_time(left, self.inner.transport.ask(node, ask, left)).await
    }

    pub(super) async fn newest_in(&self, flow: &FlowId) -> Result<Option<RecordId>, ClientError> {
        let records = match self.flow(flow).await {
            Err(ClientError::NotFound(_)) => return Ok(None),
            other => other?,
        };
        Ok(records
            .iter()
            .rev()
            .find_map(|entry| entry.get("id")?.as_str()?.parse::<RecordId>().ok()))
    }

    pub(super) async fn json(&self, path: String) -> Result<serde_json::Value, ClientError> {
        self.ask(Ask::Read(path), |bytes| {
            serde_json::from_slice(bytes).map_err(|error| error.to_string())
        })
        .await
    }

    /// All pages of a list, from `path` (which ends in `?` or `&`), of the entries under `list`.
    async fn pages(&self, path: &str, list: &str) -> Result<Vec<serde_json::Value>, ClientError> {
        let mut entries = Vec::new();
        let mut after = String::new();
        for _ in 0..limits::PAGES {
            let page = self.json(format!("{path}limit={}{after}", limits::PAGE)).await?;
            let items = page.get(list).and_then(serde_json::Value::as_array);
            entries.extend(items.into_iter().flatten().cloned());
            match page.get("next").and_then(serde_json::Value::as_str) {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(entries),
            }
        }
        Ok(entries)
    }

    pub(super) async fn with_spool<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Spool) -> Result<T, super::spool::SpoolError> + Send + 'static,
    ) -> Result<Option<T>, ClientError> {
        let Some(spool) = self.inner.spool.clone() else { return Ok(None) };
        Ok(Some(blocking(move || work(&spool)).await?))
    }

    /// Asks node after node until one gives an answer that `believe` accepts.
    async fn ask<T, B>(&self, ask: Ask, believe: B) -> Result<T, ClientError>
    where
        T: Send + 'static,
        B: Fn(&[u8]) -> Result<T, String> + Send + Sync + 'static,
    {
        self.ask_with_sets(ask, move |bytes, _| believe(bytes).map_err(Doubt::Lie)).await
    }

    /// The same, for answers that are judged by the validator sets.
    pub(super) async fn ask_with_sets<T, B>(&self, ask: Ask, believe: B) -> Result<T, ClientError>
    where
        T: Send + 'static,
        B: Fn(&[u8], &ProvenSets) -> Result<T, Doubt> + Send + Sync + 'static,
    {
        let inner = &self.inner;
        let end = Instant::now() + inner.deadline;
        let believe = Arc::new(believe);
        let mut rounds = Rounds::default();
        loop {
            for (at, node) in self.nodes_in_turn() {
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(ClientError::Unreachable(rounds.trials(&inner.nodes)));
                }
                if rounds.is_over_with(at) {
                    continue;
                }
                let patience = rounds.patience();
                let until = || end.min(Instant::now() + patience);
                let bytes = match self.ask_node(node, &ask, until()).await {
                    Ok(Reply::Answer(bytes)) => bytes,
                    other => {
                        rounds.note(at, other);
                        continue;
                    }
                };
                match self.believe((node, until()), bytes, &believe).await {
                    Ok(value) => {
                        self.prefer(at);
                        return Ok(value);
                    }
                    Err(NotBelieved::Lied(why)) => rounds.lied(at, node, why),
                    Err(NotBelieved::NoSets(reply)) => rounds.note(at, reply),
                }
            }
            if let Some(error) = rounds.verdict(&inner.nodes, Some(ask.path())) {
                return Err(error);
            }
            let left = end.saturating_duration_since(Instant::now());
            tokio::time::sleep(rounds.pause().min(left)).await;
        }
    }
}

/// What the nodes did in the rounds of one call.
#[derive(Default)]
pub(super) struct Rounds {
    last: BTreeMap<usize, Failing>,
    /// Whether a node had taken the submission, whatever was heard of it since.
    taken: bool,
    refusals: BTreeMap<usize, Refusal>,
    rounds: u32,
    retry_after: Duration,
}

impl Rounds {
    /// Whether asking the node again is of no use: it refused, or lied.
    pub(super) fn is_over_with(&self, at: usize) -> bool {
        matches!(self.last.get(&at), Some(Failing::Refused(_) | Failing::Lying(_)))
    }

    pub(super) fn lied(&mut self, at: usize, node: &str, why: String) {
        tracing::warn!(node, why, "a node's answer does not verify; asking the next one");
        self.last.insert(at, Failing::Lying(why));
    }

    pub(super) fn note(&mut self, at: usize, reply: Result<Reply, String>) {
        let failing = match reply {
            Ok(Reply::Answer(_)) => return,
            Ok(Reply::Pending) => {
                self.taken = true;
                Failing::Pending
            }
            Ok(Reply::Busy { why, after }) => {
                self.retry_after = self.retry_after.max(after.unwrap_or_default());
                Failing::Busy(why)
            }
            Ok(Reply::Refused(refusal)) => {
                let why = format!("{}: {}", refusal.code, refusal.message);
                self.refusals.insert(at, refusal);
                Failing::Refused(why)
            }
            Err(why) => Failing::Unreachable(why),
        };
        self.last.insert(at, failing);
    }

    /// Whether a node took the submission and did not say what became of it.
    pub(super) const fn is_pending(&self) -> bool {
        self.taken
    }

    /// The end of the call, once no node is worth asking again; `read` is what was to be read, if anything.
    pub(super) fn verdict(&self, nodes: &[String], read: Option<&str>) -> Option<ClientError> {
        // Who only reads does not wait for a node that is down when another one has said no twice.
        let read_twice = read.is_some() && self.rounds > 1;
        let said_no = read_twice && !self.refusals.is_empty();
        if !said_no && !(0..nodes.len()).all(|at| self.is_over_with(at)) {
            return None;
        }
        let Some(refusal) = self.refusals.values().next() else {
            return Some(ClientError::Unreachable(self.trials(nodes)));
        };
        if let (404, Some(path)) = (refusal.status, read) {
            return Some(ClientError::NotFound(path.to_owned()));
        }
        Some(ClientError::Refused(Box::new(refusal.clone())))
    }

    /// How long a node has for its answer in this round.
    pub(super) fn patience(&self) -> Duration {
        let doubled = limits::PATIENCE * 2u32.saturating_pow(self.rounds.min(16));
        doubled.min(limits::WAIT + limits::REQUEST)
    }

    /// How long to pause before the next round.
    pub(super) fn pause(&mut self) -> Duration {
        let doubled = limits::BACKOFF_FIRST * 2u32.saturating_pow(self.rounds.min(16));
        self.rounds += 1;
        let pause = random::jitter(doubled.min(limits::BACKOFF_LAST));
        // Those who were told the same time do not all come back at once.
        std::mem::take(&mut self.retry_after) + pause
    }

    pub(super) fn trials(&self, nodes: &[String]) -> Vec<Trial> {
        let last = self.last.iter();
        last.map(|(at, what)| Trial { node: nodes[*at].clone(), what: what.clone() }).collect()
    }
}

/// The address without a trailing slash, if it is one.
fn address(node: &str) -> Result<String, ClientError> {
    let url = reqwest::Url::parse(node)
        .map_err(|error| ClientError::Config(format!("node address {node:?}: {error}")))?;
    if url.scheme() != "http" || url.host_str().is_none() || url.query().is_some() {
        let example = "write it like http://127.0.0.1:7101";
        return Err(ClientError::Config(format!("node address {node:?} does not fit; {example}")));
    }
    Ok(node.trim_end_matches('/').to_owned())
}

async fn in_time(
    left: Duration,
    asked: impl Future<Output = Result<Reply, String>>,
) -> Result<Reply, String> {
    match tokio::time::timeout(left, asked).await {
        Ok(reply) => reply,
        Err(_) => Err("no answer in time".to_owned()),
    }
}

/// Runs work that takes the processor or the disk off the threads that serve connections.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down and drops the caller too.
            Err(_) => std::future::pending().await,
        },
    }
}
