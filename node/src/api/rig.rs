//! A node's API over a real ledger, with a chain thread that tests steer.

use super::{Api, ApiContext, routes};
use crate::{
    edge::Edge,
    evidence::{ProvenBlock, RecentBlocks},
    fixtures::{TestLedger, consent, flow, submission},
    handle::{Admission, ChainHandle, ChainStatus, Command, CommandQueue, Refusal},
    limits,
    mempool::{BlockLimits, Mempool, MempoolLimits},
    metrics::Metrics,
    network::{self, MeshConfig},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header::CONTENT_TYPE},
};
use probata_contracts::Screening;
use probata_types::{
    Height, Millis, Record, RecordId, Submission, Timestamp, ValidatorIndex, Verified, View,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tokio::sync::{oneshot, watch};
use tower::ServiceExt as _;

/// What the chain thread does with what it is offered.
#[derive(Debug, Clone)]
pub(super) enum Mode {
    /// Judges it by the contracts, takes it, and seals at once.
    Seal,
    /// Takes it and seals when told to.
    Hold,
    /// Takes it, and tells nobody what becomes of it.
    Forget,
    /// Refuses it.
    Refuse(Refusal),
    /// Says nothing at all.
    Silent,
}

const NO_LIMIT: BlockLimits =
    BlockLimits { submissions: usize::MAX, records: usize::MAX, bytes: usize::MAX };

/// The parts that a test reaches into.
pub(super) struct Rig {
    pub(super) api: Arc<Api>,
    pub(super) chain: Arc<Mutex<TestChain>>,
    router: Router,
}

/// An answer, read whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Vec<u8>,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    /// The stable code of an error.
    pub(super) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap().to_owned()
    }
}

pub(super) struct TestChain {
    pub(super) mode: Mode,
    pub(super) ledger: TestLedger,
    mempool: Mempool<Arc<ProvenBlock>>,
    recent: Arc<RecentBlocks>,
    status: watch::Sender<ChainStatus>,
    silenced: Vec<oneshot::Sender<Vec<Admission>>>,
}

impl TestChain {
    /// Changes the status that the node shows.
    pub(super) fn show(&self, change: impl FnOnce(&mut ChainStatus)) {
        self.status.send_modify(change);
    }

    /// Seals everything that waits.
    pub(super) fn seal(&mut self) {
        let batch = self.mempool.next_block(NO_LIMIT, Timestamp::ZERO);
        self.seal_these(batch);
    }

    /// Seals a block of these.
    pub(super) fn seal_these(&mut self, submissions: Vec<Submission>) {
        let block = self.ledger.seal(submissions);
        let ids: Vec<_> = block.proposal.submissions.iter().map(Submission::id).collect();
        let proven = Arc::new(ProvenBlock::new(block.clone()));
        self.recent.push(proven.proofs());
        self.mempool.remove_sealed(&ids, &proven);
        self.status.send_modify(|status| {
            status.height = block.header.height;
            status.sealed_at = super::wall_clock();
            status.header = Some(block.header);
        });
    }

    /// Expires everything that waits.
    pub(super) fn expire(&mut self) {
        self.mempool.expire(Timestamp::MAX);
    }

    fn offered(&mut self, submission: Verified<Submission>) -> Option<Admission> {
        match self.mode.clone() {
            Mode::Silent => return None,
            Mode::Refuse(refusal) => return Some(Admission::Refused(refusal)),
            Mode::Forget => return Some(Admission::Pending(oneshot::channel().1)),
            Mode::Seal | Mode::Hold => {}
        }
        let id = submission.id();
        if let Some(place) = self.ledger.ledger.reader().submission(&id).unwrap() {
            return Some(Admission::Sealed(place.height));
        }
        let (height, time) = (self.ledger.ledger.head().height.next(), self.ledger.time());
        let judged = Screening::new(&self.ledger.ledger, height, time).of(&submission).unwrap();
        if let Err(rejection) = judged {
            return Some(Admission::Refused(Refusal::Rejected { code: rejection.code }));
        }
        if let Err(refusal) = self.mempool.admit(submission, Millis::ZERO) {
            return Some(Admission::Refused(refusal));
        }
        let (waiter, sealed) = oneshot::channel();
        self.mempool.wait(&id, waiter);
        if matches!(self.mode, Mode::Seal) {
            self.seal();
        }
        Some(Admission::Pending(sealed))
    }
}

async fn run(chain: Arc<Mutex<TestChain>>, mut queue: CommandQueue) {
    while let Some(command) = queue.next().await {
        let Command::Submit { submissions, answer: Some(answer) } = command else { continue };
        let mut chain = chain.lock().unwrap();
        let admissions = submissions.into_iter().map(|one| chain.offered(one)).collect();
        match admissions {
            Some(admissions) => drop(answer.send(admissions)),
            None => chain.silenced.push(answer),
        }
    }
}

impl Rig {
    /// A node whose chain holds nothing yet, and seals at once.
    pub(super) fn new() -> Self {
        let ledger = TestLedger::new();
        let (status, watched) = watch::channel(ChainStatus {
            height: Height::ZERO,
            history_from: Height::new(1),
            header: None,
            view: View::ZERO,
            leader: ValidatorIndex(0),
            me: Some(ValidatorIndex(0)),
            changing_view: false,
            view_changes: 0,
            pending_submissions: 0,
            pending_records: 0,
            highest_seen: Height::ZERO,
            sealed_at: super::wall_clock(),
            clock_off_ms: None,
            halted: None,
            faults: Vec::new(),
            faults_on_chain: 0,
            membership: ledger.membership(),
            peers: BTreeMap::new(),
        });
        let (handle, queue) = ChainHandle::new(watched);
        let recent = Arc::<RecentBlocks>::default();
        let mesh = network::start(MeshConfig {
            secret: [1; 32],
            listen: Vec::new(),
            peers: Vec::new(),
            chain: *ledger.genesis.chain().as_bytes(),
        });
        let api = Arc::new(Api::new(ApiContext {
            genesis: Arc::clone(&ledger.genesis),
            reader: ledger.ledger.reader(),
            chain: handle,
            mesh: mesh.unwrap().handle,
            metrics: Arc::new(Metrics::new()),
            edge: Arc::new(Edge::new(ledger.genesis.chain(), Arc::default())),
            recent: Arc::clone(&recent),
        }));
        let mempool = Mempool::new(MempoolLimits {
            pending_per_institution: 2,
            total_bytes: limits::MEMPOOL_BYTES,
            total_submissions: 4,
        });
        let silenced = Vec::new();
        let chain = TestChain { mode: Mode::Seal, ledger, mempool, recent, status, silenced };
        let chain = Arc::new(Mutex::new(chain));
        tokio::spawn(run(Arc::clone(&chain), queue));
        Self { router: routes(&api), api, chain }
    }

    /// Makes the chain thread behave in a way from now on.
    pub(super) fn set(&self, mode: Mode) {
        self.chain.lock().unwrap().mode = mode;
    }

    /// A consent of bank 1 that opens flow `number`.
    pub(super) fn record(&self, number: u8) -> Record {
        let at = self.chain.lock().unwrap().ledger.time();
        consent(1, flow(number), 1, RecordId::NONE, at)
    }

    /// A submission of bank 1 with one record, which opens flow `number`.
    pub(super) fn submission(&self, number: u8) -> Submission {
        let record = self.record(number);
        let chain = self.chain.lock().unwrap();
        let at = chain.ledger.time();
        submission(chain.ledger.genesis.chain(), 1, number.into(), at, vec![record])
    }

    pub(super) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 64 * 1_024 * 1_024).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    pub(super) async fn get(&self, uri: &str) -> Answer {
        self.ask(Request::get(uri).body(Body::empty()).unwrap()).await
    }

    /// Posts a body as JSON.
    pub(super) async fn post(&self, uri: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(uri).header(CONTENT_TYPE, "application/json");
        self.ask(request.body(body.into()).unwrap()).await
    }

    /// Submits as JSON, with a default wait.
    pub(super) async fn submit(&self, submission: &Submission) -> Answer {
        self.post("/v1/submissions", serde_json::to_vec(submission).unwrap()).await
    }
}
