//! Order blocks among validators, some of which lie.
//!
//! PBFT (M. Castro, B. Liskov, OSDI 1999), one height at a time, as a pure function:
//! [`Replica::step`] takes the time and one [`Input`] and answers with a list of [`Output`]s that the
//! driver obeys in order. No clock, no socket, no thread, no randomness. The rules, P1 to P24, with
//! their proofs, are in `docs/PROTOCOL.md`; code cites them.
//!
//! ```text
//!              Propose/Proposed            q Prepares            Executed
//!   idle ──► PrePrepare ──► accepted ──► prepared (on disk) ──► Commit sent ──► q Commits = seal ─► next height
//!                 │                                                                   │
//!                 │ timeout, fault of the leader, censorship, f+1 others leave        │ a seal or Head from
//!                 ▼                                                                   │ elsewhere: fetch
//!            leaving ──► q ViewChanges at the new leader ──► NewView ──► new view ────┘
//! ```
//!
//! **n, f, q.** Of n ≥ 4 validators f = ⌊(n−1)/3⌋ may lie, q = ⌈(n+f+1)/2⌉ must agree. Always safe; live
//! once messages arrive in time.
//!
//! **Persistence.** Every vote is a [`Promise`] on disk before it is a [`Message`] on the wire. A
//! replica made from its journal can only repeat what it said.
//!
//! **Failure.** A peer can make a replica ignore a message, never panic. Contradictions of a peer become a
//! [`Fault`]. A replica whose result others do not share stops voting and says what it computed.
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

mod catch_up;
mod input;
pub mod limits;
mod message;
mod normal;
mod output;
mod promise;
mod replica;
mod tally;
mod timer;
mod view_change;

pub use input::{Head, Input, RestoreError, Settings};
pub use message::{Message, MessageBody, MessageError, PreparedCertificate, ViewChangeVote};
pub use output::{Output, Reason};
pub use probata_types::{
    fault::{Fault, FaultError, SignedContent, VoteKind},
    seal::vote_digest,
};
pub use promise::Promise;
pub use replica::{Replica, Status};
