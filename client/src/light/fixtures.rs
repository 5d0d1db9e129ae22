//! A small real chain for tests: a genesis of four institutions that vote and one that follows, real
//! signatures, naive trees. Records are consents: a flow with an object, a document and a commitment.

mod chain;
mod consortium;
mod naive;

pub(crate) use chain::{Chain, NOTICE, NOTICE_NAME, Options, WILL, grant, record, seal_of};
#[cfg(feature = "http")]
pub(crate) use consortium::{SUBMIT, VOTE};
pub(crate) use consortium::{SUITE, genesis, institution, pair};
