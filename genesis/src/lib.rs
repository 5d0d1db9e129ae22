//! State what every node must agree on, and hold the ceremony that makes it.
//!
//! A chain begins with one JSON document that every node holds: who takes part, who votes, which
//! law and which times apply. Its digest is the chain id, so two nodes that agree on the id agree
//! on all of it, however their copies are formatted. The light client trusts this document and
//! nothing else.
//!
//! ```text
//!  each institution       anybody                    everybody
//!  Entry ─sign─> SignedEntry ─┐
//!  Entry ─sign─> SignedEntry ─┼─ Genesis::assemble ─> genesis.json ─> Genesis::parse ─> chain id
//!  Entry ─sign─> SignedEntry ─┘  checks all                           checks all again
//! ```
//!
//! **What is checked.** A [`Genesis`] cannot exist unless every check held: each institution has
//! proved that it holds each key it names, no key serves twice, at least four vote, no affiliation
//! group has more seats than may lie, and the parameters fit each other. Unknown fields are refused
//! at every level.
//!
//! **What is not.** That the institutions are who they say: people compare the chain id by a
//! channel that they trust, and each finds its own entry in the document.
//!
//! Everything here is pure: bytes in, values out. Files and randomness are the caller's.
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

mod document;
mod entry;
mod error;
mod key_file;
pub mod limits;
mod parameters;
mod rule_pack;

pub use document::{Draft, Genesis, Node};
pub use entry::{
    ChainName, Entry, EntryError, MemberNode, Name, Proof, SignedEntry, ValidatorNode,
};
pub use error::{GenesisError, JsonError};
pub use key_file::{KeyFile, KeyFileError, KeyUse, SubjectKey};
pub use parameters::{ParameterError, Parameters, Relation};
pub use probata_types::address::{Address, AddressError};
pub use rule_pack::parse_rule_pack;

#[cfg(test)]
mod fixtures;
