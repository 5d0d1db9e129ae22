//! A consortium that changes: a motion of every kind, ballots on them, and a validator's fault.

use super::{Committee, NotarisedRecord};
use crate::{
    consortium::{self, Purpose, SUITE},
    trouble::{Trouble, ensure},
};
use probata_client::sdk::{Author, FlowWriter, Statement, limits::LIFETIME, sign};
use probata_types::{
    FlowId, Hash, Height, List, RecordId, Text, ValidatorIndex, View,
    body::{
        Admission, AdmittedNode, Ballot, Body, Change, KeyChange, Motion, Profile, ProvenKey,
        Revocation, Seat, SeatChange,
    },
    fault::{Fault, SignedContent, VoteKind},
    institution::Role,
    record::{DataClass, Phase, Retention},
    seal::vote_digest,
};

/// The number of the institution that joins a committee of four.
const NEWCOMER: u16 = 4;
/// Heights until the newcomer votes: more than any test seals.
const AHEAD: u64 = 100_000;
/// Heights in which an old key and the one in its place are both good.
const OVERLAP: u64 = 1_000;
/// Milliseconds for which motions are open.
const OPEN: u64 = 24 * 60 * 60 * 1_000;

/// Seals, by a committee of four, motions of every kind with ballots, and a fault: one institution is
/// admitted and gets a seat, another gets a further key, and no quorum suspends anybody.
///
/// # Errors
/// [`Trouble`] if a record is not sealed and accepted.
pub fn notarise_governance(committee: &mut Committee) -> Result<Vec<NotarisedRecord>, Trouble> {
    let chain = committee.genesis().chain();
    let mut register = Register { committee, chain, sealed: Vec::new() };
    let admitted = register.motion("admission", admission(chain)?)?;
    for number in 0..3 {
        register.ballot(number, admitted, true, 0)?;
    }
    let newcomer = consortium::institution(NEWCOMER);
    let suspended = register.motion("suspension", Change::Suspend(newcomer))?;
    register.ballot(1, suspended, false, 0)?;
    register.ballot(2, suspended, false, 0)?;
    let seated = register.motion("seats", seats(chain)?)?;
    for number in 0..3 {
        register.ballot(number, seated, true, 5)?;
    }
    let keys = register.motion("keys", keys(chain))?;
    register.ballot(3, keys, true, 0)?;
    register.fault()?;
    register.evidence()
}

fn proven(chain: Hash, number: u16, purpose: Purpose) -> ProvenKey {
    let institution = consortium::institution(number);
    ProvenKey::new(SUITE, &chain, &institution, &consortium::pair(number, purpose))
}

fn admission(chain: Hash) -> Result<Change, Trouble> {
    let node = AdmittedNode {
        node: proven(chain, NEWCOMER, Purpose::Node),
        address: "/ip4/192.0.2.7/tcp/7001".parse()?,
    };
    Ok(Change::Admit(Box::new(Admission {
        institution: consortium::institution(NEWCOMER),
        profile: Profile {
            zh: Text::new("新成员银行")?,
            en: Text::new("Bank of New Members")?,
            group: Text::new("new members")?,
        },
        roles: List::new(vec![Role::Bank])?,
        keys: List::new(vec![proven(chain, NEWCOMER, Purpose::Submission)])?,
        nodes: List::new(vec![node])?,
    })))
}

fn seats(chain: Hash) -> Result<Change, Trouble> {
    let seat = Seat {
        institution: consortium::institution(NEWCOMER),
        key: proven(chain, NEWCOMER, Purpose::Validator),
        node: consortium::pair(NEWCOMER, Purpose::Node).public(),
    };
    let seats = List::new(vec![seat])?;
    Ok(Change::Validators(Box::new(SeatChange { seats, leave: List::empty() })))
}

/// Institution 1 gets the key of a number that no institution has, in the place of its own.
fn keys(chain: Hash) -> Change {
    let institution = consortium::institution(1);
    let key = consortium::pair(1, Purpose::Submission).public();
    let next = consortium::pair(u16::MAX, Purpose::Submission);
    Change::Keys(Box::new(KeyChange {
        institution,
        add: Some(ProvenKey::new(SUITE, &chain, &institution, &next)),
        revoke: Some(Revocation { key, overlap: OVERLAP }),
    }))
}

/// What has been sealed so far.
struct Register<'a> {
    committee: &'a mut Committee,
    chain: Hash,
    sealed: Vec<NotarisedRecord>,
}

impl Register<'_> {
    /// Institution 0 moves.
    fn motion(&mut self, name: &str, change: Change) -> Result<FlowId, Trouble> {
        let now = self.committee.now();
        let height = self.committee.reader().head().height;
        let motion = Motion {
            change,
            from: if name == "seats" { height.saturating_add(AHEAD) } else { Height::ZERO },
            closes_at: now.saturating_add(OPEN),
            reason: Text::new(format!("resolved by the council: {name}"))?,
        };
        self.seal(name.to_owned(), 0, Purpose::Submission, Body::Motion(Box::new(motion)))
    }

    /// An institution votes, and sees the first so many validators of the new set.
    fn ballot(
        &mut self,
        number: u16,
        motion: FlowId,
        approve: bool,
        seen: u16,
    ) -> Result<FlowId, Trouble> {
        let seen = List::new((0..seen).map(ValidatorIndex).collect())?;
        let name = format!("ballot-{}", self.sealed.len());
        let ballot = Body::Ballot(Box::new(Ballot { motion, approve, seen }));
        self.seal(name, number, Purpose::Submission, ballot)
    }

    /// The node of institution 0 reports that validator 3 prepared two proposals.
    fn fault(&mut self) -> Result<FlowId, Trouble> {
        let pair = consortium::pair(3, Purpose::Validator);
        let (height, view, kind) = (Height::new(1), View::ZERO, VoteKind::Prepare);
        let set = self.committee.genesis().validator_set();
        let place = set.position_of(&pair.public());
        let signed = |byte: u8| {
            let content = Hash([byte; 32]);
            let digest = vote_digest(SUITE, kind.domain(), &self.chain, (height, view), &content);
            SignedContent { content, signature: pair.sign(&digest) }
        };
        let fault = Fault {
            suite: SUITE,
            chain: self.chain,
            height,
            view,
            kind,
            validator: place.ok_or_else(|| Trouble::new("validator 3 has no seat"))?,
            key: pair.public(),
            first: signed(1),
            second: signed(2),
        };
        self.seal("fault".to_owned(), 0, Purpose::Validator, Body::Fault(Box::new(fault)))
    }

    /// Seals a record that opens a flow.
    fn seal(
        &mut self,
        name: String,
        number: u16,
        key: Purpose,
        body: Body,
    ) -> Result<FlowId, Trouble> {
        let institution = consortium::institution(number);
        let author = Author { suite: SUITE, chain: self.chain, institution };
        let flow = FlowId([u8::try_from(self.sealed.len() + 1)?; 16]);
        let now = self.committee.now();
        let (id, record) = FlowWriter::new(author, flow).append(Statement {
            phase: Phase::P00,
            occurred_at: now,
            rule_pack: self.committee.genesis().rule_pack().version,
            data_class: DataClass::C1,
            level: 2,
            retention: Retention::LoanFile,
            documents: List::empty(),
            body,
        });
        let pair = consortium::pair(number, key);
        let submission = sign(vec![record.clone()], &author, &pair, now, LIFETIME)?;
        self.committee.seal(&submission)?;
        let evidence = self.accepted(&name, &id)?;
        let documents = Vec::new();
        self.sealed.push(NotarisedRecord {
            name,
            id,
            record,
            submission,
            documents,
            evidence,
            openings: Vec::new(),
        });
        Ok(flow)
    }

    fn accepted(&self, name: &str, id: &RecordId) -> Result<probata_types::EvidenceFile, Trouble> {
        let evidence = self.committee.evidence(id, true)?;
        let outcome = &evidence.outcome;
        ensure(outcome.is_accepted(), || format!("{name} was not accepted: {outcome:?}"))?;
        Ok(evidence)
    }

    /// The records with their evidence after all of them.
    fn evidence(mut self) -> Result<Vec<NotarisedRecord>, Trouble> {
        for one in &mut self.sealed {
            one.evidence = self.committee.evidence(&one.id, true)?;
        }
        Ok(self.sealed)
    }
}
