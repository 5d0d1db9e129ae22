//! Governance 治理 (P00): motions to change who takes part, and ballots on them. A motion is a flow of
//! its own, and so is each ballot.

use crate::{
    Address, Domain, Hash, Height, InstitutionId, Keypair, List, PublicKey, Signature, Suite, Text,
    Timestamp, ValidatorIndex, codec,
    institution::Role,
    key::{self, SignatureError},
    limits,
    record::FlowId,
};
use serde::{Deserialize, Serialize};

/// A proposal to change the consortium. It opens a flow, whose id is its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Motion {
    /// What is to change.
    pub change: Change,
    /// From which height on; the next one if the approval comes later.
    pub from: Height,
    /// Ballots after this time do not count.
    pub closes_at: Timestamp,
    /// Why, for people.
    pub reason: Text<{ limits::REASON_BYTES }>,
}

/// What a motion changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// Who seals blocks.
    Validators(Box<SeatChange>),
    /// A new institution.
    Admit(Box<Admission>),
    /// An institution submits no more. Its records stay as valid as they were.
    Suspend(InstitutionId),
    /// An institution's keys for submissions.
    Keys(Box<KeyChange>),
}

/// A change of the validator set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeatChange {
    /// Institutions that get a seat, or another key in the seat that they have.
    pub seats: List<Seat, { limits::SEATS_PER_MOTION }>,
    /// Institutions that give up their seats.
    pub leave: List<InstitutionId, { limits::SEATS_PER_MOTION }>,
}

/// A seat among the validators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seat {
    /// Whose.
    pub institution: InstitutionId,
    /// The key that signs its votes.
    pub key: ProvenKey,
    /// Which of its nodes votes.
    pub node: PublicKey,
}

/// A new institution with its nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admission {
    /// Its code.
    pub institution: InstitutionId,
    /// Its name.
    pub profile: Profile,
    /// What it is; at least one.
    pub roles: List<Role, { limits::ROLES }>,
    /// The keys that sign its submissions; at least one.
    pub keys: List<ProvenKey, { limits::SUBMISSION_KEYS }>,
    /// Its nodes.
    pub nodes: List<AdmittedNode, { limits::NODES_PER_INSTITUTION }>,
}

/// What an institution is called, and whom it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its Chinese name.
    pub zh: Text<{ limits::NAME_BYTES }>,
    /// Its English name.
    pub en: Text<{ limits::NAME_BYTES }>,
    /// Its affiliation group: no group has more seats than validators may lie.
    pub group: Text<{ limits::GROUP_BYTES }>,
}

/// A node of a new institution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdmittedNode {
    /// Its identity on the mesh.
    pub node: ProvenKey,
    /// Where other nodes reach it.
    pub address: Address,
}

/// A change of an institution's keys for submissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyChange {
    /// Whose.
    pub institution: InstitutionId,
    /// A key that becomes valid, if any.
    pub add: Option<ProvenKey>,
    /// A key that is revoked, if any.
    pub revoke: Option<Revocation>,
}

/// A key that is revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// Which.
    pub key: PublicKey,
    /// How many heights longer than the change's own it stays valid: 0 revokes it at once, more is the
    /// overlap in which both the old and the new key are good.
    pub overlap: u64,
}

/// A key with the proof that its holder belongs to the institution that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvenKey {
    /// The key.
    pub key: PublicKey,
    /// By the key, over [`ProvenKey::digest`].
    pub proof: Signature,
}

impl ProvenKey {
    /// What the proof signs: `hash(KeyProof, chain ‖ key ‖ institution)`.
    pub fn digest(
        suite: Suite,
        chain: &Hash,
        institution: &InstitutionId,
        key: &PublicKey,
    ) -> Hash {
        let institution = codec::encode(institution);
        suite.hash(Domain::KeyProof, &[chain.as_bytes(), key.as_bytes(), &institution])
    }

    /// Proves that one holds a key, for an institution of a chain.
    pub fn new(suite: Suite, chain: &Hash, institution: &InstitutionId, pair: &Keypair) -> Self {
        let key = pair.public();
        let proof = pair.sign(&Self::digest(suite, chain, institution, &key));
        Self { key, proof }
    }

    /// Checks the proof.
    ///
    /// # Errors
    /// [`SignatureError`] if the holder of the key did not make it for this institution and chain.
    pub fn check(
        &self,
        suite: Suite,
        chain: &Hash,
        institution: &InstitutionId,
    ) -> Result<(), SignatureError> {
        key::verify(&self.key, &Self::digest(suite, chain, institution, &self.key), &self.proof)
    }
}

/// A validator's institution votes on a motion. It opens a flow of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ballot {
    /// The motion.
    pub motion: FlowId,
    /// Whether it is to pass.
    pub approve: bool,
    /// For a change of the validator set: which validators of the new set the voter's node sees running
    /// and up to date, by their places in it, ascending. A set of which too few are seen would stop the
    /// chain, and does not come into force.
    pub seen: List<ValidatorIndex, { limits::VALIDATORS }>,
}
