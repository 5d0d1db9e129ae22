//! The SDK against nodes that are slow, busy, gone or lying, over real sockets.

mod faults;
mod lies;
mod node;
mod retries;
mod sets;
mod stored;

use super::{Author, Client, ClientConfig, FlowWriter, Statement, sign};
use crate::light::fixtures::{Chain, SUBMIT, SUITE, grant, institution, pair, record};
use node::{Answer, FakeNode};
use probata_types::{
    FlowId, Outcome, RecordId, Submission, Timestamp, evidence::EvidenceFile, outcome::Code,
    receipt::BatchAnswer,
};
use std::{path::Path, time::Duration};

/// The time of the fixture's genesis: its blocks come after it, and so must what is submitted to
/// them.
const NOW: Timestamp = Timestamp::new(1_790_000_000_000);
const DEADLINE: Duration = Duration::from_secs(20);

/// A submission of institution 1, and a chain that has sealed it.
struct Sealed {
    chain: Chain,
    submission: Submission,
}

impl Sealed {
    fn new() -> Self {
        Self::decided(Outcome::Accepted { findings: probata_types::List::empty() })
    }

    fn rejected() -> Self {
        Self::decided(Outcome::Rejected { code: Code(1) })
    }

    fn decided(outcome: Outcome) -> Self {
        let mut chain = Chain::new("test");
        let author = author(&chain);
        let mut writer = FlowWriter::new(author, FlowId([7; 16]));
        let (_, first) = writer.append(statement());
        let (_, second) = writer.append(statement());
        let key = pair(1, SUBMIT);
        let lifetime = Duration::from_secs(600);
        let submission = sign(vec![first, second], &author, &key, NOW, lifetime).unwrap();
        chain.seal_with(vec![submission.clone()], vec![outcome; 2]);
        Self { chain, submission }
    }

    fn evidence(&self) -> Vec<EvidenceFile> {
        let ids = self.submission.record_ids();
        ids.iter().map(|id| self.chain.evidence(*id, 1)).collect()
    }

    /// What an honest node shows.
    fn shown(&self) -> BatchAnswer {
        self.chain.batch_answer(std::slice::from_ref(&self.submission))
    }

    /// The honest answer of a node.
    fn answer(&self) -> Answer {
        Answer::batch(&self.shown())
    }

    fn client(&self, nodes: &[&FakeNode], spool: Option<&Path>) -> Client {
        self.client_until(nodes, spool, DEADLINE)
    }

    fn client_until(
        &self,
        nodes: &[&FakeNode],
        spool: Option<&Path>,
        deadline: Duration,
    ) -> Client {
        Client::new(ClientConfig {
            nodes: nodes.iter().map(|node| node.url.clone()).collect(),
            genesis: self.chain.genesis.clone(),
            deadline,
            spool: spool.map(Path::to_owned),
        })
        .unwrap()
    }
}

/// A submission that no chain has sealed.
pub(super) fn some_submission() -> Submission {
    let author = author(&Chain::new("test"));
    let (_, record) = FlowWriter::new(author, FlowId([7; 16])).append(statement());
    sign(vec![record], &author, &pair(1, SUBMIT), NOW, DEADLINE).unwrap()
}

fn author(chain: &Chain) -> Author {
    Author { suite: SUITE, chain: chain.genesis.chain(), institution: institution(1) }
}

fn statement() -> Statement {
    let record = record(FlowId([7; 16]), 1, RecordId::NONE, grant());
    Statement {
        phase: record.phase,
        occurred_at: NOW,
        rule_pack: record.rule_pack,
        data_class: record.data_class,
        level: record.level,
        retention: record.retention,
        documents: record.documents,
        body: record.body,
    }
}
