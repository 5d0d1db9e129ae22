//! The genesis document: read, checked, and asked.

use crate::{
    Address, ChainName, Entry, GenesisError, JsonError, Parameters, SignedEntry,
    error::{read_json, write_json},
    limits,
};
use probata_types::{
    Domain, Hash, Height, InstitutionId, List, PublicKey, Suite, Text, Timestamp, ValidatorIndex,
    ValidatorSet,
    body::Profile,
    directory::{Directory, NodeEntry},
    epoch, limits as types,
    rule_pack::RulePack,
    state::{Changes, InstitutionState, KeyHolder, KeyPurpose, KeyState, StateKey, StateValue},
    validator::Validator,
};
use serde::{Deserialize, Serialize};

mod check;

const FORMAT: &str = "probata-genesis";
const VERSION: u16 = 1;

/// A genesis document whose every check held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    document: Document,
    chain: Hash,
    validators: ValidatorSet,
}

/// What a genesis document is assembled from.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The name of the chain, for people. Every entry was signed for it.
    pub chain_name: ChainName,
    /// The algorithms.
    pub suite: Suite,
    /// When the chain begins. Every block is later.
    pub created_at: Timestamp,
    /// Names the consortium key: see [`crate::SubjectKey::hash`].
    pub subject_key: Hash,
    /// What all nodes share.
    pub parameters: Parameters,
    /// The numbers of the law at the start.
    pub rule_pack: RulePack,
    /// Whoever takes part, in any order.
    pub entries: Vec<SignedEntry>,
}

/// A node that the genesis document names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node<'a> {
    /// Who runs it.
    pub institution: &'a InstitutionId,
    /// Its identity on the mesh: the Ed25519 key of its libp2p peer id.
    pub key: PublicKey,
    /// Where it is reached.
    pub address: &'a Address,
    /// Its seat, if it votes.
    pub validator: Option<ValidatorIndex>,
}

/// The document as it is written. Its canonical bytes, in this order of fields, make the chain id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: Text<{ FORMAT.len() }>,
    version: u16,
    chain_name: ChainName,
    suite: Suite,
    created_at: Timestamp,
    subject_key: Hash,
    parameters: Parameters,
    rule_pack: RulePack,
    entries: List<SignedEntry, { limits::INSTITUTIONS }>,
}

/// What tells a document of another kind or time, whose other fields we could not read.
#[derive(Deserialize)]
struct Preamble {
    format: String,
    version: u64,
}

impl Genesis {
    /// Reads and checks the JSON text of a document.
    ///
    /// # Errors
    /// [`GenesisError`] with the place of the first thing that does not hold, and what to do.
    pub fn parse(json: &[u8]) -> Result<Self, GenesisError> {
        let preamble: Preamble = read_json(json, limits::GENESIS_BYTES)?;
        if preamble.format != FORMAT {
            return Err(GenesisError::Format(preamble.format));
        }
        if preamble.version != u64::from(VERSION) {
            return Err(GenesisError::Version(preamble.version));
        }
        Self::new(read_json(json, limits::GENESIS_BYTES)?)
    }

    /// Ends the ceremony: sorts the entries by institution, so that everybody who assembles the
    /// same draft gets the same chain id, and checks everything.
    ///
    /// # Errors
    /// [`GenesisError`] with the place of the first thing that does not hold, and what to do.
    pub fn assemble(draft: Draft) -> Result<Self, GenesisError> {
        let mut entries = draft.entries;
        entries.sort_by_key(|signed| signed.entry.id);
        let (got, max) = (entries.len(), limits::INSTITUTIONS);
        let entries = List::new(entries).map_err(|_| GenesisError::TooManyEntries { got, max })?;
        let genesis = Self::new(Document {
            format: Text::new(FORMAT).expect("the constant fits its own length"),
            version: VERSION,
            chain_name: draft.chain_name,
            suite: draft.suite,
            created_at: draft.created_at,
            subject_key: draft.subject_key,
            parameters: draft.parameters,
            rule_pack: draft.rule_pack,
            entries,
        })?;
        let (got, max) = (genesis.to_json().len(), limits::GENESIS_BYTES);
        if got > max {
            return Err(JsonError::TooLong { got, max }.into());
        }
        Ok(genesis)
    }

    fn new(document: Document) -> Result<Self, GenesisError> {
        let validators = document.check()?;
        let chain = document.suite.hash_value(Domain::Genesis, &document);
        Ok(Self { document, chain, validators })
    }

    /// The JSON text, for people. Formatting is free: it does not change the chain id.
    pub fn to_json(&self) -> String {
        write_json(&self.document)
    }

    /// The chain id.
    pub const fn chain(&self) -> Hash {
        self.chain
    }

    /// The name of the chain.
    pub const fn chain_name(&self) -> &ChainName {
        &self.document.chain_name
    }

    /// The algorithms.
    pub const fn suite(&self) -> Suite {
        self.document.suite
    }

    /// When the chain begins: the time of height 0.
    pub const fn created_at(&self) -> Timestamp {
        self.document.created_at
    }

    /// What all nodes share.
    pub const fn parameters(&self) -> &Parameters {
        &self.document.parameters
    }

    /// The numbers of the law at the start.
    pub const fn rule_pack(&self) -> &RulePack {
        &self.document.rule_pack
    }

    /// The digest that names the consortium key.
    pub const fn subject_key(&self) -> Hash {
        self.document.subject_key
    }

    /// Whether a key is the consortium key of this chain.
    ///
    /// # Errors
    /// [`GenesisError::SubjectKey`] if it is another.
    pub fn check_subject_key(&self, key: &[u8; 32]) -> Result<(), GenesisError> {
        let got = crate::key_file::subject_key_hash(self.suite(), key);
        let wanted = self.document.subject_key;
        if got == wanted { Ok(()) } else { Err(GenesisError::SubjectKey { got, wanted }) }
    }

    /// All institutions, in ascending order of their ids.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.document.entries.iter().map(|signed| &signed.entry)
    }

    /// An institution.
    pub fn institution(&self, id: &InstitutionId) -> Option<&Entry> {
        let entries = &self.document.entries;
        let at = entries.binary_search_by_key(id, |signed| signed.entry.id).ok()?;
        Some(&entries[at].entry)
    }

    /// The validators that seal the first block, in the order of the entries.
    pub const fn validator_set(&self) -> &ValidatorSet {
        &self.validators
    }

    /// All nodes that may take part in the mesh: those that vote first, in the order of their
    /// seats.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        let voting = self
            .entries()
            .filter_map(|entry| Some((entry, entry.validator.as_ref()?)))
            .zip((0u16..).map(ValidatorIndex))
            .map(|((entry, node), seat)| Node {
                institution: &entry.id,
                key: node.node,
                address: &node.address,
                validator: Some(seat),
            });
        let members = self.entries().flat_map(|entry| {
            entry.members.iter().map(|member| Node {
                institution: &entry.id,
                key: member.node,
                address: &member.address,
                validator: None,
            })
        });
        voting.chain(members)
    }

    /// The state before the first block: the institutions with their keys, and the rule pack.
    pub fn initial_state(&self) -> Changes {
        let mut state = Changes::new();
        for entry in self.entries() {
            state.insert(
                StateKey::Institution(entry.id),
                StateValue::Institution(institution_state(entry)),
            );
            let profile = Profile {
                zh: entry.name.zh.clone(),
                en: entry.name.en.clone(),
                group: entry.group.clone(),
            };
            state.insert(StateKey::Profile(entry.id), StateValue::Profile(Box::new(profile)));
            state.extend(key_holders(entry));
        }
        state.insert(StateKey::RulePack, StateValue::RulePack(self.document.rule_pack.clone()));
        state.append(&mut epoch::begin(self.validators.clone()));
        state.insert(StateKey::Directory, StateValue::Directory(Box::new(self.directory())));
        state
    }

    fn directory(&self) -> Directory {
        let entries = self.entries().flat_map(|entry| {
            let node = |node: PublicKey, address: Address, votes: bool| NodeEntry {
                institution: entry.id,
                node,
                address,
                votes,
            };
            let voting = entry.validator.iter().map(move |it| node(it.node, it.address, true));
            voting.chain(entry.members.iter().map(move |it| node(it.node, it.address, false)))
        });
        List::new(entries.collect()).expect("check_nodes counted them")
    }
}

/// Who holds the keys that an entry names.
fn key_holders(entry: &Entry) -> impl Iterator<Item = (StateKey, StateValue)> {
    let submission = entry.keys.iter().map(|key| (*key, KeyPurpose::Submission));
    let voting = entry.validator.iter();
    let voting = voting.flat_map(|it| [(it.key, KeyPurpose::Vote), (it.node, KeyPurpose::Node)]);
    let members = entry.members.iter().map(|it| (it.node, KeyPurpose::Node));
    let institution = entry.id;
    submission.chain(voting).chain(members).map(move |(key, purpose)| {
        (StateKey::Key(key), StateValue::Key(KeyHolder { institution, purpose }))
    })
}

fn institution_state(entry: &Entry) -> InstitutionState {
    let keys = entry
        .keys
        .iter()
        .map(|key| KeyState { key: *key, valid_from: Height::ZERO, revoked_at: None })
        .collect();
    InstitutionState {
        roles: entry.roles.clone(),
        admitted_at: Height::ZERO,
        suspended_at: None,
        keys: List::new(keys).expect("SUBMISSION_KEYS is at most KEYS_PER_INSTITUTION"),
    }
}

#[cfg(test)]
mod tests;
