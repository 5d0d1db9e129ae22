//! The current objects that the state root commits to: their keys, their values, and how execution
//! reads and changes them. Objects are never deleted.

use crate::{
    Domain, Epoch, Fen, Hash, Height, InstitutionId, List, PublicKey, Suite, View,
    body::{Allocation, Profile},
    directory::Directory,
    epoch::Validators,
    fault::{Fault, VoteKind},
    institution::Role,
    limits,
    object::FlowState,
    record::{Commitment, Digest256, FlowId, RecordId},
    rule_pack::RulePack,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where an object sits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StateKey {
    /// An institution with its roles and keys.
    Institution(InstitutionId),
    /// A flow: a facility, a consent, an access log, a model.
    Flow(FlowId),
    /// Where a document was first seen, by its SHA-256.
    Document(Digest256),
    /// A bank transaction that an institution has recorded, so that it is not counted twice.
    Transaction {
        /// The institution.
        institution: InstitutionId,
        /// Its commitment to the transaction's number.
        transaction: Commitment,
    },
    /// The rule pack in force.
    RulePack,
    /// Where the validators' epochs stand.
    Validators,
    /// One epoch, by its number.
    Epoch(u32),
    /// The nodes of the consortium.
    Directory,
    /// What an institution is called.
    Profile(InstitutionId),
    /// A validator's misdeed.
    Fault(FaultPlace),
    /// Who holds a key. No key serves two institutions or two purposes.
    Key(PublicKey),
}

/// What a fault is about: of each there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPlace {
    /// Who contradicted itself.
    pub key: PublicKey,
    /// At which height.
    pub height: Height,
    /// In which view.
    pub view: View,
    /// With which kind of vote.
    pub kind: VoteKind,
}

impl FaultPlace {
    /// The place of a fault.
    pub const fn of(fault: &Fault) -> Self {
        Self { key: fault.key, height: fault.height, view: fault.view, kind: fault.kind }
    }
}

impl StateKey {
    /// The place in the state tree.
    pub fn hash(&self, suite: Suite) -> Hash {
        suite.hash_value(Domain::StateKey, self)
    }
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StateValue {
    /// Of [`StateKey::Institution`].
    Institution(InstitutionState),
    /// Of [`StateKey::Flow`].
    Flow(Box<FlowState>),
    /// Of [`StateKey::Document`].
    Document(Sighting),
    /// Of [`StateKey::Transaction`].
    Transaction(TransactionState),
    /// Of [`StateKey::RulePack`].
    RulePack(RulePack),
    /// Where the epochs stand.
    Validators(Box<Validators>),
    /// An epoch.
    Epoch(Box<Epoch>),
    /// The nodes.
    Directory(Box<Directory>),
    /// What an institution is called.
    Profile(Box<Profile>),
    /// Where a fault was recorded.
    Fault(Sighting),
    /// Of [`StateKey::Key`].
    Key(KeyHolder),
}

impl StateValue {
    /// The digest that the state tree holds.
    pub fn hash(&self, suite: Suite) -> Hash {
        Self::hash_of(suite, &crate::codec::encode(self))
    }

    /// The digest of an object of which these are the canonical bytes.
    pub fn hash_of(suite: Suite, bytes: &[u8]) -> Hash {
        suite.hash(Domain::StateValue, &[bytes])
    }
}

/// An institution as the chain knows it now, with the history of its keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstitutionState {
    /// What it may do.
    pub roles: List<Role, { limits::ROLES }>,
    /// From this height on it may submit.
    pub admitted_at: Height,
    /// From this height on it may not, if suspended.
    pub suspended_at: Option<Height>,
    /// Its keys, oldest first.
    pub keys: List<KeyState, { limits::KEYS_PER_INSTITUTION }>,
}

impl InstitutionState {
    /// Whether the institution may submit at `height`.
    pub fn is_active(&self, height: Height) -> bool {
        self.admitted_at <= height && self.suspended_at.is_none_or(|from| height < from)
    }

    /// Whether `key` may sign for the institution at `height`.
    pub fn key_is_valid(&self, key: &PublicKey, height: Height) -> bool {
        self.keys.iter().any(|state| state.key == *key && state.is_valid(height))
    }

    /// Whether the institution has one of the roles.
    pub fn has_role(&self, wanted: impl Fn(Role) -> bool) -> bool {
        self.roles.iter().any(|role| wanted(*role))
    }
}

/// A key of an institution and the heights at which it is valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyState {
    /// The key.
    pub key: PublicKey,
    /// First height at which it may sign.
    pub valid_from: Height,
    /// First height at which it no longer may, if rotated out or revoked.
    pub revoked_at: Option<Height>,
}

impl KeyState {
    /// Whether the key may sign at `height`.
    pub fn is_valid(&self, height: Height) -> bool {
        self.valid_from <= height && self.revoked_at.is_none_or(|from| height < from)
    }
}

/// Whose a key is, ever since it was first named, and what it is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyHolder {
    /// The institution.
    pub institution: InstitutionId,
    /// What for.
    pub purpose: KeyPurpose,
}

/// What a key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyPurpose {
    /// Signs submissions.
    Submission,
    /// Signs a validator's votes.
    Vote,
    /// Is a node's identity on the mesh.
    Node,
}

/// Where a document was first seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sighting {
    /// The height.
    pub height: Height,
    /// The flow.
    pub flow: FlowId,
    /// The record.
    pub record: RecordId,
}

/// A bank transaction that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransactionState {
    /// The record that stated it.
    pub record: RecordId,
    /// The flow of that record.
    pub flow: FlowId,
    /// The amount.
    pub amount: Fen,
    /// What it was.
    pub kind: TransactionKind,
    /// The record that took it back, if one did.
    pub reversed: Option<RecordId>,
}

/// What a bank transaction was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TransactionKind {
    /// Paid out.
    Disbursement {
        /// What the borrower received of it.
        received: Fen,
        /// Fees that were kept back.
        fees: Fen,
    },
    /// Paid back.
    Repayment(Allocation),
    /// Paid by a guarantor.
    Claim,
    /// Recovered by a guarantor.
    Recovery,
}

/// A failure to read the state: the disk, never the content.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the state: {0}")]
pub struct StateError(pub String);

/// Read access to the state after the last sealed block.
pub trait StateRead {
    /// The object at `key`, if there is one.
    ///
    /// # Errors
    /// [`StateError`] if the store fails.
    fn get(&self, key: &StateKey) -> Result<Option<StateValue>, StateError>;
}

impl StateRead for BTreeMap<StateKey, StateValue> {
    fn get(&self, key: &StateKey) -> Result<Option<StateValue>, StateError> {
        Ok(BTreeMap::get(self, key).cloned())
    }
}

/// What a block changes: the new values, by key.
pub type Changes = BTreeMap<StateKey, StateValue>;

/// The state as a block's changes leave it.
pub struct After<'a> {
    /// Before the block.
    pub state: &'a dyn StateRead,
    /// What the block changes.
    pub changes: &'a Changes,
}

impl StateRead for After<'_> {
    fn get(&self, key: &StateKey) -> Result<Option<StateValue>, StateError> {
        self.changes.get(key).map_or_else(|| self.state.get(key), |value| Ok(Some(value.clone())))
    }
}
