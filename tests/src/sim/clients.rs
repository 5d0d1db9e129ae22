//! Institutions that submit: they send again what they got no answer to, and remember what was
//! acknowledged to them.

mod records;

use crate::{
    consortium::{self, Purpose, SUITE},
    governance,
    seed::Seeded,
};
use probata_client::sdk::{Author, FlowWriter};
use probata_node::evidence::ProvenBlock;
use probata_types::{
    Hash, Height, Keypair, List, Submission, SubmissionHead, SubmissionId, Timestamp,
    record::{FlowId, Record},
    submission::{IdempotencyKey, records_root},
};
use records::{consent, revocation, statement};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::sync::oneshot;

/// How long submissions live, in milliseconds: longer than any world.
const LIFETIME: u64 = 1_800_000;
/// How long those live that are meant to expire unsealed now and then.
const SHORT_LIFETIME: u64 = 700;

/// All clients of a world.
pub(super) struct Clients {
    chain: Hash,
    random: Seeded,
    /// Flows that a client opened and may write to again.
    flows: BTreeMap<u16, Vec<FlowWriter>>,
    /// What waits for its seal.
    open: BTreeMap<SubmissionId, Open>,
    /// What was acknowledged as sealed, and where.
    acknowledged: BTreeMap<SubmissionId, Height>,
    /// Keys that institutions have besides their first ones, which will not be good much longer.
    newer: BTreeMap<u16, Keypair>,
    /// What was signed anew with another key.
    replaced: BTreeSet<SubmissionId>,
    /// How many let go because they expired.
    pub(super) expired: u64,
}

/// A submission without an answer yet.
pub(super) struct Open {
    /// Whose.
    client: u16,
    pub(super) submission: Submission,
    /// Who was asked last and may still answer.
    waiting: Option<(usize, oneshot::Receiver<Arc<ProvenBlock>>)>,
}

impl Open {
    /// Whether nobody who runs has it and will answer.
    pub(super) const fn is_unheard(&self) -> bool {
        self.waiting.is_none()
    }

    /// The node that was asked last and may still answer.
    pub(super) fn waits_at(&self) -> Option<usize> {
        self.waiting.as_ref().map(|(at, _)| *at)
    }
}

impl Clients {
    pub(super) fn new(chain: Hash, random: Seeded) -> Self {
        Self {
            chain,
            random,
            flows: BTreeMap::new(),
            open: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            newer: BTreeMap::new(),
            replaced: BTreeSet::new(),
            expired: 0,
        }
    }

    /// A new submission of one to three records by the institution with that number.
    pub(super) fn make(&mut self, institution: u16, now: Timestamp) -> SubmissionId {
        let author = Author {
            suite: SUITE,
            chain: self.chain,
            institution: consortium::institution(institution),
        };
        let count = 1 + self.random.place(3);
        let mut records = Vec::with_capacity(count);
        for _ in 0..count {
            records.push(self.record(institution, author, now));
        }
        let short = self.random.chance(30);
        let expires_at = now.saturating_add(if short { SHORT_LIFETIME } else { LIFETIME });
        let key = IdempotencyKey(self.random.bytes());
        let pair = self.pair(institution);
        self.put(institution, sign(&pair, author, records, (now, expires_at), key))
    }

    /// A submission that waits for its seal from here on.
    pub(super) fn put(&mut self, client: u16, submission: Submission) -> SubmissionId {
        let id = submission.id();
        self.open.insert(id, Open { client, submission, waiting: None });
        id
    }

    /// A key that an institution signs with: either, where it has two.
    pub(super) fn pair(&mut self, client: u16) -> Keypair {
        let newer = self.newer.get(&client).filter(|_| self.random.chance(500));
        newer.cloned().unwrap_or_else(|| consortium::pair(client, Purpose::Submission))
    }

    /// The consortium lets an institution have another key, and its first one no longer.
    pub(super) fn rotated(&mut self, client: u16) {
        self.newer.insert(client, governance::later(client, Purpose::Submission, 1));
    }

    /// Whether the key under a submission may be refused: it is not good yet, or no longer.
    pub(super) fn may_be_refused(&self, id: &SubmissionId) -> bool {
        self.open.get(id).is_some_and(|open| self.newer.contains_key(&open.client))
    }

    /// Whether something was signed anew, so that another submission stands for it.
    pub(super) fn is_replaced(&self, id: &SubmissionId) -> bool {
        self.replaced.contains(id)
    }

    /// Signs anew what was signed with a key that is no longer good; `None` if the key is the newer one,
    /// which is not good yet where it was refused.
    pub(super) fn sign_anew(&mut self, id: &SubmissionId) -> Option<SubmissionId> {
        let open = self.open.get(id)?;
        let newer = self.newer.get(&open.client)?;
        let (client, mut submission) = (open.client, open.submission.clone());
        if submission.head.key == newer.public() {
            return None;
        }
        submission.head.key = newer.public();
        submission.signature = newer.sign(&Hash(submission.head.id().0));
        self.open.remove(id);
        self.replaced.insert(*id);
        Some(self.put(client, submission))
    }

    /// A consent, or the withdrawal of one granted before: whether that is judged right depends on the
    /// order in which the two are sealed.
    fn record(&mut self, institution: u16, author: Author, now: Timestamp) -> Record {
        let flows = self.flows.entry(institution).or_default();
        let (at, body) = if !flows.is_empty() && self.random.chance(300) {
            (self.random.place(flows.len()), revocation(now))
        } else {
            flows.push(FlowWriter::new(author, FlowId(self.random.bytes())));
            (flows.len() - 1, consent(author, now))
        };
        flows[at].append(statement(body, now)).1
    }

    /// What has no answer yet.
    pub(super) fn open(&self) -> impl Iterator<Item = (&SubmissionId, &Open)> {
        self.open.iter()
    }

    pub(super) fn get(&self, id: &SubmissionId) -> Option<&Open> {
        self.open.get(id)
    }

    /// A node took it and will say when it is sealed.
    pub(super) fn wait(
        &mut self,
        id: &SubmissionId,
        node: usize,
        waiter: oneshot::Receiver<Arc<ProvenBlock>>,
    ) {
        if let Some(open) = self.open.get_mut(id) {
            open.waiting = Some((node, waiter));
        }
    }

    /// It is sealed there.
    pub(super) fn acknowledge(&mut self, id: SubmissionId, height: Height) {
        self.open.remove(&id);
        self.acknowledged.insert(id, height);
    }

    /// It is let go: its time is over.
    pub(super) fn give_up(&mut self, id: &SubmissionId) {
        if self.open.remove(id).is_some() {
            self.expired += 1;
        }
    }

    /// What a node has told those who wait since the last look.
    pub(super) fn told_by(&mut self, node: usize) -> Vec<(SubmissionId, Height)> {
        let mut told = Vec::new();
        for (id, open) in &mut self.open {
            let Some((_, waiter)) = open.waiting.as_mut().filter(|(at, _)| *at == node) else {
                continue;
            };
            match waiter.try_recv() {
                Ok(block) => told.push((*id, block.height())),
                Err(oneshot::error::TryRecvError::Empty) => {}
                Err(oneshot::error::TryRecvError::Closed) => open.waiting = None,
            }
        }
        told
    }

    pub(super) fn acknowledged(&self) -> &BTreeMap<SubmissionId, Height> {
        &self.acknowledged
    }
}

fn sign(
    pair: &Keypair,
    author: Author,
    records: Vec<Record>,
    (submitted_at, expires_at): (Timestamp, Timestamp),
    idempotency_key: IdempotencyKey,
) -> Submission {
    let ids: Vec<_> =
        records.iter().map(|it| it.id(SUITE, &author.chain, &author.institution)).collect();
    let head = SubmissionHead {
        version: SubmissionHead::VERSION,
        suite: SUITE,
        chain: author.chain,
        institution: author.institution,
        key: pair.public(),
        idempotency_key,
        submitted_at,
        expires_at,
        record_count: u32::try_from(ids.len()).expect("a few"),
        records_root: records_root(SUITE, &ids),
    };
    let signature = pair.sign(&Hash(head.id().0));
    Submission::new(head, signature, List::new(records).expect("a few"))
}
