//! The types that have canonical bytes outside of one process, by name.

use probata_consensus::{Fault, Message, Promise};
use probata_node::wire::{Ask, Bulk, Consensus, Offer};
use probata_tests::consortium::{SUITE, institution};
use probata_types::{
    Hash, Header, Proposal, Record, Seal, SealedBlock, Submission, ValidatorSet, codec,
    outcome::OutcomeLeaf,
    receipt::{Batch, BatchAnswer},
    state::{StateKey, StateValue},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::fmt::Debug;

/// The names of all forms.
pub(super) const ALL: [&str; 19] = [
    "record",
    "submission",
    "outcome_leaf",
    "proposal",
    "header",
    "seal",
    "sealed_block",
    "validator_set",
    "message",
    "promise",
    "fault",
    "bulk",
    "ask",
    "offer",
    "consensus_frame",
    "batch",
    "batch_answer",
    "state_key",
    "state_value",
];

/// What a value comes to.
pub(super) struct Pinned {
    pub(super) bytes: Vec<u8>,
    pub(super) digest: Option<Hash>,
}

/// One type.
pub(super) trait Form {
    /// The bytes and the digest of a value that is given as JSON. The value must come back from
    /// both.
    fn pin(&self, value: &Value, chain: &Hash) -> Pinned;

    /// Whether bytes are those of a value; then the value has no other bytes.
    fn accepts(&self, bytes: &[u8]) -> bool;
}

/// The form of this name.
pub(super) fn form(name: &str) -> Box<dyn Form> {
    match name {
        "record" => {
            of(|record: &Record, chain| Some(Hash(record.id(SUITE, chain, &institution(0)).0)))
        }
        "submission" => of(|submission: &Submission, _| Some(Hash(submission.id().0))),
        "outcome_leaf" => of(|leaf: &OutcomeLeaf, _| Some(leaf.digest(SUITE))),
        "proposal" => of(|proposal: &Proposal, _| Some(proposal.digest())),
        "header" => of(|header: &Header, _| Some(header.hash())),
        "seal" => of(|_: &Seal, _| None),
        "sealed_block" => of(|block: &SealedBlock, _| Some(block.header.hash())),
        "validator_set" => of(|set: &ValidatorSet, _| Some(set.hash(SUITE))),
        "message" => of(|message: &Message, chain| Some(message.body.digest(SUITE, chain))),
        "promise" => of(|_: &Promise, _| None),
        "fault" => of(|_: &Fault, _| None),
        "bulk" => of(|_: &Bulk, _| None),
        "ask" => of(|_: &Ask, _| None),
        "offer" => of(|_: &Offer, _| None),
        "consensus_frame" => of(|_: &Consensus, _| None),
        "batch" => of(|_: &Batch, _| None),
        "batch_answer" => of(|_: &BatchAnswer, _| None),
        "state_key" => of(|key: &StateKey, _| Some(key.hash(SUITE))),
        "state_value" => of(|value: &StateValue, _| Some(value.hash(SUITE))),
        other => panic!("there is no form {other}"),
    }
}

type Digest<T> = fn(&T, &Hash) -> Option<Hash>;

struct Of<T>(Digest<T>);

fn of<T>(digest: Digest<T>) -> Box<dyn Form>
where
    T: Serialize + DeserializeOwned + PartialEq + Debug + 'static,
{
    Box::new(Of(digest))
}

impl<T: Serialize + DeserializeOwned + PartialEq + Debug> Form for Of<T> {
    fn pin(&self, value: &Value, chain: &Hash) -> Pinned {
        let typed: T = serde_json::from_value(value.clone())
            .unwrap_or_else(|error| panic!("{error}: {value}"));
        assert_eq!(serde_json::to_value(&typed).unwrap(), *value, "the JSON comes back");
        let bytes = codec::encode(&typed);
        assert_eq!(codec::decode::<T>(&bytes, bytes.len()).as_ref(), Ok(&typed), "and from bytes");
        Pinned { bytes, digest: (self.0)(&typed, chain) }
    }

    fn accepts(&self, bytes: &[u8]) -> bool {
        let Ok(value) = codec::decode::<T>(bytes, bytes.len()) else { return false };
        assert_eq!(codec::encode(&value), bytes, "one value, one spelling");
        true
    }
}
