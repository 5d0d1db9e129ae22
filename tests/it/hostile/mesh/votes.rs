//! Consensus messages: unsigned ones of every kind, by nobody, and by a validator whose key was
//! stolen too. (The validator itself goes on, so that one of four lies.)

use super::{AREA, Thief, counted_as, counter};
use crate::hostile::table::Table;
use probata_client::sdk::SealedHeader;
use probata_consensus::{Message, MessageBody, PreparedCertificate, ViewChangeVote, vote_digest};
use probata_genesis::{KeyFile, KeyUse};
use probata_node::{network::Lane, wire::Consensus};
use probata_tests::{Trouble, limits, network::Network};
use probata_types::{
    Domain, Hash, Header, Height, Keypair, List, Proposal, ProposalParts, Seal, Signature,
    Submission, Suite, ValidatorIndex, ValidatorSet, View, fault::FaultFile, seal::SealVote,
};
use std::time::Instant;

/// The validator whose key was stolen.
const LIAR: usize = 3;
/// Tries to contradict oneself at a height that is just being decided.
const TRIES: usize = 20;
const MESSAGE: &str = "consensus_message";
const IGNORED: &str = "ignored_messages";

pub(super) async fn send(
    network: &Network,
    thief: &Thief,
    table: &mut Table,
) -> Result<(), Trouble> {
    let liar = Liar::of(network).await?;
    for (name, body) in liar.every_kind() {
        let message = Message { from: liar.seat, signature: Signature([0; 64]), body };
        let got = thief.counted(Lane::Consensus, Consensus::of(&message).encode(), MESSAGE).await?;
        table.note(AREA, format!("{name} without a signature"), counted_as(MESSAGE), got);
    }
    for seat in [4, 127, u16::MAX] {
        let Message { signature, body, .. } = liar.sign(liar.prepare(liar.next(), View::ZERO));
        let message = Message { from: ValidatorIndex(seat), signature, body };
        let got = thief.counted(Lane::Consensus, Consensus::of(&message).encode(), MESSAGE).await?;
        table.note(AREA, format!("a vote of validator {seat} of 4"), counted_as(MESSAGE), got);
    }
    for (name, body) in liar.contradictory() {
        let got = thief
            .counted(Lane::Consensus, Consensus::of(&liar.sign(body)).encode(), MESSAGE)
            .await?;
        table.note(AREA, name, counted_as(MESSAGE), got);
    }
    let unsigned = Consensus::of(&liar.sign(liar.unsigned_submission()?)).encode();
    let got = thief.counted(Lane::Consensus, unsigned, "proposal").await?;
    table.note(AREA, "a proposal with an unsigned submission", counted_as("proposal"), got);
    // The first one is a wish like any other, of one validator.
    thief.send(
        Lane::Consensus,
        Consensus::of(&liar.sign(liar.view_change(liar.next(), View::MAX))).encode(),
    )?;
    for (name, body) in liar.far_away() {
        let got = thief
            .counted(Lane::Consensus, Consensus::of(&liar.sign(body)).encode(), IGNORED)
            .await?;
        table.note(AREA, name, counted_as(IGNORED), got);
    }
    let got = liar.contradict(thief, network.genesis().validator_set()).await?;
    table.note(AREA, "two votes for two proposals", "a fault that anybody can verify", got);
    Ok(())
}

pub(super) struct Liar {
    suite: Suite,
    chain: Hash,
    seat: ValidatorIndex,
    key: Keypair,
    /// The newest block when the liar began.
    header: Header,
    seal: Seal,
}

impl Liar {
    pub(super) async fn of(network: &Network) -> Result<Self, Trouble> {
        let key = std::fs::read(network.path(LIAR, "validator.key.json"))?;
        let key = KeyFile::parse_for(KeyUse::Validator, &key)?;
        let (genesis, height) = (network.genesis(), network.highest().await?);
        let client = network.client(&[0], limits::ANSWER)?;
        let headers = client.headers(Height::new(height), 1).await?;
        let newest = headers.into_iter().next();
        let SealedHeader { header, seal, .. } =
            newest.ok_or_else(|| Trouble::new("a node has no newest header"))?;
        let seat = genesis.validator_set().position_of(&key.public());
        let seat = seat.ok_or_else(|| Trouble::new("genesis names the key"))?;
        Ok(Self { suite: genesis.suite(), chain: genesis.chain(), seat, key, header, seal })
    }

    pub(super) fn next(&self) -> Height {
        self.header.height.next()
    }

    pub(super) fn sign(&self, body: MessageBody) -> Message {
        let signature = self.key.sign(&body.digest(self.suite, &self.chain));
        Message { from: self.seat, signature, body }
    }

    fn proposal(&self, height: Height) -> Proposal {
        Proposal::from(ProposalParts {
            suite: self.suite,
            chain: self.chain,
            height,
            parent: self.header.hash(),
            time: self.header.time.next(),
            proposer: self.seat,
            submissions: List::empty(),
        })
    }

    pub(super) fn pre_prepare(&self, height: Height, view: View) -> MessageBody {
        MessageBody::PrePrepare { height, view, proposal: self.proposal(height) }
    }

    #[expect(clippy::unused_self, reason = "it reads as its neighbours")]
    pub(super) fn prepare(&self, height: Height, view: View) -> MessageBody {
        MessageBody::Prepare { height, view, digest: Hash([3; 32]) }
    }

    fn header_at(&self, height: Height) -> Header {
        Header { height, ..self.header.clone() }
    }

    /// Own votes in the place of a quorum's: as many as asked for, all by the liar.
    fn certificate(&self, height: Height, view: View, votes: usize) -> PreparedCertificate {
        let digest = self.proposal(height).digest();
        let signed = vote_digest(self.suite, Domain::Prepare, &self.chain, (height, view), &digest);
        let vote = SealVote { validator: self.seat, signature: self.key.sign(&signed) };
        let votes = List::new(vec![vote; votes]).expect("a few votes");
        PreparedCertificate { view, digest, votes }
    }

    fn view_change(&self, height: Height, view: View) -> MessageBody {
        MessageBody::ViewChange { height, view, prepared: None, proposal: None }
    }

    fn new_view(&self, height: Height, view: View, votes: usize) -> MessageBody {
        let body = self.view_change(height, view);
        let Message { from, signature, .. } = self.sign(body);
        let vote = ViewChangeVote { validator: from, signature, prepared: None };
        let view_changes = List::new(vec![vote; votes]).expect("a few votes");
        MessageBody::NewView { height, view, view_changes, proposal: None }
    }

    fn head(&self) -> MessageBody {
        MessageBody::Head { header: self.header.clone(), seal: self.seal.clone() }
    }

    fn every_kind(&self) -> Vec<(&'static str, MessageBody)> {
        let (height, view) = (self.next(), View::new(1));
        vec![
            ("a pre-prepare", self.pre_prepare(height, view)),
            ("a prepare", self.prepare(height, view)),
            ("a commit", MessageBody::Commit { view, header: self.header_at(height) }),
            ("a view change", self.view_change(height, view)),
            ("a new view", self.new_view(height, view, 3)),
            ("a head", self.head()),
        ]
    }

    /// Well signed, and not one thing that a correct validator says.
    fn contradictory(&self) -> Vec<(&'static str, MessageBody)> {
        let (height, view) = (self.next(), View::new(1));
        let commit = |header| MessageBody::Commit { view, header };
        let propose = |proposal| MessageBody::PrePrepare { height, view, proposal };
        let change =
            |prepared, proposal| MessageBody::ViewChange { height, view, prepared, proposal };
        let one = self.seal.votes.iter().take(1).cloned().collect();
        let few = Seal { view: self.seal.view, votes: List::new(one).expect("one vote") };
        let elsewhere = Seal { view: self.seal.view.next(), votes: self.seal.votes.clone() };
        let header = self.header.clone();
        let sealed = |seal| MessageBody::Head { header: header.clone(), seal };
        let own = self.header_at(height);
        vec![
            ("a vote for the height of genesis", self.prepare(Height::ZERO, View::ZERO)),
            (
                "a proposal for another chain",
                propose(Proposal::from(ProposalParts {
                    chain: Hash([7; 32]),
                    ..(*self.proposal(height)).clone()
                })),
            ),
            ("a proposal for another height", propose(self.proposal(height.next()))),
            (
                "a proposal by nobody",
                propose(Proposal::from(ProposalParts {
                    proposer: ValidatorIndex(99),
                    ..(*self.proposal(height)).clone()
                })),
            ),
            ("a header of another version", commit(Header { version: 2, ..own.clone() })),
            ("a header of another chain", commit(Header { chain: Hash([7; 32]), ..own.clone() })),
            ("a header of other validators", commit(Header { validators: Hash([7; 32]), ..own })),
            ("a wish for view 0", self.view_change(height, View::ZERO)),
            (
                "a certificate of one vote",
                change(Some(self.certificate(height, View::ZERO, 1)), None),
            ),
            (
                "a certificate of one voter, three times",
                change(Some(self.certificate(height, View::ZERO, 3)), None),
            ),
            (
                "a certificate of a view to come",
                change(Some(self.certificate(height, View::MAX, 3)), None),
            ),
            ("a proposal that nothing certifies", change(None, Some(self.proposal(height)))),
            ("a new view of one view change", self.new_view(height, view, 1)),
            ("a new view of one voter, three times", self.new_view(height, view, 3)),
            ("a head with one vote", sealed(few)),
            ("a head with the votes of another view", sealed(elsewhere)),
        ]
    }

    pub(super) fn unsigned_submission(&self) -> Result<MessageBody, Trouble> {
        let vectors = include_str!("../../../vectors/blocks.json");
        let vectors: serde_json::Value = serde_json::from_str(vectors)?;
        let mut submission: Submission =
            serde_json::from_value(vectors["vectors"][0]["value"].clone())?;
        submission.head.chain = self.chain;
        submission.signature = Signature([0; 64]);
        let (height, view) = (self.next(), View::ZERO);
        let submissions = List::new(vec![submission])?;
        let proposal =
            Proposal::from(ProposalParts { submissions, ..(*self.proposal(height)).clone() });
        Ok(MessageBody::PrePrepare { height, view, proposal })
    }

    /// Well signed and possible, at places where nobody is.
    fn far_away(&self) -> Vec<(&'static str, MessageBody)> {
        let (height, view) = (Height::MAX, View::MAX);
        let (next, header) = (self.next(), self.header_at(Height::MAX));
        vec![
            ("a proposal at the end of heights and views", self.pre_prepare(height, view)),
            ("a vote at the end of heights and views", self.prepare(height, view)),
            ("a vote at the end of heights", self.prepare(height, View::ZERO)),
            ("a vote at the end of views", self.prepare(next, view)),
            ("a commit at the end of heights and views", MessageBody::Commit { view, header }),
            ("a wish for the end of views, once more", self.view_change(next, view)),
            ("a proposal at the end of views", self.pre_prepare(next, view)),
            (
                "a proposal far ahead",
                self.pre_prepare(Height::new(next.get() + 1_000_000), View::ZERO),
            ),
            ("a vote for a sealed height", self.prepare(self.header.height, View::ZERO)),
            ("a head that everybody has", self.head()),
        ]
    }

    /// Votes for two proposals at the height being decided, until the node has the proof of it.
    async fn contradict(&self, thief: &Thief, set: &ValidatorSet) -> Result<String, Trouble> {
        for _ in 0..TRIES {
            let status = thief.api.json("/v1/status").await?;
            let number = |name: &str| status[name].as_u64().unwrap_or_default();
            let (height, view) = (Height::new(number("height") + 1), View::new(number("view")));
            let before = counter(&thief.api, "faults").await?;
            for byte in [1, 2] {
                let body = MessageBody::Prepare { height, view, digest: Hash([byte; 32]) };
                thief.send(Lane::Consensus, Consensus::of(&self.sign(body)).encode())?;
            }
            let start = Instant::now();
            while start.elapsed() < super::COUNT_TIME / 5 {
                if counter(&thief.api, "faults").await? > before {
                    return self.proved(thief, set).await;
                }
                tokio::time::sleep(limits::LOOK_INTERVAL).await;
            }
        }
        Ok("no fault".to_owned())
    }

    async fn proved(&self, thief: &Thief, set: &ValidatorSet) -> Result<String, Trouble> {
        // It is counted when it is seen, and served a moment later.
        let start = Instant::now();
        let answer = loop {
            let answer = thief.api.json("/v1/faults").await?;
            if !answer["faults"][0].is_null() || start.elapsed() > super::COUNT_TIME {
                break answer;
            }
            tokio::time::sleep(limits::LOOK_INTERVAL).await;
        };
        let file = FaultFile::parse(answer["faults"][0]["file"].to_string().as_bytes())?;
        let fault = file.fault();
        fault.verify(set)?;
        let by = if fault.validator == self.seat { "a fault" } else { "another's fault" };
        Ok(format!("{by} that anybody can verify"))
    }
}
