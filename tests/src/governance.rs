//! Motions and ballots of a consortium with fixed keys: the same bytes at every call.
#![expect(clippy::unwrap_used, reason = "fixed values that the types accept")]

use crate::consortium::{self, Purpose, SUITE};
use probata_client::sdk::{Author, FlowWriter, Statement};
use probata_genesis::Genesis;
use probata_types::{
    Domain, FlowId, Height, InstitutionId, Keypair, List, PublicKey, Submission, SubmissionHead,
    Text, Timestamp, ValidatorIndex,
    body::{Ballot, Body, Change, KeyChange, Motion, ProvenKey, Revocation, Seat, SeatChange},
    record::{DataClass, Phase, Retention},
    submission::{IdempotencyKey, records_root},
};

/// How long a submission lives, and a motion stays open, in milliseconds: an hour.
const HOUR: u64 = 3_600_000;

/// Where motions are made: a chain at a time.
#[derive(Debug, Clone, Copy)]
pub struct Chamber<'a> {
    /// The chain.
    pub genesis: &'a Genesis,
    /// The time.
    pub now: Timestamp,
}

/// A key that an institution has later: each purpose has as many as there are numbers.
pub fn later(number: u16, purpose: Purpose, generation: u8) -> Keypair {
    let first = consortium::pair(number, purpose).public();
    let secret = SUITE.hash(Domain::KeyProof, &[first.as_bytes(), &[generation]]);
    Keypair::from_secret(&secret.0)
}

impl Chamber<'_> {
    /// An institution moves a change; the motion's name, and the submission.
    pub fn motion(&self, mover: u16, change: Change, from: Height) -> (FlowId, Submission) {
        let pair = consortium::pair(mover, Purpose::Submission);
        self.motion_by(mover, &pair, change, from)
    }

    /// The same with another of its keys.
    pub fn motion_by(
        &self,
        mover: u16,
        pair: &Keypair,
        change: Change,
        from: Height,
    ) -> (FlowId, Submission) {
        let body = Body::Motion(Box::new(Motion {
            change,
            from,
            closes_at: self.now.saturating_add(HOUR),
            reason: Text::new("a test").unwrap(),
        }));
        self.submission(mover, pair, body)
    }

    /// An institution votes.
    pub fn ballot(
        &self,
        voter: u16,
        motion: FlowId,
        approve: bool,
        seen: impl IntoIterator<Item = u16>,
    ) -> Submission {
        let pair = consortium::pair(voter, Purpose::Submission);
        self.ballot_by(
            voter,
            &pair,
            Ballot {
                motion,
                approve,
                seen: List::new(seen.into_iter().map(ValidatorIndex).collect()).unwrap(),
            },
        )
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
            institution: consortium::institution(number),
            key: self.proven(number, &pair),
            node: consortium::pair(number, Purpose::Node).public(),
        };
        let leave = leave.into_iter().map(consortium::institution);
        Change::Validators(Box::new(SeatChange {
            seats: List::new(join.into_iter().map(seat).collect()).unwrap(),
            leave: List::new(leave.collect()).unwrap(),
        }))
    }

    /// A change that puts a key for submissions in the place of another, both good for some heights.
    pub fn rotation(&self, number: u16, new: &Keypair, old: PublicKey, overlap: u64) -> Change {
        Change::Keys(Box::new(KeyChange {
            institution: consortium::institution(number),
            add: Some(self.proven(number, new)),
            revoke: Some(Revocation { key: old, overlap }),
        }))
    }

    fn proven(&self, number: u16, pair: &Keypair) -> ProvenKey {
        ProvenKey::new(SUITE, &self.genesis.chain(), &consortium::institution(number), pair)
    }

    /// One record that opens a flow of its own.
    fn submission(&self, number: u16, pair: &Keypair, body: Body) -> (FlowId, Submission) {
        let institution = consortium::institution(number);
        let flow = self.flow(&institution, &body);
        let author = Author { suite: SUITE, chain: self.genesis.chain(), institution };
        let (id, record) = FlowWriter::new(author, flow).append(Statement {
            phase: Phase::P00,
            occurred_at: self.now,
            rule_pack: self.genesis.rule_pack().version,
            data_class: DataClass::C1,
            level: 1,
            retention: Retention::LoanFile,
            documents: List::empty(),
            body,
        });
        let head = SubmissionHead {
            version: SubmissionHead::VERSION,
            suite: SUITE,
            chain: self.genesis.chain(),
            institution,
            key: pair.public(),
            idempotency_key: IdempotencyKey(flow.0),
            submitted_at: self.now,
            expires_at: self.now.saturating_add(HOUR),
            record_count: 1,
            records_root: records_root(SUITE, &[id]),
        };
        let signature = pair.sign(&probata_types::Hash(head.id().0));
        (flow, Submission { head, signature, records: List::new(vec![record]).unwrap() })
    }

    /// A flow that only this institution, statement and time have.
    fn flow(&self, institution: &InstitutionId, body: &Body) -> FlowId {
        let hash = SUITE.hash_value(Domain::Flow, &(institution, self.now, body));
        let mut flow = [0; 16];
        flow.copy_from_slice(&hash.0[..16]);
        FlowId(flow)
    }
}
