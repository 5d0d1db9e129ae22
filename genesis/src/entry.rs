//! The entry of one institution in the genesis document, and the proof that it holds its keys.

use crate::{Address, JsonError, limits};
use probata_types::{
    Domain, Hash, InstitutionId, Keypair, List, PublicKey, Signature, Suite, Text,
    institution::Role, key,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name of a chain.
pub type ChainName = Text<{ limits::CHAIN_NAME_BYTES }>;

/// An institution and all that it brings: names, roles, keys, nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its unified social credit code or LEI.
    pub id: InstitutionId,
    /// Its registered name.
    pub name: Name,
    /// What it may do. At least one, none twice.
    pub roles: List<Role, { limits::ROLES }>,
    /// Who controls it: institutions under common control state the same group, and together they
    /// may not have more seats among the validators than may lie. An independent one states its own
    /// name.
    pub group: Text<{ limits::GROUP_BYTES }>,
    /// The keys that it submits with. At least one.
    pub keys: List<PublicKey, { limits::SUBMISSION_KEYS }>,
    /// Its validator, if it votes.
    pub validator: Option<ValidatorNode>,
    /// Its nodes without a vote.
    pub members: List<MemberNode, { limits::MEMBER_NODES }>,
}

/// A name in two languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// In Chinese.
    pub zh: Text<{ limits::NAME_BYTES }>,
    /// In English.
    pub en: Text<{ limits::NAME_BYTES }>,
}

/// A node that votes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidatorNode {
    /// Signs its votes.
    pub key: PublicKey,
    /// Its identity on the mesh.
    pub node: PublicKey,
    /// Where it is reached.
    pub address: Address,
}

/// A node without a vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberNode {
    /// Its identity on the mesh.
    pub node: PublicKey,
    /// Where it is reached.
    pub address: Address,
}

/// One key's signature over an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// A key that the entry names.
    pub key: PublicKey,
    /// Its signature over [`Entry::digest`].
    pub signature: Signature,
}

/// An entry, signed by every key that it names: proof that the institution holds them, and that
/// whoever holds them agrees to the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedEntry {
    /// The entry.
    pub entry: Entry,
    /// Exactly one proof for each of its keys, in ascending order of keys.
    pub proofs: List<Proof, { limits::PROOFS }>,
}

/// Why an entry was refused. Paths are those of the JSON text, from the entry on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// A text without content, or with space around it, which would look like another one.
    #[error("{0} is empty or has space around it: write it without")]
    Blank(&'static str),
    /// No role.
    #[error("roles is empty: an institution has at least one role")]
    NoRole,
    /// A role twice.
    #[error("roles names {0:?} twice: leave one out")]
    RoleTwice(Role),
    /// No key.
    #[error("keys is empty: an institution needs at least one key to submit with")]
    NoKey,
    /// A key in two places.
    #[error("{first} and {second} are the same key {key}: make a key for each use")]
    KeyTwice {
        /// The key.
        key: PublicKey,
        /// Where it stands first.
        first: String,
        /// Where it stands again.
        second: String,
    },
    /// More proofs than an entry can have keys.
    #[error("{got} proofs are more than the {max} allowed: there is one for each key")]
    TooManyProofs {
        /// Proofs given.
        got: usize,
        /// Proofs allowed.
        max: usize,
    },
    /// A key that did not sign.
    #[error("{path} ({key}) has no proof: the entry must be signed with every key that it names")]
    MissingProof {
        /// Where the key stands.
        path: String,
        /// The key.
        key: PublicKey,
    },
    /// A proof by another key, or a second one of the same key.
    #[error("proofs hold one of {0}, which the entry does not name, or names once: remove it")]
    ExtraProof(PublicKey),
    /// Proofs that are not in ascending order of their keys.
    #[error("proofs are not in ascending order of their keys: sort them")]
    UnsortedProofs,
    /// A signature that is not valid.
    #[error(
        "the proof of {path} ({key}) is not valid for chain name {chain_name:?}: the entry was \
         changed after it was signed, or signed for another chain; sign it again"
    )]
    InvalidProof {
        /// Where the key stands.
        path: String,
        /// The key.
        key: PublicKey,
        /// The chain name that it should be signed for.
        chain_name: String,
    },
}

impl Entry {
    /// What each key of the entry signs: `hash(GenesisEntry, chain_name ‖ entry)`, both as
    /// canonical bytes.
    pub fn digest(&self, suite: Suite, chain_name: &ChainName) -> Hash {
        suite.hash_value(Domain::GenesisEntry, &(chain_name, self))
    }

    /// Signs the entry with the pairs of all its keys, in any order. Where keys live in a security
    /// module, let it sign [`Entry::digest`] and use [`SignedEntry::new`].
    ///
    /// # Errors
    /// [`EntryError`] if the entry does not hold, or a pair is missing or of no key of it.
    pub fn sign(
        self,
        suite: Suite,
        chain_name: &ChainName,
        pairs: &[&Keypair],
    ) -> Result<SignedEntry, EntryError> {
        let digest = self.digest(suite, chain_name);
        let proofs = pairs
            .iter()
            .map(|pair| Proof { key: pair.public(), signature: pair.sign(&digest) })
            .collect();
        SignedEntry::new(self, proofs, suite, chain_name)
    }

    /// Every key that the entry names, with its path, in the order of the text.
    pub fn named_keys(&self) -> Vec<(String, PublicKey)> {
        let mut keys: Vec<(String, PublicKey)> = Vec::new();
        keys.extend(self.keys.iter().enumerate().map(|(at, key)| (format!("keys[{at}]"), *key)));
        if let Some(validator) = &self.validator {
            keys.push(("validator.key".to_owned(), validator.key));
            keys.push(("validator.node".to_owned(), validator.node));
        }
        let members = self.members.iter().enumerate();
        keys.extend(members.map(|(at, member)| (format!("members[{at}].node"), member.node)));
        keys
    }

    fn check(&self) -> Result<(), EntryError> {
        let texts =
            [("name.zh", &*self.name.zh), ("name.en", &*self.name.en), ("group", &*self.group)];
        for (path, text) in texts {
            if is_blank(text) {
                return Err(EntryError::Blank(path));
            }
        }
        if self.roles.is_empty() {
            return Err(EntryError::NoRole);
        }
        for (at, role) in self.roles.iter().enumerate() {
            if self.roles[..at].contains(role) {
                return Err(EntryError::RoleTwice(*role));
            }
        }
        if self.keys.is_empty() {
            return Err(EntryError::NoKey);
        }
        Ok(())
    }
}

impl SignedEntry {
    /// Puts an entry and its proofs together, sorts the proofs, and checks everything.
    ///
    /// # Errors
    /// [`EntryError`] if the entry or a proof does not hold.
    pub fn new(
        entry: Entry,
        mut proofs: Vec<Proof>,
        suite: Suite,
        chain_name: &ChainName,
    ) -> Result<Self, EntryError> {
        proofs.sort_by_key(|proof| proof.key);
        let (got, max) = (proofs.len(), limits::PROOFS);
        let proofs = List::new(proofs).map_err(|_| EntryError::TooManyProofs { got, max })?;
        let signed = Self { entry, proofs };
        signed.check(suite, chain_name)?;
        Ok(signed)
    }

    /// Reads the JSON text of a signed entry. It is not checked yet: see [`SignedEntry::check`].
    ///
    /// # Errors
    /// [`JsonError`] if it is too long or not such a text; the line and column are named.
    pub fn parse(json: &[u8]) -> Result<Self, JsonError> {
        crate::error::read_json(json, limits::ENTRY_BYTES)
    }

    /// The JSON text, for a file.
    pub fn to_json(&self) -> String {
        crate::error::write_json(self)
    }

    /// Checks the entry and its proofs.
    ///
    /// # Errors
    /// [`EntryError`] for the first thing that does not hold.
    pub fn check(&self, suite: Suite, chain_name: &ChainName) -> Result<(), EntryError> {
        self.entry.check()?;
        let mut paths: BTreeMap<PublicKey, String> = BTreeMap::new();
        for (second, key) in self.entry.named_keys() {
            if let Some(first) = paths.insert(key, second.clone()) {
                return Err(EntryError::KeyTwice { key, first, second });
            }
        }
        if !self.proofs.is_sorted_by_key(|proof| proof.key) {
            return Err(EntryError::UnsortedProofs);
        }
        let digest = self.entry.digest(suite, chain_name);
        for proof in &self.proofs {
            let Some(path) = paths.remove(&proof.key) else {
                return Err(EntryError::ExtraProof(proof.key));
            };
            if key::verify(&proof.key, &digest, &proof.signature).is_err() {
                let chain_name = chain_name.to_string();
                return Err(EntryError::InvalidProof { path, key: proof.key, chain_name });
            }
        }
        match paths.pop_first() {
            Some((key, path)) => Err(EntryError::MissingProof { path, key }),
            None => Ok(()),
        }
    }
}

/// Whether a text says nothing, or looks like another for the space around it.
pub(crate) fn is_blank(text: &str) -> bool {
    text.is_empty() || text.trim() != text
}
