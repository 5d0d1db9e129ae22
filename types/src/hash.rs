//! The chain's suite: which hash and signature algorithms it uses, and the one list of domain tags.

use crate::bytes::byte_string;
use serde::{Deserialize, Serialize};

byte_string! {
    /// A 32-byte digest of the chain's suite.
    Hash, 32
}

impl Hash {
    /// All zero: stands for "nothing before", never the digest of anything.
    pub const ZERO: Self = Self([0; 32]);

    /// The first eight hex digits, for logs and tables.
    pub fn short(&self) -> String {
        hex::encode(&self.0[..4])
    }
}

/// A text that is not the lower-case hex of the right number of bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {} lower-case hex digits ({bytes} bytes)", bytes * 2)]
pub struct HexError {
    /// Bytes expected.
    pub bytes: usize,
}

/// The algorithms of a chain, fixed by its genesis. Every hash and signature is made under one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Suite {
    /// BLAKE3 (256-bit output) and Ed25519 (RFC 8032, rule in [`crate::key`]).
    #[serde(rename = "blake3-ed25519")]
    Blake3Ed25519,
}

impl Suite {
    /// The digest of `parts` one after the other, under `domain`:
    /// `BLAKE3(len(tag) as one byte ‖ tag ‖ parts…)`.
    ///
    /// Parts are not separated: callers pass fixed-size parts, or canonical bytes as the last one.
    pub fn hash(self, domain: Domain, parts: &[&[u8]]) -> Hash {
        match self {
            Self::Blake3Ed25519 => {
                let tag = domain.tag().as_bytes();
                let length = [u8::try_from(tag.len()).expect("tags are shorter than 256 bytes")];
                let all = || [&length, tag].into_iter().chain(parts.iter().copied());
                let bytes: usize = all().map(<[u8]>::len).sum();
                if bytes > blake3::CHUNK_LEN {
                    let mut hasher = blake3::Hasher::new();
                    for part in all() {
                        hasher.update(part);
                    }
                    return Hash(*hasher.finalize().as_bytes());
                }
                if bytes > NODE {
                    in_one_piece::<{ blake3::CHUNK_LEN }>(all())
                } else {
                    in_one_piece::<NODE>(all())
                }
            }
        }
    }

    /// The digest of two digests in one block of the hash: BLAKE3 in keyed mode over `left ‖ right`. What parts
    /// one use from another is the key, itself a digest under the domain of that use.
    pub fn pair(self, key: &Hash, left: &Hash, right: &Hash) -> Hash {
        match self {
            Self::Blake3Ed25519 => {
                let mut both = [0; 2 * Hash::LEN];
                both[..Hash::LEN].copy_from_slice(left.as_bytes());
                both[Hash::LEN..].copy_from_slice(right.as_bytes());
                Hash(*blake3::keyed_hash(&key.0, &both).as_bytes())
            }
        }
    }

    /// The digest of a value's canonical bytes under `domain`.
    pub fn hash_value<T: Serialize>(self, domain: Domain, value: &T) -> Hash {
        crate::codec::with_bytes(value, |bytes| self.hash(domain, &[bytes]))
    }

    /// The keyed digest (a MAC) of `parts` under `domain`: BLAKE3 in keyed mode over
    /// `len(tag) ‖ tag ‖ parts…`.
    pub fn keyed_hash(self, key: &[u8; 32], domain: Domain, parts: &[&[u8]]) -> Hash {
        match self {
            Self::Blake3Ed25519 => {
                let tag = domain.tag().as_bytes();
                let mut hasher = blake3::Hasher::new_keyed(key);
                hasher.update(&[u8::try_from(tag.len()).expect("tags are shorter than 256 bytes")]);
                hasher.update(tag);
                for part in parts {
                    hasher.update(part);
                }
                Hash(*hasher.finalize().as_bytes())
            }
        }
    }
}

/// Bytes that nodes and leaves of trees fit in.
const NODE: usize = 128;

/// The digest of parts that fit in `N` bytes together: a hasher that is fed in parts takes twice as long for so few.
fn in_one_piece<'a, const N: usize>(parts: impl Iterator<Item = &'a [u8]>) -> Hash {
    let (mut piece, mut end) = ([0; N], 0);
    for part in parts {
        piece[end..end + part.len()].copy_from_slice(part);
        end += part.len();
    }
    Hash(*blake3::hash(&piece[..end]).as_bytes())
}

/// What a digest is for. Two different things never share a digest, whatever their bytes.
/// A retired tag stays in this list, unused, and is never given to something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// The genesis document; its digest is the chain id.
    Genesis,
    /// An institution's signed entry in the genesis ceremony.
    GenesisEntry,
    /// A record under its chain and submitter: the record id.
    Record,
    /// The Merkle tree over the record ids of a submission.
    Records,
    /// The head of a submission: the submission id, which its signature signs.
    Submission,
    /// The Merkle tree over the submissions of a block.
    Submissions,
    /// The Merkle tree over the outcomes of a block.
    Outcomes,
    /// A proposal, as Prepare votes name it.
    Proposal,
    /// A block header.
    Header,
    /// The Merkle tree over header hashes.
    History,
    /// The sparse Merkle tree over the state.
    State,
    /// Where an object sits in the state tree.
    StateKey,
    /// An object of the state.
    StateValue,
    /// A validator set.
    Validators,
    /// The hash chain over a flow's accepted records.
    Flow,
    /// A salted commitment to a value.
    Commitment,
    /// A subject handle, keyed with the consortium key.
    Subject,
    /// The consortium key, as genesis names it.
    SubjectKey,
    /// A leader's proposal for a height and view (signed).
    PrePrepare,
    /// A vote that a proposal is the one of its height and view (signed).
    Prepare,
    /// A vote for a header in a view (signed); a quorum of them is a seal.
    Commit,
    /// A wish to leave a view (signed).
    ViewChange,
    /// A new leader's opening of its view (signed).
    NewView,
    /// A validator's word on how high it is (signed).
    Head,
    /// A training run of several parties (signed by each).
    TrainingRun,
    /// The holder of a key belongs to an institution of a chain (signed with the key).
    KeyProof,
    /// A validator's misdeed as an institution reports it: names the report's flow.
    Fault,
    /// The state at a height as it is cut for nodes that join.
    Snapshot,
}

impl Domain {
    /// The tag as it is hashed.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Genesis => "probata.genesis",
            Self::GenesisEntry => "probata.genesis-entry",
            Self::Record => "probata.record",
            Self::Records => "probata.records",
            Self::Submission => "probata.submission",
            Self::Submissions => "probata.submissions",
            Self::Outcomes => "probata.outcomes",
            Self::Proposal => "probata.proposal",
            Self::Header => "probata.header",
            Self::History => "probata.history",
            Self::State => "probata.state",
            Self::StateKey => "probata.state-key",
            Self::StateValue => "probata.state-value",
            Self::Validators => "probata.validators",
            Self::Flow => "probata.flow",
            Self::Commitment => "probata.commitment",
            Self::Subject => "probata.subject",
            Self::SubjectKey => "probata.subject-key",
            Self::PrePrepare => "probata.pre-prepare",
            Self::Prepare => "probata.prepare",
            Self::Commit => "probata.commit",
            Self::ViewChange => "probata.view-change",
            Self::NewView => "probata.new-view",
            Self::Head => "probata.head",
            Self::TrainingRun => "probata.training-run",
            Self::KeyProof => "probata.key-proof",
            Self::Fault => "probata.fault",
            Self::Snapshot => "probata.snapshot",
        }
    }
}
