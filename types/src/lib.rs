//! Name the things every crate shares: numbers, hashes, keys, codec, records, blocks, proofs.
//!
//! Everything here is pure: no clock, no randomness, no I/O. What is signed or hashed has one canonical
//! byte form (see [`codec`]) and one domain tag (see [`hash::Domain`]); `docs/FORMAT.md` describes both
//! well enough to write a verifier in another language.
//!
//! | module | what it names |
//! | --- | --- |
//! | [`number`] | heights, views, times, money: newtypes with units |
//! | [`hash`], [`key`] | the chain's suite: hash with domain tags, signatures with one validity rule |
//! | [`codec`] | canonical bytes, bounded decoding |
//! | [`bounded`] | text and lists that carry their limits |
//! | [`institution`] | who may speak: identifiers with check digits, roles |
//! | [`record`], [`body`] | one typed statement of an institution |
//! | [`submission`] | what an institution signs and sends |
//! | [`outcome`], [`catalogue`] | what the chain decided about a record, and what each code means |
//! | [`block`], [`seal`], [`validator`] | what validators order and sign |
//! | [`epoch`], [`directory`], [`address`] | who votes from which height on, and where nodes are reached |
//! | [`fault`] | two votes of one validator that contradict each other |
//! | [`merkle`], [`sparse`] | proofs |
//! | [`state`], [`object`] | the current objects that the state root commits to |
//! | [`rule_pack`] | the dated numbers of the law |
//! | [`evidence`] | the file that a court holds |
//! | [`memo`] | large values, shared, that remember their digests |
//! | [`receipt`] | what a node answers to a batch of submissions |
//! | [`verified`] | the mark of a value whose check has been done |
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

pub mod address;
pub mod block;
pub mod body;
pub mod bounded;
mod bytes;
pub mod catalogue;
pub mod codec;
pub mod directory;
pub mod epoch;
pub mod evidence;
pub mod fault;
pub mod hash;
pub mod institution;
pub mod key;
pub mod limits;
pub mod memo;
pub mod merkle;
#[cfg(mutants)]
pub mod mutation;
pub mod number;
pub mod object;
pub mod outcome;
pub mod receipt;
pub mod record;
pub mod rule_pack;
pub mod seal;
pub mod sparse;
pub mod state;
pub mod submission;
pub mod validator;
pub mod verified;

pub use address::Address;
/// Whether this process makes a deliberate mistake of `mutation.rs`: never, in what ships.
#[macro_export]
macro_rules! mutated {
    ($name:ident) => {{
        #[cfg(mutants)]
        let chosen = $crate::mutation::Mutation::$name.is_chosen();
        #[cfg(not(mutants))]
        let chosen = false;
        chosen
    }};
}

pub use block::{Header, Proposal, ProposalParts, SealedBlock};
pub use bounded::{List, Text};
pub use epoch::Epoch;
pub use evidence::{AbsenceFile, Checkpoint, EvidenceFile};
pub use hash::{Domain, Hash, Suite};
pub use institution::InstitutionId;
pub use key::{Keypair, PublicKey, Signature};
pub use number::{Bp, Date, Fen, Height, Index, Millis, Now, Rate, Timestamp, View};
pub use outcome::Outcome;
pub use record::{FlowId, Record, RecordId};
pub use seal::Seal;
pub use submission::{Submission, SubmissionHead, SubmissionId, SubmissionParts};
pub use validator::{ValidatorIndex, ValidatorSet};
pub use verified::Verified;
