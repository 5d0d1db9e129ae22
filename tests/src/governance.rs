//! Motions and ballots, signed with the keys of a consortium that are fixed, or of a devnet's files.
#![expect(clippy::unwrap_used, reason = "fixed values that the types accept")]

use crate::{
    consortium::{self, Purpose, SUITE},
    network::Network,
    trouble::Trouble,
};
use probata_client::sdk::{Author, FlowWriter, Statement, clock};
use probata_genesis::{Genesis, KeyFile, KeyUse};
use probata_types::{
    Domain, FlowId, Hash, Height, InstitutionId, Keypair, List, PublicKey, Submission,
    SubmissionHead, Text, Timestamp, ValidatorIndex,
    body::{Ballot, Body, Change, KeyChange, Motion, ProvenKey, Revocation, Seat, SeatChange},
    record::{DataClass, Phase, Retention},
    submission::{IdempotencyKey, records_root},
};

/// How long a submission lives, and a motion stays open, in milliseconds: an hour.
const HOUR: u64 = 3_600_000;

/// An institution that takes part in decisions.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its code.
    pub institution: InstitutionId,
    /// Signs its submissions.
    pub key: Keypair,
    /// Its node.
    pub node: PublicKey,
}

/// Where motions are made: a chain at a time, and the institutions by their numbers.
#[derive(Debug, Clone)]
pub struct Chamber {
    /// The time.
    pub now: Timestamp,
    chain: Hash,
    rule_pack: u32,
    members: Vec<Member>,
}

/// The key that comes after another: each has as many successors as there are numbers.
pub fn successor(pair: &Keypair, generation: u8) -> Keypair {
    let secret = SUITE.hash(Domain::KeyProof, &[pair.public().as_bytes(), &[generation]]);
    Keypair::from_secret(&secret.0)
}

/// A fixed key that an institution has later.
pub fn later(number: u16, purpose: Purpose, generation: u8) -> Keypair {
    successor(&consortium::pair(number, purpose), generation)
}

impl Chamber {
    /// Of the consortium with fixed keys.
    pub fn fixed(genesis: &Genesis, now: Timestamp) -> Self {
        let count = u16::try_from(genesis.entries().count()).unwrap();
        let member = |number| Member {
            institution: consortium::institution(number),
            key: consortium::pair(number, Purpose::Submission),
            node: consortium::pair(number, Purpose::Node).public(),
        };
        Self::of(genesis, now, (0..count).map(member).collect())
    }

    /// Of a devnet, with the keys in its nodes' folders, at the time of this machine.
    ///
    /// # Errors
    /// [`Trouble`] if one cannot be read.
    pub fn of_network(network: &Network) -> Result<Self, Trouble> {
        let member = |node: usize| -> Result<Member, Trouble> {
            let key = |usage, name| -> Result<Keypair, Trouble> {
                Ok(KeyFile::parse_for(usage, &std::fs::read(network.path(node, name))?)?)
            };
            Ok(Member {
                institution: network.nodes()[node].institution,
                key: key(KeyUse::Submission, "submission.key.json")?,
                node: key(KeyUse::Node, "node.key.json")?.public(),
            })
        };
        let members = (0..network.nodes().len()).map(member).collect::<Result<_, _>>()?;
        Ok(Self::of(network.genesis(), clock::now(), members))
    }

    fn of(genesis: &Genesis, now: Timestamp, members: Vec<Member>) -> Self {
        let (chain, rule_pack) = (genesis.chain(), genesis.rule_pack().version);
        Self { now, chain, rule_pack, members }
    }

    /// An institution, by its number.
    pub fn member(&self, number: u16) -> &Member {
        &self.members[usize::from(number)]
    }

    /// From now on the institution signs with this key.
    pub fn set_key(&mut self, number: u16, key: Keypair) {
        self.members[usize::from(number)].key = key;
    }

    /// An institution moves a change; the motion's name, and the submission.
    pub fn motion(&self, mover: u16, change: Change, from: Height) -> (FlowId, Submission) {
        let body = Body::Motion(Box::new(Motion {
            change,
            from,
            closes_at: self.now.saturating_add(HOUR),
            reason: Text::new("a test").unwrap(),
        }));
        self.submission(mover, &self.member(mover).key, body)
    }

    /// An institution votes.
    pub fn ballot(
        &self,
        voter: u16,
        motion: FlowId,
        approve: bool,
        seen: impl IntoIterator<Item = u16>,
    ) -> Submission {
        let seen = List::new(seen.into_iter().map(ValidatorIndex).collect()).unwrap();
        self.ballot_by(voter, &self.member(voter).key, Ballot { motion, approve, seen })
    }

    /// The same with another of its keys.
    pub fn ballot_by(&self, voter: u16, pair: &Keypair, ballot: Ballot) -> Submission {
        self.submission(voter, pair, Body::Ballot(Box::new(ballot))).1
    }

    /// A change that gives seats to institutions, with the keys they hold, and takes others'.
    pub fn seats(
        &self,
        join: impl IntoIterator<Item = (u16, Keypair)>,
        leave: impl IntoIterator<Item = u16>,
    ) -> Change {
        let seat = |(number, pair): (u16, Keypair)| Seat {
            institution: self.member(number).institution,
            key: self.proven(number, &pair),
            node: self.member(number).node,
        };
        let leave = leave.into_iter().map(|number| self.member(number).institution);
        Change::Validators(Box::new(SeatChange {
            seats: List::new(join.into_iter().map(seat).collect()).unwrap(),
            leave: List::new(leave.collect()).unwrap(),
        }))
    }

    /// A change that puts a key for submissions in the place of another, both good for some heights.
    pub fn rotation(&self, number: u16, new: &Keypair, old: PublicKey, overlap: u64) -> Change {
        Change::Keys(Box::new(KeyChange {
            institution: self.member(number).institution,
            add: Some(self.proven(number, new)),
            revoke: Some(Revocation { key: old, overlap }),
        }))
    }

    fn proven(&self, number: u16, pair: &Keypair) -> ProvenKey {
        ProvenKey::new(SUITE, &self.chain, &self.member(number).institution, pair)
    }

    /// One record that opens a flow of its own.
    fn submission(&self, number: u16, pair: &Keypair, body: Body) -> (FlowId, Submission) {
        let institution = self.member(number).institution;
        let flow = self.flow(&institution, &body);
        let author = Author { suite: SUITE, chain: self.chain, institution };
        let (id, record) = FlowWriter::new(author, flow).append(Statement {
            phase: Phase::P00,
            occurred_at: self.now,
            rule_pack: self.rule_pack,
            data_class: DataClass::C1,
            level: 1,
            retention: Retention::LoanFile,
            documents: List::empty(),
            body,
        });
        let head = SubmissionHead {
            version: SubmissionHead::VERSION,
            suite: SUITE,
            chain: self.chain,
            institution,
            key: pair.public(),
            idempotency_key: IdempotencyKey(flow.0),
            submitted_at: self.now,
            expires_at: self.now.saturating_add(HOUR),
            record_count: 1,
            records_root: records_root(SUITE, &[id]),
        };
        let signature = pair.sign(&probata_types::Hash(head.id().0));
        (flow, Submission::new(head, signature, List::new(vec![record]).unwrap()))
    }

    /// A flow that only this institution, statement and time have.
    fn flow(&self, institution: &InstitutionId, body: &Body) -> FlowId {
        let hash = SUITE.hash_value(Domain::Flow, &(institution, self.now, body));
        let mut flow = [0; 16];
        flow.copy_from_slice(&hash.0[..16]);
        FlowId(flow)
    }
}
